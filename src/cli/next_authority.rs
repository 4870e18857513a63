//! What `ca renew` and `ca rekey` do with the names of authorities.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use super::options::passphrase::{PassphraseArguments, warn_if_short};
use super::reports::authority::AuthorityJson;
use super::reports::clients::{ClientJson, RefusedBy, WHAT_CAS_ISSUE};
use super::reports::many;
use crate::app::context::Context;
use crate::authority::hierarchy::renewal::{self, NextAuthorityOrder, RekeyedAuthority, RenewedAuthority};
use crate::authority::leaf::renew::NextKey;
use crate::issuance::Expiry;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath, Hex, Serial, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::certificate_files::CERTIFICATE;
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::text::{humanize, rfc3339};
use crate::x509::Certificate;

/// The options of the next certificates of authorities.
pub struct NextAuthorities<'a> {
    pub key: NextKey,
    pub expiry: Option<Expiry>,
    pub clip: bool,
    pub passphrase: &'a PassphraseArguments,
}

/// Signs the next certificates of authorities, one after the other. Each passphrase is asked for once.
///
/// # Errors
/// That of the only authority.
pub fn follow(
    names: Vec<String>,
    next: &NextAuthorities<'_>,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let mut passphrases = PassphraseCache::default();
    let each = names.into_iter().map(|name| (name.clone(), name)).collect();
    match next.key {
        NextKey::Same => many::for_each("ca.renew-authority-many/1", each, |name| {
            renew(order(name, next), next, &mut passphrases, context)
        }),
        NextKey::New(_) => many::for_each("ca.rekey-authority-many/1", each, |name| {
            rekey(order(name, next), next, &mut passphrases, context)
        }),
    }
}

fn order(name: String, next: &NextAuthorities<'_>) -> NextAuthorityOrder {
    let key = match next.key {
        NextKey::Same => None,
        NextKey::New(key) => key,
    };
    NextAuthorityOrder { name, expiry: next.expiry, clip: next.clip, only_if: None, key }
}

fn renew(
    order: NextAuthorityOrder,
    next: &NextAuthorities<'_>,
    passphrases: &mut PassphraseCache,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let renewed = {
        let mut prompt = next.passphrase.prompt(&store, context);
        let mut ask = |key: &EncryptedKey| passphrases.get(key, &mut prompt);
        renewal::renew(&store, &order, &mut ask, &context.effects())?
    };
    let Some(renewed) = renewed else {
        // Without a rule about what is due, there is always a next certificate.
        return Err(Failure::refused("not-issued", format!("'{}' was not renewed", order.name)));
    };
    note_left_out(&renewed.left_out, context);
    let file = CERTIFICATE.path_in(&store.home().authority(&renewed.name));
    Ok(Box::new(RenewedReport { renewed, file, now: context.now() }))
}

fn rekey(
    order: NextAuthorityOrder,
    next: &NextAuthorities<'_>,
    passphrases: &mut PassphraseCache,
    context: &mut Context<'_>,
) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let rekeyed = {
        let asking = &*context;
        let mut prompt = next.passphrase.prompt(&store, asking);
        let mut ask = |key: &EncryptedKey| {
            passphrases
                .get(key, &mut |key: &EncryptedKey| prompt(key).inspect(|passphrase| warn_if_short(passphrase, asking)))
        };
        renewal::rekey(&store, &order, &mut ask, &asking.effects())?
    };
    note_left_out(&rekeyed.left_out, context);
    let refused_by = RefusedBy::of(&rekeyed.client_facts, &store.config().verify);
    refused_by.note(WHAT_CAS_ISSUE, context);
    let file = CERTIFICATE.path_in(&store.home().authority(&rekeyed.new));
    Ok(Box::new(RekeyedReport { rekeyed, file, refused_by, now: context.now() }))
}

fn note_left_out(extensions: &[String], context: &mut Context<'_>) {
    for oid in extensions {
        context.warn(&format!("the extension {oid} of the previous certificate is not in the new one"));
    }
}

struct RenewedReport {
    renewed: RenewedAuthority,
    file: PathBuf,
    now: OffsetDateTime,
}

/// `ca.renew-authority/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RenewAuthority")]
pub struct RenewedJson<'a> {
    #[serde(flatten)]
    certificate: AuthorityJson<'a>,
    /// The authority that signed it.
    signed_by: &'a str,
    before: BeforeJson<'a>,
    /// It expires with its issuer, earlier than its template says.
    clipped: bool,
    /// The authorities further below whose chain files were updated.
    rechained: &'a [String],
    /// The object identifiers of extensions of the one before that it does not have.
    left_out_extensions: &'a [String],
    file: FilePath<&'a PathBuf>,
}

/// The certificate that it replaces.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Before")]
struct BeforeJson<'a> {
    serial: Serial<'a>,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
}

/// When a certificate expires, and why not later.
fn expires(certificate: &Certificate, issuer: &str, clipped: bool, now: OffsetDateTime) -> String {
    let end = certificate.validity.not_after;
    let why = if clipped { format!(", with its issuer '{issuer}'") } else { String::new() };
    format!("{} ({}{why})", rfc3339(end), humanize(end - now))
}

impl Report for RenewedReport {
    fn text(&self, page: &mut Page) {
        let RenewedAuthority { name, issuer, before, certificate, clipped, rechained, left_out: _ } = &self.renewed;
        page.pieces(&[(Tone::Good, "✓ "), (Tone::Plain, "Renewed the authority "), (Tone::Strong, name)]);
        page.field("subject", &certificate.subject.to_string());
        page.field("issuer", issuer);
        page.field("serial", &format!("{} (before: {})", certificate.serial, before.serial));
        page.field("valid from", &rfc3339(certificate.validity.not_before));
        page.field("expires", &expires(certificate, issuer, *clipped, self.now));
        page.field("before", &rfc3339(before.validity.not_after));
        page.field("key", &format!("the same, {}", certificate.public_key.kind()));
        page.digest("SHA-256", &certificate.fingerprint());
        page.field("certificate", &page.path(&self.file));
        for below in rechained {
            page.field("new chain", below);
        }
        page.gap();
        page.line(
            "Issued certificates and their chains stay valid until they expire. Each gets the new chain when it is",
        );
        page.line("renewed; to renew all of them now: ca renew --all");
    }

    fn json(&self) -> Value {
        let RenewedAuthority { name, issuer, before, certificate, clipped, rechained, left_out } = &self.renewed;
        let content = RenewedJson {
            certificate: AuthorityJson::new(name, certificate),
            signed_by: issuer,
            before: BeforeJson {
                serial: Serial(&before.serial),
                not_after: Time(before.validity.not_after),
                fingerprint_sha256: Hex(before.fingerprint()),
            },
            clipped: *clipped,
            rechained,
            left_out_extensions: left_out,
            file: FilePath(&self.file),
        };
        json::document("ca.renew-authority/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

struct RekeyedReport {
    rekeyed: RekeyedAuthority,
    file: PathBuf,
    refused_by: RefusedBy,
    now: OffsetDateTime,
}

/// `ca.rekey-authority/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RekeyAuthority")]
pub struct RekeyedJson<'a> {
    /// The authority that was replaced. It signs its CRLs, and issues no longer.
    old: AuthorityJson<'a>,
    /// The authority that issues in its place.
    new: AuthorityJson<'a>,
    /// The authority that signed the new certificate.
    signed_by: &'a str,
    /// It expires with its issuer, earlier than its template says.
    clipped: bool,
    /// The old authority has a CRL, and the new one needs one.
    crl_needed: bool,
    /// The object identifiers of extensions of the old certificate that the new one does not have.
    left_out_extensions: &'a [String],
    /// The clients that refuse what the new authority signs.
    refused_by: Vec<ClientJson<'a>>,
    file: FilePath<&'a PathBuf>,
    key_file: FilePath<&'a PathBuf>,
    key_encrypted: bool,
}

impl Report for RekeyedReport {
    fn text(&self, page: &mut Page) {
        let RekeyedAuthority { old, new, issuer, old_certificate, certificate, clipped, key, has_crl, .. } =
            &self.rekeyed;
        page.pieces(&[
            (Tone::Good, "✓ "),
            (Tone::Plain, "Replaced the authority "),
            (Tone::Strong, old),
            (Tone::Plain, " with "),
            (Tone::Strong, new),
        ]);
        page.field("old authority", &format!("{old}, {}", old_certificate.subject));
        page.field("  expires", &rfc3339(old_certificate.validity.not_after));
        page.field("new authority", &format!("{new}, {}", certificate.subject));
        page.field("  issuer", issuer);
        page.field("  serial", &certificate.serial.to_string());
        page.field("  expires", &expires(certificate, issuer, *clipped, self.now));
        page.digest("  SHA-256", &certificate.fingerprint());
        page.field("certificate", &page.path(&self.file));
        let encrypted = if self.rekeyed.encrypted { "encrypted" } else { "not encrypted" };
        page.field("key", &format!("{}, {}, {encrypted}", page.path(key), certificate.public_key.kind()));
        page.gap();
        page.line(&format!(
            "{new} issues from now on, also for '--issuer {old}'. What {old} issued stays valid until it"
        ));
        page.line("expires, and moves when it is renewed; to renew all of it now: ca renew --all");
        if *has_crl {
            page.line(&format!("Clients that check CRLs need one of the new authority: ca crl --authority {new}"));
            page.line(&format!("The old one signs its CRL as before: ca crl --authority {old}"));
        }
    }

    fn json(&self) -> Value {
        let rekeyed = &self.rekeyed;
        let content = RekeyedJson {
            old: AuthorityJson::new(&rekeyed.old, &rekeyed.old_certificate),
            new: AuthorityJson::new(&rekeyed.new, &rekeyed.certificate),
            signed_by: &rekeyed.issuer,
            clipped: rekeyed.clipped,
            crl_needed: rekeyed.has_crl,
            left_out_extensions: &rekeyed.left_out,
            refused_by: self.refused_by.json(),
            file: FilePath(&self.file),
            key_file: FilePath(&rekeyed.key),
            key_encrypted: rekeyed.encrypted,
        };
        json::document("ca.rekey-authority/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
