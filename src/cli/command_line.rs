//! The command line: the global flags and the list of subcommands. The flags of each subcommand are beside its code.
//!
//! Building every flag of every subcommand takes as long as verifying a certificate chain, and a program that is started for
//! each certificate would pay that each time. So two things here differ from what clap's derive writes: the macro
//! `subcommands!` defers the flags of a subcommand until it is typed, and [`CommandLine::read`] first parses with the typed
//! subcommand alone. Whatever that parser refuses is parsed again by the whole command line, which writes the message.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::commands::{
    apply, audit, backup, completions, crl, due, explain, export, handshake, help as help_command, history, import,
    index, init, inspect, intermediate, issue, key, lint, list, log, man, quickstart, recipe, rekey, renew, request,
    restore, revoke, rollback, root, roots, schema, settings, show, sign, status, template, tree, trust, verify,
    version,
};
use super::help;
use super::options::globals::Globals;

/// Run your own certificate authority: issue, renew, revoke and verify certificates
#[derive(Debug, Parser)]
#[command(name = "ca", version, propagate_version = true, arg_required_else_help = true, infer_subcommands = false)]
#[command(max_term_width = 100, disable_help_subcommand = true, override_help = help::first_screen())]
pub struct CommandLine {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

impl CommandLine {
    /// Reads the words. Each subcommand that the parser knows costs it a copy of every global flag, and a command line has
    /// one: the first word that is the name of a subcommand is tried alone, and what does not fit that is read in full.
    ///
    /// # Errors
    /// When the words are not a command line; also for help and version.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let typed = words.iter().skip(1).filter_map(|word| word.to_str()).find_map(Command::named_alone);
        if let Some(subcommand) = typed {
            let line = Globals::augment_args(clap::Command::new("ca")).subcommand(subcommand);
            let line = line.subcommand_required(true).disable_help_subcommand(true);
            let matches = line.try_get_matches_from(words);
            if let Ok(read) = matches.and_then(|mut matches| Self::from_arg_matches_mut(&mut matches)) {
                return Ok(read);
            }
        }
        Self::try_parse_from(words)
    }

    /// The command line with every flag of every subcommand, for manual pages and completions. The one that parses knows only
    /// the flags of the subcommand that was typed.
    pub fn whole() -> clap::Command {
        Command::with_all_flags(Self::command().mut_args(|global| global.hide(false)))
    }

    /// As [`whole`](Self::whole), for help: each page of help only names the global flags.
    pub fn for_help() -> clap::Command {
        Command::with_all_flags(Self::command())
    }
}

/// Declares the subcommands, as clap's derive does, except that the flags of a subcommand are built only when it is typed or
/// shown.
macro_rules! subcommands {
    ($(#[doc = $about:literal] $name:literal => $variant:ident($arguments:ty),)*) => {
        /// The subcommands, in the order in which `ca --help` lists them.
        #[derive(Debug)]
        pub enum Command {
            $(#[doc = $about] $variant(Box<$arguments>),)*
        }

        impl Subcommand for Command {
            fn augment_subcommands(line: clap::Command) -> clap::Command {
                line$(.subcommand(Self::named($name, $about).defer(flags_and_examples::<$arguments>)))*
            }

            fn augment_subcommands_for_update(line: clap::Command) -> clap::Command {
                Self::augment_subcommands(line)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),*].contains(&name)
            }
        }

        impl Command {
            /// A command line with the flags of every subcommand in it, for help, manual pages and completions.
            fn with_all_flags(line: clap::Command) -> clap::Command {
                line$(.mut_subcommand($name, |_| flags_and_examples::<$arguments>(Self::named($name, $about))))*
            }

            /// The subcommand of this name with its flags.
            fn named_alone(name: &str) -> Option<clap::Command> {
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
    /// Try everything in a new folder: make a CA, issue, verify and run a TLS handshake
    "quickstart" => Quickstart(quickstart::Arguments),
    /// Make a new CA: a self-signed root, its directory and its index
    "init" => Init(init::Arguments),
    /// Import the CA of another tool: its key, certificates, revocations and CRL number
    "import" => Import(import::Arguments),
    /// Make a key and a certificate from a template
    "issue" => Issue(issue::Arguments),
    /// Make the certificates that a file declares: issue what is missing, due or different
    "apply" => Apply(apply::Arguments),
    /// List, show, write, check and try templates
    "template" => Template(template::Arguments),
    /// Make a key and a certificate request, for a CA elsewhere
    "request" => Request(request::Arguments),
    /// Sign a certificate request: its key and names, with everything else from a template
    "sign" => Sign(sign::Arguments),
    /// Issue the next certificate of a name for the same key
    "renew" => Renew(renew::Arguments),
    /// Issue the next certificate of a name for a new key
    "rekey" => Rekey(rekey::Arguments),
    /// Show what needs attention today, each with the command that fixes it
    "status" => Status(status::Arguments),
    /// Show what needs renewal: certificates, authorities and CRLs
    "due" => Due(due::Arguments),
    /// Deploy the previous certificate of a name again
    "rollback" => Rollback(rollback::Arguments),
    /// Show every certificate of a name, where its files are, and which is deployed
    "history" => History(history::Arguments),
    /// Revoke certificates, put them on hold, or release them
    "revoke" => Revoke(revoke::Arguments),
    /// Sign the CRL of an authority, and write it where it is published
    "crl" => Crl(crl::Arguments),
    /// Request the certificate of an authority from another CA, and install it
    "intermediate" => Intermediate(intermediate::Arguments),
    /// Renew a root, or replace it with a new one
    "root" => Root(root::Arguments),
    /// Write the CA certificates that clients must trust: PEM, a Java trust store, Kubernetes, Apple
    "roots" => Roots(roots::Arguments),
    /// Install the roots in the trust stores of this machine, remove them, or check where they are trusted
    "trust" => Trust(trust::Arguments),
    /// List, show and check recipes: the files and the configuration that a program needs
    "recipe" => Recipe(recipe::Arguments),
    /// Write a certificate for another program: the files of nginx, PostgreSQL and others, PKCS#12 (.p12), Kubernetes, OpenVPN, index.txt of OpenSSL
    "export" => Export(export::Arguments),
    /// Change, add or remove the passphrase of an authority's key
    "key" => Key(key::Arguments),
    /// Show where the index is, move it into a PostgreSQL server that several machines share, or back
    "index" => Index(index::Arguments),
    /// Write one encrypted file from which the whole CA can be restored, or test such a file
    "backup" => Backup(backup::Arguments),
    /// Make the CA directory of a backup
    "restore" => Restore(restore::Arguments),
    /// Test certificates in a real mutual TLS handshake, and that wrong ones are refused
    "handshake-test" => HandshakeTest(handshake::Arguments),
    /// Compare the index, the event log and the files with each other, and name every difference
    "audit" => Audit(audit::Arguments),
    /// Show the events of this CA: when, what, and which user and host
    "log" => Log(log::Arguments),
    /// Show the authorities below each other: scope, key, expiry, CRL and the numbers of certificates
    "tree" => Tree(tree::Arguments),
    /// List the certificates that this CA has issued
    "list" => List(list::Arguments),
    /// Show one certificate of this CA: its content, its files and its history
    "show" => Show(show::Arguments),
    /// Show the content of a certificate, request, CRL or key file
    "inspect" => Inspect(inspect::Arguments),
    /// Verify a certificate chain, and explain why it is invalid
    "verify" => Verify(verify::Arguments),
    /// Check certificates and CRLs against lint rules
    "lint" => Lint(lint::Arguments),
    /// Explain a code that this program prints: the rule or the failure, and what to do
    "explain" => Explain(explain::Arguments),
    /// Print the JSON Schema of what a command prints with --json
    "schema" => Schema(schema::Arguments),
    /// Show the settings and where each comes from, or check a settings file
    "settings" => Settings(settings::Arguments),
    /// Show the help of a command, or a page about a topic
    "help" => Help(help_command::Arguments),
    /// Print the version
    "version" => Version(version::Arguments),
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

/// As [`flags`], with what stands at the end of the subcommand's help.
fn flags_and_examples<A: Args>(command: clap::Command) -> clap::Command {
    let name = command.get_name().to_owned();
    help::with_examples(flags::<A>(command), &name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_read_alike_with_one_subcommand_and_with_all() {
        for line in [
            "ca list",
            "ca --json list --dir other",
            "ca verify --quiet a.pem b.pem --color never",
            "ca --dir verify list",
            "ca --dir list verify a.pem",
            "ca issue server list --san verify",
            "ca issue --lock-timeout 5s server web.test",
            "ca verify -- --json",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let (read, whole) = (CommandLine::read(&words).unwrap(), CommandLine::try_parse_from(&words).unwrap());
            assert_eq!(format!("{read:?}"), format!("{whole:?}"), "{line}");
        }
    }

    #[test]
    fn what_is_no_command_line_is_refused_by_the_whole_one() {
        for line in
            ["ca", "ca lists", "ca --dir list", "ca verify", "ca list --jsn", "ca list verify", "ca verify --help"]
        {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let kind_and_text = |error: clap::Error| (error.kind(), error.render().to_string());
            let read = CommandLine::read(&words).map_err(kind_and_text).unwrap_err();
            assert_eq!(read, CommandLine::try_parse_from(&words).map_err(kind_and_text).unwrap_err(), "{line}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 100, failure_persistence: None, ..Default::default() })]

        #[test]
        fn no_words_make_it_panic(
            words in proptest::collection::vec(
                "\\PC{0,12}|--[a-z-]{0,12}(=[a-z0-9.:-]{0,8})?|issue|server|init|verify|renew|--san|--for|--json|--", 0..7),
        ) {
            let words: Vec<OsString> = std::iter::once("ca".to_owned()).chain(words).map(OsString::from).collect();
            if let Err(error) = CommandLine::read(&words) {
                drop(error.render().to_string());
            }
        }
    }
}
