//! The body of a request to a provider: a list of pieces, which is written in one vectored write and nothing
//! of it joined; or one that goes through as its sender sends it.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that could not be sent to its end.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the body of the request broke off")]
pub(crate) struct BrokenOff;

/// A body that comes as it goes.
pub(crate) type Flow = Pin<Box<dyn Body<Data = Bytes, Error = BrokenOff>>>;

/// A whole body in pieces, or one that flows.
#[derive(Default)]
pub(crate) struct Pieces {
    pieces: std::vec::IntoIter<Bytes>,
    left: u64,
    /// Instead of pieces.
    flow: Option<Flow>,
}

impl Pieces {
    pub(crate) fn new(pieces: Vec<Bytes>) -> Self {
        let left = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { pieces: pieces.into_iter(), left, flow: None }
    }

    /// A body that goes through as it comes.
    pub(crate) fn flow(flow: Flow) -> Self {
        Self { flow: Some(flow), ..Self::default() }
    }

    /// What is still to be sent, piece by piece.
    pub(crate) fn slices(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.as_slice().iter().map(|piece| &piece[..])
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        if let Some(flow) = &mut self.flow {
            return flow.as_mut().poll_frame(cx);
        }
        let Some(piece) = self.pieces.next() else {
            return Poll::Ready(None);
        };
        self.left -= piece.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.flow.as_ref().map_or(self.left == 0, |flow| flow.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.flow {
            Some(flow) => flow.size_hint(),
            None => SizeHint::with_exact(self.left),
        }
    }
}
