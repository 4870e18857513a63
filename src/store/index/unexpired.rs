//! The certificates that have not expired, one by one and with the few columns that say where their files should be: for
//! questions about all of them, of which none may cost more than one pass.

use std::path::Path;

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, ValueRef, values};
use crate::store::index::{Index, IndexError};
use crate::x509::SerialNumber;

/// A certificate that has not expired, as the index has it.
#[derive(Debug, Clone, Copy)]
pub struct UnexpiredRow<'r> {
    pub name: &'r str,
    pub template: &'r str,
    serial: &'r [u8],
    /// The folder of its files; `None` for the usual one.
    pub place: Option<&'r Path>,
    pub is_delivered: bool,
}

impl UnexpiredRow<'_> {
    /// Returns the serial number.
    pub fn serial(&self) -> SerialNumber {
        SerialNumber::from_der_content(self.serial)
    }
}

impl Index {
    /// Calls `each` for every certificate that this program issued and that has not expired, in the order of their issue.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn each_unexpired(
        &self,
        now: OffsetDateTime,
        mut each: impl FnMut(UnexpiredRow<'_>),
    ) -> Result<(), IndexError> {
        let mut read = || -> DatabaseResult<()> {
            // The `+` keeps SQLite from the index of the column: most certificates are wanted, and in their order they are
            // read without jumps.
            let sql = "SELECT name, template, serial, place, delivered_at IS NOT NULL FROM certificate
                       WHERE +not_after >= ?1 AND origin = 'issued'";
            let mut statement = self.connection.prepare(sql)?;
            let mut rows = statement.query(values![now.unix_timestamp()])?;
            while let Some(row) = rows.next()? {
                let place = match row.get_ref(3)? {
                    ValueRef::Null => None,
                    _ => Some(row.text(3)?),
                };
                each(UnexpiredRow {
                    name: row.text(0)?,
                    template: row.text(1)?,
                    serial: row.blob(2)?,
                    place: place.map(Path::new),
                    is_delivered: row.get(4)?,
                });
            }
            Ok(())
        };
        read().map_err(self.place.error())
    }

    /// Returns the number of names that have certificates, except these names.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn name_count(&self, except: &[String]) -> Result<u64, IndexError> {
        let sql = "SELECT count(*) FROM (SELECT DISTINCT name FROM certificate) AS names";
        let one = "SELECT EXISTS (SELECT 1 FROM certificate WHERE name = ?1)";
        let read = || -> DatabaseResult<i64> {
            let mut count: i64 = self.connection.query_row(sql, &[], |row| row.get(0))?;
            for name in except {
                count -= self.connection.query_row(one, values![name], |row| row.get::<_, i64>(0))?;
            }
            Ok(count)
        };
        read().map(i64::unsigned_abs).map_err(self.place.error())
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use crate::store::index::sample::{NOW, Sample, add, new_index};

    #[test]
    fn what_has_expired_is_left_out_and_each_name_is_counted_once() {
        let (_folder, _, mut index) = new_index();
        let days = |days: i64| NOW + Duration::days(days);
        for (serial, name, end) in [(1, "root", 900), (2, "a", -1), (3, "a", 90), (4, "B", 90), (5, "c", -2)] {
            let sample = Sample { serial, not_before: days(-9), not_after: days(end), ..Sample::default() };
            add(&mut index, &sample, name);
        }
        let mut found = Vec::new();
        index.each_unexpired(NOW, |row| found.push((row.name.to_owned(), row.serial().to_string()))).unwrap();
        let expected = [("root", "0100000001"), ("a", "0100000003"), ("B", "0100000004")];
        assert_eq!(found, expected.map(|(name, serial)| (name.to_owned(), serial.to_owned())));
        assert_eq!(index.name_count(&["ROOT".to_owned(), "unknown".to_owned()]).unwrap(), 3);
    }
}
