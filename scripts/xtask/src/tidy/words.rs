//! Words that do not belong in finished work.

use super::Finding;
use crate::workspace::Workspace;
use anyhow::Result;

/// The word, where it is unwelcome, and what to do instead.
const UNWELCOME: &[(&str, Place, &str)] = &[
    ("todo!(", Place::Anywhere, "finish it"),
    ("unimplemented!(", Place::Anywhere, "finish it"),
    ("TODO", Place::Anywhere, "finish it, or say what is so and why"),
    ("FIXME", Place::Anywhere, "mend it"),
    ("XXX", Place::Anywhere, "mend it"),
    ("#[allow(", Place::Anywhere, "use #[expect(..., reason = \"...\")]"),
    ("#[ignore", Place::Anywhere, "a test that does not run proves nothing"),
    ("thread::sleep", Place::Anywhere, "wait for the event"),
    ("time::sleep(", Place::Tests, "wait for the event, or pause the clock"),
];

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Anywhere,
    Tests,
}

/// No Rust file holds an unwelcome word.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        let path = file.to_string_lossy();
        if !path.ends_with(".rs") || path.starts_with("scripts/xtask") {
            continue;
        }
        let text = workspace.read(&file)?;
        let mut in_tests = path.contains("/tests/");
        for (number, line) in text.lines().enumerate() {
            in_tests |= line.starts_with("#[cfg(test)]");
            for (word, place, instead) in UNWELCOME {
                if line.contains(word) && (*place == Place::Anywhere || in_tests) {
                    findings.push(format!("{path}:{}: `{word}`: {instead}", number + 1));
                }
            }
        }
    }
    Ok(findings)
}
