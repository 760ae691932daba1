//! What is asked beside chats, of providers of another dialect: vectors, orderings, counts, and lists of models.

use super::client::{once, post};
use super::faces::{house, sent};
use super::upstream::{Does, json};
use serde_json::{Value, json as value};

/// A question by GET.
fn get(path: &str, key: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: b\r\nauthorization: Bearer {key}\r\n{more}\r\n")
        .into_bytes()
}

/// An upstream of that kind, the path it is asked under, what it answers and how many tokens it counts.
const EMBEDDERS: [(&str, &str, &str, u64); 4] = [
    (
        "gemini",
        "/v1/models/m:batchEmbedContents",
        r#"{"embeddings":[{"values":[0.5,-0.25]},{"values":[1,2]}],"usageMetadata":{"promptTokenCount":7}}"#,
        7,
    ),
    (
        "vertex",
        "/v1/publishers/google/models/m:predict",
        r#"{"predictions":[{"embeddings":{"values":[0.5,-0.25],"statistics":{"token_count":3}}},{"embeddings":{"values":[1,2],"statistics":{"token_count":4}}}]}"#,
        7,
    ),
    (
        "cohere",
        "/v1/embed",
        r#"{"id":"e","embeddings":{"float":[[0.5,-0.25],[1,2]]},"texts":[],"meta":{"billed_units":{"input_tokens":7}}}"#,
        7,
    ),
    (
        "voyage",
        "/v1/embeddings",
        r#"{"object":"list","data":[{"index":1,"embedding":[1,2]},{"index":0,"embedding":[0.5,-0.25]}],"model":"m","usage":{"total_tokens":7}}"#,
        7,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_of_openai_gets_vectors_of_every_other_embedder_in_order() {
    for (kind, path, answer, tokens) in EMBEDDERS {
        let (node, upstream, key) = house(kind, Does::Sends(json("200 OK", answer))).await;
        let body = r#"{"model":"up/m","input":["one","two"],"dimensions":2}"#;
        let said = once(node.addr, &post("/v1/embeddings", &key, body)).await;
        let told = said.json();
        assert_eq!(said.status, 200, "{kind}: {told}");
        assert_eq!(told["data"][0]["embedding"], value!([0.5, -0.25]), "{kind}");
        assert_eq!(
            (&told["data"][1]["index"], &told["data"][1]["embedding"]),
            (&value!(1), &value!([1, 2]))
        );
        assert_eq!(
            told["usage"],
            value!({"prompt_tokens": tokens, "total_tokens": tokens}),
            "{kind}"
        );
        assert_eq!(said.header("x-bursar-estimated"), None, "{kind}");
        let asked = &upstream.requests()[0];
        assert!(asked.starts_with(&format!("POST {path} ")), "{kind}: {asked}");
        assert_eq!(node.spent().await, 7_000, "{kind}");
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_counts_nothing_is_estimated_and_its_vectors_come_as_asked_for() {
    let answer = r#"{"embeddings":[{"values":[0.5,-0.25]}]}"#;
    let (node, upstream, key) = house("gemini", Does::Sends(json("200 OK", answer))).await;
    let body = r#"{"model":"up/m","input":"a text of some length","encoding_format":"base64"}"#;
    let said = once(node.addr, &post("/v1/embeddings", &key, body)).await;
    // 0.5 and -0.25 as 32-bit floats, little end first.
    assert_eq!(said.json()["data"][0]["embedding"], "AAAAPwAAgL4=");
    assert_eq!(said.header("x-bursar-estimated"), Some("true"));
    assert!(said.json()["usage"]["prompt_tokens"].as_u64().unwrap() > 5);
    let asked = sent(&upstream);
    assert_eq!(asked["requests"][0]["model"], "models/m");
    // Under a hard budget no less is charged than the provider may have counted.
    assert!(node.spent().await >= 22_000, "{}", node.spent().await);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_of_gemini_pass_through_but_for_the_models_names() {
    let answer =
        r#"{"embedding": {"values": [0.5, -0.25]}, "usageMetadata": {"promptTokenCount": 3}}"#;
    let (node, upstream, key) = house("gemini", Does::Sends(json("200 OK", answer))).await;
    let body = r#"{ "content": {"parts":[{"text":"x"}]},  "model": "models/up/m", "own": 1.50 }"#;
    let single = "/genai/v1beta/models/up/m:embedContent";
    let said = once(node.addr, &post(single, &key, body)).await;
    assert_eq!((said.status, said.text()), (200, answer));
    let asked = upstream.requests().pop().unwrap();
    assert!(asked.starts_with("POST /v1/models/m:embedContent "), "{asked}");
    assert!(asked.ends_with(&body.replace("models/up/m", "models/m")), "{asked}");
    let many: Vec<Value> =
        (0..101).map(|_| value!({"content": {"parts": [{"text": "x"}]}})).collect();
    let many = value!({"requests": many}).to_string();
    upstream.does(Does::Sends(json("200 OK", r#"{"embeddings":[{"values":[1]}]}"#)));
    node.provider_with("co", &upstream.base_url(), |provider| provider.kind = "cohere".to_owned())
        .await;
    let batch = "/genai/v1beta/models/co/m:batchEmbedContents";
    let refused = once(node.addr, &post(batch, &key, &many)).await;
    assert_eq!(refused.status, 400);
    let say = refused.json()["error"]["message"].to_string();
    assert!(say.contains("101") && say.contains("at most 96"), "{say}");
    assert_eq!(upstream.requests().len(), 1);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_are_ordered_by_whoever_can_and_told_in_the_callers_shape() {
    let answers = [
        (
            "cohere",
            r#"{"id":"r","results":[{"index":1,"relevance_score":0.9}],"meta":{"billed_units":{"search_units":1}}}"#,
        ),
        (
            "voyage",
            r#"{"object":"list","data":[{"index":1,"relevance_score":0.9}],"model":"m","usage":{"total_tokens":43}}"#,
        ),
        (
            "openai-compatible",
            r#"{"model":"m","results":[{"index":1,"relevance_score":0.9}],"usage":{"total_tokens":43}}"#,
        ),
    ];
    for (kind, answer) in answers {
        let (node, upstream, key) = house(kind, Does::Sends(json("200 OK", answer))).await;
        let body = r#"{"model":"up/m","query":"q","documents":["a","b"],"top_n":1}"#;
        let mine = once(node.addr, &post("/v1/rerank", &key, body)).await;
        assert_eq!(mine.status, 200, "{kind}: {}", mine.text());
        let first = value!({"index": 1, "relevance_score": 0.9});
        assert_eq!(mine.json()["results"][0], first, "{kind}");
        let limit = if kind == "voyage" { "top_k" } else { "top_n" };
        assert_eq!(
            (&sent(&upstream)[limit], &sent(&upstream)["model"]),
            (&value!(1), &value!("m"))
        );
        let theirs = once(node.addr, &post("/cohere/v2/rerank", &key, body)).await;
        assert_eq!(theirs.json()["results"][0], first, "{kind}");
        assert_eq!(theirs.json()["meta"]["billed_units"]["search_units"], 1, "{kind}");
        let cost = if kind == "cohere" { 0 } else { 2 * 43_000 };
        assert_eq!(node.spent().await, cost, "{kind}");
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counting_asks_the_providers_own_counter_costs_nothing_and_obeys_limits() {
    let does = Does::Sends(json("200 OK", r#"{"input_tokens":2095}"#));
    let (node, upstream, _) = house("anthropic", does).await;
    node.provider("other", &upstream.base_url()).await;
    let limits =
        ledger::RateLimits { requests_per_minute: Some(2), ..ledger::RateLimits::default() };
    let key = node.key_with("limited", |key| key.limits = limits).await;
    let ask = r#"{"contents":[{"role":"user","parts":[{"text":"hello"}]}]}"#;
    let said = once(node.addr, &post("/genai/v1beta/models/up/m:countTokens", &key, ask)).await;
    assert_eq!((said.status, said.text()), (200, r#"{"totalTokens":2095}"#));
    assert!(upstream.requests()[0].starts_with("POST /v1/messages/count_tokens "));
    assert_eq!(sent(&upstream).get("max_tokens"), None);
    let said = once(node.addr, &post("/genai/v1beta/models/other/m:countTokens", &key, ask)).await;
    assert_eq!((said.status, said.header("x-bursar-estimated")), (200, Some("true")));
    assert!(said.json()["totalTokens"].as_u64().unwrap() > 5);
    let said = once(node.addr, &post("/genai/v1beta/models/other/m:countTokens", &key, ask)).await;
    assert_eq!(
        (said.status, &said.json()["error"]["status"]),
        (429, &value!("RESOURCE_EXHAUSTED"))
    );
    assert_eq!((upstream.requests().len(), node.spent().await), (1, 0));
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_in_the_shape_of_each_face() {
    let (node, _upstream, key) = house("anthropic", Does::Sends(json("200 OK", "{}"))).await;
    node.alias("fast", &[("up", 1)]).await;
    let list = async |path: &str, more: &str| once(node.addr, &get(path, &key, more)).await.json();
    assert_eq!(list("/v1/models", "").await["object"], "list");
    let anthropic = value!(["fast", "up/m"]);
    for (path, more) in
        [("/v1/models", "anthropic-version: 2023-06-01\r\n"), ("/anthropic/v1/models", "")]
    {
        let said = list(path, more).await;
        let ids: Vec<&Value> =
            said["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!((value!(ids), &said["has_more"]), (anthropic.clone(), &value!(false)), "{path}");
    }
    let gemini = list("/genai/v1beta/models?pageSize=1", "").await;
    assert_eq!(
        (&gemini["models"][0]["name"], &gemini["nextPageToken"]),
        (&value!("models/fast"), &value!("fast"))
    );
    assert_eq!(list("/genai/v1beta/models/up/m", "").await["outputTokenLimit"], 4_096);
    assert_eq!(list("/cohere/v1/models", "").await["models"][1]["name"], "up/m");
    let other = node.key_with("other", |key| key.providers = ledger::Allow::Only(Vec::new())).await;
    let none = once(node.addr, &get("/genai/v1beta/models", &other, "")).await.json();
    assert_eq!(none, value!({"models": []}));
    let missing = once(node.addr, &get("/anthropic/v1/models/none", &key, "")).await;
    assert_eq!((missing.status, &missing.json()["type"]), (404, &value!("error")));
    let wrong = once(node.addr, &post("/genai/v1beta/models", &key, "{}")).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD")));
    let wrong = once(node.addr, &get("/cohere/v2/rerank", &key, "")).await;
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST")));
    assert!(wrong.json()["message"].as_str().unwrap().contains("POST"));
    node.stop().await;
}
