//! The kinds of names that a template may allow.

use serde::Deserialize;

use crate::text;

/// A kind of name that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum NameKind {
    Dns,
    Ip,
    Email,
    Uri,
}

impl NameKind {
    const ALL: [Self; 4] = [Self::Dns, Self::Ip, Self::Email, Self::Uri];

    /// As [`crate::x509::GeneralName::kind`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Uri => "uri",
        }
    }
}

impl TryFrom<String> for NameKind {
    type Error = String;

    fn try_from(given: String) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|kind| kind.word() == given).ok_or_else(|| {
            let near = text::did_you_mean(&given, Self::ALL.map(Self::word));
            format!("'{}' is not a kind of name{near}: expected one of dns, ip, email, uri", text::escape(&given))
        })
    }
}
