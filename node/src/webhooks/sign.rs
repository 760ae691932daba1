//! Signatures by the Standard Webhooks scheme: HMAC-SHA256 over id, timestamp and body.

use crate::vault::{Secret, random};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use zeroize::Zeroizing;

/// What a secret begins with.
const PREFIX: &str = "whsec_";
/// Bytes of a key: from as many as a hash has use of, to as many as the scheme allows.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Purpose of a webhook's secret: moved to another webhook it stays shut.
pub(crate) fn purpose(webhook: &str) -> String {
    format!("webhook:{webhook}")
}

/// Draws a secret.
pub(crate) fn draw_secret() -> Secret {
    let key = Zeroizing::new(random::<32>());
    Secret::new(format!("{PREFIX}{}", STANDARD.encode(&key[..])))
}

/// Checks that a secret is one.
///
/// # Errors
///
/// What it should be; nothing of what it is.
pub(crate) fn check_secret(secret: &str) -> Result<(), &'static str> {
    key_bytes(secret).map(drop).ok_or("is none: write whsec_ and the base64 of 24 to 64 bytes")
}

fn key_bytes(secret: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?);
    KEY_BYTES.contains(&bytes.len()).then_some(bytes)
}

/// The value of `webhook-signature`; `None`: the secret is none.
pub(super) fn signature(
    secret: &Secret,
    id: &str,
    timestamp_s: u64,
    body: &[u8],
) -> Option<String> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key_bytes(secret.expose())?);
    let mut context = hmac::Context::with_key(&key);
    context.update(format!("{id}.{timestamp_s}.").as_bytes());
    context.update(body);
    Some(format!("v1,{}", STANDARD.encode(context.sign())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_scheme() {
        // Computed with Python's hmac over the same bytes.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let body = br#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_drawn_secret_signs_and_an_odd_one_does_not() {
        let drawn = draw_secret();
        assert_eq!(check_secret(drawn.expose()), Ok(()));
        assert!(signature(&drawn, "a", 1, b"").is_some());
        for odd in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert!(check_secret(odd).is_err(), "{odd}");
        }
    }
}
