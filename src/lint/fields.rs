//! The parts of a certificate as they are written, for rules about their encoding.

use crate::x509::Certificate;
use crate::x509::SignatureAlgorithm;
use crate::x509::der;
use crate::x509::der_rules::{self, WrittenExtension};

/// Compares the signature algorithm inside what is signed with the one outside; what is wrong, as a sentence.
pub fn algorithms_differ(inner: &SignatureAlgorithm, outer: &SignatureAlgorithm) -> Option<String> {
    (inner.der != outer.der)
        .then(|| format!("what is signed names {inner}, the signature {outer}; expected the same, parameters included"))
}

/// Returns the elements of the signed part, each with tag and length.
pub fn all(certificate: &Certificate) -> Vec<&[u8]> {
    der_rules::fields(certificate.tbs())
}

/// Returns the extensions in their order, one for each decoded one; none when the certificate has no list of them, or one of them
/// cannot be read.
pub fn extensions(certificate: &Certificate) -> Vec<WrittenExtension<'_>> {
    let is_list = |field: &&[u8]| field.first() == Some(&der::context_constructed(3));
    let fields = der::split_first(certificate.tbs()).map_or(&[][..], |(_, content, _)| content);
    let last = der::each(fields).find(is_list);
    let written = last.and_then(der_rules::written_extensions).unwrap_or_default();
    if written.len() == certificate.extensions.len() { written } else { Vec::new() }
}
