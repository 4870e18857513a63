//! The codes and hints of the errors of this room.

use std::net::IpAddr;

use super::approval::NotApproved;
use super::comparison::{Comparison, Fate};
use super::issuer_error::IssuerError;
use super::refusal::DraftRefusal;
use super::template_string::TemplateStringError;
use super::uri_pattern::problem_of_spiffe_id;
use super::verified_csr::CsrError;
use crate::text::{Diagnosis, Diagnostic, escape, rfc3339};
use crate::x509::general_name::{self, GeneralNameError};

impl Diagnostic for TemplateStringError {
    fn diagnosis(&self) -> Diagnosis {
        let bad_template = Diagnosis::usage("bad-template");
        match self {
            Self::Unknown { nearest: Some(near), .. } => bad_template.hint(format!("did you mean '{near}'?")),
            Self::Unknown { unknown, .. } => bad_template.hint(format!("give it a value: --set {}=…", escape(unknown))),
            Self::Syntax { .. } => bad_template,
        }
    }
}

impl Diagnostic for DraftRefusal {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Template(error) => error.diagnosis(),
            Self::Subject(_) => Diagnosis::usage("bad-subject"),
            Self::Pattern { .. } | Self::Purpose(_) | Self::Address(_) | Self::TimeStampingAndMore(_) => Diagnosis::usage("bad-template"),
            Self::Kind { allowed, .. } if allowed.is_empty() => Diagnosis::refused("name-kind").hint("it allows none"),
            Self::Kind { allowed, .. } => {
                Diagnosis::refused("name-kind").hint(format!("it allows: {}", allowed.join(", ")))
            }
            Self::NotAllowed { name, .. } => {
                let problem = problem_of_spiffe_id(name);
                let hint = |problem| format!("a SPIFFE ID is needed: {problem} (SPIFFE-ID §2)");
                Diagnosis::refused("name-not-allowed").hints(problem.map(hint))
            }
            Self::TextNotAllowed { .. } => Diagnosis::refused("name-not-allowed").hint(
                "allow in [names] covers NAME and common names that look like names of hosts; allow-common-name in [subject] the \
                 other common names",
            ),
            Self::TooFewNames { .. } => Diagnosis::refused("too-few-names").hint("add names with --san"),
            Self::TooManyNames { .. } => Diagnosis::refused("too-many-names")
                .hint("leave names out; NAME counts where it is a subject alternative name"),
            Self::Constrained { .. } => Diagnosis::refused("name-constrained").hint(
                "choose a name inside the constraints, or another authority: --issuer AUTHORITY",
            ),
            Self::Extension { .. } => Diagnosis::refused("extension-refused"),
            Self::Key { .. } => Diagnosis::refused("key-not-allowed"),
            Self::TooLong { longest, .. } => Diagnosis::refused("too-long")
                .hint(format!("ask for --for {longest} or less; 'longest' in the template says how much is allowed")),
            Self::EndsBeforeItBegins { .. } | Self::EndsInThePast(_) | Self::BeyondAllDates => {
                Diagnosis::usage("bad-time")
            }
            Self::OutlivesIssuer { issuer_end, .. } => Diagnosis::refused("outlives-issuer")
                .hint(format!("the longest that works: --not-after {}", rfc3339(*issuer_end)))
                .hint("--clip shortens it to that by itself"),
            Self::IssuerNotValid { .. } => Diagnosis::refused("issuer-not-valid").hint(
                "if the clock of this machine is right, the authority has to be renewed: 'ca due' names the command",
            ),
            Self::SubjectOfIssuer(_) => {
                Diagnosis::refused("subject-of-issuer").hint("choose another name, or another subject with --subject")
            }
            Self::NotAnAuthority(_) => Diagnosis::refused("not-a-ca"),
            Self::CannotCarry { .. } => Diagnosis::refused("cannot-carry")
                .hint("make the next certificate with the tool that made this one, and import it"),
            Self::AuthorityWithoutSubject => Diagnosis::usage("bad-subject"),
            Self::PathLength { .. } => {
                Diagnosis::refused("path-length").hint("issue it by an authority above, with --issuer")
            }
        }
    }
}

impl Diagnostic for NotApproved {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Findings(findings) => {
                let hints = findings.iter().filter_map(|finding| finding.hint.clone());
                Diagnosis::refused("breaks-rule").hints(hints)
            }
            Self::Encode(_) | Self::Decode(_) | Self::Differs(_) => Diagnosis::refused("not-approved"),
        }
    }
}

impl Diagnostic for IssuerError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NotAnAuthority(_) | Self::MayNotSign(_) | Self::NoSubject(_) => Diagnosis::refused("not-a-ca"),
            Self::MayNotSignCrls(_) => Diagnosis::refused("not-a-crl-issuer"),
            Self::KeyMismatch(_) => Diagnosis::refused("key-mismatch")
                .hint("'ca inspect FILE' of both shows the SHA-256 of the public key, which has to be the same"),
            Self::Malformed { .. } | Self::UnusableKey { .. } => Diagnosis::refused("unusable-ca"),
            Self::OtherKey | Self::Signing(_) | Self::Altered | Self::Decode(_) => Diagnosis::refused("not-issued"),
        }
    }
}

impl Diagnostic for CsrError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Decode(error) => Diagnosis::usage("undecodable").hints(error.hint().map(str::to_owned)),
            Self::Malformed { .. } => Diagnosis::usage("request-damaged"),
            Self::TooLarge { .. } => {
                Diagnosis::refused("request-too-large").hint("max-octets in [sign] of ca.toml says how much is read")
            }
            Self::TooManyNames { .. } => {
                Diagnosis::refused("too-many-names").hint("max-names in [sign] of ca.toml says how many are granted")
            }
            // Old wolfSSL and jsrsasign write version 3, and openssl reads it.
            Self::Version(_) => Diagnosis::refused("request-version")
                .hint("make the request again: ca request NAME, or openssl req -new -key KEY -out NEW.csr"),
            Self::WeakSignature(_) => Diagnosis::refused("weak-signature")
                .hint("make it again, signed with SHA-256: openssl req -new -sha256"),
            Self::WeakKey(weakness) => weakness.diagnosis(),
            Self::Unsupported(_) => Diagnosis::refused("unsupported-signature"),
            Self::WrongSignature => Diagnosis::refused("not-proven")
                .hint("it was changed on the way, or made for another key: request it again"),
            Self::Subject(_) | Self::Attribute { .. } => Diagnosis::refused("request-subject"),
            Self::ValueNotAllowed { .. } | Self::AttributeNotTaken { .. } => Diagnosis::refused("request-subject")
                .hint("[request.allow] in the template says what is taken; --subject K=V gives another value"),
            Self::Name(error) => Diagnosis::refused("request-name").hint(fix_of_name(error)).hint(REPLACE_NAMES),
            Self::NoNames => Diagnosis::refused("request-name").hint(REPLACE_NAMES)
                .hint("make the request again with a name: ca request NAME, or openssl req -new -addext subjectAltName=DNS:NAME"),
        }
    }
}

/// How to sign a request of a device that cannot make another one.
const REPLACE_NAMES: &str =
    "or sign it with names of your own, which leaves out the unusable ones: ca sign CSR --san NAME";

/// Returns how to ask for the name in another way.
fn fix_of_name(error: &GeneralNameError) -> String {
    let right = match error {
        GeneralNameError::Dns { name, .. } => match name.parse::<IpAddr>() {
            Ok(address) => Some(format!("IP:{address}")),
            Err(_) => {
                name.strip_suffix('.').and_then(|name| general_name::dns(name).ok()).map(|name| format!("DNS:{name}"))
            }
        },
        _ => None,
    };
    match right {
        Some(right) => format!(
            "make the request again with subjectAltName={right} (openssl req -new -addext), or let ca request NAME make it"
        ),
        None => "make the request again with names that clients can look for: ca request NAME".to_owned(),
    }
}

impl Comparison {
    /// Returns each difference between a request and its certificate, as a line.
    pub fn differences(&self) -> impl Iterator<Item = String> {
        let items = self.items.iter().filter(|compared| compared.fate() != Fate::Taken);
        let whole = self.subjects.iter().map(|(asked, issued)| match asked == issued {
            true => format!("changed: the encoding of the subject: {asked}"),
            false => format!("changed: the whole subject: {asked} → {issued}"),
        });
        items.map(|compared| compared.sentence()).chain(whole)
    }
}
