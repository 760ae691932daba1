//! Token bounds, measured against what providers counted.

mod measure;

use wire::bound::{InputBound, hidden_prompt_tokens, input_tokens, output_tokens};
use wire::dialect::openai_chat::{read, reply};
use wire::{Asked, Usage};

use crate::streams::{options, relay};
use crate::traffic::{self, Record};

/// The provider's own counts.
fn counted(record: &Record) -> Option<Usage> {
    if record.is_stream() {
        return relay(&record.body(), [], options(false)).1.usage;
    }
    reply(record.operation()?, record.response_body.as_bytes()).usage
}

/// Where more is put before the prompt than request and model tell: Groq's compound searches the web by
/// itself, OpenRouter sent the request to another model or a host with a prompt of its own, Venice
/// always adds one.
const PROMPT_EXCEPTIONS: &[&str] = &[
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

/// Counted by OpenRouter with another tokenizer than the one the limit was kept with.
const OUTPUT_EXCEPTIONS: &[&str] = &["openrouter-chat-c09c9a860d"];

#[test]
fn recorded_prompts_and_answers_never_exceed_their_bounds() {
    let (mut ratios, mut unknown) = (Vec::new(), 0);
    let (mut long_prompts, mut long_answers) = (Vec::new(), Vec::new());
    traffic::each(|record| {
        let Some(body) = record.request().filter(|_| record.status == 200) else { return };
        let Ok(call) = read(&Asked::of(record.operation().unwrap()), &body) else { return };
        let Some(usage) = counted(&record) else { return };
        match input_tokens(&call, hidden_prompt_tokens(&call.model)) {
            InputBound::Unknown => unknown += 1,
            InputBound::Tokens(bound) if bound < usage.input_tokens => {
                long_prompts.push(record.id.clone())
            }
            InputBound::Tokens(bound) if usage.input_tokens > 0 && call.media.is_empty() => {
                ratios.push(bound as f64 / usage.input_tokens as f64);
            }
            InputBound::Tokens(_) => {}
        }
        let limit = call.output_tokens_max.and_then(|limit| output_tokens(&call.model, limit));
        if limit.is_some_and(|limit| usage.output_tokens > limit * call.choices) {
            long_answers.push(record.id);
        }
    });
    ratios.sort_by(f64::total_cmp);
    let at = |percent: usize| ratios[percent * (ratios.len() - 1) / 100];
    println!(
        "bound / counted over {} text prompts: min {:.2} p10 {:.2} p50 {:.2} p90 {:.2} max {:.2}; {unknown} unbounded",
        ratios.len(),
        at(0),
        at(10),
        at(50),
        at(90),
        at(100),
    );
    long_prompts.sort();
    assert_eq!(long_prompts, PROMPT_EXCEPTIONS);
    assert_eq!(long_answers, OUTPUT_EXCEPTIONS);
}

/// Ollama runs a model that thinks a second time over its thoughts, where the answer has a schema.
const PROMPT_EXCEPTIONS_ELSEWHERE: &[&str] = &["ollama-ollama_chat-34dc2182ae"];

#[test]
fn no_recorded_prompt_of_another_dialect_exceeds_its_bound() {
    let mut measured = Vec::new();
    let others = measure::OPERATIONS.iter().filter(|(_, dialect)| *dialect != "openai_chat");
    let operations: Vec<&str> = others.map(|(operation, _)| *operation).collect();
    traffic::each_of(&operations, |record| measured.extend(measure::measure(&record)));
    println!("{}", measure::table(&measured).join("\n"));
    let over = measured.iter().filter(|one| one.bound.is_some_and(|bound| bound < one.counted));
    let mut over: Vec<&str> = over.map(|one| one.id.as_str()).collect();
    over.sort_unstable();
    assert!(measured.len() > 1_000, "{}", measured.len());
    assert_eq!(over, PROMPT_EXCEPTIONS_ELSEWHERE);
}
