//! Why no certificate is drafted for a request.

use time::OffsetDateTime;

use super::template_string::TemplateStringError;
use crate::text::{Lifetime, escape, rfc3339};
use crate::x509::general_name::GeneralNameError;
use crate::x509::name::NameError;
use crate::x509::{DistinguishedName, KeyAlgorithm, Validity};

/// Why a request is refused: by the profile, by the issuer, or because it contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftRefusal {
    #[error(transparent)]
    Template(#[from] TemplateStringError),
    #[error(transparent)]
    Subject(#[from] NameError),
    #[error("the template '{template}' does not allow {kind} names, but '{name}' is one")]
    Kind { template: String, kind: &'static str, name: String, allowed: Vec<&'static str> },
    #[error("the template '{template}' allows only names like {}, but not '{name}'", allowed.join(", "))]
    NotAllowed { template: String, name: String, allowed: Vec<String> },
    #[error("the template '{template}' allows only names like {}, but not {what} '{}'", allowed.join(", "), escape(text))]
    TextNotAllowed { template: String, what: &'static str, text: String, allowed: Vec<String> },
    #[error("'{pattern}' in the list of allowed names of the template '{template}' is not a pattern: {reason}")]
    Pattern { template: String, pattern: String, reason: String },
    #[error(
        "too few subject alternative names for the template '{template}': {found}, where it wants at least {wanted}"
    )]
    TooFewNames { template: String, wanted: u32, found: usize },
    #[error("too many {kind} for the template '{template}': {found}, where it allows at most {most}")]
    TooManyNames { template: String, kind: &'static str, most: u32, found: usize },
    #[error("the name '{name}' is outside what '{authority}' may issue for: {constraint}")]
    Constrained { name: String, authority: String, constraint: String },
    #[error("the template '{template}' does not allow keys of the kind {found}; allowed are {}", allowed.iter().map(|key| key.name()).collect::<Vec<_>>().join(", "))]
    Key { template: String, found: String, allowed: Vec<KeyAlgorithm> },
    #[error("an address under [distribution] or [crl]: {0}")]
    Address(GeneralNameError),
    #[error("unknown extended key usage '{0}'")]
    Purpose(String),
    #[error(
        "time-stamping is the only purpose of a certificate that has it (RFC 3161 §2.3), but the template '{0}' has others"
    )]
    TimeStampingAndMore(String),
    #[error("the extension {oid} is refused: {problem}")]
    Extension { oid: String, problem: String },
    #[error("a lifetime of {asked} is more than the template '{template}' allows: {longest}")]
    TooLong { template: String, asked: String, longest: Lifetime },
    #[error("the certificate would expire at {}, before it is valid from {}", rfc3339(*end), rfc3339(*begin))]
    EndsBeforeItBegins { begin: OffsetDateTime, end: OffsetDateTime },
    #[error("the certificate would have expired already, at {}", rfc3339(*.0))]
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

/// Returns how many CAs a path length allows, as a phrase.
fn room(path_length: u32) -> String {
    match path_length {
        0 => "may issue only leaves".to_owned(),
        1 => "allows at most one CA below it".to_owned(),
        more => format!("allows at most {more} CAs below it"),
    }
}
