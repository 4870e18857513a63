//! The options and the result of issuing a certificate.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::authority::leaf::hook::Hook;
use crate::clients::Fact;
use crate::issuance::{Comparison, Draft, Expiry, FileRules, FileRulesChange, GivenExtensions, VerifiedCsr};
use crate::keys::{Passphrase, PrivateKey};
use crate::lint::Finding;
use crate::store::delivery::{Destination, Paths};
use crate::store::entry_name::{EntryName, EntryNameError};
use crate::store::index::{Declaration, Entry, EventKind};
use crate::system::files::ClosedFolder;
use crate::text::Lifetime;
use crate::x509::{AttributeType, Certificate, DistinguishedName, GeneralName, KeyAlgorithm, SerialNumber, Validity};

/// The options of one certificate.
pub struct IssueOrder {
    pub template: String,
    pub name: EntryName,
    pub names: Vec<GeneralName>,
    pub expiry: Expiry,
    pub clip: bool,
    pub key: SubjectKey,
    pub subject: Vec<(AttributeType, String)>,
    /// The subject of the CSR, or of the certificate that this order replaces, for a template that takes it as requested.
    pub whole_subject: Option<DistinguishedName>,
    /// The extensions of the CSR, or of the certificate that this order replaces.
    pub extensions: GivenExtensions,
    /// Values for the placeholders of the template.
    pub set: BTreeMap<String, String>,
    /// The name of the issuer; `None` for the setting in `ca.toml`.
    pub issuer: Option<String>,
    /// The destination of the files; `None` for the usual folder of the template's certificates.
    pub place: Option<Destination>,
    pub existing: IfNameExists,
    /// The owner, group and mode of the files, where they are not those that are remembered with the name.
    pub files: FileRulesChange,
    /// The certificate that this order was made from; `None` when the order does not replace one. The current
    /// certificate under the lock must be equivalent, so that two processes that replace it at once do not undo each
    /// other's work.
    pub follows: Option<Entry>,
    /// What a manifest declares of the name, which is recorded with the certificate; `None` leaves what is recorded.
    pub declaration: Option<Declaration>,
    /// A key that was generated before, for [`SubjectKey::Generate`]; `None`: it is generated when the order is planned.
    pub new_key: Option<PrivateKey>,
    /// True when everything is checked and nothing is signed.
    pub dry_run: bool,
    /// The passphrase that encrypts the new key; `None` for none. The key of an authority is encrypted like its
    /// issuer's key.
    pub protection: Option<Passphrase>,
}

/// The template of certificates that live an hour in memory.
pub const IN_MEMORY: &str = "handshake";
/// The template of a certificate that another tool issued, when no template of this program fits it.
pub const IMPORTED: &str = "imported";

impl IssueOrder {
    /// Returns the order of a certificate that is used at once and never written: for the server or the client of a handshake
    /// test. `role` is the template's word for it.
    ///
    /// # Errors
    /// When the role is not part of a NAME.
    pub fn in_memory(role: &str, names: Vec<GeneralName>) -> Result<Self, EntryNameError> {
        Ok(Self {
            template: IN_MEMORY.to_owned(),
            name: format!("{IN_MEMORY}-{role}").parse()?,
            names,
            expiry: Expiry::Default,
            clip: true,
            key: SubjectKey::Generate(None),
            subject: Vec::new(),
            whole_subject: None,
            extensions: GivenExtensions::None,
            set: BTreeMap::from([("role".to_owned(), role.to_owned())]),
            issuer: None,
            place: Some(Destination::Memory),
            existing: IfNameExists::Replace,
            files: FileRulesChange::default(),
            follows: None,
            declaration: None,
            new_key: None,
            dry_run: false,
            protection: None,
        })
    }

    /// Returns the kind of the event in the log.
    pub fn event(&self) -> EventKind {
        match (&self.key, &self.follows) {
            (SubjectKey::Requested(_), _) => EventKind::Sign,
            (_, None) => EventKind::Issue,
            (SubjectKey::Kept(_), Some(_)) => EventKind::Renew,
            (SubjectKey::Generate(_), Some(_)) => EventKind::Rekey,
        }
    }
}

/// The key that the certificate is for.
pub enum SubjectKey {
    /// A new key; `None` for the first algorithm of the template.
    Generate(Option<KeyAlgorithm>),
    /// An existing key, which is certified again.
    Kept(Box<PrivateKey>),
    /// The key of a CSR. A third party has the private key, so that there is no key file.
    Requested(Box<Requested>),
}

/// A CSR that a certificate is to be issued for.
pub struct Requested {
    pub request: VerifiedCsr,
    /// True when the order fails unless the certificate has exactly what the CSR asks for.
    pub exact: bool,
}

/// What happens when the name already has a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfNameExists {
    Refuse,
    /// The certificate is replaced in any case.
    Replace,
    /// The certificate is kept while it has the same names and kind of key and is not due; otherwise it is replaced.
    KeepUnlessDue(DueRule),
}

/// The rule that decides when a certificate is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueRule {
    /// The certificate is due when a third of its lifetime is left.
    LastThird,
    /// The certificate is due when less than this is left.
    Within(Lifetime),
}

impl DueRule {
    /// Returns true when a certificate with this validity period needs renewal: at most the given time is left, or it is not
    /// valid yet. The latter was issued while a clock was ahead, and no client accepts it now.
    pub fn is_due(self, validity: Validity, now: OffsetDateTime) -> bool {
        let wanted = match self {
            Self::LastThird => validity.length() / 3,
            Self::Within(within) => within.as_duration(),
        };
        now < validity.not_before || validity.not_after - now <= wanted
    }
}

/// The result of an order.
#[derive(Debug)]
pub struct IssueOutcome {
    pub status: IssueStatus,
    pub name: EntryName,
    pub template: String,
    pub authority: String,
    pub facts: CertificateFacts,
    pub paths: Option<Paths>,
    /// The lint findings that are not errors.
    pub warnings: Vec<Finding>,
    /// The facts that the certificate adds to the chain of a TLS server. Clients may refuse it because of them.
    pub client_facts: Vec<Fact>,
    /// The certificate, its chain and its key when they stay in memory; `None` when they were written to files.
    pub in_memory: Option<InMemory>,
    /// The object identifiers of the extensions of the replaced certificate that the template no longer adds.
    pub left_out: Vec<String>,
    /// True when the lifetime was shortened to that of the issuer.
    pub clipped: bool,
    /// The serial number of the certificate that was replaced; `None` when there was none.
    pub replaced: Option<SerialNumber>,
    /// What the certificate has of everything that the CSR asked for; `None` without a CSR.
    pub comparison: Option<Comparison>,
    /// The hook that is stored for the name; `None` when there is none.
    pub hook: Option<Hook>,
    /// The owner, group and mode that are remembered with the name; empty when none are.
    pub file_rules: FileRules,
    /// The folder that keeps the owner or the group away from the new files; `None` when there is none.
    pub closed_way: Option<ClosedWay>,
}

impl IssueOutcome {
    /// Returns whether the certificate is that of a CA.
    pub fn is_of_authority(&self) -> bool {
        match &self.facts {
            CertificateFacts::Certificate(certificate) => certificate.is_ca(),
            CertificateFacts::Draft(draft) => draft.basic_constraints.ca,
        }
    }
}

/// The user or the group of the files, and a folder that keeps it away from the private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedWay {
    /// `owner web` or `group web`.
    pub who: String,
    pub folder: ClosedFolder,
}

/// The certificate, chain and key that were not written to files.
pub struct InMemory {
    pub chain: Vec<Certificate>,
    pub key: PrivateKey,
}

impl std::fmt::Debug for InMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { chain, key: _ } = self;
        write!(f, "InMemory({} certificates, [elided])", chain.len())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueStatus {
    Issued,
    /// The name already has a certificate that is not due.
    Unchanged,
    /// The order was a dry run.
    Planned,
}

/// A certificate, or its draft.
#[derive(Debug)]
pub enum CertificateFacts {
    Certificate(Box<Certificate>),
    Draft(Box<Draft>),
}
