//! What is wrong with a configuration, for the person who wrote it.

use super::setting::Wrong;
use std::fmt;

/// A configuration that cannot be used: everything found wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// File it came from; empty where there was none.
    pub file: String,
    /// What is wrong, at least one.
    pub wrong: Vec<Wrong>,
}

impl std::error::Error for ConfigError {}

impl fmt::Display for ConfigError {
    /// One line each: `bursar.yaml:3: admin.tokn: unknown field, did you mean token?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, wrong) in self.wrong.iter().enumerate() {
            if nth > 0 {
                writeln!(f)?;
            }
            match (self.file.is_empty(), wrong.line) {
                (true, _) => {}
                (false, 0) => write!(f, "{}: ", self.file)?,
                (false, line) => write!(f, "{}:{line}: ", self.file)?,
            }
            if !wrong.path.is_empty() {
                write!(f, "{}: ", wrong.path)?;
            }
            f.write_str(&wrong.say)?;
        }
        Ok(())
    }
}

/// What the YAML parser found, with a suggestion where a name was mistyped.
pub(super) fn from_yaml(error: &serde_saphyr::Error) -> Wrong {
    let error = error.without_snippet();
    let line = error.location().map_or(0, |location| location.line());
    let (path, say) = match error {
        serde_saphyr::Error::SerdeUnknownField { field, expected, .. } => {
            (field.clone(), unknown(field, expected))
        }
        other => (String::new(), first_line(&other.to_string())),
    };
    Wrong { path, line, say }
}

fn unknown(field: &str, expected: &[&'static str]) -> String {
    match api::admin::suggest(field, expected) {
        Some(near) => format!("unknown field, did you mean {near}?"),
        None => format!("unknown field, expected one of {}", expected.join(", ")),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
