//! `bursar budgets`: budgets and their books.

use super::client::{Admin, Target, encode};
use super::keys::say_unconfirmed;
use super::out::{self, Column, cell};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

/// Sets and shows budgets.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar budgets put team-a --usd 250 --window month
  bursar budgets put batch --tokens 5000000 --window day --mode soft
  bursar budgets list
  bursar budgets delete batch")]
pub(super) struct Budgets {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists budgets, one line for each window.
    List,
    /// Shows a budget.
    Show {
        /// Name of the budget.
        name: String,
    },
    /// Creates a budget or replaces its limit. What was spent stays spent.
    Put {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        limit: Limit,
        /// When it starts anew: never, hour, day, week, month, quarter, year, or a length as 30d.
        #[arg(long, default_value = "never")]
        window: String,
        /// `hard`: nothing passes the limit. `soft`: requests go on, the excess is recorded as debt.
        #[arg(long, default_value = "hard")]
        mode: String,
    },
    /// Deletes a budget that no key names.
    Delete {
        /// Name of the budget.
        name: String,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Limit {
    /// Limit in dollars.
    #[arg(long)]
    usd: Option<String>,
    /// Limit in tokens.
    #[arg(long)]
    tokens: Option<i64>,
    /// Limit in requests.
    #[arg(long)]
    requests: Option<i64>,
}

const COLUMNS: [Column; 9] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "WINDOW", of: |row| cell(&row["window"]) },
    Column { name: "UNIT", of: |row| cell(&row["unit"]) },
    Column { name: "LIMIT", of: |row| figure(row, "limit") },
    Column { name: "SPENT", of: |row| figure(row, "spent") },
    Column { name: "HELD", of: |row| figure(row, "held") },
    Column { name: "SUSPENSE", of: |row| figure(row, "suspense") },
    Column { name: "REMAINING", of: |row| figure(row, "remaining") },
    Column { name: "RESETS", of: |row| cell(&row["resets_at"]) },
];

fn figure(row: &Value, name: &str) -> String {
    let unit = row["unit"].as_str().unwrap_or_default();
    cell(&row[format!("{name}_{unit}")])
}

impl Budgets {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let whole = self.target.with(async |admin| ask(&admin, self.action).await)?;
        let budgets = match &whole["items"] {
            Value::Array(items) => items.clone(),
            _ => vec![whole.clone()],
        };
        let rows: Vec<Value> = budgets.iter().flat_map(windows).collect();
        out::answer(self.target.output, &whole, &rows, &COLUMNS)?;
        say_unconfirmed(&whole);
        Ok(())
    }
}

/// Each window of a budget, with the budget's name and unit.
fn windows(budget: &Value) -> Vec<Value> {
    let windows = budget["windows"].as_array().into_iter().flatten();
    let named = windows.map(|window| {
        let mut row = window.clone();
        row["name"] = budget["name"].clone();
        row["unit"] = budget["unit"].clone();
        row
    });
    named.collect()
}

async fn ask(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let of = |name: &str| format!("budgets/{}", encode(name));
    let answer = match action {
        Action::List => return admin.list("budgets").await,
        Action::Show { name } => admin.get(&of(&name)).await?,
        Action::Put { name, limit, window, mode } => {
            let mut body = json!({ "window": window, "mode": mode });
            let limits = [
                ("limit_usd", json!(limit.usd)),
                ("limit_tokens", json!(limit.tokens)),
                ("limit_requests", json!(limit.requests)),
            ];
            for (name, limit) in limits {
                if !limit.is_null() {
                    body[name] = limit;
                }
            }
            admin.write(Method::PUT, &of(&name), Some(&body)).await?
        }
        Action::Delete { name } => admin.write(Method::DELETE, &of(&name), None).await?,
    };
    Ok(answer.body)
}
