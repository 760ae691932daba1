//! The body of an answer: whole or streamed, in time or late, to its end or cut.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use super::stream::Stream;

/// A body.
pub(super) enum Body {
    Whole(Whole),
    Stream(Box<Stream>),
}

/// A body known from the start.
pub(super) struct Whole {
    wait: Option<Pin<Box<Sleep>>>,
    bytes: Option<Bytes>,
    /// Its length as announced; more than it holds when it is to be cut.
    length: u64,
    cut: bool,
    cut_soon: CutSoon,
}

/// Lets what came before a cut reach the caller.
#[derive(Default)]
pub(super) struct CutSoon {
    flushing: bool,
}

impl Body {
    pub(super) fn whole(bytes: Bytes) -> Body {
        let length = bytes.len() as u64;
        Body::Whole(Whole {
            wait: None,
            bytes: Some(bytes),
            length,
            cut: false,
            cut_soon: CutSoon::default(),
        })
    }

    /// A body that comes late, or is cut in its middle.
    pub(super) fn troubled(bytes: Bytes, wait: Option<Duration>, cut: bool) -> Body {
        let length = bytes.len() as u64;
        let kept = if cut { bytes.slice(..bytes.len() / 2) } else { bytes };
        let wait = wait.map(|wait| Box::pin(tokio::time::sleep(wait)));
        Body::Whole(Whole { wait, bytes: Some(kept), length, cut, cut_soon: CutSoon::default() })
    }
}

impl CutSoon {
    /// Fails on the second call: a connection writes out what it has whenever a body has nothing ready.
    pub(super) fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<T, io::Error>>> {
        if self.flushing {
            let error = io::Error::new(io::ErrorKind::ConnectionAborted, "cut on request");
            return Poll::Ready(Some(Err(error)));
        }
        self.flushing = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Body::Whole(whole) => whole.poll(context),
            Body::Stream(stream) => stream.poll(context).map_ok(Frame::data),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(whole) => whole.bytes.is_none() && !whole.cut,
            Body::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(whole) => SizeHint::with_exact(whole.length),
            Body::Stream(_) => SizeHint::default(),
        }
    }
}

impl Whole {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(context));
            self.wait = None;
        }
        match self.bytes.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.cut => self.cut_soon.poll(context),
            None => Poll::Ready(None),
        }
    }
}
