//! A snapshot file as frames, one after another: written in sections of rows, read one by one.

use super::ROWS_PER_FRAME;
use crate::format::v1::{Section, SnapshotEndV1};
use crate::format::{self, Body, FormatError, HEADER_BYTES};
use crate::snapshot::SnapshotFile;
use std::io::{self, Write};

pub(super) struct Writer<'a, W> {
    out: &'a mut W,
    pub(super) frames: u64,
    pub(super) rows: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    pub(super) fn new(out: &'a mut W) -> Self {
        Writer { out, frames: 0, rows: 0 }
    }

    pub(super) fn frame<B: Body>(&mut self, body: &B) -> io::Result<()> {
        self.frames += 1;
        self.out.write_all(&format::encode(body)?)
    }

    pub(super) fn rows<S: Section>(
        &mut self,
        rows: impl Iterator<Item = S::Row>,
    ) -> io::Result<()> {
        self.rows_by::<S>(ROWS_PER_FRAME, rows)
    }

    pub(super) fn rows_by<S: Section>(
        &mut self,
        per_frame: usize,
        rows: impl Iterator<Item = S::Row>,
    ) -> io::Result<()> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let some: Vec<S::Row> = rows.by_ref().take(per_frame).collect();
            self.rows += some.len() as u64;
            self.frame(&S::of(some))?;
        }
        Ok(())
    }
}

pub(super) struct Reader<'a> {
    file: &'a SnapshotFile,
    offset: u64,
    pub(super) frames: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a SnapshotFile) -> Self {
        Reader { file, offset: 0, frames: 0 }
    }

    /// The next frame with its header, unchecked.
    pub(super) fn next(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = self.file.read_at(self.offset, HEADER_BYTES)?;
        let header = bytes
            .first_chunk()
            .ok_or(FormatError::Short { have: bytes.len(), need: HEADER_BYTES })?;
        let body_bytes = format::body_bytes(header)?;
        bytes.extend(self.file.read_at(self.offset + HEADER_BYTES as u64, body_bytes)?);
        self.offset += bytes.len() as u64;
        self.frames += 1;
        Ok(bytes)
    }

    pub(super) fn body<B: Body>(&mut self) -> io::Result<B> {
        Ok(format::decode(&self.next()?)?)
    }

    pub(super) fn finish(&self, stated: &SnapshotEndV1, counted: SnapshotEndV1) -> io::Result<()> {
        if *stated != counted {
            let reason = format!("{counted:?} in the file, {stated:?} were written");
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        match self.file.bytes() - self.offset {
            0 => Ok(()),
            more => Err(FormatError::Trailing(usize::try_from(more).unwrap_or(usize::MAX)).into()),
        }
    }
}
