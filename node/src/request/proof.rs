//! How a request proves to a provider who sends it, where that is more than a header that never changes: with a
//! token that is issued for a while, or with a signature over what is sent.

use crate::credential::{Credential, Family, Keys, Source, Unready};
use crate::plane::Shared;
use crate::plane::core::wall_clock;
use crate::plane::pieces::Pieces;
use crate::vault::Secret;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use http::{HeaderMap, Request, Uri};
use std::sync::Arc;
use wire::provider::{Auth, bedrock};
use wire::sign::{self, Scope};

const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Variables that name the region of a machine of AWS', as AWS' own clients read them.
const REGIONS: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// How the requests of one credential prove who sends them.
pub(super) enum Proof {
    /// By a header that is ready, or by nothing.
    Ready,
    /// By what is issued for a while.
    Issued(Arc<Source>, Form),
}

/// Name and value of a header that is ready.
pub(super) type Shown = (&'static str, String);

/// How something issued is shown.
pub(super) enum Form {
    /// `authorization: Bearer <token>`
    Token,
    /// By a signature for a region's service.
    Signature { region: String, service: &'static str },
}

impl Proof {
    /// What a credential of a provider at `base` is; the header is what is ready of it.
    ///
    /// # Errors
    ///
    /// A setting that cannot be read or is not enough; in words.
    pub(super) fn of(
        (provider, credential): (&str, &str),
        auth: Auth,
        secret: Option<&Secret>,
        (base, shared): (&Uri, &Shared),
    ) -> Result<(Self, Option<Shown>), String> {
        let Some(secret) = secret else { return Ok((Self::Ready, None)) };
        let family = Family::of(auth).filter(|_| Family::issues(secret));
        let Some(family) = family else {
            return Ok((Self::Ready, Some(auth.header(secret.expose().trim()))));
        };
        let form = match auth {
            Auth::Aws { service } => {
                Form::Signature { region: region(base, secret, shared)?, service }
            }
            Auth::Bearer | Auth::Header(_) | Auth::Google | Auth::Entra { .. } => Form::Token,
        };
        let source = shared.sources.of(provider, credential, (family, secret))?;
        Ok((Self::Issued(source, form), None))
    }

    /// What is issued now; `None` where the header is ready. Waits only for the first one.
    pub(super) async fn at_hand(&self) -> Result<Option<Arc<Credential>>, Unready> {
        match self {
            Self::Ready => Ok(None),
            Self::Issued(source, _) => source.ready().await.map(Some),
        }
    }

    /// What is issued in the place of what was refused.
    pub(super) async fn renewed(&self, refused: &Credential) -> Option<Arc<Credential>> {
        match self {
            Self::Ready => None,
            Self::Issued(source, _) => source.renewed(refused).await,
        }
    }

    /// Puts the proof on a request that is complete but for it. `false`: it makes no header.
    pub(super) fn put(&self, request: &mut Request<Pieces>, credential: &Credential) -> bool {
        let Self::Issued(_, form) = self else { return true };
        match (form, credential) {
            (Form::Signature { region, service }, Credential::Aws(keys)) => {
                sign(request, keys, Scope { region, service })
            }
            (_, Credential::Bearer(token)) => {
                let (_, value) = Auth::Bearer.header(token.expose());
                insert(request.headers_mut(), AUTHORIZATION, &value)
            }
            // No token signs, and no keys are shown.
            (Form::Token, Credential::Aws(_)) => false,
        }
    }
}

/// Signs a request as it is: its path as it is sent, its body in pieces.
fn sign(request: &mut Request<Pieces>, keys: &Keys, scope: Scope<'_>) -> bool {
    let signed = {
        let headers = request.headers();
        let text = |value: &'_ HeaderValue| value.to_str().ok().map(str::to_owned);
        let host = headers.get(HOST).and_then(text).unwrap_or_default();
        let mut others: Vec<(&str, String)> = Vec::new();
        for (name, value) in headers {
            if name == CONTENT_TYPE || name.as_str().starts_with("x-amz") {
                others.extend(text(value).map(|value| (name.as_str(), value)));
            }
        }
        let others: Vec<(&str, &str)> =
            others.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let to_sign = sign::Request {
            method: request.method().as_str(),
            host: &host,
            path: request.uri().path(),
            query: request.uri().query().unwrap_or_default(),
            headers: &others,
        };
        sign::sign(&to_sign, request.body().slices(), keys.to_sign(), scope, wall_clock().0)
    };
    let headers = request.headers_mut();
    let token = signed.security_token.as_deref();
    insert(headers, AUTHORIZATION, &signed.authorization)
        && insert(headers, DATE, &signed.date)
        && token.is_none_or(|token| insert(headers, TOKEN, token))
}

/// Sets a header that nobody may see in a log; whether its value is one.
fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> bool {
    let Ok(mut value) = HeaderValue::from_str(value) else { return false };
    value.set_sensitive(true);
    headers.insert(name, value);
    true
}

/// The region that requests are signed for: the one in the host, in the credential, or of the machine.
fn region(base: &Uri, secret: &Secret, shared: &Shared) -> Result<String, String> {
    let of_host = base.host().and_then(bedrock::region).map(str::to_owned);
    let found = of_host
        .or_else(|| region_of(secret))
        .or_else(|| REGIONS.iter().find_map(|name| shared.sources.env(name)));
    found.ok_or_else(|| {
        "no region to sign for: none in the host of the base URL, none in the credential (\"region\"), none in \
         AWS_REGION of this node"
            .to_owned()
    })
}

/// The region that a credential names.
pub(crate) fn region_of(secret: &Secret) -> Option<String> {
    let setting: serde_json::Value = serde_json::from_str(secret.expose()).ok()?;
    Some(setting.get("region")?.as_str()?.to_owned())
}
