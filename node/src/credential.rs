//! Credentials that others issue for a while: AWS keys, Google's and Entra's tokens.
//!
//! They are fetched and renewed in the background, ahead of their end. A request reads what is there and
//! never waits.

mod aws;
mod entra;
mod fetch;
mod google;
mod kind;
mod renew;
mod source;
mod sources;
#[cfg(test)]
mod tests;

pub use aws::Keys;
pub use fetch::Fetch;
pub use kind::{Family, Kind, MACHINE};
pub use source::{Source, Unready};
pub use sources::Sources;

use crate::vault::Secret;

/// What a request is signed or authorised with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `authorization: Bearer <token>`
    Bearer(Secret),
    /// Keys that sign each request.
    Aws(Keys),
}

/// A credential, as issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issued {
    /// What was issued.
    pub credential: Credential,
    /// When it ends, in milliseconds since 1970; `None`: never.
    pub expires_ms: Option<u64>,
}

/// Why none was issued, in words that hold no secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

impl Refused {
    pub(crate) fn because(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// What a process finds around it: the environment.
pub type Env = std::sync::Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The environment of this process. Empty values count as absent.
#[must_use]
pub fn env() -> Env {
    std::sync::Arc::new(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// Milliseconds since 1970, by this node's clock.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}
