//! Budgets as operators write them and as the ledger keeps them, both ways.

use api::admin::v1::budgets::{self, Amount, BudgetSettings, Step};
use api::admin::{Answer, Problem, Window};
use ledger::{Action, Budget, BudgetWindow, Mode, Per, Unit, WithoutQuorum};

/// A budget from its settings. What the ledger sets is left at zero.
pub(super) fn budget_in(
    name: String,
    settings: &BudgetSettings,
    managed_by: String,
) -> Answer<Budget> {
    let (unit, windows) = settings.resolve()?;
    let steps = settings.steps.iter().enumerate().map(|(nth, step)| step_in(nth, step));
    Ok(Budget {
        name,
        unit: unit_in(unit),
        windows: windows
            .into_iter()
            .map(|(window, limit)| BudgetWindow { window: window_in(window), limit })
            .collect(),
        mode: mode_in(settings.mode),
        managed_by,
        time_zone: match settings.time_zone.as_deref() {
            None | Some("UTC") => String::new(),
            Some(named) => named.to_owned(),
        },
        per: per_in(settings.per),
        without_quorum: match (settings.without_quorum, settings.without_quorum(unit)?) {
            (budgets::WithoutQuorum::Strict, _) => WithoutQuorum::Strict,
            (_, None) => WithoutQuorum::Open,
            (_, Some(more)) => WithoutQuorum::Degraded(more),
        },
        thresholds: settings.thresholds.clone(),
        steps: steps.collect::<Answer<_>>()?,
        ..Budget::default()
    })
}

fn step_in(nth: usize, step: &Step) -> Answer<ledger::Step> {
    let action = match (&step.downgrade_to, step.requests_per_minute) {
        (Some(model), None) => Action::Downgrade(model.clone()),
        (None, Some(requests)) => Action::Throttle(requests),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::invalid(format!("steps[{nth}]"), "does one thing"));
        }
    };
    Ok(ledger::Step { at_percent: step.at_percent, action })
}

pub(super) fn step_out(step: &ledger::Step) -> Step {
    let (downgrade_to, requests_per_minute) = match &step.action {
        Action::Downgrade(model) => (Some(model.clone()), None),
        Action::Throttle(requests) => (None, Some(*requests)),
    };
    Step { at_percent: step.at_percent, downgrade_to, requests_per_minute }
}

pub(super) fn without_quorum_out(budget: &Budget) -> budgets::WithoutQuorum {
    match budget.without_quorum {
        WithoutQuorum::Strict => budgets::WithoutQuorum::Strict,
        WithoutQuorum::Degraded(more) => {
            budgets::WithoutQuorum::Degraded(Amount::of(unit_out(budget.unit), more))
        }
        WithoutQuorum::Open => budgets::WithoutQuorum::Open,
    }
}

fn mode_in(mode: budgets::Mode) -> Mode {
    match mode {
        budgets::Mode::Hard => Mode::Hard,
        budgets::Mode::Soft => Mode::Soft,
    }
}

pub(super) fn mode_out(mode: Mode) -> budgets::Mode {
    match mode {
        Mode::Hard => budgets::Mode::Hard,
        Mode::Soft => budgets::Mode::Soft,
    }
}

fn per_in(per: budgets::Per) -> Per {
    match per {
        budgets::Per::All => Per::All,
        budgets::Per::Key => Per::Key,
        budgets::Per::User => Per::User,
        budgets::Per::Tag => Per::Tag,
        budgets::Per::Session(ttl_ms) => Per::Session { ttl_ms },
    }
}

pub(crate) fn per_out(per: Per) -> budgets::Per {
    match per {
        Per::All => budgets::Per::All,
        Per::Key => budgets::Per::Key,
        Per::User => budgets::Per::User,
        Per::Tag => budgets::Per::Tag,
        Per::Session { ttl_ms } => budgets::Per::Session(ttl_ms),
    }
}

fn unit_in(unit: budgets::Unit) -> Unit {
    match unit {
        budgets::Unit::NanoUsd => Unit::NanoUsd,
        budgets::Unit::Tokens => Unit::Tokens,
        budgets::Unit::Requests => Unit::Requests,
    }
}

pub(crate) fn unit_out(unit: Unit) -> budgets::Unit {
    match unit {
        Unit::NanoUsd => budgets::Unit::NanoUsd,
        Unit::Tokens => budgets::Unit::Tokens,
        Unit::Requests => budgets::Unit::Requests,
    }
}

pub(crate) fn window_in(window: Window) -> ledger::Window {
    match window {
        Window::Never => ledger::Window::Never,
        Window::Fixed(ms) => ledger::Window::Fixed(ms),
        Window::Hour => ledger::Window::Hour,
        Window::Day => ledger::Window::Day,
        Window::Week => ledger::Window::Week,
        Window::Month => ledger::Window::Month,
        Window::Quarter => ledger::Window::Quarter,
        Window::Year => ledger::Window::Year,
        Window::Rolling(ms) => ledger::Window::Rolling(ms),
    }
}

pub(crate) fn window_out(window: ledger::Window) -> Window {
    match window {
        ledger::Window::Never => Window::Never,
        ledger::Window::Fixed(ms) => Window::Fixed(ms),
        ledger::Window::Hour => Window::Hour,
        ledger::Window::Day => Window::Day,
        ledger::Window::Week => Window::Week,
        ledger::Window::Month => Window::Month,
        ledger::Window::Quarter => Window::Quarter,
        ledger::Window::Year => Window::Year,
        ledger::Window::Rolling(ms) => Window::Rolling(ms),
    }
}
