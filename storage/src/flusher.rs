//! One thread makes writes durable, and only then calls back.
//!
//! Drain the queue, sync once for all of it, then answer each in order. Votes, truncations and appends
//! share the queue, so what is answered is durable with everything before it. A sync that fails ends the
//! process: the kernel may have dropped the pages, and asking again would be told that all is well.

use crate::format::v1::{WireLogId, WireVote};
use crate::types::TypeConfig;
use crate::watermark::WatermarkFile;
use openraft::storage::IOFlushed;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// Longest time the watermark lags behind an idle log.
const WATERMARK_EVERY: Duration = Duration::from_secs(1);
/// How often the engine is asked whether all is as it must be.
const CHECK_EVERY: Duration = Duration::from_secs(3_600);
/// Most jobs answered by one sync.
const JOBS_MAX: usize = 4_096;

/// What makes writes durable. There is one; tests put another before it, to lose writes on purpose.
pub trait Disk: Send + Sync + 'static {
    /// Hands everything written so far to the kernel.
    ///
    /// # Errors
    /// The process must not go on after one.
    fn flush(&self) -> io::Result<()>;

    /// Returns when everything flushed before is on the disk.
    ///
    /// # Errors
    /// The process must not go on after one.
    fn sync(&self) -> io::Result<()>;

    /// Returns whether everything written is where a sync reaches it.
    ///
    /// # Errors
    /// It is not: the process must not go on.
    fn check(&self) -> io::Result<()>;
}

impl<D: Disk + ?Sized> Disk for std::sync::Arc<D> {
    fn flush(&self) -> io::Result<()> {
        (**self).flush()
    }

    fn sync(&self) -> io::Result<()> {
        (**self).sync()
    }

    fn check(&self) -> io::Result<()> {
        (**self).check()
    }
}

/// What a job says of the log once it is durable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// The log reaches at least this far.
    Appended(WireLogId),
    /// The log is about to be cut down to this.
    Lowered(Option<WireLogId>),
    /// The vote is at least this.
    Voted(WireVote),
    /// Nothing.
    Nothing,
}

enum Answer {
    Appended(IOFlushed<TypeConfig>),
    Waiting(oneshot::Sender<()>),
    Nobody,
}

struct Job {
    mark: Mark,
    answer: Answer,
}

/// Handle on the thread. Dropping it syncs what is queued and waits for the end.
pub(crate) struct Flusher {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Flusher {
    pub(crate) fn start(disk: Box<dyn Disk>, watermark: WatermarkFile) -> io::Result<Flusher> {
        let (sender, jobs) = mpsc::channel();
        let worker = Worker {
            disk,
            watermark,
            dirty: false,
            written: Instant::now(),
            checked: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("log-flusher".to_owned())
            .spawn(move || worker.run(&jobs))?;
        Ok(Flusher { jobs: Some(sender), thread: Some(thread) })
    }

    /// Calls back once what was appended so far is durable.
    pub(crate) fn appended(&self, last: WireLogId, callback: IOFlushed<TypeConfig>) {
        self.send(Mark::Appended(last), Answer::Appended(callback));
    }

    /// Returns once what was written so far is durable, and the watermark says so.
    pub(crate) async fn wait(&self, mark: Mark) -> io::Result<()> {
        let (sender, done) = oneshot::channel();
        self.send(mark, Answer::Waiting(sender));
        done.await.map_err(|_| io::Error::other("log flusher is gone"))
    }

    /// Asks for a sync that nobody waits for.
    pub(crate) fn nudge(&self) {
        self.send(Mark::Nothing, Answer::Nobody);
    }

    fn send(&self, mark: Mark, answer: Answer) {
        let jobs = self.jobs.as_ref().expect("present until dropped");
        // The thread ends only with this handle, or with the process.
        let _ = jobs.send(Job { mark, answer });
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Worker {
    disk: Box<dyn Disk>,
    watermark: WatermarkFile,
    /// The watermark says less than is durable.
    dirty: bool,
    written: Instant,
    checked: Instant,
}

impl Worker {
    fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            match jobs.recv_timeout(self.patience(Instant::now())) {
                Ok(first) => {
                    let more = jobs.try_iter().take(JOBS_MAX - 1);
                    self.serve(std::iter::once(first).chain(more).collect());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.housekeep();
        }
        self.make_durable();
        self.write_watermark();
    }

    /// How long to wait for a job before there is something else to do.
    fn patience(&self, now: Instant) -> Duration {
        let (every, since) =
            if self.dirty { (WATERMARK_EVERY, self.written) } else { (CHECK_EVERY, self.checked) };
        every.saturating_sub(now.saturating_duration_since(since))
    }

    fn serve(&mut self, batch: Vec<Job>) {
        self.make_durable();
        let mut urgent = false;
        for job in &batch {
            self.dirty = true;
            match job.mark {
                Mark::Appended(last) => self.watermark.next.last = Some(last),
                Mark::Lowered(last) => {
                    self.watermark.next.last = last;
                    urgent = true;
                }
                Mark::Voted(vote) => {
                    self.watermark.next.vote = Some(vote);
                    urgent = true;
                }
                Mark::Nothing => {}
            }
        }
        if urgent {
            self.write_watermark();
        }
        for job in batch {
            match job.answer {
                Answer::Appended(callback) => callback.io_completed(Ok(())),
                // Whoever waited may have been cancelled.
                Answer::Waiting(sender) => drop(sender.send(())),
                Answer::Nobody => {}
            }
        }
    }

    fn make_durable(&self) {
        or_abort("flush", self.disk.flush());
        or_abort("sync", self.disk.sync());
    }

    fn housekeep(&mut self) {
        if self.dirty && self.written.elapsed() >= WATERMARK_EVERY {
            self.write_watermark();
        }
        if self.checked.elapsed() >= CHECK_EVERY {
            or_abort("check", self.disk.check());
            self.checked = Instant::now();
        }
    }

    fn write_watermark(&mut self) {
        or_abort("watermark", self.watermark.write());
        self.written = Instant::now();
        self.dirty = false;
    }
}

/// Ends the process where the disk failed, at once and without unwinding: nothing may be acknowledged.
fn or_abort(what: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::error!(%error, what, "the disk failed: this process ends to acknowledge nothing false");
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fine;

    impl Disk for Fine {
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }

        fn check(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_idle_worker_sleeps_and_one_behind_with_its_watermark_wakes_in_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let start = Instant::now();
        let mut worker = Worker {
            disk: Box::new(Fine),
            watermark: WatermarkFile::create(dir.path()).unwrap(),
            dirty: false,
            written: start,
            checked: start + 2 * CHECK_EVERY,
        };
        let now = start + 2 * CHECK_EVERY;
        assert_eq!(worker.patience(now), CHECK_EVERY);
        worker.dirty = true;
        worker.written = now;
        assert_eq!(worker.patience(now), WATERMARK_EVERY);
        assert_eq!(worker.patience(now + 2 * WATERMARK_EVERY), Duration::ZERO);
    }
}
