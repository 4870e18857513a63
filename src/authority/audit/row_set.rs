//! A set of row numbers: the audit notes of millions of rows whether something is so.

use std::collections::BTreeMap;

/// A set of row numbers, which are given one after the other: a bit for each.
#[derive(Debug, Default)]
pub struct RowSet(BTreeMap<i64, u64>);

impl RowSet {
    pub fn insert(&mut self, row: i64) {
        *self.0.entry(row >> 6).or_default() |= 1 << (row & 63);
    }

    pub fn contains(&self, row: i64) -> bool {
        self.0.get(&(row >> 6)).is_some_and(|bits| bits & (1 << (row & 63)) != 0)
    }
}
