//! What no compiler checks, in one pass; every finding is printed, then the chore fails.

mod imports;
mod layout;
mod licences;
mod sizes;
mod words;

use crate::{say, workspace::Workspace};
use anyhow::{Result, bail};

/// One thing that is not as it should be: where, and what to do.
pub(crate) type Finding = String;

type Check = fn(&Workspace) -> Result<Vec<Finding>>;

const ALL: &[(&str, Check)] = &[
    ("layout", layout::check),
    ("imports", imports::check),
    ("licences", licences::check),
    ("sizes", sizes::check),
    ("words", words::check),
];

/// Runs every check.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut found = 0;
    for (name, check) in ALL {
        let findings = check(workspace)?;
        found += findings.len();
        for finding in &findings {
            say(&format!("tidy {name}: {finding}"));
        }
    }
    if found > 0 {
        bail!("tidy found {found} things to mend");
    }
    say(&format!("tidy: {} checks, nothing to mend", ALL.len()));
    Ok(())
}

/// The part of a Rust file before its test module, with its number of lines in all.
pub(crate) fn without_tests(text: &str) -> (&str, usize) {
    let product = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or(text);
    (product, text.lines().count())
}
