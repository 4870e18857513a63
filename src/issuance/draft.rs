//! A certificate with every field decided, before it is signed.

use time::{Duration, OffsetDateTime};

use super::ca_certificate::CaCertificate;
use super::extension_rules;
use super::profile::Profile;
use super::refusal::DraftRefusal;
use super::request::{CertificateRequest, Expiry};
use super::subject::{requested_mailboxes, subject};
use super::template_string::{TemplateString, TemplateValues};
use crate::keys::Signer;
use crate::text::{Lifetime, humanize};
use crate::x509::{
    BasicConstraints, CanonicalName, DistinguishedName, ExtendedKeyUsage, Extension, GeneralName, KeyKind, KeyUsage,
    NameConstraints, PublicKey, SerialNumber, SignatureAlgorithm, Validity, general_name,
};

/// Every field of a certificate, decided.
#[derive(Debug, Clone)]
pub struct Draft {
    pub serial: SerialNumber,
    pub signature_algorithm: SignatureAlgorithm,
    pub issuer: DistinguishedName,
    pub validity: Validity,
    pub subject: DistinguishedName,
    /// The key identifier that certificates issued with this key will refer to.
    pub subject_key_id: Vec<u8>,
    pub public_key: PublicKey,
    pub names: Vec<GeneralName>,
    pub key_usage: KeyUsage,
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    pub critical_purposes: bool,
    /// The certificate policies, and the extensions that a template adds by their object identifier.
    pub extensions: Vec<Extension>,
    pub basic_constraints: BasicConstraints,
    pub name_constraints: Option<NameConstraints>,
    /// The issuer's key identifier; in a root its own.
    pub authority_key_id: Vec<u8>,
    pub crl_urls: Vec<String>,
    pub ca_issuer_urls: Vec<String>,
    pub ocsp_urls: Vec<String>,
    /// The key that must sign the draft.
    pub issuer_key: PublicKey,
}

/// The CA that will sign a draft.
#[derive(Clone, Copy)]
pub enum SignedBy<'a> {
    Issuer(&'a CaCertificate),
    /// A root, signed with its own key.
    Itself(&'a dyn Signer),
}

impl Draft {
    /// Decides every field.
    ///
    /// # Errors
    /// When the profile or the issuer does not allow the request, or the request contradicts itself.
    pub fn new(
        profile: &Profile,
        request: &CertificateRequest,
        by: SignedBy<'_>,
        now: OffsetDateTime,
        serial: SerialNumber,
    ) -> Result<Self, DraftRefusal> {
        check_key(profile, &request.public_key)?;
        profile.names.check(&profile.name, &request.names, &request.values)?;
        let subject = subject(profile, request)?;
        let mailboxes = requested_mailboxes(profile, request)?;
        profile.names.check_texts(&profile.name, &request.name, &subject, &mailboxes, &request.values)?;
        if profile.is_authority() && subject.is_empty() {
            return Err(DraftRefusal::AuthorityWithoutSubject);
        }
        let issuer = match by {
            SignedBy::Issuer(issuer) => Some(issuer),
            SignedBy::Itself(_) => None,
        };
        if let Some(issuer) = issuer {
            issuer.check_request(profile, &request.names, now)?;
            // A name as requested can be encoded in another way (RFC 5280 §7.1).
            let is_same = || CanonicalName::of(issuer.subject()) == CanonicalName::of(&subject);
            if *issuer.subject() == subject || (request.whole_subject.is_some() && is_same()) {
                return Err(DraftRefusal::SubjectOfIssuer(subject));
            }
        }
        let validity = validity(profile, request, issuer, now)?;
        let rules = profile.authority.as_ref();
        let extended_key_usage = extended_key_usage(profile, &request.values)?;
        let is_time_stamping = extended_key_usage.contains(&ExtendedKeyUsage::TimeStamping);
        let mut extensions: Vec<_> = extension_rules::policies(&profile.policies).into_iter().collect();
        extensions.extend(extension_rules::extensions(&profile.extensions, &request.extensions, &request.values)?);
        let addresses = |texts: &[TemplateString]| addresses(texts, &request.values);
        Ok(Self {
            serial,
            signature_algorithm: match by {
                SignedBy::Issuer(issuer) => issuer.signature_algorithm().clone(),
                SignedBy::Itself(signer) => signer.signature_algorithm(),
            },
            issuer: issuer.map_or_else(|| subject.clone(), |issuer| issuer.subject().clone()),
            validity,
            subject,
            subject_key_id: request.public_key.key_id().to_vec(),
            names: request.names.clone(),
            key_usage: key_usage(profile.key_usage, &request.public_key),
            critical_purposes: !extended_key_usage.is_empty() && (profile.critical_purposes || is_time_stamping),
            extended_key_usage,
            extensions,
            basic_constraints: BasicConstraints {
                ca: rules.is_some(),
                path_length: rules.and_then(|rules| rules.path_length).map(u32::from),
            },
            name_constraints: rules
                .map(|rules| rules.constraints.clone())
                .filter(|constraints| !constraints.is_empty()),
            authority_key_id: issuer.map_or_else(|| request.public_key.key_id().to_vec(), CaCertificate::key_id),
            crl_urls: addresses(&profile.distribution.crl)?,
            ca_issuer_urls: addresses(&profile.distribution.ca_issuers)?,
            ocsp_urls: addresses(&profile.distribution.ocsp)?,
            issuer_key: issuer
                .map_or_else(|| request.public_key.clone(), |issuer| issuer.certificate().public_key.clone()),
            public_key: request.public_key.clone(),
        })
    }
}

pub(super) fn check_key(profile: &Profile, key: &PublicKey) -> Result<(), DraftRefusal> {
    let found = key.kind().to_string();
    if profile.keys.iter().any(|allowed| allowed.name() == found) {
        return Ok(());
    }
    Err(DraftRefusal::Key { template: profile.name.clone(), found, allowed: profile.keys.clone() })
}

/// Returns the purposes of the template.
fn extended_key_usage(profile: &Profile, values: &TemplateValues) -> Result<Vec<ExtendedKeyUsage>, DraftRefusal> {
    let mut purposes = Vec::new();
    for purpose in render(&profile.extended_key_usage, values)? {
        let purpose = purpose.parse().map_err(|_| DraftRefusal::Purpose(purpose))?;
        // Two placeholders may have the same value.
        if !purposes.contains(&purpose) {
            purposes.push(purpose);
        }
    }
    // RFC 3161 §2.3: "one instance of the extended key usage field extension […] KeyPurposeID having value: id-kp-timeStamping.
    // This extension MUST be critical."
    if purposes.len() > 1 && purposes.contains(&ExtendedKeyUsage::TimeStamping) {
        return Err(DraftRefusal::TimeStampingAndMore(profile.name.clone()));
    }
    Ok(purposes)
}

/// Returns the addresses of CRLs, CA certificates or responders.
fn addresses(texts: &[TemplateString], values: &TemplateValues) -> Result<Vec<String>, DraftRefusal> {
    let addresses = render(texts, values)?;
    addresses.iter().try_for_each(|address| general_name::check_address(address)).map_err(DraftRefusal::Address)?;
    Ok(addresses)
}

fn render(texts: &[TemplateString], values: &TemplateValues) -> Result<Vec<String>, DraftRefusal> {
    Ok(texts.iter().map(|text| text.render(values)).collect::<Result<_, _>>()?)
}

/// Returns the validity: from `backdate` before now, for as long as was requested. `notAfter = notBefore + lifetime − 1 s`,
/// since the last second counts (RFC 5280 §4.1.2.5).
fn validity(
    profile: &Profile,
    request: &CertificateRequest,
    issuer: Option<&CaCertificate>,
    now: OffsetDateTime,
) -> Result<Validity, DraftRefusal> {
    let lifetime = match request.expiry {
        Expiry::Default => Some(profile.lifetime),
        Expiry::For(lifetime) => Some(lifetime),
        Expiry::At(_) => None,
    };
    let not_before = not_before(profile.backdate, lifetime, issuer, now);
    let mut not_after = match (request.expiry, lifetime) {
        (Expiry::At(end), _) => end,
        (_, lifetime) => {
            let length = lifetime.unwrap_or(profile.lifetime).as_duration() - Duration::SECOND;
            not_before.checked_add(length).filter(|end| *end <= Validity::LATEST).ok_or(DraftRefusal::BeyondAllDates)?
        }
    };
    if not_after < not_before {
        return Err(DraftRefusal::EndsBeforeItBegins { begin: not_before, end: not_after });
    }
    let length = Validity { not_before, not_after }.length();
    if length > profile.longest.as_duration() {
        let asked = lifetime.map_or_else(|| humanize(length), |lifetime| lifetime.to_string());
        return Err(DraftRefusal::TooLong { template: profile.name.clone(), asked, longest: profile.longest });
    }
    if let Some((authority, issuer_end)) = issuer.map(CaCertificate::end)
        && not_after > issuer_end
    {
        if !request.clip {
            return Err(DraftRefusal::OutlivesIssuer { authority, end: not_after, issuer_end });
        }
        not_after = issuer_end;
    }
    if not_after <= now {
        return Err(DraftRefusal::EndsInThePast(not_after));
    }
    Ok(Validity { not_before, not_after })
}

/// Returns the start of a validity: `backdate` before now, for clients whose clocks are slow. At most a tenth of the
/// lifetime is in the past, and the start is not before that of the issuer's certificate.
pub fn not_before(
    backdate: Option<Lifetime>,
    lifetime: Option<Lifetime>,
    issuer: Option<&CaCertificate>,
    now: OffsetDateTime,
) -> OffsetDateTime {
    let wanted = backdate.map_or(0, Lifetime::as_seconds);
    let most = lifetime.map_or(u64::MAX, |lifetime| lifetime.as_seconds() / 10);
    let start = now.checked_sub(Duration::seconds(wanted.min(most) as i64)).unwrap_or(now).max(Validity::EARLIEST);
    issuer.map_or(start, |issuer| start.max(issuer.certificate().validity.not_before))
}

/// Removes the usages that the key cannot have: only RSA keys encipher keys (RFC 5480 §3, RFC 8410 §5).
fn key_usage(wanted: KeyUsage, key: &PublicKey) -> KeyUsage {
    match key.kind() {
        KeyKind::Rsa { .. } => wanted,
        _ => wanted.without(KeyUsage::KEY_ENCIPHERMENT).without(KeyUsage::DATA_ENCIPHERMENT),
    }
}
