//! Forms: `multipart/form-data` as spans of the body it came in, so that one value can be replaced while every
//! other byte goes on.
//!
//! Readers of forms disagree on what is sloppy, and what is metered must be what is served. So what could be
//! read in two ways is refused: a boundary inside a value, line ends other than CRLF, a part with two names.

mod head;

use std::ops::Range;

use memchr::memmem;

use crate::json::Malformed;

/// Longest head of a part, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Most parts of a form; the images that may be edited at once are 16.
const PARTS_MAX: usize = 256;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) parts: Vec<Part>,
}

/// One field of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Name of the file, where it is one.
    pub(crate) file: Option<String>,
    /// What the value is said to be, e.g. `audio/wav`.
    pub(crate) kind: Option<String>,
    /// The value is encoded: it is not what its bytes say.
    pub(crate) encoded: bool,
    /// Where the value stands in the body.
    pub(crate) value: Range<usize>,
}

/// The boundary that a content type names; `None` where it is no form, or names none that could be used.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let mut found = None;
    for (name, value) in head::parameters(rest).ok()? {
        if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
            return None;
        }
    }
    // RFC 2046: 1 to 70 characters, none of them a space at the end.
    let printable = |text: &String| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    found.filter(|text| (1..=70).contains(&text.len()) && printable(text) && !text.ends_with(' '))
}

impl Form {
    /// Takes a form apart.
    pub(crate) fn read(body: &[u8], boundary: &str) -> Result<Self, Malformed> {
        let mark = [b"--", boundary.as_bytes()].concat();
        let marks: Vec<usize> = memmem::find_iter(body, &mark).take(PARTS_MAX + 2).collect();
        let wrong = |at, what| Malformed { at, what };
        if marks.first() != Some(&0) {
            return Err(wrong(0, "the body must begin with its boundary"));
        }
        if marks.len() > PARTS_MAX + 1 {
            return Err(wrong(marks[PARTS_MAX + 1], "too many parts"));
        }
        let mut parts = Vec::with_capacity(marks.len() - 1);
        for pair in marks.windows(2) {
            let (begin, end) = (pair[0] + mark.len(), pair[1]);
            if !body[begin..].starts_with(b"\r\n") {
                return Err(wrong(begin, "expected a line end behind the boundary"));
            }
            // Where nothing else does, the line end of the boundary itself stands before the next.
            if end < begin + 4 || !body[..end].ends_with(b"\r\n") {
                return Err(wrong(end, "the boundary stands inside of a value"));
            }
            parts.push(part(body, begin + 2..end - 2)?);
        }
        let last = marks.last().map_or(0, |at| at + mark.len());
        let closed =
            body[last..].strip_prefix(b"--").is_some_and(|rest| rest.trim_ascii().is_empty());
        if closed { Ok(Self { parts }) } else { Err(wrong(last, "expected the end of the form")) }
    }
}

/// One part: its head, an empty line, its value.
fn part(body: &[u8], span: Range<usize>) -> Result<Part, Malformed> {
    let text = &body[span.clone()];
    let head = memmem::find(&text[..text.len().min(HEAD_BYTES_MAX)], b"\r\n\r\n");
    let head = head.ok_or(Malformed { at: span.start, what: "expected the head of a part" })?;
    let part = head::read(&text[..head]).map_err(|what| Malformed { at: span.start, what })?;
    Ok(Part { value: span.start + head + 4..span.end, ..part })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(body: &str) -> Result<Vec<(String, String)>, &'static str> {
        let body = body.replace('\n', "\r\n");
        let form = Form::read(body.as_bytes(), "B").map_err(|malformed| malformed.what)?;
        let value = |part: &Part| body[part.value.clone()].to_owned();
        Ok(form.parts.iter().map(|part| (part.name.clone(), value(part))).collect())
    }

    fn one(head: &str) -> Result<Part, &'static str> {
        let body = format!("--B\r\n{head}\r\n\r\nv\r\n--B--");
        let form = Form::read(body.as_bytes(), "B").map_err(|malformed| malformed.what)?;
        Ok(form.parts[0].clone())
    }

    #[test]
    fn fields_and_files_are_found_where_they_stand() {
        let body = "--B\nContent-Disposition: form-data; name=\"model\"\n\nwhisper-1\n--B\n\
                    Content-Disposition: form-data; name=file; filename=\"a.wav\"\n\
                    Content-Type: audio/wav\n\nRI\nFF\n\n--B\n\
                    content-disposition: form-data; name=\"empty\"\n\n\n--B--\n";
        let found = form(body).unwrap();
        let expected = [("model", "whisper-1"), ("file", "RI\r\nFF\r\n"), ("empty", "")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(form("--B--\n").unwrap(), []);
        let part = one(
            "Content-Disposition: form-data; filename=\"a; name=b\"; name=\"f\"\r\ncontent-type: audio/mpeg",
        );
        let part = part.unwrap();
        assert_eq!((part.name.as_str(), part.file.as_deref()), ("f", Some("a; name=b")));
        assert_eq!((part.kind.as_deref(), part.encoded), (Some("audio/mpeg"), false));
        let encoded = "Content-Disposition: form-data; name=\"m\"\r\nContent-Transfer-Encoding: ";
        assert!(one(&format!("{encoded}base64")).unwrap().encoded);
        assert!(!one(&format!("{encoded}binary")).unwrap().encoded);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let part = "Content-Disposition: form-data; name=\"m\"\n\nv";
        let bodies = [
            String::new(),
            format!("x\n--B\n{part}\n--B--"),
            format!("--B\n{part}\n--B"),
            format!("--B\n{part}\n--B--\n--B\n{part}\n--B--"),
            format!("--B\n{part} --B\n{part}\n--B--"),
            format!("--B \n{part}\n--B--"),
            format!("--Bx\n{part}\n--B--"),
            "--B\nv\n--B--".to_owned(),
            "--B\n--B--".to_owned(),
            "--B\n\n--B--".to_owned(),
        ];
        for body in bodies {
            assert!(form(&body).is_err(), "{body}");
        }
        let heads = [
            "Content-Type: text/plain",
            "Content-Disposition: attachment; name=\"m\"",
            "Content-Disposition: form-data",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"; name*=UTF-8''b",
            "Content-Disposition: form-data; name=\"a\\\"; x=\\\"b\"",
            "Content-Disposition: form-data; name=\"a",
            "Content-Disposition: form-data; name=\"a\"\r\n ; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"\nX: y",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
            "Content-Disposition : form-data; name=\"a\"",
        ];
        for head in heads {
            assert!(one(head).is_err(), "{head}");
        }
        // A mark at the beginning of a line, with another line end.
        let smuggled =
            "--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\nx\n--B\r\nv\r\n--B--";
        assert!(Form::read(smuggled.as_bytes(), "B").is_err());
    }

    #[test]
    fn a_content_type_names_one_boundary() {
        let cases = [
            ("multipart/form-data; boundary=abc", Some("abc")),
            ("Multipart/Form-Data; charset=utf-8; Boundary=\"a b=c\"", Some("a b=c")),
            ("multipart/form-data; boundary=a=b", Some("a=b")),
            ("multipart/form-data", None),
            ("multipart/mixed; boundary=abc", None),
            ("multipart/form-data; boundary=a; boundary=b", None),
            ("multipart/form-data; boundary=", None),
            ("application/json", None),
        ];
        for (content_type, expected) in cases {
            assert_eq!(boundary(content_type).as_deref(), expected, "{content_type}");
        }
    }
}
