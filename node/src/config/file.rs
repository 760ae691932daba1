//! The shape of the configuration file. Each field is a [`Setting`]: kept as written until resolved.

use super::setting::Setting;
use super::span::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Configuration of one node. Keys, budgets, providers and aliases are not here: the cluster keeps them.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "Bursar node")]
pub struct File {
    /// Name of the cluster; nodes of other names are ignored. Default: `bursar`.
    pub cluster_name: Option<Setting<String>>,
    /// This node's name for people. Default: the host name.
    pub label: Option<Setting<String>>,
    /// Where the node keeps its state. Default: `./bursar-data`.
    pub data_dir: Option<Setting<PathBuf>>,
    /// Address for callers. Default: `127.0.0.1:8080`.
    pub listen: Option<Setting<SocketAddr>>,
    /// URL under which callers reach this node. Default: made from `listen`.
    pub base_url: Option<Setting<String>>,
    /// Threads that serve callers. Default: one for each core.
    pub threads: Option<Setting<usize>>,
    /// Addresses (`host:port`) of other nodes' gossip. The node's own may be among them.
    pub seeds: Vec<Setting<String>>,
    /// How many nodes found the cluster together. Without seeds: 1.
    pub bootstrap_expect: Option<Setting<u32>>,
    /// The operators' side.
    pub admin: Admin,
    /// The side for other nodes.
    pub peer: Peer,
    /// The side for gossip (UDP).
    pub gossip: Gossip,
    /// What all nodes of the cluster share and nobody else knows.
    pub secrets: Secrets,
    /// How the node leaves.
    pub drain: Drain,
    /// How callers are answered.
    pub http: Http,
    /// What the node writes about itself.
    pub log: Log,
    /// What the node measures.
    pub metrics: Metrics,
}

/// The operators' side.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address for operators. Default: `127.0.0.1:8081`.
    pub listen: Option<Setting<SocketAddr>>,
    /// URL under which operators reach this node. Default: made from `listen`.
    pub url: Option<Setting<String>>,
    /// Bearer token of operators, the same on all nodes. A node alone on loopback draws one into
    /// `data_dir/secrets/admin-token`.
    pub token: Option<Setting<String>>,
}

/// The side for other nodes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Peer {
    /// Address for other nodes. Default: `127.0.0.1:8082`.
    pub listen: Option<Setting<SocketAddr>>,
    /// `host:port` under which other nodes reach it. Default: `peer.listen`.
    pub advertise: Option<Setting<String>>,
}

/// The side for gossip.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gossip {
    /// UDP address for gossip. Default: `127.0.0.1:8083`.
    pub listen: Option<Setting<SocketAddr>>,
    /// `host:port` under which other nodes reach it. Default: `gossip.listen`.
    pub advertise: Option<Setting<String>>,
}

/// What all nodes of the cluster share. A node without seeds draws both on its first start.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Secrets {
    /// 64 hexadecimal digits that admit a node to the cluster.
    pub cluster: Option<Setting<String>>,
    /// 64 hexadecimal digits under which provider credentials are sealed.
    pub key_encryption_key: Option<Setting<String>>,
}

/// How the node leaves.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drain {
    /// Time between `readyz` saying no and the end of accepting. Default: `15s`.
    pub delay: Option<Setting<Span>>,
    /// Longest wait for requests and streams in flight. Default: `600s`.
    pub timeout: Option<Setting<Span>>,
}

/// How callers are answered.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Largest request body in bytes. Default: 20971520 (20 MiB).
    pub body_bytes_max: Option<Setting<usize>>,
    /// Largest file that goes through to a provider, in bytes; it is never held whole. Default: 536870912
    /// (512 MiB).
    pub upload_bytes_max: Option<Setting<usize>>,
    /// Whether answers carry `x-bursar-*` headers. Default: `true`.
    pub response_headers: Option<Setting<bool>>,
    /// Status of a request whose budget is spent: 402 or 429. Default: 402.
    pub budget_exceeded_status: Option<Setting<u16>>,
    /// PEM file with certificates to trust beside the system's, for providers.
    pub extra_root_certificates: Option<Setting<PathBuf>>,
}

/// What the node measures.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// Whether each key, user, tag and session with a limit of its own has figures of its own, under a label
    /// `subject`; else they are only summed. Default: `false`.
    pub tenant_labels: Option<Setting<bool>>,
}

/// What the node writes about itself, on standard error.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or a list as `info,cluster=debug`. Default: `info`.
    pub level: Option<Setting<String>>,
    /// `text` or `json`. Default: `json`, or `text` on a terminal.
    pub format: Option<Setting<String>>,
}
