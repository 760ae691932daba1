//! How the simulated provider answers: well, or badly in a chosen way.

use serde_json::Value;

/// A way to answer. Every field left out is as usual.
///
/// Written `name=value,name,...` in the header `x-sim` or between `sim{` and `}` anywhere in the prompt
/// (which reaches the provider through any gateway), or as a JSON object to `POST /_sim/behave`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Behaviour {
    /// Wait before the head of the answer.
    pub latency_ms: Option<u64>,
    /// Wait between the head and the first byte of the body.
    pub first_byte_ms: Option<u64>,
    /// Pace of a stream. Unset: as fast as it is read.
    pub tokens_per_second: Option<u64>,
    /// Refuse with this status, 400 to 599.
    pub status: Option<u16>,
    /// `retry-after` of a refusal, in seconds.
    pub retry_after_s: Option<u64>,
    /// Cut the connection after so many chunks; a plain answer is cut in its middle, whatever the number.
    pub cut_after: Option<u64>,
    /// Length of the answer, in place of the usual. The caller's limit still holds.
    pub output_tokens: Option<u64>,
    /// Send one line, or one string, of so many bytes.
    pub huge_line_bytes: Option<u64>,
    /// Accept, bill the input, and never answer.
    pub hang: bool,
    /// Answer with bytes that are no JSON.
    pub garbage: bool,
    /// Leave `usage` out.
    pub no_usage: bool,
    /// Stream for ever, whatever the caller's limit.
    pub endless: bool,
}

/// How to answer from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The way.
    pub behaviour: Behaviour,
    /// For how many requests. `None`: until told otherwise.
    pub times: Option<u64>,
}

impl Behaviour {
    /// Reads `name=value,name,...`. A name without a value is a switch.
    pub fn parse(text: &str) -> Result<Behaviour, String> {
        let mut behaviour = Behaviour::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').unwrap_or((part, "1"));
            let number =
                value.trim().parse().map_err(|_| format!("{name}: `{value}` is no number"))?;
            behaviour.set(name.trim(), number)?;
        }
        Ok(behaviour)
    }

    /// This way, and where it says nothing, the other.
    pub fn or(self, other: &Behaviour) -> Behaviour {
        Behaviour {
            latency_ms: self.latency_ms.or(other.latency_ms),
            first_byte_ms: self.first_byte_ms.or(other.first_byte_ms),
            tokens_per_second: self.tokens_per_second.or(other.tokens_per_second),
            status: self.status.or(other.status),
            retry_after_s: self.retry_after_s.or(other.retry_after_s),
            cut_after: self.cut_after.or(other.cut_after),
            output_tokens: self.output_tokens.or(other.output_tokens),
            huge_line_bytes: self.huge_line_bytes.or(other.huge_line_bytes),
            hang: self.hang || other.hang,
            garbage: self.garbage || other.garbage,
            no_usage: self.no_usage || other.no_usage,
            endless: self.endless || other.endless,
        }
    }

    fn set(&mut self, name: &str, value: u64) -> Result<(), String> {
        match name {
            "latency_ms" => self.latency_ms = Some(value),
            "first_byte_ms" => self.first_byte_ms = Some(value),
            "tokens_per_second" => self.tokens_per_second = Some(value.max(1)),
            "status" if (400..=599).contains(&value) => self.status = u16::try_from(value).ok(),
            "status" => return Err(format!("status: {value} is not within 400..=599")),
            "retry_after_s" => self.retry_after_s = Some(value),
            "cut_after" => self.cut_after = Some(value),
            "output_tokens" => self.output_tokens = Some(value),
            "huge_line_bytes" => self.huge_line_bytes = Some(value),
            "hang" => self.hang = value != 0,
            "garbage" => self.garbage = value != 0,
            "no_usage" => self.no_usage = value != 0,
            "endless" => self.endless = value != 0,
            unknown => return Err(format!("unknown behaviour `{unknown}`")),
        }
        Ok(())
    }
}

impl Standing {
    /// Reads the object of `POST /_sim/behave`: the names of [`Behaviour`], and `times`.
    pub fn from_json(body: &[u8]) -> Result<Standing, String> {
        let fields: serde_json::Map<String, Value> =
            serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let mut standing = Standing::default();
        for (name, value) in &fields {
            let number = match value {
                Value::Bool(on) => u64::from(*on),
                other => {
                    other.as_u64().ok_or_else(|| format!("{name}: {other} is no whole number"))?
                }
            };
            if name == "times" {
                standing.times = Some(number);
            } else {
                standing.behaviour.set(name, number)?;
            }
        }
        Ok(standing)
    }

    /// Takes the behaviour for one request, and one off the number of requests it is meant for.
    pub(super) fn take(&mut self) -> Behaviour {
        match &mut self.times {
            None => self.behaviour.clone(),
            Some(0) => Behaviour::default(),
            Some(left) => {
                *left -= 1;
                self.behaviour.clone()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_names_switches_and_numbers() {
        let behaviour = Behaviour::parse("latency_ms=50, hang").unwrap();
        assert_eq!(
            behaviour,
            Behaviour { latency_ms: Some(50), hang: true, ..Behaviour::default() }
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_and_not_ignored() {
        assert_eq!(Behaviour::parse("latncy_ms=5"), Err("unknown behaviour `latncy_ms`".into()));
        assert!(Behaviour::parse("status=200").is_err());
        assert!(Standing::from_json(br#"{"hang":"yes"}"#).is_err());
    }

    #[test]
    fn a_standing_behaviour_wears_off_after_its_times() {
        let mut standing = Standing::from_json(br#"{"status":500,"times":1}"#).unwrap();
        assert_eq!(standing.take().status, Some(500));
        assert_eq!(standing.take(), Behaviour::default());
    }

    #[test]
    fn the_request_overrides_what_stands() {
        let asked = Behaviour { latency_ms: Some(1), ..Behaviour::default() };
        let standing = Behaviour { latency_ms: Some(9), status: Some(500), ..Behaviour::default() };
        let merged = asked.or(&standing);
        assert_eq!((merged.latency_ms, merged.status), (Some(1), Some(500)));
    }
}
