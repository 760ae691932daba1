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

#[test]
fn claudes_signatures_come_back_from_a_caller_of_responses() {
    use wire::dialect::openai_responses as responses;
    let body = json!({"id": "m", "type": "message", "role": "assistant", "model": "claude",
        "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 1}, "content": [
            {"type": "thinking", "thinking": "so", "signature": "SIGNED"},
            {"type": "redacted_thinking", "data": "SECRET"},
            {"type": "text", "text": "words"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]});
    let answer = anthropic::read_answer(body.to_string().as_bytes()).unwrap();
    let plain: Value =
        serde_json::from_slice(&responses::write_answer(&answer, &Identity::default())).unwrap();
    let mut writer = responses::StreamWriting::new(Identity::default());
    let mut out = Vec::new();
    for event in replay(&answer) {
        wire::chat::WriteStream::event(&mut writer, &event, &mut out);
    }
    let out = String::from_utf8(out).unwrap();
    let done = out.split("event: response.output_item.done\ndata: ").skip(1);
    let items = done.map(|rest| rest.split("\n\n").next().unwrap());
    let items: Vec<Value> =
        items.map(|data| serde_json::from_str::<Value>(data).unwrap()["item"].clone()).collect();
    assert_eq!(plain["output"], Value::from(items));
    // The client sends the items back, and the result of the call.
    let mut input = vec![json!({"role": "user", "content": "hi"})];
    input.extend(plain["output"].as_array().unwrap().iter().cloned());
    input.push(json!({"type": "function_call_output", "call_id": "toolu_1", "output": "done"}));
    let body = json!({"model": "m", "input": input});
    let request = responses::read_request(body.to_string().as_bytes()).unwrap();
    let target = target("claude-sonnet-4-5", OutputField::MaxTokens);
    let written = anthropic::write_request(&request, &target).unwrap();
    let sent: Value = serde_json::from_slice(&written.body).unwrap();
    let content = sent["messages"][1]["content"].as_array().unwrap();
    assert_eq!(
        (&content[0]["thinking"], &content[0]["signature"]),
        (&json!("so"), &json!("SIGNED"))
    );
    assert_eq!(content[1], json!({"type": "redacted_thinking", "data": "SECRET"}));
    assert_eq!((&content[2]["text"], &content[3]["id"]), (&json!("words"), &json!("toolu_1")));
    // OpenAI gets none of what is not its own.
    let own = responses::write_request(&request, &target).unwrap();
    let own: Value = serde_json::from_slice(&own.body).unwrap();
    let kinds: Vec<&Value> =
        own["input"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert!(!kinds.contains(&&json!("reasoning")), "{kinds:?}");
}

#[test]
fn openais_encrypted_thoughts_come_back_from_callers_of_other_faces() {
    use wire::dialect::openai_responses as responses;
    let body = json!({"id": "r", "object": "response", "status": "completed", "model": "gpt",
        "output": [
            {"type": "reasoning", "id": "rs_1", "encrypted_content": "GAAA",
                "summary": [{"type": "summary_text", "text": "so"}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f",
                "arguments": "{}", "status": "completed"}]});
    let answer = responses::read_answer(body.to_string().as_bytes()).unwrap();
    let target = target("gpt-5", OutputField::MaxTokens);
    let chat: Value =
        serde_json::from_slice(&openai::write_answer(&answer, &Identity::default())).unwrap();
    let message: Value =
        serde_json::from_slice(&anthropic::write_answer(&answer, &Identity::default())).unwrap();
    let told = json!({"role": "assistant", "content": message["content"]});
    let asked = [
        openai::read_request(
            json!({"model": "m", "messages": [chat["choices"][0]["message"]]})
                .to_string()
                .as_bytes(),
        ),
        anthropic::read_request(
            json!({"model": "m", "max_tokens": 1, "messages": [told]}).to_string().as_bytes(),
        ),
    ];
    for request in asked {
        let written = responses::write_request(&request.unwrap(), &target).unwrap();
        let sent: Value = serde_json::from_slice(&written.body).unwrap();
        let thought = &sent["input"][0];
        assert_eq!(
            (&thought["type"], &thought["encrypted_content"]),
            (&json!("reasoning"), &json!("GAAA"))
        );
        assert_eq!(thought["summary"], json!([{"type": "summary_text", "text": "so"}]));
        assert_eq!(sent["input"][1]["call_id"], "call_1");
        assert_eq!(sent["include"], json!(["reasoning.encrypted_content"]));
    }
}
