//! Finds the certificate that a [`Reference`] selects.
//!
//! A name wins over the first digits of a serial number: which digits are the first ones of a serial number changes with
//! every certificate, and a script that names `cafe` must not fail because of one. The same text as a name and as a whole serial
//! number is ambiguous.

use crate::store::index::database::{DatabaseResult, values};
use crate::store::index::error::Candidates;
use crate::store::index::{Entry, Index, IndexError, NamePattern, Reference};
use crate::text::{self, rfc3339, shell_word};
use crate::x509::{GeneralName, SerialDigits, SerialNumber, general_name};

impl Index {
    /// Returns the certificate that a reference selects: the latest of a name, or the one with the serial number.
    ///
    /// # Errors
    /// When there is none ([`IndexError::NotFound`]), when the reference can select several ([`IndexError::Ambiguous`],
    /// [`IndexError::SeveralIssuers`], [`IndexError::SeveralSerials`], [`IndexError::SeveralNames`]), or the index cannot be read.
    pub fn find(&self, reference: &Reference) -> Result<Entry, IndexError> {
        match self.find_if_known(reference)? {
            Some(entry) => Ok(entry),
            None => Err(self.not_found(reference)?),
        }
    }

    /// As [`find`](Self::find); `None` when there is none.
    ///
    /// # Errors
    /// As [`find`](Self::find), except for [`IndexError::NotFound`].
    pub fn find_if_known(&self, reference: &Reference) -> Result<Option<Entry>, IndexError> {
        let serial = reference.serial();
        let by_name = self.by_name(reference)?;
        let mut by_serial = serial.as_ref().map(|serial| self.by_serial(serial)).transpose()?.unwrap_or_default();
        match (by_name, by_serial.pop()) {
            (Some(entry), None) => Ok(Some(entry)),
            (None, Some(entry)) if by_serial.is_empty() => Ok(Some(entry)),
            (None, Some(entry)) => Err(IndexError::SeveralIssuers { serial: entry.serial }),
            // The text is both a name and a serial number. It is ambiguous even when both select the same certificate,
            // because that may change.
            (Some(entry), Some(_)) => Err(IndexError::Ambiguous { given: entry.name }),
            (None, None) => {
                if let Some(entry) = self.by_other_means(reference)? {
                    return Ok(Some(entry));
                }
                let Some(serial) = serial else { return Ok(None) };
                let known = self.known_by_serial(&serial)?;
                known.map_or(Ok(None), |known| Err(IndexError::OnlySerial { serial, known }))
            }
        }
    }

    /// Returns the error for a reference that selects no certificate, with the most similar name.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn not_found(&self, reference: &Reference) -> Result<IndexError, IndexError> {
        let nearest = reference.name().map(|name| self.nearest_name(name)).transpose()?.flatten();
        Ok(IndexError::NotFound { reference: reference.clone(), nearest })
    }

    fn by_name(&self, reference: &Reference) -> Result<Option<Entry>, IndexError> {
        let Some(name) = reference.name() else { return Ok(None) };
        // A serial number is usually not a name, and planning the query for the entry takes ten times as long as this check.
        let latest = |name: &str| if self.name_is_used(name)? { self.latest_by_name(name) } else { Ok(None) };
        let found = latest(name)?;
        if found.is_some() {
            return Ok(found);
        }
        match reference {
            Reference::Alternative(_, name) => latest(&name.value()),
            // The entry of a host has its A-labels as the name, also when the caller typed a U-label.
            _ => general_name::dns(name).map_or(Ok(None), |host| latest(&host)),
        }
    }

    /// Finds a certificate by the first digits of its serial number, or by its subject alternative name.
    fn by_other_means(&self, reference: &Reference) -> Result<Option<Entry>, IndexError> {
        if let Some(digits) = reference.digits() {
            return self.by_first_digits(digits);
        }
        match reference {
            Reference::Alternative(_, name) => self.by_alternative_name(name),
            _ => Ok(None),
        }
    }

    /// Returns the certificate whose serial number begins with the digits. The index of the serial numbers is read only where
    /// they begin so.
    fn by_first_digits(&self, digits: &SerialDigits) -> Result<Option<Entry>, IndexError> {
        const RANGE: &str = "c.serial >= ?1 AND c.serial < ?2";
        let mut found = Vec::new();
        for (from, to) in digits.ranges() {
            let rest = format!("WHERE {RANGE} ORDER BY c.serial, c.id LIMIT {}", Candidates::MOST_LISTED + 1);
            found.extend(self.entries(&rest, values![from, to])?);
        }
        match found.as_slice() {
            [] => return Ok(None),
            [_] => return Ok(found.pop()),
            [first, others @ ..] if others.iter().all(|other| other.serial == first.serial) => {
                return Err(IndexError::SeveralIssuers { serial: first.serial.clone() });
            }
            _ => {}
        }
        let mut total: i64 = 0;
        for (from, to) in digits.ranges() {
            let sql = format!("SELECT count(*) FROM certificate AS c WHERE {RANGE}");
            let count = self.connection.query_row(&sql, values![from, to], |row| row.get::<_, i64>(0));
            total += count.map_err(self.place.error())?;
        }
        let shown = |entry: &Entry| {
            let (name, until) = (text::escape(&entry.name), rfc3339(entry.validity.not_after));
            format!("serial:{}  {name}, expires {until}", entry.serial)
        };
        let first = found.iter().take(Candidates::MOST_LISTED).map(shown).collect();
        let candidates = Candidates { first, total: total.unsigned_abs() };
        Err(IndexError::SeveralSerials { digits: digits.clone(), candidates })
    }

    /// Returns the latest certificate of the only name whose certificates have this subject alternative name.
    fn by_alternative_name(&self, name: &GeneralName) -> Result<Option<Entry>, IndexError> {
        let read = || -> DatabaseResult<Vec<String>> {
            let mut statement = self.connection.prepare(
                "SELECT DISTINCT c.name FROM san JOIN certificate AS c ON c.id = san.certificate
                 WHERE san.value = ?1 AND san.kind = ?2 ORDER BY c.name",
            )?;
            statement.query_map(values![&name.value(), name.kind()], |row| row.get(0))?.collect()
        };
        let names = read().map_err(self.place.error())?;
        match names.as_slice() {
            [] => Ok(None),
            [one] => self.latest_by_name(one),
            several => {
                let first = several.iter().take(Candidates::MOST_LISTED);
                let first = first.map(|name| shell_word(&format!("name:{name}")).to_string()).collect();
                let candidates = Candidates { first, total: several.len() as u64 };
                Err(IndexError::SeveralNames { name: name.clone(), candidates })
            }
        }
    }

    /// Returns the entry of exactly this certificate: the one with its serial number and its fingerprint.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn by_fingerprint(&self, serial: &SerialNumber, fingerprint: [u8; 32]) -> Result<Option<Entry>, IndexError> {
        Ok(self.by_serial(serial)?.into_iter().find(|entry| entry.fingerprint == fingerprint))
    }

    /// Returns the names that match a pattern, in their order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn names_like(&self, pattern: &NamePattern) -> Result<Vec<String>, IndexError> {
        let read = || -> DatabaseResult<Vec<String>> {
            // The first condition reads only the part of the index of names that begins so.
            let mut statement = self.connection.prepare(
                "SELECT DISTINCT name FROM certificate WHERE name >= ?1 AND name < ?2
                     AND lower(name COLLATE \"binary\") LIKE ?3 ESCAPE '!' ORDER BY name",
            )?;
            let beginning = pattern.beginning();
            let after = format!("{beginning}\u{10ffff}");
            statement.query_map(values![beginning, &after, &pattern.for_like()], |row| row.get(0))?.collect()
        };
        read().map_err(self.place.error())
    }

    /// Returns the most similar name; `None` when no name is similar. It reads all names and keeps only the best match
    /// so far.
    fn nearest_name(&self, wanted: &str) -> Result<Option<String>, IndexError> {
        let look = || -> DatabaseResult<Option<String>> {
            let mut statement = self.connection.prepare("SELECT DISTINCT name FROM certificate")?;
            let mut rows = statement.query(&[])?;
            let mut best: Option<String> = None;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                if text::nearest(wanted, best.as_deref().into_iter().chain([name.as_str()])) == Some(&name) {
                    best = Some(name);
                }
            }
            Ok(best)
        };
        look().map_err(self.place.error())
    }
}
