//! Who may know whom: crates by their manifests, files by the names they use.

use super::Finding;
use crate::workspace::{Package, Workspace};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Which of our crates each of our crates may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("ledger", &[]),
    ("wire", &[]),
    ("storage", &["ledger"]),
    ("cluster", &["ledger", "storage"]),
    ("api", &["wire"]),
    ("cost", &["ledger", "wire"]),
    ("bursar", &["api", "cluster", "cost", "ledger", "storage", "wire"]),
    ("jepsen", &["bursar", "cluster", "cost", "ledger", "storage", "wire"]),
    ("benches", &["bursar", "api", "cluster", "ledger", "storage", "wire"]),
    ("xtask", &[]),
];

/// Names that only some files may use: the name, the folders or files that may, what it is for.
const FILES: &[(&str, &[&str], &str)] = &[
    ("sled::", &["storage/src/engine.rs", "storage/src/engine/"], "sled is named in one place"),
    (
        "bincode::",
        &["storage/src/format.rs", "storage/src/format/"],
        "bincode is named in one place",
    ),
    (
        "ledger::Price",
        &["node/", "storage/", "benches/", "jepsen/src/sim/"],
        "money is the ledger's and the node's",
    ),
];

#[derive(Deserialize)]
struct Deny {
    bans: Bans,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
    wrappers: Vec<String>,
}

/// Checks manifests against the rooms and `.deny.toml`, and files against the names they may use.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let packages = workspace.packages()?;
    let own: Vec<&Package> = packages.iter().filter(|package| package.source.is_none()).collect();
    let deny: Deny =
        toml::from_str(&workspace.read(".deny.toml".as_ref())?).context(".deny.toml")?;
    let mut findings = rooms(&own);
    findings.extend(bans(&own, &deny.bans.deny));
    findings.extend(manifests(workspace)?);
    findings.extend(names(workspace)?);
    Ok(findings)
}

fn rooms(own: &[&Package]) -> Vec<Finding> {
    let rules: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut findings = Vec::new();
    for package in own {
        let Some(allowed) = rules.get(package.name.as_str()) else {
            findings.push(format!("crate {} has no rule in tidy/imports.rs", package.name));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind.is_none()) {
            let ours = rules.contains_key(dependency.name.as_str());
            if ours && !allowed.contains(&dependency.name.as_str()) {
                findings.push(format!("{} may not import {}", package.name, dependency.name));
            }
        }
    }
    findings
}

fn bans(own: &[&Package], bans: &[Ban]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in own {
        for dependency in package.dependencies.iter().filter(|d| d.kind.is_none()) {
            for ban in bans.iter().filter(|ban| ban.name == dependency.name) {
                if !ban.wrappers.contains(&package.name) {
                    let who = ban.wrappers.join(", ");
                    findings
                        .push(format!("{} may not import {}: only {who}", package.name, ban.name));
                }
            }
        }
    }
    findings
}

/// Versions stand once, in the root manifest.
fn manifests(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        if !file.ends_with("Cargo.toml") || file.components().count() == 1 {
            continue;
        }
        let manifest: toml::Table =
            workspace.read(&file)?.parse().with_context(|| file.display().to_string())?;
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let lines = manifest.get(table).and_then(toml::Value::as_table);
            for (name, line) in lines.into_iter().flatten() {
                if line.get("workspace").and_then(toml::Value::as_bool) != Some(true) {
                    findings
                        .push(format!("{}: {name} must be `.workspace = true`", file.display()));
                }
            }
        }
    }
    Ok(findings)
}

fn names(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        let path = file.to_string_lossy();
        if !path.ends_with(".rs") || path.starts_with("scripts/xtask") {
            continue;
        }
        let text = workspace.read(&file)?;
        for (name, allowed, why) in FILES {
            let named = text.lines().any(|line| names_in_code(line, name));
            if named && !allowed.iter().any(|place| path.starts_with(place)) {
                findings.push(format!("{path} names {name} but {why}: {}", allowed.join(", ")));
            }
        }
    }
    Ok(findings)
}

fn names_in_code(line: &str, name: &str) -> bool {
    !line.trim_start().starts_with("//") && line.contains(name)
}
