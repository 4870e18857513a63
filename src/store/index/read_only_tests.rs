//! An index where this process may not write. Root may write everywhere, so these tests need a medium that is read-only:
//! `tests/suite/other_users.rs` has it. Here is the rest.

use std::fs;

use super::database::Database;
use super::database::sqlite::Access;
use super::error::{IndexError, IndexPath};
use super::read_only::{connect_unlocked, migrated_copy};
use super::{Index, schema};

#[test]
fn the_main_file_alone_is_read_as_immutable_whatever_its_name_is() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("a?b#c%20 d=é");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("index.db");
    Index::create(&path).unwrap().close_folded().unwrap();
    for file in ["index.db-wal", "index.db-shm"] {
        fs::remove_file(folder.join(file)).unwrap();
    }
    let connection = connect_unlocked(&path, &IndexPath(path.clone())).unwrap();
    assert!(!schema::version(&connection, &IndexPath(path)).unwrap().is_older());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing was created");
}

#[test]
fn a_log_is_read_without_shared_memory() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("index.db");
    let index = Index::create(&path).unwrap();
    index.connection.raw().execute_batch("INSERT INTO hook VALUES ('web.test', 'true', 60, 'keep')").unwrap();
    let copy = top.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::copy(top.path().join("index.db-wal"), top.path().join("copy.db-wal")).unwrap();
    let connection = connect_unlocked(&copy, &IndexPath(copy.clone())).unwrap();
    let names: String = connection.query_row("SELECT name FROM hook", &[], |row| row.get(0)).unwrap();
    assert_eq!(names, "web.test");
    assert!(!top.path().join("copy.db-shm").exists());
    assert!(connection.execute_batch("DELETE FROM hook").is_err());
}

#[test]
fn an_older_index_is_migrated_in_memory() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("index.db");
    drop(Index::create(&path).unwrap());
    let source = Database::open_file(&path, Access::Write).unwrap();
    source
        .execute_batch("DROP TABLE imported_revocation; DROP TABLE imported_serial; DROP TABLE file_rules; DROP TABLE export; DROP TABLE declaration; DROP TABLE crl_bundle; DROP TABLE event; ALTER TABLE certificate DROP COLUMN delivered_check; ALTER TABLE revocation_list DROP COLUMN published_check; ALTER TABLE rollback DROP COLUMN done_check; PRAGMA user_version = 3")
        .unwrap();
    let place = IndexPath(path);
    assert!(schema::version(&source, &place).unwrap().is_older());
    let copy = migrated_copy(&source, &place).unwrap();
    assert!(
        !schema::version(&copy, &place).unwrap().is_older() && schema::version(&source, &place).unwrap().is_older()
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let top = tempfile::tempdir().unwrap();
    let path = top.path().join("missing.db");
    let refused = connect_unlocked(&path, &IndexPath(path.clone()));
    assert!(matches!(&refused, Err(IndexError::File(error)) if error.is_missing()), "{refused:?}");
}
