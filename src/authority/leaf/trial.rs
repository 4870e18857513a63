//! A certificate as a template would make it: decided, checked and verified like one that is issued. Nothing is signed,
//! recorded or written, and no key of the CA is opened.

use std::collections::BTreeMap;

use crate::authority::certify::verify_draft;
use crate::authority::error::CertifyError;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::request_inputs;
use crate::authority::serial::draw_serial;
use crate::clients::Fact;
use crate::issuance::{CertificateRequest, Draft, Expiry, GivenExtensions, Profile, SignedBy};
use crate::keys::{PrivateKey, Signer};
use crate::lint::Finding;
use crate::store::{Effects, EntryName, Store, templates};
use crate::x509::{AttributeType, GeneralName, KeyAlgorithm};

/// What is asked of a template.
#[derive(Debug, Clone)]
pub struct TrialOrder {
    pub name: EntryName,
    pub names: Vec<GeneralName>,
    pub expiry: Expiry,
    pub clip: bool,
    /// The kind of key; `None` for the first of the template.
    pub key: Option<KeyAlgorithm>,
    pub subject: Vec<(AttributeType, String)>,
    pub set: BTreeMap<String, String>,
    /// The name of the issuer; `None` for that of the settings.
    pub issuer: Option<String>,
}

/// The certificate that would be made.
#[derive(Debug)]
pub struct Trial {
    pub name: EntryName,
    /// The name of the authority that would sign it.
    pub authority: String,
    pub draft: Draft,
    /// The lint findings that are not errors.
    pub warnings: Vec<Finding>,
    /// The facts because of which clients may refuse it.
    pub client_facts: Vec<Fact>,
}

/// Decides the certificate that a template of the CA would make.
///
/// # Errors
/// As issuing does, except for what depends on the name being taken.
pub fn of_template(
    store: &Store,
    template: &str,
    order: TrialOrder,
    effects: &Effects<'_>,
) -> Result<Trial, IssueError> {
    decide(store, &request_inputs::profile(Some(store), template)?, order, effects)
}

/// As [`of_template`], with a template that need not be one of the CA.
///
/// # Errors
/// As [`of_template`].
pub fn of_profile(
    store: &Store,
    mut profile: Profile,
    order: TrialOrder,
    effects: &Effects<'_>,
) -> Result<Trial, IssueError> {
    templates::complete(&mut profile, store.config());
    decide(store, &profile, order, effects)
}

fn decide(store: &Store, profile: &Profile, order: TrialOrder, effects: &Effects<'_>) -> Result<Trial, IssueError> {
    let now = effects.now();
    let name = request_inputs::plain_name(order.name, profile)?;
    let cas = store.ca_certificates();
    let issuer = cas.ca_certificate(&cas.choose_issuer(order.issuer.as_deref(), store.config())?)?;
    let kind = order.key.or(profile.keys.first().copied()).unwrap_or(KeyAlgorithm::EcdsaP256);
    let key = PrivateKey::generate(kind).map_err(CertifyError::from)?;
    let request = CertificateRequest {
        names: request_inputs::names(profile, &name, &order.names)?,
        public_key: key.public_key().clone(),
        expiry: order.expiry,
        clip: order.clip,
        whole_subject: None,
        extensions: GivenExtensions::None,
        subject: order.subject,
        values: request_inputs::values(profile, &name, &order.set, store.config(), Some(issuer.name()))?,
        name: name.to_string(),
    };
    let serial = draw_serial(profile.serial_bytes, effects.entropy)?;
    let draft = Draft::new(profile, &request, SignedBy::Issuer(&issuer), now, serial)?;
    check_not_revoked(&issuer, store.index()?)?;
    let mut verified = verify_draft(draft, &issuer, now)?;
    let (warnings, client_facts) = (verified.take_warnings(), verified.take_client_facts());
    let authority = issuer.name().to_owned();
    Ok(Trial { name, authority, draft: verified.draft().clone(), warnings, client_facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::testing::{Ca, order};

    fn trial(ca: &Ca, template: &str, name: &str, san: &[&str]) -> Result<Trial, IssueError> {
        let order = TrialOrder {
            name: name.parse().unwrap(),
            names: san.iter().map(|name| name.parse().unwrap()).collect(),
            expiry: Expiry::Default,
            clip: false,
            key: None,
            subject: Vec::new(),
            set: BTreeMap::new(),
            issuer: None,
        };
        ca.with_effects(|effects| of_template(&ca.store(), template, order, effects))
    }

    #[test]
    fn a_trial_is_what_is_issued_later_and_leaves_nothing() {
        let ca = Ca::new();
        let before = crate::authority::testing::files_below(ca.home.folder());
        let tried = trial(&ca, "server", "Web.test", &["10.0.0.1"]).unwrap();
        assert_eq!(crate::authority::testing::files_below(ca.home.folder()), before);
        assert!(ca.history("web.test").is_empty());
        ca.issue(crate::authority::leaf::order::IssueOrder {
            names: vec!["10.0.0.1".parse().unwrap()],
            ..order("server", "web.test")
        })
        .unwrap();
        let issued = ca.index().certificate(&ca.history("web.test")[0]).unwrap();
        assert_eq!((tried.authority.as_str(), tried.name.as_str()), ("issuing", "web.test"));
        assert_eq!((&tried.draft.subject, &tried.draft.names[..]), (&issued.subject, issued.names()));
        assert_eq!((tried.draft.validity, Some(tried.draft.key_usage)), (issued.validity, issued.key_usage));
    }

    #[test]
    fn what_would_not_be_issued_is_refused_with_the_same_reason() {
        let ca = Ca::new();
        for (template, name) in [("sevrer", "web.test"), ("server", "not a host"), ("root", "x")] {
            let tried = trial(&ca, template, name, &[]).map(drop).unwrap_err().to_string();
            let issued = ca.issue(order(template, name)).map(drop).unwrap_err().to_string();
            assert_eq!(tried, issued);
        }
    }
}
