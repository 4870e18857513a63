//! Requests that are not granted: exit status 2 for what cannot be read, 3 for what is refused.

use super::Failure;
use crate::issuance::{Comparison, CsrError, Fate};
use crate::report::describe::comparison::comparison_sentence;
use crate::x509::signing_request::RequestFileError;

impl Failure {
    /// What is wrong with a request itself.
    pub(super) fn refused_request(sentence: String, refusal: &CsrError) -> Self {
        match refusal {
            CsrError::Decode(_) => Self::usage("undecodable", sentence),
            CsrError::Malformed { .. } => Self::usage("request-damaged", sentence),
            CsrError::TooLarge { .. } => Self::refused("request-too-large", sentence)
                .hint("max-octets in [sign] of ca.toml says how much is read"),
            CsrError::TooManyNames { .. } => Self::refused("too-many-names", sentence)
                .hint("max-names in [sign] of ca.toml says how many are granted"),
            CsrError::Version(_) => Self::refused("request-version", sentence),
            CsrError::WeakSignature(_) => Self::refused("weak-signature", sentence)
                .hint("make it again, signed with SHA-256: openssl req -new -sha256"),
            CsrError::WeakKey(weakness) => Self::weak_key(sentence, weakness),
            CsrError::Unsupported(_) => Self::refused("unsupported-signature", sentence),
            CsrError::WrongSignature => Self::refused("not-proven", sentence)
                .hint("it was changed on its way, or made of somebody else's key: ask for it again"),
            CsrError::Subject(_) | CsrError::Attribute { .. } => Self::refused("request-subject", sentence),
            CsrError::Name(_) | CsrError::NoNames => Self::refused("request-name", sentence),
        }
    }

    /// A file that is not one request; `place` is how messages call it.
    pub fn not_a_request(place: &str, error: &RequestFileError) -> Self {
        let sentence = format!("{place} is not a certificate request: {error}");
        match error {
            RequestFileError::Empty => Self::usage("empty-input", sentence),
            RequestFileError::Pem(_) => Self::usage("bad-pem", sentence),
            RequestFileError::NotOne { .. } => {
                Self::usage("several-requests", sentence).hint("sign them one by one, each from a file of its own")
            }
            RequestFileError::Another(label) if label.ends_with("PRIVATE KEY") => {
                Self::usage("not-a-request", sentence)
                    .hint("a private key is never handed to a CA; it needs the request that was made with it")
            }
            RequestFileError::Another(_) | RequestFileError::TextBehind => Self::usage("not-a-request", sentence),
        }
    }

    /// Each difference between a request and the certificate for it, one per line.
    pub(super) fn differences(comparison: &Comparison) -> Vec<String> {
        let differing = comparison.0.iter().filter(|compared| compared.fate() != Fate::Taken);
        differing.map(comparison_sentence).collect()
    }
}
