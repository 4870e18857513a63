//! Tests of [`super::list`].

use time::Duration;

use super::list::*;
use crate::authority::testing::Ca;
use crate::report::output::{self, Report};
use crate::report::relative::RelativePaths;
use crate::report::style::Style;
use crate::store::index::sample::{NOW, Sample, add, new_index};
use crate::store::index::{IndexError, InventoryFilter, InventoryOrder, InventoryQuery, Keep, SortKey};

fn list(limit: u64) -> List {
    let (_folder, _, mut index) = new_index();
    add(&mut index, &Sample::default(), "root");
    let sans = ["web.corp.test", "10.0.0.1"];
    add(&mut index, &Sample { serial: 2, sans: &sans, ..Sample::default() }, "web.corp.test");
    let over = NOW - Duration::DAY;
    let old = Sample { serial: 3, not_before: over - Duration::DAY, not_after: over, ..Sample::default() };
    add(&mut index, &old, "old\u{1b}[31m");
    let query = InventoryQuery {
        wanted: InventoryFilter::default(),
        order: InventoryOrder { key: SortKey::Issued, is_descending: false },
        keep: Keep::Last(limit),
        with_keys: true,
    };
    let mut rows = Vec::new();
    let total = index.inventory::<IndexError>(&query, NOW, |listed| {
        rows.push(listed);
        Ok(())
    });
    List {
        store: Ca::new().store().into(),
        query,
        format: ListFormat::Table,
        columns: Column::OF_TABLE.to_vec(),
        authorities: std::iter::once("root".to_owned()).collect(),
        without_delivered: false,
        rows,
        total: total.unwrap(),
        now: NOW,
    }
}

#[test]
fn in_a_narrow_window_the_serial_numbers_are_cut_and_nowhere_else() {
    let mut list = list(1000);
    list.rows[0].entry.serial = "5a283808257042700656a9176d453e19".parse().unwrap();
    let shown = |columns: usize, is_window: bool| {
        output::text(&list, Style { columns, is_window, ..Style::PLAIN }, RelativePaths::NONE)
    };
    let narrow = shown(72, true);
    assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
    assert!(narrow.contains("…\n") && narrow.contains("the first digits of a serial number are enough"), "{narrow}");
    assert!(narrow.contains("  5a28"), "{narrow}");
    for whole in [shown(72, false), shown(200, true)] {
        assert!(whole.contains("5a283808257042700656a9176d453e19") && !whole.contains("first digits"), "{whole}");
    }
}

#[test]
fn a_table_has_one_line_for_each_certificate() {
    let text = output::text(&list(1000), Style::PLAIN, RelativePaths::NONE);
    assert_eq!(
        text,
        "\
NAME           TEMPLATE  ISSUER  EXPIRES            STATUS   SERIAL
root           server    root    2026-08-30 in 90d  valid    0100000001
web.corp.test  server    root    2026-08-30 in 90d  valid    0100000002
old\\u{1b}[31m  server    root    2026-05-31 1d ago  expired  0100000003

3 certificates
"
    );
}

#[test]
fn a_certificate_is_coloured_by_its_state_and_what_another_has_replaced_is_superseded() {
    let mut list = list(1000);
    list.rows[0].entry.delivered_at = None;
    list.rows[1].deployed = false;
    let text = output::text(&list, Style { stdout: true, ..Style::PLAIN }, RelativePaths::NONE);
    let of = |name: &str| text.lines().find(|line| line.contains(name)).unwrap().to_owned();
    assert!(of("root").contains("\u{1b}[33mnot-delivered"), "{text}");
    assert!(of("web").contains("\u{1b}[2msuperseded"), "{text}");
    assert!(of("old").contains("\u{1b}[31mexpired"), "{text}");
    let text = output::text(&self::list(2), Style { stdout: true, ..Style::PLAIN }, RelativePaths::NONE);
    assert!(text.contains("\u{1b}[32mvalid"), "{text}");
}

#[test]
fn what_a_limit_left_out_is_said() {
    let text = output::text(&list(1), Style::PLAIN, RelativePaths::NONE);
    assert!(text.ends_with("\n1 of 3 certificates; --limit N shows more\n"), "{text}");
    let nothing = List { rows: vec![], total: 0, ..list(1) };
    assert_eq!(output::text(&nothing, Style::PLAIN, RelativePaths::NONE), "no certificates\n");
}

#[test]
fn what_is_streamed_as_json_is_the_document_that_would_be_written_whole() {
    // The stream reads the index of the CA.
    let ca = Ca::new();
    let list = List { store: ca.store().into(), format: ListFormat::Json, ..list(1) };
    let mut streamed = Vec::new();
    list.stream(&mut streamed).unwrap().unwrap();
    let streamed = String::from_utf8(streamed).unwrap();
    assert_eq!(streamed, output::json_document(&list.json()));
}
