//! What a shell completes: names and serial numbers that begin with what was typed. Each question costs one look-up in an index of
//! the database for each answer, whatever the number of certificates.

use crate::store::index::database::{DatabaseResult, values};
use crate::store::index::{Index, IndexError};
use crate::x509::SerialNumber;

impl Index {
    /// Returns the names that begin with `prefix`, without regard to case, in their order; at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn names_from(&self, prefix: &str, limit: u32) -> Result<Vec<String>, IndexError> {
        // DISTINCT would read every generation of every name; each step of this looks for the next name.
        let sql = "
            WITH RECURSIVE found (name) AS (
                SELECT min(name) FROM certificate WHERE name >= ?1
                UNION ALL
                SELECT (SELECT min(name) FROM certificate WHERE name > found.name) FROM found WHERE found.name IS NOT NULL
            ) SELECT name FROM found WHERE name IS NOT NULL LIMIT ?2";
        let mut names = Vec::new();
        let mut read = || -> DatabaseResult<()> {
            let mut statement = self.connection.prepare(sql)?;
            for name in statement.query_map(values![prefix, limit], |row| row.get::<_, String>(0))? {
                let name = name?;
                // Names after the last one with the prefix are left out.
                if !name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix)) {
                    break;
                }
                names.push(name);
            }
            Ok(())
        };
        read().map_err(self.place.error())?;
        Ok(names)
    }

    /// Returns the serial numbers that begin with these hexadecimal digits; at most `limit`.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn serials_from(&self, digits: &str, limit: u32) -> Result<Vec<SerialNumber>, IndexError> {
        let digits = digits.to_lowercase();
        let even = |fill: &str| if digits.len() % 2 == 1 { format!("{digits}{fill}") } else { digits.clone() };
        let (Some(mut from), Some(mut to)) = (crate::text::from_hex(&even("0")), crate::text::from_hex(&even("f")))
        else {
            return Ok(Vec::new());
        };
        // The content of the INTEGER has a zero before a first bit that is set (X.690 §8.3.3).
        for bound in [&mut from, &mut to] {
            if bound.first().is_some_and(|first| *first >= 0x80) {
                bound.insert(0, 0);
            }
        }
        to.extend([0xff; 21]);
        let sql = "SELECT DISTINCT serial FROM certificate WHERE serial BETWEEN ?1 AND ?2 ORDER BY serial LIMIT ?3";
        let read = || -> DatabaseResult<Vec<Vec<u8>>> {
            let mut statement = self.connection.prepare(sql)?;
            statement.query_map(values![from, to, limit], |row| row.get(0))?.collect()
        };
        let found = read().map_err(self.place.error())?.into_iter();
        Ok(found.map(|content| SerialNumber::from_der_content(&content)).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::authority::testing::{Ca, order};

    #[test]
    fn names_and_serial_numbers_are_found_by_how_they_begin() {
        let ca = Ca::new();
        for name in ["web.test", "Web2.test", "wiki.test", "app.test"] {
            ca.issue(order("server", name)).unwrap();
        }
        let index = ca.index();
        assert_eq!(index.names_from("we", 10).unwrap(), ["web.test", "web2.test"]);
        assert_eq!(index.names_from("w", 2).unwrap(), ["web.test", "web2.test"]);
        assert_eq!(
            index.names_from("", 100).unwrap(),
            ["app.test", "issuing", "root", "web.test", "web2.test", "wiki.test"]
        );
        assert_eq!(index.names_from("wx", 10).unwrap(), [""; 0]);
        assert_eq!(index.names_from("ü", 10).unwrap(), [""; 0]);
        let (all, _) = index.query(&crate::store::index::Filter::default(), ca.now).unwrap();
        for entry in all {
            let serial = entry.serial.to_string();
            for digits in 4..serial.len() {
                let found = index.serials_from(&serial[..digits], 10).unwrap();
                assert!(found.contains(&entry.serial), "{serial} {digits}");
                assert!(found.iter().all(|found| found.to_string().starts_with(&serial[..digits])), "{found:?}");
            }
        }
        assert_eq!(index.serials_from("xyz", 10).unwrap(), []);
    }
}
