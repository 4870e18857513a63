//! Names as they are written, and how two writings of one name differ (RFC 5280 §7.1).

use std::cell::OnceCell;

use super::raw_der::{expect, values};
use crate::x509::der;

/// A distinguished name.
#[derive(Debug)]
pub struct RawName<'a> {
    /// The whole SEQUENCE.
    pub der: &'a [u8],
    pub relative: Vec<Vec<RawAttribute<'a>>>,
    /// What is compared: made once, since a name is compared with many others.
    prepared: OnceCell<Prepared>,
}

/// For each relative name, its attributes: object identifier and value.
type Prepared = Vec<Vec<(Vec<u8>, String)>>;

/// One attribute of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawAttribute<'a> {
    /// The content of the object identifier.
    pub oid: &'a [u8],
    /// The tag of the value.
    pub tag: u8,
    pub value: &'a [u8],
}

pub const TELETEX: u8 = 0x14;
pub const UNIVERSAL: u8 = 0x1c;
pub const BMP: u8 = 0x1e;

pub const COMMON_NAME: &[u8] = &[0x55, 4, 3];
pub const COUNTRY: &[u8] = &[0x55, 4, 6];
pub const EMAIL: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1];

/// How an issuer name differs from the subject of the CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NameForm {
    pub string_type: bool,
    pub case: bool,
    pub spaces: bool,
    pub order: bool,
}

impl<'a> RawName<'a> {
    pub fn new(whole: &'a [u8]) -> Self {
        let content = expect(der::SEQUENCE, whole).map(|(content, _)| content).unwrap_or_default();
        let relative = values(content).map(|(_, set)| attributes(set)).collect();
        Self { der: whole, relative, prepared: OnceCell::new() }
    }

    pub fn attributes(&self) -> impl Iterator<Item = &RawAttribute<'a>> {
        self.relative.iter().flatten()
    }

    pub fn is_empty(&self) -> bool {
        self.relative.is_empty()
    }

    /// Returns the common names as text.
    pub fn common_names(&self) -> impl Iterator<Item = String> {
        self.attributes().filter(|attribute| attribute.oid == COMMON_NAME).map(RawAttribute::text)
    }

    /// Returns whether it is the same name by the rules for comparison, which ignore case, string type and repeated space.
    pub fn is_same(&self, other: &RawName<'_>) -> bool {
        self.der == other.der || self.prepared() == other.prepared()
    }

    /// Returns whether the first relative names are those of `base`, by the rules for comparison.
    pub fn is_within(&self, base: &RawName<'_>) -> bool {
        self.prepared().starts_with(base.prepared())
    }

    /// Returns whether the first relative names are those of `base`, byte for byte.
    pub fn is_within_bytes(&self, base: &RawName<'_>) -> bool {
        self.relative.starts_with(&base.relative)
    }

    /// Returns how another writing of this name differs from it; `None` when it is another name.
    pub fn form(&self, other: &RawName<'_>) -> Option<NameForm> {
        let sorted = |name: &RawName<'_>| {
            let mut prepared = name.prepared().clone();
            prepared.sort();
            prepared
        };
        let same_order = self.prepared() == other.prepared();
        if !same_order && (self.relative.len() != other.relative.len() || sorted(self) != sorted(other)) {
            return None;
        }
        let mut form = NameForm { order: !same_order, ..NameForm::default() };
        if same_order {
            for (one, two) in self.attributes().zip(other.attributes()) {
                let (left, right) = (one.text(), two.text());
                form.string_type |= one.tag != two.tag;
                form.case |= single_spaced(&left) != single_spaced(&right);
                form.spaces |= left.to_lowercase() != right.to_lowercase();
            }
        }
        Some(form)
    }

    fn prepared(&self) -> &Prepared {
        self.prepared.get_or_init(|| {
            let relative = self.relative.iter().map(|set| {
                let mut set: Vec<_> = set.iter().map(|it| (it.oid.to_vec(), words(&it.text()))).collect();
                set.sort();
                set
            });
            relative.collect()
        })
    }
}

fn words(text: &str) -> String {
    single_spaced(&text.to_lowercase())
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn attributes(set: &[u8]) -> Vec<RawAttribute<'_>> {
    let read = |(_, fields)| {
        let (oid, rest) = expect(der::OBJECT_IDENTIFIER, fields)?;
        let (tag, value, _) = der::split_first(rest)?;
        Some(RawAttribute { oid, tag, value })
    };
    values(set).filter_map(read).collect()
}

impl RawAttribute<'_> {
    /// Returns the value as text; a byte that is not text becomes the character of Latin-1 with its number.
    pub fn text(&self) -> String {
        let latin_1 = || self.value.iter().map(|byte| char::from(*byte)).collect();
        match self.tag {
            TELETEX => latin_1(),
            BMP => char::decode_utf16(self.value.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])))
                .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
            UNIVERSAL => self
                .value
                .chunks_exact(4)
                .map(|four| u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
                .map(|number| char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect(),
            _ => std::str::from_utf8(self.value).map_or_else(|_| latin_1(), str::to_owned),
        }
    }
}
