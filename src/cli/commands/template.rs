//! `ca template`: the templates of a CA, and a workshop for one's own.

pub mod check;
pub mod list;
pub mod new;
pub mod show;
pub mod trial;

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
    /// List the templates: built-in ones, those of the site, and which of them replaces which
    List(list::Arguments),
    /// Show the text of a template and where it is
    Show(show::Arguments),
    /// Write a commented template into the folder of the site
    New(new::Arguments),
    /// Check a template: every problem with its line and column
    Check(check::Arguments),
    /// Show the certificates that a template would make, without a signature and without a change
    Try(Box<trial::Arguments>),
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match arguments.action {
        Action::List(arguments) => list::run(&arguments, context),
        Action::Show(arguments) => show::run(&arguments, context),
        Action::New(arguments) => new::run(arguments, context),
        Action::Check(arguments) => check::run(&arguments, context),
        Action::Try(arguments) => trial::run(*arguments, context),
    }
}
