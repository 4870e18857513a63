//! The problems of manifests.

use std::fmt;

use crate::text::toml_document::DocumentError;
use crate::text::{Diagnosis, Diagnostic};

/// The problems of one or several manifests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestError(pub Vec<DocumentError>);

impl fmt::Display for ManifestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            write!(f, "{newline}{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ManifestError {}

impl Diagnostic for ManifestError {
    fn diagnosis(&self) -> Diagnosis {
        let document = match self.0.as_slice() {
            [only] => Some(Box::new(only.clone())),
            _ => None,
        };
        Diagnosis { document, ..Diagnosis::usage("bad-manifest") }
    }
}
