//! The command line as it is typed: the global flags and the list of subcommands. The flags of each are beside its code.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, CommandFactory, FromArgMatches, Parser, ValueEnum};

use super::commands::Command;
use crate::report::style::ColorChoice;
use crate::text::Lifetime;

/// A private certificate authority: issue, remember, judge and prove certificates
#[derive(Debug, Parser)]
#[command(name = "ca", version, propagate_version = true, arg_required_else_help = true, infer_subcommands = false)]
#[command(max_term_width = 100, disable_help_subcommand = true)]
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
    /// When the words are no command line; also for help and version.
    pub fn read(words: &[OsString]) -> Result<Self, clap::Error> {
        let typed = words.iter().skip(1).filter_map(|word| word.to_str()).find_map(Command::named_alone);
        if let Some(subcommand) = typed {
            let line = Globals::augment_args(clap::Command::new("ca")).subcommand(subcommand).subcommand_required(true);
            if let Ok(read) = line.try_get_matches_from(words).and_then(|matches| Self::from_arg_matches(&matches)) {
                return Ok(read);
            }
        }
        Self::try_parse_from(words)
    }

    /// The command line with every flag of every subcommand, for people to read. The one that parses knows only the
    /// flags of the subcommand that was typed.
    pub fn whole() -> clap::Command {
        Command::with_all_flags(Self::command())
    }
}

/// Flags that every subcommand takes, before or after its name.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    // The variable is read by the context: what the parser says of its value would name the flag, which nobody typed.
    /// The CA directory [default: the nearest folder with a ca.toml, or its ca/ folder, upwards from here] [env: CA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub dir: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Print no hints, no progress and no account of what was done, only answers, warnings and failures; verify and lint in one line each
    #[arg(long, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// When to use colour; auto: at a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Global options")]
    pub color: Color,
    /// Never ask, even at a terminal
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_input: bool,
    /// How long to wait while another process changes the CA
    #[arg(long, global = true, value_name = "D", default_value = "2m", help_heading = "Global options")]
    pub lock_timeout: Lifetime,
}

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    // At a terminal, unless NO_COLOR is set. No doc comment: it would turn every page of help into the long form.
    Auto,
    Always,
    Never,
}

impl From<Color> for ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}

/// A whole number, for clap: what is none is told without the words that Rust has for it.
///
/// # Errors
/// When it is something else, or too great.
pub fn whole_number<T: FromStr>(given: &str) -> Result<T, &'static str> {
    given.parse().map_err(|_| match given.bytes().all(|octet| octet.is_ascii_digit()) && !given.is_empty() {
        true => "the number is too great",
        false => "expected a whole number, 0 or more",
    })
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
    fn a_number_that_is_none_is_told_in_plain_words() {
        assert_eq!(whole_number::<u32>("7"), Ok(7));
        for given in ["", "x", "-1", "1.5"] {
            assert_eq!(whole_number::<u32>(given), Err("expected a whole number, 0 or more"));
        }
        assert_eq!(whole_number::<u32>("4294967296"), Err("the number is too great"));
    }

    #[test]
    fn what_is_no_command_line_is_refused_by_the_whole_one() {
        for line in
            ["ca", "ca lists", "ca --dir list", "ca verify", "ca list --jsn", "ca list verify", "ca verify --help"]
        {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let told = |error: clap::Error| (error.kind(), error.render().to_string());
            let read = CommandLine::read(&words).map_err(told).unwrap_err();
            assert_eq!(read, CommandLine::try_parse_from(&words).map_err(told).unwrap_err(), "{line}");
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
