//! Chores that build or write: the static binary, generated documents, golden bytes.

use crate::{say, workspace::Workspace};
use anyhow::Result;

/// Builds the static release binary, as the container image does.
pub(crate) fn static_binary(workspace: &Workspace) -> Result<()> {
    workspace.run("scripts/static-build", &[], &[])
}

/// Writes the documents that are generated from code and committed.
pub(crate) fn openapi(workspace: &Workspace) -> Result<()> {
    for (args, file) in [
        (["openapi"].as_slice(), "api/openapi/admin-v1.json"),
        (["config", "schema"].as_slice(), "node/config.schema.json"),
    ] {
        let mut command = vec!["run", "--quiet", "--package", "bursar", "--"];
        command.extend(args);
        let document = workspace.output("cargo", &command)?;
        std::fs::write(workspace.root.join(file), document)?;
        say(&format!("wrote {file}"));
    }
    Ok(())
}

/// Lets the storage tests write golden bytes for formats that have none yet.
pub(crate) fn golden(workspace: &Workspace) -> Result<()> {
    let args = ["test", "--package", "storage", "golden"];
    workspace.run("cargo", &args, &[("BURSAR_WRITE_GOLDEN", "1")])
}
