//! The report, as the node adds it up.

use super::super::client::{Target, encode};
use super::super::out::{self, Column, Format, cell};
use clap::Args;
use serde_json::Value;

#[derive(Debug, Args)]
pub(super) struct Report {
    /// What rows are grouped by: some of customer, team, user, key, provider, model, tag, day, separated by
    /// commas. A request with several tags is in several rows.
    #[arg(long, default_value = "")]
    by: String,
    /// First day, as 2026-01-01, in UTC.
    #[arg(long)]
    from: Option<String>,
    /// Last day, in UTC.
    #[arg(long)]
    to: Option<String>,
}

/// Columns of what rows are about, with the group that shows them.
const ABOUT: [(&str, Column); 9] = [
    ("day", Column { name: "DAY", of: |row| cell(&row["day"]) }),
    ("customer", Column { name: "CUSTOMER", of: |row| cell(&row["customer"]) }),
    ("team", Column { name: "TEAM", of: |row| cell(&row["team"]) }),
    ("user", Column { name: "USER", of: |row| cell(&row["user"]) }),
    ("key", Column { name: "KEY", of: |row| cell(&row["key"]) }),
    ("key", Column { name: "KEY NAME", of: |row| cell(&row["key_name"]) }),
    ("provider", Column { name: "PROVIDER", of: |row| cell(&row["provider"]) }),
    ("model", Column { name: "MODEL", of: |row| cell(&row["model"]) }),
    ("tag", Column { name: "TAG", of: |row| cell(&row["tag"]) }),
];

const SUMS: [Column; 7] = [
    Column { name: "REQUESTS", of: |row| cell(&row["requests"]) },
    Column { name: "INPUT TOKENS", of: |row| cell(&row["input_tokens"]) },
    Column { name: "CACHE READ TOKENS", of: |row| cell(&row["cache_read_tokens"]) },
    Column { name: "CACHE WRITE TOKENS", of: |row| cell(&row["cache_write_tokens"]) },
    Column { name: "OUTPUT TOKENS", of: |row| cell(&row["output_tokens"]) },
    Column { name: "REASONING TOKENS", of: |row| cell(&row["reasoning_tokens"]) },
    Column { name: "COST USD", of: |row| cell(&row["cost_usd"]) },
];

impl Report {
    pub(super) fn run(self, target: &Target) -> anyhow::Result<()> {
        let path = path(&self.by, self.from.as_deref(), self.to.as_deref());
        let whole = target.with(async |admin| Ok(admin.get(&path).await?.body))?;
        let grouped = |by: &str| {
            let groups = whole["by"].as_array().into_iter().flatten();
            groups.filter_map(Value::as_str).any(|group| group == by)
        };
        let about = ABOUT.into_iter().filter(|(by, _)| grouped(by)).map(|(_, column)| column);
        let columns: Vec<Column> = about.chain(SUMS).collect();
        let rows = whole["rows"].as_array().cloned().unwrap_or_default();
        out::answer(target.output, &whole, &rows, &columns)?;
        if target.output == Format::Table {
            say_total(&whole);
        }
        Ok(())
    }
}

/// Path of a report, below `/admin/v1/`.
pub(super) fn path(by: &str, from: Option<&str>, to: Option<&str>) -> String {
    let mut path = format!("usage?by={}", encode(by));
    for (name, day) in [("from", from), ("to", to)] {
        if let Some(day) = day {
            path.push_str(&format!("&{name}={}", encode(day)));
        }
    }
    path
}

/// Says what it comes to, and whether all of it is in the budgets' books.
fn say_total(whole: &Value) {
    let total = &whole["total"];
    let from = match cell(&whole["from"]).as_str() {
        // No first day was asked for: the report begins with the calendar of computers.
        "1970-01-01" => "the beginning".to_owned(),
        day => day.to_owned(),
    };
    let to = cell(&whole["to"]);
    let (requests, cost) = (cell(&total["requests"]), cell(&total["cost_usd"]));
    out::complain(&format!("{from} to {to}: {requests} requests, {cost} USD"));
    let budgets = whole["reconciliation"].as_array().cloned().unwrap_or_default();
    let differs = |line: &&Value| line["difference_nano_usd"].as_i64() != Some(0);
    for line in budgets.iter().filter(differs) {
        out::complain(&format!(
            "budget {} ({}): lines say {} nano-usd, its books {}: {}",
            cell(&line["budget"]),
            cell(&line["window"]),
            line["listed_nano_usd"],
            line["spent_nano_usd"],
            cell(&line["because"]),
        ));
    }
    if !budgets.is_empty() && !budgets.iter().any(|line| differs(&line)) {
        out::complain("all lines add up to the budgets' books, to the nano-dollar");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_stands_in_the_query() {
        let asked = path("team,day", Some("2026-01-01"), None);
        assert_eq!(asked, "usage?by=team%2Cday&from=2026-01-01");
    }
}
