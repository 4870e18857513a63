//! The CRLs of all authorities, and the files that servers read them from: `ca crl --all`, and what every other command does
//! after it signed a CRL.

use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::run_hook::HookRun;
use crate::authority::leaf::hook::Hook;
use crate::authority::revocation::bundle::{self, Bundle, BundleError};
use crate::authority::revocation::collected_crls::{self, CollectedCrls};
use crate::authority::revocation::publish_crl::{self, CrlError, CrlOrder, CrlOutcome, CrlStatus};
use crate::report::failure::Failure;
use crate::store::approval::{Approval, Declined};
use crate::store::effects::Effects;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Store, StoreError};
use crate::text::{Lifetime, PathText, rfc3339};

/// The CRL of one authority, after `ca crl --all`.
pub struct AuthorityCrl {
    pub authority: String,
    pub done: CrlDone,
}

/// What was done about the CRL of one authority.
pub enum CrlDone {
    /// It was signed, or is not due.
    Published(Box<CrlOutcome>),
    /// It is due, and its key cannot be used: the present CRL stays in use until it expires.
    Kept { because: Failure, until: OffsetDateTime },
    /// Another CA directory has the key, and the CRL is added from a file.
    Added { until: OffsetDateTime },
    /// The certificate of the authority has expired, and so has all that it issued.
    Expired,
    /// A dry run.
    Planned,
}

/// Signs the CRL of every authority that is due, in the order of a bundle. One whose key is elsewhere may have its CRL in the
/// files of `also`.
///
/// # Errors
/// When a CRL cannot be signed; also when its key cannot be used and the present CRL is missing or has expired.
pub fn sign_all(
    store: &Store,
    lifetime: Option<Lifetime>,
    also: &[PathBuf],
    ask: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<Vec<AuthorityCrl>, Failure> {
    let now = effects.now();
    let mut done = Vec::new();
    for authority in collected_crls::authorities_in_order(store, None)? {
        let certificate = store.ca_certificates().certificate(&authority)?;
        if certificate.validity.not_after < now {
            done.push(AuthorityCrl { authority, done: CrlDone::Expired });
            continue;
        }
        let order = CrlOrder { authority: Some(authority.clone()), lifetime, ensure: true, ..CrlOrder::default() };
        let result = match publish_crl::publish(store, &order, ask, effects) {
            Ok(outcome) => CrlDone::Published(Box::new(outcome)),
            Err(CrlError::Store(StoreError::Declined(Declined::DryRun))) => CrlDone::Planned,
            Err(error) if key_is_unavailable(&error) => kept(store, &authority, also, error.into(), now)?,
            Err(error) => return Err(error.into()),
        };
        done.push(AuthorityCrl { authority, done: result });
    }
    Ok(done)
}

fn key_is_unavailable(error: &CrlError) -> bool {
    use StoreError::{KeyAway, NoPassphrase, WrongPassphrase};
    matches!(error, CrlError::Store(KeyAway { .. } | NoPassphrase(_) | WrongPassphrase(_)))
}

/// Returns the present CRL, when clients still accept it.
fn kept(
    store: &Store,
    authority: &str,
    also: &[PathBuf],
    because: Failure,
    now: OffsetDateTime,
) -> Result<CrlDone, Failure> {
    if let Some(until) = collected_crls::added_crl(store, authority, also, now)? {
        return Ok(CrlDone::Added { until });
    }
    match collected_crls::usable_crl(store, authority, now) {
        Ok(until) => Ok(CrlDone::Kept { because, until }),
        Err(unusable) => {
            let sentence = format!("the CRL of '{authority}' cannot be signed: {}, and {unusable}", because.message);
            let failure = because.hints.into_iter().fold(Failure::refused("missing-crl", sentence), Failure::hint);
            let failure = Failure::from(unusable).hints.into_iter().fold(failure, Failure::hint);
            Err(failure.hint("when another CA directory has the key: ca crl --all --bundle FILE --also CRL"))
        }
    }
}

impl AuthorityCrl {
    /// Returns what the user should know, as a sentence; `None` when there is nothing.
    pub fn warning(&self) -> Option<String> {
        let CrlDone::Kept { because, until } = &self.done else { return None };
        Some(format!(
            "the CRL of '{}' is due and was not signed: {}. The present one is used, which expires at {}",
            self.authority,
            because.message,
            rfc3339(*until)
        ))
    }
}

/// A bundle, after it was refreshed.
pub struct RefreshedBundle {
    pub path: PathBuf,
    /// The hook that is remembered.
    pub remembered: Option<Hook>,
    /// What it has now, and whether it was written.
    pub state: Result<(CollectedCrls, bool), Failure>,
    /// `None` when no hook was run.
    pub hook: Option<HookRun>,
}

impl RefreshedBundle {
    /// Whether the file or its hook failed.
    pub fn failed(&self) -> bool {
        self.state.is_err() || self.hook.as_ref().is_some_and(HookRun::failed)
    }

    /// Whether the file was written or its hook run.
    pub fn has_changed(&self) -> bool {
        self.hook.is_some() || self.state.as_ref().is_ok_and(|(_, is_written)| *is_written)
    }
}

/// How bundles are refreshed.
#[derive(Debug, Default, Clone, Copy)]
pub struct RefreshOptions<'a> {
    /// Runs no hook this time.
    pub skip_hooks: bool,
    /// The environment variable with a passphrase, which hooks do not get.
    pub secret: Option<&'a str>,
}

/// Writes every bundle that is remembered and does not have the present CRLs, and runs its hook. The hook is also run when it
/// failed, or was not run, after the last change. The failure of one bundle is part of its result.
///
/// # Errors
/// When the index cannot be read.
pub fn refresh(
    store: &Store,
    options: RefreshOptions<'_>,
    context: &mut Context<'_>,
) -> Result<Vec<RefreshedBundle>, Failure> {
    let mut done = Vec::new();
    for bundle in bundle::remembered(store)? {
        done.push(refresh_one(store, bundle, options, context));
    }
    Ok(done)
}

fn refresh_one(
    store: &Store,
    bundle: Bundle,
    options: RefreshOptions<'_>,
    context: &mut Context<'_>,
) -> RefreshedBundle {
    let written = bundle::write(store, &bundle, &context.effects());
    let Bundle { path, hook, seen, .. } = bundle;
    let refreshed =
        |state, hook_run| RefreshedBundle { path: path.clone(), remembered: hook.clone(), state, hook: hook_run };
    let (content, is_written) = match written {
        Ok(written) => written,
        Err(error) => return refreshed(Err(error.into()), None),
    };
    for issuer in &content.missing {
        context.warn_at_end(incomplete(&path, issuer));
    }
    let digest = content.digest();
    if context.changes.dry_run || !(is_written || seen != Some(digest)) {
        return refreshed(Ok((content, is_written)), None);
    }
    let run = hook.clone().filter(|_| !options.skip_hooks);
    let run = run.map(|hook| HookRun::of_bundle(store, &path, hook, options.secret, context));
    if run.as_ref().is_some_and(HookRun::failed) {
        return refreshed(Ok((content, is_written)), run);
    }
    match bundle::record_seen(store, &path, digest, &context.effects()) {
        Ok(()) => refreshed(Ok((content, is_written)), run),
        Err(error) => refreshed(Err(error.into()), run),
    }
}

/// The sentence about a bundle that lacks the CRL of a CA above, which this CA cannot sign.
fn incomplete(path: &Path, issuer: &str) -> String {
    format!(
        "{} has no CRL of '{issuer}', which is not an authority of this CA. Servers that check whole chains refuse every client \
         without it. Add it: ca crl --all --bundle {} --also FILE",
        path.escaped(),
        path.in_shell()
    )
}

/// Adds to the changes of a dry run the bundles that would be written: the named one, and those that are remembered. When CRLs
/// would be signed, that is all of them.
///
/// # Errors
/// When the index cannot be read, or a bundle cannot be written.
pub fn plan(
    store: &Store,
    named: Option<&Bundle>,
    crls_are_planned: bool,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let mut bundles = bundle::remembered(store)?;
    bundles.retain(|bundle| named.is_none_or(|named| named.path != bundle.path));
    bundles.extend(named.cloned());
    let authorities = collected_crls::authorities_in_order(store, None)?;
    for bundle in bundles {
        if crls_are_planned {
            match context.approve(bundle::planned(&bundle.path, &authorities)) {
                Ok(()) | Err(Declined::DryRun) => continue,
                Err(declined) => return Err(StoreError::from(declined).into()),
            }
        }
        match bundle::write(store, &bundle, &context.effects()) {
            Ok(_) | Err(BundleError::Store(StoreError::Declined(Declined::DryRun))) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

const AGAIN: &str = "to write it again: ca crl --all";

/// Returns the failure to refresh any bundle, because a CRL is missing.
pub fn not_written(cause: &Failure) -> Failure {
    let failure = Failure::refused("bundle-not-written", format!("no CRL bundle was written: {}", cause.message));
    cause.hints.iter().cloned().fold(failure, Failure::hint).hint(AGAIN)
}

/// Returns the failure of a command whose bundles were not all refreshed; `None` when they were.
pub fn failure(bundles: &[RefreshedBundle]) -> Option<Failure> {
    let failed = bundles.iter().find(|bundle| bundle.failed())?;
    let path = failed.path.escaped();
    Some(match (&failed.state, &failed.hook) {
        (Err(cause), _) => {
            let failure = Failure::refused(
                "bundle-not-written",
                format!("the CRL bundle {path} was not written: {}", cause.message),
            );
            cause.hints.iter().cloned().fold(failure, Failure::hint).hint(AGAIN)
        }
        (Ok(_), Some(hook)) => {
            let sentence = format!("the hook of the CRL bundle {path} {}; the new file stays deployed", hook.how());
            let failure = Failure::refused("hook-failed", sentence);
            let last = hook.output.iter().flat_map(|output| output.lines().rev().take(1));
            let failure = last.fold(failure, |failure, line| failure.hint(format!("its last line: {line}")));
            failure.hint("to run it again: ca crl --all")
        }
        (Ok(_), None) => return None,
    })
}

/// Returns whether a CRL was signed.
pub fn is_signed(outcome: &CrlOutcome) -> bool {
    matches!(outcome.status, CrlStatus::Signed(_))
}
