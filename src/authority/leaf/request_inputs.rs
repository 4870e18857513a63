//! Combines flags, template and settings into the content of a certificate, before it is checked against the rules.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::issuance::name_rules::{CommonName, NameKind};
use crate::issuance::{Profile, TemplateValues};
use crate::store::config::Config;
use crate::store::entry_name::EntryName;
use crate::store::error::{StoreError, list};
use crate::store::{Store, templates};
use crate::text::{self, Diagnosis, Diagnostic};
use crate::x509::GeneralName;
use crate::x509::general_name::GeneralNameError;

/// The reason why flags, template and settings do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum RequestInputError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    Name(#[from] GeneralNameError),
    #[error("--set {}: no string of the template '{template}' uses that value", text::escape(key))]
    UnusedValue { key: String, template: String, used: Vec<String> },
    #[error("--set {}: that value is given by the program", text::escape(.0))]
    ReservedValue(String),
    #[error("the template '{0}' makes a CA's own root; use 'ca init'")]
    RootTemplate(String),
}

impl<E> From<E> for RequestInputError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for RequestInputError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::Name(_) => {
                Diagnosis::usage("bad-name").hint("a prefix forces a kind: dns:, ip:, email:, uri:, upn:, kerberos:")
            }
            Self::UnusedValue { used, .. } => {
                let is_given = |used: &&String| !["name", "domain", "issuer"].contains(&used.as_str());
                let known: Vec<_> = used.iter().filter(is_given).cloned().collect();
                let unused = Diagnosis::usage("unused-value");
                if known.is_empty() { unused } else { unused.hint(format!("it uses {}", list(&known))) }
            }
            Self::ReservedValue(_) => Diagnosis::usage("reserved-value"),
            Self::RootTemplate(_) => Diagnosis::usage("root-template"),
        }
    }
}

/// Returns the template, completed with the subject attributes of `ca.toml` that it does not set. Without a CA, only
/// the built-in templates exist.
pub(crate) fn profile(store: Option<&Store>, template: &str) -> Result<Profile, RequestInputError> {
    match store {
        Some(store) => read_profile(&store.template_folder(), store.config(), template),
        None => read_profile(Path::new(""), &Config::default(), template),
    }
}

/// As [`profile`], from a folder of templates and settings.
pub(crate) fn read_profile(folder: &Path, config: &Config, template: &str) -> Result<Profile, RequestInputError> {
    if template == crate::store::ca_certificates::ROOT {
        return Err(RequestInputError::RootTemplate(template.to_owned()));
    }
    let mut profile = templates::find(folder, template)?.profile()?;
    templates::complete(&mut profile, config);
    Ok(profile)
}

/// Normalizes a host name to lower-case A-labels, as the certificate has it.
pub(crate) fn plain_name(name: EntryName, profile: &Profile) -> Result<EntryName, RequestInputError> {
    match name.as_str().parse() {
        Ok(GeneralName::Dns(plain)) if is_name_of_host(profile) => Ok(plain.parse()?),
        _ => Ok(name),
    }
}

/// Returns true when NAME is a subject alternative name whatever it is. Where the template uses it as the common name, or allows
/// neither host names nor addresses, it is one only when it is an email address or a URI.
fn is_name_of_host(profile: &Profile) -> bool {
    let is_of_host = |kind: &NameKind| matches!(kind, NameKind::Dns | NameKind::Ip);
    profile.common_name != CommonName::Name && profile.names.kinds.iter().any(is_of_host)
}

fn kinds_have(profile: &Profile, word: &str) -> bool {
    profile.names.kinds.iter().any(|kind| kind.word() == word)
}

/// Returns the values of the template's placeholders. `issuer` is `None` when the caller does not know the signing
/// authority.
pub(crate) fn values(
    profile: &Profile,
    name: &EntryName,
    set: &BTreeMap<String, String>,
    config: &Config,
    issuer: Option<&str>,
) -> Result<TemplateValues, RequestInputError> {
    let mut values = templates::values(name, config);
    values.0.extend(issuer.map(|issuer| (templates::ISSUER.to_owned(), issuer.to_owned())));
    let used = if set.is_empty() { BTreeSet::new() } else { profile.uses() };
    for (key, value) in set {
        if matches!(key.as_str(), "name" | "domain" | templates::ISSUER) {
            return Err(RequestInputError::ReservedValue(key.clone()));
        }
        if !used.contains(key) {
            let (key, template) = (key.clone(), profile.name.clone());
            return Err(RequestInputError::UnusedValue { key, template, used: used.into_iter().collect() });
        }
        values.0.insert(key.clone(), value.clone());
    }
    Ok(values)
}

/// Returns the subject alternative names: NAME, when the template uses it as one, and the given names; each once.
pub(crate) fn names(
    profile: &Profile,
    name: &EntryName,
    given: &[GeneralName],
) -> Result<Vec<GeneralName>, RequestInputError> {
    let name = name.as_str();
    let own = if profile.names.kinds.is_empty() {
        None
    } else if !is_name_of_host(profile) {
        let allows = |kind| profile.names.kinds.contains(&kind);
        // `alice@corp.test` is a user principal name where e-mail addresses are not allowed.
        let upn = allows(NameKind::Upn) && !allows(NameKind::Email) && name.contains('@') && !name.contains(':');
        let name = if upn { format!("upn:{name}") } else { name.to_owned() };
        let is_other = |name: &GeneralName| name.principal().is_some_and(|(form, _)| kinds_have(profile, form.word()));
        name.parse().ok().filter(|name| matches!(name, GeneralName::Email(_) | GeneralName::Uri(_)) || is_other(name))
    } else {
        Some(name.parse()?)
    };
    let mut names: Vec<GeneralName> = Vec::new();
    for name in own.iter().chain(given) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}
