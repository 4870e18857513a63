//! The subject of a certificate, from the request and the template.

use super::name_rules::CommonName;
use super::profile::Profile;
use super::refusal::DraftRefusal;
use super::request::CertificateRequest;
use crate::x509::{AttributeType, DistinguishedName, GeneralName};

/// Returns the subject. Attributes of the request come before those of the template. The attributes are in the usual order,
/// the common name last.
pub(super) fn subject(profile: &Profile, request: &CertificateRequest) -> Result<DistinguishedName, DraftRefusal> {
    const USUAL_ORDER: [AttributeType; 6] = [
        AttributeType::Country,
        AttributeType::StateOrProvince,
        AttributeType::Locality,
        AttributeType::DomainComponent,
        AttributeType::Organization,
        AttributeType::OrganizationalUnit,
    ];
    if let Some(whole) = request.whole_subject.as_ref().filter(|_| profile.request.takes_whole_subject()) {
        return Ok(whole.clone());
    }
    let mut attributes: Vec<(AttributeType, String)> = Vec::new();
    for (kind, text) in &profile.subject {
        if !request.subject.iter().any(|(overridden, _)| overridden == kind) {
            attributes.push((kind.clone(), text.render(&request.values)?));
        }
    }
    if !request.subject.iter().any(|(overridden, _)| *overridden == AttributeType::CommonName) {
        attributes.push((AttributeType::CommonName, common_name(profile, request)?));
    }
    attributes.extend(request.subject.iter().cloned());
    attributes.sort_by_key(|(kind, _)| match kind {
        AttributeType::CommonName => USUAL_ORDER.len() + 1,
        other => USUAL_ORDER.iter().position(|usual| usual == other).unwrap_or(USUAL_ORDER.len()),
    });
    Ok(DistinguishedName::build(&attributes)?)
}

/// Returns the e-mail addresses that the request brings into the subject: those that the template does not give itself.
pub(super) fn requested_mailboxes(
    profile: &Profile,
    request: &CertificateRequest,
) -> Result<Vec<String>, DraftRefusal> {
    let is_mailbox = |kind: &AttributeType| *kind == AttributeType::EmailAddress;
    let given = profile.subject.iter().filter(|(kind, _)| is_mailbox(kind));
    let given: Vec<String> = given.map(|(_, text)| text.render(&request.values)).collect::<Result<_, _>>()?;
    let whole = request.whole_subject.iter().flat_map(DistinguishedName::attributes).map(|it| (&it.kind, &it.value));
    let requested = request.subject.iter().map(|(kind, text)| (kind, text)).chain(whole);
    let requested = requested.filter(|(kind, text)| is_mailbox(kind) && !given.contains(text));
    Ok(requested.map(|(_, text)| text.clone()).collect())
}

fn common_name(profile: &Profile, request: &CertificateRequest) -> Result<String, DraftRefusal> {
    // X.520 limits a common name to 64 characters, and a DNS name may be longer.
    const MOST: usize = 64;
    Ok(match &profile.common_name {
        CommonName::None => String::new(),
        CommonName::Name => request.name.clone(),
        CommonName::Template(text) => text.render(&request.values)?,
        CommonName::First => request
            .names
            .iter()
            .find_map(|name| match name {
                GeneralName::Dns(name) if name.len() <= MOST => Some(name.clone()),
                _ => None,
            })
            .unwrap_or_default(),
    })
}
