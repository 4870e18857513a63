//! The errors of the index, with messages that say what to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::index::database::{DatabaseError, DatabaseFailure};
use crate::store::index::limits::PATIENCE;
use crate::store::index::reference::Reference;
use crate::system::file_size_limit_was_met;
use crate::system::files::{self, FileError};
use crate::text::{self, Diagnosis, Diagnostic, PathText, escape};
use crate::x509::{DecodeError, GeneralName, SerialDigits, SerialNumber};

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("there is no index at {}", path.escaped())]
    Missing { path: PathBuf },
    #[error("{} is not an index of this program: it is {found}", path.escaped())]
    NotAnIndex { path: PathBuf, found: &'static str },
    #[error("the index {} has version {found}, but this program knows only versions up to {known}", path.escaped())]
    Newer { path: PathBuf, found: i64, known: i64 },
    /// Of a server: only the owner of its tables can migrate them.
    #[error("the index {} has version {found}, but this program needs version {needed}", path.escaped())]
    Older { path: PathBuf, found: i64, needed: i64 },
    #[error("the index {} is damaged: {reason}", path.escaped())]
    Damaged { path: PathBuf, reason: String },
    #[error("the index {} is in use by another program; waited {} seconds for it", path.escaped(), PATIENCE.as_secs())]
    Busy { path: PathBuf },
    #[error("no space left for the index {}", path.escaped())]
    Full { path: PathBuf },
    #[error("the index {} is read-only: {reason}", path.escaped())]
    ReadOnly { path: PathBuf, reason: String },
    #[error("cannot write the index {}: a file would exceed the file size limit of this process", path.escaped())]
    SizeLimit { path: PathBuf },
    #[error("the index has a certificate with the serial number {serial} of the same issuer already")]
    SerialUsed { serial: SerialNumber },
    /// The message includes the most similar name in the index.
    #[error("there is no certificate with {reference}")]
    NotFound { reference: Reference, nearest: Option<String> },
    /// The certificate is known by its serial number alone.
    #[error("the index does not have the certificate with the serial number {serial}: {known}")]
    OnlySerial { serial: SerialNumber, known: String },
    #[error("'{}' is the name of one certificate and the serial number of another", text::escape(given))]
    Ambiguous { given: String },
    /// The digits are the first ones of several serial numbers.
    #[error("{} serial numbers begin with '{digits}'", candidates.total)]
    SeveralSerials { digits: SerialDigits, candidates: Candidates },
    /// Certificates of several names have the subject alternative name.
    #[error("'{}' is in certificates of {} names", text::escape(&name.to_string()), candidates.total)]
    SeveralNames { name: GeneralName, candidates: Candidates },
    #[error("the index has certificates of several issuers with the serial number {serial}")]
    SeveralIssuers { serial: SerialNumber },
    #[error("{} cannot be recorded: its name is not text in UTF-8", .0.escaped())]
    PlaceNotUtf8(PathBuf),
    #[error("the index {} failed: {reason}", path.escaped())]
    Failed { path: PathBuf, reason: String },
    /// Another session has the lock of the writers of a server.
    #[error("another process or machine changes the index {}; waited {} seconds for it", path.escaped(), waited.as_secs())]
    Locked { path: PathBuf, waited: Duration },
    #[error("the index {} cannot be reached: {reason}", path.escaped())]
    Unreachable { path: PathBuf, reason: String },
    #[error("the index {} is not safe: {reason}", path.escaped())]
    Unsafe { path: PathBuf, reason: String },
    /// The connection broke during a commit, and the server could not be asked for the outcome.
    #[error("it is not known whether the change is in the index {}: {reason}", path.escaped())]
    UnknownOutcome { path: PathBuf, reason: String },
    /// The rows are counted from 1, in the order of the table.
    #[error("the copy {} is not the same: row {row} of the table {table} differs", path.escaped())]
    CopyDiffers { path: PathBuf, table: String, row: u64 },
    #[error("the index {} is no longer used: 'ca index copy' moved it", path.escaped())]
    Moved { path: PathBuf },
    #[error("{} has another index already", path.escaped())]
    OtherIndexThere { path: PathBuf },
    #[error("{} cannot have this index: two of its names differ only in the case of letters that are not ASCII", path.escaped())]
    NamesDifferInCase { path: PathBuf },
    /// The disk, not the content of the index.
    #[error("the index {} cannot be read or written: {reason}", path.escaped())]
    Disk { path: PathBuf, reason: String },
    #[error(transparent)]
    File(#[from] FileError),
}

/// What an ambiguous reference can mean: the first ones, as arguments to type with what tells them apart, and the number of all.
#[derive(Debug)]
pub struct Candidates {
    pub first: Vec<String>,
    pub total: u64,
}

impl Candidates {
    /// The most that are listed.
    pub(crate) const MOST_LISTED: usize = 10;

    fn lines(&self) -> impl Iterator<Item = String> {
        let more = self.total.saturating_sub(self.first.len() as u64);
        self.first.iter().cloned().chain((more > 0).then(|| format!("and {more} more")))
    }
}

/// The path of an index, for errors.
#[derive(Debug, Clone)]
pub(crate) struct IndexPath(pub PathBuf);

impl IndexPath {
    /// Returns a function for `map_err` that converts an error of the database.
    pub fn error(&self) -> impl Fn(DatabaseError) -> IndexError {
        let path = self.0.clone();
        move |error| {
            let path = path.clone();
            match error {
                DatabaseError::Failed { failure, reason } => of_failure(failure, path, reason),
                error => IndexError::Damaged { path, reason: error.to_string() },
            }
        }
    }

    /// Returns the error for a record that cannot be parsed.
    pub fn unreadable(&self, serial: &SerialNumber, error: &DecodeError) -> IndexError {
        let reason = format!("the certificate with serial number {serial} cannot be read: {error}");
        IndexError::Damaged { path: self.0.clone(), reason }
    }
}

fn of_failure(failure: DatabaseFailure, path: PathBuf, reason: String) -> IndexError {
    match failure {
        DatabaseFailure::NotADatabase => IndexError::NotAnIndex { path, found: "not a SQLite file" },
        DatabaseFailure::Damaged => IndexError::Damaged { path, reason },
        DatabaseFailure::Busy => IndexError::Busy { path },
        // A write beyond the limit of the process fails with codes that a full disk has too.
        DatabaseFailure::Full | DatabaseFailure::Disk if file_size_limit_was_met() => IndexError::SizeLimit { path },
        DatabaseFailure::Full => IndexError::Full { path },
        DatabaseFailure::ReadOnly => IndexError::ReadOnly { path, reason },
        // Also the files beside it, which SQLite makes when it opens an index.
        DatabaseFailure::Disk | DatabaseFailure::CannotOpen => IndexError::Disk { path, reason },
        DatabaseFailure::Unreachable => IndexError::Unreachable { path, reason },
        DatabaseFailure::Unsafe => IndexError::Unsafe { path, reason },
        DatabaseFailure::UnknownOutcome => IndexError::UnknownOutcome { path, reason },
        DatabaseFailure::NoTable | DatabaseFailure::Constraint | DatabaseFailure::Other => {
            IndexError::Failed { path, reason }
        }
    }
}

impl IndexError {
    /// Returns whether the system is at fault, and not the content of the index.
    pub fn is_of_the_system(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. }
                | Self::Full { .. }
                | Self::ReadOnly { .. }
                | Self::SizeLimit { .. }
                | Self::Disk { .. }
                | Self::Locked { .. }
                | Self::Unreachable { .. }
                | Self::UnknownOutcome { .. }
                | Self::File(_)
        )
    }
}

const RESTORE: &str = "restore the CA directory from a copy; copy index.db and index.db-wal together";

impl Diagnostic for IndexError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NotFound { nearest, reference } => Diagnosis::usage("unknown-certificate")
                .hints(nearest.iter().map(|near| format!("did you mean '{}'?", escape(near))))
                .hints(reference.digits().filter(|digits| !digits.can_be_first_digits()).map(|_| {
                    format!(
                        "the first digits of a serial number are enough when there are {} or more",
                        SerialDigits::FEWEST
                    )
                }))
                .hint("'ca list' shows every certificate of this CA"),
            Self::OnlySerial { .. } => Diagnosis::usage("unknown-certificate")
                .hint("its file is enough to record and revoke it: ca revoke FILE"),
            Self::Ambiguous { given } => Diagnosis::usage("ambiguous")
                .hint(format!("write name:{given} or serial:{given} to say which one is meant")),
            Self::SeveralSerials { candidates, .. } | Self::SeveralNames { candidates, .. } => {
                Diagnosis::usage("ambiguous").hint("say which one:").hints(candidates.lines())
            }
            Self::SeveralIssuers { .. } => {
                Diagnosis::usage("ambiguous").hint("ask for it by its name: 'ca list' shows the names")
            }
            Self::Missing { .. } => Diagnosis::refused("index-missing").hint(RESTORE),
            Self::NotAnIndex { .. } => {
                Diagnosis::refused("index-foreign").hint("[index] location in ca.toml says where the index is")
            }
            Self::Newer { .. } => {
                Diagnosis::refused("index-newer").hint("use the version of this program that wrote it, or a later one")
            }
            Self::Older { .. } => {
                Diagnosis::refused("index-older").hint("migrate it once, as the owner of its tables: ca index migrate")
            }
            Self::Damaged { .. } => Diagnosis::refused("index-damaged").hint(RESTORE),
            Self::Unreachable { .. } => Diagnosis::refused("index-unreachable").hint(
                "[index] location in ca.toml says where the server is; psql with the same values shows what it answers",
            ),
            Self::Unsafe { .. } => Diagnosis::refused("index-unsafe")
                .hint("change the setting of the server, or use another one: a delivered certificate must not be lost"),
            Self::UnknownOutcome { .. } => Diagnosis::refused("index-outcome-unknown")
                .hint("nothing was delivered; when the server can be reached, 'ca log' shows whether it was recorded"),
            Self::Locked { .. } => {
                Diagnosis::refused("locked").hint("wait longer with --lock-timeout, for example 10m")
            }
            Self::Busy { .. } => Diagnosis::refused("index-busy")
                .hint("end the program that has it open, and run the same command again"),
            Self::Full { .. } => Diagnosis::refused("disk-full").hint("free some space and run the same command again"),
            Self::ReadOnly { .. } => Diagnosis::refused("permission-denied")
                .hint("commands that only read work: list, show, history, due, verify, roots, log, audit, backup")
                .hint("to change this CA, run the command where its owner may write"),
            Self::SizeLimit { .. } => Diagnosis::refused("file-size-limit").hint(files::RAISE_SIZE_LIMIT),
            Self::SerialUsed { .. } => Diagnosis::refused("serial-used"),
            Self::PlaceNotUtf8(_) => Diagnosis::usage("bad-name"),
            Self::CopyDiffers { .. } | Self::NamesDifferInCase { .. } => Diagnosis::refused("index-not-copied"),
            Self::Moved { .. } => {
                Diagnosis::refused("index-moved").hint("write its new place into ca.toml: [index] location")
            }
            Self::OtherIndexThere { .. } => Diagnosis::refused("exists")
                .hint("name another place; or remove the index that is there, when it is not used"),
            Self::Failed { .. } | Self::Disk { .. } => Diagnosis::refused("index-failed"),
            Self::File(error) => error.diagnosis(),
        }
    }
}
