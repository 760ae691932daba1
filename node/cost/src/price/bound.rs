//! The most a call can cost, known before it is sent.

use super::list::List;
use super::{MILLION, Tariff, part, sum};
use ledger::{Class, Service};
use wire::Usage;

/// Classes that input tokens can be of.
const INPUT: [Class; 7] = [
    Class::Input,
    Class::CacheRead,
    Class::CacheWrite,
    Class::CacheWrite1h,
    Class::AudioInput,
    Class::AudioCacheRead,
    Class::ImageInput,
];
/// Classes that output tokens can be of.
const OUTPUT: [Class; 4] =
    [Class::Output, Class::Reasoning, Class::AudioOutput, Class::ImageOutput];

impl Tariff {
    /// The most a call can cost, in nano-USD, whichever prices it falls under. `most` has the most of each
    /// count; its input may be read from a cache or written to one, all of it or a part, and its output be
    /// of any kind. Its class of service is the one asked for; `None` leaves it to the provider.
    #[must_use]
    pub fn bound(&self, most: &Usage) -> i64 {
        self.possible(most).map(|list| self.bound_by(list, most)).max().unwrap_or(i64::MAX)
    }

    /// The most output tokens that `nano_usd` buy on top of the rest, whichever prices it falls under.
    #[must_use]
    pub fn output_tokens_for(&self, nano_usd: i64, most: &Usage) -> u64 {
        let rest = Usage { output_tokens: 0, ..*most };
        let buy = |list: &List| {
            let left = nano_usd.saturating_sub(self.bound_by(list, &rest));
            tokens_for(left.saturating_sub(rounding(list, &OUTPUT)), dearest(list, &OUTPUT))
        };
        self.possible(most).map(buy).min().unwrap_or(0)
    }

    /// Prices a call with at most so many input tokens may be billed at.
    fn possible<'a>(&'a self, most: &'a Usage) -> impl Iterator<Item = &'a List> {
        let allowed = |service: Service| match (service, most.service) {
            (Service::Standard | Service::Batch | Service::Flex, _) => true,
            (Service::Priority, None | Some(wire::Service::Priority | wire::Service::Other)) => {
                true
            }
            (
                Service::Priority,
                Some(wire::Service::Standard | wire::Service::Batch | wire::Service::Flex),
            ) => false,
        };
        self.lists.iter().filter(move |list| {
            let above = list.above_input_tokens;
            allowed(list.service) && (above == 0 || most.input_tokens > above)
        })
    }

    fn bound_by(&self, list: &List, most: &Usage) -> i64 {
        let units = self.units(list, most);
        let each = |count: u64, class| part(count, list.rate(class), MILLION);
        sum([
            input(list, most),
            output(list, most),
            sum(units),
            each(1, Class::Request),
            each(most.pages, Class::Page),
            each(most.search_units, Class::SearchUnit),
            each(most.web_searches, Class::WebSearch),
        ])
    }
}

/// All input at its dearest: as much as there can be of the dearest class, then of the next.
fn input(list: &List, most: &Usage) -> i64 {
    if most.input_tokens == 0 {
        return 0;
    }
    let mut classes = INPUT;
    classes.sort_by_key(|class| std::cmp::Reverse(list.rate(*class)));
    let mut left = most.input_tokens;
    let parts = classes.map(|class| {
        let count = count_of(class, most).min(left);
        left -= count;
        part(count, list.rate(class), MILLION)
    });
    sum(parts).saturating_add(rounding(list, &INPUT))
}

/// How many input tokens can be of a class.
fn count_of(class: Class, most: &Usage) -> u64 {
    match class {
        Class::CacheWrite1h => most.cache_write_1h_tokens,
        Class::AudioInput | Class::AudioCacheRead => most.audio_input_tokens,
        Class::ImageInput => most.image_input_tokens,
        // Any token may be plain, and any may have to do with a cache.
        Class::Input | Class::CacheRead | Class::CacheWrite => most.input_tokens,
        Class::Output
        | Class::AudioOutput
        | Class::ImageOutput
        | Class::Reasoning
        | Class::Request
        | Class::Image
        | Class::InputSecond
        | Class::OutputSecond
        | Class::Character
        | Class::Page
        | Class::SearchUnit
        | Class::WebSearch => 0,
    }
}

fn output(list: &List, most: &Usage) -> i64 {
    if most.output_tokens == 0 {
        return 0;
    }
    let tokens = part(most.output_tokens, dearest(list, &OUTPUT), MILLION);
    tokens.saturating_add(rounding(list, &OUTPUT))
}

fn dearest(list: &List, classes: &[Class]) -> i64 {
    classes.iter().map(|class| list.rate(*class)).max().unwrap_or(0)
}

/// What rounding adds where tokens are split: each class with a price of its own is rounded up by
/// itself, and the first of them in the sum already.
fn rounding(list: &List, classes: &[Class]) -> i64 {
    let own = classes.iter().filter(|class| list.own(**class).is_some()).count();
    i64::try_from(own.saturating_sub(1)).unwrap_or(0)
}

/// The most tokens that `nano_usd` buy; `u64::MAX` where they are free.
fn tokens_for(nano_usd: i64, nano_usd_per_million: i64) -> u64 {
    if nano_usd <= 0 {
        return 0;
    }
    if nano_usd_per_million <= 0 {
        return u64::MAX;
    }
    let tokens = i128::from(nano_usd) * MILLION / i128::from(nano_usd_per_million);
    u64::try_from(tokens).unwrap_or(u64::MAX)
}
