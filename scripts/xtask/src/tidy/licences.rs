//! Licences of everything that is built in.

use super::Finding;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use serde::Deserialize;

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
}

/// Each package offers at least one licence of the list in `.deny.toml`.
pub(super) fn check(workspace: &Workspace) -> Result<Vec<Finding>> {
    let deny: Deny =
        toml::from_str(&workspace.read(".deny.toml".as_ref())?).context(".deny.toml")?;
    let mut findings = Vec::new();
    for package in workspace.packages()? {
        let licence = package.license.as_deref().unwrap_or("none stated");
        if !acceptable(licence, &deny.licenses.allow) {
            findings.push(format!("{} {} is under {licence}", package.name, package.version));
        }
    }
    Ok(findings)
}

/// Reads an SPDX expression: any side of an `OR` will do, every side of an `AND` must.
fn acceptable(expression: &str, allow: &[String]) -> bool {
    let flat = expression.replace(['(', ')'], "").replace('/', " OR ");
    flat.split(" OR ").any(|side| {
        side.split(" AND ").all(|licence| allow.iter().any(|allowed| allowed == licence.trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::acceptable;

    #[test]
    fn one_acceptable_side_of_an_or_is_enough_and_all_sides_of_an_and_are_needed() {
        let allow = ["MIT".to_owned(), "Apache-2.0".to_owned()];
        assert!(acceptable("MIT OR GPL-3.0", &allow));
        assert!(acceptable("MIT/Apache-2.0", &allow));
        assert!(acceptable("MIT AND Apache-2.0", &allow));
        assert!(!acceptable("MIT AND GPL-3.0", &allow));
        assert!(!acceptable("MPL-2.0", &allow));
    }
}
