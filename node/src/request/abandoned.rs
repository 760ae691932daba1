//! Requests whose caller is gone: each is settled for what the provider will bill, as far as it can be
//! known.

use super::open::{Abandoned, Coming, Open};
use super::settle;
use crate::metrics::slots::Ending;
use api::refusal::Reason;
use cost::Ended;
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
                close(open, Ended::NotBegun);
            }
            Self::Unanswered(open) => close(open, Ended::Unknown),
            Self::Stream(open, coming) if reads_on => read_to_end(open, *coming, cut).await,
            Self::Stream(open, coming) => hang_up(open, *coming).await,
        }
    }
}

/// Settles it by how it ended.
fn close(open: Open, ended: Ended<'_>) {
    let bill = settle::bill(&open, ended);
    settle::close(open, bill, Ending::CallerGone);
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
    let more = cost::chunk_on_its_way(relay.progress());
    let end = relay.finish(&unheard, &mut Vec::new());
    close(open, Ended::Left(&end, more));
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
    close(open, Ended::Over(&end));
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
