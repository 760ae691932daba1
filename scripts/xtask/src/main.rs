//! The project's own chores, without tools to install: `cargo xtask <chore>`.

mod release;
mod tidy;
mod workspace;

use anyhow::{Result, bail};
use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <chore>

  tidy      checks what no compiler does: layout, who imports whom, sizes, licences, lists
  openapi   writes api/openapi/admin-v1.json and node/config.schema.json from the code
  golden    writes golden bytes for formats that have none yet; never changes existing ones
  release   builds the static release binary and says where it is";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let workspace = workspace::Workspace::find()?;
    match std::env::args().nth(1).as_deref() {
        Some("tidy") => tidy::run(&workspace),
        Some("openapi") => release::openapi(&workspace),
        Some("golden") => release::golden(&workspace),
        Some("release") => release::static_binary(&workspace),
        Some("help" | "--help" | "-h") | None => {
            say(HELP);
            Ok(())
        }
        Some(other) => bail!("no chore named {other}\n\n{HELP}"),
    }
}

/// Prints a line for the person who called.
#[expect(clippy::print_stdout, reason = "this program's output is for its terminal")]
fn say(line: &str) {
    println!("{line}");
}

#[expect(clippy::print_stderr, reason = "this program's output is for its terminal")]
fn complain(line: &str) {
    eprintln!("{line}");
}
