//! Schemas in Google's older subset of OpenAPI, made JSON schemas.

use crate::chat::{Extra, Raw};
use crate::json::{Fields, Out, items, text};

/// Limits that may come as texts, being 64-bit numbers.
const LIMITS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// A JSON schema of the same meaning: types in lower case, `nullable` as a type, limits as numbers. The
/// order of members is kept, for models answer in it.
pub(super) fn to_json_schema(schema: &str) -> Raw {
    Raw::new(&converted(schema))
}

fn converted(schema: &str) -> String {
    let Ok(fields) = Fields::read(schema) else { return schema.to_owned() };
    let members = fields.rest();
    let nullable = members.get("nullable") == Some("true");
    let mut out = Out::default();
    out.item(|out| {
        for (key, value) in members.iter() {
            member(out, key, value.as_str(), nullable);
        }
    });
    out.into_text()
}

fn member(out: &mut Out, key: &str, value: &str, nullable: bool) {
    match key {
        // The order of properties is theirs in the text.
        "nullable" | "propertyOrdering" | "property_ordering" => {}
        "type" => kind(out, value, nullable),
        // An enumeration is told by its values.
        "format" if text(value).as_deref() == Some("enum") => {}
        "enum" => out.list("enum", |out| {
            let values = items(value).unwrap_or_default();
            values.iter().for_each(|value| out.raw_item(value));
            if nullable && !values.contains(&"null") {
                out.raw_item("null");
            }
        }),
        "items" | "additionalProperties" => out.raw(key, &converted(value)),
        "anyOf" | "any_of" => out.list("anyOf", |out| {
            let kinds = items(value).unwrap_or_default();
            kinds.iter().for_each(|kind| out.raw_item(&converted(kind)));
        }),
        "properties" => out.member("properties", |out| {
            let properties = Fields::read(value).map(Fields::rest).unwrap_or_default();
            write_properties(out, &properties);
        }),
        _ if value == "null" && key != "default" => {}
        _ => {
            let number = text(value).filter(|_| LIMITS.contains(&key));
            let number = number.and_then(|digits| digits.parse::<u64>().ok());
            match number {
                Some(number) => out.number(key, number),
                None => out.raw(key, value),
            }
        }
    }
}

fn write_properties(out: &mut Out, properties: &Extra) {
    for (name, schema) in properties.iter() {
        out.raw(name, &converted(schema.as_str()));
    }
}

fn kind(out: &mut Out, value: &str, nullable: bool) {
    // Clients that speak in numbers give the place in Google's enumeration.
    const NUMBERED: [&str; 8] =
        ["type_unspecified", "string", "number", "integer", "boolean", "array", "object", "null"];
    let numbered = || Some((*NUMBERED.get(value.parse::<usize>().ok()?)?).to_owned());
    let Some(name) = text(value).or_else(numbered) else { return out.raw("type", value) };
    match name.to_ascii_lowercase().as_str() {
        "type_unspecified" => {}
        name if nullable => out.list("type", |out| {
            out.text_item(name);
            out.text_item("null");
        }),
        name => out.text("type", name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_subset_becomes_a_json_schema_in_the_same_order() {
        let older = r#"{"type":"OBJECT","propertyOrdering":["z"],"title":null,"properties":{"z":{"type":"STRING",
            "nullable":true,"format":"enum","enum":["x"]},"type":{"maxItems":"3","items":{"type":"NUMBER"}}}}"#;
        let expected = concat!(
            r#"{"type":"object","properties":{"z":{"type":["string","null"],"enum":["x",null]},"#,
            r#""type":{"maxItems":3,"items":{"type":"number"}}}}"#
        );
        assert_eq!(to_json_schema(older).as_str(), expected);
        let numbered = r#"{"type":6,"properties":{"a":{"type":1}}}"#;
        let expected = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
        assert_eq!(to_json_schema(numbered).as_str(), expected);
        let newer = r#"{"type":["string","null"],"$ref":"x","minLength":1,"default":null}"#;
        assert_eq!(to_json_schema(newer).as_str(), newer);
    }
}
