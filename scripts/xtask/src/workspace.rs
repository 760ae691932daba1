//! The workspace as git and cargo see it.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the project stands and which files belong to it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
}

/// What `cargo metadata` says of one package.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// `None` for the workspace's own packages.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a package's manifest.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// `None` for a normal dependency, else `dev` or `build`.
    pub(crate) kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

impl Workspace {
    /// Finds the workspace this program was built from.
    pub(crate) fn find() -> Result<Workspace> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.ancestors().nth(2).context("xtask stands two folders below the root")?;
        Ok(Workspace { root: root.to_owned() })
    }

    /// Files git tracks or would track, relative to the root, in order.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        let listed =
            self.output("git", &["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let mut files: Vec<PathBuf> = listed
            .split('\0')
            .filter(|name| !name.is_empty())
            .map(PathBuf::from)
            .filter(|file| self.root.join(file).is_file())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Every package of the build, the workspace's own included.
    pub(crate) fn packages(&self) -> Result<Vec<Package>> {
        let json = self.output("cargo", &["metadata", "--format-version=1", "--locked"])?;
        let metadata: Metadata = serde_json::from_str(&json).context("cargo metadata")?;
        Ok(metadata.packages)
    }

    /// The text of a file of the workspace.
    pub(crate) fn read(&self, file: &Path) -> Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| file.display().to_string())
    }

    /// Runs a program at the root and returns what it printed.
    pub(crate) fn output(&self, program: &str, args: &[&str]) -> Result<String> {
        let done = Command::new(program)
            .args(args)
            .current_dir(&self.root)
            .output()
            .with_context(|| format!("cannot run {program}"))?;
        let errors = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "{program} {} failed: {errors}", args.join(" "));
        String::from_utf8(done.stdout).context("output is not UTF-8")
    }

    /// Runs a program at the root with its output on the terminal.
    pub(crate) fn run(&self, program: &str, args: &[&str], env: &[(&str, &str)]) -> Result<()> {
        let status = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .current_dir(&self.root)
            .status()
            .with_context(|| format!("cannot run {program}"))?;
        ensure!(status.success(), "{program} {} failed", args.join(" "));
        Ok(())
    }
}
