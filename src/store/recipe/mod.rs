//! Recipes: which files a program needs, under which names, and the lines of its configuration that name them. A recipe is a TOML
//! file; the built-in ones are embedded, and a site adds its own in the folder `recipes` of the CA directory.

mod content;
mod definition;
mod deliver;
mod error;
mod find;
pub(in crate::store) mod placeholder;
mod reading;

pub use content::{Authority, FilledPart, PlannedFile, PlannedFiles, RecipeCrl, RecipeMaterial};
pub use definition::{
    ConfigurationPart, CrlCheck, EachAuthority, FileContent, FileFormat, Purposes, Recipe, RecipeFile, RecipeOwner,
    Side, When, passphrase_file,
};
pub use deliver::{Delivery, FileState};
pub use error::RecipeError;
pub use find::{RecipeSource, built_in, built_in_names, find, from_file, names};

#[cfg(test)]
mod tests;
