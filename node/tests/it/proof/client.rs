//! A caller who keeps three columns: answered, refused, and not known.

use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

/// How one call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Answered to its end.
    Answered,
    /// Refused: status, code, and when to come back.
    Refused { status: u16, code: String, retry_after: Option<Duration> },
    /// Nobody took it: another node may be asked.
    Unreachable,
    /// The connection broke: it may or may not have been carried out.
    Unknown(String),
}

/// What is asked, always the same.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) key: String,
    pub(super) stream: bool,
    pub(super) prompt: String,
    pub(super) max_tokens: u64,
    /// Length of the answer, where the limit leaves it be.
    pub(super) answer_tokens: u64,
}

impl Call {
    pub(super) fn new(key: &str) -> Call {
        let prompt = "Tell me something of the usual length.".to_owned();
        Call { key: key.to_owned(), stream: false, prompt, max_tokens: 32, answer_tokens: 32 }
    }

    fn messages(&self) -> Value {
        json!([{"role": "user", "content": self.prompt}])
    }

    /// What the simulated provider bills for it at its default prices, in nano-USD.
    pub(super) fn cost_nano_usd(&self) -> i64 {
        let input = i64::try_from(self.messages().to_string().len().div_ceil(4)).unwrap();
        let output = i64::try_from(self.max_tokens.min(self.answer_tokens)).unwrap();
        input * 1_000 + output * 4_000
    }

    /// Makes the call.
    pub(super) async fn send(&self, client: &Client, base_url: &str) -> Ended {
        let body = json!({"model": "chat", "messages": self.messages(), "max_tokens": self.max_tokens,
            "stream": self.stream});
        let url = format!("{base_url}/v1/chat/completions");
        match client.post(url).bearer_auth(&self.key).json(&body).send().await {
            Ok(answer) => self.read(answer).await,
            Err(error) if error.is_connect() => Ended::Unreachable,
            Err(error) => Ended::Unknown(format!("{error:?}")),
        }
    }

    async fn read(&self, answer: reqwest::Response) -> Ended {
        let status = answer.status();
        let retry_after =
            answer.headers().get("retry-after-ms").and_then(|ms| ms.to_str().ok()?.parse().ok());
        let text = match answer.text().await {
            Ok(text) => text,
            Err(error) => return Ended::Unknown(format!("{error:?}")),
        };
        if status != StatusCode::OK {
            let body: Value = serde_json::from_str(&text).unwrap_or_default();
            let code = body["error"]["code"].as_str().unwrap_or(&text).to_owned();
            let retry_after = retry_after.map(Duration::from_millis);
            return Ended::Refused { status: status.as_u16(), code, retry_after };
        }
        let whole =
            if self.stream { text.ends_with("data: [DONE]\n\n") } else { text.ends_with("}}") };
        if whole { Ended::Answered } else { Ended::Unknown(format!("truncated: {text}")) }
    }
}
