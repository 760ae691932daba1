//! The operators' listener: plain HTTP/1, with limits on what a connection may take.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// Longest wait for a whole request head; also how long a connection may idle.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// Longest a connection may last: what hangs on longer connects anew.
const CONNECTION_WITHIN: Duration = Duration::from_secs(600);
/// Most connections at once. More wait to be accepted.
const CONNECTIONS_MAX: usize = 512;
/// Wait after a failed accept, which mostly means that files have run out.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The running listener.
pub struct Listener {
    stop: watch::Sender<bool>,
    ended: JoinHandle<()>,
}

impl Listener {
    /// Serves `router` on `listener`.
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = watch::channel(false);
        let ended = tokio::spawn(accept(listener, router, stopped));
        Self { stop, ended }
    }

    /// Takes no more connections and waits, at most `within`, until those there are have been answered.
    pub async fn finish(self, within: Duration) {
        self.stop.send_replace(true);
        let abort = self.ended.abort_handle();
        if timeout(within, self.ended).await.is_err() {
            abort.abort();
        }
    }
}

async fn accept(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place.expect("the places are never closed"))
        };
        let (accepted, place) = tokio::select! {
            next = next => next,
            // A sender that is gone is as good as a word from it.
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((stream, _)) => serve(stream, &router, &graceful, place),
            Err(error) => {
                tracing::warn!(%error, "cannot accept an operator's connection");
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
}

fn serve(
    stream: TcpStream,
    router: &Router,
    graceful: &GracefulShutdown,
    place: OwnedSemaphorePermit,
) {
    let service = TowerToHyperService::new(router.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // How a connection ends is the client's business: an error here is a client that went away.
        let _ = timeout(CONNECTION_WITHIN, connection).await;
        drop(place);
    });
}
