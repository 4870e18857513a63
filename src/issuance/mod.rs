//! Issuing: from a template and a request to a signed certificate, and from revocations to a signed CRL.
//!
//! Each step is one function, and each type is made by that function only:
//!
//! ```text
//! TOML ──Profile::read──▶ Profile ─────┐
//! flags, CSR ──▶ CertificateRequest ───┼─Draft::new─▶ Draft ──approve──▶ ApprovedDraft
//! CA certificate ──▶ CaCertificate ────┘
//!
//! ApprovedDraft ──ApprovedDraft::verified──▶ VerifiedDraft ──sign──▶ Certificate
//!
//! revocations, CaCertificate ─CrlDraft::new─▶ CrlDraft ──approve_crl──▶ ApprovedCrl ──sign_crl──▶ SignedCrl
//! event log, CaCertificate ─LogHeadDraft::new─▶ LogHeadDraft ──sign_log_head──▶ signature
//! ```
//!
//! The CA bit, the usages and the lifetimes come from the profile, never from the request. [`sign`] consumes its draft:
//! nothing is signed twice, and nothing is signed that was not approved and whose chain was not verified.

pub mod approval;
pub mod ca_certificate;
mod client_facts;
pub mod comparison;
pub mod crl;
mod diagnosis;
pub mod draft;
pub mod encode;
mod extension_reading;
pub mod extension_rules;
pub mod file_rules;
pub mod hypothetical_leaf;
pub mod issuer;
pub mod issuer_error;
pub mod log_head;
mod name_pattern;
pub mod name_rules;
pub mod profile;
pub mod profile_reading;
pub mod profile_toml;
pub mod recertify;
pub mod refusal;
pub mod request;
pub mod request_draft;
mod request_reading;
pub mod request_rules;
pub mod signing_request;
mod subject;
mod taken_subject;
pub mod template_string;
#[cfg(test)]
mod testing;
mod uri_pattern;
pub mod verified_csr;
pub mod verified_draft;

pub use approval::{ApprovedDraft, NotApproved, approve};
pub use ca_certificate::CaCertificate;
pub use comparison::{AskedKind, Compared, Comparison, Fate};
pub use crl::{ApprovedCrl, CrlDraft, CrlNotApproved, SignedCrl, approve_crl};
pub use draft::{Draft, SignedBy};
pub use extension_rules::GivenExtensions;
pub use file_rules::{FileRules, FileRulesChange};
pub use hypothetical_leaf::hypothetical_leaf;
pub use issuer::{Issuer, sign, sign_crl, sign_log_head};
pub use issuer_error::IssuerError;
pub use log_head::{LogHeadDraft, verify_log_head};
pub use profile::Profile;
pub use recertify::recertify;
pub use refusal::DraftRefusal;
pub use request::{CertificateRequest, Expiry};
pub use request_draft::RequestDraft;
pub use signing_request::{RequestError, sign_request};
pub use template_string::{TemplateString, TemplateStringError, TemplateValues};
pub use verified_csr::{CsrError, CsrLimits, UnusableNames, VerifiedCsr, verify_csr};
pub use verified_draft::{NotVerified, VerifiedDraft};

#[cfg(test)]
mod tests;
