//! Processes in a group of their own, which can be stopped together.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// Returns a command that runs a line in the shell.
pub fn shell(line: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(line);
    shell
}

/// Returns a second handle of the standard error of this process, for a child to write to.
///
/// # Errors
/// When the system refuses.
pub fn our_stderr() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

/// Starts a command as the leader of a new process group.
///
/// # Errors
/// When it cannot be started.
pub fn spawn_group(command: &mut Command) -> io::Result<(Child, ProcessGroup)> {
    let child = command.process_group(0).spawn()?;
    let leader = Pid::from_raw(child.id().cast_signed()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok((child, ProcessGroup(leader)))
}

/// A process group, by its leader.
#[derive(Debug, Clone, Copy)]
pub struct ProcessGroup(Pid);

impl ProcessGroup {
    /// Waits until the leader has exited, and does not reap it: its number stays its own until the group was stopped.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn wait_for_leader(self) -> io::Result<()> {
        waitid(WaitId::Pid(self.0), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).map(drop)?;
        Ok(())
    }

    /// Asks all processes of the group to exit (SIGTERM).
    pub fn terminate(self) {
        // An error means that no process is left, which is what is wanted.
        kill_process_group(self.0, Signal::TERM).ok();
    }

    /// Stops all processes of the group (SIGKILL).
    pub fn kill(self) {
        kill_process_group(self.0, Signal::KILL).ok();
    }
}

/// Returns the signal that stopped a process; `None` when it exited by itself.
pub fn signal_of(status: ExitStatus) -> Option<i32> {
    status.signal()
}
