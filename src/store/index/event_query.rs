//! Queries of the event log.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, OptionalRow, Row, strange};
use crate::store::index::entry::{instant, instant_if_set};
use crate::store::index::event::{Event, HeadSignature, LogHead, encode_value};
use crate::store::index::event_log::{COLUMN_COUNT, COLUMNS};
use crate::store::index::{Index, IndexError};
use crate::system::Actor;
use crate::x509::SerialNumber;

/// A hook that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedHook {
    pub name: String,
    pub at: OffsetDateTime,
    /// How it ended, as a phrase.
    pub how: String,
}

impl Event {
    /// How many columns [`columns`](Self::columns) are.
    pub(super) const COLUMN_COUNT: usize = COLUMN_COUNT + 3;

    /// Returns the columns that [`from_row`](Self::from_row) reads, which are the first of its row.
    pub(super) fn columns() -> String {
        format!("{COLUMNS}, head, signed_by, signature")
    }

    pub(super) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        let user_id: Option<u32> = row.get(9)?;
        let (user, sudo_user, host): (_, _, Option<String>) = (row.get(10)?, row.get(11)?, row.get(12)?);
        let actor = user_id.zip(host).map(|(user_id, host)| Actor { user_id, user, sudo_user, host });
        let signed_by: Option<String> = row.get(14)?;
        let signature: Option<Vec<u8>> = row.get(15)?;
        Ok(Self {
            number: row.get::<_, i64>(0)?.unsigned_abs(),
            at: OffsetDateTime::from_unix_timestamp(row.get(1)?).map_err(|_| strange("at"))?,
            kind: row.get(2)?,
            object: row.get(3)?,
            row: row.get(4)?,
            name: row.get(5)?,
            serial: row.get::<_, Option<Vec<u8>>>(6)?.map(|serial| SerialNumber::from_der_content(&serial)),
            content: row.get(7)?,
            detail: row.get(8)?,
            actor,
            head: row.get(13)?,
            signature: signed_by.zip(signature).map(|(authority, signature)| HeadSignature { authority, signature }),
        })
    }

    fn log_head(&self) -> DatabaseResult<LogHead> {
        let hash = self.head.as_slice().try_into().map_err(|_| strange("head"))?;
        Ok(LogHead { count: self.number, hash, at: self.at })
    }
}

/// Writes the encoding that the hash of an event covers. The row begins with its columns.
pub(super) fn encode_event(row: &Row<'_>, encoded: &mut Vec<u8>) -> DatabaseResult<()> {
    encoded.clear();
    (0..COLUMN_COUNT).try_for_each(|column| {
        encode_value(encoded, row.get_ref(column)?);
        Ok(())
    })
}

impl Index {
    /// Calls `each` with every event from a number on, the oldest first, and with the encoding that its hash covers.
    ///
    /// # Errors
    /// When the index cannot be read, or that of `each`.
    pub fn each_event<E: From<IndexError>>(
        &self,
        mut each: impl FnMut(Event, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = |error| E::from(self.place.error()(error));
        let sql = format!("SELECT {} FROM event ORDER BY number", Event::columns());
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query(&[]).map_err(failed)?;
        let mut encoded = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            encode_event(&row, &mut encoded).map_err(failed)?;
            each(Event::from_row(&row).map_err(failed)?, &encoded)?;
        }
        Ok(())
    }

    /// Returns the latest time of all events, which is not always that of the last one: the clock may have been ahead
    /// before. `None` when the log has no event.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn newest_event(&self) -> Result<Option<OffsetDateTime>, IndexError> {
        let read = |row: &Row<'_>| instant_if_set(row, "at");
        let newest = self.connection.query_row("SELECT max(at) AS at FROM event", &[], read);
        newest.map_err(self.place.error())
    }

    /// Returns the names whose hook failed when their files were last changed, with the event of the failure. A later event
    /// that changed the files or the hook ends it.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn failed_hooks(&self) -> Result<Vec<FailedHook>, IndexError> {
        let read = || -> DatabaseResult<Vec<FailedHook>> {
            // Most CAs have no hook, and then the log is not read.
            if !self.connection.query_row("SELECT EXISTS (SELECT 1 FROM hook)", &[], |row| row.get(0))? {
                return Ok(Vec::new());
            }
            let mut statement = self.connection.prepare(
                "SELECT e.name, e.at, e.detail FROM event AS e
                 WHERE e.kind = 'hook-failed' AND EXISTS (SELECT 1 FROM hook AS h WHERE h.name = e.name)
                   AND NOT EXISTS (SELECT 1 FROM event AS n WHERE n.number > e.number AND n.name = e.name
                       AND n.kind IN ('issue', 'sign', 'renew', 'rekey', 'rollback', 'hook-set', 'hook-failed'))
                 ORDER BY e.number",
            )?;
            let failed = |row: &Row<'_>| {
                let how: Option<String> = row.get("detail")?;
                Ok(FailedHook { name: row.get("name")?, at: instant(row, "at")?, how: how.unwrap_or_default() })
            };
            statement.query_map(&[], failed)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the names, in lower case, whose files `ca apply --prune` removed, and that have no certificate or manifest since.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn removed_names(&self) -> Result<BTreeSet<String>, IndexError> {
        let read = || -> DatabaseResult<BTreeSet<String>> {
            let mut statement = self.connection.prepare(
                "SELECT lower(name) AS name FROM event
                 WHERE name IN (SELECT name FROM event WHERE kind = 'declaration-remove')
                   AND kind IN ('declaration-remove', 'declaration-set', 'issue', 'sign', 'renew', 'rekey', 'rollback')
                 GROUP BY lower(name)
                 HAVING max(number) = max(CASE kind WHEN 'declaration-remove' THEN number ELSE 0 END)",
            )?;
            statement.query_map(&[], |row| row.get("name"))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the head of the log; `None` when the log has no event.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn log_head(&self) -> Result<Option<LogHead>, IndexError> {
        self.last_event("")?.map(|event| event.log_head()).transpose().map_err(self.place.error())
    }

    /// Returns the latest head of the log that an authority signed, with the signature; `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn signed_head(&self) -> Result<Option<(LogHead, HeadSignature)>, IndexError> {
        let Some(event) = self.last_event("WHERE signature IS NOT NULL")? else { return Ok(None) };
        let head = event.log_head().map_err(self.place.error())?;
        Ok(event.signature.map(|signature| (head, signature)))
    }

    fn last_event(&self, condition: &str) -> Result<Option<Event>, IndexError> {
        let sql = format!("SELECT {} FROM event {condition} ORDER BY number DESC LIMIT 1", Event::columns());
        self.connection.query_row(&sql, &[], Event::from_row).optional().map_err(self.place.error())
    }
}
