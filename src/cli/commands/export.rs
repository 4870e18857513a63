//! `ca export NAME --as FORMAT`: a certificate in the form that another program reads.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::export::{self, Exported};
use crate::app::output_file::OutputFile;
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::passphrase::{KEY_FLAG, of_existing_key_file, question};
use crate::cli::reports::entry::how_far;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::{OutputFormat, Report, StreamError};
use crate::report::page::{Page, Tone};
use crate::store::export::{ExportFormat, openssl_index};
use crate::store::passphrase_prompt::EncryptedKey;
use crate::system::files;
use crate::text::rfc3339;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificate: a name, a serial number or its first digits, or a file; for openssl-index an authority; see ca help
    /// names
    #[arg(value_name = "NAME|SERIAL|FILE")]
    certificate: String,
    /// Choose the format: pem (the full chain), combined (private key, certificate and intermediates in one PEM file), der
    /// (the certificate alone), pkcs7 (a .p7b file), k8s-secret (a manifest of Kubernetes), openvpn (the inline blocks of a
    /// profile), or openssl-index (index.txt of an authority, for openssl ocsp and openssl ca)
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_parser())]
    format: ExportFormat,
    /// Write to a file instead of standard output; mode 0600 when it has the private key
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
    /// Open the encrypted private key of the certificate with the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
}

fn format_parser() -> impl TypedValueParser<Value = ExportFormat> {
    PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::name)).try_map(|name| name.parse::<ExportFormat>())
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { certificate, format, out, force, confirm, exit_changed, key_passphrase_file } = arguments;
    let dry_run = confirm.apply(context);
    if dry_run && out.is_none() {
        return Err(Failure::usage("bad-arguments", "--dry-run has no effect without --out FILE: nothing is written"));
    }
    context.changes.exit_changed = *exit_changed;
    if out.is_none() {
        check_stdout(*format, context)?;
    }
    let prompt = |path: &Path, context: &Context<'_>| {
        let question = question(&EncryptedKey::File(path.to_owned()));
        of_existing_key_file(key_passphrase_file.as_deref(), &question, KEY_FLAG, context)
    };
    let exported = export::export(certificate, *format, &prompt, context)?;
    let written = match out {
        Some(out) => Some((out.clone(), write(&exported, out, *force, context)?)),
        None => None,
    };
    Ok(Box::new(ExportReport { exported, written, shown_as: context.format, now: context.now() }))
}

/// Refuses to write a private key or binary data to a terminal, or into a JSON document.
fn check_stdout(format: ExportFormat, context: &Context<'_>) -> Result<(), Failure> {
    let what = match (format.has_key(), format.is_binary()) {
        (true, _) => "a private key is not written to",
        (false, true) => "binary data is not written to",
        (false, false) => return Ok(()),
    };
    let place = if context.format == OutputFormat::Json {
        "a JSON document"
    } else if context.world.terminal.shows_stdout() {
        "a terminal"
    } else {
        return Ok(());
    };
    Err(Failure::usage("needs-out", format!("{what} {place}")).hint("write it to a file: --out FILE"))
}

/// Writes the file, and the file of attributes beside an index.
fn write(exported: &Exported, out: &Path, force: bool, context: &Context<'_>) -> Result<bool, Failure> {
    let Exported { entry, format, content, .. } = exported;
    if *format == ExportFormat::OpensslIndex {
        let (what, content) = ("the attributes of the index", openssl_index::ATTRIBUTES.as_bytes());
        let attributes = OutputFile { what, content, mode: files::PUBLIC, force };
        // A dry run lists the index.
        if !context.changes.dry_run {
            attributes.write(&export::attributes_path(out), context)?;
        }
    }
    let what = format!("{} as {format}", entry.name);
    OutputFile { what: &what, content, mode: format.mode(), force }.write(out, context)
}

struct ExportReport {
    exported: Exported,
    /// The file, and whether it was written.
    written: Option<(PathBuf, bool)>,
    shown_as: OutputFormat,
    now: OffsetDateTime,
}

/// `ca.export/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Export")]
pub struct ExportJson<'a> {
    name: &'a str,
    serial: Serial<'a>,
    fingerprint_sha256: Hex<&'a [u8]>,
    not_after: Time,
    /// The word of `--as`.
    format: &'static str,
    /// What the file has, in its order.
    contains: Vec<&'static str>,
    /// The permissions of the file.
    mode: String,
    /// The content, without `--out`: only of text formats that have no private key.
    content: Option<String>,
    /// The file of `--out`.
    out: Option<FilePath<&'a PathBuf>>,
    /// `null` without `--out`; else `written` or `unchanged`.
    outcome: Option<&'static str>,
}

impl ExportReport {
    fn outcome(&self) -> Option<&'static str> {
        self.written.as_ref().map(|(_, is_new)| if *is_new { "written" } else { "unchanged" })
    }
}

impl Report for ExportReport {
    fn text(&self, page: &mut Page) {
        let Exported { entry, format, parts, .. } = &self.exported;
        let Some((path, is_new)) = &self.written else { return };
        let (mark, done) = if *is_new { ("✓ ", "Exported ") } else { ("= ", "Unchanged ") };
        page.pieces(&[
            (Tone::Good, mark),
            (Tone::Plain, done),
            (Tone::Strong, &entry.name),
            (Tone::Dim, &format!("  {format}")),
        ]);
        page.field("contains", &parts.iter().map(|part| part.name()).collect::<Vec<_>>().join(", "));
        if *format != ExportFormat::OpensslIndex {
            page.field("serial", &entry.serial.to_string());
            let at = entry.validity.not_after;
            page.field("expires", &format!("{} ({})", rfc3339(at), how_far(at - self.now)));
        }
        let label = if *is_new { "written to" } else { "unchanged" };
        let secret = if format.has_key() { " (mode 0600; keep it secret)" } else { "" };
        page.field(label, &format!("{}{secret}", page.path(path)));
    }

    fn stream(&self, out: &mut dyn Write) -> Option<Result<(), StreamError>> {
        let is_the_result = self.written.is_none() && self.shown_as == OutputFormat::Text;
        is_the_result.then(|| Ok(out.write_all(&self.exported.content)?))
    }

    fn json(&self) -> Value {
        let Exported { entry, format, parts, content } = &self.exported;
        let shows_content = self.written.is_none() && !format.has_key() && !format.is_binary();
        let content = ExportJson {
            name: &entry.name,
            serial: Serial(&entry.serial),
            fingerprint_sha256: Hex(&entry.fingerprint),
            not_after: Time(entry.validity.not_after),
            format: format.name(),
            contains: parts.iter().map(|part| part.word()).collect(),
            mode: format!("{:04o}", format.mode()),
            content: shows_content.then(|| String::from_utf8_lossy(content).into_owned()),
            out: self.written.as_ref().map(|(path, _)| FilePath(path)),
            outcome: self.outcome(),
        };
        json::document("ca.export/1", &content)
    }

    fn has_changed(&self) -> bool {
        self.written.as_ref().is_some_and(|(_, is_new)| *is_new)
    }

    fn only_confirms(&self) -> bool {
        self.written.is_some()
    }
}
