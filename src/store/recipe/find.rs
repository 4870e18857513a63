//! The recipes of a CA: the site's own, and the built-in ones as a fallback.

use std::path::{Path, PathBuf};

use super::definition::Recipe;
use super::error::RecipeError;
use crate::store::toml_file;
use crate::system::files::{self, FileError};
use crate::text::toml_document::DocumentError;
use crate::text::{PathText, nearest};

/// The text of a recipe and where it is.
#[derive(Debug, Clone)]
pub struct RecipeSource {
    pub name: String,
    pub toml: String,
    /// The path of the recipe; `None` for a built-in one.
    pub path: Option<PathBuf>,
}

macro_rules! built_in {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("../../../recipes/", $name, ".toml")))),*] };
}

/// The built-in recipes, sorted.
const BUILT_IN: &[(&str, &str)] = built_in![
    "apache",
    "caddy",
    "chromium",
    "docker",
    "dockerd",
    "dovecot",
    "envoy",
    "etcd",
    "firefox",
    "freeradius",
    "go",
    "grpc",
    "haproxy",
    "java-program",
    "k8s",
    "kafka",
    "mosquitto",
    "mysql",
    "nginx",
    "node",
    "openldap",
    "openvpn",
    "postfix",
    "postgres",
    "psql",
    "python",
    "rabbitmq",
    "redis",
    "registry",
    "registry-client",
    "strongswan",
    "stunnel",
    "tomcat",
    "vsftpd",
];

/// Finds a recipe; the site's own takes precedence over the built-in one of the same name. `folder` is that of the site's recipes;
/// without one there are only the built-in ones.
///
/// # Errors
/// When no recipe has this name, or it cannot be read.
pub fn find(folder: Option<&Path>, name: &str) -> Result<RecipeSource, RecipeError> {
    // A name with a slash would lead out of the folder, so no recipe has such a name.
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path = folder.filter(|_| is_plain).map(|folder| folder.join(format!("{name}.toml")));
    if let Some(path) = path
        && let Some(content) = read_own(&path)?
        // `ca recipe show nginx > ca/recipes/nginx.toml`: the shell makes an empty file before the command reads the folder.
        && !(content.is_empty() && built_in(name).is_some())
    {
        return from_file(&path, content);
    }
    match built_in(name) {
        Some(recipe) => Ok(recipe),
        None => {
            let known = names(folder)?;
            let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            Err(RecipeError::Unknown { name: name.to_owned(), nearest, known })
        }
    }
}

/// A dangling symbolic link is an error and not a missing recipe, which the built-in one would silently replace.
fn read_own(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match path.is_symlink() {
        true => files::read(path, files::MAX_SMALL_FILE_BYTES).map(Some),
        false => files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES),
    }
}

/// Returns a built-in recipe; `None` when none has this name.
pub fn built_in(name: &str) -> Option<RecipeSource> {
    let (name, toml) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(RecipeSource { name: (*name).to_owned(), toml: (*toml).to_owned(), path: None })
}

/// Returns the recipe in a file, which need not be one of the site.
///
/// # Errors
/// When it is not text in UTF-8, or a file of another kind.
pub fn from_file(path: &Path, content: Vec<u8>) -> Result<RecipeSource, RecipeError> {
    let toml = toml_file::text(path, content, toml_file::RECIPE)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(RecipeSource { name, toml, path: Some(path.to_owned()) })
}

/// Returns the names of the built-in recipes, sorted.
pub fn built_in_names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|(name, _)| *name)
}

/// Returns the names of all recipes, sorted.
///
/// # Errors
/// When the folder exists but cannot be read.
pub fn names(folder: Option<&Path>) -> Result<Vec<String>, FileError> {
    let own = folder.map(files::names_in).transpose()?.unwrap_or_default();
    let own = own.into_iter().filter_map(|name| name.strip_suffix(".toml").map(str::to_owned));
    let mut names: Vec<String> = own.chain(built_in_names().map(str::to_owned)).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

impl RecipeSource {
    /// Returns the source of the recipe for messages: its path, or the name of the built-in recipe.
    pub fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| format!("<built-in>/{}.toml", self.name), |path| path.escaped().to_string())
    }

    /// Reads the recipe.
    ///
    /// # Errors
    /// With every problem of the file at once.
    pub fn recipe(&self) -> Result<Recipe, DocumentError> {
        Recipe::read(&self.name, &self.place(), &self.toml)
    }
}
