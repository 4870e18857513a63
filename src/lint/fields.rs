//! The parts of a certificate as they are written, for rules about their encoding.

use crate::x509::Certificate;
use crate::x509::der;
use crate::x509::der_rules::{self, WrittenExtension};

/// Returns the elements of the signed part, each with tag and length.
pub fn all(certificate: &Certificate) -> Vec<&[u8]> {
    der_rules::fields(certificate.tbs())
}

/// Returns the extensions in their order; none when the certificate has no list of them.
pub fn extensions(certificate: &Certificate) -> Vec<WrittenExtension<'_>> {
    let last = all(certificate).pop().filter(|last| last.first() == Some(&der::context_constructed(3)));
    last.and_then(der_rules::written_extensions).unwrap_or_default()
}
