//! Callers' connections under watch: who dawdles with a head, who idles, who stopped reading.
//!
//! One tick a second serves all connections of a thread; a request costs no timer and no clock reading.

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::rt::TokioIo;
use std::cell::{Cell, RefCell};
use std::io;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// How long a caller may take over what, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// From the first byte of a request to the end of its head.
    pub(crate) head_s: u32,
    /// Between two requests of one connection, and before the first.
    pub(crate) idle_s: u32,
    /// Without taking one byte of what is to be written.
    pub(crate) stalled_s: u32,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing of the next request has come.
    Idle,
    /// Some bytes of a head have come.
    Head,
    /// A request is being answered; its body and upstream have their own limits.
    Busy,
}

/// One connection's state, shared by its I/O, its service and the watcher.
pub(crate) struct Seat {
    stage: Cell<Stage>,
    since: Cell<u32>,
    /// Tick since which a write has been stuck; zero where none is.
    stuck_since: Cell<u32>,
    clock: Rc<Cell<u32>>,
    overdue: Notify,
}

impl Seat {
    /// A whole head has come.
    pub(crate) fn busy(&self) {
        self.stage.set(Stage::Busy);
    }

    /// The answer is over.
    pub(crate) fn idle(&self) {
        self.stage.set(Stage::Idle);
        self.since.set(self.clock.get());
    }

    /// Resolves once the connection has overstayed.
    pub(crate) async fn overdue(&self) {
        self.overdue.notified().await;
    }

    fn is_overdue(&self, now: u32, patience: Patience) -> bool {
        let stuck = self.stuck_since.get();
        if stuck != 0 && now.saturating_sub(stuck) > patience.stalled_s {
            return true;
        }
        let waited = now.saturating_sub(self.since.get());
        match self.stage.get() {
            Stage::Idle => waited > patience.idle_s,
            Stage::Head => waited > patience.head_s,
            Stage::Busy => false,
        }
    }
}

/// Watches all connections of one thread.
pub(crate) struct Watcher {
    clock: Rc<Cell<u32>>,
    seats: RefCell<Vec<Weak<Seat>>>,
    patience: Patience,
}

impl Watcher {
    pub(crate) fn new(patience: Patience) -> Rc<Self> {
        Rc::new(Self { clock: Rc::new(Cell::new(1)), seats: RefCell::new(Vec::new()), patience })
    }

    /// A seat for a new connection.
    pub(crate) fn seat(&self) -> Rc<Seat> {
        let seat = Rc::new(Seat {
            stage: Cell::new(Stage::Idle),
            since: Cell::new(self.clock.get()),
            stuck_since: Cell::new(0),
            clock: Rc::clone(&self.clock),
            overdue: Notify::new(),
        });
        self.seats.borrow_mut().push(Rc::downgrade(&seat));
        seat
    }

    /// One second has passed: forgets connections that are gone and tells those that overstay.
    fn tick(&self) {
        let now = self.clock.get() + 1;
        self.clock.set(now);
        self.seats.borrow_mut().retain(|seat| match seat.upgrade() {
            Some(seat) => {
                if seat.is_overdue(now, self.patience) {
                    seat.overdue.notify_one();
                }
                true
            }
            None => false,
        });
    }

    /// Ticks for ever.
    pub(crate) async fn run(&self) {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        loop {
            every.tick().await;
            self.tick();
        }
    }
}

/// A caller's socket that tells its seat what moves.
pub(crate) struct Watched {
    io: TokioIo<TcpStream>,
    seat: Rc<Seat>,
}

impl Watched {
    pub(crate) fn new(stream: TcpStream, seat: Rc<Seat>) -> Self {
        let io = TokioIo::new(stream);
        Self { io, seat }
    }

    fn note_write<T>(&self, outcome: &Poll<io::Result<T>>) {
        if outcome.is_ready() {
            self.seat.stuck_since.set(0);
        } else if self.seat.stuck_since.get() == 0 {
            self.seat.stuck_since.set(self.seat.clock.get());
        }
    }
}

impl Read for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.io).poll_read(cx, buf);
        if outcome.is_ready() && self.seat.stage.get() == Stage::Idle {
            self.seat.stage.set(Stage::Head);
            self.seat.since.set(self.seat.clock.get());
        }
        outcome
    }
}

impl Write for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write(cx, buf);
        self.note_write(&outcome);
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.io).poll_write_vectored(cx, bufs);
        self.note_write(&outcome);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { head_s: 10, idle_s: 60, stalled_s: 30 };

    fn seat(stage: Stage, since: u32, stuck_since: u32) -> Seat {
        Seat {
            stage: Cell::new(stage),
            since: Cell::new(since),
            stuck_since: Cell::new(stuck_since),
            clock: Rc::new(Cell::new(since)),
            overdue: Notify::new(),
        }
    }

    #[test]
    fn each_stage_has_its_own_patience() {
        let cases = [
            (Stage::Idle, 0, 100 + 60, false),
            (Stage::Idle, 0, 100 + 61, true),
            (Stage::Head, 0, 100 + 10, false),
            (Stage::Head, 0, 100 + 11, true),
            (Stage::Busy, 0, 100 + 100_000, false),
            (Stage::Busy, 120, 120 + 30, false),
            (Stage::Busy, 120, 120 + 31, true),
        ];
        for (stage, stuck_since, now, overdue) in cases {
            let seat = seat(stage, 100, stuck_since);
            assert_eq!(seat.is_overdue(now, PATIENCE), overdue, "{stage:?} {stuck_since} {now}");
        }
    }

    #[test]
    fn connections_that_are_gone_are_forgotten() {
        let watcher = Watcher::new(PATIENCE);
        let kept = watcher.seat();
        drop(watcher.seat());
        watcher.tick();
        assert_eq!(watcher.seats.borrow().len(), 1);
        drop(kept);
        watcher.tick();
        assert!(watcher.seats.borrow().is_empty());
    }
}
