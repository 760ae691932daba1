//! `bursar keys`: virtual keys.

use super::client::{Admin, Target};
use super::out::{self, Column, Format, cell};
use super::resource::{Limits, from_file, given, labels, path_of, print};
use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Creates, shows, changes and revokes virtual keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar keys create app --budget-usd 10 --budget-window month --models gpt-4o-mini
  bursar keys create ann-laptop --user ann --profile basic --label env=dev
  bursar keys update app --requests-per-minute 600
  bursar keys rotate app
  bursar keys revoke app
  bursar keys list -o json")]
pub(super) struct Keys {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists keys that are not revoked.
    List,
    /// Shows a key, by name or public id.
    Show {
        /// Name or public id.
        name: String,
    },
    /// Creates a key and prints it. It cannot be shown again.
    Create {
        /// Name of the key; one is made up without it.
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Changes the settings that are given and leaves the others.
    Update {
        /// Name of the key.
        name: String,
        #[command(flatten)]
        settings: Settings,
    },
    /// Gives a key another secret and prints it. The old one stops; usage and budgets go on.
    Rotate {
        /// Name of the key.
        name: String,
    },
    /// Revokes a key for ever, on every node.
    Revoke {
        /// Name or public id.
        name: String,
    },
}

#[derive(Debug, Default, Args)]
struct Settings {
    /// Whether the key may be used.
    #[arg(long)]
    enabled: Option<bool>,
    /// Moment from which it is refused, as 2026-12-31T00:00:00Z.
    #[arg(long)]
    expires_at: Option<String>,
    /// Providers it may use, separated by commas.
    #[arg(long, value_delimiter = ',')]
    providers: Option<Vec<String>>,
    /// Models it may use, separated by commas.
    #[arg(long, value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// Budgets it is charged to, separated by commas.
    #[arg(long, value_delimiter = ',')]
    budgets: Option<Vec<String>>,
    /// Gives the key a budget of its own, in dollars.
    #[arg(long, value_name = "USD")]
    budget_usd: Option<String>,
    /// When that budget starts anew: never, hour, day, week, month, quarter, year, or 30d.
    #[arg(long, requires = "budget_usd", value_name = "WINDOW")]
    budget_window: Option<String>,
    #[command(flatten)]
    limits: Limits,
    /// The customer it belongs to.
    #[arg(long, group = "owner")]
    customer: Option<String>,
    /// The team it belongs to.
    #[arg(long, group = "owner")]
    team: Option<String>,
    /// The user it belongs to.
    #[arg(long, group = "owner")]
    user: Option<String>,
    /// A label, for selectors; may be repeated.
    #[arg(long = "label", value_name = "NAME=VALUE")]
    labels: Vec<String>,
    /// The access profile it has.
    #[arg(long)]
    profile: Option<String>,
    /// Whether its requests may open sessions.
    #[arg(long)]
    may_open_sessions: Option<bool>,
    /// Tags each of its requests carries, separated by commas.
    #[arg(long, value_delimiter = ',')]
    tags: Option<Vec<String>>,
    /// Whether streams whose caller left are read to their end, to learn what they cost.
    #[arg(long)]
    drain_on_disconnect: Option<bool>,
    /// Whether it may reach files, uploads, batches and lists that a provider keeps; other keys' are among them.
    #[arg(long)]
    may_use_files: Option<bool>,
    /// A JSON file with settings as the API takes them; what is given besides goes on top.
    #[arg(long)]
    file: Option<PathBuf>,
}

const COLUMNS: [Column; 8] = [
    Column { name: "NAME", of: |key| cell(&key["name"]) },
    Column { name: "ID", of: |key| cell(&key["id"]) },
    Column { name: "ENABLED", of: |key| cell(&key["enabled"]) },
    Column { name: "BELONGS TO", of: owner },
    Column { name: "BUDGETS", of: |key| cell(&key["budgets"]) },
    Column { name: "MODELS", of: |key| all(&key["models"]) },
    Column { name: "PROVIDERS", of: |key| all(&key["providers"]) },
    Column { name: "EXPIRES", of: |key| cell(&key["expires_at"]) },
];

/// To whom it belongs, directly.
fn owner(key: &Value) -> String {
    let named = ["user", "team", "customer"].into_iter().find(|kind| !key[*kind].is_null());
    named.map_or_else(|| "-".to_owned(), |kind| format!("{kind} {}", cell(&key[kind])))
}

/// A list of what is allowed: absent means all, empty means none.
fn all(allowed: &Value) -> String {
    match allowed {
        Value::Null => "all".to_owned(),
        Value::Array(names) if names.is_empty() => "none".to_owned(),
        other => cell(other),
    }
}

impl Keys {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let format = self.target.output;
        let whole = self.target.with(async |admin| run(&admin, self.action).await)?;
        print(&self.target, &whole, &COLUMNS)?;
        if format == Format::Table {
            say_key(&whole)?;
        }
        Ok(())
    }
}

async fn run(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let of = |name: &str| path_of("keys", name);
    let answer = match action {
        Action::List => return admin.list("keys").await,
        Action::Show { name } => admin.get(&of(&name)).await?,
        Action::Create { name, settings } => {
            let mut body = Map::new();
            settings.overlay(&mut body)?;
            if let Some(name) = name {
                body.insert("name".to_owned(), name.into());
            }
            admin.write(Method::POST, "keys", Some(&body.into())).await?
        }
        Action::Update { name, settings } => {
            let present = admin.get(&of(&name)).await?;
            let mut body = settings_of(&present.body);
            settings.overlay(&mut body)?;
            let etag = present.etag.as_deref();
            admin.write_if(Method::PUT, &of(&name), &body.into(), etag).await?
        }
        Action::Rotate { name } => {
            admin.write(Method::POST, &format!("{}:rotate", of(&name)), None).await?
        }
        Action::Revoke { name } => admin.write(Method::DELETE, &of(&name), None).await?,
    };
    Ok(answer.body)
}

/// What of a shown key can be set.
fn settings_of(key: &Value) -> Map<String, Value> {
    let names = [
        "enabled",
        "expires_at",
        "providers",
        "models",
        "budgets",
        "limits",
        "customer",
        "team",
        "user",
        "labels",
        "narrowed",
        "profile",
        "may_open_sessions",
        "tags",
        "drain_on_disconnect",
        "may_use_files",
    ];
    names
        .into_iter()
        .filter(|name| !key[*name].is_null())
        .map(|name| (name.to_owned(), key[name].clone()))
        .collect()
}

impl Settings {
    /// Sets what was given.
    fn overlay(self, body: &mut Map<String, Value>) -> anyhow::Result<()> {
        if let Some(path) = &self.file {
            let file = from_file(path)?;
            body.extend(file.as_object().cloned().context("settings are an object of JSON")?);
        }
        if self.customer.is_some() || self.team.is_some() || self.user.is_some() {
            // It belongs to one of them: the one it belonged to before is not that any more.
            body.retain(|name, _| !["customer", "team", "user"].contains(&name.as_str()));
        }
        body.extend(given([
            ("enabled", json!(self.enabled)),
            ("expires_at", json!(self.expires_at)),
            ("providers", json!(self.providers)),
            ("models", json!(self.models)),
            ("budgets", json!(self.budgets)),
            ("budget_usd", json!(self.budget_usd)),
            ("budget_window", json!(self.budget_window)),
            ("customer", json!(self.customer)),
            ("team", json!(self.team)),
            ("user", json!(self.user)),
            ("profile", json!(self.profile)),
            ("may_open_sessions", json!(self.may_open_sessions)),
            ("tags", json!(self.tags)),
            ("drain_on_disconnect", json!(self.drain_on_disconnect)),
            ("may_use_files", json!(self.may_use_files)),
        ]));
        for (field, more) in [("limits", self.limits.body()), ("labels", labels(&self.labels)?)] {
            let Value::Object(more) = more else { continue };
            match body.entry(field).or_insert_with(|| json!({})) {
                Value::Object(present) => present.extend(more),
                other => *other = more.into(),
            }
        }
        Ok(())
    }
}

fn say_key(answer: &Value) -> anyhow::Result<()> {
    match answer["key"].as_str() {
        Some(key) => {
            out::complain("the key is shown once, keep it:");
            out::line(key)
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_keeps_what_is_not_given() {
        let key = json!({
            "name": "app", "id": "x", "enabled": true, "models": ["a"], "budgets": ["b"],
            "limits": {"tokens_per_minute": 5}, "team": "red", "labels": {"a": "b"}, "changed_index": 7,
        });
        let mut body = settings_of(&key);
        let settings = Settings {
            enabled: Some(false),
            limits: Limits { requests_per_minute: Some(9), ..Limits::default() },
            user: Some("ann".to_owned()),
            labels: vec!["env=dev".to_owned()],
            ..Settings::default()
        };
        settings.overlay(&mut body).unwrap();
        let expected = json!({
            "enabled": false, "models": ["a"], "budgets": ["b"],
            "limits": {"tokens_per_minute": 5, "requests_per_minute": 9},
            "user": "ann", "labels": {"a": "b", "env": "dev"},
        });
        assert_eq!(Value::Object(body), expected);
    }
}
