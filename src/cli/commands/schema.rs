//! `ca schema [COMMAND|DOCUMENT]`: the JSON Schema of what a command prints with `--json`.

use clap::Args;
use serde_json::Value;

use crate::cli::documents::{ALL, DocumentForm, DocumentJson, MANIFEST, SchemasJson, manifest_schema};
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::Page;
use crate::text::nearest;

#[derive(Debug, Args)]
pub struct Arguments {
    /// A command, such as issue or root renew, or a document, such as ca.issue/1; manifest for the files of ca apply; without one, all documents are listed
    #[arg(value_name = "COMMAND|DOCUMENT")]
    about: Vec<String>,
}

/// The documents of a command, or of all.
struct Schemas {
    forms: Vec<&'static DocumentForm>,
    is_list: bool,
}

/// # Errors
/// Exit status 2 when there is neither a command nor a document of this name.
pub fn run(arguments: &Arguments) -> Result<Box<dyn Report>, Failure> {
    let about = arguments.about.join(" ");
    let is_meant = |form: &&DocumentForm| about.is_empty() || form.name == about || form.commands.contains(&&*about);
    let forms: Vec<_> = ALL.iter().filter(is_meant).collect();
    if ["manifest", MANIFEST].contains(&&*about) {
        return Ok(Box::new(ManifestSchema));
    }
    if forms.is_empty() {
        return Err(unknown(&about));
    }
    Ok(Box::new(Schemas { forms, is_list: about.is_empty() }))
}

/// The schema of a manifest, for editors.
struct ManifestSchema;

impl Report for ManifestSchema {
    fn text(&self, page: &mut Page) {
        page.verbatim(&format!("{:#}\n", manifest_schema()));
    }

    fn json(&self) -> Value {
        let documents = vec![DocumentJson::of_manifest()];
        json::document("ca.schema/1", &SchemasJson { documents })
    }
}

fn unknown(about: &str) -> Failure {
    let message = format!("'{about}' is neither a command that prints a JSON document nor the name of a document");
    let failure = Failure::usage("bad-arguments", message);
    let known = ALL.iter().flat_map(|form| form.commands.iter().copied().chain([form.name]));
    match nearest(about, known) {
        Some(near) => failure.hint(format!("did you mean: ca schema {near}")),
        None => failure.hint("every document and its commands: ca schema"),
    }
}

impl Report for Schemas {
    fn text(&self, page: &mut Page) {
        if self.is_list {
            let row = |form: &&DocumentForm| vec![form.name.to_owned(), form.commands.join(", ")];
            page.table(&["DOCUMENT", "COMMANDS"], &self.forms.iter().map(row).collect::<Vec<_>>());
            return;
        }
        for form in &self.forms {
            page.verbatim(&format!("{:#}\n", form.schema()));
        }
    }

    fn json(&self) -> Value {
        let documents = self.forms.iter().map(|form| DocumentJson::new(form)).collect();
        json::document("ca.schema/1", &SchemasJson { documents })
    }
}
