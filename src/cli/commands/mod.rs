//! One file per subcommand, named as it is typed. Each asks, acts and returns a report.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, FromArgMatches, Subcommand};

use super::output::Report;
use super::{Context, Failure};

mod completions;
mod crl;
mod due;
mod explain;
mod handshake_test;
mod history;
mod init;
mod inspect;
mod intermediate;
mod issue;
mod key;
mod lint;
mod list;
mod man;
mod quickstart;
mod rekey;
mod renew;
mod renew_due;
mod request;
mod revoke;
mod rollback;
mod root;
mod roots;
mod show;
mod sign;
mod verify;

/// Declares the subcommands. What clap's derive would write too, but for one thing: the flags of a subcommand are put
/// together when it is typed or asked about, and not at each start of the program, which takes as long as judging a chain.
macro_rules! subcommands {
    ($(#[doc = $about:literal] $name:literal => $variant:ident($arguments:ty),)*) => {
        /// The subcommands, in the order in which `ca --help` lists them.
        #[derive(Debug)]
        pub enum Command {
            $(#[doc = $about] $variant(Box<$arguments>),)*
        }

        impl Subcommand for Command {
            fn augment_subcommands(line: clap::Command) -> clap::Command {
                line$(.subcommand(Self::named($name, $about).defer(flags::<$arguments>)))*
            }

            fn augment_subcommands_for_update(line: clap::Command) -> clap::Command {
                Self::augment_subcommands(line)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),*].contains(&name)
            }
        }

        impl Command {
            /// A command line with the flags of every subcommand in it, for whoever shows them all.
            pub(super) fn with_all_flags(line: clap::Command) -> clap::Command {
                line$(.mut_subcommand($name, |_| flags::<$arguments>(Self::named($name, $about))))*
            }

            /// The subcommand of this name, by itself.
            pub(super) fn named_alone(name: &str) -> Option<clap::Command> {
                match name {
                    $($name => Some(flags::<$arguments>(Self::named($name, $about))),)*
                    _ => None,
                }
            }

            /// A subcommand without its flags.
            fn named(name: &'static str, about: &'static str) -> clap::Command {
                let place = [$($name),*].iter().position(|each| *each == name);
                clap::Command::new(name).about(about.trim_start()).display_order(place)
            }
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
                Self::from_arg_matches_mut(&mut matches.clone())
            }

            fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, clap::Error> {
                match matches.remove_subcommand() {
                    $(Some((name, mut typed)) if name == $name => {
                        <$arguments>::from_arg_matches_mut(&mut typed).map(|typed| Self::$variant(Box::new(typed)))
                    })*
                    _ => Err(clap::Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
                *self = Self::from_arg_matches(matches)?;
                Ok(())
            }
        }
    };
}

subcommands! {
    /// Do the whole job on a fresh folder: make a CA, issue, verify, and prove it in a handshake
    "quickstart" => Quickstart(quickstart::Arguments),
    /// Make a new CA: a self-signed root, its directory and its index
    "init" => Init(init::Arguments),
    /// Make a key and a certificate from a template
    "issue" => Issue(issue::Arguments),
    /// Make a key and a certificate request, for a CA elsewhere
    "request" => Request(request::Arguments),
    /// Make a certificate for a request: key and names are its own, the rest is the template's
    "sign" => Sign(sign::Arguments),
    /// Issue the next certificate of a name for the same key
    "renew" => Renew(renew::Arguments),
    /// Issue the next certificate of a name for a new key
    "rekey" => Rekey(rekey::Arguments),
    /// Show what needs renewal: certificates, authorities and revocation lists
    "due" => Due(due::Arguments),
    /// Put the files of the previous certificate of a name back in place
    "rollback" => Rollback(rollback::Arguments),
    /// Show every certificate of a name, where its files are, and which is in place
    "history" => History(history::Arguments),
    /// Revoke certificates, put them on hold, or release them from it
    "revoke" => Revoke(revoke::Arguments),
    /// Sign the revocation list of an authority, and put it where it is published
    "crl" => Crl(crl::Arguments),
    /// Ask another CA for the certificate of an authority, and install it
    "intermediate" => Intermediate(intermediate::Arguments),
    /// Renew a root, or replace it by a new one
    "root" => Root(root::Arguments),
    /// Write the bundle of CA certificates that clients must trust
    "roots" => Roots(roots::Arguments),
    /// Change, add or remove the passphrase of an authority's key
    "key" => Key(key::Arguments),
    /// Prove certificates in a real mutual TLS handshake, and that the wrong ones are refused
    "handshake-test" => HandshakeTest(handshake_test::Arguments),
    /// List the certificates that this CA has issued
    "list" => List(list::Arguments),
    /// Show one certificate of this CA: what it says, where it is, and its history
    "show" => Show(show::Arguments),
    /// Show what a certificate, signing request, revocation list or key file says
    "inspect" => Inspect(inspect::Arguments),
    /// Judge whether a certificate chain holds, and explain a no
    "verify" => Verify(verify::Arguments),
    /// Check the form of certificates against named rules
    "lint" => Lint(lint::Arguments),
    /// Explain a code of verify or lint: the rule, its source, an example, the cure
    "explain" => Explain(explain::Arguments),
    /// Print the completion script of a shell
    "completions" => Completions(completions::Arguments),
    /// Write the manual pages of every subcommand into a folder
    "man" => Man(man::Arguments),
}

/// Gives a subcommand its flags. Groups of flags have descriptions of their own, which are not the subcommand's.
fn flags<A: Args>(command: clap::Command) -> clap::Command {
    let about = command.get_about().cloned();
    A::augment_args(command).about(about.unwrap_or_default())
}

/// Runs one subcommand.
pub fn run(command: Command, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match command {
        Command::Quickstart(arguments) => quickstart::run(*arguments, context),
        Command::Init(arguments) => init::run(*arguments, context),
        Command::Issue(arguments) => issue::run(*arguments, context),
        Command::Request(arguments) => request::run(*arguments, context),
        Command::Sign(arguments) => sign::run(*arguments, context),
        Command::Renew(arguments) => renew::run(*arguments, context),
        Command::Rekey(arguments) => rekey::run(*arguments, context),
        Command::Due(arguments) => due::run(&arguments, context),
        Command::Rollback(arguments) => rollback::run(*arguments, context),
        Command::History(arguments) => history::run(&arguments, context),
        Command::Revoke(arguments) => revoke::run(*arguments, context),
        Command::Crl(arguments) => crl::run(*arguments, context),
        Command::Intermediate(arguments) => intermediate::run(*arguments, context),
        Command::Root(arguments) => root::run(*arguments, context),
        Command::Roots(arguments) => roots::run(&arguments, context),
        Command::Key(arguments) => key::run(*arguments, context),
        Command::HandshakeTest(arguments) => handshake_test::run(&arguments, context),
        Command::List(arguments) => list::run(*arguments, context),
        Command::Show(arguments) => show::run(&arguments, context),
        Command::Inspect(arguments) => inspect::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context),
        Command::Lint(arguments) => lint::run(&arguments, context),
        Command::Explain(arguments) => explain::run(&arguments, context),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments, context),
    }
}
