//! What the kernel does with this process when it crashes, or meets a limit of the user.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use signal_hook::consts::SIGXFSZ;

/// Keeps the memory of this process out of core files. Where the kernel hands core files to a program
/// (`core_pattern`), the limit does not count, but the flag does; it also closes /proc/PID/mem and /proc/PID/environ to
/// other processes of the user. The programs that this process starts are as usual: the flag ends with exec(3), and the
/// hard limit stays.
pub fn disable_core_files() {
    let limit = getrlimit(Resource::Core);
    // Lowering the limit and setting the flag are always allowed.
    setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit }).ok();
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).ok();
}

/// Returns the most files that this process may have open at once (RLIMIT_NOFILE); `None` without a limit.
pub fn open_file_limit() -> Option<usize> {
    getrlimit(Resource::Nofile).current.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

static SIZE_LIMIT_MET: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Lets a write beyond the file size limit (RLIMIT_FSIZE, `ulimit -f`) fail with EFBIG, as a full disk does. Otherwise
/// SIGXFSZ ends the process. A handler, unlike an ignored signal, is not passed on to the programs that this one starts.
pub fn report_file_size_limit() {
    let met = SIZE_LIMIT_MET.get_or_init(Arc::default);
    signal_hook::flag::register(SIGXFSZ, Arc::clone(met)).ok();
}

/// Returns whether a write of this process met the file size limit. SQLite does not pass the cause of an error on.
pub fn file_size_limit_was_met() -> bool {
    SIZE_LIMIT_MET.get().is_some_and(|met| met.load(Ordering::Relaxed))
}
