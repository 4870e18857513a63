//! The profiles: sets of rules, named after the software or document that requires them.

use std::fmt;

/// Whose rules to apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintProfile {
    /// The Internet's profile of X.509.
    Rfc5280,
    /// What OpenSSL's `-x509_strict` refuses, and with it Python since 3.13.
    Strict,
    /// What Apple's platforms ask of server certificates.
    Apple,
    /// What rustls (webpki) refuses.
    Rustls,
    /// Every rule of the table: what this program keeps to in its own certificates.
    House,
}

impl LintProfile {
    /// All of them, in the order in which they are listed to people.
    pub const ALL: [Self; 5] = [Self::Rfc5280, Self::Strict, Self::Apple, Self::Rustls, Self::House];

    /// The word for it in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rfc5280 => "rfc5280",
            Self::Strict => "strict",
            Self::Apple => "apple",
            Self::Rustls => "rustls",
            Self::House => "house",
        }
    }
}

impl fmt::Display for LintProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
