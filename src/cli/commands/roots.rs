//! `ca roots`: what clients must trust.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::export::StoreEncryption;
use crate::app::output_file::{self, OutputFile};
use crate::app::roots::{crls, roots_of};
use crate::app::store_passphrase::StorePassphrase;
use crate::authority::revocation::collected_crls::CollectedCrls;
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::store::StorePassphraseArguments;
use crate::cli::reports::authority::AuthorityJson;
use crate::keys::key_file::pkcs12::Strength;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::{OutputFormat, Report, StreamError};
use crate::report::page::Page;
use crate::store::ca_certificates::Root;
use crate::store::export::{RootsFormat, encode_roots};
use crate::system::files;
use crate::text::rfc3339;
use crate::x509::pem;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose the format: pem, der (one certificate), truststore (PKCS#12 for Java, as a .p12 or .jks file), k8s-configmap (a
    /// manifest of Kubernetes), or mobileconfig (a configuration profile for macOS and iOS)
    #[arg(long = "as", value_name = "FORMAT", default_value = "pem", value_parser = format_parser())]
    format: RootsFormat,
    /// Add the CRL of every authority, as Dovecot needs it in one file; for pem and k8s-configmap
    #[arg(long)]
    with_crls: bool,
    /// Write the bundle to a file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace an existing file with other content
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmForceArguments,
    /// Exit with status 10 instead of 0 when the file was written
    #[arg(long, requires = "out", conflicts_with = "dry_run")]
    exit_changed: bool,
    #[command(flatten)]
    passphrase: StorePassphraseArguments,
}

fn format_parser() -> impl TypedValueParser<Value = RootsFormat> {
    PossibleValuesParser::new(RootsFormat::ALL.map(RootsFormat::name)).try_map(|name| name.parse::<RootsFormat>())
}

/// The bundle.
struct Bundle {
    roots: Vec<Root>,
    format: RootsFormat,
    /// The authorities whose CRLs are in it.
    crls: CollectedCrls,
    content: Vec<u8>,
    /// The encryption of a trust store.
    strength: Option<Strength>,
    /// The file with a generated passphrase.
    passphrase_file: Option<PathBuf>,
    shown_as: OutputFormat,
    /// The names of the old and the new root, while both are trusted.
    rotation: Option<(String, String)>,
    written: Option<(PathBuf, bool)>,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.confirm.apply(context);
    if dry_run && arguments.out.is_none() {
        return Err(Failure::usage("bad-arguments", "--dry-run has no effect without --out FILE: nothing is written"));
    }
    context.changes.exit_changed = arguments.exit_changed;
    let Arguments { format, out, .. } = arguments;
    if out.is_none() {
        output_file::check_stdout(false, format.is_binary(), context)?;
    }
    let authorities = context.ca_certificates()?;
    let roots = roots_of(&authorities)?;
    let rotation = authorities.rotation()?.map(|rotation| (rotation.old, rotation.new));
    let crls = arguments.crls(context)?;
    let chosen = arguments.passphrase_of_store(context)?;
    let encryption = chosen.as_ref().map(|chosen| StoreEncryption { passphrase: &chosen.passphrase, target: None });
    let protection = encryption.as_ref().map(|encryption| encryption.protection(context)).transpose()?;
    let content = encode_roots(*format, &roots, &crls.pem(), protection.as_ref())?;
    let strength = encryption.map(|encryption| encryption.strength());
    let written = match out {
        Some(out) => {
            let file = OutputFile { what: "the roots", content: &content, mode: files::PUBLIC, force: arguments.force };
            if let Some(chosen) = &chosen {
                file.check(out, context)?;
                chosen.write(context)?;
            }
            Some((out.clone(), file.write(out, context)?))
        }
        None => None,
    };
    Ok(Box::new(Bundle {
        roots,
        format: *format,
        crls,
        content,
        strength,
        passphrase_file: chosen.and_then(|chosen| chosen.file),
        shown_as: context.format,
        rotation,
        written,
    }))
}

impl Arguments {
    /// Reads the CRLs, when they are wanted.
    fn crls(&self, context: &Context<'_>) -> Result<CollectedCrls, Failure> {
        match (self.with_crls, self.format.takes_crls()) {
            (false, _) => Ok(CollectedCrls::default()),
            (true, true) => crls(context),
            (true, false) => {
                let sentence =
                    format!("{} has no place for CRLs: --with-crls is for pem and k8s-configmap", self.format);
                Err(Failure::usage("bad-arguments", sentence))
            }
        }
    }

    /// Returns the passphrase of a trust store; `None` for other formats.
    fn passphrase_of_store(&self, context: &Context<'_>) -> Result<Option<StorePassphrase>, Failure> {
        let flags = self.passphrase.plain();
        if self.format == RootsFormat::TrustStore {
            return StorePassphrase::choose(flags.read(context)?, self.out.as_deref(), context).map(Some);
        }
        if flags.is_given() {
            let sentence = format!("{} is not encrypted: the passphrase has no effect", self.format);
            return Err(Failure::usage("passphrase-unused", sentence));
        }
        Ok(None)
    }
}

fn bundle(roots: &[Root]) -> String {
    roots.iter().map(|root| pem::certificate(root.certificate.as_der())).collect()
}

/// `ca.roots/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Roots")]
pub struct RootsJson<'a> {
    roots: Vec<RootJson<'a>>,
    /// The old and the new root, while both are trusted.
    rotation: Option<RotationJson<'a>>,
    /// The bundle: every certificate.
    pem: String,
    /// The word of `--as`.
    format: &'static str,
    /// The authorities whose CRLs are in the file, in the order of their CRLs.
    crl_authorities: Vec<&'a str>,
    /// How a trust store is encrypted.
    encryption: Option<String>,
    /// The file with the generated passphrase of a trust store.
    passphrase_file: Option<FilePath<&'a PathBuf>>,
    /// The file of `--out`.
    out: Option<FilePath<&'a PathBuf>>,
    /// As `outcome`.
    #[schemars(extend("deprecated" = true))]
    status: Option<&'static str>,
    /// `null` without `--out`; else `written` or `unchanged`.
    outcome: Option<&'static str>,
}

/// A root.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Root")]
struct RootJson<'a> {
    #[serde(flatten)]
    certificate: AuthorityJson<'a>,
    file: FilePath<&'a PathBuf>,
}

impl<'a> RootJson<'a> {
    fn new(root: &'a Root) -> Self {
        Self { certificate: AuthorityJson::new(&root.name, &root.certificate), file: FilePath(&root.path) }
    }
}

/// Two roots that are both trusted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Rotation")]
struct RotationJson<'a> {
    /// As `old_root`.
    #[schemars(extend("deprecated" = true))]
    old: &'a str,
    old_root: &'a str,
    /// As `new_root`.
    #[schemars(extend("deprecated" = true))]
    new: &'a str,
    new_root: &'a str,
}

impl Report for Bundle {
    fn text(&self, page: &mut Page) {
        let Some((path, is_new)) = &self.written else { return };
        for root in &self.roots {
            let until = rfc3339(root.certificate.validity.not_after);
            page.field(&root.name, &format!("{}, expires {until}", root.certificate.subject));
            page.digest("  SHA-256", &root.certificate.fingerprint());
        }
        if !self.crls.crls.is_empty() {
            page.field("CRLs of", &self.crls.names().join(", "));
        }
        if let Some(strength) = self.strength {
            page.field("encryption", &strength.describe());
        }
        if let Some(file) = &self.passphrase_file {
            page.field("passphrase", &format!("in {} (mode 0600)", page.path(file)));
        }
        page.field(if *is_new { "written to" } else { "unchanged" }, &page.path(path));
        if *is_new {
            page.field("next", "install this bundle on every client, as the CAs that it trusts");
        }
    }

    fn stream(&self, out: &mut dyn Write) -> Option<Result<(), StreamError>> {
        let is_the_result = self.written.is_none() && self.shown_as == OutputFormat::Text;
        is_the_result.then(|| Ok(out.write_all(&self.content)?))
    }

    fn json(&self) -> Value {
        let done = self.written.as_ref().map(|(_, is_new)| if *is_new { "written" } else { "unchanged" });
        let content = RootsJson {
            roots: self.roots.iter().map(RootJson::new).collect(),
            rotation: self.rotation.as_ref().map(|(old, new)| RotationJson { old, old_root: old, new, new_root: new }),
            pem: bundle(&self.roots),
            format: self.format.name(),
            crl_authorities: self.crls.crls.iter().map(|crl| crl.ca.as_str()).collect(),
            encryption: self.strength.map(Strength::describe),
            passphrase_file: self.passphrase_file.as_ref().map(FilePath),
            out: self.written.as_ref().map(|(path, _)| FilePath(path)),
            status: done,
            outcome: done,
        };
        json::document("ca.roots/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.written.as_ref().is_some_and(|(_, is_new)| *is_new)
    }

    fn only_confirms(&self) -> bool {
        self.written.is_some()
    }
}
