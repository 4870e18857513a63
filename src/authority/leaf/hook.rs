//! Hooks: a command of the user that runs after the files of a name changed and reloads the service that uses them.
//!
//! The index stores the hook with the name, so that a later renewal, for example by a timer, runs it as well. The index
//! is as private as the keys: an attacker who can write a command into it can also issue certificates. No lock is held
//! while a hook runs, so that the hook can call `ca` itself.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

use time::OffsetDateTime;

use crate::store::delivery::Paths;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::index::{Entry, EventKind, Index, StoredHook};
use crate::store::{Store, StoreError};
use crate::text::{self, Lifetime, rfc3339};
use crate::x509::SerialNumber;

/// A hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// The command line for `sh -c`.
    pub command: String,
    /// The time after which the command is killed.
    pub timeout: Lifetime,
    pub on_failure: OnFailure,
}

/// What happens to the new files when their hook fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    Keep,
    /// The previous files are restored.
    Rollback,
}

impl OnFailure {
    pub const ALL: [Self; 2] = [Self::Keep, Self::Rollback];

    /// Returns the name of the policy in flags, in the index and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Rollback => "rollback",
        }
    }
}

impl Hook {
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);

    /// Returns the hook with this command, the usual timeout, and without a rollback.
    pub fn of_command(command: &str) -> Option<Self> {
        let timeout = Lifetime::from_seconds(Self::DEFAULT_TIMEOUT.as_secs())?;
        Some(Self { command: command.to_owned(), timeout, on_failure: OnFailure::Keep })
    }

    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout.as_seconds())
    }

    /// Returns the hook as the index has it.
    pub fn stored(&self) -> StoredHook {
        let (command, timeout) = (self.command.clone(), self.timeout.as_seconds());
        StoredHook { command, timeout, on_failure: self.on_failure.name().to_owned() }
    }

    /// Returns a hook of the index; `None` when it has a value that this program never writes.
    pub fn restored(stored: StoredHook) -> Option<Self> {
        let on_failure = OnFailure::ALL.into_iter().find(|known| known.name() == stored.on_failure)?;
        Some(Self { command: stored.command, timeout: Lifetime::from_seconds(stored.timeout)?, on_failure })
    }
}

/// Returns the hook that is stored for a name; `None` when there is none.
///
/// # Errors
/// When the index cannot be read.
pub fn remembered(store: &Store, name: &str) -> Result<Option<Hook>, StoreError> {
    of(store.index()?, name)
}

/// As [`remembered`], from an open index.
///
/// # Errors
/// When the index cannot be read.
pub fn of(index: &Index, name: &str) -> Result<Option<Hook>, StoreError> {
    let Some(stored) = index.hook(name)? else { return Ok(None) };
    let damaged = || index.damaged(format!("the hook of '{}' cannot be read", text::escape(name)));
    Ok(Some(Hook::restored(stored).ok_or_else(damaged)?))
}

/// Stores the hook of a name; `None` removes it.
///
/// # Errors
/// When the index cannot be written.
pub fn remember(store: &Store, name: &str, hook: Option<&Hook>, effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let index = locked.index()?;
    let stored = hook.map(Hook::stored);
    if index.hook(name)? != stored {
        let mut transaction = index.transaction(effects.event_context())?;
        transaction.set_hook(name, stored.as_ref())?;
        transaction.commit()?;
    }
    Ok(())
}

/// Records that the hook of a name failed, for a later look at the state of the CA.
///
/// # Errors
/// When the index cannot be written.
pub fn record_failure(store: &Store, name: &str, how: String, effects: &Effects<'_>) -> Result<(), StoreError> {
    record_failures(store, &[name], &how, effects)
}

/// As [`record_failure`], of a hook that several names have.
///
/// # Errors
/// When the index cannot be written.
pub fn record_failures(store: &Store, names: &[&str], how: &str, effects: &Effects<'_>) -> Result<(), StoreError> {
    let mut locked = store.lock(effects.lock_timeout)?;
    let mut transaction = locked.index()?.transaction(effects.event_context())?;
    for name in names {
        transaction.record_event(EventKind::HookFailed, name, Some(how.to_owned()));
    }
    transaction.commit()?;
    Ok(())
}

/// The change that a hook reacts to, passed in its environment.
pub struct HookEvent<'a> {
    /// `issue`, `renew`, `rekey`, `rollback` or `sign`.
    pub action: &'static str,
    pub name: &'a str,
    pub template: &'a str,
    pub authority: &'a str,
    pub serial: &'a SerialNumber,
    /// The serial number of the previous certificate; `None` when there was none.
    pub previous: Option<&'a SerialNumber>,
    pub not_after: OffsetDateTime,
    pub paths: &'a Paths,
}

impl<'a> HookEvent<'a> {
    /// Returns the event of a change around a certificate that stays deployed: of its exports, or of a CRL in them.
    pub fn of_deployed(action: &'static str, entry: &'a Entry, paths: &'a Paths) -> Self {
        Self {
            action,
            name: &entry.name,
            template: &entry.template,
            authority: &entry.authority,
            serial: &entry.serial,
            previous: None,
            not_after: entry.validity.not_after,
            paths,
        }
    }
}

/// The names whose hooks are running in parent processes, because a hook does not run within itself.
const RUNNING: &str = "CA_HOOKS_RUNNING";

/// Returns the environment of a hook: the environment of the program without `secrets`, and variables that describe the
/// change. A variable without a value is empty.
pub fn environment(
    program: &HashMap<OsString, OsString>,
    secrets: &[&str],
    home: &Home,
    change: &HookEvent<'_>,
) -> HashMap<OsString, OsString> {
    let path = |path: Option<&Path>| path.map_or_else(OsString::new, |path| path.as_os_str().to_owned());
    let text = |text: String| OsString::from(text);
    let folder = change.paths.certificate.parent();
    let values = [
        ("CA_DIR", path(Some(home.folder()))),
        ("CA_ACTION", text(change.action.to_owned())),
        ("CA_NAME", text(change.name.to_owned())),
        ("CA_TEMPLATE", text(change.template.to_owned())),
        ("CA_AUTHORITY", text(change.authority.to_owned())),
        ("CA_FOLDER", path(folder)),
        ("CA_CERT", path(Some(&change.paths.certificate))),
        ("CA_CHAIN", path(Some(&change.paths.chain))),
        ("CA_FULLCHAIN", path(change.paths.fullchain.as_deref())),
        ("CA_KEY", path(change.paths.key.as_deref())),
        ("CA_SERIAL", text(change.serial.to_string())),
        ("CA_PREVIOUS_SERIAL", text(change.previous.map(SerialNumber::to_string).unwrap_or_default())),
        ("CA_NOT_AFTER", text(rfc3339(change.not_after))),
    ];
    with_values(program, secrets, change.name, values)
}

/// Returns the environment of the hook of a CRL bundle, as [`environment`] does.
pub fn bundle_environment(
    program: &HashMap<OsString, OsString>,
    secrets: &[&str],
    home: &Home,
    bundle: &Path,
) -> HashMap<OsString, OsString> {
    let values = [
        ("CA_DIR", home.folder().as_os_str().to_owned()),
        ("CA_ACTION", OsString::from("crl")),
        ("CA_CRL_BUNDLE", bundle.as_os_str().to_owned()),
    ];
    with_values(program, secrets, &bundle.to_string_lossy(), values)
}

/// Returns the environment of a hook that several names have, as [`environment`] does: `CA_NAMES` has one name a line.
pub fn environment_of_several(
    program: &HashMap<OsString, OsString>,
    secrets: &[&str],
    home: &Home,
    action: &str,
    names: &[&str],
) -> HashMap<OsString, OsString> {
    let names = names.join("\n");
    let values = [
        ("CA_DIR", home.folder().as_os_str().to_owned()),
        ("CA_ACTION", OsString::from(action)),
        ("CA_NAMES", OsString::from(&names)),
    ];
    with_values(program, secrets, &names, values)
}

fn with_values<const N: usize>(
    program: &HashMap<OsString, OsString>,
    secrets: &[&str],
    name: &str,
    values: [(&str, OsString); N],
) -> HashMap<OsString, OsString> {
    let mut environment = program.clone();
    environment.retain(|variable, _| !secrets.iter().any(|secret| variable == secret));
    let running = program.get(OsStr::new(RUNNING)).map(|names| names.to_string_lossy().into_owned());
    let running = running.unwrap_or_default() + name + "\n";
    environment.extend(values.map(|(variable, value)| (OsString::from(variable), value)));
    environment.insert(RUNNING.into(), running.into());
    environment
}

/// Returns true when the program was started by the hook of this name.
pub fn is_within(program: &HashMap<OsString, OsString>, name: &str) -> bool {
    let running = program.get(OsStr::new(RUNNING)).map(|names| names.to_string_lossy().into_owned());
    running.is_some_and(|names| names.lines().any(|running| running.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::testing::{Ca, NOW};

    #[test]
    fn a_hook_knows_what_changed_and_no_secret() {
        let program = [("PATH", "/bin"), ("SECRET", "x"), ("CA_SERIAL", "of somebody else")];
        let program = program.map(|(variable, value)| (variable.into(), value.into())).into();
        let serial: SerialNumber = "0102".parse().unwrap();
        let paths =
            Paths { certificate: "/a/cert.pem".into(), chain: "/a/chain.pem".into(), fullchain: None, key: None };
        let change = HookEvent {
            action: "renew",
            name: "web.test",
            template: "server",
            authority: "issuing",
            serial: &serial,
            previous: None,
            not_after: NOW,
            paths: &paths,
        };
        let home = Home::at("/ca".into());
        let given = environment(&program, &["SECRET"], &home, &change);
        let of = |variable: &str| given.get(OsStr::new(variable)).map(|value| value.to_string_lossy().into_owned());
        assert_eq!(of("SECRET"), None);
        for (variable, value) in [
            ("PATH", "/bin"),
            ("CA_DIR", "/ca"),
            ("CA_FOLDER", "/a"),
            ("CA_CERT", "/a/cert.pem"),
            ("CA_KEY", ""),
            ("CA_SERIAL", "0102"),
            ("CA_PREVIOUS_SERIAL", ""),
            ("CA_NOT_AFTER", "2026-06-01T12:00:00Z"),
        ] {
            assert_eq!(of(variable).as_deref(), Some(value), "{variable}");
        }
        assert!(is_within(&given, "WEB.test") && !is_within(&given, "eb.test") && !is_within(&program, "web.test"));
    }

    #[test]
    fn a_hook_is_remembered_with_its_name_until_it_is_forgotten() {
        let ca = Ca::new();
        let hook = Hook {
            command: "true".to_owned(),
            timeout: Lifetime::from_seconds(30).unwrap(),
            on_failure: OnFailure::Rollback,
        };
        ca.with_effects(|effects| remember(&ca.store(), "web.test", Some(&hook), effects)).unwrap();
        assert_eq!(remembered(&ca.store(), "web.test").unwrap(), Some(hook));
        ca.with_effects(|effects| remember(&ca.store(), "web.test", None, effects)).unwrap();
        assert_eq!(remembered(&ca.store(), "web.test").unwrap(), None);
    }

    #[test]
    fn a_hook_that_cannot_be_read_is_damage_and_not_the_lack_of_one() {
        let ca = Ca::new();
        let stored = StoredHook { command: "true".to_owned(), timeout: 30, on_failure: "dance".to_owned() };
        let (mut index, context) = (ca.index(), ca.with_effects(|effects| effects.event_context()));
        let mut transaction = index.transaction(context).unwrap();
        transaction.set_hook("web.test", Some(&stored)).unwrap();
        transaction.commit().unwrap();
        let error = remembered(&ca.store(), "web.test").unwrap_err();
        assert!(error.to_string().ends_with("is damaged: the hook of 'web.test' cannot be read"), "{error}");
    }
}
