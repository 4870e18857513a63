//! What a manifest declares, and what it may refer to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::issuance::{FileRules, Profile};
use crate::store::entry_name::EntryName;
use crate::store::export::{ExportFormat, Target};
use crate::text::Lifetime;
use crate::x509::{GeneralName, KeyAlgorithm};

/// A certificate that a manifest declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredCertificate {
    pub name: EntryName,
    pub template: String,
    pub sans: Vec<GeneralName>,
    /// `None` for the lifetime of the template.
    pub lifetime: Option<Lifetime>,
    /// `None` for the first key algorithm of the template.
    pub key: Option<KeyAlgorithm>,
    /// The name of the authority; `None` for that of `ca.toml`.
    pub issuer: Option<String>,
    /// The folder of the files, absolute; `None` for the usual one.
    pub out: Option<PathBuf>,
    /// The owner, group and mode; what is not declared stays as it is remembered with the name.
    pub files: FileRules,
    pub exports: Vec<DeclaredExport>,
    /// The command line for `sh`; `None` leaves the hook of the name, an empty one forgets it.
    pub hook: Option<String>,
    /// The manifest: its place in the list that was read.
    pub manifest: usize,
}

/// An export of a declared certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredExport {
    pub kind: ExportKind,
    /// The file, or the folder of a recipe; absolute.
    pub out: PathBuf,
}

/// What an export makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportKind {
    /// One file; a PKCS#12 file may be for certain programs.
    File(ExportFormat, Option<Target>),
    /// The files of a recipe, by its name.
    Program(String),
}

/// What a manifest may refer to, read before the manifest.
#[derive(Default)]
pub struct ManifestSite {
    /// The templates by name; `None` for one that cannot be read, which is reported when it is used.
    pub templates: BTreeMap<String, Option<Profile>>,
    pub authorities: Vec<String>,
    pub recipes: Vec<String>,
}
