//! What the model is to read: a text, or items with content of their own.

use std::ops::Range;

use crate::call::Media;
use crate::field_value::{Stop, expect, wrong_type};
use crate::json::{Kind, Scanner};

/// Counts of the input, gathered while it is read over.
#[derive(Debug, Default)]
pub(super) struct Content {
    pub(super) items: u64,
    pub(super) media: Media,
    /// Bytes of the body taken by inline media.
    pub(super) media_bytes: usize,
}

/// Kinds of items and parts that are text and nothing else, as far as they hold no parts themselves.
const TEXT: [&[u8]; 16] = [
    br#""message""#,
    br#""input_text""#,
    br#""output_text""#,
    br#""text""#,
    br#""refusal""#,
    br#""reasoning""#,
    br#""reasoning_text""#,
    br#""summary_text""#,
    br#""function_call""#,
    br#""function_call_output""#,
    br#""custom_tool_call""#,
    br#""custom_tool_call_output""#,
    br#""local_shell_call""#,
    br#""local_shell_call_output""#,
    br#""apply_patch_call""#,
    br#""apply_patch_call_output""#,
];

/// What is known of an item or part once it is read over.
#[derive(Default)]
struct Seen {
    kind: Range<usize>,
    image: Option<Range<usize>>,
    audio: Option<Range<usize>>,
    /// Whether it refers to something that is stored elsewhere.
    stored: bool,
}

impl Content {
    /// `input`: a text, or a list of items.
    pub(super) fn input(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        match scanner.kind()? {
            Kind::Array => {
                scanner.array(|scanner| {
                    self.items += 1;
                    expect(scanner, Kind::Object, "input")?;
                    self.entry(scanner)
                })?;
            }
            Kind::String | Kind::Null => {
                scanner.value()?;
            }
            other @ (Kind::Object | Kind::Number | Kind::True | Kind::False) => {
                return Err(wrong_type("input", "a string or an array of items", other).into());
            }
        }
        Ok(())
    }

    /// An item, or a part of one.
    fn entry(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let mut seen = Seen::default();
        scanner.object::<Stop>(|scanner, member| {
            let kind = scanner.kind()?;
            match &*member.key {
                b"type" => seen.kind = scanner.value()?,
                b"content" | b"output" if kind == Kind::Array => {
                    scanner.array(|scanner| self.part(scanner))?;
                }
                b"image_url" if kind != Kind::Null => seen.image = Some(scanner.value()?),
                b"input_audio" if kind != Kind::Null => seen.audio = Some(scanner.value()?),
                b"file_id" | b"file_url" | b"file_data" => {
                    scanner.value()?;
                    seen.stored |= kind != Kind::Null;
                }
                _ => {
                    scanner.value()?;
                }
            }
            Ok(())
        })?;
        let kind = scanner.slice(&seen.kind);
        match seen {
            Seen { image: Some(span), .. } => {
                self.media.images += 1;
                self.media_bytes += span.len();
            }
            Seen { audio: Some(span), .. } => {
                self.media.audio += 1;
                self.media.audio_bytes += span.len() as u64;
                self.media_bytes += span.len();
            }
            // Messages may leave their type out.
            Seen { stored, .. } if stored || !(kind.is_empty() || TEXT.contains(&kind)) => {
                self.media.unbounded += 1;
            }
            Seen { .. } => {}
        }
        Ok(())
    }

    fn part(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if scanner.kind()? == Kind::Object {
            return self.entry(scanner);
        }
        scanner.value()?;
        Ok(())
    }
}
