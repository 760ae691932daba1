//! `bursar models`: what callers can ask for, and what is charged.

use super::client::Target;
use super::out::{self, Column, cell};
use clap::{Args, Subcommand};

/// Shows models and their prices.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar models list
  bursar models list -o json")]
pub(super) struct Models {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists models of enabled providers with their prices in dollars per million tokens, and aliases.
    List,
}

const COLUMNS: [Column; 5] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "INPUT", of: |row| cell(&row["price"]["input_usd_per_mtok"]) },
    Column { name: "OUTPUT", of: |row| cell(&row["price"]["output_usd_per_mtok"]) },
    Column { name: "PRICE FROM", of: |row| cell(&row["price_source"]) },
    Column { name: "STANDS FOR", of: |row| cell(&row["stands_for"]) },
];

impl Models {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let Action::List = self.action;
        let whole = self.target.with(async |admin| admin.list("models").await)?;
        let rows = whole["items"].as_array().cloned().unwrap_or_default();
        out::answer(self.target.output, &whole, &rows, &COLUMNS)
    }
}
