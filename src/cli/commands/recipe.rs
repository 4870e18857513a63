//! `ca recipe`: the programs that `ca export --target` knows.

pub mod check;
pub mod list;
pub mod show;

use clap::{Args, Subcommand};

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::output::Report;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the recipes: built-in ones, those of the site, and which of them replaces which
    List(list::Arguments),
    /// Show the text of a recipe and where it is
    Show(show::Arguments),
    /// Check a recipe: every problem with its line and column
    Check(check::Arguments),
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match &arguments.action {
        Action::List(arguments) => list::run(arguments, context),
        Action::Show(arguments) => show::run(arguments, context),
        Action::Check(arguments) => check::run(arguments, context),
    }
}
