//! A provider of models that keeps its own count of what it bills, and shares no code with the program
//! under test: the judge of money takes nobody else's word.
//!
//! It speaks as much of OpenAI's dialect as the callers here use, and does what the question asks it to
//! do (see [`Ask`]). Input is billed when a request is accepted; a plain answer whole at the same moment,
//! whoever still listens; a streamed one by chunk as it is written. Refusals cost nothing.

mod answer;
mod ask;
mod books;
mod service;

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub use ask::{Ask, Trouble};
pub use books::{Bill, Books, Charge};

/// What a token costs, in nano-USD: $1 and $4 for a million.
pub const INPUT_NANO_USD: i64 = 1_000;
/// The same of output.
pub const OUTPUT_NANO_USD: i64 = 4_000;
/// The API key it accepts.
pub const API_KEY: &str = "sk-of-the-provider-of-tests";

/// A running provider, on a thread of its own. Dropped, it stops.
pub struct Provider {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it has billed.
    pub books: Arc<Books>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Provider {
    /// Listens and begins to answer. Its clock counts from `began`; it expects this many virtual keys.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn start(listen: SocketAddr, began: Instant, keys: usize) -> Result<Provider> {
        let listener = std::net::TcpListener::bind(listen)
            .with_context(|| format!("the provider cannot listen on {listen}"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let books = Arc::new(Books::new(began, keys));
        let (stop, stopped) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let served = Arc::clone(&books);
        let thread = std::thread::Builder::new().name("provider".into()).spawn(move || {
            runtime.block_on(async {
                // The runtime has I/O, and the socket is one.
                let listener = TcpListener::from_std(listener).expect("a socket that listens");
                tokio::select! {
                    () = service::serve(listener, served) => {}
                    _ = stopped => {}
                }
            });
        })?;
        Ok(Provider { address, books, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed by it.
            drop(thread.join());
        }
    }
}
