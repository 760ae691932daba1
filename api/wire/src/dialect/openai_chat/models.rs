//! The list that `GET /v1/models` answers.

use bytes::Bytes;

use crate::json::quote;

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model<'a> {
    /// The name to put into `model`.
    pub id: &'a str,
    /// Seconds since 1970; 0 where unknown.
    pub created_s: u64,
    /// Who serves it, e.g. the provider's name.
    pub owned_by: &'a str,
}

/// The list as a body, in the order given.
#[must_use]
pub fn models_body<'a>(models: impl IntoIterator<Item = Model<'a>>) -> Bytes {
    let entries: Vec<String> = models.into_iter().map(entry).collect();
    Bytes::from(format!(r#"{{"object":"list","data":[{}]}}"#, entries.join(",")))
}

/// One model as a body, which `GET /v1/models/{id}` answers.
#[must_use]
pub fn model_body(model: Model<'_>) -> Bytes {
    Bytes::from(entry(model))
}

fn entry(Model { id, created_s, owned_by }: Model<'_>) -> String {
    format!(
        r#"{{"id":{},"object":"model","created":{created_s},"owned_by":{}}}"#,
        quote(id),
        quote(owned_by)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_has_every_field_the_sdks_read() {
        let models = [
            Model { id: "openai/gpt-4o-mini", created_s: 0, owned_by: "openai" },
            Model { id: "a\"b", created_s: 1_700_000_000, owned_by: "local" },
        ];
        let expected = concat!(
            r#"{"object":"list","data":[{"id":"openai/gpt-4o-mini","object":"model","created":0,"owned_by":"openai"},"#,
            r#"{"id":"a\"b","object":"model","created":1700000000,"owned_by":"local"}]}"#,
        );
        assert_eq!(models_body(models), expected);
        assert_eq!(models_body([]), r#"{"object":"list","data":[]}"#);
    }
}
