//! One line of a price list.

use crate::admin::Usd;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::num::NonZeroU32;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Things per price.
const MILLION: i64 = 1_000_000;

/// What one class costs, at one class of service and for prompts of some length.
///
/// As JSON the price is written for each one (`usd_each`) or for a million, in dollars or in billionths
/// of one, and shown for a million in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenRate", into = "WrittenRate")]
pub struct Rate {
    /// What is counted.
    pub class: RateClass,
    /// The class of service it holds at.
    pub service: ServiceClass,
    /// It holds for requests with more input tokens than this; 0: for all.
    pub above_input_tokens: u64,
    /// Width and height of a picture in pixels; `None`: any.
    pub size: Option<(NonZeroU32, NonZeroU32)>,
    /// Quality of a picture.
    pub quality: PictureQuality,
    /// Price of a million of what is counted.
    pub per_million: Usd,
}

/// What providers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateClass {
    /// Uncached input tokens, where a class of service or a length is named.
    #[default]
    Input,
    /// Output tokens, where a class of service or a length is named.
    Output,
    /// Input tokens read from the provider's cache, where a class of service or a length is named.
    CacheRead,
    /// Input tokens written to the provider's cache, where a class of service or a length is named.
    CacheWrite,
    /// Input tokens written to the provider's cache for an hour. Absent: as other writes.
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// Input tokens of sound. Absent: as input.
    AudioInput,
    /// Input tokens of sound read from the provider's cache. Absent: as other reads.
    AudioCacheRead,
    /// Input tokens of pictures. Absent: as input.
    ImageInput,
    /// Output tokens of sound. Absent: as output.
    AudioOutput,
    /// Output tokens of pictures. Absent: as output.
    ImageOutput,
    /// Output tokens of reasoning. Absent: as output.
    Reasoning,
    /// Requests, where a class of service is named.
    Request,
    /// Pictures made, where the provider tells no tokens of them.
    Image,
    /// Seconds of sound heard, where the provider tells no tokens of them.
    InputSecond,
    /// Seconds of sound or film made, where the provider tells no tokens of them.
    OutputSecond,
    /// Characters of text to be spoken, where the provider tells no tokens of them.
    Character,
    /// Pages read.
    Page,
    /// Search units of a reranking.
    SearchUnit,
    /// Searches of the web that the provider made.
    WebSearch,
}

/// A class of service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ServiceClass {
    /// The ordinary one.
    #[default]
    Standard,
    /// Answered within a day.
    Batch,
    /// Answered when there is room.
    Flex,
    /// Answered before others.
    Priority,
}

/// The quality of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PictureQuality {
    /// Any, or one that is not said.
    #[default]
    Any,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `standard`
    Standard,
    /// `hd`
    Hd,
}

/// One line of a price list: its price is given once, for each or for a million.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rate)]
struct WrittenRate {
    /// What is counted.
    class: RateClass,
    /// The class of service it holds at. Absent: the ordinary one.
    #[serde(default, skip_serializing_if = "is_default")]
    service: ServiceClass,
    /// It holds for requests with more input tokens than this, in the place of the price without.
    #[serde(default, skip_serializing_if = "is_default")]
    above_input_tokens: u64,
    /// Size of a picture in pixels, as 1024x1536. Absent: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<String>,
    /// Quality of a picture. Absent: any.
    #[serde(default, skip_serializing_if = "is_default")]
    quality: PictureQuality,
    /// Price of one, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd_each: Option<Usd>,
    /// Price of a million, in dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    usd_per_million: Option<Usd>,
    /// Price of a million, in billionths of a dollar.
    #[serde(skip_serializing_if = "Option::is_none")]
    nano_usd_per_million: Option<i64>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A price that may be written in dollars and in billionths of one; what was shown as both may come
/// back as both.
pub(super) fn one(name: &str, usd: Option<Usd>, nano: Option<i64>) -> Result<Option<Usd>, String> {
    match (usd, nano.map(Usd)) {
        (Some(usd), Some(nano)) if usd != nano => {
            Err(format!("{name} is given twice and differs: keep one of its two fields"))
        }
        (usd, nano) => Ok(usd.or(nano)),
    }
}

impl TryFrom<WrittenRate> for Rate {
    type Error = String;

    fn try_from(written: WrittenRate) -> Result<Self, String> {
        let each = written.usd_each.map(|usd| {
            usd.0.checked_mul(MILLION).map(Usd).ok_or_else(|| format!("usd_each {usd} is too much"))
        });
        let million = one("rate", written.usd_per_million, written.nano_usd_per_million)?;
        let price = one("rate", each.transpose()?, million.map(|usd| usd.0))?;
        Ok(Self {
            class: written.class,
            service: written.service,
            above_input_tokens: written.above_input_tokens,
            size: written.size.as_deref().map(size).transpose()?,
            quality: written.quality,
            per_million: price.ok_or("a rate has no usd_each and no usd_per_million")?,
        })
    }
}

/// Reads `1024x1536`.
fn size(text: &str) -> Result<(NonZeroU32, NonZeroU32), String> {
    let sides = text.split_once('x');
    let sides = sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| format!("size {text:?} is none: write it as 1024x1536"))
}

impl From<Rate> for WrittenRate {
    fn from(rate: Rate) -> Self {
        Self {
            class: rate.class,
            service: rate.service,
            above_input_tokens: rate.above_input_tokens,
            size: rate.size.map(|(width, height)| format!("{width}x{height}")),
            quality: rate.quality,
            usd_each: None,
            usd_per_million: Some(rate.per_million),
            nano_usd_per_million: Some(rate.per_million.0),
        }
    }
}

impl PartialSchema for Rate {
    fn schema() -> RefOr<Schema> {
        WrittenRate::schema()
    }
}

impl ToSchema for Rate {
    fn name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        WrittenRate::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Rate, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_rate_is_written_for_each_or_for_a_million_and_shown_as_it_is_read() {
        let image = r#"{"class":"image","size":"1024x1536","quality":"high","usd_each":"0.25"}"#;
        let rate = read(image).unwrap();
        assert_eq!(rate.per_million, Usd(250_000_000_000_000));
        let shown = serde_json::to_string(&rate).unwrap();
        assert_eq!(
            shown,
            concat!(
                r#"{"class":"image","size":"1024x1536","quality":"high","#,
                r#""usd_per_million":"250000.00","nano_usd_per_million":250000000000000}"#
            )
        );
        assert_eq!(read(&shown), Ok(rate));
        let long =
            r#"{"class":"input","service":"priority","above_input_tokens":9,"usd_per_million":6}"#;
        assert_eq!(read(long).unwrap().service, ServiceClass::Priority);
    }

    #[test]
    fn a_rate_that_says_too_little_or_too_much_is_refused() {
        let cases = [
            (r#"{"class":"image"}"#, "no usd_each"),
            (r#"{"class":"picture","usd_each":1}"#, "unknown variant `picture`"),
            (r#"{"class":"page","usd_each":1,"usd_per_million":1}"#, "given twice and differs"),
            (r#"{"class":"page","usd_each":10000000}"#, "too much"),
            (r#"{"class":"image","size":"0x5","usd_each":1}"#, "size \"0x5\" is none"),
        ];
        for (text, said) in cases {
            let error = read(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
