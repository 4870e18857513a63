//! `ca recipe check`: what is wrong with a recipe.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::recipes::RecipeSite;
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::system::files;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A file, or the name of a recipe
    #[arg(value_name = "FILE|RECIPE")]
    recipe: PathBuf,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let path = context.world.resolve(&arguments.recipe);
    let name = arguments.recipe.to_str().filter(|name| !name.contains('/') && !path.is_file());
    let found = match name {
        Some(name) => RecipeSite::of(context)?.find(name)?,
        None => {
            let content = files::read(&path, files::MAX_SMALL_FILE_BYTES);
            RecipeSite::read(&path, content.map_err(|error| Failure::unreadable(&error))?)?
        }
    };
    let recipe = found.recipe()?;
    let place = found.place();
    Ok(Box::new(Checked(CheckedJson { name: recipe.name, place, is_valid: true, file_count: recipe.files.len() })))
}

struct Checked(CheckedJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedRecipe")]
pub struct CheckedJson {
    name: String,
    place: String,
    /// Always true: a recipe with problems is a failure, which has all of them.
    is_valid: bool,
    /// The number of files that it describes.
    file_count: usize,
}

impl Report for Checked {
    fn text(&self, page: &mut Page) {
        let place = page.sentence(&self.0.place);
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, &format!("{place}: no problem was found"))]);
    }

    fn json(&self) -> Value {
        json::document("ca.recipe-check/1", &self.0)
    }
}
