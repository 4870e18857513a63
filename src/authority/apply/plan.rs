//! Decides what has to be done for each declared certificate.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::apply::site::template_digest;
use crate::authority::error::CertifyError;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::{DueRule, IfNameExists, IssueOrder, SubjectKey};
use crate::authority::leaf::state::{
    Difference, End, Fix, FoundState, WantedExport, WantedKey, WantedState, differences,
};
use crate::authority::leaf::{file_access, request_inputs};
use crate::issuance::{Expiry, FileRules, FileRulesChange, GivenExtensions, Profile};
use crate::store::Store;
use crate::store::certificate_folder::FolderState;
use crate::store::delivery::Destination;
use crate::store::index::{Declaration, Entry, NameRecords, RECIPE, StoredHook};
use crate::store::manifest::{DeclaredCertificate, DeclaredExport, ExportKind};
use crate::store::previous_certificates::NameHistory;
use crate::system::files::{self, FileError, Ownership};
use crate::system::threads::in_threads;
use crate::x509::KeyAlgorithm;

/// What has to be done.
pub struct ApplyPlan {
    /// In the order of the manifests.
    pub entries: Vec<PlannedEntry>,
    /// The names that one of the manifests declared earlier and no manifest declares now, sorted.
    pub extra: Vec<ExtraName>,
}

/// A declared certificate, and what distinguishes it from what there is.
pub struct PlannedEntry {
    pub declared: DeclaredCertificate,
    pub declaration: Declaration,
    /// The deployed certificate; `None` when there is none.
    pub deployed: Option<Entry>,
    /// The hook that is remembered with the name.
    pub hook: Option<StoredHook>,
    /// The owner, group and mode that are remembered afterwards.
    pub file_rules: FileRules,
    /// Those of the files: the rules over those of the template.
    pub effective_rules: FileRules,
    /// The folder of the files.
    pub folder: PathBuf,
    /// The kind of a new key.
    pub key: KeyAlgorithm,
    /// Empty when nothing has to be done; an error when it cannot be done.
    pub differences: Result<Vec<Difference>, IssueError>,
}

/// A name that a manifest declared earlier.
pub struct ExtraName {
    pub name: String,
    /// The certificates that are neither revoked nor expired.
    pub live: Vec<Entry>,
}

/// A manifest that was read: its path.
pub type ManifestPath = PathBuf;

impl PlannedEntry {
    /// Returns what has to be done; `None` for nothing, or when it cannot be done.
    pub fn fix(&self) -> Option<Fix> {
        self.differences.as_ref().ok()?.iter().map(Difference::fix).max()
    }

    /// Returns the command of its hook: the declared one, else the one that is remembered with the name.
    pub fn hook_command(&self) -> Option<&str> {
        let command = self.declared.hook.as_deref().or(self.hook.as_ref().map(|hook| hook.command.as_str()));
        command.filter(|command| !command.is_empty())
    }

    /// Returns whether the hook that is remembered is not the declared one.
    pub fn has_other_hook(&self) -> bool {
        is_other_hook(&self.declared, self.hook.as_ref())
    }

    /// Returns the order of its next certificate. It issues only if that is still needed under the lock. `runs_hook` says that the
    /// hook of the name is run afterwards.
    pub fn order(&self, runs_hook: bool) -> IssueOrder {
        let declared = &self.declared;
        IssueOrder {
            template: declared.template.clone(),
            name: declared.name.clone(),
            names: declared.sans.clone(),
            expiry: declared.lifetime.map_or(Expiry::Default, Expiry::For),
            clip: false,
            key: SubjectKey::Generate(declared.key),
            subject: Vec::new(),
            whole_subject: None,
            extensions: GivenExtensions::None,
            set: std::collections::BTreeMap::new(),
            issuer: declared.issuer.clone(),
            place: declared.out.clone().map(Destination::Folder),
            existing: IfNameExists::KeepUnlessDue(DueRule::LastThird),
            files: change(&declared.files),
            follows: None,
            declaration: Some(Declaration {
                pending_hook: runs_hook && self.hook_command().is_some(),
                ..self.declaration.clone()
            }),
            new_key: None,
            dry_run: false,
            protection: None,
        }
    }
}

impl ApplyPlan {
    /// Returns whether something would be changed; extra names count when they are to be removed.
    pub fn has_changes(&self, prunes: bool) -> bool {
        self.entries.iter().any(|entry| entry.differences.as_ref().map_or(true, |found| !found.is_empty()))
            || prunes && !self.extra.is_empty()
    }
}

fn change(rules: &FileRules) -> FileRulesChange {
    FileRulesChange {
        mode: rules.mode.map(Some),
        owner: rules.owner.clone().map(Some),
        group: rules.group.clone().map(Some),
    }
}

/// Decides about every declared certificate. `jobs` threads read the folders.
///
/// # Errors
/// When the index cannot be read. What is wrong with one certificate is in its entry.
pub fn decide(
    store: &Store,
    declared: Vec<DeclaredCertificate>,
    manifests: &[ManifestPath],
    now: OffsetDateTime,
    jobs: NonZeroUsize,
) -> Result<ApplyPlan, IssueError> {
    let index = store.index()?;
    let names: Vec<&str> = declared.iter().map(|declared| declared.name.as_str()).collect();
    let mut records = index.records_of(&names)?;
    let mut facts = SharedFacts {
        store,
        templates: HashMap::new(),
        issuers: HashMap::new(),
        usable: HashMap::new(),
        owners: HashMap::new(),
    };
    let deployed: Vec<DeployedName> = declared
        .iter()
        .map(|declared| {
            let records = records.remove(&declared.name.as_str().to_ascii_lowercase());
            DeployedName::of(store, declared, records.unwrap_or_default())
        })
        .collect();
    let folders: Vec<FolderQuestion> = deployed.iter().map(DeployedName::question).collect();
    let states = in_threads(folders, jobs, |question| question.answer());
    let mut entries = Vec::with_capacity(declared.len());
    for ((declared, mut deployed), mut state) in declared.into_iter().zip(deployed).zip(states) {
        if deployed.looks_elsewhere(store, &declared, &state) {
            state = deployed.question().answer();
        }
        let manifest = manifests.get(declared.manifest).cloned().unwrap_or_default();
        entries.push(facts.entry(declared, deployed, state, manifest, now));
    }
    let extra = extra(store, &entries, manifests, now)?;
    Ok(ApplyPlan { entries, extra })
}

/// A name with its records, and the certificate whose files should be in its folder.
struct DeployedName {
    history: NameHistory,
    records: NameRecords,
    folder: PathBuf,
    /// The place of the deployed certificate in the history; `None` when there is none.
    at: Option<usize>,
}

impl DeployedName {
    fn of(store: &Store, declared: &DeclaredCertificate, mut records: NameRecords) -> Self {
        let history = NameHistory {
            certificates: std::mem::take(&mut records.certificates),
            rollbacks: std::mem::take(&mut records.rollbacks),
        };
        let folder = declared.out.clone().unwrap_or_else(|| store.home().entry(&declared.name));
        let recorded = history.recorded().map(|entry| entry.id);
        let at = recorded.and_then(|id| history.certificates.iter().position(|entry| entry.id == id));
        Self { history, records, folder, at }
    }

    fn entry(&self) -> Option<&Entry> {
        self.history.certificates.get(self.at?)
    }

    fn question(&self) -> FolderQuestion {
        let entry = self.entry().map(|entry| (entry.fingerprint, entry.key_fingerprint));
        FolderQuestion { folder: self.folder.clone(), entry }
    }

    /// Returns whether the folder has another certificate of the name than the one that is recorded: a process was killed before it
    /// marked the delivery. That one counts then.
    fn looks_elsewhere(
        &mut self,
        store: &Store,
        declared: &DeclaredCertificate,
        state: &Result<FolderState, FileError>,
    ) -> bool {
        let has_other = state.as_ref().is_ok_and(|state| !state.altered.is_empty());
        let is_unknown = self.at.is_none() && !self.history.certificates.is_empty();
        if !has_other && !is_unknown {
            return false;
        }
        let deployed = self.history.deployed(store.home(), &declared.name).map(|(entry, _)| entry.id);
        let at = deployed.and_then(|id| self.history.certificates.iter().position(|entry| entry.id == id));
        if at.is_none() || at == self.at {
            return false;
        }
        self.at = at;
        true
    }
}

/// A folder, and the fingerprints of the certificate and the key that should be in it.
struct FolderQuestion {
    folder: PathBuf,
    entry: Option<([u8; 32], [u8; 32])>,
}

impl FolderQuestion {
    fn answer(&self) -> Result<FolderState, FileError> {
        match &self.entry {
            Some((fingerprint, key)) => FolderState::read(&self.folder, fingerprint, key, true),
            None => Ok(FolderState::default()),
        }
    }
}

/// What many entries share, looked up once.
struct SharedFacts<'s> {
    store: &'s Store,
    /// The template and its digest.
    templates: HashMap<String, (Profile, [u8; 32])>,
    /// The authority that issues for an issuer that is declared.
    issuers: HashMap<Option<String>, String>,
    /// Whether neither an authority nor one above it is revoked.
    usable: HashMap<String, bool>,
    owners: HashMap<(Option<String>, Option<String>), Ownership>,
}

impl SharedFacts<'_> {
    fn entry(
        &mut self,
        declared: DeclaredCertificate,
        deployed: DeployedName,
        state: Result<FolderState, FileError>,
        manifest: ManifestPath,
        now: OffsetDateTime,
    ) -> PlannedEntry {
        let lifetime = declared.lifetime.map(crate::text::Lifetime::as_seconds);
        let file_rules = change(&declared.files).applied_to(&deployed.records.file_rules);
        let mut entry = PlannedEntry {
            declaration: Declaration { manifest, template_digest: [0; 32], lifetime, pending_hook: false },
            deployed: deployed.entry().cloned(),
            hook: deployed.records.hook.clone(),
            effective_rules: file_rules.clone(),
            file_rules,
            folder: deployed.folder.clone(),
            key: declared.key.unwrap_or(KeyAlgorithm::EcdsaP256),
            declared,
            differences: Ok(Vec::new()),
        };
        entry.differences = self.differences(&mut entry, &deployed, state, now);
        entry
    }

    fn differences(
        &mut self,
        planned: &mut PlannedEntry,
        deployed: &DeployedName,
        state: Result<FolderState, FileError>,
        now: OffsetDateTime,
    ) -> Result<Vec<Difference>, IssueError> {
        let declared = &planned.declared;
        let issuer = self.issuer(declared.issuer.as_ref())?;
        let (profile, digest) = self.template(&declared.template)?;
        planned.declaration.template_digest = digest;
        let names = request_inputs::names(&profile, &declared.name, &declared.sans)?;
        let key = declared.key.or(profile.keys.first().copied());
        planned.key = key.unwrap_or(planned.key);
        planned.effective_rules = planned.file_rules.clone().over(&profile.files);
        let ownership = self.ownership(&planned.effective_rules, &profile)?;
        let Some(entry) = deployed.entry() else { return Ok(vec![Difference::New]) };
        let state = state?;
        let is_usable = self.is_usable(&entry.authority)?;
        let end = match &entry.revocation {
            Some(_) => Some(End::Revoked),
            None => (!is_usable).then_some(End::IssuerRevoked),
        };
        let mode = planned.effective_rules.mode.unwrap_or(files::SECRET);
        let wrong_mode = state.key_mode.filter(|found| *found != mode);
        let wrong_owner = state.ownerships.iter().any(|found| !ownership.is_that_of(*found));
        let wanted = WantedState {
            template: &declared.template,
            names: &names,
            key: WantedKey::Kind(key.map(KeyAlgorithm::name)),
            issuer: Some(&issuer),
            due: DueRule::LastThird,
            file_rules: &planned.file_rules,
            declaration: Some(&planned.declaration),
        };
        let found = FoundState {
            template: &entry.template,
            names: entry.sans.iter().map(|(kind, value)| format!("{kind}:{value}")).collect(),
            key_kind: state.key_kind.clone(),
            key_fingerprint: entry.key_fingerprint,
            authority: &entry.authority,
            end,
            validity: entry.validity,
            folder: Some(state),
            file_rules: &deployed.records.file_rules,
            declaration: deployed.records.declaration.as_ref(),
        };
        let mut all = differences(&wanted, &found, now);
        all.extend(wrong_mode.map(|from| Difference::Mode { from, to: mode }));
        all.extend(wrong_owner.then_some(Difference::Owner));
        let stored = &deployed.records.exports;
        let export = |export: &DeclaredExport| wanted_export(export, |wanted| wanted.difference(stored, entry.id));
        all.extend(declared.exports.iter().filter_map(export));
        all.extend(is_other_hook(declared, deployed.records.hook.as_ref()).then_some(Difference::Hook));
        Ok(all)
    }

    fn template(&mut self, name: &str) -> Result<(Profile, [u8; 32]), IssueError> {
        if let Some(known) = self.templates.get(name) {
            return Ok(known.clone());
        }
        let read = (request_inputs::profile(Some(self.store), name)?, template_digest(self.store, name)?);
        self.templates.insert(name.to_owned(), read.clone());
        Ok(read)
    }

    fn issuer(&mut self, declared: Option<&String>) -> Result<String, IssueError> {
        if let Some(known) = self.issuers.get(&declared.cloned()) {
            return Ok(known.clone());
        }
        let authorities = self.store.ca_certificates();
        let chosen = authorities.choose_issuer(declared.map(String::as_str), self.store.config())?;
        self.issuers.insert(declared.cloned(), chosen.clone());
        Ok(chosen)
    }

    /// Returns whether certificates of an authority may be used: neither it nor one above it is revoked, or it is no longer here.
    fn is_usable(&mut self, authority: &str) -> Result<bool, IssueError> {
        if let Some(known) = self.usable.get(authority) {
            return Ok(*known);
        }
        let is_usable = match self.store.ca_certificates().ca_certificate(authority) {
            Err(_) => true,
            Ok(issuer) => match check_not_revoked(&issuer, self.store.index()?) {
                Ok(()) => true,
                Err(CertifyError::RevokedIssuer { .. }) => false,
                Err(error) => return Err(error.into()),
            },
        };
        self.usable.insert(authority.to_owned(), is_usable);
        Ok(is_usable)
    }

    fn ownership(&mut self, rules: &FileRules, profile: &Profile) -> Result<Ownership, IssueError> {
        let key = (rules.owner.clone(), rules.group.clone());
        if let Some(known) = self.owners.get(&key) {
            return Ok(*known);
        }
        let ownership = file_access::ownership(&Profile { files: rules.clone(), ..profile.clone() })?;
        self.owners.insert(key, ownership);
        Ok(ownership)
    }
}

/// Returns whether the hook that is remembered is not the declared one.
fn is_other_hook(declared: &DeclaredCertificate, remembered: Option<&StoredHook>) -> bool {
    let wanted = declared.hook.as_deref();
    wanted.is_some_and(|wanted| remembered.map_or("", |hook| hook.command.as_str()) != wanted)
}

/// Calls `with` with a declared export as it is remembered.
pub fn wanted_export<T>(export: &DeclaredExport, with: impl FnOnce(&WantedExport<'_>) -> T) -> T {
    let (kind, target) = match &export.kind {
        ExportKind::File(format, target) => (format.name().to_owned(), target.map(|target| target.name())),
        ExportKind::Program(recipe) => (format!("{}{recipe}", RECIPE), None),
    };
    let exists = export.out.symlink_metadata().is_ok();
    with(&WantedExport { kind: &kind, target, options: "", destination: &export.out, exists })
}

fn extra(
    store: &Store,
    entries: &[PlannedEntry],
    manifests: &[ManifestPath],
    now: OffsetDateTime,
) -> Result<Vec<ExtraName>, IssueError> {
    let index = store.index()?;
    let named: HashSet<String> =
        entries.iter().map(|entry| entry.declared.name.as_str().to_ascii_lowercase()).collect();
    let mut names = Vec::new();
    for manifest in manifests {
        names.extend(index.declared_by(manifest)?);
    }
    names.retain(|name| !named.contains(&name.to_ascii_lowercase()));
    names.sort();
    names.dedup();
    let mut records = index.records_of(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
    let extra = names.into_iter().map(|name| {
        let mut live = records.remove(&name.to_ascii_lowercase()).unwrap_or_default().certificates;
        live.retain(|entry| entry.revocation.is_none() && entry.validity.not_after >= now);
        ExtraName { name, live }
    });
    Ok(extra.collect())
}
