//! A node's wall clock, where libfaketime stands in front of it: it jumps and drifts as a file says.
//! The monotonic clock is left alone, as a step of NTP would.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::process::Command;

/// Where Debian and its like keep the library.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
];

/// How a clock is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// Seconds ahead of the right time; negative: behind it.
    pub ahead_s: i64,
    /// How much faster it goes, in thousandths.
    pub faster_permille: i64,
}

pub(super) struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    /// A right clock, told by this file.
    pub(super) fn new(file: &Path) -> Result<Clock> {
        let library = library().context("there is no libfaketime: install the package faketime")?;
        let clock = Clock { library, file: file.to_owned() };
        clock.set(Wrong::default())?;
        Ok(clock)
    }

    /// Has a process live by this clock. It looks at the file once a second.
    pub(super) fn give(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_CACHE_DURATION", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1");
    }

    /// Makes the clock wrong, or right again.
    pub(super) fn set(&self, wrong: Wrong) -> Result<()> {
        let Wrong { ahead_s, faster_permille } = wrong;
        let rate = 1_000 + faster_permille;
        let drift = match faster_permille {
            0 => String::new(),
            _ => format!(" x{}.{:03}", rate / 1_000, rate % 1_000),
        };
        // In one step, so that no half of it is ever read.
        let draft = self.file.with_extension("draft");
        std::fs::write(&draft, format!("{ahead_s:+}{drift}\n"))?;
        Ok(std::fs::rename(&draft, &self.file)?)
    }
}

/// The library, where it is installed.
pub fn library() -> Option<PathBuf> {
    LIBRARIES.iter().map(PathBuf::from).find(|path| path.exists())
}
