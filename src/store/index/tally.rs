//! How many certificates each authority signed, by their status: one pass over the index, which keeps only the numbers.

use std::collections::HashMap;
use std::str::FromStr;

use time::OffsetDateTime;

use crate::store::index::database::{DatabaseResult, strange, values};
use crate::store::index::query::{FROM, STATUS};
use crate::store::index::{CertificateStatus, Index, IndexError};
use crate::x509::Certificate;

/// The certificates that one authority signed from one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// The name of the authority.
    pub authority: String,
    pub template: String,
    pub counts: StatusCounts,
    /// True when they are CA certificates: a template makes either those or others.
    pub is_ca: bool,
}

/// A number of certificates for each status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StatusCounts([u64; CertificateStatus::ALL.len()]);

impl StatusCounts {
    /// Returns the number of certificates with this status.
    pub fn of(&self, status: CertificateStatus) -> u64 {
        self.0[status as usize]
    }

    /// Returns the number of all certificates.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds other numbers to these.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(own, other)| *own += other);
    }
}

/// A group under construction: the numbers, and the first certificate.
struct Group {
    counts: StatusCounts,
    first: i64,
}

impl Index {
    /// Returns the numbers of certificates by authority and template, except those of the entries with these names.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn tally(&self, now: OffsetDateTime, except: &[String]) -> Result<Vec<Tally>, IndexError> {
        let read = || -> DatabaseResult<Vec<Tally>> {
            // One transaction, so that the numbers are of one time. A `Transaction` already is one.
            let _reading = self.connection.begin_reading_once()?;
            let sql = format!("SELECT c.id, c.authority, c.template, c.name, {STATUS} {}", *FROM);
            let mut statement = self.connection.prepare(&sql)?;
            let mut rows = statement.query(values![now.unix_timestamp()])?;
            let mut groups: HashMap<String, HashMap<String, Group>> = HashMap::new();
            while let Some(row) = rows.next()? {
                let name = row.text(3)?;
                // Names are compared like the column does (COLLATE NOCASE).
                if except.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                    continue;
                }
                let status = CertificateStatus::from_str(row.text(4)?).map_err(|_| strange("status"))?;
                let (authority, template) = (row.text(1)?, row.text(2)?);
                let known = groups.get_mut(authority).and_then(|templates| templates.get_mut(template));
                let group = match known {
                    Some(group) => group,
                    None => {
                        let templates = groups.entry(authority.to_owned()).or_default();
                        let first = row.get(0)?;
                        templates.entry(template.to_owned()).or_insert(Group { counts: StatusCounts::default(), first })
                    }
                };
                group.counts.0[status as usize] += 1;
            }
            let mut tallies = Vec::new();
            for (authority, templates) in groups {
                for (template, Group { counts, first }) in templates {
                    let sql = "SELECT der FROM certificate WHERE id = ?1";
                    let der: Vec<u8> = self.connection.query_row(sql, values![first], |row| row.get(0))?;
                    let is_ca = Certificate::from_der(&der).is_ok_and(|certificate| certificate.is_ca());
                    tallies.push(Tally { authority: authority.clone(), template, counts, is_ca });
                }
            }
            tallies.sort_by(|one, other| (&one.authority, &one.template).cmp(&(&other.authority, &other.template)));
            Ok(tallies)
        };
        read().map_err(self.place.error())
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::*;
    use crate::authority::testing::{Ca, order};
    use crate::store::index::Filter;
    use crate::x509::crl::RevocationReason;

    #[test]
    fn the_numbers_are_those_of_the_list_without_the_names_that_are_left_out() {
        let mut ca = Ca::new();
        for name in ["a.test", "b.test", "c.test", "d.test"] {
            ca.issue(order("server", name)).unwrap();
        }
        ca.issue(order("client", "anna")).unwrap();
        ca.revoke("b.test", RevocationReason::KeyCompromise).unwrap();
        ca.revoke("c.test", RevocationReason::CertificateHold).unwrap();
        ca.forget_delivery("d.test");
        for days in [0, 100, -1] {
            let now = ca.now + Duration::days(days);
            let tallies = ca.index().tally(now, &["ROOT".to_owned(), "issuing".to_owned()]).unwrap();
            let groups: Vec<_> = tallies.iter().map(|tally| (&*tally.authority, &*tally.template)).collect();
            assert_eq!(groups, [("issuing", "client"), ("issuing", "server")]);
            let mut all = StatusCounts::default();
            tallies.iter().for_each(|tally| all.add(&tally.counts));
            assert_eq!(all.total(), 5);
            for status in CertificateStatus::ALL {
                let filter =
                    Filter { status: Some(status), authority: Some("issuing".to_owned()), ..Filter::default() };
                let listed = ca.index().query(&filter, now).unwrap().1;
                assert_eq!(all.of(status), listed, "{status} in {days} days");
            }
        }
        ca.now += Duration::SECOND;
        let with_cas = ca.index().tally(ca.now, &[]).unwrap();
        let cas: Vec<_> = with_cas.iter().filter(|tally| tally.is_ca).map(|tally| &*tally.template).collect();
        assert_eq!(cas, ["intermediate", "root"]);
    }
}
