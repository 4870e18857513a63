//! `ca root renew`: the next certificate of a root, for the same key.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::hierarchy::renew_root::{self, RenewedRoot};
use crate::authority::leaf::due::serial_note;
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::authority::AuthorityJson;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::certificate_files::CERTIFICATE;
use crate::text::{Lifetime, humanize, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which root [default: the one that issues]
    #[arg(value_name = "AUTHORITY")]
    authority: Option<String>,
    /// Choose how long it is valid [default: root.lifetime in ca.toml]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

struct RenewReport {
    renewed: RenewedRoot,
    file: std::path::PathBuf,
    now: time::OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    arguments.dry_run.apply(context);
    let store = context.store()?;
    let (name, before) = renew_root::root_before(&store, arguments.authority.as_deref())?;
    if before.certificate().names_its_serial() {
        // Before the root is renewed: the user can still stop.
        context.warn(&serial_note(&name));
    }
    let renewed = {
        let context = &*context;
        let mut prompt = arguments.passphrase.prompt(&store, context);
        renew_root::renew(&store, arguments.authority.as_deref(), arguments.lifetime, &mut prompt, &context.effects())?
    };
    for oid in &renewed.left_out {
        context.warn(&format!("the extension {oid} of the previous certificate is not in the new one"));
    }
    let file = CERTIFICATE.path_in(&store.home().authority(&renewed.name));
    Ok(Box::new(RenewReport { renewed, file, now: context.now() }))
}

/// `ca.root-renew/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RootRenew")]
pub struct RootRenewJson<'a> {
    #[serde(flatten)]
    certificate: AuthorityJson<'a>,
    before: BeforeJson<'a>,
    /// As `left_out_extensions`.
    #[schemars(extend("deprecated" = true))]
    left_out: &'a Vec<String>,
    /// The object identifiers of extensions of the one before that it has not.
    left_out_extensions: &'a Vec<String>,
    file: FilePath<&'a std::path::PathBuf>,
}

/// The certificate that was in place.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Before")]
struct BeforeJson<'a> {
    serial: Serial<'a>,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
}

impl Report for RenewReport {
    fn text(&self, page: &mut Page) {
        let RenewedRoot { name, before, certificate, .. } = &self.renewed;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Renewed the root "), (Tone::Strong, name)]);
        page.field("subject", &certificate.subject.to_string());
        page.field("serial", &format!("{} (before: {})", certificate.serial, before.serial));
        page.field("valid from", &rfc3339(certificate.validity.not_before));
        let (end, left) = (certificate.validity.not_after, humanize(certificate.validity.not_after - self.now));
        page.field("expires", &format!("{} ({left}; before: {})", rfc3339(end), rfc3339(before.validity.not_after)));
        page.field("key", &format!("the same, {}", certificate.public_key.kind()));
        page.digest("SHA-256", &certificate.fingerprint());
        page.field("certificate", &page.path(&self.file));
        page.gap();
        page.line("Issued certificates stay valid under both. Clients that trust the old one need the new one");
        page.line(&format!("before {}: ca roots --out FILE", rfc3339(before.validity.not_after)));
    }

    fn json(&self) -> Value {
        let RenewedRoot { name, before, certificate, left_out } = &self.renewed;
        let content = RootRenewJson {
            certificate: AuthorityJson::new(name, certificate),
            before: BeforeJson {
                serial: Serial(&before.serial),
                not_after: Time(before.validity.not_after),
                fingerprint_sha256: Hex(before.fingerprint()),
            },
            left_out,
            left_out_extensions: left_out,
            file: FilePath(&self.file),
        };
        json::document("ca.root-renew/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
