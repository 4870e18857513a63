//! The paths that a member of an archive may have.

use super::ArchiveError;
use crate::text::escape;

/// The longest path of a member, in bytes.
pub(super) const MAX_BYTES: usize = 2048;
/// How deep a member may be, in folders.
const MAX_DEPTH: usize = 32;
/// The longest name of a file or folder on the usual file systems.
const MAX_NAME_BYTES: usize = 255;

/// Checks that a path leads into the folder that an archive is restored to, whatever is in there.
///
/// # Errors
/// When it is absolute, has an empty, `.` or `..` component, or characters that lists and terminals take for others.
pub fn check_path(path: &str) -> Result<(), ArchiveError> {
    let reason = if path.is_empty() {
        "it is empty"
    } else if path.len() > MAX_BYTES {
        "it is too long"
    } else if path.starts_with('/') {
        "it is absolute"
    } else if path.contains('\\') || path.chars().any(char::is_control) {
        "it has a backslash or a control character"
    } else if path.split('/').any(|name| ["", ".", ".."].contains(&name)) {
        "a component is empty, '.' or '..'"
    } else if path.split('/').count() > MAX_DEPTH {
        "it is too deep"
    } else if path.split('/').any(|name| name.len() > MAX_NAME_BYTES) {
        "a component is too long"
    } else {
        return Ok(());
    };
    Err(ArchiveError::Path { path: escape(path), reason })
}
