//! The rows of the index that events cover. The digest of a row is over every column that means something; the marks that
//! are not durable (`delivered_at`, `published_at`, `done_at`) are left out.

use std::ops::Range;

use crate::store::index::database::{Database, DatabaseResult, OptionalRow, Row, ValueRef, values};
use crate::store::index::event::encode_value;
use crate::x509::digest;

/// What an event covers. The names are part of the log, and are appended, never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventObject {
    Certificate,
    /// A revocation or hold, without its release.
    Revocation,
    /// The time at which a hold was released.
    Release,
    Crl,
    Rollback,
    Hook,
    ImportedRevocation,
    ImportedSerial,
    FileRules,
    CrlBundle,
    /// An export of a name.
    Export,
    /// The time at which an export was forgotten or replaced.
    ExportEnd,
    /// The manifest that declares a name.
    Declaration,
}

impl EventObject {
    pub const ALL: [Self; 13] = [
        Self::Certificate,
        Self::Revocation,
        Self::Release,
        Self::Crl,
        Self::Rollback,
        Self::Hook,
        Self::ImportedRevocation,
        Self::ImportedSerial,
        Self::FileRules,
        Self::CrlBundle,
        Self::Export,
        Self::ExportEnd,
        Self::Declaration,
    ];

    /// Returns the name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Revocation => "revocation",
            Self::Release => "release",
            Self::Crl => "crl",
            Self::Rollback => "rollback",
            Self::Hook => "hook",
            Self::ImportedRevocation => "imported-revocation",
            Self::ImportedSerial => "imported-serial",
            Self::FileRules => "file-rules",
            Self::CrlBundle => "crl-bundle",
            Self::Export => "export",
            Self::ExportEnd => "export-end",
            Self::Declaration => "declaration",
        }
    }

    /// Returns the columns that the digest covers, in this order.
    pub(crate) const fn columns(self) -> &'static str {
        match self {
            Self::Certificate => {
                "serial, issuer, der, name, template, authority, subject, sans, key_fingerprint, fingerprint, not_before,
                 not_after, issued_at, origin, place"
            }
            Self::Revocation => "certificate, at, reason, invalid_since, authority, serial, not_after",
            Self::Release => "certificate, released_at",
            Self::Crl => {
                "authority, number, signed_at, this_update, next_update, entries, last_revocation, content, fingerprint"
            }
            Self::Rollback => "name, certificate, replaced, newest, at",
            Self::Hook => "name, command, timeout, on_failure",
            Self::ImportedRevocation => {
                "authority, serial, issuer, at, reason, invalid_since, not_after, source, recorded_at"
            }
            Self::ImportedSerial => "authority, serial, not_after, subject",
            Self::FileRules => "name, owner, group_name, mode",
            Self::CrlBundle => "path, command, timeout, also, content",
            Self::Export => {
                "name, kind, target, destination, passphrase_file, key_passphrase_file, options, added_at"
            }
            Self::ExportEnd => "name, removed_at",
            Self::Declaration => "name, manifest, template_digest, lifetime, pending_hook",
        }
    }

    /// Returns the table.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Revocation | Self::Release => "revocation",
            Self::Crl => "revocation_list",
            Self::Rollback => "rollback",
            Self::Hook => "hook",
            Self::ImportedRevocation => "imported_revocation",
            Self::ImportedSerial => "imported_serial",
            Self::FileRules => "file_rules",
            Self::CrlBundle => "crl_bundle",
            Self::Export | Self::ExportEnd => "export",
            Self::Declaration => "declaration",
        }
    }

    /// Returns the key of a setting; `None` for what is not one. The row of a setting is overwritten, so that only the latest
    /// event with the same key is about it.
    pub fn setting_key(self, name: &str) -> Option<String> {
        match self {
            Self::Hook | Self::FileRules | Self::Declaration => Some(name.to_lowercase()),
            // The name is a path.
            Self::CrlBundle => Some(name.to_owned()),
            Self::Certificate
            | Self::Revocation
            | Self::Release
            | Self::Crl
            | Self::Rollback
            | Self::ImportedRevocation
            | Self::ImportedSerial
            | Self::Export
            | Self::ExportEnd => None,
        }
    }

    /// Returns the condition that selects one row: `?1` is the number in the log, `?2` the name.
    pub(crate) const fn condition(self) -> &'static str {
        match self {
            Self::Certificate | Self::Revocation | Self::Rollback | Self::ImportedRevocation | Self::ImportedSerial => {
                "id = ?1"
            }
            Self::Export => "id = ?1",
            Self::ExportEnd => "id = ?1 AND removed_at IS NOT NULL",
            Self::Release => "id = ?1 AND released_at IS NOT NULL",
            Self::Crl => "number = ?1 AND authority = ?2",
            Self::Hook | Self::FileRules | Self::Declaration => "CAST(?1 AS BIGINT) IS NULL AND name = ?2",
            Self::CrlBundle => "CAST(?1 AS BIGINT) IS NULL AND path = ?2",
        }
    }

    /// Returns the digest of the row, as it is now; `None` when there is no such row.
    pub(crate) fn digest(self, connection: &Database, id: Option<i64>, name: &str) -> DatabaseResult<Option<[u8; 32]>> {
        let (columns, table, condition) = (self.columns(), self.table(), self.condition());
        let sql = format!("SELECT {columns} FROM {table} WHERE {condition}");
        let mut statement = connection.prepare_cached(&sql)?;
        let read = |row: &Row<'_>| self.digest_of(row, 0..row.column_count());
        match self {
            Self::Crl | Self::Hook | Self::FileRules | Self::CrlBundle | Self::Declaration => {
                statement.query_row(values![id, name], read).optional()
            }
            _ => statement.query_row(values![id], read).optional(),
        }
    }

    /// Returns the digest of a row that has [`columns`](Self::columns) in these places.
    pub(crate) fn digest_of(self, row: &Row<'_>, places: Range<usize>) -> DatabaseResult<[u8; 32]> {
        let values: Vec<_> = places.map(|column| row.get_ref(column)).collect::<DatabaseResult<_>>()?;
        Ok(self.digest_of_values(&values))
    }

    /// Returns the digest of a row with these values in its [`columns`](Self::columns). The tables are STRICT, so that a row has
    /// the values that were inserted.
    pub(crate) fn digest_of_values(self, values: &[ValueRef<'_>]) -> [u8; 32] {
        let mut encoded = Vec::with_capacity(2048);
        encode_value(&mut encoded, ValueRef::Text(self.name().as_bytes()));
        values.iter().for_each(|value| encode_value(&mut encoded, *value));
        digest::sha256(&encoded)
    }
}
