//! The certificate of a name that is deployed, and the hook that runs when another one is deployed.
//!
//! The newest certificate whose files were delivered is deployed, unless a rollback put older files back. A rollback is
//! an event of its own, and counts until a certificate that was issued after it is delivered.

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, OptionalRow, Row, values};
use crate::store::index::entry::{instant, instant_if_set};
use crate::store::index::mark::Mark;
use crate::store::index::{Entry, EntryId, Index, IndexError};

/// The files of one certificate replaced those of another certificate of the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    pub id: i64,
    /// The certificate whose files are put back.
    pub certificate: EntryId,
    /// The certificate whose files are replaced.
    pub replaced: EntryId,
    /// The newest certificate of the name at that time.
    pub newest: EntryId,
    pub at: OffsetDateTime,
    /// The time at which the files were deployed; `None` until then.
    pub done_at: Option<OffsetDateTime>,
}

/// The command that runs after the files of a name changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredHook {
    /// The command line for `sh -c`.
    pub command: String,
    /// The timeout in seconds.
    pub timeout: u64,
    /// `keep` or `rollback`.
    pub on_failure: String,
}

impl Rollback {
    /// Returns true when no certificate of the name was issued after this rollback. A number that no certificate of the name
    /// has is not the newest one of any time.
    fn is_last_word(&self, history: &[Entry]) -> bool {
        history.last().is_none_or(|newest| newest.id <= self.newest) && self.is_of(history)
    }

    fn is_of(&self, history: &[Entry]) -> bool {
        history.iter().any(|entry| entry.id == self.newest)
    }

    pub(super) fn from_row(row: &Row<'_>) -> DatabaseResult<Self> {
        Ok(Self {
            id: row.get("id")?,
            certificate: EntryId(row.get("certificate")?),
            replaced: EntryId(row.get("replaced")?),
            newest: EntryId(row.get("newest")?),
            at: instant(row, "at")?,
            done_at: instant_if_set(row, "done_at")?,
        })
    }
}

/// Returns the certificate that is deployed according to the index; `None` when none was delivered. `history` has all
/// certificates of one name and `rollbacks` all its rollbacks, each with the oldest first.
pub fn in_place<'e>(history: &'e [Entry], rollbacks: &[Rollback]) -> Option<&'e Entry> {
    let newest = history.iter().rev().find(|entry| entry.delivered_at.is_some())?;
    let last = rollbacks.iter().rev().find(|rollback| rollback.done_at.is_some());
    match last {
        Some(rollback) if rollback.newest >= newest.id && rollback.is_of(history) => {
            history.iter().find(|entry| entry.id == rollback.certificate).or(Some(newest))
        }
        _ => Some(newest),
    }
}

/// Returns the rollback that was begun and is not marked as done; `None` when there is none, or a newer certificate was
/// issued.
pub fn unfinished<'r>(history: &[Entry], rollbacks: &'r [Rollback]) -> Option<&'r Rollback> {
    rollbacks.last().filter(|rollback| rollback.done_at.is_none() && rollback.is_last_word(history))
}

impl Index {
    /// Returns the rollbacks of a NAME, the latest last.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn rollbacks(&self, name: &str) -> Result<Vec<Rollback>, IndexError> {
        let read = || -> DatabaseResult<_> {
            let mut statement = self.connection.prepare_cached("SELECT * FROM rollback WHERE name = ?1 ORDER BY id")?;
            statement.query_map(values![name], Rollback::from_row)?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the names whose deployed certificate may expire within this limit: the newest certificate of the name
    /// does, or, after a rollback, any of them. Each name appears once, in the order of the certificates.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn names_possibly_due(
        &self,
        condition: &ExpiryCondition,
        now: OffsetDateTime,
    ) -> Result<Vec<String>, IndexError> {
        let sql = match condition {
            ExpiryCondition::Before(_) => "c.not_after < ?1",
            // Less than a third of the lifetime is left.
            ExpiryCondition::InLastThird(_) => "3 * (c.not_after - ?1) < c.not_after - c.not_before",
            ExpiryCondition::InLastThirdOrBefore(_) => {
                "(c.not_after < ?1 OR 3 * (c.not_after - ?2) < c.not_after - c.not_before)"
            }
        };
        let (ExpiryCondition::Before(moment)
        | ExpiryCondition::InLastThird(moment)
        | ExpiryCondition::InLastThirdOrBefore(moment)) = condition;
        let read = || -> DatabaseResult<_> {
            // A certificate is left out when a newer one of the name was delivered and the name never had a rollback. That is asked
            // once for each name, so that the rows of earlier certificates are not read.
            self.connection.read_much()?;
            let mut statement = self.connection.prepare(&format!(
                "SELECT c.name FROM (SELECT DISTINCT name FROM certificate) AS n JOIN certificate AS c ON c.name = n.name
                 WHERE c.id >= CASE WHEN EXISTS (SELECT 1 FROM rollback AS r WHERE r.name = n.name) THEN 0
                                    ELSE coalesce((SELECT o.id FROM certificate AS o
                                                   WHERE o.name = n.name AND o.delivered_at IS NOT NULL
                                                   ORDER BY o.id DESC LIMIT 1), 0) END
                     AND ({sql} OR c.not_before > ?2)
                 GROUP BY c.name ORDER BY max(c.id)"
            ))?;
            statement.query_map(values![moment.unix_timestamp(), now.unix_timestamp()], |row| row.get(0))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Records durably that the files of a rollback are deployed.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn mark_rolled_back(&mut self, id: i64, at: OffsetDateTime) -> Result<(), IndexError> {
        Mark::Done.set(&self.connection, "", id, at.unix_timestamp()).map_err(self.place.error())
    }

    /// Returns the hook of a NAME; `None` when there is none.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn hook(&self, name: &str) -> Result<Option<StoredHook>, IndexError> {
        let sql = "SELECT command, timeout, on_failure FROM hook WHERE name = ?1";
        let read = || self.connection.prepare_cached(sql)?.query_row(values![name], hook_of).optional();
        read().map_err(self.place.error())
    }
}

/// Reads a hook from a row with its columns.
pub(super) fn hook_of(row: &Row<'_>) -> DatabaseResult<StoredHook> {
    let timeout = row.get::<_, i64>("timeout")?.unsigned_abs();
    Ok(StoredHook { command: row.get("command")?, timeout, on_failure: row.get("on_failure")? })
}

/// The limit below which a certificate counts as expiring soon.
#[derive(Debug, Clone, Copy)]
pub enum ExpiryCondition {
    /// It expires before this time.
    Before(OffsetDateTime),
    /// Less than a third of its lifetime is left at this time.
    InLastThird(OffsetDateTime),
    /// It expires before this time, or less than a third of its lifetime is left now.
    InLastThirdOrBefore(OffsetDateTime),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{NOW, Sample, add, context, new_index};
    use time::Duration;

    /// Returns three certificates of one name, and the serial number of the deployed one after these rollbacks.
    fn placed(rollbacks: &[(usize, usize, bool)], later: bool) -> (usize, Vec<String>) {
        let (_folder, _, mut index) = new_index();
        let mut ids: Vec<EntryId> = Vec::new();
        let sample =
            |serial: u32| Sample { serial, not_after: NOW + Duration::days(serial.into()), ..Sample::default() };
        for serial in 1..=3 {
            ids.push(add(&mut index, &sample(serial), "web"));
            index.mark_delivered(*ids.last().unwrap(), NOW).unwrap();
        }
        for (certificate, replaced, done) in rollbacks {
            let (certificate, replaced) = (ids[*certificate - 1], ids[*replaced - 1]);
            let rollback = Rollback { id: 0, certificate, replaced, newest: ids[2], at: NOW, done_at: None };
            let mut transaction = index.transaction(context()).unwrap();
            let id = transaction.roll_back(&rollback, "web").unwrap();
            transaction.commit().unwrap();
            if *done {
                index.mark_rolled_back(id, NOW).unwrap();
            }
        }
        if later {
            ids.push(add(&mut index, &sample(4), "web"));
            index.mark_delivered(ids[3], NOW).unwrap();
        }
        let history = index.history("WEB").unwrap();
        let entry = in_place(&history, &index.rollbacks("Web").unwrap()).unwrap().id;
        let question = index.names_possibly_due(&ExpiryCondition::Before(NOW + Duration::hours(60)), NOW).unwrap();
        (ids.iter().position(|id| *id == entry).unwrap() + 1, question)
    }

    #[test]
    fn the_newest_is_in_place_until_it_is_rolled_back_and_a_newer_one_ends_that() {
        let web = || vec!["web".to_owned()];
        assert_eq!(placed(&[], false), (3, vec![]), "of certificates that are not in place nobody asks");
        assert_eq!(placed(&[(2, 3, true)], false), (2, web()));
        assert_eq!(placed(&[(2, 3, true), (1, 2, true)], false).0, 1);
        assert_eq!(placed(&[(2, 3, true), (3, 2, true)], false).0, 3);
        assert_eq!(placed(&[(2, 3, false)], false), (3, web()), "begun is not done, and has to be looked at");
        assert_eq!(placed(&[(2, 3, true)], true).0, 4);
    }

    #[test]
    fn a_hook_is_remembered_replaced_and_forgotten() {
        let (_folder, _, mut index) = new_index();
        let hook =
            |command: &str| StoredHook { command: command.to_owned(), timeout: 300, on_failure: "keep".to_owned() };
        let set = |index: &mut Index, name: &str, hook: Option<&StoredHook>| {
            let mut transaction = index.transaction(context()).unwrap();
            transaction.set_hook(name, hook).unwrap();
            transaction.commit().unwrap();
        };
        set(&mut index, "web", Some(&hook("one")));
        set(&mut index, "WEB", Some(&hook("two")));
        assert_eq!(index.hook("Web").unwrap(), Some(hook("two")));
        set(&mut index, "web", None);
        assert_eq!(index.hook("web").unwrap(), None);
    }
}
