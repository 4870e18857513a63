//! The page docs/reference/event-log.md and the code have the same kinds, objects, columns and sources.

use super::event::EventKind;
use super::event_object::EventObject;
use super::imported::{FORGET, ImportSource};

const PAGE: &str = include_str!("../../../docs/reference/event-log.md");

/// Returns the rows of the table with this head, as their cells without the marks of code.
fn table(head: &str) -> Vec<Vec<String>> {
    let lines = PAGE.lines().skip_while(|line| !line.starts_with(head));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(!rows.is_empty(), "no table begins with {head}");
    rows
}

/// Returns the names in code marks.
fn names(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}

#[test]
fn the_reference_has_every_kind_of_event_and_no_other() {
    let listed = table("| kind | event |").iter().flat_map(|row| names(&row[0])).collect();
    let known = EventKind::ALL.map(|kind| kind.name().to_owned()).to_vec();
    assert_eq!(sorted(listed), sorted(known));
}

#[test]
fn the_reference_has_the_table_and_columns_of_every_object() {
    let listed = table("| object | table | columns |");
    let listed: Vec<_> = listed.iter().map(|row| (names(&row[0]), names(&row[1]), row[2].clone())).collect();
    let columns = |object: EventObject| object.columns().split_whitespace().collect::<Vec<_>>().join(" ");
    let row = |object: EventObject| (vec![object.name().to_owned()], vec![object.table().to_owned()], columns(object));
    assert_eq!(listed, EventObject::ALL.map(row));
    let row = table("| column | content |").into_iter().find(|row| row[0].contains("`object`")).unwrap();
    for object in EventObject::ALL {
        assert!(names(&row[1]).contains(&object.name().to_owned()), "{}: the column has it too", object.name());
    }
}

#[test]
fn the_reference_has_every_source_of_a_revocation_and_no_other() {
    let listed = table("| source | where the revocation was read |").iter().flat_map(|row| names(&row[0])).collect();
    let mut known = ImportSource::ALL.map(|source| source.name().to_owned()).to_vec();
    known.push(FORGET.to_owned());
    assert_eq!(sorted(listed), sorted(known));
}
