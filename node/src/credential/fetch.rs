//! One exchange with an issuer: a small request, a small answer, no redirect.

use super::Refused;
use crate::plane::pool::{connect_any, connector};
use crate::plane::{dns, tls};
use crate::vault::Secret;
use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::rt::{Read, Write};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Longest an exchange takes, from the look-up of the name to the end of the answer.
const WITHIN: Duration = Duration::from_secs(10);

/// Longest wait for a connection: metadata services that are not there do not refuse one.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Asks issuers.
#[derive(Clone)]
pub struct Fetch {
    tls: Arc<ClientConfig>,
}

/// What is asked. Values of headers and the body may be secrets.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// `http://` or `https://`.
    pub(super) url: &'a str,
    pub(super) headers: Vec<(&'static str, Secret)>,
    /// A form, encoded.
    pub(super) form: Option<Secret>,
}

impl Ask<'_> {
    pub(super) fn get(url: &str) -> Ask<'_> {
        Ask { method: Method::GET, url, headers: Vec::new(), form: None }
    }

    pub(super) fn post<'a>(url: &'a str, fields: &[(&str, &str)]) -> Ask<'a> {
        let form = Some(Secret::new(form(fields)));
        Ask { method: Method::POST, url, headers: Vec::new(), form }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, Secret::new(value.into())));
        self
    }
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: http::HeaderMap,
    pub(super) body: Secret,
}

impl Answer {
    /// The body of an answer under a success status.
    ///
    /// # Errors
    ///
    /// The status, and the short word by which OAuth names its errors.
    pub(super) fn body(&self, who: &str) -> Result<&str, Refused> {
        if self.status == 200 {
            return Ok(self.body.expose());
        }
        let word = serde_json::from_str::<serde_json::Value>(self.body.expose()).ok();
        let word = word.as_ref().and_then(|body| body["error"].as_str()).unwrap_or_default();
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-. ".contains(letter);
        let word: String = word.chars().filter(|letter| plain(*letter)).take(60).collect();
        let word = if word.is_empty() { word } else { format!(": {word}") };
        Err(Refused::because(format!("{who} answered {}{word}", self.status)))
    }
}

impl Fetch {
    /// Trusts the system's roots, and those of `extra_roots`.
    ///
    /// # Errors
    ///
    /// An `extra_roots` that cannot be read.
    pub fn new(extra_roots: Option<&Path>) -> io::Result<Self> {
        Ok(Self { tls: tls::client_config(extra_roots)? })
    }

    /// Trusts whom `tls` trusts.
    pub(crate) fn trusting(tls: Arc<ClientConfig>) -> Self {
        Self { tls }
    }

    /// Asks once. Issuers are named by the operator or by the platform, and may be anywhere.
    ///
    /// # Errors
    ///
    /// In words, why there was no answer.
    pub(super) async fn ask(&self, ask: Ask<'_>) -> Result<Answer, Refused> {
        let url = ask.url.split('?').next().unwrap_or_default().to_owned();
        let failed = |why: String| Refused::because(format!("{url}: {why}"));
        match timeout(WITHIN, self.exchange(ask)).await {
            Ok(answer) => answer.map_err(|error| failed(error.to_string())),
            Err(_) => Err(failed(format!("no answer within {} s", WITHIN.as_secs()))),
        }
    }

    async fn exchange(&self, ask: Ask<'_>) -> io::Result<Answer> {
        let uri: Uri = ask.url.parse().map_err(io::Error::other)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let request = request(&uri, ask)?;
        let found = dns::resolve(&host, port, true).await?;
        let stream = connect_any(&found, CONNECT_WITHIN).await?;
        if !secure {
            return talk(TokioIo::new(stream), request).await;
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(bare).map_err(io::Error::other)?;
        let secured = connector(&self.tls).connect(name, stream).await?;
        talk(TokioIo::new(secured), request).await
    }
}

async fn talk<T>(io: T, request: Request<Full<Bytes>>) -> io::Result<Answer>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(io).await.map_err(io::Error::other)?;
    let exchange = async {
        let answer = sender.send_request(request).await.map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| io::Error::other(error.to_string()))?.to_bytes();
        let body = Secret::new(String::from_utf8_lossy(&body).into_owned());
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    };
    tokio::pin!(exchange);
    tokio::select! {
        answer = &mut exchange => answer,
        // The connection may end before the answer was taken out of it.
        ended = connection => match ended {
            Ok(()) => exchange.await,
            Err(error) => Err(io::Error::other(error)),
        },
    }
}

fn request(uri: &Uri, ask: Ask<'_>) -> io::Result<Request<Full<Bytes>>> {
    let host = uri.authority().map(|authority| authority.as_str().to_owned());
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let mut request = Request::builder()
        .method(ask.method)
        .uri(path)
        .header(header::HOST, host.unwrap_or_default())
        .header(header::USER_AGENT, concat!("bursar/", env!("CARGO_PKG_VERSION")));
    for (name, value) in &ask.headers {
        request = request.header(*name, value.expose());
    }
    let body = match ask.form {
        None => Bytes::new(),
        Some(form) => {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            Bytes::copy_from_slice(form.expose().as_bytes())
        }
    };
    request.body(Full::new(body)).map_err(io::Error::other)
}

/// Fields as a form has them.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encoded but for letters, digits and `-._~`.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
