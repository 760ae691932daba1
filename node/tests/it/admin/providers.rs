//! Providers, aliases and models over HTTP.

use super::solo::Solo;
use reqwest::Method;
use serde_json::{Value, json};

fn provider() -> Value {
    json!({
        "base_url": "https://api.openai.com/v1/",
        "credentials": [{"name": "main", "secret": "sk-upstream-secret"}],
        "models": ["gpt-4o-mini", {"name": "own", "price": {"input_usd_per_mtok": "0.15", "output_usd_per_mtok": "0.6"}}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_stays_when_it_is_not_given_and_is_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let made = solo.put("providers/openai", provider()).await;
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json["base_url"], "https://api.openai.com/v1");
    let same = solo.put("providers/openai", provider()).await;
    assert_eq!((same.status, &same.etag), (200, &made.etag));

    let sealed = || solo.running.cluster.ledger().providers["openai"].credentials[0].secret.clone();
    let before = sealed();
    let mut without = provider();
    without["credentials"][0].as_object_mut().unwrap().remove("secret");
    without["timeout_ms"] = json!(5_000);
    let kept = solo.put("providers/openai", without).await;
    assert_eq!(kept.json["credentials"], json!([{"name": "main", "weight": 1, "set": true}]));
    assert_ne!(kept.etag, made.etag);
    assert!(before.is_some() && sealed() == before);
    assert!(!kept.json.to_string().contains("sk-upstream-secret"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_provider_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let cases = [
        ("kind", json!("openai-compatibel"), "kind", "did you mean openai-compatible?"),
        ("credentials", json!([{"name": "new"}]), "credentials[0].secret", "is missing"),
        ("base_url", json!("ftp://x"), "base_url", ""),
    ];
    for (name, value, field, say) in cases {
        let mut settings = provider();
        settings[name] = value;
        let answer = solo.put("providers/p", settings).await;
        assert_eq!((answer.status, &answer.json["errors"][0]["field"]), (422, &json!(field)));
        assert!(answer.json["detail"].as_str().unwrap().contains(say), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cloud_is_named_by_its_region_and_a_server_by_what_differs() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    let keys = json!({"access_key_id": "A", "secret_access_key": "hush", "region": "eu-west-1"});
    let signed = json!({"kind": "bedrock", "credentials": [{"secret": keys.to_string()}]});
    let machine = json!({"kind": "vertex", "region": "global", "project": "mine"});
    let server = json!({"base_url": "http://127.0.0.1:1/x?k=v", "dialect": "gemini",
        "headers": {"x-team": "blue"}, "paths": {"chat_completions": "/c"}});
    let deployed =
        json!({"kind": "azure", "base_url": "https://r.openai.azure.com/openai?api-version=1"});
    let cases = [
        ("signed", signed, "https://bedrock-runtime.eu-west-1.amazonaws.com", true),
        (
            "machine",
            machine,
            "https://aiplatform.googleapis.com/v1/projects/mine/locations/global",
            true,
        ),
        ("server", server, "http://127.0.0.1:1/x?k=v", false),
        ("deployed", deployed, "https://r.openai.azure.com/openai?api-version=1", false),
    ];
    for (name, settings, base_url, set) in cases {
        let made = solo.put(&format!("providers/{name}"), settings.clone()).await;
        assert_eq!((made.status, &made.json["base_url"]), (201, &json!(base_url)), "{made:?}");
        assert_eq!(made.json["credentials"][0]["set"], json!(set));
        for field in ["dialect", "headers", "paths"] {
            let given = settings.get(field).unwrap_or(&made.json[field]);
            assert_eq!(&made.json[field], given);
        }
        assert!(!made.json.to_string().contains("hush"));
        let same = solo.put(&format!("providers/{name}"), settings).await;
        assert_eq!((same.status, &same.etag), (200, &made.etag));
    }
    let wrong = [
        (json!({"kind": "bedrock"}), "base_url", "region"),
        (
            json!({"kind": "bedrock", "region": "x", "credentials": [{"secret": "{\"hush\":1}"}]}),
            "credentials[0].secret",
            "access_key_id",
        ),
        (json!({"kind": "azure", "base_url": "https://r.openai.azure.com"}), "base_url", "version"),
        (json!({"kind": "openai", "dialect": "gemini"}), "dialect", "openai-compatible"),
        (json!({"base_url": "http://h", "dialect": "x"}), "dialect", "anthropic_vertex"),
        (json!({"base_url": "http://h", "paths": {"chat": "/c"}}), "paths", "operation chat"),
        (json!({"base_url": "http://h", "headers": {"host": "x"}}), "headers", "host"),
    ];
    for (settings, field, say) in wrong {
        let answer = solo.put("providers/p", settings).await;
        assert_eq!(
            (answer.status, &answer.json["errors"][0]["field"]),
            (422, &json!(field)),
            "{answer:?}"
        );
        assert!(answer.json["detail"].as_str().unwrap().contains(say), "{answer:?}");
        assert!(!answer.json.to_string().contains("hush"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_are_listed_with_the_price_that_is_charged() {
    let dir = tempfile::tempdir().unwrap();
    let solo = Solo::start(dir.path()).await;
    solo.put("providers/openai", provider()).await;
    let alias = json!({"targets": [{"provider": "openai", "model": "own"}]});
    assert_eq!(solo.put("aliases/fast", alias).await.status, 201);
    let models = solo.get("models").await.json;
    let names: Vec<&str> =
        models["items"].as_array().unwrap().iter().map(|m| m["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["fast", "openai/gpt-4o-mini", "openai/own"]);
    assert_eq!(models["items"][0]["stands_for"], json!(["openai/own"]));
    assert_eq!(models["items"][1]["price_source"], "catalog");
    assert_eq!(models["items"][2]["price"]["input_nano_usd_per_mtok"], 150_000_000);

    let used = solo.ask(Method::DELETE, "providers/openai", Value::Null).await;
    assert_eq!(used.status, 409, "{used:?}");
    let dangling = json!({"targets": [{"provider": "nobody", "model": "m"}]});
    assert_eq!(solo.put("aliases/x", dangling).await.status, 422);
    assert_eq!(solo.ask(Method::DELETE, "aliases/fast", Value::Null).await.status, 200);
    assert_eq!(solo.ask(Method::DELETE, "providers/openai", Value::Null).await.status, 200);
}
