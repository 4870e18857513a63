//! The templates of a CA: the site's own, and the built-in ones as a fallback.

use std::path::{Path, PathBuf};

use crate::issuance::profile::Distribution;
use crate::issuance::{Profile, TemplateString, TemplateValues};
use crate::store::config::Config;
use crate::store::entry_name::EntryName;
use crate::store::error::TemplateError;
use crate::store::toml_file;
use crate::system::files::{self, FileError};
use crate::text::toml_document::{DocumentError, DocumentProblem, Located};
use crate::text::{PathText, escape, nearest};
use crate::x509::AttributeType;
use crate::x509::digest::sha256;

/// A template and its source.
#[derive(Debug, Clone)]
pub struct Template {
    pub name: String,
    pub toml: String,
    /// The path of the template; `None` for a built-in template.
    pub path: Option<PathBuf>,
    /// The folder of the site's own templates, in which its base is looked for.
    folder: PathBuf,
}

macro_rules! built_in {
    ($($name:literal),*) => { &[$(($name, include_str!(concat!("../../templates/", $name, ".toml")))),*] };
}

/// The built-in templates, which can be used before a CA exists.
const BUILT_IN: &[(&str, &str)] = built_in!["root", "intermediate", "server", "client", "peer", "handshake"];

/// Finds a template; the site's own takes precedence over the built-in one of the same name. Without a folder, which an empty path
/// says, there are only the built-in ones: a file in the working folder is not a template of a CA.
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
    if is_plain
        && !folder.as_os_str().is_empty()
        && let Some(content) = read(&path)?
    {
        let toml = toml_file::text(&path, content, toml_file::TEMPLATE)?;
        return Ok(Template { name: name.to_owned(), toml, path: Some(path), folder: folder.to_owned() });
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
    Some(Template { name: (*name).to_owned(), toml: (*toml).to_owned(), path: None, folder: PathBuf::new() })
}

/// Returns the template in a file, which need not be one of the site. `folder` has the templates that it can be based on.
///
/// # Errors
/// When it is not text in UTF-8, or a file of another kind.
pub fn from_file(folder: PathBuf, path: &Path, content: Vec<u8>) -> Result<Template, TemplateError> {
    let toml = toml_file::text(path, content, toml_file::TEMPLATE)?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Template { name, toml, path: Some(path.to_owned()), folder })
}

/// The built-in template that a new one is a copy of.
pub const TEMPLATE_TO_COPY: &str = "server";

/// Returns true for a name that a new template can have: it is a word on a command line and the name of a file.
pub fn is_good_name(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    name.len() <= 64 && name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_good)
}

/// Returns the names of the built-in templates, sorted.
pub fn built_in_names() -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    names
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

    /// Parses the template, with what it inherits from its bases.
    ///
    /// # Errors
    /// With every problem of the file at once; of a base, when the base has a problem.
    pub fn profile(&self) -> Result<Profile, TemplateError> {
        let mut inherited: Option<Profile> = None;
        for base in self.bases()?.iter().rev() {
            inherited = Some(base.profile_on(inherited.as_ref())?);
        }
        Ok(self.profile_on(inherited.as_ref())?)
    }

    fn profile_on(&self, base: Option<&Profile>) -> Result<Profile, DocumentError> {
        Profile::read_on(base, &self.name, &self.place(), &self.toml)
    }

    /// Returns the SHA-256 of its text, and of the texts that it is based on.
    ///
    /// # Errors
    /// As [`bases`](Self::bases).
    pub fn digest(&self) -> Result<[u8; 32], TemplateError> {
        let bases = self.bases()?;
        let texts = std::iter::once(self).chain(&bases).map(|template| sha256(template.toml.as_bytes()));
        Ok(sha256(&texts.collect::<Vec<_>>().concat()))
    }

    /// Returns the name of the template that this one is based on; `None` when it is not.
    pub fn base_name(&self) -> Option<String> {
        Profile::base_of(&self.toml).map(|base| base.value)
    }

    /// Returns the templates that this one is based on, the nearest first. A template with the name of a built-in one that
    /// names itself is based on that.
    ///
    /// # Errors
    /// When there is no such template, it cannot be read, or a template is based on itself.
    pub fn bases(&self) -> Result<Vec<Self>, TemplateError> {
        let mut bases: Vec<Self> = Vec::new();
        loop {
            let last = bases.last().unwrap_or(self);
            let Some(Located { value: name, place }) = Profile::base_of(&last.toml) else { return Ok(bases) };
            let wrong = |message: String, hint: Option<String>| DocumentError {
                name: last.place(),
                text: last.toml.clone(),
                problems: vec![DocumentProblem { place: place.clone(), message, hint }],
                more: 0,
            };
            let found = if name == last.name && last.path.is_some() {
                built_in(&name).ok_or_else(|| {
                    let message = format!(
                        "the template '{}' is based on itself, and no built-in one has its name",
                        escape(&name)
                    );
                    TemplateError::from(wrong(message, Some(format!("built-in are: {}", built_in_names().join(", ")))))
                })?
            } else {
                match find(&self.folder, &name) {
                    Err(TemplateError::Unknown { nearest, known, .. }) => {
                        let message = format!("there is no template '{}'", escape(&name));
                        let hint = match nearest {
                            Some(near) => format!("did you mean '{near}'?"),
                            None => format!("there are: {}", known.join(", ")),
                        };
                        return Err(wrong(message, Some(hint)).into());
                    }
                    found => found?,
                }
            };
            let is_found = |other: &&Self| other.name == found.name && other.path.is_some() == found.path.is_some();
            if let Some(first) = std::iter::once(self).chain(&bases).find(is_found) {
                let chain = std::iter::once(self).chain(&bases).skip_while(|other| other.name != first.name);
                let chain: Vec<&str> = chain.map(|template| template.name.as_str()).chain([name.as_str()]).collect();
                let message = format!("the template '{}' is based on itself: {}", escape(&name), chain.join(", "));
                return Err(wrong(message, Some("remove 'base' from one of them".to_owned())).into());
            }
            bases.push(found);
        }
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

    fn in_folder(files: &[(&str, &str)], name: &str) -> Result<Profile, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, toml) in files {
            std::fs::write(folder.path().join(format!("{name}.toml")), toml).unwrap();
        }
        let place = format!("{}/", folder.path().escaped());
        let error = |error: TemplateError| error.to_string().replace(&place, "");
        find(folder.path(), name).map_err(error)?.profile().map_err(error)
    }

    #[test]
    fn a_template_inherits_through_a_chain_and_keeps_its_own_name() {
        let files = [
            ("server", "base = \"server\"\nlifetime = \"30d\"\n"),
            ("web", "base = \"server\"\nsummary = \"web\"\n"),
            ("shop", "base = \"web\"\n[names]\nallow = [\"*.shop.test\"]\n"),
        ];
        let shop = in_folder(&files, "shop").unwrap();
        assert_eq!((shop.name.as_str(), shop.summary.as_str()), ("shop", "web"));
        assert_eq!((shop.lifetime.to_string(), shop.longest.to_string()), ("30d".to_owned(), "825d".to_owned()));
        assert_eq!((shop.names.at_least, shop.names.allow.len()), (1, 1));
        assert_eq!(in_folder(&files, "server").unwrap().summary, "TLS server");
    }

    #[test]
    fn a_base_that_is_missing_or_leads_back_is_an_error_with_its_place() {
        for (files, name, expected) in [
            (
                &[("a", "\nbase = \"sevrer\"\n")][..],
                "a",
                "a.toml:2:8: there is no template 'sevrer'; did you mean 'server'?",
            ),
            (&[("a", "base = \"a\"\n")], "a", "a.toml:1:8: the template 'a' is based on itself, and no built-in one"),
            (
                &[("a", "base = \"b\"\n"), ("b", "base = \"a\"\n")],
                "a",
                "b.toml:1:8: the template 'a' is based on itself: a, b, a;",
            ),
            (
                &[("a", "base = \"b\"\n"), ("b", "base = \"c\"\n"), ("c", "base = \"b\"\n")],
                "a",
                "c.toml:1:8: the template 'b' is based on itself: b, c, b;",
            ),
            (
                &[("server", "base = \"web\"\n"), ("web", "base = \"server\"\n")],
                "server",
                "web.toml:1:8: the template 'server' is based",
            ),
            (&[("a", "base = \"../b\"\n")], "a", "a.toml:1:8: there is no template '../b'"),
            (&[("a", "base = \"b\"\n"), ("b", "lifetime = 5\n")], "a", "b.toml:1:12: invalid type"),
        ] {
            let error = in_folder(files, name).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_new_template_has_a_name_that_is_a_word_and_a_file() {
        for name in ["web", "web-2.eu", "0_a"] {
            assert!(is_good_name(name), "{name}");
        }
        for name in ["", "Web", "../a", ".a", "-a", "a b", "a/b", "é", &"a".repeat(65)] {
            assert!(!is_good_name(name), "{name}");
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_not_passed_over_for_the_built_in_template() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("server.toml")).unwrap();
        assert!(matches!(find(folder.path(), "server"), Err(TemplateError::File(_))));
    }
}
