//! The templates of a CA: the site's own, and the built-in ones as a fallback.

use std::path::{Path, PathBuf};

use crate::issuance::profile::Distribution;
use crate::issuance::{Profile, TemplateString, TemplateValues};
use crate::store::config::Config;
use crate::store::entry_name::EntryName;
use crate::store::error::TemplateError;
use crate::system::files::{self, FileError};
use crate::text::toml_document::{self, DocumentError};
use crate::text::{PathText, nearest};
use crate::x509::AttributeType;

/// A template and its source.
#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
    pub toml: String,
    /// The path of the template; `None` for a built-in template.
    pub path: Option<PathBuf>,
}

macro_rules! built_in {
    ($($name:literal),*) => { &[$(($name, include_str!(concat!("../../templates/", $name, ".toml")))),*] };
}

/// The built-in templates, which can be used before a CA exists.
const BUILT_IN: &[(&str, &str)] = built_in!["root", "intermediate", "server", "client", "peer", "handshake"];

/// Finds a template; the site's own takes precedence over the built-in one of the same name.
///
/// # Errors
/// When no template has this name, or it cannot be read.
pub fn find(folder: &Path, name: &str) -> Result<Template, TemplateError> {
    // A name with a slash would lead out of the folder, so no template has such a name.
    let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
    let path = folder.join(format!("{name}.toml"));
    // A dangling symbolic link is an error and not a missing template, which the built-in one would silently replace.
    let read = |path: &Path| match path.is_symlink() {
        true => files::read(path, files::MAX_SMALL_FILE_BYTES).map(Some),
        false => files::read_if_exists(path, files::MAX_SMALL_FILE_BYTES),
    };
    if is_plain && let Some(content) = read(&path)? {
        let toml =
            toml_document::decode(content).map_err(|cause| TemplateError::Encoding { path: path.clone(), cause })?;
        return Ok(Template { name: name.to_owned(), toml, path: Some(path) });
    }
    match built_in(name) {
        Some(template) => Ok(template),
        None => {
            let known = names(folder)?;
            let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
            Err(TemplateError::Unknown { name: name.to_owned(), nearest, known })
        }
    }
}

/// Returns a built-in template; `None` when none has this name.
pub fn built_in(name: &str) -> Option<Template> {
    let (name, toml) = BUILT_IN.iter().find(|(known, _)| *known == name)?;
    Some(Template { name: (*name).to_owned(), toml: (*toml).to_owned(), path: None })
}

/// Returns the names of all templates, sorted.
///
/// # Errors
/// When the folder exists but cannot be read.
pub fn names(folder: &Path) -> Result<Vec<String>, FileError> {
    let own = files::names_in(folder)?.into_iter().filter_map(|name| name.strip_suffix(".toml").map(str::to_owned));
    let mut names: Vec<String> = own.chain(BUILT_IN.iter().map(|(name, _)| (*name).to_owned())).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Adds the settings of `ca.toml` that the template does not set: attributes of the subject, and the URLs of the CRL,
/// the issuer's certificate and its OCSP responder.
pub fn complete(profile: &mut Profile, config: &Config) {
    complete_subject(profile, config);
    let Distribution { crl, ca_issuers, ocsp } = &mut profile.distribution;
    let settings = &config.distribution;
    for (texts, urls) in [(crl, &config.crl.urls), (ca_issuers, &settings.ca_issuers), (ocsp, &settings.ocsp)] {
        if texts.is_empty() {
            // An invalid URL was already reported as an error of `ca.toml`.
            *texts = urls.iter().filter_map(|url| TemplateString::parse(url).ok()).collect();
        }
    }
}

/// Adds only the subject attributes: a root has no issuer whose CRL, certificate or OCSP responder a URL could name.
pub fn complete_subject(profile: &mut Profile, config: &Config) {
    for label in config.subject.keys() {
        let Some(kind) = AttributeType::from_label(label) else { continue };
        let text = TemplateString::parse(&format!("{{{{ {} }}}}", placeholder(label)));
        if let (Ok(text), false) = (text, profile.subject.iter().any(|(known, _)| *known == kind)) {
            profile.subject.push((kind, text));
        }
    }
}

/// The placeholder for the name of the signing authority.
pub const ISSUER: &str = "issuer";

/// Returns the placeholder name of an attribute's label, for example `organizational_unit`.
fn placeholder(label: &str) -> String {
    label.replace('-', "_")
}

/// Returns the values of the placeholders that every template may use.
pub fn values(name: &EntryName, config: &Config) -> TemplateValues {
    let unset = AttributeType::all_labels().map(|label| (placeholder(label), String::new()));
    let set = config.subject.iter().map(|(label, value)| (placeholder(label), value.clone()));
    let own =
        [("name", name.as_str()), ("domain", name.domain())].map(|(key, value)| (key.to_owned(), value.to_owned()));
    TemplateValues(unset.chain(set).chain(own).collect())
}

impl Template {
    /// Returns the source of the template for messages: its path, or the name of the built-in template.
    pub fn place(&self) -> String {
        self.path.as_ref().map_or_else(|| format!("<built-in>/{}.toml", self.name), |path| path.escaped().to_string())
    }

    /// Parses the template.
    ///
    /// # Errors
    /// With every problem of the file at once.
    pub fn profile(&self) -> Result<Profile, DocumentError> {
        Profile::read(&self.name, &self.place(), &self.toml)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_template_holds_together() {
        for (name, _) in BUILT_IN {
            let profile = built_in(name).unwrap().profile().unwrap();
            assert!(!profile.summary.is_empty(), "{name}");
            assert_eq!(profile.is_authority(), ["root", "intermediate"].contains(name), "{name}");
        }
    }

    #[test]
    fn the_sites_own_template_comes_first_and_a_mistyped_name_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("server.toml"), "summary = \"ours\"").unwrap();
        std::fs::write(folder.path().join("web.toml"), "").unwrap();
        assert_eq!(find(folder.path(), "server").unwrap().toml, "summary = \"ours\"");
        assert!(find(folder.path(), "client").unwrap().path.is_none());
        let Err(TemplateError::Unknown { nearest, known, .. }) = find(folder.path(), "sevrer") else { panic!("found") };
        assert_eq!(nearest.as_deref(), Some("server"));
        assert!(known.contains(&"web".to_owned()));
        assert!(matches!(find(folder.path(), "../server"), Err(TemplateError::Unknown { .. })));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_passed_over_for_the_built_in_template() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("server.toml")).unwrap();
        assert!(matches!(find(folder.path(), "server"), Err(TemplateError::File(_))));
    }
}
