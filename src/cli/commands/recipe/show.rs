//! `ca recipe show`: the text of a recipe.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::recipes::RecipeSite;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::Page;
use crate::store::recipe::{ConfigurationPart, FileContent, Recipe, RecipeFile, When};
use crate::x509::KeyAlgorithm;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which recipe
    #[arg(value_name = "RECIPE")]
    recipe: String,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let found = RecipeSite::of(context)?.find(&arguments.recipe)?;
    // A recipe that cannot be used is shown as well, so that the reason can be found.
    let read = found.recipe().ok();
    Ok(Box::new(Shown(ShownJson {
        origin: if found.path.is_some() { "site" } else { "built-in" },
        path: found.path.clone().map(FilePath),
        place: found.place(),
        recipe: read.map(|recipe| ContentJson::of(&recipe)),
        name: found.name,
        toml: found.toml,
    })))
}

struct Shown(ShownJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ShownRecipe")]
pub struct ShownJson {
    name: String,
    /// `built-in` or `site`.
    origin: &'static str,
    path: Option<FilePath<PathBuf>>,
    /// The text of its file.
    toml: String,
    /// What it says; `null` when it cannot be used.
    recipe: Option<ContentJson>,
    #[serde(skip)]
    place: String,
}

/// What a recipe says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecipeContent")]
struct ContentJson {
    summary: String,
    /// `server`, `client`, `peer` (both at once) or `either`.
    side: &'static str,
    /// The versions of the program that were run with it.
    tested: Option<String>,
    recipe_files: Vec<FileJson>,
    /// The user of the program, who must be able to read the files.
    user: Option<String>,
    group: Option<String>,
    /// Whether the program refuses files of other owners.
    owner_required: bool,
    configuration: Vec<PartJson>,
    /// The key `hook`.
    reload_command: Option<String>,
    hook_note: Option<String>,
    /// `every-authority`, `issuer`, `first` or `never`.
    crl_check: &'static str,
    crl_note: String,
    /// The kinds of keys of its own certificate that the program refuses.
    refused_keys: Vec<&'static str>,
    /// The kinds of keys of the other side that it refuses.
    refused_peer_keys: Vec<&'static str>,
    key_note: Option<String>,
    notes: Vec<String>,
}

/// A file of a recipe.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecipeFile")]
struct FileJson {
    name: String,
    /// What it has, in its order.
    contains: Vec<&'static str>,
    /// What each of several files has, one for each authority: `ca-certificate` or `crl`.
    each: Option<&'static str>,
    /// The format, when it is not PEM.
    format: Option<&'static str>,
    mode: String,
    /// The conditions of the file.
    when: Vec<&'static str>,
}

/// Lines of a recipe for the configuration.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecipePart")]
struct PartJson {
    place: String,
    /// With placeholders.
    lines: String,
    /// The conditions of the lines.
    when: Vec<&'static str>,
}

impl ContentJson {
    fn of(recipe: &Recipe) -> Self {
        let owner = recipe.owner.as_ref();
        let names = |keys: &[KeyAlgorithm]| keys.iter().map(|key| key.name()).collect();
        Self {
            summary: recipe.summary.clone(),
            side: recipe.side.name(),
            tested: recipe.tested.clone(),
            recipe_files: recipe.files.iter().map(FileJson::of).collect(),
            user: owner.and_then(|owner| owner.user.clone()),
            group: owner.and_then(|owner| owner.group.clone()),
            owner_required: owner.is_some_and(|owner| owner.is_required),
            configuration: recipe.configuration.iter().map(PartJson::of).collect(),
            reload_command: recipe.hook.clone(),
            hook_note: recipe.hook_note.clone(),
            crl_check: recipe.crls.name(),
            crl_note: recipe.crl_note.clone(),
            refused_keys: names(&recipe.refused_keys),
            refused_peer_keys: names(&recipe.refused_peer_keys),
            key_note: recipe.key_note.clone(),
            notes: recipe.notes.clone(),
        }
    }
}

impl FileJson {
    fn of(file: &RecipeFile) -> Self {
        let (each, format) = match &file.content {
            FileContent::Pem(_) => (None, None),
            FileContent::Each(each) => (Some(each.name()), None),
            FileContent::Format(format) => (None, Some(format.name())),
        };
        Self {
            name: file.name.clone(),
            contains: file.content.parts().iter().map(|part| part.word()).collect(),
            each,
            format,
            mode: format!("{:04o}", file.mode),
            when: file.when.iter().copied().map(When::name).collect(),
        }
    }
}

impl PartJson {
    fn of(part: &ConfigurationPart) -> Self {
        let when = part.when.iter().copied().map(When::name).collect();
        Self { place: part.place.clone(), lines: part.lines.clone(), when }
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let ShownJson { name, place, toml, .. } = &self.0;
        page.line(&format!("# recipe '{name}': {}", page.sentence(place)));
        toml.lines().for_each(|line| page.line(line));
    }

    fn json(&self) -> Value {
        json::document("ca.recipe-show/1", &self.0)
    }
}
