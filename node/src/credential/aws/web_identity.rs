//! A role, taken on with a token that the platform keeps in a file.

use super::{Keys, end_ms};
use crate::credential::fetch::{Ask, Fetch};
use crate::credential::{Credential, Issued, Refused};
use std::path::PathBuf;

/// A role, and the token for it.
pub(super) struct Role {
    arn: String,
    token_file: PathBuf,
    session: String,
}

impl Role {
    pub(super) fn new(arn: String, token_file: PathBuf, session: Option<String>) -> Self {
        let session = session.unwrap_or_else(|| "bursar".to_owned());
        Self { arn, token_file, session }
    }

    pub(super) fn of_env(env: &impl Fn(&str) -> Option<String>) -> Option<Self> {
        let (arn, file) = (env("AWS_ROLE_ARN")?, env("AWS_WEB_IDENTITY_TOKEN_FILE")?);
        Some(Self::new(arn, file.into(), env("AWS_ROLE_SESSION_NAME")))
    }

    /// Takes the role on. The file is read each time: the platform renews it.
    ///
    /// # Errors
    ///
    /// Why there are no keys.
    pub(super) async fn assume(
        &self,
        fetch: &Fetch,
        env: &(impl Fn(&str) -> Option<String> + Sync),
    ) -> Result<Issued, Refused> {
        let token = tokio::fs::read_to_string(&self.token_file).await;
        let token = token
            .map_err(|error| Refused::because(format!("{}: {error}", self.token_file.display())))?;
        let region = env("AWS_REGION").or_else(|| env("AWS_DEFAULT_REGION"));
        let url = env("AWS_ENDPOINT_URL_STS").unwrap_or_else(|| match region {
            Some(region) => format!("https://sts.{region}.amazonaws.com/"),
            None => "https://sts.amazonaws.com/".to_owned(),
        });
        let fields = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", &self.arn),
            ("RoleSessionName", &self.session),
            ("WebIdentityToken", token.trim()),
        ];
        let answer = fetch.ask(Ask::post(&url, &fields)).await?;
        if answer.status != 200 {
            let code = element(answer.body.expose(), "Code").unwrap_or_default();
            let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(60).collect();
            return Err(Refused::because(format!("STS answered {}: {code}", answer.status)));
        }
        let body = answer.body.expose();
        let found = |name: &str| {
            let missing = || Refused::because(format!("STS' answer has no {name}"));
            element(body, name).map(str::to_owned).ok_or_else(missing)
        };
        let token = Some(found("SessionToken")?);
        let keys = Keys::new(found("AccessKeyId")?, found("SecretAccessKey")?, token);
        let expires_ms = Some(end_ms(&found("Expiration")?)?);
        Ok(Issued { credential: Credential::Aws(keys), expires_ms })
    }
}

/// The text of the first element of that name. What STS puts into these holds no entities.
fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once(&format!("</{name}>"))?.0.trim())
}
