//! The head of a part: what it is called, and whether it is a file.

use super::Part;

/// Reads a head, without the empty line behind it.
pub(super) fn read(head: &[u8]) -> Result<Part, &'static str> {
    let head = std::str::from_utf8(head).map_err(|_| "the head of a part is not UTF-8")?;
    let mut part = Part::default();
    let mut named = false;
    for line in head.split("\r\n") {
        if line.contains(['\r', '\n', '\0']) {
            return Err("a line of a part's head does not end in CRLF");
        }
        // Also refuses lines that go on from the one before: they begin with a space.
        let (name, value) = line.split_once(':').ok_or("expected a header in a part's head")?;
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err("expected the name of a header in a part's head");
        }
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-disposition") {
            if std::mem::replace(&mut named, true) {
                return Err("a part has two dispositions");
            }
            (part.name, part.file) = disposition(value)?;
        } else if name.eq_ignore_ascii_case("content-type") {
            part.kind = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("content-transfer-encoding") {
            let plain = ["binary", "8bit", "7bit"];
            part.encoded = !plain.iter().any(|plain| value.eq_ignore_ascii_case(plain));
        }
    }
    if named { Ok(part) } else { Err("a part has no disposition") }
}

/// Name, and file name, of `form-data; name="..."`.
fn disposition(value: &str) -> Result<(String, Option<String>), &'static str> {
    let (kind, rest) = value.split_once(';').unwrap_or((value, ""));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err("a part is no form data");
    }
    let (mut name, mut file) = (None, None);
    for (key, value) in parameters(rest)? {
        let place = match key.to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut file,
            "name*" => return Err("a part has a name in another encoding"),
            // The same name once more, in an encoding that says so.
            "filename*" => {
                file.get_or_insert(value);
                continue;
            }
            _ => continue,
        };
        if place.replace(value).is_some() {
            return Err("a part has two names");
        }
    }
    Ok((name.ok_or("a part has no name")?, file))
}

/// `a=b; c="d"`: names and values.
pub(super) fn parameters(text: &str) -> Result<Vec<(&str, String)>, &'static str> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, value) = rest.split_once('=').ok_or("expected a parameter with a value")?;
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => {
                let (value, behind) = quoted.split_once('"').ok_or("a quote is left open")?;
                // Some readers take a backslash before a quote for part of the value, some do not.
                if value.ends_with('\\') {
                    return Err("a quote stands behind a backslash");
                }
                (value, behind)
            }
            None => {
                let end = value.find(';').unwrap_or(value.len());
                let (plain, behind) = value.split_at(end);
                (plain.trim_end(), behind)
            }
        };
        found.push((name.trim(), value.to_owned()));
        let behind = behind.trim_start();
        rest = match behind.strip_prefix(';') {
            Some(next) => next.trim(),
            None if behind.is_empty() => "",
            None => return Err("expected ';' behind a parameter"),
        };
    }
    Ok(found)
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
