//! When to come back, out of the many forms providers give it.

/// Longest wait believed, in milliseconds: a day. A longer one is taken for this.
pub const WAIT_MS_MAX: u64 = 24 * 60 * 60 * 1000;

/// Response headers to look in, most explicit first. Reset headers matter only after a 429.
const HEADERS: &[&str] = &[
    "retry-after-ms",
    "retry-after",
    "x-ratelimit-reset-after",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-reset",
    "ratelimit-reset",
    "ratelimitbysize-reset",
    "x-ratelimit-reset-tokens-minute",
];

/// Milliseconds to wait, by the headers of a refusal. `header` looks a name up, in lower case.
///
/// `retry-after` is believed alone; of the reset headers the shortest counts, for one of them is the
/// limit that was hit and waiting less costs only another refusal.
#[must_use]
pub fn from_headers(header: &dyn Fn(&str) -> Option<String>, now_ms: u64) -> Option<u64> {
    let wait = |name: &&str| {
        let value = header(name)?;
        if *name == "retry-after-ms" { millis(value.trim()) } else { parse(&value, now_ms) }
    };
    let (explicit, resets) = HEADERS.split_at(2);
    explicit
        .iter()
        .find_map(wait)
        .or_else(|| resets.iter().filter_map(wait).filter(|ms| *ms > 0).min())
}

/// The wait that an error body names: Google's `retryDelay`, or the sentences of Groq, OpenAI and Azure.
#[must_use]
pub fn from_body(body: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 * 1024)]);
    let behind = |mark: &str| {
        text.split_once(mark).map(|(_, rest)| rest.trim_start_matches([' ', ':', '"']))
    };
    let end = |letter: char| letter.is_ascii_whitespace() || letter == '"' || letter == ',';
    let rest = behind("\"retryDelay\"")
        .or_else(|| behind("try again in "))
        .or_else(|| behind("retry after "))?;
    let word = rest.split(end).next()?.trim_end_matches('.');
    parse(word, u64::MAX)
}

/// A wait in any of the forms: `34`, `13.78`, `6ms`, `1h27m50.4s`, seconds or milliseconds since 1970,
/// RFC 3339, an HTTP date. Text after a comma is ignored.
#[must_use]
pub fn parse(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    let wait = http_date(value).map(|at_ms| at_ms.saturating_sub(now_ms));
    if wait.is_some() {
        return wait.map(|ms| ms.min(WAIT_MS_MAX));
    }
    let value = value.split(',').next().unwrap_or_default().trim();
    let wait = seconds(value, now_ms).or_else(|| units(value));
    let wait = wait.or_else(|| rfc3339(value).map(|at_ms| at_ms.saturating_sub(now_ms)));
    wait.map(|ms| ms.min(WAIT_MS_MAX))
}

fn millis(value: &str) -> Option<u64> {
    decimal(value, 1).map(|ms| ms.min(WAIT_MS_MAX))
}

/// A bare number: seconds to wait, or a moment if it is far too large for that.
fn seconds(value: &str, now_ms: u64) -> Option<u64> {
    let ms = decimal(value, 1000)?;
    const YEAR_2001_S: u64 = 1_000_000_000;
    match ms / 1000 {
        s if s >= YEAR_2001_S * 1000 => Some(s.saturating_sub(now_ms)),
        s if s >= YEAR_2001_S => Some(ms.saturating_sub(now_ms)),
        _ => Some(ms),
    }
}

/// A non-negative decimal times `scale`, rounded up; no float is involved.
fn decimal(value: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 17 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let mut result = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let mut place = scale;
    let mut rest = false;
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        rest |= !(digit * place).is_multiple_of(10);
        result += digit * place / 10;
        place /= 10;
    }
    Some(result + u64::from(rest))
}

/// `1h27m50.4s`, `6ms`, `2m`, `1d`.
fn units(value: &str) -> Option<u64> {
    let mut rest = value;
    let mut total = 0_u64;
    while !rest.is_empty() {
        let number = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (amount, tail) = rest.split_at(number);
        let unit = tail.find(|letter: char| letter.is_ascii_digit()).unwrap_or(tail.len());
        let scale = match &tail[..unit] {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(decimal(amount, scale)?)?;
        rest = &tail[unit..];
    }
    (!value.is_empty()).then_some(total)
}

/// Milliseconds since 1970 of `2025-03-15T08:58:28Z`, with or without fraction and offset.
#[must_use]
pub fn rfc3339(value: &str) -> Option<u64> {
    let (date, time) = value.split_once(['T', 't'])?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let offset = time.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = time.split_at(offset);
    let at_ms = days(year, month, day)? * 86_400_000 + time_of_day(clock)?;
    let shift = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        Some(hours.parse::<u64>().ok()? * 3_600_000 + minutes.parse::<u64>().ok()? * 60_000)
    };
    match zone.as_bytes()[0] {
        b'+' => at_ms.checked_sub(shift(&zone[1..])?),
        b'-' => Some(at_ms + shift(&zone[1..])?),
        _ => (zone.len() == 1).then_some(at_ms),
    }
}

/// Milliseconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(value: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = value.split_once(", ")?.1.split(' ');
    let day = parts.next()?.parse().ok()?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year = parts.next()?.parse().ok()?;
    Some(days(year, month, day)? * 86_400_000 + time_of_day(parts.next()?)?)
}

fn time_of_day(clock: &str) -> Option<u64> {
    let mut parts = clock.splitn(3, ':');
    let hours = decimal(parts.next()?, 3_600_000)?;
    let minutes = decimal(parts.next()?, 60_000)?;
    let seconds = decimal(parts.next()?, 1000)?;
    (hours < 86_400_000 && minutes < 3_600_000 && seconds <= 60_999)
        .then_some(hours + minutes + seconds)
}

/// Days since 1970-01-01 of a date of the years 1970 to 9999.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years counted from March, so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    let of_era = year * 365 + year / 4 - year / 100 + year / 400 + of_year;
    // Days from 0000-03-01 to 1970-01-01.
    Some(of_era - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: u64 = 1_759_845_400_000;

    #[test]
    fn every_recorded_form_is_understood() {
        let cases = [
            ("0", 0),
            ("34", 34_000),
            ("13.779824495315552", 13_780),
            ("3501.912966489792", 3_501_913),
            ("6ms", 6),
            ("0s", 0),
            ("1.2s", 1_200),
            ("10.332999999s", 10_333),
            ("1h27m50.4s", 5_270_400),
            ("114h18m0s", WAIT_MS_MAX),
            ("0s, req_b176c7aa266e48aa8eff647b6b309bb8", 0),
            ("1759845420000", 20_000),
            ("1759845420", 20_000),
            ("1684403260", 0),
            ("2025-10-07T13:57:00Z", 20_000),
            ("2025-10-07T15:57:00.5+02:00", 20_500),
            ("2025-10-07T12:57:00-01:00", 20_000),
            ("Tue, 07 Oct 2025 13:57:00 GMT", 20_000),
            (" 5 ", 5_000),
        ];
        for (value, expected) in cases {
            assert_eq!(parse(value, NOW_MS), Some(expected), "{value}");
        }
    }

    #[test]
    fn nonsense_is_no_wait() {
        for value in [
            "",
            "soon",
            "-1",
            "1x",
            "1.2.3",
            "ms",
            "12:00",
            "2025-13-01T00:00:00Z",
            "99999999999999999999",
        ] {
            assert_eq!(parse(value, NOW_MS), None, "{value}");
        }
    }

    #[test]
    fn retry_after_is_believed_before_the_resets() {
        let headers = |given: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                given.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            }
        };
        let both = headers(&[
            ("retry-after", "2"),
            ("retry-after-ms", "1500"),
            ("x-ratelimit-reset-tokens", "1s"),
        ]);
        assert_eq!(from_headers(&both, NOW_MS), Some(1_500));
        let resets =
            headers(&[("x-ratelimit-reset-requests", "1h"), ("x-ratelimit-reset-tokens", "350ms")]);
        assert_eq!(from_headers(&resets, NOW_MS), Some(350));
        assert_eq!(from_headers(&headers(&[]), NOW_MS), None);
    }

    #[test]
    fn waits_named_in_bodies_are_found() {
        let cases: [(&[u8], Option<u64>); 6] = [
            (br#"{"retryDelay": "34.4s"}"#, Some(34_400)),
            (br#"{"message":"Please try again in 6.780999999s. Visit"}"#, Some(6_781)),
            (br#"{"message":"Please try again in 114h18m0s. Visit"}"#, Some(WAIT_MS_MAX)),
            (br#"{"message":"Please retry after 30 seconds."}"#, Some(30_000)),
            (br#"{"message":"try again in a while"}"#, None),
            (b"\xff", None),
        ];
        for (body, expected) in cases {
            assert_eq!(from_body(body), expected, "{}", String::from_utf8_lossy(body));
        }
    }
}
