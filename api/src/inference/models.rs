//! The models a key may use, in the shapes in which makers list theirs.

use super::decoded;
use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use wire::Refusal;
use wire::dialect::{Dialect, anthropic_messages, cohere_chat, gemini, openai_chat};

/// A model a caller may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Model {
    /// The name to ask for.
    pub id: String,
    /// Who provides it.
    pub owned_by: String,
    /// What it is good for.
    pub kind: Kind,
    /// Most input tokens it takes, where known.
    pub input_tokens_max: Option<u64>,
    /// Most output tokens it gives, where known.
    pub output_tokens_max: Option<u64>,
}

/// What a model is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Talk; also where nobody knows.
    #[default]
    Chat,
    /// Vectors of texts.
    Embed,
    /// Documents in order.
    Rerank,
    /// Something else: pictures, speech.
    Other,
}

/// In whose shape models are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// OpenAI's: all at once.
    OpenAi,
    /// Anthropic's: pages between ids.
    Anthropic,
    /// Gemini's: pages with tokens.
    Gemini,
    /// Cohere's: pages with tokens, and by endpoint.
    Cohere,
}

/// Models on a page where the caller names no number, by face.
const ANTHROPIC_PAGE: usize = 20;
const GEMINI_PAGE: usize = 50;
const COHERE_PAGE: usize = 20;
/// Most models on a page.
const PAGE_MAX: usize = 1_000;

impl Face {
    /// The shape that is meant: callers of Anthropic's say so in a header, also where the path is OpenAI's.
    #[must_use]
    pub fn meant(self, headers: &HeaderMap) -> Self {
        match self {
            Self::OpenAi if headers.contains_key("anthropic-version") => Self::Anthropic,
            Self::OpenAi | Self::Anthropic | Self::Gemini | Self::Cohere => self,
        }
    }

    /// The dialect in which its refusals are said.
    #[must_use]
    pub fn dialect(self) -> &'static Dialect {
        match self {
            Self::OpenAi => &openai_chat::DIALECT,
            Self::Anthropic => &anthropic_messages::DIALECT,
            Self::Gemini => &gemini::DIALECT,
            Self::Cohere => &cohere_chat::DIALECT,
        }
    }

    /// The list, or the page of it that the query asks for. `models` is sorted by name.
    ///
    /// # Errors
    ///
    /// A page that is none.
    pub fn list(self, models: &[Model], query: &str) -> Result<Bytes, Refusal> {
        Ok(match self {
            Self::OpenAi => openai_chat::models_body(models.iter().map(openai)),
            Self::Anthropic => json(&anthropic_page(models, query)?),
            Self::Gemini => {
                let (page, next) = page(models, query, ("pageSize", "pageToken"), GEMINI_PAGE)?;
                let models = page.iter().map(GeminiModel::of).collect();
                json(&GeminiList { models, next_page_token: next })
            }
            Self::Cohere => {
                let endpoint = asked(query, "endpoint");
                let of = |model: &&Model| match &endpoint {
                    None => true,
                    Some(endpoint) => endpoints(model.kind).contains(&endpoint.as_str()),
                };
                let models: Vec<Model> = models.iter().filter(of).cloned().collect();
                let (page, next) = page(&models, query, ("page_size", "page_token"), COHERE_PAGE)?;
                let models = page.iter().map(CohereModel::of).collect();
                json(&CohereList { models, next_page_token: next })
            }
        })
    }

    /// One model.
    #[must_use]
    pub fn one(self, model: &Model) -> Bytes {
        match self {
            Self::OpenAi => openai_chat::model_body(openai(model)),
            Self::Anthropic => json(&AnthropicModel::of(model)),
            Self::Gemini => json(&GeminiModel::of(model)),
            Self::Cohere => json(&CohereModel::of(model)),
        }
    }
}

/// Models have no date of their own here.
fn openai(model: &Model) -> openai_chat::Model<'_> {
    openai_chat::Model { id: &model.id, created_s: 0, owned_by: &model.owned_by }
}

#[derive(Serialize)]
struct AnthropicModel<'a> {
    r#type: &'static str,
    id: &'a str,
    display_name: &'a str,
    created_at: &'static str,
    max_input_tokens: Option<u64>,
    max_tokens: Option<u64>,
}

impl<'a> AnthropicModel<'a> {
    /// The epoch stands for a date that is not known.
    fn of(model: &'a Model) -> Self {
        Self {
            r#type: "model",
            id: &model.id,
            display_name: &model.id,
            created_at: "1970-01-01T00:00:00Z",
            max_input_tokens: model.input_tokens_max,
            max_tokens: model.output_tokens_max,
        }
    }
}

#[derive(Serialize)]
struct AnthropicList<'a> {
    data: Vec<AnthropicModel<'a>>,
    has_more: bool,
    first_id: Option<&'a str>,
    last_id: Option<&'a str>,
}

fn anthropic_page<'a>(models: &'a [Model], query: &str) -> Result<AnthropicList<'a>, Refusal> {
    let most = size(query, "limit", ANTHROPIC_PAGE)?;
    let place = |field: &str| -> Result<Option<usize>, Refusal> {
        let Some(id) = asked(query, field) else { return Ok(None) };
        let found = models.iter().position(|model| model.id == id);
        found.map(Some).ok_or_else(|| wrong(field, "names no model of this key"))
    };
    let (page, has_more) = match (place("before_id")?, place("after_id")?) {
        (Some(before), _) => {
            let from = before.saturating_sub(most);
            (&models[from..before], from > 0)
        }
        (None, after) => {
            let from = after.map_or(0, |after| after + 1);
            let to = from.saturating_add(most).min(models.len());
            (&models[from..to], to < models.len())
        }
    };
    Ok(AnthropicList {
        data: page.iter().map(AnthropicModel::of).collect(),
        has_more,
        first_id: page.first().map(|model| model.id.as_str()),
        last_id: page.last().map(|model| model.id.as_str()),
    })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiModel<'a> {
    name: String,
    version: &'static str,
    display_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    input_token_limit: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_token_limit: Option<u64>,
    supported_generation_methods: &'static [&'static str],
}

impl<'a> GeminiModel<'a> {
    fn of(model: &'a Model) -> Self {
        Self {
            name: format!("models/{}", model.id),
            version: "",
            display_name: &model.id,
            input_token_limit: model.input_tokens_max,
            output_token_limit: model.output_tokens_max,
            supported_generation_methods: match model.kind {
                Kind::Chat => &["generateContent", "countTokens"],
                Kind::Embed => &["embedContent", "batchEmbedContents"],
                Kind::Rerank | Kind::Other => &[],
            },
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GeminiList<'a> {
    models: Vec<GeminiModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<&'a str>,
}

#[derive(Serialize)]
struct CohereModel<'a> {
    name: &'a str,
    endpoints: &'static [&'static str],
    finetuned: bool,
    context_length: Option<u64>,
    tokenizer_url: Option<&'static str>,
    default_endpoints: &'static [&'static str],
}

impl<'a> CohereModel<'a> {
    fn of(model: &'a Model) -> Self {
        Self {
            name: &model.id,
            endpoints: endpoints(model.kind),
            finetuned: false,
            context_length: model.input_tokens_max,
            tokenizer_url: None,
            default_endpoints: &[],
        }
    }
}

#[derive(Serialize)]
struct CohereList<'a> {
    models: Vec<CohereModel<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<&'a str>,
}

/// Cohere's words for what a model is good for.
const fn endpoints(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Chat => &["chat"],
        Kind::Embed => &["embed"],
        Kind::Rerank => &["rerank"],
        Kind::Other => &[],
    }
}

/// A page, and what the next one is asked for by: the last name on this one.
fn page<'a>(
    models: &'a [Model],
    query: &str,
    (size_field, token_field): (&str, &str),
    usual: usize,
) -> Result<(&'a [Model], Option<&'a str>), Refusal> {
    let most = size(query, size_field, usual)?;
    // Sorted by name: a model that went away meanwhile leaves its place.
    let from = match asked(query, token_field) {
        Some(token) => models.partition_point(|model| model.id <= token),
        None => 0,
    };
    let to = from.saturating_add(most).min(models.len());
    let page = &models[from..to];
    let next = page.last().filter(|_| to < models.len()).map(|model| model.id.as_str());
    Ok((page, next))
}

/// How many models are wanted; more than the most are as many as that.
fn size(query: &str, field: &str, usual: usize) -> Result<usize, Refusal> {
    let Some(text) = asked(query, field) else { return Ok(usual) };
    match text.parse::<usize>() {
        Ok(0) => Ok(usual),
        Ok(size) => Ok(size.min(PAGE_MAX)),
        Err(_) => Err(wrong(field, "must be a whole number")),
    }
}

/// What a parameter of the query says; one that says nothing is not there.
fn asked(query: &str, field: &str) -> Option<String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let value = pairs.filter(|(name, _)| *name == field).map(|(_, value)| value).next();
    value.filter(|value| !value.is_empty()).map(decoded)
}

fn wrong(field: &str, what: &str) -> Refusal {
    Refusal::invalid("invalid_value", Some(field), format!("'{field}' {what}"))
}

fn json(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("strings and numbers are JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn models() -> Vec<Model> {
        let model = |id: &str, kind| Model {
            id: id.to_owned(),
            owned_by: "up".to_owned(),
            kind,
            input_tokens_max: Some(8_192),
            ..Model::default()
        };
        vec![model("a", Kind::Chat), model("up/b", Kind::Embed), model("up/c", Kind::Rerank)]
    }

    fn list(face: Face, query: &str) -> Value {
        serde_json::from_slice(&face.list(&models(), query).unwrap()).unwrap()
    }

    fn names(list: &Value, pointer: &str, key: &str) -> Vec<String> {
        let items = list.pointer(pointer).unwrap().as_array().unwrap();
        items.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn pages_of_anthropic_lie_between_ids() {
        let first = list(Face::Anthropic, "limit=2");
        assert_eq!(names(&first, "/data", "id"), ["a", "up/b"]);
        let ends = (&first["first_id"], &first["last_id"], &first["has_more"]);
        assert_eq!(ends, (&json!("a"), &json!("up/b"), &json!(true)));
        let next = list(Face::Anthropic, "limit=2&after_id=up%2Fb");
        assert_eq!(
            (names(&next, "/data", "id"), &next["has_more"]),
            (vec!["up/c".to_owned()], &json!(false))
        );
        let before = list(Face::Anthropic, "limit=1&before_id=up/c");
        assert_eq!(
            (names(&before, "/data", "id"), &before["has_more"]),
            (vec!["up/b".to_owned()], &json!(true))
        );
        let one: Value = serde_json::from_slice(&Face::Anthropic.one(&models()[0])).unwrap();
        assert_eq!(
            (&one["type"], &one["created_at"]),
            (&json!("model"), &json!("1970-01-01T00:00:00Z"))
        );
        for query in ["limit=x", "after_id=none"] {
            assert_eq!(Face::Anthropic.list(&models(), query).unwrap_err().status, 400);
        }
        assert_eq!(
            Face::Anthropic.list(&[], "").unwrap(),
            &br#"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#[..]
        );
    }

    #[test]
    fn pages_of_gemini_and_cohere_go_on_behind_a_name() {
        let first = list(Face::Gemini, "pageSize=2");
        assert_eq!(names(&first, "/models", "name"), ["models/a", "models/up/b"]);
        assert_eq!(first["models"][1]["supportedGenerationMethods"][0], "embedContent");
        assert_eq!(first["models"][0]["inputTokenLimit"], 8_192);
        let next = format!("pageSize=2&pageToken={}", first["nextPageToken"].as_str().unwrap());
        let next = list(Face::Gemini, &next);
        assert_eq!(names(&next, "/models", "name"), ["models/up/c"]);
        assert_eq!(next.get("nextPageToken"), None);
        let cohere = list(Face::Cohere, "endpoint=rerank");
        assert_eq!(names(&cohere, "/models", "name"), ["up/c"]);
        assert_eq!(names(&list(Face::Cohere, ""), "/models", "name").len(), 3);
    }

    #[test]
    fn who_speaks_anthropics_version_gets_its_shape_on_the_path_of_openai() {
        let mut headers = HeaderMap::new();
        assert_eq!(Face::OpenAi.meant(&headers), Face::OpenAi);
        headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
        assert_eq!(Face::OpenAi.meant(&headers), Face::Anthropic);
        assert_eq!(Face::Gemini.meant(&headers), Face::Gemini);
    }
}
