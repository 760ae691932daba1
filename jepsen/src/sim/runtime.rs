//! What consensus runs on: tokio with its time paused, one thread, and randomness from the seed.
//!
//! Time moves only when nothing is left to do, and then at once to the next timer. Tasks that a node's
//! task starts belong to that node's life.

use super::life::Life;
use super::watch::SimWatch;
use crate::dice::Dice;
use rand_core::TryRng;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;
use storage::openraft::alias::AsyncRuntimeOf;
use storage::openraft::{AsyncRuntime, OptionalSend};
use tokio::task::{JoinError, JoinHandle};
use tokio::time;

type Tokio = AsyncRuntimeOf<storage::TypeConfig>;

/// The runtime of a simulation.
#[derive(Debug)]
pub(crate) struct SimRuntime(tokio::runtime::Runtime);

/// A tokio runtime of one thread whose time is paused.
pub(crate) fn paused() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    builder.build().expect("a runtime of one thread needs no resources that could be lacking")
}

/// Randomness of the life that asks.
#[derive(Debug)]
pub(crate) struct SimRng(Dice);

impl TryRng for SimRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        // The upper half: any 32 of the 64 bits are as good.
        self.try_next_u64().map(|drawn| (drawn >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.within(0, u64::MAX - 1))
    }

    fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
        for bytes in into.chunks_mut(8) {
            let drawn = self.try_next_u64()?.to_le_bytes();
            bytes.copy_from_slice(&drawn[..bytes.len()]);
        }
        Ok(())
    }
}

impl AsyncRuntime for SimRuntime {
    type JoinError = JoinError;
    type JoinHandle<T: OptionalSend + 'static> = JoinHandle<T>;
    type Sleep = time::Sleep;
    type Instant = <Tokio as AsyncRuntime>::Instant;
    type TimeoutError = time::error::Elapsed;
    type Timeout<R, T: Future<Output = R> + OptionalSend> = time::Timeout<T>;
    type ThreadLocalRng = SimRng;
    type Mpsc = <Tokio as AsyncRuntime>::Mpsc;
    type Watch = SimWatch;
    type Oneshot = <Tokio as AsyncRuntime>::Oneshot;
    type Mutex<T: OptionalSend + 'static> = <Tokio as AsyncRuntime>::Mutex<T>;

    fn spawn<T>(future: T) -> JoinHandle<T::Output>
    where
        T: Future + OptionalSend + 'static,
        T::Output: OptionalSend + 'static,
    {
        match Life::current() {
            Some(life) => life.spawn(future),
            None => tokio::spawn(future),
        }
    }

    fn sleep(duration: Duration) -> time::Sleep {
        time::sleep(duration)
    }

    fn sleep_until(deadline: Self::Instant) -> time::Sleep {
        Tokio::sleep_until(deadline)
    }

    fn timeout<R, F: Future<Output = R> + OptionalSend>(
        duration: Duration,
        future: F,
    ) -> time::Timeout<F> {
        time::timeout(duration, future)
    }

    fn timeout_at<R, F: Future<Output = R> + OptionalSend>(
        deadline: Self::Instant,
        future: F,
    ) -> time::Timeout<F> {
        Tokio::timeout_at(deadline, future)
    }

    fn is_panic(join_error: &JoinError) -> bool {
        join_error.is_panic()
    }

    fn thread_rng() -> SimRng {
        SimRng(Dice::of(Life::current().map_or(0, |life| life.draw())))
    }

    fn new(_threads: usize) -> SimRuntime {
        SimRuntime(paused())
    }

    fn block_on<F: Future<Output = T>, T>(&mut self, future: F) -> T {
        self.0.block_on(future)
    }

    /// At once and here: a thread of its own would run when it likes.
    fn spawn_blocking<F, T>(work: F) -> impl Future<Output = Result<T, io::Error>> + Send
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        std::future::ready(Ok(work()))
    }
}
