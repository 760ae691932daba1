//! `bursar customers`, `bursar teams`, `bursar users`: to whom keys belong.

use super::client::Target;
use super::out::{Column, cell};
use super::resource::{Terms, Verb, ask, label_cell, print};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Sets and shows customers, whose budgets and limits count for all keys below.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar customers put acme --budgets acme-2026
  bursar customers list")]
pub(super) struct Customers {
    #[command(flatten)]
    scopes: Scopes<OfNobody>,
}

/// Sets and shows teams, whose budgets and limits count for all keys below.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar teams put red --customer acme --budgets red-month --requests-per-minute 600 --label env=prod
  bursar teams show red")]
pub(super) struct Teams {
    #[command(flatten)]
    scopes: Scopes<OfCustomer>,
}

/// Sets and shows users, whose budgets and limits count for all their keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar users put ann --team red --budgets per-user
  bursar users delete ann")]
pub(super) struct Users {
    #[command(flatten)]
    scopes: Scopes<OfTeam>,
}

/// To whom one belongs.
trait Owner: Args {
    /// As the API takes it.
    fn body(self) -> [(&'static str, Value); 2];
}

/// A customer belongs to nobody.
#[derive(Debug, Args)]
struct OfNobody {}

impl Owner for OfNobody {
    fn body(self) -> [(&'static str, Value); 2] {
        [("customer", Value::Null), ("team", Value::Null)]
    }
}

/// A team may belong to a customer.
#[derive(Debug, Args)]
struct OfCustomer {
    /// The customer it belongs to.
    #[arg(long)]
    customer: Option<String>,
}

impl Owner for OfCustomer {
    fn body(self) -> [(&'static str, Value); 2] {
        [("customer", json!(self.customer)), ("team", Value::Null)]
    }
}

/// A user may belong to a team, or to a customer.
#[derive(Debug, Args)]
struct OfTeam {
    /// The customer the user belongs to, where it has no team.
    #[arg(long)]
    customer: Option<String>,
    /// The team the user belongs to.
    #[arg(long, conflicts_with = "customer")]
    team: Option<String>,
}

impl Owner for OfTeam {
    fn body(self) -> [(&'static str, Value); 2] {
        [("customer", json!(self.customer)), ("team", json!(self.team))]
    }
}

#[derive(Debug, Args)]
struct Scopes<O: Owner> {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action<O>,
}

#[derive(Debug, Subcommand)]
enum Action<O: Owner> {
    /// Lists all.
    List,
    /// Shows one.
    Show {
        /// Its name.
        name: String,
    },
    /// Creates or replaces one.
    Put {
        /// Its name.
        name: String,
        #[command(flatten)]
        owner: O,
        #[command(flatten)]
        terms: Terms,
    },
    /// Deletes one that nothing belongs to.
    Delete {
        /// Its name.
        name: String,
    },
}

const COLUMNS: [Column; 5] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "CUSTOMER", of: |row| cell(&row["customer"]) },
    Column { name: "TEAM", of: |row| cell(&row["team"]) },
    Column { name: "BUDGETS", of: |row| cell(&row["budgets"]) },
    Column { name: "LABELS", of: |row| label_cell(&row["labels"]) },
];

impl Customers {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.scopes.run("customers")
    }
}

impl Teams {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.scopes.run("teams")
    }
}

impl Users {
    pub(super) fn run(self) -> anyhow::Result<()> {
        self.scopes.run("users")
    }
}

impl<O: Owner> Scopes<O> {
    fn run(self, kind: &str) -> anyhow::Result<()> {
        let verb = match self.action {
            Action::List => Verb::List,
            Action::Show { name } => Verb::Show(name),
            Action::Put { name, owner, terms } => Verb::Put(name, terms.body(owner.body())?),
            Action::Delete { name } => Verb::Delete(name),
        };
        let whole = self.target.with(async |admin| ask(&admin, kind, verb).await)?;
        print(&self.target, &whole, &COLUMNS)
    }
}
