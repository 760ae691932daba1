//! A provider that answers, counts what it bills, and misbehaves on request.
//!
//! It speaks OpenAI's dialect on its own listener, needs no account and no network, and gives the same
//! answer to the same bytes. What it bills goes into books of its own, which know nothing of the
//! gateway's: whoever wants to prove that a budget held compares the two.
//!
//! It bills like a provider that means it. Input is billed when a request is accepted. A plain answer is
//! billed whole at the same moment, whether or not the caller waits for it; a streamed one is billed
//! chunk by chunk as it is written, and no further once the caller is gone. Errors cost nothing.
//!
//! | path | what |
//! |---|---|
//! | `POST /v1/chat/completions`, `/v1/completions` | plain and streamed |
//! | `POST /v1/embeddings`, `GET /v1/models` | |
//! | `GET /_sim/billed`, `POST /_sim/reset` | the books, and a fresh start |
//! | `POST /_sim/behave` | how to answer from now on, see [`Behaviour`] |
//! | `GET /_sim/health` | 200 |

mod answer;
mod behaviour;
mod body;
mod books;
mod question;
mod service;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::oneshot;

pub use behaviour::{Behaviour, Standing};
pub use books::{Billed, Line, Prices};

/// How a simulated provider is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// API keys it accepts. Empty: any, and none.
    pub api_keys: Vec<String>,
    /// Models it serves. Empty: any.
    pub models: Vec<String>,
    /// What it bills.
    pub prices: Prices,
    /// Output tokens of an answer, unless the caller's limit is lower.
    pub output_tokens: u64,
    /// How it answers where nobody asked for anything else.
    pub behaviour: Behaviour,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_keys: Vec::new(),
            models: Vec::new(),
            prices: Prices::default(),
            output_tokens: 32,
            behaviour: Behaviour::default(),
        }
    }
}

/// A running simulated provider, on a thread of its own. Dropped, it stops and closes its connections.
pub struct Simulator {
    address: SocketAddr,
    provider: Arc<service::Provider>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Simulator {
    /// Binds and begins to answer.
    pub fn start(settings: Settings) -> io::Result<Simulator> {
        let listener = TcpListener::bind(settings.listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let provider = Arc::new(service::Provider::new(settings));
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&provider);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("simulator".into()).spawn(move || {
            let local = tokio::task::LocalSet::new();
            runtime.block_on(local.run_until(serve(listener, served, stopped)));
        })?;
        Ok(Simulator { address, provider, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for an OpenAI client: `http://127.0.0.1:4010/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// What it has billed so far.
    pub fn billed(&self) -> Billed {
        self.provider.books.billed()
    }

    /// Closes the books and opens new ones.
    pub fn reset(&self) {
        self.provider.books.reset();
    }

    /// Answers like this from now on, or for the given number of requests.
    pub fn behave(&self, standing: Standing) {
        self.provider.behave(standing);
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the simulator has been printed by its thread; there is nothing to add here.
            drop(thread.join());
        }
    }
}

/// Accepts connections until told to stop.
async fn serve(
    listener: TcpListener,
    provider: Arc<service::Provider>,
    mut stopped: oneshot::Receiver<()>,
) {
    let listener =
        tokio::net::TcpListener::from_std(listener).expect("the runtime has I/O enabled");
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => return,
        };
        // Out of descriptors, or a caller gone before it was accepted: the next one may do better.
        let Ok((socket, _)) = accepted else {
            tokio::task::yield_now().await;
            continue;
        };
        drop(socket.set_nodelay(true));
        let provider = Arc::clone(&provider);
        tokio::task::spawn_local(async move {
            let answer = hyper::service::service_fn(move |request| {
                let provider = Arc::clone(&provider);
                async move { Ok::<_, std::convert::Infallible>(provider.answer(request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.timer(TokioTimer::new()).pipeline_flush(true);
            // An error here is a caller who hung up, or an answer cut on purpose.
            drop(http.serve_connection(TokioIo::new(socket), answer).await);
        });
    }
}
