//! `bursar drain`: has a node leave.

use super::client::Target;
use super::out::{self, Column, cell};
use clap::Args;
use reqwest::Method;

/// Has a node leave as SIGTERM does: not ready at once, requests in flight finish, then it stops.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar drain
  bursar drain --url http://10.0.0.2:8081")]
pub(super) struct Drain {
    #[command(flatten)]
    target: Target,
}

const COLUMNS: [Column; 3] = [
    Column { name: "NODE", of: |row| cell(&row["label"]) },
    Column { name: "REQUESTS", of: |row| cell(&row["requests_in_flight"]) },
    Column { name: "STREAMS", of: |row| cell(&row["streams_in_flight"]) },
];

impl Drain {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let node = self.target.with(async |admin| {
            Ok(admin.write(Method::POST, "nodes/self:drain", None).await?.body)
        })?;
        out::answer(self.target.output, &node, std::slice::from_ref(&node), &COLUMNS)
    }
}
