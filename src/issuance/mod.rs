//! RULES: from a wish to a signed certificate. Pure; imports x509, lint, keys and document.
//!
//! Each arrow is one function, and each type can be had in no other way:
//!
//! ```text
//! TOML ──Profile::read──▶ Profile ──┐
//! flags, CSR ──▶ CertificateRequest ┼─Draft::new─▶ Draft ──approve──▶ ApprovedDraft ──sign──▶ Issued
//! CA certificate ──▶ CaCertificate ───┘
//!
//! revocations, CaCertificate ─CrlDraft::new─▶ CrlDraft ──approve_crl──▶ ApprovedCrl ──sign_crl──▶ SignedCrl
//! ```
//!
//! Powers (the CA bit, usages, lifetimes) come from the profile, never from the request. [`sign`] consumes its draft:
//! nothing is signed twice, and nothing is signed that was not approved.

pub mod approval;
pub mod comparison;
pub mod crl;
mod diagnosis;
pub mod draft;
pub mod encode;
pub mod issuer;
pub mod name_kind;
mod name_pattern;
pub mod profile;
pub mod recertify;
pub mod request;
pub mod signing_request;
pub mod template_string;
#[cfg(test)]
mod testing;
pub mod verified_csr;

pub use approval::{ApprovedDraft, NotApproved, approve};
pub use comparison::{AskedKind, Compared, Comparison, Fate};
pub use crl::{ApprovedCrl, CrlDraft, CrlNotApproved, SignedCrl, approve_crl};
pub use draft::{Draft, DraftRefusal, SignedBy};
pub use issuer::{CaCertificate, Issued, Issuer, IssuerError, sign, sign_crl};
pub use profile::Profile;
pub use recertify::recertify;
pub use request::{CertificateRequest, Expiry};
pub use signing_request::{RequestDraft, RequestError, sign_request};
pub use template_string::{TemplateString, TemplateStringError, TemplateValues};
pub use verified_csr::{CsrError, CsrLimits, VerifiedCsr, verify_csr};

#[cfg(test)]
mod tests;
