//! `ca root renew`: the next certificate of a root, for the same key.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::authority::hierarchy::renew_root::{self, RenewedRoot};
use crate::authority::leaf::due::serial_note;
use crate::cli::options::change::ConfirmArguments;
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
    /// Let clients trust the previous certificate too, until it expires: 'ca roots' has both then
    #[arg(long)]
    keep_previous: bool,
    #[command(flatten)]
    confirm: ConfirmArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

struct RenewReport {
    renewed: RenewedRoot,
    file: std::path::PathBuf,
    /// The file with the previous certificates too, with `--keep-previous`.
    with_previous: Option<std::path::PathBuf>,
    now: time::OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.confirm.apply(context);
    let store = context.store()?;
    let (name, before) = renew_root::root_before(&store, arguments.authority.as_deref())?;
    let naming = renew_root::named_by_serial(&store, before.certificate(), context.now())?;
    if (naming > 0 || before.certificate().names_its_serial()) && !arguments.keep_previous {
        let explained = explain_serial(&name, naming);
        if !dry_run && !context.changes.is_confirmed {
            // OpenSSL and Java would refuse them, and no command makes them valid again.
            let without = arguments.authority.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
            return Err(Failure::refused("names-serial", format!("the root was not renewed: {explained}"))
                .hint(format!(
                    "keep them valid until the previous certificate expires: ca root renew{without} --keep-previous"
                ))
                .hint(format!("when none is in use any longer: ca root renew{without} --yes")));
        }
        // Before the root is renewed: the user can still stop.
        context.warn(&explained);
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
    let with_previous = match arguments.keep_previous {
        true => Some(renew_root::keep_previous(&store, &renewed.name, &context.effects())?),
        false => None,
    };
    Ok(Box::new(RenewReport { renewed, file, with_previous, now: context.now() }))
}

/// Explains what becomes of certificates that name the root by its serial number.
fn explain_serial(name: &str, naming: usize) -> String {
    match naming {
        0 => serial_note(name),
        1 => format!(
            "1 certificate in use names the root {name} by its issuer and serial number. OpenSSL and Java refuse it below the \
             renewed root, which has another serial number"
        ),
        naming => format!(
            "{naming} certificates in use name the root {name} by its issuer and serial number. OpenSSL and Java refuse them \
             below the renewed root, which has another serial number"
        ),
    }
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
    /// The file with this certificate and the previous ones, with `--keep-previous`.
    roots_with_previous: Option<FilePath<&'a std::path::PathBuf>>,
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
        if let Some(file) = &self.with_previous {
            page.field("with previous", &page.path(file));
        }
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
            roots_with_previous: self.with_previous.as_ref().map(FilePath),
        };
        json::document("ca.root-renew/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
