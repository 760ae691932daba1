//! `bursar usage`: what was used, by whom, and whether the providers count the same.

mod compare;
mod costs;
mod report;

use super::client::Target;
use clap::{Args, Subcommand};
use compare::Reconcile;
use report::Report;

/// Reports what was used, and compares it with what a provider bills.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar usage report --by team,model --from 2026-01-01 --to 2026-01-31
  bursar usage report --by day,key -o csv > usage.csv
  bursar usage reconcile --provider openai --file costs.json --tolerance 0.01")]
pub(super) struct Usage {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Adds up what was used. Rows are exact: they are what budgets were charged, to the nano-dollar.
    Report(Report),
    /// Compares with a provider's cost export, day by day and model by model. Exit code 1 where they differ.
    Reconcile(Reconcile),
}

impl Usage {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Report(report) => report.run(&self.target),
            Action::Reconcile(reconcile) => reconcile.run(&self.target),
        }
    }
}
