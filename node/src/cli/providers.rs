//! `bursar providers`: where requests go.

use super::client::{Admin, Target};
use super::model_price::model_of;
use super::out::{Column, cell};
use super::resource::{Verb, ask, from_file, path_of, print};
use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Sets and shows providers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar providers put openai --secret-env OPENAI_API_KEY
  bursar providers put claude --kind anthropic --secret-env ANTHROPIC_API_KEY
  bursar providers put bedrock --region eu-west-1 --machine-credential
  bursar providers put vertex --region europe-west4 --project mine --secret-file account.json
  bursar providers put azure --resource mine --secret-env AZURE_OPENAI_API_KEY
  bursar providers put house --base-url https://llm.example/api --dialect anthropic_messages \\
      --header 'x-team-key={secret}' --path chat_completions=/talk --secret-env HOUSE_KEY
  bursar providers put local --base-url http://127.0.0.1:11434/v1 --model llama3=0,0 --allow-private-network
  bursar providers put speech --kind openai --secret-env OPENAI_API_KEY --model gpt-audio=2.5,10,audio_input=32,audio_output=64
  bursar providers put openai --file provider.json
  bursar providers list
  bursar providers capabilities")]
pub(super) struct Providers {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists providers.
    List,
    /// Shows a provider, without its secrets.
    Show {
        /// Name of the provider.
        name: String,
    },
    /// Creates or replaces a provider. A secret that is not given stays as it was.
    Put {
        /// Name of the provider; the part before the slash of provider/model.
        name: String,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Shows which kinds of provider there are, and what each can be asked in which dialects.
    Capabilities,
    /// Deletes a provider that no alias names.
    Delete {
        /// Name of the provider.
        name: String,
    },
}

#[derive(Debug, Args)]
struct Settings {
    /// Takes everything from a JSON file, as the API takes it.
    #[arg(long, conflicts_with_all = ["kind", "base_url", "secret_env", "secret_file", "model", "unpriced",
        "timeout_ms", "allow_private_network", "disabled", "region", "project", "resource", "machine_credential",
        "header", "path", "dialect"])]
    file: Option<PathBuf>,
    /// How it is spoken to. Without it, the kind that is named like the provider, else openai-compatible.
    #[arg(long)]
    kind: Option<String>,
    /// Base URL up to and with the version. Without it, that of the kind.
    #[arg(long)]
    base_url: Option<String>,
    /// Environment variable with the provider's API key, or with the JSON of an account: AWS keys
    /// (access_key_id, secret_access_key, session_token), a Google service account, an Entra application
    /// (tenant_id, client_id, client_secret).
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,
    /// File with the same.
    #[arg(long, value_name = "PATH", conflicts_with = "secret_env")]
    secret_file: Option<PathBuf>,
    /// Shows the keys or tokens that the nodes' machines are issued: bedrock, vertex, azure.
    #[arg(long, conflicts_with_all = ["secret_env", "secret_file"])]
    machine_credential: bool,
    /// Region of the account at Bedrock, or its location at Vertex; in the place of a base URL.
    #[arg(long, conflicts_with = "base_url")]
    region: Option<String>,
    /// Project of the account at Vertex; in the place of a base URL.
    #[arg(long, conflicts_with = "base_url")]
    project: Option<String>,
    /// Resource of the account at Azure; in the place of a base URL.
    #[arg(long, conflicts_with = "base_url")]
    resource: Option<String>,
    /// A header of every request; {secret} in it stands for the API key. May be repeated.
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// Path of an operation behind the base URL, e.g. chat_completions=/v9/{model}/chat; {model} stands for the
    /// model. May be repeated.
    #[arg(long, value_name = "OPERATION=PATH")]
    path: Vec<String>,
    /// Dialect that an openai-compatible server speaks, where it is another, e.g. anthropic_messages.
    #[arg(long)]
    dialect: Option<String>,
    /// A model, or a model with its price in dollars per million tokens; may be repeated. More prices may
    /// follow, each with what it is for and where it holds: audio_input=32 per million, like all tokens
    /// and characters; web_search=0.01 each, like image, page, search_unit, input_second and
    /// output_second; input:priority=10, output:above200000=22.5, image:1024x1536:high=0.25.
    #[arg(long, value_name = "NAME[=IN,OUT[,CLASS[:WHERE]=USD]...]")]
    model: Vec<String>,
    /// What to do with a model without a price: deny or track.
    #[arg(long)]
    unpriced: Option<String>,
    /// Longest wait for the head of an answer, and between two pieces of a stream.
    #[arg(long)]
    timeout_ms: Option<u64>,
    /// It may resolve to loopback and private addresses.
    #[arg(long)]
    allow_private_network: bool,
    /// It is not asked.
    #[arg(long)]
    disabled: bool,
}

const COLUMNS: [Column; 6] = [
    Column { name: "NAME", of: |row| cell(&row["name"]) },
    Column { name: "KIND", of: |row| cell(&row["kind"]) },
    Column { name: "BASE URL", of: |row| cell(&row["base_url"]) },
    Column { name: "MODELS", of: |row| row["models"].as_array().map_or(0, Vec::len).to_string() },
    Column { name: "ENABLED", of: |row| cell(&row["enabled"]) },
    Column { name: "HEALTH", of: |row| health_cell(&row["health"]) },
];

impl Providers {
    pub(super) fn run(self) -> anyhow::Result<()> {
        if matches!(self.action, Action::Capabilities) {
            return capabilities(&self.target);
        }
        let whole = self.target.with(async |admin| run(&admin, self.action).await)?;
        print(&self.target, &whole, &COLUMNS)
    }
}

async fn run(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let verb = match action {
        Action::List => return list(admin).await,
        Action::Show { name } => Verb::Show(name),
        Action::Put { name, settings } => {
            let body = settings.body(admin, &name).await?;
            Verb::Put(name, body)
        }
        Action::Delete { name } => Verb::Delete(name),
        Action::Capabilities => unreachable!("shown without asking a node"),
    };
    ask(admin, "providers", verb).await
}

/// All providers, and how they fare on the node that is asked.
async fn list(admin: &Admin) -> anyhow::Result<Value> {
    let mut whole = ask(admin, "providers", Verb::List).await?;
    let doors = admin.get("nodes/self/providers").await?.body;
    for provider in whole["items"].as_array_mut().into_iter().flatten() {
        let its = |door: &&Value| door["provider"] == provider["name"];
        let doors = doors["items"].as_array().into_iter().flatten();
        provider["health"] = doors.filter(its).cloned().collect();
    }
    Ok(whole)
}

/// `ok`, or which credentials are passed over and for how long.
fn health_cell(health: &Value) -> String {
    let doors = health.as_array().into_iter().flatten();
    let over: Vec<String> = doors
        .filter(|door| door["passed_over"] == Value::Bool(true))
        .map(|door| {
            let for_s = door["passed_over_for_ms"].as_u64().unwrap_or(0).div_ceil(1_000);
            format!("{} passed over for {for_s} s", cell(&door["credential"]))
        })
        .collect();
    if over.is_empty() { "ok".to_owned() } else { over.join(", ") }
}

impl Settings {
    async fn body(self, admin: &Admin, name: &str) -> anyhow::Result<Value> {
        let path = &path_of("providers", name);
        if let Some(path) = &self.file {
            return from_file(path);
        }
        let mut body = Map::new();
        let credentials = match self.secret()? {
            Some(secret) => json!([{ "name": "default", "secret": secret }]),
            None => kept_credentials(admin, path).await?,
        };
        body.insert("credentials".to_owned(), credentials);
        let kind = self.kind.unwrap_or_else(|| kind_named(name).to_owned());
        body.insert("kind".to_owned(), kind.into());
        body.insert("base_url".to_owned(), self.base_url.unwrap_or_default().into());
        let named = [
            ("region", self.region),
            ("project", self.project),
            ("resource", self.resource),
            ("dialect", self.dialect),
        ];
        for (name, given) in named {
            body.extend(given.map(|given| (name.to_owned(), given.into())));
        }
        body.insert("headers".to_owned(), pairs("--header", &self.header)?);
        body.insert("paths".to_owned(), pairs("--path", &self.path)?);
        let models = self.model.iter().map(|model| model_of(model));
        body.insert("models".to_owned(), models.collect::<anyhow::Result<_>>()?);
        body.insert("allow_private_network".to_owned(), self.allow_private_network.into());
        body.insert("enabled".to_owned(), (!self.disabled).into());
        if let Some(unpriced) = self.unpriced {
            body.insert("unpriced".to_owned(), unpriced.into());
        }
        if let Some(timeout_ms) = self.timeout_ms {
            body.insert("timeout_ms".to_owned(), timeout_ms.into());
        }
        Ok(body.into())
    }

    fn secret(&self) -> anyhow::Result<Option<String>> {
        if self.machine_credential {
            return Ok(Some(crate::credential::MACHINE.to_owned()));
        }
        if let Some(name) = &self.secret_env {
            let secret = std::env::var(name);
            return secret.map(Some).with_context(|| format!("environment variable {name}"));
        }
        if let Some(path) = &self.secret_file {
            let text = std::fs::read_to_string(path);
            let text = text.with_context(|| format!("cannot read {}", path.display()))?;
            return Ok(Some(text.trim().to_owned()));
        }
        Ok(None)
    }
}

/// The kind of a provider of that name.
fn kind_named(name: &str) -> &'static str {
    wire::provider::named(name).map_or("openai-compatible", |kind| kind.name)
}

/// Prints the table of kinds; needs no node.
fn capabilities(target: &Target) -> anyhow::Result<()> {
    let operations = wire::Operation::ALL.iter().map(|operation| operation.name());
    let rows: Vec<Value> = wire::provider::rows()
        .into_iter()
        .map(|row| {
            let speaks = operations.clone().zip(&row.dialects);
            let speaks = speaks.filter(|(_, dialects)| !dialects.is_empty());
            let speaks: Map<String, Value> =
                speaks.map(|(name, dialects)| (name.to_owned(), json!(dialects))).collect();
            json!({ "kind": row.name, "base_url": row.base_url, "speaks": speaks })
        })
        .collect();
    print(target, &json!({ "items": rows }), &KINDS)
}

const KINDS: [Column; 3] = [
    Column { name: "KIND", of: |row| cell(&row["kind"]) },
    Column { name: "BASE URL", of: |row| cell(&row["base_url"]) },
    Column { name: "SPEAKS", of: |row| speaks(&row["speaks"]) },
];

/// `chat_completions: openai_chat, anthropic_messages; embeddings: openai_chat`
fn speaks(of: &Value) -> String {
    let said = of.as_object().into_iter().flatten().map(|(operation, dialects)| {
        let dialects = dialects.as_array().into_iter().flatten().filter_map(Value::as_str);
        format!("{operation}: {}", dialects.collect::<Vec<_>>().join(", "))
    });
    said.collect::<Vec<_>>().join("; ")
}

/// The credentials there are, to be kept; a provider that is new has none.
async fn kept_credentials(admin: &Admin, path: &str) -> anyhow::Result<Value> {
    let Some(present) = admin.find(path).await? else {
        return Ok(json!([]));
    };
    let credentials = present.body["credentials"].as_array().into_iter().flatten();
    let kept = credentials.map(|credential| {
        let mut kept = json!({ "name": credential["name"], "weight": credential["weight"] });
        if credential["set"] == Value::Bool(false) {
            kept["secret"] = "".into();
        }
        kept
    });
    Ok(kept.collect())
}

/// `NAME=VALUE`, each an entry of an object.
fn pairs(flag: &str, given: &[String]) -> anyhow::Result<Value> {
    let pair = |text: &String| {
        let (name, value) = text.split_once('=').with_context(|| format!("{flag} {text}: no ="))?;
        Ok((name.to_owned(), Value::from(value)))
    };
    given.iter().map(pair).collect::<anyhow::Result<Map<_, _>>>().map(Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_that_is_passed_over_is_named() {
        let door = |credential: &str, ms: u64| json!({"credential": credential, "passed_over": ms > 0, "passed_over_for_ms": ms});
        assert_eq!(health_cell(&json!([])), "ok");
        let health = json!([door("a", 0), door("b", 1_200)]);
        assert_eq!(health_cell(&health), "b passed over for 2 s");
    }
}
