//! A command of the user's: run by the shell, with an end.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// What to run.
pub struct Shell<'a> {
    /// For `sh -c`.
    pub command: &'a str,
    /// The whole environment: nothing else is handed down.
    pub environment: &'a HashMap<OsString, OsString>,
    pub folder: &'a Path,
    pub timeout: Duration,
    /// Where both its streams go; `None`: to our standard error.
    pub output: Option<File>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By a signal of somebody else's.
    Killed(i32),
    /// It had not ended in time, and was ended with everything that it started in its process group.
    TimedOut,
}

/// After a request to end, so long may it take to tidy up before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// More of what a command said is not kept.
const MOST_OCTETS: u64 = 64 * 1024;

impl Shell<'_> {
    /// Runs it to its end, in a process group of its own, with nothing to read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self) -> io::Result<Ended> {
        let output = match &self.output {
            Some(file) => [file.try_clone()?, file.try_clone()?].map(Stdio::from),
            None => {
                let ours = || io::stderr().as_fd().try_clone_to_owned();
                [ours()?, ours()?].map(Stdio::from)
            }
        };
        let [out, err] = output;
        let mut shell = Command::new("/bin/sh");
        shell.arg("-c").arg(self.command).env_clear().envs(self.environment).current_dir(self.folder);
        let child = shell.stdin(Stdio::null()).stdout(out).stderr(err).process_group(0).spawn()?;
        wait(child, self.timeout)
    }
}

fn wait(mut child: Child, timeout: Duration) -> io::Result<Ended> {
    let Some(leader) = Pid::from_raw(child.id().cast_signed()) else { return Err(io::ErrorKind::InvalidInput.into()) };
    let (ended, told) = mpsc::channel();
    // It is looked at and not reaped: its number stays its own until the group was dealt with.
    thread::spawn(move || {
        let seen = waitid(WaitId::Pid(leader), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
        // Nobody listens any more after the time-out.
        ended.send(seen.map(drop)).ok();
    });
    if matches!(told.recv_timeout(timeout), Err(RecvTimeoutError::Timeout)) {
        // An error means that nobody is left, which is what is wanted.
        kill_process_group(leader, Signal::TERM).ok();
        told.recv_timeout(GRACE).ok();
        kill_process_group(leader, Signal::KILL).ok();
        child.wait()?;
        return Ok(Ended::TimedOut);
    }
    Ok(how(child.wait()?))
}

fn how(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(code), _) => Ended::Exited(code),
        (None, signal) => Ended::Killed(signal.unwrap_or_default()),
    }
}

/// What a command wrote into the file that it was given: the first 64 KiB, whatever they are as text.
///
/// # Errors
/// When it cannot be read.
pub fn said(mut file: &File) -> io::Result<String> {
    let mut octets = Vec::new();
    file.rewind()?;
    file.take(MOST_OCTETS).read_to_end(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
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
        (shell.run().unwrap(), said(&file).unwrap())
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn what_it_says_and_how_it_ends_is_known() {
        assert_eq!(
            run("pwd; echo $WORD >&2; exit 7", LONG),
            (Ended::Exited(7), "/\nfrom the environment\n".to_owned())
        );
        assert_eq!(run("kill -9 $$", LONG).0, Ended::Killed(9));
        assert_eq!(run("echo ${HOME-none}; cat", LONG), (Ended::Exited(0), "none\n".to_owned()), "nothing to read");
    }

    #[test]
    fn what_does_not_end_is_ended_with_all_that_it_started() {
        let begun = Instant::now();
        let (ended, said) = run("sleep 600 & echo $!; wait", Duration::from_millis(300));
        assert_eq!(ended, Ended::TimedOut);
        assert!(begun.elapsed() < LONG);
        let sleeper = Pid::from_raw(said.trim().parse().unwrap()).unwrap();
        let is_gone = || {
            // Whoever adopts it may not have reaped it yet.
            let state = std::fs::read_to_string(format!("/proc/{}/stat", sleeper.as_raw_nonzero()));
            state.is_err() || state.is_ok_and(|state| state.contains(") Z "))
        };
        while !is_gone() && begun.elapsed() < LONG {
            thread::yield_now();
        }
        assert!(is_gone(), "the sleeper lives on");
    }

    #[test]
    fn what_does_not_heed_the_request_to_end_is_killed() {
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
