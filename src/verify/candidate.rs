//! The certificates and CRLs of a verification, each with the file that it comes from.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::lint::Finding;
use crate::x509::crl::RevokedEntry;
use crate::x509::{CanonicalName, Certificate, Crl, digest};

/// The position of a certificate or CRL in its file: the path as the user gave it, and the number in the file, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InputPosition {
    pub file: Arc<str>,
    pub number: usize,
}

impl InputPosition {
    pub fn new(file: impl Into<Arc<str>>, number: usize) -> Self {
        Self { file: file.into(), number }
    }
}

/// Writes `web.pem#1`.
impl fmt::Display for InputPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.file, self.number)
    }
}

/// A certificate under verification, with its source.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub certificate: Certificate,
    pub position: InputPosition,
    pub(super) subject: CanonicalName,
    pub(super) issuer: CanonicalName,
    /// The SHA-256 of the SubjectPublicKeyInfo, since keys are compared often and may be long.
    key: [u8; 32],
    alone: OnceLock<Vec<Finding>>,
}

impl Candidate {
    pub fn new(certificate: Certificate, position: InputPosition) -> Self {
        let (subject, issuer) = (CanonicalName::of(&certificate.subject), CanonicalName::of(&certificate.issuer));
        let key = digest::sha256(certificate.public_key.spki());
        Self { certificate, position, subject, issuer, key, alone: OnceLock::new() }
    }

    /// Returns whether both certificates have the same subject and the same key.
    /// Returns what breaks a rule of this certificate by itself. An anchor is part of a thousand paths, and asked once.
    pub(super) fn findings_alone(&self, find: impl FnOnce(&Certificate) -> Vec<Finding>) -> &[Finding] {
        self.alone.get_or_init(|| find(&self.certificate))
    }

    pub(super) fn is_same_ca(&self, other: &Self) -> bool {
        self.key == other.key && self.subject == other.subject
    }

    /// Returns whether subject and issuer are the same name (RFC 5280 §6.1). Path lengths do not count such a
    /// certificate.
    pub fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// A CRL under verification, with its source.
#[derive(Debug, Clone)]
pub struct CandidateCrl {
    pub contents: Crl,
    pub position: InputPosition,
    pub(super) issuer: CanonicalName,
    /// The indices of the entries, ordered by serial number: many certificates are looked up in the CRL of a large CA.
    by_serial: Vec<usize>,
}

impl CandidateCrl {
    pub fn new(contents: Crl, position: InputPosition) -> Self {
        let issuer = CanonicalName::of(&contents.issuer);
        let mut by_serial: Vec<usize> = (0..contents.entries.len()).collect();
        by_serial.sort_by_key(|index| contents.entries.get(*index).map(|entry| entry.serial.as_der_content()));
        Self { contents, position, issuer, by_serial }
    }

    /// Returns the entries with the serial number and the issuer of a certificate, in the order of the CRL.
    pub fn entries_of<'a>(&'a self, candidate: &'a Candidate) -> impl Iterator<Item = &'a RevokedEntry> {
        let serial = Some(candidate.certificate.serial.as_der_content());
        let entry = move |index: &usize| self.contents.entries.get(*index);
        let found = move |index: &usize| entry(index).map(|entry| entry.serial.as_der_content());
        let from = self.by_serial.partition_point(|index| found(index) < serial);
        let of_serial = self.by_serial.iter().skip(from).take_while(move |index| found(index) == serial);
        of_serial.filter_map(entry).filter(|entry| match &entry.certificate_issuer {
            None => self.issuer == candidate.issuer,
            Some(name) => CanonicalName::of(name) == candidate.issuer,
        })
    }
}
