//! Requests whose caller is gone: each is settled for what the provider will bill, as far as it can be
//! known.

use super::open::{Abandoned, Coming, Open};
use super::relay;
use super::settle::{self, Bill};
use crate::metrics::slots::Ending;
use api::refusal::Reason;
use http_body::Body;
use hyper::body::Incoming;
use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::Poll;
use tokio::time::{Instant, timeout, timeout_at};
use wire::Refusal;
use wire::relay::Relay;

impl Abandoned {
    /// Whether the provider's stream is to be read to its end, which takes as long as it takes.
    pub(crate) fn reads_on(&self) -> bool {
        match self {
            Self::Stream(open, _) => open.terms.key.drain_on_disconnect,
            Self::Unsent(_) | Self::Unanswered(_) => false,
        }
    }

    /// Settles the request; never waits unless it [`Abandoned::reads_on`].
    pub(crate) async fn settle(self) {
        self.settle_unless(pending()).await;
    }

    /// Settles the request; where it reads on, until `cut` resolves.
    pub(crate) async fn settle_unless(self, cut: impl Future<Output = ()>) {
        let reads_on = self.reads_on();
        match self {
            Self::Unsent(mut open) => {
                // What was not sent burns nothing; what failed before did.
                if open.charged.is_empty() {
                    open.cancel_rates();
                }
                settle::close(open, Bill::Void, Ending::CallerGone);
            }
            Self::Unanswered(open) => settle::close(open, Bill::Whole, Ending::CallerGone),
            Self::Stream(open, coming) if reads_on => read_to_end(open, *coming, cut).await,
            Self::Stream(open, coming) => hang_up(open, *coming).await,
        }
    }
}

/// What the caller would hear.
fn unheard() -> Refusal {
    Reason::UpstreamGarbage.refuse("the caller left")
}

/// Charges what has come, and a chunk that may be on its way.
async fn hang_up(open: Open, coming: Coming) {
    let Coming { mut relay, mut body, lent } = coming;
    take_arrived(&mut *relay, &mut body).await;
    // Hanging up is how the provider hears that nobody listens.
    drop((body, lent));
    let more = one_more_chunk(&*relay);
    let end = relay.finish(&unheard, &mut Vec::new());
    let bytes = end.output_bytes.saturating_add(more);
    let bill = match end.usage() {
        Some(usage) if end.complete => Bill::Told(usage),
        told => settle::counted(&open, told, bytes),
    };
    settle::close(open, bill, Ending::CallerGone);
}

/// Reads on as if the caller were there, to learn the true usage; at most as long as a stream may last.
async fn read_to_end(open: Open, mut coming: Coming, cut: impl Future<Output = ()>) {
    let total = open.core.settings().stream_within.saturating_sub(open.started.elapsed());
    let gap = open.candidate.upstream.timeout;
    let reading = timeout_at(Instant::now() + total, drain(&mut coming, gap));
    let ended = tokio::select! {
        () = cut => false,
        ended = reading => ended.unwrap_or(false),
    };
    if !ended {
        return hang_up(open, coming).await;
    }
    let Coming { relay, lent, .. } = coming;
    lent.give_back();
    let end = relay.finish(&unheard, &mut Vec::new());
    let bill = relay::bill(&open, &end, true);
    settle::close(open, bill, Ending::CallerGone);
}

/// Takes what comes and throws it away; says whether the stream came to its end.
async fn drain(coming: &mut Coming, gap: std::time::Duration) -> bool {
    let mut unwanted = Vec::new();
    loop {
        let next = poll_fn(|cx| Pin::new(&mut coming.body).poll_frame(cx));
        match timeout(gap, next).await {
            Ok(None) => return true,
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else { continue };
                unwanted.clear();
                if coming.relay.push(&data, &mut unwanted).is_err() {
                    return false;
                }
            }
            Ok(Some(Err(_))) | Err(_) => return false,
        }
    }
}

/// Counts what has arrived already, without waiting for more.
async fn take_arrived(relay: &mut dyn Relay, body: &mut Incoming) {
    let mut unwanted = Vec::new();
    poll_fn(|cx| {
        loop {
            match Pin::new(&mut *body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else { continue };
                    unwanted.clear();
                    if relay.push(&data, &mut unwanted).is_err() {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => return Poll::Ready(()),
            }
        }
    })
    .await;
}

/// Output bytes of a chunk that may be on its way: the average so far, and not too few.
fn one_more_chunk(relay: &dyn Relay) -> u64 {
    const LEAST: u64 = 64;
    let progress = relay.progress();
    progress.output_bytes.div_ceil(progress.events.max(1)).max(LEAST)
}
