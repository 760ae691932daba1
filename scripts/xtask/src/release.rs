//! Chores that build or write: the static binary, generated documents, golden bytes.

use crate::{say, workspace::Workspace};
use anyhow::Result;

const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Builds the static release binary. A target is named so that only the program is linked statically:
/// build scripts and procedural macros must stay dynamic.
pub(crate) fn static_binary(workspace: &Workspace) -> Result<()> {
    workspace.run(
        "cargo",
        &["build", "--locked", "--release", "--package", "bursar", "--target", TARGET],
        &[("RUSTFLAGS", "-C target-feature=+crt-static")],
    )?;
    let built = workspace.root.join("target").join(TARGET).join("release/bursar");
    say(&built.display().to_string());
    Ok(())
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
