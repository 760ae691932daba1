//! A watch channel that wakes its receivers in the order they began to wait.
//!
//! Tokio's own spreads them over eight lists by chance, which no seed would bring back.

use super::life::lock;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};
use std::task::{Context, Poll, Waker};
use storage::openraft::OptionalSend;
use storage::openraft::OptionalSync;
use storage::openraft::async_runtime::watch::{
    RecvError, SendError, Watch, WatchReceiver, WatchSender,
};

/// The channel.
#[derive(Debug)]
pub(crate) struct SimWatch;

#[derive(Debug)]
struct Shared<T> {
    value: RwLock<T>,
    version: AtomicU64,
    senders: AtomicUsize,
    receivers: AtomicUsize,
    waiting: Mutex<Vec<Waker>>,
}

/// The sending end.
#[derive(Debug)]
pub(crate) struct Sender<T>(Arc<Shared<T>>);

/// The receiving end.
#[derive(Debug)]
pub(crate) struct Receiver<T> {
    shared: Arc<Shared<T>>,
    seen: u64,
}

impl<T> Shared<T> {
    fn read(&self) -> RwLockReadGuard<'_, T> {
        self.value.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        for waker in std::mem::take(&mut *lock(&self.waiting)) {
            waker.wake();
        }
    }

    fn receiver(self: &Arc<Self>, seen: u64) -> Receiver<T> {
        self.receivers.fetch_add(1, SeqCst);
        Receiver { shared: Arc::clone(self), seen }
    }

    /// Whether there is a value not seen yet; `None` where there will be no more.
    fn is_news(&self, seen: u64) -> Option<bool> {
        if self.version.load(SeqCst) != seen {
            return Some(true);
        }
        (self.senders.load(SeqCst) > 0).then_some(false)
    }
}

impl Watch for SimWatch {
    type Sender<T: OptionalSend + OptionalSync> = Sender<T>;
    type Receiver<T: OptionalSend + OptionalSync> = Receiver<T>;
    type Ref<'a, T: OptionalSend + 'a> = RwLockReadGuard<'a, T>;

    fn channel<T: OptionalSend + OptionalSync>(init: T) -> (Sender<T>, Receiver<T>) {
        let shared = Arc::new(Shared {
            value: RwLock::new(init),
            version: AtomicU64::new(0),
            senders: AtomicUsize::new(1),
            receivers: AtomicUsize::new(0),
            waiting: Mutex::default(),
        });
        let receiver = shared.receiver(0);
        (Sender(shared), receiver)
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        self.0.senders.fetch_add(1, SeqCst);
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, SeqCst) == 1 {
            self.0.wake();
        }
    }
}

impl<T> Receiver<T> {
    fn poll_changed(&mut self, cx: &Context<'_>) -> Poll<Result<(), RecvError>> {
        match self.shared.is_news(self.seen) {
            Some(true) => {
                self.seen = self.shared.version.load(SeqCst);
                Poll::Ready(Ok(()))
            }
            Some(false) => {
                let mut waiting = lock(&self.shared.waiting);
                if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                    waiting.push(cx.waker().clone());
                }
                Poll::Pending
            }
            None => Poll::Ready(Err(RecvError(()))),
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        self.shared.receiver(self.seen)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.receivers.fetch_sub(1, SeqCst);
    }
}

impl<T: OptionalSend + OptionalSync> WatchSender<SimWatch, T> for Sender<T> {
    fn send(&self, value: T) -> Result<(), SendError<T>> {
        if self.0.receivers.load(SeqCst) == 0 {
            return Err(SendError(value));
        }
        self.send_if_modified(|present| {
            *present = value;
            true
        });
        Ok(())
    }

    fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        let modified = {
            let mut value = self.0.value.write().unwrap_or_else(PoisonError::into_inner);
            modify(&mut value)
        };
        if modified {
            self.0.version.fetch_add(1, SeqCst);
            self.0.wake();
        }
        modified
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.0.read()
    }

    fn subscribe(&self) -> Receiver<T> {
        self.0.receiver(self.0.version.load(SeqCst))
    }
}

impl<T: OptionalSend + OptionalSync> WatchReceiver<SimWatch, T> for Receiver<T> {
    async fn changed(&mut self) -> Result<(), RecvError> {
        poll_fn(|cx| self.poll_changed(cx)).await
    }

    fn borrow_watched(&self) -> RwLockReadGuard<'_, T> {
        self.shared.read()
    }

    fn borrow_and_update(&mut self) -> RwLockReadGuard<'_, T> {
        self.seen = self.shared.version.load(SeqCst);
        self.shared.read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_change_is_seen_once_and_the_end_is_told() {
        let (sender, mut receiver) = SimWatch::channel(1);
        assert!(receiver.changed().now_or_never().is_none());
        sender.send(2).unwrap();
        assert_eq!(receiver.changed().now_or_never(), Some(Ok(())));
        assert!(receiver.changed().now_or_never().is_none());
        sender.send(3).unwrap();
        drop(sender);
        assert_eq!(receiver.changed().now_or_never(), Some(Ok(())));
        assert_eq!(*receiver.borrow_watched(), 3);
        assert_eq!(receiver.changed().now_or_never(), Some(Err(RecvError(()))));
    }

    #[test]
    fn nothing_is_sent_where_nobody_listens() {
        let (sender, receiver) = SimWatch::channel(1);
        drop(receiver);
        assert_eq!(sender.send(2), Err(SendError(2)));
        assert!(sender.send_if_modified(|value| {
            *value = 5;
            true
        }));
        assert_eq!(*sender.subscribe().borrow_and_update(), 5);
    }
}
