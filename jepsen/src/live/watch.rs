//! The ledger's books of prepaid budgets, read again and again during a run and judged by what the
//! provider had billed before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;

use super::estate::{Estate, Unit};
use super::shun::Shun;
use crate::cluster::{Cluster, Doors};
use crate::dice::Dice;
use crate::history::History;
use crate::http::Call;
use crate::money::Books;
use crate::provider;

/// Time between two readings.
const READ_EVERY: Duration = Duration::from_millis(250);
/// How long one may take.
const READ_WITHIN: Duration = Duration::from_secs(2);

/// One reading of one budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// When it began, in nanoseconds since the run began.
    pub at_ns: u64,
    /// The books.
    pub books: Books,
}

/// Whoever reads.
pub struct Watch {
    estate: Estate,
    provider: Arc<provider::Books>,
    history: Arc<History>,
    shun: Arc<Shun>,
    doors: Vec<Doors>,
    token: String,
    readings: Mutex<Vec<Reading>>,
    objections: Mutex<Vec<String>>,
    over: AtomicBool,
}

impl Watch {
    /// A watch over the prepaid budgets of a cluster.
    pub fn of(
        cluster: &Cluster,
        estate: &Estate,
        provider: Arc<provider::Books>,
        history: Arc<History>,
        shun: Arc<Shun>,
    ) -> Arc<Watch> {
        Arc::new(Watch {
            estate: estate.clone(),
            provider,
            history,
            shun,
            doors: cluster.doors(),
            token: cluster.admin_token().to_owned(),
            readings: Mutex::default(),
            objections: Mutex::default(),
            over: AtomicBool::new(false),
        })
    }

    /// Budgets of money with one window that never starts anew.
    pub fn prepaid(estate: &Estate) -> Vec<String> {
        let prepaid = |budget: &String| {
            let mut windows = estate.accounts.iter().filter(|account| account.budget == *budget);
            windows.all(|account| account.unit == Unit::NanoUsd && account.window_ms.is_none())
        };
        estate.budgets().into_iter().filter(prepaid).collect()
    }

    /// Reads until told to stop.
    pub async fn read_until_over(self: Arc<Watch>, mut dice: Dice) {
        let budgets = Watch::prepaid(&self.estate);
        let mut ticks = tokio::time::interval(READ_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        while !self.over.load(Ordering::Relaxed) {
            ticks.tick().await;
            let node = self.shun.draw(self.history.now_ns(), &mut dice);
            // No answer is none: whether nodes must answer, others judge.
            let budget: &String = dice.pick(&budgets);
            drop(self.read(node, budget).await);
        }
    }

    /// Reads one budget at one node, and judges it.
    ///
    /// # Errors
    ///
    /// There was no answer.
    pub async fn read(&self, node: usize, budget: &str) -> Result<Reading> {
        let billed = self.billed(budget);
        let at_ns = self.history.now_ns();
        let path = format!("/admin/v1/budgets/{budget}?consistency=linearizable");
        let call = Call::new("GET", path).bearer(&self.token);
        let told = call.send(self.doors[node].admin, READ_WITHIN).await?;
        let reading = Reading { at_ns, books: Books::read(&told.body)? };
        if let Err(error) = reading.books.judge(billed) {
            let objection = format!("{budget} at {} ms: {error}", at_ns / 1_000_000);
            self.objections.lock().unwrap_or_else(PoisonError::into_inner).push(objection);
        }
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).push(reading);
        Ok(reading)
    }

    /// What the provider has billed so far on a budget, in nano-USD.
    pub fn billed(&self, budget: &str) -> i64 {
        let keys = self.estate.keys_of(budget);
        keys.into_iter().map(|key| self.provider.sum(key).nano_usd).sum()
    }

    /// Stops reading.
    pub fn stop(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    /// What was read so far.
    pub fn readings(&self) -> Vec<Reading> {
        self.readings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Books that do not cover the bill.
    pub fn objections(&self) -> Vec<String> {
        self.objections.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
