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
  bursar budgets write-off team-a --reason 'disk of n3 is lost' --dry-run
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
    /// Releases what silent nodes were granted; the limit may be exceeded by as much.
    WriteOff {
        /// Name of the budget.
        name: String,
        #[command(flatten)]
        settings: Lost,
    },
    /// Deletes a budget that no key names.
    Delete {
        /// Name of the budget.
        name: String,
    },
}

/// What is given up.
#[derive(Debug, Args)]
struct Lost {
    /// Why; kept in the log of the node.
    #[arg(long)]
    reason: String,
    /// Which window, where the budget has several.
    #[arg(long)]
    window: Option<String>,
    /// Only what this node was granted: its number or label.
    #[arg(long)]
    node: Option<String>,
    /// Shows what would be released, and releases nothing.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    most: Most,
}

#[derive(Debug, Args)]
#[group(multiple = false)]
struct Most {
    /// Most to release, in dollars. Without an amount: all that is in suspense.
    #[arg(long)]
    usd: Option<String>,
    /// Most to release, in tokens.
    #[arg(long)]
    tokens: Option<i64>,
    /// Most to release, in requests.
    #[arg(long)]
    requests: Option<i64>,
}

impl Lost {
    fn body(self) -> Value {
        let given = [
            ("reason", json!(self.reason)),
            ("window", json!(self.window)),
            ("node", json!(self.node)),
            ("dry_run", json!(self.dry_run)),
            ("amount_usd", json!(self.most.usd)),
            ("amount_tokens", json!(self.most.tokens)),
            ("amount_requests", json!(self.most.requests)),
        ];
        let given = given.into_iter().filter(|(_, value)| !value.is_null());
        Value::Object(given.map(|(name, value)| (name.to_owned(), value)).collect())
    }
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
        let budgets = match (&whole["items"], &whole["budget"]) {
            (Value::Array(items), _) => items.clone(),
            (_, Value::Object(_)) => vec![whole["budget"].clone()],
            (_, _) => vec![whole.clone()],
        };
        let rows: Vec<Value> = budgets.iter().flat_map(windows).collect();
        out::answer(self.target.output, &whole, &rows, &COLUMNS)?;
        say_released(&whole);
        say_unconfirmed(&whole);
        Ok(())
    }
}

/// Says what a write-off released, and what that may come to.
fn say_released(answer: &Value) {
    let Value::Array(parts) = &answer["released"] else { return };
    let verb = if answer["dry_run"] == true { "would release" } else { "released" };
    for part in parts {
        let (node, start) = (cell(&part["node"]), cell(&part["incarnation"]));
        let (label, amount) = (cell(&part["label"]), amount(&part["amount"]));
        out::complain(&format!("{verb} {amount} of node {node} {label}, start {start}"));
    }
    if parts.is_empty() {
        out::complain("nothing is in suspense: nothing to release");
    }
    let bound = amount(&answer["overspend_bound"]);
    out::complain(&format!("the limit may be exceeded by up to {bound}"));
}

fn amount(amount: &Value) -> String {
    let known = ["usd", "tokens", "requests"].iter().find(|unit| !amount[**unit].is_null());
    known.map_or_else(String::new, |unit| format!("{} {unit}", cell(&amount[*unit])))
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
        Action::WriteOff { name, settings } => {
            let path = format!("{}:write-off", of(&name));
            admin.write(Method::POST, &path, Some(&settings.body())).await?
        }
        Action::Delete { name } => admin.write(Method::DELETE, &of(&name), None).await?,
    };
    Ok(answer.body)
}
