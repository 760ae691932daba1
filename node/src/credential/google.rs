//! Google: a service account signs a statement about itself and gets a token for it; a user's login is
//! renewed; a machine asks its metadata service.

use super::fetch::{Ask, Fetch};
use super::{Credential, Env, Issued, Refused};
use crate::vault::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde::Deserialize;
use serde_json::json;

/// What the tokens are for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Where tokens are issued, unless the account says otherwise.
const TOKENS: &str = "https://oauth2.googleapis.com/token";

/// Where machines ask.
const MACHINE: &str = "metadata.google.internal";

/// How long a statement holds, in seconds: Google takes no more.
const STATEMENT_S: u64 = 3600;

/// An account of Google's.
pub struct Google {
    given: Option<Account>,
    env: Env,
}

/// The JSON that Google gives out, by its `type`.
#[derive(Clone, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Account {
    ServiceAccount {
        client_email: String,
        private_key: Hidden,
        #[serde(default)]
        private_key_id: Option<String>,
        #[serde(default)]
        token_uri: Option<String>,
    },
    AuthorizedUser {
        client_id: String,
        client_secret: Hidden,
        refresh_token: Hidden,
        #[serde(default)]
        token_uri: Option<String>,
    },
}

/// A secret inside JSON.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
struct Hidden(Secret);

impl From<String> for Hidden {
    fn from(text: String) -> Self {
        Self(Secret::new(text))
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: u64,
}

impl Google {
    pub(super) fn read(json: Option<&str>, env: Env) -> Result<Self, String> {
        Ok(Self { given: json.map(account).transpose()?, env })
    }

    pub(super) async fn issue(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        if let Some(account) = &self.given {
            return account.issue(fetch, now_ms).await;
        }
        if let Some(file) = (self.env)("GOOGLE_APPLICATION_CREDENTIALS") {
            let text = tokio::fs::read_to_string(&file).await;
            let text = text.map_err(|error| Refused::because(format!("{file}: {error}")))?;
            let account = account(&text).map_err(|why| Refused::because(format!("{file}: {why}")));
            return account?.issue(fetch, now_ms).await;
        }
        self.machine(fetch, now_ms).await
    }

    async fn machine(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        let host = (self.env)("GCE_METADATA_HOST").unwrap_or_else(|| MACHINE.to_owned());
        let query = super::fetch::form(&[("scopes", SCOPE)]);
        let url = format!(
            "http://{host}/computeMetadata/v1/instance/service-accounts/default/token?{query}"
        );
        let answer = fetch.ask(Ask::get(&url).header("metadata-flavor", "Google")).await?;
        // Whoever else has that name does not say so.
        if answer.headers.get("metadata-flavor").is_none_or(|flavor| flavor != "Google") {
            return Err(Refused::because(format!("{host} is not Google's metadata service")));
        }
        token(answer.body("Google's metadata service")?, now_ms)
    }
}

fn account(text: &str) -> Result<Account, String> {
    let known = "the credential is no JSON of a service account or an authorized user";
    serde_json::from_str(text).map_err(|_| known.to_owned())
}

impl Account {
    async fn issue(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        let answer = match self {
            Self::ServiceAccount { client_email, private_key, private_key_id, token_uri } => {
                let url = token_uri.as_deref().unwrap_or(TOKENS);
                let key = key(&private_key.0)?;
                let id = private_key_id.as_deref();
                let assertion = statement(&key, id, client_email, url, now_ms / 1000)?;
                let fields = [
                    ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
                    ("assertion", assertion.expose()),
                ];
                fetch.ask(Ask::post(url, &fields)).await?
            }
            Self::AuthorizedUser { client_id, client_secret, refresh_token, token_uri } => {
                let fields = [
                    ("grant_type", "refresh_token"),
                    ("client_id", client_id),
                    ("client_secret", client_secret.0.expose()),
                    ("refresh_token", refresh_token.0.expose()),
                ];
                let url = token_uri.as_deref().unwrap_or(TOKENS);
                fetch.ask(Ask::post(url, &fields)).await?
            }
        };
        token(answer.body("Google")?, now_ms)
    }
}

fn token(body: &str, now_ms: u64) -> Result<Issued, Refused> {
    let token: Token = serde_json::from_str(body)
        .map_err(|_| Refused::because("Google's answer holds no token"))?;
    Ok(Issued {
        credential: Credential::Bearer(Secret::new(token.access_token)),
        expires_ms: Some(now_ms.saturating_add(token.expires_in.saturating_mul(1000))),
    })
}

/// Reads a PEM that holds an unencrypted PKCS #8 key.
fn key(pem: &Secret) -> Result<RsaKeyPair, Refused> {
    let lines = pem.expose().lines().map(str::trim);
    let inner: String = lines.filter(|line| !line.starts_with("-----")).collect();
    let unreadable = || Refused::because("the private key cannot be read");
    let der = zeroize::Zeroizing::new(STANDARD.decode(inner).map_err(|_| unreadable())?);
    RsaKeyPair::from_pkcs8(&der).map_err(|_| unreadable())
}

/// What an account says about itself, signed: a JSON web token.
fn statement(
    key: &RsaKeyPair,
    key_id: Option<&str>,
    account: &str,
    audience: &str,
    now_s: u64,
) -> Result<Secret, Refused> {
    let head = json!({"alg": "RS256", "typ": "JWT", "kid": key_id});
    let claims = json!({
        "iss": account,
        "scope": SCOPE,
        "aud": audience,
        "iat": now_s,
        "exp": now_s + STATEMENT_S,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
        .map_err(|_| Refused::because("the private key signs nothing"))?;
    Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}
