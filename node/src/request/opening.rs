//! The opening of a stream, held back until the provider's first event is here.
//!
//! Some providers answer 200 and then say in the first event that they cannot answer. As long as the
//! caller has seen nothing, that is a failed attempt like any other: another place may be asked, and
//! where there is none the caller hears the provider's error under its own status.

use super::open::{Coming, Guard};
use super::patience::Wait;
use super::relay::Break;
use super::settle;
use super::upstream::{Failure, Upstream};
use bytes::{Bytes, BytesMut};
use cost::{Bill, Ended};
use http_body::Body;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Bytes that are held back at most while no event is whole: a large event, or no stream at all.
const HELD_BYTES_MAX: usize = 64 << 10;
/// Longest comments are held back: they keep connections alive that time out after 30 s or more.
const HELD_FOR_MAX: Duration = Duration::from_secs(10);

/// How a stream opened.
pub(super) enum Opening {
    /// It goes on; these pieces are the caller's already.
    Going(Box<Coming>, Vec<Bytes>),
    /// It was whole before an event had gone out: plain JSON, mostly.
    Over(Bytes, Bill),
}

/// Waits for the first event of the stream in `guard`.
///
/// # Errors
///
/// The stream failed, ended or broke before it said anything, or nothing came in time.
pub(super) async fn opening(
    guard: &mut Guard,
    upstream: &Upstream,
    wait: Wait,
) -> Result<Opening, Failure> {
    let began = Instant::now();
    let mut ready = Vec::new();
    let mut held_bytes = 0;
    loop {
        let within =
            if held_bytes == 0 { upstream.timeout } else { upstream.timeout.min(HELD_FOR_MAX) };
        let coming = guard.coming.as_mut().expect("only this function takes it out");
        let next = poll_fn(|cx| Pin::new(&mut coming.body).poll_frame(cx));
        let until = began + within;
        let until = wait.first_until().map_or(until, |first| until.min(first.into()));
        let frame = match timeout_at(until, next).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(error))) => {
                return Err(broken(guard, upstream, &Break::Cut(error.to_string())));
            }
            Ok(None) => return over(guard, upstream, ready).map_err(|failure| *failure),
            Err(_) => match wait.over() {
                Some(impatient) => {
                    let bill = broken(guard, upstream, &Break::Silent).bill;
                    return Err(Failure { bill, ..impatient });
                }
                // Comments: the provider is alive, and the caller should know.
                None if held_bytes > 0 => break,
                None => return Err(broken(guard, upstream, &Break::Silent)),
            },
        };
        let Ok(data) = frame.into_data() else { continue };
        held_bytes += data.len();
        if let Err(error) = coming.relay.push(&data, &mut ready) {
            return Err(broken(guard, upstream, &Break::Unreadable(error.message)));
        }
        let progress = coming.relay.progress();
        if progress.error.is_some() && progress.output_bytes == 0 {
            return Err(refused(guard, upstream));
        }
        if progress.events > 0 || held_bytes >= HELD_BYTES_MAX {
            break;
        }
    }
    Ok(Opening::Going(take(guard), ready))
}

fn take(guard: &mut Guard) -> Box<Coming> {
    guard.coming.take().expect("taken once, on the way out")
}

/// The provider's first event is an error.
fn refused(guard: &mut Guard, upstream: &Upstream) -> Failure {
    let Coming { relay, body, lent } = *take(guard);
    // More of it is of no use to anybody.
    drop((body, lent));
    let end = relay.finish(&|| Break::None.refusal(upstream), &mut Vec::new());
    let bill = settle::bill(guard.get(), Ended::Over(&end));
    let error = end.error.expect("looked at by the caller");
    let mut failure = Failure::said(error, end.error_body.unwrap_or_default());
    failure.bill = bill;
    failure
}

/// The stream ended before an event had gone out.
fn over(
    guard: &mut Guard,
    upstream: &Upstream,
    ready: Vec<Bytes>,
) -> Result<Opening, Box<Failure>> {
    let mut ready = ready;
    let Coming { relay, lent, .. } = *take(guard);
    lent.give_back();
    let cut = Break::None.refusal(upstream);
    let end = relay.finish(&|| cut.clone(), &mut ready);
    let bill = settle::bill(guard.get(), Ended::Over(&end));
    if !end.complete {
        let mut failure = match end.error {
            // Plain JSON goes on to the byte.
            Some(error) if end.events == 0 => Failure::said(error, joined(&ready)),
            Some(error) => Failure::said(error, end.error_body.unwrap_or_default()),
            None => Failure::garbage(cut.say, bill),
        };
        failure.bill = bill;
        return Err(Box::new(failure));
    }
    Ok(Opening::Over(joined(&ready), bill))
}

fn joined(pieces: &[Bytes]) -> Bytes {
    let mut whole = BytesMut::new();
    pieces.iter().for_each(|piece| whole.extend_from_slice(piece));
    whole.freeze()
}

/// The stream broke off before its first event.
fn broken(guard: &mut Guard, upstream: &Upstream, how: &Break) -> Failure {
    let Coming { relay, body, lent } = *take(guard);
    drop((body, lent));
    let end = relay.finish(&|| how.refusal(upstream), &mut Vec::new());
    let open = guard.get();
    let bill = settle::bill(open, Ended::Unopened(&end));
    let refusal = how.refusal(upstream);
    let mut failure = Failure::garbage(String::new(), bill);
    failure.refusal = refusal;
    failure
}
