//! One file per subcommand, named as it is typed. Each asks, acts and returns a report.

use std::ffi::OsString;

use clap::Parser;

use super::command_line::{Command, CommandLine};
use super::options::globals::Globals;
use super::parse_failure::parse_failure;
use super::reports::dry_run::DryRunReport;
use crate::app::clock;
use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::store::approval::Declined;

pub mod apply;
pub mod audit;
pub mod backup;
pub mod completions;
pub mod crl;
pub mod due;
pub mod explain;
pub mod export;
pub mod handshake;
pub mod help;
pub mod history;
pub mod import;
pub mod index;
pub mod init;
pub mod inspect;
pub mod intermediate;
pub mod issue;
pub mod key;
pub mod lint;
pub mod list;
pub mod log;
pub mod man;
pub mod quickstart;
pub mod recipe;
pub mod rekey;
pub mod renew;
pub mod request;
pub mod restore;
pub mod revoke;
pub mod rollback;
pub mod root;
pub mod roots;
pub mod schema;
pub mod settings;
pub mod show;
pub mod sign;
pub mod status;
pub mod template;
pub mod tree;
pub mod trust;
pub mod verify;
pub mod version;

/// Runs a command line that another command typed; `quiet` is its `--quiet`.
fn run_words(words: &[String], quiet: bool, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let line =
        CommandLine::try_parse_from(words.iter().map(OsString::from)).map_err(|error| parse_failure(&error, "ca"))?;
    let globals = Globals { quiet, ..line.globals };
    let mut its_own = globals.context(context.world)?;
    let result = run(line.command, &mut its_own);
    let warnings = its_own.warnings.take();
    context.warnings.borrow_mut().extend(warnings);
    result
}

/// Runs one subcommand. One that changes the CA warns when the clock is behind the index.
pub fn run(command: Command, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    context.newest_event = (!only_reads(&command)).then(Default::default);
    let result = carry_out(command, context);
    context.erase_progress();
    let result = match result {
        Err(failure) if failure.code == Declined::DRY_RUN => {
            Ok(Box::new(DryRunReport { changes: context.changes.planned.take() }) as Box<dyn Report>)
        }
        result => result,
    };
    if let Some(warning) = clock::warning(context) {
        context.warn_at_end(warning);
    }
    result
}

fn only_reads(command: &Command) -> bool {
    use Command::{
        Audit, Completions, Due, Explain, Export, Help, History, Inspect, Lint, List, Log, Man, Recipe, Roots,
        Settings, Show, Status, Template, Tree, Verify, Version,
    };
    matches!(
        command,
        Audit(_)
            | Completions(_)
            | Due(_)
            | Explain(_)
            | Export(_)
            | Help(_)
            | History(_)
            | Inspect(_)
            | Lint(_)
            | List(_)
            | Log(_)
            | Man(_)
            | Recipe(_)
            | Roots(_)
            | Settings(_)
            | Show(_)
            | Status(_)
            | Template(_)
            | Tree(_)
            | Verify(_)
            | Version(_)
    )
}

fn carry_out(command: Command, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match command {
        Command::Quickstart(arguments) => quickstart::run(*arguments, &run_words, context),
        Command::Index(arguments) => index::run(*arguments, context),
        Command::Init(arguments) => init::run(*arguments, context),
        Command::Import(arguments) => import::run(*arguments, context),
        Command::Apply(arguments) => apply::run(&arguments, context),
        Command::Issue(arguments) => issue::run(*arguments, context),
        Command::Request(arguments) => request::run(*arguments, context),
        Command::Sign(arguments) => sign::run(*arguments, context),
        Command::Renew(arguments) => renew::run(*arguments, context),
        Command::Rekey(arguments) => rekey::run(*arguments, context),
        Command::Status(arguments) => status::run(&arguments, context),
        Command::Template(arguments) => template::run(*arguments, context),
        Command::Trust(arguments) => trust::run(&arguments, context),
        Command::Settings(arguments) => settings::run(&arguments, context),
        Command::Tree(arguments) => tree::run(&arguments, context),
        Command::Due(arguments) => due::run(&arguments, context),
        Command::Rollback(arguments) => rollback::run(*arguments, context),
        Command::History(arguments) => history::run(&arguments, context),
        Command::Revoke(arguments) => revoke::run(*arguments, context),
        Command::Crl(arguments) => crl::run(*arguments, context),
        Command::Intermediate(arguments) => intermediate::run(*arguments, context),
        Command::Root(arguments) => root::run(*arguments, context),
        Command::Roots(arguments) => roots::run(&arguments, context),
        Command::Recipe(arguments) => recipe::run(&arguments, context),
        Command::Export(arguments) => export::run(&arguments, context),
        Command::Key(arguments) => key::run(*arguments, context),
        Command::Audit(arguments) => audit::run(&arguments, context),
        Command::Log(arguments) => log::run(&arguments, context),
        Command::Backup(arguments) => backup::run(*arguments, context),
        Command::Restore(arguments) => restore::run(&arguments, context),
        Command::HandshakeTest(arguments) => handshake::run(&arguments, context),
        Command::List(arguments) => list::run(*arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Inspect(arguments) => inspect::run(&arguments, context),
        Command::Verify(arguments) => verify::run(*arguments, context),
        Command::Lint(arguments) => lint::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Help(arguments) => help::run(*arguments, CommandLine::for_help()),
        Command::Version(arguments) => version::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, context),
        Command::Man(arguments) => man::run(&arguments, &CommandLine::whole(), context),
    }
}

#[cfg(test)]
mod change_tests;
