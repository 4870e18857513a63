//! The names in a certificate that rules look at.

use crate::text;
use crate::x509::certificate::oid;
use crate::x509::{Certificate, DistinguishedName, GeneralName, NameValue, der};

/// Tags of general names (RFC 5280 §4.2.1.6).
pub const EMAIL: u8 = der::context(1);
pub const DNS: u8 = der::context(2);
pub const URI: u8 = der::context(6);

/// Returns the first value of the subject, or of a directory name among the subject alternative names, that `problem` finds
/// something wrong with, as a sentence.
pub fn find_value(certificate: &Certificate, problem: impl Fn(&NameValue<'_>) -> Option<String>) -> Option<String> {
    let in_name = |name: &DistinguishedName, place: &str| {
        name.values().find_map(|value| {
            let problem = problem(&value)?;
            let (kind, shown) = (&value.attribute.kind, text::escape(&value.attribute.value));
            Some(format!("the {kind} '{shown}' of {place} {problem}"))
        })
    };
    in_name(&certificate.subject, "the subject").or_else(|| {
        certificate.names().iter().find_map(|name| match name {
            GeneralName::Directory(name) => in_name(name, "a subject alternative name"),
            _ => None,
        })
    })
}

/// Returns the names of an extension that is a list of them, each as its tag and its content.
pub fn of_extension<'a>(certificate: &'a Certificate, oid: &str) -> impl Iterator<Item = (u8, &'a [u8])> {
    let list =
        certificate.extension(oid).and_then(|list| der::split_first(&list.value)).map_or(&[][..], |(_, it, _)| it);
    der::each(list).filter_map(|name| der::split_first(name).map(|(tag, content, _)| (tag, content)))
}

/// Returns the URIs at which something about a certificate is to be had: of authority information access, and of CRL distribution
/// points.
pub fn places(certificate: &Certificate) -> impl Iterator<Item = (&'static str, &str)> {
    let of_authority = certificate.ocsp_urls.iter().chain(&certificate.ca_issuer_urls);
    let of_authority = of_authority.map(|url| ("authority information access", url.as_str()));
    of_authority.chain(certificate.crl_urls.iter().map(|url| ("a CRL distribution point", url.as_str())))
}

/// Returns the subject and issuer alternative names, each as its tag and its content.
pub fn alternative_names(certificate: &Certificate) -> impl Iterator<Item = (u8, &[u8])> {
    [oid::SUBJECT_ALT_NAME, oid::ISSUER_ALT_NAME].into_iter().flat_map(|oid| of_extension(certificate, oid))
}
