//! What does it cost? Pure, in integers; every part is rounded up to the next nano-USD.

mod bound;
mod list;

use ledger::{Class, Price, Quality, Rate, Service};
use wire::{Picture, Usage};

pub use list::List;

/// Units per price.
const MILLION: i128 = 1_000_000;
const MS_PER_S: i128 = 1_000;

/// The prices of one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tariff {
    /// The ordinary class of service first, each by rising length of prompt; at least one.
    lists: Vec<List>,
    /// What pictures cost, by size and quality.
    pictures: Vec<Rate>,
}

/// The prices a place is charged at, and which ones they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// `None`: nothing is charged in money.
    pub tariff: Option<Tariff>,
    /// `log:<index>` of the provider's last change, or `catalog:<day>`; `None` without prices.
    pub version: Option<String>,
}

impl Prices {
    /// The version of prices an operator set, by the log index of the provider's last change.
    #[must_use]
    pub fn of_log(index: u64) -> String {
        format!("log:{index}")
    }

    /// The version of prices of the catalog, by the day it was made.
    #[must_use]
    pub fn of_catalog(made_on: &str) -> String {
        format!("catalog:{made_on}")
    }
}

impl From<&Price> for Tariff {
    fn from(price: &Price) -> Self {
        let pictures = price.rates.iter().filter(|rate| rate.class == Class::Image);
        Self { lists: list::lists(price), pictures: pictures.copied().collect() }
    }
}

impl Tariff {
    /// What a call cost, in nano-USD.
    #[must_use]
    pub fn price(&self, usage: &Usage) -> i64 {
        self.cost(self.applied(usage), usage)
    }

    /// The prices a call of this usage is billed at: of the class of service that it was served at, the
    /// dearest where that is one nobody knows the price of.
    #[must_use]
    pub fn applied(&self, usage: &Usage) -> &List {
        let service = match usage.service {
            None | Some(wire::Service::Standard) => Some(Service::Standard),
            // Both cost less than the ordinary one, or as much.
            Some(wire::Service::Batch) => Some(self.known(Service::Batch)),
            Some(wire::Service::Flex) => Some(self.known(Service::Flex)),
            Some(wire::Service::Priority) => {
                self.has(Service::Priority).then_some(Service::Priority)
            }
            Some(wire::Service::Other) => None,
        };
        let lists = self.reached(usage.input_tokens);
        let lists = lists.filter(|list| service.is_none_or(|service| list.service == service));
        lists.max_by_key(|list| self.cost(list, usage)).unwrap_or(&self.lists[0])
    }

    /// Whether a class of service has a price of its own.
    #[must_use]
    pub fn has(&self, service: Service) -> bool {
        self.lists.iter().any(|list| list.service == service)
    }

    fn known(&self, service: Service) -> Service {
        if self.has(service) { service } else { Service::Standard }
    }

    /// Of each class of service the list for so many input tokens.
    fn reached(&self, input_tokens: u64) -> impl Iterator<Item = &List> {
        let reached = move |list: &&List| {
            list.above_input_tokens == 0 || input_tokens > list.above_input_tokens
        };
        let dearer = move |list: &List| {
            let next = |other: &List| {
                other.service == list.service
                    && other.above_input_tokens > list.above_input_tokens
                    && input_tokens > other.above_input_tokens
            };
            self.lists.iter().any(next)
        };
        self.lists.iter().filter(reached).filter(move |list| !dearer(list))
    }

    /// What a call costs by one list: tokens, or, where they cost nothing, what else was made of or read;
    /// and what comes on top of either.
    fn cost(&self, list: &List, usage: &Usage) -> i64 {
        let tokens = sum(tokens(list, usage));
        let made = if tokens > 0 { 0 } else { sum(self.units(list, usage)) };
        let each = |count: u64, class| part(count, list.rate(class), MILLION);
        sum([
            tokens,
            made,
            each(1, Class::Request),
            each(usage.pages, Class::Page),
            each(usage.search_units, Class::SearchUnit),
            each(usage.web_searches, Class::WebSearch),
        ])
    }

    fn units(&self, list: &List, usage: &Usage) -> [i64; 4] {
        let per_ms = MILLION * MS_PER_S;
        [
            part(usage.images, self.picture(list.service, usage.picture), MILLION),
            part(usage.input_ms, list.rate(Class::InputSecond), per_ms),
            part(usage.output_ms, list.rate(Class::OutputSecond), per_ms),
            part(usage.characters, list.rate(Class::Character), MILLION),
        ]
    }

    /// What a million pictures of a kind cost: the dearest of those that it may be.
    fn picture(&self, service: Service, picture: Picture) -> i64 {
        let own = |service: Service| {
            let all = self.pictures.iter().filter(move |rate| rate.service == service);
            let mut fitting: Vec<&Rate> = all.clone().filter(|rate| fits(rate, picture)).collect();
            // A line that names what is known of the picture is the one that is meant.
            narrow(&mut fitting, picture.width > 0, |rate| rate.width > 0);
            let said = quality(picture.quality) != Quality::Any;
            narrow(&mut fitting, said, |rate| rate.quality != Quality::Any);
            let price = |rate: &Rate| rate.nano_usd_per_million;
            // A size that no line knows may cost as much as any.
            fitting.into_iter().map(price).max().or_else(|| all.map(price).max())
        };
        own(service).or_else(|| own(Service::Standard)).unwrap_or(0).max(0)
    }
}

/// Keeps the lines that name something, where that is known and any line does.
fn narrow(lines: &mut Vec<&Rate>, known: bool, names: fn(&Rate) -> bool) {
    if known && lines.iter().any(|rate| names(rate)) {
        lines.retain(|rate| names(rate));
    }
}

/// Whether a line may be the one for a picture; what is not known of either is no obstacle.
fn fits(rate: &Rate, picture: Picture) -> bool {
    let quality = quality(picture.quality);
    let same_size = (rate.width, rate.height) == (picture.width, picture.height);
    let size = rate.width == 0 || picture.width == 0 || same_size;
    size && (rate.quality == Quality::Any || quality == Quality::Any || rate.quality == quality)
}

fn quality(quality: wire::Quality) -> Quality {
    match quality {
        wire::Quality::Unknown => Quality::Any,
        wire::Quality::Low => Quality::Low,
        wire::Quality::Medium => Quality::Medium,
        wire::Quality::High => Quality::High,
        wire::Quality::Standard => Quality::Standard,
        wire::Quality::Hd => Quality::Hd,
    }
}

/// What the tokens cost, class by class. Each token is billed once: one that is of two classes as the
/// first of them here, and one of a class without a price of its own as what that is a part of.
fn tokens(list: &List, usage: &Usage) -> [i64; 11] {
    let own = |class, count: u64| if list.own(class).is_some() { count } else { 0 };
    let hour = usage.cache_write_1h_tokens.min(usage.cache_write_tokens);
    let hour = own(Class::CacheWrite1h, hour);
    let spoken = usage.audio_cache_read_tokens.min(usage.cache_read_tokens);
    let heard = usage.audio_input_tokens.saturating_sub(spoken);
    let spoken = own(Class::AudioCacheRead, spoken);
    // Cached tokens that exceed the input are still paid for.
    let cached = usage.cache_read_tokens.saturating_add(usage.cache_write_tokens);
    let mut left = usage.input_tokens.max(cached);
    let mut made = usage.output_tokens;
    let mut input = |class, count: u64| take(&mut left, own(class, count), list.rate(class));
    let mut output = |class, count: u64| take(&mut made, own(class, count), list.rate(class));
    [
        input(Class::CacheWrite1h, hour),
        input(Class::CacheWrite, usage.cache_write_tokens - hour),
        input(Class::AudioCacheRead, spoken),
        input(Class::CacheRead, usage.cache_read_tokens - spoken),
        input(Class::AudioInput, heard),
        input(Class::ImageInput, usage.image_input_tokens),
        input(Class::Input, u64::MAX),
        output(Class::AudioOutput, usage.audio_output_tokens),
        output(Class::ImageOutput, usage.image_output_tokens),
        output(Class::Reasoning, usage.reasoning_tokens),
        output(Class::Output, u64::MAX),
    ]
}

/// The cost of so many of the tokens that are left.
fn take(left: &mut u64, count: u64, nano_usd_per_million: i64) -> i64 {
    let taken = count.min(*left);
    *left -= taken;
    part(taken, nano_usd_per_million, MILLION)
}

/// What so many of a thing cost, rounded up, in nano-USD. Saturates far beyond any budget.
fn part(count: u64, nano_usd: i64, per: i128) -> i64 {
    let exact = i128::from(count) * i128::from(nano_usd.max(0));
    i64::try_from((exact + per - 1) / per).unwrap_or(i64::MAX)
}

fn sum(parts: impl IntoIterator<Item = i64>) -> i64 {
    parts.into_iter().fold(0, i64::saturating_add)
}

#[cfg(test)]
mod tests;
