//! `ca revoke`: revokes certificates, puts them on hold, or releases them.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::crl_bundle::RefreshOptions;
use crate::app::crl_files::{self, RefreshedFiles};
use crate::app::public_key;
use crate::app::resolve::{
    self, Patterns, Resolved, Source, first_certificate, is_only_a_file, not_found, of_pattern, source,
};
use crate::authority::revocation::publish_crl;
use crate::authority::revocation::revoke::{self, RevokeAction, RevokeOrder, RevokeOutcome, RevokeTarget};
use crate::cli::options::change::ConfirmArguments;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::bundle::BundleJson;
use crate::cli::reports::crl::{CrlJson, crl_fields};
use crate::cli::reports::crl_files::{RefreshedExportsJson, crl_file_fields};
use crate::cli::reports::entry::EntryJson;
use crate::cli::reports::many;
use crate::report::failure::Failure;
use crate::report::json::{self, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};

use crate::store::index::{Entry, IndexError, Origin, Reference};
use crate::store::{Store, StoreError};
use crate::text::{PathText, parse_time, rfc3339};
use crate::x509::crl::RevocationReason;

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["certificates", "key"])))]
pub struct Arguments {
    /// Which certificates: a name, a pattern such as 'web-*', a serial number or its first digits, or a file; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE")]
    certificates: Vec<String>,
    /// Revoke every certificate for the key in this file: a key, a certificate or a signing request
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
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
    /// Sign the new CRL of each authority at once, which needs its key
    #[arg(long, visible_alias = "sign-crl")]
    crl: bool,
    #[command(flatten)]
    confirm: ConfirmArguments,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// What was done about one argument, and what is left to do.
struct Revoked {
    outcome: RevokeOutcome,
    reason: RevocationReason,
    invalid_since: Option<OffsetDateTime>,
    /// The lists that were signed.
    lists: Vec<publish_crl::CrlOutcome>,
    /// The bundles and exports that were refreshed.
    files: RefreshedFiles,
    /// The commands that make the lists say so, where none was signed.
    next: Vec<String>,
    /// The authorities that are retired, whose CRLs are no longer signed.
    retired: Vec<String>,
    now: OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store()?;
    let Arguments { certificates, key, reason, invalid_since, all, crl, confirm, passphrase } = arguments;
    confirm.apply(context);
    if !crl && passphrase.is_given() {
        let sentence = "a passphrase was given, but without --crl nothing is signed";
        return Err(Failure::usage("passphrase-unused", sentence));
    }
    if reason == RevocationReason::RemoveFromCrl && invalid_since.is_some() {
        return Err(Failure::usage(
            "bad-time",
            "a release has no date of invalidity: --invalid-since is for revocations",
        ));
    }
    let order = |target| RevokeOrder { target, all, reason, invalid_since };
    let mut targets = Vec::new();
    if let Some(path) = &key {
        let fingerprint = public_key::read(path, context)?.fingerprint();
        targets.push((path.escaped().to_string(), RevokeTarget::Key { path: path.clone(), fingerprint }));
    }
    for given in &certificates {
        targets.extend(targets_of(given, &order, &store, context)?);
    }
    let is_one = targets.len() == 1;
    let orders: Vec<(String, RevokeOrder)> = targets.into_iter().map(|(name, target)| (name, order(target))).collect();
    if !is_one {
        for (name, order) in &orders {
            revoke::check(&store, order, context.now()).map_err(|error| many::nothing_done(name, error.into()))?;
        }
    }
    let mut revoked = Vec::with_capacity(orders.len());
    let mut authorities = Vec::new();
    for (name, order) in orders {
        let outcome = revoke::revoke(&store, &order, &context.effects()).map_err(Failure::from);
        if let Ok(outcome) = &outcome {
            if outcome.is_over_sha1 {
                context.warn(OVER_SHA1);
            }
            authorities.extend(outcome.authorities.iter().cloned());
        } else if is_one {
            return Err(outcome.err().unwrap_or_else(unnamed));
        }
        revoked.push((name, outcome));
    }
    // The CRL of an authority is signed once, when everything is recorded.
    authorities.sort();
    authorities.dedup();
    let (signing, retired): (Vec<String>, Vec<String>) =
        authorities.into_iter().partition(|name| store.ca_certificates().exists(name));
    let next = next_steps(&store, &signing)?;
    let lists = if crl { sign_lists(&store, &signing, &next, &passphrase, context)? } else { Vec::new() };
    let next = if crl { Vec::new() } else { next };
    let options = RefreshOptions { skip_hooks: false, secret: passphrase.passphrase_env.as_deref() };
    let files = if crl { crl_files::refresh(&store, options, context)? } else { RefreshedFiles::default() };
    let now = context.now();
    let last = revoked.iter().rposition(|(_, outcome)| outcome.is_ok());
    let mut after = Some((lists, files, next, retired));
    let parts = revoked.into_iter().enumerate().map(|(at, (name, outcome))| {
        // What is left to do is said once.
        let (lists, files, next, retired) = after.take_if(|_| Some(at) == last).unwrap_or_default();
        (name, outcome.map(|outcome| Revoked { outcome, reason, invalid_since, lists, files, next, retired, now }))
    });
    let parts = parts.collect();
    many::for_each("ca.revoke-many/1", parts, |part| part.map(|revoked| Box::new(revoked) as Box<dyn Report>))
}

const OVER_SHA1: &str = "the certificate is signed with SHA-1, so another certificate can have the same \
     signature. The serial number is revoked, whichever of the two this CA signed";

fn unnamed() -> Failure {
    Failure::usage("unknown-certificate", "no certificate was named")
}

/// Returns what an argument selects: one certificate, or those of a pattern of names on which the order can be carried out.
fn targets_of(
    given: &str,
    order: &dyn Fn(RevokeTarget) -> RevokeOrder,
    store: &Store,
    context: &mut Context<'_>,
) -> Result<Vec<(String, RevokeTarget)>, Failure> {
    let now = context.now();
    let can_be = |entry: &Entry| {
        let target = RevokeTarget::Reference(Reference::Name(entry.name.clone()));
        revoke::check(store, &order(target), now).map_or_else(|error| !error.says_nothing_to_do(), |_| true)
    };
    let left_out = "authorities, and certificates that are revoked or expired already";
    match of_pattern(given, Patterns::Usable(&can_be, left_out), store)? {
        Some(matching) => {
            let target = |resolved: Resolved| RevokeTarget::Reference(resolved.name_reference());
            Ok(matching.into_iter().map(|resolved| (resolved.given.clone(), target(resolved))).collect())
        }
        None => Ok(vec![(given.to_owned(), target(given, store, context)?)]),
    }
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
            let sentence = format!("recorded, but the CRL of '{authority}' was not signed: {}", failure.message);
            let not_listed = Failure::refused("not-listed", sentence);
            failure.hints.into_iter().fold(not_listed, Failure::hint).hint(format!("then: {command}"))
        })?;
        for warning in &listed.warnings {
            context.warn(&warning.message);
        }
        lists.push(listed);
    }
    Ok(lists)
}

/// Returns the certificate that one argument names. A word that is a name in the index and the name of a file too is ambiguous,
/// because a revocation cannot be undone.
fn target(given: &str, store: &Store, context: &mut Context<'_>) -> Result<RevokeTarget, Failure> {
    if is_only_a_file(given) {
        return of_source(Source::File(given.into()), context);
    }
    let reference = resolve::parse(given)?;
    let found = match store.index()?.find_if_known(&reference) {
        Ok(found) => found.map(Ok),
        // The file of a certificate that the index knows by its serial number alone is enough to revoke it.
        Err(error @ IndexError::OnlySerial { .. }) => Some(Err(error)),
        Err(error) => return Err(error.into()),
    };
    match (found, source(given, context)) {
        (Some(Ok(_)), Some(Source::File(_))) => {
            Err(Failure::usage("ambiguous", format!("'{given}' is a certificate of this CA and the name of a file"))
                .hint(format!("write name:{given} or ./{given} to say which one is meant")))
        }
        (Some(Ok(_)), _) => Ok(RevokeTarget::Reference(reference)),
        (_, Some(source)) => of_source(source, context),
        (Some(Err(error)), None) => Err(error.into()),
        (None, None) => Err(not_found(given, &reference, store)),
    }
}

fn of_source(source: Source, context: &mut Context<'_>) -> Result<RevokeTarget, Failure> {
    let certificate = Box::new(first_certificate(&source, context)?);
    let path = match source {
        Source::File(path) => path,
        Source::Server(address) => address.into(),
    };
    Ok(RevokeTarget::Certificate { path, certificate })
}

/// The commands that sign the CRLs, by which clients learn of a revocation.
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
    /// As `authority_names`.
    #[schemars(extend("deprecated" = true))]
    authorities: &'a Vec<String>,
    /// The authorities whose CRLs have to be signed again.
    authority_names: &'a Vec<String>,
    /// What `--crl` signed.
    lists: Vec<CrlJson<'a>>,
    /// The CRL bundles that are remembered, after `--crl` signed.
    bundles: Vec<BundleJson<'a>>,
    /// The names whose exports did not have the present CRLs.
    refreshed_exports: Vec<RefreshedExportsJson<'a>>,
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
            page.field("expires", &rfc3339(entry.validity.not_after));
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
        crl_file_fields(&self.files, page);
        if !self.files.bundles.is_empty() {
            return;
        }
        if !self.lists.is_empty() {
            page.line("Clients learn of it from the CRL: publish it where they fetch it.");
            return;
        }
        page.line("Recorded. Clients learn of it from the CRL: sign a new one, and publish it where they fetch it:");
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
            authority_names: &self.outcome.authorities,
            lists: self.lists.iter().map(CrlJson::new).collect(),
            bundles: self.files.bundles.iter().map(BundleJson::new).collect(),
            refreshed_exports: RefreshedExportsJson::all(&self.files.exports),
            next: &self.next,
        };
        json::document("ca.revoke/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        self.files.failure()
    }

    fn only_confirms(&self) -> bool {
        true
    }
}
