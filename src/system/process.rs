//! Commands of the user, run by the shell with a time limit.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::unix::process::{self, ProcessGroup};

/// A command to run.
pub struct Shell<'a> {
    /// The line for `sh -c`.
    pub command: &'a str,
    /// The whole environment: nothing is inherited.
    pub environment: &'a HashMap<OsString, OsString>,
    pub folder: &'a Path,
    pub timeout: Duration,
    /// The file for standard output and standard error; `None` for the standard error of this process.
    pub output: Option<File>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Exited(i32),
    /// Another process stopped it with this signal.
    Killed(i32),
    /// It exceeded its time limit, and was stopped with all processes of its group.
    TimedOut,
}

/// The time between the request to exit (SIGTERM) and SIGKILL.
const GRACE: Duration = Duration::from_secs(2);
/// The most output that is kept, in bytes.
const MOST_BYTES: u64 = 64 * 1024;

impl Shell<'_> {
    /// Runs the command to its end, in a process group of its own and without input.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self) -> io::Result<Ended> {
        let output = match &self.output {
            Some(file) => [file.try_clone()?, file.try_clone()?].map(Stdio::from),
            None => [process::our_stderr()?, process::our_stderr()?],
        };
        let [out, err] = output;
        let mut shell = process::shell(self.command);
        shell.env_clear().envs(self.environment).current_dir(self.folder);
        let (child, group) = process::spawn_group(shell.stdin(Stdio::null()).stdout(out).stderr(err))?;
        wait(child, group, self.timeout)
    }
}

fn wait(mut child: Child, group: ProcessGroup, timeout: Duration) -> io::Result<Ended> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // After the time-out there is no receiver any more.
        sender.send(group.wait_for_leader()).ok();
    });
    if matches!(receiver.recv_timeout(timeout), Err(RecvTimeoutError::Timeout)) {
        group.terminate();
        receiver.recv_timeout(GRACE).ok();
        group.kill();
        child.wait()?;
        return Ok(Ended::TimedOut);
    }
    Ok(how(child.wait()?))
}

fn how(status: ExitStatus) -> Ended {
    match (status.code(), process::signal_of(status)) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Killed(signal.unwrap_or_default()),
    }
}

/// Returns the first 64 KiB that a command wrote into the file for its output, with invalid UTF-8 replaced.
///
/// # Errors
/// When it cannot be read.
pub fn output_of(mut file: &File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.rewind()?;
    file.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn run(command: &str, timeout: Duration) -> (Ended, String) {
        let file = tempfile::tempfile().unwrap();
        let environment = [("PATH", "/usr/bin:/bin"), ("WORD", "from the environment")];
        let environment = environment.map(|(key, value)| (key.into(), value.into())).into();
        let output = Some(file.try_clone().unwrap());
        let shell = Shell { command, environment: &environment, folder: Path::new("/"), timeout, output };
        (shell.run().unwrap(), output_of(&file).unwrap())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn the_output_and_the_exit_status_of_a_command_are_known() {
        assert_eq!(
            run("pwd; echo $WORD >&2; exit 7", LONG),
            (Ended::Exited(7), "/\nfrom the environment\n".to_owned())
        );
        assert_eq!(run("kill -9 $$", LONG).0, Ended::Killed(9));
        assert_eq!(run("echo ${HOME-none}; cat", LONG), (Ended::Exited(0), "none\n".to_owned()), "nothing to read");
    }

    #[test]
    fn a_command_that_exceeds_its_time_is_stopped_with_all_that_it_started() {
        let begun = Instant::now();
        let (ended, said) = run("sleep 600 & echo $!; wait", Duration::from_millis(300));
        assert_eq!(ended, Ended::TimedOut);
        assert!(begun.elapsed() < LONG);
        let sleeper: u32 = said.trim().parse().unwrap();
        let is_gone = || {
            // Its new parent may not have reaped it yet.
            let state = std::fs::read_to_string(format!("/proc/{sleeper}/stat"));
            state.is_err() || state.is_ok_and(|state| state.contains(") Z "))
        };
        while !is_gone() && begun.elapsed() < LONG {
            thread::yield_now();
        }
        assert!(is_gone(), "the sleeper lives on");
    }

    #[test]
    fn a_command_that_ignores_the_request_to_exit_is_killed() {
        let begun = Instant::now();
        let (ended, _) = run("trap '' TERM; sleep 600 & while :; do wait; sleep 1; done", Duration::from_millis(300));
        assert_eq!(ended, Ended::TimedOut);
        assert!(begun.elapsed() < LONG);
    }

    #[test]
    fn a_daemon_that_it_leaves_behind_is_not_waited_for() {
        let begun = Instant::now();
        assert_eq!(run("sleep 20 >/dev/null 2>&1 & exit 0", LONG).0, Ended::Exited(0));
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
