//! What one node must know before it has peers: where to listen, where to keep its state, whom to ask.
//!
//! Everything a tenant can feel lives in the ledger instead, so that no two nodes can disagree on it.

mod error;
mod file;
mod keys;
mod rules;
mod setting;
mod span;

pub use error::ConfigError;
pub use file::File;
pub use keys::{Keys, draw, write_new};
pub use setting::{Process, Setting, Surroundings, Wrong};
pub use span::Span;

use crate::vault::Secret;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Configuration of one node, with every reference looked up and every rule checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Nodes of other names are ignored.
    pub cluster_name: String,
    /// This node's name for people.
    pub label: String,
    /// Where the node keeps its state.
    pub data_dir: PathBuf,
    /// Address for callers.
    pub listen: SocketAddr,
    /// URL under which callers reach this node; `None`: made from the address that was bound.
    pub base_url: Option<String>,
    /// Threads that serve callers.
    pub threads: usize,
    /// `host:port` of other nodes' gossip.
    pub seeds: Vec<String>,
    /// How many nodes found the cluster together.
    pub bootstrap_expect: Option<u32>,
    /// The operators' side.
    pub admin: Admin,
    /// The side for other nodes.
    pub peer: Peer,
    /// The side for gossip.
    pub gossip: Gossip,
    /// Secrets that the configuration gives.
    pub secrets: Secrets,
    /// How the node leaves.
    pub drain: Drain,
    /// How callers are answered.
    pub http: Http,
    /// What the node writes about itself.
    pub log: Log,
    /// What it measures.
    pub metrics: Metrics,
}

/// The operators' side.
#[derive(Clone, Debug)]
pub struct Admin {
    /// Address for operators.
    pub listen: SocketAddr,
    /// URL under which operators reach this node; `None`: made from the address that was bound.
    pub url: Option<String>,
    /// Bearer token of operators; `None`: drawn on the first start.
    pub token: Option<Secret>,
}

/// The side for other nodes.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Address for other nodes.
    pub listen: SocketAddr,
    /// `host:port` under which other nodes reach it.
    pub advertise: String,
}

/// The side for gossip.
#[derive(Clone, Debug)]
pub struct Gossip {
    /// UDP address.
    pub listen: SocketAddr,
    /// `host:port` under which other nodes reach it; a name is looked up at the start.
    pub advertise: String,
}

/// Secrets that the configuration gives; those it does not are drawn.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Admits nodes to the cluster.
    pub cluster: Option<Secret>,
    /// Seals provider credentials.
    pub key_encryption_key: Option<Secret>,
}

/// How the node leaves.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    /// Time between `readyz` saying no and the end of accepting.
    pub delay: Duration,
    /// Longest wait for requests and streams in flight.
    pub timeout: Duration,
}

/// How callers are answered.
#[derive(Clone, Debug)]
pub struct Http {
    /// Largest request body in bytes.
    pub body_bytes_max: usize,
    /// Largest file that goes through to a provider, in bytes.
    pub upload_bytes_max: usize,
    /// Whether answers carry `x-bursar-*` headers.
    pub response_headers: bool,
    /// Status of a request whose budget is spent: 402 or 429.
    pub budget_exceeded_status: u16,
    /// PEM file with certificates to trust beside the system's.
    pub extra_root_certificates: Option<PathBuf>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object on each line.
    Json,
}

/// What the node writes about itself.
#[derive(Clone, Debug)]
pub struct Log {
    /// Filter, as `info` or `info,cluster=debug`.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// What the node measures.
#[derive(Clone, Copy, Debug)]
pub struct Metrics {
    /// Whether each key, user, tag and session with a limit of its own has figures of its own.
    pub tenant_labels: bool,
}

impl Config {
    /// Reads a file (none: all defaults), lets `overrides` (from flags) change it, and checks it.
    ///
    /// # Errors
    ///
    /// Everything wrong with it, with lines.
    pub fn load(
        path: Option<&Path>,
        overrides: impl FnOnce(&mut File),
    ) -> Result<Self, ConfigError> {
        let name = path.map(|path| path.display().to_string());
        let text = match path {
            Some(path) => std::fs::read_to_string(path).map_err(|e| ConfigError {
                file: name.clone().unwrap_or_default(),
                wrong: vec![Wrong {
                    path: String::new(),
                    line: 0,
                    say: format!("cannot be read: {e}"),
                }],
            })?,
            None => String::new(),
        };
        Self::read(&text, &name.unwrap_or_default(), overrides, &Process)
    }

    /// Reads YAML text; `file` is only for messages.
    ///
    /// # Errors
    ///
    /// Everything wrong with it, with lines.
    pub fn read(
        text: &str,
        file: &str,
        overrides: impl FnOnce(&mut File),
        from: &dyn Surroundings,
    ) -> Result<Self, ConfigError> {
        let failed = |wrong| ConfigError { file: file.to_owned(), wrong };
        let mut parsed: File = if is_blank(text) {
            File::default()
        } else {
            serde_saphyr::from_str(text).map_err(|e| failed(vec![error::from_yaml(&e)]))?
        };
        overrides(&mut parsed);
        rules::check(&parsed, from).map_err(failed)
    }

    /// A node alone on loopback, every port free for the system to choose.
    pub fn alone(data_dir: &Path) -> Self {
        let overrides = |file: &mut File| {
            let any = "127.0.0.1:0";
            file.data_dir = Some(Setting::flag(data_dir.display().to_string()));
            file.listen = Some(Setting::flag(any));
            file.admin.listen = Some(Setting::flag(any));
            file.peer.listen = Some(Setting::flag(any));
            file.gossip.listen = Some(Setting::flag(any));
        };
        Self::read("", "", overrides, &Process).expect("defaults on loopback are a whole node")
    }
}

/// JSON Schema of the file, as committed in `node/config.schema.json`.
pub fn schema() -> String {
    let schema = schemars::schema_for!(File);
    let mut text =
        serde_json::to_string_pretty(&schema).expect("a schema is a tree of strings and lists");
    text.push('\n');
    text
}

fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests;
