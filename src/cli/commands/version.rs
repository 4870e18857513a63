//! `ca version`: the same as `ca --version`.

use clap::Args;
use serde_json::{Value, json};

use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::Page;

#[derive(Debug, Args)]
pub struct Arguments {}

/// The version of this program.
struct Version;

pub fn run(_: &Arguments) -> Result<Box<dyn Report>, Failure> {
    Ok(Box::new(Version))
}

impl Report for Version {
    fn text(&self, page: &mut Page) {
        page.line(concat!("ca ", env!("CARGO_PKG_VERSION")));
    }

    fn json(&self) -> Value {
        json!({ "schema": "ca.version/1", "version": env!("CARGO_PKG_VERSION") })
    }
}
