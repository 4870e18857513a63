//! Verification of certificate chains. Pure: the time is an argument.
//!
//! [`verify_chain`] is the only function that decides that a chain is valid. It finds paths ([`path`]), checks each
//! against the clauses of RFC 5280 §6.1 ([`rules`]) and against revocations ([`revocation`]). For TLS purposes webpki, the
//! verifier inside rustls, must accept the path too ([`engine`]).
//! [`diagnosis`] explains why a chain is invalid and never makes it valid; [`served`] adds what a TLS server should not
//! send. [`reason`] reads webpki's error out of an error of rustls.

mod budget;
mod candidate;
mod cert_path;
mod chain;
mod client_layer;
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
mod subject_names;
#[cfg(test)]
mod tests;
mod unsigned;
mod verdict;

pub use candidate::{Candidate, CandidateCrl, InputPosition};
pub use chain::verify_chain;
pub use client_layer::CLIENT_REFUSES;
pub use code::Code;
pub use diagnosis::{CERTIFICATE_MALFORMED, KEY_MISMATCH};
pub use input::{KnownRevocation, Purpose, RevocationSource, VerifyInput, VerifyOptions};
pub use signature::{SignatureCache, SignatureProblem, certificate as check_signature, crl as check_crl_signature};
pub use unsigned::{Unsound, verify_authority, verify_unsigned};
pub use verdict::{ExpiryCause, Link, Problem, Role, ValidUntil, Verdict};

/// Returns every code that a verification can report, for `ca explain`; the codes of [`crate::lint`] are not among
/// them.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    rules::CODES
        .iter()
        .chain(chain::CODES)
        .chain(revocation::CODES)
        .chain(diagnosis::CODES)
        .chain(served::CODES)
        .copied()
}
