//! Paths for a person: relative to the working folder, when they are below it.

use std::path::Path;

use crate::text::PathText;

/// Makes the paths in a text relative to one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelativePaths {
    /// The text of the folder with a slash at its end; empty: no path is changed.
    folder: String,
}

impl RelativePaths {
    /// No path is changed.
    pub const NONE: Self = Self { folder: String::new() };

    /// Paths below `folder` become relative to it. Nothing changes when that is the root of the file system.
    pub fn below(folder: &Path) -> Self {
        match folder.is_absolute() && folder.parent().is_some() {
            true => Self { folder: format!("{}/", folder.escaped()) },
            false => Self::NONE,
        }
    }

    /// Returns a text in which each path below the folder is relative to it. `./` inside of a path is left out.
    pub fn shorten(&self, text: &str) -> String {
        if self.folder.is_empty() || !text.contains(&self.folder) {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(&self.folder) {
            let (before, after) = (&rest[..at], &rest[at + self.folder.len()..]);
            out.push_str(before);
            let begins = out.chars().next_back().is_none_or(|last| " '\"(=:,".contains(last));
            let inner = after.trim_start_matches("./");
            let first = inner.split([' ', '\'', '"', ',', ';', ':', ')']).next().unwrap_or_default();
            if begins && !first.is_empty() {
                // A name alone would look like a word of the sentence.
                if !first.contains(['/', '.']) {
                    out.push_str("./");
                }
                rest = inner;
            } else {
                out.push_str(&self.folder);
                rest = after;
            }
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_the_working_folder_is_relative() {
        let paths = RelativePaths::below("/tmp/x".as_ref());
        for (text, shown) in [
            ("cannot read /tmp/x/ca/key.pem: denied", "cannot read ca/key.pem: denied"),
            ("(/tmp/x/./a, '/tmp/x/b/c d')", "(./a, 'b/c d')"),
            ("--dir=/tmp/x/ca /tmp/x/../q/ca /tmp/x/a.pem", "--dir=./ca ../q/ca a.pem"),
            // The folder itself, another folder, and a part of a longer path or address.
            ("in /tmp/x", "in /tmp/x"),
            ("in /tmp/x/", "in /tmp/x/"),
            ("/tmp/xy/a /tmp/y", "/tmp/xy/a /tmp/y"),
            ("/mnt/tmp/x/a file:///tmp/x/a", "/mnt/tmp/x/a file:///tmp/x/a"),
        ] {
            assert_eq!(paths.shorten(text), shown);
        }
        assert_eq!(RelativePaths::below("/".as_ref()).shorten("/a/b"), "/a/b");
    }
}
