//! `bursar audit`: money moved by hand, and by whose word.

use super::client::Target;
use super::out::{self, Column, cell};
use clap::{Args, Subcommand};

/// Shows what operators did by hand to budgets.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar audit list
  bursar audit list --last 20 -o json")]
pub(super) struct Audit {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists increases, resets, transfers and write-offs, newest first.
    List {
        /// At most so many.
        #[arg(long, default_value_t = 100)]
        last: u16,
    },
}

const COLUMNS: [Column; 5] = [
    Column { name: "INDEX", of: |row| cell(&row["log_index"]) },
    Column { name: "AT", of: |row| cell(&row["at"]) },
    Column { name: "WHO", of: |row| cell(&row["actor"]) },
    Column { name: "WHAT", of: |row| cell(&row["what"]) },
    Column { name: "WHY", of: |row| cell(&row["reason"]) },
];

impl Audit {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Action::List { last } = self.action;
        let path = format!("audit?limit={last}");
        let whole = self.target.with(async |admin| Ok(admin.get(&path).await?.body))?;
        let rows = whole["items"].as_array().cloned().unwrap_or_default();
        out::answer(self.target.output, &whole, &rows, &COLUMNS)
    }
}
