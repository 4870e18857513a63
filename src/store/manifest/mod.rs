//! Manifests: TOML files that declare certificates. Reading is pure; `authority/apply/` compares what is declared with the CA, and
//! `app/apply/` makes the difference.

mod declared;
mod entries;
mod error;
mod form;
mod reading;
mod settings;

pub use declared::{DeclaredCertificate, DeclaredExport, ExportKind, ManifestSite};
pub use error::ManifestError;
pub use form::ManifestForm;
pub use reading::{ManifestText, read};

#[cfg(test)]
mod tests;
