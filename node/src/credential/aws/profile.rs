//! Keys of a profile in the files that AWS' tools share.

use super::Keys;
use super::web_identity::Role;
use crate::credential::Refused;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a profile holds.
pub(super) enum Found {
    Keys(Keys),
    Role(Role),
}

/// Reads the profile that the environment names, else `default`; `None` where there is none.
///
/// # Errors
///
/// A profile that was named and is not there, or that takes a way to keys that is not supported.
pub(super) async fn read(
    env: &(impl Fn(&str) -> Option<String> + Sync),
) -> Result<Option<Found>, Refused> {
    let named = env("AWS_PROFILE").or_else(|| env("AWS_DEFAULT_PROFILE"));
    let name = named.clone().unwrap_or_else(|| "default".to_owned());
    let home = env("HOME").map(PathBuf::from);
    let file = |variable: &str, usual: &str| {
        env(variable).map(PathBuf::from).or_else(|| Some(home.clone()?.join(".aws").join(usual)))
    };
    let mut settings = BTreeMap::new();
    let files =
        [file("AWS_CONFIG_FILE", "config"), file("AWS_SHARED_CREDENTIALS_FILE", "credentials")];
    for path in files.into_iter().flatten() {
        // A file that is not there is no fault: profiles may stand in either.
        if let Ok(text) = tokio::fs::read_to_string(&path).await {
            settings.extend(section(&text, &name));
        }
    }
    let mut take = |key: &str| settings.remove(key).filter(|value: &String| !value.is_empty());
    if let (Some(id), Some(secret)) = (take("aws_access_key_id"), take("aws_secret_access_key")) {
        return Ok(Some(Found::Keys(Keys::new(id, secret, take("aws_session_token")))));
    }
    let (role, token) = (take("role_arn"), take("web_identity_token_file"));
    if let (Some(arn), Some(token_file)) = (&role, token) {
        let session = take("role_session_name");
        return Ok(Some(Found::Role(Role::new(arn.clone(), token_file.into(), session))));
    }
    let other = [
        "source_profile",
        "credential_source",
        "credential_process",
        "sso_session",
        "sso_start_url",
    ];
    if let Some(key) = other.into_iter().find(|key| settings.contains_key(*key)) {
        let why = format!("profile {name} gets its keys by {key}, which is not supported");
        return Err(Refused::because(why));
    }
    match named {
        Some(name) => Err(Refused::because(format!("profile {name} holds no keys"))),
        None => Ok(None),
    }
}

/// The settings of one section. In one of the two files its name has `profile` before it.
fn section(text: &str, name: &str) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default();
        if let Some(title) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let title = title.trim();
            inside = title.strip_prefix("profile ").map_or(title, str::trim) == name;
        } else if inside
            // What is indented belongs to the setting before.
            && !line.starts_with([' ', '\t', '#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            settings.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_found_in_either_file() {
        let config =
            "[default]\nregion = a\n[profile  two ]\nrole_arn=r # why\ns3 =\n  x = 1\n; no = 2\n";
        let two = section(config, "two");
        assert_eq!(two.get("role_arn").map(String::as_str), Some("r"));
        assert_eq!((two.get("x"), two.get("; no"), two.get("region")), (None, None, None));
        let credentials = "[two]\r\nAWS_ACCESS_KEY_ID = id\r\naws_secret_access_key=a=b\r\n";
        let two = section(credentials, "two");
        assert_eq!(two["aws_access_key_id"], "id");
        assert_eq!(two["aws_secret_access_key"], "a=b");
    }
}
