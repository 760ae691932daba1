//! Arguments of a call that come value by value, each with its path.

use serde_json::{Map, Value};

use crate::json::Fields;

/// Most items of one list of arguments, so that a path cannot ask for a list without end.
const ITEMS_MAX: usize = 100_000;

/// Deepest path followed.
const DEPTH_MAX: usize = 128;

/// Arguments as far as they have come.
#[derive(Debug, Default)]
pub(super) struct Partial {
    arguments: Value,
}

/// One step of a path.
enum Step<'a> {
    Member(&'a str),
    Item(usize),
}

impl Partial {
    /// Takes one of the `partialArgs`.
    pub(super) fn add(&mut self, value: &str) {
        let Ok(fields) = Fields::read(value) else { return };
        let mut fields = fields.camel();
        let Some(path) = fields.text("jsonPath") else { return };
        let Some(place) = steps(&path).and_then(|steps| self.place(&steps)) else { return };
        if let Some(more) = fields.text("stringValue") {
            match place {
                Value::String(known) => known.push_str(&more),
                other => *other = Value::String(more),
            }
            return;
        }
        let given = ["numberValue", "boolValue"].iter().find_map(|key| fields.get(key));
        *place = given.and_then(|given| serde_json::from_str(given).ok()).unwrap_or(Value::Null);
    }

    fn place(&mut self, steps: &[Step<'_>]) -> Option<&mut Value> {
        let mut at = &mut self.arguments;
        for step in steps {
            at = match step {
                Step::Member(name) => {
                    if !at.is_object() {
                        *at = Value::Object(Map::new());
                    }
                    at.as_object_mut()?.entry(*name).or_insert(Value::Null)
                }
                Step::Item(index) => {
                    if !at.is_array() {
                        *at = Value::Array(Vec::new());
                    }
                    let list = at.as_array_mut()?;
                    if list.len() <= *index {
                        list.resize(index + 1, Value::Null);
                    }
                    &mut list[*index]
                }
            };
        }
        Some(at)
    }

    /// The arguments as JSON text.
    pub(super) fn into_text(self) -> String {
        if self.arguments.is_object() { self.arguments.to_string() } else { "{}".to_owned() }
    }
}

/// The steps of a path like `$.a.b[0]` or `$['a b']`.
fn steps(path: &str) -> Option<Vec<Step<'_>>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() && steps.len() < DEPTH_MAX {
        if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            steps.push(Step::Member(&name[..end]));
            rest = &name[end..];
        } else {
            let (inside, behind) = rest.strip_prefix('[')?.split_once(']')?;
            let index = inside.parse().ok().filter(|index| *index < ITEMS_MAX);
            let name = inside.trim_matches(['\'', '"']);
            steps.push(index.map_or(Step::Member(name), Step::Item));
            rest = behind;
        }
    }
    Some(steps).filter(|steps| !steps.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_put_where_their_paths_say() {
        let mut partial = Partial::default();
        for value in [
            r#"{"jsonPath":"$.a","stringValue":"é","willContinue":true}"#,
            r#"{"jsonPath":"$.a","stringValue":"!"}"#,
            r#"{"json_path":"$.list[1].n","number_value":1.5}"#,
            r#"{"jsonPath":"$['b c']","boolValue":true}"#,
            r#"{"jsonPath":"$.none","nullValue":"NULL_VALUE"}"#,
            r#"{"jsonPath":"x","boolValue":true}"#,
            r#"{"jsonPath":"$[99999999999]","boolValue":true}"#,
        ] {
            partial.add(value);
        }
        let expected =
            r#"{"99999999999":true,"a":"é!","b c":true,"list":[null,{"n":1.5}],"none":null}"#;
        assert_eq!(partial.into_text(), expected);
    }
}
