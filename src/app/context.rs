//! What every act may use: the world, the CA directory that was named, and what the user said for all acts.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::progress::ProgressLine;
use crate::keys::Passphrase;
use crate::report::failure::{ErrorStyle, Failure, KindCodes};
use crate::report::output::OutputFormat;
use crate::report::style::Style;
use crate::store::approval::{Approval, Declined, PlannedChange};
use crate::store::effects::Effects;
use crate::store::home::{Home, HomeError};
use crate::store::index::credentials::ServerVariables;
use crate::store::open::NewestEvent;
use crate::store::progress::{Progress, Step};
use crate::store::{CaCertificates, Store};
use crate::system::{World, files};
use crate::x509::file_kind::{self, Expected};

/// What every act may use, and what the user said for all of them.
pub struct Context<'a> {
    pub world: &'a mut World,
    /// The CA directory that was named; `None`: the nearest one upwards from the working folder.
    pub folder: Option<PathBuf>,
    /// The environment variable that named the folder; `None` when a flag named it, or nothing did.
    pub folder_variable: Option<&'static str>,
    /// How long to wait while another process changes the CA.
    pub lock_timeout: Duration,
    /// True when only results, warnings and failures are wanted.
    pub quiet: bool,
    /// True when a person must not be asked, even at a terminal.
    pub no_input: bool,
    pub format: OutputFormat,
    /// The warnings that are written after the report: see [`warn_at_end`](Self::warn_at_end).
    pub warnings: RefCell<Vec<String>>,
    /// Set by a command that changes the CA: the time of the newest event of the index that it opens.
    pub newest_event: Option<NewestEvent>,
    /// What this run has found and opened already.
    pub opened: Opened,
    /// What the user said about changes, and the changes of a dry run.
    pub changes: Changes,
    /// The passphrases that this run has asked for.
    pub passphrases: Passphrases,
    /// How reports are written.
    pub style: Style,
    /// The line with the progress of the command.
    pub progress: ProgressLine,
}

/// The CA directory and the CA of one run: examined and opened once, for the command and for the warnings after it.
#[derive(Default)]
pub struct Opened {
    home: OnceCell<Home>,
    store: OnceCell<Rc<Store>>,
}

/// What the user said about the changes of one run.
#[derive(Default)]
pub struct Changes {
    pub dry_run: bool,
    /// True when the user has confirmed everything on the command line.
    pub is_confirmed: bool,
    /// True when the exit status says whether something was changed.
    pub exit_changed: bool,
    /// What a dry run would have changed.
    pub planned: RefCell<Vec<PlannedChange>>,
}

impl Approval for Context<'_> {
    fn approve(&self, change: PlannedChange) -> Result<(), Declined> {
        if self.changes.dry_run {
            self.changes.planned.borrow_mut().push(change);
            return Err(Declined::DryRun);
        }
        if !change.asks || self.changes.is_confirmed || !self.can_ask() {
            return Ok(());
        }
        self.erase_progress();
        // A terminal that was closed is not an answer.
        let Ok(answer) = self.world.terminal.ask_line(&self.confirmation(&change)) else {
            return Err(Declined::NotConfirmed);
        };
        let is_yes = match answer.trim().to_lowercase().as_str() {
            "" => change.enter_confirms,
            answer => ["y", "yes"].contains(&answer),
        };
        if is_yes { Ok(()) } else { Err(Declined::NotConfirmed) }
    }

    fn is_dry_run(&self) -> bool {
        self.changes.dry_run
    }
}

/// The passphrases of one run that cannot be read twice.
#[derive(Default)]
pub struct Passphrases {
    /// What was typed last, by its question.
    pub typed: RefCell<HashMap<String, Passphrase>>,
    /// The first line of standard input.
    pub stdin: OnceCell<Passphrase>,
}

impl Progress for Context<'_> {
    fn report(&self, step: Step<'_>) {
        let is_wanted = !self.quiet && self.format == OutputFormat::Text;
        if !is_wanted || !self.world.terminal.shows_stderr() {
            return;
        }
        let columns = self.world.terminal.error_columns().unwrap_or(Style::PLAIN.columns);
        if let Some(text) = self.progress.step(step, Instant::now(), columns) {
            self.world.terminal.show(&text);
        }
    }
}

impl Context<'_> {
    /// Erases the line with the progress, before something else is written.
    pub fn erase_progress(&self) {
        if let Some(text) = self.progress.erase() {
            self.world.terminal.show(text);
        }
    }

    /// Returns the question about a change, with its facts.
    fn confirmation(&self, change: &PlannedChange) -> String {
        let lost = change.lost.iter().map(|lost| ("lost", lost.as_str()));
        let notes = change.notes.iter().map(|note| ("note", note.as_str()));
        let facts = change.facts.iter().map(|(label, value)| (*label, value.as_str()));
        let facts: Vec<_> = facts.chain(lost).chain(notes).collect();
        let choice = if change.enter_confirms { "Y/n" } else { "y/N" };
        let what = format!("This will {}.", change.what);
        ErrorStyle::new(Style::PLAIN, self.world).question(&what, &facts, &format!("Continue? [{choice}]"))
    }

    /// The time of this run, in whole seconds.
    pub fn now(&self) -> OffsetDateTime {
        crate::text::whole_second(self.world.clock.now())
    }

    /// The CA directory: the one that was named, else the nearest one upwards from the working folder.
    ///
    /// # Errors
    /// Exit status 2 when there is none.
    pub fn home(&self) -> Result<Home, Failure> {
        if let Some(home) = self.opened.home.get() {
            return Ok(home.clone());
        }
        let named = self.folder.as_ref().map(|folder| self.world.resolve(folder));
        let home = Home::find(named.as_deref(), &self.world.working_folder).map_err(|error| self.no_home(error))?;
        Ok(self.opened.home.get_or_init(|| home).clone())
    }

    /// The folder of that directory, of which nothing is examined: [`Home::folder_to_find`].
    pub fn folder_to_find(&self) -> Option<PathBuf> {
        if let Some(home) = self.opened.home.get() {
            return Some(home.folder().to_owned());
        }
        let named = self.folder.as_ref().map(|folder| self.world.resolve(folder));
        Home::folder_to_find(named.as_deref(), &self.world.working_folder)
    }

    /// The CA certificates of that directory, where its settings and its index are not needed.
    ///
    /// # Errors
    /// As [`home`](Self::home).
    pub fn ca_certificates(&self) -> Result<CaCertificates, Failure> {
        Ok(CaCertificates::of(&self.home()?))
    }

    /// The CA in that directory, which is opened at the first call.
    ///
    /// # Errors
    /// As [`home`](Self::home); and when its settings cannot be read.
    pub fn store(&self) -> Result<Rc<Store>, Failure> {
        if let Some(store) = self.opened.store.get() {
            return Ok(Rc::clone(store));
        }
        let store = Rc::new(
            Store::open_with(self.home()?, &ServerVariables::of(self.world))?.watched_by(self.newest_event.clone()),
        );
        Ok(Rc::clone(self.opened.store.get_or_init(|| store)))
    }

    /// Opens the CA in that directory for an audit, which reports the files that other users can change.
    ///
    /// # Errors
    /// As [`store`](Self::store), except that modes are not examined.
    pub fn store_to_audit(&self) -> Result<Store, Failure> {
        let named = self.folder.as_ref().map(|folder| self.world.resolve(folder));
        let home = Home::find_to_audit(named.as_deref(), &self.world.working_folder);
        let home = home.map_err(|error| self.no_home(error))?;
        Ok(Store::open_with(home, &ServerVariables::of(self.world))?)
    }

    /// The failure to find a CA directory. It names the environment variable, which is not part of the command line.
    pub fn no_home(&self, error: HomeError) -> Failure {
        let variable = self.folder_variable.filter(|_| matches!(error, HomeError::NotOne(_)));
        let failure = Failure::from(error);
        match variable {
            Some(variable) => Failure {
                message: format!("{} (the environment variable {variable} names it)", failure.message),
                ..failure
            },
            None => failure,
        }
    }

    /// Whether a user can be asked: at a terminal, and unless `--no-input` is given.
    pub fn can_ask(&self) -> bool {
        !self.no_input && self.world.terminal.can_ask()
    }

    /// What an act on the CA may use of the world.
    pub fn effects(&self) -> Effects<'_> {
        Effects {
            clock: self.world.clock.as_ref(),
            entropy: self.world.entropy.as_ref(),
            identity: self.world.identity.as_ref(),
            lock_timeout: self.lock_timeout,
            approval: self,
            progress: self,
        }
    }

    /// Reads a file that the user named; `-` is standard input.
    ///
    /// # Errors
    /// Exit status 2: the contract's answer to an input that cannot be read.
    pub fn read_input(&mut self, path: &Path) -> Result<Vec<u8>, Failure> {
        if path.as_os_str() != "-" {
            return read_file(path, &self.world.resolve(path));
        }
        let mut content = Vec::new();
        let stdin = self.take_stdin("a file")?;
        stdin.take(files::MAX_FILE_BYTES + 1).read_to_end(&mut content).map_err(|cause| {
            Failure::unreadable(&files::FileError { action: "read", path: PathBuf::from("standard input"), cause })
        })?;
        if content.len() as u64 > files::MAX_FILE_BYTES {
            return Err(Failure::usage(
                "input-too-large",
                format!("standard input is longer than {} bytes", files::MAX_FILE_BYTES),
            ));
        }
        Ok(content)
    }

    /// Takes standard input for one input of the command.
    ///
    /// # Errors
    /// Exit status 2 when another input has taken it.
    pub fn take_stdin(&self, input: &'static str) -> Result<Box<dyn Read>, Failure> {
        self.world.stdin.take(input).map_err(|other| {
            Failure::usage("bad-arguments", format!("standard input cannot be both {other} and {input}"))
                .hint("write '-' for one of them, and a file for the other")
        })
    }

    /// Reads a file that should have what is expected, as [`Self::read_input`]. The encoding of a PEM text is undone
    /// ([`file_kind::expect`]); a file that is known to be of another kind is refused, with the command that converts it.
    ///
    /// # Errors
    /// As [`Self::read_input`]; `codes` for a file of another kind.
    pub fn read_expected(&mut self, path: &Path, expected: Expected, codes: KindCodes) -> Result<Vec<u8>, Failure> {
        expect(path, self.read_input(path)?, expected, codes)
    }

    /// Writes a note on standard error, unless `quiet`.
    pub fn note(&mut self, sentence: &str) {
        self.erase_progress();
        if !self.quiet {
            // A note that cannot be shown must not stop the work.
            let text = ErrorStyle::new(Style::PLAIN, self.world).note(sentence);
            drop(self.world.stderr.write_all(text.as_bytes()));
        }
    }

    /// Keeps a warning for the end of the command, once however often it is given. For code that only reads the context;
    /// with `--json`, a failure stays the only document on standard error.
    pub fn warn_at_end(&self, sentence: String) {
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&sentence) {
            warnings.push(sentence);
        }
    }

    /// Writes a warning on standard error, even when `quiet`.
    pub fn warn(&mut self, sentence: &str) {
        self.erase_progress();
        let text = ErrorStyle::new(Style::PLAIN, self.world).warning(sentence);
        drop(self.world.stderr.write_all(text.as_bytes()));
    }
}

/// Reads the file at `place`, which the user named `path`; errors show it as it was named.
///
/// # Errors
/// Exit status 2: the contract's answer to an input that cannot be read.
fn read_file(path: &Path, place: &Path) -> Result<Vec<u8>, Failure> {
    files::read(place, files::MAX_FILE_BYTES)
        .map_err(|error| Failure::unreadable(&files::FileError { path: path.to_owned(), ..error }))
}

/// Undoes the encoding of a PEM text, and refuses a file that is known to be of another kind than expected.
///
/// # Errors
/// `codes` for a file of another kind.
fn expect(path: &Path, content: Vec<u8>, expected: Expected, codes: KindCodes) -> Result<Vec<u8>, Failure> {
    file_kind::expect(content, expected).map_err(|other| Failure::another_kind(path, other, codes))
}
