//! What a template would make, tried with a name that fits it.

use std::collections::BTreeMap;

use crate::app::templates::Site;
use crate::authority::error::CertifyError;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::trial::{self, TrialOrder};
use crate::issuance::{Expiry, Profile};
use crate::report::failure::Failure;
use crate::store::{Effects, Store, templates};
use crate::x509::GeneralName;
use crate::x509::name_constraints::Subtree;

/// The result of a trial.
#[derive(Debug)]
pub enum TemplateTrial {
    /// A certificate would be made for this name, with these lint findings that are not errors.
    Made { sample: String, findings: Vec<String> },
    /// The name does not fit the template or the CA: nothing is known about the certificate.
    Refused(String),
}

/// Tries a template with a name that fits it; `None` where there is no CA.
///
/// # Errors
/// Exit status 2 when every certificate of the template would break a rule.
pub fn of(site: &Site, profile: &Profile, effects: &Effects<'_>) -> Result<Option<TemplateTrial>, Failure> {
    let Some(store) = site.store.as_deref() else { return Ok(None) };
    let sample = sample_name(store, profile);
    let Ok(name) = sample.parse() else { return Ok(None) };
    // A value of --set is not known; most are a word.
    let given = profile.uses().into_iter().filter(|used| !is_given(store, used));
    let set: BTreeMap<String, String> = given.map(|used| (used, "sample".to_owned())).collect();
    let names: Vec<GeneralName> = Vec::new();
    let order = TrialOrder {
        name,
        names,
        expiry: Expiry::Default,
        clip: true,
        key: None,
        subject: Vec::new(),
        set,
        issuer: None,
    };
    match trial::of_profile(store, profile.clone(), order, effects) {
        Ok(made) => {
            let finding = |finding: &crate::lint::Finding| format!("{} ({})", finding.message, finding.citation);
            let findings = made.warnings.iter().map(finding).collect();
            Ok(Some(TemplateTrial::Made { sample, findings }))
        }
        Err(IssueError::Certify(CertifyError::NotApproved(error))) => {
            let message = format!("the template '{}' makes certificates that break rules: {error}", profile.name);
            let hint = format!("see what it makes: ca template try {} NAME", profile.name);
            Err(Failure::usage("template-breaks-rule", message).hint(hint))
        }
        Err(error) => Ok(Some(TemplateTrial::Refused(format!("{sample}: {error}")))),
    }
}

/// Returns whether the program or the settings give a value to this placeholder.
fn is_given(store: &Store, used: &str) -> bool {
    let name = "sample".parse().ok();
    let values = name.map(|name| templates::values(&name, store.config()).0).unwrap_or_default();
    used == templates::ISSUER || values.contains_key(used)
}

/// Returns a name that the template and the issuer allow, as far as that can be seen.
fn sample_name(store: &Store, profile: &Profile) -> String {
    let pattern = profile.names.allow.first().map(|text| text.source()).filter(|text| !text.contains('{'));
    if let Some(pattern) = pattern {
        return match pattern.strip_prefix("*.") {
            Some(domain) => format!("sample.{domain}"),
            // A pattern for URIs or e-mail addresses, or one of them.
            None if pattern.contains(['@', '*']) || pattern.contains("://") || pattern.starts_with("urn:") => {
                pattern.replace("@*.", "@sample.").replace('*', "sample")
            }
            None => pattern.split('/').next().unwrap_or(pattern).to_owned(),
        };
    }
    let cas = store.ca_certificates();
    let issuer = cas.choose(None, store.config()).and_then(|issuer| cas.certificate(&issuer)).ok();
    let constraints = issuer.and_then(|issuer| issuer.name_constraints);
    let permitted = constraints.into_iter().flat_map(|constraints| constraints.permitted);
    let domain = permitted.into_iter().find_map(|subtree| match subtree {
        Subtree::Dns(domain) => Some(domain.trim_start_matches('.').to_owned()),
        _ => None,
    });
    let words: Vec<&str> = profile.names.kinds.iter().map(|kind| kind.word()).collect();
    match domain {
        _ if words == ["ip"] => "192.0.2.1".to_owned(),
        _ if words == ["email"] => "sample@example.org".to_owned(),
        _ if words == ["uri"] => "spiffe://example.org/sample".to_owned(),
        Some(domain) => format!("sample.{domain}"),
        None => "sample.example.org".to_owned(),
    }
}

/// Returns what is allowed in a template and rarely meant.
pub fn warnings(profile: &Profile) -> Vec<String> {
    let names = &profile.names;
    let is_free = !names.allow.is_empty() && names.common_names.is_empty() && profile.common_name_is_free();
    let warning = "'allow' limits host names, addresses and mailboxes; other common names are not limited. To limit them too: \
                   allow-common-name in [subject]";
    let unlimited = profile.unlimited_attributes().into_iter().map(|kind| {
        let label = kind.long_label().to_owned();
        format!("every value of {label} in a request is taken. To limit them: {label} = [\"…\"] in [request.allow]")
    });
    let whole = (profile.request.takes_whole_subject() && profile.request.allow.is_empty()).then(|| {
        "every subject of a request is taken. To limit it: patterns for each attribute in [request.allow]".to_owned()
    });
    is_free.then(|| warning.to_owned()).into_iter().chain(unlimited).chain(whole).collect()
}
