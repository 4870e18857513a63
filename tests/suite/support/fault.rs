//! Faults at exact moments: strace ends a program right before its Nth call of a kind, or lets that call fail.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};

use super::program::Place;
use super::skip;

/// The calls that change what is on the disk. Opening counts when it creates or may write.
const STATE_CHANGING: &[&str] = &[
    "openat",
    "write",
    "writev",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "syncfs",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "chmod",
    "fchmod",
    "fchmodat",
    "fchown",
    "fchownat",
    "ftruncate",
    "fallocate",
    "utimensat",
    "copy_file_range",
    "sendfile",
];

/// The `when`th call of its kind in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    pub call: &'static str,
    pub when: usize,
    /// How strace shows it, for messages.
    pub shown: String,
}

/// What happens at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The process is gone before the call is made.
    Kill,
    /// The call fails, as on a full disk.
    NoSpace,
    /// The call fails, as on a broken disk.
    DiskError,
}

/// What the disk can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    Any,
    /// Its renames know no flags (renameat2(2)): NFS, some of FUSE, kernels before 3.15. They fail with this error.
    WithoutFlags(&'static str),
    /// A file has one name only, as on FAT.
    WithoutLinks,
}

impl Disk {
    pub fn inject(self, command: &mut Command) {
        match self {
            Self::Any => {}
            Self::WithoutFlags(error) => {
                command.args(["-e", &format!("inject=renameat2:error={error}")]);
            }
            Self::WithoutLinks => {
                command.args(["-e", "inject=linkat:error=EPERM"]);
            }
        }
    }

    fn can_do(self, call: &str) -> bool {
        match self {
            Self::Any => true,
            Self::WithoutFlags(_) => call != "renameat2",
            Self::WithoutLinks => call != "linkat",
        }
    }
}

/// Whether faults can be made here; a named skip otherwise.
#[must_use]
pub fn are_possible() -> bool {
    if !skip::unless_installed(&["strace"]) {
        return false;
    }
    // Many containers do not allow it. And the program closes its memory to other processes of its user, so that only root
    // sees the paths and the bytes of its calls.
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut version = Command::new("strace");
    version.args(["-e", "trace=write", "-o"]).arg(log.path()).arg(super::program::binary()).arg("--version");
    let traced = version.stdout(std::process::Stdio::null()).status();
    let sees = std::fs::read_to_string(log.path()).unwrap_or_default().contains("\"ca ");
    let possible = traced.is_ok_and(|status| status.success()) && sees;
    if !possible {
        skip::because("strace may not trace here, or not read the memory of the program as this user");
    }
    possible
}

/// Every moment at which a command changes what is on the disk, from a run that is only watched.
pub fn moments(place: &Place, words: &str, disk: Disk) -> Vec<Moment> {
    let log = place.path("moments.log");
    let mut command = place.command("strace");
    command.args(["-f", "-qq", "-y", "-e", &format!("trace={}", STATE_CHANGING.join(",")), "-o"]).arg(&log);
    disk.inject(&mut command);
    command.arg(super::program::binary()).args(words.split_whitespace());
    super::program::succeeded(words, &command.output().unwrap());
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::remove_file(log).unwrap();
    let mut seen = BTreeMap::new();
    let mut moments = Vec::new();
    let mut was_shared_memory = false;
    for line in text.lines() {
        // `1234 openat(AT_FDCWD, …`, the process number first because of -f.
        let shown = line.split_once(char::is_whitespace).map_or(line, |(_, shown)| shown.trim_start());
        let Some(call) = STATE_CHANGING.iter().find(|call| shown.starts_with(&format!("{call}("))) else { continue };
        let when = seen.entry(*call).or_insert(0);
        *when += 1;
        let harmless = *call == "openat" && !["O_CREAT", "O_WRONLY", "O_RDWR"].iter().any(|flag| shown.contains(flag));
        // SQLite fills its shared memory with many writes that are all alike: the first stands for them.
        let repeated = *call == "pwrite64" && shown.contains("-shm>") && was_shared_memory;
        was_shared_memory = *call == "pwrite64" && shown.contains("-shm>");
        if !harmless && !repeated && disk.can_do(call) {
            moments.push(Moment { call, when: *when, shown: shown.to_owned() });
        }
    }
    assert!(moments.len() > 5, "{words}: too few moments to be true\n{text}");
    moments
}

/// Runs a command with a fault at one moment.
pub fn strike(place: &Place, words: &str, moment: &Moment, fault: Fault, disk: Disk) -> Output {
    let what = match fault {
        Fault::Kill => "signal=KILL",
        Fault::NoSpace => "error=ENOSPC",
        Fault::DiskError => "error=EIO",
    };
    let mut command = place.command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={},renameat2", moment.call)]);
    disk.inject(&mut command);
    command.args(["-e", &format!("inject={}:{what}:when={}", moment.call, moment.when)]);
    command.arg(super::program::binary()).args(words.split_whitespace()).output().unwrap()
}

/// Whether the program was killed; strace ends in the way of what it traced.
pub fn was_killed(output: &Output) -> bool {
    output.status.signal() == Some(9) || output.status.code() == Some(128 + 9)
}
