//! `ca import`: the CA of another tool, with what it issued and revoked.

use std::path::PathBuf;

use crate::app::certificate_input::read_certificates;
use crate::app::context::Context;
use crate::authority::hierarchy::import::ImportedCa;
use crate::authority::hierarchy::init::{self, InitOrder, InitializedCa};
use crate::authority::other_tool::comparison::{self, RecordOptions};
use crate::authority::other_tool::finding::{ImportFinding, ImportFindings};
use crate::authority::other_tool::records::{self, ImportCounts, ImportRecords};
use crate::authority::other_tool::source::{GivenFiles, KeySource, Source};
use crate::authority::other_tool::tool::Tool;
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::lint::Severity;
use crate::report::failure::{Failure, KindCodes};
use crate::store::approval::Declined;
use crate::store::ca_certificates::{ROOT, open_key};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::passphrase_prompt::{EncryptedKey, PassphrasePrompt};
use crate::text::PathText;
use crate::x509::file_kind::Expected;
use crate::x509::{Certificate, pem};

/// What the user asks for.
pub struct ImportRequest {
    /// The folder of the other tool, as it was named.
    pub folder: PathBuf,
    /// `None` when it is to be recognised.
    pub tool: Option<Tool>,
    pub files: NamedFiles,
    pub options: RecordOptions,
}

/// Files that the user names instead of the usual ones.
#[derive(Debug, Default)]
pub struct NamedFiles {
    pub cert: Option<PathBuf>,
    pub key: Option<PathBuf>,
    pub chain: Option<PathBuf>,
    pub crls: Vec<PathBuf>,
    pub index: Option<PathBuf>,
}

/// What was read, before anything is created.
pub struct ReadImport {
    pub source: Source,
    pub records: ImportRecords,
}

/// What came of it.
pub struct ImportResult {
    pub tool: Tool,
    pub was_recognised: bool,
    pub source: PathBuf,
    pub folder: PathBuf,
    /// The root first.
    pub authorities: Vec<ImportedAuthority>,
    pub counts: ImportCounts,
    pub last_crl_number: Option<u64>,
    pub findings: ImportFindings,
    /// What no file says: codes and sentences.
    pub unknown: Vec<(&'static str, String)>,
    pub encrypted: bool,
    /// `None` for a dry run, and when it was refused.
    pub made: Option<InitializedCa>,
    /// Why nothing was imported.
    pub refused: Option<Failure>,
}

/// An authority of the new CA.
pub struct ImportedAuthority {
    pub name: String,
    pub certificate: Certificate,
    pub has_key: bool,
}

/// Reads the folder, and compares what is in it.
///
/// # Errors
/// When the folder is not that of a tool, or a file that the user named cannot be read.
pub fn read(request: &ImportRequest, context: &mut Context<'_>) -> Result<ReadImport, Failure> {
    let given = given_files(&request.files, context)?;
    let mut source = Source::read(&context.world.resolve(&request.folder), request.tool, given)?;
    let records = records::of(&mut source, request.options, context.now());
    Ok(ReadImport { source, records })
}

fn given_files(files: &NamedFiles, context: &mut Context<'_>) -> Result<GivenFiles, Failure> {
    let mut given = GivenFiles::default();
    if let Some(path) = &files.cert {
        let content = context.read_expected(path, Expected::Certificate, KindCodes::both("bad-certificate"))?;
        given.certificate = Some((path.clone(), content));
    }
    if let Some(path) = &files.key {
        let content = context.read_expected(path, Expected::PrivateKey, KindCodes::both("bad-key"))?;
        given.key = Some((path.clone(), zeroize::Zeroizing::new(content)));
    }
    if let Some(path) = &files.chain {
        given.chain = read_certificates(path, context)?;
    }
    for path in &files.crls {
        let content = context.read_expected(path, Expected::Crl, KindCodes::both("bad-certificate"))?;
        let damaged = |error| Failure::usage("bad-certificate", format!("{}: {error}", path.escaped()));
        let crls = pem::crls(content).map_err(damaged)?.ders;
        given.crls.extend(crls.into_iter().map(|der| (path.clone(), der)));
    }
    if let Some(path) = &files.index {
        let content = context.read_expected(path, Expected::OpensslIndex, KindCodes::both("bad-openssl-index"))?;
        given.index = Some((path.clone(), content));
    }
    Ok(given)
}

/// The keys of the CA and of its root.
pub struct OpenedKeys {
    /// `None` when a dry run has no passphrase for it.
    pub ca: Option<PrivateKey>,
    pub root: Option<PrivateKey>,
}

/// Opens the keys. A key of the root that cannot be opened is a finding.
///
/// # Errors
/// When the key of the CA cannot be opened; in a dry run, when it cannot be read.
pub fn open_keys(
    read: &mut ReadImport,
    prompt: &mut PassphrasePrompt<'_>,
    is_dry_run: bool,
) -> Result<OpenedKeys, Failure> {
    let path = |key: &KeySource, source: &Source| match key.path.is_absolute() {
        true => key.path.clone(),
        false => source.folder.join(&key.path),
    };
    let mut open = |key: &KeySource| {
        let path = path(key, &read.source);
        open_key(&path, &key.content, prompt, &EncryptedKey::File(path.clone())).map(|(key, _)| key)
    };
    let ca = match open(&read.source.key) {
        Ok(key) => Some(key),
        Err(error) => match Failure::from(error) {
            failure if is_dry_run && failure.code == "no-passphrase" => {
                let sentence = "the private key of the CA is encrypted: without its passphrase it was not compared with the \
                                certificate";
                read.records.unknown.push(("ca-key", sentence.to_owned()));
                None
            }
            failure => return Err(failure),
        },
    };
    let mut root = None;
    if let (Some(source), Some(certificate)) = (&read.source.root_key, root_of(&read.source)) {
        let reason = match open(source) {
            Ok(key) if *key.public_key() == certificate.public_key => {
                root = Some(key);
                None
            }
            Ok(_) => Some("it is not that of the root".to_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            let message = format!("the private key of the root was not imported: {reason}");
            read.records.findings.warn("root-key-not-imported", &source.path, message);
        }
    }
    if root.is_none() && !read.source.certificate.is_self_issued() {
        let sentence = "the private key of the root is not imported: it is needed for the CRL of the root and for another \
                        intermediate. When it is there: authorities/root/key.pem";
        read.records.unknown.push(("root-key", sentence.to_owned()));
    }
    Ok(OpenedKeys { ca, root })
}

fn root_of(source: &Source) -> Option<Certificate> {
    comparison::chain_of(source).into_iter().last()
}

/// Creates the CA, all of it or nothing. Without `passphrase` its keys are not encrypted.
///
/// # Errors
/// When the change is not confirmed. When the CA cannot be imported, the result says why.
pub fn import(
    read: ReadImport,
    keys: OpenedKeys,
    home: &Home,
    passphrase: Option<Passphrase>,
    context: &Context<'_>,
) -> Result<ImportResult, Failure> {
    let ReadImport { source, mut records } = read;
    let above = comparison::chain_of(&source);
    let ca_name = if above.is_empty() { ROOT } else { comparison::ISSUING };
    let root = above.last().map(|root| ImportedAuthority {
        name: ROOT.to_owned(),
        certificate: root.clone(),
        has_key: keys.root.is_some(),
    });
    let ca = ImportedAuthority { name: ca_name.to_owned(), certificate: source.certificate.clone(), has_key: true };
    let mut result = ImportResult {
        tool: source.tool,
        was_recognised: source.was_recognised,
        source: source.folder.clone(),
        folder: home.folder().to_owned(),
        authorities: root.into_iter().chain([ca]).collect(),
        counts: records.counts,
        last_crl_number: records.last_crl_number,
        findings: std::mem::take(&mut records.findings),
        unknown: std::mem::take(&mut records.unknown),
        encrypted: passphrase.is_some(),
        made: None,
        refused: None,
    };
    if let Some(error) = result.findings.shown.iter().find(|finding| finding.severity == Severity::Error) {
        result.refused = Some(refusal(error, &source));
        return Ok(result);
    }
    let Some(key) = keys.ca else { return Ok(result) };
    let mut config = Config::default();
    if let Some(name) = source.certificate.subject.common_name() {
        name.clone_into(&mut config.name);
    }
    let imported = ImportedCa {
        earlier: records.earlier,
        root_key: keys.root,
        certificates: records.certificates,
        ..ImportedCa::new(source.certificate, key, source.chain)
    };
    let order = InitOrder {
        config,
        intermediate: None,
        passphrase,
        imported: Some(imported),
        facts: Vec::new(),
        notes: Vec::new(),
        confirm: false,
    };
    match init::init(home, order, &context.effects()).map_err(Failure::from) {
        Ok(made) => result.made = Some(made),
        Err(failure) if failure.code == Declined::DRY_RUN => {}
        Err(failure) => result.refused = Some(failure),
    }
    Ok(result)
}

/// The failure for a finding that prevents the import.
fn refusal(finding: &ImportFinding, source: &Source) -> Failure {
    let path = finding.path.as_ref().map(|path| source.folder.join(path)).unwrap_or_default();
    let place = finding.line.map(|line| format!(" line {line},")).unwrap_or_default();
    let message = format!("{}:{place} {}", path.escaped(), finding.message);
    let failure = match finding.code.starts_with("index") {
        true => Failure::usage("bad-openssl-index", message),
        false => Failure::usage("unreadable-input", message),
    };
    match finding.code {
        "link-not-followed" => failure.hint("name the file that it leads to: --index FILE"),
        "index-not-read" => failure.hint("name the index of the CA that issues: --index FILE"),
        _ => failure.hint("correct it, or import without it: --skip-unreadable. What it revokes is then valid again"),
    }
}
