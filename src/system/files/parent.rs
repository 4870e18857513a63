//! The folder in which a path is.

use std::path::Path;

/// Returns the folder in which a path is: `.` for a bare name, and itself for the root folder.
pub(super) fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_a_bare_name_is_the_working_folder() {
        assert_eq!(parent_of(Path::new("ca")), Path::new("."));
        assert_eq!(parent_of(Path::new("a/b")), Path::new("a"));
        assert_eq!(parent_of(Path::new("/")), Path::new("/"));
    }
}
