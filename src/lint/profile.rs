//! The profiles: sets of rules, named after the software or document that requires them.

use std::fmt;

/// A set of rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LintProfile {
    /// RFC 5280, the Internet's profile of X.509.
    Rfc5280,
    /// What OpenSSL's `-x509_strict` refuses, and with it Python since 3.13.
    Strict,
    /// What Apple's platforms require of server certificates.
    Apple,
    /// What rustls (webpki) refuses.
    Rustls,
    /// Every rule: this program's own certificates break none of them.
    House,
}

impl LintProfile {
    /// All profiles, in the order of the help text.
    pub const ALL: [Self; 5] = [Self::Rfc5280, Self::Strict, Self::Apple, Self::Rustls, Self::House];

    /// Returns the value of `--profile`, which reports use too.
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
