//! What a provider says a call used.

/// Counts of one answer, in one meaning for all providers. What a dialect does not count is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens, those read from or written to a prompt cache included.
    pub input_tokens: u64,
    /// Input tokens read from a prompt cache; part of `input_tokens`.
    pub cache_read_tokens: u64,
    /// Input tokens written to a prompt cache; part of `input_tokens`.
    pub cache_write_tokens: u64,
    /// Of the tokens written to a prompt cache, those kept for an hour.
    pub cache_write_1h_tokens: u64,
    /// Input tokens of sound; part of `input_tokens`.
    pub audio_input_tokens: u64,
    /// Tokens of sound read from a prompt cache; part of both.
    pub audio_cache_read_tokens: u64,
    /// Input tokens of pictures; part of `input_tokens`.
    pub image_input_tokens: u64,
    /// All output tokens, reasoning included.
    pub output_tokens: u64,
    /// Output tokens spent on reasoning; part of `output_tokens`.
    pub reasoning_tokens: u64,
    /// Output tokens of sound; part of `output_tokens`.
    pub audio_output_tokens: u64,
    /// Output tokens of pictures; part of `output_tokens`.
    pub image_output_tokens: u64,
    /// Pictures made.
    pub images: u64,
    /// What each of them is.
    pub picture: Picture,
    /// Sound heard, in milliseconds.
    pub input_ms: u64,
    /// Sound or film made, in milliseconds.
    pub output_ms: u64,
    /// Characters of text to be spoken.
    pub characters: u64,
    /// Pages read.
    pub pages: u64,
    /// Search units of a reranking.
    pub search_units: u64,
    /// Searches of the web that the provider made.
    pub web_searches: u64,
    /// The class of service it was served at; `None` where the provider does not say.
    pub service: Option<Service>,
}

/// A picture as far as its price depends on it. What is not known stays unsaid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Picture {
    /// Width in pixels; 0: not known.
    pub width: u32,
    /// Height in pixels; 0: not known.
    pub height: u32,
    /// Its quality.
    pub quality: Quality,
}

/// The quality of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quality {
    /// Not said, left to the model, or a word not known here.
    #[default]
    Unknown,
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

/// The class of service a call is served at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Service {
    /// The ordinary one.
    #[default]
    Standard,
    /// Answered within a day.
    Batch,
    /// Answered when there is room.
    Flex,
    /// Answered before others.
    Priority,
    /// One not known here.
    Other,
}

impl Usage {
    /// Field by field the larger of the two: usage repeated in a stream is cumulative, never a sum. What
    /// is no count is as the later one says.
    #[must_use]
    pub fn max(self, later: Self) -> Self {
        let known = later.picture != Picture::default();
        Self {
            input_tokens: self.input_tokens.max(later.input_tokens),
            cache_read_tokens: self.cache_read_tokens.max(later.cache_read_tokens),
            cache_write_tokens: self.cache_write_tokens.max(later.cache_write_tokens),
            cache_write_1h_tokens: self.cache_write_1h_tokens.max(later.cache_write_1h_tokens),
            audio_input_tokens: self.audio_input_tokens.max(later.audio_input_tokens),
            audio_cache_read_tokens: self
                .audio_cache_read_tokens
                .max(later.audio_cache_read_tokens),
            image_input_tokens: self.image_input_tokens.max(later.image_input_tokens),
            output_tokens: self.output_tokens.max(later.output_tokens),
            reasoning_tokens: self.reasoning_tokens.max(later.reasoning_tokens),
            audio_output_tokens: self.audio_output_tokens.max(later.audio_output_tokens),
            image_output_tokens: self.image_output_tokens.max(later.image_output_tokens),
            images: self.images.max(later.images),
            picture: if known { later.picture } else { self.picture },
            input_ms: self.input_ms.max(later.input_ms),
            output_ms: self.output_ms.max(later.output_ms),
            characters: self.characters.max(later.characters),
            pages: self.pages.max(later.pages),
            search_units: self.search_units.max(later.search_units),
            web_searches: self.web_searches.max(later.web_searches),
            service: later.service.or(self.service),
        }
    }
}

impl Service {
    /// The class of service a provider names; `None` for words that leave it open.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        // Google's words are in capitals, and say what the traffic was.
        match word.to_ascii_lowercase().as_str() {
            ""
            | "auto"
            | "unspecified"
            | "service_tier_unspecified"
            | "traffic_type_unspecified" => None,
            "default" | "standard" | "standard_only" | "on_demand" => Some(Self::Standard),
            "batch" => Some(Self::Batch),
            "flex" | "on_demand_flex" => Some(Self::Flex),
            "priority" | "on_demand_priority" => Some(Self::Priority),
            _ => Some(Self::Other),
        }
    }
}

impl Quality {
    /// The quality that a word names.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "standard" => Self::Standard,
            "hd" => Self::Hd,
            _ => Self::Unknown,
        }
    }
}

impl Picture {
    /// Reads `1024x1536` and `1024*1536`, and a word for the quality.
    #[must_use]
    pub fn named(size: &str, quality: &str) -> Self {
        let sides = size
            .split_once(['x', '*'])
            .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
        let (width, height) = sides.unwrap_or_default();
        Self { width, height, quality: Quality::named(quality) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_tellings_the_counts_are_the_larger_and_the_words_the_later() {
        let first = Usage {
            input_tokens: 9,
            output_tokens: 1,
            service: Some(Service::Priority),
            picture: Picture::named("1024x1536", "high"),
            ..Usage::default()
        };
        let later = Usage { output_tokens: 5, ..Usage::default() };
        assert_eq!(first.max(later), Usage { output_tokens: 5, ..first });
        let other = Usage { service: Some(Service::Standard), ..later };
        assert_eq!(first.max(other).service, Some(Service::Standard));
    }

    #[test]
    fn words_for_service_and_size_are_those_of_the_providers() {
        let cases = [
            ("auto", None),
            ("default", Some(Service::Standard)),
            ("ON_DEMAND_PRIORITY", Some(Service::Priority)),
            ("flex", Some(Service::Flex)),
            ("scale", Some(Service::Other)),
        ];
        for (word, service) in cases {
            assert_eq!(Service::named(word), service, "{word}");
        }
        let square = Picture { width: 512, height: 512, quality: Quality::Unknown };
        assert_eq!(Picture::named("512x512", "auto"), square);
        assert_eq!(
            Picture::named("auto", "hd"),
            Picture { quality: Quality::Hd, ..Picture::default() }
        );
    }
}
