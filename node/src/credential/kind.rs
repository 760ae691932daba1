//! Which credential a provider's setting means.

use super::aws::Aws;
use super::entra::Entra;
use super::google::Google;
use super::{Env, Fetch, Issued, Refused, Source};
use crate::vault::Secret;
use std::sync::Arc;
use wire::provider::Auth;

/// The setting of a credential that stands for whatever the machine has.
pub const MACHINE: &str = "default";

/// Whose credentials a provider takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Keys of AWS that sign requests: Bedrock.
    Aws,
    /// Tokens of Google: Vertex.
    Google,
    /// Tokens of Entra: Azure.
    Entra,
}

/// Where credentials come from. Cheap to clone.
#[derive(Clone)]
pub enum Kind {
    /// AWS.
    Aws(Arc<Aws>),
    /// Google.
    Google(Arc<Google>),
    /// Entra.
    Entra(Arc<Entra>),
}

impl Family {
    /// Whose credentials a provider takes; `None` where a key is shown as it is.
    #[must_use]
    pub fn of(auth: Auth) -> Option<Self> {
        match auth {
            Auth::Bearer | Auth::Header(_) => None,
            Auth::Aws { .. } => Some(Self::Aws),
            Auth::Google => Some(Self::Google),
            Auth::Entra { .. } => Some(Self::Entra),
        }
    }

    /// Whether a setting says where credentials are issued; else it is a key, or a token, by itself.
    #[must_use]
    pub fn issues(setting: &Secret) -> bool {
        let text = setting.expose().trim();
        text.starts_with('{') || text == MACHINE
    }
}

impl Kind {
    /// Reads a provider's setting: JSON in the form that the cloud itself gives out, or [`MACHINE`], or
    /// nothing, for whatever the machine has.
    ///
    /// - AWS: `{"access_key_id", "secret_access_key", "session_token"}`
    /// - Google: the JSON of a service account or of a user's login
    /// - Entra: `{"tenant_id", "client_id", "client_secret"}`
    ///
    /// # Errors
    ///
    /// Why the setting cannot be read, without quoting it.
    pub fn read(family: Family, setting: &Secret, env: Env) -> Result<Self, String> {
        let text = setting.expose().trim();
        let json = (!matches!(text, "" | MACHINE)).then_some(text);
        Ok(match family {
            Family::Aws => Self::Aws(Arc::new(Aws::read(json, env)?)),
            Family::Google => Self::Google(Arc::new(Google::read(json, env)?)),
            Family::Entra => Self::Entra(Arc::new(Entra::read(json, env)?)),
        })
    }

    /// Asks for a credential once.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub async fn issue(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        match self {
            Self::Aws(aws) => aws.issue(fetch, now_ms).await,
            Self::Google(google) => google.issue(fetch, now_ms).await,
            Self::Entra(entra) => entra.issue(fetch, now_ms).await,
        }
    }

    /// Keeps a credential of this kind at hand. `name` is for the log.
    pub fn keep(self, name: String, fetch: Fetch) -> Arc<Source> {
        Source::start(name, move || {
            let (kind, fetch) = (self.clone(), fetch.clone());
            async move { kind.issue(&fetch, super::now_ms()).await }
        })
    }
}
