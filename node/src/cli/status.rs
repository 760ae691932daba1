//! `bursar status`: everything at a glance.

use super::client::Target;
use super::out::{self, Format, cell};
use anyhow::bail;
use serde_json::Value;

/// Shows a node, its cluster, and how much of each there is. Exit code 1 where the node is not ready.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar status
  bursar status --url http://10.0.0.2:8081 -o json")]
pub(super) struct Status {
    #[command(flatten)]
    target: Target,
}

impl Status {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let status = self.target.with(async |admin| Ok(admin.get("status").await?.body))?;
        match self.target.output {
            Format::Table | Format::Csv => out::text(&shown(&status))?,
            Format::Json | Format::Yaml => out::answer(self.target.output, &status, &[], &[])?,
        }
        match status["node"]["ready"] == Value::Bool(true) {
            true => Ok(()),
            false => bail!("the node is not ready"),
        }
    }
}

fn shown(status: &Value) -> String {
    let (node, cluster, counts) = (&status["node"], &status["cluster"], &status["counts"]);
    let mut text = format!(
        "node      {label} ({id}), version {version}, up {up} s\n\
         callers   {base}\noperators {admin}\nready     {ready}\n\
         in flight {requests} requests, {streams} streams\n\
         cluster   {cluster_id}, leader {leader}, term {term}, quorum {quorum}\n\
         log       applied {applied} of {committed} committed\n\
         holds     {keys} keys, {budgets} budgets, {providers} providers, {aliases} aliases\n",
        label = cell(&node["label"]),
        id = cell(&node["id"]),
        version = cell(&node["version"]),
        up = node["uptime_seconds"],
        base = cell(&node["base_url"]),
        admin = cell(&node["admin_url"]),
        ready = cell(&node["ready"]),
        requests = node["requests_in_flight"],
        streams = node["streams_in_flight"],
        cluster_id = cell(&cluster["cluster_id"]),
        leader = cell(&cluster["leader"]),
        term = cluster["term"],
        quorum = cell(&cluster["quorum_ok"]),
        applied = cluster["applied_index"],
        committed = cluster["committed_index"],
        keys = counts["keys"],
        budgets = counts["budgets"],
        providers = counts["providers"],
        aliases = counts["aliases"],
    );
    for check in node["checks"].as_array().into_iter().flatten() {
        if check["ok"] != Value::Bool(true) {
            let (name, detail) = (cell(&check["name"]), cell(&check["detail"]));
            text.push_str(&format!("not ready {name}: {detail}\n"));
        }
    }
    for warning in cluster["warnings"].as_array().into_iter().flatten() {
        text.push_str(&format!("warning   {}\n", cell(warning)));
    }
    text
}
