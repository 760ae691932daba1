//! The catalog's file, as `scripts/catalog.py` writes it, made into price lists.

use super::{CatalogEntry, Mode};
use ledger::{Class, Price, Quality, Rate, Service};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// Units per price.
const MILLION: i64 = 1_000_000;

#[derive(Deserialize)]
pub(super) struct File {
    pub(super) made_on: &'static str,
    models: HashMap<&'static str, HashMap<&'static str, RawEntry>>,
}

impl File {
    /// Every model of every provider, those that are priced by size and quality under one name.
    pub(super) fn entries(self) -> HashMap<&'static str, HashMap<&'static str, CatalogEntry>> {
        let of_provider = |models: HashMap<&'static str, RawEntry>| {
            let mut sized: HashMap<&'static str, Vec<Rate>> = HashMap::new();
            for (name, raw) in &models {
                if let Some((model, rate)) = raw.picture(name) {
                    sized.entry(model).or_default().push(rate);
                }
            }
            let mut entries: HashMap<_, _> =
                models.into_iter().map(|(name, raw)| (name, raw.into_entry())).collect();
            for (model, rates) in sized {
                let entry = entries.entry(model).or_insert_with(CatalogEntry::of_pictures);
                let price = entry.price.get_or_insert_default();
                price.rates.extend(rates);
                tidy(price);
            }
            entries
        };
        self.models.into_iter().map(|(name, models)| (name, of_provider(models))).collect()
    }
}

#[derive(Deserialize)]
struct RawEntry {
    mode: Mode,
    #[serde(default)]
    prices: RawPrices,
    input_max: Option<u64>,
    output_max: Option<u64>,
    #[serde(borrow = "'static", default)]
    supports: Vec<&'static str>,
    deprecated_on: Option<&'static str>,
}

/// Prices of one class of service, in nano-USD per million.
#[derive(Default, Deserialize)]
struct RawPrices {
    #[serde(flatten)]
    tokens: Tokens,
    #[serde(default)]
    above: BTreeMap<u64, Tokens>,
    #[serde(default)]
    units: Units,
    batches: Option<Box<RawPrices>>,
    flex: Option<Box<RawPrices>>,
    priority: Option<Box<RawPrices>>,
}

/// Prices of tokens.
#[derive(Clone, Copy, Default, Deserialize)]
struct Tokens {
    input: Option<i64>,
    output: Option<i64>,
    cache_read: Option<i64>,
    cache_write: Option<i64>,
    cache_write_1h: Option<i64>,
    reasoning: Option<i64>,
    audio_input: Option<i64>,
    audio_cache_read: Option<i64>,
    audio_output: Option<i64>,
    image_input: Option<i64>,
    image_output: Option<i64>,
}

/// Prices by other units.
#[derive(Default, Deserialize)]
struct Units {
    #[serde(default)]
    input_request: i64,
    output_image: Option<i64>,
    input_pixel: Option<i64>,
    output_pixel: Option<i64>,
    input_second: Option<i64>,
    output_second: Option<i64>,
    input_character: Option<i64>,
    page: Option<i64>,
    input_query: Option<i64>,
    web_search: Option<i64>,
}

impl CatalogEntry {
    /// One that only prices by size and quality are known of.
    fn of_pictures() -> Self {
        Self {
            mode: Mode::Other,
            price: None,
            input_tokens_max: None,
            output_tokens_max: None,
            supports: Vec::new(),
            deprecated_on: None,
        }
    }
}

impl RawEntry {
    fn into_entry(self) -> CatalogEntry {
        CatalogEntry {
            mode: self.mode,
            price: self.prices.price(self.mode),
            input_tokens_max: self.input_max,
            output_tokens_max: self.output_max,
            supports: self.supports,
            deprecated_on: self.deprecated_on,
        }
    }

    /// The model and the line of its price list that a name like `hd/1024-x-1792/dall-e-3` stands for.
    fn picture(&self, name: &'static str) -> Option<(&'static str, Rate)> {
        let (head, model) = name.rsplit_once('/')?;
        let (quality, size) = head.rsplit_once('/').unwrap_or(("", head));
        let (width, height) = size.split_once("-x-")?;
        let (width, height): (u32, u32) = (width.parse().ok()?, height.parse().ok()?);
        let quality = match quality {
            "" => Quality::Any,
            quality => Quality::ALL.iter().find(|(_, name)| *name == quality)?.0,
        };
        let units = &self.prices.units;
        let pixels = i64::from(width) * i64::from(height);
        let by_pixel = || units.input_pixel.filter(|price| *price > 0).or(units.output_pixel);
        let price = units.output_image.or_else(|| by_pixel()?.checked_mul(pixels))?;
        let rate = Rate {
            class: Class::Image,
            width,
            height,
            quality,
            nano_usd_per_million: price,
            ..Rate::default()
        };
        Some((model, rate))
    }
}

impl RawPrices {
    /// The price list, if everything a request of this mode is billed for has a price.
    fn price(&self, mode: Mode) -> Option<Price> {
        let units = self.units.lines();
        let (input, output) = match (self.tokens.input, self.tokens.output, mode) {
            (Some(input), Some(output), _) => (input, output),
            (Some(input), None, Mode::Embedding) => (input, 0),
            // What is charged by something else has no price of tokens.
            (input, output, Mode::Embedding | Mode::Other) if !units.is_empty() => {
                (input.unwrap_or(0), output.unwrap_or(0))
            }
            (input, output, Mode::Other) if self.tokens.parts().next().is_some() => {
                (input.unwrap_or(0), output.unwrap_or(0))
            }
            _ => return None,
        };
        let mut price = Price {
            input_nano_usd_per_mtok: input,
            output_nano_usd_per_mtok: self.tokens.longest(output),
            cache_read_nano_usd_per_mtok: self.tokens.cache_read,
            cache_write_nano_usd_per_mtok: self.tokens.cache_write,
            request_nano_usd: (self.units.input_request + MILLION - 1) / MILLION,
            rates: units,
        };
        price.rates.extend(self.tokens.lines(Service::Standard, 0));
        self.of_service(Service::Standard, &mut price.rates);
        let services = [
            (Service::Batch, &self.batches),
            (Service::Flex, &self.flex),
            (Service::Priority, &self.priority),
        ];
        for (service, prices) in services {
            if let Some(prices) = prices {
                price.rates.extend(prices.tokens.lines(service, 0));
                prices.of_service(service, &mut price.rates);
            }
        }
        tidy(&mut price);
        Some(price)
    }

    fn of_service(&self, service: Service, rates: &mut Vec<Rate>) {
        let lines = self.above.iter().flat_map(|(above, tokens)| tokens.lines(service, *above));
        rates.extend(lines);
    }
}

impl Tokens {
    /// The price of output: where reasoning costs more than the rest, all of a reasoning answer does.
    fn longest(&self, output: i64) -> i64 {
        output.max(self.reasoning.unwrap_or(0))
    }

    fn parts(&self) -> impl Iterator<Item = (Class, i64)> {
        let reasoning = self.reasoning.filter(|price| self.output.is_some_and(|all| *price < all));
        let output = self.output.map(|output| self.longest(output));
        [
            (Class::Input, self.input),
            (Class::Output, output),
            (Class::CacheRead, self.cache_read),
            (Class::CacheWrite, self.cache_write),
            (Class::CacheWrite1h, self.cache_write_1h),
            (Class::Reasoning, reasoning),
            (Class::AudioInput, self.audio_input),
            (Class::AudioCacheRead, self.audio_cache_read),
            (Class::AudioOutput, self.audio_output),
            (Class::ImageInput, self.image_input),
            (Class::ImageOutput, self.image_output),
        ]
        .into_iter()
        .filter_map(|(class, price)| Some((class, price?)))
    }

    /// Lines of a list; those that a field of the price holds are left out.
    fn lines(self, service: Service, above_input_tokens: u64) -> Vec<Rate> {
        let ordinary = service == Service::Standard && above_input_tokens == 0;
        let parts = self.parts().filter(|(class, _)| !(ordinary && class.has_field()));
        let line = |(class, nano_usd_per_million)| Rate {
            class,
            service,
            above_input_tokens,
            nano_usd_per_million,
            ..Rate::default()
        };
        parts.map(line).collect()
    }
}

impl Units {
    fn lines(&self) -> Vec<Rate> {
        let lines = [
            (Class::Image, self.output_image),
            (Class::InputSecond, self.input_second),
            (Class::OutputSecond, self.output_second),
            (Class::Character, self.input_character),
            (Class::Page, self.page),
            (Class::SearchUnit, self.input_query),
            (Class::WebSearch, self.web_search),
        ];
        let line = |(class, price): (Class, Option<i64>)| {
            Some(Rate { class, nano_usd_per_million: price?, ..Rate::default() })
        };
        lines.into_iter().filter_map(line).collect()
    }
}

/// Orders the lines of a list, and keeps the dearer of two for the same.
fn tidy(price: &mut Price) {
    price.rates.sort_by_key(|rate| (rate.key(), std::cmp::Reverse(rate.nano_usd_per_million)));
    price.rates.dedup_by_key(|rate| rate.key());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> RawPrices {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_chat_model_without_an_output_price_has_no_price() {
        let half = read(r#"{"input":1}"#);
        assert_eq!(half.price(Mode::Chat), None);
        assert!(half.price(Mode::Embedding).is_some());
    }

    #[test]
    fn what_is_charged_by_something_else_than_tokens_has_a_price_for_it() {
        let speech = read(r#"{"units":{"input_second":6}}"#).price(Mode::Other).unwrap();
        let line = Rate { class: Class::InputSecond, nano_usd_per_million: 6, ..Rate::default() };
        assert_eq!((speech.input_nano_usd_per_mtok, speech.rates), (0, vec![line]));
        assert_eq!(read(r#"{}"#).price(Mode::Other), None);
    }

    #[test]
    fn every_class_of_service_and_length_of_prompt_has_its_lines() {
        let text = r#"{"input":1,"output":2,"reasoning":1,"above":{"9":{"input":3}},
            "priority":{"input":4,"above":{"9":{"input":5}}}}"#;
        let rates = read(text).price(Mode::Chat).unwrap().rates;
        let line = |rate: &Rate| {
            (rate.class, rate.service, rate.above_input_tokens, rate.nano_usd_per_million)
        };
        let expected = [
            (Class::Input, Service::Standard, 9, 3),
            (Class::Input, Service::Priority, 0, 4),
            (Class::Input, Service::Priority, 9, 5),
            (Class::Reasoning, Service::Standard, 0, 1),
        ];
        assert_eq!(rates.iter().map(line).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_name_with_a_size_is_a_line_of_its_model() {
        let raw: RawEntry = serde_json::from_str(
            r#"{"mode":"image_generation","prices":{"units":{"input_pixel":2,"output_pixel":0}}}"#,
        )
        .unwrap();
        let (model, rate) = raw.picture("hd/1024-x-1792/dall-e-3").unwrap();
        assert_eq!((model, rate.quality, rate.width), ("dall-e-3", Quality::Hd, 1024));
        assert_eq!(rate.nano_usd_per_million, 2 * 1024 * 1792);
        assert_eq!(raw.picture("meta/llama"), None);
    }
}
