//! Habits of real providers that break naive translators, one record each: what the other face's caller
//! gets is what the record means.

use serde_json::{Value, json};
use wire::chat::{Answer, Identity, WriteStream};
use wire::dialect::{anthropic_messages as anthropic, openai_chat::chat as openai};

use super::support::{collected, events};
use crate::traffic;

/// The answer to a recorded call of OpenAI's dialect, as the caller of Anthropic's face gets it.
fn to_anthropic(id: &str) -> Value {
    let record = traffic::record(id);
    let body = record.response_body.as_bytes();
    let answer: Answer = if record.is_stream() {
        let said =
            events(Box::new(openai::StreamReading::new()), body, (0..body.len()).step_by(11));
        let mut writer = anthropic::StreamWriting::new(Identity::default());
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        super::valid::anthropic(std::str::from_utf8(&out).unwrap());
        collected(&events(Box::new(anthropic::StreamReading::new()), &out, [])).0
    } else {
        openai::read_answer(body).unwrap()
    };
    serde_json::from_slice(&anthropic::write_answer(&answer, &Identity::default())).unwrap()
}

/// The answer to a recorded call of Anthropic's dialect, as the caller of OpenAI's face gets it.
fn to_openai(id: &str) -> Value {
    let record = traffic::record(id);
    let body = record.response_body.as_bytes();
    let answer: Answer = if record.is_stream() {
        let said =
            events(Box::new(anthropic::StreamReading::new()), body, (0..body.len()).step_by(11));
        let mut writer =
            openai::StreamWriting::new(Identity { include_usage: true, ..Identity::default() });
        let mut out = Vec::new();
        said.iter().for_each(|event| writer.event(event, &mut out));
        super::valid::openai(std::str::from_utf8(&out).unwrap(), true);
        collected(&events(Box::new(openai::StreamReading::new()), &out, [])).0
    } else {
        anthropic::read_answer(body).unwrap()
    };
    serde_json::from_slice(&openai::write_answer(&answer, &Identity::default())).unwrap()
}

/// Names and inputs of the calls in a message.
fn calls(message: &Value) -> Vec<(Value, Value)> {
    let blocks = message["content"].as_array().unwrap().iter();
    let calls = blocks.filter(|block| block["type"] == "tool_use");
    calls.map(|call| (call["name"].clone(), call["input"].clone())).collect()
}

fn text(message: &Value) -> String {
    let blocks = message["content"].as_array().unwrap().iter();
    blocks.filter_map(|block| block["text"].as_str()).collect()
}

fn thoughts(message: &Value) -> usize {
    let blocks = message["content"].as_array().unwrap().iter();
    blocks.filter_map(|block| block["thinking"].as_str()).map(str::len).sum()
}

#[test]
fn openrouter_chat_stream_31416af490_finish_reason_twice_ends_once_with_both_calls() {
    let message = to_anthropic("openrouter-chat_stream-31416af490");
    let names = ["lookup_harbor_label", "lookup_orchard_label"];
    assert_eq!(calls(&message), names.map(|name| (json!(name), json!({}))));
    assert_eq!(message["stop_reason"], "tool_use");
    assert_eq!(message["usage"]["output_tokens"], 45);
}

#[test]
fn mistral_chat_stream_6890922b4d_calls_in_the_finishing_chunk_without_type() {
    let message = to_anthropic("mistral-chat_stream-6890922b4d");
    let names = ["lookup_harbor_label", "lookup_orchard_label"];
    assert_eq!(calls(&message), names.map(|name| (json!(name), json!({}))));
}

#[test]
fn huggingface_chat_stream_f19a780980_text_in_the_finishing_chunk_and_eos_token() {
    let message = to_anthropic("huggingface-chat_stream-f19a780980");
    assert_eq!(text(&message).len(), 43);
    assert_eq!(message["stop_reason"], "end_turn");
}

#[test]
fn snowflake_chat_stream_5e6fb1277e_no_finish_reason_ends_the_turn() {
    let message = to_anthropic("snowflake-chat_stream-5e6fb1277e");
    assert_eq!(text(&message).chars().count(), 93);
    assert_eq!(message["stop_reason"], "end_turn");
}

#[test]
fn openai_chat_stream_e80399c409_a_spoken_answer_comes_as_its_words() {
    let message = to_anthropic("openai-chat_stream-e80399c409");
    assert!(!text(&message).is_empty());
}

#[test]
fn openai_chat_07ed9f6328_stop_beside_a_call_is_tool_use() {
    let message = to_anthropic("openai-chat-07ed9f6328");
    assert_eq!(message["stop_reason"], "tool_use");
    assert_eq!(calls(&message)[0].1["name"], "Zara Nightshade");
}

#[test]
fn venice_chat_b1f0611770_empty_or_null_calls_are_no_calls() {
    for (id, letters) in [("venice-chat-b1f0611770", 1), ("mistral-chat-b13666a00e", 78)] {
        let message = to_anthropic(id);
        assert_eq!((calls(&message).len(), text(&message).len()), (0, letters), "{id}");
        assert_eq!(message["stop_reason"], "end_turn");
    }
}

#[test]
fn gemini_chat_153859f25e_calls_without_id_get_one_that_stays() {
    for id in ["gemini-chat-153859f25e", "gpustack-chat_stream-0653189412"] {
        let message = to_anthropic(id);
        assert_eq!(message, to_anthropic(id), "{id}");
        let blocks = message["content"].as_array().unwrap();
        let call = blocks.iter().find(|block| block["type"] == "tool_use").unwrap();
        assert!(call["id"].as_str().unwrap().len() > 5, "{id}");
    }
}

#[test]
fn groq_chat_stream_83e110d3ba_calls_whole_or_in_pieces_with_null_names() {
    let both = to_anthropic("groq-chat_stream-83e110d3ba");
    let sum = json!({"a": 2, "b": 3});
    let expected = [(json!("add"), sum.clone()), (json!("multiply"), sum)];
    assert_eq!(calls(&both), expected);
    let place = json!({"latitude": "52.5200", "longitude": "13.4050"});
    let weather = to_anthropic("azure-chat_stream-7e48cd1426");
    assert_eq!(calls(&weather), [(json!("weather"), place)]);
    assert_eq!(thoughts(&weather), 285);
    let add = to_anthropic("venice-chat_stream-9f0d763ea4");
    assert_eq!(calls(&add), [(json!("add"), json!({"a": 19, "b": 23}))]);
}

#[test]
fn deepseek_chat_750d7daef0_arguments_empty_null_or_cut_become_an_object() {
    let cases = [
        ("deepseek-chat-750d7daef0", "max_tokens", 1),
        ("groq-chat-c6df650c27", "tool_use", 2),
        ("deepseek-chat-3a82a71629", "max_tokens", 1),
    ];
    for (id, reason, count) in cases {
        let message = to_anthropic(id);
        assert_eq!(message["stop_reason"], reason, "{id}");
        let inputs: Vec<Value> = calls(&message).into_iter().map(|(_, input)| input).collect();
        assert_eq!(inputs, vec![json!({}); count], "{id}");
    }
}

#[test]
fn openai_chat_f23abf89a0_the_deprecated_function_call_is_a_call() {
    let message = to_anthropic("openai-chat-f23abf89a0");
    assert_eq!(calls(&message), [(json!("get_weather"), json!({"city": "New York City"}))]);
    assert_eq!(message["stop_reason"], "tool_use");
}

#[test]
fn mistral_chat_17cea831bb_thoughts_inside_the_content_are_no_text() {
    for id in ["mistral-chat-17cea831bb", "mistral-chat_stream-6e4cd71dda"] {
        let message = to_anthropic(id);
        assert_eq!((text(&message).len(), thoughts(&message)), (39, 145), "{id}");
    }
}

#[test]
fn gpustack_chat_stream_0653189412_thoughts_between_marks_are_no_text() {
    let message = to_anthropic("gpustack-chat_stream-0653189412");
    assert!(thoughts(&message) > 500 && !text(&message).contains("think>"));
    assert_eq!(calls(&message)[0].0, "weather");
}

#[test]
fn openai_chat_e88bce41ea_a_refusal_is_said() {
    for id in ["openai-chat-e88bce41ea", "openai-chat_stream-a16d064448"] {
        assert!(text(&to_anthropic(id)).starts_with("I'm "), "{id}");
    }
}

#[test]
fn anthropic_messages_288158125b_cached_tokens_are_part_of_the_prompt() {
    let answer = to_openai("anthropic-messages-288158125b");
    assert_eq!(answer["usage"]["prompt_tokens"], 5346);
    assert_eq!(answer["usage"]["prompt_tokens_details"]["cached_tokens"], 5343);
    assert_eq!(answer["usage"]["total_tokens"], 5352);
}

#[test]
fn anthropic_messages_8367ae7040_an_empty_thought_keeps_its_signature() {
    let answer = to_openai("anthropic-messages-8367ae7040");
    let message = &answer["choices"][0]["message"];
    let detail = &message["reasoning_details"][0];
    assert_eq!((&detail["text"], &detail["format"]), (&json!(""), &json!("anthropic-claude-v1")));
    assert_eq!(detail["signature"].as_str().unwrap().len(), 20);
    // Sent back, it is the same thinking block.
    let body = json!({"model": "claude", "messages": [{"role": "user", "content": "hi"}, message]});
    let request = openai::read_request(body.to_string().as_bytes()).unwrap();
    let target = super::support::target("claude-sonnet-4-5", wire::splice::OutputField::MaxTokens);
    let written = anthropic::write_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&written.body).unwrap();
    let block = &body["messages"][1]["content"][0];
    assert_eq!((&block["type"], &block["signature"]), (&json!("thinking"), &detail["signature"]));
    assert_eq!(body["messages"][1]["content"][1]["type"], "tool_use");
}

#[test]
fn anthropic_messages_stream_70a3a07466_a_call_without_arguments_has_an_empty_object() {
    let answer = to_openai("anthropic-messages_stream-70a3a07466");
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    assert_eq!(call, &json!({"name": "ping", "arguments": "{}"}));
    assert_eq!(answer["choices"][0]["message"]["content"], Value::Null);
}

#[test]
fn anthropic_messages_stream_6c412dfd10_arguments_cut_inside_an_escape() {
    let answer = to_openai("anthropic-messages_stream-6c412dfd10");
    let call = &answer["choices"][0]["message"]["tool_calls"][0]["function"];
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments["message"], "Grüße aus 東京, from the \"naïve café\"!");
}

#[test]
fn anthropic_messages_7e1695646b_no_content_at_all() {
    let reasons = [
        ("anthropic-messages-7e1695646b", "stop"),
        ("anthropic-messages-daa7fce630", "content_filter"),
    ];
    for (id, reason) in reasons {
        let choice = &to_openai(id)["choices"][0];
        assert_eq!(
            (&choice["message"]["content"], &choice["finish_reason"]),
            (&Value::Null, &json!(reason))
        );
    }
}

#[test]
fn anthropic_messages_05914540fc_tools_of_the_provider_are_no_calls() {
    let choice = &to_openai("anthropic-messages-05914540fc")["choices"][0];
    assert_eq!(choice["message"].get("tool_calls"), None);
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(choice["message"]["content"].as_str().unwrap().chars().count(), 1716);
}

/// Pings, input and output tokens of a recorded stream of Anthropic's.
fn pings_and_usage(id: &str) -> (usize, u64, u64) {
    let record = traffic::record(id);
    let body = record.response_body.as_bytes();
    let said = events(Box::new(anthropic::StreamReading::new()), body, (0..body.len()).step_by(5));
    let pings = said.iter().filter(|event| matches!(event, wire::chat::Event::Ping)).count();
    let (answer, failed, whole) = collected(&said);
    assert!(whole && failed.is_none(), "{id}");
    let usage = answer.counts.unwrap();
    (pings, usage.input_tokens, usage.output_tokens)
}

#[test]
fn anthropic_messages_stream_b368497111_pings_anywhere_are_signs_of_life() {
    assert_eq!(pings_and_usage("anthropic-messages_stream-cbe98c3bff"), (1, 4772, 20));
    assert_eq!(pings_and_usage("anthropic-messages_stream-b368497111"), (1, 11, 32));
    assert_eq!(pings_and_usage("vertex-messages_stream-c270f29a4f"), (1, 394, 76));
}

#[test]
fn anthropic_messages_stream_23f5a33d2f_usage_said_twice_is_counted_once() {
    assert_eq!(pings_and_usage("anthropic-messages_stream-23f5a33d2f"), (1, 78, 296));
    assert_eq!(pings_and_usage("anthropic-messages_stream-cbe98c3bff"), (1, 4772, 20));
}

#[test]
fn anthropic_messages_stream_d1212f58f7_lines_of_35_kb_are_events() {
    for id in ["anthropic-messages_stream-d1212f58f7", "anthropic-messages_stream-03efab807c"] {
        let choice = &to_openai(id)["choices"][0];
        assert!(!choice["message"]["content"].as_str().unwrap().is_empty(), "{id}");
        assert_eq!(choice["finish_reason"], "stop", "{id}");
    }
}
