//! `bursar selectors`: terms of every key that bears some labels.

use super::client::Target;
use super::out::{Column, cell};
use super::resource::{Terms, Verb, ask, label_cell, print};
use clap::{Args, Subcommand};

/// Sets and shows selectors: terms of every key that bears some labels.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar budgets put dev-each --usd 5 --window day --per key
  bursar budgets put dev-all --usd 200 --window day
  bursar selectors put dev --label env=dev --budgets dev-each,dev-all")]
pub(super) struct Selectors {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists selectors.
    List,
    /// Shows a selector.
    Show {
        /// Its name.
        name: String,
    },
    /// Creates or replaces a selector. Without a label it selects every key.
    Put {
        /// Its name.
        name: String,
        #[command(flatten)]
        terms: Terms,
    },
    /// Deletes a selector.
    Delete {
        /// Its name.
        name: String,
    },
}

const COLUMNS: [Column; 3] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "LABELS", of: |row| label_cell(&row["labels"]) },
    Column { name: "BUDGETS", of: |row| cell(&row["budgets"]) },
];

impl Selectors {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let verb = match self.action {
            Action::List => Verb::List,
            Action::Show { name } => Verb::Show(name),
            Action::Put { name, terms } => Verb::Put(name, terms.body([])?),
            Action::Delete { name } => Verb::Delete(name),
        };
        let whole = self.target.with(async |admin| ask(&admin, "selectors", verb).await)?;
        print(&self.target, &whole, &COLUMNS)
    }
}
