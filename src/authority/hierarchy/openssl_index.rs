//! `index.txt` of `openssl ca`: one line for each certificate, with six fields between tabs (openssl-ca(1), "FILES"; the
//! forms of the revocation are those of `make_revocation_str` in its source).
//!
//! ```text
//! V  271122070541Z                            01  unknown  /O=Corp/CN=web.corp.test
//! R  271122070541Z  261123070541Z,keyCompromise  02  unknown  /O=Corp/CN=api.corp.test
//! ```

use time::{Date, Month, OffsetDateTime, Time};

use crate::store::index::Revocation;
use crate::text;
use crate::x509::SerialNumber;
use crate::x509::crl::RevocationReason;

/// The fields of a line.
const FIELDS: usize = 6;
/// The most hexadecimal digits of a serial number: twice what RFC 5280 §4.1.2.2 allows.
const MOST_DIGITS: usize = 80;
/// The most problems that are reported.
pub const MOST_PROBLEMS: usize = 10;

/// A certificate in the index of openssl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpensslEntry {
    pub serial: SerialNumber,
    pub not_after: OffsetDateTime,
    /// The subject in the form of openssl.
    pub subject: String,
    /// `None` when it was not revoked.
    pub revocation: Option<Revocation>,
}

/// What is wrong at one place. Lines and columns are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexProblem {
    pub line: usize,
    pub column: usize,
    pub reason: String,
    /// True when it may be the line of a revoked certificate.
    pub may_be_revoked: bool,
}

/// Every problem of an index, of which the first [`MOST_PROBLEMS`] are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexProblems {
    pub problems: Vec<IndexProblem>,
    pub more: usize,
}

/// A line that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexLine {
    /// Counted from 1.
    pub line: usize,
    pub entry: OpensslEntry,
}

/// Every line of an index.
#[derive(Debug, Default)]
pub struct IndexLines {
    pub lines: Vec<IndexLine>,
    /// The first [`MOST_PROBLEMS`] lines that cannot be read.
    pub problems: Vec<IndexProblem>,
    /// The number of the others.
    pub more: usize,
    /// The number of lines that cannot be read and may be those of revoked certificates.
    pub possibly_revoked: usize,
}

/// Reads every line. Empty lines and those that begin with `#` are skipped, as openssl does.
pub fn read(content: &[u8]) -> IndexLines {
    let mut found = IndexLines::default();
    for (number, line) in content.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let number = number + 1;
        match entry(&String::from_utf8_lossy(line)) {
            Ok(entry) => found.lines.push(IndexLine { line: number, entry }),
            Err((column, reason)) => {
                let may_be_revoked = ![b"V\t", b"E\t"].iter().any(|status| line.starts_with(*status));
                found.possibly_revoked += usize::from(may_be_revoked);
                match found.problems.len() {
                    MOST_PROBLEMS => found.more += 1,
                    _ => found.problems.push(IndexProblem { line: number, column, reason, may_be_revoked }),
                }
            }
        }
    }
    found
}

/// Reads every line as [`read`] does.
///
/// # Errors
/// The problems of all lines at once.
pub fn parse(content: &[u8]) -> Result<Vec<OpensslEntry>, IndexProblems> {
    let IndexLines { lines, problems, more, .. } = read(content);
    match problems.is_empty() {
        true => Ok(lines.into_iter().map(|line| line.entry).collect()),
        false => Err(IndexProblems { problems, more }),
    }
}

/// Reads one line; an error has its column.
fn entry(line: &str) -> Result<OpensslEntry, (usize, String)> {
    let fields = fields(line);
    let [status, expiry, revoked, serial, _file, subject] = fields.as_slice() else {
        let reason = format!("it has {} fields between tabs, and {FIELDS} are expected", fields.len());
        return Err((1, reason));
    };
    let at = |field: &Field<'_>, reason: String| (field.column, reason);
    let not_after = moment(expiry.text).map_err(|reason| at(expiry, reason))?;
    let serial_number = serial_number(serial.text).map_err(|reason| at(serial, reason))?;
    let revocation = match (status.text, revoked.text) {
        ("V", "") | ("E", "") => None,
        ("R", "") => return Err(at(revoked, "it is revoked, and the date is missing".to_owned())),
        ("R" | "E", text) => Some(revocation(text).map_err(|reason| at(revoked, reason))?),
        ("V", _) => return Err(at(revoked, "it is valid, and has a date of revocation".to_owned())),
        (other, _) => {
            let reason = format!("'{}' is not a status: V, R and E are", text::escape(other));
            return Err(at(status, reason));
        }
    };
    Ok(OpensslEntry { serial: serial_number, not_after, subject: subject.text.to_owned(), revocation })
}

struct Field<'a> {
    text: &'a str,
    /// Of its first character, in the line.
    column: usize,
}

/// Divides a line at its tabs; a tab behind a backslash is part of the field.
fn fields(line: &str) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let (mut start, mut column, mut start_column, mut before) = (0, 1, 1, ' ');
    for (position, character) in line.char_indices() {
        column += 1;
        if character == '\t' && before != '\\' {
            fields.push(Field { text: &line[start..position], column: start_column });
            (start, start_column) = (position + 1, column);
        }
        before = character;
    }
    fields.push(Field { text: &line[start..], column: start_column });
    fields
}

fn serial_number(digits: &str) -> Result<SerialNumber, String> {
    let is_hexadecimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hexadecimal || digits.len() > MOST_DIGITS {
        return Err(format!("'{}' is not a serial number in hexadecimal", text::escape(digits)));
    }
    let padded = if digits.len().is_multiple_of(2) { digits.to_owned() } else { format!("0{digits}") };
    padded.parse().map_err(|error: crate::x509::serial::SerialNumberError| error.to_string())
}

/// Reads `date[,reason[,more]]`.
fn revocation(given: &str) -> Result<Revocation, String> {
    let mut parts = given.splitn(3, ',');
    let at = moment(parts.next().unwrap_or_default())?;
    let (word, more) = (parts.next(), parts.next());
    let mut invalid_since = None;
    let reason = match word {
        None => RevocationReason::Unspecified,
        // The object identifier of a hold instruction, which RFC 5280 no longer has.
        Some("holdInstruction") => RevocationReason::CertificateHold,
        Some(word @ ("keyTime" | "CAkeyTime")) => {
            invalid_since = Some(moment(more.unwrap_or_default())?);
            if word == "keyTime" { RevocationReason::KeyCompromise } else { RevocationReason::CaCompromise }
        }
        Some(word) => match word.parse() {
            Ok(RevocationReason::RemoveFromCrl) | Err(_) => {
                return Err(format!("'{}' is not a reason of openssl for a revocation", text::escape(word)));
            }
            Ok(reason) => reason,
        },
    };
    Ok(Revocation { at, reason, invalid_since, released_at: None })
}

/// Reads `YYMMDDHHMMSSZ` (years 1950 to 2049, RFC 5280 §4.1.2.5.1) or `YYYYMMDDHHMMSSZ`.
fn moment(given: &str) -> Result<OffsetDateTime, String> {
    let refused = || format!("'{}' is not a time: expected YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ", text::escape(given));
    let digits = given.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let digits = digits.filter(|digits| matches!(digits.len(), 12 | 14)).ok_or_else(refused)?;
    let (year, rest) = digits.split_at(digits.len() - 10);
    let number = |text: &str| text.parse::<u16>().map_err(|_| refused());
    let year = match (year.len(), number(year)?) {
        (2, year @ 0..50) => 2000 + year,
        (2, year) => 1900 + year,
        (_, year) => year,
    };
    let pair = |position: usize| -> Result<u8, String> { rest[position..position + 2].parse().map_err(|_| refused()) };
    let month = Month::try_from(pair(0)?).map_err(|_| refused())?;
    let date = Date::from_calendar_date(year.into(), month, pair(2)?).map_err(|_| refused())?;
    let time = Time::from_hms(pair(4)?, pair(6)?, pair(8)?).map_err(|_| refused())?;
    Ok(date.with_time(time).assume_utc())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn only(line: &str) -> OpensslEntry {
        let mut entries = parse(line.as_bytes()).unwrap();
        assert_eq!(entries.len(), 1);
        entries.remove(0)
    }

    fn problem(line: &str) -> (usize, String) {
        let mut found = parse(line.as_bytes()).unwrap_err();
        assert_eq!((found.problems.len(), found.more), (1, 0));
        let IndexProblem { line, column, reason, .. } = found.problems.remove(0);
        assert_eq!(line, 1);
        (column, reason)
    }

    #[test]
    fn the_lines_that_openssl_writes_are_read() {
        let valid = only("V\t271122070541Z\t\t01\tunknown\t/O=Corp/CN=web\n");
        assert_eq!(valid.serial, "01".parse().unwrap());
        assert_eq!((valid.not_after, valid.revocation), (datetime!(2027-11-22 7:05:41 UTC), None));
        assert_eq!(valid.subject, "/O=Corp/CN=web");
        let reasons = [
            ("", RevocationReason::Unspecified, None),
            (",unspecified", RevocationReason::Unspecified, None),
            (",keyCompromise", RevocationReason::KeyCompromise, None),
            (",CACompromise", RevocationReason::CaCompromise, None),
            (",superseded", RevocationReason::Superseded, None),
            (",holdInstruction,holdInstructionReject", RevocationReason::CertificateHold, None),
            (",keyTime,20260101000000Z", RevocationReason::KeyCompromise, Some(datetime!(2026-01-01 0:00 UTC))),
            (",CAkeyTime,20260101000000Z", RevocationReason::CaCompromise, Some(datetime!(2026-01-01 0:00 UTC))),
        ];
        for (written, reason, invalid_since) in reasons {
            let revoked = only(&format!("R\t20551122070541Z\t261123070541Z{written}\tFF\tunknown\t/CN=a\\\tb\r\n"));
            let at = datetime!(2026-11-23 7:05:41 UTC);
            assert_eq!(revoked.revocation, Some(Revocation { at, reason, invalid_since, released_at: None }));
            assert_eq!((revoked.not_after.year(), revoked.subject.as_str()), (2055, "/CN=a\\\tb"));
        }
        assert_eq!(parse(b"\n# a comment\n\n").unwrap(), []);
        assert_eq!(only("E\t500101000000Z\t\t1\tunknown\t/CN=a").not_after.year(), 1950);
    }

    #[test]
    fn what_is_wrong_has_its_line_and_column() {
        for (line, column, reason) in [
            ("V\t271122070541Z\t\t01\tunknown", 1, "it has 5 fields"),
            ("X\t271122070541Z\t\t01\tunknown\t/", 1, "'X' is not a status"),
            ("V\t271322070541Z\t\t01\tunknown\t/", 3, "is not a time"),
            ("V\t2711220705Z\t\t01\tunknown\t/", 3, "is not a time"),
            ("V\t271122070541Z\t\t0g\tunknown\t/", 18, "is not a serial number"),
            ("R\t271122070541Z\t\t01\tunknown\t/", 17, "the date is missing"),
            ("V\t271122070541Z\t261123070541Z\t01\tunknown\t/", 17, "has a date of revocation"),
            ("R\t271122070541Z\t261123070541Z,stolen\t01\tunknown\t/", 17, "'stolen' is not a reason"),
            ("R\t271122070541Z\t261123070541Z,removeFromCRL\t01\tunknown\t/", 17, "is not a reason"),
            ("R\t271122070541Z\t261123070541Z,keyTime\t01\tunknown\t/", 17, "is not a time"),
        ] {
            let (found, why) = problem(line);
            assert_eq!(found, column, "{line}");
            assert!(why.contains(reason), "{line}: {why}");
        }
        let many = "bad\n".repeat(25);
        let found = parse(many.as_bytes()).unwrap_err();
        assert_eq!((found.problems.len(), found.more, found.problems[9].line), (10, 15, 10));
    }

    #[test]
    fn a_line_that_cannot_be_read_leaves_the_others_and_may_be_a_revocation() {
        let content = b"V\t271122070541Z\t\t01\tunknown\t/CN=a\nV\tnever\t\t02\tunknown\t/CN=b\nR\tbad\n\xff\xfe\0\n\
                        R\t271122070541Z\t261123070541Z\t03\tunknown\t/CN=c\n";
        let read = read(content);
        let lines: Vec<_> = read.lines.iter().map(|line| line.line).collect();
        let problems: Vec<_> = read.problems.iter().map(|problem| problem.line).collect();
        assert_eq!((lines, problems, read.possibly_revoked), (vec![1, 5], vec![2, 3, 4], 2));
    }

    proptest::proptest! {
        #[test]
        fn no_content_breaks_the_reader(content in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            drop(parse(&content));
        }

        #[test]
        fn no_line_breaks_the_reader(content in "[VRE]\t[0-9Z]{0,15}\t[0-9Z,a-zA-Z]{0,30}\t[0-9A-F]{0,6}\tunknown\t\\PC{0,10}") {
            drop(parse(content.as_bytes()));
        }
    }
}
