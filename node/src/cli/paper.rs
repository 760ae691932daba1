//! `bursar completions` and `bursar man`: made from the commands themselves.

use super::out;
use clap::CommandFactory;
use clap_complete::Shell;

/// Prints what a shell needs to complete commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar completions bash > /etc/bash_completion.d/bursar
  bursar completions zsh > \"${fpath[1]}/_bursar\"
  bursar completions fish > ~/.config/fish/completions/bursar.fish")]
pub(super) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::Cli::command(), "bursar", &mut text);
        out::text(&String::from_utf8(text)?)
    }
}

/// Prints the manual page of the program, or of one of its commands.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  bursar man | man -l -
  bursar man budgets > bursar-budgets.1")]
pub(super) struct Man {
    /// Of which command.
    command: Option<String>,
}

impl Man {
    pub(super) fn run(self) -> anyhow::Result<()> {
        let mut program = super::Cli::command();
        program.build();
        let command = match &self.command {
            None => Some(&program),
            Some(name) => program.find_subcommand(name),
        };
        let command = command.ok_or_else(|| anyhow::anyhow!("there is no such command"))?;
        let mut text = Vec::new();
        clap_mangen::Man::new(command.clone()).render(&mut text)?;
        out::text(&String::from_utf8(text)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shell_completes_and_every_command_has_a_page() {
        let mut program = super::super::Cli::command();
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut program, "bursar", &mut text);
            assert!(String::from_utf8(text).unwrap().contains("budgets"), "{shell}");
        }
        program.build();
        for command in program.get_subcommands() {
            let mut text = Vec::new();
            clap_mangen::Man::new(command.clone()).render(&mut text).unwrap();
            assert!(String::from_utf8(text).unwrap().contains("SYNOPSIS"));
        }
    }
}
