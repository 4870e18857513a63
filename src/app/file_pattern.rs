//! Files that a pattern selects, where no shell has replaced it.

use std::path::{Component, Path, PathBuf};

use crate::app::context::Context;
use crate::report::failure::Failure;
use crate::system::files;
use crate::text::wildcard;

/// Returns the files and folders that match a pattern such as `certs/*.pem`, in their order and as the pattern writes the folders.
/// As in a shell, a star stands for no name that begins with a dot.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_like(pattern: &Path, context: &Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let Some(wanted) = of_pattern(component) else {
            found.iter_mut().for_each(|path| path.push(component));
            continue;
        };
        let mut below = Vec::new();
        for folder in found {
            let place = context.world.resolve(&folder);
            if !place.is_dir() {
                continue;
            }
            let mut names = files::names_in(&place).map_err(|error| Failure::unreadable(&error))?;
            names.retain(|name| wanted.starts_with('.') == name.starts_with('.') && wildcard::matches(wanted, name));
            names.sort();
            below.extend(names.into_iter().map(|name| folder.join(name)));
        }
        found = below;
    }
    found.retain(|path| context.world.resolve(path).exists());
    Ok(found)
}

fn of_pattern(component: Component<'_>) -> Option<&str> {
    match component {
        Component::Normal(name) => name.to_str().filter(|name| wildcard::is_pattern(name)),
        _ => None,
    }
}
