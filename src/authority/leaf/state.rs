//! What distinguishes the deployed certificate of a name from the one that is wanted. One function decides, for `ca issue --if-due`
//! and for every entry of `ca apply`; it reads no file and no index.

use std::path::Path;

use time::OffsetDateTime;

use crate::authority::leaf::order::{DueRule, IMPORTED};
use crate::issuance::FileRules;
use crate::store::certificate_folder::FolderState;
use crate::store::index::{Declaration, EntryId, StoredExport};
use crate::text::PathText;
use crate::x509::{GeneralName, Validity};

/// What is wanted of a name.
pub struct WantedState<'a> {
    pub template: &'a str,
    pub names: &'a [GeneralName],
    pub key: WantedKey,
    /// The name of the authority; `None` when any will do.
    pub issuer: Option<&'a str>,
    pub due: DueRule,
    pub file_rules: &'a FileRules,
    /// `None` when no manifest declares the name.
    pub declaration: Option<&'a Declaration>,
}

/// The key that is wanted.
pub enum WantedKey {
    /// The name of a key algorithm; `None` when any will do.
    Kind(Option<&'static str>),
    /// SHA-256 of the SubjectPublicKeyInfo.
    Fingerprint([u8; 32]),
}

/// The deployed certificate of a name.
pub struct FoundState<'a> {
    pub template: &'a str,
    /// The subject alternative names as they are displayed, `dns:web.test`.
    pub names: Vec<String>,
    /// The name of the kind of key; `None` when it is not known.
    pub key_kind: Option<String>,
    pub key_fingerprint: [u8; 32],
    pub authority: &'a str,
    /// Why the certificate must not be used any longer.
    pub end: Option<End>,
    pub validity: Validity,
    /// `None` when the files stay in memory.
    pub folder: Option<FolderState>,
    /// The owner, group and mode that are remembered with the name.
    pub file_rules: &'a FileRules,
    pub declaration: Option<&'a Declaration>,
}

/// Why a certificate must not be used any longer, although it has not expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Revoked,
    /// An authority above it is revoked.
    IssuerRevoked,
}

/// A difference between what is wanted and what there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// The name has no certificate.
    New,
    Due {
        not_after: OffsetDateTime,
    },
    NotYetValid {
        not_before: OffsetDateTime,
    },
    Revoked,
    IssuerRevoked,
    /// As it is displayed, `dns:web.test`.
    NameAdded(String),
    NameRemoved(String),
    /// The name of the kind that there is, and of the wanted one.
    KeyKind {
        from: String,
        to: String,
    },
    /// Another key than that of the CSR, or the one that is kept.
    OtherKey,
    Template {
        from: String,
        to: String,
    },
    /// The text of the template, or of what it is based on, is another one than at the time of issue.
    TemplateText,
    /// The manifest declares another lifetime than at the time of issue.
    Lifetime,
    Issuer {
        from: String,
        to: String,
    },
    FileMissing(String),
    FileAltered(String),
    /// The wanted rules.
    FileRules(String),
    /// The private key has this mode, and not the wanted one.
    Mode {
        from: u32,
        to: u32,
    },
    Owner,
    /// The file or folder of an export, escaped.
    ExportMissing(String),
    ExportStale(String),
    Hook,
    /// A run was interrupted after it changed the files, and before it ran the hook.
    HookPending,
    /// No manifest declares the name yet, or another one does.
    Manifest,
}

/// What has to be done about a difference, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fix {
    /// Something is recorded.
    Record,
    /// Exports are written.
    Export,
    /// The files get another owner, group or mode.
    Access,
    /// A certificate is issued.
    Issue,
}

impl Difference {
    /// Returns what has to be done about it.
    pub fn fix(&self) -> Fix {
        match self {
            Self::Hook | Self::HookPending | Self::Manifest => Fix::Record,
            Self::ExportMissing(_) | Self::ExportStale(_) => Fix::Export,
            Self::FileRules(_) | Self::Mode { .. } | Self::Owner => Fix::Access,
            _ => Fix::Issue,
        }
    }
}

/// Returns every difference between the deployed certificate and the wanted one, in the order of reports.
pub fn differences(wanted: &WantedState<'_>, found: &FoundState<'_>, now: OffsetDateTime) -> Vec<Difference> {
    let mut differences = Vec::new();
    match found.end {
        Some(End::Revoked) => differences.push(Difference::Revoked),
        Some(End::IssuerRevoked) => differences.push(Difference::IssuerRevoked),
        None => {}
    }
    if now < found.validity.not_before {
        differences.push(Difference::NotYetValid { not_before: found.validity.not_before });
    } else if wanted.due.is_due(found.validity, now) {
        differences.push(Difference::Due { not_after: found.validity.not_after });
    }
    names(wanted, found, &mut differences);
    match (&wanted.key, &found.key_kind) {
        (WantedKey::Kind(Some(to)), Some(from)) if to != from => {
            differences.push(Difference::KeyKind { from: from.clone(), to: (*to).to_owned() });
        }
        (WantedKey::Fingerprint(fingerprint), _) if *fingerprint != found.key_fingerprint => {
            differences.push(Difference::OtherKey);
        }
        _ => {}
    }
    if wanted.template != found.template && found.template != IMPORTED {
        differences.push(Difference::Template { from: found.template.to_owned(), to: wanted.template.to_owned() });
    }
    if let Some(to) = wanted.issuer.filter(|issuer| *issuer != found.authority) {
        differences.push(Difference::Issuer { from: found.authority.to_owned(), to: to.to_owned() });
    }
    if let Some(declared) = wanted.declaration {
        // Another template has another text.
        let is_other_text = found.declaration.is_some_and(|found| found.template_digest != declared.template_digest);
        if is_other_text && !differences.iter().any(|difference| matches!(difference, Difference::Template { .. })) {
            differences.push(Difference::TemplateText);
        }
        if found.declaration.is_some_and(|found| found.lifetime != declared.lifetime) {
            differences.push(Difference::Lifetime);
        }
    }
    if let Some(folder) = &found.folder {
        differences.extend(folder.missing.iter().map(|name| Difference::FileMissing((*name).to_owned())));
        differences.extend(folder.altered.iter().map(|name| Difference::FileAltered((*name).to_owned())));
    }
    if wanted.file_rules != found.file_rules {
        differences.push(Difference::FileRules(wanted.file_rules.describe()));
    }
    if let Some(declared) = wanted.declaration
        && found.declaration.is_none_or(|found| found.manifest != declared.manifest)
    {
        differences.push(Difference::Manifest);
    }
    if wanted.declaration.is_some() && found.declaration.is_some_and(|found| found.pending_hook) {
        differences.push(Difference::HookPending);
    }
    differences
}

fn names(wanted: &WantedState<'_>, found: &FoundState<'_>, differences: &mut Vec<Difference>) {
    let wanted: Vec<String> = wanted.names.iter().map(GeneralName::to_string).collect();
    let added = wanted.iter().filter(|name| !found.names.contains(name));
    differences.extend(added.map(|name| Difference::NameAdded(name.clone())));
    let removed = found.names.iter().filter(|name| !wanted.contains(name));
    differences.extend(removed.map(|name| Difference::NameRemoved(name.clone())));
}

/// An export that is wanted.
pub struct WantedExport<'a> {
    pub kind: &'a str,
    pub target: Option<&'a str>,
    pub options: &'a str,
    pub destination: &'a Path,
    /// Whether the file or folder is there.
    pub exists: bool,
}

impl WantedExport<'_> {
    /// Returns whether a remembered export is this one.
    pub fn is(&self, stored: &StoredExport) -> bool {
        let export = &stored.export;
        export.destination == self.destination
            && export.kind == self.kind
            && export.target.as_deref() == self.target
            && export.options == self.options
    }

    /// Returns the difference between what is remembered of it and what there is; `None` when it was written for the deployed
    /// certificate.
    pub fn difference(&self, stored: &[StoredExport], deployed: EntryId) -> Option<Difference> {
        let destination = || self.destination.escaped().to_string();
        match stored.iter().find(|stored| self.is(stored)) {
            Some(_) if !self.exists => Some(Difference::ExportMissing(destination())),
            Some(stored) if stored.certificate != Some(deployed) => Some(Difference::ExportStale(destination())),
            Some(_) => None,
            None => Some(Difference::ExportMissing(destination())),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::store::index::NewExport;

    const NOW: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);

    fn found<'a>(rules: &'a FileRules, declaration: Option<&'a Declaration>) -> FoundState<'a> {
        FoundState {
            template: "server",
            names: vec!["dns:web.test".to_owned()],
            key_kind: Some("ecdsa-p256".to_owned()),
            key_fingerprint: [7; 32],
            authority: "issuing",
            end: None,
            validity: Validity { not_before: NOW - Duration::days(1), not_after: NOW + Duration::days(89) },
            folder: Some(FolderState::default()),
            file_rules: rules,
            declaration,
        }
    }

    fn wanted<'a>(
        names: &'a [GeneralName],
        rules: &'a FileRules,
        declaration: Option<&'a Declaration>,
    ) -> WantedState<'a> {
        WantedState {
            template: "server",
            names,
            key: WantedKey::Kind(Some("ecdsa-p256")),
            issuer: Some("issuing"),
            due: DueRule::LastThird,
            file_rules: rules,
            declaration,
        }
    }

    fn declaration() -> Declaration {
        Declaration { manifest: "/a".into(), template_digest: [1; 32], lifetime: None, pending_hook: false }
    }

    #[test]
    fn a_certificate_that_is_as_wanted_has_no_difference() {
        let (names, rules, declared) = (["web.test".parse().unwrap()], FileRules::default(), declaration());
        let wanted = wanted(&names, &rules, Some(&declared));
        assert_eq!(differences(&wanted, &found(&rules, Some(&declared)), NOW), []);
        // What is not known of an encrypted key is not a difference.
        let unknown = FoundState { key_kind: None, ..found(&rules, Some(&declared)) };
        assert_eq!(differences(&wanted, &unknown, NOW), []);
        let imported = FoundState { template: "imported", ..found(&rules, Some(&declared)) };
        assert_eq!(differences(&wanted, &imported, NOW), []);
    }

    #[test]
    fn each_difference_is_reported_and_has_its_fix() {
        let (rules, declared) = (FileRules::default(), declaration());
        let names = ["web.test".parse().unwrap()];
        let wanted = || wanted(&names, &rules, Some(&declared));
        let found = || found(&rules, Some(&declared));
        let one = |wanted: WantedState<'_>, found: FoundState<'_>| {
            let mut all = differences(&wanted, &found, NOW);
            assert_eq!(all.len(), 1, "{all:?}");
            all.remove(0)
        };
        let mode = FileRules { mode: Some(0o640), ..FileRules::default() };
        let (other_text, other_life) = (
            Declaration { template_digest: [2; 32], ..declaration() },
            Declaration { lifetime: Some(9), ..declaration() },
        );
        let (elsewhere, pending) = (
            Declaration { manifest: "/b".into(), ..declaration() },
            Declaration { pending_hook: true, ..declaration() },
        );
        let (soon, later) = (NOW + Duration::days(20), NOW + Duration::days(1));
        let validity = |not_before, not_after| Validity { not_before, not_after };
        let more = ["web.test".parse().unwrap(), "api.test".parse().unwrap()];
        let missing = FolderState { missing: vec!["key.pem"], ..FolderState::default() };
        let altered = FolderState { altered: vec!["chain.pem"], ..FolderState::default() };
        let due = Difference::Due { not_after: soon };
        for (difference, expected, fix) in [
            (one(wanted(), FoundState { end: Some(End::Revoked), ..found() }), Difference::Revoked, Fix::Issue),
            (
                one(wanted(), FoundState { end: Some(End::IssuerRevoked), ..found() }),
                Difference::IssuerRevoked,
                Fix::Issue,
            ),
            (
                one(wanted(), FoundState { validity: validity(NOW - Duration::days(70), soon), ..found() }),
                due,
                Fix::Issue,
            ),
            (
                one(wanted(), FoundState { validity: validity(later, NOW + Duration::days(90)), ..found() }),
                Difference::NotYetValid { not_before: later },
                Fix::Issue,
            ),
            (
                one(WantedState { names: &more, ..wanted() }, found()),
                Difference::NameAdded("dns:api.test".to_owned()),
                Fix::Issue,
            ),
            (
                one(WantedState { names: &[], ..wanted() }, found()),
                Difference::NameRemoved("dns:web.test".to_owned()),
                Fix::Issue,
            ),
            (
                one(WantedState { key: WantedKey::Kind(Some("ed25519")), ..wanted() }, found()),
                Difference::KeyKind { from: "ecdsa-p256".to_owned(), to: "ed25519".to_owned() },
                Fix::Issue,
            ),
            (
                one(WantedState { key: WantedKey::Fingerprint([8; 32]), ..wanted() }, found()),
                Difference::OtherKey,
                Fix::Issue,
            ),
            (
                one(WantedState { template: "peer", ..wanted() }, found()),
                Difference::Template { from: "server".to_owned(), to: "peer".to_owned() },
                Fix::Issue,
            ),
            (
                one(WantedState { issuer: Some("issuing-g2"), ..wanted() }, found()),
                Difference::Issuer { from: "issuing".to_owned(), to: "issuing-g2".to_owned() },
                Fix::Issue,
            ),
            (
                one(wanted(), FoundState { declaration: Some(&other_text), ..found() }),
                Difference::TemplateText,
                Fix::Issue,
            ),
            (one(wanted(), FoundState { declaration: Some(&other_life), ..found() }), Difference::Lifetime, Fix::Issue),
            (
                one(wanted(), FoundState { folder: Some(missing), ..found() }),
                Difference::FileMissing("key.pem".to_owned()),
                Fix::Issue,
            ),
            (
                one(wanted(), FoundState { folder: Some(altered), ..found() }),
                Difference::FileAltered("chain.pem".to_owned()),
                Fix::Issue,
            ),
            (
                one(WantedState { file_rules: &mode, ..wanted() }, found()),
                Difference::FileRules("mode 0640".to_owned()),
                Fix::Access,
            ),
            (one(wanted(), FoundState { declaration: Some(&elsewhere), ..found() }), Difference::Manifest, Fix::Record),
            (one(wanted(), FoundState { declaration: None, ..found() }), Difference::Manifest, Fix::Record),
            (
                one(wanted(), FoundState { declaration: Some(&pending), ..found() }),
                Difference::HookPending,
                Fix::Record,
            ),
        ] {
            assert_eq!((&difference, difference.fix()), (&expected, fix));
        }
        let nothing_declared = WantedState { declaration: None, issuer: None, ..wanted() };
        assert_eq!(differences(&nothing_declared, &FoundState { authority: "root", ..found() }, NOW), []);
    }

    #[test]
    fn an_export_is_missing_outdated_or_as_wanted() {
        let wanted = |kind, exists| WantedExport {
            kind,
            target: None,
            options: "",
            destination: std::path::Path::new("/x"),
            exists,
        };
        let stored = |certificate| StoredExport {
            id: 1,
            export: NewExport {
                name: "web.test".to_owned(),
                kind: "pem".to_owned(),
                target: None,
                destination: "/x".into(),
                passphrase_file: None,
                key_passphrase_file: None,
                options: String::new(),
            },
            certificate: Some(EntryId(certificate)),
            crls: None,
        };
        let (missing, stale) = (Difference::ExportMissing("/x".to_owned()), Difference::ExportStale("/x".to_owned()));
        let at = |wanted: WantedExport<'_>, stored: &[StoredExport]| wanted.difference(stored, EntryId(2));
        assert_eq!(at(wanted("pem", true), &[stored(2)]), None);
        assert_eq!(at(wanted("pem", true), &[stored(1)]), Some(stale));
        assert_eq!(at(wanted("pem", false), &[stored(2)]), Some(missing.clone()));
        assert_eq!(at(wanted("der", true), &[stored(2)]), Some(missing.clone()));
        assert_eq!(at(wanted("pem", true), &[]), Some(missing));
    }
}
