//! Prices as an operator writes and reads them, and as the ledger keeps them.

use api::admin::Usd;
use api::admin::v1::providers;
use api::admin::v1::providers::{PictureQuality, RateClass, ServiceClass};
use ledger::{Class, Price, Quality, Rate, Service};
use std::num::NonZeroU32;

pub(super) fn price_in(price: providers::Price) -> Price {
    Price {
        input_nano_usd_per_mtok: price.input.0,
        output_nano_usd_per_mtok: price.output.0,
        cache_read_nano_usd_per_mtok: price.cache_read.map(|usd| usd.0),
        cache_write_nano_usd_per_mtok: price.cache_write.map(|usd| usd.0),
        request_nano_usd: price.request.0,
        rates: price.rates.into_iter().map(rate_in).collect(),
    }
}

pub(super) fn price_out(price: &Price) -> providers::Price {
    providers::Price {
        input: Usd(price.input_nano_usd_per_mtok),
        output: Usd(price.output_nano_usd_per_mtok),
        cache_read: price.cache_read_nano_usd_per_mtok.map(Usd),
        cache_write: price.cache_write_nano_usd_per_mtok.map(Usd),
        request: Usd(price.request_nano_usd),
        rates: price.rates.iter().map(rate_out).collect(),
    }
}

/// The words of both sides, in the same order: those of the ledger are only ever added to at the end.
const CLASSES: [RateClass; Class::ALL.len()] = [
    RateClass::Input,
    RateClass::Output,
    RateClass::CacheRead,
    RateClass::CacheWrite,
    RateClass::CacheWrite1h,
    RateClass::AudioInput,
    RateClass::AudioCacheRead,
    RateClass::ImageInput,
    RateClass::AudioOutput,
    RateClass::ImageOutput,
    RateClass::Reasoning,
    RateClass::Request,
    RateClass::Image,
    RateClass::InputSecond,
    RateClass::OutputSecond,
    RateClass::Character,
    RateClass::Page,
    RateClass::SearchUnit,
    RateClass::WebSearch,
];
const SERVICES: [ServiceClass; Service::ALL.len()] =
    [ServiceClass::Standard, ServiceClass::Batch, ServiceClass::Flex, ServiceClass::Priority];
const QUALITIES: [PictureQuality; Quality::ALL.len()] = [
    PictureQuality::Any,
    PictureQuality::Low,
    PictureQuality::Medium,
    PictureQuality::High,
    PictureQuality::Standard,
    PictureQuality::Hd,
];

fn rate_in(rate: providers::Rate) -> Rate {
    let (width, height) = rate.size.map_or((0, 0), |(width, height)| (width.get(), height.get()));
    Rate {
        class: Class::ALL[rate.class as usize].0,
        service: Service::ALL[rate.service as usize].0,
        above_input_tokens: rate.above_input_tokens,
        width,
        height,
        quality: Quality::ALL[rate.quality as usize].0,
        nano_usd_per_million: rate.per_million.0,
    }
}

fn rate_out(rate: &Rate) -> providers::Rate {
    providers::Rate {
        class: CLASSES[rate.class as usize],
        service: SERVICES[rate.service as usize],
        above_input_tokens: rate.above_input_tokens,
        size: NonZeroU32::new(rate.width).zip(NonZeroU32::new(rate.height)),
        quality: QUALITIES[rate.quality as usize],
        per_million: Usd(rate.nano_usd_per_million),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_the_same_on_both_sides() {
        fn said(word: &impl serde::Serialize) -> String {
            serde_json::to_string(word).unwrap().replace('"', "")
        }
        for (place, (class, name)) in Class::ALL.into_iter().enumerate() {
            let shown = CLASSES[place];
            assert_eq!((said(&shown), shown as usize), (name.to_owned(), class as usize));
        }
        for (place, (service, name)) in Service::ALL.into_iter().enumerate() {
            let shown = SERVICES[place];
            assert_eq!((said(&shown), shown as usize), (name.to_owned(), service as usize));
        }
        for (place, (quality, name)) in Quality::ALL.into_iter().enumerate() {
            let shown = QUALITIES[place];
            assert_eq!((said(&shown), shown as usize), (name.to_owned(), quality as usize));
        }
    }
}
