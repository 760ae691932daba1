//! Money moved by hand.

use super::super::resource::given;
use clap::Args;
use serde_json::{Value, json};

/// Which account, why, and what the caller calls it.
#[derive(Debug, Args)]
struct Which {
    /// Why; kept in the audit.
    #[arg(long)]
    reason: String,
    /// Which window, where the budget has several.
    #[arg(long)]
    window: Option<String>,
    /// Whose accounts, of a budget that is not shared by all.
    #[arg(long)]
    subject: Option<String>,
    /// A name for what is done: a second time under this name changes nothing.
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Amount {
    /// How much, in dollars.
    #[arg(long)]
    usd: Option<String>,
    /// How much, in tokens.
    #[arg(long)]
    tokens: Option<i64>,
    /// How much, in requests.
    #[arg(long)]
    requests: Option<i64>,
}

#[derive(Debug, Args)]
pub(super) struct More {
    #[command(flatten)]
    amount: Amount,
    /// Until then, as 2026-12-31T00:00:00Z.
    #[arg(long)]
    until: String,
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct Anew {
    #[command(flatten)]
    which: Which,
}

#[derive(Debug, Args)]
pub(super) struct Passed {
    /// Name of the budget that gets it.
    #[arg(long)]
    to: String,
    /// Which window of that budget, where it has several.
    #[arg(long)]
    to_window: Option<String>,
    /// Whose accounts of that budget, where it is not shared by all.
    #[arg(long)]
    to_subject: Option<String>,
    #[command(flatten)]
    amount: Amount,
    #[command(flatten)]
    which: Which,
}

fn body<const N: usize>(which: &Which, amount: Option<&Amount>, more: [(&str, Value); N]) -> Value {
    let mut body = given([
        ("reason", json!(which.reason)),
        ("window", json!(which.window)),
        ("subject", json!(which.subject)),
        ("amount_usd", json!(amount.and_then(|amount| amount.usd.as_ref()))),
        ("amount_tokens", json!(amount.and_then(|amount| amount.tokens))),
        ("amount_requests", json!(amount.and_then(|amount| amount.requests))),
    ]);
    body.extend(given(more));
    body.into()
}

impl More {
    pub(super) fn operation(&self) -> Option<String> {
        self.which.operation.clone()
    }

    pub(super) fn body(&self) -> Value {
        body(&self.which, Some(&self.amount), [("until", json!(self.until))])
    }
}

impl Anew {
    pub(super) fn operation(&self) -> Option<String> {
        self.which.operation.clone()
    }

    pub(super) fn body(&self) -> Value {
        body(&self.which, None, [])
    }
}

impl Passed {
    pub(super) fn operation(&self) -> Option<String> {
        self.which.operation.clone()
    }

    pub(super) fn body(&self) -> Value {
        let to = [
            ("to", json!(self.to)),
            ("to_window", json!(self.to_window)),
            ("to_subject", json!(self.to_subject)),
        ];
        body(&self.which, Some(&self.amount), to)
    }
}
