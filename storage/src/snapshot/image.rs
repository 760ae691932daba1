//! What is in a snapshot file: a head, the ledger in sections of rows, an end that counts them.

use super::SnapshotFile;
use crate::format::v1::{
    AccountV1, AliasV1, BudgetV1, NodeRecordV1, ProviderV1, SnapshotAccountsV1, SnapshotAliasesV1,
    SnapshotBudgetsV1, SnapshotEndV1, SnapshotKeyHashesV1, SnapshotKeyNamesV1, SnapshotKeysV1,
    SnapshotLedgerV1, SnapshotMetaV1, SnapshotNodesV1, SnapshotProvidersV1, VirtualKeyV1,
};
use crate::format::{self, Body, FormatError, Frame, HEADER_BYTES, Kind};
use crate::types::SnapshotMeta;
use ledger::{
    Account, AccountId, Alias, Budget, KeyHash, Ledger, NodeRecord, Provider, VirtualKey,
};
use std::io::{self, Write};

/// Rows of one frame. A row stems from one record of the log or a few, so a frame stays far below its
/// limit.
const ROWS_PER_FRAME: usize = 256;
/// The same of accounts: one grows by a lane with each life of a node that ended with money out, so
/// each has room for tens of thousands.
const ACCOUNTS_PER_FRAME: usize = 16;

/// A ledger at one place of the log.
#[derive(Clone, Debug)]
pub(crate) struct Image {
    pub(crate) meta: SnapshotMeta,
    pub(crate) ledger: Ledger,
}

impl Image {
    pub(crate) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        // Named one by one: a field that is added must be written, or nodes restored here differ.
        let Ledger {
            applied_index,
            config_index,
            cluster_id,
            key_pepper,
            cluster_version,
            nodes,
            keys,
            keys_by_hash,
            keys_by_name,
            budgets,
            accounts,
            providers,
            aliases,
        } = &self.ledger;
        let mut out = Writer::new(out);
        out.frame(&SnapshotMetaV1 {
            last_log_id: self.meta.last_log_id.as_ref().map(Into::into),
            membership: (&self.meta.last_membership).into(),
            cluster_version: *cluster_version,
        })?;
        out.frame(&SnapshotLedgerV1 {
            applied_index: *applied_index,
            config_index: *config_index,
            cluster_id: cluster_id.clone(),
            key_pepper: key_pepper.as_ref().map(Into::into),
            cluster_version: *cluster_version,
        })?;
        out.rows::<SnapshotNodesV1, _>(nodes.values().map(NodeRecordV1::from))?;
        out.rows::<SnapshotKeysV1, _>(keys.values().map(VirtualKeyV1::from))?;
        let hashes = keys_by_hash.iter().map(|(hash, id)| (hash.0, id.clone()));
        out.rows::<SnapshotKeyHashesV1, _>(hashes)?;
        let names = keys_by_name.iter().map(|(name, id)| (name.clone(), id.clone()));
        out.rows::<SnapshotKeyNamesV1, _>(names)?;
        out.rows::<SnapshotBudgetsV1, _>(budgets.values().map(BudgetV1::from))?;
        let accounts = accounts.iter().map(AccountV1::from);
        out.rows_by::<SnapshotAccountsV1, _>(ACCOUNTS_PER_FRAME, accounts)?;
        out.rows::<SnapshotProvidersV1, _>(providers.values().map(ProviderV1::from))?;
        out.rows::<SnapshotAliasesV1, _>(aliases.values().map(AliasV1::from))?;
        let (frames, rows) = (out.frames, out.rows);
        out.frame(&SnapshotEndV1 { frames, rows })
    }

    /// Reads a file whole and checks every frame of it.
    pub(crate) fn read(file: &SnapshotFile) -> io::Result<Image> {
        let mut reader = Reader::new(file);
        let meta: SnapshotMetaV1 = reader.body()?;
        let head: SnapshotLedgerV1 = reader.body()?;
        let mut ledger = Ledger {
            applied_index: head.applied_index,
            config_index: head.config_index,
            cluster_id: head.cluster_id,
            key_pepper: head.key_pepper.map(Into::into),
            cluster_version: head.cluster_version,
            ..Ledger::default()
        };
        let mut rows = 0;
        loop {
            let frames = reader.frames;
            let bytes = reader.next()?;
            let (frame, _) = format::split(&bytes)?;
            if frame.kind == Kind::SNAPSHOT_END {
                let end: SnapshotEndV1 = format::open(&frame)?;
                reader.finish(&end, SnapshotEndV1 { frames, rows })?;
                break;
            }
            rows += take_rows(&mut ledger, &frame)? as u64;
        }
        let meta = SnapshotMeta {
            last_log_id: meta.last_log_id.map(Into::into),
            last_membership: meta.membership.try_into()?,
        };
        Ok(Image { meta, ledger })
    }
}

/// Puts the rows of one frame into the ledger and returns how many they were.
fn take_rows(ledger: &mut Ledger, frame: &Frame<'_>) -> Result<usize, FormatError> {
    match frame.kind {
        Kind::SNAPSHOT_NODES => each(format::open::<SnapshotNodesV1>(frame)?.rows, |row| {
            let node = NodeRecord::from(row);
            ledger.nodes.insert_mut(node.id, node);
            Ok(())
        }),
        Kind::SNAPSHOT_KEYS => each(format::open::<SnapshotKeysV1>(frame)?.rows, |row| {
            let key = VirtualKey::from(row);
            ledger.keys.insert_mut(key.id.clone(), key);
            Ok(())
        }),
        Kind::SNAPSHOT_KEY_HASHES => {
            each(format::open::<SnapshotKeyHashesV1>(frame)?.rows, |(hash, id)| {
                ledger.keys_by_hash.insert_mut(KeyHash(hash), id);
                Ok(())
            })
        }
        Kind::SNAPSHOT_KEY_NAMES => {
            each(format::open::<SnapshotKeyNamesV1>(frame)?.rows, |(name, id)| {
                ledger.keys_by_name.insert_mut(name, id);
                Ok(())
            })
        }
        Kind::SNAPSHOT_BUDGETS => each(format::open::<SnapshotBudgetsV1>(frame)?.rows, |row| {
            let budget = Budget::try_from(row)?;
            ledger.budgets.insert_mut(budget.name.clone(), budget);
            Ok(())
        }),
        Kind::SNAPSHOT_ACCOUNTS => each(format::open::<SnapshotAccountsV1>(frame)?.rows, |row| {
            let (id, account) = <(AccountId, Account)>::try_from(row)?;
            ledger.accounts.insert_mut(id, account);
            Ok(())
        }),
        Kind::SNAPSHOT_PROVIDERS => each(format::open::<SnapshotProvidersV1>(frame)?.rows, |row| {
            let provider = Provider::try_from(row)?;
            ledger.providers.insert_mut(provider.name.clone(), provider);
            Ok(())
        }),
        Kind::SNAPSHOT_ALIASES => each(format::open::<SnapshotAliasesV1>(frame)?.rows, |row| {
            let alias = Alias::from(row);
            ledger.aliases.insert_mut(alias.name.clone(), alias);
            Ok(())
        }),
        kind => Err(FormatError::TooNew { kind, schema: frame.schema }),
    }
}

fn each<T>(
    rows: Vec<T>,
    mut take: impl FnMut(T) -> Result<(), FormatError>,
) -> Result<usize, FormatError> {
    let count = rows.len();
    for row in rows {
        take(row)?;
    }
    Ok(count)
}

struct Writer<'a, W> {
    out: &'a mut W,
    frames: u64,
    rows: u64,
}

impl<'a, W: Write> Writer<'a, W> {
    fn new(out: &'a mut W) -> Self {
        Writer { out, frames: 0, rows: 0 }
    }

    fn frame<B: Body>(&mut self, body: &B) -> io::Result<()> {
        self.frames += 1;
        self.out.write_all(&format::encode(body)?)
    }

    fn rows<B: Body + From<Vec<R>>, R>(&mut self, rows: impl Iterator<Item = R>) -> io::Result<()> {
        self.rows_by::<B, R>(ROWS_PER_FRAME, rows)
    }

    fn rows_by<B: Body + From<Vec<R>>, R>(
        &mut self,
        per_frame: usize,
        rows: impl Iterator<Item = R>,
    ) -> io::Result<()> {
        let mut rows = rows.peekable();
        while rows.peek().is_some() {
            let some: Vec<R> = rows.by_ref().take(per_frame).collect();
            self.rows += some.len() as u64;
            self.frame(&B::from(some))?;
        }
        Ok(())
    }
}

struct Reader<'a> {
    file: &'a SnapshotFile,
    offset: u64,
    frames: u64,
}

impl<'a> Reader<'a> {
    fn new(file: &'a SnapshotFile) -> Self {
        Reader { file, offset: 0, frames: 0 }
    }

    /// The next frame with its header, unchecked.
    fn next(&mut self) -> io::Result<Vec<u8>> {
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

    fn body<B: Body>(&mut self) -> io::Result<B> {
        Ok(format::decode(&self.next()?)?)
    }

    fn finish(&self, stated: &SnapshotEndV1, counted: SnapshotEndV1) -> io::Result<()> {
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
