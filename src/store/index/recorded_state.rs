//! Queries for `ca audit`: what the index recorded of the revocations of an authority, row by row, and of its CRLs.

use crate::store::index::database::{DatabaseResult, Row, values};
use crate::store::index::{Index, IndexError};

/// A CRL of the index, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCrl {
    pub authority: String,
    pub number: u64,
    pub signed_at: i64,
    pub this_update: i64,
    pub next_update: i64,
    pub entries: u64,
    /// The latest row of the table of revocations when it was signed.
    pub last_revocation: i64,
    pub fingerprint: Vec<u8>,
    /// True when its files are marked as published.
    pub is_published: bool,
}

/// A row about the revocation of a serial number, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRevocation {
    pub id: i64,
    pub serial: Vec<u8>,
    pub at: i64,
    pub reason: u8,
    pub invalid_since: Option<i64>,
    /// The expiry of the certificate; `None` when it is not known.
    pub not_after: Option<i64>,
    /// True when the index has the certificate.
    pub has_certificate: bool,
}

impl StoredCrl {
    pub(super) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            authority: row.get("authority")?,
            number: row.get::<_, i64>("number")?.unsigned_abs(),
            signed_at: row.get("signed_at")?,
            this_update: row.get("this_update")?,
            next_update: row.get("next_update")?,
            entries: row.get::<_, i64>("entries")?.unsigned_abs(),
            last_revocation: row.get("last_revocation")?,
            fingerprint: row.get("fingerprint")?,
            is_published: row.get::<_, Option<i64>>("published_at")?.is_some(),
        })
    }
}

impl StoredRevocation {
    fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            id: row.get(0)?,
            serial: row.get(1)?,
            at: row.get(2)?,
            reason: row.get(3)?,
            invalid_since: row.get(4)?,
            not_after: row.get(5)?,
            has_certificate: row.get(6)?,
        })
    }
}

impl Index {
    /// Calls `each` with every revocation and hold of an authority's certificates, released ones too, in the order of the
    /// records.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn each_revocation(&self, authority: &str, each: impl FnMut(StoredRevocation)) -> Result<(), IndexError> {
        let sql = "SELECT id, serial, at, reason, invalid_since, not_after, 1 FROM revocation
                   WHERE authority = ?1 AND serial IS NOT NULL ORDER BY id";
        self.each_row_of(sql, authority, each)
    }

    /// Calls `each` with every imported revocation of an authority's serial numbers, and with every end of one (the reason
    /// removeFromCRL), in the order of the records.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn each_imported_revocation(
        &self,
        authority: &str,
        each: impl FnMut(StoredRevocation),
    ) -> Result<(), IndexError> {
        let sql = "SELECT id, serial, at, reason, invalid_since, not_after, EXISTS (
                       SELECT 1 FROM certificate AS c WHERE c.serial = i.serial AND c.authority = i.authority)
                   FROM imported_revocation AS i WHERE authority = ?1 ORDER BY id";
        self.each_row_of(sql, authority, each)
    }

    fn each_row_of(
        &self,
        sql: &str,
        authority: &str,
        mut each: impl FnMut(StoredRevocation),
    ) -> Result<(), IndexError> {
        let mut read = || -> DatabaseResult<()> {
            let mut statement = self.connection.prepare(sql)?;
            for row in statement.query_map(values![authority], StoredRevocation::from_row)? {
                each(row?);
            }
            Ok(())
        };
        read().map_err(self.place.error())
    }

    /// Returns every CRL of an authority, by number.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn stored_crls(&self, authority: &str) -> Result<Vec<StoredCrl>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let sql = "SELECT * FROM revocation_list WHERE authority = ?1 ORDER BY number";
            self.connection.prepare(sql)?.query_map(values![authority], StoredCrl::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }
}
