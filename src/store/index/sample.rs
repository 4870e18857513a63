//! Certificates and entries for tests of modules that read the index.

use std::path::PathBuf;

use tempfile::TempDir;
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use crate::store::index::{EntryId, EventContext, EventKind, Index, NewEntry, Origin};
use crate::system::identity::FixedIdentity;
use crate::x509::{AttributeType, Certificate, DistinguishedName, GeneralName, Validity, der};

pub const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

/// A certificate without a valid signature: the index records certificates and does not verify them.
pub struct Sample<'a> {
    pub serial: u32,
    pub issuer: &'a str,
    pub sans: &'a [&'a str],
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    pub key: u8,
}

impl Default for Sample<'_> {
    fn default() -> Self {
        Self {
            serial: 1,
            issuer: "Root",
            sans: &[],
            not_before: NOW - Duration::DAY,
            not_after: NOW + Duration::days(90),
            key: 1,
        }
    }
}

impl Sample<'_> {
    pub fn certificate(&self) -> Certificate {
        let name = |text: &str| DistinguishedName::build(&[(AttributeType::CommonName, text.to_owned())]).unwrap();
        // The algorithm is ecdsa-with-SHA256, and the point is encoded for P-256 and need not be on the curve.
        let algorithm = der::sequence(&[b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"]);
        let key_type =
            der::sequence(&[b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"]);
        let point = der::value(0x03, &[&[0, 4][..], &[self.key; 64]].concat());
        let names: Vec<Vec<u8>> = self.sans.iter().map(|san| san.parse::<GeneralName>().unwrap().to_der()).collect();
        let names = der::sequence(&names.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let extension = der::sequence(&[b"\x06\x03\x55\x1d\x11", &der::value(0x04, &names)]);
        let extensions = der::value(der::context_constructed(3), &der::sequence(&[&extension]));
        let validity = Validity { not_before: self.not_before, not_after: self.not_after };
        let mut fields = vec![
            b"\xa0\x03\x02\x01\x02".to_vec(),
            der::value(0x02, &[&[1][..], &self.serial.to_be_bytes()].concat()),
            algorithm.clone(),
            name(self.issuer).as_der().to_vec(),
            validity.to_der(),
            name("a").as_der().to_vec(),
            der::sequence(&[&key_type, &point]),
        ];
        if !self.sans.is_empty() {
            fields.push(extensions);
        }
        let tbs = der::sequence(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let signature = der::value(0x03, &[0, 0x30, 6, 2, 1, 1, 2, 1, 1]);
        Certificate::from_der(&der::sequence(&[&tbs, &algorithm, &signature])).unwrap()
    }
}

pub fn entry<'a>(certificate: &'a Certificate, name: &'a str) -> NewEntry<'a> {
    NewEntry {
        certificate,
        name,
        template: "server",
        authority: "root",
        issued_at: NOW,
        origin: Origin::Issued,
        place: None,
        delivered_at: None,
        event: EventKind::Issue,
    }
}

/// Returns the time, user and host of the events of a test.
pub fn context() -> EventContext {
    EventContext { at: NOW, actor: FixedIdentity::alice().0 }
}

/// Records a sample as delivered.
pub fn add(index: &mut Index, sample: &Sample<'_>, name: &str) -> EntryId {
    let certificate = sample.certificate();
    let mut transaction = index.transaction(context()).unwrap();
    let new = NewEntry { delivered_at: Some(NOW), ..entry(&certificate, name) };
    let id = transaction.insert(&new).unwrap();
    transaction.commit().unwrap();
    id
}

pub fn new_index() -> (TempDir, PathBuf, Index) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let index = Index::create(&path).unwrap();
    (folder, path, index)
}

/// Changes an index as a third party does that has the file, without this program.
pub fn tamper(path: &std::path::Path, statements: &str) {
    assert!(try_to_tamper(path, statements), "{statements}");
}

/// As [`tamper`]; false when a constraint of the table does not allow the change.
pub fn try_to_tamper(path: &std::path::Path, statements: &str) -> bool {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    match connection.execute_batch(statements) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => false,
        changed => changed.map(|()| true).unwrap(),
    }
}

/// Returns single-bit changes of the values of an index, as a statement and the statement that undoes it: at most `most` of
/// each column, spread over its rows and bits.
pub fn bit_flips(path: &std::path::Path, most: usize) -> Vec<(String, String)> {
    use rusqlite::types::Value;
    let connection = rusqlite::Connection::open(path).unwrap();
    let rows = |sql: &str| -> Vec<Vec<Value>> {
        let mut statement = connection.prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} is not a text"),
    };
    let literal = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => format!("CAST(x'{}' AS TEXT)", crate::text::hex(text.as_bytes())),
        Value::Blob(blob) => format!("x'{}'", crate::text::hex(blob)),
        Value::Real(_) => panic!("no column has this type"),
    };
    let mut flips = Vec::new();
    for table in rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let table = text(&table[0]);
        let columns: Vec<String> =
            rows(&format!("SELECT name FROM pragma_table_info('{table}')")).iter().map(|row| text(&row[0])).collect();
        let mut of_column: Vec<Vec<(String, String)>> = vec![Vec::new(); columns.len()];
        for row in rows(&format!("SELECT * FROM {table}")) {
            let same = |row: &[Value]| -> String {
                let equal = columns.iter().zip(row).map(|(name, value)| format!("{name} IS {}", literal(value)));
                equal.collect::<Vec<_>>().join(" AND ")
            };
            for (column, value) in row.iter().enumerate() {
                let changed: Vec<Value> = match value {
                    Value::Null | Value::Real(_) => vec![],
                    Value::Integer(number) => (0..63).map(|bit| Value::Integer(number ^ 1 << bit)).collect(),
                    // A change that leaves no text cannot be expressed by a statement.
                    Value::Text(_) | Value::Blob(_) => {
                        let is_text = matches!(value, Value::Text(_));
                        let bytes = match value {
                            Value::Text(text) => text.clone().into_bytes(),
                            Value::Blob(blob) => blob.clone(),
                            _ => Vec::new(),
                        };
                        let flipped = (0..8 * bytes.len()).map(|bit| {
                            let mut bytes = bytes.clone();
                            bytes[bit / 8] ^= 1 << (bit % 8);
                            bytes
                        });
                        if is_text {
                            let texts = flipped.filter_map(|bytes| String::from_utf8(bytes).ok());
                            texts.filter(|text| !text.contains('\0')).map(Value::Text).collect()
                        } else {
                            flipped.map(Value::Blob).collect()
                        }
                    }
                };
                for changed in changed {
                    let mut after = row.clone();
                    after[column] = changed;
                    let name = &columns[column];
                    of_column[column].push((
                        format!("UPDATE {table} SET {name} = {} WHERE {}", literal(&after[column]), same(&row)),
                        format!("UPDATE {table} SET {name} = {} WHERE {}", literal(value), same(&after)),
                    ));
                }
            }
        }
        for of_column in of_column {
            // A step that is odd does not meet the same bit of every byte.
            let step = (of_column.len() / most).max(1) | 1;
            flips.extend(of_column.into_iter().step_by(step));
        }
    }
    flips
}
