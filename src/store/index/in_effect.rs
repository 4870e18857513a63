//! Which of several revocations of one certificate is in effect, as conditions in SQL.
//!
//! Only a hold can be released; a final revocation stays (RFC 5280 §5.3.1). So a final one counts before every hold, and it
//! stays in effect when its row has the time of a release, unless it was imported and then forgotten. The ids of the rows, which
//! are the order of the records, decide only between rows of equal weight: a row with a great id hides no other.

use crate::store::index::{Index, IndexError, Transaction};

/// Returns the condition that a row of `revocation` was not ended. 6 is certificateHold, 8 removeFromCRL.
pub(super) fn is_in_effect(row: &str) -> String {
    format!(
        "({row}.released_at IS NULL OR {row}.reason <> 6 AND NOT EXISTS (
             SELECT 1 FROM imported_revocation AS i
             JOIN imported_revocation AS f ON f.serial = i.serial AND f.authority = i.authority AND f.reason = 8
             WHERE i.serial = {row}.serial AND i.authority = {row}.authority
               AND i.at = {row}.at AND i.reason = {row}.reason))"
    )
}

/// Returns the condition that `other`, which is in effect too, counts instead of `row`.
pub(super) fn counts_before(other: &str, row: &str) -> String {
    format!(
        "CASE WHEN {other}.reason <> 6 THEN {row}.reason = 6 OR {other}.id > {row}.id
              ELSE {row}.reason = 6 AND {other}.id > {row}.id END"
    )
}

/// Returns the id of the row that counts for a certificate, as a subquery; NULL when there is none.
pub(super) fn current(certificate: &str) -> String {
    let is_in_effect = is_in_effect("s");
    format!(
        "(SELECT s.id FROM revocation AS s WHERE s.certificate = {certificate} AND {is_in_effect}
          ORDER BY s.reason = 6, s.id DESC LIMIT 1)"
    )
}

/// Returns the condition that a row of `imported_revocation` counts among those of its serial number. removeFromCRL ends
/// the rows before it; of the others, a final one counts before a hold.
pub(super) fn imported_counts(row: &str) -> String {
    format!(
        "({row}.reason <> 8 AND NOT EXISTS (
             SELECT 1 FROM imported_revocation AS s
             WHERE s.serial = {row}.serial AND s.authority = {row}.authority AND s.id <> {row}.id
               AND CASE s.reason
                   WHEN 8 THEN s.id > {row}.id
                   WHEN 6 THEN {row}.reason = 6 AND s.id > {row}.id
                   ELSE (s.id > {row}.id OR {row}.reason = 6) AND NOT EXISTS (
                       SELECT 1 FROM imported_revocation AS f
                       WHERE f.serial = s.serial AND f.authority = s.authority AND f.reason = 8 AND f.id > s.id)
                   END))"
    )
}

impl Transaction<'_> {
    /// Returns the id of the row that was just inserted into a table whose order of ids means something.
    ///
    /// # Errors
    /// When it is not the greatest: SQLite chooses ids at random once the greatest possible one is in use, and the new row
    /// would count as older than that one.
    pub(super) fn newest_row(&self, table: &str) -> Result<i64, IndexError> {
        let (id, greatest) = self.transaction.newest_ids(table).map_err(self.place.error())?;
        if id == greatest { Ok(id) } else { Err(self.ids_are_used_up(table)) }
    }
}

impl Index {
    /// Returns the error for a table that has a row with the greatest possible number.
    pub(super) fn ids_are_used_up(&self, table: &str) -> IndexError {
        self.damaged(format!("the table {table} has a row with the number {}, so that none can follow", i64::MAX))
    }
}
