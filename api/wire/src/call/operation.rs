//! Kinds of calls, and what is said of all calls of a kind.

/// A kind of call. Each has its own path, body and shape of answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `GET /v1/models`; answered by the gateway itself
    Models,
    /// `POST /v1/messages/count_tokens`: how long a chat would be
    CountTokens,
    /// `POST /v1/rerank`: documents ordered by how well they answer a question
    Rerank,
    /// `POST /v1/moderations`
    Moderations,
    /// `POST /v1/images/generations`
    Images,
    /// `POST /v1/images/edits`
    ImageEdits,
    /// `POST /v1/images/variations`
    ImageVariations,
    /// `POST /v1/audio/speech`
    Speech,
    /// `POST /v1/audio/transcriptions`
    Transcriptions,
    /// `POST /v1/audio/translations`
    Translations,
    /// `/v1/responses/{id}`: an answer that the provider keeps
    StoredResponses,
    /// `/v1/chat/completions/{id}`: a chat that the provider keeps
    StoredChats,
    /// `/v1/files`
    Files,
    /// `/v1/uploads`
    Uploads,
    /// `/v1/batches`, `/v1/messages/batches`
    Batches,
}

/// What a call that can be translated is about: each has words of its own, which every dialect that knows
/// them reads into the same meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vocabulary {
    /// Talk.
    Chat,
    /// Vectors of texts.
    Embed,
    /// Documents in order.
    Rerank,
    /// How long a chat would be.
    Count,
}

impl Operation {
    /// Every operation, in the order of the enum.
    pub const ALL: &'static [Self] = &[
        Self::ChatCompletions,
        Self::Completions,
        Self::Embeddings,
        Self::Models,
        Self::CountTokens,
        Self::Rerank,
        Self::Moderations,
        Self::Images,
        Self::ImageEdits,
        Self::ImageVariations,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
        Self::StoredResponses,
        Self::StoredChats,
        Self::Files,
        Self::Uploads,
        Self::Batches,
    ];

    /// The name used in logs and metric labels.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChatCompletions => "chat_completions",
            Self::Completions => "completions",
            Self::Embeddings => "embeddings",
            Self::Models => "models",
            Self::CountTokens => "count_tokens",
            Self::Rerank => "rerank",
            Self::Moderations => "moderations",
            Self::Images => "images",
            Self::ImageEdits => "image_edits",
            Self::ImageVariations => "image_variations",
            Self::Speech => "speech",
            Self::Transcriptions => "transcriptions",
            Self::Translations => "translations",
            Self::StoredResponses => "stored_responses",
            Self::StoredChats => "stored_chats",
            Self::Files => "files",
            Self::Uploads => "uploads",
            Self::Batches => "batches",
        }
    }

    /// Whether the answer holds generated text, so that an output limit means something.
    #[must_use]
    pub const fn generates(self) -> bool {
        match self {
            Self::ChatCompletions | Self::Completions => true,
            Self::Embeddings
            | Self::Models
            | Self::CountTokens
            | Self::Rerank
            | Self::Moderations
            | Self::Images
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::StoredResponses
            | Self::StoredChats
            | Self::Files
            | Self::Uploads
            | Self::Batches => false,
        }
    }

    /// What is worked on or made; what a bound and a price are about.
    #[must_use]
    pub const fn matter(self) -> Matter {
        match self {
            Self::ChatCompletions
            | Self::Completions
            | Self::Embeddings
            | Self::Models
            | Self::CountTokens
            | Self::Rerank
            | Self::Moderations => Matter::Text,
            Self::Images | Self::ImageEdits | Self::ImageVariations => Matter::Pictures,
            Self::Speech => Matter::Speech,
            Self::Transcriptions | Self::Translations => Matter::Recordings,
            Self::StoredResponses
            | Self::StoredChats
            | Self::Files
            | Self::Uploads
            | Self::Batches => Matter::Kept,
        }
    }

    /// Whether it costs nothing: it takes no hold, and is never billed.
    #[must_use]
    pub const fn is_free(self) -> bool {
        match self {
            Self::Models | Self::CountTokens => true,
            Self::ChatCompletions
            | Self::Completions
            | Self::Embeddings
            | Self::Rerank
            | Self::Moderations
            | Self::Images
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::StoredResponses
            | Self::StoredChats
            | Self::Files
            | Self::Uploads
            | Self::Batches => false,
        }
    }

    /// The words in which it is translated; `None` where what is asked in one dialect cannot be asked in
    /// another.
    #[must_use]
    pub const fn vocabulary(self) -> Option<Vocabulary> {
        match self {
            Self::ChatCompletions => Some(Vocabulary::Chat),
            Self::Embeddings => Some(Vocabulary::Embed),
            Self::Rerank => Some(Vocabulary::Rerank),
            Self::CountTokens => Some(Vocabulary::Count),
            Self::Completions
            | Self::Models
            | Self::Moderations
            | Self::Images
            | Self::ImageEdits
            | Self::ImageVariations
            | Self::Speech
            | Self::Transcriptions
            | Self::Translations
            | Self::StoredResponses
            | Self::StoredChats
            | Self::Files
            | Self::Uploads
            | Self::Batches => None,
        }
    }
}

/// What an operation works on or makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// Text, and whatever stands in messages.
    Text,
    /// Pictures are made.
    Pictures,
    /// Text is spoken.
    Speech,
    /// Recordings are written down.
    Recordings,
    /// Something that the provider keeps is handed on; nothing is worked on.
    Kept,
}
