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
        detail: None,
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

/// A single-bit change of one value, as a statement and the statement that undoes it.
pub struct BitFlip {
    pub make: String,
    pub undo: String,
}

/// Returns the single-bit changes of the values of an index: at most `most` of each column, spread over its rows and bits.
pub fn bit_flips(index: &Index, most: usize) -> Vec<BitFlip> {
    use rusqlite::types::Value;
    let rows = |sql: &str| -> Vec<Vec<Value>> {
        let mut statement = index.connection.raw().prepare(sql).unwrap();
        let count = statement.column_count();
        let rows = statement.query_map([], |row| (0..count).map(|column| row.get(column)).collect()).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => panic!("{other:?} is not a text"),
    };
    let mut flips = Vec::new();
    for table in rows("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'") {
        let table = text(&table[0]);
        let columns: Vec<String> =
            rows(&format!("SELECT name FROM pragma_table_info('{table}')")).iter().map(|row| text(&row[0])).collect();
        let mut of_column: Vec<Vec<BitFlip>> = columns.iter().map(|_| Vec::new()).collect();
        for row in rows(&format!("SELECT * FROM {table}")) {
            let values: Vec<Vec<String>> = row.iter().map(literals).collect();
            let row: Vec<String> = values.iter().map(|literals| literals[0].clone()).collect();
            for (column, values) in values.iter().enumerate() {
                for changed in &values[1..] {
                    let mut after = row.clone();
                    after[column].clone_from(changed);
                    let name = &columns[column];
                    of_column[column].push(BitFlip {
                        make: format!("UPDATE {table} SET {name} = {changed} WHERE {}", same(&columns, &row)),
                        undo: format!("UPDATE {table} SET {name} = {} WHERE {}", row[column], same(&columns, &after)),
                    });
                }
            }
        }
        for of_column in of_column {
            // A step that is odd does not meet the same bit of every byte.
            let step = (of_column.len() / most).max(1) | 1;
            let step = if of_column.len() <= most { 1 } else { step };
            flips.extend(of_column.into_iter().step_by(step));
        }
    }
    flips
}

/// Returns the condition that selects a row with these literals.
fn same(columns: &[String], row: &[String]) -> String {
    let equal = columns.iter().zip(row).map(|(name, literal)| format!("{name} IS {literal}"));
    equal.collect::<Vec<_>>().join(" AND ")
}

/// Returns a value as a literal of SQL, and then all values that differ from it in one bit. A text need not be UTF-8 then.
fn literals(value: &rusqlite::types::Value) -> Vec<String> {
    use rusqlite::types::Value;
    let (bytes, is_text) = match value {
        Value::Null => return vec!["NULL".to_owned()],
        Value::Integer(number) => {
            let changed = (0..64).map(|bit| number ^ 1_i64.wrapping_shl(bit));
            // The least number cannot be written as a literal.
            return std::iter::once(*number)
                .chain(changed)
                .map(|number| format!("({} - 1)", i128::from(number) + 1))
                .collect();
        }
        Value::Text(text) => (text.as_bytes(), true),
        Value::Blob(blob) => (blob.as_slice(), false),
        Value::Real(_) => panic!("no column has this type"),
    };
    let literal = |bytes: &[u8]| {
        let hex = crate::text::hex(bytes);
        if is_text { format!("CAST(x'{hex}' AS TEXT)") } else { format!("x'{hex}'") }
    };
    let flipped = (0..8 * bytes.len()).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    });
    std::iter::once(bytes.to_vec()).chain(flipped).map(|bytes| literal(&bytes)).collect()
}

/// Returns a copy of an index in memory, for many changes in a short time.
pub fn copy_in_memory(path: &std::path::Path) -> Index {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    connection.restore("main", path, None::<fn(rusqlite::backup::Progress)>).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    connection.set_prepared_statement_cache_capacity(64);
    Index { connection: super::database::Database::of_raw(connection), place: super::error::IndexPath(path.to_owned()) }
}

/// Makes a change of a copy in memory; false when a constraint of the table does not allow it.
pub fn try_to_change(index: &Index, statement: &str) -> bool {
    match index.connection.raw().execute_batch(statement) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => false,
        changed => changed.map(|()| true).unwrap(),
    }
}

/// Returns every value of an index as text; `None` when it cannot be read.
pub fn values(index: &Index) -> Option<Vec<String>> {
    let read = || -> rusqlite::Result<Vec<String>> {
        let connection = index.connection.raw();
        let mut tables =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?;
        let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut values = tables.clone();
        for table in tables {
            let mut statement = connection.prepare(&format!("SELECT * FROM {table}"))?;
            let count = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..count {
                    values.push(format!("{:?}", row.get_ref(column)?));
                }
            }
        }
        Ok(values)
    };
    read().ok()
}
