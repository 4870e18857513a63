//! `ca settings`: what the settings are, and what is wrong with a settings file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::settings::{self, Setting, Source};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::config::EXAMPLE;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show every setting, its value and where it comes from
    Show(ShowArguments),
    /// Check a settings file: every problem with its line and column
    Check(CheckArguments),
}

#[derive(Debug, Args)]
struct ShowArguments {
    /// Print a settings file with every setting, its default and a comment
    #[arg(long)]
    example: bool,
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// The file [default: ca.toml of the CA directory]
    file: Option<PathBuf>,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match &arguments.action {
        Action::Show(ShowArguments { example: true }) => Ok(Box::new(Example)),
        Action::Show(_) => {
            let (file, settings) = settings::all(context)?;
            Ok(Box::new(Shown { file, settings }))
        }
        Action::Check(CheckArguments { file }) => {
            let (file, notes) = settings::check(file.as_deref(), context)?;
            Ok(Box::new(Checked { file, notes }))
        }
    }
}

/// The commented settings file.
struct Example;

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SettingsExample")]
pub struct ExampleJson {
    toml: &'static str,
}

impl Report for Example {
    fn text(&self, page: &mut Page) {
        page.verbatim(EXAMPLE);
    }

    fn json(&self) -> Value {
        json::document("ca.settings-example/1", &ExampleJson { toml: EXAMPLE })
    }
}

struct Shown {
    file: Option<PathBuf>,
    settings: Vec<Setting>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
pub struct ShownJson<'a> {
    /// The settings file; `null` where there is no CA.
    file: Option<FilePath<&'a PathBuf>>,
    settings: Vec<SettingJson<'a>>,
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Setting")]
pub struct SettingJson<'a> {
    /// The table and the key: `root.lifetime`.
    key: &'a str,
    /// The value as TOML writes it.
    value: &'a str,
    /// `default`, `file`, `environment`, `flag`, `found` or `index`.
    source: &'static str,
    /// The line in the settings file.
    line: Option<usize>,
    /// The name of the environment variable or flag, or the command whose value the index has.
    name: Option<&'static str>,
}

impl<'a> SettingJson<'a> {
    fn of(setting: &'a Setting) -> Self {
        let (source, line, name) = match setting.source {
            Source::Default => ("default", None, None),
            Source::File { line } => ("file", Some(line), None),
            Source::Environment(name) => ("environment", None, Some(name)),
            Source::Flag(name) => ("flag", None, Some(name)),
            Source::Found => ("found", None, None),
            Source::Index(command) => ("index", None, Some(command)),
        };
        Self { key: &setting.key, value: &setting.value, source, line, name }
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let row = |setting: &Setting| {
            let source = match setting.source {
                Source::Default => "default".to_owned(),
                Source::File { line } => format!("ca.toml line {line}"),
                Source::Environment(name) => format!("environment variable {name}"),
                Source::Flag(name) => format!("flag {name}"),
                Source::Found => "nearest one upwards".to_owned(),
                Source::Index(command) => format!("the index ({command})"),
            };
            vec![setting.key.clone(), setting.value.clone(), source]
        };
        page.table(&["SETTING", "VALUE", "FROM"], &self.settings.iter().map(row).collect::<Vec<_>>());
        if self.file.is_none() {
            page.gap();
            page.line("there is no CA here: these are the defaults");
        }
    }

    fn json(&self) -> Value {
        let settings: Vec<_> = self.settings.iter().map(SettingJson::of).collect();
        let (file, total) = (self.file.as_ref().map(FilePath), settings.len());
        json::document("ca.settings/1", &ShownJson { file, settings, total })
    }
}

struct Checked {
    file: PathBuf,
    notes: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedSettings")]
pub struct CheckedJson<'a> {
    file: FilePath<&'a PathBuf>,
    /// Always true: a file with problems is a failure, which has all of them.
    is_valid: bool,
    notes: &'a [String],
}

impl Report for Checked {
    fn text(&self, page: &mut Page) {
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, &format!("{}: no problem was found", page.path(&self.file)))]);
        self.notes.iter().for_each(|warning| page.toned_field("warning", Tone::Warning, warning));
    }

    fn json(&self) -> Value {
        json::document(
            "ca.settings-check/1",
            &CheckedJson { file: FilePath(&self.file), is_valid: true, notes: &self.notes },
        )
    }
}
