//! The field at which bytes stop being a certificate, request or CRL: for the message, after the decoding failed.

use x509_parser::extensions::X509Extension;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::oid_text::oid_text;
use super::{elements, names, parser_error};
use crate::x509::certificate::oid;
use crate::x509::{der, file_kind};

/// What is wrong with a value: `: it is empty`, or behind a narrower place, `, not before: the date cannot be read`.
type Fault = String;

/// A field of a SEQUENCE.
struct Field {
    name: &'static str,
    tags: &'static [u8],
    is_optional: bool,
    /// Gets the whole value.
    check: fn(&[u8]) -> Result<(), Fault>,
}

const fn field(name: &'static str, tags: &'static [u8], check: fn(&[u8]) -> Result<(), Fault>) -> Field {
    Field { name, tags, is_optional: false, check }
}

const fn optional(name: &'static str, tags: &'static [u8], check: fn(&[u8]) -> Result<(), Fault>) -> Field {
    Field { name, tags, is_optional: true, check }
}

const TIMES: &[u8] = &[der::UTC_TIME, der::GENERALIZED_TIME];

/// RFC 5280 §4.1.
const CERTIFICATE: &[Field] = &[
    optional("version", &[der::context_constructed(0)], anything),
    field("serial number", &[der::INTEGER], number),
    field("inner signature algorithm", &[der::SEQUENCE], algorithm),
    field("issuer", &[der::SEQUENCE], name),
    field("validity", &[der::SEQUENCE], validity),
    field("subject", &[der::SEQUENCE], name),
    field("public key", &[der::SEQUENCE], public_key),
    optional("issuer's unique identifier", &[der::context(1)], anything),
    optional("subject's unique identifier", &[der::context(2)], anything),
    optional("extensions", &[der::context_constructed(3)], extensions),
];

/// RFC 2986 §4.1.
const REQUEST: &[Field] = &[
    field("version", &[der::INTEGER], number),
    field("subject", &[der::SEQUENCE], name),
    field("public key", &[der::SEQUENCE], public_key),
    field("attributes", &[der::context_constructed(0)], attributes),
];

/// RFC 5280 §5.1.
const CRL: &[Field] = &[
    optional("version", &[der::INTEGER], number),
    field("inner signature algorithm", &[der::SEQUENCE], algorithm),
    field("issuer", &[der::SEQUENCE], name),
    field("this update", TIMES, time),
    optional("next update", TIMES, time),
    optional("revoked certificates", &[der::SEQUENCE], entries),
    optional("extensions", &[der::context_constructed(0)], extensions),
];

/// What is signed, and how a message calls the part of it.
pub(super) struct Structure {
    /// How [`file_kind`] calls it.
    name: &'static str,
    fields: &'static [Field],
    clause: &'static str,
}

pub(super) const OF_CERTIFICATE: Structure =
    Structure { name: "a certificate", fields: CERTIFICATE, clause: "RFC 5280 §4.1" };
pub(super) const OF_REQUEST: Structure =
    Structure { name: "a certificate request", fields: REQUEST, clause: "RFC 2986 §4.1" };
pub(super) const OF_CRL: Structure = Structure { name: "a CRL", fields: CRL, clause: "RFC 5280 §5.1" };

/// Returns the place and the fault, `validity, not before: the date cannot be read`; `None` when every field looks right.
pub(super) fn find(structure: &Structure, input: &[u8]) -> Option<String> {
    match file_kind::what_is_der(input) {
        Some(kind) if kind.name != structure.name => Some(format!("it is {}", kind.name)),
        _ => outer(structure, input).err(),
    }
}

fn outer(structure: &Structure, input: &[u8]) -> Result<(), String> {
    let content = whole(input)?;
    let [tbs, rest @ ..] = &split(content, &["signed part", "signature algorithm", "signature"])?[..] else {
        return Ok(());
    };
    let (tag, fields, _) = der::split_first(tbs).ok_or("signed part: it is cut off")?;
    if tag != der::SEQUENCE {
        return Err(format!("signed part: {}", unexpected(der::SEQUENCE, tag)));
    }
    walk(fields, structure)?;
    if let [outer_algorithm, signature] = rest {
        let fault = |name: &str, fault: String| format!("{name}{fault}");
        algorithm(outer_algorithm).map_err(|found| fault("signature algorithm", found))?;
        match der::split_first(signature) {
            Some((der::BIT_STRING, [0, ..], _)) => {}
            Some((der::BIT_STRING, ..)) => return Err("signature: its bits do not end with a byte".to_owned()),
            Some((tag, ..)) => return Err(format!("signature: {}", unexpected(der::BIT_STRING, tag))),
            None => return Err("signature: it is cut off".to_owned()),
        }
    }
    Ok(())
}

/// Returns the content of the outermost SEQUENCE.
fn whole(input: &[u8]) -> Result<&[u8], String> {
    match (input, der::split_first(input)) {
        ([], _) => Err("it is empty".to_owned()),
        (_, Some((der::SEQUENCE, content, _))) => Ok(content),
        ([tag, ..], _) if *tag != der::SEQUENCE => {
            Err(format!("its first byte is 0x{tag:02x}, and 0x{:02x} is expected", der::SEQUENCE))
        }
        ([_, 0x80, ..], _) => Err("its length is indefinite, as in BER".to_owned()),
        _ => Err(match der::announced(input) {
            Some(length) => format!("it is cut off: {length} bytes are announced, and {} are there", input.len()),
            None => "its length cannot be read".to_owned(),
        }),
    }
}

/// Splits a content into values that have these names.
fn split<'a>(mut content: &'a [u8], parts: &[&str]) -> Result<Vec<&'a [u8]>, String> {
    let mut found = Vec::new();
    for part in parts {
        if content.is_empty() {
            return Err(format!("{part}: it is missing"));
        }
        let (.., rest) =
            der::split_first(content).ok_or_else(|| format!("{part}: it is cut off, or its length is wrong"))?;
        found.push(&content[..content.len() - rest.len()]);
        content = rest;
    }
    match (content, parts.last()) {
        ([], _) | (_, None) => Ok(found),
        (_, Some(last)) => Err(format!("something follows the {last}")),
    }
}

fn walk(mut content: &[u8], structure: &Structure) -> Result<(), String> {
    let mut last = "beginning";
    for Field { name, tags, is_optional, check } in structure.fields {
        match content.first() {
            Some(tag) if tags.contains(tag) => {
                let (.., rest) = der::split_first(content)
                    .ok_or_else(|| format!("{name}: it is cut off, or its length is wrong"))?;
                let value = &content[..content.len() - rest.len()];
                if !der::has_shortest_lengths(value) {
                    return Err(format!("{name}: a length in it takes more bytes than it has to, as in BER"));
                }
                check(value).map_err(|fault| match fault.strip_prefix(", ") {
                    // The name of the list says nothing more.
                    Some(of_extension) if of_extension.starts_with("extension ") => of_extension.to_owned(),
                    _ => format!("{name}{fault}"),
                })?;
                (content, last) = (rest, name);
            }
            _ if *is_optional => {}
            None => return Err(format!("{name}: the field is missing ({})", structure.clause)),
            Some(tag) => {
                let expected = tags.first().copied().unwrap_or_default();
                return Err(format!("{name}: {}", unexpected(expected, *tag)));
            }
        }
    }
    if content.is_empty() { Ok(()) } else { Err(format!("something that does not belong there follows the {last}")) }
}

fn unexpected(expected: u8, found: u8) -> String {
    format!("{} is expected, and {} found", der::tag_name(expected), der::tag_name(found))
}

fn content(value: &[u8]) -> &[u8] {
    der::split_first(value).map_or(&[], |(_, content, _)| content)
}

fn anything(_: &[u8]) -> Result<(), Fault> {
    Ok(())
}

fn number(value: &[u8]) -> Result<(), Fault> {
    match content(value) {
        [] => Err(": it is a number of no bytes".to_owned()),
        [0, 0..0x80, ..] | [0xff, 0x80..=0xff, ..] => Err(": it takes more bytes than it has to, as in BER".to_owned()),
        _ => Ok(()),
    }
}

fn algorithm(value: &[u8]) -> Result<(), Fault> {
    match der::split_first(content(value)) {
        Some((der::OBJECT_IDENTIFIER, _, parameters))
            if parameters.is_empty() || matches!(der::split_first(parameters), Some((.., []))) =>
        {
            Ok(())
        }
        Some((der::OBJECT_IDENTIFIER, ..)) => Err(": something follows its parameters".to_owned()),
        _ => Err(": it does not begin with an object identifier".to_owned()),
    }
}

fn name(value: &[u8]) -> Result<(), Fault> {
    match names::readable(value).1.first() {
        None => Ok(()),
        Some(fault) => Err(format!("{}: {}", of_relative_name(fault.relative_name), fault.reason)),
    }
}

/// Returns `, relative name 1`.
pub(super) fn of_relative_name(number: usize) -> String {
    if number == 0 { String::new() } else { format!(", relative name {number}") }
}

fn validity(value: &[u8]) -> Result<(), Fault> {
    let dates = split(content(value), &["not before", "not after"]).map_err(|fault| format!(", {fault}"))?;
    for (date, name) in dates.into_iter().zip(["not before", "not after"]) {
        time(date).map_err(|fault| format!(", {name}{fault}"))?;
    }
    Ok(())
}

fn time(value: &[u8]) -> Result<(), Fault> {
    let Some((tag, text, _)) = der::split_first(value) else { return Err(": it is cut off".to_owned()) };
    if !TIMES.contains(&tag) {
        return Err(format!(": {}", unexpected(der::UTC_TIME, tag)));
    }
    match ASN1Time::from_der(value) {
        Ok(_) => Ok(()),
        Err(_) => {
            let text = String::from_utf8_lossy(text.get(..40).unwrap_or(text));
            Err(format!(": the date '{}' cannot be read", crate::text::escape(&text)))
        }
    }
}

fn public_key(value: &[u8]) -> Result<(), Fault> {
    let [identifier, key] = split(content(value), &["algorithm", "bits"]).map_err(|fault| format!(", {fault}"))?[..]
    else {
        return Ok(());
    };
    algorithm(identifier).map_err(|fault| format!(", algorithm{fault}"))?;
    match der::split_first(key) {
        Some((der::BIT_STRING, [_, ..], _)) => {}
        Some((der::BIT_STRING, ..)) => return Err(", bits: it is a BIT STRING of no bytes".to_owned()),
        Some((tag, ..)) => return Err(format!(", bits: {}", unexpected(der::BIT_STRING, tag))),
        None => return Err(", bits: it is cut off".to_owned()),
    }
    SubjectPublicKeyInfo::from_der(value).map(drop).map_err(|_| ": its content cannot be read".to_owned())
}

fn extensions(value: &[u8]) -> Result<(), Fault> {
    let list = match der::split_first(content(value)) {
        Some((der::SEQUENCE, list, [])) => list,
        Some((der::SEQUENCE, ..)) => return Err(": something follows the list".to_owned()),
        _ => return Err(": it is not a list".to_owned()),
    };
    for (number, extension) in (1..).zip(der::children(list).ok_or(": the last one is cut off")?) {
        if !elements::is_extension(extension) || X509Extension::from_der(extension).is_err() {
            return Err(format!(", {}: {}", self::extension(number, extension), of_extension(extension)));
        }
    }
    Ok(())
}

/// Returns `extension 3 (key usage)`.
pub(super) fn extension(number: usize, value: &[u8]) -> String {
    let name = match der::split_first(content(value)) {
        Some((der::OBJECT_IDENTIFIER, kind, _)) => {
            let kind = oid_text(&x509_parser::oid_registry::asn1_rs::Oid::new(kind.into()));
            format!(" ({})", oid::name(&kind).unwrap_or(&kind))
        }
        _ => String::new(),
    };
    format!("extension {number}{name}")
}

/// Returns why an extension cannot be read (RFC 5280 §4.2).
pub(super) fn of_extension(extension: &[u8]) -> String {
    let why = || {
        let Some((der::SEQUENCE, parts, _)) = der::split_first(extension) else {
            return Some("it is not a SEQUENCE".to_owned());
        };
        let Some((der::OBJECT_IDENTIFIER, _, rest)) = der::split_first(parts) else {
            return Some("it does not begin with an object identifier".to_owned());
        };
        let rest = match der::split_first(rest) {
            Some((der::BOOLEAN, [0 | 0xff], rest)) => rest,
            Some((der::BOOLEAN, ..)) => return Some("its BOOLEAN critical is neither 00 nor ff".to_owned()),
            _ => rest,
        };
        match der::split_first(rest) {
            None if rest.is_empty() => Some("it has no value".to_owned()),
            None => Some("its value is cut off".to_owned()),
            Some((der::OCTET_STRING, _, [])) => None,
            Some((der::OCTET_STRING, ..)) => Some("something follows its value".to_owned()),
            Some((tag, ..)) => Some(unexpected(der::OCTET_STRING, tag)),
        }
    };
    why().unwrap_or_else(|| match X509Extension::from_der(extension) {
        Err(x509_parser::nom::Err::Error(error) | x509_parser::nom::Err::Failure(error)) => {
            parser_error::describe(&error).to_owned()
        }
        _ => "its content cannot be read".to_owned(),
    })
}

/// The attributes of a request: each a type and a set of values, and the extensions among them.
fn attributes(value: &[u8]) -> Result<(), Fault> {
    // 1.2.840.113549.1.9.14 (RFC 2985 §5.4.2).
    const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];
    for (number, attribute) in (1..).zip(der::children(content(value)).ok_or(": the last one is cut off")?) {
        let parts =
            split(content(attribute), &["type", "values"]).map_err(|fault| format!(", attribute {number}, {fault}"))?;
        let [kind, values] = parts[..] else { continue };
        match (kind.first(), values.first()) {
            (Some(&der::OBJECT_IDENTIFIER), Some(&der::SET)) => {}
            (Some(&der::OBJECT_IDENTIFIER), Some(tag)) => {
                return Err(format!(", attribute {number}, values: {}", unexpected(der::SET, *tag)));
            }
            (Some(tag), _) => {
                return Err(format!(", attribute {number}, type: {}", unexpected(der::OBJECT_IDENTIFIER, *tag)));
            }
            _ => {}
        }
        if content(kind) == EXTENSION_REQUEST {
            extensions(values).map_err(|fault| format!(", requested extensions{fault}"))?;
        }
    }
    Ok(())
}

fn entries(value: &[u8]) -> Result<(), Fault> {
    let mut rest = content(value);
    let mut number = 1;
    while !rest.is_empty() {
        let fault = |fault: &str| format!(", entry {number}{fault}");
        let (tag, entry, after) = der::split_first(rest).ok_or_else(|| fault(": it is cut off"))?;
        if tag != der::SEQUENCE {
            return Err(fault(&format!(": {}", unexpected(der::SEQUENCE, tag))));
        }
        let (der::INTEGER, _, date) = der::split_first(entry).ok_or_else(|| fault(": it has no serial number"))? else {
            return Err(fault(": it does not begin with a serial number"));
        };
        time(date).map_err(|found| fault(&format!(", revocation date{found}")))?;
        if let Some((.., behind @ [_, ..])) = der::split_first(date) {
            let list = match der::split_first(behind) {
                Some((der::SEQUENCE, list, [])) => der::children(list),
                _ => None,
            };
            for (index, extension) in (1..).zip(list.ok_or_else(|| fault(", extensions: it is not a list"))?) {
                if !elements::is_extension(extension) || X509Extension::from_der(extension).is_err() {
                    let place = self::extension(index, extension);
                    return Err(fault(&format!(", {place}: {}", of_extension(extension))));
                }
            }
        }
        (rest, number) = (after, number + 1);
    }
    Ok(())
}
