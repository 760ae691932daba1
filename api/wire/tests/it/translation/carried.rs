//! Signatures of one maker survive callers of a dialect that knows another's only.

use serde_json::{Value, json};
use wire::chat::{Identity, replay};
use wire::dialect::{anthropic_messages as anthropic, openai_chat::chat as openai};
use wire::splice::OutputField;

use super::support::{collected, events, target};

/// An answer with a signed thought, an encrypted one and a signed call, none of them Claude's.
fn answer() -> wire::chat::Answer {
    let body = json!({"id": "a", "model": "m", "choices": [{"index": 0, "finish_reason": "tool_calls",
        "message": {"role": "assistant", "content": "words",
            "reasoning_details": [
                {"type": "reasoning.summary", "summary": "so", "signature": "SIGNED",
                    "format": "openai-responses-v1", "index": 0},
                {"type": "reasoning.encrypted", "data": "SECRET", "format": "xai-responses-v1", "index": 1}],
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"},
                "extra_content": {"google": {"thought_signature": "CALLED"}}}]}}]});
    openai::read_answer(body.to_string().as_bytes()).unwrap()
}

/// What the caller of Anthropic's face sends back, as it reaches another provider and Claude.
fn sent_back(content: &Value) -> (Value, Value) {
    let body = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "hi"}, {"role": "assistant", "content": content}]});
    let request = anthropic::read_request(body.to_string().as_bytes()).unwrap();
    let target = target("claude-x", OutputField::MaxTokens);
    let parts = &request.turns[1].parts;
    let call = parts.iter().find(|part| part.is_client_call()).unwrap();
    assert_eq!(call.signature.as_deref(), Some("CALLED"));
    let read = |body: Vec<u8>| serde_json::from_slice::<Value>(&body).unwrap();
    let other = read(openai::write_request(&request, &target).unwrap().body);
    let claude = read(anthropic::write_request(&request, &target).unwrap().body);
    (other["messages"][1].clone(), claude["messages"][1].clone())
}

fn check(content: &Value) {
    let (other, claude) = sent_back(content);
    let details = other["reasoning_details"].as_array().unwrap();
    assert_eq!(
        (&details[0]["signature"], &details[0]["format"], &details[0]["text"]),
        (&json!("SIGNED"), &json!("openai-responses-v1"), &json!("so"))
    );
    assert_eq!(
        (&details[1]["data"], &details[1]["format"]),
        (&json!("SECRET"), &json!("xai-responses-v1"))
    );
    // Claude gets none of what is not its own.
    let kinds: Vec<&Value> =
        claude["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["text", "tool_use"]);
}

#[test]
fn foreign_signatures_come_back_from_a_caller_of_anthropics_face() {
    let message: Value =
        serde_json::from_slice(&anthropic::write_answer(&answer(), &Identity::default())).unwrap();
    check(&message["content"]);
}

#[test]
fn foreign_signatures_come_back_from_a_stream_of_anthropics_face() {
    use wire::chat::WriteStream;
    let mut writer = anthropic::StreamWriting::new(Identity::default());
    let mut out = Vec::new();
    replay(&answer()).iter().for_each(|event| writer.event(event, &mut out));
    super::valid::anthropic(std::str::from_utf8(&out).unwrap());
    let said = events(Box::new(anthropic::StreamReading::new()), &out, []);
    let gathered = collected(&said).0;
    // The client gathers the blocks as they came.
    let blocks = gathered.choices[0].parts.iter().map(|part| match &part.body {
        wire::chat::Body::Thinking(thought) => json!({"type": "thinking", "thinking": thought.text,
            "signature": part.signature}),
        wire::chat::Body::Redacted(thought) => {
            json!({"type": "redacted_thinking", "data": data_of(&out, &thought.data)})
        }
        wire::chat::Body::Text(text) => json!({"type": "text", "text": text.text}),
        wire::chat::Body::ToolCall(call) => {
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}})
        }
        other => panic!("{other:?}"),
    });
    check(&blocks.collect());
}

/// The data of a redacted block as it stands in the stream.
fn data_of(stream: &[u8], end: &str) -> String {
    let stream = std::str::from_utf8(stream).unwrap();
    let all = stream.split("\"data\":\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    all.map(str::to_owned).find(|data| data.ends_with(end)).unwrap()
}
