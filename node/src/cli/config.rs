//! `bursar config`: checks a configuration file, and says what may be in it.

use super::out;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Checks a configuration file, and prints the JSON Schema of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bursar config validate bursar.yaml
  bursar config schema > bursar.schema.json

With `# yaml-language-server: $schema=bursar.schema.json` in its first line, editors check the file as it is written.")]
pub(super) struct Config {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Checks a file, references and all, and says everything that is wrong with it.
    Validate {
        /// The file.
        #[arg(default_value = "bursar.yaml", env = "BURSAR_CONFIG")]
        file: PathBuf,
    },
    /// Prints the JSON Schema.
    Schema,
}

impl Config {
    pub(super) fn run(self) -> anyhow::Result<()> {
        match self.action {
            Action::Validate { file } => {
                crate::config::Config::load(Some(&file), |_| ())?;
                out::line(&format!("{}: ok", file.display()))
            }
            Action::Schema => out::text(&crate::config::schema()),
        }
    }
}
