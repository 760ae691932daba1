//! What models cost, how much they take and what they can do, where an operator says nothing of it.
//!
//! The facts are in `node/catalog/catalog.json`, which `scripts/catalog.py` makes from two published
//! packages and which is built into the program. A model whose price the two do not agree on has none.

#[cfg(test)]
mod golden;
mod raw;

use std::collections::HashMap;
use std::sync::LazyLock;

use ledger::Price;
use raw::File;
use serde::Deserialize;
use wire::provider::bedrock;

const TEXT: &str = include_str!("../catalog/catalog.json");

/// Kinds of upstream that say nothing of who made the model.
const GENERIC_KINDS: [&str; 1] = ["openai-compatible"];

/// Whose price list is asked for a bare name at a generic upstream, in this order: those who make models
/// and sell them under names of their own. The many who host the models of others set other prices.
const MAKERS: [&str; 11] = [
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "deepseek",
    "xai",
    "cohere",
    "perplexity",
    "moonshot",
    "zai",
    "voyage",
];

/// Kinds of upstream that the catalog has under other names.
const NAMES: [(&str, &str); 8] = [
    ("alibaba", "dashscope"),
    ("azure-openai", "azure"),
    ("fireworks", "fireworks_ai"),
    ("google", "gemini"),
    ("nvidia-nim", "nvidia_nim"),
    ("together", "together_ai"),
    ("vertex", "vertex_ai"),
    ("voyageai", "voyage"),
];

/// The catalog.
#[derive(Debug)]
pub struct Catalog {
    made_on: &'static str,
    providers: HashMap<&'static str, HashMap<&'static str, CatalogEntry>>,
}

/// What the catalog knows of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// What it is for.
    pub mode: Mode,
    /// Its price list; `None` where none is known for sure.
    pub price: Option<Price>,
    /// Most input tokens.
    pub input_tokens_max: Option<u64>,
    /// Most output tokens.
    pub output_tokens_max: Option<u64>,
    /// What it supports: `function_calling`, `vision`, `reasoning`, ...
    pub supports: Vec<&'static str>,
    /// The day its provider switches it off, `YYYY-MM-DD`.
    pub deprecated_on: Option<&'static str>,
}

/// What a model is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Chat; models that speak only OpenAI's newer Responses API are among them.
    #[serde(alias = "responses")]
    Chat,
    /// Text completion.
    Completion,
    /// Embeddings.
    Embedding,
    /// Something else: pictures, speech, search.
    #[serde(other)]
    Other,
}

impl Catalog {
    /// The catalog this program was built with.
    pub fn built_in() -> &'static Catalog {
        static BUILT_IN: LazyLock<Catalog> =
            LazyLock::new(|| Catalog::parse(TEXT).expect("a test reads the same bytes"));
        &BUILT_IN
    }

    /// The day it was made, `YYYY-MM-DD`.
    pub fn made_on(&self) -> &'static str {
        self.made_on
    }

    /// Looks a model up by the name its provider knows it by.
    ///
    /// `kind` is the kind of upstream. At a generic one, `maker/model` is looked up with that maker and
    /// a bare name with the makers of models in turn. A name with a date that is not listed is looked up
    /// without it.
    pub fn find(&self, kind: &str, model: &str) -> Option<&CatalogEntry> {
        if !GENERIC_KINDS.contains(&kind) {
            let provider =
                NAMES.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, ours)| ours);
            // A profile of Bedrock's that is not listed costs what its model does.
            let base = || bedrock::base_model(model).filter(|_| kind == "bedrock");
            let listed = self.of_provider(provider, model);
            return listed.or_else(|| self.of_provider(provider, base()?));
        }
        if let Some((provider, model)) = model.split_once('/')
            && self.providers.contains_key(provider)
        {
            return self.of_provider(provider, model);
        }
        MAKERS.iter().find_map(|maker| self.of_provider(maker, model))
    }

    /// Every model listed for a kind of upstream, by name. Empty for generic kinds.
    pub fn models<'a>(
        &'a self,
        kind: &str,
    ) -> impl Iterator<Item = (&'static str, &'a CatalogEntry)> {
        let provider = NAMES.iter().find(|(name, _)| *name == kind).map_or(kind, |(_, ours)| ours);
        let models = self.providers.get(provider);
        models.into_iter().flat_map(|models| models.iter().map(|(name, entry)| (*name, entry)))
    }

    fn of_provider(&self, provider: &str, model: &str) -> Option<&CatalogEntry> {
        let models = self.providers.get(provider)?;
        models.get(model).or_else(|| models.get(without_date(model)?))
    }

    fn parse(text: &'static str) -> serde_json::Result<Catalog> {
        let file: File = serde_json::from_str(text)?;
        Ok(Catalog { made_on: file.made_on, providers: file.entries() })
    }
}

/// `gpt-4o` of `gpt-4o-2024-08-06`, `gpt-4o-20240806`, `gpt-4o@20240806` and `gpt-4o-latest`.
fn without_date(model: &str) -> Option<&str> {
    if let Some(bare) = model.strip_suffix("-latest") {
        return Some(bare);
    }
    // A version may stand before the date (`claude-sonnet-4-5-20250929`), so only the date goes.
    let date = if model.len() >= 11 && model.as_bytes()[model.len() - 3] == b'-' { 11 } else { 9 };
    let cut = model.len().checked_sub(date)?;
    let (name, date) = (model.get(..cut)?, model.get(cut + 1..)?);
    let separated = matches!(model.as_bytes()[cut], b'-' | b'@');
    let dated = date.starts_with("20") && date.bytes().filter(u8::is_ascii_digit).count() == 8;
    (separated && dated).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalog_that_is_built_in_can_be_read() {
        let catalog = Catalog::parse(TEXT).unwrap();
        assert!(catalog.providers.values().map(HashMap::len).sum::<usize>() > 4_000);
        assert_eq!(catalog.made_on.len(), 10);
        for (provider, models) in &catalog.providers {
            for (name, entry) in models {
                if let Some(price) = &entry.price {
                    let valid = ledger::valid::price(price);
                    assert!(valid.is_ok(), "{provider}/{name}: {valid:?}");
                }
            }
        }
    }

    #[test]
    fn a_model_is_found_by_each_of_its_names() {
        let catalog = Catalog::built_in();
        let expected = catalog.find("openai", "gpt-4o").unwrap();
        assert_eq!(expected.mode, Mode::Chat);
        assert_eq!(expected.price.as_ref().unwrap().input_nano_usd_per_mtok, 2_500_000_000);
        for name in ["gpt-4o", "openai/gpt-4o"] {
            assert_eq!(catalog.find("openai-compatible", name), Some(expected), "{name}");
        }
        assert_eq!(catalog.find("openai", "gpt-4o-1999-01-01"), None, "no model is that old");
        let dated = catalog.find("openai", "gpt-4o-2099-01-01").unwrap();
        assert_eq!(dated, expected);
    }

    #[test]
    fn a_host_of_the_models_of_others_sets_its_own_prices() {
        let catalog = Catalog::built_in();
        assert_eq!(catalog.find("openai-compatible", "no-such-model"), None);
        assert_eq!(catalog.find("groq", "gpt-4o"), None);
        assert!(catalog.models("openai-compatible").next().is_none());
        assert!(catalog.models("anthropic").count() > 10);
    }

    #[test]
    fn a_profile_of_bedrocks_is_priced_as_its_model_unless_it_is_an_accounts_own() {
        let find = |model: &str| Catalog::built_in().find("bedrock", model);
        let haiku = find("anthropic.claude-3-5-haiku-20241022-v1:0").unwrap();
        assert!(haiku.price.is_some());
        for name in [
            "global.anthropic.claude-3-5-haiku-20241022-v1:0",
            "arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-5-haiku-20241022-v1:0",
        ] {
            assert_eq!(find(name), Some(haiku), "{name}");
        }
        assert!(find("us.anthropic.claude-3-5-haiku-20241022-v1:0").is_some());
        assert_eq!(find("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc"), None);
    }

    #[test]
    fn only_a_date_is_taken_off_a_name() {
        assert_eq!(without_date("claude-sonnet-4-5-20250929"), Some("claude-sonnet-4-5"));
        assert_eq!(without_date("gpt-4o-2024-08-06"), Some("gpt-4o"));
        assert_eq!(without_date("claude@20240620"), Some("claude"));
        assert_eq!(without_date("mistral-large-latest"), Some("mistral-large"));
        for bare in ["gpt-4o", "gpt-4-0613", "llama-3.1-405", "m", "", "ä-20240101x", "20240101"] {
            assert_eq!(without_date(bare), None, "{bare}");
        }
    }
}
