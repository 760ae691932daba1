//! A stream on its way from the provider to the caller: by frame, at the caller's pace.
//!
//! Nothing is read from the provider before the caller takes what there is, no task or channel stands
//! in between, and one deadline serves the whole stream.

use super::doors::Trouble;
use super::open::{Coming, Guard};
use super::settle;
use super::upstream::Upstream;
use crate::metrics::slots::Ending;
use api::refusal::Reason;
use bytes::Bytes;
use cost::Ended;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::Sleep;
use wire::Refusal;
use wire::relay::End;

/// The body of an answer of this node.
pub(crate) enum NodeBody {
    /// Read to its end and settled.
    Whole(Option<Bytes>),
    /// Still coming.
    Stream(Box<Relay>),
}

impl Body for NodeBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match &mut *self {
            Self::Whole(body) => Poll::Ready(body.take().map(|body| Ok(Frame::data(body)))),
            Self::Stream(relay) => relay.poll_next(cx).map(|piece| match piece {
                Some(piece) => Some(Ok(Frame::data(piece))),
                None => std::mem::take(&mut relay.cut).then_some(Err(Cut)),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.as_ref().is_none_or(Bytes::is_empty),
            Self::Stream(relay) => relay.is_over(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// An answer broke off that nothing can be said behind: the caller's connection must say it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer of the provider broke off")]
pub(crate) struct Cut;

/// A stream on its way.
pub(crate) struct Relay {
    upstream: Rc<Upstream>,
    /// `None` once the stream has ended and is settled.
    flow: Option<Flow>,
    /// Pieces that the caller has not taken yet, the next one last.
    ready: Vec<Bytes>,
    deadline: Deadline,
    /// It broke off, and nothing that was passed on says so.
    cut: bool,
}

struct Flow {
    coming: Box<Coming>,
    guard: Guard,
}

impl Relay {
    /// A stream that has begun with the pieces that are `ready`.
    pub(crate) fn new(
        upstream: Rc<Upstream>,
        coming: Box<Coming>,
        ready: Vec<Bytes>,
        guard: Guard,
        total: Duration,
    ) -> Self {
        let deadline = Deadline::new(upstream.timeout, total);
        let mut ready = ready;
        ready.reverse();
        Self { upstream, flow: Some(Flow { coming, guard }), ready, deadline, cut: false }
    }

    fn is_over(&self) -> bool {
        self.flow.is_none() && self.ready.is_empty() && !self.cut
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if let Some(piece) = self.ready.pop() {
                return Poll::Ready(Some(piece));
            }
            let Some(flow) = &mut self.flow else {
                return Poll::Ready(None);
            };
            match Pin::new(&mut flow.coming.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let on = self.deadline.progress();
                    if let Ok(data) = frame.into_data() {
                        self.pass(&data);
                    }
                    if !on {
                        self.end(Break::Silent);
                    }
                }
                Poll::Ready(Some(Err(error))) => self.end(Break::Cut(error.to_string())),
                Poll::Ready(None) => self.end(Break::None),
                Poll::Pending => match self.deadline.poll(cx) {
                    Poll::Ready(()) => self.end(Break::Silent),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    fn pass(&mut self, data: &Bytes) {
        let Some(flow) = &mut self.flow else { return };
        let outcome = flow.coming.relay.push(data, &mut self.ready);
        self.ready.reverse();
        if let Err(error) = outcome {
            self.end(Break::Unreadable(error.message));
        }
    }

    /// The provider's stream is over, one way or another: settles it and leaves the last pieces ready.
    fn end(&mut self, how: Break) {
        let Some(Flow { coming, mut guard }) = self.flow.take() else { return };
        let late = guard.get().patience.refusal().filter(|_| matches!(how, Break::Silent));
        // What was passed before goes out first.
        let passed = std::mem::take(&mut self.ready);
        let cut = || late.clone().unwrap_or_else(|| how.refusal(&self.upstream));
        self.cut = coming.relay.is_raw() && !how.is_clean();
        let more = cost::chunk_on_its_way(coming.relay.progress());
        let mut end = coming.relay.finish(&cut, &mut self.ready);
        end.complete &= !self.cut;
        let trouble = match &late {
            None if !end.complete => Trouble::Failed,
            None => Trouble::None,
            Some(_) => Trouble::Unknown,
        };
        self.upstream.doors.failed(guard.get().credential, trouble);
        self.ready.reverse();
        self.ready.extend(passed);
        let mut open = guard.take();
        if how.is_clean() {
            coming.lent.give_back();
        }
        let ending = if end.complete { Ending::Answered } else { Ending::ProviderFailed };
        if !end.complete {
            open.status = 502;
        }
        let bill = settle::bill(&open, how.ended(&end, more));
        settle::close(open, bill, ending);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let Some(Flow { coming, mut guard }) = self.flow.take() else { return };
        // The connection stays up until what has already arrived is counted.
        guard.coming = Some(coming);
    }
}

/// How a provider's stream came to its end.
pub(super) enum Break {
    None,
    Cut(String),
    Silent,
    Unreadable(String),
}

impl Break {
    fn is_clean(&self) -> bool {
        matches!(self, Self::None)
    }

    /// What it is for the money; so many bytes may have been on their way.
    fn ended<'a>(&self, end: &'a End, more: u64) -> Ended<'a> {
        if self.is_clean() { Ended::Over(end) } else { Ended::BrokeOff(end, more) }
    }

    /// What the caller hears where the answer is not whole.
    pub(super) fn refusal(&self, upstream: &Upstream) -> Refusal {
        let name = &upstream.name;
        match self {
            Self::None => Reason::UpstreamGarbage
                .refuse(format!("provider {name} ended the answer before it was whole")),
            Self::Cut(note) => Reason::UpstreamGarbage
                .refuse(format!("provider {name} broke off in the middle of the answer"))
                .with_note(note.clone()),
            Self::Silent => upstream.timed_out().refusal,
            Self::Unreadable(say) => Reason::UpstreamGarbage.refuse(say.clone()),
        }
    }
}

/// One deadline for a whole stream: armed when there is nothing to read, looked at when it fires.
struct Deadline {
    gap: Duration,
    total: Duration,
    began: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    /// Something came since the deadline was armed.
    progressed: bool,
    /// Frames that have come.
    frames: u32,
}

/// Frames between two looks at the clock while a stream never pauses.
const FRAMES_PER_LOOK: u32 = 128;

impl Deadline {
    fn new(gap: Duration, total: Duration) -> Self {
        Self { gap, total, began: Instant::now(), sleep: None, progressed: false, frames: 0 }
    }

    /// A frame has come; says whether the stream may go on.
    fn progress(&mut self) -> bool {
        self.progressed = true;
        self.frames = self.frames.wrapping_add(1);
        !self.frames.is_multiple_of(FRAMES_PER_LOOK) || self.began.elapsed() < self.total
    }

    /// Ready once nothing came for a whole gap, or the total is over. A gap may take up to two.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let sleep = self.sleep.get_or_insert_with(|| {
                self.progressed = false;
                let left = self.total.saturating_sub(self.began.elapsed());
                Box::pin(tokio::time::sleep(self.gap.min(left)))
            });
            match sleep.as_mut().poll(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(()) if self.progressed && self.began.elapsed() < self.total => {
                    self.sleep = None;
                }
                Poll::Ready(()) => return Poll::Ready(()),
            }
        }
    }
}
