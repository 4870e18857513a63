//! An index whose rows have any values: of each table, whatever the current version has. Every query answers, with rows or with
//! an error that names the index; none of them invents a revocation or a certificate.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use ca::store::index::placement::{self, ExpiryCondition};
use ca::store::index::{
    CertificateStatus, EntryId, EventContext, EventKind, Filter, Index, IndexError, NewCrl, NewEntry, Origin,
    Revocation, Rollback, StoredHook,
};
use ca::system::Actor;
use ca::x509::Certificate;
use ca::x509::crl::RevocationReason;
use rusqlite::types::Value;

use super::kit::{self, NOW, Words};

pub fn run(data: &[u8]) {
    let (folder, mut words) = (Folder::new(), Words(data));
    let path = folder.index();
    if words.octet().is_multiple_of(8) {
        spoil_bytes(&path, &mut words);
        // A damaged file is not opened, or shows what it has.
        drop(Index::open_to_read(&path).map(|index| index.check()));
        read(&path, false);
    } else {
        spoil_values(&path, &mut words);
        read(&path, true);
    }
}

fn read(path: &Path, is_sound: bool) {
    let names = ["a.test", "root", "", "é"];
    let index = match Index::open_to_read(path) {
        Ok(index) => index,
        Err(error) => return assert!(!is_sound, "{error}"),
    };
    let mut listed = Vec::new();
    let whole = index.for_each(&Filter::default(), NOW, |entry| listed.push(entry));
    if let Ok(total) = whole {
        assert_eq!(total as usize, listed.len());
    }
    for entry in &listed {
        let status = entry.status(NOW);
        assert_eq!(status == CertificateStatus::Revoked, is_final(entry.revocation.as_ref()));
        if let Ok(certificate) = index.certificate(entry) {
            drop((index.current_revocation_of(&certificate), index.serial_is_used(&certificate.serial)));
        }
        drop((index.revocations(entry.id), index.current_revocation(entry.id), index.by_serial(&entry.serial)));
    }
    for name in names {
        let (history, rollbacks) = (index.history(name), index.rollbacks(name));
        if let (Ok(history), Ok(rollbacks)) = (&history, &rollbacks) {
            let in_place = placement::in_place(history, rollbacks);
            assert!(in_place.is_none_or(|entry| history.contains(entry)));
            placement::unfinished(history, rollbacks);
        }
        drop((index.latest_by_name(name), index.hook(name), index.latest_crl(name)));
        if let Ok(entries) = index.to_be_listed(name, NOW) {
            // The bytes of a serial number are those of a row.
            assert!(entries.len() <= 16);
        }
        if let Ok(reference) = name.parse() {
            drop(index.find(&reference));
        }
    }
    for status in CertificateStatus::ALL {
        let filter = Filter { status: Some(status), limit: Some(2), ..Filter::default() };
        if let Ok((entries, _)) = index.query(&filter, NOW) {
            assert!(
                entries.len() <= 2 && entries.iter().all(|entry| entry.status(NOW) == status),
                "{status}: {entries:?}"
            );
        }
    }
    drop((
        index.latest_crls(),
        index.last_revocation(),
        index.names_possibly_due(&ExpiryCondition::InLastThird(NOW), NOW),
    ));
    drop((index.log_head(), index.signed_head()));
    let mut events = 0;
    drop(index.each_event(|_, _| -> Result<(), IndexError> {
        events += 1;
        Ok(())
    }));
    assert!(events <= 64);
    drop(index);
    write(path, is_sound, &listed.iter().map(|entry| entry.id).collect::<Vec<_>>());
}

/// A command that writes into the spoiled index fails, or does what it says.
fn write(path: &Path, is_sound: bool, ids: &[EntryId]) {
    let Ok(mut index) = Index::open(path) else { return };
    let Ok(mut transaction) = index.transaction(context()) else { return };
    for id in ids {
        if transaction.revoke(*id, &revocation(RevocationReason::KeyCompromise)).is_ok() {
            let current = transaction.current_revocation(*id);
            assert!(!is_sound || current.is_err() || is_final(current.unwrap().as_ref()), "a revocation is lost");
        }
    }
    let number = transaction.latest_crl("root").ok().flatten().map_or(1, |crl| crl.number.saturating_add(1));
    drop(transaction.record_crl(&crl(number)));
}

fn is_final(revocation: Option<&Revocation>) -> bool {
    revocation.is_some_and(|revocation| revocation.reason != RevocationReason::CertificateHold)
}

fn revocation(reason: RevocationReason) -> Revocation {
    Revocation { at: NOW, reason, invalid_since: Some(NOW), released_at: None }
}

fn crl(number: u64) -> NewCrl<'static> {
    NewCrl {
        authority: "root",
        number,
        signed_at: NOW,
        this_update: NOW,
        next_update: NOW + time::Duration::days(30),
        entries: 1,
        last_revocation: 2,
        content: [1; 32],
        fingerprint: [2; 32],
    }
}

/// A folder with an index that has a row in each table, as the program writes it; removed at the end of the run.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        // In memory where that is possible.
        let memory = Path::new("/dev/shm");
        let above = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = Self(above.join(format!("ca-fuzz-index-{}-{number}", std::process::id())));
        drop(std::fs::remove_dir_all(&folder.0));
        std::fs::create_dir(&folder.0).unwrap();
        folder
    }

    fn index(&self) -> PathBuf {
        self.0.join("index.db")
    }
}

/// The bytes of the index before anything is changed.
static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = Folder::new();
    let mut index = Index::create(&folder.index()).unwrap();
    fill(&mut index);
    index.close_folded().unwrap();
    std::fs::read(folder.index()).unwrap()
});

/// The columns of a table: name, and declared type.
type Columns = Vec<(String, String)>;

/// The tables of the sample, whatever the current version has.
static TABLES: LazyLock<Vec<(String, Columns)>> = LazyLock::new(|| {
    let folder = Folder::new();
    std::fs::write(folder.index(), &*SAMPLE).unwrap();
    let raw = rusqlite::Connection::open(folder.index()).unwrap();
    let list = |sql: &str, columns: [usize; 2]| -> Columns {
        let mut statement = raw.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(columns[0])?, row.get(columns[1])?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let tables = list("SELECT name, type FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", [0, 1]);
    tables.into_iter().map(|(table, _)| (table.clone(), list(&format!("PRAGMA table_info({table})"), [1, 2]))).collect()
});

/// Overwrites a few bytes of the file behind its header, whatever they are.
fn spoil_bytes(path: &Path, words: &mut Words<'_>) {
    let mut bytes = SAMPLE.clone();
    while !words.0.is_empty() {
        let at = usize::from(words.octet()) << 8 | usize::from(words.octet());
        let at = 100 + at % (bytes.len() - 100);
        bytes[at] = words.octet();
    }
    std::fs::write(path, bytes).unwrap();
}

/// Gives columns other values, row by row.
fn spoil_values(path: &Path, words: &mut Words<'_>) {
    std::fs::write(path, &*SAMPLE).unwrap();
    let raw = rusqlite::Connection::open(path).unwrap();
    raw.execute_batch("PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; BEGIN").unwrap();
    while !words.0.is_empty() {
        let (table, columns) = words.one(&TABLES);
        let (column, kind) = words.one(columns);
        let row = words.below(4);
        // TEXT may hold bytes that are not UTF-8: a program of another language can write them.
        let (value, cast) = match (kind.as_str(), words.below(8)) {
            (_, 0) => (Value::Null, "?1"),
            ("INTEGER", 1) => {
                (Value::Integer(*words.one(&[i64::MIN, i64::MAX, -1, 253_402_300_799, 253_402_300_800])), "?1")
            }
            ("INTEGER", 2) => (Value::Integer(NOW.unix_timestamp() + i64::from(words.octet()) - 128), "?1"),
            ("INTEGER", _) => (Value::Integer(i64::from(words.octet())), "?1"),
            ("TEXT", 1) => (Value::Text((*words.one(&["a.test", "root", "issued", "dns:a.test"])).to_owned()), "?1"),
            ("TEXT", _) => (Value::Blob(words.octets().to_vec()), "CAST(?1 AS TEXT)"),
            (_, 1) => (Value::Blob(kit::certificate(words, 0)), "?1"),
            _ => (Value::Blob(words.octets().to_vec()), "?1"),
        };
        let sql = format!(
            "UPDATE {table} SET {column} = {cast} WHERE {column} IS (SELECT {column} FROM {table} LIMIT 1 OFFSET {row})"
        );
        // A value that the table itself refuses stays out.
        drop(raw.execute(&sql, [value]));
    }
    raw.execute_batch("COMMIT").unwrap();
}

fn fill(index: &mut Index) {
    let certificates: Vec<Certificate> = (1..=4_u8)
        .map(|serial| {
            Certificate::from_der(&kit::certificate(&mut Words(&[0x6c, 9, serial]), usize::from(serial % 3))).unwrap()
        })
        .collect();
    let mut transaction = index.transaction(context()).unwrap();
    let mut ids = Vec::new();
    for certificate in &certificates {
        let place = (certificate == &certificates[1]).then_some(Path::new("/srv/tls"));
        let (name, template, authority) = ("a.test", "server", "root");
        let delivered_at = Some(NOW);
        let origin = Origin::Issued;
        let (issued_at, event) = (NOW, EventKind::Issue);
        let detail = None;
        let entry =
            NewEntry { certificate, name, template, authority, issued_at, origin, place, delivered_at, event, detail };
        ids.push(transaction.insert(&entry).unwrap());
    }
    transaction.revoke(ids[0], &revocation(RevocationReason::Superseded)).unwrap();
    transaction.revoke(ids[1], &revocation(RevocationReason::CertificateHold)).unwrap();
    transaction.record_crl(&crl(1)).unwrap();
    let rollback = Rollback { id: 0, certificate: ids[2], replaced: ids[3], newest: ids[3], at: NOW, done_at: None };
    transaction.roll_back(&rollback, "a.test").unwrap();
    let hook = StoredHook { command: "true".to_owned(), timeout: 5, on_failure: "keep".to_owned() };
    transaction.set_hook("a.test", Some(&hook)).unwrap();
    transaction.commit().unwrap();
}

fn context() -> EventContext {
    let actor = Actor { user_id: 1000, user: Some("alice".to_owned()), sudo_user: None, host: "a.test".to_owned() };
    EventContext { at: NOW, actor }
}
