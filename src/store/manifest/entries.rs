//! The certificates of one table: one, or many alike whose names come from a list, a number or a range.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::issuance::{FileRules, Profile};
use crate::store::entry_name::EntryName;
use crate::store::manifest::declared::{DeclaredCertificate, DeclaredExport, ManifestSite};
use crate::store::manifest::settings::Settings;
use crate::store::recipe::placeholder::{filled, placeholders};
use crate::text::toml_document::{Document, Located, Section};
use crate::text::{escape, shell_word};
use crate::x509::GeneralName;

/// The most certificates that manifests declare together.
pub const MOST_CERTIFICATES: usize = 100_000;

/// The placeholders of a manifest.
const NAME: &str = "name";
const NUMBER: &str = "n";

/// The names of a table.
enum Names {
    One(Located<String>),
    List(Vec<Located<String>>),
    /// One name with `{{ n }}` in it, and the numbers.
    Numbered(Located<String>, Numbers),
}

/// Numbers from the first to the last one, with zeros in front up to the width.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Numbers {
    range: std::ops::RangeInclusive<u64>,
    width: usize,
}

impl Numbers {
    /// Reads `1-40` or `001-040`.
    fn parse(written: &str) -> Option<Self> {
        let (first, last) = written.split_once('-')?;
        let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u64>().ok())?;
        let range = number(first)?..=number(last)?;
        let width = if first.starts_with('0') { first.len() } else { 1 };
        (!range.is_empty()).then_some(Self { range, width })
    }

    fn len(&self) -> u64 {
        (self.range.end() - self.range.start()).saturating_add(1)
    }
}

/// Reads the certificates of one table.
pub(super) struct TableReader<'d, 't> {
    pub document: &'d Document<'t>,
    pub site: &'d ManifestSite,
    /// The folder of the manifest: relative paths begin there.
    pub folder: &'d Path,
    pub manifest: usize,
}

/// A certificate, and where its name is written.
pub(super) type LocatedCertificate = Located<DeclaredCertificate>;

impl<'d, 't> TableReader<'d, 't> {
    /// Takes the certificates of a table; `base` has the settings above it.
    pub fn take(&self, mut section: Section<'d, 't>, base: &Settings, found: &mut Vec<LocatedCertificate>) {
        let place = section.place();
        let names = self.names(&mut section);
        let settings = Settings::take(&mut section, self.site).over(base);
        section.finish();
        let Some(template) = &settings.template else {
            let hint = "for example template = \"server\", here or in [defaults]".to_owned();
            return self.document.note(place, "'template' is missing", Some(hint));
        };
        let profile = self.site.templates.get(&template.value).and_then(Option::as_ref);
        if let Some(profile) = profile {
            self.check(&settings, profile);
        }
        let Some(names) = names else { return };
        match names {
            Names::One(name) => found.extend(self.certificate(&name, None, &settings, profile)),
            Names::List(names) => {
                found.extend(names.iter().filter_map(|name| self.certificate(name, None, &settings, profile)));
            }
            Names::Numbered(name, Numbers { range, width }) => {
                for number in range {
                    let number = format!("{number:0width$}");
                    // What is wrong with one is wrong with all.
                    let Some(certificate) = self.certificate(&name, Some(&number), &settings, profile) else { break };
                    found.push(certificate);
                    if found.len() > MOST_CERTIFICATES {
                        break;
                    }
                }
            }
        }
    }

    fn names(&self, section: &mut Section<'d, 't>) -> Option<Names> {
        let place = section.place();
        let name = section.take::<String>("name");
        let list = section.take_list::<String>("names");
        let count = section.take::<u64>("count");
        let range = section.take::<String>("range");
        let numbers = match (count, range) {
            (Some(count), Some(_)) => {
                self.document.note(count.place, "'count' and 'range' are two ways to say the same", None);
                return None;
            }
            (Some(Located { value: 0, place }), None) => {
                self.document.note(place, "expected a whole number, 1 or more", None);
                return None;
            }
            (Some(Located { value, place }), None) => {
                Some(Located { value: Numbers { range: 1..=value, width: 1 }, place })
            }
            (None, Some(range)) => match Numbers::parse(&range.value) {
                Some(numbers) => Some(Located { value: numbers, place: range.place }),
                None => {
                    let message = format!("'{}' is not a range of numbers", escape(&range.value));
                    self.document.note(range.place, message, Some("for example \"1-40\" or \"01-40\"".to_owned()));
                    return None;
                }
            },
            (None, None) => None,
        };
        match (name, list, numbers) {
            (Some(name), None, None) => Some(Names::One(name)),
            (None, Some(list), None) => Some(Names::List(list.value)),
            (Some(name), None, Some(numbers)) => {
                if !placeholders(&name.value).iter().any(|placeholder| placeholder.name == NUMBER) {
                    let hint = "for example name = \"node{{ n }}.corp.test\"".to_owned();
                    self.document.note(name.place, "all certificates of the table would have this name", Some(hint));
                    return None;
                }
                if numbers.value.len() > MOST_CERTIFICATES as u64 {
                    let message = format!("a manifest declares at most {MOST_CERTIFICATES} certificates");
                    self.document.note(numbers.place, message, None);
                    return None;
                }
                Some(Names::Numbered(name, numbers.value))
            }
            (Some(_), Some(list), _) => {
                self.document.note(list.place, "'name' and 'names' are two ways to say the same", None);
                None
            }
            (None, _, Some(numbers)) => {
                self.document.note(numbers.place, "it needs a 'name' with {{ n }}", None);
                None
            }
            (None, None, None) => {
                self.document.note(place, "'name' is missing", Some("for example name = \"www.corp.test\"".to_owned()));
                None
            }
        }
    }

    /// Notes what the template does not allow.
    fn check(&self, settings: &Settings, profile: &Profile) {
        if let Some(key) = &settings.key
            && !profile.keys.contains(&key.value)
        {
            let message = format!("the template '{}' does not allow the key algorithm {}", profile.name, key.value);
            let allowed: Vec<&str> = profile.keys.iter().map(|key| key.name()).collect();
            self.document.note(key.place.clone(), message, Some(format!("it allows {}", allowed.join(", "))));
        }
        if let Some(lifetime) = &settings.lifetime
            && lifetime.value > profile.longest
        {
            let message = format!("the template '{}' allows at most {}", profile.name, profile.longest);
            self.document.note(lifetime.place.clone(), message, None);
        }
        if let Some(template) = settings.template.as_ref().filter(|_| profile.is_authority()) {
            let message = format!("the template '{}' makes an authority", profile.name);
            let hint = "a manifest declares certificates that are not those of a CA".to_owned();
            self.document.note(template.place.clone(), message, Some(hint));
        }
    }

    /// Returns the certificate of one name; `None` when something is wrong with it, which is noted.
    fn certificate(
        &self,
        written: &Located<String>,
        number: Option<&str>,
        settings: &Settings,
        profile: Option<&Profile>,
    ) -> Option<LocatedCertificate> {
        let name = self.fill(written, &[(NUMBER, number)])?;
        let name: EntryName =
            name.parse().map_err(|error| self.document.note(written.place.clone(), error, None)).ok()?;
        // As `ca issue` does: NAME of a server is a host name or an address.
        let name = match name.as_str().parse() {
            Ok(GeneralName::Dns(plain)) if profile.is_some_and(is_of_host) => {
                plain.parse().map_err(|error| self.document.note(written.place.clone(), error, None)).ok()?
            }
            Err(error) if profile.is_some_and(is_of_host) => {
                self.document.note(written.place.clone(), error, None);
                return None;
            }
            _ => name,
        };
        let values = [(NAME, Some(name.as_str())), (NUMBER, number)];
        let san = |san: &Located<String>| {
            let value = self.fill(san, &values)?;
            value.parse::<GeneralName>().map_err(|error| self.document.note(san.place.clone(), error, None)).ok()
        };
        let sans = settings.sans.iter().flatten().map(san).collect::<Option<Vec<_>>>()?;
        let path = |path: &Located<String>| {
            let value = self.fill(path, &values)?;
            if value.is_empty() {
                self.document.note(path.place.clone(), "the path is empty", None);
                return None;
            }
            Some(self.folder.join(value))
        };
        let out = match &settings.out {
            Some(out) => Some(path(out)?),
            None => None,
        };
        let exports = settings.exports.iter().flatten();
        let exports = exports.map(|export| Some(DeclaredExport { kind: export.kind.clone(), out: path(&export.out)? }));
        let exports = exports.collect::<Option<Vec<_>>>()?;
        let hook = match &settings.hook {
            Some(hook) => {
                // A shell reads it, and a name can have characters that mean something there.
                let name = shell_word(name.as_str());
                Some(self.fill(hook, &[(NAME, Some(&name)), (NUMBER, number)])?.trim().to_owned())
            }
            None => None,
        };
        let value = |located: &Option<Located<String>>| located.as_ref().map(|located| located.value.clone());
        let certificate = DeclaredCertificate {
            name,
            template: value(&settings.template)?,
            sans,
            lifetime: settings.lifetime.as_ref().map(|lifetime| lifetime.value),
            key: settings.key.as_ref().map(|key| key.value),
            issuer: value(&settings.issuer),
            out,
            files: FileRules {
                mode: settings.mode.as_ref().map(|mode| mode.value),
                owner: value(&settings.owner),
                group: value(&settings.group),
            },
            exports,
            hook,
            manifest: self.manifest,
        };
        Some(Located { value: certificate, place: written.place.clone() })
    }

    /// Returns a text with its placeholders replaced.
    fn fill(&self, written: &Located<String>, values: &[(&str, Option<&str>)]) -> Option<String> {
        if !written.value.contains("{{") {
            return Some(written.value.clone());
        }
        let value = |name: &str| values.iter().find(|(known, _)| *known == name)?.1.map(str::to_owned);
        let whole = filled(&written.value, value);
        if whole.is_none() {
            let known: Vec<String> = values
                .iter()
                .filter(|(_, value)| value.is_some())
                .map(|(name, _)| format!("{{{{ {name} }}}}"))
                .collect();
            let hint = if known.is_empty() {
                "{{ n }} needs 'count' or 'range'".to_owned()
            } else {
                format!("known here: {}", known.join(", "))
            };
            let message = format!("a placeholder of '{}' has no value", escape(&written.value));
            self.document.note(written.place.clone(), message, Some(hint));
        }
        whole
    }
}

/// Returns whether NAME is a host name or an address whatever it is.
fn is_of_host(profile: &Profile) -> bool {
    use crate::issuance::name_rules::{CommonName, NameKind};
    let kinds = &profile.names.kinds;
    profile.common_name != CommonName::Name && kinds.iter().any(|kind| matches!(kind, NameKind::Dns | NameKind::Ip))
}

/// Where the files of an entry are declared twice.
pub(super) fn places(certificate: &DeclaredCertificate) -> impl Iterator<Item = &PathBuf> {
    certificate.out.iter().chain(certificate.exports.iter().map(|export| &export.out))
}

/// A range in a manifest, as `FILE:LINE`.
pub(super) fn line_of(name: &str, text: &str, place: &Range<usize>) -> String {
    let before = &text[..text.floor_char_boundary(place.start)];
    format!("{name}:{}", before.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_its_width_and_its_ends() {
        let numbers = |range, width| Some(Numbers { range, width });
        assert_eq!(Numbers::parse("1-40"), numbers(1..=40, 1));
        assert_eq!(Numbers::parse("008-010"), numbers(8..=10, 3));
        for wrong in ["", "1", "5-1", "-1-3", "1-+3", "a-b", "1-2-3"] {
            assert_eq!(Numbers::parse(wrong), None, "{wrong}");
        }
    }
}
