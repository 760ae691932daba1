//! `bursar webhooks`: who is told what happened.

use super::client::{Admin, Target};
use super::out::{self, Column, Format, cell};
use super::resource::{Verb, ask, given, path_of, print};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

/// Sets, shows and tries webhooks: where events are posted to, signed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar webhooks put pager --to https://hooks.example.com/bursar
  bursar webhooks test pager
  bursar webhooks rotate pager
Events are posted until an answer is 2xx: one may come more than once, always with the same id.")]
pub(super) struct Webhooks {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists webhooks.
    List,
    /// Shows a webhook, without its secret.
    Show {
        /// Its name.
        name: String,
    },
    /// Creates or replaces a webhook. A secret that is drawn is printed; it cannot be shown again.
    Put {
        /// Its name.
        name: String,
        /// Where events are posted to: http:// or https://.
        #[arg(long, value_name = "URL")]
        to: String,
        /// Environment variable with the key of the signature. Without it the present one stays, or one is
        /// drawn.
        #[arg(long, value_name = "NAME")]
        secret_env: Option<String>,
        /// It may resolve to loopback and private addresses.
        #[arg(long)]
        allow_private_network: bool,
        /// It is sent nothing.
        #[arg(long)]
        disabled: bool,
    },
    /// Draws another secret and prints it.
    Rotate {
        /// Its name.
        name: String,
    },
    /// Posts an event webhook.test. Exit code 1 where it is not taken.
    Test {
        /// Its name.
        name: String,
    },
    /// Deletes a webhook; events do not wait for it any more.
    Delete {
        /// Its name.
        name: String,
    },
}

const COLUMNS: [Column; 4] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "URL", of: |row| cell(&row["url"]) },
    Column { name: "ENABLED", of: |row| cell(&row["enabled"]) },
    Column { name: "WAITING", of: |row| cell(&row["waiting"]) },
];

impl Webhooks {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if let Action::Test { name } = &self.action {
            return test(&self.target, name);
        }
        let format = self.target.output;
        let whole = self.target.with(async |admin| write(&admin, self.action).await)?;
        print(&self.target, &whole, &COLUMNS)?;
        match whole["secret"].as_str() {
            Some(secret) if format == Format::Table => {
                out::complain("the secret is shown once, keep it:");
                out::line(secret)
            }
            Some(_) | None => Ok(()),
        }
    }
}

async fn write(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let verb = match action {
        Action::List => Verb::List,
        Action::Show { name } | Action::Test { name } => Verb::Show(name),
        Action::Put { name, to, secret_env, allow_private_network, disabled } => {
            let secret = secret_env.map(|name| {
                std::env::var(&name).with_context(|| format!("environment variable {name}"))
            });
            let body = given([
                ("url", json!(to)),
                ("secret", json!(secret.transpose()?)),
                ("allow_private_network", json!(allow_private_network)),
                ("enabled", json!(!disabled)),
            ]);
            Verb::Put(name, body.into())
        }
        Action::Rotate { name } => {
            let path = format!("{}:rotate", path_of("webhooks", &name));
            return Ok(admin.write(Method::POST, &path, None).await?.body);
        }
        Action::Delete { name } => Verb::Delete(name),
    };
    ask(admin, "webhooks", verb).await
}

fn test(target: &Target, name: &str) -> anyhow::Result<()> {
    let path = format!("{}:test", path_of("webhooks", name));
    let came = target.with(async |admin| Ok(admin.write(Method::POST, &path, None).await?.body))?;
    match target.output {
        Format::Table | Format::Csv => {}
        Format::Json | Format::Yaml => out::answer(target.output, &came, &[], &[])?,
    }
    let took = format!("after {} ms", came["took_ms"]);
    match (came["delivered"] == true, came["status"].as_u64(), came["detail"].as_str()) {
        (true, Some(status), _) => {
            out::complain(&format!("taken with {status} {took}"));
            Ok(())
        }
        (_, Some(status), _) => bail!("not taken: the answer was {status} {took}"),
        (_, None, detail) => bail!("not delivered {took}: {}", detail.unwrap_or("no answer")),
    }
}
