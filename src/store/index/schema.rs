//! The tables of the index, and the migration of an older index to the current version.

use crate::store::index::database::{Database, DatabaseError, DatabaseResult};
use crate::store::index::error::{IndexError, IndexPath};
use crate::store::index::event_log;
use crate::store::index::limits::PAGES_OF_LOG;
use crate::store::index::mark::Mark;
use crate::store::index::version::IndexVersion;

/// "caIX": marks an SQLite file as an index of this program (PRAGMA application_id).
const APPLICATION_ID: i64 = 0x6361_4958;

/// One step from a version of the index to the next: statements, and a function for what no statement can do. A new index
/// has no rows, so it needs only the statements.
struct Migration {
    statements: &'static str,
    then: Option<fn(&Database) -> DatabaseResult<()>>,
}

impl Migration {
    const fn of(statements: &'static str) -> Self {
        Self { statements, then: None }
    }
}

/// Each migration brings an index from the version of its position to the next. Migrations are only appended, because
/// an existing index has run exactly those before its version.
///
/// Version 1. Times are seconds since 1970 in UTC. The column order of UNIQUE makes it the index for serial numbers,
/// too. `sans` repeats `san` in the order of the certificate, one `kind:value` per line, so that listing entries needs
/// no second query. A table WITHOUT ROWID is its own index, which saves one written page for each certificate.
///
/// Version 2. A CRL is recorded before its files appear, so that its number is never used for another CRL. `revocation`
/// repeats the columns of the certificate that a CRL needs: a CRL of 100,000 entries then reads 8 MB and not the DER of
/// all certificates.
///
/// Version 3. A rollback is recorded before its files are put back, so that the same command completes an interrupted
/// rollback. A hook is a setting of its name, and the only row here that is overwritten.
///
/// Version 4. The event log has one event for each change; a row that was there before gets an event of the kind `migrate`.
/// The table has no index, so that an event costs one written page. Each mark gets a check value.
///
/// Version 5. Revocations that a published CRL or the index of another tool names, and serial numbers that another tool
/// gave. The latest row of a serial number counts; removeFromCRL (8) ends the rows before it. When the index has the
/// certificate, the revocation is a row of `revocation` too, and only that one counts.
///
/// Version 7. The owner, group and mode of the files of a name: a setting like a hook.
///
/// Version 8. The files with the CRLs of all authorities. `content` changes when the hook of the file succeeded, so that a
/// hook that failed, or did not run, is found by comparing it with the file.
///
/// Version 9. The exports of a name. An export that another one replaced, or that was forgotten, keeps its row.
///
/// Version 10. The CRLs that an export was last written with: the first eight bytes of their SHA-256, as a signed number. It changes
/// when the hook of the name succeeded, as the content of a bundle does.
///
/// Version 11. The names that a manifest declares, and what their certificates were made from: a setting like a hook.
const MIGRATIONS: &[Migration] = &[
    Migration::of(
        "
CREATE TABLE certificate (
    id              INTEGER PRIMARY KEY,
    serial          BLOB NOT NULL,      -- content octets of the INTEGER
    issuer          BLOB NOT NULL,      -- DER of the issuer's name
    der             BLOB NOT NULL,
    name            TEXT NOT NULL COLLATE NOCASE, -- NAME of the entry, or of the authority: Web and web share a folder
    template        TEXT NOT NULL,
    authority       TEXT NOT NULL,      -- the name of the authority that signed it; a root's is its own
    subject         TEXT NOT NULL,      -- as shown
    sans            TEXT NOT NULL,
    key_fingerprint BLOB NOT NULL,      -- SHA-256 of the SubjectPublicKeyInfo
    fingerprint     BLOB NOT NULL,      -- SHA-256 of the certificate
    not_before      INTEGER NOT NULL,
    not_after       INTEGER NOT NULL,
    issued_at       INTEGER NOT NULL,
    origin          TEXT NOT NULL,      -- issued, adopted, imported
    place           TEXT,               -- folder of its files, when it is not issued/<name>
    delivered_at    INTEGER,            -- set once its files are in place
    UNIQUE (serial, issuer)
) STRICT;
CREATE INDEX certificate_name ON certificate (name);
CREATE INDEX certificate_not_after ON certificate (not_after);
CREATE INDEX certificate_key ON certificate (key_fingerprint);
CREATE TABLE san (
    value       TEXT NOT NULL,
    kind        TEXT NOT NULL,          -- dns, ip, email, uri, directory, other
    certificate INTEGER NOT NULL REFERENCES certificate (id),
    PRIMARY KEY (value, kind, certificate)
) STRICT, WITHOUT ROWID;
CREATE TABLE revocation (
    id            INTEGER PRIMARY KEY,
    certificate   INTEGER NOT NULL REFERENCES certificate (id),
    at            INTEGER NOT NULL,
    reason        INTEGER NOT NULL,     -- CRLReason of RFC 5280 section 5.3.1
    invalid_since INTEGER,              -- since when the key is suspected (RFC 5280 section 5.3.2)
    released_at   INTEGER               -- end of a hold
) STRICT;
CREATE INDEX revocation_certificate ON revocation (certificate);
",
    ),
    Migration::of(
        "
ALTER TABLE revocation ADD COLUMN authority TEXT;
ALTER TABLE revocation ADD COLUMN serial BLOB;
ALTER TABLE revocation ADD COLUMN not_after INTEGER;
UPDATE revocation SET (authority, serial, not_after) =
    (SELECT c.authority, c.serial, c.not_after FROM certificate AS c WHERE c.id = revocation.certificate);
CREATE TABLE revocation_list (
    authority       TEXT NOT NULL,      -- the name of the authority that signed it
    number          INTEGER NOT NULL,   -- CRL number (RFC 5280 section 5.2.3)
    signed_at       INTEGER NOT NULL,
    this_update     INTEGER NOT NULL,
    next_update     INTEGER NOT NULL,
    entries         INTEGER NOT NULL,   -- how many certificates it names
    last_revocation INTEGER NOT NULL,   -- the latest row of revocation when it was made
    content         BLOB NOT NULL,      -- SHA-256 of what it says of certificates
    fingerprint     BLOB NOT NULL,      -- SHA-256 of the list
    published_at    INTEGER,            -- set once its files are in place
    PRIMARY KEY (authority, number)
) STRICT, WITHOUT ROWID;
",
    ),
    Migration::of(
        "
CREATE TABLE rollback (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL COLLATE NOCASE,
    certificate INTEGER NOT NULL REFERENCES certificate (id), -- whose files are put back
    replaced    INTEGER NOT NULL REFERENCES certificate (id), -- whose files they take the place of
    newest      INTEGER NOT NULL,   -- the newest certificate of the name at that time
    at          INTEGER NOT NULL,
    done_at     INTEGER             -- set once the files are in place
) STRICT;
CREATE INDEX rollback_name ON rollback (name);
CREATE TABLE hook (
    name       TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    command    TEXT NOT NULL,       -- for sh -c
    timeout    INTEGER NOT NULL,    -- in seconds
    on_failure TEXT NOT NULL        -- keep, rollback
) STRICT, WITHOUT ROWID;
",
    ),
    Migration {
        statements: "
CREATE TABLE event (
    number    INTEGER PRIMARY KEY,  -- 1, 2, 3 and so on, without a gap
    at        INTEGER NOT NULL,
    kind      TEXT NOT NULL,        -- issue, revoke, crl and so on
    object    TEXT,                 -- what it covers: certificate, revocation, release, crl, rollback, hook
    row       INTEGER,              -- the id of that row, or the number of a CRL
    name      TEXT NOT NULL COLLATE NOCASE, -- of the entry or authority
    serial    BLOB,                 -- of the certificate
    content   BLOB,                 -- SHA-256 of the row
    detail    TEXT,
    user_id   INTEGER,
    user      TEXT,
    sudo_user TEXT,
    host      TEXT,
    head      BLOB NOT NULL,        -- the hash over this event and all before it
    signed_by TEXT,                 -- the authority whose key signed the head
    signature BLOB
) STRICT;
ALTER TABLE certificate ADD COLUMN delivered_check BLOB;
ALTER TABLE revocation_list ADD COLUMN published_check BLOB;
ALTER TABLE rollback ADD COLUMN done_check BLOB;
",
        then: Some(|connection| {
            Mark::FIRST.into_iter().try_for_each(|mark| mark.add_checks(connection))?;
            event_log::cover_existing_rows(connection)
        }),
    },
    Migration::of(
        "
CREATE TABLE imported_revocation (
    id            INTEGER PRIMARY KEY,
    authority     TEXT NOT NULL,        -- the name of the authority that signed the certificate
    serial        BLOB NOT NULL,        -- content octets of the INTEGER
    issuer        BLOB NOT NULL,        -- DER of the issuer's name
    at            INTEGER NOT NULL,
    reason        INTEGER NOT NULL,     -- CRLReason of RFC 5280 section 5.3.1
    invalid_since INTEGER,              -- since when the key is suspected (RFC 5280 section 5.3.2)
    not_after     INTEGER,              -- end of the certificate; NULL: not known
    source        TEXT NOT NULL,        -- where it was read: crl, openssl-index, forget
    recorded_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX imported_revocation_serial ON imported_revocation (serial);
CREATE TABLE imported_serial (
    id        INTEGER PRIMARY KEY,
    authority TEXT NOT NULL,            -- the name of the authority that signed the certificate
    serial    BLOB NOT NULL,
    not_after INTEGER NOT NULL,
    subject   TEXT NOT NULL             -- as the other tool has it
) STRICT;
CREATE INDEX imported_serial_serial ON imported_serial (serial);
",
    ),
    Migration::of("CREATE INDEX event_at ON event (at);\n"),
    Migration::of(
        "
CREATE TABLE file_rules (
    name       TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    owner      TEXT,
    group_name TEXT,
    mode       INTEGER              -- of the private key
) STRICT, WITHOUT ROWID;
",
    ),
    Migration::of(
        "
CREATE TABLE crl_bundle (
    path    TEXT NOT NULL PRIMARY KEY,  -- absolute
    command TEXT,                       -- the hook, for sh -c; NULL: none
    timeout INTEGER,                    -- of the hook, in seconds
    also    TEXT NOT NULL,              -- files with CRLs of CAs above, one path a line
    content BLOB                        -- SHA-256 of the file that its hook has seen; NULL: none yet
) STRICT, WITHOUT ROWID;
",
    ),
    Migration::of(
        "
CREATE TABLE export (
    id                  INTEGER PRIMARY KEY,
    name                TEXT NOT NULL COLLATE NOCASE,
    kind                TEXT NOT NULL,      -- pem, p12 and so on; recipe:nginx and so on
    target              TEXT,               -- the programs that import it
    destination         TEXT NOT NULL,      -- the file; of a recipe, the folder
    passphrase_file     TEXT,               -- with a passphrase that the user chose for it
    key_passphrase_file TEXT,               -- with that of the private key of the certificate
    options             TEXT NOT NULL,      -- of a recipe
    added_at            INTEGER NOT NULL,
    removed_at          INTEGER,
    certificate         INTEGER,            -- that it was last written for
    certificate_check   BLOB
) STRICT;
CREATE INDEX export_name ON export (name);
",
    ),
    Migration::of(
        "
ALTER TABLE export ADD COLUMN crls INTEGER;
ALTER TABLE export ADD COLUMN crls_check BLOB;
",
    ),
    Migration::of(
        "
CREATE TABLE declaration (
    name            TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    manifest        TEXT NOT NULL,  -- the file that declares the certificate; absolute
    template_digest BLOB NOT NULL,  -- SHA-256 of the text of its template, and of what that is based on
    lifetime        INTEGER,        -- that the file declares, in seconds; NULL: that of the template
    pending_hook    INTEGER NOT NULL -- 1: the files changed, and the hook has not run yet
) STRICT, WITHOUT ROWID;
",
    ),
];

/// The version that this program writes.
const VERSION: i64 = MIGRATIONS.len() as i64;

/// Creates the tables in an empty file. This function does not sync; the caller syncs once at the end.
pub(crate) fn create(connection: &Database) -> DatabaseResult<()> {
    connection.execute_batch(&format!(
        "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;
         BEGIN; PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {VERSION}; {} COMMIT;
         PRAGMA journal_mode = WAL;",
        MIGRATIONS.iter().map(|migration| migration.statements).collect::<String>()
    ))
}

/// Prepares a connection for its first change: a commit is durable when it returns, and damage is detected.
pub(crate) fn prepare_for_writing(connection: &Database) -> DatabaseResult<()> {
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA foreign_keys = ON;
         PRAGMA wal_autocheckpoint = {PAGES_OF_LOG};"
    ))
}

/// Returns the version of an index; fails when the file is not an index, or of a later version.
pub(crate) fn version(connection: &Database, place: &IndexPath) -> Result<IndexVersion, IndexError> {
    let path = || place.0.clone();
    let value = |pragma: &str| -> Result<i64, IndexError> {
        connection.query_row(pragma, &[], |row| row.get(0)).map_err(place.error())
    };
    if value("PRAGMA application_id")? != APPLICATION_ID {
        return Err(IndexError::NotAnIndex { path: path(), found: "an SQLite file of another program" });
    }
    let version = IndexVersion { found: value("PRAGMA user_version")?, current: VERSION };
    version.check_not_newer(place)?;
    if version.found < 1 {
        let reason = format!("its version is {}, but the first one is 1", version.found);
        return Err(IndexError::Damaged { path: path(), reason });
    }
    Ok(version)
}

/// Migrates an older index to the current version in one step.
pub(crate) fn migrate(connection: &Database) -> DatabaseResult<()> {
    run_missing(connection, MIGRATIONS)
}

/// Runs the missing migrations, all or none. Two processes may try at once: the second finds no missing migration.
fn run_missing(connection: &Database, migrations: &[Migration]) -> DatabaseResult<()> {
    connection.execute_batch("PRAGMA synchronous = FULL; BEGIN IMMEDIATE")?;
    let run = || {
        let version: u32 = connection.query_row("PRAGMA user_version", &[], |row| row.get(0))?;
        for migration in migrations.iter().skip(version as usize) {
            connection.execute_batch(migration.statements)?;
            migration.then.map_or(Ok(()), |then| then(connection))?;
        }
        connection.execute_batch(&format!("PRAGMA user_version = {}; COMMIT", migrations.len()))
    };
    run().inspect_err(|_: &DatabaseError| drop(connection.execute_batch("ROLLBACK")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_that_fails_changes_nothing_and_can_be_run_again() {
        let connection = Database::in_memory().unwrap();
        let table = || Migration::of("CREATE TABLE one (id INTEGER);");
        assert!(run_missing(&connection, &[table(), Migration::of("CREATE nonsense")]).is_err());
        run_missing(&connection, &[table(), Migration::of("CREATE TABLE two (id INTEGER);")]).unwrap();
        let version: u32 = connection.query_row("PRAGMA user_version", &[], |row| row.get(0)).unwrap();
        assert_eq!(version, 2);
    }
}
