//! The programs that import a PKCS#12 file.

use std::fmt;
use std::str::FromStr;

use crate::keys::key_file::pkcs12::Strength;
use crate::x509::KeyKind;

/// A family of programs that imports PKCS#12.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// macOS and iOS.
    Apple,
    Windows,
    Java,
    /// Firefox, and Chromium on Linux.
    Nss,
}

impl Target {
    pub const ALL: [Self; 4] = [Self::Apple, Self::Windows, Self::Java, Self::Nss];

    /// Returns the name in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Apple => "apple",
            Self::Windows => "windows",
            Self::Java => "java",
            Self::Nss => "nss",
        }
    }

    /// Returns the encryption that the programs read: the modern one, except Apple's, which say that the MAC is wrong.
    pub const fn strength(self) -> Strength {
        match self {
            Self::Apple => Strength::Legacy,
            Self::Windows | Self::Java | Self::Nss => Strength::Modern,
        }
    }

    /// Returns whether the programs are known to refuse a private key of this kind.
    pub fn refuses(self, kind: &KeyKind) -> bool {
        self == Self::Nss && *kind == KeyKind::Ed25519
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|target| target.name() == given);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}
