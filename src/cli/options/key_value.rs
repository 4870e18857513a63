//! Flags of the form `KEY=VALUE`.

use crate::text;
use crate::x509::{AttributeType, DistinguishedName};

/// Splits `team=ops` at its first equals sign.
///
/// # Errors
/// When there is none, or nothing before it.
pub fn key_and_value(given: &str) -> Result<(String, String), String> {
    match given.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected a key and a value, as in team=ops".to_owned()),
    }
}

/// Parses `organization=Acme`.
///
/// # Errors
/// When the key is not an attribute of a subject, or its value is not allowed in one.
pub fn subject_attribute(given: &str) -> Result<(AttributeType, String), String> {
    let (label, value) = key_and_value(given)?;
    let known = || AttributeType::all_labels().collect::<Vec<_>>().join(", ");
    let kind = AttributeType::from_label(&label).ok_or_else(|| {
        let near = text::did_you_mean(&label, AttributeType::all_labels());
        format!("'{}' is not an attribute of a subject{near}; known are {}", text::escape(&label), known())
    })?;
    // The form is checked here, where the flag can be named.
    DistinguishedName::build(&[(kind.clone(), value.clone())]).map_err(|error| error.to_string())?;
    Ok((kind, value))
}
