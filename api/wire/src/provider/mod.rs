//! One file per provider: the dialects it speaks, and its quirks. All of it is data.

mod table;

pub mod alibaba;
pub mod anthropic;
pub mod azure;
pub mod bedrock;
pub mod cerebras;
pub mod cloudflare;
pub mod cohere;
pub mod databricks;
pub mod deepseek;
pub mod fireworks;
pub mod gemini;
pub mod groq;
pub mod huggingface;
pub mod llamacpp;
pub mod mistral;
pub mod moonshot;
pub mod nebius;
pub mod nvidia_nim;
pub mod ollama;
pub mod openai;
pub mod openai_compatible;
pub mod openrouter;
pub mod perplexity;
pub mod sambanova;
pub mod sglang;
pub mod together;
pub mod vertex;
pub mod vllm;
pub mod voyage;
pub mod xai;
pub mod zai;

use std::borrow::Cow;

pub use table::{Row, markdown, rows};

use crate::call::Operation;
use crate::dialect::{
    Dialect, anthropic_messages, anthropic_vertex, bedrock_converse, bedrock_invoke, cohere_chat,
    gemini as gemini_dialect, ollama_chat, openai_chat, openai_responses,
};
use crate::kept::Kept;
use crate::splice::OutputField;

/// A provider.
#[derive(Debug, Clone, Copy)]
pub struct Provider {
    /// The name of its file here, with dashes, and its kind in a configuration.
    pub name: &'static str,
    /// Where it is reached, up to and with the version; empty where each account has its own. What stands in
    /// braces (`{region}`, `{project}`, `{resource}`) each account has its own of.
    pub base_url: &'static str,
    /// How a credential is shown.
    pub auth: Auth,
    /// Headers that every request has.
    pub headers: &'static [(&'static str, &'static str)],
    /// What it can be asked, and how; of several dialects for one operation the first is preferred.
    pub speaks: &'static [Speech],
    /// How it differs from its dialects.
    pub quirks: Quirks,
    /// What it keeps between requests, at OpenAI's or Anthropic's paths.
    pub keeps: &'static [Kept],
}

/// One operation in one dialect.
#[derive(Debug, Clone, Copy)]
pub struct Speech {
    /// What is asked.
    pub operation: Operation,
    /// How.
    pub dialect: &'static Dialect,
    /// Where, behind the base URL.
    pub path: Path,
    /// Only for models whose names hold this; what is for some models only goes before what is for all.
    pub only: Option<&'static str>,
}

/// A path behind the base URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// This one.
    Is(&'static str),
    /// One that names the model.
    Of {
        /// What stands before the model.
        before: &'static str,
        /// What stands behind it.
        after: &'static str,
        /// What stands behind it where a stream is wanted.
        stream: &'static str,
    },
}

/// How a credential is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `authorization: Bearer <credential>`
    Bearer,
    /// A header of its own that holds nothing else.
    Header(&'static str),
    /// Keys of AWS sign each request; an API key is shown as a bearer's.
    Aws {
        /// The service's name for signatures, e.g. `bedrock`.
        service: &'static str,
    },
    /// A token of Google's; an API key (`AIza…`) has Google's own header.
    Google,
    /// A token of Entra's; an API key has a header of its own.
    Entra {
        /// The header of a key.
        key: &'static str,
    },
}

/// How a provider differs from its dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quirks {
    /// Whether a stream must be asked for usage with `stream_options`.
    pub ask_usage: bool,
    /// The field an output limit is inserted under.
    pub output_field: OutputField,
    /// Whether calls of tools come without a type, or in streams without a number: both are put in for
    /// callers of the same dialect, who ask for them.
    pub bare_calls: bool,
}

impl Auth {
    /// Name and value of the header that carries a credential which is a key, or a token, by itself. The
    /// value is a secret.
    #[must_use]
    pub fn header(self, credential: &str) -> (&'static str, String) {
        let bearer = || ("authorization", format!("Bearer {credential}"));
        match self {
            Self::Google if credential.starts_with("AIza") => {
                ("x-goog-api-key", credential.to_owned())
            }
            Self::Bearer | Self::Aws { .. } | Self::Google => bearer(),
            Self::Header(name) | Self::Entra { key: name } => (name, credential.to_owned()),
        }
    }
}

impl Provider {
    /// How the provider is asked at a base URL with this path: some have another surface beside the one
    /// whose path ends in `/v1`.
    #[must_use]
    pub fn at(&'static self, path: &str) -> &'static Self {
        let other = SURFACES.iter().copied().find(|surface| surface.name == self.name);
        other.filter(|_| !path.trim_end_matches('/').ends_with("/v1")).unwrap_or(self)
    }

    /// The base URL with what stands in braces filled in.
    ///
    /// # Errors
    /// What is to be filled in and is not known.
    pub fn base_url_of<'a>(
        &self,
        known: impl Fn(&str) -> Option<Cow<'a, str>>,
    ) -> Result<String, &'static str> {
        let mut url = String::new();
        let mut rest = self.base_url;
        while let Some((before, (name, after))) = braces(rest) {
            url.push_str(before);
            url.push_str(&known(name).ok_or(name)?);
            rest = after;
        }
        url.push_str(rest);
        Ok(match self.name {
            vertex::NAME => vertex::regional(&url),
            _ => url,
        })
    }

    /// How to ask for something that was asked in the dialect `face`: in the same dialect where the
    /// provider speaks it, else in one it can be translated to.
    #[must_use]
    pub fn speech(
        &self,
        operation: Operation,
        face: &Dialect,
        model: &str,
    ) -> Option<&'static Speech> {
        let of = || self.speaks.iter().filter(move |speech| speech.operation == operation);
        let special = of().any(|speech| speech.only.is_some_and(|part| model.contains(part)));
        let is_fit = |speech: &&Speech| match speech.only {
            Some(part) => model.contains(part),
            None => !special,
        };
        let mut fit = of().filter(is_fit);
        let same = fit.clone().find(|speech| speech.dialect == face);
        same.or_else(|| operation.vocabulary().and_then(|_| fit.next()))
    }
}

/// What stands before the first braces, in them, and behind them.
fn braces(text: &str) -> Option<(&str, (&str, &str))> {
    let (before, rest) = text.split_once('{')?;
    Some((before, rest.split_once('}')?))
}

impl Speech {
    const fn at(operation: Operation, dialect: &'static Dialect, path: &'static str) -> Self {
        Self { operation, dialect, path: Path::Is(path), only: None }
    }

    /// At a path that names the model; nothing of it streams.
    const fn of_model(
        operation: Operation,
        dialect: &'static Dialect,
        (before, after): (&'static str, &'static str),
    ) -> Self {
        Self { operation, dialect, path: Path::Of { before, after, stream: after }, only: None }
    }

    /// The path for a model, to be put behind the base URL.
    #[must_use]
    pub fn path(&self, model: &str, streams: bool) -> Cow<'static, str> {
        match self.path {
            Path::Is(path) => Cow::Borrowed(path),
            Path::Of { before, after, stream } => {
                let mut path = before.to_owned();
                encode(model, &mut path);
                path.push_str(if streams { stream } else { after });
                Cow::Owned(path)
            }
        }
    }
}

/// Writes a name as one segment of a path. What signs a request signs this form.
pub fn encode(name: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(DIGITS[usize::from(byte >> 4)]));
            out.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

const CHAT: Speech =
    Speech::at(Operation::ChatCompletions, &openai_chat::DIALECT, "/chat/completions");
const COMPLETIONS: Speech =
    Speech::at(Operation::Completions, &openai_chat::DIALECT, "/completions");
const EMBEDDINGS: Speech = Speech::at(Operation::Embeddings, &openai_chat::DIALECT, "/embeddings");

/// Documents in order, as Jina does it and most servers since.
const RERANK: Speech = Speech::at(Operation::Rerank, &openai_chat::DIALECT, "/rerank");

const MODERATIONS: Speech =
    Speech::at(Operation::Moderations, &openai_chat::DIALECT, "/moderations");
const IMAGES: Speech = Speech::at(Operation::Images, &openai_chat::DIALECT, "/images/generations");
const IMAGE_EDITS: Speech =
    Speech::at(Operation::ImageEdits, &openai_chat::DIALECT, "/images/edits");
const IMAGE_VARIATIONS: Speech =
    Speech::at(Operation::ImageVariations, &openai_chat::DIALECT, "/images/variations");
const SPEECH: Speech = Speech::at(Operation::Speech, &openai_chat::DIALECT, "/audio/speech");
const TRANSCRIPTIONS: Speech =
    Speech::at(Operation::Transcriptions, &openai_chat::DIALECT, "/audio/transcriptions");
const TRANSLATIONS: Speech =
    Speech::at(Operation::Translations, &openai_chat::DIALECT, "/audio/translations");

/// Anthropic's Messages at `path`.
const fn messages(path: &'static str) -> Speech {
    Speech::at(Operation::ChatCompletions, &anthropic_messages::DIALECT, path)
}

/// OpenAI's Responses.
const RESPONSES: Speech =
    Speech::at(Operation::ChatCompletions, &openai_responses::DIALECT, "/responses");

/// How long a chat in the words of Responses would be.
const COUNT_RESPONSES: Speech =
    Speech::at(Operation::CountTokens, &openai_responses::DIALECT, "/responses/input_tokens");

/// How long a chat in Anthropic's dialect would be.
const COUNT_TOKENS: Speech =
    Speech::at(Operation::CountTokens, &anthropic_messages::DIALECT, "/messages/count_tokens");

/// What most providers of OpenAI's dialect have in common.
const OPENAI_SHAPED: Provider = Provider {
    name: "",
    base_url: "",
    auth: Auth::Bearer,
    headers: &[],
    speaks: &[CHAT, COMPLETIONS, EMBEDDINGS],
    quirks: Quirks { ask_usage: true, output_field: OutputField::MaxTokens, bare_calls: false },
    keeps: &[],
};

/// All that OpenAI keeps.
const KEEPS_ALL: &[Kept] =
    &[Kept::Responses, Kept::Chats, Kept::Files, Kept::Uploads, Kept::Batches];

/// Every provider.
pub const ALL: &[&Provider] = &[
    &alibaba::PROVIDER,
    &anthropic::PROVIDER,
    &azure::PROVIDER,
    &bedrock::PROVIDER,
    &cerebras::PROVIDER,
    &cloudflare::PROVIDER,
    &cohere::PROVIDER,
    &databricks::PROVIDER,
    &deepseek::PROVIDER,
    &fireworks::PROVIDER,
    &gemini::PROVIDER,
    &groq::PROVIDER,
    &huggingface::PROVIDER,
    &llamacpp::PROVIDER,
    &mistral::PROVIDER,
    &moonshot::PROVIDER,
    &nebius::PROVIDER,
    &nvidia_nim::PROVIDER,
    &ollama::PROVIDER,
    &openai::PROVIDER,
    &openai_compatible::PROVIDER,
    &openrouter::PROVIDER,
    &perplexity::PROVIDER,
    &sambanova::PROVIDER,
    &sglang::PROVIDER,
    &together::PROVIDER,
    &vertex::PROVIDER,
    &vllm::PROVIDER,
    &voyage::PROVIDER,
    &xai::PROVIDER,
    &zai::PROVIDER,
];

/// Other surfaces of providers, for base URLs that do not end in `/v1`.
pub const SURFACES: &[&Provider] = &[&azure::DEPLOYMENTS, &ollama::NATIVE];

/// For each dialect, a provider that speaks no other: what an operator's own server is taken for that is said to
/// speak it.
const SPEAKERS: &[(&Dialect, &Provider)] = &[
    (&openai_chat::DIALECT, &openai_compatible::PROVIDER),
    (&openai_responses::DIALECT, &openai_compatible::RESPONDING),
    (&anthropic_messages::DIALECT, &anthropic::PROVIDER),
    (&anthropic_vertex::DIALECT, &vertex::CLAUDE),
    (&bedrock_converse::DIALECT, &bedrock::CONVERSING),
    (&bedrock_invoke::DIALECT, &bedrock::INVOKED),
    (&ollama_chat::DIALECT, &ollama::NATIVE),
    (&cohere_chat::DIALECT, &cohere::PROVIDER),
    (&gemini_dialect::DIALECT, &gemini::PROVIDER),
];

/// A provider that speaks the dialect of that name.
#[must_use]
pub fn speaking(dialect: &str) -> Option<&'static Provider> {
    SPEAKERS.iter().find(|(known, _)| known.name == dialect).map(|(_, provider)| *provider)
}

/// The provider of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Provider> {
    ALL.iter().copied().find(|provider| provider.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_callers_own_dialect_goes_before_others() {
        let chat = Operation::ChatCompletions;
        let speech = |name: &str, operation, face: &Dialect| {
            Some(named(name).unwrap().speech(operation, face, "m")?.dialect.name)
        };
        let (openai, anthropic) = (&openai_chat::DIALECT, &anthropic_messages::DIALECT);
        assert_eq!(speech("deepseek", chat, openai), Some("openai_chat"));
        assert_eq!(speech("deepseek", chat, anthropic), Some("anthropic_messages"));
        assert_eq!(speech("openai", chat, &openai_responses::DIALECT), Some("openai_responses"));
        assert_eq!(speech("groq", chat, anthropic), Some("openai_chat"));
        assert_eq!(speech("anthropic", chat, openai), Some("anthropic_messages"));
        assert_eq!(speech("anthropic", Operation::Embeddings, openai), None);
        let invoke = crate::dialect::named("bedrock_invoke").unwrap();
        assert_eq!(speech("bedrock", chat, invoke), Some("bedrock_invoke"));
        assert_eq!(speech("bedrock", chat, anthropic), Some("bedrock_converse"));
        let claude = named("vertex").unwrap().speech(chat, openai, "claude-x@1").unwrap();
        assert_eq!(claude.dialect.name, "anthropic_vertex");
        let path = "/publishers/anthropic/models/claude-x@1:streamRawPredict";
        assert_eq!(claude.path("claude-x@1", true), path);
        assert_eq!(speech("vertex", chat, anthropic), Some("gemini"));
    }

    #[test]
    fn a_model_in_a_path_is_one_segment_of_it() {
        let speech = Speech {
            path: Path::Of { before: "/model/", after: "/converse", stream: "/converse-stream" },
            ..CHAT
        };
        let model = "us.anthropic.claude-v1:0";
        assert_eq!(speech.path(model, false), "/model/us.anthropic.claude-v1%3A0/converse");
        assert_eq!(speech.path("a/b@1", true), "/model/a%2Fb@1/converse-stream");
        assert_eq!(CHAT.path(model, true), "/chat/completions");
    }

    #[test]
    fn a_server_of_ones_own_may_speak_any_dialect() {
        let chat = Operation::ChatCompletions;
        let chats = |dialect: &&&Dialect| dialect.operations.contains(&chat);
        for dialect in crate::dialect::ALL.iter().filter(chats) {
            let provider = speaking(dialect.name).unwrap();
            let speech = provider.speech(chat, &openai_chat::DIALECT, "m").unwrap();
            assert_eq!(speech.dialect.name, dialect.name);
        }
        assert!(speaking("none").is_none());
    }

    #[test]
    fn a_base_url_tells_which_surface_is_asked() {
        let path = |name: &str, base: &str| {
            let provider = named(name).unwrap().at(base);
            let chat = Operation::ChatCompletions;
            let speech = provider.speech(chat, &openai_chat::DIALECT, "m").unwrap();
            speech.path("m", false).into_owned()
        };
        let cases = [
            ("azure", "/openai/v1", "/chat/completions"),
            ("azure", "/openai", "/deployments/m/chat/completions"),
            ("ollama", "/v1/", "/chat/completions"),
            ("ollama", "", "/api/chat"),
            ("openai", "", "/chat/completions"),
        ];
        for (name, base, expected) in cases {
            assert_eq!(path(name, base), expected, "{name} at {base:?}");
        }
    }

    #[test]
    fn what_an_account_has_of_its_own_is_filled_into_the_base_url() {
        let url = |name: &str, region: Option<&'static str>| {
            let known = |what: &str| match what {
                "region" => region.map(Cow::Borrowed),
                _ => Some(Cow::Borrowed("mine")),
            };
            named(name).unwrap().base_url_of(known)
        };
        let cases = [
            ("bedrock", "eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com"),
            (
                "vertex",
                "europe-west4",
                "https://europe-west4-aiplatform.googleapis.com/v1/projects/mine/locations/europe-west4",
            ),
            (
                "vertex",
                "global",
                "https://aiplatform.googleapis.com/v1/projects/mine/locations/global",
            ),
            (
                "vertex",
                "eu",
                "https://aiplatform.eu.rep.googleapis.com/v1/projects/mine/locations/eu",
            ),
            ("azure", "", "https://mine.openai.azure.com/openai/v1"),
            ("openai", "", "https://api.openai.com/v1"),
        ];
        for (name, region, expected) in cases {
            assert_eq!(url(name, Some(region)).unwrap(), expected);
        }
        assert_eq!(url("bedrock", None), Err("region"));
    }

    #[test]
    fn a_key_by_itself_is_shown_as_its_cloud_takes_it() {
        let shown = |name: &str, key: &str| {
            let (header, value) = named(name).unwrap().auth.header(key);
            format!("{header}: {value}")
        };
        assert_eq!(shown("bedrock", "ABSKabc="), "authorization: Bearer ABSKabc=");
        assert_eq!(shown("vertex", "ya29.x"), "authorization: Bearer ya29.x");
        assert_eq!(shown("vertex", "AIzaX"), "x-goog-api-key: AIzaX");
        assert_eq!(shown("azure", "0a1b"), "api-key: 0a1b");
    }

    #[test]
    fn base_urls_end_in_no_slash_and_paths_begin_with_one() {
        for provider in ALL.iter().chain(SURFACES) {
            let Provider { name, base_url, .. } = provider;
            assert!(base_url.is_empty() || base_url.starts_with("http"), "{name}");
            assert!(!base_url.ends_with('/'), "{name}");
            for speech in provider.speaks {
                assert!(speech.path("m", false).starts_with('/'), "{name}");
                assert!(speech.dialect.operations.contains(&speech.operation), "{name}");
            }
        }
    }
}
