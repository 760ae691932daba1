//! What a budget shall be.

use super::super::resource::{from_file, given};
use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct Settings {
    #[command(flatten)]
    limit: Limit,
    /// When it starts anew: never, hour, day, week, month, quarter, year, a length as 30d, or rolling:24h.
    #[arg(long)]
    window: Option<String>,
    /// `hard`: nothing passes the limit. `soft`: requests go on, the excess is recorded as debt.
    #[arg(long)]
    mode: Option<String>,
    /// Time zone of calendar windows, as Europe/Berlin; UTC without it.
    #[arg(long)]
    time_zone: Option<String>,
    /// Who shares the limit: all, or each key, user, tag or session:1h has one of its own.
    #[arg(long)]
    per: Option<String>,
    /// What a node that cannot ask the cluster lets through: strict, open, or degraded:AMOUNT for each node.
    #[arg(long)]
    without_quorum: Option<String>,
    /// Percentages of the limit that webhooks are told, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "PERCENT")]
    thresholds: Option<Vec<u8>>,
    /// From so many percent on this model answers; may be repeated.
    #[arg(long, value_name = "PERCENT=MODEL")]
    downgrade: Vec<String>,
    /// From so many percent on at most so many requests a minute go on; may be repeated.
    #[arg(long, value_name = "PERCENT=REQUESTS")]
    throttle: Vec<String>,
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
    /// Takes everything from a JSON file, as the API takes it; what is given besides goes on top.
    #[arg(long)]
    file: Option<PathBuf>,
}

impl Limit {
    /// How the API names an amount in this budget's unit.
    fn unit(&self) -> &'static str {
        match (self.tokens, self.requests) {
            (Some(_), _) => "tokens",
            (_, Some(_)) => "requests",
            (None, None) => "usd",
        }
    }
}

impl Settings {
    pub(super) fn body(&self) -> anyhow::Result<Value> {
        let mut body = match &self.limit.file {
            Some(path) => from_file(path)?,
            None => json!({}),
        };
        let object = body.as_object_mut().context("settings are an object of JSON")?;
        object.extend(given([
            ("limit_usd", json!(self.limit.usd)),
            ("limit_tokens", json!(self.limit.tokens)),
            ("limit_requests", json!(self.limit.requests)),
            ("window", json!(self.window)),
            ("mode", json!(self.mode)),
            ("time_zone", json!(self.time_zone)),
            ("per", json!(self.per)),
            ("without_quorum", self.without_quorum()?),
            ("thresholds", json!(self.thresholds)),
            ("steps", self.steps()?),
        ]));
        Ok(body)
    }

    fn without_quorum(&self) -> anyhow::Result<Value> {
        let Some(policy) = self.without_quorum.as_deref() else { return Ok(Value::Null) };
        let Some(amount) = policy.strip_prefix("degraded:") else { return Ok(json!(policy)) };
        let unit = self.limit.unit();
        let amount = match unit {
            "usd" => json!(amount),
            _ => {
                json!(amount.parse::<i64>().with_context(|| format!("--without-quorum {policy}"))?)
            }
        };
        Ok(json!({ "degraded": { unit: amount } }))
    }

    /// Steps by rising percentage; null where there is none.
    fn steps(&self) -> anyhow::Result<Value> {
        let mut steps = Vec::new();
        for text in &self.downgrade {
            let (percent, model) = at_percent("--downgrade", text)?;
            steps.push((percent, json!({ "at_percent": percent, "downgrade_to": model })));
        }
        for text in &self.throttle {
            let (percent, requests) = at_percent("--throttle", text)?;
            let requests: u64 =
                requests.parse().with_context(|| format!("--throttle {text}: no number"))?;
            steps
                .push((percent, json!({ "at_percent": percent, "requests_per_minute": requests })));
        }
        steps.sort_by_key(|(percent, _)| *percent);
        let steps: Vec<Value> = steps.into_iter().map(|(_, step)| step).collect();
        Ok(if steps.is_empty() { Value::Null } else { steps.into() })
    }
}

fn at_percent<'a>(option: &str, text: &'a str) -> anyhow::Result<(u8, &'a str)> {
    let split =
        text.split_once('=').and_then(|(percent, rest)| Some((percent.parse().ok()?, rest)));
    split.with_context(|| {
        format!("{option} {text}: write 80=..., a percentage and what happens there")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn body(line: &str) -> anyhow::Result<Value> {
        Line::try_parse_from(["put"].into_iter().chain(line.split(' ')))?.settings.body()
    }

    #[test]
    fn what_is_given_becomes_settings_and_the_rest_is_left_to_the_api() {
        assert_eq!(body("--usd 5").unwrap(), json!({"limit_usd": "5"}));
        let line = "--tokens 9 --per session:1h --without-quorum degraded:3 --thresholds 50,100 \
                    --throttle 90=5 --downgrade 80=a/b";
        let expected = json!({
            "limit_tokens": 9, "per": "session:1h", "without_quorum": {"degraded": {"tokens": 3}},
            "thresholds": [50, 100],
            "steps": [
                {"at_percent": 80, "downgrade_to": "a/b"},
                {"at_percent": 90, "requests_per_minute": 5},
            ],
        });
        assert_eq!(body(line).unwrap(), expected);
        assert!(body("--usd 5 --downgrade a/b").is_err());
        assert!(body("--window day").is_err());
    }
}
