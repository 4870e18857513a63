//! A certificate with every field decided and nothing signed.

use time::{Duration, OffsetDateTime};

use super::name_pattern::NamePattern;
use super::profile::{CommonName, Profile, extended_key_usage};
use super::{CaCertificate, CertificateRequest, Expiry, TemplateString, TemplateStringError};
use crate::keys::Signer;
use crate::text::Lifetime;
use crate::text::{humanize, rfc3339};
use crate::x509::general_name;
use crate::x509::name::NameError;
use crate::x509::{
    AttributeType, BasicConstraints, DistinguishedName, ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyKind, KeyUsage,
    NameConstraints, PublicKey, SerialNumber, SignatureAlgorithm, Validity,
};

/// Everything that the certificate will say.
#[derive(Debug, Clone)]
pub struct Draft {
    pub serial: SerialNumber,
    pub signature_algorithm: SignatureAlgorithm,
    pub issuer: DistinguishedName,
    pub validity: Validity,
    pub subject: DistinguishedName,
    /// How the certificates below it name the key.
    pub subject_key_id: Vec<u8>,
    pub public_key: PublicKey,
    pub names: Vec<GeneralName>,
    pub key_usage: KeyUsage,
    pub extended_key_usage: Vec<ExtendedKeyUsage>,
    pub basic_constraints: BasicConstraints,
    pub name_constraints: Option<NameConstraints>,
    /// The issuer's key identifier; its own in a root.
    pub authority_key_id: Vec<u8>,
    pub crl_urls: Vec<String>,
    pub ca_issuer_urls: Vec<String>,
    pub ocsp_urls: Vec<String>,
    /// The key that must sign it.
    pub issuer_key: PublicKey,
}

/// Who will sign a draft.
#[derive(Clone, Copy)]
pub enum SignedBy<'a> {
    Issuer(&'a CaCertificate),
    /// A root: the key that it is about.
    Itself(&'a dyn Signer),
}

/// Why a wish is not granted: by the profile, the issuer, or because it makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftRefusal {
    #[error(transparent)]
    Template(#[from] TemplateStringError),
    #[error(transparent)]
    Subject(#[from] NameError),
    #[error("the template '{template}' does not allow {kind} names, but '{name}' is one")]
    Kind { template: String, kind: &'static str, name: String, allowed: Vec<&'static str> },
    #[error("the template '{template}' allows only names like {}, but '{name}' is none of them", allowed.join(", "))]
    NotAllowed { template: String, name: String, allowed: Vec<String> },
    #[error("'{pattern}' in the list of allowed names of the template '{template}' is not a pattern: {reason}")]
    Pattern { template: String, pattern: String, reason: String },
    #[error(
        "too few subject alternative names for the template '{template}': {found}, where it wants at least {wanted}"
    )]
    TooFewNames { template: String, wanted: u32, found: usize },
    #[error("the name '{name}' is outside what '{authority}' may vouch for: {constraint}")]
    Constrained { name: String, authority: String, constraint: String },
    #[error("the template '{template}' does not allow keys of the kind {found}; allowed are {}", allowed.iter().map(|key| key.name()).collect::<Vec<_>>().join(", "))]
    Key { template: String, found: String, allowed: Vec<KeyAlgorithm> },
    #[error("an address under [distribution] or [crl]: {0}")]
    Address(general_name::GeneralNameError),
    #[error("unknown extended key usage '{0}'")]
    Purpose(String),
    #[error("a lifetime of {asked} is more than the template '{template}' allows: {longest}")]
    TooLong { template: String, asked: String, longest: Lifetime },
    #[error("the certificate would end at {}, before it begins at {}", rfc3339(*end), rfc3339(*begin))]
    EndsBeforeItBegins { begin: OffsetDateTime, end: OffsetDateTime },
    #[error("the certificate would have ended already, at {}", rfc3339(*.0))]
    EndsInThePast(OffsetDateTime),
    #[error("the certificate would end after the year 9999, which no certificate can say")]
    BeyondAllDates,
    #[error("the certificate would end at {}, after its issuer '{authority}' does at {}", rfc3339(*end), rfc3339(*issuer_end))]
    OutlivesIssuer { authority: String, end: OffsetDateTime, issuer_end: OffsetDateTime },
    #[error("'{authority}' is not valid at {}: it is valid from {} to {}", rfc3339(*now), rfc3339(validity.not_before), rfc3339(validity.not_after))]
    IssuerNotValid { authority: String, now: OffsetDateTime, validity: Validity },
    #[error("the subject '{0}' would be that of its issuer, which makes a certificate look self-signed")]
    SubjectOfIssuer(DistinguishedName),
    #[error("'{0}' is not a CA: its basic constraints do not say so (RFC 5280 §4.2.1.9)")]
    NotAnAuthority(String),
    #[error("the certificate of '{subject}' has the extension {oid}, which cannot be written into the next one here")]
    CannotCarry { subject: String, oid: String },
    #[error("a CA must have a subject (RFC 5280 §4.1.2.6)")]
    AuthorityWithoutSubject,
    #[error("'{authority}' {} (its path length is {path_length})", room(*path_length))]
    PathLength { authority: String, path_length: u32 },
}

/// How many CAs a path length leaves room for, in words.
fn room(path_length: u32) -> String {
    match path_length {
        0 => "may issue only leaves".to_owned(),
        1 => "allows no more than one CA below it".to_owned(),
        more => format!("allows no more than {more} CAs below it"),
    }
}

impl Draft {
    /// Decides every field.
    ///
    /// # Errors
    /// When the profile or the issuer does not allow what is asked for, or it makes no sense.
    pub fn new(
        profile: &Profile,
        request: &CertificateRequest,
        by: SignedBy<'_>,
        now: OffsetDateTime,
        serial: SerialNumber,
    ) -> Result<Self, DraftRefusal> {
        check_key(profile, &request.public_key)?;
        check_names(profile, request)?;
        let subject = subject(profile, request)?;
        if profile.is_authority() && subject.is_empty() {
            return Err(DraftRefusal::AuthorityWithoutSubject);
        }
        let issuer = match by {
            SignedBy::Issuer(issuer) => {
                issuer.check_request(profile, &request.names, now)?;
                if *issuer.subject() == subject {
                    return Err(DraftRefusal::SubjectOfIssuer(subject));
                }
                Some(issuer)
            }
            SignedBy::Itself(_) => None,
        };
        let validity = validity(profile, request, issuer, now)?;
        let rules = profile.authority.as_ref();
        let render = |texts: &[TemplateString]| {
            texts.iter().map(|text| text.render(&request.values)).collect::<Result<Vec<_>, _>>()
        };
        let purposes = render(&profile.extended_key_usage)?;
        let mut extended = Vec::new();
        for purpose in purposes {
            let purpose = extended_key_usage(&purpose).map_err(|_| DraftRefusal::Purpose(purpose))?;
            // Two placeholders may have filled in the same.
            if !extended.contains(&purpose) {
                extended.push(purpose);
            }
        }
        let addresses = |texts: &[TemplateString]| {
            let addresses = render(texts)?;
            addresses
                .iter()
                .try_for_each(|address| general_name::check_address(address))
                .map_err(DraftRefusal::Address)?;
            Ok::<_, DraftRefusal>(addresses)
        };
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
            extended_key_usage: extended,
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

pub(super) fn check_names(profile: &Profile, request: &CertificateRequest) -> Result<(), DraftRefusal> {
    let template = || profile.name.clone();
    let kinds: Vec<_> = profile.names.kinds.iter().map(|kind| kind.word()).collect();
    if let Some(name) = request.names.iter().find(|name| !kinds.contains(&name.kind())) {
        return Err(DraftRefusal::Kind { template: template(), kind: name.kind(), name: name.value(), allowed: kinds });
    }
    if request.names.len() < profile.names.at_least as usize {
        return Err(DraftRefusal::TooFewNames {
            template: template(),
            wanted: profile.names.at_least,
            found: request.names.len(),
        });
    }
    let allowed: Vec<String> =
        profile.names.allow.iter().map(|text| text.render(&request.values)).collect::<Result<_, _>>()?;
    let patterns: Vec<NamePattern> = allowed
        .iter()
        .map(|pattern| {
            NamePattern::parse(pattern).map_err(|reason| DraftRefusal::Pattern {
                template: template(),
                pattern: pattern.clone(),
                reason,
            })
        })
        .collect::<Result<_, _>>()?;
    match request
        .names
        .iter()
        .find(|name| !patterns.is_empty() && !patterns.iter().any(|pattern| pattern.matches(name)))
    {
        Some(name) => Err(DraftRefusal::NotAllowed { template: template(), name: name.value(), allowed }),
        None => Ok(()),
    }
}

/// The subject: flags before the template before nothing; in the order in which names are usually read, the common name last.
pub(super) fn subject(profile: &Profile, request: &CertificateRequest) -> Result<DistinguishedName, DraftRefusal> {
    const USUAL_ORDER: [AttributeType; 6] = [
        AttributeType::Country,
        AttributeType::StateOrProvince,
        AttributeType::Locality,
        AttributeType::DomainComponent,
        AttributeType::Organization,
        AttributeType::OrganizationalUnit,
    ];
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

fn common_name(profile: &Profile, request: &CertificateRequest) -> Result<String, DraftRefusal> {
    // X.520 ends a common name at 64 characters, and a DNS name may be longer.
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

/// From a little before now to as long after as is asked for: `notAfter = notBefore + lifetime − 1 s`, since the last
/// second counts (RFC 5280 §4.1.2.5).
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
/// lifetime lies in the past, and the start is not before that of the issuer's certificate.
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

/// Without the usages that the key cannot have: only RSA keys encipher keys (RFC 5480 §3, RFC 8410 §5).
fn key_usage(wanted: KeyUsage, key: &PublicKey) -> KeyUsage {
    match key.kind() {
        KeyKind::Rsa { .. } => wanted,
        _ => wanted.without(KeyUsage::KEY_ENCIPHERMENT).without(KeyUsage::DATA_ENCIPHERMENT),
    }
}
