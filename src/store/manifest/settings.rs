//! The settings of a table of a manifest. Those of a certificate win over those of its group, and those over `[defaults]`.

use crate::issuance::file_rules::{KEY_MODES, key_mode};
use crate::store::export::{ExportFormat, Target};
use crate::store::manifest::declared::{ExportKind, ManifestSite};
use crate::text::toml_document::{Document, Located, Section};
use crate::text::{Lifetime, escape, nearest};
use crate::x509::KeyAlgorithm;

/// What a table says; `None` where it is silent.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub template: Option<Located<String>>,
    pub sans: Option<Vec<Located<String>>>,
    pub lifetime: Option<Located<Lifetime>>,
    pub key: Option<Located<KeyAlgorithm>>,
    pub issuer: Option<Located<String>>,
    pub out: Option<Located<String>>,
    pub owner: Option<Located<String>>,
    pub group: Option<Located<String>>,
    pub mode: Option<Located<u32>>,
    pub exports: Option<Vec<WrittenExport>>,
    pub hook: Option<Located<String>>,
}

/// An export as a table has it; its path may have placeholders.
#[derive(Debug, Clone)]
pub(super) struct WrittenExport {
    pub kind: ExportKind,
    pub out: Located<String>,
}

impl Settings {
    /// Takes the settings out of a table.
    pub fn take(section: &mut Section<'_, '_>, site: &ManifestSite) -> Self {
        let document = section.document();
        let template = section.take::<String>("template");
        if let Some(template) = &template {
            known(document, template, "template", site.templates.keys().map(String::as_str));
        }
        let sans = section.take_list::<String>("sans").map(|list| list.value);
        let lifetime = section.take("for");
        let key = section.take("key");
        let issuer = section.take::<String>("issuer");
        if let Some(issuer) = &issuer {
            known(document, issuer, "authority", site.authorities.iter().map(String::as_str));
        }
        let out = section.take("out");
        let owner = section.take("owner");
        let group = section.take("group");
        let mode = section.take::<String>("mode").and_then(|written| match key_mode(&written.value) {
            Some(mode) => Some(Located { value: mode, place: written.place }),
            None => {
                let message = format!("'{}' is not the mode of a private key", escape(&written.value));
                document.note(written.place, message, Some(format!("the modes are {KEY_MODES}")));
                None
            }
        });
        let exports = section.contains("export").then(|| {
            let sections = section.sections("export").unwrap_or_default();
            sections.into_iter().filter_map(|section| WrittenExport::take(section, site)).collect()
        });
        let hook = section.take("hook");
        Self { template, sans, lifetime, key, issuer, out, owner, group, mode, exports, hook }
    }

    /// Returns these settings, and where they are silent those of `base`.
    pub fn over(self, base: &Self) -> Self {
        let base = base.clone();
        Self {
            template: self.template.or(base.template),
            sans: self.sans.or(base.sans),
            lifetime: self.lifetime.or(base.lifetime),
            key: self.key.or(base.key),
            issuer: self.issuer.or(base.issuer),
            out: self.out.or(base.out),
            owner: self.owner.or(base.owner),
            group: self.group.or(base.group),
            mode: self.mode.or(base.mode),
            exports: self.exports.or(base.exports),
            hook: self.hook.or(base.hook),
        }
    }
}

impl WrittenExport {
    /// Reads `{ as = "p12", out = "web.p12" }` or `{ target = "nginx", out = "nginx" }`.
    fn take(mut section: Section<'_, '_>, site: &ManifestSite) -> Option<Self> {
        let (document, place) = (section.document(), section.place());
        let format = section.take::<String>("as");
        let target = section.take::<String>("target");
        let out = section.take::<String>("out");
        section.finish();
        if out.is_none() {
            document.note(place.clone(), "'out' is missing", Some("for example out = \"web.p12\"".to_owned()));
        }
        let kind = match (format, target) {
            (None, None) => {
                let hint = "for example as = \"p12\", or target = \"nginx\"".to_owned();
                document.note(place, "an export has 'as' or 'target'", Some(hint));
                return None;
            }
            (None, Some(recipe)) => {
                known(document, &recipe, "recipe", site.recipes.iter().map(String::as_str));
                ExportKind::Program(recipe.value)
            }
            (Some(format), target) => {
                let read = match format.value.parse::<ExportFormat>() {
                    Ok(ExportFormat::OpensslIndex) => Err("openssl-index is of an authority".to_owned()),
                    read => read,
                };
                let format = read.map_err(|expected| document.note(format.place, expected, None)).ok()?;
                let target = match target {
                    None => None,
                    Some(target) if format != ExportFormat::P12 => {
                        document.note(target.place, "beside 'as', 'target' is for p12", None);
                        None
                    }
                    Some(target) => {
                        let read = target.value.parse::<Target>();
                        read.map_err(|expected| document.note(target.place, expected, None)).ok()
                    }
                };
                ExportKind::File(format, target)
            }
        };
        Some(Self { kind, out: out? })
    }
}

/// Notes a word that the CA does not know.
fn known<'w>(
    document: &Document<'_>,
    written: &Located<String>,
    what: &str,
    words: impl Iterator<Item = &'w str> + Clone,
) {
    if words.clone().any(|word| word == written.value) {
        return;
    }
    let hint = match nearest(&written.value, words.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("there are: {}", words.collect::<Vec<_>>().join(", ")),
    };
    document.note(written.place.clone(), format!("there is no {what} '{}'", escape(&written.value)), Some(hint));
}
