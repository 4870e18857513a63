//! What the judge answers.

use std::fmt;

use time::OffsetDateTime;

use super::candidate::{Candidate, InputPosition};
use super::code::{Code, Rank};
use crate::lint::{Finding, Severity};
use crate::x509::{DistinguishedName, SerialNumber};

/// One thing that is wrong, with its place and its cure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: &'static str,
    pub severity: Severity,
    /// Which certificate of which file.
    pub certificate: InputPosition,
    /// Whose certificate it is; nothing when it could not be read.
    pub subject: Option<String>,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    pub citation: &'static str,
    pub(super) rank: Rank,
}

impl Problem {
    /// A reason for a no.
    pub fn error(code: &'static Code, candidate: &Candidate, message: impl Into<String>) -> Self {
        Self {
            subject: Some(candidate.certificate.subject.to_string()),
            ..Self::at(code, candidate.position.clone(), message)
        }
    }

    /// A reason for a no, in a certificate that may not even be readable.
    pub fn at(code: &'static Code, certificate: InputPosition, message: impl Into<String>) -> Self {
        Self {
            code: code.code,
            severity: Severity::Error,
            certificate,
            subject: None,
            message: message.into(),
            hint: code.fix.to_owned(),
            citation: code.citation,
            rank: code.rank,
        }
    }

    /// Something to know beside the answer.
    pub fn warning(code: &'static Code, candidate: &Candidate, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, candidate, message) }
    }

    /// A broken rule of form.
    pub fn of_finding(finding: Finding, severity: Severity, rank: Rank, candidate: &Candidate) -> Self {
        Self {
            code: finding.rule,
            severity,
            certificate: candidate.position.clone(),
            subject: Some(candidate.certificate.subject.to_string()),
            message: finding.message,
            hint: finding.hint.unwrap_or_default(),
            citation: finding.citation,
            rank,
        }
    }

    /// Says what to do in this very case.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// What a certificate is in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leaf,
    Intermediate,
    Root,
}

impl Role {
    /// The word for it in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Leaf => "leaf",
            Self::Intermediate => "intermediate",
            Self::Root => "root",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One certificate of the chain that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub subject: DistinguishedName,
    pub issuer: DistinguishedName,
    pub serial: SerialNumber,
    pub not_after: OffsetDateTime,
    pub role: Role,
    pub source: InputPosition,
}

impl Link {
    /// Returns the link of a certificate with this role in the chain.
    pub(super) fn new(candidate: &Candidate, role: Role) -> Self {
        let certificate = &candidate.certificate;
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            not_after: certificate.validity.not_after,
            role,
            source: candidate.position.clone(),
        }
    }

    /// Returns the links of a complete path (anchor first) in the order of the report: leaf first.
    pub(super) fn of_path(certificates: &[&Candidate]) -> Vec<Self> {
        let most = certificates.len();
        let role = |index: usize| match index {
            _ if index + 1 == most => Role::Leaf,
            0 => Role::Root,
            _ => Role::Intermediate,
        };
        certificates.iter().enumerate().rev().map(|(index, candidate)| Self::new(candidate, role(index))).collect()
    }
}

/// Until when a yes holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidUntil {
    /// The first moment at which the answer is no.
    pub at: OffsetDateTime,
    /// What ends then: `the leaf web.pem#1`, `the revocation list ca.crl#1`.
    pub what: String,
    pub cause: ExpiryCause,
    /// Where that stands.
    pub position: InputPosition,
}

/// What a yes ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryCause {
    Certificate(Role),
    Crl,
}

impl ExpiryCause {
    /// The word for it in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate(role) => role.name(),
            Self::Crl => "crl",
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub valid: bool,
    /// Leaf to root; as far as it could be built when the answer is no.
    pub chain: Vec<Link>,
    /// The most useful cause first; only warnings beside a yes.
    pub problems: Vec<Problem>,
    /// Nothing when the answer is no already.
    pub until: Option<ValidUntil>,
    /// What the TLS library's own verifier says where it refuses and the answer is yes otherwise: nothing when it agrees, or
    /// was not asked, since the leaf is for neither side of TLS.
    pub rustls_refuses: Option<String>,
}

impl Verdict {
    /// Adds what else is wrong. It may turn a yes into a no, and never a no into a yes.
    pub fn add_problems(&mut self, objections: impl IntoIterator<Item = Problem>) {
        self.problems.extend(objections);
        if self.problems.iter().any(|problem| problem.severity == Severity::Error) {
            self.valid = false;
            self.until = None;
        }
        sort(&mut self.problems);
    }
}

/// Puts errors before warnings, and within each the most useful cause first.
pub(super) fn sort(problems: &mut [Problem]) {
    problems.sort_by_key(|problem| (std::cmp::Reverse(problem.severity), problem.rank));
}
