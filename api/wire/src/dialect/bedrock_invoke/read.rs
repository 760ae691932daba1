//! A request body, read as far as it must be known: whose format it is, the model's name tells.

use super::NAME;
use crate::call::{Asked, Call, Cap, Operation};
use crate::dialect::anthropic_messages;
use crate::field_value::{Stop, alike, duplicate, expect, invalid_json, limit, missing};
use crate::frame::Framing;
use crate::front::{self, Met};
use crate::json::{Kind, Scanner};
use crate::refusal::Refusal;

/// Makers with a format of their own, and where each has its limit of output: an object, or the body
/// itself, and the key in it.
const LIMITS: [(&str, Option<&str>, &str); 9] = [
    ("nova", Some("inferenceConfig"), "maxTokens"),
    ("titan", Some("textGenerationConfig"), "maxTokenCount"),
    ("llama", None, "max_gen_len"),
    ("claude", None, "max_tokens_to_sample"),
    ("ai21.j2", None, "maxTokens"),
    ("ai21", None, "max_tokens"),
    ("cohere", None, "max_tokens"),
    ("mistral", None, "max_tokens"),
    ("", None, "max_tokens"),
];

/// Another name for the limit in Nova's object.
const NOVA_OTHER: &str = "max_new_tokens";

/// Reads a request. Bodies of Claude's are Anthropic Messages; of others only the limit is looked at.
///
/// # Errors
/// A 400 that names the field or the position.
pub fn read(asked: &Asked<'_>, body: &[u8]) -> Result<Call, Refusal> {
    let Some(model) = asked.model.filter(|model| !model.trim().is_empty()) else {
        return Err(missing("modelId"));
    };
    let mut call = if is_messages(body) {
        anthropic_messages::read(asked, body)?
    } else {
        other(asked, model, body)?
    };
    call.dialect = NAME;
    call.framing = Framing::AwsEventStream;
    Ok(call)
}

/// Whether a body is one of Anthropic Messages.
pub(super) fn is_messages(body: &[u8]) -> bool {
    memchr::memmem::find(body, b"\"anthropic_version\"").is_some()
        && memchr::memmem::find(body, b"\"messages\"").is_some()
}

/// Whether a model answers with vectors or scores, and generates nothing.
fn is_silent(model: &str) -> bool {
    ["embed", "rerank"].iter().any(|word| model.contains(word))
}

fn other(asked: &Asked<'_>, model: &str, body: &[u8]) -> Result<Call, Refusal> {
    let known = LIMITS.iter().find(|(maker, ..)| model.contains(maker));
    let (_, object, key) = known.expect("every name contains the empty one");
    let mut call = Call::new(NAME, asked, body.len());
    call.include_usage = true;
    if is_silent(model) {
        call.operation = Operation::Embeddings;
    }
    call.spans.cap = match object {
        None => Cap::Body(key),
        Some(object) => Cap::Missing { object, key },
    };
    let (mut met, mut is_empty) = (Met::default(), true);
    let open = front::members(body, |scanner, member| {
        is_empty = false;
        let name = &*member.key;
        match object {
            None if alike(name, key) => take_limit(scanner, &mut call, name, key),
            Some(object) if alike(name, object) => {
                met.named(name, &[object])?;
                expect(scanner, Kind::Object, object)?;
                let mut empty = true;
                let span = scanner.object(|scanner, member| {
                    empty = false;
                    let name = &*member.key;
                    if alike(name, key) || alike(name, NOVA_OTHER) {
                        return take_limit(scanner, &mut call, name, key);
                    }
                    scanner.value()?;
                    Ok::<(), Stop>(())
                })?;
                call.spans.cap = Cap::Inner { open: span.start + 1, empty, key };
                Ok(())
            }
            // What each of several answers costs is multiplied.
            None if alike(name, "num_generations") => {
                met.named(name, &["num_generations"])?;
                let given = limit(scanner, "num_generations")?;
                call.answers = given.tokens().unwrap_or(1).max(1);
                call.choices = call.answers;
                Ok(())
            }
            None | Some(_) => {
                scanner.value()?;
                Ok::<(), Stop>(())
            }
        }
    })?;
    call.spans.open = open;
    if is_empty {
        return Err(invalid_json("request body is an empty object".to_owned()));
    }
    call.output_tokens_max = call.spans.max_tokens.as_ref().and_then(crate::call::Limit::tokens);
    Ok(call)
}

fn take_limit(
    scanner: &mut Scanner<'_>,
    call: &mut Call,
    given: &[u8],
    key: &'static str,
) -> Result<(), Stop> {
    let exact = given == key.as_bytes() || given == NOVA_OTHER.as_bytes();
    if call.spans.max_tokens.is_some() || !exact {
        return Err(duplicate(key).into());
    }
    call.spans.max_tokens = Some(limit(scanner, key)?);
    Ok(())
}
