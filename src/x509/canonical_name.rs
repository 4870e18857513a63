//! Comparing distinguished names by the rules of RFC 5280 §7.1, which ignore case, string type and superfluous space.

use std::hash::{Hash, Hasher};

use super::digest;
use super::name::{Attribute, DistinguishedName};

/// A distinguished name prepared for comparison: one text for each relative name, and the SHA-256 of all of them, so that a
/// comparison takes the same time for long names.
///
/// Unicode is folded to lower case character by character; compatibility forms (NFKC of RFC 4518) are not unified, so
/// names that differ only in such a form are different. For a chain this is the safe side.
#[derive(Debug, Clone)]
pub struct CanonicalName {
    relative_names: Vec<String>,
    digest: [u8; 32],
}

impl PartialEq for CanonicalName {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for CanonicalName {}

impl Hash for CanonicalName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digest.hash(state);
    }
}

impl CanonicalName {
    /// Prepares `name` for comparison.
    pub fn of(name: &DistinguishedName) -> Self {
        let relative_names = name.relative_names().iter().map(|attributes| {
            let mut parts: Vec<String> = attributes.iter().map(prepared).collect();
            // A relative name is a SET: the order of its attributes has no meaning.
            parts.sort_unstable();
            parts.join("\u{0}")
        });
        let relative_names: Vec<String> = relative_names.collect();
        let mut whole = Vec::new();
        for relative_name in &relative_names {
            // The length in front keeps one relative name distinct from two shorter ones.
            whole.extend(relative_name.len().to_be_bytes());
            whole.extend(relative_name.as_bytes());
        }
        Self { relative_names, digest: digest::sha256(&whole) }
    }

    /// The number of bytes that a comparison reads.
    pub fn size(&self) -> usize {
        self.relative_names.iter().map(String::len).sum()
    }

    /// Returns whether this name is in the subtree of `base` (RFC 5280 §4.2.1.10): it begins with all relative names of `base`.
    pub fn is_within(&self, base: &Self) -> bool {
        self.relative_names.starts_with(&base.relative_names)
    }
}

/// Returns `CN=` and the value: in lower case, without invisible characters, and with single spaces between words.
fn prepared(attribute: &Attribute) -> String {
    let (kind, value) = (attribute.kind.short_label(), &attribute.value);
    if !attribute.is_text {
        // No text is equal to a value that is not text: the NUL is left out of text below.
        return format!("{kind}=\0{value}");
    }
    let mut out = String::with_capacity(kind.len() + 1 + value.len());
    out.push_str(kind);
    out.push('=');
    let begin = out.len();
    let mut space = false;
    for character in value.chars() {
        if character.is_ascii_graphic() {
            if std::mem::take(&mut space) {
                out.push(' ');
            }
            out.push(character.to_ascii_lowercase());
            continue;
        }
        if character.is_whitespace() {
            space = out.len() > begin;
            continue;
        }
        if !crate::text::is_plainly_visible(character) {
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

    fn canonical(string_type: u8, value: &[u8]) -> CanonicalName {
        let attribute = der::sequence(&[&[6, 3, 0x55, 4, 10], &der::value(string_type, value)]);
        let name = der::sequence(&[&der::value(der::SET, &attribute)]);
        CanonicalName::of(&DistinguishedName::from_der(&name).unwrap())
    }

    #[test]
    fn case_space_and_string_type_do_not_matter() {
        let plain = canonical(der::PRINTABLE_STRING, b"Test Certificates");
        assert_eq!(plain, canonical(der::UTF8_STRING, b"  test   CERTIFICATES "));
        assert_ne!(plain, canonical(der::UTF8_STRING, b"TestCertificates"));
        assert_eq!(canonical(der::UTF8_STRING, "ÄRGER".as_bytes()), canonical(der::UTF8_STRING, "ärger".as_bytes()));
    }

    #[test]
    fn a_text_is_never_the_value_that_its_hexadecimal_digits_would_be() {
        let value = canonical(der::SEQUENCE, &[der::UTF8_STRING, 1, b'a']);
        assert_eq!(value, canonical(der::SEQUENCE, &[der::UTF8_STRING, 1, b'a']));
        assert_ne!(value, canonical(der::UTF8_STRING, b"#30030c0161"));
        assert_ne!(value, canonical(der::UTF8_STRING, b"\0#30030c0161"));
        assert_ne!(value, canonical(der::SEQUENCE, &[der::UTF8_STRING, 1, b'b']));
    }

    #[test]
    fn a_name_lies_within_its_beginning_only() {
        let build = |parts: &[&str]| {
            let parts: Vec<_> =
                parts.iter().map(|part| (AttributeType::OrganizationalUnit, (*part).to_owned())).collect();
            CanonicalName::of(&DistinguishedName::build(&parts).unwrap())
        };
        assert!(build(&["a", "b"]).is_within(&build(&["A"])));
        assert!(!build(&["a", "b"]).is_within(&build(&["b"])));
        assert!(!build(&["a"]).is_within(&build(&["a", "b"])));
    }
}
