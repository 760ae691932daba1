//! What may stand at the top of the repository.

use super::Finding;
use crate::workspace::Workspace;
use anyhow::Result;
use std::collections::BTreeSet;

const TOP: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "api",
    "benches",
    "cluster",
    "deploy",
    "docker-compose.yml",
    "jepsen",
    "node",
    "scripts",
    "storage",
];

/// Everything at the top is on the list or a dotfile, and everything on the list is there.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut present = BTreeSet::new();
    for file in workspace.files()? {
        if let Some(first) = file.components().next() {
            present.insert(first.as_os_str().to_string_lossy().into_owned());
        }
    }
    let surplus = present
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP.contains(&name.as_str()))
        .map(|name| format!("{name} does not belong at the top: place it in one of the rooms"));
    let missing = TOP
        .iter()
        .filter(|name| !present.contains(**name))
        .map(|name| format!("{name} is missing at the top"));
    Ok(surplus.chain(missing).collect())
}
