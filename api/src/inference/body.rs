//! Reading a caller's body: within a size, within a time, without a timer where it is already here.

use crate::refusal::Reason;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body::Body;
use std::fmt::Display;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;
use wire::Refusal;

/// Most that is set aside for a body before any of it came, in bytes: a length is only a claim.
const RESERVE_BYTES_MAX: u64 = 1 << 20;

/// Refuses by head alone what need not be read.
///
/// # Errors
///
/// 413 where `content-length` is beyond `bytes_max`, 415 where the body is compressed.
pub fn check_head(headers: &HeaderMap, bytes_max: u64) -> Result<(), Refusal> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
        && !encoding.is_empty()
    {
        return Err(Reason::UnsupportedEncoding
            .refuse("the request body is compressed; send it without content-encoding"));
    }
    let declared =
        headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match declared {
        Some(length) if length > bytes_max => Err(too_large(Some(length), bytes_max)),
        _ => Ok(()),
    }
}

fn too_large(length: Option<u64>, bytes_max: u64) -> Refusal {
    let had = length.map_or_else(String::new, |length| format!("{length} bytes, "));
    Reason::BodyTooLarge.refuse(format!(
        "the request body is too large: {had}at most {bytes_max} bytes are accepted"
    ))
}

/// Reads a whole body into one piece; nothing is copied where it came as one.
///
/// # Errors
///
/// 413 beyond `bytes_max`, 408 after `within`, 400 where it broke off.
pub async fn read<B>(body: B, bytes_max: u64, within: Duration) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Display,
{
    let mut reading = pin!(collect(body, bytes_max));
    // A body that is in the buffer already costs no timer.
    let first = poll_fn(|cx| std::task::Poll::Ready(reading.as_mut().poll(cx))).await;
    match first {
        std::task::Poll::Ready(outcome) => outcome,
        std::task::Poll::Pending => match tokio::time::timeout(within, reading).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Reason::BodyTimeout
                .refuse(format!("the request body did not come within {} s", within.as_secs()))),
        },
    }
}

async fn collect<B>(body: B, bytes_max: u64) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Display,
{
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut joined = BytesMut::new();
    let mut had: u64 = 0;
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| {
            Reason::BodyBroken.refuse(format!("the request body could not be read: {error}"))
        })?;
        let Ok(data) = frame.into_data() else { continue };
        had += data.len() as u64;
        if had > bytes_max {
            return Err(too_large(None, bytes_max));
        }
        if joined.is_empty() && first.is_empty() {
            first = data;
            continue;
        }
        if joined.is_empty() {
            let expected = body.size_hint().lower().min(RESERVE_BYTES_MAX);
            joined.reserve(usize::try_from(had + expected).unwrap_or(0));
            joined.extend_from_slice(&first);
        }
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { first } else { joined.freeze() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http_body_util::{Full, StreamBody};

    fn said(headers: &[(http::HeaderName, &'static str)]) -> Result<(), u16> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        check_head(&headers, 10).map_err(|refusal| refusal.status)
    }

    #[test]
    fn what_the_head_gives_away_is_refused_before_reading() {
        assert_eq!(said(&[]), Ok(()));
        assert_eq!(said(&[(CONTENT_LENGTH, "10")]), Ok(()));
        assert_eq!(said(&[(CONTENT_LENGTH, "11")]), Err(413));
        assert_eq!(said(&[(CONTENT_ENCODING, "identity")]), Ok(()));
        assert_eq!(said(&[(CONTENT_ENCODING, "gzip")]), Err(415));
    }

    #[tokio::test]
    async fn pieces_are_joined_and_the_limit_holds_across_them() {
        let pieces = |n: usize| {
            let frames = (0..n).map(|_| {
                Ok::<_, std::convert::Infallible>(http_body::Frame::data(Bytes::from_static(
                    b"abc",
                )))
            });
            StreamBody::new(futures_util::stream::iter(frames))
        };
        let within = Duration::from_secs(1);
        assert_eq!(read(pieces(3), 9, within).await.unwrap(), "abcabcabc");
        assert_eq!(read(pieces(4), 9, within).await.unwrap_err().status, 413);
        let one = Bytes::from_static(b"{}");
        let same = read(Full::new(one.clone()), 9, within).await.unwrap();
        assert_eq!(same.as_ptr(), one.as_ptr());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_dawdles_is_given_up() {
        let never = StreamBody::new(futures_util::stream::pending::<
            Result<http_body::Frame<Bytes>, std::convert::Infallible>,
        >());
        let refusal = read(never, 9, Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(refusal.status, 408);
    }
}
