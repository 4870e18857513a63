//! The templates that a command sees: those of the CA, or the built-in ones where there is no CA.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::store::error::TemplateError;
use crate::store::templates::{self, Template};
use crate::store::{Store, StoreError};
use crate::text::nearest;

/// Where templates are looked for.
pub struct Site {
    /// `None` where there is no CA.
    pub store: Option<Rc<Store>>,
}

impl Site {
    /// Opens the CA directory that was named or found; without one, only the built-in templates exist.
    ///
    /// # Errors
    /// When there is a CA directory and it cannot be used.
    pub fn of(context: &Context<'_>) -> Result<Self, Failure> {
        let store = context.folder_to_find().map(|_| context.store()).transpose()?;
        Ok(Self { store })
    }

    /// Returns the folder of the site's own templates.
    pub fn folder(&self) -> Option<PathBuf> {
        self.store.as_ref().map(|store| store.template_folder())
    }

    /// Returns the names of all templates, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Failure> {
        Ok(match self.folder() {
            Some(folder) => templates::names(&folder).map_err(StoreError::from)?,
            None => templates::built_in_names(),
        })
    }

    /// Finds a template.
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub fn find(&self, name: &str) -> Result<Template, TemplateError> {
        match self.folder() {
            Some(folder) => templates::find(&folder, name),
            None => templates::built_in(name).ok_or_else(|| {
                let known = templates::built_in_names();
                let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
                TemplateError::Unknown { name: name.to_owned(), nearest, known }
            }),
        }
    }

    /// Reads a file as a template with the name of the file. Its bases are those of the site.
    ///
    /// # Errors
    /// When it is not text in UTF-8, or a file of another kind.
    pub fn read(&self, path: &Path, content: Vec<u8>) -> Result<Template, TemplateError> {
        let beside = path.parent().unwrap_or(path).to_owned();
        templates::from_file(self.folder().unwrap_or(beside), path, content)
    }
}
