//! One file per subcommand, named as it is typed. Each asks, acts and returns a report.

use clap::Subcommand;

use super::output::Report;
use super::{Context, Failure};

mod completions;

/// The subcommands, in the order in which `ca --help` lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the completion script of a shell
    Completions(completions::Arguments),
}

/// Runs one subcommand.
pub fn run(command: Command, _context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match command {
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
