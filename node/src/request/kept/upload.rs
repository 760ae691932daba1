//! A body on its way through: as long as it may be, and no longer.

use crate::plane::pieces::BrokenOff;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::cell::Cell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

/// A caller's body that goes on as it comes.
pub(super) struct Upload<B> {
    body: B,
    left: u64,
    /// Set where there was more than there may be.
    over: Rc<Cell<bool>>,
}

impl<B> Upload<B> {
    pub(super) fn new(body: B, bytes_max: u64, over: &Rc<Cell<bool>>) -> Self {
        Self { body, left: bytes_max, over: Rc::clone(over) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Upload<B> {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = &mut *self;
        Pin::new(&mut this.body).poll_frame(cx).map(|frame| match frame? {
            Ok(frame) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                match this.left.checked_sub(bytes) {
                    Some(left) => {
                        this.left = left;
                        Some(Ok(frame))
                    }
                    None => {
                        this.over.set(true);
                        Some(Err(BrokenOff))
                    }
                }
            }
            Err(_) => Some(Err(BrokenOff)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
