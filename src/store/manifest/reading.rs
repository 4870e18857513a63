//! Reads manifests, with the place of every problem of all of them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::store::manifest::declared::{DeclaredCertificate, ManifestSite};
use crate::store::manifest::entries::{MOST_CERTIFICATES, TableReader, line_of, places};
use crate::store::manifest::error::ManifestError;
use crate::store::manifest::settings::Settings;
use crate::text::toml_document::{Document, DocumentError, Located};
use crate::text::{PathText, escape};

/// A manifest that was read from its file.
pub struct ManifestText {
    /// The name of the file in messages.
    pub name: String,
    /// Absolute.
    pub path: PathBuf,
    pub text: String,
}

/// Reads manifests. Relative paths in one begin at its folder.
///
/// # Errors
/// With every problem of every file: unknown keys and words, values of the wrong type, what a template does not allow, and names
/// and paths that are declared twice.
pub fn read(manifests: &[ManifestText], site: &ManifestSite) -> Result<Vec<DeclaredCertificate>, ManifestError> {
    let documents: Vec<Document<'_>> =
        manifests.iter().map(|manifest| Document::new(manifest.name.clone(), &manifest.text)).collect();
    let mut found = Vec::new();
    for (manifest, (document, file)) in documents.iter().zip(manifests).enumerate() {
        let folder = file.path.parent().unwrap_or(Path::new("/"));
        let tables = TableReader { document, site, folder, manifest };
        let mut top = document.top();
        let defaults = match top.section("defaults") {
            Some(mut section) => {
                let settings = Settings::take(&mut section, site);
                section.finish();
                settings
            }
            None => Settings::default(),
        };
        for mut group in top.sections("group").unwrap_or_default() {
            let certificates = group.sections("certificate").unwrap_or_default();
            let settings = Settings::take(&mut group, site).over(&defaults);
            group.finish();
            certificates.into_iter().for_each(|section| tables.take(section, &settings, &mut found));
        }
        for section in top.sections("certificate").unwrap_or_default() {
            tables.take(section, &defaults, &mut found);
        }
        top.finish();
    }
    check_once(&found, &documents, manifests);
    if let (Some(last), true) = (found.last(), found.len() > MOST_CERTIFICATES) {
        let message = format!("a manifest declares at most {MOST_CERTIFICATES} certificates");
        documents[last.value.manifest].note(last.place.clone(), message, None);
    }
    let errors: Vec<DocumentError> = documents.into_iter().filter_map(|document| document.finish().err()).collect();
    if errors.is_empty() {
        Ok(found.into_iter().map(|located| located.value).collect())
    } else {
        Err(ManifestError(errors))
    }
}

/// Notes each name and each path that is declared a second time.
fn check_once(found: &[Located<DeclaredCertificate>], documents: &[Document<'_>], manifests: &[ManifestText]) {
    let mut names: HashMap<String, &Located<DeclaredCertificate>> = HashMap::with_capacity(found.len());
    let mut paths: HashMap<&PathBuf, &Located<DeclaredCertificate>> = HashMap::new();
    for located in found {
        let declared = &located.value;
        let note = |message: String, first: &Located<DeclaredCertificate>| {
            let file = &manifests[first.value.manifest];
            let hint = format!("the first one is at {}", line_of(&file.name, &file.text, &first.place));
            documents[declared.manifest].note(located.place.clone(), message, Some(hint));
        };
        match names.get(&declared.name.folder()) {
            Some(first) => note(format!("'{}' is declared twice", escape(declared.name.as_str())), first),
            None => drop(names.insert(declared.name.folder(), located)),
        }
        for path in places(declared) {
            match paths.get(path) {
                Some(first) => note(format!("{} is written by two certificates or exports", path.escaped()), first),
                None => drop(paths.insert(path, located)),
            }
        }
    }
}
