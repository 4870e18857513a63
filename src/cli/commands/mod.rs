//! One file per subcommand, named as it is typed. Each asks, acts and returns a report.

use clap::Subcommand;

use super::output::Report;
use super::{Context, Failure};

mod completions;
mod explain;
mod handshake_test;
mod init;
mod inspect;
mod issue;
mod lint;
mod list;
mod man;
mod quickstart;
mod rekey;
mod renew;
mod show;
mod verify;

/// The subcommands, in the order in which `ca --help` lists them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do the whole job on a fresh folder: make a CA, issue, verify, and prove it in a handshake
    Quickstart(quickstart::Arguments),
    /// Make a new CA: a self-signed root, its directory and its index
    Init(init::Arguments),
    /// Make a key and a certificate from a template
    Issue(issue::Arguments),
    /// Issue the next certificate of a name for the same key
    Renew(renew::Arguments),
    /// Issue the next certificate of a name for a new key
    Rekey(rekey::Arguments),
    /// Prove certificates in a real mutual TLS handshake, and that the wrong ones are refused
    HandshakeTest(handshake_test::Arguments),
    /// List the certificates that this CA has issued
    List(list::Arguments),
    /// Show one certificate of this CA: what it says, where it is, and its history
    Show(show::Arguments),
    /// Show what a certificate, signing request, revocation list or key file says
    Inspect(inspect::Arguments),
    /// Judge whether a certificate chain holds, and explain a no
    Verify(Box<verify::Arguments>),
    /// Check the form of certificates against named rules
    Lint(lint::Arguments),
    /// Explain a code of verify or lint: the rule, its source, the cure
    Explain(explain::Arguments),
    /// Print the completion script of a shell
    Completions(completions::Arguments),
    /// Write the manual pages of every subcommand into a folder
    Man(man::Arguments),
}

/// Runs one subcommand.
pub fn run(command: Command, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match command {
        Command::Quickstart(arguments) => quickstart::run(arguments, context),
        Command::Init(arguments) => init::run(arguments, context),
        Command::Issue(arguments) => issue::run(arguments, context),
        Command::Renew(arguments) => renew::run(arguments, context),
        Command::Rekey(arguments) => rekey::run(arguments, context),
        Command::HandshakeTest(arguments) => handshake_test::run(&arguments, context),
        Command::List(arguments) => list::run(arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Inspect(arguments) => inspect::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context),
        Command::Lint(arguments) => lint::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, context),
    }
}
