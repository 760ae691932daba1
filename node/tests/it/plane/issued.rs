//! Providers whose credential is more than a header: signed requests, tokens that are issued for a while.

use super::client::{Answer, ask, chat, once, post};
use super::node::{TestNode, USD};
use super::signature::Came;
use super::upstream::{Does, Upstream, answer, json};
use bursar::credential::Env;
use bursar::vault::Vault;
use serde_json::json as value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What Bedrock answers, of 7 and 3 tokens.
const CONVERSED: &str = r#"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":3,"totalTokens":10},"metrics":{"latencyMs":1}}"#;
/// What Gemini answers, of as many.
const GENERATED: &str = r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10}}"#;
/// What those answers cost.
const COST: i64 = 19_000;

const SECRET: &str = "wJalr/XUtnFEMI+K7MDENG";

/// A node with one provider `up` at `path` of an upstream, and what may be asked of it.
struct House {
    node: TestNode,
    upstream: Upstream,
    key: String,
}

impl House {
    async fn build(kind: &str, path: &str, secret: &str, env: Env) -> Self {
        let upstream = Upstream::start(Does::Hangs(Vec::new())).await;
        let node = TestNode::start_on(env, |_| ()).await;
        let sealed = Vault::new([7; 32]).seal("credential:up/main", secret.as_bytes());
        let base_url = upstream.base_url().replace("/v1", path);
        node.provider_with("up", &base_url, |provider| {
            provider.kind = kind.to_owned();
            provider.credentials[0].secret = Some(sealed);
            provider.models[0].upstream_name = Some("us.maker.m-v1:0".to_owned());
        })
        .await;
        let key = node.key("k", USD).await;
        Self { node, upstream, key }
    }

    async fn asked(&self, does: Does) -> Answer {
        self.upstream.does(does);
        once(self.node.addr, &chat(&self.key, &ask("up/m", ""))).await
    }

    /// The last request that came.
    fn came(&self) -> Came {
        Came::read(self.upstream.requests().last().unwrap())
    }
}

fn env(pairs: &[(&str, &str)]) -> Env {
    let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
    let pairs: BTreeMap<String, String> = pairs.iter().map(owned).collect();
    Arc::new(move |name| pairs.get(name).cloned())
}

/// An issuer that always gives out the same.
async fn issuer(body: &serde_json::Value) -> (Upstream, String) {
    let issuer = Upstream::start(Does::Sends(json("200 OK", &body.to_string()))).await;
    let url = issuer.base_url().replace("/v1", "");
    (issuer, url)
}

fn keys(id: &str) -> String {
    value!({"access_key_id": id, "secret_access_key": SECRET, "session_token": "tok/==", "region": "eu-west-1"})
        .to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_to_bedrock_is_signed_as_it_is_sent() {
    let house = House::build("bedrock", "", &keys("AKID"), env(&[])).await;
    let said = house.asked(Does::Sends(json("200 OK", CONVERSED))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    let came = house.came();
    assert_eq!(came.path(), "/model/us.maker.m-v1%3A0/converse");
    let signed = came.signed_by(SECRET);
    assert_eq!(signed, ("AKID".to_owned(), "eu-west-1/bedrock/aws4_request".to_owned()));
    assert_eq!(came.headers["x-amz-security-token"], "tok/==");
    // A body that is spliced goes out in pieces; headers of the caller's are signed with it.
    let own = r#"{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}"#;
    let answered = r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":3}}"#;
    house.upstream.does(Does::Sends(json("200 OK", answered)));
    let mut request = post("/bedrock/model/up%2Fm/invoke", &house.key, own);
    let trace = b"x-amzn-bedrock-trace:  ENABLED\r\n";
    request.splice(request.len() - own.len() - 2..request.len() - own.len() - 2, trace.to_vec());
    let said = once(house.node.addr, &request).await;
    assert_eq!((said.status, said.text()), (200, answered));
    let came = house.came();
    assert_eq!((came.path(), came.body.as_str()), ("/model/us.maker.m-v1%3A0/invoke", own));
    came.signed_by(SECRET);
    assert_eq!(came.headers["x-amzn-bedrock-trace"], "ENABLED");
    assert_eq!(house.node.spent().await, 2 * COST);
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_bedrock_is_a_bearers_and_signs_nothing() {
    let house = House::build("bedrock", "", "ABSKabc=", env(&[])).await;
    let said = house.asked(Does::Sends(json("200 OK", CONVERSED))).await;
    assert_eq!(said.status, 200, "{said:?}");
    let came = house.came();
    assert_eq!(came.headers["authorization"], "Bearer ABSKabc=");
    assert!(!came.headers.contains_key("x-amz-date"));
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_container_sign_and_are_fetched_once_for_all_threads() {
    let document = value!({"AccessKeyId": "ASIA", "SecretAccessKey": SECRET, "Token": "t1",
        "Expiration": "2099-01-01T00:00:00Z"});
    let (issuer, url) = issuer(&document).await;
    let uri = format!("{url}/creds");
    let around = env(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &uri), ("AWS_REGION", "us-east-1")]);
    let house = House::build("bedrock", "", "default", around).await;
    for _ in 0..8 {
        let said = house.asked(Does::Sends(json("200 OK", CONVERSED))).await;
        assert_eq!(said.status, 200, "{said:?}");
        let came = house.came();
        assert_eq!(came.signed_by(SECRET).1, "us-east-1/bedrock/aws4_request");
        assert_eq!(came.headers["x-amz-security-token"], "t1");
    }
    assert_eq!(issuer.requests().len(), 1);
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_account_of_googles_shows_the_token_it_was_issued() {
    let (issuer, url) = issuer(&value!({"access_token": "ya29.a", "expires_in": 3599})).await;
    let pem = include_str!("../../../testdata/google/account.pem");
    let account = value!({"type": "service_account", "client_email": "a@b.iam.example", "private_key": pem,
        "token_uri": format!("{url}/token")});
    let house =
        House::build("vertex", "/v1/projects/p/locations/l", &account.to_string(), env(&[])).await;
    let said = house.asked(Does::Sends(json("200 OK", GENERATED))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    let came = house.came();
    let path =
        "/v1/projects/p/locations/l/publishers/google/models/us.maker.m-v1%3A0:generateContent";
    assert_eq!((came.path(), came.headers["authorization"].as_str()), (path, "Bearer ya29.a"));
    assert_eq!(issuer.requests().len(), 1);
    assert_eq!(house.node.spent().await, COST);
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_of_entras_asks_deployments_by_their_path() {
    let (issuer, url) = issuer(&value!({"access_token": "ey.a", "expires_in": 3599})).await;
    let app = value!({"tenant_id": "t", "client_id": "c", "client_secret": "s3", "authority": url});
    let path = "/openai?api-version=2024-10-21";
    let house = House::build("azure", path, &app.to_string(), env(&[])).await;
    let said = house.asked(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    assert_eq!(said.status, 200, "{said:?}");
    let came = house.came();
    let path = "/openai/deployments/us.maker.m-v1%3A0/chat/completions?api-version=2024-10-21";
    assert_eq!((came.path(), came.headers["authorization"].as_str()), (path, "Bearer ey.a"));
    assert!(!came.headers.contains_key("api-key"));
    assert!(issuer.requests()[0].starts_with("POST /t/oauth2/v2.0/token "));
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_credential_nothing_is_sent_and_the_refusal_names_it() {
    let issuer = Upstream::start(Does::Sends(json(
        "401 Unauthorized",
        r#"{"error":"invalid_client","error_description":"hush"}"#,
    )))
    .await;
    let url = issuer.base_url().replace("/v1", "");
    let app =
        value!({"tenant_id": "t", "client_id": "c", "client_secret": "hush", "authority": url});
    let house = House::build("azure", "/v1", &app.to_string(), env(&[])).await;
    let said = house.asked(Does::Sends(json("200 OK", &answer(7, 3)))).await;
    assert_eq!((said.status, said.code().as_str()), (503, "upstream_credential_unavailable"));
    let text = said.text();
    assert!(text.contains("credential main of provider up") && !text.contains("hush"), "{text}");
    assert_eq!(house.upstream.requests().len(), 0);
    assert_eq!(house.node.spent().await, 0);
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_of_ones_own_is_asked_as_its_operator_says() {
    let upstream = Upstream::start(Does::Hangs(Vec::new())).await;
    let node = TestNode::start().await;
    node.provider_with("up", &format!("{}?tenant=t", upstream.base_url()), |provider| {
        let owned = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        provider.overrides.dialect = Some("anthropic_messages".to_owned());
        provider.overrides.headers =
            [owned("x-mine", "Key {secret}"), owned("x-team", "blue")].into();
        provider.overrides.paths = [owned("chat_completions", "/talk/{model}")].into();
    })
    .await;
    let key = node.key("k", USD).await;
    let message = r#"{"id":"m","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":7,"output_tokens":3}}"#;
    upstream.does(Does::Sends(json("200 OK", message)));
    let said = once(node.addr, &chat(&key, &ask("up/m", ""))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    let came = Came::read(upstream.requests().last().unwrap());
    assert_eq!(came.path(), "/v1/talk/m?tenant=t");
    assert_eq!(
        (came.headers["x-mine"].as_str(), came.headers["x-team"].as_str()),
        ("Key sk-upstream", "blue")
    );
    assert!(!came.headers.contains_key("x-api-key"), "the key stands where its operator wants it");
    assert_eq!(came.headers["anthropic-version"], "2023-06-01");
    assert_eq!(node.spent().await, COST);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ollamas_own_chat_is_spoken_where_the_base_url_has_no_version() {
    let house = House::build("ollama", "", "unused", env(&[])).await;
    let native = r#"{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"hi"},"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":3}"#;
    let said = house.asked(Does::Sends(json("200 OK", native))).await;
    assert_eq!(said.json()["choices"][0]["message"]["content"], "hi", "{said:?}");
    assert_eq!(house.came().path(), "/api/chat");
    assert_eq!(house.node.spent().await, COST);
    house.node.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_headers_count_is_charged_where_the_body_tells_nothing() {
    let house = House::build("bedrock", "", "ABSK", env(&[])).await;
    let body = r#"{"generations":[{"id":"g","text":"hi","finish_reason":"COMPLETE"}],"id":"i","prompt":"p"}"#;
    let mut bytes = json("200 OK", body);
    let counts = b"x-amzn-bedrock-input-token-count: 7\r\nx-amzn-bedrock-output-token-count: 3\r\n";
    let head = b"HTTP/1.1 200 OK\r\n".len();
    bytes.splice(head..head, counts.to_vec());
    house.upstream.does(Does::Sends(bytes));
    let own = r#"{"prompt":"hello","max_tokens":9}"#;
    let said = once(house.node.addr, &post("/bedrock/model/up%2Fm/invoke", &house.key, own)).await;
    assert_eq!((said.status, said.text()), (200, body));
    assert_eq!(house.node.spent().await, COST);
    house.node.stop().await;
}
