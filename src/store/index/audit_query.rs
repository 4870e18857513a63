//! Queries for `ca audit`: what is stored, column by column, without the assumption that this program wrote it.

use crate::store::index::database::{Database, DatabaseResult, OptionalRow, Row, ValueRef, values};
use crate::store::index::event_object::EventObject;
use crate::store::index::event_query::encode_event;
use crate::store::index::mark::Mark;
use crate::store::index::recorded_state::StoredCrl;
use crate::store::index::{Event, Index, IndexError, postgres_schema, schema};

/// A row of the table of certificates as it is stored.
#[derive(Debug, Clone)]
pub struct StoredCertificate {
    pub id: i64,
    pub serial: Vec<u8>,
    pub issuer: Vec<u8>,
    pub der: Vec<u8>,
    pub name: String,
    pub template: String,
    pub authority: String,
    pub subject: String,
    pub sans: String,
    pub key_fingerprint: Vec<u8>,
    pub fingerprint: Vec<u8>,
    pub not_before: i64,
    pub not_after: i64,
    pub origin: String,
}

/// A row that no event covers, or that several do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UncoveredRow {
    pub object: &'static str,
    /// The id of the row, or the number of a CRL.
    pub id: Option<i64>,
    /// The name of the entry or authority; empty when it is not known.
    pub name: String,
}

impl StoredCertificate {
    /// The columns, in the order in which they are read.
    const COLUMNS: &str =
        "id, serial, issuer, der, name, template, authority, subject, sans, key_fingerprint, fingerprint, not_before,
         not_after, origin";

    fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            id: row.get(0)?,
            serial: row.get(1)?,
            issuer: row.get(2)?,
            der: row.get(3)?,
            name: row.get(4)?,
            template: row.get(5)?,
            authority: row.get(6)?,
            subject: row.get(7)?,
            sans: row.get(8)?,
            key_fingerprint: row.get(9)?,
            fingerprint: row.get(10)?,
            not_before: row.get(11)?,
            not_after: row.get(12)?,
            origin: row.get(13)?,
        })
    }
}

impl EventObject {
    /// Returns the query for the rows that no event covers: id and name. For `NOT IN` of many rows, PostgreSQL compares each with each.
    const fn uncovered(self) -> &'static str {
        match self {
            Self::Certificate => {
                "SELECT id, name FROM certificate
                 WHERE id IN (SELECT id FROM certificate EXCEPT SELECT row FROM event WHERE object = 'certificate')"
            }
            Self::Revocation => {
                "SELECT r.id, coalesce((SELECT c.name FROM certificate AS c WHERE c.id = r.certificate), '')
                 FROM revocation AS r
                 WHERE r.id IN (SELECT id FROM revocation EXCEPT SELECT row FROM event WHERE object = 'revocation')"
            }
            Self::Release => {
                "SELECT r.id, coalesce((SELECT c.name FROM certificate AS c WHERE c.id = r.certificate), '')
                 FROM revocation AS r
                 WHERE r.released_at IS NOT NULL
                   AND r.id IN (SELECT id FROM revocation EXCEPT SELECT row FROM event WHERE object = 'release')"
            }
            Self::Crl => {
                "SELECT number, authority FROM revocation_list
                 WHERE (authority, number) NOT IN
                     (SELECT name COLLATE \"binary\", row FROM event WHERE object = 'crl' AND row IS NOT NULL)"
            }
            Self::Rollback => {
                "SELECT id, name FROM rollback
                 WHERE id IN (SELECT id FROM rollback EXCEPT SELECT row FROM event WHERE object = 'rollback')"
            }
            Self::Hook => {
                "SELECT NULL, name FROM hook
                 WHERE name IN (SELECT name FROM hook EXCEPT SELECT name FROM event WHERE object = 'hook')"
            }
            Self::Export => {
                "SELECT id, name FROM export
                 WHERE id IN (SELECT id FROM export EXCEPT SELECT row FROM event WHERE object = 'export')"
            }
            Self::ExportEnd => {
                "SELECT id, name FROM export WHERE removed_at IS NOT NULL
                   AND id IN (SELECT id FROM export EXCEPT SELECT row FROM event WHERE object = 'export-end')"
            }
            Self::FileRules => {
                "SELECT NULL, name FROM file_rules
                 WHERE name IN (SELECT name FROM file_rules EXCEPT SELECT name FROM event WHERE object = 'file-rules')"
            }
            Self::Declaration => {
                "SELECT NULL, name FROM declaration
                 WHERE name IN (SELECT name FROM declaration EXCEPT SELECT name FROM event WHERE object = 'declaration')"
            }
            Self::CrlBundle => {
                "SELECT NULL, path FROM crl_bundle WHERE path NOT IN
                     (SELECT name COLLATE \"binary\" FROM event WHERE object = 'crl-bundle')"
            }
            Self::ImportedRevocation => {
                "SELECT id, authority FROM imported_revocation
                 WHERE id IN (SELECT id FROM imported_revocation EXCEPT SELECT row FROM event WHERE object = 'imported-revocation')"
            }
            Self::ImportedSerial => {
                "SELECT id, authority FROM imported_serial
                 WHERE id IN (SELECT id FROM imported_serial EXCEPT SELECT row FROM event WHERE object = 'imported-serial')"
            }
        }
    }
}

impl Index {
    /// Calls `read` with a view of the index that does not change meanwhile.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `read`.
    pub fn at_one_time<T, E: From<IndexError>>(&self, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        let _reading = self.reading()?;
        read()
    }

    /// Calls `each` with every stored certificate, in the order of the records; with a reason, when a row has a value that
    /// this program never writes.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `each`.
    pub fn each_stored_certificate<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(Result<StoredCertificate, String>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(self.place.error()(error));
        let sql = format!("SELECT {} FROM certificate ORDER BY id", StoredCertificate::COLUMNS);
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query(&[]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(StoredCertificate::from_row(&row).map_err(|error| error.to_string()))?;
        }
        Ok(())
    }

    /// Calls `each` with the name and the DER of every stored certificate, in the order of the records; a row that has values of other
    /// types is left out.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn each_stored_der(&self, mut each: impl FnMut(&str, &[u8])) -> Result<(), IndexError> {
        let mut read = || -> DatabaseResult<()> {
            let mut statement = self.connection.prepare("SELECT name, der FROM certificate ORDER BY id")?;
            let mut rows = statement.query(&[])?;
            while let Some(row) = rows.next()? {
                if let (Ok(name), Ok(der)) = (row.text(0), row.blob(1)) {
                    each(name, der);
                }
            }
            Ok(())
        };
        read().map_err(self.place.error())
    }

    /// Calls `each` with every subject alternative name that the index has for queries by name: the number of the certificate, the
    /// kind and the value as they are stored.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn each_san(&self, mut each: impl FnMut(i64, &[u8], &[u8])) -> Result<(), IndexError> {
        let mut read = || -> DatabaseResult<()> {
            let mut statement = self.connection.prepare("SELECT certificate, kind, value FROM san")?;
            let mut rows = statement.query(&[])?;
            while let Some(row) = rows.next()? {
                each(row.get(0)?, row.text(1)?.as_bytes(), row.text(2)?.as_bytes());
            }
            Ok(())
        };
        read().map_err(self.place.error())
    }

    /// Returns true when the index has this subject alternative name for a certificate, for queries by name.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn has_san(&self, certificate: i64, kind: &str, value: &str) -> Result<bool, IndexError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM san WHERE value = ?1 AND kind = ?2 AND certificate = ?3)";
        let read =
            || self.connection.prepare_cached(sql)?.query_row(values![value, kind, certificate], |row| row.get(0));
        read().map_err(self.place.error())
    }

    /// Returns the number of subject alternative names of all certificates.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn san_count(&self) -> Result<u64, IndexError> {
        let count: i64 =
            self.connection.query_row("SELECT count(*) FROM san", &[], |row| row.get(0)).map_err(self.place.error())?;
        Ok(count.unsigned_abs())
    }

    /// Calls `each` with every event, the oldest first, with the encoding that its hash covers, and, of an event that covers a
    /// certificate, with the digest of that row as it is now. One statement reads events and certificates: both are in the same order.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `each`.
    pub fn each_event_with_certificate<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(Event, &[u8], Option<[u8; 32]>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(self.place.error()(error));
        let of = |table: &str, columns: &str| -> String {
            columns.split(',').map(|column| format!("{table}.{}, ", column.trim())).collect()
        };
        let sql = format!(
            "SELECT {}{}c.id FROM event AS e LEFT JOIN certificate AS c ON c.id = e.row AND e.object = 'certificate'
             ORDER BY e.number",
            of("e", &Event::columns()),
            of("c", EventObject::Certificate.columns())
        );
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query(&[]).map_err(failed)?;
        let mut encoded = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            encode_event(&row, &mut encoded).map_err(failed)?;
            let (first, last) = (Event::COLUMN_COUNT, row.column_count() - 1);
            let digest = match row.get_ref(last).map_err(failed)? {
                ValueRef::Null => None,
                _ => Some(EventObject::Certificate.digest_of(&row, first..last).map_err(failed)?),
            };
            each(Event::from_row(&row).map_err(failed)?, &encoded, digest)?;
        }
        Ok(())
    }

    /// Returns of each hook, declaration and other setting the latest event about it, in the order of the log.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `each`.
    pub fn each_setting_event<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(self.place.error()(error));
        let of_path = EventObject::CrlBundle.name();
        let others: Vec<String> = EventObject::ALL
            .into_iter()
            .filter(|object| object.setting_key("").is_some() && object.name() != of_path)
            .map(|object| format!("'{}'", object.name()))
            .collect();
        let sql = format!(
            "SELECT {} FROM event WHERE number IN (
                 SELECT max(number) FROM event WHERE object IN ({}) GROUP BY object, name
                 UNION ALL
                 SELECT max(number) FROM event WHERE object = '{of_path}' GROUP BY name COLLATE \"binary\")
             ORDER BY number",
            Event::columns(),
            others.join(", ")
        );
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query(&[]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(Event::from_row(&row).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Returns the digest of the row that an event covers, as the row is now; `None` when there is no such row.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn covered_digest(&self, event: &Event) -> Result<Option<[u8; 32]>, IndexError> {
        let object = EventObject::ALL.into_iter().find(|object| Some(object.name()) == event.object.as_deref());
        let Some(object) = object else { return Ok(None) };
        object.digest(&self.connection, event.row, &event.name).map_err(self.place.error())
    }

    /// Returns the rows that no event covers.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn uncovered_rows(&self) -> Result<Vec<UncoveredRow>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut found = Vec::new();
            for object in EventObject::ALL {
                let mut statement = self.connection.prepare(object.uncovered())?;
                let rows = statement.query_map(&[], |row| {
                    Ok(UncoveredRow { object: object.name(), id: row.get(0)?, name: row.get(1)? })
                })?;
                rows.into_iter().try_for_each(|row| row.map(|row| found.push(row)))?;
            }
            Ok(found)
        };
        read().map_err(self.place.error())
    }

    /// Returns the numbers of the events that cover a row which an earlier event covers.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn repeated_events(&self) -> Result<Vec<u64>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare(
                "SELECT max(number) FROM event WHERE object IS NOT NULL AND row IS NOT NULL
                 GROUP BY object, row, CASE WHEN object = 'crl' THEN name END HAVING count(*) > 1",
            )?;
            statement.query_map(&[], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the rows, as table, name and id, whose mark does not fit its check value.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn damaged_marks(&self) -> Result<Vec<(&'static str, String, i64)>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut found = Vec::new();
            for mark in Mark::ALL {
                let (table, ..) = mark.columns();
                found.extend(mark.damaged(&self.connection)?.into_iter().map(|(name, id)| (table, name, id)));
            }
            Ok(found)
        };
        read().map_err(self.place.error())
    }

    /// Returns what the file has beside the tables, columns and indexes of this program, and what it lacks of them.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn schema_differences(&self) -> Result<Vec<String>, IndexError> {
        let read = || -> DatabaseResult<Vec<String>> {
            let expected = match self.connection.is_of_a_server() {
                true => postgres_schema::objects(),
                false => {
                    let expected = Database::in_memory()?;
                    schema::create(&expected)?;
                    expected.objects()?
                }
            };
            let found = self.connection.objects()?;
            let differences = |one: &[String], other: &[String], word: &str| -> Vec<String> {
                one.iter().filter(|object| !other.contains(object)).map(|object| format!("{word} {object}")).collect()
            };
            Ok([differences(&expected, &found, "it lacks"), differences(&found, &expected, "it also has")].concat())
        };
        read().map_err(self.place.error())
    }

    /// Calls `each` with every name of an entry or authority, sorted.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `each`.
    pub fn each_entry_name<E: From<IndexError>>(&self, mut each: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        let failed = |error| E::from(self.place.error()(error));
        let sql = "SELECT DISTINCT name FROM certificate ORDER BY name";
        let mut statement = self.connection.prepare(sql).map_err(failed)?;
        let mut rows = statement.query(&[]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            each(row.text(0).map_err(failed)?)?;
        }
        Ok(())
    }

    /// Returns the CRLs whose files may be in place, by authority and number: the newest that is marked as published, and
    /// those after it, whose mark may be missing.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn crls_possibly_published(&self) -> Result<Vec<StoredCrl>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare(
                "SELECT * FROM revocation_list AS l
                 WHERE number >= coalesce((SELECT max(number) FROM revocation_list AS p
                                           WHERE p.authority = l.authority AND p.published_at IS NOT NULL), 0)
                 ORDER BY authority, number",
            )?;
            statement.query_map(&[], StoredCrl::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the CRL of an authority with this SHA-256; `None` when the index does not have it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn crl_with_fingerprint(
        &self,
        authority: &str,
        fingerprint: &[u8; 32],
    ) -> Result<Option<StoredCrl>, IndexError> {
        let sql = "SELECT * FROM revocation_list WHERE authority = ?1 AND fingerprint = ?2";
        let found = self.connection.query_row(sql, values![authority, fingerprint], StoredCrl::from_row);
        found.optional().map_err(self.place.error())
    }

    /// Returns the number of the event after which the log had this hash; `None` when it never had.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn event_with_head(&self, hash: &[u8; 32]) -> Result<Option<u64>, IndexError> {
        let sql = "SELECT number FROM event WHERE head = ?1";
        let read = |row: &Row<'_>| row.get::<_, i64>(0).map(i64::unsigned_abs);
        self.connection.query_row(sql, values![hash], read).optional().map_err(self.place.error())
    }
}
