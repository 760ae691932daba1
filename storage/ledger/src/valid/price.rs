//! Prices.

use super::invalid;
use crate::{Class, Denial, NanoUsd, Price, Quality, Rate, Service};
use std::collections::BTreeSet;

/// Highest price of a million tokens or of a request: a million dollars.
pub const PRICE_NANO_USD_MAX: i64 = 1_000_000 * NanoUsd::PER_USD;
/// Highest price of a million of anything else: a thousand dollars each.
pub const MILLION_NANO_USD_MAX: i64 = 1_000 * PRICE_NANO_USD_MAX;
/// Most lines of one price list.
pub const RATES_MAX: usize = 256;
/// Largest side of a picture, in pixels.
const PIXELS_MAX: u32 = 65_536;

/// Checks a price list.
///
/// # Errors
/// The part that is not within its limits, or makes no sense.
pub fn price(price: &Price) -> Result<(), Denial> {
    let parts = [
        Some(price.input_nano_usd_per_mtok),
        Some(price.output_nano_usd_per_mtok),
        price.cache_read_nano_usd_per_mtok,
        price.cache_write_nano_usd_per_mtok,
        Some(price.request_nano_usd),
    ];
    let odd = parts.into_iter().flatten().find(|part| !(0..=PRICE_NANO_USD_MAX).contains(part));
    if let Some(part) = odd {
        return invalid("price", format!("{part} nano-usd is not within 0 to 10^15"));
    }
    if price.rates.len() > RATES_MAX {
        let count = price.rates.len();
        return invalid("rates", format!("has {count}, at most {RATES_MAX} are allowed"));
    }
    let mut seen = BTreeSet::new();
    for one in &price.rates {
        rate(one)?;
        if !seen.insert(one.key()) {
            return invalid("rates", format!("{} has two prices for the same", name(one)));
        }
    }
    Ok(())
}

fn rate(rate: &Rate) -> Result<(), Denial> {
    let max = if rate.class.is_tokens() { PRICE_NANO_USD_MAX } else { MILLION_NANO_USD_MAX };
    let part = rate.nano_usd_per_million;
    if !(0..=max).contains(&part) {
        let name = name(rate);
        return invalid("rates", format!("{name}: {part} nano-usd is not within 0 to {max}"));
    }
    if rate.above_input_tokens > 0 && !rate.class.is_tokens() {
        return invalid("rates", format!("{} has no price by input tokens", name(rate)));
    }
    if (rate.width == 0) != (rate.height == 0) || rate.width.max(rate.height) > PIXELS_MAX {
        let (width, height) = (rate.width, rate.height);
        return invalid("rates", format!("{width}x{height} is not the size of a picture"));
    }
    let of_picture = rate.width > 0 || rate.quality != Quality::Any;
    if of_picture && rate.class != Class::Image {
        return invalid("rates", format!("{} has no size and no quality", name(rate)));
    }
    let ordinary = rate.service == Service::Standard && rate.above_input_tokens == 0;
    if ordinary && rate.class.has_field() {
        return invalid("rates", format!("the ordinary price of {} is a field", name(rate)));
    }
    Ok(())
}

fn name(rate: &Rate) -> &'static str {
    Class::ALL[rate.class as usize].1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_no_line_twice_none_beyond_the_limits_and_none_without_sense() {
        let image = Rate { class: Class::Image, nano_usd_per_million: 1, ..Rate::default() };
        let long = Rate { above_input_tokens: 200_000, ..Rate::default() };
        let speech = Rate {
            class: Class::InputSecond,
            nano_usd_per_million: MILLION_NANO_USD_MAX,
            ..Rate::default()
        };
        let sized = Rate { width: 1_024, height: 1_536, quality: Quality::High, ..image };
        let flex = Rate { service: Service::Flex, ..Rate::default() };
        let cases: [(&[Rate], &str); 9] = [
            (&[image, sized, long, speech, flex], ""),
            (&[image, image], "image has two prices"),
            (&[Rate::default()], "the ordinary price of input is a field"),
            (&[Rate { nano_usd_per_million: -1, ..image }], "-1 nano-usd"),
            (&[Rate { nano_usd_per_million: MILLION_NANO_USD_MAX, ..long }], "not within"),
            (&[Rate { above_input_tokens: 1, ..image }], "no price by input tokens"),
            (&[Rate { height: 0, ..sized }], "1024x0"),
            (&[Rate { width: 70_000, ..sized }], "70000x1536"),
            (&[Rate { quality: Quality::Hd, ..long }], "no quality"),
        ];
        for (rates, said) in cases {
            match price(&Price { rates: rates.to_vec(), ..Price::default() }) {
                Ok(()) => assert_eq!(said, "", "{rates:?}"),
                Err(denial) => {
                    let denial = format!("{denial:?}");
                    assert!(!said.is_empty() && denial.contains(said), "{denial}");
                }
            }
        }
        let many = vec![image; RATES_MAX + 1];
        assert!(price(&Price { rates: many, ..Price::default() }).is_err());
    }
}
