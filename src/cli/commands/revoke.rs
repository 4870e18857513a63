//! `ca revoke`: revokes certificates, puts them on hold, or releases them.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::public_key;
use crate::authority::revocation::publish_crl;
use crate::authority::revocation::revoke::{self, RevokeAction, RevokeOrder, RevokeOutcome, RevokeTarget};
use crate::cli::options::change::ConfirmArguments;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::crl::{CrlJson, crl_fields};
use crate::cli::reports::entry::EntryJson;
use crate::report::failure::{Failure, KindCodes};
use crate::report::json::{self, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};

use crate::store::index::{IndexError, Origin, Reference};
use crate::store::{Store, StoreError};
use crate::text::{PathText, parse_time, rfc3339};
use crate::x509::certificate_file;
use crate::x509::crl::RevocationReason;
use crate::x509::file_kind::Expected;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["certificate", "key"])))]
pub struct Arguments {
    /// Which certificate: its name, its serial number, or a file that holds it; name: and serial: say which is meant
    #[arg(value_name = "NAME|SERIAL|FILE")]
    certificate: Option<String>,
    /// Revoke every certificate for the key in this file: a key, a certificate or a signing request
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Say why: unspecified, key-compromise, ca-compromise, affiliation-changed, superseded, cessation-of-operation,
    /// privilege-withdrawn, aa-compromise; hold suspends until release
    #[arg(long, value_name = "REASON", default_value = "unspecified")]
    reason: RevocationReason,
    /// Say since when the private key is suspected, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    invalid_since: Option<OffsetDateTime>,
    /// Revoke every live certificate of the name
    #[arg(long, conflicts_with = "key")]
    all: bool,
    /// Sign the new list of each authority at once; takes its key, as `ca crl` does
    #[arg(long)]
    crl: bool,
    #[command(flatten)]
    confirm: ConfirmArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// What was done, and what is left to do.
struct Revoked {
    outcome: RevokeOutcome,
    reason: RevocationReason,
    invalid_since: Option<OffsetDateTime>,
    /// The lists that were signed.
    lists: Vec<publish_crl::CrlOutcome>,
    /// The commands that make the lists say so, where none was signed.
    next: Vec<String>,
    /// The authorities that are retired, whose CRLs are no longer signed.
    retired: Vec<String>,
    now: OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let Arguments { certificate, key, reason, invalid_since, all, crl, confirm, passphrase } = arguments;
    confirm.apply(context);
    if !crl && passphrase.is_given() {
        let sentence = "a passphrase was given, and without --crl nothing is signed";
        return Err(Failure::usage("passphrase-unused", sentence));
    }
    if reason == RevocationReason::RemoveFromCrl && invalid_since.is_some() {
        return Err(Failure::usage(
            "bad-time",
            "a release has no date of invalidity: --invalid-since is for revocations",
        ));
    }
    let target = match (&certificate, &key) {
        (Some(given), _) => target(given, &store, context)?,
        (None, Some(path)) => {
            RevokeTarget::Key { path: path.clone(), fingerprint: public_key::read(path, context)?.fingerprint() }
        }
        (None, None) => return Err(Failure::usage("unknown-certificate", "no certificate was named")),
    };
    let outcome = revoke::revoke(&store, &RevokeOrder { target, all, reason, invalid_since }, &context.effects())?;
    if outcome.is_over_sha1 {
        context.warn(
            "the certificate is signed over SHA-1, of which two certificates can have the same value: its serial number is \
             revoked, whichever of them this CA signed",
        );
    }
    let (signing, retired): (Vec<String>, Vec<String>) =
        outcome.authorities.iter().cloned().partition(|name| store.ca_certificates().exists(name));
    let next = next_steps(&store, &signing)?;
    let lists = if crl { sign_lists(&store, &signing, &next, &passphrase, context)? } else { Vec::new() };
    let next = if crl { Vec::new() } else { next };
    Ok(Box::new(Revoked { outcome, reason, invalid_since, lists, next, retired, now: context.now() }))
}

/// Signs the CRL of each authority. The revocations stay recorded when that fails.
fn sign_lists(
    store: &Store,
    authorities: &[String],
    next: &[String],
    passphrase: &PassphraseArguments,
    context: &mut Context<'_>,
) -> Result<Vec<publish_crl::CrlOutcome>, Failure> {
    let mut lists = Vec::new();
    for (authority, command) in authorities.iter().zip(next) {
        let order = publish_crl::CrlOrder { authority: Some(authority.clone()), ..publish_crl::CrlOrder::default() };
        let listed = publish_crl::publish(store, &order, &mut passphrase.prompt(store, context), &context.effects());
        let listed = listed.map_err(Failure::from).map_err(|failure| {
            let sentence = format!("recorded, but the list of '{authority}' was not signed: {}", failure.message);
            let not_listed = Failure::refused("not-listed", sentence);
            failure.hints.into_iter().fold(not_listed, Failure::hint).hint(format!("then: {command}"))
        })?;
        for warning in &listed.warnings {
            context.warn(warning);
        }
        lists.push(listed);
    }
    Ok(lists)
}

/// NAME, SERIAL or FILE. A name never begins with `.` or `/`, so that such a word is a file; any other word is a file only
/// when the index does not know it.
fn target(given: &str, store: &Store, context: &mut Context<'_>) -> Result<RevokeTarget, Failure> {
    if given.starts_with(['.', '/']) || given == "-" {
        return of_file(Path::new(given), context);
    }
    let reference: Reference = given
        .parse()
        .map_err(|error: crate::store::index::ReferenceError| Failure::usage("bad-name", error.to_string()))?;
    if !context.world.resolve(Path::new(given)).is_file() {
        return match store.index()?.find(&reference) {
            Err(error @ IndexError::NotFound { .. }) if looks_like_a_file(given) => {
                Err(Failure::from(error).hint(format!("{} is not a file either", Path::new(given).escaped())))
            }
            _ => Ok(RevokeTarget::Reference(reference)),
        };
    }
    match store.index()?.find(&reference) {
        Err(IndexError::NotFound { .. } | IndexError::OnlySerial { .. }) => of_file(Path::new(given), context),
        Ok(_) => {
            Err(Failure::usage("ambiguous", format!("'{given}' is a certificate of this CA and the name of a file"))
                .hint(format!("write name:{given} or ./{given} to say which one is meant")))
        }
        Err(error) => Err(error.into()),
    }
}

/// Returns whether a word was probably meant as a file.
fn looks_like_a_file(given: &str) -> bool {
    let extension = Path::new(given).extension().and_then(|extension| extension.to_str());
    given.contains('/') && !given.contains("://") || matches!(extension, Some("pem" | "crt" | "cer" | "der"))
}

fn of_file(path: &Path, context: &mut Context<'_>) -> Result<RevokeTarget, Failure> {
    let content = context.read_expected(path, Expected::Certificate, KindCodes::both("bad-certificate"))?;
    let refused = |reason: String| Failure::usage("bad-certificate", format!("{}: {reason}", path.escaped()));
    let first = certificate_file::parse(&content).map_err(|error| refused(error.to_string()))?.into_iter().next();
    let certificate = Box::new(first.ok_or_else(|| refused("it holds no certificate".to_owned()))?);
    Ok(RevokeTarget::Certificate { path: path.to_owned(), certificate })
}

/// The commands that sign the CRLs, without which nobody else knows of a revocation.
fn next_steps(store: &Store, authorities: &[String]) -> Result<Vec<String>, StoreError> {
    let usual = store.ca_certificates().choose(None, store.config()).unwrap_or_default();
    let command = |authority: &String| match *authority == usual {
        true => "ca crl".to_owned(),
        false => format!("ca crl --authority {authority}"),
    };
    Ok(authorities.iter().map(command).collect())
}

impl Revoked {
    fn done(&self) -> (&'static str, &'static str) {
        match self.outcome.action {
            RevokeAction::Revoked => ("Revoked", "revoked"),
            RevokeAction::Held => ("Put on hold", "held"),
            RevokeAction::Released => ("Released", "released"),
        }
    }
}

/// `ca.revoke/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Revoke")]
pub struct RevokeJson<'a> {
    #[schemars(extend("enum" = ["revoked", "held", "released"]))]
    action: &'static str,
    reason: &'static str,
    /// Since when the private key is suspected.
    invalid_since: Option<Time>,
    /// As they stand now.
    certificates: Vec<EntryJson<'a>>,
    /// The authorities whose CRLs have to be signed again.
    authorities: &'a Vec<String>,
    /// What `--crl` signed.
    lists: Vec<CrlJson<'a>>,
    /// The commands that are left to run.
    next: &'a Vec<String>,
}

impl Report for Revoked {
    fn text(&self, page: &mut Page) {
        for entry in &self.outcome.certificates {
            let reason = if self.outcome.action == RevokeAction::Revoked { self.reason.name() } else { "" };
            page.pieces(&[
                (Tone::Good, "✓ "),
                (Tone::Plain, self.done().0),
                (Tone::Plain, " "),
                (Tone::Strong, &entry.name),
                (Tone::Dim, &format!("  {reason}")),
            ]);
            page.field("serial", &entry.serial.to_string());
            if entry.origin == Origin::Imported {
                page.field("subject", &entry.subject);
            }
            page.field("issuer", &format!("{} ({})", entry.issuer, entry.authority));
            page.field("not after", &rfc3339(entry.validity.not_after));
            if let Some(revocation) = &entry.revocation {
                page.field("since", &rfc3339(revocation.at));
            }
            if let Some(since) = self.invalid_since {
                page.field("suspected", &rfc3339(since));
            }
        }
        page.gap();
        for authority in &self.retired {
            page.line(&format!(
                "Recorded. '{authority}' is retired and signs no CRL: remove its certificate from every trust store."
            ));
        }
        for list in &self.lists {
            crl_fields(list, page);
        }
        if self.lists.is_empty() && self.next.is_empty() {
            return;
        }
        if !self.lists.is_empty() {
            page.line("Others learn of it from the list: put it where they read it.");
            return;
        }
        page.line("Recorded. Others learn of it from the list: sign a new one, and put it where they read it:");
        for command in &self.next {
            page.line(&format!("  {command}"));
        }
    }

    fn json(&self) -> Value {
        let content = RevokeJson {
            action: self.done().1,
            reason: self.reason.name(),
            invalid_since: self.invalid_since.map(Time),
            certificates: self.outcome.certificates.iter().map(|entry| EntryJson::new(entry, self.now)).collect(),
            authorities: &self.outcome.authorities,
            lists: self.lists.iter().map(CrlJson::new).collect(),
            next: &self.next,
        };
        json::document("ca.revoke/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
