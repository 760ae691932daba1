//! Sources of an answer's words: what a search found, and what the model recited.

use super::part::object;
use crate::chat::{Citation, Raw, Text};
use crate::json::{Fields, Out, items};

/// The sources that a candidate names. Its members stay where they are.
pub(super) fn citations(candidate: &Fields<'_>) -> Vec<Citation> {
    let mut found = candidate.get("groundingMetadata").map(grounded).unwrap_or_default();
    let recited = candidate.get("citationMetadata").and_then(object);
    let list = recited
        .and_then(|mut fields| fields.list("citations").or_else(|| fields.list("citationSources")));
    found.extend(list.unwrap_or_default().into_iter().filter_map(recited_source));
    found
}

/// How often the web was searched for a candidate.
pub(super) fn searches(candidate: &Fields<'_>) -> u64 {
    let metadata = candidate.get("groundingMetadata").and_then(object);
    let queries = metadata.and_then(|mut fields| fields.list("webSearchQueries"));
    queries.map_or(0, |queries| queries.len() as u64)
}

fn recited_source(value: &str) -> Option<Citation> {
    let mut fields = object(value)?;
    let url = Some(fields.text("uri")?);
    Some(Citation { url, title: fields.text("title"), quote: None, raw: Raw::new(value) })
}

/// Each source of each passage.
fn grounded(value: &str) -> Vec<Citation> {
    let Some(mut fields) = object(value) else { return Vec::new() };
    let chunks: Vec<(&str, Source)> =
        fields.list("groundingChunks").unwrap_or_default().into_iter().map(chunk).collect();
    let mut found = Vec::new();
    for support in fields.list("groundingSupports").unwrap_or_default() {
        let Some(mut support) = object(support) else { continue };
        let quote = support.object("segment").and_then(|mut segment| segment.text("text"));
        let indices = support.take("groundingChunkIndices", items).unwrap_or_default();
        let cited = indices.iter().filter_map(|at| chunks.get(at.parse::<usize>().ok()?));
        found.extend(cited.map(|(raw, (url, title))| Citation {
            url: url.clone(),
            title: title.clone(),
            quote: quote.clone(),
            raw: Raw::new(raw),
        }));
    }
    if found.is_empty() {
        // Sources without passages stand for all of the words.
        found.extend(chunks.into_iter().map(|(raw, (url, title))| Citation {
            url,
            title,
            quote: None,
            raw: Raw::new(raw),
        }));
    }
    found
}

type Source = (Option<String>, Option<String>);

fn chunk(value: &str) -> (&str, Source) {
    let places = ["web", "maps", "retrievedContext"];
    let mut fields = object(value).unwrap_or_default();
    let place = places.into_iter().find_map(|place| fields.object(place)).map(Fields::camel);
    let source = place.map(|mut place| (place.text("uri"), place.text("title")));
    (value, source.unwrap_or_default())
}

/// Writes the sources of words as what a search found; the passages are where they stand in the answer,
/// in bytes.
pub(super) fn write(out: &mut Out, texts: &[&Text]) {
    let cited: Vec<&Citation> = texts.iter().flat_map(|text| &text.citations).collect();
    let cited: Vec<&Citation> = cited.into_iter().filter(|from| from.url.is_some()).collect();
    if cited.is_empty() {
        return;
    }
    out.member("groundingMetadata", |out| {
        out.list("groundingChunks", |out| {
            for from in &cited {
                out.item(|out| {
                    out.member("web", |out| {
                        out.text("uri", from.url.as_deref().unwrap_or_default());
                        out.text("title", from.title.as_deref().unwrap_or_default());
                    });
                });
            }
        });
        out.list("groundingSupports", |out| write_supports(out, texts));
    });
}

fn write_supports(out: &mut Out, texts: &[&Text]) {
    let (mut at, mut chunk) = (0, 0);
    for text in texts {
        let end = at + text.text.len() as u64;
        let sources = text.citations.iter().filter(|from| from.url.is_some()).count() as u64;
        if sources > 0 {
            out.item(|out| {
                out.member("segment", |out| {
                    out.number("startIndex", at);
                    out.number("endIndex", end);
                    out.text("text", &text.text);
                });
                out.list("groundingChunkIndices", |out| {
                    (chunk..chunk + sources).for_each(|index| out.raw_item(&index.to_string()));
                });
            });
        }
        (at, chunk) = (end, chunk + sources);
    }
}
