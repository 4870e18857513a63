//! The flags that every subcommand takes.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::app::context::{Changes, Context, Opened, Passphrases};
use crate::app::progress::ProgressLine;
use crate::report::failure::Failure;
use crate::report::output::OutputFormat;
use crate::report::style::{ColorChoice, Style};
use crate::system::World;
use crate::text::Lifetime;

/// Flags that every subcommand takes, before or after its name.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    // The variable is not read by clap, whose messages would name the flag, which the user did not type.
    /// The CA directory [default: the nearest folder with a ca.toml, or its ca/ folder, upwards from here] [env: CA_DIR]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options", hide = true)]
    pub dir: Option<PathBuf>,
    /// Print one JSON document instead of text
    #[arg(long, global = true, help_heading = "Global options", hide = true)]
    pub json: bool,
    /// Print only results, warnings and errors; verify and lint in one line each
    #[arg(long, global = true, help_heading = "Global options", hide = true)]
    pub quiet: bool,
    /// When to use colour; auto: at a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", help_heading = "Global options", hide = true)]
    pub color: Color,
    /// Never ask, even at a terminal
    #[arg(long, global = true, help_heading = "Global options", hide = true)]
    pub no_input: bool,
    /// How long to wait while another process changes the CA
    #[arg(long, global = true, value_name = "D", default_value = "2m", help_heading = "Global options", hide = true)]
    pub lock_timeout: Lifetime,
}

/// The variable that stands for `--dir`.
const CA_DIR: &str = "CA_DIR";

impl Globals {
    /// Makes the context of a command.
    ///
    /// # Errors
    /// Exit status 2 when the variable that stands for `--dir` is set, but empty: what it should contain is not known.
    pub fn context<'a>(&self, world: &'a mut World) -> Result<Context<'a>, Failure> {
        let variable = world.environment.get(OsStr::new(CA_DIR)).filter(|_| self.dir.is_none());
        if variable.is_some_and(|value| value.is_empty()) {
            return Err(Failure::usage(
                "bad-arguments",
                format!("the environment variable {CA_DIR} is set, but empty"),
            )
            .hint(format!("set it to the CA directory, or remove it: unset {CA_DIR}"))
            .hint("or name the CA directory with --dir DIR, which comes before the variable"));
        }
        Ok(Context {
            folder: variable.map(PathBuf::from).or_else(|| self.dir.clone()),
            folder_variable: variable.is_some().then_some(CA_DIR),
            lock_timeout: Duration::from_secs(self.lock_timeout.as_seconds()),
            quiet: self.quiet,
            no_input: self.no_input,
            format: self.format(),
            warnings: RefCell::default(),
            newest_event: None,
            opened: Opened::default(),
            changes: Changes::default(),
            passphrases: Passphrases::default(),
            style: Style::choose(self.color.into(), world),
            progress: ProgressLine::default(),
            world,
        })
    }

    /// How results and failures are shown.
    pub fn format(&self) -> OutputFormat {
        if self.json { OutputFormat::Json } else { OutputFormat::Text }
    }
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
