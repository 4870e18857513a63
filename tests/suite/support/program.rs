//! The program under test, and how any program is run: in a clean environment, without a terminal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

/// The binary: what `CA_BINARY` names (tests/run: the release build), else the one that cargo built for the tests.
pub fn binary() -> &'static Path {
    static BINARY: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::var_os("CA_BINARY").map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_ca")), PathBuf::from)
    });
    assert!(BINARY.is_file(), "CA_BINARY names {}, which is not there", BINARY.display());
    &BINARY
}

/// The cargo that runs the tests, in this repository.
///
/// `tests/timed` sets RUSTC_BOOTSTRAP so that libtest prints durations. Cargo counts this variable among the inputs of every
/// build: with it, the command would compile the program and all dependencies again.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
    command.current_dir(super::repository()).env_remove("RUSTC_BOOTSTRAP");
    command
}

/// A folder that holds nothing but `ca`, for the front of a PATH.
fn folder_with_ca() -> &'static Path {
    static FOLDER: LazyLock<tempfile::TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(std::fs::canonicalize(binary()).unwrap(), folder.path().join("ca")).unwrap();
        folder
    });
    FOLDER.path()
}

/// Where a user's PATH does not look: daemons such as nginx, and easy-rsa, strongSwan and Tomcat as Debian has them.
pub const OTHER_FOLDERS: [&str; 7] = [
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/share/easy-rsa",
    "/usr/lib/ipsec",
    "/usr/lib/ipsec/plugins",
    "/usr/share/tomcat10/bin",
];

/// Nothing of the caller's environment but where programs are: no CA_DIR, no locale, no terminal settings.
pub fn clean_environment(command: &mut Command, home: &Path, scratch: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![folder_with_ca().to_owned()];
    folders.extend(std::env::split_paths(&path));
    folders.extend(OTHER_FOLDERS.map(PathBuf::from));
    command.env_clear();
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command.envs([("LC_ALL", "C.UTF-8"), ("TZ", "UTC")]).env("HOME", home).env("TMPDIR", scratch);
    // A Python managed by pyenv is found through its root, which is looked for below HOME.
    let pyenv = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let pyenv = pyenv.or_else(|| std::env::home_dir().map(|home| home.join(".pyenv"))).filter(|root| root.is_dir());
    command.envs(pyenv.map(|root| ("PYENV_ROOT", root)));
}

/// A CA directory's surroundings: a temporary folder in which `ca` is run.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Where syncing costs nothing, if there is such a place: for what has survived a power cut already.
    pub fn in_memory() -> Self {
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
        Self { folder: folder.unwrap() }
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Any program, run here.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        clean_environment(&mut command, self.folder.path(), self.folder.path());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// `ca` with words that hold no blanks.
    pub fn ca(&self, words: &str) -> Command {
        let mut command = self.command(binary());
        command.args(words.split_whitespace());
        command
    }

    /// `ca`, which has to succeed; its standard output.
    pub fn done(&self, words: &str) -> String {
        succeeded(words, &self.ca(words).output().unwrap())
    }
}

/// Standard output of a program that has to have succeeded.
pub fn succeeded(what: &str, output: &Output) -> String {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Ends a process group that a test started.
pub fn kill_group(leader: u32) {
    let group = rustix::process::Pid::from_raw(leader.cast_signed());
    if let Some(group) = group {
        // An error means that nobody is left, which is what is wanted.
        rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
    }
}
