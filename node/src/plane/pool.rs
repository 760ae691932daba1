//! Connections to one provider, kept by one thread.
//!
//! A connection is lent for one exchange and comes back by itself once the answer has been read to its
//! end; in every other case it is closed, which is also how a provider hears that nobody listens.

use super::dns;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::pieces::Pieces;

/// Idle connections kept to one provider by one thread.
const IDLE_MAX: usize = 256;
/// How long an address that was resolved is believed.
const ADDRESS_LIFE: Duration = Duration::from_secs(30);

/// Where connections go and how.
pub(crate) struct Peer {
    /// Host without port, as in the URL.
    pub(crate) host: String,
    /// Port.
    pub(crate) port: u16,
    /// TLS, and the name the certificate must carry.
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
    /// May resolve to loopback and private addresses.
    pub(crate) allow_private: bool,
    /// Longest wait for a connection, TLS included.
    pub(crate) connect_within: Duration,
    /// Idle connections older than this are not used again.
    pub(crate) idle_for: Duration,
}

struct Idle {
    sender: SendRequest<Pieces>,
    since: Instant,
}

/// Connections to one provider.
pub(crate) struct Pool {
    peer: Peer,
    idle: RefCell<Vec<Idle>>,
    addresses: RefCell<Option<(Instant, Vec<SocketAddr>)>>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(crate) enum Broken {
    /// No connection: the provider has seen nothing of the request.
    Unreached(io::Error),
    /// The connection was gone before anything was written: the provider has seen nothing.
    Unsent,
    /// The request, or a part of it, went out and no head of an answer came: what the provider did is
    /// unknown, however soon it hung up. A POST that may have gone out is not sent again by nginx
    /// (`proxy_next_upstream` without `non_idempotent`), by Envoy (`reset-before-request`) or by hyper's own
    /// pool either; here a second one under the same hold could be billed twice.
    Lost(hyper::Error),
    /// The provider answered with something that is no HTTP.
    Garbage(hyper::Error),
}

/// A connection lent for one exchange.
pub(crate) struct Lent {
    sender: SendRequest<Pieces>,
    pool: Rc<Pool>,
    /// It has carried an exchange before.
    pub(crate) reused: bool,
}

impl Lent {
    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(
        &mut self,
        request: Request<Pieces>,
    ) -> Result<Response<Incoming>, Broken> {
        match self.sender.try_send_request(request).await {
            Ok(response) => Ok(response),
            Err(mut failed) => {
                if failed.take_message().is_some() {
                    return Err(Broken::Unsent);
                }
                let error = failed.into_error();
                if error.is_parse() || error.is_parse_too_large() {
                    return Err(Broken::Garbage(error));
                }
                Err(Broken::Lost(error))
            }
        }
    }

    /// Gives the connection back: its answer was read to the end.
    pub(crate) fn give_back(self) {
        let mut idle = self.pool.idle.borrow_mut();
        if idle.len() < IDLE_MAX && !self.sender.is_closed() {
            idle.push(Idle { sender: self.sender, since: Instant::now() });
        }
    }
}

impl Pool {
    pub(crate) fn new(peer: Peer) -> Rc<Self> {
        Rc::new(Self { peer, idle: RefCell::new(Vec::new()), addresses: RefCell::new(None) })
    }

    /// Lends a connection, a used one where there is one that still stands.
    pub(crate) async fn lend(self: &Rc<Self>) -> Result<Lent, Broken> {
        while let Some(mut idle) = self.pop_fresh() {
            if idle.sender.ready().await.is_ok() {
                return Ok(self.lent(idle.sender, true));
            }
        }
        self.lend_new().await
    }

    /// Lends a connection that nothing has been sent on.
    pub(crate) async fn lend_new(self: &Rc<Self>) -> Result<Lent, Broken> {
        let connecting = tokio::time::timeout(self.peer.connect_within, self.connect());
        let sender = connecting
            .await
            .unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut)))
            .map_err(|error| {
                // The next attempt asks the name server again.
                self.addresses.borrow_mut().take();
                Broken::Unreached(error)
            })?;
        Ok(self.lent(sender, false))
    }

    fn lent(self: &Rc<Self>, sender: SendRequest<Pieces>, reused: bool) -> Lent {
        Lent { sender, pool: Rc::clone(self), reused }
    }

    fn pop_fresh(&self) -> Option<Idle> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let last = idle.pop()?;
            if last.sender.is_closed() {
                continue;
            }
            if last.since.elapsed() > self.peer.idle_for {
                // The one used last is too old, so all are.
                idle.clear();
                return None;
            }
            return Some(last);
        }
    }

    async fn connect(&self) -> io::Result<SendRequest<Pieces>> {
        let stream = connect_any(&self.resolve().await?, self.peer.connect_within).await?;
        stream.set_nodelay(true)?;
        match &self.peer.tls {
            None => shake(TokioIo::new(stream)).await,
            Some((connector, name)) => {
                let secured = connector.connect(name.clone(), stream).await?;
                shake(TokioIo::new(secured)).await
            }
        }
    }

    async fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        if let Some((at, known)) = &*self.addresses.borrow()
            && at.elapsed() < ADDRESS_LIFE
        {
            return Ok(known.clone());
        }
        let peer = &self.peer;
        let found = dns::resolve(&peer.host, peer.port, peer.allow_private).await?;
        *self.addresses.borrow_mut() = Some((Instant::now(), found.clone()));
        Ok(found)
    }
}

/// Connects to the first address that answers. Each gets its share of the time: one that swallows
/// everything must not keep the others from being tried.
pub(crate) async fn connect_any(
    addresses: &[SocketAddr],
    within: Duration,
) -> io::Result<TcpStream> {
    let share = within / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::Error::from(io::ErrorKind::TimedOut),
        }
    }
    Err(last)
}

async fn shake<T>(io: T) -> io::Result<SendRequest<Pieces>>
where
    T: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_header_size(64 << 10)
        .handshake(io)
        .await
        .map_err(io::Error::other)?;
    tokio::task::spawn_local(async move {
        // Whoever lent the connection hears of its failure; here nothing is left to do.
        let _ = connection.await;
    });
    Ok(sender)
}

/// A connector for `https` peers.
pub(crate) fn connector(config: &Arc<rustls::ClientConfig>) -> TlsConnector {
    TlsConnector::from(Arc::clone(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An address where connections are neither taken nor refused, and what keeps it so.
    async fn swallowing() -> (SocketAddr, Vec<TcpStream>, tokio::net::TcpListener) {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        let within = Duration::from_millis(100);
        while let Ok(stream) = tokio::time::timeout(within, TcpStream::connect(address)).await {
            waiting.push(stream.unwrap());
        }
        (address, waiting, listener)
    }

    #[tokio::test]
    async fn an_address_that_swallows_everything_does_not_hide_the_next_one() {
        let (silent, _waiting, _full) = swallowing().await;
        let good = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addresses = [silent, good.local_addr().unwrap()];
        let stream = connect_any(&addresses, Duration::from_millis(900)).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    }
}
