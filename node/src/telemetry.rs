//! Logs: structured, to standard error, without secrets and bodies.

use std::io::{IsTerminal, Write};
use tracing_subscriber::EnvFilter;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// Whether `filter` can be understood.
///
/// # Errors
///
/// What cannot, in words.
pub fn check(filter: &str) -> Result<(), String> {
    EnvFilter::try_new(filter).map(drop).map_err(|error| error.to_string())
}

/// Starts logging, once per process; later calls change nothing.
///
/// `filter` is a list of `target=level`, e.g. `info` or `info,bursar::request=warn`; what is not
/// understood counts as `info`.
pub fn start(filter: &str, format: Format) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start, in tests, finds logging in place: nothing to do.
    let _ = match format {
        Format::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .try_init(),
        Format::Text => builder
            .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
            .try_init(),
    };
}

/// Writes whole lines where the log goes, in one piece. What cannot be written is lost: there is no
/// other place to say so.
pub(crate) fn write_lines(lines: &[u8]) {
    let _ = std::io::stderr().lock().write_all(lines);
}
