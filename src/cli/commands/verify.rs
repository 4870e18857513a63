//! `ca verify FILE…`: whether a chain holds, until when, and why not.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::list::open_index;
use crate::authority::authorities::Authorities;
use crate::authority::index::Status;
use crate::cli::output::{Answer, Page, Report, Tone};
use crate::cli::{Context, Failure};
use crate::keys::Signer;
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::lint::Severity;
use crate::system::files;
use crate::verify::{
    CERTIFICATE_MALFORMED, Evidence, Exhibit, KEY_MISMATCH, Link, ListExhibit, Place, Problem, Purpose, Question,
    Verdict, judge,
};
use crate::x509::text::hex;
use crate::x509::validity::{distance, parse_time, rfc3339};
use crate::x509::{Certificate, GeneralName, Lifetime, PublicKey, RevocationList, der, general_name, pem};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Judge the first certificate of each file (or of each file in a folder); the others in it are untrusted intermediates
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use these certificates as untrusted intermediates too
    #[arg(long, value_name = "FILE")]
    untrusted: Vec<PathBuf>,
    /// Trust these certificates [default: the roots of the CA directory]
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Judge as of this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// Ask for this host name
    #[arg(long, value_name = "NAME")]
    hostname: Vec<String>,
    /// Ask for this address
    #[arg(long, value_name = "ADDR")]
    ip: Vec<IpAddr>,
    /// Ask for this mailbox
    #[arg(long, value_name = "ADDR")]
    email: Vec<String>,
    /// What the certificate is to be used for [default: server with a host name or address, else any]
    #[arg(long, value_enum, value_name = "PURPOSE")]
    purpose: Option<PurposeArgument>,
    /// Ask these revocation lists; every certificate below the root then needs a current one
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Check that this private key belongs to the certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Allow at most so many intermediates
    #[arg(long, value_name = "N")]
    max_path_len: Option<u32>,
    /// Say no if the answer does not stay yes for this long
    #[arg(long, value_name = "D")]
    expires_in: Option<Lifetime>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeArgument {
    /// A TLS server, with the rules that TLS clients apply
    Server,
    /// A TLS client, with the rules that TLS servers apply
    Client,
    /// The path validation of RFC 5280 alone
    Any,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let question = question(arguments, context)?;
    let mut warnings = Vec::new();
    let (anchors, ours) = anchors(arguments, context, &mut warnings)?;
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        untrusted.extend(tolerant(path, &read_blocks(path, context)?, &mut warnings));
    }
    let mut lists = Vec::new();
    for path in &arguments.crl {
        lists.extend(read_lists(path, context)?);
    }
    let key = arguments.key.as_ref().map(|path| read_key(path, context)).transpose()?;
    let files = judged_files(arguments, context)?;
    let court =
        Court { anchors: &anchors, ours: &ours, untrusted: &untrusted, lists: &lists, key, question: &question };
    let results = court.judge_all(&files)?;
    if arguments.roots.is_empty() && arguments.crl.is_empty() {
        warnings.extend(known_as_revoked(&results, question.at, context));
    }
    for warning in &warnings {
        context.warn(warning);
    }
    Ok(Box::new(Verdicts { question, results, warnings }))
}

fn question(arguments: &Arguments, context: &Context<'_>) -> Result<Question, Failure> {
    let mut names = Vec::new();
    for given in &arguments.hostname {
        // A dot at the end says that the name is absolute; certificates are without (RFC 5280 §4.2.1.6).
        let host = given.strip_suffix('.').unwrap_or(given);
        let name =
            general_name::dns(host).map_err(|error| Failure::bad_reference_name("--hostname", &error.to_string()))?;
        if name.starts_with('*') {
            return Err(Failure::bad_reference_name("--hostname", "ask for a host, not for a wildcard"));
        }
        names.push(GeneralName::Dns(name));
    }
    names.extend(arguments.ip.iter().copied().map(GeneralName::Ip));
    for given in &arguments.email {
        let name = format!("email:{given}").parse();
        names.push(name.map_err(|error: general_name::GeneralNameError| {
            Failure::bad_reference_name("--email", &error.to_string())
        })?);
    }
    let asks_for_host = !arguments.hostname.is_empty() || !arguments.ip.is_empty();
    let purpose = match arguments.purpose {
        Some(PurposeArgument::Server) => Purpose::Server,
        Some(PurposeArgument::Client) => Purpose::Client,
        Some(PurposeArgument::Any) => Purpose::Any,
        None if asks_for_host => Purpose::Server,
        None => Purpose::Any,
    };
    let at = arguments.at.unwrap_or_else(|| context.now());
    Ok(Question {
        at,
        purpose,
        names,
        max_path_length: arguments.max_path_len,
        must_hold_until: arguments.expires_in.and_then(|life| at.checked_add(life.as_duration())),
        check_revocation: !arguments.crl.is_empty(),
    })
}

/// Without lists the answer says nothing of revocation; what the CA's own index knows of the chain is said beside it.
fn known_as_revoked(results: &[Judged], at: OffsetDateTime, context: &Context<'_>) -> Vec<String> {
    let index = context.home().and_then(|home| open_index(&home));
    let index = match index {
        Ok(index) => index,
        Err(failure) => return vec![format!("the index was not asked about revocations: {}", failure.message)],
    };
    let mut warnings = Vec::new();
    for link in results.iter().flat_map(Judged::chain) {
        let Ok(serial) = link.serial.parse() else { continue };
        let entries = index.by_serial(&serial, at).unwrap_or_default();
        let Some(entry) = entries.into_iter().find(|entry| entry.issuer.to_string() == link.issuer) else { continue };
        if let (Status::Revoked | Status::Held, Some(revocation)) = (entry.status(at), &entry.revocation) {
            let (since, reason) = (rfc3339(revocation.at), revocation.reason.name());
            warnings.push(format!(
                "{}: '{}' was revoked at {since} ({reason}), says the index of this CA; with --crl FILE the answer is no",
                link.source, entry.name
            ));
        }
    }
    warnings
}

/// The certificates of a file as octets, with their numbers.
struct Blocks {
    file: String,
    certificates: Vec<Vec<u8>>,
    is_pem: bool,
}

fn read_blocks(path: &Path, context: &mut Context<'_>) -> Result<Blocks, Failure> {
    let content = context.read_input(path)?;
    let file = path.display().to_string();
    if !pem::is_pem(&content) {
        let certificates = if content.is_empty() { Vec::new() } else { vec![content] };
        return Ok(Blocks { file, certificates, is_pem: false });
    }
    let blocks = pem::parse_all(&content)
        .map_err(|error| Failure::usage("undecodable", format!("{}: {error}", path.display())))?;
    let certificates = blocks
        .into_iter()
        .filter(|block| matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"))
        .map(|block| block.content.to_vec());
    Ok(Blocks { file, certificates: certificates.collect(), is_pem: true })
}

/// Every certificate that can be read; the others are told, and left out.
fn tolerant(path: &Path, blocks: &Blocks, warnings: &mut Vec<String>) -> Vec<Exhibit> {
    let mut exhibits = Vec::new();
    for (number, der) in (1..).zip(&blocks.certificates) {
        match Certificate::from_der(der) {
            Ok(certificate) => exhibits.push(Exhibit::new(certificate, Place::new(&blocks.file, number))),
            Err(error) => warnings.push(format!("certificate {number} of {} is left out: {error}", path.display())),
        }
    }
    exhibits
}

/// What is trusted; and the CA directory's own intermediates, which are not trusted by themselves.
fn anchors(
    arguments: &Arguments,
    context: &mut Context<'_>,
    warnings: &mut Vec<String>,
) -> Result<(Vec<Exhibit>, Vec<Exhibit>), Failure> {
    let given = !arguments.roots.is_empty();
    let paths = if given { arguments.roots.clone() } else { default_roots(context)? };
    let mut anchors = Vec::new();
    for path in &paths {
        anchors.extend(tolerant(path, &read_blocks(path, context)?, warnings));
    }
    // An intermediate of our own is trusted through its root, not by itself.
    let (anchors, ours): (Vec<_>, Vec<_>) = anchors.into_iter().partition(|anchor| given || anchor.is_self_issued());
    match anchors.as_slice() {
        [] if given => {
            let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::no_usable_root(&places.join(", ")))
        }
        [] => Err(Failure::no_roots()),
        _ => Ok((anchors, ours)),
    }
}

/// The certificates of the CA directory's authorities, in the order of their names.
fn default_roots(context: &Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let home = context.home().map_err(|failure| failure.hint("give the roots to trust with --roots FILE"))?;
    let names = Authorities::of(&home).names()?;
    Ok(names.iter().map(|name| home.authority(name).join("cert.pem")).filter(|path| path.is_file()).collect())
}

fn read_lists(path: &Path, context: &mut Context<'_>) -> Result<Vec<ListExhibit>, Failure> {
    let content = context.read_input(path)?;
    let file = path.display().to_string();
    let ders: Vec<Vec<u8>> = if pem::is_pem(&content) {
        let blocks = pem::parse_all(&content)
            .map_err(|error| Failure::usage("undecodable", format!("{}: {error}", path.display())))?;
        blocks.into_iter().filter(|block| block.label == "X509 CRL").map(|block| block.content.to_vec()).collect()
    } else {
        vec![content]
    };
    if ders.is_empty() {
        return Err(Failure::nothing_in_file(path, "revocation list"));
    }
    (1..)
        .zip(ders)
        .map(|(number, der)| {
            RevocationList::from_der(&der)
                .map(|list| ListExhibit::new(list, Place::new(&file, number)))
                .map_err(|error| Failure::undecodable(path, number, "revocation list", &error.to_string()))
        })
        .collect()
}

/// The public half of a private key file.
fn read_key(path: &Path, context: &mut Context<'_>) -> Result<PublicKey, Failure> {
    let content = zeroize::Zeroizing::new(context.read_input(path)?);
    let refuse = |error: KeyFileError| {
        let failure = Failure::usage("bad-key", format!("{}: {error}", path.display()));
        match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    };
    let key = KeyFile::parse(&content).and_then(|file| file.open(None)).map_err(refuse)?;
    Ok(key.public_key().clone())
}

/// The files to judge. A folder stands for the certificates in it.
fn judged_files(arguments: &Arguments, context: &mut Context<'_>) -> Result<Vec<(PathBuf, Blocks)>, Failure> {
    let mut files = Vec::new();
    for path in &arguments.files {
        let folder = context.world.resolve(path);
        if !folder.is_dir() {
            files.push((path.clone(), read_blocks(path, context)?));
            continue;
        }
        let mut names = files::names_in(&folder).map_err(|error| Failure::unreadable(&error))?;
        names.retain(|name| [".pem", ".crt", ".cer", ".der"].iter().any(|ending| name.ends_with(ending)));
        names.sort();
        let before = files.len();
        for file in names.into_iter().map(|name| path.join(name)) {
            let blocks = read_blocks(&file, context)?;
            // Keys lie beside certificates, and are no reason to refuse the folder.
            if !blocks.certificates.is_empty() {
                files.push((file, blocks));
            }
        }
        if files.len() == before {
            return Err(Failure::nothing_in_file(path, "certificate"));
        }
    }
    Ok(files)
}

/// What is the same for every file.
struct Court<'a> {
    anchors: &'a [Exhibit],
    ours: &'a [Exhibit],
    untrusted: &'a [Exhibit],
    lists: &'a [ListExhibit],
    key: Option<PublicKey>,
    question: &'a Question,
}

impl Court<'_> {
    /// Judges all files, on all cores when they are many; the answers come in the order of the files.
    fn judge_all(&self, files: &[(PathBuf, Blocks)]) -> Result<Vec<Judged>, Failure> {
        const WORTH_A_THREAD: usize = 16;
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = files.len().div_ceil(cores).max(WORTH_A_THREAD);
        let judge_share = |files: &[(PathBuf, Blocks)]| -> Result<Vec<Judged>, Failure> {
            files.iter().map(|(path, blocks)| self.judge(path, blocks)).collect()
        };
        if files.len() <= share {
            return judge_share(files);
        }
        let shares = std::thread::scope(|scope| {
            let threads: Vec<_> = files.chunks(share).map(|files| scope.spawn(move || judge_share(files))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut all = Vec::with_capacity(files.len());
        for share in shares {
            // A panic of a thread goes on in this one.
            all.extend(share.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    }

    fn judge(&self, path: &Path, blocks: &Blocks) -> Result<Judged, Failure> {
        let mut judged = judge_file(path, blocks, self)?;
        if let Some(key) = &self.key {
            judged.compare_key(key, blocks);
        }
        judged.point_to(self.ours);
        Ok(judged)
    }
}

fn judge_file(path: &Path, blocks: &Blocks, court: &Court<'_>) -> Result<Judged, Failure> {
    let file = blocks.file.clone();
    let Some((first, others)) = blocks.certificates.split_first() else {
        return Err(Failure::nothing_in_file(path, "certificate"));
    };
    let leaf = match Certificate::from_der(first) {
        Ok(certificate) => Exhibit::new(certificate, Place::new(&file, 1)),
        // Without PEM around it, nothing says that it was meant to be a certificate.
        Err(error) if !blocks.is_pem && !looks_like_der(first) => {
            return Err(Failure::undecodable(path, 1, "certificate", &error.to_string()));
        }
        Err(error) => return Ok(Judged { file, verdict: Err(malformed(&blocks.file, &error.to_string())) }),
    };
    let mut warnings = Vec::new();
    let others = Blocks { file: file.clone(), certificates: others.to_vec(), is_pem: blocks.is_pem };
    let mut others = tolerant(path, &others, &mut warnings);
    for other in &mut others {
        other.place.number += 1;
    }
    let all: Vec<_> = others.iter().chain(court.untrusted).collect();
    let evidence = Evidence { leaf: &leaf, untrusted: &all, anchors: court.anchors, lists: court.lists };
    let verdict = judge(evidence, court.question);
    Ok(Judged { file, verdict: Ok(verdict) })
}

/// One SEQUENCE from the first octet to the last.
fn looks_like_der(octets: &[u8]) -> bool {
    matches!(der::split_first(octets), Some((der::SEQUENCE, _, [])))
}

/// A certificate that is framed as one and cannot be read: the answer is no.
fn malformed(file: &str, reason: &str) -> Problem {
    Problem::at(&CERTIFICATE_MALFORMED, Place::new(file, 1), format!("the certificate cannot be read: {reason}"))
}

struct Judged {
    file: String,
    verdict: Result<Verdict, Problem>,
}

struct Verdicts {
    question: Question,
    results: Vec<Judged>,
    /// What was left out of the files.
    warnings: Vec<String>,
}

impl Judged {
    /// A private key of another pair turns a yes into a no.
    fn compare_key(&mut self, key: &PublicKey, blocks: &Blocks) {
        let Ok(verdict) = &mut self.verdict else { return };
        let certificate = blocks.certificates.first().and_then(|der| Certificate::from_der(der).ok());
        let Some(certificate) = certificate.filter(|certificate| certificate.public_key.spki() != key.spki()) else {
            return;
        };
        verdict.valid = false;
        verdict.until = None;
        let (found, given) = (&certificate.public_key, key);
        let message = format!(
            "the private key is of another pair: the certificate holds {} {}, the key file {} {} (key identifiers)",
            found.kind(),
            hex(&found.key_id()),
            given.kind(),
            hex(&given.key_id())
        );
        verdict.problems.insert(0, Problem::at(&KEY_MISMATCH, Place::new(&blocks.file, 1), message));
    }

    /// The missing intermediate may be one of the CA directory's own.
    fn point_to(&mut self, ours: &[Exhibit]) {
        let Ok(verdict) = &mut self.verdict else { return };
        let Some(wanted) = verdict.chain.last().map(|link| link.issuer.clone()) else { return };
        let Some(found) = ours.iter().find(|exhibit| exhibit.certificate.subject.to_string() == wanted) else { return };
        for problem in verdict.problems.iter_mut().filter(|problem| problem.code == "issuer-not-found") {
            problem.hint = format!(
                "the CA directory has it: deploy fullchain.pem instead of cert.pem, or add {} after the leaf",
                found.place.file
            );
        }
    }

    fn is_valid(&self) -> bool {
        self.verdict.as_ref().is_ok_and(|verdict| verdict.valid)
    }

    fn problems(&self) -> &[Problem] {
        match &self.verdict {
            Ok(verdict) => &verdict.problems,
            Err(problem) => std::slice::from_ref(problem),
        }
    }

    fn chain(&self) -> &[Link] {
        self.verdict.as_ref().map_or(&[], |verdict| &verdict.chain)
    }

    fn json(&self, question: &Question) -> Value {
        let verdict = self.verdict.as_ref().ok();
        let until = verdict.and_then(|verdict| verdict.until.as_ref());
        let chain: Vec<_> = self.chain().iter().map(link_json).collect();
        let problems: Vec<_> = self.problems().iter().map(problem_json).collect();
        json!({
            "schema": "ca.verify/1",
            "file": self.file,
            "valid": self.is_valid(),
            "at": rfc3339(question.at),
            "purpose": question.purpose.name(),
            "names": question.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "chain": chain,
            "problems": problems,
            "valid_until": until.map(|until| rfc3339(until.at)),
            "valid_until_because": until.map(|until| &until.because),
            "rustls_refuses": verdict.and_then(|verdict| verdict.rustls_refuses.as_ref()),
        })
    }
}

fn link_json(link: &Link) -> Value {
    json!({
        "subject": link.subject,
        "issuer": link.issuer,
        "serial": link.serial,
        "not_after": rfc3339(link.not_after),
        "role": link.role.name(),
        "source": link.source.to_string(),
    })
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "severity": problem.severity.name(),
        "certificate": problem.certificate.to_string(),
        "message": problem.message,
        "hint": problem.hint,
        "citation": problem.citation,
    })
}

impl Verdicts {
    fn all_valid(&self) -> bool {
        self.results.iter().all(Judged::is_valid)
    }

    fn one(&self, judged: &Judged, page: &mut Page) {
        match judged.is_valid() {
            true => page.pieces(&[(Tone::Good, "valid"), (Tone::Plain, "  "), (Tone::Strong, &judged.file)]),
            false => page.pieces(&[(Tone::Bad, "not valid"), (Tone::Plain, "  "), (Tone::Strong, &judged.file)]),
        }
        page.gap();
        for link in judged.chain() {
            let until = format!("until {}, {}", rfc3339(link.not_after), link.source);
            page.field(link.role.name(), &format!("{}\n{until}", shown(&link.subject)));
        }
        let names: Vec<_> = self.question.names.iter().map(ToString::to_string).collect();
        if !names.is_empty() {
            page.field("names", &names.join(", "));
        }
        page.field("purpose", self.question.purpose.name());
        page.field("judged at", &rfc3339(self.question.at));
        if let Ok(Verdict { until: Some(until), .. }) = &judged.verdict {
            let left = distance(until.at - self.question.at);
            page.field("valid until", &format!("{} ({left} left; then {} ends)", rfc3339(until.at), until.because));
        }
        for problem in judged.problems() {
            page.gap();
            let tone = if problem.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
            page.pieces(&[(tone, problem.severity.name()), (Tone::Plain, ": "), (Tone::Strong, &problem.message)]);
            page.field("  certificate", &problem.certificate.to_string());
            page.field("  rule", &format!("{} ({})", problem.code, problem.citation));
            page.field("  what to do", &problem.hint);
        }
    }
}

fn shown(subject: &str) -> &str {
    if subject.is_empty() { "(no subject)" } else { subject }
}

impl Report for Verdicts {
    fn text(&self, page: &mut Page) {
        if let [judged] = self.results.as_slice() {
            return self.one(judged, page);
        }
        for judged in &self.results {
            let what = match (&judged.verdict, judged.problems().first()) {
                (Ok(Verdict { until: Some(until), .. }), _) => format!("until {}", rfc3339(until.at)),
                (_, Some(problem)) => format!("{}: {}", problem.code, problem.message),
                _ => String::new(),
            };
            let (tone, word) = if judged.is_valid() { (Tone::Good, "valid    ") } else { (Tone::Bad, "not valid") };
            page.pieces(&[
                (tone, word),
                (Tone::Plain, "  "),
                (Tone::Strong, &judged.file),
                (Tone::Plain, "  "),
                (Tone::Plain, &what),
            ]);
        }
    }

    fn json(&self) -> Value {
        let mut document = match self.results.as_slice() {
            [judged] => judged.json(&self.question),
            many => json!({
                "schema": "ca.verify-many/1",
                "results": many.iter().map(|judged| judged.json(&self.question)).collect::<Vec<_>>(),
            }),
        };
        if !self.warnings.is_empty()
            && let Some(fields) = document.as_object_mut()
        {
            fields.insert("warnings".to_owned(), json!(self.warnings));
        }
        document
    }

    fn answer(&self) -> Answer {
        if self.all_valid() { Answer::Yes } else { Answer::No }
    }
}
