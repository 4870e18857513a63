//! `ca completions SHELL`. The door to clap_complete.

use clap::Args;
use clap_complete::Shell;
use serde_json::{Value, json};

use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::Page;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell to complete for
    shell: Shell,
}

/// The script, as it is.
struct Script {
    shell: Shell,
    script: String,
}

/// `line` is the whole command line of the program.
pub fn run(arguments: &Arguments, mut line: clap::Command) -> Result<Box<dyn Report>, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut line, "ca", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Ok(Box::new(Script { shell: arguments.shell, script }))
}

impl Report for Script {
    fn text(&self, page: &mut Page) {
        page.verbatim(&self.script);
    }

    fn json(&self) -> Value {
        json!({ "schema": "ca.completions/1", "shell": self.shell.to_string(), "script": self.script })
    }
}
