//! The flags that every subcommand takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::report::style::ColorChoice;
use crate::text::Lifetime;

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
