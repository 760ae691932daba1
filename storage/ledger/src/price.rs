//! Prices: what a provider charges for each thing it counts. Integers only.

/// What a model costs: the classes that nearly all models have, and a table of the rest.
///
/// Prices of tokens are in nano-USD per million: $3 per million is 3,000,000,000. Cost rounds up to the
/// next nano-USD, once per class and request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Price {
    /// Uncached input tokens.
    pub input_nano_usd_per_mtok: i64,
    /// Output tokens, reasoning included.
    pub output_nano_usd_per_mtok: i64,
    /// Input tokens read from the provider's cache; `None` bills them as input.
    pub cache_read_nano_usd_per_mtok: Option<i64>,
    /// Input tokens written to the provider's cache; `None` bills them as input.
    pub cache_write_nano_usd_per_mtok: Option<i64>,
    /// Per request, on top.
    pub request_nano_usd: i64,
    /// What is charged for other classes, at other classes of service, and for long prompts. Empty for
    /// most models; of one class, service, length, size and quality there is one at most.
    pub rates: Vec<Rate>,
}

/// One line of a price list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Rate {
    /// What is counted.
    pub class: Class,
    /// The class of service it holds at.
    pub service: Service,
    /// It holds for requests with more input tokens than this; 0: for all.
    pub above_input_tokens: u64,
    /// Width of a picture in pixels; 0: any.
    pub width: u32,
    /// Height of a picture in pixels; 0: any.
    pub height: u32,
    /// Quality of a picture.
    pub quality: Quality,
    /// Price of a million of what is counted, in nano-USD. A million, for a second of speech costs
    /// fractions of a nano-USD too.
    pub nano_usd_per_million: i64,
}

impl Rate {
    /// What tells two lines of one list apart.
    pub fn key(&self) -> (Class, Service, u64, u32, u32, Quality) {
        let Self { class, service, above_input_tokens, width, height, quality, .. } = *self;
        (class, service, above_input_tokens, width, height, quality)
    }
}

/// What providers count. A class without a price is billed as what it is a part of, or not at all where
/// it is no part of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Uncached input tokens.
    #[default]
    Input,
    /// Output tokens.
    Output,
    /// Input tokens read from the provider's cache.
    CacheRead,
    /// Input tokens written to the provider's cache, for some minutes.
    CacheWrite,
    /// Input tokens written to the provider's cache for an hour; else as [`Class::CacheWrite`].
    CacheWrite1h,
    /// Input tokens of sound; else as input.
    AudioInput,
    /// Input tokens of sound read from the provider's cache; else as [`Class::CacheRead`].
    AudioCacheRead,
    /// Input tokens of pictures; else as input.
    ImageInput,
    /// Output tokens of sound; else as output.
    AudioOutput,
    /// Output tokens of pictures; else as output.
    ImageOutput,
    /// Output tokens of reasoning; else as output.
    Reasoning,
    /// Requests.
    Request,
    /// Pictures made, by size and quality.
    Image,
    /// Seconds of sound heard.
    InputSecond,
    /// Seconds of sound or film made.
    OutputSecond,
    /// Characters of text to be spoken.
    Character,
    /// Pages read.
    Page,
    /// Search units: a question to at most a hundred documents, by most providers.
    SearchUnit,
    /// Searches of the web that the provider made.
    WebSearch,
}

impl Class {
    /// Every class, with the name it has in lists and on the command line.
    pub const ALL: [(Class, &'static str); 19] = [
        (Class::Input, "input"),
        (Class::Output, "output"),
        (Class::CacheRead, "cache_read"),
        (Class::CacheWrite, "cache_write"),
        (Class::CacheWrite1h, "cache_write_1h"),
        (Class::AudioInput, "audio_input"),
        (Class::AudioCacheRead, "audio_cache_read"),
        (Class::ImageInput, "image_input"),
        (Class::AudioOutput, "audio_output"),
        (Class::ImageOutput, "image_output"),
        (Class::Reasoning, "reasoning"),
        (Class::Request, "request"),
        (Class::Image, "image"),
        (Class::InputSecond, "input_second"),
        (Class::OutputSecond, "output_second"),
        (Class::Character, "character"),
        (Class::Page, "page"),
        (Class::SearchUnit, "search_unit"),
        (Class::WebSearch, "web_search"),
    ];

    /// Whether tokens are counted.
    pub fn is_tokens(self) -> bool {
        self <= Class::Reasoning
    }

    /// Whether a field of [`Price`] has its ordinary price.
    pub fn has_field(self) -> bool {
        match self {
            Class::Input
            | Class::Output
            | Class::CacheRead
            | Class::CacheWrite
            | Class::Request => true,
            Class::CacheWrite1h
            | Class::AudioInput
            | Class::AudioCacheRead
            | Class::ImageInput
            | Class::AudioOutput
            | Class::ImageOutput
            | Class::Reasoning
            | Class::Image
            | Class::InputSecond
            | Class::OutputSecond
            | Class::Character
            | Class::Page
            | Class::SearchUnit
            | Class::WebSearch => false,
        }
    }
}

/// A class of service, by which providers set prices of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

impl Service {
    /// Every class of service, with its name.
    pub const ALL: [(Service, &'static str); 4] = [
        (Service::Standard, "standard"),
        (Service::Batch, "batch"),
        (Service::Flex, "flex"),
        (Service::Priority, "priority"),
    ];
}

/// The quality of a picture, by which providers set prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// Any, or one that is not said.
    #[default]
    Any,
    /// `low`
    Low,
    /// `medium`
    Medium,
    /// `high`
    High,
    /// `standard`, of models that know only it and `hd`.
    Standard,
    /// `hd`
    Hd,
}

impl Quality {
    /// Every quality, with its name.
    pub const ALL: [(Quality, &'static str); 6] = [
        (Quality::Any, "any"),
        (Quality::Low, "low"),
        (Quality::Medium, "medium"),
        (Quality::High, "high"),
        (Quality::Standard, "standard"),
        (Quality::Hd, "hd"),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_stands_in_the_list_at_its_place_under_one_name() {
        for (place, (class, name)) in Class::ALL.iter().enumerate() {
            assert_eq!(*class as usize, place, "{name}");
            assert_eq!(Class::ALL.iter().filter(|(_, other)| other == name).count(), 1);
        }
        assert_eq!(Class::ALL.last().map(|(class, _)| *class), Some(Class::WebSearch));
    }
}
