//! `bursar aliases`: names of the operator's for models.

use super::client::Target;
use super::out::{Column, cell};
use super::resource::{Verb, ask, print};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Sets and shows model aliases.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar aliases put fast openai/gpt-4o-mini
  bursar aliases put smart openai/gpt-4o=3 azure/gpt-4o=1 local/llama3=0
  bursar aliases list")]
pub(super) struct Aliases {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists aliases.
    List,
    /// Shows an alias.
    Show {
        /// Name of the alias.
        name: String,
    },
    /// Creates or replaces an alias.
    Put {
        /// Name of the alias.
        name: String,
        /// Models it stands for, each with its share; a share of 0 is a fallback, in order.
        #[arg(required = true, value_name = "PROVIDER/MODEL[=SHARE]")]
        targets: Vec<String>,
    },
    /// Deletes an alias.
    Delete {
        /// Name of the alias.
        name: String,
    },
}

const COLUMNS: [Column; 2] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "STANDS FOR", of: targets },
];

fn targets(row: &Value) -> String {
    let targets = row["targets"].as_array().into_iter().flatten();
    let shown = targets.map(|target| {
        let (provider, model) = (cell(&target["provider"]), cell(&target["model"]));
        format!("{provider}/{model}={}", target["weight"])
    });
    shown.collect::<Vec<_>>().join(" ")
}

impl Aliases {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let verb = match self.action {
            Action::List => Verb::List,
            Action::Show { name } => Verb::Show(name),
            Action::Put { name, targets } => {
                let targets = targets.iter().map(|target| target_of(target));
                let targets: Vec<Value> = targets.collect::<anyhow::Result<_>>()?;
                Verb::Put(name, json!({ "targets": targets }))
            }
            Action::Delete { name } => Verb::Delete(name),
        };
        let whole = self.target.with(async |admin| ask(&admin, "aliases", verb).await)?;
        print(&self.target, &whole, &COLUMNS)
    }
}

/// `PROVIDER/MODEL` or `PROVIDER/MODEL=SHARE`.
fn target_of(text: &str) -> anyhow::Result<Value> {
    let (name, weight) = match text.rsplit_once('=') {
        Some((name, share)) => {
            let share: u32 = share.parse().with_context(|| format!("{text}: no share: {share}"))?;
            (name, share)
        }
        None => (text, 1),
    };
    let (provider, model) =
        name.split_once('/').with_context(|| format!("{text}: write PROVIDER/MODEL"))?;
    Ok(json!({ "provider": provider, "model": model, "weight": weight }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_provider_a_model_and_perhaps_a_share() {
        let target = target_of("router/deepseek/chat=3").unwrap();
        let expected = json!({"provider": "router", "model": "deepseek/chat", "weight": 3});
        assert_eq!(target, expected);
        assert_eq!(target_of("a/b").unwrap()["weight"], 1);
        assert!(target_of("a").is_err());
        assert!(target_of("a/b=x").is_err());
    }
}
