//! The questions of `ca init` at a terminal. Each has a default, which Enter accepts; nothing is made while they are asked.

use std::path::Path;

use crate::app::context::Context;
use crate::cli::options::passphrase::{FLAGS, choose_or_none};
use crate::keys::Passphrase;
use crate::report::failure::Failure;
use crate::store::passphrase_prompt::MOST_ATTEMPTS;
use crate::text::{PathText, escape};
use crate::x509::name_constraints::Subtree;
use crate::x509::{AttributeType, DistinguishedName};

/// The name of an issuing CA, as that of `--intermediate` without one.
const ISSUING: &str = "issuing";

/// What the command line says already. What it says is not asked.
pub struct Given<'a> {
    pub folder: &'a Path,
    /// The default of the name.
    pub name: &'a str,
    pub has_constraints: bool,
    pub intermediate: Option<&'a str>,
    pub has_passphrase: bool,
}

/// What the user answered; of what was not asked, what was given.
pub struct Replies {
    pub name: String,
    pub permit: Vec<Subtree>,
    pub intermediate: Option<String>,
    pub passphrase: NewPassphrase,
}

/// The answer about the passphrase.
pub enum NewPassphrase {
    /// It was not asked, because the command line or the settings say where it is.
    NotAsked,
    /// The keys are not to be encrypted.
    Without,
    Typed(Passphrase),
}

/// Asks what the command line does not say.
///
/// # Errors
/// When an answer is invalid three times, or the terminal was closed.
pub fn ask(given: &Given<'_>, context: &mut Context<'_>) -> Result<Replies, Failure> {
    context.note(&format!(
        "This makes a new CA in {}. Enter accepts the default in brackets. Until the last question is answered, \
             nothing is created.",
        given.folder.escaped()
    ));
    context.note("");
    let name = ask_name(given, context)?;
    let permit = if given.has_constraints { Vec::new() } else { ask_permitted(context)? };
    let intermediate = match given.intermediate {
        Some(name) => Some(name.to_owned()),
        None => ask_intermediate(&name, context)?,
    };
    let passphrase = match given.has_passphrase {
        true => NewPassphrase::NotAsked,
        false => ask_passphrase(context)?,
    };
    context.note("");
    Ok(Replies { name, permit, intermediate, passphrase })
}

fn ask_name(given: &Given<'_>, context: &mut Context<'_>) -> Result<String, Failure> {
    answered("Name of the CA", given.name, context, |answer| {
        // The name of an intermediate is longer, by its own.
        let longest = given.intermediate.map_or_else(|| answer.to_owned(), |below| format!("{answer} {below}"));
        check_common_name(&longest).map(|()| answer.to_owned())
    })
}

fn ask_permitted(context: &mut Context<'_>) -> Result<Vec<Subtree>, Failure> {
    const EVERY: &str = "every name";
    context.note("Name constraints limit what a stolen CA key can issue for. Example: corp.test 10.0.0.0/8");
    answered("Names it may issue for", EVERY, context, |answer| {
        if answer == EVERY {
            return Ok(Vec::new());
        }
        let names = answer.split([' ', ',', '\t']).filter(|name| !name.is_empty());
        names.map(|name| name.parse::<Subtree>().map_err(|error| error.to_string())).collect()
    })
}

fn ask_intermediate(name: &str, context: &mut Context<'_>) -> Result<Option<String>, Failure> {
    context.note("An issuing CA below the root signs all certificates, so that the root key can be stored offline.");
    answered("Make an issuing CA?", "no", context, |answer| match answer.to_lowercase().as_str() {
        "n" | "no" => Ok(None),
        "y" | "yes" => check_common_name(&format!("{name} {ISSUING}")).map(|()| Some(ISSUING.to_owned())),
        _ => Err("the answer is yes or no".to_owned()),
    })
}

fn ask_passphrase(context: &mut Context<'_>) -> Result<NewPassphrase, Failure> {
    context
        .note("A passphrase encrypts the CA keys. Without it, a copy of a key file is enough to issue certificates.");
    let chosen = choose_or_none(context, "Passphrase for the CA keys [none]: ", FLAGS)?;
    Ok(chosen.map_or(NewPassphrase::Without, NewPassphrase::Typed))
}

fn check_common_name(name: &str) -> Result<(), String> {
    DistinguishedName::build(&[(AttributeType::CommonName, name.to_owned())])
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Asks until the answer can be read, at most three times. An empty answer is the default.
fn answered<T>(
    question: &str,
    default: &str,
    context: &mut Context<'_>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Failure> {
    let question = format!("{question} [{}]: ", escape(default));
    let mut attempt = 1;
    loop {
        let answer = context.world.terminal.ask_line(&question).map_err(|_| {
            // The error message begins on a line of its own.
            context.note("");
            Failure::refused("not-confirmed", "the questions were not answered: nothing was created")
                .hint("without questions: ca init --name CN")
        })?;
        let answer = Some(answer.trim()).filter(|answer| !answer.is_empty()).unwrap_or(default);
        match read(answer) {
            Ok(value) => return Ok(value),
            Err(why) if attempt == MOST_ATTEMPTS => {
                let failure = Failure::usage("bad-arguments", format!("{why}; nothing was created"));
                return Err(failure.hint("every option: ca init --help"));
            }
            Err(why) => context.note(&format!("This is not possible: {why}.")),
        }
        attempt += 1;
    }
}
