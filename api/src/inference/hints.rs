//! What a caller says of a request beside the body: tags, for reports and budgets, and its session.

use crate::refusal::Reason;
use http::HeaderMap;
use http::header::HeaderValue;
use wire::Refusal;

/// Most tags of one request, those of its key included.
pub const TAGS_MAX: usize = 16;
/// Longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 128;
/// Longest name of a session, in bytes.
pub const SESSION_BYTES_MAX: usize = 128;

/// Lists of tags, divided by commas.
const TAGS: [&str; 2] = ["x-bursar-tags", "x-litellm-tags"];
/// `x-bf-dim-team: ml` is the tag `team=ml`.
const DIMENSION: &str = "x-bf-dim-";
/// Names of a session, the first one that is given wins.
const SESSIONS: [&str; 6] = [
    "x-bursar-session",
    "x-bf-session-id",
    "session-id",
    "session_id",
    "x-session-affinity",
    "x-claude-code-session-id",
];
/// So many of them are given on purpose: what cannot be a session is refused. The others coding agents
/// send with each request, whoever they talk to: taken where they can be one.
const ON_PURPOSE: usize = 2;

/// Tags and session of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hints {
    /// Tags, sorted, each once.
    pub tags: Vec<String>,
    /// The session, or run, the request belongs to. Whether it means anything is for the key to say.
    pub session: Option<String>,
}

impl Hints {
    /// Reads the headers; nothing is allocated where none of ours is among them.
    ///
    /// # Errors
    ///
    /// 400 for tags or a session that are too long, too many or not printable.
    pub fn read(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut hints = Self::default();
        // Of several names of the session, the place in the list of the one that was taken.
        let mut best = SESSIONS.len();
        for (name, value) in headers {
            let name = name.as_str();
            if !name.starts_with(['x', 's']) {
                continue;
            }
            if TAGS.contains(&name) {
                for tag in text(name, value)?.split(',') {
                    hints.add(name, tag.trim().to_owned())?;
                }
            } else if let Some(dimension) = name.strip_prefix(DIMENSION) {
                let tag = format!("{dimension}={}", text(name, value)?.trim());
                hints.add(name, tag)?;
            } else if let Some(at) = SESSIONS.iter().position(|known| *known == name)
                && let Some(session) = session(at, value)?.filter(|_| at < best)
            {
                best = at;
                hints.session = Some(session.to_owned());
            }
        }
        hints.tags.sort_unstable();
        hints.tags.dedup();
        Ok(hints)
    }

    fn add(&mut self, header: &str, tag: String) -> Result<(), Refusal> {
        if tag.is_empty() {
            return Ok(());
        }
        if tag.len() > TAG_BYTES_MAX {
            let had = tag.len();
            return Err(invalid(format!(
                "{header} has a tag of {had} bytes; at most {TAG_BYTES_MAX} are taken"
            )));
        }
        if self.tags.len() == TAGS_MAX {
            return Err(invalid(format!(
                "the request has more than {TAGS_MAX} tags; leave some out of {header}"
            )));
        }
        self.tags.push(tag);
        Ok(())
    }
}

/// The session that the header at this place of the list names, if any.
fn session(at: usize, value: &HeaderValue) -> Result<Option<&str>, Refusal> {
    let name = SESSIONS[at];
    let session = match value.to_str() {
        Ok(session) => session.trim(),
        Err(_) if at >= ON_PURPOSE => return Ok(None),
        Err(_) => text(name, value)?,
    };
    if session.len() <= SESSION_BYTES_MAX {
        return Ok((!session.is_empty()).then_some(session));
    }
    if at >= ON_PURPOSE {
        return Ok(None);
    }
    let had = session.len();
    Err(invalid(format!("{name} has {had} bytes; at most {SESSION_BYTES_MAX} are taken")))
}

fn text<'a>(name: &str, value: &'a HeaderValue) -> Result<&'a str, Refusal> {
    value.to_str().map_err(|_| {
        invalid(format!("{name} holds something that is not printable ASCII; leave it out"))
    })
}

fn invalid(say: String) -> Refusal {
    Reason::InvalidHeader.refuse(say)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderName;

    fn read(pairs: &[(&'static str, &str)]) -> Result<Hints, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        Hints::read(&headers)
    }

    #[test]
    fn tags_of_all_headers_are_one_sorted_set() {
        let hints = read(&[
            ("x-litellm-tags", "b, a,"),
            ("x-bf-dim-team", "ml"),
            ("x-bursar-tags", "a,c"),
            ("accept", "x"),
        ]);
        assert_eq!(hints.unwrap().tags, ["a", "b", "c", "team=ml"]);
        assert_eq!(read(&[("accept", "x")]).unwrap(), Hints::default());
    }

    #[test]
    fn a_session_named_on_purpose_goes_before_a_hint() {
        let both = read(&[("session-id", "hint"), ("x-bf-session-id", "mine")]).unwrap();
        assert_eq!(both.session.as_deref(), Some("mine"));
        let hint = read(&[("session_id", "hint"), ("x-bursar-session", " ")]).unwrap();
        assert_eq!(hint.session.as_deref(), Some("hint"));
    }

    #[test]
    fn what_is_too_much_is_refused_and_a_hint_that_is_too_long_is_none() {
        let long = "x".repeat(SESSION_BYTES_MAX + 1);
        let many = (0..=TAGS_MAX).map(|tag| format!("t{tag}")).collect::<Vec<_>>().join(",");
        let cases: [&[(&'static str, &str)]; 4] = [
            &[("x-bursar-session", &long)],
            &[("x-bf-dim-a", &long)],
            &[("x-bursar-tags", &many)],
            &[("x-litellm-tags", "caf\u{e9}")],
        ];
        for headers in cases {
            let refused = read(headers).unwrap_err();
            assert_eq!((refused.status, refused.code), (400, "invalid_headers"), "{headers:?}");
            assert!(refused.say.contains(headers[0].0), "{}", refused.say);
        }
        assert_eq!(read(&[("session-id", &long)]).unwrap(), Hints::default());
    }
}
