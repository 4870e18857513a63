//! What is ordered of a CA, and what came of it.

use std::collections::BTreeMap;

use crate::authority::leaf::hook::Hook;
use crate::issuance::{Comparison, Draft, Expiry, VerifiedCsr};
use crate::keys::{Passphrase, PrivateKey};
use crate::lint::Finding;
use crate::store::delivery::{Destination, Paths};
use crate::store::entry_name::EntryName;
use crate::store::index::Entry;
use crate::text::Lifetime;
use crate::x509::{AttributeType, Certificate, GeneralName, KeyAlgorithm, SerialNumber};

/// What is ordered.
pub struct IssueOrder {
    pub template: String,
    pub name: EntryName,
    pub names: Vec<GeneralName>,
    pub expiry: Expiry,
    pub clip: bool,
    pub key: SubjectKey,
    pub subject: Vec<(AttributeType, String)>,
    /// Values for the placeholders of the template.
    pub set: BTreeMap<String, String>,
    /// `None`: the setting's.
    pub issuer: Option<String>,
    /// `None`: where the template's certificates belong.
    pub place: Option<Destination>,
    pub existing: IfNameExists,
    /// The certificate that this order was made from. What is in place under the lock has to be alike, so that two who
    /// follow it at once do not undo each other's work.
    pub follows: Option<Entry>,
    /// Decide everything, sign nothing.
    pub dry_run: bool,
    /// What the new key is encrypted with; the key of an authority is encrypted as its issuer's is.
    pub protection: Option<Passphrase>,
}

/// Which key the certificate is about.
pub enum SubjectKey {
    /// A new one. `None`: of the template's first kind.
    Generate(Option<KeyAlgorithm>),
    /// One that is there already, to be certified again.
    Kept(Box<PrivateKey>),
    /// That of a request: its private half is somebody else's, so that there is no key file.
    Requested(Box<Requested>),
}

/// A request that is to be granted.
pub struct Requested {
    pub request: VerifiedCsr,
    /// Refuse whatever would not be exactly what it asks for.
    pub exact: bool,
}

/// What to do when the name has a certificate already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfNameExists {
    Refuse,
    /// Replace it, whatever it is.
    Replace,
    /// Leave it while it has the same names and kind of key and this much of its life left; replace it after.
    KeepUnlessDue(DueRule),
}

/// When a certificate is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DueRule {
    /// When a third of its life is left.
    LastThird,
    /// When less than this is left.
    Within(Lifetime),
}

/// What came of it.
#[derive(Debug)]
pub struct IssueOutcome {
    pub status: IssueStatus,
    pub name: EntryName,
    pub template: String,
    pub authority: String,
    pub facts: CertificateFacts,
    pub paths: Option<Paths>,
    /// What the rules had to say that is no error.
    pub warnings: Vec<Finding>,
    /// The certificate, its chain and its key, when they stay in memory.
    pub in_memory: Option<InMemory>,
    /// Shortened to the end of its issuer.
    pub clipped: bool,
    /// The certificate whose place it took.
    pub replaced: Option<SerialNumber>,
    /// What became of everything that a request asked for.
    pub comparison: Option<Comparison>,
    /// The hook that is remembered for the name.
    pub hook: Option<Hook>,
}

/// What was not written to a file.
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
    /// There is one already that is not due.
    Unchanged,
    /// A dry run.
    Planned,
}

/// A certificate, or the draft of one.
#[derive(Debug)]
pub enum CertificateFacts {
    Certificate(Box<Certificate>),
    Draft(Box<Draft>),
}
