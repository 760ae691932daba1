//! Keys that a container or a machine has for whatever runs on it.

use super::{Keys, end_ms};
use crate::credential::fetch::{Ask, Fetch};
use crate::credential::{Credential, Issued, Refused};
use http::Method;
use serde::Deserialize;
use std::net::IpAddr;

/// Where containers ask.
const CONTAINER: &str = "http://169.254.170.2";

/// Where machines ask.
const MACHINE: &str = "http://169.254.169.254";

/// How long a session with the metadata service is to last, in seconds: as long as it may.
const SESSION_S: &str = "21600";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    access_key_id: String,
    secret_access_key: String,
    token: String,
    expiration: String,
}

fn issued(body: &str, who: &str) -> Result<Issued, Refused> {
    let found: Document = serde_json::from_str(body)
        .map_err(|_| Refused::because(format!("{who}'s answer holds no keys")))?;
    let expires_ms = Some(end_ms(&found.expiration)?);
    let keys = Keys::new(found.access_key_id, found.secret_access_key, Some(found.token));
    Ok(Issued { credential: Credential::Aws(keys), expires_ms })
}

/// Keys of the container; `None` where this is none.
///
/// # Errors
///
/// Why there are no keys.
pub(super) async fn container(
    fetch: &Fetch,
    env: &(impl Fn(&str) -> Option<String> + Sync),
) -> Result<Option<Issued>, Refused> {
    let relative = env("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let relative = relative.map(|path| format!("{CONTAINER}{path}"));
    let Some(url) = relative.or_else(|| env("AWS_CONTAINER_CREDENTIALS_FULL_URI")) else {
        return Ok(None);
    };
    if !is_trusted(&url) {
        let why =
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https nor of this host or platform";
        return Err(Refused::because(why));
    }
    let mut ask = Ask::get(&url);
    // The file goes before: the platform renews it.
    let proof = match env("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => {
            let text = tokio::fs::read_to_string(&file).await;
            let text = text.map_err(|error| Refused::because(format!("{file}: {error}")))?;
            Some(text.trim().to_owned())
        }
        None => env("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    if let Some(proof) = proof {
        ask = ask.header("authorization", proof);
    }
    let answer = fetch.ask(ask).await?;
    issued(answer.body("the container's credential service")?, "the container").map(Some)
}

/// Whether an address may be shown the container's proof.
fn is_trusted(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let known = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];
    uri.scheme_str() == Some("https")
        || known.contains(&bare)
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Keys of the machine, in a session with its metadata service.
///
/// # Errors
///
/// Why there are no keys.
pub(super) async fn instance(
    fetch: &Fetch,
    env: &(impl Fn(&str) -> Option<String> + Sync),
    now_ms: u64,
) -> Result<Issued, Refused> {
    let none = "no AWS keys: not in the environment, a profile, the container";
    if env("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(Refused::because(none));
    }
    let host = env("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| MACHINE.to_owned());
    let host = host.trim_end_matches('/');
    let url = format!("{host}/latest/api/token");
    let ask = Ask { method: Method::PUT, ..Ask::get(&url) };
    let ask = ask.header("x-aws-ec2-metadata-token-ttl-seconds", SESSION_S);
    let session = fetch.ask(ask).await;
    let session =
        session.map_err(|why| Refused::because(format!("{none}, nor of a machine: {why}")))?;
    let token = session.body("the machine's metadata service")?;
    let get = |url: String| async move {
        let ask = Ask::get(&url).header("x-aws-ec2-metadata-token", token);
        fetch.ask(ask).await
    };
    let roles = format!("{host}/latest/meta-data/iam/security-credentials/");
    let role = get(roles.clone()).await?;
    let role = role.body("the machine has no role; its metadata service")?;
    let role = role.lines().next().unwrap_or_default().trim().to_owned();
    let answer = get(format!("{roles}{role}")).await?;
    let issued = issued(answer.body("the machine's metadata service")?, "the machine")?;
    // The service goes on with keys that have ended while it cannot reach others: AWS takes them.
    let expires_ms = issued.expires_ms.map(|end| end.max(now_ms.saturating_add(15 * 60 * 1000)));
    Ok(Issued { expires_ms, ..issued })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_containers_proof_is_shown_to_its_platform_only() {
        for url in [
            "https://x.example/a",
            "http://127.0.0.1:9/a",
            "http://[::1]/a",
            "http://169.254.170.23/v1",
        ] {
            assert!(is_trusted(url), "{url}");
        }
        for url in ["http://x.example/a", "http://169.254.169.254/a", "http://10.0.0.1/", ""] {
            assert!(!is_trusted(url), "{url}");
        }
    }
}
