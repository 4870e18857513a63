//! A PostgreSQL server of its own in a temporary folder, with a Unix socket; with TLS also on a port of the loopback interface.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal};

use super::program::succeeded;
use super::skip;

/// PostgreSQL does not run as root; this is the user nobody.
const OTHER_USER: u32 = 65534;

/// A server that runs, until it is dropped.
pub struct PostgresServer {
    folder: tempfile::TempDir,
    programs: PathBuf,
    settings: Vec<String>,
    port: u16,
    /// Whether the database is on a disk of its own, which only the server sees.
    has_small_disk: bool,
}

/// What `begin` runs around `pg_ctl`: a disk of 32 MB for the server and the user `nobody`.
const WITH_SMALL_DISK: &str =
    "mount -t tmpfs -o size=32m,uid=65534,gid=65534,mode=700 of-this-test \"$1\" && shift && exec \"$@\"";

impl PostgresServer {
    /// A server with the database `pki`; `None`, and a named skip, when PostgreSQL is not installed.
    pub fn start() -> Option<Self> {
        let server = Self::made()?;
        server.begin();
        succeeded("createdb", &server.as_user("createdb").args(["-U", "postgres", "pki"]).output().unwrap());
        Some(server)
    }

    /// As [`start`](Self::start), with the database on a small disk; `None` also when this process may not mount one.
    pub fn start_on_small_disk() -> Option<Self> {
        if !skip::unless_installed(&["unshare"]) || !skip::unless_root() {
            return None;
        }
        let mount = ["--mount", "--", "sh", "-c", "mount -t tmpfs of-this-test /mnt"];
        if !Command::new("unshare").args(mount).output().is_ok_and(|output| output.status.success()) {
            skip::because("a file system cannot be mounted here");
            return None;
        }
        let mut server = Self::made()?;
        server.has_small_disk = true;
        fs::create_dir(server.small_disk()).unwrap();
        server.begin();
        for sql in [
            format!("CREATE TABLESPACE small LOCATION '{}'", server.small_disk().display()),
            "CREATE DATABASE pki TABLESPACE small".to_owned(),
        ] {
            succeeded(&sql, &server.psql_in("postgres", "postgres", &sql));
        }
        Some(server)
    }

    fn small_disk(&self) -> PathBuf {
        self.folder.path().join("small")
    }

    /// Fills the small disk, or empties it again.
    pub fn fill_disk(&self, is_full: bool) {
        let rows = if is_full { 100_000 } else { 0 };
        let file = self.small_disk().join("filling");
        let copy = format!("COPY (SELECT repeat('x', 1000) FROM generate_series(1, {rows})) TO '{}'", file.display());
        let filled = self.psql_in("postgres", "postgres", &copy);
        assert_eq!(filled.status.success(), !is_full, "{filled:?}");
    }

    fn made() -> Option<Self> {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let programs = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("postgres").is_file());
        let Some(programs) = programs.max() else {
            skip::because("PostgreSQL is not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            chown(folder.path(), Some(OTHER_USER), Some(OTHER_USER)).unwrap();
        }
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let server = Self { folder, programs, settings: Vec::new(), port: 5432, has_small_disk: false };
        let mut initdb = server.as_user("initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", "-D"]);
        succeeded("initdb", &initdb.arg(server.data()).output().unwrap());
        Some(server)
    }

    /// The folder of the socket.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The place of an index in the schema `ca`, for a role.
    pub fn url(&self, role: &str) -> String {
        format!("postgresql://{role}@/pki?host={}", self.folder.path().display())
    }

    /// A program of PostgreSQL, run by a user that is not root.
    pub fn as_user(&self, program: &str) -> Command {
        self.as_user_within(None, program)
    }

    /// As [`as_user`](Self::as_user), run by another command line.
    fn as_user_within(&self, around: Option<Command>, program: &str) -> Command {
        let mut line: Vec<OsString> = Vec::new();
        if rustix::process::geteuid().is_root() {
            line.extend(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"].map(OsString::from));
        }
        line.push(self.programs.join(program).into());
        let mut command = around.unwrap_or_else(|| Command::new(line.remove(0)));
        command.args(line);
        command.current_dir(self.folder.path()).env("PGHOST", self.folder.path()).env("LC_ALL", "C.UTF-8");
        command.env("PGPORT", self.port.to_string()).stdin(Stdio::null());
        command
    }

    /// What `psql` prints for SQL, as the role that owns the database.
    pub fn sql(&self, sql: &str) -> String {
        succeeded(sql, &self.psql("postgres", sql))
    }

    /// SQL as another role.
    pub fn psql(&self, role: &str, sql: &str) -> std::process::Output {
        self.psql_in("pki", role, sql)
    }

    fn psql_in(&self, database: &str, role: &str, sql: &str) -> std::process::Output {
        let mut psql = self.as_user("psql");
        psql.args(["-U", role, "-d", database, "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-c", sql]).output().unwrap()
    }

    /// Changes the port, which is also in the name of the socket, from the next start on.
    pub fn listen_on(&mut self, port: u16) {
        self.port = port;
    }

    /// Adds a setting, which the next start uses.
    pub fn set(&mut self, setting: impl Into<String>) {
        self.settings.push(setting.into());
    }

    /// Starts it, and returns when it accepts connections.
    pub fn begin(&self) {
        let mut options = format!("-p {} -k {} -c listen_addresses=''", self.port, self.folder.path().display());
        for setting in &self.settings {
            options.push_str(&format!(" -c {setting}"));
        }
        let log = self.folder.path().join("log");
        let around = self.has_small_disk.then(|| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "--", "sh", "-c", WITH_SMALL_DISK, "sh"]).arg(self.small_disk());
            unshare
        });
        let mut start = self.as_user_within(around, "pg_ctl");
        start.arg("-D").arg(self.data()).args(["-w", "-o", &options, "-l"]).arg(&log).arg("start");
        // The server keeps what it inherits.
        let status = start.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
        assert!(status.success(), "pg_ctl start: {}", fs::read_to_string(&log).unwrap_or_default());
    }

    /// Stops it in an orderly way, and starts it again.
    pub fn restart(&self) {
        self.stop("fast");
        self.begin();
    }

    fn stop(&self, mode: &str) {
        let mut stop = self.as_user("pg_ctl");
        stop.arg("-D").arg(self.data()).args(["-w", "-m", mode, "stop"]);
        stop.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    }

    /// Kills every process of it at once, as a crash of the machine does, and returns when all are gone.
    pub fn kill(&self) {
        let file = self.data().join("postmaster.pid");
        let leader: i32 = fs::read_to_string(&file).unwrap().lines().next().unwrap().trim().parse().unwrap();
        let children = fs::read_to_string(format!("/proc/{leader}/task/{leader}/children")).unwrap();
        let all: Vec<i32> =
            [leader].into_iter().chain(children.split(' ').filter_map(|pid| pid.parse().ok())).collect();
        for pid in &all {
            // One that ended meanwhile is what is wanted.
            rustix::process::kill_process(Pid::from_raw(*pid).unwrap(), Signal::KILL).ok();
        }
        while all.iter().any(|pid| Path::new(&format!("/proc/{pid}/fd/0")).exists()) {
            std::thread::yield_now();
        }
        // What a crash leaves. As long as the killed process has no parent that waits for it, its number is in use.
        for left in [file, self.folder.path().join(format!(".s.PGSQL.{}.lock", self.port))] {
            fs::remove_file(left).unwrap();
        }
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        self.stop("immediate");
    }
}
