//! Giving up what silent nodes were granted.

use super::super::out::{self, cell};
use super::super::resource::given;
use clap::Args;
use serde_json::{Value, json};

/// What is given up.
#[derive(Debug, Args)]
pub(super) struct Lost {
    /// Why; kept in the audit.
    #[arg(long)]
    reason: String,
    /// Which window, where the budget has several.
    #[arg(long)]
    window: Option<String>,
    /// Whose accounts, of a budget that is not shared by all.
    #[arg(long)]
    subject: Option<String>,
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
    pub(super) fn body(&self) -> Value {
        let given = given([
            ("reason", json!(self.reason)),
            ("window", json!(self.window)),
            ("subject", json!(self.subject)),
            ("node", json!(self.node)),
            ("dry_run", json!(self.dry_run)),
            ("amount_usd", json!(self.most.usd)),
            ("amount_tokens", json!(self.most.tokens)),
            ("amount_requests", json!(self.most.requests)),
        ]);
        given.into()
    }
}

/// Says what a write-off released, and what that may come to.
pub(super) fn say_released(answer: &Value) {
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
    match &answer["overspend_bound"] {
        Value::Null => out::complain("the budget lets any excess through"),
        bound => {
            out::complain(&format!("the limit may be exceeded by up to {}", amount(bound)));
        }
    }
}

fn amount(amount: &Value) -> String {
    let known = ["usd", "tokens", "requests"].iter().find(|unit| !amount[**unit].is_null());
    known.map_or_else(String::new, |unit| format!("{} {unit}", cell(&amount[*unit])))
}
