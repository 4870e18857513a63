//! The owner, group and mode of the files of a name: what the order says wins over what is remembered, and that over the
//! template. What is remembered is recorded with the certificate, in one transaction.

use std::path::Path;
use std::sync::Arc;

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::{ClosedWay, IfNameExists, IssueOrder};
use crate::issuance::{FileRules, Profile};
use crate::store::Store;
use crate::store::delivery::Destination;
use crate::store::index::Index;
use crate::system::files::{self, FileError, Ownership};

/// The rules of the files of a name, before and after an order.
#[derive(Debug, Clone, Default)]
pub(crate) struct FileAccess {
    /// What is remembered when the order is planned.
    pub remembered: FileRules,
    /// What is remembered afterwards.
    pub wanted: FileRules,
}

impl FileAccess {
    /// Decides the rules of an order, and puts them over those of its template.
    ///
    /// # Errors
    /// When the order is for an authority, or the index cannot be read.
    pub fn decide(
        store: &Store,
        order: &IssueOrder,
        place: &Destination,
        profile: &mut Arc<Profile>,
    ) -> Result<Self, IssueError> {
        if *place == Destination::Memory {
            return Ok(Self::default());
        }
        if *place == Destination::Authority && !order.files.is_empty() {
            return Err(IssueError::AuthorityFiles(order.name.to_string()));
        }
        // The index is not opened for a new name.
        let remembered = match order.existing {
            IfNameExists::Refuse => FileRules::default(),
            _ => store.index()?.file_rules(order.name.as_str())?.unwrap_or_default(),
        };
        let wanted = order.files.applied_to(&remembered);
        let rules = wanted.clone().over(&profile.files);
        if rules != profile.files {
            Arc::make_mut(profile).files = rules;
        }
        Ok(Self { remembered, wanted })
    }

    /// Returns what has to be recorded with the certificate; `None` when it is recorded already.
    ///
    /// # Errors
    /// When another process changed what is remembered since this order was made from it, or the index cannot be read.
    pub fn to_record(&self, index: &Index, order: &IssueOrder) -> Result<Option<FileRules>, IssueError> {
        let recorded = index.file_rules(order.name.as_str())?.unwrap_or_default();
        if order.follows.is_some() && recorded != self.remembered {
            return Err(IssueError::Overtaken(order.name.to_string()));
        }
        Ok((recorded != self.wanted).then(|| self.wanted.clone()))
    }
}

/// Looks up the owner and the group of the files of a profile.
///
/// # Errors
/// When the system does not know one; when this process cannot give files to them, as far as that is known.
pub(crate) fn ownership(profile: &Profile) -> Result<Ownership, IssueError> {
    let FileRules { owner, group, .. } = &profile.files;
    let ownership = Ownership::of(owner.as_deref(), group.as_deref())?;
    if ownership.can_be_given() { Ok(ownership) } else { Err(not_given(profile)) }
}

/// Returns the error of a delivery that could not begin.
pub(crate) fn not_begun(error: FileError, profile: &Profile) -> IssueError {
    if error.is_not_given() { not_given(profile) } else { error.into() }
}

fn not_given(profile: &Profile) -> IssueError {
    let rules = FileRules { mode: None, ..profile.files.clone() };
    IssueError::NotGiven(rules.describe())
}

/// Returns the folder that keeps the owner or the group away from the files in `folder`; `None` when there is none.
pub(crate) fn closed_way(profile: &Profile, ownership: Ownership, folder: &Path) -> Option<ClosedWay> {
    let FileRules { owner, group, mode } = &profile.files;
    let reads = mode.unwrap_or(files::SECRET) & 0o040 != 0;
    let of_user = owner.as_ref().and_then(|owner| {
        let folder = ownership.closed_to_user(folder)?;
        Some(ClosedWay { who: format!("owner {owner}"), folder })
    });
    of_user.or_else(|| {
        let group = group.as_ref().filter(|_| reads)?;
        let folder = ownership.closed_to_group(folder)?;
        Some(ClosedWay { who: format!("group {group}"), folder })
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::path::PathBuf;

    use super::*;
    use crate::authority::leaf::order::{DueRule, IssueStatus};
    use crate::authority::leaf::renew::NextKey;
    use crate::authority::testing::{Ca, order};
    use crate::issuance::FileRulesChange;
    use crate::text::Diagnostic;

    fn change(mode: u32) -> FileRulesChange {
        FileRulesChange { mode: Some(Some(mode)), ..FileRulesChange::default() }
    }

    /// Returns the modes of a folder and of the key in it.
    fn modes(folder: &Path) -> (u32, u32) {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        (mode(folder), mode(&folder.join("key.pem")))
    }

    fn web(ca: &Ca) -> PathBuf {
        ca.path("issued/web.test")
    }

    #[test]
    fn what_an_order_says_is_remembered_for_renewals_and_rollbacks() {
        let ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        assert_eq!(modes(&web(&ca)), (0o700, 0o600));
        let existing = IfNameExists::Replace;
        ca.issue(IssueOrder { files: change(0o640), existing, ..order("server", "WEB.test") }).unwrap();
        ca.renew("web.test", NextKey::Same).unwrap();
        assert_eq!(modes(&web(&ca)), (0o750, 0o640));
        ca.renew("web.test", NextKey::New(None)).unwrap();
        assert_eq!(modes(&web(&ca)), (0o750, 0o640));
        let first = ca.history("web.test")[0].serial.clone();
        ca.roll_back_to("web.test", Some(&first)).unwrap();
        assert_eq!(modes(&web(&ca)), (0o750, 0o640), "the kept files are older than the rule");
        ca.issue(IssueOrder {
            files: FileRulesChange { mode: Some(None), ..Default::default() },
            existing,
            ..order("server", "web.test")
        })
        .unwrap();
        assert_eq!((modes(&web(&ca)), ca.index().file_rules("web.test").unwrap()), ((0o700, 0o600), None));
    }

    #[test]
    fn a_rollback_in_a_folder_of_the_user_has_what_is_remembered() {
        let ca = Ca::new();
        let folder = ca.top.path().join("made/web");
        let place = Some(Destination::Folder(folder.clone()));
        ca.issue(IssueOrder { place: place.clone(), files: change(0o440), ..order("server", "web.test") }).unwrap();
        assert_eq!(modes(&folder), (0o750, 0o440));
        let above = fs::metadata(folder.parent().unwrap()).unwrap().permissions().mode() & 0o777;
        assert_eq!(above, 0o711);
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        ca.issue(IssueOrder {
            place,
            files: change(0o640),
            existing: IfNameExists::Replace,
            ..order("server", "web.test")
        })
        .unwrap();
        assert_eq!(modes(&folder), (0o700, 0o640), "a folder that is there is not changed");
        ca.roll_back("web.test").unwrap();
        assert_eq!(modes(&folder), (0o700, 0o640));
    }

    #[test]
    fn another_rule_replaces_a_certificate_that_is_not_due_and_the_same_does_not() {
        let ca = Ca::new();
        ca.issue(order("server", "web.test")).unwrap();
        let existing = IfNameExists::KeepUnlessDue(DueRule::LastThird);
        let issue = |files| ca.issue(IssueOrder { files, existing, ..order("server", "web.test") }).unwrap().status;
        let none = FileRulesChange::default;
        let statuses = [issue(none()), issue(change(0o640)), issue(change(0o640)), issue(none())];
        assert_eq!(
            statuses,
            [IssueStatus::Unchanged, IssueStatus::Issued, IssueStatus::Unchanged, IssueStatus::Unchanged]
        );
        assert_eq!(modes(&web(&ca)), (0o750, 0o640));
    }

    #[test]
    fn unknown_users_and_rules_for_an_authority_are_refused_before_the_signature() {
        let ca = Ca::new();
        let unknown =
            || FileRulesChange { group: Some(Some("no-such-group".to_owned())), ..FileRulesChange::default() };
        for dry_run in [true, false] {
            let refused = ca.issue(IssueOrder { files: unknown(), dry_run, ..order("server", "web.test") });
            assert!(matches!(refused, Err(IssueError::Owner(_))));
            let refused = ca.issue(IssueOrder { files: change(0o600), dry_run, ..order("intermediate", "branch") });
            assert_eq!(refused.unwrap_err().diagnosis().code, "bad-arguments");
        }
        assert!(ca.history("web.test").is_empty() && ca.history("branch").is_empty());
        assert_eq!(ca.index().file_rules("web.test").unwrap(), None);
    }

    #[test]
    fn only_root_gives_files_to_another_user() {
        let ca = Ca::new();
        let files = || FileRulesChange { owner: Some(Some("65533".to_owned())), ..FileRulesChange::default() };
        let issued = ca.issue(IssueOrder { files: files(), ..order("server", "web.test") });
        if files::our_user() == 0 {
            assert_eq!(issued.unwrap().file_rules.owner.as_deref(), Some("65533"));
            assert_eq!(fs::metadata(web(&ca).join("key.pem")).unwrap().uid(), 65_533);
        } else {
            let error = issued.unwrap_err();
            assert!(matches!(&error, IssueError::NotGiven(who) if who == "owner 65533"), "{error}");
            assert!(ca.history("web.test").is_empty());
        }
    }

    #[test]
    fn a_folder_that_keeps_the_group_away_from_its_key_is_reported() {
        let ca = Ca::new();
        let group = fs::metadata(ca.path("ca.toml")).unwrap().gid().to_string();
        let files = |mode| FileRulesChange { group: Some(Some(group.clone())), ..change(mode) };
        let issue = |name: &str, mode| ca.issue(IssueOrder { files: files(mode), ..order("server", name) }).unwrap();
        assert_eq!(issue("own.test", 0o600).closed_way, None, "the group cannot read it anyway");
        let closed = issue("web.test", 0o640).closed_way.unwrap();
        assert_eq!((closed.who, closed.folder.mode), (format!("group {group}"), 0o700));
    }
}
