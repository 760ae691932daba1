//! Where a medium is: here, in base64, or in a bucket.

use crate::chat::Source;
use crate::json::Fields;

/// Takes the bytes of a medium out. A place in a bucket is read and stays where it is: its owner may
/// stand beside it.
pub(super) fn source(inner: &mut Fields<'_>, media_type: &str) -> Option<Source> {
    let bytes = inner.take("source", |value| {
        let mut given = Fields::read(value).ok()?;
        let data = given.text("bytes")?;
        given.is_empty().then_some(data)
    });
    if let Some(data) = bytes {
        return Some(Source::Base64 { media_type: media_type.to_owned(), data });
    }
    let mut given = Fields::read(inner.get("source")?).ok()?;
    Some(Source::Url(given.object("s3Location")?.text("uri")?))
}
