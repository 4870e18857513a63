//! The recipes of a command: those of the CA, or without a CA the built-in ones.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::recipe::{self, RecipeError, RecipeSource};

/// Where recipes are looked for.
pub struct RecipeSite {
    /// The folder of the site's own recipes; `None` where there is no CA.
    folder: Option<PathBuf>,
}

impl RecipeSite {
    /// Finds the CA directory that was named or is the nearest; without one, only the built-in recipes exist.
    ///
    /// # Errors
    /// When there is a CA directory and it cannot be used.
    pub fn of(context: &Context<'_>) -> Result<Self, Failure> {
        let store = context.folder_to_find().map(|_| context.store()).transpose()?;
        Ok(Self { folder: store.map(|store| store.home().recipes()) })
    }

    /// Returns the names of all recipes, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Failure> {
        Ok(recipe::names(self.folder.as_deref())?)
    }

    /// Finds a recipe.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub fn find(&self, name: &str) -> Result<RecipeSource, RecipeError> {
        recipe::find(self.folder.as_deref(), name)
    }

    /// Reads a file as a recipe with the name of the file.
    ///
    /// # Errors
    /// When it is not text in UTF-8, or a file of another kind.
    pub fn read(path: &Path, content: Vec<u8>) -> Result<RecipeSource, RecipeError> {
        recipe::from_file(path, content)
    }
}
