//! Costs and bounds, checked against each other.

use super::*;

fn price() -> Price {
    Price {
        input_nano_usd_per_mtok: 3_000_000_000,
        output_nano_usd_per_mtok: 15_000_000_000,
        cache_read_nano_usd_per_mtok: Some(300_000_000),
        cache_write_nano_usd_per_mtok: Some(3_750_000_000),
        request_nano_usd: 5,
        rates: Vec::new(),
    }
}

fn line(class: Class, nano_usd_per_million: i64) -> Rate {
    Rate { class, nano_usd_per_million, ..Rate::default() }
}

/// A list with a price of its own for every class, at two lengths and two classes of service.
fn rich() -> Tariff {
    let of = |class: Class, factor: i64| line(class, (class as i64 + 1) * 1_234_567_891 * factor);
    let ordinary = Class::ALL.iter().filter(|(class, _)| !class.has_field());
    let mut rates: Vec<Rate> = ordinary.map(|(class, _)| of(*class, 1)).collect();
    for (class, _) in Class::ALL.iter().filter(|(class, _)| class.is_tokens()) {
        rates.push(Rate { above_input_tokens: 1_000, ..of(*class, 2) });
        rates.push(Rate { service: Service::Priority, ..of(*class, 3) });
        rates.push(Rate { service: Service::Flex, ..of(*class, 1) });
    }
    rates.push(Rate { width: 1_024, height: 1_024, quality: Quality::Hd, ..of(Class::Image, 2) });
    Tariff::from(&Price { rates, ..price() })
}

fn usage(input: u64, read: u64, write: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        cache_read_tokens: read,
        cache_write_tokens: write,
        output_tokens: output,
        ..Usage::default()
    }
}

#[test]
fn every_class_has_its_price_and_rounds_up() {
    let thin =
        Price { input_nano_usd_per_mtok: 1, output_nano_usd_per_mtok: 1, ..Price::default() };
    let cases = [
        (usage(0, 0, 0, 0), price(), 5),
        (usage(1_000_000, 0, 0, 0), price(), 3_000_000_005),
        (usage(10, 4, 1, 2), price(), 5 * 3_000 + 4 * 300 + 3_750 + 2 * 15_000 + 5),
        (usage(1, 0, 0, 1), thin.clone(), 2),
        (usage(1_000_001, 0, 0, 0), thin, 2),
        // Cached tokens that exceed the input are still paid for.
        (usage(1, 4, 0, 0), price(), 4 * 300 + 5),
        (usage(u64::MAX, 0, 0, 0), price(), i64::MAX),
    ];
    for (usage, with, cost) in cases {
        assert_eq!(Tariff::from(&with).price(&usage), cost, "{usage:?}");
    }
}

#[test]
fn a_token_is_billed_once_and_by_the_class_it_has_a_price_for() {
    let rates = vec![
        line(Class::AudioInput, 10_000_000_000),
        line(Class::CacheWrite1h, 6_000_000_000),
        line(Class::AudioOutput, 60_000_000_000),
    ];
    let tariff = Tariff::from(&Price { rates, request_nano_usd: 0, ..price() });
    let heard = Usage { audio_input_tokens: 4, ..usage(10, 0, 0, 0) };
    // Sound that was in the cache costs what the cache costs: it is told how much of it was.
    let cached = Usage {
        audio_cache_read_tokens: 4,
        ..Usage { audio_input_tokens: 4, ..usage(10, 6, 0, 0) }
    };
    // And where it is not told, no token is billed twice.
    let untold = Usage { audio_input_tokens: 8, ..usage(10, 6, 0, 0) };
    let hour = Usage { cache_write_1h_tokens: 1, ..usage(10, 0, 3, 0) };
    let spoken = Usage { audio_output_tokens: 2, reasoning_tokens: 1, ..usage(0, 0, 0, 5) };
    // Pictures have no price of their own here.
    let seen = Usage { image_input_tokens: 9, ..usage(10, 0, 0, 0) };
    let cases = [
        (heard, 4 * 10_000 + 6 * 3_000),
        (cached, 6 * 300 + 4 * 3_000),
        (untold, 6 * 300 + 4 * 10_000),
        (hour, 6_000 + 2 * 3_750 + 7 * 3_000),
        (spoken, 2 * 60_000 + 3 * 15_000),
        (seen, 10 * 3_000),
    ];
    for (usage, cost) in cases {
        assert_eq!(tariff.price(&usage), cost, "{usage:?}");
    }
}

#[test]
fn what_is_made_or_read_is_billed_by_units_where_no_tokens_are_and_searches_always() {
    let rates = vec![
        line(Class::InputSecond, 100_000_000_000),
        line(Class::Character, 15_000_000_000),
        line(Class::Page, 1_000_000_000_000),
        line(Class::SearchUnit, 2_000_000_000_000),
        line(Class::WebSearch, 10_000_000_000_000),
    ];
    let tariff = Tariff::from(&Price { rates, request_nano_usd: 0, ..price() });
    let none = Usage::default();
    let cases = [
        (Usage { input_ms: 1_500, ..none }, 150_000),
        (Usage { input_ms: 1_500, ..usage(1, 0, 0, 0) }, 3_000),
        (Usage { characters: 3, ..none }, 45_000),
        (Usage { pages: 2, ..none }, 2_000_000),
        (Usage { search_units: 1, ..none }, 2_000_000),
        (Usage { web_searches: 2, ..usage(1, 0, 0, 0) }, 20_003_000),
    ];
    for (usage, cost) in cases {
        assert_eq!(tariff.price(&usage), cost, "{usage:?}");
    }
}

#[test]
fn a_picture_costs_what_its_size_and_quality_cost_and_the_dearest_where_they_are_not_known() {
    let sized = |side: u32, quality, price: i64| Rate {
        width: side,
        height: side,
        quality,
        ..line(Class::Image, price * 1_000_000)
    };
    let rates = vec![
        sized(512, Quality::Any, 18),
        sized(1_024, Quality::Standard, 40),
        sized(1_024, Quality::Hd, 80),
    ];
    let tariff = Tariff::from(&Price { rates, ..Price::default() });
    let cases = [
        ("512x512", "", 18),
        ("512x512", "hd", 18),
        ("1024x1024", "standard", 40),
        ("1024x1024", "", 80),
        ("", "standard", 40),
        ("auto", "", 80),
        ("7x7", "hd", 80),
    ];
    for (size, quality, each) in cases {
        let picture = Picture::named(size, quality);
        let two = Usage { images: 2, picture, ..Usage::default() };
        assert_eq!(tariff.price(&two), 2 * each, "{size} {quality}");
    }
}

#[test]
fn the_class_of_service_it_was_served_at_is_the_price_and_one_nobody_knows_is_the_dearest() {
    let at = |service, price| Rate { service, ..line(Class::Input, price) };
    let rates = vec![at(Service::Flex, 1_500_000_000), at(Service::Priority, 6_000_000_000)];
    let tariff = Tariff::from(&Price { rates, request_nano_usd: 0, ..price() });
    let plain = Tariff::from(&Price { request_nano_usd: 0, ..price() });
    let cases = [
        (None, 3_000, 3_000),
        (Some(wire::Service::Standard), 3_000, 3_000),
        (Some(wire::Service::Flex), 1_500, 3_000),
        (Some(wire::Service::Batch), 3_000, 3_000),
        (Some(wire::Service::Priority), 6_000, 3_000),
        (Some(wire::Service::Other), 6_000, 3_000),
    ];
    for (service, cost, without) in cases {
        let usage = Usage { service, ..usage(1, 0, 0, 0) };
        assert_eq!((tariff.price(&usage), plain.price(&usage)), (cost, without), "{service:?}");
    }
    // What only the ordinary list names does not stay cheap at a dearer service.
    let priority = Usage { service: Some(wire::Service::Priority), ..usage(1, 1, 0, 0) };
    assert_eq!(tariff.price(&priority), 6_000);
}

#[test]
fn much_input_is_billed_at_its_length_and_bounded_by_the_dearest() {
    let long = Rate { above_input_tokens: 200_000, ..line(Class::Input, 6_000_000_000) };
    let tariff = Tariff::from(&Price { rates: vec![long], ..price() });
    assert_eq!(tariff.price(&usage(200_000, 0, 0, 0)), 600_000_005);
    assert_eq!(tariff.price(&usage(200_001, 0, 0, 0)), 1_200_006_005);
    // Writing to the cache costs most.
    assert_eq!(tariff.bound(&usage(200_000, 0, 0, 0)), 200_000 * 3_750 + 2 + 5);
    assert_eq!(tariff.bound(&usage(200_001, 0, 0, 0)), 200_001 * 6_000 + 2 + 5);
}

/// Numbers without order, the same on every run.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % (most + 1)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.up_to(of.len() as u64 - 1)).unwrap()]
    }
}

/// A usage within the most of each count.
fn within(most: &Usage, dice: &mut Dice) -> Usage {
    let input_tokens = dice.up_to(most.input_tokens);
    let cache_write_tokens = dice.up_to(input_tokens);
    let cache_read_tokens = dice.up_to(input_tokens - cache_write_tokens);
    let audio_input_tokens = dice.up_to(most.audio_input_tokens.min(input_tokens));
    let output_tokens = dice.up_to(most.output_tokens);
    Usage {
        input_tokens,
        cache_read_tokens,
        cache_write_tokens,
        cache_write_1h_tokens: dice.up_to(most.cache_write_1h_tokens.min(cache_write_tokens)),
        audio_input_tokens,
        audio_cache_read_tokens: dice.up_to(audio_input_tokens.min(cache_read_tokens)),
        image_input_tokens: dice.up_to(most.image_input_tokens.min(input_tokens)),
        output_tokens,
        reasoning_tokens: dice.up_to(output_tokens),
        audio_output_tokens: dice.up_to(output_tokens),
        image_output_tokens: dice.up_to(output_tokens),
        images: dice.up_to(most.images),
        picture: most.picture,
        input_ms: dice.up_to(most.input_ms),
        output_ms: dice.up_to(most.output_ms),
        characters: dice.up_to(most.characters),
        pages: dice.up_to(most.pages),
        search_units: dice.up_to(most.search_units),
        web_searches: dice.up_to(most.web_searches),
        service: dice.one(&served(most.service)),
    }
}

/// What a call may be served at.
fn served(asked: Option<wire::Service>) -> [Option<wire::Service>; 4] {
    let usual = [None, Some(wire::Service::Standard), Some(wire::Service::Flex)];
    let dear = match asked {
        Some(wire::Service::Standard | wire::Service::Batch | wire::Service::Flex) => None,
        None | Some(wire::Service::Priority | wire::Service::Other) => Some(wire::Service::Other),
    };
    [usual[0], usual[1], usual[2], dear]
}

#[test]
fn no_call_within_the_bound_costs_more() {
    let mut dice = Dice(7);
    let thin =
        Price { input_nano_usd_per_mtok: 7, output_nano_usd_per_mtok: 11, ..Price::default() };
    let tariffs = [rich(), Tariff::from(&price()), Tariff::from(&thin)];
    let services = [
        None,
        Some(wire::Service::Standard),
        Some(wire::Service::Priority),
        Some(wire::Service::Other),
    ];
    for round in 0..20_000 {
        let top = dice.one(&[0, 1, 3, 999, 1_001, 1_000_001]);
        let most = Usage {
            input_tokens: dice.up_to(top),
            cache_write_1h_tokens: dice.up_to(top),
            audio_input_tokens: dice.up_to(top),
            image_input_tokens: dice.up_to(top),
            output_tokens: dice.up_to(top),
            images: dice.up_to(3),
            picture: Picture::named(
                dice.one(&["", "1024x1024", "9x9"]),
                dice.one(&["", "hd", "low"]),
            ),
            input_ms: dice.up_to(top),
            output_ms: dice.up_to(top),
            characters: dice.up_to(top),
            pages: dice.up_to(3),
            search_units: dice.up_to(3),
            web_searches: dice.up_to(3),
            service: dice.one(&services),
            ..Usage::default()
        };
        for tariff in &tariffs {
            let bound = tariff.bound(&most);
            for _ in 0..4 {
                let usage = within(&most, &mut dice);
                let cost = tariff.price(&usage);
                assert!(cost <= bound, "round {round}: {cost} > {bound}: {usage:?} {most:?}");
            }
        }
    }
}

#[test]
fn what_fits_is_affordable_and_one_more_is_not() {
    let tariff = Tariff::from(&price());
    let most = |output_tokens| Usage { output_tokens, ..usage(100, 0, 0, 0) };
    for budget in [20_000, 1_000_000, 123_456_789] {
        let tokens = tariff.output_tokens_for(budget, &most(0));
        if tokens > 0 {
            assert!(tariff.bound(&most(tokens)) <= budget);
        }
        assert!(tariff.bound(&most(tokens + 1)) > budget);
    }
    let free = Tariff::from(&Price::default());
    assert_eq!(free.output_tokens_for(10, &Usage::default()), u64::MAX);
}
