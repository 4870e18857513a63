//! The database of cfssl (`certs.db`), which has the certificates that it signed and their revocations. A third party may have
//! written it: it is opened without locks, side files, triggers or views, and only stored columns are read.

use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::database::sqlite::Access;
use super::database::{Database, DatabaseResult, Row, ValueRef};
use super::error::{IndexError, IndexPath};
use crate::store::index::Revocation;
use crate::text;
use crate::x509::crl::RevocationReason;
use crate::x509::{SerialNumber, certificate_file, pem};

/// The largest file that is read.
pub const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// The most rows that are read.
pub const MOST_ROWS: usize = 200_000;
/// The most problems that are reported.
const MOST_PROBLEMS: usize = 10;
/// The longest value that is read.
const MOST_VALUE_BYTES: usize = 64 * 1024;
/// The most decimal digits of a serial number of 20 bytes.
const MOST_DIGITS: usize = 49;

/// A row of the table `certificates`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CfsslRow {
    pub serial: SerialNumber,
    /// The key identifier of the CA that signed it, in hexadecimal.
    pub authority_key_id: String,
    pub not_after: Option<OffsetDateTime>,
    /// `None` when it was not revoked.
    pub revocation: Option<Revocation>,
    pub has_certificate: bool,
}

/// What the database has.
#[derive(Debug, Default)]
pub struct CfsslRows {
    pub rows: Vec<CfsslRow>,
    /// The certificates, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// Why rows were left out, as sentences.
    pub problems: Vec<String>,
    /// True when a row that was left out may be one of a revoked certificate.
    pub may_lack_revocation: bool,
}

/// Reads the database.
///
/// # Errors
/// When it is not an SQLite file with the table of cfssl, is damaged, or has more than [`MOST_ROWS`] rows.
pub fn read(path: &Path) -> Result<CfsslRows, IndexError> {
    let place = IndexPath(path.to_owned());
    let read = || -> DatabaseResult<Result<CfsslRows, String>> { rows(&Database::open_file(path, Access::Immutable)?) };
    read().map_err(place.error())?.map_err(|reason| IndexError::Failed { path: path.to_owned(), reason })
}

const COLUMNS: [&str; 7] =
    ["serial_number", "authority_key_identifier", "status", "reason", "expiry", "revoked_at", "pem"];

fn rows(connection: &Database) -> DatabaseResult<Result<CfsslRows, String>> {
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'certificates'
                    AND sql NOT LIKE 'CREATE VIRTUAL%'";
    if connection.query_row(is_table, &[], |row| row.get::<_, i64>(0))? != 1 {
        return Ok(Err("it has no table 'certificates' of cfssl".to_owned()));
    }
    // A generated column could cost any amount of memory.
    let mut statement = connection.prepare("SELECT name, hidden FROM pragma_table_xinfo('certificates')")?;
    let stored: Vec<(String, i64)> =
        statement.query_map(&[], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<DatabaseResult<_>>()?;
    let is_stored = |wanted: &&str| stored.iter().any(|(name, hidden)| name == wanted && *hidden == 0);
    if let Some(missing) = COLUMNS.iter().find(|column| !is_stored(column)) {
        return Ok(Err(format!("its table 'certificates' has no column '{missing}'")));
    }
    let sql = format!("SELECT {} FROM certificates LIMIT {}", COLUMNS.join(", "), MOST_ROWS + 1);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(&[])?;
    let (mut found, mut count) = (CfsslRows::default(), 0);
    while let Some(row) = rows.next()? {
        count += 1;
        if count > MOST_ROWS {
            return Ok(Err(format!("it has more than {MOST_ROWS} certificates")));
        }
        match read_row(&row)? {
            Ok((row, certificate)) => {
                found.rows.push(row);
                found.certificates.extend(certificate);
            }
            Err(reason) => {
                found.may_lack_revocation |= text_of(&row, 2)?.as_deref() != Some("good");
                if found.problems.len() < MOST_PROBLEMS {
                    found.problems.push(format!("row {count}: {reason}"));
                }
            }
        }
    }
    Ok(Ok(found))
}

type Read = Result<(CfsslRow, Option<Vec<u8>>), String>;

fn read_row(row: &Row<'_>) -> DatabaseResult<Read> {
    let serial = text_of(row, 0)?.and_then(|digits| decimal(&digits));
    let Some(serial) = serial else { return Ok(Err("the serial number is not a decimal number".to_owned())) };
    let status = text_of(row, 2)?.unwrap_or_default();
    let revocation = match status.as_str() {
        "good" => None,
        "revoked" => {
            let Some(at) = text_of(row, 5)?.and_then(|text| moment(&text)) else {
                return Ok(Err(format!("{serial} is revoked, and the date cannot be read")));
            };
            let code = match row.get_ref(3)? {
                ValueRef::Integer(code) => u8::try_from(code).ok(),
                _ => Some(0),
            };
            let reason = code.and_then(RevocationReason::from_code);
            let reason = reason.filter(|reason| *reason != RevocationReason::RemoveFromCrl);
            let reason = reason.unwrap_or(RevocationReason::Unspecified);
            Some(Revocation { at, reason, invalid_since: None, released_at: None })
        }
        other => return Ok(Err(format!("'{}' is not a status of cfssl", text::escape(other)))),
    };
    let certificate = text_of(row, 6)?.and_then(|text| {
        let block = pem::parse_all(text.as_bytes()).ok()?.into_iter().next()?;
        certificate_file::der_of(&block).map(<[u8]>::to_vec)
    });
    let row = CfsslRow {
        serial,
        authority_key_id: text_of(row, 1)?.unwrap_or_default().to_lowercase(),
        not_after: text_of(row, 4)?.and_then(|text| moment(&text)),
        revocation,
        has_certificate: certificate.is_some(),
    };
    Ok(Ok((row, certificate)))
}

/// Returns a text or a BLOB with text; `None` for NULL, a number, and what is too long.
fn text_of(row: &Row<'_>, column: usize) -> DatabaseResult<Option<String>> {
    let bytes = match row.get_ref(column)? {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => return Ok(None),
    };
    Ok((bytes.len() <= MOST_VALUE_BYTES).then(|| String::from_utf8_lossy(bytes).into_owned()))
}

/// Reads a positive decimal number of at most 20 bytes.
fn decimal(digits: &str) -> Option<SerialNumber> {
    if digits.is_empty() || digits.len() > MOST_DIGITS {
        return None;
    }
    // Big-endian, with a leading zero byte for the sign.
    let mut bytes = [0_u8; 22];
    for digit in digits.chars() {
        let mut carry = digit.to_digit(10)?;
        for byte in bytes.iter_mut().rev() {
            let value = u32::from(*byte) * 10 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
    }
    Some(SerialNumber::from_der_content(&bytes))
}

/// Reads a time as the SQLite driver of Go writes it: `2026-11-30 03:20:00+00:00`, with a `T` or fractions too. The zero time of
/// Go stands for none.
fn moment(given: &str) -> Option<OffsetDateTime> {
    let mut text = given.trim().replacen(' ', "T", 1);
    if !text.ends_with('Z') && !text.get(10..).is_some_and(|time| time.contains(['+', '-'])) {
        text.push('Z');
    }
    let read = OffsetDateTime::parse(&text, &Rfc3339).ok()?;
    (read.year() > 1).then(|| text::whole_second(read.to_offset(time::UtcOffset::UTC)))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const TABLE: &str =
        "CREATE TABLE certificates (serial_number blob NOT NULL, authority_key_identifier blob NOT NULL,
        ca_label blob, status blob NOT NULL, reason int, expiry timestamp, revoked_at timestamp, pem blob NOT NULL,
        PRIMARY KEY(serial_number, authority_key_identifier));";

    fn database(sql: &str) -> (tempfile::TempDir, Result<CfsslRows, IndexError>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("certs.db");
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let read = read(&path);
        let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["certs.db"], "reading writes nothing");
        (folder, read)
    }

    #[test]
    fn rows_are_read_with_their_revocations() {
        let (_folder, read) = database(&format!(
            "{TABLE} INSERT INTO certificates VALUES
             ('259', 'AB01', '', 'good', 0, '2027-11-30 03:20:00+00:00', '0001-01-01 00:00:00+00:00', ''),
             ('255', 'ab01', '', 'revoked', 1, '2027-11-30 03:20:00+00:00', '2026-11-30 04:20:00.5+01:00', ''),
             ('12x', 'ab01', '', 'revoked', 1, NULL, '2026-11-30 03:20:00Z', ''),
             ('7', 'ab01', '', 'revoked', 1, NULL, 'yesterday', ''),
             ('8', 'ab01', '', 'strange', 99, NULL, NULL, '');"
        ));
        let read = read.unwrap();
        assert_eq!(read.rows[0].serial.to_string(), "0103");
        assert_eq!((read.rows[0].not_after, &read.rows[0].revocation), (Some(datetime!(2027-11-30 3:20 UTC)), &None));
        assert_eq!(
            (read.rows[1].serial.to_string(), read.rows[1].authority_key_id.as_str()),
            ("ff".to_owned(), "ab01")
        );
        let revocation = read.rows[1].revocation.as_ref().unwrap();
        assert_eq!(
            (revocation.at, revocation.reason),
            (datetime!(2026-11-30 3:20 UTC), RevocationReason::KeyCompromise)
        );
        assert_eq!((read.rows.len(), read.problems.len(), read.may_lack_revocation), (2, 3, true));
    }

    #[test]
    fn a_database_of_another_form_is_refused() {
        for sql in [
            "CREATE TABLE other (a)",
            "CREATE TABLE certificates (serial_number)",
            "CREATE TABLE t (a); CREATE VIEW certificates AS SELECT a FROM t",
            "CREATE TABLE certificates (serial_number, authority_key_identifier, status, reason, expiry, revoked_at,
                 pem AS (zeroblob(900000000)))",
        ] {
            let (_folder, read) = database(sql);
            assert!(read.is_err(), "{sql}");
        }
        let folder = tempfile::tempdir().unwrap();
        for content in [&b"garbage"[..], b"", b"SQLite format 3\0garbage"] {
            let path = folder.path().join("certs.db");
            std::fs::write(&path, content).unwrap();
            assert!(super::read(&path).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn decimal_numbers_are_read_as_they_are(number in proptest::num::u128::ANY) {
            let read = decimal(&number.to_string()).unwrap();
            let content = read.as_der_content();
            let value = content.iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
            proptest::prop_assert_eq!(value, number);
        }
    }
}
