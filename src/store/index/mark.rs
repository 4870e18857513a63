//! The marks that a row gets later, cheaply and without an event: files were delivered, a CRL was published, a rollback is
//! complete. Each has a check value beside it, so that a bit that flipped on the disk is noticed.

use crate::store::index::database::{Database, DatabaseResult, ValueRef, values};
use crate::store::index::event::encode_value;
use crate::x509::digest;

/// A column with the time of a mark (of an export, the certificate or the CRLs), and the column with its check value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Delivered,
    Published,
    Done,
    /// An export was written: the value is the number of the certificate.
    Exported,
    /// An export was written with CRLs: the value is their digest, shortened.
    ExportedCrls,
}

impl Mark {
    pub const ALL: [Self; 5] = [Self::Delivered, Self::Published, Self::Done, Self::Exported, Self::ExportedCrls];

    /// The marks of an index that had no check values.
    pub const FIRST: [Self; 3] = [Self::Delivered, Self::Published, Self::Done];

    /// Returns the table, the column and the check column.
    pub const fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Delivered => ("certificate", "delivered_at", "delivered_check"),
            Self::Published => ("revocation_list", "published_at", "published_check"),
            Self::Done => ("rollback", "done_at", "done_check"),
            Self::Exported => ("export", "certificate", "certificate_check"),
            Self::ExportedCrls => ("export", "crls", "crls_check"),
        }
    }

    /// Returns the key of a row: the name is empty, except for that of the authority of a CRL.
    pub const fn key(self) -> (&'static str, &'static str) {
        match self {
            Self::Delivered | Self::Done | Self::Exported | Self::ExportedCrls => ("''", "id"),
            Self::Published => ("authority", "number"),
        }
    }

    /// Returns the check value of a mark: the first eight bytes of a SHA-256 over the row and the time.
    pub fn check(self, name: &str, id: i64, at: i64) -> [u8; 8] {
        let mut encoded = Vec::new();
        let (_, column, _) = self.columns();
        for value in [
            ValueRef::Text(column.as_bytes()),
            ValueRef::Text(name.as_bytes()),
            ValueRef::Integer(id),
            ValueRef::Integer(at),
        ] {
            encode_value(&mut encoded, value);
        }
        let mut check = [0; 8];
        check.copy_from_slice(&digest::sha256(&encoded)[..8]);
        check
    }

    /// Sets the mark of a row.
    pub fn set(self, connection: &Database, name: &str, id: i64, at: i64) -> DatabaseResult<()> {
        let ((table, column, check), (name_column, id_column)) = (self.columns(), self.key());
        let update =
            format!("UPDATE {table} SET {column} = ?1, {check} = ?2 WHERE {id_column} = ?3 AND {name_column} = ?4");
        connection.prepare_cached(&update)?.execute(values![at, self.check(name, id, at), id, name]).map(drop)
    }

    /// Sets the check values of the marks of an index that has none.
    pub fn add_checks(self, connection: &Database) -> DatabaseResult<()> {
        let ((table, column, _), (name, id)) = (self.columns(), self.key());
        let mut statement =
            connection.prepare(&format!("SELECT {name}, {id}, {column} FROM {table} WHERE {column} IS NOT NULL"))?;
        let marked: Vec<(String, i64, i64)> = statement
            .query_map(&[], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<DatabaseResult<_>>()?;
        marked.iter().try_for_each(|(name, id, at)| self.set(connection, name, *id, *at))
    }

    /// Returns the rows whose mark and check value do not fit each other.
    pub fn damaged(self, connection: &Database) -> DatabaseResult<Vec<(String, i64)>> {
        let ((table, column, check), (name, id)) = (self.columns(), self.key());
        let mut statement = connection.prepare(&format!("SELECT {name}, {id}, {column}, {check} FROM {table}"))?;
        let mut rows = statement.query(&[])?;
        let mut damaged = Vec::new();
        while let Some(row) = rows.next()? {
            let (name, id): (String, i64) = (row.get(0)?, row.get(1)?);
            let (at, found): (Option<i64>, Option<Vec<u8>>) = (row.get(2)?, row.get(3)?);
            if at.map(|at| self.check(&name, id, at).to_vec()) != found {
                damaged.push((name, id));
            }
        }
        Ok(damaged)
    }
}
