//! The values of a name as they are written: with their string types.

use super::{Attribute, DistinguishedName, der};

/// One attribute of a name, decoded and as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameValue<'a> {
    pub attribute: &'a Attribute,
    /// The tag of the value, as [`der::UTF8_STRING`].
    pub tag: u8,
    /// The content bytes of the value.
    pub content: &'a [u8],
}

impl DistinguishedName {
    /// Returns every attribute with its value as it is written, in order. Relative names that cannot be read are left out.
    pub fn values(&self) -> impl Iterator<Item = NameValue<'_>> {
        let written = children(self.as_der());
        self.relative_names().iter().zip(written).flat_map(|(attributes, set)| {
            // A relative name that cannot be read has no attributes.
            attributes.iter().zip(children(set)).filter_map(|(attribute, pair)| {
                let (_, parts, _) = der::split_first(pair)?;
                let (.., value) = der::split_first(parts)?;
                let (tag, content, _) = der::split_first(value)?;
                Some(NameValue { attribute, tag, content })
            })
        })
    }
}

fn children(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    der::each(der::split_first(value).map_or(&[], |(_, content, _)| content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::x509::AttributeType;

    #[test]
    fn each_attribute_comes_with_its_string_type() {
        let attributes = [(AttributeType::Country, "DE"), (AttributeType::CommonName, "ä")];
        let attributes = attributes.map(|(kind, value)| (kind, value.to_owned()));
        let name = DistinguishedName::build(&attributes).unwrap();
        let found: Vec<_> = name.values().map(|it| (it.attribute.value.as_str(), it.tag, it.content.len())).collect();
        assert_eq!(found, [("DE", der::PRINTABLE_STRING, 2), ("ä", der::UTF8_STRING, 2)]);
    }

    #[test]
    fn a_relative_name_that_cannot_be_read_shifts_no_value() {
        let right = |oid: u8, text: &[u8]| {
            let pair = [&[der::OBJECT_IDENTIFIER, 3, 0x55, 4, oid][..], &der::value(der::UTF8_STRING, text)].concat();
            der::value(der::SET, &der::sequence(&[&pair]))
        };
        let name = der::sequence(&[&right(10, b"Acme"), &[der::SET, 0], &right(3, b"web")]);
        let root = crate::lint::testing::TestCa::root();
        let der = root.issue_der(&crate::lint::testing::TestCert::server("a.test").subject(&name));
        let certificate = crate::x509::Certificate::read_partially(&der).unwrap();
        let found: Vec<_> = certificate.subject.values().map(|it| (it.attribute.kind.oid(), it.content)).collect();
        assert_eq!(found, [("2.5.4.10", &b"Acme"[..]), ("2.5.4.3", b"web")]);
    }
}
