//! What the bounds and estimates say of recorded prompts, beside what the providers counted.

use crate::traffic::Record;
use wire::bound::{InputBound, hidden_prompt_tokens, input_tokens};
use wire::dialect::{self, Dialect};
use wire::relay::StreamOptions;
use wire::{Asked, Call, Operation, Refusal, Usage};

/// Operations of recorded chats, with the dialect they are said in.
pub(crate) const OPERATIONS: [(&str, &str); 14] = [
    ("chat", "openai_chat"),
    ("chat_stream", "openai_chat"),
    ("responses", "openai_responses"),
    ("responses_stream", "openai_responses"),
    ("messages", "anthropic_messages"),
    ("messages_stream", "anthropic_messages"),
    ("gemini_generate", "gemini"),
    ("gemini_stream", "gemini"),
    ("converse", "bedrock_converse"),
    ("converse_stream", "bedrock_converse"),
    ("cohere_chat", "cohere_chat"),
    ("cohere_chat_stream", "cohere_chat"),
    ("ollama_chat", "ollama_chat"),
    ("ollama_chat_stream", "ollama_chat"),
];

/// One recorded prompt.
pub(crate) struct Measured {
    pub(crate) dialect: &'static str,
    pub(crate) provider: String,
    pub(crate) id: String,
    /// `None` where nothing in the request bounds it.
    pub(crate) bound: Option<u64>,
    pub(crate) estimate: u64,
    pub(crate) counted: u64,
    /// Whether there is nothing but text.
    pub(crate) text: bool,
}

/// Measures a record; `None` where it has no request, or tells no usage.
pub(crate) fn measure(record: &Record) -> Option<Measured> {
    let (_, name) = OPERATIONS.iter().find(|(operation, _)| *operation == record.operation)?;
    let dialect = dialect::named(name)?;
    let body = record.request().filter(|_| record.status == 200)?;
    let model = model_of_path(&record.path);
    let asked = Asked { model, ..Asked::of(Operation::ChatCompletions) };
    let call: Call = dialect.call(&asked, &body).ok()?;
    let counted = counted(dialect, record).filter(|usage| usage.input_tokens > 0)?;
    let hidden = hidden_prompt_tokens(&call.model);
    let bound = match input_tokens(&call, hidden) {
        InputBound::Tokens(tokens) => Some(tokens),
        InputBound::Unknown => None,
    };
    Some(Measured {
        dialect: name,
        provider: record.id.split('-').next().unwrap_or_default().to_owned(),
        id: record.id.clone(),
        bound,
        estimate: wire::bound::estimate(&call, hidden),
        counted: counted.input_tokens,
        text: call.media.is_empty(),
    })
}

/// `claude-3` of `/model/claude-3/converse`, `gemini-pro` of `/v1/models/gemini-pro:generateContent`.
fn model_of_path(path: &str) -> Option<&str> {
    let rest = path.split("/models/").nth(1).or_else(|| path.split("/model/").nth(1))?;
    rest.split(['/', ':', '?']).next().filter(|name| !name.is_empty())
}

fn counted(dialect: &Dialect, record: &Record) -> Option<Usage> {
    let body = record.bytes();
    if !record.is_stream() {
        return (dialect.reply)(Operation::ChatCompletions, &body).usage;
    }
    let array = body.trim_ascii_start().starts_with(b"[");
    let framing = if array { wire::frame::Framing::JsonArray } else { dialect.framing };
    let mut relay = (dialect.relay)(&StreamOptions { hide_usage: false, answers: 1, framing });
    relay.push(&body.into(), &mut Vec::new()).ok()?;
    relay.finish(&|| Refusal::provider(502, "cut", "cut"), &mut Vec::new()).usage()
}

/// Numbers in order, told by their place among a hundred.
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn of(mut numbers: Vec<f64>) -> Self {
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    pub(crate) fn at(&self, percent: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get(percent * last / 100).copied().unwrap_or(f64::NAN)
    }
}

/// Lines of a table: for each dialect and provider how loose the bound is, how far off the estimate.
pub(crate) fn table(measured: &[Measured]) -> Vec<String> {
    let mut groups: std::collections::BTreeMap<(&str, &str), Vec<&Measured>> = Default::default();
    for one in measured {
        groups.entry((one.dialect, "all")).or_default().push(one);
        groups.entry((one.dialect, &one.provider)).or_default().push(one);
    }
    let mut lines = vec![
        "dialect             provider            prompts  over  unknown  bound/counted p50   p99   estimate off p50   p90"
            .to_owned(),
    ];
    for ((dialect, provider), group) in groups {
        let over = group.iter().filter(|one| one.bound.is_some_and(|bound| bound < one.counted));
        let unknown = group.iter().filter(|one| one.bound.is_none());
        let ratio = |one: &&&Measured| Some(one.bound? as f64 / one.counted as f64);
        let loose = Spread::of(group.iter().filter_map(|one| ratio(&one)).collect());
        let texts = group.iter().filter(|one| one.text);
        let off = |one: &&Measured| (one.estimate as f64 / one.counted as f64 - 1.0).abs() * 100.0;
        let off = Spread::of(texts.map(off).collect());
        lines.push(format!(
            "{dialect:<19} {provider:<19} {:>7} {:>5} {:>8} {:>18.2} {:>5.1} {:>16.0} % {:>3.0} %",
            group.len(),
            over.count(),
            unknown.count(),
            loose.at(50),
            loose.at(99),
            off.at(50),
            off.at(90),
        ));
    }
    lines
}
