//! Tests of [`super::look_up`].

use std::collections::BTreeSet;

use rusqlite::params;

use super::sample::{Sample, add, new_index};
use super::*;
use crate::text::Diagnostic;
use crate::x509::SerialNumber;

/// Puts copies of the certificate `web` into the index, with these serial numbers.
fn put(index: &Index, serials: impl IntoIterator<Item = Vec<u8>>) {
    let sql = "INSERT INTO certificate (serial, issuer, der, name, template, authority, subject, sans, key_fingerprint,
                   fingerprint, not_before, not_after, issued_at, origin)
               SELECT ?1, issuer, der, name || '-' || ?2, template, authority, subject, sans, key_fingerprint, fingerprint,
                   not_before, not_after, issued_at, origin FROM certificate WHERE id = 1";
    for (number, serial) in serials.into_iter().enumerate() {
        let serial = SerialNumber::from_der_content(&serial);
        index.connection.raw().execute(sql, params![serial.as_der_content(), number as i64]).unwrap();
    }
}

fn find(index: &Index, reference: &str) -> Result<String, IndexError> {
    index.find(&reference.parse().unwrap()).map(|entry| entry.serial.to_string())
}

fn hints(error: &IndexError) -> Vec<String> {
    error.diagnosis().hints
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn first_digits_resolve_if_and_only_if_exactly_one_serial_number_begins_with_them(
        // Few values, so that many serial numbers begin alike, with a first bit of both kinds.
        serials in proptest::collection::btree_set("(7f|80|a5|ff|01){3,6}", 1..12),
        others in proptest::collection::vec("(7f|80|a5|ff|01|00){2,3}[0-9a-f]?", 8),
    ) {
        let (_folder, _, mut index) = new_index();
        add(&mut index, &Sample::default(), "web");
        let positive = |digits: &String| digits.parse::<SerialNumber>().unwrap().as_der_content().to_vec();
        put(&index, serials.iter().map(positive));
        let all: BTreeSet<String> = serials.iter().cloned().chain(["0100000001".to_owned()]).collect();
        let own = serials.iter().flat_map(|serial| (4..=serial.len()).map(|length| serial[..length].to_owned()));
        for given in own.chain(others) {
            // Other tools show a zero byte in front of a first bit that is set.
            let digits = given.strip_prefix("00").filter(|rest| *rest >= "8" && rest.len() >= 4).unwrap_or(&given);
            let begin: Vec<&String> = all.iter().filter(|serial| serial.starts_with(digits)).collect();
            let expected = match begin.as_slice() {
                _ if all.contains(digits) => Ok(digits.to_owned()),
                [one] => Ok((*one).clone()),
                several => Err(several.len() as u64),
            };
            for form in [given.clone(), format!("serial:{given}"), format!("0x{}", given.to_uppercase())] {
                let found = find(&index, &form).map_err(|error| match error {
                    IndexError::NotFound { .. } => 0,
                    IndexError::SeveralSerials { candidates, .. } => candidates.total,
                    other => panic!("{form}: {other}"),
                });
                proptest::prop_assert_eq!(&found, &expected, "{}", form);
            }
        }
    }
}

#[test]
fn the_first_digits_of_several_serial_numbers_are_refused_with_the_first_ten_of_them() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "web");
    put(&index, (0..13).map(|last| vec![0x3f, 0x8a, last]));
    let error = find(&index, "3f8a").unwrap_err();
    assert_eq!(error.to_string(), "13 serial numbers begin with '3f8a'");
    assert_eq!((error.diagnosis().code, error.diagnosis().class), ("ambiguous", crate::text::Class::Usage));
    let hints = hints(&error);
    assert_eq!(hints.len(), 12);
    assert_eq!(hints[1], "serial:3f8a00  web-0, expires 2026-08-30T12:00:00Z");
    assert_eq!(hints[11], "and 3 more");
    assert_eq!(find(&index, "3f8a0c").unwrap(), "3f8a0c");
    assert_eq!(find(&index, "3f8a0…").unwrap_err().to_string(), "13 serial numbers begin with '3f8a0'");
    // Whoever types too few digits is told how many are enough.
    let few = find(&index, "3f8").unwrap_err();
    assert!(matches!(few, IndexError::NotFound { .. }), "{few}");
    assert!(self::hints(&few).iter().any(|hint| hint.contains("4 or more")), "{few:?}");
}

#[test]
fn a_name_wins_over_the_first_digits_of_a_serial_number_but_not_over_a_whole_one() {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "cafe");
    put(&index, [vec![0x4a, 0xfe, 1], vec![0x4a, 0xce]]);
    add(&mut index, &Sample { serial: 2, ..Sample::default() }, "4afe");
    add(&mut index, &Sample { serial: 3, ..Sample::default() }, "4ace");
    assert_eq!(find(&index, "4afe").unwrap(), "0100000002");
    assert_eq!(find(&index, "serial:4afe").unwrap(), "4afe01");
    assert_eq!(find(&index, "name:4afe").unwrap(), "0100000002");
    assert!(matches!(find(&index, "4ace"), Err(IndexError::Ambiguous { .. })));
    assert_eq!(find(&index, "serial:4ace").unwrap(), "4ace");
}

#[test]
fn a_subject_alternative_name_selects_the_only_name_that_has_it() {
    let (_folder, _, mut index) = new_index();
    let both = ["shared.test", "10.0.0.1"];
    add(&mut index, &Sample { sans: &both, ..Sample::default() }, "one");
    add(&mut index, &Sample { serial: 2, sans: &["shared.test"], ..Sample::default() }, "two");
    add(&mut index, &Sample { serial: 3, ..Sample::default() }, "dns.test");
    add(&mut index, &Sample { serial: 4, sans: &["10.0.0.1"], ..Sample::default() }, "one");
    assert_eq!(find(&index, "dns:dns.test").unwrap(), "0100000003");
    assert_eq!(find(&index, "ip:10.0.0.1").unwrap(), "0100000004");
    let error = find(&index, "dns:shared.test").unwrap_err();
    assert_eq!(error.to_string(), "'dns:shared.test' is in certificates of 2 names");
    assert_eq!(hints(&error)[1..], ["name:one", "name:two"]);
    assert!(matches!(find(&index, "dns:none.test"), Err(IndexError::NotFound { .. })));
}

#[test]
fn a_pattern_selects_names_without_regard_to_case_and_brackets_are_plain() {
    let (_folder, _, mut index) = new_index();
    for (serial, name) in (1..).zip(["Web-1.test", "web-2.test", "web.test", "db[1]", "db1", "web-2.test"]) {
        add(&mut index, &Sample { serial, ..Sample::default() }, name);
    }
    let like = |pattern: &str| index.names_like(&NamePattern::of(pattern).unwrap()).unwrap();
    assert_eq!(like("WEB-*"), ["Web-1.test", "web-2.test"]);
    assert_eq!(like("web-?.test"), ["Web-1.test", "web-2.test"]);
    assert_eq!(like("*.test").len(), 3);
    assert_eq!(like("db[1]*"), ["db[1]"]);
    assert!(like("x*").is_empty());
}

#[test]
fn first_digits_and_patterns_read_a_range_and_not_the_table() {
    let (_folder, _, index) = new_index();
    for (sql, range) in [
        (
            "SELECT id FROM certificate AS c WHERE c.serial >= ?1 AND c.serial < ?2 ORDER BY c.serial, c.id LIMIT 11",
            "serial",
        ),
        ("SELECT count(*) FROM certificate AS c WHERE c.serial >= ?1 AND c.serial < ?2", "serial"),
        (
            "SELECT DISTINCT name FROM certificate WHERE name >= ?1 AND name < ?2
             AND lower(name COLLATE \"binary\") LIKE ?3 ESCAPE '!' ORDER BY name",
            "name",
        ),
    ] {
        let plan: Vec<String> = index
            .connection
            .raw()
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap()
            .query_map(rusqlite::params_from_iter(vec!["x"; sql.matches('?').count()]), |row| row.get(3))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let expected = format!("({range}>? AND {range}<?)");
        assert!(plan.iter().any(|step| step.starts_with("SEARCH") && step.contains(&expected)), "{plan:?}");
    }
}
