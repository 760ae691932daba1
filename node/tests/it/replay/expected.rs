//! What a record says the caller must get, worked out the slow and plain way.

use super::asked::Got;
use super::traffic::{Record, plain_usage};
use ledger::Price;
use serde_json::Value;
use wire::Usage;

/// What must come back.
pub(super) struct Expected {
    pub(super) answer: Answer,
    /// What must be charged for; `None` where the record tells no usage.
    pub(super) usage: Option<Usage>,
}

pub(super) enum Answer {
    /// This status and these bytes.
    Exactly(u16, Vec<u8>),
    /// A stream that begins with these bytes; after them `[DONE]` or an error event, where the record
    /// has neither.
    Stream { bytes: Vec<u8>, ended: bool, failed: bool },
    /// This status and an error of the dialect.
    Error(u16),
}

pub(super) fn of(record: &Record, question: &Value, sent: &Value) -> Expected {
    let body = record.response_body.as_bytes();
    let json: Option<Value> = serde_json::from_slice(body).ok();
    if !(200..300).contains(&record.status) {
        let status = match record.status {
            300..=399 => 502,
            _ if is_about_our_credential(record) => 502,
            status => status,
        };
        let ours = json.is_some_and(|json| json["error"]["message"].is_string());
        let verbatim = ours && status == record.status;
        let answer =
            if verbatim { Answer::Exactly(status, body.to_vec()) } else { Answer::Error(status) };
        return Expected { answer, usage: None };
    }
    match json {
        Some(json) => Expected { answer: whole(&json, body), usage: plain_usage(&json) },
        None => stream(record, question, sent),
    }
}

/// Whether the provider refuses our key, which is nothing the caller can mend: 401 and most 403 say so, and
/// two providers say it with 400.
fn is_about_our_credential(record: &Record) -> bool {
    const SAID_WITH_400: [&str; 2] = ["gemini-embeddings-d5eda426f5", "xai-chat-5d06ee2d42"];
    let refused_content = record.response_body.contains("Content violates usage guidelines");
    match record.status {
        401 | 402 => true,
        403 => !refused_content,
        _ => SAID_WITH_400.contains(&record.id.as_str()),
    }
}

/// A plain body under 200; an error in it is none of the caller's success.
fn whole(json: &Value, body: &[u8]) -> Answer {
    let error = &json["error"];
    if error.is_object() && json.get("choices").is_none() && json.get("data").is_none() {
        let code = error["code"].as_u64().and_then(|code| u16::try_from(code).ok());
        return Answer::Error(code.filter(|code| (400..600).contains(code)).unwrap_or(0));
    }
    Answer::Exactly(200, body.to_vec())
}

fn stream(record: &Record, question: &Value, sent: &Value) -> Expected {
    if let Some(answer) = fails_at_once(record) {
        return Expected { answer, usage: None };
    }
    let wants_usage = |value: &Value| value["stream_options"]["include_usage"] == true;
    let hide = wants_usage(sent) && !wants_usage(question);
    let mut bytes = Vec::new();
    let (mut usage, mut ended, mut failed) = (None::<Usage>, false, false);
    for event in events(&record.response_body) {
        let data = data(event);
        ended |= data.trim() == "[DONE]";
        let json: Value = serde_json::from_str(&data).unwrap_or_default();
        failed |= json.get("error").is_some_and(|error| !error.is_null());
        failed |= event.lines().any(|line| line == "event: error");
        usage = usage.into_iter().chain(plain_usage(&json)).reduce(Usage::max);
        let empty =
            json.get("choices").is_none_or(|list| list.as_array().is_some_and(Vec::is_empty));
        let usage_only = json["usage"].is_object() && empty && json.get("error").is_none();
        if !(hide && usage_only) {
            bytes.extend_from_slice(event.as_bytes());
        }
    }
    Expected { answer: Answer::Stream { bytes, ended, failed }, usage }
}

/// A stream whose first event is an error is no stream: the caller gets the error under the status it
/// names.
fn fails_at_once(record: &Record) -> Option<Answer> {
    let mut events = events(&record.response_body).into_iter().map(data);
    let first = events.find(|data| !data.is_empty())?;
    let json: Value = serde_json::from_str(&first).ok()?;
    let error = json["error"].as_object()?;
    let named = error.get("code").and_then(Value::as_u64);
    let named = named.or_else(|| error.get("status_code").and_then(Value::as_u64));
    let status = named.and_then(|status| u16::try_from(status).ok()).unwrap_or(502);
    Some(Answer::Exactly(status, first.into_bytes()))
}

/// The events of a stream, each with its blank line; the line ends of the records are of one kind each.
fn events(body: &str) -> Vec<&str> {
    let blank = if body.contains("\r\n") { "\r\n\r\n" } else { "\n\n" };
    body.split_inclusive(blank).collect()
}

fn data(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

impl Expected {
    pub(super) fn compare(&self, got: &Got) -> Result<(), String> {
        match &self.answer {
            Answer::Exactly(status, body) => {
                same_status(*status, got)?;
                if &got.body != body { Err(differ(body, &got.body)) } else { Ok(()) }
            }
            Answer::Error(status) => {
                if *status != 0 {
                    same_status(*status, got)?;
                }
                is_error(&got.body)
            }
            Answer::Stream { bytes, ended, failed } => {
                same_status(200, got)?;
                let Some(rest) = got.body.strip_prefix(&bytes[..]) else {
                    return Err(differ(bytes, &got.body));
                };
                let rest = String::from_utf8_lossy(rest);
                let rest = rest.trim_start_matches('\n');
                let fits = if *ended || *failed {
                    rest.is_empty()
                } else {
                    rest == "data: [DONE]\n\n" || rest.starts_with("data: {\"error\":")
                };
                if fits { Ok(()) } else { Err(format!("the stream ends with {rest:?}")) }
            }
        }
    }
}

fn same_status(status: u16, got: &Got) -> Result<(), String> {
    if got.status == status {
        return Ok(());
    }
    Err(format!("status {} for {status}: {}", got.status, String::from_utf8_lossy(&got.body)))
}

/// An error of the dialect: rendered by us with all its fields, or the provider's own as it came.
fn is_error(body: &[u8]) -> Result<(), String> {
    let json: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let error = json["error"].as_object().ok_or_else(|| format!("no error in {json}"))?;
    if error.get("message").is_some_and(Value::is_string) {
        return Ok(());
    }
    Err(format!("not an error of the dialect: {json}"))
}

fn differ(expected: &[u8], got: &[u8]) -> String {
    let at = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    let around = |bytes: &[u8]| {
        let end = bytes.len().min(at + 80);
        String::from_utf8_lossy(&bytes[at.saturating_sub(40).min(end)..end]).into_owned()
    };
    format!("differs at byte {at}: {:?} became {:?}", around(expected), around(got))
}

/// What usage costs at these prices, with the rounding of each class.
pub(super) fn cost(usage: &Usage, price: &Price) -> i64 {
    let class = |tokens: u64, nano_usd_per_mtok: i64| {
        let tokens = i128::from(tokens) * i128::from(nano_usd_per_mtok);
        i64::try_from((tokens + 999_999) / 1_000_000).unwrap()
    };
    let fresh = usage.input_tokens - usage.cache_read_tokens - usage.cache_write_tokens;
    class(fresh, price.input_nano_usd_per_mtok)
        + class(usage.cache_read_tokens, price.cache_read_nano_usd_per_mtok.unwrap())
        + class(usage.cache_write_tokens, price.cache_write_nano_usd_per_mtok.unwrap())
        + class(usage.output_tokens, price.output_nano_usd_per_mtok)
}
