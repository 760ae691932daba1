//! `bursar profiles`: templates of keys.

use super::client::Target;
use super::out::{Column, cell};
use super::resource::{Terms, Verb, ask, print};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Sets and shows access profiles: what a profile says, its keys say.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar profiles put basic --models gpt-4o-mini --requests-per-minute 60
  bursar keys create app --profile basic
  bursar profiles put basic --models gpt-4o-mini,gpt-4o     applies to all its keys at once")]
pub(super) struct Profiles {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists profiles.
    List,
    /// Shows a profile.
    Show {
        /// Its name.
        name: String,
    },
    /// Creates or replaces a profile, and applies it to its keys. What is not given is each key's own.
    Put {
        /// Its name.
        name: String,
        /// Providers its keys may use, separated by commas, or `all`.
        #[arg(long, value_delimiter = ',')]
        providers: Option<Vec<String>>,
        /// Models its keys may use, separated by commas, or `all`.
        #[arg(long, value_delimiter = ',')]
        models: Option<Vec<String>>,
        /// Tags each request of its keys carries, separated by commas.
        #[arg(long, value_delimiter = ',')]
        tags: Option<Vec<String>>,
        /// Whether its keys may open sessions.
        #[arg(long)]
        may_open_sessions: Option<bool>,
        /// Whether streams whose caller left are read to their end.
        #[arg(long)]
        drain_on_disconnect: Option<bool>,
        /// Whether it may reach files, uploads, batches and lists that a provider keeps; other keys' are among them.
        #[arg(long)]
        may_use_files: Option<bool>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Deletes a profile that no key has.
    Delete {
        /// Its name.
        name: String,
    },
}

const COLUMNS: [Column; 4] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "KEYS", of: |row| cell(&row["keys"]) },
    Column { name: "MODELS", of: |row| cell(&row["models"]) },
    Column { name: "BUDGETS", of: |row| cell(&row["budgets"]) },
];

/// The word `all`, or names.
fn allowed(names: Option<Vec<String>>) -> Value {
    match names.as_deref() {
        Some([all]) if all == "all" => json!("all"),
        names => json!(names),
    }
}

impl Profiles {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let verb = match self.action {
            Action::List => Verb::List,
            Action::Show { name } => Verb::Show(name),
            Action::Put {
                name,
                providers,
                models,
                tags,
                may_open_sessions,
                drain_on_disconnect,
                may_use_files,
                terms,
            } => {
                let own = [
                    ("providers", allowed(providers)),
                    ("models", allowed(models)),
                    ("tags", json!(tags)),
                    ("may_open_sessions", json!(may_open_sessions)),
                    ("drain_on_disconnect", json!(drain_on_disconnect)),
                    ("may_use_files", json!(may_use_files)),
                ];
                Verb::Put(name, terms.body(own)?)
            }
            Action::Delete { name } => Verb::Delete(name),
        };
        let whole = self.target.with(async |admin| ask(&admin, "profiles", verb).await)?;
        print(&self.target, &whole, &COLUMNS)
    }
}
