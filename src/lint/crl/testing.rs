//! CRLs for tests, in which any field can be wrong.

use super::CrlTarget;
use crate::lint::testing::{name, object_identifier};
use crate::lint::{CrlCheck, Rule};
use crate::x509::certificate::oid;
use crate::x509::der;

/// A CRL to be made: sound until a field is changed. Its signature is made by no key.
pub struct TestCrl {
    pub version: Option<u8>,
    pub inner_algorithm: Vec<u8>,
    pub outer_algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub this_update: Vec<u8>,
    pub next_update: Vec<u8>,
    pub entries: Option<Vec<Vec<u8>>>,
    pub extensions: Vec<Vec<u8>>,
}

/// Applies a rule to a CRL.
pub fn finding(rule: &Rule<CrlCheck>, crl: TestCrl) -> Option<String> {
    (rule.check)(&CrlTarget::read(crl.der()).unwrap())
}

/// An extension; `critical` is the content of the BOOLEAN, `None` when it is left out.
pub fn extension(oid: &str, critical: Option<u8>, value: &[u8]) -> Vec<u8> {
    let critical = critical.map(|byte| der::value(der::BOOLEAN, &[byte])).unwrap_or_default();
    der::sequence(&[&object_identifier(oid), &critical, &der::value(der::OCTET_STRING, value)])
}

/// An entry of 2026-01-01 with these extensions.
pub fn entry(serial: u8, extensions: &[Vec<u8>]) -> Vec<u8> {
    entry_at(serial, b"\x17\x0d260101000000Z", extensions)
}

pub fn entry_at(serial: u8, time: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let extensions = if extensions.is_empty() { Vec::new() } else { der::sequence(&[&extensions.concat()]) };
    der::sequence(&[&[der::INTEGER, 1, serial], time, &extensions])
}

/// The entry extension with a reason.
pub fn reason(critical: Option<u8>, code: u8) -> Vec<u8> {
    extension(oid::REASON_CODE, critical, &[der::ENUMERATED, 1, code])
}

impl TestCrl {
    pub fn new() -> Self {
        let algorithm = der::sequence(&[&object_identifier("1.2.840.10045.4.3.2")]);
        let key_id = der::sequence(&[&der::value(der::context(0), &[7; 20])]);
        Self {
            version: Some(1),
            inner_algorithm: algorithm.clone(),
            outer_algorithm: algorithm,
            issuer: name("Test CA"),
            this_update: b"\x17\x0d260201000000Z".to_vec(),
            next_update: b"\x17\x0d260301000000Z".to_vec(),
            entries: None,
            extensions: vec![
                extension(oid::AUTHORITY_KEY_ID, None, &key_id),
                extension(oid::CRL_NUMBER, None, &[der::INTEGER, 1, 5]),
            ],
        }
    }

    /// Has these entries.
    pub fn entries(mut self, entries: &[Vec<u8>]) -> Self {
        self.entries = Some(entries.to_vec());
        self
    }

    /// Leaves an extension out.
    pub fn without(mut self, oid: &str) -> Self {
        let identifier = object_identifier(oid);
        self.extensions.retain(|extension| !extension.windows(identifier.len()).any(|at| at == identifier));
        self
    }

    /// Replaces an extension, or adds it.
    pub fn extension(mut self, oid: &str, critical: Option<u8>, value: &[u8]) -> Self {
        self = self.without(oid);
        self.extensions.push(extension(oid, critical, value));
        self
    }

    pub fn der(&self) -> Vec<u8> {
        let version = self.version.map(|version| vec![der::INTEGER, 1, version]).unwrap_or_default();
        let entries = self.entries.as_ref().map(|list| der::sequence(&[&list.concat()])).unwrap_or_default();
        let extensions = match self.extensions.as_slice() {
            [] => Vec::new(),
            some => der::value(der::context_constructed(0), &der::sequence(&[&some.concat()])),
        };
        let tbs = der::sequence(&[
            &version,
            &self.inner_algorithm,
            &self.issuer,
            &self.this_update,
            &self.next_update,
            &entries,
            &extensions,
        ]);
        der::sequence(&[&tbs, &self.outer_algorithm, &der::bit_string(&[1, 2, 3])])
    }
}
