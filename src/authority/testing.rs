//! A CA in a temporary folder, for the tests of this module.

use crate::authority::hierarchy::init::{self, InitError, InitializedCa};
use crate::authority::hierarchy::intermediate::{self, IntermediateError};
use crate::authority::hierarchy::rotation::{self, RotationError};
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::renew::{self, NextKey, RenewError, RenewOrder};
use crate::authority::leaf::rollback::{self, RollbackError};
use crate::authority::leaf::sign::{self, SignError};
use crate::authority::revocation::publish_crl::{self, CrlError};
use crate::authority::revocation::revoke::{self, RevokeError};
use crate::store::approval::Approved;
use crate::store::passphrase_prompt::{EncryptedKey, PassphrasePrompt};
use crate::store::progress::Unreported;
use crate::store::{Store, delivery};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use tempfile::TempDir;
use time::OffsetDateTime;
use time::macros::datetime;

use crate::authority::hierarchy::renew_root;
use crate::authority::leaf::order::{IfNameExists, IssueOrder, IssueOutcome, SubjectKey};
use crate::authority::leaf::{issue, request};
use crate::issuance::{self, Expiry, GivenExtensions, SignedBy, recertify};
use crate::keys::Passphrase;
use crate::store::ca_certificates::CaCertificates;
use crate::store::config::Config;
use crate::store::effects::Effects;
use crate::store::home::Home;
use crate::store::index::{Entry, Index};
use crate::system::Entropy;
use crate::system::clock::FixedClock;
use crate::system::entropy::SystemEntropy;
use crate::system::files::FolderLock;
use crate::system::identity::FixedIdentity;
use crate::text::{Lifetime, PathText};
use crate::x509::crl::RevocationReason;
use crate::x509::{BasicConstraints, Certificate, SerialNumber};

pub const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

/// A CA and its current time.
pub struct Ca {
    pub top: TempDir,
    pub home: Home,
    pub now: OffsetDateTime,
}

impl Ca {
    /// Returns a folder without a CA.
    pub fn none() -> Self {
        let top = tempfile::tempdir().unwrap();
        let home = Home::at(top.path().join("ca"));
        Self { top, home, now: NOW }
    }

    /// Returns a CA with an issuing CA below its root and unencrypted keys.
    pub fn new() -> Self {
        let ca = Self::none();
        ca.init(ca.init_order()).unwrap();
        ca
    }

    pub fn init_order(&self) -> init::InitOrder {
        init::InitOrder {
            config: Config::default(),
            intermediate: Some("issuing".to_owned()),
            passphrase: None,
            imported: None,
            facts: Vec::new(),
            notes: Vec::new(),
            confirm: false,
        }
    }

    pub fn init(&self, order: init::InitOrder) -> Result<InitializedCa, InitError> {
        self.with_effects(|effects| init::init(&self.home, order, effects))
    }

    /// Opens the CA.
    pub fn store(&self) -> Store {
        Store::open(self.home.clone()).unwrap()
    }

    pub fn issue(&self, order: IssueOrder) -> Result<IssueOutcome, IssueError> {
        self.issue_asking(order, &mut |_| Ok(Passphrase::new(b"secret".to_vec())))
    }

    pub fn issue_asking(&self, order: IssueOrder, ask: &mut PassphrasePrompt<'_>) -> Result<IssueOutcome, IssueError> {
        self.with_effects(|effects| issue::issue(&self.store(), order, ask, effects))
    }

    pub fn renew(&self, name: &str, key: NextKey) -> Result<IssueOutcome, RenewError> {
        self.renew_while(name, key, &mut || ())
    }

    /// Renews a certificate and runs `meanwhile` after the renewal read the current files and before it takes the lock.
    pub fn renew_while(
        &self,
        name: &str,
        key: NextKey,
        meanwhile: &mut dyn FnMut(),
    ) -> Result<IssueOutcome, RenewError> {
        let renewal = RenewOrder {
            reference: name.parse().unwrap(),
            key,
            expiry: None,
            clip: false,
            set: BTreeMap::new(),
            files: issuance::FileRulesChange::default(),
            encrypted: false,
            only_if: None,
            dry_run: false,
        };
        let mut ask = |_: &EncryptedKey| {
            meanwhile();
            Ok(Passphrase::new(b"secret".to_vec()))
        };
        let mut ask_for_kept_key = |_: &EncryptedKey| Ok(Passphrase::new(b"leaf secret".to_vec()));
        self.with_effects(|effects| renew::renew(&self.store(), &renewal, &mut ask, &mut ask_for_kept_key, effects))
    }

    /// Returns the DER of a CSR for a server, made with a new key.
    pub fn request_for(&self, name: &str) -> Vec<u8> {
        let wanted = request::CsrOrder {
            template: "server".to_owned(),
            name: name.parse().unwrap(),
            names: Vec::new(),
            key: None,
            subject: Vec::new(),
            set: BTreeMap::new(),
            folder: self.top.path().join(name),
            replace: false,
            encrypted: false,
            protection: None,
        };
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        let made =
            self.with_effects(|effects| request::request(Some(&self.store()), wanted, &mut ask, effects)).unwrap();
        made.request.as_der().to_vec()
    }

    /// Signs a CSR with the server template.
    pub fn sign(&self, request: &[u8]) -> Result<IssueOutcome, SignError> {
        let signing = sign::SignOrder {
            request: request.to_vec(),
            template: "server".to_owned(),
            name: None,
            names: Vec::new(),
            expiry: Expiry::Default,
            clip: false,
            subject: Vec::new(),
            set: BTreeMap::new(),
            issuer: None,
            place: None,
            existing: IfNameExists::Refuse,
            files: issuance::FileRulesChange::default(),
            dry_run: false,
            exact: false,
        };
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        self.with_effects(|effects| sign::sign(&self.store(), signing, &mut ask, effects))
    }

    pub fn revoke(&self, reference: &str, reason: RevocationReason) -> Result<revoke::RevokeOutcome, RevokeError> {
        let target = revoke::RevokeTarget::Reference(reference.parse().unwrap());
        self.revoke_as(&revoke::RevokeOrder { target, all: false, reason, invalid_since: None })
    }

    pub fn revoke_as(&self, order: &revoke::RevokeOrder) -> Result<revoke::RevokeOutcome, RevokeError> {
        self.with_effects(|effects| revoke::revoke(&self.store(), order, effects))
    }

    pub fn publish(&self, order: &publish_crl::CrlOrder) -> Result<publish_crl::CrlOutcome, CrlError> {
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        self.with_effects(|effects| publish_crl::publish(&self.store(), order, &mut ask, effects))
    }

    pub fn rotate(&self, order: &rotation::RootRotationOrder) -> Result<rotation::StartedRotation, RotationError> {
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        let mut ask_new = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        self.with_effects(|effects| rotation::start(&self.store(), order, &mut ask, &mut ask_new, effects))
    }

    pub fn rotation_status(&self) -> Result<Option<rotation::RotationStatus>, RotationError> {
        self.with_effects(|effects| rotation::status(&self.store(), effects))
    }

    pub fn finish(&self, force: bool) -> Result<rotation::FinishedRotation, RotationError> {
        self.with_effects(|effects| rotation::finish(&self.store(), force, effects))
    }

    pub fn renew_root(&self, lifetime: Option<Lifetime>) -> Result<renew_root::RenewedRoot, RotationError> {
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        self.with_effects(|effects| renew_root::renew(&self.store(), None, lifetime, &mut ask, effects))
    }

    /// Replaces the certificate of the root by another one, as another tool could have made it.
    pub fn recertify_root_with_path_length(&self, length: u32) -> Certificate {
        let authorities = CaCertificates::of(&self.home);
        let mut ask = |_: &EncryptedKey| Ok(Passphrase::new(b"secret".to_vec()));
        let (issuer, _) = authorities.unlock(authorities.ca_certificate("root").unwrap(), &mut ask).unwrap();
        let mut before = issuer.ca_certificate().certificate().clone();
        before.basic_constraints = Some(BasicConstraints { ca: true, path_length: Some(length) });
        let serial = before.serial.clone();
        let draft = recertify(&before, SignedBy::Itself(issuer.signer()), self.now, before.validity, serial).unwrap();
        let certificate =
            issuance::sign(issuance::approve(draft, None).unwrap().unverified(), issuer.signer()).unwrap();
        delivery::replace_certificate(&self.home, "root", &certificate, &SystemEntropy).unwrap();
        certificate
    }

    pub fn ask_for(
        &self,
        order: &intermediate::IntermediateRequestOrder,
    ) -> Result<intermediate::RequestedIntermediate, IntermediateError> {
        self.with_effects(|effects| intermediate::request(&self.store(), order, effects))
    }

    pub fn install(
        &self,
        order: intermediate::IntermediateInstallOrder,
    ) -> Result<intermediate::InstalledIntermediate, IntermediateError> {
        self.with_effects(|effects| intermediate::install(&self.store(), order, effects))
    }

    /// As [`with_effects`](Self::with_effects), and runs `meanwhile` when a serial number is drawn, which is before the
    /// lock.
    pub fn with_effects_while<T>(&self, meanwhile: impl FnOnce() + Send, act: impl FnOnce(&Effects<'_>) -> T) -> T {
        let entropy = Meanwhile(Mutex::new(Some(meanwhile)));
        act(&Effects {
            clock: &FixedClock(self.now),
            entropy: &entropy,
            identity: &FixedIdentity::alice(),
            lock_timeout: Duration::from_secs(60),
            approval: &Approved,
            progress: &Unreported,
        })
    }

    /// Runs `act` while another process has the lock; `act` does not wait for the lock.
    pub fn with_effects_without_lock<T>(&self, act: impl FnOnce(&Effects<'_>) -> T) -> T {
        // A process that another test starts has the descriptors of this one, and with them the lock, until it is a program of
        // its own.
        let _theirs = FolderLock::acquire(self.home.folder(), Duration::from_secs(60)).unwrap();
        act(&Effects {
            clock: &FixedClock(self.now),
            entropy: &SystemEntropy,
            identity: &FixedIdentity::alice(),
            lock_timeout: Duration::ZERO,
            approval: &Approved,
            progress: &Unreported,
        })
    }

    pub fn roll_back(&self, name: &str) -> Result<rollback::RollbackOutcome, RollbackError> {
        self.roll_back_to(name, None)
    }

    pub fn roll_back_to(
        &self,
        name: &str,
        to: Option<&SerialNumber>,
    ) -> Result<rollback::RollbackOutcome, RollbackError> {
        let order = rollback::RollbackOrder { reference: name.parse().unwrap(), to: to.cloned() };
        self.with_effects(|effects| rollback::rollback(&self.store(), &order, effects))
    }

    pub fn with_effects<T>(&self, act: impl FnOnce(&Effects<'_>) -> T) -> T {
        act(&Effects {
            clock: &FixedClock(self.now),
            entropy: &SystemEntropy,
            identity: &FixedIdentity::alice(),
            lock_timeout: Duration::from_secs(60),
            approval: &Approved,
            progress: &Unreported,
        })
    }

    pub fn index(&self) -> Index {
        Index::open(&self.home.folder().join("index.db")).unwrap()
    }

    pub fn history(&self, name: &str) -> Vec<Entry> {
        self.index().history(name).unwrap()
    }

    /// Removes the delivery mark of the newest certificate of a name, as if its process was killed right before it set
    /// the mark.
    pub fn forget_delivery(&self, name: &str) {
        let entry = self.history(name).pop().unwrap();
        self.index().unmark_delivered(entry.id).unwrap();
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.home.folder().join(below)
    }
}

/// An entropy source that runs a closure at the first draw.
struct Meanwhile<F>(Mutex<Option<F>>);

impl<F: FnOnce() + Send> Entropy for Meanwhile<F> {
    fn fill(&self, buffer: &mut [u8]) -> io::Result<()> {
        let act = self.0.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
        SystemEntropy.fill(buffer)
    }
}

pub fn order(template: &str, name: &str) -> IssueOrder {
    IssueOrder {
        template: template.to_owned(),
        name: name.parse().unwrap(),
        names: Vec::new(),
        expiry: Expiry::Default,
        clip: false,
        key: SubjectKey::Generate(None),
        whole_subject: None,
        extensions: GivenExtensions::None,
        subject: Vec::new(),
        set: BTreeMap::new(),
        issuer: None,
        place: None,
        existing: IfNameExists::Refuse,
        files: issuance::FileRulesChange::default(),
        follows: None,
        declaration: None,
        new_key: None,
        dry_run: false,
        protection: None,
    }
}

/// Returns all files below a folder, sorted, without the side files of SQLite.
pub fn files_below(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, top: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, top, found);
            } else {
                found.push(path.strip_prefix(top).unwrap().escaped().to_string());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.retain(|name| !name.starts_with("index.db-"));
    found.sort();
    found
}
