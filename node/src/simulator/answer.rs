//! The bytes of an answer. The same question always gets the same ones.

use std::io::Write;

use base64::Engine;
use bytes::Bytes;

use super::question::{BYTES_PER_TOKEN, Kind, Question};

/// What every answer says, again and again; [`BYTES_PER_TOKEN`] bytes of it are one token.
const TEXT: &str = "This answer is simulated. It is the same for all, and every four bytes of it are billed as a token. ";
const _: () = assert!(TEXT.len().is_multiple_of(BYTES_PER_TOKEN as usize) && TEXT.is_ascii());

/// When every answer was made, in Unix seconds.
pub(super) const CREATED: u64 = 1_700_000_000;

/// What an answer is made of, beside its text.
pub(super) struct Outline {
    /// Told by the bytes of the question.
    pub(super) id: u64,
    /// The model, quoted for JSON.
    pub(super) model_json: String,
    /// Output tokens of each choice.
    pub(super) output_tokens: u64,
    /// Whether the caller's limit cut the answer short.
    pub(super) limited: bool,
    /// Bytes of one overlong string to send.
    pub(super) huge_line_bytes: u64,
    pub(super) usage: bool,
}

impl Outline {
    pub(super) fn finish_reason(&self) -> &'static str {
        if self.limited { "length" } else { "stop" }
    }

    pub(super) fn usage_json(&self, question: &Question) -> String {
        let output = self.output_tokens.saturating_mul(question.choices);
        usage_json(question.input_tokens, output)
    }
}

/// The `usage` object.
pub(super) fn usage_json(input: u64, output: u64) -> String {
    let total = input.saturating_add(output);
    format!(r#"{{"prompt_tokens":{input},"completion_tokens":{output},"total_tokens":{total}}}"#)
}

/// Text of one token.
pub(super) fn token(n: u64) -> &'static str {
    let tokens = TEXT.len() as u64 / BYTES_PER_TOKEN;
    let start = (n % tokens * BYTES_PER_TOKEN) as usize;
    &TEXT[start..start + BYTES_PER_TOKEN as usize]
}

/// A plain answer to a chat or a completion.
pub(super) fn text(question: &Question, outline: &Outline) -> Bytes {
    let mut out = Vec::with_capacity(512 + (outline.output_tokens * BYTES_PER_TOKEN) as usize);
    let chat = question.kind == Kind::Chat;
    let (prefix, object) =
        if chat { ("chatcmpl", "chat.completion") } else { ("cmpl", "text_completion") };
    let head = format!(
        r#"{{"id":"{prefix}-sim{:016x}","object":"{object}","created":{CREATED},"model":{},"choices":["#,
        outline.id, outline.model_json,
    );
    out.extend_from_slice(head.as_bytes());
    for index in 0..question.choices {
        if index > 0 {
            out.push(b',');
        }
        let opening = if chat {
            format!(r#"{{"index":{index},"message":{{"role":"assistant","content":""#)
        } else {
            format!(r#"{{"index":{index},"text":""#)
        };
        out.extend_from_slice(opening.as_bytes());
        push_text(&mut out, outline);
        out.extend_from_slice(if chat { br#"","refusal":null}"# } else { b"\"" });
        out.extend_from_slice(br#","logprobs":null,"finish_reason":""#);
        out.extend_from_slice(outline.finish_reason().as_bytes());
        out.extend_from_slice(b"\"}");
    }
    out.push(b']');
    if outline.usage {
        out.extend_from_slice(br#","usage":"#);
        out.extend_from_slice(outline.usage_json(question).as_bytes());
    }
    out.push(b'}');
    out.into()
}

fn push_text(out: &mut Vec<u8>, outline: &Outline) {
    out.resize(out.len() + outline.huge_line_bytes as usize, b'x');
    let mut left = (outline.output_tokens * BYTES_PER_TOKEN) as usize;
    while left > 0 {
        let piece = left.min(TEXT.len());
        out.extend_from_slice(&TEXT.as_bytes()[..piece]);
        left -= piece;
    }
}

/// An answer to an embeddings request: numbers told by the question's bytes.
pub(super) fn embeddings(question: &Question, outline: &Outline) -> Bytes {
    let mut out = br#"{"object":"list","data":["#.to_vec();
    for index in 0..question.texts {
        let comma = if index > 0 { "," } else { "" };
        let opening = format!(r#"{comma}{{"object":"embedding","index":{index},"embedding":"#);
        out.extend_from_slice(opening.as_bytes());
        push_vector(&mut out, question, outline.id.wrapping_add(index));
        out.push(b'}');
    }
    let tokens = question.input_tokens;
    write!(
        out,
        r#"],"model":{},"usage":{{"prompt_tokens":{tokens},"total_tokens":{tokens}}}}}"#,
        outline.model_json
    )
    .expect("writing to memory cannot fail");
    out.into()
}

fn push_vector(out: &mut Vec<u8>, question: &Question, seed: u64) {
    let values = (0..question.dimensions).map(|n| {
        let byte = seed.wrapping_add(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56;
        // Exact in binary, so that the text and the base64 form say the same number.
        (byte as f32 - 128.0) / 128.0
    });
    if question.base64 {
        let bytes: Vec<u8> = values.flat_map(f32::to_le_bytes).collect();
        let text = base64::engine::general_purpose::STANDARD.encode(bytes);
        out.extend_from_slice(format!("\"{text}\"").as_bytes());
        return;
    }
    for (n, value) in values.enumerate() {
        let comma = if n > 0 { "," } else { "[" };
        write!(out, "{comma}{value}").expect("writing to memory cannot fail");
    }
    out.push(b']');
}

/// The list of models.
pub(super) fn models(names: &[String]) -> Bytes {
    let models: Vec<_> = names
        .iter()
        .map(|name| serde_json::json!({"id": name, "object": "model", "created": CREATED, "owned_by": "sim"}))
        .collect();
    serde_json::json!({"object": "list", "data": models}).to_string().into()
}

/// An error in OpenAI's shape.
pub(super) fn error(status: u16, message: &str) -> Bytes {
    let (kind, code) = match status {
        401 => ("invalid_request_error", Some("invalid_api_key")),
        404 => ("invalid_request_error", Some("model_not_found")),
        429 => ("requests", Some("rate_limit_exceeded")),
        500.. => ("server_error", None),
        _ => ("invalid_request_error", None),
    };
    let error = serde_json::json!({"message": message, "type": kind, "param": null, "code": code});
    serde_json::json!({ "error": error }).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::question;

    fn outline(output_tokens: u64) -> Outline {
        let model_json = "\"m\"".to_owned();
        Outline { id: 7, model_json, output_tokens, limited: true, huge_line_bytes: 0, usage: true }
    }

    #[test]
    fn a_plain_answer_is_json_with_as_much_text_as_it_bills() {
        let body = br#"{"model":"m","messages":[],"n":2}"#;
        let question = question::read(Kind::Chat, body).unwrap();
        let answer: serde_json::Value =
            serde_json::from_slice(&text(&question, &outline(50))).unwrap();
        let content = answer["choices"][1]["message"]["content"].as_str().unwrap();
        assert_eq!(content.len(), 50 * 4);
        assert_eq!(answer["usage"]["completion_tokens"], 100);
        assert_eq!(answer["choices"][0]["finish_reason"], "length");
    }

    #[test]
    fn both_spellings_of_an_embedding_say_the_same() {
        let plain =
            question::read(Kind::Embedding, br#"{"model":"m","input":["a","b"],"dimensions":3}"#);
        let mut question = plain.unwrap();
        let floats: serde_json::Value =
            serde_json::from_slice(&embeddings(&question, &outline(0))).unwrap();
        question.base64 = true;
        let coded: serde_json::Value =
            serde_json::from_slice(&embeddings(&question, &outline(0))).unwrap();
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(coded["data"][1]["embedding"].as_str().unwrap())
            .unwrap();
        let decoded: Vec<f32> =
            bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
        assert_eq!(serde_json::json!(decoded), floats["data"][1]["embedding"]);
        assert_eq!(decoded.len(), 3);
    }
}
