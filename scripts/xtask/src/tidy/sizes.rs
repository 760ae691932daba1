//! Files one can read in a sitting.

use super::{Finding, without_tests};
use crate::workspace::Workspace;
use anyhow::Result;

/// Lines in all, tests included.
const FILE_LINES_MAX: usize = 600;
/// Lines before the test module.
const PRODUCT_LINES_MAX: usize = 400;

/// No Rust file is longer than the wall; each begins by saying what it is.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in workspace.files()? {
        if file.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = workspace.read(&file)?;
        let (product, lines) = without_tests(&text);
        let product_lines = product.lines().count();
        let path = file.display();
        if lines > FILE_LINES_MAX {
            findings.push(format!(
                "{path} has {lines} lines, {FILE_LINES_MAX} is the wall: find the seam"
            ));
        } else if product_lines > PRODUCT_LINES_MAX {
            findings.push(format!(
                "{path} has {product_lines} lines without tests, {PRODUCT_LINES_MAX} is the wall"
            ));
        }
        if !text.starts_with("//!") {
            findings.push(format!("{path} does not begin by saying what it is (`//!`)"));
        }
    }
    Ok(findings)
}
