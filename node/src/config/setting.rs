//! One value of the file: kept as written, with its line, until it is resolved.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Visitor};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// A value of type `T` as written: `8080`, `${env:PORT}`, `${env:PORT:-8080}` or `${file:/run/port}`.
#[derive(Clone)]
pub struct Setting<T> {
    /// As written. May be a secret, so it is never shown.
    written: String,
    /// Line in the file; zero for a flag.
    line: u64,
    value: PhantomData<fn() -> T>,
}

impl<T> Setting<T> {
    /// A value from the command line.
    pub fn flag(written: impl Into<String>) -> Self {
        Self { written: written.into(), line: 0, value: PhantomData }
    }
}

impl<T> fmt::Debug for Setting<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting(line {})", self.line)
    }
}

/// Where references are looked up.
pub trait Surroundings {
    /// An environment variable; `None` where it is not set.
    fn env(&self, name: &str) -> Option<String>;
    /// The text of a file.
    ///
    /// # Errors
    ///
    /// What the system said.
    fn file(&self, path: &str) -> Result<String, String>;
}

/// The process' own environment and files.
pub struct Process;

impl Surroundings for Process {
    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        std::fs::read_to_string(path).map_err(|e| e.to_string())
    }
}

/// Something wrong with one setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Dotted path of the setting.
    pub path: String,
    /// Line in the file; zero where it is not about a line.
    pub line: u64,
    /// What is wrong, and what to do.
    pub say: String,
}

impl<T> Setting<T>
where
    T: FromStr,
    T::Err: fmt::Display,
{
    /// Looks references up and reads the value.
    ///
    /// # Errors
    ///
    /// A reference that leads nowhere, or text that is no `T`.
    pub fn resolve(&self, path: &str, from: &dyn Surroundings) -> Result<T, Wrong> {
        let wrong = |say: String| Wrong { path: path.to_owned(), line: self.line, say };
        let text = expand(&self.written, from).map_err(wrong)?;
        text.parse().map_err(|e| wrong(format!("{e}")))
    }
}

/// Replaces every reference in `written`.
fn expand(written: &str, from: &dyn Surroundings) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let (reference, after) = after
            .split_once('}')
            .ok_or("a reference that begins with ${ does not end: add the }")?;
        text.push_str(&look_up(reference, from)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn look_up(reference: &str, from: &dyn Surroundings) -> Result<String, String> {
    match reference.split_once(':') {
        Some(("env", name)) => {
            let (name, default) = match name.split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (name, None),
            };
            // As in a shell, `:-` also stands in for a variable that is set and empty.
            match (from.env(name), default) {
                (Some(value), Some(default)) if value.is_empty() => Ok(default.to_owned()),
                (Some(value), _) => Ok(value),
                (None, Some(default)) => Ok(default.to_owned()),
                (None, None) => Err(format!(
                    "environment variable {name} is not set: set it, or write ${{env:{name}:-default}}"
                )),
            }
        }
        Some(("file", path)) => from
            .file(path)
            .map(|text| text.trim_end().to_owned())
            .map_err(|e| format!("file {path} cannot be read: {e}")),
        _ => Err(format!(
            "${{{reference}}} is no reference this version knows: use ${{env:NAME}}, ${{env:NAME:-default}} or ${{file:/path}}"
        )),
    }
}

/// A scalar of any kind, as text.
struct Scalar(String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyScalar;
        impl Visitor<'_> for AnyScalar {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value")
            }

            fn visit_str<E>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar(text.to_owned()))
            }
        }
        deserializer.deserialize_str(AnyScalar)
    }
}

impl<'de, T> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = serde_saphyr::Spanned::<Scalar>::deserialize(deserializer)?;
        Ok(Self { line: scalar.referenced.line(), written: scalar.value.0, value: PhantomData })
    }
}

impl<T> JsonSchema for Setting<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Setting".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer", "boolean"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Surroundings for Fixed {
        fn env(&self, name: &str) -> Option<String> {
            match name {
                "PORT" => Some("9000".into()),
                "EMPTY" => Some(String::new()),
                _ => None,
            }
        }

        fn file(&self, path: &str) -> Result<String, String> {
            match path {
                "/port" => Ok("9001\n".into()),
                _ => Err("no such file".into()),
            }
        }
    }

    fn port(written: &str) -> Result<u16, String> {
        Setting::flag(written).resolve("port", &Fixed).map_err(|wrong| wrong.say)
    }

    #[test]
    fn references_are_looked_up() {
        assert_eq!(port("8080"), Ok(8080));
        assert_eq!(port("${env:PORT}"), Ok(9000));
        assert_eq!(port("${env:NONE:-8081}"), Ok(8081));
        assert_eq!(port("${env:EMPTY:-8082}"), Ok(8082));
        assert_eq!(port("${file:/port}"), Ok(9001));
        assert_eq!(port("1${env:NONE:-2}3"), Ok(123));
    }

    #[test]
    fn a_reference_that_leads_nowhere_says_what_to_do() {
        assert!(port("${env:NONE}").unwrap_err().contains("set it, or write ${env:NONE:-default}"));
        assert!(port("${file:/none}").unwrap_err().contains("cannot be read: no such file"));
        assert!(port("${vault:x}").unwrap_err().contains("no reference this version knows"));
        assert!(port("${env:PORT").unwrap_err().contains("add the }"));
    }

    #[test]
    fn what_was_written_is_not_shown() {
        assert_eq!(format!("{:?}", Setting::<String>::flag("hunter2")), "Setting(line 0)");
    }
}
