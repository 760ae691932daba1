//! Budgets and their books.

mod write_off;

use super::Node;
use super::propose::{Reach, if_index, managed_by};
use api::admin::v1::budgets::{self, Books, BudgetSettings, Budgets};
use api::admin::{Answer, Listed, Page, Problem, Timestamp, Window, Write, Written};
use ledger::command::{Command, DeleteBudget, PutBudget};
use ledger::{Budget, BudgetWindow, Ledger, Mode, Unit, UnixMillis};

impl Budgets for Node {
    fn list_budgets(&self, page: &Page) -> Listed<budgets::Budget> {
        let ledger = self.ledger();
        let budgets = page.cut(ledger.budgets.values(), |budget| &budget.name);
        Listed {
            items: budgets.items.into_iter().map(|budget| shown(&ledger, budget)).collect(),
            next_cursor: budgets.next_cursor,
        }
    }

    fn budget(&self, name: &str) -> Option<budgets::Budget> {
        let ledger = self.ledger();
        ledger.budgets.get(name).map(|budget| shown(&ledger, budget))
    }

    async fn put_budget(
        &self,
        name: String,
        settings: BudgetSettings,
        write: Write,
    ) -> Answer<Written<budgets::Budget>> {
        let (unit, windows) = settings.resolve()?;
        let mut budget = blank(&name, &managed_by(&write));
        budget.unit = unit_in(unit);
        budget.mode = mode_in(settings.mode);
        budget.windows = windows
            .into_iter()
            .map(|(window, limit)| BudgetWindow { window: window_in(window), limit })
            .collect();
        let present = self.ledger().budgets.get(&name).map(|budget| budget.changed_index);
        let put = PutBudget { budget, if_index: if_index(&write, present)? };
        let index = self.propose("budget", Command::PutBudget(put)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        let ledger = self.ledger();
        let budget = ledger.budgets.get(&name).ok_or_else(|| gone(&name))?;
        Ok(Written {
            object: shown(&ledger, budget),
            index,
            created: budget.handle == index,
            not_confirmed_by,
        })
    }

    async fn delete_budget(&self, name: String, write: Write) -> Answer<Written<budgets::Budget>> {
        let last = self.budget(&name).ok_or_else(|| Problem::not_found("budget", &name))?;
        let delete = DeleteBudget {
            name,
            managed_by: managed_by(&write),
            if_index: if_index(&write, Some(last.changed_index))?,
        };
        let index = self.propose("budget", Command::DeleteBudget(delete)).await?;
        let not_confirmed_by = self.confirm(index, Reach::Ordinary).await;
        Ok(Written { object: last, index, created: false, not_confirmed_by })
    }

    async fn write_off(
        &self,
        name: String,
        settings: budgets::WriteOffSettings,
        write: Write,
    ) -> Answer<Written<budgets::WriteOff>> {
        self.write_off_suspense(name, settings, write).await
    }
}

fn gone(name: &str) -> Problem {
    Problem::conflict(format!("budget {name:?} was deleted by somebody else in the meantime"))
        .fix("read it and decide again")
}

/// A budget in money without a window, to be filled in. What the ledger sets is left at zero.
pub(super) fn blank(name: &str, managed_by: &str) -> Budget {
    Budget {
        name: name.to_owned(),
        handle: 0,
        unit: Unit::NanoUsd,
        windows: Vec::new(),
        mode: Mode::Hard,
        managed_by: managed_by.to_owned(),
        created_at: UnixMillis::default(),
        changed_index: 0,
    }
}

fn shown(ledger: &Ledger, budget: &Budget) -> budgets::Budget {
    let windows = budget.accounts().filter_map(|(account, window)| {
        let books = ledger::view::books(ledger, account)?;
        Some(budgets::BudgetWindow {
            window: window_out(window.window),
            period: books.period,
            starts_at: Timestamp(books.starts_at.0),
            resets_at: books.ends_at.map(|at| Timestamp(at.0)),
            books: Books {
                unit: unit_out(books.unit),
                limit: books.limit,
                spent: books.closed_spend.saturating_add(books.reported),
                held: books.outstanding,
                suspense: books.suspense,
                debt: books.debt,
                remaining: books.pool,
                overspend_bound: books.overspend_bound,
            },
        })
    });
    budgets::Budget {
        name: budget.name.clone(),
        unit: unit_out(budget.unit),
        mode: match budget.mode {
            Mode::Hard => budgets::Mode::Hard,
            Mode::Soft => budgets::Mode::Soft,
        },
        windows: windows.collect(),
        managed_by: budget.managed_by.clone(),
        created_at: Timestamp(budget.created_at.0),
        changed_index: budget.changed_index,
    }
}

fn mode_in(mode: budgets::Mode) -> Mode {
    match mode {
        budgets::Mode::Hard => Mode::Hard,
        budgets::Mode::Soft => Mode::Soft,
    }
}

fn unit_in(unit: budgets::Unit) -> Unit {
    match unit {
        budgets::Unit::NanoUsd => Unit::NanoUsd,
        budgets::Unit::Tokens => Unit::Tokens,
        budgets::Unit::Requests => Unit::Requests,
    }
}

fn unit_out(unit: Unit) -> budgets::Unit {
    match unit {
        Unit::NanoUsd => budgets::Unit::NanoUsd,
        Unit::Tokens => budgets::Unit::Tokens,
        Unit::Requests => budgets::Unit::Requests,
    }
}

pub(super) fn window_in(window: Window) -> ledger::Window {
    match window {
        Window::Never => ledger::Window::Never,
        Window::Fixed(ms) => ledger::Window::Fixed(ms),
        Window::Hour => ledger::Window::Hour,
        Window::Day => ledger::Window::Day,
        Window::Week => ledger::Window::Week,
        Window::Month => ledger::Window::Month,
        Window::Quarter => ledger::Window::Quarter,
        Window::Year => ledger::Window::Year,
    }
}

fn window_out(window: ledger::Window) -> Window {
    match window {
        ledger::Window::Never => Window::Never,
        ledger::Window::Fixed(ms) => Window::Fixed(ms),
        ledger::Window::Hour => Window::Hour,
        ledger::Window::Day => Window::Day,
        ledger::Window::Week => Window::Week,
        ledger::Window::Month => Window::Month,
        ledger::Window::Quarter => Window::Quarter,
        ledger::Window::Year => Window::Year,
    }
}
