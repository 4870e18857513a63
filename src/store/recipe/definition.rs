//! What a recipe says.

use crate::store::export::{ExportFormat, Part};
use crate::x509::{Certificate, ExtendedKeyUsage, KeyAlgorithm, KeyKind};

/// The files, the configuration and the habits of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipe {
    pub name: String,
    /// One sentence.
    pub summary: String,
    pub side: Side,
    /// The versions of the program that were run with these files and lines; `None`: not run.
    pub tested: Option<String>,
    pub notes: Vec<String>,
    pub files: Vec<RecipeFile>,
    /// The user and group that must be able to read the private key; `None`: the program reads it as root, or as the user who
    /// starts it.
    pub owner: Option<RecipeOwner>,
    pub configuration: Vec<ConfigurationPart>,
    /// The command after which the program uses new files; `None`: none is needed, or none is known.
    pub hook: Option<String>,
    /// What to know about the hook, or why there is none.
    pub hook_note: Option<String>,
    pub crls: CrlCheck,
    pub crl_note: String,
    /// The kinds of keys of its own certificate that the program refuses.
    pub refused_keys: Vec<KeyAlgorithm>,
    /// The kinds of keys of the other side's certificates that it refuses.
    pub refused_peer_keys: Vec<KeyAlgorithm>,
    pub key_note: Option<String>,
}

/// A file that a program needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFile {
    /// The path below the folder of the export. With [`FileContent::Each`], the place of the authority's name is in it.
    pub name: String,
    pub content: FileContent,
    pub mode: u32,
    /// All of them must be met.
    pub when: Vec<When>,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    /// PEM, in this order.
    Pem(Vec<Part>),
    /// One file for each authority.
    Each(EachAuthority),
    /// Another format.
    Format(FileFormat),
}

/// A format that is not a sequence of PEM blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    Pkcs12,
    TrustStore,
    KubernetesSecret,
    OpenVpn,
}

/// What the file of an authority has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EachAuthority {
    Certificate,
    Crl,
}

/// Whose files they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeOwner {
    pub user: Option<String>,
    pub group: Option<String>,
    /// True when the program refuses files of other owners; false for the usual user of its package.
    pub is_required: bool,
}

/// Lines for a file of the program's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationPart {
    /// The file and the place in it, for people.
    pub place: String,
    /// With placeholders.
    pub lines: String,
    pub when: Vec<When>,
}

/// The role of a program in a TLS session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
    /// Both at once, with one certificate.
    Peer,
    /// One or the other: the certificate decides.
    Either,
}

/// A condition of a file or of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The certificate can be that of a server.
    Server,
    /// The certificate can be that of a client.
    Client,
    WithCrls,
    WithoutCrls,
}

/// What a program does with CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlCheck {
    /// It needs the CRL of every authority of a chain.
    EveryAuthority,
    /// It needs the CRL of the authority that issued the certificate.
    Issuer,
    /// It reads the first CRL of the file only.
    First,
    /// Its plain configuration has no place for a CRL.
    Never,
}

/// The values with their words in a recipe.
macro_rules! words {
    ($type:ty, $($value:ident = $word:literal),*) => {
        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$value),*];

            /// Returns the word in recipes and reports.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word),*
                }
            }
        }
    };
}

words!(Side, Server = "server", Client = "client", Peer = "peer", Either = "either");
words!(When, Server = "server", Client = "client", WithCrls = "with-crls", WithoutCrls = "without-crls");
words!(CrlCheck, EveryAuthority = "every-authority", Issuer = "issuer", First = "first", Never = "never");
words!(EachAuthority, Certificate = "ca-certificate", Crl = "crl");
words!(FileFormat, Pkcs12 = "p12", TrustStore = "truststore", KubernetesSecret = "k8s-secret", OpenVpn = "openvpn");

impl FileFormat {
    /// Returns what a file of the format has.
    pub const fn parts(self) -> &'static [Part] {
        match self {
            Self::Pkcs12 => ExportFormat::P12.parts(),
            Self::TrustStore => &[Part::Roots],
            Self::KubernetesSecret => ExportFormat::KubernetesSecret.parts(),
            Self::OpenVpn => ExportFormat::OpenVpn.parts(),
        }
    }

    /// Returns whether the file is encrypted, so that a file with its passphrase is beside it.
    pub const fn is_encrypted(self) -> bool {
        matches!(self, Self::Pkcs12 | Self::TrustStore)
    }
}

impl FileContent {
    /// Returns what the file has, in its order; nothing for the files of authorities.
    pub fn parts(&self) -> &[Part] {
        match self {
            Self::Pem(parts) => parts,
            Self::Each(_) => &[],
            Self::Format(format) => format.parts(),
        }
    }

    pub fn has_key(&self) -> bool {
        self.parts().contains(&Part::PrivateKey)
    }

    /// Returns whether nothing is left of the file without CRLs.
    pub fn is_only_crls(&self) -> bool {
        *self == Self::Each(EachAuthority::Crl) || matches!(self, Self::Pem(parts) if parts[..] == [Part::Crls])
    }

    pub fn has_crls(&self) -> bool {
        self.is_only_crls() || self.parts().contains(&Part::Crls)
    }

    /// Returns whether another certificate of the same name changes the file.
    pub fn is_about_the_certificate(&self) -> bool {
        self.parts().iter().any(|part| matches!(part, Part::PrivateKey | Part::Certificate | Part::Intermediates))
    }
}

/// What the file with a generated passphrase has at the end of its name.
const PASSPHRASE_SUFFIX: &str = ".passphrase";

/// Returns the name of the file with the passphrase of an encrypted file.
pub fn passphrase_file(name: &str) -> String {
    format!("{name}{PASSPHRASE_SUFFIX}")
}

/// What a certificate may be used for in TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Purposes {
    pub server: bool,
    pub client: bool,
}

impl Purposes {
    /// A certificate without the extension has every purpose (RFC 5280 §4.2.1.12).
    pub fn of(certificate: &Certificate) -> Self {
        let Some(usages) = &certificate.extended_key_usage else { return Self { server: true, client: true } };
        let has =
            |wanted: &ExtendedKeyUsage| usages.iter().any(|usage| [wanted, &ExtendedKeyUsage::Any].contains(&usage));
        Self { server: has(&ExtendedKeyUsage::ServerAuth), client: has(&ExtendedKeyUsage::ClientAuth) }
    }
}

impl Side {
    /// Returns whether a certificate with these purposes can be used on this side.
    pub fn is_served_by(self, purposes: Purposes) -> bool {
        match self {
            Self::Server => purposes.server,
            Self::Client => purposes.client,
            Self::Peer => purposes.server && purposes.client,
            Self::Either => purposes.server || purposes.client,
        }
    }
}

impl When {
    /// Returns whether the condition is met.
    pub fn is_met(self, purposes: Purposes, with_crls: bool) -> bool {
        match self {
            Self::Server => purposes.server,
            Self::Client => purposes.client,
            Self::WithCrls => with_crls,
            Self::WithoutCrls => !with_crls,
        }
    }
}

impl Recipe {
    /// Returns whether the program is known to refuse a key of this kind in its own certificate.
    pub fn refuses(&self, kind: &KeyKind) -> bool {
        let name = kind.to_string();
        self.refused_keys.iter().any(|refused| refused.name() == name)
    }
}
