//! The inventory as `ca list` shows it: a table, or a stream of JSON, NDJSON or CSV in which only one row is in memory.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::rc::Rc;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::entry::{EntryJson, FilesJson, how_far};
use crate::authority::leaf::order::DueRule;
use crate::report::failure::Failure;
use crate::report::json::{self, Shown};
use crate::report::output::{self, Report, StreamError};
use crate::report::page::{Cell as PageCell, Page, Tone};
use crate::store::Store;
use crate::store::delivery::{Destination, Paths};
use crate::store::index::{CertificateStatus, InventoryQuery, ListedEntry};
use crate::store::locate::count_as_delivered_if_there;
use crate::store::previous_certificates::NameHistory;
use crate::system::threads::{parts_in_order, usual_jobs};
use crate::text::{self, PathText, rfc3339};
use crate::x509::KeyKind;

/// How the inventory is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For a person
    Table,
    /// One document, as --json writes it
    Json,
    /// A document on each line
    Ndjson,
    /// RFC 4180, with a line of names
    Csv,
}

/// A column of the table, or of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Column {
    Name,
    Template,
    /// The authority that signed it
    Issuer,
    Subject,
    Sans,
    Issued,
    NotBefore,
    Expires,
    Status,
    Deployed,
    Serial,
    KeyAlgorithm,
    Fingerprint,
    RevokedAt,
    Reason,
    /// Where its files are
    Folder,
}

impl Column {
    pub const OF_TABLE: [Self; 6] =
        [Self::Name, Self::Template, Self::Issuer, Self::Expires, Self::Status, Self::Serial];
    pub const OF_CSV: [Self; 15] = [
        Self::Name,
        Self::Template,
        Self::Issuer,
        Self::Subject,
        Self::Sans,
        Self::NotBefore,
        Self::Expires,
        Self::Status,
        Self::Deployed,
        Self::Serial,
        Self::KeyAlgorithm,
        Self::Fingerprint,
        Self::RevokedAt,
        Self::Reason,
        Self::Folder,
    ];

    /// The name in the first line: in CSV that of the field in JSON.
    fn title(self) -> (&'static str, &'static str) {
        match self {
            Self::Name => ("NAME", "name"),
            Self::Template => ("TEMPLATE", "template"),
            Self::Issuer => ("ISSUER", "authority"),
            Self::Subject => ("SUBJECT", "subject"),
            Self::Sans => ("SANS", "sans"),
            Self::Issued => ("ISSUED", "issued_at"),
            Self::NotBefore => ("NOT BEFORE", "not_before"),
            Self::Expires => ("EXPIRES", "not_after"),
            Self::Status => ("STATUS", "status"),
            Self::Deployed => ("DEPLOYED", "deployed"),
            Self::Serial => ("SERIAL", "serial"),
            Self::KeyAlgorithm => ("KEY", "key_algorithm"),
            Self::Fingerprint => ("SHA-256", "fingerprint_sha256"),
            Self::RevokedAt => ("REVOKED", "revoked_at"),
            Self::Reason => ("REASON", "reason"),
            Self::Folder => ("FOLDER", "folder"),
        }
    }

    /// Whether the certificate itself is read for it.
    pub const fn needs_certificate(self) -> bool {
        matches!(self, Self::KeyAlgorithm)
    }
}

/// `ca.list/1`. It is written row by row.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "List")]
pub struct ListJson<'a> {
    certificates: Vec<ListedJson<'a>>,
    /// The number without the limit.
    total: u64,
}

/// A certificate of the inventory; a line of NDJSON.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ListedEntry")]
pub struct ListedJson<'a> {
    #[serde(flatten)]
    entry: EntryJson<'a>,
    /// Its files are deployed, as the index records it.
    deployed: bool,
    key_algorithm: Option<Shown<&'a KeyKind>>,
    /// Where the files of a deployed certificate are; `null` when they are not there.
    files: Option<FilesJson<'a>>,
    /// Negative once it has expired.
    expires_in_seconds: i64,
}

impl<'a> ListedJson<'a> {
    fn new(listed: &'a ListedEntry, files: Option<&'a Paths>, now: OffsetDateTime) -> Self {
        let ListedEntry { entry, deployed, key, has_unmarked: _ } = listed;
        Self {
            entry: EntryJson::new(entry, now),
            deployed: *deployed,
            key_algorithm: key.as_ref().map(Shown),
            files: files.map(FilesJson::new),
            expires_in_seconds: (entry.validity.not_after - now).whole_seconds(),
        }
    }
}

/// The entries that a thread writes together.
const TOGETHER: usize = 256;

/// The inventory.
pub struct List {
    pub store: Rc<Store>,
    pub query: InventoryQuery,
    pub format: ListFormat,
    pub columns: Vec<Column>,
    /// The names of the authorities, whose files are in their own folders.
    pub authorities: BTreeSet<String>,
    /// True when certificates are left out whose files are there although their delivery is not recorded.
    pub without_delivered: bool,
    /// The rows of a table; empty for a stream.
    pub rows: Vec<ListedEntry>,
    /// The number without the limit.
    pub total: u64,
    pub now: OffsetDateTime,
}

impl List {
    /// Reads the rows of a table.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn read(mut self) -> Result<Self, Failure> {
        let mut rows = Vec::new();
        self.total = self.each(&mut |listed| {
            rows.push(listed);
            Ok::<(), Failure>(())
        })?;
        self.rows = rows;
        Ok(self)
    }

    /// Calls `each` for every row, and returns the number without the limit.
    fn each<E: From<Failure>>(&self, each: &mut dyn FnMut(ListedEntry) -> Result<(), E>) -> Result<u64, E> {
        let index = self.store.index().map_err(Failure::from)?;
        let left_out = Cell::new(0);
        // The error of a row passes through the index as it is.
        let mut failed = None;
        let total = index.inventory::<Failure>(&self.query, self.now, |mut listed| {
            let stands_for_its_name = self.look_for_files(&mut listed)?;
            if self.without_delivered && listed.entry.delivered_at.is_some()
                || self.query.wanted.current_only && !stands_for_its_name
            {
                left_out.set(left_out.get() + 1);
                return Ok(());
            }
            each(listed).map_err(|error| {
                failed = Some(error);
                Failure::refused("output-failed", String::new())
            })
        });
        match failed {
            Some(error) => Err(error),
            None => Ok(total?.saturating_sub(left_out.get())),
        }
    }

    /// A delivery whose mark a power cut took back is found by its files. Returns false when another certificate of the name is
    /// deployed.
    fn look_for_files(&self, listed: &mut ListedEntry) -> Result<bool, Failure> {
        if !listed.has_unmarked {
            return Ok(true);
        }
        let index = self.store.index()?;
        count_as_delivered_if_there(self.store.home(), index, &mut listed.entry)?;
        let history = NameHistory::of(index, &listed.entry.name)?;
        let in_place = history.in_place(self.store.home(), &listed.entry.name.parse()?);
        // A cross-certificate is in the folder of another name.
        let is_there = listed.entry.delivered_at.is_some();
        listed.deployed = in_place.map_or(is_there, |in_place| in_place.id == listed.entry.id);
        Ok(listed.deployed || in_place.is_none())
    }

    /// The files of a deployed certificate that are there.
    fn files(&self, listed: &ListedEntry) -> Option<Paths> {
        let ListedEntry { entry, deployed: true, .. } = listed else { return None };
        let destination = match &entry.place {
            Some(folder) => Destination::Folder(folder.clone()),
            None if self.authorities.contains(&entry.name.to_ascii_lowercase()) => Destination::Authority,
            None => Destination::Issued,
        };
        let paths = destination.paths(self.store.home(), &entry.name.parse().ok()?, true)?;
        let is_there = |path: &std::path::PathBuf| path.symlink_metadata().is_ok();
        is_there(&paths.certificate).then(|| Paths {
            fullchain: paths.fullchain.filter(is_there),
            key: paths.key.filter(is_there),
            ..paths
        })
    }

    /// Calls `take` with what `write` makes of the entries in JSON, in their order: the texts of many entries, with `between` between
    /// them. Returns the number without the limit.
    fn each_json(
        &self,
        between: &str,
        write: impl Fn(&ListedJson<'_>) -> String + Sync,
        mut take: impl FnMut(&str) -> Result<(), StreamError>,
    ) -> Result<u64, StreamError> {
        let (now, mut total) = (self.now, 0);
        parts_in_order(
            usual_jobs(),
            TOGETHER,
            |give| {
                total = self.each(&mut |listed| {
                    let files = self.files(&listed);
                    give((listed, files))
                })?;
                Ok(())
            },
            // The entries go back to the thread that made them. Freed in another one, both threads would wait for each other in the
            // allocator, which took a third of the time.
            |entries: Vec<(ListedEntry, Option<Paths>)>| {
                let text = |(listed, files): &(ListedEntry, Option<Paths>)| {
                    write(&ListedJson::new(listed, files.as_ref(), now))
                };
                (entries.iter().map(text).collect::<Vec<_>>().join(between), entries)
            },
            |(texts, _entries)| take(&texts),
        )?;
        Ok(total)
    }

    fn cell(&self, column: Column, listed: &ListedEntry) -> String {
        let ListedEntry { entry, deployed, key, has_unmarked: _ } = listed;
        let is_table = self.format == ListFormat::Table;
        match column {
            Column::Name => entry.name.clone(),
            Column::Template => entry.template.clone(),
            Column::Issuer => entry.authority.clone(),
            Column::Subject => entry.subject.clone(),
            Column::Sans => {
                entry.sans.iter().map(|(kind, value)| format!("{kind}:{value}")).collect::<Vec<_>>().join(" ")
            }
            Column::Issued => rfc3339(entry.issued_at),
            Column::NotBefore => rfc3339(entry.validity.not_before),
            Column::Expires if is_table => {
                let end = entry.validity.not_after;
                format!("{} {}", end.date(), how_far(end - self.now))
            }
            Column::Expires => rfc3339(entry.validity.not_after),
            Column::Status if is_table => self.state(listed).1.to_owned(),
            Column::Status => entry.status(self.now).to_string(),
            Column::Deployed if is_table => if *deployed { "yes" } else { "no" }.to_owned(),
            Column::Deployed => deployed.to_string(),
            Column::Serial => entry.serial.to_string(),
            Column::KeyAlgorithm => key.as_ref().map(ToString::to_string).unwrap_or_default(),
            Column::Fingerprint => text::hex(&entry.fingerprint),
            Column::RevokedAt => entry.revocation.as_ref().map(|revocation| rfc3339(revocation.at)).unwrap_or_default(),
            Column::Reason => {
                entry.revocation.as_ref().map(|revocation| revocation.reason.name()).unwrap_or_default().to_owned()
            }
            Column::Folder => {
                let files = self.files(listed);
                let folder = files.as_ref().and_then(|paths| paths.certificate.parent());
                folder.map(|folder| folder.escaped().to_string()).unwrap_or_default()
            }
        }
    }

    /// What a person sees of a certificate, and its colour: a valid one that another has replaced is superseded.
    fn state(&self, listed: &ListedEntry) -> (Tone, &'static str) {
        let ListedEntry { entry, deployed, .. } = listed;
        let status = entry.status(self.now);
        let tone = match status {
            CertificateStatus::Valid if !deployed => return (Tone::Dim, "superseded"),
            CertificateStatus::Valid if DueRule::LastThird.is_due(entry.validity, self.now) => Tone::Warning,
            CertificateStatus::Valid => Tone::Good,
            CertificateStatus::Expired if !deployed => Tone::Dim,
            CertificateStatus::Revoked | CertificateStatus::Expired => Tone::Bad,
            CertificateStatus::Held | CertificateStatus::NotYetValid | CertificateStatus::NotDelivered => Tone::Warning,
        };
        (tone, status.name())
    }

    fn write(&self, out: &mut dyn Write) -> Result<(), StreamError> {
        match self.format {
            ListFormat::Csv => self.write_csv(out),
            ListFormat::Ndjson => {
                let line = |entry: &ListedJson<'_>| output::json_line(&json::document("ca.list-entry/1", entry)) + "\n";
                self.each_json("", line, |lines| Ok(out.write_all(lines.as_bytes())?)).map(drop)
            }
            ListFormat::Json | ListFormat::Table => self.write_json(out),
        }
    }

    /// Writes the document that [`output::json_document`] would make of all rows.
    fn write_json(&self, out: &mut dyn Write) -> Result<(), StreamError> {
        write!(out, "{{\n  \"schema\": \"ca.list/1\",\n  \"certificates\": [")?;
        let mut is_first = true;
        let total = self.each_json(
            ",\n    ",
            |entry| output::json_part(entry, 2),
            |entries| {
                out.write_all(if std::mem::replace(&mut is_first, false) { b"\n    " } else { b",\n    " })?;
                Ok(out.write_all(entries.as_bytes())?)
            },
        )?;
        Ok(write!(out, "{}],\n  \"total\": {total}\n}}\n", if is_first { "" } else { "\n  " })?)
    }

    fn write_csv(&self, out: &mut dyn Write) -> Result<(), StreamError> {
        let line = |cells: Vec<String>| format!("{}\r\n", cells.join(","));
        write!(out, "{}", line(self.columns.iter().map(|column| csv_cell(column.title().1)).collect()))?;
        let mut each = |listed: ListedEntry| -> Result<(), StreamError> {
            let cells = self.columns.iter().map(|column| csv_cell(&self.cell(*column, &listed)));
            Ok(write!(out, "{}", line(cells.collect()))?)
        };
        self.each(&mut each).map(drop)
    }
}

/// A cell of CSV (RFC 4180 §2). What a spreadsheet would take for a formula is written as text, with an apostrophe in front. A
/// character that cannot be seen, such as a line feed, is escaped, so that every row is one line.
fn csv_cell(value: &str) -> String {
    let value = text::escape(value);
    let value = if value.starts_with(['=', '+', '-', '@']) { format!("'{value}") } else { value };
    match value.contains([',', '"', '\r', '\n']) || value.starts_with(' ') || value.ends_with(' ') {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value,
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) {
        let mut is_cut = false;
        if !self.rows.is_empty() {
            let heads: Vec<&str> = self.columns.iter().map(|column| column.title().0).collect();
            let row = |listed: &ListedEntry| -> Vec<PageCell> {
                let (tone, _) = self.state(listed);
                let of = |column: &Column| match column {
                    Column::Status | Column::Expires => tone,
                    // A row that is over stands back.
                    _ if tone == Tone::Dim => Tone::Dim,
                    _ => Tone::Plain,
                };
                let cell = |column: &Column| match column {
                    Column::Folder => page.sentence(&self.cell(*column, listed)),
                    _ => self.cell(*column, listed),
                };
                self.columns.iter().map(|column| (of(column), cell(column))).collect()
            };
            let rows: Vec<Vec<PageCell>> = self.rows.iter().map(row).collect();
            is_cut = page.toned_table_to_fit(&heads, &rows);
            page.gap();
        }
        let count = |number: u64| format!("{number} certificate{}", if number == 1 { "" } else { "s" });
        let shown = self.rows.len() as u64;
        match self.total {
            0 => page.line("no certificates"),
            total if total == shown => page.line(&count(total)),
            total => page.line(&format!("{shown} of {}; --limit N shows more", count(total))),
        }
        if is_cut && self.columns.last() == Some(&Column::Serial) {
            page.toned(Tone::Dim, "the first digits of a serial number are enough: ca show DIGITS");
        }
    }

    fn json(&self) -> Value {
        let mut out = Vec::new();
        match self.write_json(&mut out) {
            Ok(()) => serde_json::from_slice(&out).unwrap_or_default(),
            Err(_) => Value::Null,
        }
    }

    fn stream(&self, out: &mut dyn Write) -> Option<Result<(), StreamError>> {
        if self.format == ListFormat::Table {
            return None;
        }
        let mut out = BufWriter::with_capacity(1 << 16, out);
        Some(self.write(&mut out).and_then(|()| out.flush().map_err(StreamError::from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_of_csv_is_quoted_where_it_must_be_and_never_a_formula() {
        for (value, cell) in [
            ("web.corp.test", "web.corp.test"),
            ("CN=web, O=Corp", "\"CN=web, O=Corp\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2", "'-2"),
            ("+1,2", "\"'+1,2\""),
            ("a\r\nb\t=1", "a\\u{d}\\u{a}b\\u{9}=1"),
            (" x", "\" x\""),
            ("", ""),
        ] {
            assert_eq!(csv_cell(value), cell);
        }
    }
}
