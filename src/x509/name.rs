//! Distinguished names (RFC 5280 §4.1.2.4).

use std::fmt;
use std::sync::Arc;

use super::{der, der_rules};
use crate::text;

/// A distinguished name: its DER, and its decoded attributes.
///
/// The DER decides: for the chains of this program two names are equal when their DER is equal, and the name of a CA is
/// copied byte for byte into the certificates that it issues, whatever string types another tool chose.
#[derive(Clone, PartialEq, Eq)]
pub struct DistinguishedName {
    /// Shared, because every report of a chain has the names of its certificates.
    parts: Arc<NameParts>,
}

#[derive(PartialEq, Eq)]
struct NameParts {
    der: Vec<u8>,
    relative_names: Vec<Vec<Attribute>>,
}

/// One attribute of a name, decoded as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    pub kind: AttributeType,
    /// The value as text; `#` and the DER in hexadecimal when it is not text (RFC 4514 §2.4).
    pub value: String,
    /// False for a value that is not a string, or whose bytes are not what its string type says.
    pub is_text: bool,
}

/// The type of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeType {
    CommonName,
    Surname,
    SerialNumber,
    Country,
    Locality,
    StateOrProvince,
    StreetAddress,
    Organization,
    OrganizationalUnit,
    Title,
    GivenName,
    PostalCode,
    UserId,
    DomainComponent,
    EmailAddress,
    /// Any other type, by its dotted object identifier.
    Other(String),
}

/// What is known about an attribute type.
struct KnownType {
    kind: AttributeType,
    /// The label of RFC 4514 §3 and of openssl's output.
    short: &'static str,
    /// The label in templates, `ca.toml` and `--subject`.
    long: &'static str,
    oid: &'static str,
    /// The content bytes of the object identifier.
    der: &'static [u8],
    /// The most characters that RFC 5280 appendix A.1 allows.
    most: usize,
    /// The string type of new values (RFC 5280 §4.1.2.4 and appendix A.1).
    string: u8,
}

macro_rules! known {
    ($kind:ident, $short:literal, $long:literal, $oid:literal, $der:expr, $most:literal, $string:ident) => {
        KnownType {
            kind: AttributeType::$kind,
            short: $short,
            long: $long,
            oid: $oid,
            der: $der,
            most: $most,
            string: der::$string,
        }
    };
}

const KNOWN: [KnownType; 15] = [
    known!(CommonName, "CN", "common-name", "2.5.4.3", &[0x55, 4, 3], 64, UTF8_STRING),
    known!(Surname, "SN", "surname", "2.5.4.4", &[0x55, 4, 4], 40, UTF8_STRING),
    known!(SerialNumber, "serialNumber", "serial-number", "2.5.4.5", &[0x55, 4, 5], 64, PRINTABLE_STRING),
    known!(Country, "C", "country", "2.5.4.6", &[0x55, 4, 6], 2, PRINTABLE_STRING),
    known!(Locality, "L", "locality", "2.5.4.7", &[0x55, 4, 7], 128, UTF8_STRING),
    known!(StateOrProvince, "ST", "state", "2.5.4.8", &[0x55, 4, 8], 128, UTF8_STRING),
    known!(StreetAddress, "street", "street-address", "2.5.4.9", &[0x55, 4, 9], 128, UTF8_STRING),
    known!(Organization, "O", "organization", "2.5.4.10", &[0x55, 4, 10], 64, UTF8_STRING),
    known!(OrganizationalUnit, "OU", "organizational-unit", "2.5.4.11", &[0x55, 4, 11], 64, UTF8_STRING),
    known!(Title, "title", "title", "2.5.4.12", &[0x55, 4, 12], 64, UTF8_STRING),
    known!(GivenName, "GN", "given-name", "2.5.4.42", &[0x55, 4, 42], 16, UTF8_STRING),
    known!(PostalCode, "postalCode", "postal-code", "2.5.4.17", &[0x55, 4, 17], 40, UTF8_STRING),
    known!(
        UserId,
        "UID",
        "user-id",
        "0.9.2342.19200300.100.1.1",
        &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1],
        256,
        UTF8_STRING
    ),
    known!(
        DomainComponent,
        "DC",
        "domain-component",
        "0.9.2342.19200300.100.1.25",
        &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25],
        63,
        IA5_STRING
    ),
    known!(
        EmailAddress,
        "emailAddress",
        "email-address",
        "1.2.840.113549.1.9.1",
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1],
        255,
        IA5_STRING
    ),
];

impl AttributeType {
    /// Returns the type with this dotted object identifier.
    pub fn from_oid(oid: &str) -> Self {
        KNOWN
            .iter()
            .find(|known| known.oid == oid)
            .map_or_else(|| Self::Other(oid.to_owned()), |known| known.kind.clone())
    }

    /// Returns the type with this content of an object identifier, of those that have a name here.
    pub fn from_oid_content(content: &[u8]) -> Option<Self> {
        KNOWN.iter().find(|known| known.der == content).map(|known| known.kind.clone())
    }

    /// Returns the type with this name, in any case: `organization` or `O`.
    pub fn from_label(label: &str) -> Option<Self> {
        let matches =
            |known: &&KnownType| known.short.eq_ignore_ascii_case(label) || known.long.eq_ignore_ascii_case(label);
        KNOWN.iter().find(matches).map(|known| known.kind.clone())
    }

    /// Returns the name in templates: `organization`.
    pub fn long_label(&self) -> &str {
        self.known().map_or_else(|| self.other(), |known| known.long)
    }

    /// Returns the dotted object identifier.
    pub fn oid(&self) -> &str {
        self.known().map_or_else(|| self.other(), |known| known.oid)
    }

    /// Returns the label that is shown, `CN`; for an unknown type its object identifier.
    pub fn short_label(&self) -> &str {
        self.known().map_or_else(|| self.other(), |known| known.short)
    }

    /// Returns the names that templates and flags may use.
    pub fn all_labels() -> impl Iterator<Item = &'static str> {
        KNOWN.iter().map(|known| known.long)
    }

    fn known(&self) -> Option<&'static KnownType> {
        KNOWN.iter().find(|known| known.kind == *self)
    }

    fn other(&self) -> &str {
        match self {
            Self::Other(oid) => oid,
            _ => "",
        }
    }
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short_label())
    }
}

/// Why a value is not allowed in a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("'{}' is not an attribute of a subject", text::escape(.0))]
    UnknownAttribute(String),
    #[error("{attribute} is {found} characters long, but at most {most} are allowed (RFC 5280 appendix A.1)")]
    TooLong { attribute: &'static str, found: usize, most: usize },
    #[error("{attribute} '{}' contains an invisible character: \\u{{{:x}}}", text::escape(value), u32::from(*character))]
    Invisible { attribute: &'static str, value: String, character: char },
    #[error("{attribute} '{}' contains a character that is not allowed: '{character}'", text::escape(value))]
    NotAllowed { attribute: &'static str, value: String, character: char },
    #[error("{attribute} is nothing but spaces")]
    Blank { attribute: &'static str },
    #[error("country '{}' is not a code of two capital letters (ISO 3166)", text::escape(.0))]
    Country(String),
}

impl DistinguishedName {
    /// Takes DER and its decoded content; only the decoder calls this.
    pub(super) fn from_parts(der: Vec<u8>, relative_names: Vec<Vec<Attribute>>) -> Self {
        Self { parts: Arc::new(NameParts { der, relative_names }) }
    }

    /// Encodes a name: one attribute per relative name, in this order; empty values are left out.
    ///
    /// # Errors
    /// When a value is too long, or has characters that its type does not allow, or that are invisible.
    pub fn build(attributes: &[(AttributeType, String)]) -> Result<Self, NameError> {
        let mut encoded = Vec::new();
        let mut relative_names = Vec::new();
        for (kind, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            let known = kind.known().ok_or_else(|| NameError::UnknownAttribute(kind.to_string()))?;
            check_value(known, value)?;
            let object_identifier = der::value(der::OBJECT_IDENTIFIER, known.der);
            let string = der::value(known.string, value.as_bytes());
            encoded.push(der::constructed(der::SET, &[&der::sequence(&[&object_identifier, &string])]));
            relative_names.push(vec![Attribute { kind: kind.clone(), value: value.clone(), is_text: true }]);
        }
        let encoded: Vec<_> = encoded.iter().map(Vec::as_slice).collect();
        Ok(Self::from_parts(der::sequence(&encoded), relative_names))
    }

    /// Returns the DER of the whole `Name`.
    pub fn as_der(&self) -> &[u8] {
        &self.parts.der
    }

    /// Returns whether it has no attribute.
    pub fn is_empty(&self) -> bool {
        self.relative_names().is_empty()
    }

    /// Returns the relative names in their order, each with its attributes.
    pub fn relative_names(&self) -> &[Vec<Attribute>] {
        &self.parts.relative_names
    }

    /// Returns all attributes in their order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.relative_names().iter().flatten()
    }

    /// Returns the value of the first attribute of this type.
    pub fn first(&self, kind: &AttributeType) -> Option<&str> {
        self.attributes().find(|attribute| attribute.kind == *kind).map(|attribute| attribute.value.as_str())
    }

    /// Returns the common name; the last one of several, as RFC 6125 §2.3.1 reads "most specific".
    pub fn common_name(&self) -> Option<&str> {
        self.attributes()
            .filter(|attribute| attribute.kind == AttributeType::CommonName)
            .last()
            .map(|attribute| attribute.value.as_str())
    }
}

fn check_value(known: &KnownType, value: &str) -> Result<(), NameError> {
    let attribute = known.long;
    if value.chars().all(|c| c == ' ') {
        return Err(NameError::Blank { attribute });
    }
    if let Some(character) = value.chars().find(|c| !text::is_plainly_visible(*c)) {
        return Err(NameError::Invisible { attribute, value: value.to_owned(), character });
    }
    if known.kind == AttributeType::Country
        && !(value.len() == 2 && value.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(NameError::Country(value.to_owned()));
    }
    let length = value.chars().count();
    if length > known.most {
        return Err(NameError::TooLong { attribute, found: length, most: known.most });
    }
    let allowed = |c: char| match known.string {
        der::PRINTABLE_STRING => u8::try_from(c).is_ok_and(|byte| der_rules::is_printable_string(&[byte])),
        der::IA5_STRING => c.is_ascii(),
        _ => true,
    };
    match value.chars().find(|c| !allowed(*c)) {
        Some(character) => Err(NameError::NotAllowed { attribute, value: value.to_owned(), character }),
        None => Ok(()),
    }
}

/// The form `CN=web.corp.test, O=Acme`: in the order of the DER, with RFC 4514 escapes and without control characters.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One that cannot be read is empty.
        for (index, relative_name) in self.relative_names().iter().filter(|it| !it.is_empty()).enumerate() {
            for (position, Attribute { kind, value, is_text }) in relative_name.iter().enumerate() {
                let before = match (index, position) {
                    (0, 0) => "",
                    (_, 0) => ", ",
                    _ => " + ",
                };
                let shown = if *is_text { escape_value(value) } else { value.clone() };
                write!(f, "{before}{kind}={shown}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// Returns a value with the escapes of RFC 4514 §2.4: special characters, a space at its beginning or end, and a `#` at its
/// beginning, which would stand for DER.
fn escape_value(value: &str) -> String {
    const SPECIAL: [char; 7] = [',', '+', '"', '\\', '<', '>', ';'];
    let is_special_at_an_end = value.starts_with([' ', '#']) || value.ends_with(' ');
    if !is_special_at_an_end && !value.contains(SPECIAL) {
        return text::escape(value);
    }
    let last = value.char_indices().next_back().map_or(0, |(at, _)| at);
    let mut out = String::with_capacity(value.len() + 2);
    for (at, c) in value.char_indices() {
        if SPECIAL.contains(&c) || (at == 0 && matches!(c, ' ' | '#')) || (at == last && c == ' ') {
            out.push('\\');
        }
        out.push(c);
    }
    text::escape(&out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(attributes: &[(AttributeType, &str)]) -> Result<DistinguishedName, NameError> {
        DistinguishedName::build(
            &attributes.iter().map(|(kind, value)| (kind.clone(), (*value).to_owned())).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_name_is_written_in_the_given_order_with_its_string_types() {
        let name = build(&[
            (AttributeType::Country, "DE"),
            (AttributeType::Organization, ""),
            (AttributeType::CommonName, "a"),
        ])
        .unwrap();
        assert_eq!(
            name.as_der(),
            b"\x30\x19\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02DE\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01a"
        );
        assert_eq!(name.to_string(), "C=DE, CN=a");
    }

    #[test]
    fn two_units_stay_two_units() {
        let name =
            build(&[(AttributeType::OrganizationalUnit, "a"), (AttributeType::OrganizationalUnit, "b")]).unwrap();
        assert_eq!(name.to_string(), "OU=a, OU=b");
    }

    #[test]
    fn values_that_no_reader_should_be_shown_are_refused() {
        let long = "x".repeat(65);
        for (kind, value) in [
            (AttributeType::CommonName, long.as_str()),
            (AttributeType::CommonName, "  "),
            (AttributeType::CommonName, "a\0b"),
            (AttributeType::CommonName, "a\u{202e}b"),
            (AttributeType::Country, "de"),
            (AttributeType::Country, "DEU"),
            (AttributeType::Country, "D"),
            (AttributeType::DomainComponent, "müller"),
            (AttributeType::SerialNumber, "a_b"),
        ] {
            assert!(build(&[(kind, value)]).is_err(), "{value}");
        }
        assert!(build(&[(AttributeType::SerialNumber, "(A-1) 2/3")]).is_ok());
    }

    #[test]
    fn a_value_cannot_pass_for_another_attribute() {
        assert_eq!(build(&[(AttributeType::CommonName, "a, O=Evil")]).unwrap().to_string(), "CN=a\\, O=Evil");
    }

    #[test]
    fn labels_are_known_in_both_forms() {
        for known in &KNOWN {
            assert_eq!(AttributeType::from_label(known.short).as_ref(), Some(&known.kind));
            assert_eq!(AttributeType::from_label(&known.long.to_uppercase()).as_ref(), Some(&known.kind));
            assert_eq!(AttributeType::from_oid(known.oid), known.kind);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_name_that_can_be_written_is_read_again(
            parts in proptest::collection::vec((0..KNOWN.len(), "\\PC{0,30}|[A-Z]{2}|[a-z0-9 ]{1,20}"), 0..5),
        ) {
            let attributes: Vec<_> = parts.iter().map(|(which, value)| (KNOWN[*which].kind.clone(), value.clone())).collect();
            if let Ok(name) = DistinguishedName::build(&attributes) {
                let read = DistinguishedName::from_der(name.as_der()).unwrap();
                proptest::prop_assert_eq!(read.to_string(), name.to_string());
                let values: Vec<_> = read.attributes().map(|attribute| attribute.value.clone()).collect();
                let given: Vec<_> = parts.iter().map(|(_, value)| value.clone()).filter(|value| !value.is_empty()).collect();
                proptest::prop_assert_eq!(values, given);
            }
        }
    }
}
