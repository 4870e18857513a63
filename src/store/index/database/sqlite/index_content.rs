//! Whether the indexes of a file have exactly the rows of their tables, in time that grows with their number.
//!
//! `PRAGMA integrity_check` looks each row up in each index. Of a million certificates that takes ten times as long as to read all of
//! it, since the rows of a table are everywhere in its indexes. Here a table and each of its indexes are read once, from beginning
//! to end: the entries of an index must be in its order, and the sum of their hashes must be that of the table. The key of the hash
//! is drawn for each check, so that no file can be written whose sums agree by design.

use std::cmp::Ordering;
use std::hash::{BuildHasher, RandomState};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

/// A column of an index.
struct KeyColumn {
    name: String,
    /// True when letters are compared without their case (COLLATE NOCASE).
    is_without_case: bool,
}

/// An index of a table with row numbers.
struct TableIndex {
    name: String,
    is_unique: bool,
    columns: Vec<KeyColumn>,
}

/// The sum and the number of entries.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    sum: u64,
    count: u64,
}

impl Content {
    fn add(&mut self, hash: u64) {
        self.sum = self.sum.wrapping_add(hash);
        self.count += 1;
    }
}

/// Returns true when every index has the rows of its table in their order, and false when one has not, or is of a kind that this
/// program does not make. It says nothing about the pages of the file: `PRAGMA quick_check` does.
///
/// # Errors
/// When the file cannot be read.
pub fn is_sound(connection: &Connection) -> rusqlite::Result<bool> {
    let tables = "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'";
    let mut statement = connection.prepare(tables)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, is_its_own_index): (String, bool) = (row.get(0)?, row.get(1)?);
        let is_sound = match is_its_own_index {
            true => is_in_order(connection, &table)?,
            false => has_sound_indexes(connection, &table)?,
        };
        if !is_sound {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A table WITHOUT ROWID: its rows must be in the order of its primary key.
fn is_in_order(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT name, \"unique\", partial, origin FROM pragma_index_list(?1)";
    let mut indexes = connection.prepare(sql)?;
    let mut indexes = indexes.query([table])?;
    let mut primary = None;
    while let Some(row) = indexes.next()? {
        let is_primary = row.get_ref(3)?.as_str()? == "pk";
        let columns = key_columns(connection, &row.get::<_, String>(0)?)?;
        match columns.filter(|_| is_primary && primary.is_none()) {
            Some(columns) => primary = Some(columns),
            // Such a table has no other index.
            None => return Ok(false),
        }
    }
    let Some(columns) = primary else { return Ok(false) };
    let names: Vec<_> = columns.iter().map(|column| quoted(&column.name)).collect();
    let sql = format!("SELECT {} FROM {} NOT INDEXED", names.join(", "), quoted(table));
    let mut is_sorted = true;
    let mut order = Order::new(&columns, true);
    each(connection, &sql, |row| {
        is_sorted &= order.follows(row)?;
        Ok(())
    })?;
    Ok(is_sorted)
}

fn has_sound_indexes(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT name, \"unique\", partial FROM pragma_index_list(?1)";
    let mut found = connection.prepare(sql)?;
    let mut found = found.query([table])?;
    let mut indexes = Vec::new();
    while let Some(row) = found.next()? {
        let (name, is_unique, is_partial): (String, bool, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match key_columns(connection, &name)?.filter(|_| !is_partial) {
            Some(columns) => indexes.push(TableIndex { name, is_unique, columns }),
            None => return Ok(false),
        }
    }
    if indexes.is_empty() {
        return Ok(true);
    }
    let hasher = RandomState::new();
    let mut names: Vec<&str> = indexes.iter().flat_map(|index| &index.columns).map(|column| &*column.name).collect();
    names.sort_unstable();
    names.dedup();
    // The place of each column of each index in the row; the row number is first.
    let place = |column: &KeyColumn| names.iter().position(|name| *name == column.name).map_or(0, |at| at + 1);
    let places: Vec<Vec<usize>> = indexes.iter().map(|index| index.columns.iter().map(place).collect()).collect();
    let columns: Vec<String> = names.iter().map(|name| format!(", {}", quoted(name))).collect();
    let mut expected: Vec<Content> = indexes.iter().map(|_| Content::default()).collect();
    let mut encoded = Vec::new();
    let sql = format!("SELECT rowid{} FROM {} NOT INDEXED", columns.concat(), quoted(table));
    each(connection, &sql, |row| {
        for (content, places) in expected.iter_mut().zip(&places) {
            content.add(hash_of(row, places, 0, &hasher, &mut encoded)?);
        }
        Ok(())
    })?;
    for (index, expected) in indexes.iter().zip(expected) {
        let columns: Vec<String> = index.columns.iter().map(|column| format!("{}, ", quoted(&column.name))).collect();
        let sql = format!("SELECT {}rowid FROM {} INDEXED BY {}", columns.concat(), quoted(table), quoted(&index.name));
        let places: Vec<usize> = (0..index.columns.len()).collect();
        let (mut content, mut is_sorted) = (Content::default(), true);
        let mut order = Order::new(&index.columns, index.is_unique);
        each(connection, &sql, |row| {
            content.add(hash_of(row, &places, places.len(), &hasher, &mut encoded)?);
            is_sorted &= order.follows(row)?;
            Ok(())
        })?;
        if !is_sorted || content != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Returns the columns of an index in their order; `None` for an index of another kind than this program makes.
fn key_columns(connection: &Connection, index: &str) -> rusqlite::Result<Option<Vec<KeyColumn>>> {
    let sql = "SELECT name, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([index])?;
    let mut columns = Vec::new();
    while let Some(row) = rows.next()? {
        // An expression has no name.
        let (name, is_descending): (Option<String>, bool) = (row.get(0)?, row.get(1)?);
        let is_without_case = match row.get_ref(2)?.as_str()? {
            "BINARY" => false,
            "NOCASE" => true,
            _ => return Ok(None),
        };
        match name.filter(|_| !is_descending) {
            Some(name) => columns.push(KeyColumn { name, is_without_case }),
            None => return Ok(None),
        }
    }
    Ok(Some(columns))
}

/// Returns a name for SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Calls `read` with every row of a query.
fn each(
    connection: &Connection,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        read(row)?;
    }
    Ok(())
}

/// Returns the hash of some columns of a row and its number.
fn hash_of(
    row: &Row<'_>,
    places: &[usize],
    number: usize,
    hasher: &RandomState,
    encoded: &mut Vec<u8>,
) -> rusqlite::Result<u64> {
    encoded.clear();
    for place in places.iter().chain([&number]) {
        let mut counted = |kind: u8, content: &[u8]| {
            encoded.push(kind);
            encoded.extend_from_slice(&content.len().to_le_bytes());
            encoded.extend_from_slice(content);
        };
        match row.get_ref(*place)? {
            ValueRef::Null => counted(0, &[]),
            ValueRef::Integer(value) => counted(1, &value.to_le_bytes()),
            ValueRef::Real(value) => counted(2, &value.to_le_bytes()),
            ValueRef::Text(text) => counted(3, text),
            ValueRef::Blob(blob) => counted(4, blob),
        }
    }
    Ok(hasher.hash_one(&*encoded))
}

/// A value of a key that is compared with that of the next row.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum KeyValue {
    Null,
    Integer(i64),
    Text(Vec<u8>),
    Blob(Vec<u8>),
}

/// The order of an index: its columns, and then the row number, which follows them in each row that is read.
struct Order<'i> {
    columns: &'i [KeyColumn],
    is_unique: bool,
    last: Option<Vec<KeyValue>>,
}

impl<'i> Order<'i> {
    fn new(columns: &'i [KeyColumn], is_unique: bool) -> Self {
        Self { columns, is_unique, last: None }
    }

    /// Returns true when this row comes after the last one. No column of this program has a value of the type REAL.
    fn follows(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let mut key = Vec::with_capacity(self.columns.len() + 1);
        for place in 0..row.as_ref().column_count() {
            let is_without_case = self.columns.get(place).is_some_and(|column| column.is_without_case);
            key.push(match row.get_ref(place)? {
                ValueRef::Null => KeyValue::Null,
                ValueRef::Integer(value) => KeyValue::Integer(value),
                ValueRef::Text(text) if is_without_case => KeyValue::Text(text.to_ascii_lowercase()),
                ValueRef::Text(text) => KeyValue::Text(text.to_vec()),
                ValueRef::Blob(blob) => KeyValue::Blob(blob.to_vec()),
                ValueRef::Real(_) => return Ok(false),
            });
        }
        let count = self.columns.len();
        let follows = self.last.as_ref().is_none_or(|last| {
            let is_same_key = || key[..count] == last[..count] && !key[..count].contains(&KeyValue::Null);
            key.cmp(last) == Ordering::Greater && !(self.is_unique && is_same_key())
        });
        self.last = Some(key);
        Ok(follows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE a (id INTEGER PRIMARY KEY, name TEXT COLLATE NOCASE, at INTEGER, key BLOB, UNIQUE (key, at)) STRICT;
                 CREATE INDEX a_name ON a (name);
                 CREATE INDEX a_at ON a (at);
                 CREATE TABLE b (value TEXT, kind TEXT, a INTEGER, PRIMARY KEY (value, kind, a)) STRICT, WITHOUT ROWID;
                 INSERT INTO a VALUES (1, 'web', 5, x'02'), (2, 'Web', 4, x'01'), (7, 'WEB', NULL, x'01'), (9, 'a', NULL, x'01');
                 INSERT INTO b VALUES ('x', 'dns', 1), ('x', 'dns', 2), ('X', 'ip', 1);",
            )
            .unwrap();
        connection
    }

    /// Exchanges what an index or table is made of, as damage may: the pages stay, and their meaning is another one.
    fn redefine(connection: &Connection, name: &str, from: &str, to: &str) {
        let change = "UPDATE sqlite_schema SET sql = replace(sql, ?1, ?2) WHERE name = ?3 AND instr(sql, ?1)";
        connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
        assert_eq!(connection.execute(change, [from, to, name]).unwrap(), 1);
        connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
    }

    #[test]
    fn indexes_with_the_rows_of_their_tables_are_sound() {
        assert!(is_sound(&database()).unwrap());
        assert!(is_sound(&Connection::open_in_memory().unwrap()).unwrap());
    }

    #[test]
    fn an_index_with_other_rows_or_another_order_is_not_sound() {
        let changes = [
            ("a_at", "(at)", "(id)", "the values of another column"),
            ("a", "name TEXT COLLATE NOCASE", "name TEXT", "an index in the order of another collation"),
            ("a_name", "CREATE INDEX", "CREATE UNIQUE INDEX", "a key that is not unique"),
            (
                "b",
                "value TEXT, kind TEXT",
                "value TEXT COLLATE NOCASE, kind TEXT",
                "a table in the order of another collation",
            ),
        ];
        for (name, from, to, what) in changes {
            let connection = database();
            redefine(&connection, name, from, to);
            assert!(!is_sound(&connection).unwrap(), "{what}");
        }
    }

    #[test]
    fn a_row_that_an_index_lacks_or_has_twice_is_found() {
        for (without, change) in
            [("a_name", "INSERT INTO a VALUES (10, 'x', 1, x'05')"), ("a_at", "DELETE FROM a WHERE id = 2")]
        {
            let connection = database();
            let read = "SELECT sql FROM sqlite_schema WHERE name = ?1";
            let sql: String = connection.query_row(read, [without], |row| row.get(0)).unwrap();
            // The schema forgets the index while the row changes, and then has it again with its old pages.
            let page: i64 = connection
                .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [without], |row| row.get(0))
                .unwrap();
            connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
            connection.execute("DELETE FROM sqlite_schema WHERE name = ?1", [without]).unwrap();
            connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
            connection.execute_batch(change).unwrap();
            connection.execute_batch("PRAGMA writable_schema = ON").unwrap();
            let insert =
                "INSERT INTO sqlite_schema (type, name, tbl_name, rootpage, sql) VALUES ('index', ?1, 'a', ?2, ?3)";
            connection.execute(insert, rusqlite::params![without, page, sql]).unwrap();
            connection.execute_batch("PRAGMA writable_schema = RESET").unwrap();
            assert!(!is_sound(&connection).unwrap(), "{change}");
        }
    }

    #[test]
    fn an_index_of_another_kind_is_left_to_the_complete_check() {
        for index in ["(at) WHERE at > 4", "(at + 1)", "(at DESC)", "(name COLLATE RTRIM)"] {
            let connection = database();
            connection.execute_batch(&format!("CREATE INDEX other ON a {index}")).unwrap();
            assert!(!is_sound(&connection).unwrap(), "{index}");
        }
    }
}
