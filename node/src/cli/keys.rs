//! `bursar keys`: virtual keys.

use super::client::{Admin, Target, encode};
use super::out::{self, Column, Format, cell};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value, json};

/// Creates, shows, changes and revokes virtual keys.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar keys create app --budget-usd 10 --budget-window month --models gpt-4o-mini
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
    /// Gives a key another secret and prints it. The old one stops.
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

#[derive(Debug, Args)]
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
    /// Requests in any minute.
    #[arg(long)]
    requests_per_minute: Option<u64>,
    /// Tokens in any minute.
    #[arg(long)]
    tokens_per_minute: Option<u64>,
    /// Requests at once.
    #[arg(long)]
    concurrent_requests: Option<u64>,
}

const COLUMNS: [Column; 7] = [
    Column { name: "NAME", of: |key| cell(&key["name"]) },
    Column { name: "ID", of: |key| cell(&key["id"]) },
    Column { name: "ENABLED", of: |key| cell(&key["enabled"]) },
    Column { name: "BUDGETS", of: |key| cell(&key["budgets"]) },
    Column { name: "MODELS", of: |key| all(&key["models"]) },
    Column { name: "PROVIDERS", of: |key| all(&key["providers"]) },
    Column { name: "EXPIRES", of: |key| cell(&key["expires_at"]) },
];

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
        let whole = self.target.with(async |admin| ask(&admin, self.action).await)?;
        let rows = match &whole["items"] {
            Value::Array(items) => items.clone(),
            _ => vec![whole.clone()],
        };
        out::answer(format, &whole, &rows, &COLUMNS)?;
        if format == Format::Table {
            say_key(&whole)?;
        }
        say_unconfirmed(&whole);
        Ok(())
    }
}

async fn ask(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let of = |name: &str| format!("keys/{}", encode(name));
    let answer = match action {
        Action::List => return admin.list("keys").await,
        Action::Show { name } => admin.get(&of(&name)).await?,
        Action::Create { name, settings } => {
            let mut body = Map::new();
            settings.overlay(&mut body);
            if let Some(name) = name {
                body.insert("name".to_owned(), name.into());
            }
            admin.write(Method::POST, "keys", Some(&body.into())).await?
        }
        Action::Update { name, settings } => {
            let present = admin.get(&of(&name)).await?;
            let mut body = settings_of(&present.body);
            settings.overlay(&mut body);
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
    let names = ["enabled", "expires_at", "providers", "models", "budgets", "limits"];
    names
        .into_iter()
        .filter(|name| !key[*name].is_null())
        .map(|name| (name.to_owned(), key[name].clone()))
        .collect()
}

impl Settings {
    /// Sets what was given.
    fn overlay(self, body: &mut Map<String, Value>) {
        let given = [
            ("enabled", json!(self.enabled)),
            ("expires_at", json!(self.expires_at)),
            ("providers", json!(self.providers)),
            ("models", json!(self.models)),
            ("budgets", json!(self.budgets)),
            ("budget_usd", json!(self.budget_usd)),
            ("budget_window", json!(self.budget_window)),
        ];
        let limits = [
            ("requests_per_minute", self.requests_per_minute),
            ("tokens_per_minute", self.tokens_per_minute),
            ("concurrent_requests", self.concurrent_requests),
        ];
        for (name, value) in given {
            if !value.is_null() {
                body.insert(name.to_owned(), value);
            }
        }
        for (name, limit) in limits {
            if let Some(limit) = limit {
                body.entry("limits").or_insert_with(|| json!({}))[name] = limit.into();
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_keeps_what_is_not_given() {
        let key = json!({
            "name": "app", "id": "x", "enabled": true, "models": ["a"], "budgets": ["b"],
            "limits": {"tokens_per_minute": 5}, "changed_index": 7,
        });
        let mut body = settings_of(&key);
        let settings = Settings {
            enabled: Some(false),
            expires_at: None,
            providers: None,
            models: None,
            budgets: None,
            budget_usd: None,
            budget_window: None,
            requests_per_minute: Some(9),
            tokens_per_minute: None,
            concurrent_requests: None,
        };
        settings.overlay(&mut body);
        let expected = json!({
            "enabled": false, "models": ["a"], "budgets": ["b"],
            "limits": {"tokens_per_minute": 5, "requests_per_minute": 9},
        });
        assert_eq!(Value::Object(body), expected);
    }
}
