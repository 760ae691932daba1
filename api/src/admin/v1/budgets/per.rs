//! Who shares a budget, as operators write it: `all`, `key`, `session:1h`.

use crate::admin::window::{length, length_ms};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// Who shares a budget's accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Per {
    /// All that are charged to it.
    #[default]
    All,
    /// Each virtual key has accounts of its own.
    Key,
    /// Each user, where the key has one; else each key.
    User,
    /// Each tag a request carries.
    Tag,
    /// Each session a key names in a header, closed by itself so many milliseconds after it was opened.
    Session(u64),
}

/// What sessions begin with.
const SESSION: &str = "session:";
const WORDS: [(&str, Per); 4] =
    [("all", Per::All), ("key", Per::Key), ("user", Per::User), ("tag", Per::Tag)];

impl FromStr for Per {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = WORDS.iter().find(|(word, _)| *word == text).map(|(_, per)| *per);
        let session = || text.strip_prefix(SESSION).and_then(length_ms).map(Self::Session);
        word.or_else(session).ok_or_else(|| {
            format!("{text:?} shares no budget: use all, key, user, tag, or session: with a length, as session:1h")
        })
    }
}

impl fmt::Display for Per {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Key => "key",
            Self::User => "user",
            Self::Tag => "tag",
            Self::Session(ttl_ms) => return write!(f, "{SESSION}{}", length(*ttl_ms)),
        })
    }
}

impl Serialize for Per {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Per {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for Per {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "Who shares the limit: all, or each key, user, tag or session has a limit of its own. A session closes by itself so long after it was opened.",
            ))
            .pattern(Some(r"^(all|key|user|tag|session:\d+[dhms])$"))
            .examples(["all", "session:1h"])
            .into()
    }
}

impl utoipa::ToSchema for Per {
    fn name() -> std::borrow::Cow<'static, str> {
        "Per".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shares_is_written_as_it_is_read() {
        for text in ["all", "key", "user", "tag", "session:1h", "session:90s"] {
            assert_eq!(text.parse::<Per>().unwrap().to_string(), text);
        }
        for text in ["", "keys", "session", "session:", "session:0s"] {
            assert!(text.parse::<Per>().unwrap_err().contains("use all, key"), "{text}");
        }
    }
}
