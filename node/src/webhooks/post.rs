//! One letter, posted once.

use super::Letter;
use super::sign::signature;
use crate::plane::pool::{connect_any, connector};
use crate::plane::{dns, tls};
use crate::vault::Secret;
use bytes::Bytes;
use http::{Request, Uri, header};
use http_body_util::Full;
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

/// Longest an attempt takes, from the look-up of the name to the head of the answer.
const WITHIN: Duration = Duration::from_secs(15);

/// Posts letters.
#[derive(Clone)]
pub struct Post {
    tls: Arc<ClientConfig>,
}

/// Where a letter goes.
pub(crate) struct Address<'a> {
    /// `http://` or `https://`.
    pub(crate) url: &'a str,
    /// Whether it may resolve to loopback and private addresses.
    pub(crate) allow_private: bool,
    /// Key of the signature.
    pub(crate) secret: &'a Secret,
}

impl Post {
    /// A sender that trusts the system's roots, and those of `extra_roots`.
    ///
    /// # Errors
    ///
    /// An `extra_roots` that cannot be read.
    pub(crate) fn new(extra_roots: Option<&Path>) -> io::Result<Self> {
        Ok(Self { tls: tls::client_config(extra_roots)? })
    }

    /// Posts a letter and answers the status. No redirect is followed, and nothing of the answer's body is
    /// read. `now_s`: seconds since 1970.
    ///
    /// # Errors
    ///
    /// In words, why there was no answer.
    pub(crate) async fn send(
        &self,
        to: &Address<'_>,
        letter: &Letter,
        now_s: u64,
    ) -> Result<u16, String> {
        let request = request(to, letter, now_s)?;
        match timeout(WITHIN, self.exchange(to, request)).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", WITHIN.as_secs())),
        }
    }

    async fn exchange(&self, to: &Address<'_>, request: Request<Full<Bytes>>) -> io::Result<u16> {
        let uri: Uri = to.url.parse().map_err(io::Error::other)?;
        let host = uri.host().unwrap_or_default().to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let found = dns::resolve(&host, port, to.allow_private).await?;
        let stream = connect_any(&found, WITHIN).await?;
        match secure {
            false => talk(TokioIo::new(stream), request).await,
            true => {
                let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
                let name = ServerName::try_from(bare).map_err(io::Error::other)?;
                let secured = connector(&self.tls).connect(name, stream).await?;
                talk(TokioIo::new(secured), request).await
            }
        }
    }
}

async fn talk<T>(io: T, request: Request<Full<Bytes>>) -> io::Result<u16>
where
    T: Read + Write + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(io).await.map_err(io::Error::other)?;
    // It ends with the exchange: the sender is dropped, or the time is up and the task is aborted.
    let connection = AbortOnDrop(tokio::spawn(async move {
        // The exchange hears of the failure itself.
        let _ = connection.await;
    }));
    let answer = sender.send_request(request).await.map_err(io::Error::other)?;
    drop(connection);
    Ok(answer.status().as_u16())
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn request(to: &Address<'_>, letter: &Letter, now_s: u64) -> Result<Request<Full<Bytes>>, String> {
    let uri: Uri = to.url.parse().map_err(|_| "the url cannot be read".to_owned())?;
    let signed = signature(to.secret, &letter.id, now_s, &letter.body);
    let signed = signed.ok_or("the secret cannot be read")?;
    let host = uri.authority().map(|authority| authority.as_str().to_owned());
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let request = Request::post(path)
        .header(header::HOST, host.unwrap_or_default())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("bursar/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", &letter.id)
        .header("webhook-timestamp", now_s)
        .header("webhook-signature", signed)
        .body(Full::new(letter.body.clone()));
    request.map_err(|error| error.to_string())
}
