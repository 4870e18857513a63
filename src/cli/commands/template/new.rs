//! `ca template new`: a commented template in the folder of the site.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::templates::Site;
use crate::cli::options::change::DryRunArgument;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::approval::{Approval, PlannedChange};
use crate::store::templates::{self, TEMPLATE_TO_COPY};
use crate::system::files::{self, ExistingFile};
use crate::text::toml_document::quoted;
use crate::text::{PathText, escape};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The name of the new template: lower-case letters, digits, '-', '_' and '.'
    name: String,
    /// Take everything that the new template does not set from this one [default: a copy of the built-in 'server']
    #[arg(long, value_name = "TEMPLATE")]
    base: Option<String>,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { name, base, dry_run } = arguments;
    dry_run.apply(context);
    if !templates::is_good_name(&name) {
        let message = format!("'{}' is not a name for a template", escape(&name));
        let hint = "use lower-case letters, digits, '-', '_' and '.', and begin with a letter or a digit";
        return Err(Failure::usage("bad-template-name", message).hint(hint));
    }
    let store = context.store()?;
    let site = Site { store: Some(store) };
    let folder = site.folder().unwrap_or_default();
    let path = folder.join(format!("{name}.toml"));
    let text = match &base {
        Some(base) => {
            // With its own name, a template is based on the built-in one.
            let found = match templates::built_in(base).filter(|_| *base == name) {
                Some(built_in) => built_in,
                None => site.find(base)?,
            };
            based_on(&name, base, &found.profile()?.to_toml())
        }
        None => {
            let model = templates::built_in(TEMPLATE_TO_COPY).map(|model| model.toml).unwrap_or_default();
            // The first line is about the built-in template.
            let model = model.split_once('\n').map_or(model.as_str(), |(_, rest)| rest).to_owned();
            format!(
                "# The template '{name}': ca issue {name} NAME. What each key means: ca help templates\n\
                 # Check it: ca template check {name}. See what it makes: ca template try {name} NAME\n{model}"
            )
        }
    };
    let taken = || {
        let message = format!("{} is there already, and was not changed", path.escaped());
        Failure::refused("template-exists", message).hint(format!("ca template show {name}"))
    };
    if path.symlink_metadata().is_ok() {
        return Err(taken());
    }
    context.approve(PlannedChange::new(format!("write the template '{name}'")).fact("file", path.escaped()))?;
    files::create_folders(&folder, files::FOLDER)?;
    let written =
        files::publish_file(&path, text.as_bytes(), files::PUBLIC, ExistingFile::Keep, context.world.entropy.as_ref());
    match written {
        Err(error) if error.is_already_there() => return Err(taken()),
        result => result?,
    }
    Ok(Box::new(Made(MadeJson { name, path: FilePath(path), base })))
}

/// Returns a template that sets nothing but its base: every line of what it inherits is there as a comment.
fn based_on(name: &str, base: &str, inherited: &str) -> String {
    let mut text = format!(
        "# The template '{name}': ca issue {name} NAME. What each key means: ca help templates\n\
         # What is not set here is as in the template '{base}'. To change it, remove the '#' before it.\n\
         base = {}\n\n",
        quoted(base)
    );
    for line in inherited.lines() {
        // The head of a table is needed by the keys below it, and has no effect alone.
        text.push_str(&if line.is_empty() { "\n".to_owned() } else { format!("# {line}\n") });
    }
    text
}

struct Made(MadeJson);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewTemplate")]
pub struct MadeJson {
    name: String,
    path: FilePath<PathBuf>,
    base: Option<String>,
}

impl Report for Made {
    fn text(&self, page: &mut Page) {
        let MadeJson { name, path, .. } = &self.0;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Wrote the template "), (Tone::Strong, name)]);
        page.field("file", &page.path(&path.0));
        page.field("next", &format!("edit the file, then: ca template check {name}"));
    }

    fn json(&self) -> Value {
        json::document("ca.template-new/1", &self.0)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
