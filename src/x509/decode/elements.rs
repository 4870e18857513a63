//! Elements at the end of a structure, which x509-parser passes over: a certificate with them would be read by some programs,
//! refused by others, and mean something to a third.

use crate::x509::der;

const ALGORITHM: &str = "an element follows the parameters of a signature algorithm";

/// Checks the structures of a certificate that have a fixed number of elements. `fields` are those of the signed part.
pub fn check_certificate(fields: &[&[u8]], outer_algorithm: &[u8]) -> Result<(), &'static str> {
    let (version, fields) = match fields {
        [version, rest @ ..] if version.first() == Some(&der::context_constructed(0)) => (Some(version), rest),
        _ => (None, fields),
    };
    let [_serial, algorithm, _issuer, validity, _subject, key, rest @ ..] = fields else {
        return Err("a field of it is missing");
    };
    if version.is_some_and(|version| count(version) != 1) {
        return Err("an element follows its version");
    }
    check_algorithms(algorithm, outer_algorithm)?;
    if count(validity) != 2 {
        return Err("its validity is not two dates");
    }
    let key = der::split_first(key).and_then(|(_, content, _)| der::split_first(content));
    if key.is_none_or(|(tag, parts, _)| tag != der::SEQUENCE || !is_algorithm(parts)) {
        return Err("an element follows the parameters of its key");
    }
    match rest.last() {
        Some(last) if last.first() == Some(&der::context_constructed(3)) => check_extensions(last),
        _ => Ok(()),
    }
}

/// Checks the algorithms inside and outside of what is signed: an object identifier, and parameters or none.
pub fn check_algorithms(inner: &[u8], outer: &[u8]) -> Result<(), &'static str> {
    let is_right = |algorithm| der::split_first(algorithm).is_some_and(|(_, content, _)| is_algorithm(content));
    if is_right(inner) && is_right(outer) { Ok(()) } else { Err(ALGORITHM) }
}

/// Checks the extensions in their explicit tag: each is an object identifier, a BOOLEAN or none, and an OCTET STRING.
pub fn check_extensions(tagged: &[u8]) -> Result<(), &'static str> {
    let list = der::split_first(tagged).and_then(|(_, content, _)| match der::split_first(content)? {
        (der::SEQUENCE, extensions, []) => der::children(extensions),
        _ => None,
    });
    let is_right = list.ok_or("something follows its extensions")?.into_iter().all(is_extension);
    if is_right { Ok(()) } else { Err("an extension has an element that does not belong there") }
}

/// Returns whether a value is an object identifier, a BOOLEAN or none, and an OCTET STRING.
pub fn is_extension(extension: &[u8]) -> bool {
    let after = |rest, tag| der::split_first(rest).filter(|(found, ..)| *found == tag).map(|(.., rest)| rest);
    let is_right = || {
        let (_, parts, _) = der::split_first(extension)?;
        let rest = after(parts, der::OBJECT_IDENTIFIER)?;
        let rest = after(rest, der::BOOLEAN).unwrap_or(rest);
        after(rest, der::OCTET_STRING).filter(|rest| rest.is_empty())
    };
    is_right().is_some()
}

fn is_algorithm(content: &[u8]) -> bool {
    matches!(count_in(content), 1 | 2)
}

fn count(value: &[u8]) -> usize {
    der::split_first(value).map_or(0, |(_, content, _)| count_in(content))
}

/// Returns the number of values; zero when they do not fill the content.
fn count_in(mut content: &[u8]) -> usize {
    let mut found = 0;
    while !content.is_empty() {
        let Some((.., rest)) = der::split_first(content) else { return 0 };
        (found, content) = (found + 1, rest);
    }
    found
}
