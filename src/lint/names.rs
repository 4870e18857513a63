//! The names in a certificate that rules look at.

use crate::text;
use crate::x509::certificate::oid;
use crate::x509::{Certificate, DistinguishedName, GeneralName, NameValue, der};

/// Tags of general names (RFC 5280 §4.2.1.6).
pub const EMAIL: u8 = der::context(1);
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

/// Returns the subject and issuer alternative names, each as its tag and its content.
pub fn alternative_names(certificate: &Certificate) -> impl Iterator<Item = (u8, &[u8])> {
    let lists = [oid::SUBJECT_ALT_NAME, oid::ISSUER_ALT_NAME].into_iter().filter_map(|oid| certificate.extension(oid));
    let names = lists.flat_map(|list| der::each(der::split_first(&list.value).map_or(&[], |(_, content, _)| content)));
    names.filter_map(|name| der::split_first(name).map(|(tag, content, _)| (tag, content)))
}
