//! Bodies that nobody wants: read and thrown away for a while, so that their senders hear why.

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;
use std::time::Duration;

/// Most of an unwanted body that is read, in bytes.
const BYTES_MAX: u64 = 256 << 20;
/// Longest it is read for.
const WITHIN: Duration = Duration::from_secs(10);

/// A caller that waits for `100 Continue` sends nothing it need not: reading would ask it to.
pub(super) fn unless_expecting<B>(headers: &HeaderMap, body: B)
where
    B: Body<Data = Bytes> + Unpin + 'static,
{
    if !headers.contains_key(http::header::EXPECT) {
        linger(body);
    }
}

/// Goes on reading an unwanted body for a while: a caller still sending would see its connection reset
/// instead of the refusal.
pub(super) fn linger<B>(mut body: B)
where
    B: Body<Data = Bytes> + Unpin + 'static,
{
    if body.is_end_stream() {
        return;
    }
    tokio::task::spawn_local(async move {
        let drain = async {
            let mut had = 0;
            while let Some(Ok(frame)) =
                std::future::poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await
            {
                had += frame.data_ref().map_or(0, |data| data.len() as u64);
                if had > BYTES_MAX {
                    break;
                }
            }
        };
        // Whether it ended or was given up makes no difference.
        let _ = tokio::time::timeout(WITHIN, drain).await;
    });
}
