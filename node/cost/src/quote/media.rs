//! Bounds of what is no text: pictures that are made, text that is spoken, recordings that are written down.

use super::{ModelTerms, Quote, Room, Unquotable};
use ledger::Unit;
use wire::{Call, Matter, Usage, bound};

/// The most of each count, where anything bounds it.
struct Most {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_ms: Option<u64>,
    /// What the request itself says.
    asked: Usage,
}

/// What hard budgets need a bound of.
#[derive(Clone, Copy)]
struct Needs {
    money: bool,
    tokens: bool,
}

/// Bounds a call.
///
/// # Errors
///
/// Something that costs and that nothing bounds, where a hard budget needs a bound.
pub(super) fn quote(
    call: &Call,
    terms: &ModelTerms,
    hard: impl Iterator<Item = Room> + Clone,
) -> Result<Quote, Unquotable> {
    let has = |unit: Unit| hard.clone().any(|room| room.unit == unit);
    let needs = Needs { money: has(Unit::NanoUsd), tokens: has(Unit::Tokens) };
    let Most { input_tokens, output_tokens, input_ms, asked } = most(call, terms);
    let million = 1_000_000;
    let input = Usage { input_tokens: million, ..Usage::default() };
    let output = Usage { output_tokens: million, ..Usage::default() };
    let heard = Usage { input_ms: million, ..Usage::default() };
    let by_tokens = costs(terms, &input) || costs(terms, &output);
    let tokens = |bound: Option<u64>, one: &Usage| match bound {
        Some(tokens) => Ok(tokens),
        None if needs.tokens && counts(terms, one) => Err(Unquotable::Unbounded),
        None if needs.money && costs(terms, one) => Err(Unquotable::Unbounded),
        None => Ok(0),
    };
    let (input_tokens, output_tokens) =
        (tokens(input_tokens, &input)?, tokens(output_tokens, &output)?);
    let input_ms = match input_ms {
        Some(ms) => ms,
        // Where tokens are billed, the length is not.
        None if needs.money && !by_tokens && costs(terms, &heard) => {
            return Err(Unquotable::Unbounded);
        }
        None => 0,
    };
    let (spoken, pictured) = match call.operation.matter() {
        Matter::Speech => (output_tokens, 0),
        Matter::Pictures => (0, output_tokens),
        Matter::Text | Matter::Recordings | Matter::Kept => (0, 0),
    };
    let heard = if call.operation.matter() == Matter::Recordings { input_tokens } else { 0 };
    let most = Usage {
        input_tokens,
        output_tokens,
        input_ms,
        audio_input_tokens: heard,
        image_input_tokens: if call.media.images > 0 { input_tokens } else { 0 },
        audio_output_tokens: spoken,
        image_output_tokens: pictured,
        service: Some(wire::Service::Other),
        ..asked
    };
    Ok(Quote { most, cap: None })
}

fn most(call: &Call, terms: &ModelTerms) -> Most {
    let work = &call.work;
    let text = bound::input_tokens(call, terms.hidden_tokens);
    let read = text.within(terms.input_tokens_max);
    let none = Usage::default();
    match call.operation.matter() {
        Matter::Text | Matter::Kept => {
            Most { input_tokens: read, output_tokens: Some(0), input_ms: Some(0), asked: none }
        }
        Matter::Pictures => Most {
            input_tokens: read,
            output_tokens: Some(bound::picture_tokens(work)),
            input_ms: Some(0),
            asked: Usage { images: work.images, picture: work.picture, ..none },
        },
        Matter::Speech => Most {
            input_tokens: read,
            output_tokens: terms.output_tokens_max,
            input_ms: Some(0),
            asked: Usage { characters: work.characters, ..none },
        },
        Matter::Recordings => {
            let heard = work.audio_ms_max.map(bound::sound_tokens);
            let both = heard.zip(read).map(|(heard, read)| heard.saturating_add(read));
            Most {
                input_tokens: both.into_iter().chain(terms.input_tokens_max).min(),
                output_tokens: terms.output_tokens_max,
                input_ms: work.audio_ms_max,
                asked: none,
            }
        }
    }
}

/// Whether so much costs more than nothing.
fn costs(terms: &ModelTerms, usage: &Usage) -> bool {
    let tariff = terms.tariff.as_ref();
    tariff.is_some_and(|tariff| tariff.price(usage) > tariff.price(&Usage::default()))
}

/// Whether the model counts such tokens at all: one whose price list knows none has none.
fn counts(terms: &ModelTerms, usage: &Usage) -> bool {
    terms.tariff.is_none() || costs(terms, usage)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tariff;
    use ledger::{Class, Mode, Price, Rate};
    use wire::{Asked, Operation};

    fn call(operation: Operation, body: &str) -> Call {
        wire::dialect::openai_chat::read(&Asked::of(operation), body.as_bytes()).unwrap()
    }

    /// A call with a recording of so many bytes that begins like this.
    fn recording(begin: &[u8], bytes: usize) -> Call {
        let head = "--B\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--B\r\n\
                    Content-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n";
        let file = [begin, &vec![0; bytes - begin.len()]].concat();
        let body = [head.as_bytes(), &file, b"\r\n--B--"].concat();
        let content_type = Some("multipart/form-data; boundary=B");
        let asked = Asked { content_type, ..Asked::of(Operation::Transcriptions) };
        wire::dialect::openai_chat::read(&asked, &body).unwrap()
    }

    fn terms(lines: &[(Class, i64)]) -> ModelTerms {
        let rate = |(class, nano_usd_per_million): &(Class, i64)| Rate {
            class: *class,
            nano_usd_per_million: *nano_usd_per_million,
            ..Rate::default()
        };
        let price = Price { rates: lines.iter().map(rate).collect(), ..Price::default() };
        ModelTerms { tariff: Some(Tariff::from(&price)), ..ModelTerms::default() }
    }

    fn bound(call: &Call, terms: &ModelTerms, unit: Unit) -> Result<Quote, Unquotable> {
        let hard = Room { unit, mode: Mode::Hard, left: 1 };
        quote(call, terms, [hard].into_iter())
    }

    #[test]
    fn pictures_are_bounded_by_how_many_of_the_dearest_there_may_be() {
        let call = call(Operation::Images, r#"{"model":"m","prompt":"p","n":3}"#);
        let quote =
            bound(&call, &terms(&[(Class::Image, 40_000_000_000_000)]), Unit::NanoUsd).unwrap();
        assert_eq!(quote.most.images, 3);
        let charge = quote.charge(&terms(&[(Class::Image, 40_000_000_000_000)]));
        assert_eq!(charge.nano_usd, 3 * 40_000_000);
        let tokens = terms(&[(Class::ImageOutput, 40_000_000_000)]);
        let rounding = 0..=1;
        assert!(rounding.contains(&(quote.charge(&tokens).nano_usd - 3 * 6_240 * 40_000)));
    }

    #[test]
    fn speech_is_bounded_by_its_characters_or_by_what_an_operator_says() {
        let call = call(Operation::Speech, r#"{"model":"m","input":"hello","voice":"v"}"#);
        let by_character = terms(&[(Class::Character, 15_000_000_000)]);
        let quote = bound(&call, &by_character, Unit::NanoUsd).unwrap();
        assert_eq!(quote.charge(&by_character).nano_usd, 5 * 15_000);
        let by_token =
            terms(&[(Class::AudioOutput, 12_000_000_000), (Class::Output, 12_000_000_000)]);
        assert_eq!(bound(&call, &by_token, Unit::NanoUsd), Err(Unquotable::Unbounded));
        let known = ModelTerms { output_tokens_max: Some(2_000), ..by_token };
        let quote = bound(&call, &known, Unit::NanoUsd).unwrap();
        let rounding = 0..=1;
        assert!(rounding.contains(&(quote.charge(&known).nano_usd - 2_000 * 12_000)));
    }

    #[test]
    fn a_recording_is_bounded_by_its_bytes_or_by_what_the_model_takes() {
        let seconds = terms(&[(Class::InputSecond, 100_000_000_000)]);
        let mp3 = recording(&[0xff, 0xfb], 10_000);
        let quote = bound(&mp3, &seconds, Unit::NanoUsd).unwrap();
        assert_eq!(quote.charge(&seconds).nano_usd, 10 * 100_000);
        let flac = recording(b"fLaC", 10_000);
        assert_eq!(bound(&flac, &seconds, Unit::NanoUsd), Err(Unquotable::Unbounded));
        assert!(bound(&flac, &seconds, Unit::Requests).is_ok());
        let tokens = terms(&[(Class::Input, 2_500_000_000), (Class::Output, 10_000_000_000)]);
        assert_eq!(bound(&mp3, &tokens, Unit::NanoUsd), Err(Unquotable::Unbounded));
        let known =
            ModelTerms { input_tokens_max: Some(16_000), output_tokens_max: Some(2_000), ..tokens };
        let quote = bound(&flac, &known, Unit::NanoUsd).unwrap();
        assert_eq!((quote.most.input_tokens, quote.most.output_tokens), (16_000, 2_000));
        assert!(bound(&mp3, &known, Unit::NanoUsd).unwrap().most.input_tokens < 1_000);
    }
}
