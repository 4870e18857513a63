//! What a verification is given: certificates, CRLs and options.

use time::OffsetDateTime;

use super::candidate::{Candidate, CandidateCrl};
use super::signature::SignatureCache;
use crate::x509::{ExtendedKeyUsage, GeneralName};

/// What the certificate is to be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A TLS server: RFC 5280 with the Baseline Requirements' rules on form, and what rustls accepts.
    Server,
    /// A TLS client: RFC 5280, and what rustls accepts.
    Client,
    /// The path validation of RFC 5280 §6 alone.
    Any,
}

impl Purpose {
    /// The word for it in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Any => "any",
        }
    }

    /// The extended key usage it needs.
    pub const fn extended_key_usage(self) -> Option<ExtendedKeyUsage> {
        match self {
            Self::Server => Some(ExtendedKeyUsage::ServerAuth),
            Self::Client => Some(ExtendedKeyUsage::ClientAuth),
            Self::Any => None,
        }
    }
}

/// The question.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    pub at: OffsetDateTime,
    pub purpose: Purpose,
    /// Every one of them must be vouched for by the leaf.
    pub names: Vec<GeneralName>,
    /// The most intermediates, self-issued ones not counted.
    pub max_path_length: Option<u32>,
    /// A yes must hold at least until then.
    pub must_be_valid_until: Option<OffsetDateTime>,
    /// Whether every certificate below the root needs a current revocation list.
    pub check_revocation: bool,
    /// The roots are those of whoever asks, who made them or took them over. Two faults of their form are told and do not
    /// decide: docs/decisions/0011-form-of-own-roots.md.
    pub own_roots: bool,
}

/// What is laid before the judge.
#[derive(Debug, Clone, Copy)]
pub struct VerifyInput<'a> {
    pub leaf: &'a Candidate,
    /// May be used, need not be.
    pub untrusted: &'a [&'a Candidate],
    /// Trusted, each of them.
    pub anchors: &'a [Candidate],
    pub crls: &'a [CandidateCrl],
    /// What is known of signatures already, from other questions.
    pub signatures: &'a SignatureCache,
}
