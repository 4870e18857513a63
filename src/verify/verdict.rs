//! The result of a verification.

use std::fmt;

use time::OffsetDateTime;

use super::candidate::{Candidate, InputPosition};
use super::code::{Code, Rank};
use crate::lint::{Finding, Severity};
use crate::x509::{DistinguishedName, SerialNumber};

/// One problem of a chain, with its source and its fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: &'static str,
    pub severity: Severity,
    /// The certificate that has the problem.
    pub certificate: InputPosition,
    /// The subject of the certificate; `None` when the certificate cannot be read.
    pub subject: Option<String>,
    /// What was found, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
    pub citation: &'static str,
    pub(super) rank: Rank,
}

impl Problem {
    /// Makes an error.
    pub fn error(code: &'static Code, candidate: &Candidate, message: impl Into<String>) -> Self {
        Self {
            subject: Some(candidate.certificate.subject.to_string()),
            ..Self::at(code, candidate.position.clone(), message)
        }
    }

    /// Makes an error in a certificate that possibly cannot be read.
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

    /// Makes a warning.
    pub fn warning(code: &'static Code, candidate: &Candidate, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, candidate, message) }
    }

    /// Makes a problem of a lint finding, with the severity that verification gives it.
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

    /// Replaces the document of the rule by that of this case.
    #[must_use]
    pub fn citation(mut self, citation: &'static str) -> Self {
        self.citation = citation;
        self
    }

    /// Replaces the general fix by one for this case.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

/// The role of a certificate in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leaf,
    Intermediate,
    Root,
}

impl Role {
    /// Returns the word for reports and JSON.
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

/// The time until which a chain is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidUntil {
    /// The first second at which the chain is invalid.
    pub at: OffsetDateTime,
    /// What expires then: `the leaf web.pem#1`, `the revocation list ca.crl#1`.
    pub what: String,
    pub cause: ExpiryCause,
    /// The source of what expires.
    pub position: InputPosition,
}

/// What expires first in a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryCause {
    Certificate(Role),
    Crl,
}

impl ExpiryCause {
    /// Returns the word for JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate(role) => role.name(),
            Self::Crl => "crl",
        }
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub valid: bool,
    /// Leaf to root; of an invalid chain the part that could be built.
    pub chain: Vec<Link>,
    /// Ordered by severity and [`Rank`]; a valid chain has warnings only.
    pub problems: Vec<Problem>,
    /// `None` when the chain is invalid.
    pub until: Option<ValidUntil>,
    /// The error of webpki for a path that breaks none of our rules. `None` when webpki accepts the path, or was not
    /// run because the leaf is for neither side of TLS.
    pub rustls_refuses: Option<String>,
}

impl Verdict {
    /// Adds problems that were found outside of the verification. An error makes a valid chain invalid; nothing makes
    /// an invalid chain valid.
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
