//! AWS: keys, looked for in the order that AWS' own clients have.

mod machine;
mod profile;
mod web_identity;

use super::fetch::Fetch;
use super::{Credential, Env, Issued, Refused};
use crate::vault::Secret;
use serde::Deserialize;

/// Keys that sign requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// By which the account is known.
    pub access_key_id: String,
    /// The secret.
    pub secret_access_key: Secret,
    /// What temporary keys come with.
    pub session_token: Option<Secret>,
}

impl Keys {
    fn new(id: String, secret: String, token: Option<String>) -> Self {
        let session_token = token.filter(|token| !token.is_empty()).map(Secret::new);
        Self { access_key_id: id, secret_access_key: Secret::new(secret), session_token }
    }

    /// The same, as the signer takes them.
    #[must_use]
    pub fn to_sign(&self) -> wire::sign::Keys<'_> {
        wire::sign::Keys {
            access_key_id: &self.access_key_id,
            secret_access_key: self.secret_access_key.expose(),
            session_token: self.session_token.as_ref().map(Secret::expose),
        }
    }
}

/// Where keys come from.
pub struct Aws {
    given: Option<Keys>,
    env: Env,
}

#[derive(Deserialize)]
struct Given {
    #[serde(alias = "AccessKeyId")]
    access_key_id: String,
    #[serde(alias = "SecretAccessKey")]
    secret_access_key: String,
    #[serde(default, alias = "SessionToken")]
    session_token: Option<String>,
}

impl Aws {
    pub(super) fn read(json: Option<&str>, env: Env) -> Result<Self, String> {
        let wrong = |_| "the credential is no JSON with access_key_id and secret_access_key";
        let given = json.map(serde_json::from_str::<Given>).transpose().map_err(wrong)?;
        let given = given
            .map(|keys| Keys::new(keys.access_key_id, keys.secret_access_key, keys.session_token));
        Ok(Self { given, env })
    }

    /// Keys that were given; else those of the environment, of a web identity, of a profile, of the
    /// container, of the machine.
    pub(super) async fn issue(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        let env = |name: &str| (self.env)(name);
        let standing = |keys: Keys| Issued { credential: Credential::Aws(keys), expires_ms: None };
        if let Some(keys) = &self.given {
            return Ok(standing(keys.clone()));
        }
        if let (Some(id), Some(secret)) = (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")) {
            return Ok(standing(Keys::new(id, secret, env("AWS_SESSION_TOKEN"))));
        }
        if let Some(role) = web_identity::Role::of_env(&env) {
            return role.assume(fetch, &env).await;
        }
        match profile::read(&env).await? {
            Some(profile::Found::Keys(keys)) => return Ok(standing(keys)),
            Some(profile::Found::Role(role)) => return role.assume(fetch, &env).await,
            None => {}
        }
        if let Some(issued) = machine::container(fetch, &env).await? {
            return Ok(issued);
        }
        machine::instance(fetch, &env, now_ms).await
    }
}

/// Milliseconds since 1970 of an end that AWS wrote.
fn end_ms(text: &str) -> Result<u64, Refused> {
    wire::retry_after::rfc3339(text)
        .ok_or_else(|| Refused::because("the end of the keys cannot be read"))
}
