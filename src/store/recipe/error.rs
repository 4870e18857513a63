//! Why a recipe is missing or cannot be used.

use crate::store::error::list;
use crate::store::export::Target;
use crate::store::toml_file::NotToml;
use crate::system::files::FileError;
use crate::text::toml_document::DocumentError;
use crate::text::{self, Diagnosis, Diagnostic};

/// The reason why a recipe is missing or cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    #[error("there is no recipe '{}'", text::escape(name))]
    Unknown { name: String, nearest: Option<String>, known: Vec<String> },
    #[error(transparent)]
    NotToml(#[from] NotToml),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Document(#[from] DocumentError),
}

impl Diagnostic for RecipeError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Unknown { name, nearest, known } => {
                let near = nearest.as_ref().map(|near| format!("did you mean '{near}'?"));
                let store = Target::ALL.iter().find(|target| target.name() == name);
                let as_store =
                    store.map(|store| format!("'{store}' is a target of PKCS#12: --as p12 --target {store}"));
                Diagnosis::usage("unknown-recipe")
                    .hints(as_store.or(near))
                    .hint(format!("there are: {}", list(known)))
                    .hint("what each is for: ca recipe list")
            }
            Self::NotToml(error) => error.diagnosis(),
            Self::File(_) => Diagnosis::usage("unreadable-input"),
            Self::Document(error) => error.diagnosis(),
        }
    }
}
