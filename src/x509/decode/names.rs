//! The decoding of distinguished names, relative name by relative name.
//!
//! x509-parser stops without an error at the first relative name that it cannot read, and returns the relative names before
//! it as the name. So names are read here, and what cannot be read has its place.

use x509_parser::oid_registry::asn1_rs::Oid;

use super::oid_text::oid_text;
use crate::text;
use crate::x509::{Attribute, AttributeType, DistinguishedName, der};

/// A relative name that cannot be read: its number in the name, from 1, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameFault {
    pub relative_name: usize,
    pub reason: &'static str,
}

/// Returns what can be read of a `Name`, and the relative names that cannot; such a one has no attributes. The number of a
/// fault is 0 when the bytes are not a list of relative names.
pub fn readable(der: &[u8]) -> (DistinguishedName, Vec<NameFault>) {
    let (mut relative_names, mut faults) = (Vec::new(), Vec::new());
    match der::split_first(der) {
        Some((der::SEQUENCE, mut content, [])) => {
            while !content.is_empty() {
                let Some((tag, attributes, rest)) = der::split_first(content) else {
                    faults.push(NameFault { relative_name: relative_names.len() + 1, reason: "it is cut off" });
                    break;
                };
                let read = if tag == der::SET { relative_name(attributes) } else { Err("it is not a SET") };
                let relative_name = relative_names.len() + 1;
                relative_names.push(read.unwrap_or_else(|reason| {
                    faults.push(NameFault { relative_name, reason });
                    Vec::new()
                }));
                content = rest;
            }
        }
        _ => faults.push(NameFault { relative_name: 0, reason: "it is not a SEQUENCE" }),
    }
    (DistinguishedName::from_parts(der.to_vec(), relative_names), faults)
}

/// Reads the content of a `RelativeDistinguishedName` (RFC 5280 §4.1.2.4).
fn relative_name(mut content: &[u8]) -> Result<Vec<Attribute>, &'static str> {
    let mut attributes = Vec::new();
    while !content.is_empty() {
        let (tag, pair, rest) = der::split_first(content).ok_or("an attribute is cut off")?;
        if tag != der::SEQUENCE {
            return Err("an attribute is not a SEQUENCE");
        }
        let (der::OBJECT_IDENTIFIER, kind, value) = der::split_first(pair).ok_or("an attribute has no type")? else {
            return Err("the type of an attribute is not an object identifier");
        };
        match der::split_first(value) {
            Some((tag, content, [])) => attributes.push(attribute(kind, tag, content, value)),
            Some(_) => return Err("an attribute has more than a type and a value"),
            None => return Err("an attribute has no value, or it is cut off"),
        }
        content = rest;
    }
    if attributes.is_empty() { Err("it has no attribute") } else { Ok(attributes) }
}

/// `der` is the whole value: what is not text is shown as `#` and its DER in hexadecimal (RFC 4514 §2.4).
fn attribute(kind: &[u8], tag: u8, content: &[u8], der: &[u8]) -> Attribute {
    let kind = AttributeType::from_oid_content(kind)
        .unwrap_or_else(|| AttributeType::from_oid(&oid_text(&Oid::new(kind.into()))));
    match string(tag, content) {
        Some(value) => Attribute { kind, value, is_text: true },
        None => Attribute { kind, value: format!("#{}", text::hex(der)), is_text: false },
    }
}

/// Decodes a string (X.680 §41); `None` for another type, and for bytes that its encoding does not have.
fn string(tag: u8, content: &[u8]) -> Option<String> {
    const NUMERIC: u8 = 0x12;
    const TELETEX: u8 = 0x14;
    const VIDEOTEX: u8 = 0x15;
    const GRAPHIC: u8 = 0x19;
    const VISIBLE: u8 = 0x1a;
    const GENERAL: u8 = 0x1b;
    const UNIVERSAL: u8 = 0x1c;
    const BMP: u8 = 0x1e;
    match tag {
        // Real T.61 does not occur: tools write Latin-1 under its tag (RFC 5280 appendix B mentions it).
        TELETEX => Some(content.iter().map(|byte| char::from(*byte)).collect()),
        BMP if content.len().is_multiple_of(2) => {
            let units = content.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        UNIVERSAL => content
            .chunks(4)
            .map(|four| four.try_into().ok().map(u32::from_be_bytes).and_then(char::from_u32))
            .collect(),
        der::UTF8_STRING
        | der::PRINTABLE_STRING
        | der::IA5_STRING
        | NUMERIC
        | VIDEOTEX
        | GRAPHIC
        | VISIBLE
        | GENERAL => std::str::from_utf8(content).ok().map(str::to_owned),
        _ => None,
    }
}
