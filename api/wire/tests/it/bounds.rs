//! Token bounds, measured against what providers counted.

use wire::bound::{InputBound, hidden_prompt_tokens, input_tokens};
use wire::dialect::openai_chat::{read, reply};

use crate::streams::{options, relay};
use crate::traffic::{self, Record};

/// The provider's own count of the input.
fn counted(record: &Record) -> Option<u64> {
    let usage = if record.is_stream() {
        relay(&record.body(), [], options(false)).1.usage
    } else {
        reply(record.operation()?, record.response_body.as_bytes()).usage
    };
    Some(usage?.input_tokens)
}

/// Where more is put before the prompt than request and model tell: Groq's compound searches the web by
/// itself, OpenRouter sent the request to another model or a host with a prompt of its own, Venice
/// always adds one.
const EXCEPTIONS: &[&str] = &[
    "groq-chat-dc794704ae",
    "openrouter-chat-78562a20a2",
    "openrouter-chat-ad1ff07fba",
    "openrouter-chat_stream-7620803555",
    "openrouter-chat_stream-ab810aee64",
    "openrouter-chat_stream-c8d13a4d56",
    "venice-chat-0305b89f89",
    "venice-chat-067af45ca5",
    "venice-chat-2e4d240cc3",
    "venice-chat-800a4efff8",
    "venice-chat_stream-e56eadf7fa",
];

#[test]
fn recorded_prompts_never_exceed_their_bound() {
    let (mut ratios, mut unknown, mut exceeded) = (Vec::new(), 0, Vec::new());
    traffic::each(|record| {
        let Some(body) = record.request().filter(|_| record.status == 200) else { return };
        let Ok(call) = read(record.operation().unwrap(), &body) else { return };
        let Some(tokens) = counted(&record) else { return };
        match input_tokens(&call, hidden_prompt_tokens(&call.model)) {
            InputBound::Unknown => unknown += 1,
            InputBound::Tokens(bound) if bound < tokens => {
                exceeded.push(record.id.clone());
            }
            InputBound::Tokens(bound) if tokens > 0 && call.media.is_empty() => {
                ratios.push(bound as f64 / tokens as f64);
            }
            InputBound::Tokens(_) => {}
        }
    });
    ratios.sort_by(f64::total_cmp);
    let at = |part: f64| ratios[(part * (ratios.len() - 1) as f64) as usize];
    println!(
        "bound / counted over {} text prompts: min {:.2} p10 {:.2} p50 {:.2} p90 {:.2} max {:.2}; {unknown} unbounded",
        ratios.len(),
        at(0.0),
        at(0.1),
        at(0.5),
        at(0.9),
        at(1.0),
    );
    exceeded.sort();
    assert_eq!(exceeded, EXCEPTIONS);
}
