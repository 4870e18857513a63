//! NAME: the name of a certificate in the index, and of its folder.

use std::fmt;
use std::str::FromStr;

use crate::text;

/// The name of an entry. It is also a folder name, so that it must not lead outside of its parent folder. Two names
/// that differ only in upper and lower case are the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryName(String);

/// The reason why a text cannot be the name of an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryNameError {
    #[error("the name is empty")]
    Empty,
    #[error("the name '{}' contains an invisible character", text::escape(.0))]
    Invisible(String),
    #[error("the name '{}' looks like a path: it must not begin with '/', '.' or '-', nor contain '\\' or \
         '..'", text::escape(.0))]
    PathLike(String),
    #[error("the name '{}' begins or ends with a space", text::escape(.0))]
    Spaces(String),
    #[error("the name is {0} characters long, too many for a folder")]
    TooLong(usize),
}

/// The reason why a text cannot be the name of an authority, which is also a folder name, a command-line argument and a
/// part of URLs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{}' cannot be the name of an authority: letters, digits, '-' and '_' only, no '-' in front, at most 40", text::escape(.0))]
pub struct AuthorityNameError(pub String);

/// Checks the name of an authority.
///
/// # Errors
/// When the name contains other characters than letters, digits, `-` and `_`, begins with `-`, or is empty or longer
/// than 40.
pub fn check_authority_name(name: &str) -> Result<(), AuthorityNameError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !name.is_empty() && !name.starts_with('-') && name.len() <= 40 && name.chars().all(allowed) {
        true => Ok(()),
        false => Err(AuthorityNameError(name.to_owned())),
    }
}

/// The encoding of `*` in a folder name.
const WILDCARD: &str = "_wildcard";
/// The maximum length of an encoded name; file systems limit names to 255 bytes.
const MOST_BYTES: usize = 240;

impl EntryName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the folder name: lower case, `*` as `_wildcard`, everything outside `[a-z0-9._@-]` percent-encoded.
    pub fn folder(&self) -> String {
        let mut folder = String::with_capacity(self.0.len());
        for byte in self.0.bytes() {
            match byte.to_ascii_lowercase() {
                b'*' => folder.push_str(WILDCARD),
                // A name that contains `_wildcard` literally must not share the folder of the wildcard.
                b'_' if self.0.contains(WILDCARD) => folder.push_str("%5f"),
                byte @ (b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'@' | b'-') => folder.push(char::from(byte)),
                byte => folder.push_str(&format!("%{byte:02x}")),
            }
        }
        folder
    }

    /// Returns the name without its first label, which is the value of `{{ domain }}`.
    pub fn domain(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EntryName {
    type Err = EntryNameError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if given.is_empty() {
            return Err(EntryNameError::Empty);
        }
        if !given.chars().all(text::is_plainly_visible) {
            return Err(EntryNameError::Invisible(given.to_owned()));
        }
        if given.starts_with(['/', '.', '-']) || given.contains('\\') || given.contains("..") {
            return Err(EntryNameError::PathLike(given.to_owned()));
        }
        if given.trim() != given {
            return Err(EntryNameError::Spaces(given.to_owned()));
        }
        let name = Self(given.to_owned());
        if name.folder().len() > MOST_BYTES {
            return Err(EntryNameError::TooLong(given.chars().count()));
        }
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_folder_of_its_own_that_leads_nowhere_else() {
        for (name, folder) in [
            ("web.corp.test", "web.corp.test"),
            ("Alice Smith", "alice%20smith"),
            ("*.corp.test", "_wildcard.corp.test"),
            ("_wildcard.corp.test", "%5fwildcard.corp.test"),
            ("spiffe://corp.test/web", "spiffe%3a%2f%2fcorp.test%2fweb"),
            ("alice@corp.test", "alice@corp.test"),
            ("Müller", "m%c3%bcller"),
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "%3a%3a1"),
            ("50%", "50%25"),
        ] {
            assert_eq!(name.parse::<EntryName>().unwrap().folder(), folder);
        }
    }

    #[test]
    fn names_that_look_like_paths_or_cannot_be_seen_are_refused() {
        for name in [
            "",
            "..",
            ".",
            "../x",
            "/x",
            "-x",
            "a/../b",
            "a\\b",
            ".hidden",
            "a\0b",
            "a\nb",
            "a\u{202e}b",
            " a",
            "a ",
            &"x".repeat(300),
        ] {
            assert!(name.parse::<EntryName>().is_err(), "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_folder_is_one_plain_component(name in "\\PC{0,80}") {
            if let Ok(name) = name.parse::<EntryName>() {
                let folder = name.folder();
                proptest::prop_assert!(folder.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'@' | b'-' | b'%')));
                proptest::prop_assert!(!folder.starts_with('.') && !folder.is_empty());
            }
        }
    }
}
