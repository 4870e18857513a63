//! What the arguments of `ca lint` name: files, the files of a folder, what a server sends, and certificates of the index.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::resolve::{self, Input, Resolved, Source};
use crate::report::failure::Failure;
use crate::system::files;
use crate::text::PathText;

/// The files of a folder that are read; the others have other endings.
const ENDINGS: [&str; 5] = [".pem", ".crt", ".cer", ".der", ".crl"];

/// An input, by the name that results give it.
pub struct LintInput {
    pub name: String,
    pub content: Result<Content, Failure>,
}

pub enum Content {
    /// A file, which is read when it is linted.
    File(PathBuf),
    /// A file of a folder that was named: it is left out when it has nothing to lint, as a key.
    OfFolder(PathBuf),
    /// The DER of certificates, from the index or from a server.
    Certificates(Vec<Vec<u8>>),
}

impl LintInput {
    fn file(path: PathBuf) -> Self {
        Self { name: path.escaped().to_string(), content: Ok(Content::File(path)) }
    }
}

/// Returns what each argument names. An argument that names nothing is an input too, which fails.
pub fn inputs(arguments: &[PathBuf], context: &mut Context<'_>) -> Vec<LintInput> {
    let mut inputs = Vec::with_capacity(arguments.len());
    for given in arguments {
        match of_argument(given, context) {
            Ok(found) => inputs.extend(found),
            Err(failure) => inputs.push(LintInput { name: given.escaped().to_string(), content: Err(failure) }),
        }
    }
    inputs
}

fn of_argument(given: &Path, context: &mut Context<'_>) -> Result<Vec<LintInput>, Failure> {
    match resolve::input(given, context)? {
        Input::Source(Source::File(path)) => of_file(path, context),
        Input::Source(Source::Server(address)) => {
            let content = resolve::served_chain(&address, context).map(Content::Certificates);
            Ok(vec![LintInput { name: address, content }])
        }
        Input::Files(paths) => {
            let mut found = Vec::new();
            for path in paths {
                found.extend(of_file(path, context)?);
            }
            Ok(found)
        }
        Input::Entries(entries) => entries.iter().map(|resolved| of_entry(resolved, context)).collect(),
    }
}

fn of_file(path: PathBuf, context: &Context<'_>) -> Result<Vec<LintInput>, Failure> {
    let folder = context.world.resolve(&path);
    if path.as_os_str() == "-" || !folder.is_dir() {
        return Ok(vec![LintInput::file(path)]);
    }
    let mut names = files::names_in(&folder).map_err(|error| Failure::unreadable(&error))?;
    names.retain(|name| ENDINGS.iter().any(|ending| name.ends_with(ending)));
    names.sort();
    if names.is_empty() {
        return Err(nothing_to_lint(&path));
    }
    let of_folder = |name| {
        let path = path.join(name);
        LintInput { name: path.escaped().to_string(), content: Ok(Content::OfFolder(path)) }
    };
    Ok(names.into_iter().map(of_folder).collect())
}

/// The full chain, whose CA certificates are the issuers; without its files, the certificate of the index.
fn of_entry(resolved: &Resolved, context: &mut Context<'_>) -> Result<LintInput, Failure> {
    let store = context.store()?;
    if let Ok(files) = resolved.chain_files(&store) {
        return Ok(LintInput::file(files.below(&context.world.working_folder).file));
    }
    let certificate = store.index()?.certificate(&resolved.current(&store)?)?;
    let content = Ok(Content::Certificates(vec![certificate.as_der().to_vec()]));
    Ok(LintInput { name: resolved.given.clone(), content })
}

/// Returns the failure of a folder without a certificate or CRL.
pub fn nothing_to_lint(folder: &Path) -> Failure {
    let sentence = format!("{} contains neither a certificate nor a CRL", folder.escaped());
    Failure::usage("empty-input", sentence).hint(format!(
        "files that end in .pem, .crt, .cer, .der or .crl in the folder itself are read; for folders below it: ca lint \
         '{}/*/*.pem'",
        folder.escaped()
    ))
}
