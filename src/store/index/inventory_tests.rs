//! Tests of [`super::inventory`].

use rusqlite::params;

use super::sample::{NOW, Sample, add, new_index};
use super::*;

fn query(order: SortKey, keep: Keep) -> InventoryQuery {
    InventoryQuery {
        wanted: InventoryFilter::default(),
        order: InventoryOrder { key: order, is_descending: false },
        keep,
        with_keys: false,
    }
}

fn listed(index: &Index, query: &InventoryQuery) -> (Vec<ListedEntry>, u64) {
    let mut rows = Vec::new();
    let total = index.inventory::<IndexError>(query, NOW, |listed| {
        rows.push(listed);
        Ok(())
    });
    (rows, total.unwrap())
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn what_is_deployed_in_the_list_is_what_the_history_of_the_name_says(
        delivered in proptest::collection::vec(proptest::bool::ANY, 1..5),
        rollbacks in proptest::collection::vec((0_i64..6, 0_i64..6, proptest::bool::ANY), 0..3),
    ) {
        let (_folder, _, mut index) = new_index();
        add(&mut index, &Sample { serial: 100, ..Sample::default() }, "other");
        for (serial, delivered) in (1..).zip(&delivered) {
            add(&mut index, &Sample { serial, ..Sample::default() }, "web");
            if !delivered {
                index.connection.raw().execute("UPDATE certificate SET delivered_at = NULL WHERE id = (SELECT max(id) FROM certificate)", []).unwrap();
            }
        }
        index.connection.raw().pragma_update(None, "foreign_keys", false).unwrap();
        for (certificate, newest, is_done) in rollbacks {
            let sql = "INSERT INTO rollback (name, certificate, replaced, newest, at, done_at) VALUES ('web', ?1, 1, ?2, 0, ?3)";
            index.connection.raw().execute(sql, params![certificate, newest, is_done.then_some(0)]).unwrap();
        }
        let history = index.history("web").unwrap();
        let expected = placement::in_place(&history, &index.rollbacks("web").unwrap()).map(|entry| entry.id);
        // However many are listed, each row knows whether it is deployed, and whether a delivery of its name is not recorded.
        let of_name = |keep| {
            let mut of_name = query(SortKey::Issued, keep);
            of_name.wanted.filter.name = Some("WEB".to_owned());
            of_name
        };
        let keeps = [Keep::All, Keep::Last(100), Keep::First(20_000)];
        let of_all = keeps.map(|keep| (query(SortKey::Issued, keep), 1 + delivered.len()));
        for (query, count) in of_all.iter().chain(&keeps.map(|keep| (of_name(keep), delivered.len()))) {
            let (rows, _) = listed(&index, query);
            let found: Vec<EntryId> =
                rows.iter().filter(|listed| listed.deployed && listed.entry.name == "web").map(|listed| listed.entry.id).collect();
            proptest::prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{:?}", query.keep);
            let marks = rows.iter().map(|listed| listed.has_unmarked);
            let unmarked = rows.iter().map(|listed| listed.entry.name == "web" && delivered.contains(&false));
            proptest::prop_assert!(rows.len() == *count && marks.eq(unmarked), "{:?}", query.keep);
        }
        // A limit that is reached chooses, also among few.
        let (rows, total) = listed(&index, &of_name(Keep::Last(1)));
        proptest::prop_assert_eq!(total, delivered.len() as u64);
        proptest::prop_assert_eq!(rows.iter().map(|listed| listed.entry.id).collect::<Vec<_>>(), [history.last().unwrap().id]);
        // What can stand for its name: the recorded one, and the latest if its delivery is not recorded, because only its files tell.
        let mut current = query(SortKey::Issued, Keep::All);
        current.wanted.current_only = true;
        let (rows, total) = listed(&index, &current);
        let web: Vec<EntryId> = rows.iter().filter(|listed| listed.entry.name == "web").map(|listed| listed.entry.id).collect();
        let latest = history.last().filter(|entry| entry.delivered_at.is_none()).map(|entry| entry.id);
        let mut candidates: Vec<EntryId> = expected.into_iter().chain(latest).collect();
        candidates.sort();
        candidates.dedup();
        proptest::prop_assert_eq!(total, 1 + candidates.len() as u64);
        proptest::prop_assert_eq!(web, candidates);
    }
}

#[test]
fn a_limit_keeps_what_expires_first_and_cuts_what_is_long_over() {
    let (_folder, _, mut index) = new_index();
    for (serial, days) in (1..).zip([90_i64, 5, -1, 30, -300]) {
        let not_after = NOW + time::Duration::days(days);
        let sample = Sample { serial, not_before: not_after - time::Duration::DAY, not_after, ..Sample::default() };
        add(&mut index, &sample, &format!("in {days}"));
    }
    let names = |order, keep| -> Vec<String> {
        let (rows, total) = listed(&index, &query(order, keep));
        assert_eq!(total, 5);
        rows.into_iter().map(|listed| listed.entry.name).collect()
    };
    assert_eq!(names(SortKey::Expires, Keep::MostUrgent(2)), ["in 5", "in 30"]);
    assert_eq!(names(SortKey::Expires, Keep::MostUrgent(4)), ["in -1", "in 5", "in 30", "in 90"]);
    assert_eq!(names(SortKey::Name, Keep::MostUrgent(2)), ["in 30", "in 5"]);
    assert_eq!(names(SortKey::Expires, Keep::First(2)), ["in -300", "in -1"]);
    assert_eq!(names(SortKey::Issued, Keep::Last(2)), ["in 30", "in -300"]);
    assert_eq!(names(SortKey::Issued, Keep::All).len(), 5);
}
