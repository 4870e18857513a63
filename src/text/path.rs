//! Paths in text. The name of a file comes from outside, so it is shown escaped, and quoted in a command to paste.

use std::ffi::OsStr;
use std::fmt::{self, Write};
use std::path::Path;

use super::escape::{escape, shell_word_of_bytes};

/// The only way to a path's text: `Path::display` writes control characters as they are.
pub trait PathText {
    /// Returns the path for a message or a report, escaped like other text from outside. A byte that is not UTF-8 is
    /// shown as `\xff`.
    fn escaped(&self) -> EscapedPath<'_>;

    /// Returns the path as a word for a shell, quoted where necessary.
    fn in_shell(&self) -> String;
}

impl PathText for Path {
    fn escaped(&self) -> EscapedPath<'_> {
        EscapedPath(self.as_os_str())
    }

    fn in_shell(&self) -> String {
        shell_word_of_bytes(self.as_os_str().as_encoded_bytes())
    }
}

/// A path that is displayed escaped.
#[derive(Debug, Clone, Copy)]
pub struct EscapedPath<'p>(&'p OsStr);

impl fmt::Display for EscapedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = String::new();
        for chunk in self.0.as_encoded_bytes().utf8_chunks() {
            shown.push_str(&escape(chunk.valid()));
            for byte in chunk.invalid() {
                write!(shown, "\\x{byte:02x}")?;
            }
        }
        f.pad(&shown)
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_path_neither_controls_a_terminal_nor_loses_a_byte() {
        for (path, shown, typed) in [
            ("ca/root.pem", "ca/root.pem", "ca/root.pem"),
            ("x\u{1b}[31m\n.pem", "x\\u{1b}[31m\\u{a}.pem", "$'x\\x1b[31m\\x0a.pem'"),
            ("Müller ca", "Müller ca", "'Müller ca'"),
        ] {
            let path = PathBuf::from(path);
            assert_eq!((path.escaped().to_string(), path.in_shell()), (shown.to_owned(), typed.to_owned()));
        }
    }

    #[test]
    #[cfg(unix)]
    fn bytes_that_are_not_utf_8_are_shown_as_such() {
        use std::os::unix::ffi::OsStrExt;

        let path = Path::new(OsStr::from_bytes(b"o\xff\xfe/a"));
        assert_eq!((path.escaped().to_string(), path.in_shell()), ("o\\xff\\xfe/a".into(), "$'o\\xff\\xfe/a'".into()));
    }
}
