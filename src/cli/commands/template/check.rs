//! `ca template check`: what is wrong with a template.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::template_check::{self, TemplateTrial};
use crate::app::templates::Site;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::system::files;
use crate::text::PathText;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A file, or the name of a template
    #[arg(value_name = "FILE|TEMPLATE")]
    template: PathBuf,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let site = Site::of(context)?;
    let path = context.world.resolve(&arguments.template);
    let name = arguments.template.to_str().filter(|name| !name.contains('/'));
    let by_name = name.filter(|_| !path.is_file());
    let found = match by_name {
        Some(name) => site.find(name)?,
        None => {
            let content =
                files::read(&path, files::MAX_SMALL_FILE_BYTES).map_err(|error| Failure::unreadable(&error))?;
            site.read(&path, content)?
        }
    };
    let profile = found.profile()?;
    let (name, place) =
        (found.name.clone(), found.path.as_ref().map_or_else(|| found.place(), |path| path.escaped().to_string()));
    let trial = template_check::of(&site, &profile, &context.effects())?;
    let mut notes = template_check::warnings(&profile);
    let (sample, refused) = match trial {
        Some(TemplateTrial::Made { sample, findings }) => {
            notes.extend(findings);
            (Some(sample), None)
        }
        Some(TemplateTrial::Refused(reason)) => (None, Some(reason)),
        None => (None, None),
    };
    Ok(Box::new(Checked(CheckedJson { name, place, is_valid: true, sample, reason: refused.clone(), refused, notes })))
}

struct Checked(CheckedJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedTemplate")]
pub struct CheckedJson {
    name: String,
    place: String,
    /// Always true: a template with problems is a failure, which has all of them.
    is_valid: bool,
    /// The name for which a certificate was tried; `null` when none was made.
    sample: Option<String>,
    /// As `reason`.
    #[schemars(extend("deprecated" = true))]
    refused: Option<String>,
    /// Why no certificate could be tried: the reason for which it would not be issued.
    reason: Option<String>,
    notes: Vec<String>,
}

impl Report for Checked {
    fn text(&self, page: &mut Page) {
        let CheckedJson { place, sample, refused, notes, .. } = &self.0;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, &format!("{}: no problem was found", page.sentence(place)))]);
        if let Some(sample) = sample {
            page.field("tried", &format!("a certificate for {sample}, and no rule was broken"));
        }
        if let Some(reason) = refused {
            page.field("not tried", reason);
        }
        for warning in notes {
            page.toned_field("warning", Tone::Warning, warning);
        }
    }

    fn json(&self) -> Value {
        json::document("ca.template-check/1", &self.0)
    }
}
