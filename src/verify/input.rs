//! What a verification is given: certificates, CRLs and options.

use std::fmt;

use time::OffsetDateTime;

use super::candidate::{Candidate, CandidateCrl};
use super::signature::SignatureCache;
use crate::x509::crl::RevocationReason;
use crate::x509::{ExtendedKeyUsage, GeneralName};

/// The use that a certificate is verified for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A TLS server: RFC 5280, the Baseline Requirements' rules for certificates, and what rustls accepts.
    Server,
    /// A TLS client: RFC 5280, and what rustls accepts.
    Client,
    /// E-mail that is signed or encrypted (S/MIME): path validation, the extended key usage and the key usage.
    Email,
    /// Signed programs: path validation, the extended key usage and the key usage.
    CodeSigning,
    /// A time stamping authority (RFC 3161 §2.3).
    TimeStamping,
    /// A signer of OCSP responses (RFC 6960 §4.2.2.2).
    Ocsp,
    /// The path validation of RFC 5280 §6 alone.
    Any,
}

impl Purpose {
    /// Returns the value of `--purpose`, which reports use too.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Email => "email",
            Self::CodeSigning => "code-signing",
            Self::TimeStamping => "time-stamping",
            Self::Ocsp => "ocsp",
            Self::Any => "any",
        }
    }

    /// Returns the extended key usage that this purpose requires, or `None` for [`Purpose::Any`].
    pub const fn extended_key_usage(self) -> Option<ExtendedKeyUsage> {
        match self {
            Self::Server => Some(ExtendedKeyUsage::ServerAuth),
            Self::Client => Some(ExtendedKeyUsage::ClientAuth),
            Self::Email => Some(ExtendedKeyUsage::EmailProtection),
            Self::CodeSigning => Some(ExtendedKeyUsage::CodeSigning),
            Self::TimeStamping => Some(ExtendedKeyUsage::TimeStamping),
            Self::Ocsp => Some(ExtendedKeyUsage::OcspSigning),
            Self::Any => None,
        }
    }

    /// Returns whether it is one side of TLS: the rules of TLS documents and of TLS libraries apply.
    pub const fn is_tls(self) -> bool {
        matches!(self, Self::Server | Self::Client)
    }
}

/// A source of revocations besides CRLs, such as the index of the CA that signed the certificates.
pub trait RevocationSource: fmt::Debug + Send + Sync {
    /// Returns the revocation or hold that is in effect for a certificate; `None` when the source knows of none.
    ///
    /// # Errors
    /// A sentence that says why the source cannot be read.
    fn revocation_of(&self, candidate: &Candidate) -> Result<Option<KnownRevocation>, String>;
}

/// A revocation that a [`RevocationSource`] has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRevocation {
    pub at: OffsetDateTime,
    /// `None` when the source gives no reason.
    pub reason: Option<RevocationReason>,
    /// The source in words, as `the index ca/index.db`.
    pub source: String,
}

/// What a chain is verified for.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    pub at: OffsetDateTime,
    pub purpose: Purpose,
    /// The names that the leaf must have, each of them.
    pub names: Vec<GeneralName>,
    /// The highest number of intermediates, without self-issued ones; `None` is no limit.
    pub max_path_length: Option<u32>,
    /// The time until which the chain must stay valid; `None` requires nothing.
    pub must_be_valid_until: Option<OffsetDateTime>,
    /// Every certificate below the root must be covered by a current CRL.
    pub check_revocation: bool,
    /// Every rule for servers is an error, whatever clients do; otherwise the severity of what is not path validation follows
    /// from what measured clients refuse.
    pub strict: bool,
    /// The roots are the user's own, created or imported with this program: two lint rules that they may break are then
    /// warnings (docs/decisions/0011-form-of-own-roots.md).
    pub own_roots: bool,
}

impl VerifyOptions {
    /// Returns the options of the path alone (RFC 5280 §6.1), below roots of this program: for any purpose and any name,
    /// without CRLs.
    pub const fn path_alone(at: OffsetDateTime) -> Self {
        Self {
            at,
            purpose: Purpose::Any,
            names: Vec::new(),
            max_path_length: None,
            must_be_valid_until: None,
            check_revocation: false,
            strict: true,
            own_roots: true,
        }
    }
}

/// The certificates and CRLs of one verification.
#[derive(Debug, Clone, Copy)]
pub struct VerifyInput<'a> {
    pub leaf: &'a Candidate,
    /// Certificates that may be used as intermediates.
    pub untrusted: &'a [&'a Candidate],
    /// The trust anchors.
    pub anchors: &'a [Candidate],
    pub crls: &'a [CandidateCrl],
    /// Revocations from elsewhere, which always count; `None` when there are only the CRLs.
    pub revocations: Option<&'a dyn RevocationSource>,
    /// The results of signature checks, shared with other verifications.
    pub signatures: &'a SignatureCache,
}
