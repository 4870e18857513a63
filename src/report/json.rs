//! How a JSON document is made, and the values that have one form in all of them.
//!
//! A document is a struct that derives `Serialize` and `JsonSchema`: its fields in the order in which they are written, and
//! what has no value is `null`. [`document`] puts the name of its schema in front. `cli/documents.rs` has all of them.

use std::borrow::Cow;
use std::fmt::Display;
use std::path::Path;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use time::OffsetDateTime;

use crate::text::{Warning, hex, rfc3339};
use crate::x509::{GeneralName, SerialNumber};

/// Returns a document: `schema` with the name and version of its form, and then the fields of `content`.
pub fn document(schema: &str, content: &impl Serialize) -> Value {
    let mut fields = Map::new();
    fields.insert("schema".to_owned(), schema.into());
    if let Value::Object(own) = value(content) {
        fields.extend(own);
    }
    Value::Object(fields)
}

/// Returns a value of a document. `null` is never the result of a failure: the keys of documents are text, and every value has
/// a form (paths that are not UTF-8 too, [`FilePath`]); a test validates every document.
pub fn value(content: &impl Serialize) -> Value {
    serde_json::to_value(content).unwrap_or(Value::Null)
}

/// Implements [`JsonSchema`] for a value that is written as text.
macro_rules! text_schema {
    ([$($parameter:ident)?] $type:ty, $schema:tt) => {
        impl<$($parameter)?> JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

/// A time: RFC 3339 in UTC.
#[derive(Debug, Clone, Copy)]
pub struct Time(pub OffsetDateTime);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&rfc3339(self.0))
    }
}

text_schema!([] Time, { "type": "string", "format": "date-time" });

/// Bytes: hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy)]
pub struct Hex<B>(pub B);

impl<B: AsRef<[u8]>> Serialize for Hex<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(self.0.as_ref()))
    }
}

text_schema!([B] Hex<B>, { "type": "string", "pattern": "^([0-9a-f]{2})*$" });

/// A serial number: hexadecimal digits in lower case.
#[derive(Debug, Clone, Copy)]
pub struct Serial<'a>(pub &'a SerialNumber);

impl Serialize for Serial<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}

text_schema!([] Serial<'_>, { "type": "string", "pattern": "^([0-9a-f]{2})+$" });

/// A serial number as it stands in a file of another program: a negative one begins with `-`.
#[derive(Debug, Clone, Copy)]
pub struct SignedSerial<'a>(pub &'a SerialNumber);

impl Serialize for SignedSerial<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.with_sign())
    }
}

text_schema!([] SignedSerial<'_>, { "type": "string", "pattern": "^-?([0-9a-f]{2})*$" });

/// The path of a file. Bytes that are not UTF-8 become U+FFFD.
#[derive(Debug, Clone, Copy)]
pub struct FilePath<P>(pub P);

impl<P: AsRef<Path>> Serialize for FilePath<P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.as_ref().to_string_lossy())
    }
}

text_schema!([P] FilePath<P>, { "type": "string", "format": "path" });

/// A value by its text.
#[derive(Debug, Clone, Copy)]
pub struct Shown<T>(pub T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

text_schema!([T] Shown<T>, { "type": "string" });

/// An alternative name of a certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Name")]
pub struct NameJson<'a> {
    /// `dns`, `ip`, `email`, `uri`, `upn` or `kerberos`; of certificates of other programs, other kinds too.
    #[serde(rename = "type")]
    pub kind: Cow<'a, str>,
    pub value: Cow<'a, str>,
}

impl<'a> NameJson<'a> {
    /// The names in their order.
    pub fn all(names: impl IntoIterator<Item = &'a GeneralName>) -> Vec<Self> {
        names.into_iter().map(|name| Self { kind: name.kind().into(), value: name.value().into() }).collect()
    }
}

/// What the user should know although the command did what was asked.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Warning")]
pub struct WarningJson<'a> {
    /// A code that `ca explain` knows.
    pub code: &'static str,
    pub message: &'a str,
    /// `warning`, or `error` for what will fail later.
    pub severity: &'static str,
}

impl<'a> WarningJson<'a> {
    pub fn new(warning: &'a Warning) -> Self {
        Self { code: warning.code, message: &warning.message, severity: "warning" }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_begins_with_its_schema_and_keeps_the_order_of_its_fields() {
        #[derive(Serialize)]
        struct Content {
            zebra: u8,
            apple: Option<u8>,
        }
        let made = document("ca.test/1", &Content { zebra: 1, apple: None });
        assert_eq!(made.to_string(), r#"{"schema":"ca.test/1","zebra":1,"apple":null}"#);
    }

    #[test]
    fn every_path_has_a_form() {
        let path = Path::new(OsStr::from_bytes(b"/a/\xff.pem"));
        assert_eq!(value(&FilePath(path)), json!("/a/\u{fffd}.pem"));
    }
}
