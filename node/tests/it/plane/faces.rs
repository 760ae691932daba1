//! Callers of one dialect, providers of another: the same answer, the same price, the same manners.

use super::client::{Caller, ask, chat, chat_with, once, post};
use super::node::{TestNode, USD};
use super::streams::{END, sends};
use super::upstream::{DONE, Does, FINISH, Upstream, answer, event, json, usage};
use serde_json::{Value, json as value};

/// What an answer of 7 and 3 tokens costs.
const COST: i64 = 19_000;

/// A message as Anthropic answers it, of 7 and 3 tokens.
const MESSAGE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"hm","signature":"c2ln"},{"type":"text","text":"hi"},{"type":"tool_use","id":"toolu_1","name":"look","input":{"at": "it"}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":3}}"#;

/// The same as a stream, its last event apart.
fn events() -> Vec<String> {
    let said = [
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":7,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":3}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let event = |data: &&str| {
        let kind: Value = serde_json::from_str(data).unwrap();
        format!("event: {}\ndata: {data}\n\n", kind["type"].as_str().unwrap())
    };
    said.iter().map(event).collect()
}

fn texts(events: &[String]) -> Vec<&str> {
    events.iter().map(String::as_str).collect()
}

pub(super) async fn house(kind: &str, does: Does) -> (TestNode, Upstream, String) {
    let upstream = Upstream::start(does).await;
    let node = TestNode::start().await;
    let change = |provider: &mut ledger::Provider| {
        provider.kind = kind.to_owned();
        provider.timeout_ms = 2_000;
    };
    node.provider_with("up", &upstream.base_url(), change).await;
    let key = node.key("k", USD).await;
    (node, upstream, key)
}

fn message(key: &str, more: &str) -> Vec<u8> {
    post("/anthropic/v1/messages", key, &ask("up/m", &format!(r#","max_tokens":100{more}"#)))
}

/// The body of the last request that came.
pub(super) fn sent(upstream: &Upstream) -> Value {
    let requests = upstream.requests();
    let (_, body) = requests.last().unwrap().split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anthropic_caller_is_answered_by_an_openai_shaped_provider() {
    let (node, upstream, key) =
        house("openai-compatible", Does::Sends(json("200 OK", &answer(7, 3)))).await;
    let said =
        once(node.addr, &message(&key, r#","system":"be brief","stop_sequences":["x"]"#)).await;
    let body = said.json();
    assert_eq!((said.status, &body["type"]), (200, &value!("message")), "{body}");
    assert_eq!(body["content"], value!([{"type": "text", "text": "hi"}]));
    assert_eq!(body["stop_reason"], "end_turn");
    assert_eq!(
        (&body["usage"]["input_tokens"], &body["usage"]["output_tokens"]),
        (&value!(7), &value!(3))
    );
    assert_eq!(said.header("x-bursar-cost-usd"), Some("0.000019000"));
    let asked = sent(&upstream);
    assert_eq!(asked["messages"][0], value!({"role": "system", "content": "be brief"}));
    assert_eq!((&asked["stop"], &asked["max_tokens"]), (&value!(["x"]), &value!(100)));
    assert!(upstream.requests()[0].starts_with("POST /v1/chat/completions "));
    assert_eq!(node.spent().await, COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_anthropic_callers_stream_of_an_openai_shaped_provider_ends_as_anthropics() {
    let (one, told) = (event("hi"), usage(7, 3));
    let bytes = sends(&[&one, FINISH, &told, DONE], END);
    let (node, upstream, key) = house("openai-compatible", Does::Sends(bytes)).await;
    let said = once(node.addr, &message(&key, r#","stream":true"#)).await;
    let text = said.text();
    assert_eq!(said.header("content-type"), Some("text/event-stream"));
    assert!(text.starts_with("event: message_start\n"), "{text}");
    assert!(text.contains(r#""text":"hi""#) && text.contains(r#""output_tokens":3"#), "{text}");
    assert!(text.trim_end().ends_with(r#"{"type":"message_stop"}"#), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
    assert_eq!(sent(&upstream)["stream_options"], value!({"include_usage": true}));
    assert_eq!(node.spent().await, COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openai_caller_is_answered_by_anthropic_with_tools_and_thoughts() {
    let (node, upstream, key) = house("anthropic", Does::Sends(json("200 OK", MESSAGE))).await;
    let tools = r#","tools":[{"type":"function","function":{"name":"look","parameters":{"type":"object"}}}]"#;
    let said = once(node.addr, &chat(&key, &ask("up/m", tools))).await;
    let body = said.json();
    let choice = &body["choices"][0];
    assert_eq!((said.status, &choice["finish_reason"]), (200, &value!("tool_calls")), "{body}");
    assert_eq!(choice["message"]["content"], "hi");
    assert_eq!(choice["message"]["reasoning_content"], "hm", "{body}");
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!((&call["id"], &call["function"]["name"]), (&value!("toolu_1"), &value!("look")));
    assert_eq!(body["usage"]["total_tokens"], 10);
    let head = upstream.requests()[0].to_lowercase();
    assert!(head.starts_with("post /v1/messages "), "{head}");
    assert!(head.contains("x-api-key: sk-upstream\r\n"), "{head}");
    assert!(head.contains("anthropic-version: 2023-06-01\r\n"), "{head}");
    let asked = sent(&upstream);
    assert_eq!(asked["tools"][0]["name"], "look");
    // Under a hard budget there is a limit of ours where the caller gave none.
    assert_eq!(
        asked["max_tokens"].as_u64().unwrap().to_string(),
        said.header("x-bursar-max-tokens").unwrap()
    );
    assert_eq!(node.spent().await, COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_openai_callers_stream_of_anthropic_ends_as_openais() {
    let bytes = sends(&texts(&events()), END);
    let (node, _upstream, key) = house("anthropic", Does::Sends(bytes)).await;
    let body = ask("up/m", r#","stream":true,"stream_options":{"include_usage":true}"#);
    let said = once(node.addr, &chat(&key, &body)).await;
    let text = said.text();
    assert!(text.contains(r#""content":"hi""#) && text.contains(r#""total_tokens":10"#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    let silent = once(node.addr, &chat(&key, &ask("up/m", r#","stream":true"#))).await;
    assert!(!silent.text().contains("total_tokens"), "{}", silent.text());
    assert_eq!(node.spent().await, 2 * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anthropic_speaks_to_anthropic_to_the_byte() {
    let (node, upstream, key) = house("anthropic", Does::Sends(json("200 OK", MESSAGE))).await;
    let body =
        r#"{ "zeta": 1.0e2, "model":"up/m","messages":[],"max_tokens": 5, "fallbacks":["x/y"] }"#;
    let request = format!(
        "POST /v1/messages?beta=true HTTP/1.1\r\nhost: test\r\nx-api-key: {key}\r\nanthropic-version: 2024-01-01\r\nanthropic-beta: a,b\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let said = once(node.addr, request.as_bytes()).await;
    assert_eq!((said.status, said.text()), (200, MESSAGE));
    let request = upstream.requests().remove(0);
    assert!(
        request.ends_with(r#"{ "zeta": 1.0e2, "model":"m","messages":[],"max_tokens": 5 }"#),
        "{request}"
    );
    assert!(request.contains("anthropic-beta: a,b\r\n"), "{request}");
    assert!(request.contains("anthropic-version: 2024-01-01\r\n"), "{request}");
    upstream.does(Does::Sends(sends(&texts(&events()), END)));
    let said = once(node.addr, &message(&key, r#","stream":true"#)).await;
    assert_eq!(said.text(), events().concat());
    assert_eq!(node.spent().await, 2 * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_said_in_the_dialect_of_the_caller() {
    let failure =
        r#"{"error":{"message":"too fast","type":"requests","param":null,"code":"rate"}}"#;
    let does = Does::Sends(json("429 Too Many Requests", failure));
    let (node, upstream, key) = house("openai-compatible", does).await;
    let kinds = |body: &Value| (body["type"].clone(), body["error"]["type"].clone());
    let said = once(node.addr, &message(&key, "")).await;
    assert_eq!(said.status, 429);
    assert_eq!(kinds(&said.json()), (value!("error"), value!("rate_limit_error")));
    assert_eq!(said.json()["error"]["message"], "too fast");
    let unknown = once(node.addr, &message("bsr-none", "")).await;
    assert_eq!(unknown.status, 401);
    assert_eq!(kinds(&unknown.json()), (value!("error"), value!("authentication_error")));
    let lost = once(node.addr, &post("/anthropic/v1/nothing", &key, "{}")).await;
    assert_eq!((lost.status, kinds(&lost.json()).1), (404, value!("not_found_error")));
    upstream.does(Does::Sends(json("200 OK", "<html>")));
    let garbage = once(node.addr, &message(&key, "")).await;
    assert_eq!((garbage.status, kinds(&garbage.json()).1), (502, value!("api_error")));
    node.spent().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_before_the_first_word_is_a_status_and_one_after_it_an_event() {
    let overloaded = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"busy\"}}\n\n";
    let start = events().remove(0);
    let bytes = sends(&[&start, overloaded], END);
    let (node, upstream, key) = house("anthropic", Does::Sends(bytes)).await;
    let stream = chat(&key, &ask("up/m", r#","stream":true"#));
    let said = once(node.addr, &stream).await;
    assert_eq!(said.status, 529, "{said:?}");
    assert_eq!(said.json()["error"]["message"], "busy");
    let whole = events();
    let begun = [&texts(&whole)[..3], &[overloaded]].concat();
    upstream.does(Does::Sends(sends(&begun, END)));
    let said = once(node.addr, &stream).await;
    let text = said.text();
    assert_eq!(said.status, 200);
    assert!(text.contains("hi") && text.contains("\"message\":\"busy\""), "{text}");
    assert!(!text.contains("[DONE]"), "{text}");
    node.spent().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_cut_ends_with_an_error_of_the_callers_dialect() {
    let (one, two) = (event("abcd"), event("efgh"));
    let bytes = sends(&[&one, &two], "");
    let (node, _upstream, key) = house("openai-compatible", Does::SendsAndCloses(bytes)).await;
    let said = once(node.addr, &message(&key, r#","stream":true"#)).await;
    let text = said.text();
    assert!(text.contains("abcd") && text.contains("efgh"), "{text}");
    assert!(text.contains("event: error\n") && !text.contains("message_stop"), "{text}");
    let spent = node.spent().await;
    // All input as bounded, and a token for each of eight bytes.
    assert!(spent > 8 * 4_000 && spent < 8 * 4_000 + 500_000, "{spent}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_leaves_a_translated_stream_pays_for_what_came() {
    let bytes = sends(&[&event("abcdefgh")], "");
    let (node, upstream, key) = house("openai-compatible", Does::Hangs(bytes)).await;
    let mut caller = Caller::connect(node.addr).await;
    caller.send(&message(&key, r#","stream":true"#)).await;
    caller.read_until("abcdefgh").await;
    drop(caller);
    let spent = node.spent().await;
    assert!(spent > 8 * 4_000, "{spent}");
    super::node::until("the provider hears of it", || upstream.open_connections() == 0).await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_said_is_refused_by_name_or_left_out_and_told() {
    let (node, upstream, key) = house("anthropic", Does::Sends(json("200 OK", MESSAGE))).await;
    let body = ask("up/m", r#","logit_bias":{"1":1},"presence_penalty":1"#);
    let refused = once(node.addr, &chat(&key, &body)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(refused.json()["error"]["code"], "unsupported_parameter");
    assert!(upstream.requests().is_empty());
    let lenient = once(node.addr, &chat_with(&key, "x-bursar-drop-params: true\r\n", &body)).await;
    assert_eq!(lenient.status, 200, "{lenient:?}");
    let dropped = lenient.header("x-bursar-dropped-params").unwrap();
    assert!(dropped.contains("presence_penalty"), "{dropped}");
    assert_eq!(node.spent().await, COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_are_counted_by_anthropic_or_estimated_for_others() {
    let does = Does::Sends(json("200 OK", r#"{"input_tokens":2095}"#));
    let (node, upstream, key) = house("anthropic", does).await;
    node.provider("other", &upstream.base_url()).await;
    let count = |model: &str| post("/v1/messages/count_tokens", &key, &ask(model, ""));
    let said = once(node.addr, &count("up/m")).await;
    assert_eq!((said.status, said.text()), (200, r#"{"input_tokens":2095}"#));
    assert!(upstream.requests()[0].starts_with("POST /v1/messages/count_tokens "));
    let said = once(node.addr, &count("other/m")).await;
    assert_eq!((said.status, said.header("x-bursar-estimated")), (200, Some("true")));
    assert!(said.json()["input_tokens"].as_u64().unwrap() > 10);
    assert_eq!((upstream.requests().len(), node.spent().await), (1, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_provider_cannot_be_asked_in_any_dialect_is_refused() {
    let (node, upstream, key) = house("anthropic", Does::Sends(json("200 OK", MESSAGE))).await;
    let request = post("/v1/embeddings", &key, r#"{"model":"up/m","input":"x"}"#);
    let said = once(node.addr, &request).await;
    assert_eq!((said.status, said.code().as_str()), (400, "unsupported_operation"));
    assert!(upstream.requests().is_empty());
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_of_responses_is_answered_by_a_provider_that_has_them_and_by_one_that_has_not() {
    let (node, upstream, key) =
        house("openai-compatible", Does::Sends(json("200 OK", &answer(7, 3)))).await;
    node.provider_with("own", &upstream.base_url(), |provider| provider.kind = "openai".to_owned())
        .await;
    let ask = |model: &str, more: &str| {
        let body =
            format!(r#"{{"model":"{model}","input":"hello","max_output_tokens":100{more}}}"#);
        post("/v1/responses", &key, &body)
    };
    let said = once(node.addr, &ask("up/m", "")).await;
    let body = said.json();
    assert_eq!(
        (said.status, &body["object"], &body["status"]),
        (200, &value!("response"), &value!("completed"))
    );
    assert_eq!(body["output"][0]["content"][0]["text"], "hi", "{body}");
    assert_eq!(body["usage"]["total_tokens"], 10);
    assert!(upstream.requests()[0].starts_with("POST /v1/chat/completions "));
    let bytes = sends(&[&event("hi"), FINISH, &usage(7, 3), DONE], END);
    upstream.does(Does::Sends(bytes));
    let said = once(node.addr, &ask("up/m", r#","stream":true"#)).await;
    let text = said.text();
    assert!(
        text.contains("event: response.created") && text.contains("response.output_text.delta"),
        "{text}"
    );
    assert!(
        text.contains("event: response.completed") && text.contains(r#""total_tokens":10"#),
        "{text}"
    );
    let own = r#"{"id":"resp_1","object":"response","status":"completed","model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"hi","annotations":[]}]}],"usage":{"input_tokens":7,"output_tokens":3,"total_tokens":10}}"#;
    upstream.does(Does::Sends(json("200 OK", own)));
    let said = once(node.addr, &ask("own/m", "")).await;
    assert_eq!((said.status, said.text()), (200, own));
    assert!(upstream.requests()[2].starts_with("POST /v1/responses "));
    assert_eq!(node.spent().await, 3 * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn converse_is_asked_by_its_path_and_says_its_errors_in_a_header() {
    let own = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10},"metrics":{"latencyMs":1}}"#;
    let (node, upstream, key) = house("bedrock", Does::Sends(json("200 OK", own))).await;
    node.provider("other", &upstream.base_url()).await;
    let said = once(node.addr, &chat(&key, &ask("up/m", ""))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    assert!(upstream.requests()[0].starts_with("POST /v1/model/m/converse "));
    let hello = r#"{"messages":[{"role":"user","content":[{"text":"hello"}]}]}"#;
    let said = once(node.addr, &post("/bedrock/model/up%2Fm/converse", &key, hello)).await;
    let body = said.json();
    assert_eq!(
        (said.status, &body["stopReason"], &body["usage"]["totalTokens"]),
        (200, &value!("end_turn"), &value!(10))
    );
    let bytes = sends(&[&event("hi"), FINISH, &usage(7, 3), DONE], END);
    upstream.does(Does::Sends(bytes));
    let said =
        once(node.addr, &post("/bedrock/model/other%2Fm/converse-stream", &key, hello)).await;
    assert_eq!(said.header("content-type"), Some("application/vnd.amazon.eventstream"));
    let text = String::from_utf8_lossy(&said.body).into_owned();
    assert!(
        text.contains("contentBlockDelta")
            && text.contains("messageStop")
            && text.contains("metadata"),
        "{text}"
    );
    let unknown = once(node.addr, &post("/bedrock/model/none%2Fm/converse", &key, hello)).await;
    assert_eq!(
        (unknown.status, unknown.header("x-amzn-errortype")),
        (404, Some("ResourceNotFoundException"))
    );
    assert_eq!(node.spent().await, 3 * COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gemini_is_asked_by_its_path_and_streams_as_events_or_as_one_array() {
    let own = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10},"modelVersion":"m","responseId":"r1"}"#;
    let (node, upstream, key) = house("gemini", Does::Sends(json("200 OK", own))).await;
    node.provider("other", &upstream.base_url()).await;
    let said = once(node.addr, &chat(&key, &ask("up/m", ""))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    let head = upstream.requests()[0].to_lowercase();
    assert!(head.starts_with("post /v1/models/m:generatecontent "), "{head}");
    assert!(head.contains("x-goog-api-key: sk-upstream\r\n"), "{head}");
    let hello = r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#;
    let said =
        once(node.addr, &post("/genai/v1beta/models/up/m:generateContent", &key, hello)).await;
    assert_eq!((said.status, said.text()), (200, own));
    let bytes = sends(&[&event("hi"), FINISH, &usage(7, 3), DONE], END);
    upstream.does(Does::Sends(bytes));
    // The key may stand in the query on this face.
    let path = format!("/v1beta/models/other/m:streamGenerateContent?alt=sse&key={key}");
    let said = once(node.addr, &post(&path, "", hello)).await;
    assert_eq!((said.status, said.header("content-type")), (200, Some("text/event-stream")));
    assert!(
        said.text().starts_with("data: {") && said.text().contains("\"STOP\""),
        "{}",
        said.text()
    );
    let path = "/genai/v1beta/models/other/m:streamGenerateContent";
    let said = once(node.addr, &post(path, &key, hello)).await;
    assert_eq!(said.header("content-type"), Some("application/json"));
    let array = said.json();
    assert!(array.as_array().is_some_and(|list| !list.is_empty()), "{array}");
    let unknown =
        once(node.addr, &post("/v1beta/models/none/m:generateContent", &key, hello)).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["status"]), (404, &value!("NOT_FOUND")));
    assert_eq!(node.spent().await, 4 * COST);
    node.stop().await;
}
