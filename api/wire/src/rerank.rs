//! Ordering documents by how well they answer a question: one meaning, the three shapes it is asked and
//! answered in.

use crate::chat::{Extra, Losses, Raw, Target, Written};
use crate::field_value::{invalid_json, missing};
use crate::json::{Fields, Out, Scanner, items, quote, text};
use crate::provider_error::ProviderError;
use crate::refusal::Refusal;
use crate::relay::Reply;
use crate::usage::Usage;

/// How it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Cohere's second version: `top_n`, `results`, billed in search units.
    Cohere,
    /// Jina's, which most servers and Cohere's first version speak: `top_n`, `results`, billed in tokens.
    Jina,
    /// Voyage's: `top_k`, `data`, billed in tokens.
    Voyage,
}

impl Shape {
    const fn limit(self) -> &'static str {
        match self {
            Self::Cohere | Self::Jina => "top_n",
            Self::Voyage => "top_k",
        }
    }

    const fn results(self) -> &'static str {
        match self {
            Self::Cohere | Self::Jina => "results",
            Self::Voyage => "data",
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The shape it was read from.
    pub shape: Shape,
    /// The model as the caller wrote it.
    pub model: String,
    /// The question.
    pub query: Raw,
    /// The documents as they were written: texts, or objects with one.
    pub documents: Vec<Raw>,
    /// How many of the best to give; all where nobody says.
    pub best: Option<u64>,
    /// Whether the answer is to repeat the documents.
    pub repeat: Option<bool>,
    /// Members without a name here.
    pub extra: Extra,
}

/// What is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The provider's id of it; empty where it gave none.
    pub id: String,
    /// The model that answered; empty where the provider did not say.
    pub model: String,
    /// The documents, the best first.
    pub results: Vec<Ranked>,
    /// Tokens that were read, where they are counted.
    pub tokens: Option<u64>,
    /// Searches that are billed, where they are counted.
    pub search_units: Option<u64>,
}

/// One document in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Its number among those that were given, from 0.
    pub index: u64,
    /// How well it answers, as the provider wrote it; scales differ.
    pub score: Raw,
    /// The document, where the provider repeats it.
    pub document: Option<Raw>,
}

/// Reads a request.
///
/// # Errors
/// A 400 that names the field.
pub fn read_request(shape: Shape, body: &[u8]) -> Result<Request, Refusal> {
    let not_json = || invalid_json("request body is not a JSON object".to_owned());
    let body = std::str::from_utf8(body).map_err(|_| not_json())?;
    let mut fields = Fields::read(body).map_err(|_| not_json())?;
    let documents = fields.list("documents").ok_or_else(|| missing("documents"))?;
    Ok(Request {
        shape,
        model: fields.text("model").ok_or_else(|| missing("model"))?,
        query: fields.raw("query").ok_or_else(|| missing("query"))?,
        documents: documents.into_iter().map(Raw::new).collect(),
        best: fields.whole(shape.limit()),
        repeat: fields.boolean("return_documents"),
        extra: fields.rest(),
    })
}

/// Writes a request for a provider.
///
/// # Errors
/// A 400 that names the field: a document that is no text.
pub fn write_request(
    request: &Request,
    shape: Shape,
    target: &Target<'_>,
) -> Result<Written, Refusal> {
    let own = request.shape == shape;
    let mut losses = Losses::new(target.leniency);
    if !own {
        request.extra.keys().for_each(|key| losses.hint(key));
    }
    let documents = request.documents.iter().map(|document| match own {
        true => Ok(document.as_str().to_owned()),
        false => words(document).ok_or_else(no_text),
    });
    let documents = documents.collect::<Result<Vec<_>, _>>()?;
    // Cohere never repeats documents; whoever wants them gets their own back.
    let repeat = request.repeat.filter(|_| own || shape != Shape::Cohere);
    let body = Out::object(|out| {
        out.text("model", target.model);
        out.raw("query", request.query.as_str());
        out.list("documents", |out| {
            documents.iter().for_each(|document| out.raw_item(document));
        });
        if let Some(best) = request.best {
            out.number(shape.limit(), best);
        }
        if let Some(repeat) = repeat {
            out.boolean("return_documents", repeat);
        }
        if own {
            out.extra(&request.extra);
        }
    });
    Ok(Written { body, dropped: losses.dropped().to_vec() })
}

fn no_text() -> Refusal {
    let say = "'documents' holds what is no text, which cannot be asked of this model";
    Refusal::invalid("unsupported_parameter", Some("documents"), say)
}

/// The text of a document as JSON: the document itself, or what is in it.
fn words(document: &Raw) -> Option<String> {
    let document = document.as_str();
    if text(document).is_some() {
        return Some(document.to_owned());
    }
    Fields::read(document).ok()?.text("text").map(|text| quote(&text))
}

/// Reads an answer that came under a success status, of whatever shape.
///
/// # Errors
/// The failure that the body reports, or that it is.
pub fn read_answer(body: &[u8]) -> Result<Answer, ProviderError> {
    let unreadable =
        |what: &str| ProviderError::unreadable(format!("the provider's answer {what}"));
    let text = std::str::from_utf8(body).map_err(|_| unreadable("is no UTF-8"))?;
    if let Some(list) = items(text.trim()) {
        // Some servers answer with the list alone.
        let results = list.into_iter().map(ranked).collect::<Option<Vec<_>>>();
        let results = results.ok_or_else(|| unreadable("has a result without index or score"))?;
        return Ok(Answer { results, ..Answer::default() });
    }
    let mut fields = Fields::read(text).map_err(|_| unreadable("is not a JSON object"))?;
    let list = fields.list("results").or_else(|| fields.list("data"));
    let Some(list) = list else {
        let told = fields.get("error").is_some() || fields.get("message").is_some();
        let error = || crate::dialect::openai_chat::read_error(body);
        return Err(if told { error() } else { unreadable("has no results") });
    };
    let results: Option<Vec<Ranked>> = list.into_iter().map(ranked).collect();
    let usage = fields.get("usage").map(|usage| Scanner::new(usage.as_bytes()));
    let usage = usage
        .and_then(|mut usage| crate::dialect::openai_chat::read_usage(&mut usage).ok().flatten());
    let billed = fields.object("meta").and_then(|mut meta| meta.object("billed_units"));
    Ok(Answer {
        id: fields.text("id").unwrap_or_default(),
        model: fields.text("model").unwrap_or_default(),
        results: results.ok_or_else(|| unreadable("has a result without index or score"))?,
        tokens: usage.map(|usage| usage.input_tokens.saturating_add(usage.output_tokens)),
        search_units: billed.and_then(|mut billed| billed.whole("search_units")),
    })
}

fn ranked(value: &str) -> Option<Ranked> {
    let mut fields = Fields::read(value).ok()?;
    Some(Ranked {
        index: fields.whole("index")?,
        score: fields.number("relevance_score").or_else(|| fields.number("score"))?,
        document: fields.raw("document").filter(|document| document.as_str() != "{}"),
    })
}

/// Writes an answer for the caller of a request; `id` stands for what the provider did not say.
#[must_use]
pub fn write_answer(answer: &Answer, request: &Request, id: &str) -> Vec<u8> {
    let shape = request.shape;
    let id = if answer.id.is_empty() { id } else { &answer.id };
    let model = if answer.model.is_empty() { &request.model } else { &answer.model };
    Out::object(|out| {
        match shape {
            Shape::Cohere => out.text("id", id),
            Shape::Jina | Shape::Voyage => {
                out.text("id", id);
                out.text("object", "list");
                out.text("model", model);
            }
        }
        out.list(shape.results(), |out| {
            for ranked in &answer.results {
                out.item(|out| write_ranked(out, ranked, request));
            }
        });
        if shape != Shape::Cohere {
            let tokens = answer.tokens.unwrap_or(0);
            out.member("usage", |out| out.number("total_tokens", tokens));
        }
        // Nothing is billed in searches that is billed in tokens.
        let units = answer.search_units.or((shape == Shape::Cohere).then_some(1));
        if let Some(units) = units {
            out.member("meta", |out| {
                out.member("api_version", |out| out.text("version", "2"));
                out.member("billed_units", |out| out.number("search_units", units));
            });
        }
    })
}

fn write_ranked(out: &mut Out, ranked: &Ranked, request: &Request) {
    out.number("index", ranked.index);
    out.raw("relevance_score", ranked.score.as_str());
    let at = usize::try_from(ranked.index).unwrap_or(usize::MAX);
    let wanted = request.repeat == Some(true);
    let own = request.documents.get(at).filter(|_| wanted);
    let Some(document) = ranked.document.as_ref().or(own) else { return };
    let words = words(document).unwrap_or_else(|| document.as_str().to_owned());
    match request.shape {
        Shape::Voyage => out.raw("document", &words),
        Shape::Cohere | Shape::Jina if document.as_str().starts_with('{') => {
            out.raw("document", document.as_str());
        }
        Shape::Cohere | Shape::Jina => out.member("document", |out| out.raw("text", &words)),
    }
}

impl Answer {
    /// What it used, where the provider says so, in tokens or in searches.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.tokens.or(self.search_units)?;
        let (input_tokens, search_units) =
            (self.tokens.unwrap_or(0), self.search_units.unwrap_or(0));
        Some(Usage { input_tokens, search_units, ..Usage::default() })
    }
}

/// What a body under a success status says that goes on as it is.
#[must_use]
pub fn reply_of(read: Result<Answer, ProviderError>) -> Reply {
    match read {
        Err(fault) => Reply { fault: Some(fault), ..Reply::default() },
        Ok(answer) => Reply { usage: answer.usage(), ..Reply::default() },
    }
}
