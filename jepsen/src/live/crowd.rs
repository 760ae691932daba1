//! The callers of a run, on a thread of their own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep_until};

use super::asked::{Asked, Calls, Ended};
use super::caller::{Line, Question};
use super::estate::Estate;
use super::shun::Shun;
use crate::dice::Dice;
use crate::history::History;
use crate::provider::Trouble;

/// Most questions a caller asks on one connection before it goes to another node.
const ASKED_ON_ONE_LINE_MAX: u64 = 40;

/// What callers share.
pub struct Crowd {
    /// What they wrote down.
    pub calls: Calls,
    estate: Estate,
    /// Secrets of the keys, by number.
    secrets: Vec<String>,
    doors: Vec<SocketAddr>,
    /// Whom to ask.
    shun: Arc<Shun>,
    /// Calls that were answered, by node.
    answered: Vec<AtomicU64>,
    over: AtomicBool,
    next_id: Arc<AtomicU64>,
    history: Arc<History>,
}

/// How many ask, and how often.
#[derive(Clone, Copy, Debug)]
pub struct Pressure {
    /// Callers at once.
    pub callers: u64,
    /// Calls a second, of all together, where they are answered in time.
    pub per_s: u64,
}

/// Where callers find what.
#[derive(Clone)]
pub struct Addresses {
    /// Secrets of the keys, by number.
    pub secrets: Vec<String>,
    /// Where nodes are called, by number.
    pub doors: Vec<SocketAddr>,
    /// Whom to ask.
    pub shun: Arc<Shun>,
    /// Where numbers of calls come from: no two calls of a run share one.
    pub next_id: Arc<AtomicU64>,
}

/// A crowd at work.
pub struct AtWork {
    /// What they share.
    pub crowd: Arc<Crowd>,
    thread: JoinHandle<()>,
}

impl Crowd {
    /// Sends callers out.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn send_out(
        estate: Estate,
        addresses: Addresses,
        history: Arc<History>,
        pressure: Pressure,
        dice: &mut Dice,
    ) -> Result<AtWork> {
        let Addresses { secrets, doors, shun, next_id } = addresses;
        let answered = std::iter::repeat_with(AtomicU64::default).take(doors.len()).collect();
        let crowd = Arc::new(Crowd {
            calls: Calls::default(),
            estate,
            secrets,
            doors,
            shun,
            answered,
            over: AtomicBool::new(false),
            next_id,
            history,
        });
        let callers: Vec<Dice> = (0..pressure.callers).map(|_| dice.split()).collect();
        let pause = Duration::from_nanos(1_000_000_000 * pressure.callers / pressure.per_s.max(1));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let shared = Arc::clone(&crowd);
        let thread = std::thread::Builder::new().name("callers".into()).spawn(move || {
            runtime.block_on(async {
                let tasks: Vec<_> = callers
                    .into_iter()
                    .map(|dice| tokio::spawn(Arc::clone(&shared).ask_until_over(pause, dice)))
                    .collect();
                for task in tasks {
                    // A caller that panicked has said so.
                    drop(task.await);
                }
            });
        })?;
        Ok(AtWork { crowd, thread })
    }

    /// How many calls each node has answered.
    pub fn answered(&self) -> Vec<u64> {
        self.answered.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// One caller, until all is over.
    async fn ask_until_over(self: Arc<Crowd>, pause: Duration, mut dice: Dice) {
        let mut line: Option<(usize, Line, u64)> = None;
        let mut next = Instant::now();
        while !self.over.load(Ordering::Relaxed) {
            // Evenly on average, and never in step with the others.
            next += pause.mul_f64(dice.below(2_000) as f64 / 1_000.0);
            // Who was held up does not make up for it.
            next = next.max(Instant::now().checked_sub(pause * 4).unwrap_or(next));
            sleep_until(next).await;
            line = self.ask(line, &mut dice).await;
        }
    }

    /// Asks once; answers the line where it can be used again.
    async fn ask(
        &self,
        line: Option<(usize, Line, u64)>,
        dice: &mut Dice,
    ) -> Option<(usize, Line, u64)> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let question = Question::draw(id, self.estate.draw(dice), dice);
        let sent_ns = self.history.now_ns();
        let usable = line
            .filter(|(node, line, left)| *left > 0 && line.is_open() && self.shun.is_there(*node));
        let (node, open) = match usable {
            Some((node, line, left)) => (node, Some((line, left))),
            None => {
                let node = self.shun.draw(sent_ns, dice);
                let left = dice.within(1, ASKED_ON_ONE_LINE_MAX);
                (node, Line::open(self.doors[node]).await.map(|line| (line, left)))
            }
        };
        let key = question.ask.key;
        let (ended, kept) = match open {
            None => (Ended::Unsent, None),
            Some((mut line, left)) => {
                let asked = line.ask(&question, &self.secrets[key]);
                let (ended, again) =
                    self.shun.watch((node, sent_ns), question.takes(), asked).await;
                (ended, again.then_some((node, line, left - 1)))
            }
        };
        if ended == Ended::Answered {
            self.answered[node].fetch_add(1, Ordering::Relaxed);
        }
        if matches!(ended, Ended::Unsent | Ended::Lost) {
            self.shun.note(node, self.history.now_ns());
        }
        let (ended_ns, worst_nano_usd) = (self.history.now_ns(), question.worst_nano_usd());
        let well = question.ask.trouble == Trouble::None;
        self.calls.push(Asked { id, key, node, sent_ns, ended_ns, worst_nano_usd, well, ended });
        kept
    }
}

impl AtWork {
    /// Calls the callers home, and waits until each knows how its last call ended.
    ///
    /// # Errors
    ///
    /// Their thread panicked.
    pub fn come_home(self) -> Result<Vec<Asked>> {
        self.crowd.over.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the callers' thread panicked"))?;
        Ok(self.crowd.calls.all())
    }
}
