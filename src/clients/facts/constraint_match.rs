//! Name constraints: reading them, and which names are within a subtree (RFC 5280 §4.2.1.10).

use super::subject_alt_names::{DIRECTORY, DNS, EMAIL, IP, URI};
use crate::clients::raw_der::{expect, values};
use crate::clients::raw_name::RawName;
use crate::x509::{der, uri_host};

/// The extension, as written.
#[derive(Debug, Default)]
pub struct Constraints<'a> {
    pub has_permitted: bool,
    pub has_excluded: bool,
    pub permitted: Vec<Base<'a>>,
    pub excluded: Vec<Base<'a>>,
}

/// One subtree.
#[derive(Debug)]
pub struct Base<'a> {
    /// The number of the general name's tag.
    pub kind: u8,
    pub content: &'a [u8],
    pub minimum: Option<&'a [u8]>,
    /// The name, when the subtree is a directory name.
    directory: Option<RawName<'a>>,
}

/// A name that is compared with subtrees.
#[derive(Debug)]
pub struct Name<'a> {
    pub kind: u8,
    pub content: &'a [u8],
    pub directory: Option<RawName<'a>>,
}

impl<'a> Name<'a> {
    pub fn new(kind: u8, content: &'a [u8]) -> Self {
        Self { kind, content, directory: (kind == DIRECTORY).then(|| RawName::new(content)) }
    }
}

/// Reads the extension; `None` when it is not a SEQUENCE.
pub fn read(value: &[u8]) -> Option<Constraints<'_>> {
    let (fields, _) = expect(der::SEQUENCE, value)?;
    let mut constraints = Constraints::default();
    for (tag, list) in values(fields) {
        match tag & 0x1f {
            0 => {
                constraints.has_permitted = true;
                constraints.permitted = bases(list);
            }
            1 => {
                constraints.has_excluded = true;
                constraints.excluded = bases(list);
            }
            _ => {}
        }
    }
    Some(constraints)
}

fn bases(list: &[u8]) -> Vec<Base<'_>> {
    let read = |(_, subtree)| {
        let (tag, content, rest) = der::split_first(subtree)?;
        let kind = tag & 0x1f;
        let minimum = values(rest).find(|(tag, _)| tag & 0x1f == 0).map(|(_, minimum)| minimum);
        let directory = (kind == DIRECTORY).then(|| RawName::new(content));
        Some(Base { kind, content, minimum, directory })
    };
    values(list).filter_map(read).collect()
}

impl<'a> Base<'a> {
    /// Returns whether a name of its kind is within the subtree.
    pub fn contains(&self, name: &Name<'_>) -> bool {
        match self.kind {
            DNS => self.contains_dns(name.content),
            IP => {
                let (address, mask) = self.content.split_at(self.content.len() / 2);
                address.len() == name.content.len()
                    && name
                        .content
                        .iter()
                        .zip(address.iter().zip(mask))
                        .all(|(byte, (base, mask))| byte & mask == base & mask)
            }
            EMAIL => self.contains_email(name.content),
            URI => std::str::from_utf8(name.content)
                .ok()
                .and_then(uri_host::uri_host)
                .is_some_and(|host| is_host_within(host.as_bytes(), self.content)),
            DIRECTORY => match (&name.directory, &self.directory) {
                (Some(name), Some(base)) => name.is_within(base),
                _ => false,
            },
            _ => false,
        }
    }

    /// Returns whether a DNS name is in the domain, or below it; below it only, when the subtree begins with a dot.
    pub fn contains_dns(&self, name: &[u8]) -> bool {
        let base = self.content;
        let domain = base.strip_prefix(b".").unwrap_or(base);
        let is_below = name.len() > domain.len()
            && ends_with(name, domain)
            && name.get(name.len() - domain.len() - 1) == Some(&b'.');
        base.is_empty() || is_below || !base.starts_with(b".") && name.eq_ignore_ascii_case(base)
    }

    /// Returns whether a wildcard covers names within the subtree although it is not within it itself.
    pub fn is_covered_by_wildcard(&self, name: &[u8]) -> bool {
        let Some(domain) = name.strip_prefix(b"*.") else { return false };
        let base = self.content.strip_prefix(b".").unwrap_or(self.content);
        let first = base.iter().position(|byte| *byte == b'.');
        !self.contains_dns(name) && first.is_some_and(|at| base[at + 1..].eq_ignore_ascii_case(domain))
    }

    fn contains_email(&self, mailbox: &[u8]) -> bool {
        let at = mailbox.iter().rposition(|byte| *byte == b'@');
        let domain = at.and_then(|at| mailbox.get(at + 1..)).unwrap_or_default();
        if self.content.contains(&b'@') {
            return mailbox.eq_ignore_ascii_case(self.content);
        }
        is_host_within(domain, self.content)
    }

    /// Returns whether a directory name begins with the bytes of the subtree.
    pub fn contains_bytes(&self, name: &Name<'_>) -> bool {
        match (&name.directory, &self.directory) {
            (Some(name), Some(base)) => name.is_within_bytes(base),
            _ => false,
        }
    }

    /// Returns whether the mask of an address block is not a prefix of ones.
    pub fn has_holes(&self) -> bool {
        let (_, mask) = self.content.split_at(self.content.len() / 2);
        let bits = mask.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        !bits.collect::<Vec<_>>().is_sorted_by(|one, two| one >= two)
    }
}

/// The host itself, or with a leading dot, any host below it: the rule for mailboxes and URIs.
fn is_host_within(host: &[u8], base: &[u8]) -> bool {
    if base.starts_with(b".") {
        host.len() > base.len() && ends_with(host, base)
    } else {
        host.eq_ignore_ascii_case(base)
    }
}

fn ends_with(name: &[u8], end: &[u8]) -> bool {
    name.len().checked_sub(end.len()).and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}
