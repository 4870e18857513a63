//! `ca export`: a certificate in the format that another program reads (`--as`), or all files that it needs (`--target`).

pub mod for_program;
pub mod remember;

use std::cell::Cell;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use self::for_program::ProgramRequest;
use self::remember::{ExportFacts, RememberArguments};
use crate::app::context::Context;
use crate::app::export::{self, Exported, StoreEncryption};
use crate::app::output_file::{self, OutputFile};
use crate::app::store_passphrase::StorePassphrase;
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::passphrase::{KEY_FLAG, of_existing_key_file, question};
use crate::cli::options::store::StorePassphraseArguments;
use crate::keys::key_file::pkcs12::Strength;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::{OutputFormat, Report, StreamError};
use crate::report::page::{Page, Tone};
use crate::store::export::{ExportFormat, Target, openssl_index};
use crate::store::passphrase_prompt::EncryptedKey;
use crate::system::files;
use crate::text::{escape, how_far, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificate: a name, a serial number or its first digits, or a file; for openssl-index an authority, else
    /// the issuer; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE")]
    certificate: String,
    /// Choose the format: pem (the full chain), combined (private key, certificate and intermediates in one PEM file),
    /// der (the certificate alone), p12 (PKCS#12, a .p12 or .pfx file, for browsers, phones, Windows and Java), pkcs7
    /// (a .p7b file), k8s-secret (a manifest of Kubernetes), openvpn (the inline blocks of a profile), or openssl-index
    /// (index.txt of an authority, for openssl ocsp and openssl ca); the roots, also as a Java trust store: ca roots
    /// --as
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_parser(), required_unless_present_any = ["target", "forget"])]
    format: Option<ExportFormat>,
    /// Write all files that a program needs, and show the lines of its configuration: nginx, postgres and others, see ca
    /// recipe list. With --as p12: encrypt for the programs that import it: apple (macOS and iOS, which need 3DES and
    /// SHA-1), windows, java, or nss (Firefox and Chromium on Linux) [default: AES-256 and SHA-256]
    #[arg(long, value_name = "PROGRAM")]
    target: Option<String>,
    /// Write to a file instead of standard output; mode 0600 when it has the private key. With --target PROGRAM: the
    /// folder of its files
    #[arg(long, value_name = "FILE|DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    program: ProgramArguments,
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
    #[command(flatten)]
    remember: RememberArguments,
    #[command(flatten)]
    passphrase: StorePassphraseArguments,
}

const PROGRAM_HEADING: &str = "Files of a program (--target PROGRAM)";

/// The flags of an export for a program.
#[derive(Debug, Args)]
struct ProgramArguments {
    /// Leave out the CRLs: the program accepts revoked certificates then
    #[arg(long, help_heading = PROGRAM_HEADING, requires = "target")]
    without_crls: bool,
    /// Give the files to another user than the recipe says
    #[arg(long, help_heading = PROGRAM_HEADING, value_name = "USER", requires = "target")]
    owner: Option<String>,
    /// Give the files to another group than the recipe says
    #[arg(long, help_heading = PROGRAM_HEADING, value_name = "GROUP", requires = "target")]
    group: Option<String>,
}

fn format_parser() -> impl TypedValueParser<Value = ExportFormat> {
    PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::name)).try_map(|name| name.parse::<ExportFormat>())
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Some(format) = arguments.format else {
        if arguments.remember.forgets() {
            arguments.confirm.apply(context);
            return remember::forget(&arguments.certificate, arguments.out.as_deref(), context);
        }
        return for_a_program(arguments, context);
    };
    let Arguments { certificate, out, key_passphrase_file, .. } = arguments;
    let target = arguments.store_target()?;
    let dry_run = arguments.confirm.apply(context);
    if dry_run && out.is_none() {
        return Err(Failure::usage("bad-arguments", "--dry-run has no effect without --out FILE: nothing is written"));
    }
    context.changes.exit_changed = arguments.exit_changed;
    if out.is_none() {
        output_file::check_stdout(format.has_key(), format.is_binary(), context)?;
    }
    let chosen = arguments.passphrase_of_store(context)?;
    let encryption = chosen.as_ref().map(|chosen| StoreEncryption { passphrase: &chosen.passphrase, target });
    let is_key_encrypted = Cell::new(false);
    let prompt = |path: &Path, context: &Context<'_>| {
        is_key_encrypted.set(true);
        let question = question(&EncryptedKey::File(path.to_owned()));
        of_existing_key_file(key_passphrase_file.as_deref(), &question, KEY_FLAG, context)
    };
    let exported = export::export(certificate, format, encryption.as_ref(), &prompt, context)?;
    let written = match out {
        Some(out) => Some((out.clone(), write(&exported, chosen.as_ref(), out, arguments.force, context)?)),
        None => None,
    };
    let is_remembered = match out {
        Some(out) if !dry_run => {
            let facts = ExportFacts {
                exported: &exported,
                out,
                target,
                passphrases: &arguments.passphrase.plain(),
                key_passphrase_file: key_passphrase_file.as_deref(),
                is_key_encrypted: is_key_encrypted.get(),
            };
            remember::remember(&arguments.remember, &facts, context)
        }
        _ => false,
    };
    let strength = encryption.map(|encryption| encryption.strength());
    if strength == Some(Strength::Legacy) {
        context.warn_at_end(
            "Apple imports only the old encryption (3DES, SHA-1): remove the file after the import".to_owned(),
        );
    }
    Ok(Box::new(ExportReport {
        exported,
        target,
        strength,
        passphrase_file: chosen.and_then(|chosen| chosen.file),
        written,
        is_remembered,
        shown_as: context.format,
        now: context.now(),
    }))
}

/// Exports the files of a program: `--target` without `--as`.
fn for_a_program(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { certificate, target, out, program, force, key_passphrase_file, .. } = arguments;
    if arguments.passphrase.plain().is_given() {
        let sentence = "the passphrases of a program's files are generated, and written beside them";
        return Err(Failure::usage("passphrase-unused", sentence)
            .hint("to open an encrypted private key: --key-passphrase-file FILE"));
    }
    arguments.confirm.apply(context);
    context.changes.exit_changed = arguments.exit_changed;
    let request = ProgramRequest {
        certificate,
        target: target.as_deref().unwrap_or_default(),
        out: out.as_deref(),
        owner: program.owner.as_deref(),
        group: program.group.as_deref(),
        without_crls: program.without_crls,
        force: *force,
        key_passphrase_file: key_passphrase_file.as_deref(),
        remember: &arguments.remember,
    };
    for_program::run(&request, context)
}

impl Arguments {
    /// Returns the programs that import a PKCS#12 file. Beside a format, `--target` names them, and not the recipe of a program.
    fn store_target(&self) -> Result<Option<Target>, Failure> {
        let (Some(named), Some(format)) = (self.target.as_deref(), self.format) else { return Ok(None) };
        match named.parse::<Target>() {
            Ok(target) if format == ExportFormat::P12 => Ok(Some(target)),
            Ok(target) => Err(Failure::usage("bad-arguments", format!("--target {target} is for --as p12"))),
            Err(expected) => {
                let named = escape(named);
                let sentence =
                    format!("--as {format} and --target {named} contradict each other: a recipe has its own formats");
                let failure = Failure::usage("bad-arguments", sentence)
                    .hint(format!("the files of a program: ca export NAME --target {named} --out DIR"));
                Err(match format {
                    ExportFormat::P12 => failure.hint(format!("the programs that import PKCS#12: {expected}")),
                    _ => failure.hint(format!("one file: ca export NAME --as {format} --out FILE")),
                })
            }
        }
    }

    /// Returns the passphrase of a PKCS#12 file; `None` for other formats.
    fn passphrase_of_store(&self, context: &Context<'_>) -> Result<Option<StorePassphrase>, Failure> {
        let flags = self.passphrase.plain();
        let Some(format) = self.format else { return Ok(None) };
        if format == ExportFormat::P12 {
            let given = flags.read(context)?;
            return StorePassphrase::choose(given, self.out.as_deref(), context).map(Some);
        }
        if flags.is_given() {
            let sentence = format!("{format} is not encrypted: the passphrase has no effect");
            return Err(Failure::usage("passphrase-unused", sentence)
                .hint("to open an encrypted private key: --key-passphrase-file FILE"));
        }
        Ok(None)
    }
}

/// Writes the file; and, before it, the file of a generated passphrase, or that of the attributes beside an index.
fn write(
    exported: &Exported,
    chosen: Option<&StorePassphrase>,
    out: &Path,
    force: bool,
    context: &Context<'_>,
) -> Result<bool, Failure> {
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
    let file = OutputFile { what: &what, content, mode: format.mode(), force };
    if let Some(chosen) = chosen {
        file.check(out, context)?;
        chosen.write(context)?;
    }
    file.write(out, context)
}

struct ExportReport {
    exported: Exported,
    target: Option<Target>,
    /// The encryption of a PKCS#12 file.
    strength: Option<Strength>,
    /// The file with a generated passphrase.
    passphrase_file: Option<PathBuf>,
    /// The file, and whether it was written.
    written: Option<(PathBuf, bool)>,
    /// Whether renewals write it again.
    is_remembered: bool,
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
    /// The word of `--target`.
    target: Option<&'static str>,
    /// How a PKCS#12 file is encrypted.
    encryption: Option<String>,
    /// The file with the generated passphrase of a PKCS#12 file.
    passphrase_file: Option<FilePath<&'a PathBuf>>,
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
    /// Renewals and rollbacks of the name write the file again.
    remembered: bool,
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
            page.field("expires", &format!("{} ({})", rfc3339(at), how_far(at, self.now)));
        }
        if let Some(strength) = self.strength {
            page.field("encryption", &strength.describe());
        }
        if let Some(file) = &self.passphrase_file {
            page.field("passphrase", &format!("in {} (mode 0600; keep it secret)", page.path(file)));
        }
        if self.is_remembered {
            page.field("remembered", "renewals and rollbacks write it again");
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
        let Exported { entry, format, parts, content, .. } = &self.exported;
        let shows_content = self.written.is_none() && !format.has_key() && !format.is_binary();
        let content = ExportJson {
            name: &entry.name,
            serial: Serial(&entry.serial),
            fingerprint_sha256: Hex(&entry.fingerprint),
            not_after: Time(entry.validity.not_after),
            format: format.name(),
            target: self.target.map(Target::name),
            encryption: self.strength.map(Strength::describe),
            passphrase_file: self.passphrase_file.as_ref().map(FilePath),
            contains: parts.iter().map(|part| part.word()).collect(),
            mode: format!("{:04o}", format.mode()),
            content: shows_content.then(|| String::from_utf8_lossy(content).into_owned()),
            out: self.written.as_ref().map(|(path, _)| FilePath(path)),
            outcome: self.outcome(),
            remembered: self.is_remembered,
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

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use crate::authority::testing::{Ca, order};
    use crate::cli::testing::CliRun;
    use crate::report::exit_status::ExitStatus;
    use crate::store::export::ExportFormat;

    #[test]
    fn neither_a_private_key_nor_binary_data_is_written_to_a_terminal() {
        let ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        let export = |format: ExportFormat, name: &str, shows_stdout| {
            let folder = ca.home.folder().as_os_str().to_owned();
            let words = ["export", name, "--as", format.name()].map(OsString::from);
            let line = ["ca".into(), "--dir".into(), folder].into_iter().chain(words);
            let mut cli_run = CliRun { shows_stdout, ..CliRun::default() };
            let status = cli_run.with_world(|world| crate::cli::run(line, world));
            (status, cli_run.stdout(), cli_run.stderr())
        };
        for format in ExportFormat::ALL {
            let name = if format == ExportFormat::OpensslIndex { "issuing" } else { "web.test" };
            let (status, stdout, stderr) = export(format, name, true);
            if format.has_key() || format.is_binary() {
                assert_eq!((status, stdout.as_str()), (ExitStatus::Usage, ""), "{format}");
                assert!(stderr.contains("not written to a terminal") && stderr.contains("--out"), "{stderr}");
            } else {
                assert_eq!((status, stdout.is_empty()), (ExitStatus::Done, false), "{format}: {stderr}");
            }
        }
        let (status, stdout, _) = export(ExportFormat::Combined, "web.test", false);
        assert!(status == ExitStatus::Done && stdout.contains("PRIVATE KEY"), "a pipe");
    }
}
