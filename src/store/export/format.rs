//! The formats of `ca export`, and what a file of each has.

use std::fmt;
use std::str::FromStr;

use crate::system::files;

/// A format of another program for a certificate of this CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// The certificate and the intermediates.
    Pem,
    /// The private key, the certificate and the intermediates in one file.
    Combined,
    /// The certificate alone.
    Der,
    /// PKCS#12: the private key, the certificate and the intermediates, encrypted.
    P12,
    /// The certificate and the intermediates, as a `.p7b` file has them.
    Pkcs7,
    /// A manifest of Kubernetes.
    KubernetesSecret,
    /// The inline blocks of a profile.
    OpenVpn,
    /// `index.txt` of `openssl ca`, of all certificates of an authority.
    OpensslIndex,
}

impl ExportFormat {
    pub const ALL: [Self; 8] = [
        Self::Pem,
        Self::Combined,
        Self::Der,
        Self::P12,
        Self::Pkcs7,
        Self::KubernetesSecret,
        Self::OpenVpn,
        Self::OpensslIndex,
    ];

    /// Returns the name in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Combined => "combined",
            Self::Der => "der",
            Self::P12 => "p12",
            Self::Pkcs7 => "pkcs7",
            Self::KubernetesSecret => "k8s-secret",
            Self::OpenVpn => "openvpn",
            Self::OpensslIndex => "openssl-index",
        }
    }

    /// Returns what a file of this format has, in its order.
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::Pem | Self::Pkcs7 => &[Part::Certificate, Part::Intermediates],
            Self::Combined | Self::P12 => &[Part::PrivateKey, Part::Certificate, Part::Intermediates],
            Self::Der => &[Part::Certificate],
            Self::KubernetesSecret | Self::OpenVpn => {
                &[Part::Roots, Part::Certificate, Part::Intermediates, Part::PrivateKey]
            }
            Self::OpensslIndex => &[Part::Index],
        }
    }

    /// Returns whether a file of this format has the private key.
    pub fn has_key(self) -> bool {
        self.parts().contains(&Part::PrivateKey)
    }

    /// Returns whether a file of this format has the roots.
    pub fn has_roots(self) -> bool {
        self.parts().contains(&Part::Roots)
    }

    /// Returns whether a file of this format is not text.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Der | Self::P12)
    }

    /// Returns the permissions of a file of this format.
    pub fn mode(self) -> u32 {
        if self.has_key() { files::SECRET } else { files::PUBLIC }
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ExportFormat {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == given);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// A part of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    PrivateKey,
    Certificate,
    Intermediates,
    Roots,
    /// The CRLs of all authorities, that of the issuer first.
    Crls,
    /// Every certificate of an authority, without its content.
    Index,
}

impl Part {
    /// Returns the name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PrivateKey => "private key",
            Self::Certificate => "certificate",
            Self::Intermediates => "intermediates",
            Self::Roots => "roots",
            Self::Crls => "CRLs",
            Self::Index => "index",
        }
    }

    /// Returns the name in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::PrivateKey => "private-key",
            Self::Crls => "crls",
            other => other.name(),
        }
    }
}
