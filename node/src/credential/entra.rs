//! Entra: an application proves itself by its secret, by a token of its platform, or by running on one
//! of Azure's machines.

use super::fetch::{Ask, Fetch};
use super::{Credential, Env, Issued, Refused};
use crate::vault::Secret;
use serde::Deserialize;

/// What the tokens are for: Azure's models.
const SCOPE: &str = "https://cognitiveservices.azure.com/.default";

/// The same, as machines ask for it.
const RESOURCE: &str = "https://cognitiveservices.azure.com";

/// Where tokens are issued.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Where machines ask.
const MACHINE: &str = "http://169.254.169.254";

/// An application.
pub struct Entra {
    given: Option<App>,
    env: Env,
}

#[derive(Clone, Deserialize)]
struct App {
    tenant_id: String,
    client_id: String,
    client_secret: String,
    #[serde(default)]
    authority: Option<String>,
}

/// What an issuer answers; machines write numbers as texts.
#[derive(Deserialize)]
struct Token {
    access_token: String,
    expires_in: serde_json::Value,
}

impl Entra {
    pub(super) fn read(json: Option<&str>, env: Env) -> Result<Self, String> {
        let wrong = |_| "the credential is no JSON with tenant_id, client_id, client_secret";
        let given = json.map(serde_json::from_str::<App>).transpose().map_err(wrong)?;
        Ok(Self { given, env })
    }

    pub(super) async fn issue(&self, fetch: &Fetch, now_ms: u64) -> Result<Issued, Refused> {
        let env = |name: &str| (self.env)(name);
        let authority = env("AZURE_AUTHORITY_HOST");
        if let Some(app) = &self.given {
            let authority = app.authority.clone().or(authority);
            let url = address(authority, &app.tenant_id);
            let secret = [("client_secret", app.client_secret.as_str())];
            return ask(fetch, &url, &app.client_id, &secret, now_ms).await;
        }
        let (tenant, client) = (env("AZURE_TENANT_ID"), env("AZURE_CLIENT_ID"));
        if let (Some(tenant), Some(client)) = (tenant, &client) {
            let url = address(authority, &tenant);
            if let Some(secret) = env("AZURE_CLIENT_SECRET") {
                return ask(fetch, &url, client, &[("client_secret", &secret)], now_ms).await;
            }
            if let Some(file) = env("AZURE_FEDERATED_TOKEN_FILE") {
                let assertion = tokio::fs::read_to_string(&file).await;
                let assertion =
                    assertion.map_err(|error| Refused::because(format!("{file}: {error}")))?;
                let proof = [
                    (
                        "client_assertion_type",
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                    ),
                    ("client_assertion", assertion.trim()),
                ];
                return ask(fetch, &url, client, &proof, now_ms).await;
            }
        }
        self.machine(fetch, client.as_deref(), now_ms).await
    }

    /// The identity of the machine; `client` chooses among several.
    async fn machine(
        &self,
        fetch: &Fetch,
        client: Option<&str>,
        now_ms: u64,
    ) -> Result<Issued, Refused> {
        let host = (self.env)("AZURE_POD_IDENTITY_AUTHORITY_HOST");
        let host = host.unwrap_or_else(|| MACHINE.to_owned());
        let mut fields = vec![("api-version", "2018-02-01"), ("resource", RESOURCE)];
        fields.extend(client.map(|client| ("client_id", client)));
        let query = super::fetch::form(&fields);
        let url = format!("{}/metadata/identity/oauth2/token?{query}", host.trim_end_matches('/'));
        let answer = fetch.ask(Ask::get(&url).header("metadata", "true")).await?;
        token(answer.body("Azure's metadata service")?, now_ms)
    }
}

fn address(authority: Option<String>, tenant: &str) -> String {
    let authority = authority.unwrap_or_else(|| AUTHORITY.to_owned());
    format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/'))
}

async fn ask(
    fetch: &Fetch,
    url: &str,
    client: &str,
    proof: &[(&str, &str)],
    now_ms: u64,
) -> Result<Issued, Refused> {
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", SCOPE)];
    fields.extend_from_slice(proof);
    let answer = fetch.ask(Ask::post(url, &fields)).await?;
    token(answer.body("Entra")?, now_ms)
}

fn token(body: &str, now_ms: u64) -> Result<Issued, Refused> {
    let unreadable = || Refused::because("Entra's answer holds no token");
    let token: Token = serde_json::from_str(body).map_err(|_| unreadable())?;
    let text = token.expires_in.as_str().and_then(|text| text.parse().ok());
    let lives_s = token.expires_in.as_u64().or(text).ok_or_else(unreadable)?;
    Ok(Issued {
        credential: Credential::Bearer(Secret::new(token.access_token)),
        expires_ms: Some(now_ms.saturating_add(lives_s.saturating_mul(1000))),
    })
}
