//! JUDGEMENT: whether a chain holds. Pure; the time is an argument; imports x509 and lint.
//!
//! [`verify_chain`] is the one place that says yes. It finds paths ([`path`]), holds each against the clauses of RFC 5280 §6.1
//! ([`rules`]) and, where asked, against every revocation list ([`revocation`]); for TLS purposes webpki, the verifier
//! inside rustls, has to agree ([`engine`]). [`diagnosis`] explains a no and never overrules it;
//! [`served`] adds what a TLS server should not send.

mod budget;
mod candidate;
mod cert_path;
mod chain;
mod code;
mod diagnosis;
mod engine;
mod input;
mod path;
pub mod reason;
mod revocation;
pub mod rules;
pub mod served;
mod signature;
#[cfg(test)]
mod tests;
mod verdict;

pub use candidate::{Candidate, CandidateCrl, InputPosition};
pub use chain::verify_chain;
pub use code::Code;
pub use diagnosis::{CERTIFICATE_MALFORMED, KEY_MISMATCH};
pub use input::{Purpose, VerifyInput, VerifyOptions};
pub use signature::{SignatureCache, SignatureProblem, certificate as check_signature, crl as check_crl_signature};
pub use verdict::{ExpiryCause, Link, Problem, Role, ValidUntil, Verdict};

/// Every code that [`verify_chain`] can give beside those of [`crate::lint`], for `ca explain`.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    rules::CODES
        .iter()
        .chain(chain::CODES)
        .chain(revocation::CODES)
        .chain(diagnosis::CODES)
        .chain(served::CODES)
        .copied()
}
