//! The copy of an index into another database: every row as it is, with its number, and then compared row by row. The event log
//! stays the same, byte for byte, and with it the digests of all rows.

use std::path::{Path, PathBuf};

use crate::store::index::credentials::Credentials;
use crate::store::index::database::postgres::PostgresDatabase;
use crate::store::index::database::{Database, DatabaseResult, Row, ValueRef};
use crate::store::index::error::IndexPath;
use crate::store::index::postgres_location::PostgresLocation;
use crate::store::index::{Index, IndexError, postgres_schema};

/// The tables, each after those that it refers to, with the columns that order its rows in the same way in every engine.
const TABLES: [(&str, &str); 13] = [
    ("certificate", "id"),
    ("san", "certificate, kind, value"),
    ("revocation", "id"),
    ("revocation_list", "authority, number"),
    ("rollback", "id"),
    ("hook", "name COLLATE \"binary\""),
    ("event", "number"),
    ("imported_revocation", "id"),
    ("imported_serial", "id"),
    ("file_rules", "name COLLATE \"binary\""),
    ("crl_bundle", "path"),
    ("export", "id"),
    ("declaration", "name COLLATE \"binary\""),
];

/// What a copy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedRows {
    pub certificates: u64,
    pub events: u64,
    /// The rows of all tables.
    pub rows: u64,
}

impl Index {
    /// Copies this index into a new file, with mode 0600. Neither the file nor its name is durable: the caller syncs both.
    ///
    /// # Errors
    /// When a file of that name exists, the index cannot be read, or the copy is not the same.
    pub fn copy_to_file(&self, path: &Path) -> Result<CopiedRows, IndexError> {
        let copy = Self::create(path)?;
        let copied = self.copy_into(&copy, |_| Ok(()))?;
        copy.close_folded()?;
        Ok(copied)
    }

    /// Copies this index into a schema of a server, which has no tables yet. All of it is there afterwards, or nothing. A schema
    /// that has the same rows already is left as it is.
    ///
    /// # Errors
    /// When the server cannot be reached or would lose records, the schema has other tables, the user may not create them, or
    /// the copy is not the same.
    pub fn copy_to_server(
        &self,
        location: &PostgresLocation,
        credentials: &Credentials,
    ) -> Result<CopiedRows, IndexError> {
        let place = IndexPath(PathBuf::from(location.to_string()));
        let session = PostgresDatabase::connect(location, credentials).map_err(place.error())?;
        let copy = Self { connection: Database::Postgres(Box::new(session)), place };
        if postgres_schema::has_tables(&copy.connection, &location.schema).map_err(copy.place.error())? {
            postgres_schema::check_version(&copy.connection, &copy.place)?;
            let _reading = (self.reading()?, copy.reading()?);
            return self.compare(&copy).map_err(|error| match error {
                IndexError::CopyDiffers { path, .. } => IndexError::OtherIndexThere { path },
                error => error,
            });
        }
        self.copy_into(&copy, |connection| postgres_schema::create(connection, &location.schema))
    }

    /// Records in a server that this index was moved, so that no machine uses it any longer.
    ///
    /// # Errors
    /// When the server cannot be reached, or the user may not record it.
    pub fn mark_moved(&self) -> Result<(), IndexError> {
        postgres_schema::mark_moved(&self.connection).map_err(self.place.error())
    }

    /// Copies every row in one transaction, after `create`.
    fn copy_into(
        &self,
        copy: &Self,
        create: impl FnOnce(&Database) -> DatabaseResult<()>,
    ) -> Result<CopiedRows, IndexError> {
        let _reading = self.reading()?;
        let transaction = copy.connection.begin_writing().map_err(copy.place.error())?;
        create(&transaction).map_err(copy.place.error())?;
        for (table, order) in TABLES {
            self.copy_table(copy, table, order)?;
        }
        if copy.connection.is_of_a_server() {
            postgres_schema::settle_numbers(&copy.connection).map_err(copy.place.error())?;
        }
        let copied = self.compare(copy)?;
        transaction.commit().map_err(copy.place.error())?;
        Ok(copied)
    }

    fn copy_table(&self, copy: &Self, table: &str, order: &str) -> Result<(), IndexError> {
        let select = select_all(table, order);
        let mut statement = self.connection.prepare(&select).map_err(self.place.error())?;
        let mut rows = statement.query(&[]).map_err(self.place.error())?;
        let mut insert = None;
        while let Some(row) = rows.next().map_err(self.place.error())? {
            let values = values_of(&row).map_err(self.place.error())?;
            let insert = insert.get_or_insert_with(|| insert_into(table, &row));
            let inserted = copy.connection.prepare_cached(insert).and_then(|mut insert| insert.execute(&values));
            inserted.map_err(copy.place.error())?;
        }
        Ok(())
    }

    /// Compares every row with that of a copy.
    fn compare(&self, copy: &Self) -> Result<CopiedRows, IndexError> {
        let mut copied = CopiedRows { certificates: 0, events: 0, rows: 0 };
        for (table, order) in TABLES {
            let rows = self.compare_table(copy, table, order)?;
            match table {
                "certificate" => copied.certificates = rows,
                "event" => copied.events = rows,
                _ => {}
            }
            copied.rows += rows;
        }
        // PostgreSQL has one name where SQLite has two that differ in the case of other letters than those of ASCII.
        let names = |index: &Self| -> Result<i64, IndexError> {
            let sql = "SELECT count(DISTINCT name) FROM certificate";
            index.connection.query_row(sql, &[], |row| row.get(0)).map_err(index.place.error())
        };
        if names(self)? == names(copy)? {
            Ok(copied)
        } else {
            Err(IndexError::NamesDifferInCase { path: copy.place.0.clone() })
        }
    }

    /// Returns the number of rows of a table, which are the same in the copy.
    fn compare_table(&self, copy: &Self, table: &str, order: &str) -> Result<u64, IndexError> {
        let select = select_all(table, order);
        let mut ours = self.connection.prepare(&select).map_err(self.place.error())?;
        let mut ours = ours.query(&[]).map_err(self.place.error())?;
        let mut theirs = copy.connection.prepare(&select).map_err(copy.place.error())?;
        let mut theirs = theirs.query(&[]).map_err(copy.place.error())?;
        let mut count = 0;
        loop {
            let row = ours.next().map_err(self.place.error())?;
            let other = theirs.next().map_err(copy.place.error())?;
            let is_same = match (row, other) {
                (None, None) => return Ok(count),
                (Some(row), Some(other)) => is_same(&row, &other).map_err(copy.place.error())?,
                _ => false,
            };
            count += 1;
            if !is_same {
                return Err(IndexError::CopyDiffers {
                    path: copy.place.0.clone(),
                    table: table.to_owned(),
                    row: count,
                });
            }
        }
    }
}

fn select_all(table: &str, order: &str) -> String {
    format!("SELECT * FROM {table} ORDER BY {order}")
}

fn insert_into(table: &str, row: &Row<'_>) -> String {
    let columns: Vec<String> = (0..row.column_count()).map(|column| format!("\"{}\"", row.name(column))).collect();
    let places: Vec<String> = (1..=columns.len()).map(|number| format!("?{number}")).collect();
    format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "))
}

fn values_of<'r>(row: &Row<'r>) -> DatabaseResult<Vec<ValueRef<'r>>> {
    (0..row.column_count()).map(|column| row.get_ref(column)).collect()
}

/// The columns may be in another order.
fn is_same(row: &Row<'_>, other: &Row<'_>) -> DatabaseResult<bool> {
    if row.column_count() != other.column_count() {
        return Ok(false);
    }
    for column in 0..row.column_count() {
        if row.get_ref(column)? != other.get_ref(other.position(row.name(column))?)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{Sample, add, new_index};
    use crate::store::index::schema;

    #[test]
    fn every_table_is_copied() {
        let database = Database::in_memory().unwrap();
        schema::create(&database).unwrap();
        let objects = database.objects().unwrap();
        let tables: Vec<&str> = objects.iter().filter_map(|object| object.strip_prefix("table ")).collect();
        assert_eq!(tables.len(), TABLES.len(), "{tables:?}");
        for table in tables {
            assert!(TABLES.iter().any(|(copied, _)| table.split(' ').next() == Some(copied)), "{table}");
        }
    }

    #[test]
    fn a_copy_has_every_row_and_a_difference_is_found() {
        let (folder, _, mut index) = new_index();
        for (serial, name) in [(1, "web.test"), (2, "WEB.test"), (3, "db.test")] {
            add(&mut index, &Sample { serial, sans: &["web.corp.test", "10.0.0.1"], ..Sample::default() }, name);
        }
        let path = folder.path().join("copy.db");
        let copied = index.copy_to_file(&path).unwrap();
        assert_eq!((copied.certificates, copied.events), (3, 3));
        let copy = Index::open(&path).unwrap();
        assert_eq!(copy.log_head().unwrap(), index.log_head().unwrap());
        assert!(copy.uncovered_rows().unwrap().is_empty() && copy.damaged_marks().unwrap().is_empty());
        assert!(matches!(index.copy_to_file(&path), Err(IndexError::File(_))), "a file is not replaced");
        copy.connection.raw().execute("UPDATE certificate SET subject = 'CN=other' WHERE id = 2", []).unwrap();
        let differs = index.compare(&copy).unwrap_err();
        assert!(
            matches!(&differs, IndexError::CopyDiffers { table, row: 2, .. } if table == "certificate"),
            "{differs}"
        );
        copy.connection.raw().execute("DELETE FROM san WHERE certificate = 3", []).unwrap();
        assert!(index.compare(&copy).is_err());
    }
}
