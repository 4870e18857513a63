//! `ca backup`: one encrypted file from which the CA can be restored, and the test of such a file.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::app::backup::check::{self, BackupCheck, Trial};
use crate::app::backup::write::{self, BackupTarget};
use crate::app::context::Context;
use crate::authority::audit::Severity;
use crate::cli::options::backup::{ProtectionArguments, UnlockArguments};
use crate::cli::options::change::ConfirmForceArguments;
use crate::cli::options::passphrase::{KEY_FLAG, of_key_file, question};
use crate::report::failure::Failure;
use crate::report::output::{Answer, OutputFormat, Report};
use crate::report::page::{Page, Tone};
use crate::store::StoreError;
use crate::store::approval::{Approval, PlannedChange};
use crate::store::backup::manifest::Manifest;
use crate::store::backup::write::BackupSummary;
use crate::system::files::ExistingFile;
use crate::text::{self, PathText, rfc3339};

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

impl Report for BackedUp {
    fn text(&self, page: &mut Page) {
        if self.to_stdout {
            return;
        }
        let BackupSummary { manifest, files, bytes, digest, with_key, without_key, .. } = &self.summary;
        let file = self.file.escaped().to_string();
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
        json!({
            "schema": "ca.backup/1",
            "file": self.file,
            "bytes": bytes,
            "sha256": text::hex(digest),
            "ca": manifest.ca,
            "created_at": rfc3339(manifest.created_at),
            "complete_until": rfc3339(manifest.complete_until),
            "certificates": manifest.certificates,
            "files": files,
            "content_bytes": content_bytes,
            "encryption": if self.recipients.is_empty() { "passphrase" } else { "recipients" },
            "recipients": self.recipients,
            "authorities": authorities.map(|(name, key)| json!({ "name": name, "key": key })).collect::<Vec<_>>(),
            "left_out": left_out.iter().map(|left_out| json!({ "path": left_out.path, "reason": left_out.reason })).collect::<Vec<_>>(),
        })
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

impl Report for Tested {
    fn text(&self, page: &mut Page) {
        let BackupCheck { manifest, files, authorities, trial, findings } = &self.checked;
        let file = self.file.escaped().to_string();
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
        let time = |of: fn(&Manifest) -> time::OffsetDateTime| manifest.as_ref().map(|manifest| rfc3339(of(manifest)));
        json!({
            "schema": "ca.backup-test/1",
            "file": self.file,
            "valid": self.checked.is_good(),
            "ca": manifest.as_ref().map(|manifest| &manifest.ca),
            "created_at": time(|manifest| manifest.created_at),
            "complete_until": time(|manifest| manifest.complete_until),
            "program": manifest.as_ref().map(|manifest| &manifest.program),
            "certificates": manifest.as_ref().map(|manifest| manifest.certificates),
            "files": files,
            "authorities": authorities.iter().map(|authority| json!({ "name": authority.name, "key": authority.key })).collect::<Vec<_>>(),
            "issued": trial.as_ref().map(|trial| json!({
                "authority": trial.authority,
                "serial": trial.serial.as_ref().ok(),
                "reason": trial.serial.as_ref().err(),
            })),
            "findings": findings.iter().map(|finding| json!({
                "code": finding.code,
                "severity": finding.severity.name(),
                "object": finding.object,
                "message": finding.message,
                "fix": finding.fix,
            })).collect::<Vec<_>>(),
        })
    }

    fn answer(&self) -> Answer {
        if self.checked.is_good() { Answer::Yes } else { Answer::No }
    }
}
