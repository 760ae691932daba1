//! As much of an HTTP/1.1 client as a witness needs: one connection for each call, and never a doubt
//! about whether anything had been sent when it broke.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HOST, IF_MATCH};
use hyper::{HeaderMap, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A call to be made.
#[derive(Clone, Debug, Default)]
pub struct Call {
    method: &'static str,
    path: String,
    bearer: String,
    if_match: Option<u64>,
    body: Option<Value>,
}

/// What was answered.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// HTTP status.
    pub status: u16,
    /// The number in the `ETag`.
    pub etag: Option<u64>,
    /// Log index that the answer shows.
    pub log_index: Option<u64>,
    /// When to come back.
    pub retry_after: Option<Duration>,
    /// What time the server takes it to be, in Unix seconds.
    pub date_unix_s: Option<i64>,
    /// The body; text where it is no JSON.
    pub body: Value,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// Nothing was sent.
    Unsent(String),
    /// It may have been carried out, or may yet be.
    Unknown(String),
}

impl Call {
    /// A call without a body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Call {
        Call { method, path: path.into(), ..Call::default() }
    }

    /// With this secret.
    pub fn bearer(mut self, secret: &str) -> Call {
        secret.clone_into(&mut self.bearer);
        self
    }

    /// Only if the object was last changed at this log index.
    pub fn if_match(mut self, index: u64) -> Call {
        self.if_match = Some(index);
        self
    }

    /// With this body.
    pub fn body(mut self, body: Value) -> Call {
        self.body = Some(body);
        self
    }

    /// Makes the call; all of it takes no longer than `within`.
    ///
    /// # Errors
    ///
    /// No answer came, or not whole.
    pub async fn send(&self, to: SocketAddr, within: Duration) -> Result<Told, Lost> {
        let unsent = |error: String| Lost::Unsent(format!("{to}: {error}"));
        let request = self.request(to).map_err(|error| unsent(error.to_string()))?;
        let connected = timeout(within, TcpStream::connect(to)).await;
        let socket = connected.map_err(|_| unsent("does not accept".to_owned()))?;
        let socket = socket.map_err(|error| unsent(error.to_string()))?;
        let shaken = http1::handshake(TokioIo::new(socket)).await;
        let (mut sender, connection) = shaken.map_err(|error| unsent(error.to_string()))?;
        // Ends with its socket; what goes wrong there, the sender is told.
        tokio::spawn(connection);
        let exchange = async {
            let (head, body) = sender.send_request(request).await?.into_parts();
            Ok::<_, hyper::Error>((head, body.collect().await?.to_bytes()))
        };
        match timeout(within, exchange).await {
            Ok(Ok((head, body))) => Ok(Told::read(head.status.as_u16(), &head.headers, &body)),
            Ok(Err(error)) => Err(Lost::Unknown(format!("{to}: {error}"))),
            Err(_) => Err(Lost::Unknown(format!("{to}: no answer within {within:?}"))),
        }
    }

    fn request(&self, to: SocketAddr) -> hyper::http::Result<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(&self.path)
            .header(HOST, to.to_string())
            .header(CONTENT_TYPE, "application/json");
        if !self.bearer.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {}", self.bearer));
        }
        if let Some(index) = self.if_match {
            request = request.header(IF_MATCH, format!("\"{index}\""));
        }
        let body = self.body.as_ref().map(Value::to_string).unwrap_or_default();
        request.body(Full::new(Bytes::from(body)))
    }
}

impl Told {
    fn read(status: u16, headers: &HeaderMap, body: &[u8]) -> Told {
        let number =
            |name: &str| headers.get(name)?.to_str().ok()?.trim_matches('"').parse::<u64>().ok();
        Told {
            status,
            etag: number(ETAG.as_str()),
            log_index: number("x-bursar-log-index"),
            retry_after: number("retry-after-ms").map(Duration::from_millis),
            date_unix_s: headers.get(DATE).and_then(|date| unix_s_of(date.to_str().ok()?)),
            body: serde_json::from_slice(body)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned())),
        }
    }
}

/// The right time, in Unix seconds.
pub fn unix_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// Reads the one form of date that HTTP servers write: `Fri, 20 Nov 2026 12:52:24 GMT`.
fn unix_s_of(date: &str) -> Option<i64> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let mut words = date.split_whitespace().skip(1);
    let day: i64 = words.next()?.parse().ok()?;
    let month = i64::try_from(MONTHS.find(words.next()?)? / 3).ok()?;
    let year: i64 = words.next()?.parse().ok()?;
    let time = words.next()?.split(':').try_fold(0, |sum, part| {
        let part: i64 = part.parse().ok()?;
        Some(sum * 60 + part)
    })?;
    // Years counted from March, so that a leap day is the last of its year.
    let (year, month) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = year / 4 - year / 100 + year / 400;
    let days = 365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + time)
}

impl std::fmt::Display for Lost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lost::Unsent(why) => write!(f, "nothing was sent: {why}"),
            Lost::Unknown(why) => write!(f, "outcome unknown: {why}"),
        }
    }
}

impl std::error::Error for Lost {}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    const WITHIN: Duration = Duration::from_secs(10);

    /// What a server makes a client believe that reads a request and says `answer`.
    async fn against(answer: &'static [u8]) -> Result<Told, Lost> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            assert!(socket.read(&mut request).await.unwrap() > 0);
            socket.write_all(answer).await.unwrap();
        };
        let call = Call::new("GET", "/").bearer("x");
        let (told, ()) = tokio::join!(call.send(address, WITHIN), server);
        told
    }

    #[tokio::test]
    async fn a_refused_connection_is_told_from_a_broken_one() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = Call::new("GET", "/").send(address, WITHIN).await;
        assert!(matches!(refused, Err(Lost::Unsent(_))), "{refused:?}");
        let broken = against(b"").await;
        assert!(matches!(broken, Err(Lost::Unknown(_))), "{broken:?}");
        let cut = against(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{}").await;
        assert!(matches!(cut, Err(Lost::Unknown(_))), "{cut:?}");
    }

    #[test]
    fn a_date_is_read() {
        assert_eq!(unix_s_of("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(unix_s_of("Tue, 29 Feb 2000 00:00:01 GMT"), Some(951_782_401));
        assert_eq!(unix_s_of("Fri, 20 Nov 2026 10:00:00 GMT"), Some(1_795_168_800));
        assert_eq!(unix_s_of("yesterday"), None);
    }

    #[tokio::test]
    async fn an_answer_is_read_with_its_index_and_tag() {
        let answer = b"HTTP/1.1 412 No\r\nETag: \"12\"\r\nX-Bursar-Log-Index: 14\r\ncontent-length: 9\r\n\r\n{\"at\":12}";
        let told = against(answer).await.unwrap();
        assert_eq!((told.status, told.etag, told.log_index), (412, Some(12), Some(14)));
        assert_eq!(told.body["at"], 12);
    }
}
