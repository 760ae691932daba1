//! The end of a run: everything is judged, every judge is shown that it can object, and too little to
//! prove anything is a failure of its own.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::OPERATORS;
use super::Options;
use super::asked::{self, Asked, Ended};
use super::equal;
use super::estate::{Account, Estate};
use super::judge::{Breach, Evidence, Slow};
use super::measure::{Notes, Row};
use super::registers::Registers;
use super::report;
use super::strikes::Struck;
use super::watch::Watch;
use crate::cluster::Cluster;
use crate::history::{self, Action, Answer, Outcome, Record};
use crate::http::Call;
use crate::linear::{self, Objection};
use crate::provider::Bill;
use crate::spoil;

/// Fewest calls and answers of a run, for each of its strokes.
const ANSWERED_PER_STROKE: usize = 50;
/// Fewest reads and writes of operators, for each stroke.
const WRITTEN_PER_STROKE: usize = 3;

/// Everything a run leaves.
pub(super) struct Finish<'a> {
    pub(super) options: &'a Options,
    pub(super) cluster: &'a mut Cluster,
    pub(super) estate: Estate,
    pub(super) asked: Vec<Asked>,
    pub(super) bills: Vec<Bill>,
    /// Calls were numbered below this.
    pub(super) calls_begun: u64,
    /// When the callers were called home.
    pub(super) end_ns: u64,
    pub(super) strokes: Vec<Struck>,
    pub(super) slow: Vec<Slow>,
    pub(super) registers: Arc<Registers>,
    pub(super) watch: Arc<Watch>,
}

impl Finish<'_> {
    /// Judges.
    pub(super) async fn judge(mut self, say: &impl Fn(String)) -> Result<()> {
        self.tell_strokes(say);
        let breaches = self.evidence(&self.estate).breaches().map_err(anyhow::Error::msg)?;
        let members = self.cluster.members();
        let reads = self.registers.read_everywhere(OPERATORS, &members).await;
        let records = self.registers.history.records();
        let history = self.cluster.root().join("history.jsonl");
        history::save(&records, &history)?;
        asked::save(&self.asked, &self.cluster.root().join("calls.txt"))?;
        self.tell_table(&breaches, &records, say)?;

        self.money_is_right(&breaches).await?;
        self.the_judge_objects_to_smaller_limits(&breaches, say)?;
        self.writes_are_linearizable(&records, say)?;
        every_last_read_was_answered(&records, reads)?;
        self.enough_happened(&records)?;
        self.all_nodes_are_equal(say).await
    }

    fn tell_strokes(&self, say: &impl Fn(String)) {
        for stroke in &self.strokes {
            let lasted_ms = (stroke.healed_ns - stroke.from_ns) / 1_000_000;
            let shown = stroke.felt.iter().chain(&stroke.unnoticed).cloned().collect::<Vec<_>>();
            let shown = shown.join(", ");
            say(format!(
                "  {}: {}; whole again after {lasted_ms} ms; {shown}",
                stroke.name, stroke.what
            ));
        }
        let mut ends: BTreeMap<Ended, usize> = BTreeMap::new();
        for asked in &self.asked {
            *ends.entry(asked.ended).or_default() += 1;
        }
        say(format!("  {} calls, {} billed: {ends:?}", self.asked.len(), self.bills.len()));
    }

    fn tell_table(
        &self,
        breaches: &[Breach],
        records: &[Record],
        say: &impl Fn(String),
    ) -> Result<()> {
        let readings = self.watch.readings();
        let notes = Notes {
            estate: &self.estate,
            asked: &self.asked,
            bills: &self.bills,
            readings: &readings,
            records,
            breaches,
        };
        let rows = notes.rows(&self.strokes, self.end_ns);
        say(report::table(&rows));
        self.write_json(&rows)
    }

    fn write_json(&self, rows: &[Row]) -> Result<()> {
        let Some(path) = &self.options.json else { return Ok(()) };
        let file = std::fs::File::options().create(true).append(true).open(path);
        let mut file = file.with_context(|| format!("cannot write {}", path.display()))?;
        for row in rows {
            writeln!(file, "{}", report::line(row, self.options.seed, self.options.nodes))?;
        }
        Ok(())
    }

    fn evidence<'a>(&'a self, estate: &'a Estate) -> Evidence<'a> {
        let asked = self.asked.iter().map(|asked| (asked.id, *asked)).collect();
        Evidence { estate, bills: &self.bills, asked, slow: &self.slow }
    }

    /// No account was overspent, and at no moment did the ledger account for less than was billed.
    async fn money_is_right(&self, breaches: &[Breach]) -> Result<()> {
        if let Some(breach) = breaches.first() {
            let account = &self.estate.accounts[breach.account];
            bail!(
                "OVERSPENT: {breach:?} of {account:?}: {} too much",
                breach.billed - breach.holds
            );
        }
        for budget in Watch::prepaid(&self.estate) {
            let node = self.cluster.members().first().copied().context("no node runs")?;
            self.watch.read(node, &budget).await.with_context(|| format!("books of {budget}"))?;
        }
        let objections = self.watch.objections();
        ensure!(objections.is_empty(), "the ledger's books do not cover the bill: {objections:#?}");
        Ok(())
    }

    /// The very judge and the very bills: had the limits been a little smaller, it would have objected.
    fn the_judge_objects_to_smaller_limits(
        &self,
        breaches: &[Breach],
        say: &impl Fn(String),
    ) -> Result<()> {
        ensure!(breaches.is_empty(), "there is something to object to as it is");
        let mut sharp = Vec::new();
        let evidence = self.evidence(&self.estate);
        for (nth, account) in self.estate.accounts.iter().enumerate() {
            // How much had to be overspent in every period to be found out.
            let objects = evidence.objects_at(nth, &[95, 85, 70, 50, 30]);
            let percent = objects.map_err(anyhow::Error::msg)?;
            sharp.extend(percent.map(|percent| (shown(account), percent)));
        }
        let found =
            |prepaid: bool| sharp.iter().any(|((_, window), _)| window.is_none() == prepaid);
        say(format!(
            "  with limits at so many percent of the true ones the judge objects: {sharp:?}"
        ));
        ensure!(
            found(true),
            "no prepaid budget was spent far enough for the judge to be put to a test"
        );
        ensure!(
            found(false),
            "no periodic budget was spent far enough for the judge to be put to a test"
        );
        Ok(())
    }

    fn writes_are_linearizable(&self, records: &[Record], say: &impl Fn(String)) -> Result<()> {
        let began = Instant::now();
        if let Err(objection) = linear::check(records) {
            bail!("operators' writes are not linearizable: {objection:?}");
        }
        let (count, took) = (records.len(), began.elapsed());
        say(format!("  {count} operations of operators are linearizable, checked in {took:.1?}"));
        let surprises = self.registers.surprises();
        ensure!(
            surprises.is_empty(),
            "operators were told what they may not be told: {surprises:#?}"
        );
        the_checker_objects_to_this_history_spoilt(records)
    }

    /// A run in which nothing happened would prove nothing.
    fn enough_happened(&self, records: &[Record]) -> Result<()> {
        ensure!(self.calls_begun > 0 && !self.bills.is_empty(), "nobody was billed");
        let strokes = self.strokes.len();
        let answered = self.asked.iter().filter(|asked| asked.ended == Ended::Answered).count();
        let least = strokes * ANSWERED_PER_STROKE;
        ensure!(answered >= least, "{answered} calls answered, {least} are expected");
        for (what, count) in counts(records) {
            let least =
                if what == "read" || what == "done" { strokes * WRITTEN_PER_STROKE } else { 1 };
            ensure!(count >= least, "{count} operations {what}, {least} are expected");
        }
        for ended in [Ended::Spent, Ended::HungUp] {
            ensure!(
                self.asked.iter().any(|asked| asked.ended == ended),
                "no call ended as {ended:?}"
            );
        }
        // A nemesis may miss, and not always.
        let names = self.strokes.iter().map(|stroke| &stroke.name);
        for name in names {
            let of = || self.strokes.iter().filter(|stroke| stroke.name == *name);
            let struck = of().any(|stroke| !stroke.felt.is_empty() || stroke.unnoticed.is_empty());
            ensure!(struck, "{name} struck, and nobody noticed: {:?}", of().collect::<Vec<_>>());
        }
        Ok(())
    }

    /// Periods that begin keep the log moving: budgets that have them go.
    async fn bring_the_log_to_rest(&self) -> Result<()> {
        let node = self.cluster.members().first().copied().context("no node runs")?;
        for key in &self.estate.keys {
            let path = format!("/admin/v1/keys/{}", key.name);
            self.cluster.admin(node, Call::new("DELETE", path)).await?;
        }
        let periodic = |account: &&Account| account.window_ms.is_some();
        let mut budgets: Vec<&String> =
            self.estate.accounts.iter().filter(periodic).map(|account| &account.budget).collect();
        budgets.dedup();
        for budget in budgets {
            let path = format!("/admin/v1/budgets/{budget}");
            self.cluster.admin(node, Call::new("DELETE", path)).await?;
        }
        Ok(())
    }

    /// Where nodes show the same log index, they show the same of everything. Each node must have been
    /// seen at an index of another one.
    async fn all_nodes_are_equal(&mut self, say: &impl Fn(String)) -> Result<()> {
        self.bring_the_log_to_rest().await?;
        let compared = equal::compare(self.cluster).await?;
        say(format!("  all nodes are equal, compared at {compared} log indexes"));
        Ok(())
    }
}

fn shown(account: &Account) -> (String, Option<u64>) {
    (account.budget.clone(), account.window_ms)
}

fn counts(records: &[Record]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::from([("read", 0), ("done", 0), ("mismatch", 0)]);
    for record in records {
        let what = match record.outcome {
            Outcome::Ok(Answer::Value(_)) => "read",
            Outcome::Ok(Answer::Done) => "done",
            Outcome::Ok(Answer::Mismatch) => "mismatch",
            Outcome::Failed => "failed",
            Outcome::Indeterminate => "indeterminate",
        };
        *counts.entry(what).or_default() += 1;
    }
    counts
}

/// After the storm each node must answer for each register: only then does linearizability say that
/// nothing acknowledged was lost.
fn every_last_read_was_answered(records: &[Record], reads: usize) -> Result<()> {
    let last: Vec<&Record> = records.iter().filter(|record| record.client == OPERATORS).collect();
    ensure!(last.len() == reads, "{} of {reads} last reads were kept", last.len());
    for read in last {
        let answered = matches!(read.outcome, Outcome::Ok(Answer::Value(_)));
        ensure!(answered && read.action == Action::Read, "a last read was not answered: {read:?}");
    }
    Ok(())
}

/// The very checker and the very history: with one answer changed it must object. To be sure that no
/// order explains a history takes longer than to find one: some searches may be given up, not all.
fn the_checker_objects_to_this_history_spoilt(records: &[Record]) -> Result<()> {
    let mut objections = 0;
    for (name, spoil) in spoil::ALL {
        let spoilt = spoil(records).with_context(|| format!("no occasion for a {name}"))?;
        match linear::check(&spoilt) {
            Err(Objection::NotLinearizable { .. }) => objections += 1,
            Err(Objection::Undecided { .. }) => {}
            Ok(()) => bail!("a {name} was accepted"),
        }
    }
    ensure!(objections > 0, "every search for a spoilt answer was given up");
    Ok(())
}
