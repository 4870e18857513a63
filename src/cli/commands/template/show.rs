//! `ca template show`: the text of a template.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::templates::Site;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::Page;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which template
    #[arg(value_name = "TEMPLATE")]
    template: String,
    /// Show what has an effect: the template together with its bases
    #[arg(long)]
    effective: bool,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let found = Site::of(context)?.find(&arguments.template)?;
    // A template that cannot be used is shown as well, so that the reason can be found.
    let profile = if arguments.effective { Some(found.profile()?) } else { found.profile().ok() };
    let bases: Vec<String> = found.bases().unwrap_or_default().iter().map(|base| base.place()).collect();
    Ok(Box::new(Shown {
        effective: arguments.effective,
        content: ShownJson {
            name: found.name.clone(),
            origin: if found.path.is_some() { "site" } else { "built-in" },
            path: found.path.clone().map(FilePath),
            base: found.base_name(),
            summary: profile.as_ref().map(|profile| profile.summary.clone()),
            placeholders: profile.as_ref().map(|profile| profile.uses().into_iter().collect()).unwrap_or_default(),
            effective: profile.map(|profile| profile.to_toml()),
            place: found.place(),
            bases,
            toml: found.toml,
        },
    }))
}

struct Shown {
    effective: bool,
    content: ShownJson,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ShownTemplate")]
pub struct ShownJson {
    name: String,
    /// `built-in` or `site`.
    origin: &'static str,
    path: Option<FilePath<PathBuf>>,
    base: Option<String>,
    summary: Option<String>,
    /// The names of the placeholders in its texts.
    placeholders: Vec<String>,
    /// The text of its file.
    toml: String,
    /// What has an effect, as TOML; `null` when the template cannot be used.
    effective: Option<String>,
    #[serde(skip)]
    place: String,
    #[serde(skip)]
    bases: Vec<String>,
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let ShownJson { name, place, bases, toml, effective, .. } = &self.content;
        let with = if bases.is_empty() { String::new() } else { format!(", based on {}", bases.join(", ")) };
        page.line(&format!("# template '{name}': {}{with}", page.sentence(place)));
        match effective.as_ref().filter(|_| self.effective) {
            Some(effective) => effective.lines().for_each(|line| page.line(line)),
            None => {
                toml.lines().for_each(|line| page.line(line));
                if !bases.is_empty() {
                    page.line(&format!("# with what it inherits: ca template show {name} --effective"));
                }
            }
        }
    }

    fn json(&self) -> Value {
        json::document("ca.template-show/1", &self.content)
    }
}
