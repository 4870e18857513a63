//! `ca recipe list`: the programs that files can be exported for.

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
use crate::store::recipe;

#[derive(Debug, Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let site = RecipeSite::of(context)?;
    let rows: Vec<RecipeJson> = site.names()?.into_iter().map(|name| RecipeJson::of(&site, name)).collect();
    Ok(Box::new(List(ListJson { total: rows.len(), recipes: rows })))
}

struct List(ListJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recipes")]
pub struct ListJson {
    recipes: Vec<RecipeJson>,
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Recipe")]
pub struct RecipeJson {
    name: String,
    /// `server`, `client`, `peer` (both at once) or `either`.
    side: Option<&'static str>,
    summary: Option<String>,
    /// `built-in` or `site`.
    origin: &'static str,
    /// True for a recipe of the site that replaces a built-in one.
    replaces_built_in: bool,
    path: Option<FilePath<PathBuf>>,
    /// Why it cannot be used; `null` when it can.
    problem: Option<String>,
}

impl RecipeJson {
    fn of(site: &RecipeSite, name: String) -> Self {
        let is_built_in = recipe::built_in(&name).is_some();
        let found = match site.find(&name) {
            Ok(found) => found,
            Err(error) => {
                let problem = Some(error.to_string());
                let (side, summary, path) = (None, None, None);
                return Self { name, side, summary, origin: "site", replaces_built_in: is_built_in, path, problem };
            }
        };
        let read = found.recipe();
        Self {
            side: read.as_ref().ok().map(|recipe| recipe.side.name()),
            summary: read.as_ref().ok().map(|recipe| recipe.summary.clone()),
            problem: read.err().map(|error| error.to_string()),
            origin: if found.path.is_some() { "site" } else { "built-in" },
            replaces_built_in: found.path.is_some() && is_built_in,
            path: found.path.map(FilePath),
            name,
        }
    }

    /// Returns the summary, with where the recipe is when it is not built in.
    fn about(&self) -> String {
        let summary = match &self.summary {
            Some(summary) => summary.clone(),
            None => format!("invalid; to see why: ca recipe check {}", self.name),
        };
        match (self.origin, self.replaces_built_in) {
            ("site", true) => format!("{summary} (site, replaces the built-in one)"),
            ("site", false) => format!("{summary} (site)"),
            _ => summary,
        }
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) {
        let row =
            |recipe: &RecipeJson| vec![recipe.name.clone(), recipe.side.unwrap_or("-").to_owned(), recipe.about()];
        page.table(&["NAME", "SIDE", "SUMMARY"], &self.0.recipes.iter().map(row).collect::<Vec<_>>());
    }

    fn json(&self) -> Value {
        json::document("ca.recipe-list/1", &self.0)
    }
}
