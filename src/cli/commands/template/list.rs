//! `ca template list`: the templates and where they are.

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
use crate::store::templates;

#[derive(Debug, Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let site = Site::of(context)?;
    let rows: Vec<TemplateJson> = site.names()?.into_iter().map(|name| TemplateJson::of(&site, name)).collect();
    Ok(Box::new(List(ListJson { total: rows.len(), templates: rows })))
}

struct List(ListJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Templates")]
pub struct ListJson {
    templates: Vec<TemplateJson>,
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Template")]
pub struct TemplateJson {
    name: String,
    summary: Option<String>,
    /// `built-in` or `site`.
    origin: &'static str,
    /// True for a template of the site that replaces a built-in one.
    replaces_built_in: bool,
    base: Option<String>,
    path: Option<FilePath<PathBuf>>,
    /// Why it cannot be used; `null` when it can.
    problem: Option<String>,
}

impl TemplateJson {
    fn of(site: &Site, name: String) -> Self {
        let is_built_in = templates::built_in(&name).is_some();
        let found = match site.find(&name) {
            Ok(found) => found,
            Err(error) => {
                let problem = Some(error.to_string());
                let (summary, base, path) = (None, None, None);
                return Self { name, summary, origin: "site", replaces_built_in: is_built_in, base, path, problem };
            }
        };
        let read = found.profile();
        Self {
            summary: read.as_ref().ok().map(|profile| profile.summary.clone()),
            problem: read.err().map(|error| error.to_string()),
            origin: if found.path.is_some() { "site" } else { "built-in" },
            replaces_built_in: found.path.is_some() && is_built_in,
            base: found.base_name(),
            path: found.path.map(FilePath),
            name,
        }
    }

    /// Returns where it is, and what it has to do with other templates.
    fn place(&self) -> String {
        let replaces = if self.replaces_built_in { ", replaces the built-in one" } else { "" };
        let base = self.base.as_ref().map(|base| format!(", based on '{base}'")).unwrap_or_default();
        format!("{}{replaces}{base}", self.origin)
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) {
        let row = |template: &TemplateJson| {
            let invalid = || format!("invalid; to see why: ca template check {}", template.name);
            let summary = template.summary.clone().unwrap_or_else(invalid);
            vec![template.name.clone(), template.place(), summary]
        };
        page.table(&["NAME", "FROM", "SUMMARY"], &self.0.templates.iter().map(row).collect::<Vec<_>>());
    }

    fn json(&self) -> Value {
        json::document("ca.template-list/1", &self.0)
    }
}
