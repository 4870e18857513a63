//! `ca root`: the next certificate of a root, and a root that follows another.

use clap::{Args, Subcommand};

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::output::Report;

mod renew;
mod rotate;

pub use renew::RootRenewJson;
pub use rotate::{RotateFinishJson, RotateStartJson, RotateStatusJson};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Issue the next certificate of a root for the same key; what it issued stays valid
    Renew(Box<renew::Arguments>),
    /// Replace a root with a new one that has a new key, step by step
    Rotate(Box<rotate::Arguments>),
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match arguments.action {
        Action::Renew(arguments) => renew::run(*arguments, context),
        Action::Rotate(arguments) => rotate::run(*arguments, context),
    }
}
