//! The events of the log: what they record, how they are encoded, and how the hashes of the log are computed. The page
//! docs/reference/event-log.md describes the same encoding for other programs.

use time::OffsetDateTime;

use crate::store::index::database::ValueRef;
use crate::system::Actor;
use crate::x509::{SerialNumber, digest};

/// The kind of an event. The names are part of the log, and are appended, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A CA certificate of a new CA.
    Init,
    /// A certificate of another tool.
    Import,
    Issue,
    /// A certificate for a CSR.
    Sign,
    Renew,
    Rekey,
    Rollback,
    Revoke,
    Hold,
    Release,
    Crl,
    RootRenew,
    RootRotate,
    RootRotateFinish,
    IntermediateRequest,
    IntermediateInstall,
    HookSet,
    HookRemove,
    /// The hook of a name ran and failed.
    HookFailed,
    /// The owner, group and mode of the files of a name.
    FileRulesSet,
    FileRulesRemove,
    /// An export of a name is remembered.
    ExportAdd,
    /// An export was forgotten, or another one replaced it.
    ExportRemove,
    KeyPassphrase,
    Restore,
    /// A revocation that a published CRL or the index of another tool names.
    ImportRevocation,
    /// The end of such a revocation.
    ForgetRevocation,
    /// A serial number that another tool gave.
    ImportSerial,
    /// A row that was in the index before the index had a log.
    Migrate,
    /// A CRL bundle is remembered, or gets another hook.
    BundleSet,
    BundleRemove,
    /// A CRL bundle was written, and its hook succeeded.
    BundleWrite,
    /// A manifest declares a name.
    DeclarationSet,
    /// A name is no longer declared.
    DeclarationRemove,
}

impl EventKind {
    pub const ALL: [Self; 34] = [
        Self::Init,
        Self::Import,
        Self::Issue,
        Self::Sign,
        Self::Renew,
        Self::Rekey,
        Self::Rollback,
        Self::Revoke,
        Self::Hold,
        Self::Release,
        Self::Crl,
        Self::RootRenew,
        Self::RootRotate,
        Self::RootRotateFinish,
        Self::IntermediateRequest,
        Self::IntermediateInstall,
        Self::HookSet,
        Self::HookRemove,
        Self::HookFailed,
        Self::FileRulesSet,
        Self::FileRulesRemove,
        Self::ExportAdd,
        Self::ExportRemove,
        Self::KeyPassphrase,
        Self::Restore,
        Self::ImportRevocation,
        Self::ForgetRevocation,
        Self::ImportSerial,
        Self::Migrate,
        Self::BundleSet,
        Self::BundleRemove,
        Self::BundleWrite,
        Self::DeclarationSet,
        Self::DeclarationRemove,
    ];

    /// Returns the name in the log and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Import => "import",
            Self::Issue => "issue",
            Self::Sign => "sign",
            Self::Renew => "renew",
            Self::Rekey => "rekey",
            Self::Rollback => "rollback",
            Self::Revoke => "revoke",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Crl => "crl",
            Self::RootRenew => "root-renew",
            Self::RootRotate => "root-rotate",
            Self::RootRotateFinish => "root-rotate-finish",
            Self::IntermediateRequest => "intermediate-request",
            Self::IntermediateInstall => "intermediate-install",
            Self::HookSet => "hook-set",
            Self::HookRemove => "hook-remove",
            Self::HookFailed => "hook-failed",
            Self::FileRulesSet => "file-rules-set",
            Self::FileRulesRemove => "file-rules-remove",
            Self::ExportAdd => "export-add",
            Self::ExportRemove => "export-remove",
            Self::KeyPassphrase => "key-passphrase",
            Self::Restore => "restore",
            Self::ImportRevocation => "import-revocation",
            Self::ForgetRevocation => "forget-revocation",
            Self::ImportSerial => "import-serial",
            Self::Migrate => "migrate",
            Self::BundleSet => "bundle-set",
            Self::BundleRemove => "bundle-remove",
            Self::BundleWrite => "bundle-write",
            Self::DeclarationSet => "declaration-set",
            Self::DeclarationRemove => "declaration-remove",
        }
    }
}

/// The time, user and host of the events of one command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContext {
    pub at: OffsetDateTime,
    pub actor: Actor,
}

/// An event before it has its number.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent {
    pub kind: &'static str,
    pub row: Option<CoveredRow>,
    /// The name of the entry or authority; empty when the event is about the whole CA.
    pub name: String,
    /// The content of the INTEGER; `None` when the event is not about one certificate.
    pub serial: Option<Vec<u8>>,
    pub detail: Option<String>,
}

impl NewEvent {
    /// Returns whether it records a certificate that a key of this CA signed for a name.
    pub fn is_of_issued_certificate(&self) -> bool {
        const ISSUED: [EventKind; 4] = [EventKind::Issue, EventKind::Sign, EventKind::Renew, EventKind::Rekey];
        ISSUED.iter().any(|kind| kind.name() == self.kind)
    }
}

/// A row of the index that an event covers, with the digest of its content.
#[derive(Debug, Clone)]
pub(crate) struct CoveredRow {
    /// The name of the [`EventObject`](crate::store::index::event_object::EventObject).
    pub object: &'static str,
    /// The id of the row, or the number of a CRL; `None` for a hook or a CRL bundle, whose key is the name.
    pub id: Option<i64>,
    /// The digest of the row; `None` when the row was removed.
    pub content: Option<[u8; 32]>,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// 1, 2, 3 and so on, without a gap.
    pub number: u64,
    pub at: OffsetDateTime,
    /// The name of an [`EventKind`]; a later version of the program may have added kinds.
    pub kind: String,
    pub object: Option<String>,
    pub row: Option<i64>,
    pub name: String,
    pub serial: Option<SerialNumber>,
    pub content: Option<Vec<u8>>,
    pub detail: Option<String>,
    /// The user and the host; `None` for an event of an index that had no log yet.
    pub actor: Option<Actor>,
    /// The head of the log after this event, as it is stored.
    pub head: Vec<u8>,
    /// The signature over that head; `None` when no key was in use.
    pub signature: Option<HeadSignature>,
}

/// The signature of an authority over a head of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadSignature {
    /// The name of the authority.
    pub authority: String,
    pub signature: Vec<u8>,
}

/// The state of the log after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogHead {
    /// The number of events.
    pub count: u64,
    pub hash: [u8; 32],
    /// The time of the last event.
    pub at: OffsetDateTime,
}

/// Returns the hash of a log without events: SHA-256 of nothing (RFC 9162 §2.1.1).
pub fn empty_hash() -> [u8; 32] {
    digest::sha256(&[])
}

/// Returns the hash of a log that is one event longer. The prefixes of leaf and node are those of RFC 9162 §2.1.1.
pub fn next_hash(head: &[u8; 32], encoded_event: &[u8]) -> [u8; 32] {
    let leaf = digest::sha256(&[&[LEAF], encoded_event].concat());
    digest::sha256(&[&[NODE][..], head, &leaf].concat())
}

const LEAF: u8 = 0;
const NODE: u8 = 1;

/// Appends the encoding of one value: its type, then eight bytes of an integer, or four bytes of length and the content.
pub(crate) fn encode_value(out: &mut Vec<u8>, value: ValueRef<'_>) {
    let mut counted = |kind: u8, content: &[u8]| {
        out.push(kind);
        // SQLite itself limits a value to 10^9 bytes.
        out.extend_from_slice(&(content.len() as u32).to_be_bytes());
        out.extend_from_slice(content);
    };
    match value {
        ValueRef::Text(text) => counted(b'T', text),
        ValueRef::Blob(blob) => counted(b'B', blob),
        ValueRef::Null => out.push(b'N'),
        ValueRef::Integer(number) => {
            out.push(b'I');
            out.extend_from_slice(&number.to_be_bytes());
        }
        // No column has this type; the encoding must still tell two numbers apart.
        ValueRef::Real(number) => {
            out.push(b'R');
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(values: &[ValueRef<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        values.iter().for_each(|value| encode_value(&mut out, *value));
        out
    }

    #[test]
    fn values_that_differ_in_type_length_or_order_have_different_encodings() {
        let (text, blob) = (ValueRef::Text, ValueRef::Blob);
        let rows: [&[ValueRef<'_>]; 9] = [
            &[],
            &[ValueRef::Null],
            &[ValueRef::Integer(0)],
            &[text(b"")],
            &[blob(b"")],
            &[text(b"ab"), text(b"c")],
            &[text(b"a"), text(b"bc")],
            &[text(b"c"), text(b"ab")],
            &[text(b"abc")],
        ];
        let all: std::collections::BTreeSet<_> = rows.iter().map(|row| encoded(row)).collect();
        assert_eq!(all.len(), rows.len());
        assert_eq!(encoded(&[ValueRef::Integer(-1), text(b"x")]), b"I\xff\xff\xff\xff\xff\xff\xff\xffT\0\0\0\x01x");
    }

    #[test]
    fn every_kind_has_a_name_of_its_own() {
        let names: std::collections::BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
    }
}
