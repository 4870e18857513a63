//! The sources of passphrases: files, standard input, variables, programs, credentials, and the terminal.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::context::Context;
use crate::keys::{Passphrase, PassphraseError};
use crate::report::failure::Failure;
use crate::report::output::OutputFormat;
use crate::store::home::Home;
use crate::store::passphrase_prompt::MOST_ATTEMPTS;
use crate::system::files::{self, ExposedFile, Exposure, FileError};
use crate::system::process::{Ended, Program, ProgramOutput};
use crate::text::{PathText, escape, io_reason};

/// A passphrase is a line; more than this is the wrong file.
const MAX_BYTES: u64 = 64 * 1024;
/// A program that asks a user waits for him.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(120);
/// The flags that a person without a terminal may give instead.
pub const FLAGS: &str = "give --passphrase-file FILE, --passphrase-env VAR or --passphrase-fd N";
/// The name of the systemd credential.
pub const CREDENTIAL: &str = "ca-passphrase";

/// Makes a passphrase from bytes; the text is the subject of the sentence when they are none.
pub type Maker = fn(Vec<u8>, &str) -> Result<Passphrase, Failure>;

/// The first line of the file that a user named; `-` is standard input.
///
/// # Errors
/// When it cannot be read, or is not a passphrase.
pub fn from_named_file(path: &Path, context: &Context<'_>, made: Maker) -> Result<Passphrase, Failure> {
    if path.as_os_str() == "-" {
        return from_stdin(context, made);
    }
    from_file(&context.world.resolve(path), context, made)
}

/// The first line of standard input, which is read once and is then the same passphrase for every key of this run.
fn from_stdin(context: &Context<'_>, made: Maker) -> Result<Passphrase, Failure> {
    if let Some(known) = context.passphrases.stdin.get() {
        return Ok(known.duplicate());
    }
    if !context.no_input && context.world.terminal.can_ask() {
        // What is typed is not shown.
        return ask(context, "Passphrase: ", FLAGS);
    }
    let stdin = context.take_stdin("the passphrase")?;
    let mut content = zeroize::Zeroizing::new(Vec::with_capacity(256));
    stdin.take(MAX_BYTES).read_to_end(&mut content).map_err(|cause| {
        Failure::unreadable(&FileError { action: "read", path: PathBuf::from("standard input"), cause })
    })?;
    let passphrase = made(first_line(&content), "the first line of standard input")?;
    Ok(context.passphrases.stdin.get_or_init(|| passphrase).duplicate())
}

/// An editor ends a file with a newline, and a comment may follow.
fn first_line(content: &[u8]) -> Vec<u8> {
    content.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default().to_vec()
}

/// The first line of the output of a program, which runs without a shell and without input, in the working folder and with the
/// environment of this process.
///
/// # Errors
/// When it cannot be started, fails, or writes too much; or when its output is not a passphrase.
pub fn from_command(command: &[String], home: &Home, context: &Context<'_>) -> Result<Passphrase, Failure> {
    let [program, arguments @ ..] = command else { return Err(command_failed("", "no program is named")) };
    let shown = escape(program);
    let path = if program.contains('/') { home.resolve(program) } else { PathBuf::from(program) };
    let run = Program {
        path: &path,
        arguments,
        environment: &context.world.environment,
        folder: &context.world.working_folder,
        shows_stderr: context.format == OutputFormat::Text,
        timeout: COMMAND_TIMEOUT,
    };
    let output = run
        .output(MAX_BYTES)
        .map_err(|error| command_failed(&shown, &format!("cannot be started: {}", io_reason(&error))))?;
    let output = match output {
        ProgramOutput::Complete(output) => output,
        ProgramOutput::TooLong => {
            return Err(command_failed(&shown, &format!("wrote more than {MAX_BYTES} bytes")));
        }
        ProgramOutput::Failed(Ended::Exited(status)) => {
            return Err(command_failed(&shown, &format!("exited with status {status}")));
        }
        ProgramOutput::Failed(Ended::Killed(signal)) => {
            return Err(command_failed(&shown, &format!("was stopped by signal {signal}")));
        }
        ProgramOutput::Failed(Ended::TimedOut) => {
            return Err(command_failed(&shown, &format!("did not exit within {} seconds", COMMAND_TIMEOUT.as_secs())));
        }
    };
    made(first_line(&output), &format!("the first line that '{shown}' printed"))
}

fn command_failed(program: &str, what: &str) -> Failure {
    Failure::refused("passphrase-command", format!("the passphrase command '{program}' {what}"))
        .hint("run it yourself: its first line is the passphrase of the CA key")
}

/// The systemd credential with the passphrase, as `LoadCredential=ca-passphrase:…` of a unit passes it; `None` without one.
///
/// # Errors
/// When it cannot be read, or is not a passphrase.
pub fn from_credential(context: &Context<'_>) -> Result<Option<Passphrase>, Failure> {
    let Some(folder) = context.world.variable("CREDENTIALS_DIRECTORY") else { return Ok(None) };
    let path = Path::new(folder).join(CREDENTIAL);
    if !path.is_file() {
        return Ok(None);
    }
    from_file(&path, context, made).map(Some)
}

/// The first line of a file; a file that other users can read or change is reported.
///
/// # Errors
/// When it cannot be read, or is not a passphrase.
pub fn from_file(path: &Path, context: &Context<'_>, made: Maker) -> Result<Passphrase, Failure> {
    let content = files::read(path, MAX_BYTES).map_err(|error| Failure::unreadable(&error))?;
    let content = zeroize::Zeroizing::new(content);
    let passphrase = made(first_line(&content), &format!("the first line of {}", path.escaped()))?;
    if let Some(exposed) = files::exposure(path) {
        context.warn_at_end(exposure_warning(&exposed));
    }
    Ok(passphrase)
}

fn exposure_warning(exposed: &ExposedFile) -> String {
    let (file, word) = (exposed.path.escaped(), exposed.path.in_shell());
    match &exposed.by {
        Exposure::Mode(mode) => {
            format!(
                "other users can read or change the passphrase file {file} (mode {mode:04o}); fix: chmod 600 {word}"
            )
        }
        Exposure::Owner(owner) => format!(
            "the passphrase file {file} belongs to another user (user id {owner}), who can read and change it; fix: chown \
             \"$(id -u)\" {word}"
        ),
        Exposure::Folder(folder) => format!(
            "other users can put another file in the place of the passphrase file {file}: they can write in {}; fix: move it \
             into a folder where only you can write",
            folder.escaped()
        ),
    }
}

/// The value of an environment variable.
///
/// # Errors
/// When it is not set, or not a passphrase.
pub fn from_variable(variable: &str, context: &Context<'_>, made: Maker) -> Result<Passphrase, Failure> {
    match context.world.variable(variable) {
        Some(value) => made(value.as_encoded_bytes().to_vec(), &format!("the environment variable {variable}")),
        None => {
            Err(Failure::usage("no-passphrase", format!("the environment variable {variable} is not set, or empty")))
        }
    }
}

/// Asks at the terminal; `instead` says what to give without one.
///
/// # Errors
/// Without a terminal, or with `--no-input`: exit status 2.
pub fn ask(context: &Context<'_>, question: &str, instead: &str) -> Result<Passphrase, Failure> {
    ask_for(context, question, instead, made)
}

/// As [`ask`], for any kind of passphrase.
pub fn ask_for(context: &Context<'_>, question: &str, instead: &str, made: Maker) -> Result<Passphrase, Failure> {
    if context.no_input || !context.world.terminal.can_ask() {
        return Err(Failure::usage(
            "no-passphrase",
            "a passphrase is required, but there is no terminal to ask for \
                 it",
        )
        .hint(instead));
    }
    let was_wrong = context.passphrases.typed.borrow().get(question).is_some_and(Passphrase::was_wrong);
    let mut again = if was_wrong { format!("The passphrase is wrong. {question}") } else { question.to_owned() };
    let mut attempt = 1;
    context.erase_progress();
    loop {
        let answer = context.world.terminal.ask_secret(&again).map_err(|error| {
            Failure::usage("no-passphrase", format!("no passphrase was read: {}", io_reason(&error))).hint(instead)
        })?;
        match made(answer.as_bytes().to_vec(), "the typed text") {
            Err(failure) if failure.code == "no-passphrase" && attempt < MOST_ATTEMPTS => {
                again = format!("A passphrase has at least one character. {question}");
                attempt += 1;
            }
            made => {
                let typed = made?.typed();
                context.passphrases.typed.borrow_mut().insert(question.to_owned(), typed.duplicate());
                return Ok(typed);
            }
        }
    }
}

/// As [`made`], and it may be empty.
pub fn made_of_existing_key(bytes: Vec<u8>, source: &str) -> Result<Passphrase, Failure> {
    Passphrase::of_existing_key(bytes)
        .map_err(|error| Failure::usage("bad-passphrase", format!("{source} is not a passphrase: {error}")))
}

/// Makes the passphrase; `source` is the subject of the sentence when it is none.
pub fn made(bytes: Vec<u8>, source: &str) -> Result<Passphrase, Failure> {
    Passphrase::from_source(bytes).map_err(|error| match error {
        PassphraseError::Empty => {
            Failure::usage("no-passphrase", format!("{source} is empty: a passphrase has at least one character"))
        }
        PassphraseError::Nul => Failure::usage("bad-passphrase", format!("{source} is not a passphrase: {error}")),
    })
}
