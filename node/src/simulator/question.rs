//! What a caller asks of the simulated provider.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::behaviour::Behaviour;

/// Bytes that count as one token. One token is never less than a byte, as a gateway's bound assumes.
pub(super) const BYTES_PER_TOKEN: u64 = 4;
/// Most choices in one answer.
const CHOICES_MAX: u64 = 16;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model: Cow<'a, str>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(borrow, default)]
    prompt: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
    #[serde(default)]
    n: Option<u64>,
    #[serde(default)]
    dimensions: Option<u64>,
    #[serde(borrow, default)]
    encoding_format: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// Which endpoint was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Chat,
    Completion,
    Embedding,
}

/// A request, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) kind: Kind,
    pub(super) model: String,
    pub(super) input_tokens: u64,
    /// Output tokens the caller allows.
    pub(super) limit: Option<u64>,
    pub(super) choices: u64,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// Texts to embed.
    pub(super) texts: u64,
    pub(super) dimensions: u64,
    pub(super) base64: bool,
    /// What the marker in the prompt asks for.
    pub(super) behaviour: Behaviour,
}

/// Reads a request body. The error is for the caller.
pub(super) fn read(kind: Kind, bytes: &[u8]) -> Result<Question, String> {
    let body: Body<'_> =
        serde_json::from_slice(bytes).map_err(|error| format!("bad request body: {error}"))?;
    let (prompt, name) = match kind {
        Kind::Chat => (body.messages, "messages"),
        Kind::Completion => (body.prompt, "prompt"),
        Kind::Embedding => (body.input, "input"),
    };
    let prompt = prompt.ok_or_else(|| format!("missing required parameter: '{name}'"))?.get();
    let tools = body.tools.map_or(0, |tools| tools.get().len());
    let choices = body.n.unwrap_or(1);
    if !(1..=CHOICES_MAX).contains(&choices) {
        return Err(format!("n is {choices}, 1 to {CHOICES_MAX} are served"));
    }
    Ok(Question {
        kind,
        model: body.model.into_owned(),
        input_tokens: ((prompt.len() + tools) as u64).div_ceil(BYTES_PER_TOKEN),
        limit: body.max_completion_tokens.or(body.max_tokens),
        choices,
        stream: body.stream.unwrap_or(false) && kind != Kind::Embedding,
        include_usage: body.stream_options.is_some_and(|options| options.include_usage),
        texts: if kind == Kind::Embedding { texts(prompt) } else { 1 },
        dimensions: body.dimensions.unwrap_or(64).clamp(1, 4_096),
        base64: body.encoding_format.as_deref() == Some("base64"),
        behaviour: marker(prompt)?,
    })
}

/// How many texts an embedding's `input` holds: one, or as many as its list of texts or of token lists.
fn texts(input: &str) -> u64 {
    match serde_json::from_str::<Vec<&RawValue>>(input) {
        Ok(list) if list.first().is_some_and(|first| first.get().starts_with(['"', '['])) => {
            list.len() as u64
        }
        Ok(_) | Err(_) => 1,
    }
}

/// Finds `sim{...}` in the prompt.
fn marker(prompt: &str) -> Result<Behaviour, String> {
    let Some(start) = memchr::memmem::find(prompt.as_bytes(), b"sim{") else {
        return Ok(Behaviour::default());
    };
    let inside = &prompt[start + 4..];
    match inside.find('}') {
        Some(end) => Behaviour::parse(&inside[..end]),
        None => Ok(Behaviour::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_is_counted_from_the_bytes_of_the_prompt() {
        let messages = r#"[{"role":"user","content":"hi"}]"#;
        let body = format!(r#"{{"model":"m","messages":{messages},"max_tokens":7,"unknown":[1]}}"#);
        let question = read(Kind::Chat, body.as_bytes()).unwrap();
        assert_eq!(question.input_tokens, messages.len().div_ceil(4) as u64);
        assert_eq!(question.limit, Some(7));
        assert!(!question.stream);
    }

    #[test]
    fn the_newer_name_of_the_limit_wins() {
        let body =
            br#"{"model":"m","prompt":"x","max_tokens":7,"max_completion_tokens":3,"stream":true}"#;
        let question = read(Kind::Completion, body).unwrap();
        assert_eq!((question.limit, question.stream), (Some(3), true));
    }

    #[test]
    fn texts_to_embed_are_counted_not_tokens() {
        for (input, expected) in
            [(r#""one""#, 1), (r#"["a","b"]"#, 2), ("[1,2,3]", 1), ("[[1],[2,3]]", 2)]
        {
            assert_eq!(texts(input), expected, "{input}");
        }
    }

    #[test]
    fn a_marker_in_the_prompt_is_followed() {
        let body =
            br#"{"model":"m","messages":[{"role":"user","content":"please sim{status=429} now"}]}"#;
        assert_eq!(read(Kind::Chat, body).unwrap().behaviour.status, Some(429));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = read(Kind::Chat, br#"{"model":"m"}"#).unwrap_err();
        assert_eq!(error, "missing required parameter: 'messages'");
        assert!(read(Kind::Chat, b"{").unwrap_err().starts_with("bad request body"));
    }
}
