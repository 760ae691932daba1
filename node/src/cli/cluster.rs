//! `bursar cluster`: who is in it, who leads, who leaves.

use super::client::{Admin, Target, encode};
use super::out::{self, Column, cell};
use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Value, json};

/// Shows the cluster and changes who leads and who belongs to it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar cluster status
  bursar cluster members
  bursar cluster transfer-leader node-2
  bursar cluster remove node-3          for good; what it was granted stays counted as spent")]
pub(super) struct Cluster {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Shows how the cluster stands, seen from one node.
    Status,
    /// Lists the nodes.
    Members,
    /// Hands leadership to a voter, or to the one most caught up.
    TransferLeader {
        /// Number or label.
        to: Option<String>,
    },
    /// Removes a node for good.
    Remove {
        /// Number or label.
        member: String,
    },
}

const MEMBERS: [Column; 7] = [
    Column { name: "LABEL", of: |row| cell(&row["label"]) },
    Column { name: "ID", of: |row| cell(&row["id"]) },
    Column { name: "ROLE", of: |row| cell(&row["role"]) },
    Column { name: "STATE", of: |row| cell(&row["state"]) },
    Column { name: "APPLIED", of: |row| cell(&row["applied_index"]) },
    Column { name: "VERSION", of: |row| cell(&row["version"]) },
    Column { name: "CALLERS", of: |row| cell(&row["base_url"]) },
];

const STATUS: [Column; 7] = [
    Column { name: "CLUSTER", of: |row| cell(&row["cluster_id"]) },
    Column { name: "LEADER", of: |row| cell(&row["leader"]) },
    Column { name: "TERM", of: |row| cell(&row["term"]) },
    Column { name: "QUORUM", of: |row| cell(&row["quorum_ok"]) },
    Column { name: "APPLIED", of: |row| cell(&row["applied_index"]) },
    Column { name: "COMMITTED", of: |row| cell(&row["committed_index"]) },
    Column { name: "PHASE", of: |row| cell(&row["phase"]) },
];

const LEADER: [Column; 1] = [Column { name: "LEADER", of: |row| cell(&row["leader"]) }];
const REMOVED: [Column; 1] = [Column { name: "REMOVED", of: |row| cell(&row["removed"]) }];

impl Cluster {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let columns: &[Column] = match &self.action {
            Action::Status => &STATUS,
            Action::Members => &MEMBERS,
            Action::TransferLeader { .. } => &LEADER,
            Action::Remove { .. } => &REMOVED,
        };
        let whole = self.target.with(async |admin| ask(&admin, self.action).await)?;
        let rows = match &whole["items"] {
            Value::Array(items) => items.clone(),
            _ => vec![whole.clone()],
        };
        out::answer(self.target.output, &whole, &rows, columns)
    }
}

async fn ask(admin: &Admin, action: Action) -> anyhow::Result<Value> {
    let answer = match action {
        Action::Status => admin.get("cluster").await?,
        Action::Members => admin.get("cluster/members").await?,
        Action::TransferLeader { to } => {
            let body = json!({ "to": to });
            admin.write(Method::POST, "cluster:transfer-leader", Some(&body)).await?
        }
        Action::Remove { member } => {
            let path = format!("cluster/members/{}", encode(&member));
            admin.write(Method::DELETE, &path, None).await?
        }
    };
    Ok(answer.body)
}
