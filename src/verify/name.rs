//! Comparing distinguished names as RFC 5280 §7.1 asks: without regard to case, string type and superfluous space.

use crate::x509::DistinguishedName;

/// A name prepared for comparison: one text for each relative name.
///
/// Unicode is folded to lower case character by character; compatibility forms (NFKC of RFC 4518) are not unified, so
/// names that differ only there count as different. That is the safe side for a chain, and names are given by CAs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Canonical(Vec<String>);

impl Canonical {
    pub fn of(name: &DistinguishedName) -> Self {
        let relative_names = name.relative_names().iter().map(|attributes| {
            let mut parts: Vec<String> = attributes
                .iter()
                .map(|attribute| format!("{}={}", attribute.kind, prepare(&attribute.value)))
                .collect();
            // A relative name is a set: the order in which it was written says nothing.
            parts.sort_unstable();
            parts.join("\u{0}")
        });
        Self(relative_names.collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this name begins with all relative names of `base`: the subtree of RFC 5280 §4.2.1.10.
    pub fn is_within(&self, base: &Self) -> bool {
        self.0.starts_with(&base.0)
    }
}

/// Folds case, drops what cannot be seen, and leaves single spaces between words.
fn prepare(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut space = false;
    for character in value.chars() {
        if character.is_whitespace() {
            space = !out.is_empty();
            continue;
        }
        if !crate::x509::text::is_plainly_visible(character) {
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(' ');
        }
        out.extend(character.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::{AttributeType, der};

    fn canonical(string_type: u8, value: &[u8]) -> Canonical {
        let attribute = der::sequence(&[&[6, 3, 0x55, 4, 10], &der::value(string_type, value)]);
        let name = der::sequence(&[&der::value(der::SET, &attribute)]);
        Canonical::of(&DistinguishedName::from_der(&name).unwrap())
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let plain = canonical(der::PRINTABLE_STRING, b"Test Certificates");
        assert_eq!(plain, canonical(der::UTF8_STRING, b"  test   CERTIFICATES "));
        assert_ne!(plain, canonical(der::UTF8_STRING, b"TestCertificates"));
        assert_eq!(canonical(der::UTF8_STRING, "ÄRGER".as_bytes()), canonical(der::UTF8_STRING, "ärger".as_bytes()));
    }

    #[test]
    fn a_name_lies_within_its_beginning_only() {
        let build = |parts: &[&str]| {
            let parts: Vec<_> =
                parts.iter().map(|part| (AttributeType::OrganizationalUnit, (*part).to_owned())).collect();
            Canonical::of(&DistinguishedName::build(&parts).unwrap())
        };
        assert!(build(&["a", "b"]).is_within(&build(&["A"])));
        assert!(!build(&["a", "b"]).is_within(&build(&["b"])));
        assert!(!build(&["a"]).is_within(&build(&["a", "b"])));
    }
}
