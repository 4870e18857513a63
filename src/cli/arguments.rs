//! The command line as it is typed: the global flags and the list of subcommands. The flags of each are beside its code.

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, ValueEnum};

use super::commands::Command;
use crate::x509::Lifetime;

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
    /// The command line with every flag of every subcommand, for people to read. The one that parses knows only the
    /// flags of the subcommand that was typed.
    pub fn whole() -> clap::Command {
        Command::with_all_flags(Self::command())
    }
}

/// Flags that every subcommand takes, before or after its name.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    /// The CA directory [default: the nearest folder with a ca.toml, or its ca/ folder, upwards from here]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CA_DIR",
        hide_env_values = true,
        help_heading = "Global options"
    )]
    pub dir: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Print no hints and no progress, only results and failures; verify and lint in one line each
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
