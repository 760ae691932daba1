//! One life of a simulated node: everything it runs can be stopped for a while, or for good.

use crate::dice::Dice;
use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::task::{AbortHandle, JoinHandle};

thread_local! {
    static CURRENT: RefCell<Option<Arc<Life>>> = const { RefCell::new(None) };
}

/// One life of a node: from a start to the end of its process.
pub(crate) struct Life {
    paused: AtomicBool,
    dead: AtomicBool,
    parked: Mutex<Vec<Waker>>,
    tasks: Mutex<Vec<AbortHandle>>,
    dice: Mutex<Dice>,
    panicked: AtomicBool,
}

impl Life {
    pub(crate) fn new(dice: Dice) -> Arc<Life> {
        Arc::new(Life {
            paused: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            parked: Mutex::default(),
            tasks: Mutex::default(),
            dice: Mutex::new(dice),
            panicked: AtomicBool::new(false),
        })
    }

    /// The life whose task runs now.
    pub(crate) fn current() -> Option<Arc<Life>> {
        CURRENT.with_borrow(Option::clone)
    }

    /// Starts a task of this life. What it starts in turn belongs to the same life.
    pub(crate) fn spawn<F>(self: &Arc<Life>, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let task = tokio::spawn(Tied { life: Arc::clone(self), inner: Box::pin(future) });
        let mut tasks = lock(&self.tasks);
        if tasks.len() == tasks.capacity() {
            tasks.retain(|task| !task.is_finished());
        }
        tasks.push(task.abort_handle());
        if self.is_dead() {
            task.abort();
        }
        task
    }

    /// Stops all tasks where they are; timers and messages go on around them.
    pub(crate) fn pause(&self) {
        self.paused.store(true, SeqCst);
    }

    /// Lets all tasks go on.
    pub(crate) fn resume(&self) {
        self.paused.store(false, SeqCst);
        for waker in std::mem::take(&mut *lock(&self.parked)) {
            waker.wake();
        }
    }

    /// Ends the process: no task runs again.
    pub(crate) fn kill(&self) {
        self.dead.store(true, SeqCst);
        for task in std::mem::take(&mut *lock(&self.tasks)) {
            task.abort();
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(SeqCst)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(SeqCst)
    }

    /// Whether a task of it panicked, which none may.
    pub(crate) fn has_panicked(&self) -> bool {
        self.panicked.load(SeqCst)
    }

    /// A number of this life's own stream.
    pub(crate) fn draw(&self) -> u64 {
        lock(&self.dice).within(0, u64::MAX - 1)
    }
}

/// A task tied to a life.
struct Tied<F> {
    life: Arc<Life>,
    inner: Pin<Box<F>>,
}

impl<F: Future> Future for Tied<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.life.is_dead() {
            return Poll::Pending;
        }
        if self.life.is_paused() {
            lock(&self.life.parked).push(cx.waker().clone());
            return Poll::Pending;
        }
        let before = CURRENT.replace(Some(Arc::clone(&self.life)));
        let polled = catch_unwind(AssertUnwindSafe(|| self.inner.as_mut().poll(cx)));
        CURRENT.set(before);
        polled.unwrap_or_else(|panic| {
            self.life.panicked.store(true, SeqCst);
            resume_unwind(panic)
        })
    }
}

/// Locks what no code leaves half done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::runtime::paused;
    use std::sync::atomic::AtomicU32;
    use std::time::Duration;
    use tokio::time::sleep;

    async fn counter(life: &Arc<Life>) -> Arc<AtomicU32> {
        let count = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&count);
        life.spawn(async move {
            loop {
                sleep(Duration::from_millis(10)).await;
                counted.fetch_add(1, SeqCst);
            }
        });
        sleep(Duration::from_millis(35)).await;
        count
    }

    #[test]
    fn a_paused_life_stands_still_and_goes_on() {
        paused().block_on(async {
            let life = Life::new(Dice::of(1));
            let count = counter(&life).await;
            life.pause();
            sleep(Duration::from_millis(100)).await;
            assert_eq!(count.load(SeqCst), 3);
            life.resume();
            sleep(Duration::from_millis(25)).await;
            assert_eq!(count.load(SeqCst), 6);
        });
    }

    #[test]
    fn nothing_of_a_dead_life_runs_again() {
        paused().block_on(async {
            let life = Life::new(Dice::of(1));
            let count = counter(&life).await;
            life.kill();
            life.spawn(async { unreachable!("the life is over") });
            sleep(Duration::from_millis(100)).await;
            assert_eq!((count.load(SeqCst), Arc::strong_count(&count)), (3, 1));
        });
    }

    #[test]
    fn a_panic_is_noticed() {
        paused().block_on(async {
            let life = Life::new(Dice::of(1));
            assert!(!life.has_panicked());
            let ended = life.spawn(async { assert!(Life::current().is_none(), "on purpose") });
            assert!(ended.await.is_err() && life.has_panicked());
        });
    }

    #[test]
    fn what_a_task_starts_belongs_to_its_life() {
        paused().block_on(async {
            let life = Life::new(Dice::of(1));
            let inherited = life.spawn(async { Life::current().is_some() }).await.unwrap();
            assert!(inherited && Life::current().is_none());
        });
    }
}
