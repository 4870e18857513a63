//! Which certificate an argument names: by its name or serial number in the index, or by a file, standard input or a server that
//! has it.
//!
//! Commands about entries of the index ask the index first ([`resolve`]): a file that is called like a name changes nothing.
//! Commands about contents ask for the file first ([`input`]): `ca verify cert.pem` means the same in every CA directory.

use std::path::{Path, PathBuf};

use crate::app::address::{host_of, starttls_of};
use crate::app::context::Context;
use crate::app::file_pattern::files_like;
use crate::handshake::fetch::fetch;
use crate::report::failure::{Failure, KindCodes};
use crate::store::Store;
use crate::store::delivery::Paths;
use crate::store::index::{Entry, IndexError, NamePattern, Reference, ReferenceError};
use crate::store::locate::locate;
use crate::store::previous_certificates::NameHistory;
use crate::text::{PathText, escape, wildcard};
use crate::x509::file_kind::Expected;
use crate::x509::{Certificate, certificate_file};

/// A certificate of the index, and the argument that selected it.
#[derive(Debug)]
pub struct Resolved {
    /// As it was typed; for a pattern, the name.
    pub given: String,
    pub entry: Entry,
    /// True when this certificate was selected, and not the current one of its name.
    pub is_this_one: bool,
}

impl Resolved {
    /// The name of the certificate, for an act on the name.
    pub fn name_reference(&self) -> Reference {
        Reference::Name(self.entry.name.clone())
    }
}

/// The file to verify of a certificate of the index, and the chain that does not stand in it.
#[derive(Debug)]
pub struct ChainFiles {
    /// The full chain; for an authority, its certificate.
    pub file: PathBuf,
    /// The CA certificates between an authority and its root.
    pub chain: Option<PathBuf>,
}

/// What has a certificate outside of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file; `-` is standard input.
    File(PathBuf),
    /// `HOST:PORT` of a TLS server.
    Server(String),
}

impl ChainFiles {
    /// Returns the files with shorter paths where they are below a folder.
    #[must_use]
    pub fn below(self, folder: &Path) -> Self {
        let near = |path: PathBuf| match path.strip_prefix(folder) {
            Ok(near) => near.to_owned(),
            Err(_) => path,
        };
        Self { file: near(self.file), chain: self.chain.map(near) }
    }
}

impl Resolved {
    /// Returns the certificate: the one that is deployed of a name, or the one that was selected.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn current(&self, store: &Store) -> Result<Entry, Failure> {
        if self.is_this_one {
            return Ok(self.entry.clone());
        }
        let name_history = NameHistory::of(store.index()?, &self.entry.name)?;
        let deployed = name_history.in_place(store.home(), &self.entry.name.parse()?);
        Ok(deployed.unwrap_or(&self.entry).clone())
    }

    /// Returns the files of the [`current`](Self::current) certificate.
    ///
    /// # Errors
    /// Exit status 3 when no folder has them any longer.
    pub fn chain_files(&self, store: &Store) -> Result<ChainFiles, Failure> {
        let entry = self.current(store)?;
        let certificate = store.index()?.certificate(&entry)?;
        match locate(store.home(), &entry, &certificate) {
            Some(Paths { fullchain: Some(file), .. }) => Ok(ChainFiles { file, chain: None }),
            Some(Paths { certificate: file, chain, .. }) => {
                let is_filled =
                    |chain: &PathBuf| chain.metadata().is_ok_and(|chain| chain.is_file() && chain.len() > 0);
                Ok(ChainFiles { file, chain: Some(chain).filter(is_filled) })
            }
            None => {
                let sentence = format!(
                    "the files of '{}' (serial {}) are not where they were put",
                    escape(&entry.name),
                    entry.serial
                );
                Err(Failure::refused("missing-file", sentence)
                    .hint(format!("to show what the index has of it: ca show serial:{}", entry.serial)))
            }
        }
    }
}

/// What an argument about contents names.
#[derive(Debug)]
pub enum Input {
    Source(Source),
    /// The files and folders that a pattern selects.
    Files(Vec<PathBuf>),
    /// The current certificate of each name, or the one with a serial number.
    Entries(Vec<Resolved>),
}

/// Resolves an argument to a certificate of the index.
///
/// # Errors
/// Exit status 2 when the index does not have it, or the argument can mean several.
pub fn resolve(given: &str, context: &mut Context<'_>) -> Result<Resolved, Failure> {
    let store = context.store()?;
    if is_only_a_file(given) {
        return of_source(given, &Source::File(given.into()), &store, context);
    }
    let reference = parse(given)?;
    let index = store.index()?;
    if let Some(entry) = index.find_if_known(&reference)? {
        let is_this_one = reference.is_serial_of(&entry);
        return Ok(Resolved { given: given.to_owned(), entry, is_this_one });
    }
    match source(given, context) {
        Some(source) => of_source(given, &source, &store, context),
        None => Err(not_found(given, &reference, &store)),
    }
}

/// Resolves several arguments, of which each may be a pattern of names, before anything is done about one of them. A name
/// or certificate that is selected twice is returned once.
///
/// # Errors
/// As [`resolve`]; when no name matches a pattern, or nothing is left of a pattern.
pub fn resolve_all(
    given: &[String],
    patterns: Patterns<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<Resolved>, Failure> {
    let mut all: Vec<Resolved> = Vec::with_capacity(given.len());
    let mut add = |resolved: Resolved| {
        let same = |other: &Resolved| {
            other.entry.id == resolved.entry.id && other.is_this_one == resolved.is_this_one
                || !other.is_this_one
                    && !resolved.is_this_one
                    && other.entry.name.eq_ignore_ascii_case(&resolved.entry.name)
        };
        if !all.iter().any(same) {
            all.push(resolved);
        }
    };
    for given in given {
        match of_pattern(given, patterns, &*context.store()?)? {
            Some(matching) => matching.into_iter().for_each(&mut add),
            None => add(resolve(given, context)?),
        }
    }
    Ok(all)
}

/// Which certificates a pattern of names selects.
#[derive(Clone, Copy)]
pub enum Patterns<'a> {
    /// The current certificate of every matching name.
    Every,
    /// Those that an act can be carried out on: never those of authorities, and of the others those that pass the test. The text
    /// says which ones are left out.
    Usable(&'a dyn Fn(&Entry) -> bool, &'static str),
}

/// Returns whether a certificate can have a successor; the test of [`Patterns::Usable`] for `ca renew` and `ca rekey`.
pub fn is_not_revoked(entry: &Entry) -> bool {
    entry.revocation.is_none()
}

/// Returns the certificates of a pattern of names; `None` for an argument that is not a pattern. A name that has the characters
/// of a pattern, such as that of a wildcard certificate, is that name.
///
/// # Errors
/// When no name matches, or nothing is left of the pattern.
pub fn of_pattern(given: &str, patterns: Patterns<'_>, store: &Store) -> Result<Option<Vec<Resolved>>, Failure> {
    let Some(pattern) = NamePattern::of(given).filter(|_| !has_prefix(given) && !is_only_a_file(given)) else {
        return Ok(None);
    };
    let index = store.index()?;
    if index.latest_by_name(given)?.is_some() {
        return Ok(None);
    }
    // The name of a wildcard certificate is not a pattern where a mistake cannot be undone.
    if matches!(patterns, Patterns::Usable(..)) && is_wildcard_name(given) {
        let (sentence, domain) = (format!("there is no certificate with the name '{}'", escape(given)), &given[1..]);
        return Err(Failure::usage("unknown-certificate", sentence)
            .hint(format!("for every name that ends in '{domain}', write two stars: '**{domain}'")));
    }
    let names = index.names_like(&pattern)?;
    if names.is_empty() {
        return Err(Failure::usage("unknown-certificate", format!("no name matches the pattern '{}'", escape(given)))
            .hint("'ca list' shows every certificate of this CA"));
    }
    let mut matching = Vec::new();
    for name in &names {
        let Some(entry) = index.latest_by_name(name)? else { continue };
        let resolved = Resolved { given: name.clone(), entry, is_this_one: false };
        let is_usable = match patterns {
            Patterns::Every => true,
            Patterns::Usable(test, _) => {
                test(&resolved.current(store)?) && !index.certificate(&resolved.entry)?.is_ca()
            }
        };
        if is_usable {
            matching.push(resolved);
        }
    }
    match (matching.is_empty(), patterns) {
        (true, Patterns::Usable(_, left_out)) => {
            let sentence = format!("the pattern '{}' selects only certificates that are left out", escape(given));
            Err(Failure::usage("unknown-certificate", sentence).hint(format!("a pattern leaves out {left_out}")))
        }
        _ => Ok(Some(matching)),
    }
}

/// Returns what an argument of `ca verify` or `ca inspect` names. A file that exists is that file, whatever the index has;
/// `name:`, `serial:` and the like say that a certificate of the index is meant.
///
/// # Errors
/// Exit status 2 when the argument names nothing, or can mean several certificates.
pub fn input(given: &Path, context: &mut Context<'_>) -> Result<Input, Failure> {
    let file = || Input::Source(Source::File(given.to_owned()));
    let Some(word) = given.to_str() else { return Ok(file()) };
    if has_prefix(word) && !context.world.resolve(given).exists() {
        return Ok(Input::Entries(vec![resolve(word, context)?]));
    }
    if !says_which_kind(word) && context.world.resolve(given).exists() {
        return Ok(file());
    }
    let files = |context: &Context<'_>| -> Result<Option<Input>, Failure> {
        let found = if wildcard::is_pattern(word) { files_like(given, context)? } else { Vec::new() };
        Ok(Some(found).filter(|found| !found.is_empty()).map(Input::Files))
    };
    if is_only_a_file(word) {
        return Ok(files(context)?.unwrap_or_else(file));
    }
    let reference = parse(word)?;
    let server = || is_address(word).then(|| Input::Source(Source::Server(word.to_owned())));
    // Without a CA directory there are only files and servers.
    let Ok(store) = context.store() else {
        return Ok(files(context)?.or_else(server).unwrap_or_else(file));
    };
    if let Some(entry) = store.index()?.find_if_known(&reference)? {
        let is_this_one = reference.is_serial_of(&entry);
        return Ok(Input::Entries(vec![Resolved { given: word.to_owned(), entry, is_this_one }]));
    }
    if let Some(server) = server() {
        return Ok(server);
    }
    if looks_like_a_file(word) {
        return Ok(files(context)?.unwrap_or_else(file));
    }
    if wildcard::is_pattern(word) {
        return match (of_pattern(word, Patterns::Every, &store), files(context)?) {
            (Err(failure), Some(files)) if failure.code == "unknown-certificate" => Ok(files),
            (names, _) => Ok(names?.map_or_else(file, Input::Entries)),
        };
    }
    // The cause is that of the file; a name may have been meant.
    match context.read_input(given) {
        Ok(_) => Ok(file()),
        Err(failure) => Err(not_found(word, &reference, &store).hints.into_iter().fold(
            failure.hint(format!(
                "'{}' is not the name or serial number of a certificate of this CA either",
                escape(word)
            )),
            Failure::hint,
        )),
    }
}

/// Returns the file or server that an argument names when the index does not know it.
pub fn source(given: &str, context: &Context<'_>) -> Option<Source> {
    if !says_which_kind(given) && context.world.resolve(Path::new(given)).is_file() {
        return Some(Source::File(given.into()));
    }
    is_address(given).then(|| Source::Server(given.to_owned()))
}

/// Reads the first certificate of a file, or fetches that of a server.
///
/// # Errors
/// Exit status 2 when there is none.
pub fn first_certificate(source: &Source, context: &mut Context<'_>) -> Result<Certificate, Failure> {
    let (content, place) = match source {
        Source::File(path) => {
            let codes = KindCodes::both("bad-certificate");
            (context.read_expected(path, Expected::Certificate, codes)?, path.escaped().to_string())
        }
        Source::Server(address) => (served_chain(address, context)?.swap_remove(0), address.clone()),
    };
    let refused = |reason: String| Failure::usage("bad-certificate", format!("{place}: {reason}"));
    let first = certificate_file::parse(&content).map_err(|error| refused(error.to_string()))?.into_iter().next();
    first.ok_or_else(|| refused("it contains no certificate".to_owned()))
}

/// Returns the certificates in DER that a server shows; never none.
///
/// # Errors
/// When the server cannot be reached, or shows no certificate.
pub fn served_chain(address: &str, context: &Context<'_>) -> Result<Vec<Vec<u8>>, Failure> {
    Ok(fetch(address, host_of(address)?, starttls_of(address, None), context.now())?.chain)
}

fn of_source(given: &str, source: &Source, store: &Store, context: &mut Context<'_>) -> Result<Resolved, Failure> {
    let certificate = first_certificate(source, context)?;
    match store.index()?.by_fingerprint(&certificate.serial, certificate.fingerprint())? {
        Some(entry) => Ok(Resolved { given: given.to_owned(), entry, is_this_one: true }),
        None => {
            let (place, command) = match source {
                Source::File(path) if path.as_os_str() == "-" => {
                    ("standard input".to_owned(), "ca inspect -".to_owned())
                }
                Source::File(path) => (path.escaped().to_string(), format!("ca inspect {}", path.in_shell())),
                Source::Server(address) => (address.clone(), format!("ca inspect {address}")),
            };
            let sentence =
                format!("the index does not have the certificate of {place} (serial {})", certificate.serial);
            Err(Failure::usage("unknown-certificate", sentence).hint(format!("to show what it has: {command}")))
        }
    }
}

/// Returns the failure of an argument that names nothing.
pub fn not_found(given: &str, reference: &Reference, store: &Store) -> Failure {
    let error = store.index().and_then(|index| index.not_found(reference)).unwrap_or_else(|error| error);
    let is_unknown = matches!(error, IndexError::NotFound { .. });
    let failure = Failure::from(error);
    match is_unknown && looks_like_a_file(given) {
        true => failure.hint(format!("{} is not a file either", Path::new(given).escaped())),
        false => failure,
    }
}

/// # Errors
/// Exit status 2: not a name or a serial number.
pub fn parse(given: &str) -> Result<Reference, Failure> {
    given.parse().map_err(|error: ReferenceError| Failure::usage("bad-name", error.to_string()))
}

/// Returns whether a word can only be a file: a name never begins with `.` or `/`, and `-` is standard input.
pub fn is_only_a_file(given: &str) -> bool {
    given == "-" || given.starts_with(['.', '/'])
}

/// Returns whether a word was probably meant as a file.
pub fn looks_like_a_file(given: &str) -> bool {
    let extension = Path::new(given).extension().and_then(|extension| extension.to_str());
    given.contains('/') && !given.contains("://")
        || matches!(extension, Some("pem" | "crt" | "cer" | "der" | "csr" | "crl" | "key" | "p12" | "pfx" | "txt"))
}

/// `name:` and `serial:` say that an entry of the index is meant, whatever files there are.
fn says_which_kind(given: &str) -> bool {
    given.starts_with("name:") || given.starts_with("serial:")
}

/// Whether a word begins with any prefix of an identifier of a certificate.
fn has_prefix(given: &str) -> bool {
    says_which_kind(given) || ["dns:", "ip:", "email:", "uri:"].iter().any(|kind| given.starts_with(kind))
}

/// `*.corp.test`: the name of a certificate for every host of a domain.
fn is_wildcard_name(given: &str) -> bool {
    given.strip_prefix("*.").is_some_and(|domain| !domain.is_empty() && !domain.contains(['*', '?']))
}

/// `HOST:PORT`; an IPv6 address stands in brackets, because colons are also between the digits of a serial number.
fn is_address(given: &str) -> bool {
    let is_bracketed = given.starts_with('[');
    !has_prefix(given)
        && !given.contains('/')
        && (is_bracketed || given.matches(':').count() == 1)
        && host_of(given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_servers_and_wildcards_are_told_apart_by_their_form() {
        for (given, only_a_file, like_a_file, address, wildcard) in [
            ("web.corp.test", false, false, false, false),
            ("./web.corp.test", true, true, false, false),
            ("-", true, false, false, false),
            ("certs/web", false, true, false, false),
            ("web.pem", false, true, false, false),
            ("spiffe://corp.test/web", false, false, false, false),
            ("www.corp.test:443", false, false, true, false),
            ("[::1]:8443", false, false, true, false),
            ("::1", false, false, false, false),
            ("3f:8a:01", false, false, false, false),
            ("serial:04", false, false, false, false),
            ("name:443", false, false, false, false),
            ("localhost:https", false, false, false, false),
            ("*.corp.test", false, false, false, true),
            ("**.corp.test", false, false, false, false),
            ("web-*", false, false, false, false),
        ] {
            assert_eq!(is_only_a_file(given), only_a_file, "{given}");
            assert_eq!(looks_like_a_file(given), like_a_file, "{given}");
            assert_eq!(is_address(given), address, "{given}");
            assert_eq!(is_wildcard_name(given), wildcard, "{given}");
        }
    }
}
