//! Commands of the user, run by the shell with a time limit.

use std::collections::HashMap;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

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

/// A program to run without a shell, whose output is wanted.
pub struct Program<'a> {
    /// Its path; a plain name is looked for in PATH.
    pub path: &'a Path,
    pub arguments: &'a [String],
    /// The whole environment: nothing is inherited.
    pub environment: &'a HashMap<OsString, OsString>,
    pub folder: &'a Path,
    /// True when the standard error of this process is the program's too; false for none.
    pub shows_stderr: bool,
    pub timeout: Duration,
}

/// What a program wrote.
pub enum ProgramOutput {
    Complete(Zeroizing<Vec<u8>>),
    /// More than the limit; it was stopped.
    TooLong,
    /// It did not exit with status 0.
    Failed(Ended),
}

impl Program<'_> {
    /// Runs the program without input, in the process group of this process, so that it can ask at the terminal. Keeps at
    /// most `limit` bytes of its standard output.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn output(&self, limit: u64) -> io::Result<ProgramOutput> {
        let stderr = if self.shows_stderr { process::our_stderr()? } else { Stdio::null() };
        let mut program = Command::new(self.path);
        program.args(self.arguments).env_clear().envs(self.environment).current_dir(self.folder);
        let begun = Instant::now();
        let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr).spawn()?;
        let (sender, receiver) = mpsc::channel();
        let stdout = child.stdout.take();
        thread::spawn(move || {
            let mut output = Zeroizing::new(Vec::with_capacity(256));
            let read = stdout.map_or(Ok(0), |stdout| stdout.take(limit + 1).read_to_end(&mut output));
            // After the time-out there is no receiver any more.
            sender.send(read.map(|_| output)).ok();
        });
        let received = receiver.recv_timeout(self.timeout);
        let is_whole = matches!(&received, Ok(Ok(output)) if output.len() as u64 <= limit);
        if !is_whole {
            child.kill().ok();
        }
        let ended = end_of(&mut child, self.timeout.saturating_sub(begun.elapsed()))?;
        match received {
            Err(_) => Ok(ProgramOutput::Failed(Ended::TimedOut)),
            Ok(read) if is_whole => match ended {
                Ended::Exited(0) => read.map(ProgramOutput::Complete),
                ended => Ok(ProgramOutput::Failed(ended)),
            },
            Ok(Err(error)) => Err(error),
            Ok(Ok(_)) => Ok(ProgramOutput::TooLong),
        }
    }
}

/// What a program wrote on both streams, and how it ended.
pub struct Finished {
    pub ended: Ended,
    pub stdout: Vec<u8>,
    /// With invalid UTF-8 replaced.
    pub stderr: String,
}

impl Program<'_> {
    /// Runs the program as [`output`](Self::output) does, and keeps what it wrote also when it fails: at most `limit` bytes of
    /// its standard output and 64 KiB of its standard error. A program that writes more is stopped.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, limit: u64) -> io::Result<Finished> {
        let mut program = Command::new(self.path);
        program.args(self.arguments).env_clear().envs(self.environment).current_dir(self.folder);
        let begun = Instant::now();
        let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().map(|stream| read_up_to(stream, limit));
        let stderr = child.stderr.take().map(|stream| read_up_to(stream, MOST_BYTES));
        let mut is_late = false;
        let mut received = |stream: Option<Receiver<Vec<u8>>>| {
            let left = self.timeout.saturating_sub(begun.elapsed());
            let read = stream.map(|stream| stream.recv_timeout(left));
            match read {
                Some(Ok(read)) => read,
                Some(Err(RecvTimeoutError::Timeout)) => {
                    is_late = true;
                    Vec::new()
                }
                Some(Err(RecvTimeoutError::Disconnected)) | None => Vec::new(),
            }
        };
        let (stdout, stderr) = (received(stdout), received(stderr));
        if is_late {
            child.kill().ok();
        }
        let ended = end_of(&mut child, self.timeout.saturating_sub(begun.elapsed()))?;
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        Ok(Finished { ended: if is_late { Ended::TimedOut } else { ended }, stdout, stderr })
    }
}

/// Waits for the end of a program that has closed its output or was stopped. After `left` it is stopped: a program can close its
/// output and go on.
fn end_of(child: &mut Child, left: Duration) -> io::Result<Ended> {
    const POLL_INTERVAL: Duration = Duration::from_millis(1);
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(how(status));
        }
        if begun.elapsed() >= left {
            child.kill().ok();
            child.wait()?;
            return Ok(Ended::TimedOut);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Reads at most `limit` bytes of a stream in the background, and then closes it.
fn read_up_to(stream: impl Read + Send + 'static, limit: u64) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is all that there is.
        stream.take(limit).read_to_end(&mut bytes).ok();
        // After the time-out there is no receiver any more.
        sender.send(bytes).ok();
    });
    receiver
}

/// The folders of programs for administrators, which are not in the PATH of every user.
const ADMINISTRATION: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/// Returns the absolute path of a program: the first in the absolute folders of `path`, the value of PATH, then in the folders
/// of programs for administrators. `None` when there is none.
pub fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    let folders = path.map(|path| env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let all = folders.into_iter().chain(ADMINISTRATION.map(PathBuf::from));
    all.filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|program| program.is_file())
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

    fn output(words: &[&str], limit: u64, timeout: Duration) -> io::Result<ProgramOutput> {
        let arguments: Vec<String> = words[1..].iter().map(|word| (*word).to_owned()).collect();
        let environment =
            [("PATH", "/usr/bin:/bin"), ("WORD", "from $PATH")].map(|(key, value)| (key.into(), value.into()));
        let (environment, folder) = (environment.into(), Path::new("/"));
        let (path, arguments, shows_stderr) = (Path::new(words[0]), &arguments[..], false);
        Program { path, arguments, environment: &environment, folder, shows_stderr, timeout }.output(limit)
    }

    #[test]
    fn the_output_of_a_program_is_kept_up_to_a_limit_and_no_shell_reads_its_words() {
        let text = |found: io::Result<ProgramOutput>| match found.unwrap() {
            ProgramOutput::Complete(output) => String::from_utf8(output.to_vec()).unwrap(),
            ProgramOutput::TooLong => "too long".to_owned(),
            ProgramOutput::Failed(ended) => format!("{ended:?}"),
        };
        assert_eq!(text(output(&["echo", "$WORD; id"], 100, LONG)), "$WORD; id\n");
        assert_eq!(text(output(&["printenv", "WORD"], 100, LONG)), "from $PATH\n");
        assert_eq!(text(output(&["echo", "12345"], 6, LONG)), "12345\n");
        assert_eq!(text(output(&["echo", "123456"], 6, LONG)), "too long");
        assert_eq!(text(output(&["yes"], 6, LONG)), "too long");
        assert_eq!(text(output(&["cat"], 6, LONG)), "", "there is no input");
        assert_eq!(text(output(&["false"], 6, LONG)), "Exited(1)");
        assert_eq!(text(output(&["sleep", "600"], 6, Duration::from_millis(50))), "TimedOut");
        let goes_on = ["sh", "-c", "exec >&-; exec sleep 600"];
        assert_eq!(text(output(&goes_on, 6, Duration::from_millis(50))), "TimedOut");
        assert!(output(&["no-such-program-as-this"], 6, LONG).is_err());
    }

    #[test]
    fn what_a_program_wrote_is_kept_also_when_it_fails_and_only_up_to_a_limit() {
        let run = |words: &[&str], timeout: Duration| {
            let arguments: Vec<String> = words[1..].iter().map(|word| (*word).to_owned()).collect();
            let environment = [("PATH".into(), "/usr/bin:/bin".into())].into();
            let (path, folder, shows_stderr) = (Path::new(words[0]), Path::new("/"), false);
            let program =
                Program { path, arguments: &arguments, environment: &environment, folder, shows_stderr, timeout };
            let Finished { ended, stdout, stderr } = program.run(5).unwrap();
            (ended, String::from_utf8(stdout).unwrap(), stderr)
        };
        let (ended, out, err) = run(&["sh", "-c", "echo out; echo err >&2; exit 4"], LONG);
        assert_eq!((ended, &*out, &*err), (Ended::Exited(4), "out\n", "err\n"));
        assert_eq!(run(&["echo", "1234567"], LONG).1, "12345");
        assert_eq!(run(&["sleep", "600"], Duration::from_millis(50)).0, Ended::TimedOut);
        let goes_on = ["sh", "-c", "exec >&- 2>&-; exec sleep 600"];
        assert_eq!(run(&goes_on, Duration::from_millis(50)).0, Ended::TimedOut);
    }

    #[test]
    fn a_program_is_found_in_absolute_folders_only_and_with_those_for_administrators() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tool"), "").unwrap();
        let found = |path: &Path| find("tool", Some(path.as_os_str()));
        assert_eq!(found(folder.path()), Some(folder.path().join("tool")));
        assert_eq!(found(Path::new(".:bin")), None);
        assert_eq!(find("sh", Some("/nowhere:/bin".as_ref())), Some("/bin/sh".into()));
    }

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
