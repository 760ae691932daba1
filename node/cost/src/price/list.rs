//! A price list, spread out: for each class of service and length of prompt, what every class costs.

use ledger::{Class, Price, Rate, Service};

/// Classes there are.
const CLASSES: usize = Class::ALL.len();
/// Units per price.
const MILLION: i64 = 1_000_000;

/// What each class costs at one class of service and length of prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List {
    /// The class of service.
    pub service: Service,
    /// It holds for requests with more input tokens than this.
    pub above_input_tokens: u64,
    /// Nano-USD per million, by class; `None`: as what it is a part of, else nothing.
    rates: [Option<i64>; CLASSES],
}

impl List {
    /// The price of its own that a class has.
    #[must_use]
    pub fn own(&self, class: Class) -> Option<i64> {
        self.rates[class as usize]
    }

    /// Classes beyond the common ones that have a price of their own, by name.
    pub fn others(&self) -> impl Iterator<Item = (&'static str, i64)> {
        let own = |(class, name): (Class, &'static str)| Some((name, self.own(class)?));
        Class::ALL.into_iter().filter(|(class, _)| !class.has_field()).filter_map(own)
    }

    /// What a million of a class costs.
    #[must_use]
    pub fn rate(&self, class: Class) -> i64 {
        let mut class = class;
        loop {
            match (self.own(class), whole(class)) {
                (Some(rate), _) => return rate.max(0),
                (None, Some(of)) => class = of,
                (None, None) => return 0,
            }
        }
    }
}

/// What a class is a part of, and billed as where it has no price of its own.
fn whole(class: Class) -> Option<Class> {
    match class {
        Class::CacheRead | Class::CacheWrite | Class::AudioInput | Class::ImageInput => {
            Some(Class::Input)
        }
        Class::CacheWrite1h => Some(Class::CacheWrite),
        Class::AudioCacheRead => Some(Class::CacheRead),
        Class::AudioOutput | Class::ImageOutput | Class::Reasoning => Some(Class::Output),
        Class::Input
        | Class::Output
        | Class::Request
        | Class::Image
        | Class::InputSecond
        | Class::OutputSecond
        | Class::Character
        | Class::Page
        | Class::SearchUnit
        | Class::WebSearch => None,
    }
}

/// All lists of a price: the ordinary class of service first, each by rising length of prompt.
pub(super) fn lists(price: &Price) -> Vec<List> {
    let mut lists = Vec::new();
    for (service, _) in Service::ALL {
        let own = price.rates.iter().any(|rate| rate.service == service);
        if service != Service::Standard && !own {
            continue;
        }
        for above_input_tokens in lengths(price) {
            let list = one(price, service, above_input_tokens, &lists);
            lists.push(list);
        }
    }
    lists
}

/// Lengths of prompts from which on another price holds, rising; the first is 0.
fn lengths(price: &Price) -> Vec<u64> {
    let mut lengths = vec![0];
    lengths.extend(price.rates.iter().map(|rate| rate.above_input_tokens));
    lengths.sort_unstable();
    lengths.dedup();
    lengths
}

/// One list, out of its own lines and, where it has none for a class, of lists before it.
fn one(price: &Price, service: Service, above_input_tokens: u64, before: &[List]) -> List {
    let mut list = List { service, above_input_tokens, rates: [None; CLASSES] };
    let shorter = before.iter().rev().find(|other| other.service == service);
    let ordinary = before.iter().find(|other| {
        other.service == Service::Standard && other.above_input_tokens == above_input_tokens
    });
    for (class, _) in Class::ALL {
        let line = |rate: &&Rate| {
            (rate.class, rate.service, rate.above_input_tokens)
                == (class, service, above_input_tokens)
        };
        let own = price.rates.iter().find(line).map(|rate| rate.nano_usd_per_million);
        let field = (service, above_input_tokens) == (Service::Standard, 0);
        list.rates[class as usize] = match own {
            Some(own) => Some(own),
            None if field => ordinary_rate(price, class),
            None => inherited(class, shorter, ordinary),
        };
    }
    // At a dearer service a class that only the ordinary list names must not stay cheap.
    if let Some(ordinary) = ordinary {
        lift(&mut list, price, ordinary);
    }
    list
}

/// What a field of the price says.
fn ordinary_rate(price: &Price, class: Class) -> Option<i64> {
    match class {
        Class::Input => Some(price.input_nano_usd_per_mtok),
        Class::Output => Some(price.output_nano_usd_per_mtok),
        Class::CacheRead => price.cache_read_nano_usd_per_mtok,
        Class::CacheWrite => price.cache_write_nano_usd_per_mtok,
        Class::Request => Some(price.request_nano_usd.saturating_mul(MILLION)),
        Class::CacheWrite1h
        | Class::AudioInput
        | Class::AudioCacheRead
        | Class::ImageInput
        | Class::AudioOutput
        | Class::ImageOutput
        | Class::Reasoning
        | Class::Image
        | Class::InputSecond
        | Class::OutputSecond
        | Class::Character
        | Class::Page
        | Class::SearchUnit
        | Class::WebSearch => None,
    }
}

/// The dearer of what holds for shorter prompts of the same service, and what the ordinary service costs
/// at this length.
fn inherited(class: Class, shorter: Option<&List>, ordinary: Option<&List>) -> Option<i64> {
    let of = |list: Option<&List>| list.and_then(|list| list.own(class));
    of(shorter).max(of(ordinary))
}

/// Raises classes without a line of their own to what they are a part of, where that costs more than at
/// the ordinary service.
fn lift(list: &mut List, price: &Price, ordinary: &List) {
    let (service, above_input_tokens) = (list.service, list.above_input_tokens);
    for (class, _) in Class::ALL {
        let said = price.rates.iter().any(|rate| {
            (rate.class, rate.service) == (class, service)
                && rate.above_input_tokens <= above_input_tokens
        });
        let Some(of) = whole(class) else { continue };
        if !said && list.rate(of) > ordinary.rate(of) && list.own(class).is_some() {
            list.rates[class as usize] = list.own(class).max(Some(list.rate(of)));
        }
    }
}
