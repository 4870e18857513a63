//! The NAME and template under which a certificate of another tool is recorded.

use std::collections::HashMap;

use crate::authority::leaf::order::IMPORTED;
use crate::store::entry_name::EntryName;
use crate::x509::{Certificate, ExtendedKeyUsage};

/// Returns the template whose certificates have the purposes of this one.
pub fn template_of(certificate: &Certificate) -> &'static str {
    let purposes = certificate.extended_key_usage.as_deref().unwrap_or_default();
    let has = |purpose: ExtendedKeyUsage| purposes.contains(&purpose);
    match (has(ExtendedKeyUsage::ServerAuth), has(ExtendedKeyUsage::ClientAuth), purposes.len()) {
        _ if certificate.is_ca() => IMPORTED,
        (true, false, 1) => "server",
        (false, true, 1) => "client",
        (true, true, 2) => "peer",
        _ => IMPORTED,
    }
}

/// Returns the NAME of a certificate: its common name, else its first subject alternative name. `None` when neither can be a
/// NAME.
pub fn name_of(certificate: &Certificate) -> Option<EntryName> {
    let common_name = certificate.subject.common_name().map(str::to_owned);
    let names = certificate.names().iter().map(|name| name.value());
    common_name.into_iter().chain(names).find_map(|name| name.parse().ok())
}

/// A certificate that needs a NAME: the NAME that it would have, and its template.
pub struct Unnamed {
    pub name: Option<EntryName>,
    pub template: &'static str,
    pub serial: String,
}

/// Returns the NAME and template of each certificate, in their order. The last certificate of a NAME decides about its template,
/// and earlier ones of other purposes have none. A certificate with the NAME of an authority gets one from its serial number.
pub fn names(certificates: &[Unnamed], authorities: &[&str]) -> Vec<(String, &'static str)> {
    let key = |name: &EntryName| name.as_str().to_lowercase();
    let last: HashMap<String, &'static str> = certificates
        .iter()
        .filter_map(|certificate| Some((key(certificate.name.as_ref()?), certificate.template)))
        .collect();
    let is_free = |name: &&EntryName| !authorities.iter().any(|taken| taken.eq_ignore_ascii_case(name.as_str()));
    let named = |certificate: &Unnamed| match certificate.name.as_ref().filter(is_free) {
        None => (format!("imported-{}", certificate.serial), IMPORTED),
        Some(name) if last.get(&key(name)) == Some(&certificate.template) => (name.to_string(), certificate.template),
        Some(name) => (name.to_string(), IMPORTED),
    };
    certificates.iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};

    #[test]
    fn the_template_follows_from_the_purposes() {
        let root = TestCa::root();
        let of = |cert: TestCert| template_of(&root.issue(cert));
        assert_eq!(of(TestCert::server("a.test")), "server");
        assert_eq!(of(TestCert::server("a.test").without(crate::x509::certificate::oid::EXTENDED_KEY_USAGE)), IMPORTED);
        assert_eq!(template_of(&root.certificate), IMPORTED);
    }

    #[test]
    fn certificates_of_a_name_have_one_template_and_authorities_keep_theirs() {
        let unnamed = |name: &str, template, serial: &str| Unnamed {
            name: name.parse().ok(),
            template,
            serial: serial.to_owned(),
        };
        let certificates = [
            unnamed("a.test", "client", "01"),
            unnamed("A.test", "server", "02"),
            unnamed("a.test", "server", "03"),
            unnamed("Root", "client", "04"),
            unnamed("../x", "server", "05"),
            unnamed("mail", IMPORTED, "06"),
        ];
        let named = names(&certificates, &["root", "issuing"]);
        let expected = ["a.test", "A.test", "a.test", "imported-04", "imported-05", "mail"];
        assert_eq!(named.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
        let templates = [IMPORTED, "server", "server", IMPORTED, IMPORTED, IMPORTED];
        assert_eq!(named.iter().map(|(_, template)| *template).collect::<Vec<_>>(), templates);
    }
}
