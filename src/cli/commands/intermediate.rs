//! `ca intermediate`: an authority whose certificate is signed elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::certificate_input::read_certificates;
use crate::app::context::Context;
use crate::authority::hierarchy::intermediate::{
    self, InstalledIntermediate, IntermediateInstallOrder, IntermediateRequestOrder, RequestedIntermediate,
};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::key_value::subject_attribute;
use crate::cli::options::passphrase::{PassphraseArguments, new_ca_passphrase};
use crate::cli::reports::issue::warning_json;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Shown, Time, WarningJson};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::rfc3339;
use crate::x509::{AttributeType, DistinguishedName, KeyAlgorithm, KeyKind};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make the key of an authority, and a request for its certificate
    Request(Box<RequestArguments>),
    /// Install the certificate of a requested authority
    Install(Box<InstallArguments>),
}

#[derive(Debug, Args)]
struct RequestArguments {
    /// The name of the authority: letters, digits, '-' and '_'
    #[arg(value_name = "NAME")]
    name: String,
    /// Choose the kind of its key [default: intermediate.key in ca.toml]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    /// Set an attribute of the subject, as organization=Acme; repeatable
    #[arg(long, value_name = "K=V", value_parser = subject_attribute)]
    subject: Vec<(AttributeType, String)>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Leave the key unencrypted
    #[arg(long, group = "passphrase", help_heading = "Passphrase of the CA key")]
    no_passphrase: bool,
}

#[derive(Debug, Args)]
struct InstallArguments {
    /// The name of the authority
    #[arg(value_name = "NAME")]
    name: String,
    /// Its certificate; other certificates in the file are those above it
    #[arg(value_name = "CERT")]
    certificate: PathBuf,
    /// Read the certificates above it, up to the root, unless this CA has them
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    /// Add the root of the chain to those of this CA under this name
    #[arg(long, value_name = "AUTHORITY")]
    add_root: Option<String>,
    #[command(flatten)]
    dry_run: DryRunArgument,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    match arguments.action {
        Action::Request(arguments) => request(*arguments, context),
        Action::Install(arguments) => install(*arguments, context),
    }
}

fn request(arguments: RequestArguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.dry_run.apply(context);
    let store = context.store()?;
    let passphrase = if arguments.no_passphrase || dry_run {
        None
    } else {
        Some(new_ca_passphrase(&arguments.passphrase, store.home(), store.config(), context)?)
    };
    let encrypted = passphrase.is_some();
    let order =
        IntermediateRequestOrder { name: arguments.name, key: arguments.key, subject: arguments.subject, passphrase };
    let requested = intermediate::request(&store, &order, &context.effects())?;
    Ok(Box::new(RequestReport { requested, encrypted }))
}

fn install(arguments: InstallArguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.dry_run.apply(context);
    let store = context.store()?;
    let mut certificates = read_certificates(&arguments.certificate, context)?.into_iter();
    let Some(certificate) = certificates.next() else {
        return Err(Failure::nothing_in_file(&arguments.certificate, "certificate"));
    };
    let mut chain: Vec<_> = certificates.collect();
    if let Some(path) = &arguments.chain {
        chain.extend(read_certificates(path, context)?);
    }
    let order = IntermediateInstallOrder { name: arguments.name, certificate, chain, add_root: arguments.add_root };
    let installed = intermediate::install(&store, order, &context.effects())?;
    for warning in &installed.warnings {
        context.warn(&warning.message);
    }
    let issues = store.config().issue.issuer == installed.name;
    Ok(Box::new(InstallReport { installed, issues }))
}

struct RequestReport {
    requested: RequestedIntermediate,
    encrypted: bool,
}

struct InstallReport {
    installed: InstalledIntermediate,
    /// Whether it issues when no other is named.
    issues: bool,
}

/// `ca.intermediate-request/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IntermediateRequest")]
pub struct IntermediateRequestJson<'a> {
    authority: &'a str,
    subject: Shown<&'a DistinguishedName>,
    /// As `key_algorithm`.
    #[schemars(extend("deprecated" = true))]
    key: Shown<&'a KeyKind>,
    key_algorithm: Shown<&'a KeyKind>,
    /// The identifier of the public key.
    key_id: Hex<Vec<u8>>,
    encrypted: bool,
    files: IntermediateFilesJson<'a>,
}

/// The files of a request for an authority.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IntermediateFiles")]
struct IntermediateFilesJson<'a> {
    request: FilePath<&'a PathBuf>,
    key: FilePath<&'a PathBuf>,
}

impl Report for RequestReport {
    fn text(&self, page: &mut Page) {
        let RequestedIntermediate { name, request, path, key } = &self.requested;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Made a key and a request for "), (Tone::Strong, name)]);
        page.field("subject", &request.subject.to_string());
        let protected = if self.encrypted { "encrypted" } else { "not encrypted" };
        page.field("key", &format!("{}, {protected}: {}", request.public_key.kind(), page.path(key)));
        page.field("request", &page.path(path));
        page.gap();
        page.line(&format!("Let the other CA sign the request; then: ca intermediate install {name} CERT"));
    }

    fn json(&self) -> Value {
        let RequestedIntermediate { name, request, path, key } = &self.requested;
        let content = IntermediateRequestJson {
            authority: name,
            subject: Shown(&request.subject),
            key: Shown(request.public_key.kind()),
            key_algorithm: Shown(request.public_key.kind()),
            key_id: Hex(request.public_key.key_id().to_vec()),
            encrypted: self.encrypted,
            files: IntermediateFilesJson { request: FilePath(path), key: FilePath(key) },
        };
        json::document("ca.intermediate-request/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

/// `ca.intermediate-install/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "IntermediateInstall")]
pub struct IntermediateInstallJson<'a> {
    authority: &'a str,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: &'static str,
    #[schemars(extend("enum" = ["installed", "unchanged"]))]
    outcome: &'static str,
    subject: Shown<&'a DistinguishedName>,
    issuer: Shown<&'a DistinguishedName>,
    serial: Serial<'a>,
    not_before: Time,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
    /// As `chain_subjects`.
    #[schemars(extend("deprecated" = true))]
    chain: Vec<Shown<&'a DistinguishedName>>,
    /// The authorities above it, the root last.
    chain_subjects: Vec<Shown<&'a DistinguishedName>>,
    /// The name under which a root was added.
    added_root: Option<&'a str>,
    /// This authority issues when no other is named.
    issues: bool,
    /// As the messages of `warning_details`.
    #[schemars(extend("deprecated" = true))]
    warnings: Vec<&'a str>,
    warning_details: Vec<WarningJson<'a>>,
    file: FilePath<&'a PathBuf>,
}

impl Report for InstallReport {
    fn text(&self, page: &mut Page) {
        let InstalledIntermediate { name, certificate, above, added_root, unchanged, path, .. } = &self.installed;
        let (mark, done) = if *unchanged { ("= ", "Unchanged: ") } else { ("✓ ", "Installed the certificate of ") };
        page.pieces(&[(Tone::Good, mark), (Tone::Plain, done), (Tone::Strong, name)]);
        page.field("subject", &certificate.subject.to_string());
        page.field("issuer", &certificate.issuer.to_string());
        page.field("serial", &certificate.serial.to_string());
        page.field("expires", &rfc3339(certificate.validity.not_after));
        if let Some(root) = above.last() {
            page.field("root", &root.subject.to_string());
        }
        page.field("certificate", &page.path(path));
        if let Some(root) = added_root {
            page.field("added root", &format!("{root}; clients need it too: 'ca roots'"));
        }
        if !self.issues {
            page.gap();
            page.line(&format!("To issue with it: --issuer {name}, or issuer = \"{name}\" in [issue] of ca.toml"));
        }
    }

    fn json(&self) -> Value {
        let InstalledIntermediate { name, certificate, above, added_root, unchanged, warnings, path } = &self.installed;
        let done = if *unchanged { "unchanged" } else { "installed" };
        let chain = || above.iter().map(|above| Shown(&above.subject)).collect();
        let content = IntermediateInstallJson {
            authority: name,
            status: done,
            outcome: done,
            subject: Shown(&certificate.subject),
            issuer: Shown(&certificate.issuer),
            serial: Serial(&certificate.serial),
            not_before: Time(certificate.validity.not_before),
            not_after: Time(certificate.validity.not_after),
            fingerprint_sha256: Hex(certificate.fingerprint()),
            chain: chain(),
            chain_subjects: chain(),
            added_root: added_root.as_deref(),
            issues: self.issues,
            warnings: warnings.iter().map(|warning| warning.message.as_str()).collect(),
            warning_details: warnings.iter().map(warning_json).collect(),
            file: FilePath(path),
        };
        json::document("ca.intermediate-install/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
