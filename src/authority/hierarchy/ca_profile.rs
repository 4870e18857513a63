//! The profile and the request of a CA certificate: the template, with what ca.toml says of this authority.

use crate::authority::error::CertifyError;
use crate::issuance::{CertificateRequest, Expiry, GivenExtensions, Profile};
use crate::keys::{PrivateKey, Signer};
use crate::store::ca_certificates::ROOT;
use crate::store::config::Config;
use crate::store::entry_name::EntryName;
use crate::store::error::TemplateError;
use crate::store::{Store, templates};
use crate::text::Lifetime;

/// The template of a CA below another.
pub(crate) const INTERMEDIATE: &str = "intermediate";

/// The built-in template with what ca.toml says of this authority.
pub(crate) fn authority_profile(template: &str, config: &Config) -> Result<Profile, CertifyError> {
    let Some(built_in) = templates::built_in(template) else {
        let unknown = TemplateError::Unknown { name: template.to_owned(), nearest: None, known: Vec::new() };
        return Err(unknown.into());
    };
    let mut profile = built_in.profile()?;
    let settings = if template == ROOT { &config.root } else { &config.intermediate };
    profile.keys = vec![settings.key];
    profile.lifetime = settings.lifetime;
    profile.longest = profile.longest.max(settings.lifetime);
    if let Some(rules) = &mut profile.authority {
        rules.constraints = settings.constraints.clone();
    }
    if template == ROOT {
        templates::complete_subject(&mut profile, config);
        // No CRL lists a root: only the root itself could revoke it.
        profile.distribution.crl.clear();
    } else {
        templates::complete(&mut profile, config);
    }
    Ok(profile)
}

/// What the template of an authority decides for each of its certificates, also when its present certificate decides the
/// rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RecertifySettings {
    /// The length of a serial number, in bytes.
    pub serial_bytes: usize,
    /// How long before its signing a certificate becomes valid; `None`: not before.
    pub backdate: Option<Lifetime>,
}

impl RecertifySettings {
    /// Reads them from a template: the site's own before the built-in one. `usual` is read instead when there is no
    /// template of this name any more.
    ///
    /// # Errors
    /// When the template cannot be used.
    pub fn read(store: &Store, template: &str, usual: &str) -> Result<Self, CertifyError> {
        let folder = store.template_folder();
        let found = match templates::find(&folder, template) {
            Err(TemplateError::Unknown { .. }) => templates::find(&folder, usual),
            found => found,
        };
        let Profile { serial_bytes, backdate, .. } = found?.profile()?;
        Ok(Self { serial_bytes, backdate })
    }
}

/// Returns the request for a CA certificate. `common_name` is free text: no folder is called after it.
pub(crate) fn authority_request(
    common_name: &str,
    profile: &Profile,
    config: &Config,
    key: &PrivateKey,
) -> Result<CertificateRequest, CertifyError> {
    let entry: EntryName = profile.name.parse()?;
    let mut values = templates::values(&entry, config);
    values.0.insert("name".to_owned(), common_name.to_owned());
    values.0.insert(templates::ISSUER.to_owned(), ROOT.to_owned());
    Ok(CertificateRequest {
        name: common_name.to_owned(),
        names: Vec::new(),
        public_key: key.public_key().clone(),
        expiry: Expiry::Default,
        // An intermediate whose usual life is longer than its root's ends with the root.
        clip: true,
        whole_subject: None,
        extensions: GivenExtensions::None,
        subject: Vec::new(),
        values,
    })
}
