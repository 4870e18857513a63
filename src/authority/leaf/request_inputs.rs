//! What flags, template and settings make together, before anybody asks whether it is granted.

use std::collections::BTreeMap;

use crate::authority::error::AuthorityError;
use crate::issuance::profile::CommonName;
use crate::issuance::{Profile, Values};
use crate::store::config::Config;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::templates;
use crate::x509::GeneralName;

/// The template as it is used here: with the attributes of ca.toml that it does not speak of. Without a CA there are the
/// built-in ones.
pub(crate) fn profile(home: Option<&Home>, config: &Config, template: &str) -> Result<Profile, AuthorityError> {
    if template == crate::store::ca_certificates::ROOT {
        return Err(AuthorityError::RootTemplate(template.to_owned()));
    }
    let folder = home.map(|home| home.resolve(&config.issue.template_dir)).unwrap_or_default();
    let mut profile = templates::find(&folder, template)?.profile()?;
    templates::complete(&mut profile, config);
    Ok(profile)
}

/// A host name is called as the certificate says it, in lower-case A-labels, however it was typed.
pub(crate) fn plain_name(name: EntryName, profile: &Profile) -> Result<EntryName, AuthorityError> {
    let is_alternative_name = !profile.names.kinds.is_empty() && profile.common_name != CommonName::Name;
    match name.as_str().parse() {
        Ok(GeneralName::Dns(plain)) if is_alternative_name => Ok(plain.parse()?),
        _ => Ok(name),
    }
}

/// What the placeholders of the template stand for. The name of the authority that signs is not known to everybody.
pub(crate) fn values(
    profile: &Profile,
    name: &EntryName,
    set: &BTreeMap<String, String>,
    config: &Config,
    issuer: Option<&str>,
) -> Result<Values, AuthorityError> {
    let mut values = templates::values(name, config);
    values.0.extend(issuer.map(|issuer| (templates::ISSUER.to_owned(), issuer.to_owned())));
    let used = profile.uses();
    for (key, value) in set {
        if matches!(key.as_str(), "name" | "domain" | templates::ISSUER) {
            return Err(AuthorityError::ReservedValue(key.clone()));
        }
        if !used.contains(key) {
            let (key, template) = (key.clone(), profile.name.clone());
            return Err(AuthorityError::UnusedValue { key, template, used: used.into_iter().collect() });
        }
        values.0.insert(key.clone(), value.clone());
    }
    Ok(values)
}

/// The subject alternative names: NAME, where the template wants it there, and those that were given; each once.
pub(crate) fn names(
    profile: &Profile,
    name: &EntryName,
    given: &[GeneralName],
) -> Result<Vec<GeneralName>, AuthorityError> {
    let name = name.as_str();
    let own = if profile.names.kinds.is_empty() {
        None
    } else if profile.common_name == CommonName::Name {
        // NAME is the common name; it is an alternative name too when it can only be one.
        name.parse().ok().filter(|name| matches!(name, GeneralName::Email(_) | GeneralName::Uri(_)))
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
