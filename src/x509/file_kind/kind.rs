//! What a kind of file is, what is expected of a file, and how one becomes the other.

use std::path::Path;

use crate::text::PathText;

/// What a command wants from a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    Certificate,
    Request,
    Crl,
    /// What `ca lint` looks at.
    CertificateOrCrl,
    PrivateKey,
    /// A public key, or what has one: a certificate, a request, a private key.
    AnyKey,
    /// Whatever `ca inspect` shows.
    Any,
    /// The list of issued certificates of `openssl ca`: text, which can be empty.
    OpensslIndex,
    /// A TOML file, which can be empty: its use with an article, and where to get one.
    Toml {
        name: &'static str,
        origin: &'static str,
    },
}

impl Expected {
    /// Returns the words for a message, with their article.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certificate => "a certificate",
            Self::Request => "a certificate request",
            Self::Crl => "a CRL",
            Self::CertificateOrCrl => "a certificate or CRL",
            Self::PrivateKey => "a private key",
            Self::AnyKey => "a key, certificate or certificate request",
            Self::Any => "a certificate, certificate request, CRL or key",
            Self::OpensslIndex => "an index.txt of openssl ca",
            Self::Toml { name, .. } => name,
        }
    }

    /// Returns where to get what is expected.
    const fn origin(self) -> &'static str {
        match self {
            Self::Certificate | Self::CertificateOrCrl => {
                "give the certificate: PEM, with any number of certificates, or the DER of one"
            }
            Self::Request => {
                "ca request, or openssl req -new, writes a certificate request; a private key is not handed to a CA"
            }
            Self::Crl => "ca crl writes the CRL; for another CA, download it from the address in its certificates",
            Self::PrivateKey => "give the file of the private key that belongs to the certificate",
            Self::AnyKey | Self::Any => "give a certificate, a certificate request or a key",
            Self::OpensslIndex => "give the file that 'database' names in the settings of openssl ca",
            Self::Toml { origin, .. } => origin,
        }
    }

    /// Returns whether a file of this kind has what is expected.
    pub const fn accepts(self, kind: &FileKind) -> bool {
        let content = kind.content;
        match self {
            Self::Certificate => matches!(content, Content::Certificate),
            Self::Request => matches!(content, Content::Request),
            Self::Crl => matches!(content, Content::Crl),
            Self::CertificateOrCrl => matches!(content, Content::Certificate | Content::Crl),
            Self::PrivateKey => matches!(content, Content::PrivateKey),
            Self::AnyKey => !matches!(content, Content::Crl | Content::Other | Content::Nothing),
            Self::Any => !matches!(content, Content::Other | Content::Nothing),
            Self::OpensslIndex | Self::Toml { .. } => matches!(content, Content::Nothing),
        }
    }
}

/// What a file of a kind has for this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Certificate,
    Request,
    Crl,
    PrivateKey,
    PublicKey,
    /// Nothing that is read without a conversion.
    Other,
    /// No bytes, or white space only.
    Nothing,
}

/// What a file of another format can have inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inside {
    /// Another file of any kind: an archive, a compressed or an encrypted file.
    File,
    /// PEM or DER in an encoding.
    Encoded,
    Certificates,
    CertificatesAndCrls,
    CertificatesAndKeys,
    Key,
    PublicKey,
}

impl Inside {
    /// Returns whether what is expected can be inside, so that a conversion leads to it.
    const fn may_have(self, expected: Expected) -> bool {
        match (self, expected) {
            (Self::File, _) | (_, Expected::Any) => true,
            (_, Expected::OpensslIndex | Expected::Toml { .. }) => false,
            (Self::Encoded, _) => true,
            (_, Expected::Request) => false,
            (Self::PublicKey, _) => matches!(expected, Expected::AnyKey),
            (_, Expected::PrivateKey) => matches!(self, Self::Key | Self::CertificatesAndKeys),
            (_, Expected::Crl) => matches!(self, Self::CertificatesAndCrls),
            (Self::Key, _) => matches!(expected, Expected::AnyKey),
            (_, Expected::Certificate | Expected::CertificateOrCrl | Expected::AnyKey) => true,
        }
    }
}

/// A kind of file.
#[derive(Debug, PartialEq, Eq)]
pub struct FileKind {
    /// With its article: `a PKCS#12 file`.
    pub name: &'static str,
    pub(super) content: Content,
    /// How to get certificates, requests or CRLs out of it: a sentence, or a command in which `FILE` stands for the file.
    pub(super) fix: Fix,
    /// The same for a private key, where it differs.
    pub(super) key_fix: Option<Fix>,
}

/// What to do with a file of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fix {
    /// A command in which `FILE` stands for the path of the file, and what it gets out of it.
    Convert(&'static str, Inside),
    /// A sentence in which `FILE` stands for the path of the file.
    Advice(&'static str),
    /// The file is read here, but not by this command: where to get what is expected.
    Expected,
    None,
}

impl FileKind {
    /// Returns whether the file has no bytes but white space.
    pub const fn is_empty(&self) -> bool {
        matches!(self.content, Content::Nothing)
    }

    /// Returns the fix for a file at this path: `convert it: openssl …`. `None` where there is nothing to do with it.
    pub fn fix(&self, path: &Path, expected: Expected) -> Option<String> {
        let fix = match (expected, self.key_fix) {
            (Expected::PrivateKey, Some(fix)) => fix,
            _ => self.fix,
        };
        let file = in_command(path);
        match fix {
            Fix::Convert(command, inside) if inside.may_have(expected) => {
                Some(format!("convert it: {}", command.replace("FILE", &file)))
            }
            Fix::Convert(..) => Some(expected.origin().to_owned()),
            // The advice leads to a certificate or a key.
            Fix::Advice(_) | Fix::None if matches!(expected, Expected::Toml { .. }) => {
                Some(expected.origin().to_owned())
            }
            Fix::Advice(sentence) => Some(sentence.replace("FILE", &file)),
            Fix::Expected => Some(match (expected, self.content) {
                (Expected::Certificate | Expected::CertificateOrCrl, Content::Request) => {
                    format!("a CA makes a certificate from it: ca sign {file}; it is shown by: ca inspect {file}")
                }
                (Expected::Certificate, Content::Crl) => format!("a CRL is shown by: ca inspect {file}"),
                _ => expected.origin().to_owned(),
            }),
            Fix::None => None,
        }
    }
}

/// Returns a path as it stands in a command. Standard input has no path; the command then shows where it belongs.
pub(super) fn in_command(path: &Path) -> String {
    if path.as_os_str() == "-" { "FILE".to_owned() } else { path.in_shell().to_string() }
}
