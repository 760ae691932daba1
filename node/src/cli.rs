//! The command line: `bursar serve`, and everything an operator does without writing HTTP by hand.
//!
//! Exit codes: 0 done, 1 failed, 2 bad usage.

mod aliases;
mod audit;
mod budgets;
mod client;
mod cluster;
mod config;
pub mod dev;
mod doctor;
mod drain;
pub mod health;
mod init;
mod keys;
mod model_price;
mod models;
mod out;
mod paper;
mod profiles;
mod providers;
mod resource;
mod scopes;
mod selectors;
mod serve;
pub mod simulate;
mod status;
mod usage;
mod webhooks;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// A clustered AI gateway whose budgets cannot be overspent.
#[derive(Debug, Parser)]
#[command(
    name = "bursar",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  bursar dev                              a cluster on this machine, with a provider and a key that work
  bursar init --dir cluster --nodes 3     configuration and secrets for three nodes
  bursar serve --config bursar.yaml       one node
  bursar keys create app --budget-usd 10 --budget-window month

Commands that talk to a node find it by --url and --token, or BURSAR_ADMIN_URL and BURSAR_ADMIN_TOKEN."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Dev(dev::Dev),
    Init(init::Init),
    Status(status::Status),
    Doctor(doctor::Doctor),
    Keys(keys::Keys),
    Budgets(budgets::Budgets),
    Customers(scopes::Customers),
    Teams(scopes::Teams),
    Users(scopes::Users),
    Selectors(selectors::Selectors),
    Profiles(profiles::Profiles),
    Usage(usage::Usage),
    Audit(audit::Audit),
    Webhooks(webhooks::Webhooks),
    Providers(providers::Providers),
    Aliases(aliases::Aliases),
    Models(models::Models),
    Cluster(cluster::Cluster),
    Drain(drain::Drain),
    Config(config::Config),
    Simulate(simulate::Simulate),
    Health(health::Health),
    Completions(paper::Completions),
    Man(paper::Man),
    /// Prints the OpenAPI description of the admin API.
    #[command(hide = true)]
    Openapi,
}

/// Runs the program with the process' own arguments.
pub fn main() -> ExitCode {
    if let Err(error) = dev::die_with_parent() {
        out::complain(&format!("error: {error}"));
        return ExitCode::FAILURE;
    }
    // Ends the process with code 2 where the arguments are wrong, and with 0 after --help.
    let cli = Cli::parse();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out::complain(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve(command) => command.run(),
        Command::Dev(command) => command.run(),
        Command::Init(command) => command.run(),
        Command::Status(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Budgets(command) => command.run(),
        Command::Customers(command) => command.run(),
        Command::Teams(command) => command.run(),
        Command::Users(command) => command.run(),
        Command::Selectors(command) => command.run(),
        Command::Profiles(command) => command.run(),
        Command::Usage(command) => command.run(),
        Command::Audit(command) => command.run(),
        Command::Webhooks(command) => command.run(),
        Command::Providers(command) => command.run(),
        Command::Aliases(command) => command.run(),
        Command::Models(command) => command.run(),
        Command::Cluster(command) => command.run(),
        Command::Drain(command) => command.run(),
        Command::Config(command) => command.run(),
        Command::Simulate(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Completions(command) => command.run(),
        Command::Man(command) => command.run(),
        Command::Openapi => out::text(&api::admin::openapi()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        let cli = Cli::command();
        for command in cli.get_subcommands().filter(|command| !command.is_hide_set()) {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Example"), "{}", command.get_name());
        }
    }
}
