//! `ca intermediate`: an authority whose certificate is signed elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::certificate_input::read_certificates;
use crate::app::context::Context;
use crate::authority::hierarchy::intermediate::{
    self, InstalledIntermediate, IntermediateInstallOrder, IntermediateRequestOrder, RequestedIntermediate,
};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::key_value::subject_attribute;
use crate::cli::options::passphrase::{PassphraseArguments, new_ca_passphrase};
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::{self, PathText, rfc3339};
use crate::x509::{AttributeType, KeyAlgorithm};

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

impl Report for RequestReport {
    fn text(&self, page: &mut Page) {
        let RequestedIntermediate { name, request, path, key } = &self.requested;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Made a key and a request for "), (Tone::Strong, name)]);
        page.field("subject", &request.subject.to_string());
        let protected = if self.encrypted { "encrypted" } else { "not encrypted" };
        page.field("key", &format!("{}, {protected}: {}", request.public_key.kind(), key.escaped()));
        page.field("request", &path.escaped().to_string());
        page.gap();
        page.line(&format!("Let the other CA sign the request; then: ca intermediate install {name} CERT"));
    }

    fn json(&self) -> Value {
        let RequestedIntermediate { name, request, path, key } = &self.requested;
        json!({
            "schema": "ca.intermediate-request/1",
            "authority": name,
            "subject": request.subject.to_string(),
            "key": request.public_key.kind().to_string(),
            "key_id": text::hex(&request.public_key.key_id()),
            "encrypted": self.encrypted,
            "files": { "request": path, "key": key },
        })
    }

    fn only_confirms(&self) -> bool {
        true
    }
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
        page.field("certificate", &path.escaped().to_string());
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
        json!({
            "schema": "ca.intermediate-install/1",
            "authority": name,
            "status": if *unchanged { "unchanged" } else { "installed" },
            "subject": certificate.subject.to_string(),
            "issuer": certificate.issuer.to_string(),
            "serial": certificate.serial.to_string(),
            "not_before": rfc3339(certificate.validity.not_before),
            "not_after": rfc3339(certificate.validity.not_after),
            "fingerprint_sha256": text::hex(&certificate.fingerprint()),
            "chain": above.iter().map(|above| above.subject.to_string()).collect::<Vec<_>>(),
            "added_root": added_root,
            "issues": self.issues,
            "warnings": warnings.iter().map(|warning| &warning.message).collect::<Vec<_>>(),
            "file": path,
        })
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
