//! DER values, taken one by one from bytes that possibly are not DER.

use crate::x509::der;

/// Reads the first value when it has this tag, and returns its content and the rest.
pub fn expect(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    der::split_first(input).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}

/// Reads the first value, and returns it whole (with its tag), its content, and the rest.
pub fn whole(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (_, content, rest) = der::split_first(input)?;
    Some((input.get(..input.len() - rest.len())?, content, rest))
}

/// Returns the values of a list as (tag, content), up to the first one that cannot be split.
pub fn values(mut content: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, inner, rest) = der::split_first(content)?;
        content = rest;
        Some((tag, inner))
    })
}
