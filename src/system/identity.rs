//! The user and the host of this process, for the event log.

use std::ffi::OsString;

use super::unix;

/// The user and the host of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The real user id.
    pub user_id: u32,
    /// The login name; `None` when `/etc/passwd` has no user with this id.
    pub user: Option<String>,
    /// The user who called `sudo`, according to its variable `SUDO_USER`; `None` without `sudo`.
    pub sudo_user: Option<String>,
    pub host: String,
}

/// A source of the user and the host.
pub trait Identity {
    /// Returns the user and the host. Only commands that change the CA call this.
    fn actor(&self) -> Actor;
}

/// The identity of this process.
pub struct SystemIdentity {
    /// The value of `SUDO_USER`.
    pub sudo_user: Option<OsString>,
}

impl Identity for SystemIdentity {
    fn actor(&self) -> Actor {
        let user_id = unix::identity::user_id();
        let sudo_user = self.sudo_user.as_ref().map(|user| user.to_string_lossy().into_owned());
        Actor { user_id, user: unix::identity::login_name(user_id), sudo_user, host: unix::identity::host_name() }
    }
}

/// An identity that is always the same, for tests.
pub struct FixedIdentity(pub Actor);

impl FixedIdentity {
    /// Returns the user `alice` on the host `host.test`.
    pub fn alice() -> Self {
        let (user, host) = (Some("alice".to_owned()), "host.test".to_owned());
        Self(Actor { user_id: 1000, user, sudo_user: None, host })
    }
}

impl Identity for FixedIdentity {
    fn actor(&self) -> Actor {
        self.0.clone()
    }
}
