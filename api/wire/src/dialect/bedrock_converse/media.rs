//! Formats by name here, media types elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Pictures.
pub(super) const IMAGES: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    // A common misnomer, read only.
    ("jpeg", "image/jpg"),
];

/// Files to be read. The first of two with one name is what it means.
pub(super) const DOCUMENTS: &[(&str, &str)] = &[
    ("pdf", "application/pdf"),
    ("csv", "text/csv"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("html", "text/html"),
    ("txt", "text/plain"),
    ("md", "text/markdown"),
];

/// Moving pictures.
pub(super) const VIDEOS: &[(&str, &str)] = &[
    ("mp4", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mkv", "video/x-matroska"),
    ("webm", "video/webm"),
    ("flv", "video/x-flv"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpg"),
    ("wmv", "video/x-ms-wmv"),
    ("three_gp", "video/3gpp"),
];

/// Sound.
pub(super) const SOUNDS: &[(&str, &str)] = &[
    ("mp3", "audio/mp3"),
    ("mp3", "audio/mpeg"),
    ("wav", "audio/wav"),
    ("wav", "audio/x-wav"),
    ("flac", "audio/flac"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/opus"),
    ("aac", "audio/aac"),
    ("m4a", "audio/m4a"),
    ("mp4", "audio/mp4"),
    ("webm", "audio/webm"),
    ("pcm", "audio/pcm"),
];

/// The media type of a format.
pub(super) fn media_type(known: &[(&str, &'static str)], format: &str) -> Option<&'static str> {
    known.iter().find(|(name, _)| *name == format).map(|(_, kind)| *kind)
}

/// The format of a media type, which may have parameters behind it.
pub(super) fn format(known: &[(&'static str, &str)], media_type: &str) -> Option<&'static str> {
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    known.iter().find(|(_, kind)| kind.eq_ignore_ascii_case(plain)).map(|(name, _)| *name)
}

/// The text that base64 stands for, where it is one.
pub(super) fn decoded_text(data: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(data).ok()?).ok()
}

/// Base64 of a text.
pub(super) fn encoded(text: &str) -> String {
    STANDARD.encode(text)
}
