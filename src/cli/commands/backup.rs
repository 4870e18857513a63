//! `ca backup`: one encrypted file from which the CA can be restored, and the test of such a file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::backup::check::{self, BackupCheck, Trial};
use crate::app::backup::write::{self, BackupTarget};
use crate::app::context::Context;
use crate::authority::audit::Severity;
use crate::cli::options::backup::{ProtectionArguments, UnlockArguments};
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::passphrase::{KEY_FLAG, of_key_file, question};
use crate::cli::reports::backup::{ContentCountsJson, FindingJson, RestoredAuthorityJson};
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Time};
use crate::report::output::{Answer, OutputFormat, Report};
use crate::report::page::{Page, Tone};
use crate::store::StoreError;
use crate::store::approval::{Approval, PlannedChange};
use crate::store::backup::write::BackupSummary;
use crate::system::files::ExistingFile;
use crate::text::{PathText, rfc3339};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Write the backup to this file; - for standard output
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Replace an existing file
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: ConfirmForceArguments,
    #[command(flatten)]
    protection: ProtectionArguments,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Restore a backup in private, check it, and have the restored CA issue a certificate
    Test(Box<TestArguments>),
}

#[derive(Debug, Args)]
struct TestArguments {
    /// The backup; - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Read the passphrase of the CA key, which signs a certificate in the private copy, from the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    unlock: UnlockArguments,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { action, file, force, confirm, protection } = arguments;
    confirm.apply(context);
    match (action, file) {
        (Some(Action::Test(arguments)), _) => test(&arguments, context),
        (None, Some(file)) => back_up(file, force, protection, context),
        (None, None) => Err(Failure::usage("bad-arguments", "a file for the backup is needed")),
    }
}

fn back_up(
    file: PathBuf,
    force: bool,
    protection: ProtectionArguments,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let to_stdout = file.as_os_str() == "-";
    if to_stdout && (context.format == OutputFormat::Json || force) {
        let flag = if force { "--force" } else { "--json" };
        return Err(Failure::usage("bad-arguments", format!("standard output is the backup, so {flag} has no effect")));
    }
    let store = context.store()?;
    let target = if to_stdout {
        BackupTarget::Stdout
    } else {
        let existing = if force { ExistingFile::Replace } else { ExistingFile::Keep };
        BackupTarget::File { path: context.world.resolve(&file), existing }
    };
    target.check(context)?;
    let change = PlannedChange::new(format!("write a backup to {}", file.escaped()));
    let replaces = force && context.world.resolve(&file).exists();
    let change = if replaces { change.asks("the backup that is there") } else { change };
    context.approve(change).map_err(StoreError::from)?;
    let (protection, recipients) = protection.read(context)?;
    let encryption = protection.prepare()?;
    let summary = write::write(&store, &target, encryption, context)?;
    for left_out in &summary.left_out {
        context.warn(&format!("{} is not in the backup: {}", left_out.path, left_out.reason));
    }
    Ok(Box::new(BackedUp { file, to_stdout, recipients, summary }))
}

fn test(arguments: &TestArguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let TestArguments { file, key_passphrase_file, unlock } = arguments;
    let key_file = key_passphrase_file.as_deref();
    let checked = check::check(
        file,
        &|lock, context| unlock.read(lock, context),
        &|key, context| {
            let can_ask = !context.no_input && context.world.terminal.can_ask();
            if key_file.is_none() && !can_ask {
                return Ok(None);
            }
            of_key_file(key_file, &question(key), KEY_FLAG, context).map(Some)
        },
        context,
    )?;
    Ok(Box::new(Tested { file: file.clone(), checked }))
}

/// A backup that was written.
struct BackedUp {
    file: PathBuf,
    /// Standard output has the backup, and nothing else.
    to_stdout: bool,
    /// For whom it is encrypted; empty: with a passphrase.
    recipients: Vec<String>,
    summary: BackupSummary,
}

/// `ca.backup/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Backup")]
pub struct BackupJson<'a> {
    file: FilePath<&'a PathBuf>,
    /// Of the encrypted file.
    bytes: u64,
    sha256: Hex<&'a [u8]>,
    ca: &'a str,
    created_at: Time,
    /// What was recorded until then is in it.
    complete_until: Time,
    #[serde(flatten)]
    counts: ContentCountsJson,
    content_bytes: u64,
    #[schemars(extend("enum" = ["passphrase", "recipients"]))]
    encryption: &'static str,
    recipients: &'a Vec<String>,
    authorities: Vec<BackedUpJson<'a>>,
    /// As `left_out_files`.
    #[schemars(extend("deprecated" = true))]
    left_out: Vec<LeftOutJson<'a>>,
    left_out_files: Vec<LeftOutJson<'a>>,
}

/// An authority in a backup.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BackedUpAuthority")]
struct BackedUpJson<'a> {
    name: &'a str,
    /// As `has_key`.
    #[schemars(extend("deprecated" = true))]
    key: bool,
    /// Its private key is in the backup.
    has_key: bool,
}

/// What is not in the backup.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LeftOut")]
struct LeftOutJson<'a> {
    #[schemars(extend("format" = "path"))]
    path: &'a str,
    reason: &'a str,
}

impl Report for BackedUp {
    fn text(&self, page: &mut Page) {
        if self.to_stdout {
            return;
        }
        let BackupSummary { manifest, files, bytes, digest, with_key, without_key, .. } = &self.summary;
        let file = page.path(&self.file);
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Backed up "), (Tone::Strong, &manifest.ca)]);
        page.field("backup", &format!("{file}, {bytes} bytes"));
        page.digest("  SHA-256", digest);
        page.field("contents", &format!("{} certificates, {files} files", manifest.certificates));
        page.field("keys", &if with_key.is_empty() { "none".to_owned() } else { with_key.join(", ") });
        if !without_key.is_empty() {
            page.field("keys elsewhere", &format!("{}: back them up too", without_key.join(", ")));
        }
        match self.recipients.as_slice() {
            [] => page.field("opened by", "its passphrase, which nothing can replace"),
            recipients => page.rows("opened by", recipients),
        }
        page.gap();
        page.toned(Tone::Dim, "Files that were delivered to other folders (--out) are not in it. Test it:");
        page.line(&format!("  ca backup test {}", self.file.in_shell()));
    }

    fn json(&self) -> Value {
        let BackupSummary { manifest, files, content_bytes, bytes, digest, with_key, without_key, left_out } =
            &self.summary;
        let authorities = with_key.iter().map(|name| (name, true)).chain(without_key.iter().map(|name| (name, false)));
        let left_out_json = || left_out.iter().map(|it| LeftOutJson { path: &it.path, reason: it.reason }).collect();
        let content = BackupJson {
            file: FilePath(&self.file),
            bytes: *bytes,
            sha256: Hex(digest),
            ca: &manifest.ca,
            created_at: Time(manifest.created_at),
            complete_until: Time(manifest.complete_until),
            counts: ContentCountsJson::new(manifest.certificates, *files),
            content_bytes: *content_bytes,
            encryption: if self.recipients.is_empty() { "passphrase" } else { "recipients" },
            recipients: &self.recipients,
            authorities: authorities.map(|(name, has_key)| BackedUpJson { name, key: has_key, has_key }).collect(),
            left_out: left_out_json(),
            left_out_files: left_out_json(),
        };
        json::document("ca.backup/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

/// A backup that was tested.
struct Tested {
    file: PathBuf,
    checked: BackupCheck,
}

/// `ca.backup-test/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "BackupTest")]
pub struct BackupTestJson<'a> {
    file: FilePath<&'a PathBuf>,
    /// Nothing is wrong with it.
    valid: bool,
    ca: Option<&'a str>,
    created_at: Option<Time>,
    complete_until: Option<Time>,
    /// The program that wrote it.
    program: Option<&'a str>,
    /// As `certificate_count`.
    #[schemars(extend("deprecated" = true))]
    certificates: Option<u64>,
    certificate_count: Option<u64>,
    /// As `file_count`.
    #[schemars(extend("deprecated" = true))]
    files: u64,
    file_count: u64,
    authorities: Vec<RestoredAuthorityJson<'a>>,
    /// As `trial`.
    #[schemars(extend("deprecated" = true))]
    issued: Option<TrialJson<'a>>,
    /// The certificate that the restored CA signed in private.
    trial: Option<TrialJson<'a>>,
    findings: Vec<FindingJson<'a>>,
}

/// A certificate that was signed to try the key.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Trial")]
struct TrialJson<'a> {
    authority: &'a str,
    serial: Option<&'a str>,
    /// Why nothing was signed.
    reason: Option<&'a str>,
}

impl<'a> TrialJson<'a> {
    fn new(trial: &'a Trial) -> Self {
        Self {
            authority: &trial.authority,
            serial: trial.serial.as_deref().ok(),
            reason: trial.serial.as_ref().err().copied(),
        }
    }
}

impl Report for Tested {
    fn text(&self, page: &mut Page) {
        let BackupCheck { manifest, files, authorities, trial, findings } = &self.checked;
        let file = page.path(&self.file);
        match self.checked.is_good() {
            true => page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "The backup is good: "), (Tone::Strong, &file)]),
            false => {
                page.pieces(&[(Tone::Bad, "✗ "), (Tone::Plain, "The backup has problems: "), (Tone::Strong, &file)])
            }
        }
        if let Some(manifest) = manifest {
            page.field("ca", &manifest.ca);
            page.field("created", &format!("{} by {}", rfc3339(manifest.created_at), manifest.program));
            page.field("contents", &format!("{} certificates, {files} files", manifest.certificates));
            let keys = authorities.iter().map(|authority| format!("{}: {}", authority.name, authority.key));
            page.rows("keys", &keys.collect::<Vec<_>>());
        }
        match trial {
            Some(Trial { authority, serial: Ok(serial) }) => {
                page.field(
                    "issued",
                    &format!("a test certificate by '{authority}', serial {serial}, in a private copy"),
                );
            }
            Some(Trial { authority, serial: Err(reason) }) => {
                page.toned_field("not issued", Tone::Warning, &format!("'{authority}' signed nothing: {reason}"));
            }
            None => {}
        }
        for finding in findings {
            let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
            let text = format!("{}: {} ({})", finding.object, finding.message, finding.code);
            page.toned_field(finding.severity.name(), tone, &text);
            if let Some(fix) = &finding.fix {
                page.field("  fix", fix);
            }
        }
    }

    fn json(&self) -> Value {
        let BackupCheck { manifest, files, authorities, trial, findings } = &self.checked;
        let manifest = manifest.as_ref();
        let content = BackupTestJson {
            file: FilePath(&self.file),
            valid: self.checked.is_good(),
            ca: manifest.map(|manifest| manifest.ca.as_str()),
            created_at: manifest.map(|manifest| Time(manifest.created_at)),
            complete_until: manifest.map(|manifest| Time(manifest.complete_until)),
            program: manifest.map(|manifest| manifest.program.as_str()),
            certificates: manifest.map(|manifest| manifest.certificates),
            certificate_count: manifest.map(|manifest| manifest.certificates),
            files: *files,
            file_count: *files,
            authorities: authorities.iter().map(RestoredAuthorityJson::new).collect(),
            issued: trial.as_ref().map(TrialJson::new),
            trial: trial.as_ref().map(TrialJson::new),
            findings: findings.iter().map(FindingJson::of_backup).collect(),
        };
        json::document("ca.backup-test/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.checked.is_good() { Answer::Yes } else { Answer::No }
    }
}
