//! What `ca status` reports: the state of a CA, and what needs attention.

use time::{Duration, OffsetDateTime};

/// The time before their expiry in which certificates are counted.
pub const SOON: Duration = Duration::days(30);

/// The state of a CA.
#[derive(Debug)]
pub struct CaStatus {
    pub now: OffsetDateTime,
    /// By kind, the most urgent first.
    pub items: Vec<Item>,
    /// The number of names that have certificates, without authorities.
    pub certificates: u64,
    /// The certificates in use that have expired.
    pub expired: usize,
    /// The certificates in use that expire within [`SOON`].
    pub expiring: usize,
    /// The CRL that expires first.
    pub next_crl: Option<Expiry>,
    /// The root that expires first.
    pub root: Option<Expiry>,
}

/// An authority, or the CRL of one, and when it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    pub authority: String,
    pub at: OffsetDateTime,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub kind: Kind,
    /// What it is about: a NAME, an authority, a file.
    pub object: String,
    /// What is known, as a phrase.
    pub message: String,
    /// The command that fixes it.
    pub fix: String,
    /// When it expires; `None` for what does not.
    pub not_after: Option<OffsetDateTime>,
}

/// The kinds of items, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    ClockBehind,
    Restored,
    OpenPermissions,
    AuthorityExpired,
    CrlExpired,
    CrlMissing,
    CertificateExpired,
    FileMissing,
    NotDelivered,
    HookFailed,
    BundleOutdated,
    ExportOutdated,
    ExportPending,
    InvalidTemplate,
    AuthorityDue,
    AuthorityShort,
    CrlDue,
    CertificateDue,
}

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::ClockBehind,
        Self::Restored,
        Self::OpenPermissions,
        Self::AuthorityExpired,
        Self::CrlExpired,
        Self::CrlMissing,
        Self::CertificateExpired,
        Self::FileMissing,
        Self::NotDelivered,
        Self::HookFailed,
        Self::BundleOutdated,
        Self::ExportOutdated,
        Self::ExportPending,
        Self::InvalidTemplate,
        Self::AuthorityDue,
        Self::AuthorityShort,
        Self::CrlDue,
        Self::CertificateDue,
    ];

    /// Returns the code in reports, which docs/reference/status.md lists.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClockBehind => "clock-behind",
            Self::Restored => "restored",
            Self::OpenPermissions => "open-permissions",
            Self::AuthorityExpired => "authority-expired",
            Self::CrlExpired => "crl-expired",
            Self::CrlMissing => "crl-missing",
            Self::CertificateExpired => "certificate-expired",
            Self::FileMissing => "file-missing",
            Self::NotDelivered => "not-delivered",
            Self::HookFailed => "hook-failed",
            Self::BundleOutdated => "crl-bundle-outdated",
            Self::ExportOutdated => "export-outdated",
            Self::ExportPending => "export-pending",
            Self::InvalidTemplate => "template-invalid",
            Self::AuthorityDue => "authority-due",
            Self::AuthorityShort => "authority-expires-early",
            Self::CrlDue => "crl-due",
            Self::CertificateDue => "certificate-due",
        }
    }

    /// Returns true when something fails already; false when there is time.
    pub const fn is_error(self) -> bool {
        !matches!(
            self,
            Self::Restored
                | Self::AuthorityDue
                | Self::AuthorityShort
                | Self::CrlDue
                | Self::CertificateDue
                | Self::NotDelivered
        )
    }
}
