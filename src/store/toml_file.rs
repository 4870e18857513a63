//! The text of a TOML file that a user gives or a CA has: settings, templates, recipes, manifests.
//!
//! A file of another kind is named, as in every command that reads a file (`x509/file_kind/`).

use std::path::{Path, PathBuf};

use crate::text::toml_document::{self, EncodingError};
use crate::text::{Diagnosis, Diagnostic, PathText};
use crate::x509::file_kind::{self, Expected, OtherKind};

pub const SETTINGS: Expected = Expected::Toml {
    name: "a settings file (ca.toml)",
    origin: "a commented one is written by: ca settings show --example",
};
pub const TEMPLATE: Expected =
    Expected::Toml { name: "a template", origin: "the text of a template is shown by: ca template show server" };
pub const RECIPE: Expected =
    Expected::Toml { name: "a recipe", origin: "the text of a recipe is shown by: ca recipe show nginx" };
pub const MANIFEST: Expected = Expected::Toml {
    name: "a manifest",
    origin: "a manifest is a TOML file that declares certificates; examples: ca apply --help",
};

/// A file that is not the text of a TOML file.
#[derive(Debug, thiserror::Error)]
#[error("{} {cause}", path.escaped())]
pub struct NotToml {
    pub path: PathBuf,
    pub cause: NotTomlCause,
}

/// What the file is instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTomlCause {
    #[error("is {0}")]
    OtherKind(OtherKind),
    #[error(transparent)]
    Encoding(EncodingError),
}

impl Diagnostic for NotToml {
    fn diagnosis(&self) -> Diagnosis {
        Diagnosis::usage("bad-toml").hints(match self.cause {
            NotTomlCause::OtherKind(other) => other.fix(&self.path),
            NotTomlCause::Encoding(cause) => Some(cause.hint().to_owned()),
        })
    }
}

/// Decodes the content of the file at `path`, of which `expected` says what it should be.
///
/// The file is of another kind only if its first line is not TOML either: PEM in a comment or a string of a template does not
/// make it a certificate, and a mistake further down is reported with its place.
///
/// # Errors
/// When the file is of another kind, or not in UTF-8.
pub fn text(path: &Path, content: Vec<u8>, expected: Expected) -> Result<String, NotToml> {
    let other_kind = file_kind::other_than_toml(&content, expected);
    let cause = match (toml_document::decode(content), other_kind) {
        (Ok(text), Some(other)) if toml_document::begins_otherwise(&text) => NotTomlCause::OtherKind(other),
        (Ok(text), _) => return Ok(text),
        (Err(_), Some(other)) => NotTomlCause::OtherKind(other),
        (Err(cause), None) => NotTomlCause::Encoding(cause),
    };
    Err(NotToml { path: path.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::pem;

    fn message(content: impl Into<Vec<u8>>) -> String {
        text(Path::new("f.toml"), content.into(), TEMPLATE)
            .map_or_else(|error| error.to_string(), |_| "read".to_owned())
    }

    #[test]
    fn a_file_of_another_kind_is_named_and_toml_with_such_text_in_it_is_read() {
        let certificate = pem::certificate(&[1; 90]);
        let utf16: Vec<u8> = certificate.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for content in [certificate.clone().into_bytes(), format!("\n# x\n{certificate}").into_bytes(), utf16] {
            assert_eq!(message(content), "f.toml is a certificate, where a template is expected");
        }
        assert_eq!(message([0x1f, 0x8b, 8]), "f.toml is compressed with gzip, where a template is expected");
        for json in ["{\"a\": 1}", "[\n  {}\n]", "[{\"a\": 1}]"] {
            assert_eq!(message(json), "f.toml is a JSON file, where a template is expected", "{json}");
        }
        for toml in [
            String::new(),
            "[names\n".to_owned(),
            "[[file]\n".to_owned(),
            "[\"a\"\n".to_owned(),
            format!("a = '''\n{certificate}'''\n"),
            certificate.lines().map(|line| format!("# {line}\n")).collect(),
            format!("a = 1\nb =\n{certificate}"),
        ] {
            assert_eq!(message(toml.as_str()), "read", "{toml}");
        }
    }

    #[test]
    fn text_in_another_encoding_is_named() {
        assert_eq!(message([b'n', 0, b'=', 0]), "f.toml is text in UTF-16, but TOML is UTF-8");
        assert_eq!(message(*b"a = 1\nb = '\xff'"), "f.toml is not text in UTF-8 (line 2)");
        assert_eq!(message("\u{feff}a = 1"), "read");
    }

    #[test]
    fn the_fix_leads_to_a_toml_file_only_from_what_can_have_one() {
        let fix = |content: &[u8]| {
            let error = text(Path::new("f"), content.to_vec(), TEMPLATE).unwrap_err();
            error.diagnosis().hints
        };
        assert_eq!(fix(&[0x1f, 0x8b, 8]), ["convert it: gunzip -c f > NEW"]);
        let shown = ["the text of a template is shown by: ca template show server"];
        for other in [&b"<html>"[..], b"30820101", b"{}", b"> -----BEGIN CERTIFICATE-----\n", b"SQLite format 3\0"] {
            assert_eq!(fix(other), shown, "{other:?}");
        }
    }
}
