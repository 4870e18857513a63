//! The values that an argument can have: from this program, or from the CA directory.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};

use crate::cli::help::topics;
use crate::report::failure_codes;
use crate::store::Store;
use crate::store::export::Target;
use crate::store::home::Home;
use crate::store::index::credentials::ServerVariables;
use crate::store::{recipe, templates};
use crate::system::{World, files};
use crate::x509::KeyAlgorithm;
use crate::x509::crl::RevocationReason;
use crate::{lint, verify};

/// The most names or serial numbers that are offered. A user who needs more types another letter.
const MOST: u32 = 200;
/// A shorter prefix of a serial number is not offered, since most names look like one.
const LEAST_DIGITS: usize = 4;

/// How long the server of an index may take to accept a connection: the user waits at the keyboard.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the CA directory is looked for.
pub struct Source {
    folder: Option<PathBuf>,
    working_folder: PathBuf,
    server_variables: ServerVariables,
}

/// The kind of value of an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// A name, or a serial number; or a file too.
    Certificate {
        or_file: bool,
    },
    /// A file, or a name or serial number.
    FileOrCertificate,
    Serial,
    Template,
    Recipe,
    Program,
    Authority,
    KeyAlgorithm,
    Reason,
    Code,
    Folder,
    User,
    Group,
    KeyMode,
}

impl Value {
    /// Returns what the argument of a command takes; `None` for what the parser knows itself.
    fn of(arg: &Arg) -> Option<Self> {
        let id = arg.get_id().as_str();
        if id == "template" && arg.get_value_names().is_none_or(|names| names.iter().all(|name| *name != "FILE")) {
            return Some(Self::Template);
        }
        let name = arg.get_value_names().and_then(|names| names.first()).map(|name| name.as_str()).unwrap_or_default();
        Some(match name {
            _ if name.contains("NAME|SERIAL") => Self::Certificate { or_file: name.contains("FILE") },
            "FILE|NAME|HOST:PORT" => Self::FileOrCertificate,
            "DIR|FILE|NAME" => Self::Certificate { or_file: true },
            "SERIAL" => Self::Serial,
            "TEMPLATE" => Self::Template,
            "RECIPE" => Self::Recipe,
            "PROGRAM" => Self::Program,
            "AUTHORITY" => Self::Authority,
            "ALG" => Self::KeyAlgorithm,
            "REASON" => Self::Reason,
            "CODE" => Self::Code,
            "DIR" => Self::Folder,
            "USER" => Self::User,
            "GROUP" => Self::Group,
            "MODE" => Self::KeyMode,
            _ => return None,
        })
    }
}

/// Returns the command line with the values of its arguments.
pub fn attached(line: Command, source: &Arc<Source>) -> Command {
    let pages = help_pages(&line);
    let line = with_values(line, source);
    line.mut_subcommand("help", |help| {
        help.mut_arg("about", |arg| {
            let pages = pages.clone();
            arg.add(ArgValueCompleter::new(move |current: &OsStr| offered(pages.iter().cloned(), current)))
        })
    })
}

/// The names of the subcommands and topics that `ca help` shows.
fn help_pages(line: &Command) -> Vec<String> {
    let topics = topics::ALL.iter().map(|topic| topic.name.to_owned());
    line.get_subcommands().map(|command| command.get_name().to_owned()).chain(topics).collect()
}

fn with_values(command: Command, source: &Arc<Source>) -> Command {
    let command = command.mut_args(|arg| match Value::of(&arg) {
        Some(value) => {
            let source = Arc::clone(source);
            arg.add(ArgValueCompleter::new(move |current: &OsStr| source.values(value, current)))
        }
        None => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |below| with_values(below, source)))
}

/// The values that begin with what was typed.
fn offered(values: impl IntoIterator<Item = String>, current: &OsStr) -> Vec<CompletionCandidate> {
    let Some(current) = current.to_str() else { return Vec::new() };
    values.into_iter().filter(|value| value.starts_with(current)).map(CompletionCandidate::new).collect()
}

impl Source {
    /// Finds the named CA directory among the words that were typed.
    pub fn of(typed: &[OsString], world: &World) -> Arc<Self> {
        let mut named = None;
        for (at, word) in typed.iter().enumerate() {
            match word.to_str().and_then(|word| word.strip_prefix("--dir")) {
                Some("") => named = typed.get(at + 1).map(PathBuf::from),
                Some(value) => named = value.strip_prefix('=').map(PathBuf::from).or(named),
                None => {}
            }
        }
        let folder = named.or_else(|| world.variable("CA_DIR").map(PathBuf::from));
        let folder = folder.map(|folder| world.resolve(&folder));
        let (working_folder, server_variables) =
            (world.working_folder.clone(), ServerVariables::of(world).with_patience(PATIENCE));
        Arc::new(Self { folder, working_folder, server_variables })
    }

    fn store(&self) -> Option<Store> {
        let home = Home::find(self.folder.as_deref(), &self.working_folder).ok()?;
        Store::open_with(home, &self.server_variables).ok()
    }

    fn values(&self, value: Value, current: &OsStr) -> Vec<CompletionCandidate> {
        match value {
            Value::Certificate { or_file } => {
                let mut found = self.certificates(current, true);
                if or_file && (found.is_empty() || Path::new(current).components().count() > 1) {
                    found.extend(PathCompleter::any().complete(current));
                }
                found
            }
            Value::FileOrCertificate => {
                let mut found = PathCompleter::any().complete(current);
                found.extend(self.certificates(current, true));
                found
            }
            Value::Serial => self.certificates(current, false),
            Value::Template => {
                let own = self.store().and_then(|store| templates::names(&store.template_folder()).ok());
                offered(own.unwrap_or_else(built_in_templates), current)
            }
            Value::Recipe => offered(self.recipes(), current),
            Value::Program => {
                let stores = Target::ALL.map(|target| target.name().to_owned());
                offered(self.recipes().into_iter().chain(stores), current)
            }
            Value::Authority => {
                let names = self.store().and_then(|store| store.ca_certificates().names().ok());
                offered(names.unwrap_or_default(), current)
            }
            Value::KeyAlgorithm => offered(KeyAlgorithm::ALL.iter().map(|key| key.name().to_owned()), current),
            Value::Reason => {
                let short = ["hold", "release"].into_iter();
                offered(RevocationReason::names().chain(short).map(str::to_owned), current)
            }
            Value::Code => {
                let rules =
                    lint::RULES.iter().map(|rule| rule.code).chain(lint::CRL_RULES.iter().map(|rule| rule.code));
                let rules = rules.chain(verify::codes().map(|code| code.code)).map(str::to_owned);
                let mut codes: Vec<String> =
                    rules.chain(failure_codes::all().into_iter().map(|failure| failure.code)).collect();
                codes.sort();
                codes.dedup();
                offered(codes, current)
            }
            Value::Folder => PathCompleter::dir().complete(current),
            Value::User => offered(files::users(), current),
            Value::Group => offered(files::groups(), current),
            Value::KeyMode => offered(["0600", "0640", "0400", "0440"].map(str::to_owned), current),
        }
    }

    /// The recipes of the CA, or those of this program where there is none.
    fn recipes(&self) -> Vec<String> {
        let folder = self.store().map(|store| store.home().recipes());
        recipe::names(folder.as_deref()).unwrap_or_default()
    }

    /// The names, when they are wanted, and the serial numbers of the index that begin with what was typed.
    fn certificates(&self, current: &OsStr, with_names: bool) -> Vec<CompletionCandidate> {
        let (Some(current), Some(store)) = (current.to_str(), self.store()) else { return Vec::new() };
        let Ok(index) = store.index() else { return Vec::new() };
        let (forced, typed) = match current.split_once(':') {
            Some((forced @ ("name" | "serial"), typed)) => (Some(forced), typed),
            _ => (None, current),
        };
        let mut found = Vec::new();
        if with_names && forced != Some("serial") {
            found.extend(index.names_from(typed, MOST).unwrap_or_default());
        }
        if forced != Some("name") && typed.len() >= LEAST_DIGITS {
            let serials = index.serials_from(typed, MOST).unwrap_or_default();
            found.extend(serials.iter().map(ToString::to_string));
        }
        let shown = |value: String| forced.map_or_else(|| value.clone(), |forced| format!("{forced}:{value}"));
        found.into_iter().map(|value| CompletionCandidate::new(shown(value))).collect()
    }
}

/// The templates of this program, where there is no CA.
fn built_in_templates() -> Vec<String> {
    templates::names(Path::new("/nonexistent")).unwrap_or_default()
}
