//! What pictures, speech and recordings are charged: what the provider told, and what is known without it.

use super::super::open::Open;
use cost::{Bill, ModelTerms};
use wire::{Matter, Picture, Quality, Usage, Work, bound};

/// Bytes of a recording that last a millisecond, where nothing is known of it: 64 kbit a second.
const BYTES_PER_MS: u64 = 8;
/// Tokens of speech per character of its text, where nobody counts them. Measured: 93 for 38 characters.
const SPEECH_TOKENS_PER_CHARACTER: u64 = 3;
/// Milliseconds of a recording per token, by most providers' count.
const MS_PER_TOKEN: u64 = 100;
/// Bytes of text per token, on average.
const BYTES_PER_TOKEN: u64 = 4;

/// The charge of an answer of which the provider told this much.
pub(super) fn bill(open: &Open, told: Option<Usage>, output_bytes: u64) -> Bill {
    let (matter, work) = (open.operation.matter(), &open.work);
    let said = filled(told.unwrap_or_default(), matter, work);
    match told {
        Some(_) if tells_price(open.terms(), &said, &open.quote.most) => Bill::Told(said),
        Some(_) | None if open.way.hard => Bill::AtMost(open.quote.most.max(said)),
        Some(_) | None => Bill::About(estimated(matter, work, output_bytes).max(said)),
    }
}

/// With what the request itself says, where the provider does not.
fn filled(told: Usage, matter: Matter, work: &Work) -> Usage {
    match matter {
        Matter::Text | Matter::Recordings | Matter::Kept => told,
        Matter::Speech => Usage { characters: told.characters.max(work.characters), ..told },
        Matter::Pictures => Usage { picture: picture(told.picture, work.picture), ..told },
    }
}

fn picture(told: Picture, asked: Picture) -> Picture {
    let size = if told.width > 0 { told } else { asked };
    let quality = if told.quality == Quality::Unknown { asked.quality } else { told.quality };
    Picture { quality, ..size }
}

/// Whether what was told is what the price is about: a model that is billed by the token must tell
/// tokens, and one that is billed by the second seconds.
fn tells_price(terms: &ModelTerms, said: &Usage, most: &Usage) -> bool {
    let Some(tariff) = &terms.tariff else { return true };
    let nothing = tariff.price(&Usage::default());
    tariff.price(said) > nothing || tariff.bound(most) <= nothing
}

fn estimated(matter: Matter, work: &Work, output_bytes: u64) -> Usage {
    let none = Usage::default();
    match matter {
        Matter::Text | Matter::Kept => none,
        Matter::Pictures => {
            let output_tokens = bound::picture_tokens(work);
            let (images, picture) = (work.images, work.picture);
            Usage { images, picture, output_tokens, image_output_tokens: output_tokens, ..none }
        }
        Matter::Speech => {
            let characters = work.characters;
            let output_tokens = characters.saturating_mul(SPEECH_TOKENS_PER_CHARACTER);
            let input_tokens = characters.div_ceil(BYTES_PER_TOKEN);
            Usage {
                characters,
                input_tokens,
                output_tokens,
                audio_output_tokens: output_tokens,
                ..none
            }
        }
        Matter::Recordings => {
            let plain = work.audio_bytes / BYTES_PER_MS;
            let input_ms = work.audio_ms_max.map_or(plain, |most| most.min(plain));
            let input_tokens = input_ms.div_ceil(MS_PER_TOKEN);
            let output_tokens = output_bytes.div_ceil(BYTES_PER_TOKEN);
            Usage {
                input_ms,
                input_tokens,
                audio_input_tokens: input_tokens,
                output_tokens,
                ..none
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_does_not_say_of_a_picture_is_as_it_was_asked_for() {
        let asked = Picture::named("1024x1536", "high");
        let work = Work { picture: asked, ..Work::default() };
        let told =
            |size, quality| Usage { picture: Picture::named(size, quality), ..Usage::default() };
        let cases = [
            (told("auto", ""), asked),
            (
                told("512x512", "auto"),
                Picture { quality: asked.quality, ..Picture::named("512x512", "") },
            ),
            (told("512x512", "low"), Picture::named("512x512", "low")),
        ];
        for (told, expected) in cases {
            assert_eq!(filled(told, Matter::Pictures, &work).picture, expected);
        }
    }

    #[test]
    fn characters_are_known_without_a_word_of_the_provider() {
        let work = Work { characters: 40, ..Work::default() };
        assert_eq!(filled(Usage::default(), Matter::Speech, &work).characters, 40);
        let estimate = estimated(Matter::Speech, &work, 1_000_000);
        assert_eq!((estimate.input_tokens, estimate.output_tokens), (10, 120));
    }
}
