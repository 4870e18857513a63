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
    /// Returns every attribute with its value as it is written, in order.
    pub fn values(&self) -> impl Iterator<Item = NameValue<'_>> {
        // The decoder refuses a name whose attributes are not all read, so both lists have one length.
        let written = children(self.as_der()).flat_map(children).filter_map(|attribute| {
            let (_, parts, _) = der::split_first(attribute)?;
            let (.., value) = der::split_first(parts)?;
            der::split_first(value)
        });
        self.attributes().zip(written).map(|(attribute, (tag, content, _))| NameValue { attribute, tag, content })
    }
}

fn children(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    der::split_first(value).and_then(|(_, content, _)| der::children(content)).unwrap_or_default().into_iter()
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
}
