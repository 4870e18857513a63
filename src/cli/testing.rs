//! One run of the command line in a world made for a test.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Parser;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::cli::command_line::CommandLine;
use crate::cli::documents;
use crate::system::clock::{FixedClock, SystemClock};
use crate::system::entropy::SystemEntropy;
use crate::system::identity::FixedIdentity;
use crate::system::{Clock, Pager, Stdin, Terminal, World};

#[path = "../../tests/suite/support/strict_schema.rs"]
mod strict_schema;

/// The world of a run, and what it printed.
#[derive(Default)]
pub struct CliRun {
    /// What is typed at the terminal; empty: there is no terminal.
    pub typed: Vec<&'static str>,
    /// Whether standard output is a terminal.
    pub shows_stdout: bool,
    /// The questions that were asked at the terminal.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// True when standard error is a terminal.
    pub shows_stderr: bool,
    /// Standard input.
    pub stdin: &'static [u8],
    pub environment: HashMap<OsString, OsString>,
    pub working_folder: PathBuf,
    /// The time; `None`: the real one.
    pub now: Option<OffsetDateTime>,
    /// Why standard output fails; `None`: it does not.
    pub refuses: Option<ErrorKind>,
    pub stdout: Stream,
    pub stderr: Stream,
}

impl CliRun {
    /// Calls `act` in the world of this run.
    pub fn with_world<T>(&mut self, act: impl FnOnce(&mut World) -> T) -> T {
        self.stdout.refuses = self.refuses;
        let mut world = World {
            clock: self.now.map_or_else(|| Box::new(SystemClock) as Box<dyn Clock>, |now| Box::new(FixedClock(now))),
            entropy: Box::new(SystemEntropy),
            identity: Box::new(FixedIdentity::alice()),
            terminal: Box::new(Person {
                typed: RefCell::new(self.typed.iter().copied().collect()),
                is_there: !self.typed.is_empty(),
                shows_stdout: self.shows_stdout,
                shows_stderr: self.shows_stderr,
                asked: Arc::clone(&self.asked),
            }),
            environment: self.environment.clone(),
            working_folder: self.working_folder.clone(),
            stdin: Stdin::new(Box::new(self.stdin)),
            stdout: Box::new(self.stdout.clone()),
            stderr: Box::new(self.stderr.clone()),
        };
        act(&mut world)
    }

    /// Calls `act` with the context of a command line.
    pub fn with_context<T>(&mut self, words: &[&str], act: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let line = CommandLine::try_parse_from(words).unwrap();
        self.with_world(|world| act(&mut line.globals.context(world).unwrap()))
    }

    /// The questions that were asked at the terminal.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A JSON document has to keep to its schema.
    pub fn stdout(&self) -> String {
        keeps_to_its_schema(self.stdout.text())
    }

    /// As [`stdout`](Self::stdout).
    pub fn stderr(&self) -> String {
        keeps_to_its_schema(self.stderr.text())
    }
}

fn keeps_to_its_schema(text: String) -> String {
    let problems = strict_schema::problems_of_text(&text, &documents::schema_of);
    assert!(problems.is_empty(), "{text}\n{}", problems.join("\n"));
    text
}

/// A stream that keeps what it is given, or refuses it.
#[derive(Clone, Default)]
pub struct Stream {
    written: Arc<Mutex<Vec<u8>>>,
    refuses: Option<ErrorKind>,
}

impl Stream {
    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.refuses {
            Some(kind) => Err(kind.into()),
            None => self.written.lock().unwrap().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Types the answers in turn, when there is a terminal.
struct Person {
    typed: RefCell<VecDeque<&'static str>>,
    is_there: bool,
    shows_stdout: bool,
    shows_stderr: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Person {
    fn answer(&self, question: &str) -> io::Result<String> {
        self.asked.lock().unwrap().push(question.to_owned());
        Ok(self.typed.borrow_mut().pop_front().ok_or(ErrorKind::UnexpectedEof)?.to_owned())
    }
}

impl Terminal for Person {
    fn can_ask(&self) -> bool {
        self.is_there
    }

    fn shows_stdout(&self) -> bool {
        self.shows_stdout
    }

    fn shows_stderr(&self) -> bool {
        self.shows_stderr
    }

    fn columns(&self) -> Option<usize> {
        None
    }

    fn page(&self, _text: &str, _pager: &Pager<'_>) -> io::Result<()> {
        Err(ErrorKind::Unsupported.into())
    }

    fn ask_line(&self, question: &str) -> io::Result<String> {
        self.answer(question)
    }

    fn ask_secret(&self, question: &str) -> io::Result<Zeroizing<String>> {
        self.answer(question).map(Zeroizing::new)
    }
}
