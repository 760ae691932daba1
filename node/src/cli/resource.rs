//! What the groups of commands for named objects have in common.

use super::client::{Admin, Target, encode};
use super::out::{self, Column, cell};
use anyhow::Context;
use clap::Args;
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What is done to objects of one kind.
pub(super) enum Verb {
    /// Lists them.
    List,
    /// Shows one.
    Show(String),
    /// Creates or replaces one.
    Put(String, Value),
    /// Deletes one.
    Delete(String),
}

/// Path of one object, below `/admin/v1/`.
pub(super) fn path_of(kind: &str, name: &str) -> String {
    format!("{kind}/{}", encode(name))
}

/// Does it, at `kind`, the objects' path below `/admin/v1/`.
pub(super) async fn ask(admin: &Admin, kind: &str, verb: Verb) -> anyhow::Result<Value> {
    let answer = match verb {
        Verb::List => return admin.list(kind).await,
        Verb::Show(name) => admin.get(&path_of(kind, &name)).await?,
        Verb::Put(name, body) => {
            admin.write(Method::PUT, &path_of(kind, &name), Some(&body)).await?
        }
        Verb::Delete(name) => admin.write(Method::DELETE, &path_of(kind, &name), None).await?,
    };
    Ok(answer.body)
}

/// Prints one object or a list of them.
pub(super) fn print(target: &Target, whole: &Value, columns: &[Column]) -> anyhow::Result<()> {
    out::answer(target.output, whole, &rows(whole), columns)?;
    say_unconfirmed(whole);
    Ok(())
}

/// The objects of an answer: those of a list, or the one it is.
pub(super) fn rows(whole: &Value) -> Vec<Value> {
    match &whole["items"] {
        Value::Array(items) => items.clone(),
        _ => vec![whole.clone()],
    }
}

/// Says which nodes have not confirmed a write.
pub(super) fn say_unconfirmed(answer: &Value) {
    if let Value::Array(nodes) = &answer["not_confirmed_by"]
        && !nodes.is_empty()
    {
        let nodes = cell(&answer["not_confirmed_by"]);
        out::complain(&format!(
            "warning: not confirmed by {nodes}; what could not be reached applies it when it is back"
        ));
    }
}

/// What was given; what was not is left out.
pub(super) fn given<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Settings from a JSON file, as the API takes them; `-` is the standard input.
pub(super) fn from_file(path: &Path) -> anyhow::Result<Value> {
    let text = match path.to_str() {
        Some("-") => std::io::read_to_string(std::io::stdin()),
        _ => std::fs::read_to_string(path),
    };
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))
}

/// Rates and concurrency.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Limits {
    /// Requests in any minute.
    #[arg(long)]
    pub(super) requests_per_minute: Option<u64>,
    /// Tokens in any minute.
    #[arg(long)]
    pub(super) tokens_per_minute: Option<u64>,
    /// Requests at once.
    #[arg(long)]
    pub(super) concurrent_requests: Option<u64>,
}

impl Limits {
    /// Those that are given; null where none is.
    pub(super) fn body(&self) -> Value {
        let limits = given([
            ("requests_per_minute", json!(self.requests_per_minute)),
            ("tokens_per_minute", json!(self.tokens_per_minute)),
            ("concurrent_requests", json!(self.concurrent_requests)),
        ]);
        if limits.is_empty() { Value::Null } else { limits.into() }
    }
}

/// Terms of requests: budgets, limits and labels, or a file with everything.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Terms {
    /// Takes everything from a JSON file, as the API takes it.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Budgets that requests are charged to, separated by commas.
    #[arg(long, value_delimiter = ',')]
    budgets: Option<Vec<String>>,
    #[command(flatten)]
    limits: Limits,
    /// A label, for selectors; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
}

impl Terms {
    /// The settings, with what else was given.
    pub(super) fn body<const N: usize>(&self, more: [(&str, Value); N]) -> anyhow::Result<Value> {
        let mut body = match &self.file {
            Some(path) => from_file(path)?,
            None => json!({}),
        };
        let terms = given([
            ("budgets", json!(self.budgets)),
            ("limits", self.limits.body()),
            ("labels", labels(&self.labels)?),
        ]);
        let object = body.as_object_mut().context("settings are an object of JSON")?;
        object.extend(terms);
        object.extend(given(more));
        Ok(body)
    }
}

/// `NAME=VALUE`, several of them; null where there is none.
pub(super) fn labels(pairs: &[String]) -> anyhow::Result<Value> {
    if pairs.is_empty() {
        return Ok(Value::Null);
    }
    let mut labels = Map::new();
    for pair in pairs {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("--label {pair}: write NAME=VALUE"))?;
        labels.insert(name.to_owned(), value.into());
    }
    Ok(labels.into())
}

/// Labels as a cell: `a=1,b=2`.
pub(super) fn label_cell(labels: &Value) -> String {
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={}", cell(value))).collect();
    if pairs.is_empty() { "-".to_owned() } else { pairs.join(",") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_given_is_set() {
        let terms = Terms {
            limits: Limits { tokens_per_minute: Some(5), ..Limits::default() },
            labels: vec!["env=dev".to_owned()],
            ..Terms::default()
        };
        let body = terms.body([("customer", json!("acme")), ("team", Value::Null)]).unwrap();
        let expected = json!({
            "customer": "acme", "limits": {"tokens_per_minute": 5}, "labels": {"env": "dev"},
        });
        assert_eq!(body, expected);
        assert_eq!(label_cell(&body["labels"]), "env=dev");
        assert!(labels(&["env".to_owned()]).is_err());
    }
}
