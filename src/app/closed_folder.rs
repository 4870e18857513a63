//! The way to files that another user or a group reads.

use std::path::Path;

use crate::system::files::ClosedFolder;
use crate::text::{PathText, shell_word};

/// Returns how another user, or the members of a group, are let into a folder. The CA directory itself, `home`, stays closed.
pub fn to_enter(folder: &ClosedFolder, group: Option<&str>, home: &Path) -> String {
    let is_of_ca = home.canonicalize().is_ok_and(|home| folder.path.starts_with(home));
    let path = folder.path.in_shell();
    match group {
        _ if is_of_ca => "write the files to another folder with --out DIR".to_owned(),
        Some(group) => format!("chgrp {} {path} && chmod g+x {path}", shell_word(group)),
        None => format!("chmod o+x {path}"),
    }
}
