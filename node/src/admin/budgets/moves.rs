//! Money moved by hand. Who says so and why goes into the log with it, and from there into the audit.

use super::super::Node;
use super::super::propose::{Reach, managed_by};
use super::accounts::{self, Meant};
use super::shape::unit_out;
use super::{instance_shown, shown};
use api::admin::v1::budgets::{IncreaseSettings, Instance, Moved, ResetSettings, TransferSettings};
use api::admin::{Answer, Problem, Write, Written};
use ledger::command::{Command, IncreaseBudget, ResetBudget, TransferBudget};
use ledger::{Budget, Ledger, UnixMillis, Word};

/// Whose word it is, why, and what the caller calls it.
pub(super) fn word(write: &Write, reason: &str) -> Word {
    Word { actor: managed_by(write), reason: reason.to_owned(), operation: write.operation.clone() }
}

/// Whether an operation of that name was done before.
pub(super) fn was_done(ledger: &Ledger, word: &Word) -> bool {
    let same = |entry: &ledger::Audit| entry.operation == word.operation;
    !word.operation.is_empty() && ledger.audit.values().any(same)
}

/// The budget of that name.
pub(super) fn named<'l>(ledger: &'l Ledger, name: &str) -> Answer<&'l Budget> {
    ledger.budgets.get(name).ok_or_else(|| Problem::not_found("budget", name))
}

/// One side of what is moved: a budget, and whose part of it.
type Side<'a> = (&'a str, Option<&'a str>);

impl Node {
    pub(super) async fn increase_budget(
        &self,
        name: String,
        settings: IncreaseSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let ledger = self.ledger();
        let budget = named(&ledger, &name)?;
        write.condition.check(Some(budget.changed_index))?;
        let amount = settings.amount(unit_out(budget.unit))?;
        let subject = settings.subject.as_deref();
        let meant = Meant { window: settings.window, subject, prefix: "" };
        let account = accounts::find(&ledger, budget, meant)?;
        let until = UnixMillis(settings.until.0);
        let word = word(&write, &settings.reason);
        let command = IncreaseBudget { account, amount, until, word };
        let index = self.propose("budget", Command::IncreaseBudget(command)).await?;
        self.moved(index, (&name, subject), None).await
    }

    pub(super) async fn reset_budget(
        &self,
        name: String,
        settings: ResetSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let ledger = self.ledger();
        let budget = named(&ledger, &name)?;
        write.condition.check(Some(budget.changed_index))?;
        let subject = settings.subject.as_deref();
        let meant = Meant { window: settings.window, subject, prefix: "" };
        let account = accounts::find(&ledger, budget, meant)?;
        let period = ledger.accounts.get(&account).map_or(0, |account| account.period);
        let word = word(&write, &settings.reason);
        if was_done(&ledger, &word) {
            return self.moved(ledger.applied_index, (&name, subject), None).await;
        }
        let command = ResetBudget { account, period, word };
        let index = self.propose("budget", Command::ResetBudget(command)).await?;
        self.moved(index, (&name, subject), None).await
    }

    pub(super) async fn transfer_budget(
        &self,
        name: String,
        settings: TransferSettings,
        write: Write,
    ) -> Answer<Written<Moved>> {
        let ledger = self.ledger();
        let budget = named(&ledger, &name)?;
        write.condition.check(Some(budget.changed_index))?;
        let amount = settings.amount(unit_out(budget.unit))?;
        let missing = || Problem::invalid("to", format!("there is no budget {:?}", settings.to));
        let other = ledger.budgets.get(&settings.to).ok_or_else(missing)?;
        let (subject, to_subject) = (settings.subject.as_deref(), settings.to_subject.as_deref());
        let meant = Meant { window: settings.window, subject, prefix: "" };
        let from = accounts::find(&ledger, budget, meant)?;
        let meant = Meant { window: settings.to_window, subject: to_subject, prefix: "to_" };
        let to = accounts::find(&ledger, other, meant)?;
        let word = word(&write, &settings.reason);
        let command = TransferBudget { from, to, amount, word };
        let index = self.propose("budget", Command::TransferBudget(command)).await?;
        self.moved(index, (&name, subject), Some((&settings.to, to_subject))).await
    }

    /// The books after it.
    async fn moved(
        &self,
        index: u64,
        of: Side<'_>,
        to: Option<Side<'_>>,
    ) -> Answer<Written<Moved>> {
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let ledger = self.ledger();
        let (budget, instance) = side(&ledger, of)?;
        let (to, to_instance) = match to {
            None => (None, None),
            Some(to) => {
                let (budget, instance) = side(&ledger, to)?;
                (Some(budget), instance)
            }
        };
        let object = Moved { budget, instance, to, to_instance };
        Ok(Written { object, index, created: false, not_confirmed_by })
    }
}

fn side(
    ledger: &Ledger,
    (name, subject): Side<'_>,
) -> Answer<(api::admin::v1::budgets::Budget, Option<Instance>)> {
    let budget = named(ledger, name)?;
    let instance = subject.and_then(|subject| {
        let instance = ledger.instances.get(&(budget.handle, subject.to_owned()))?;
        Some(instance_shown(ledger, budget, subject, instance))
    });
    Ok((shown(ledger, budget), instance))
}
