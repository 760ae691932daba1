//! The id a caller finds its request by.

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header, in and out.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from a caller, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 128;

/// The caller's own id where it is visible ASCII of a sane length.
#[must_use]
pub fn of_caller(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(X_REQUEST_ID)?;
    let bytes = id.as_bytes();
    let sane = !bytes.is_empty()
        && bytes.len() <= REQUEST_ID_BYTES_MAX
        && bytes.iter().all(u8::is_ascii_graphic);
    sane.then(|| id.clone())
}

/// Makes ids of our own: unique among threads and restarts, cheap to make.
pub struct RequestIds {
    /// Random, drawn once per thread and start.
    origin: u64,
    next: std::cell::Cell<u64>,
}

impl RequestIds {
    /// A maker whose ids begin with `origin`, which must be random.
    #[must_use]
    pub fn new(origin: u64) -> Self {
        Self { origin, next: std::cell::Cell::new(1) }
    }

    /// The next id: `req_` and 32 hexadecimal digits.
    #[must_use]
    pub fn next(&self) -> HeaderValue {
        let number = self.next.get();
        self.next.set(number.wrapping_add(1));
        let mut text = *b"req_00000000000000000000000000000000";
        hex(self.origin, &mut text[4..20]);
        hex(number, &mut text[20..36]);
        HeaderValue::from_bytes(&text).expect("hexadecimal digits are a header value")
    }
}

fn hex(mut value: u64, out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_ours_are_distinct_and_of_one_length() {
        let ids = RequestIds::new(0xabc);
        assert_eq!(ids.next(), "req_0000000000000abc0000000000000001");
        assert_eq!(ids.next(), "req_0000000000000abc0000000000000002");
    }

    #[test]
    fn a_callers_id_is_taken_only_where_it_is_sane() {
        let long = "a".repeat(129);
        let cases = [("abc", true), ("a b", false), ("", false), (long.as_str(), false)];
        for (id, taken) in cases {
            let headers =
                HeaderMap::from_iter([(X_REQUEST_ID, HeaderValue::from_str(id).unwrap())]);
            assert_eq!(of_caller(&headers).is_some(), taken, "{id:?}");
        }
    }
}
