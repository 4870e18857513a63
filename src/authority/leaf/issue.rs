//! `issue`: turns an order into a certificate that is recorded, durable and delivered.
//!
//! The order of the steps matters. The plan makes every check, and the passphrase is derived, before the lock is taken.
//! The record is durable before the certificate leaves the process. The files appear whole.

use crate::authority::leaf::carry_out::carry_out;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::opened_issuer::open_issuer;
use crate::authority::leaf::order::{IfNameExists, IssueOrder, IssueOutcome};
use crate::authority::leaf::plan::{Plan, Planned, plan};
use crate::store::approval::PlannedChange;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::store::{Effects, Store};

/// Carries out an order. `prompt` returns the passphrase of the issuer's key.
///
/// # Errors
/// When the template, the issuer or the state of the CA does not allow the order, or a step fails. Then nothing was
/// written, or the error says what was.
pub fn issue(
    store: &Store,
    order: IssueOrder,
    prompt: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, IssueError> {
    // 1. Every check that is possible without the CA key.
    let plan = match plan(store, order, effects)? {
        Planned::Answered(outcome) => return Ok(*outcome),
        Planned::Issue(plan) => plan,
    };
    if let Some(change) = replacement(&plan)? {
        effects.approval.approve(change)?;
    }
    // 2. The passphrase is derived before the lock is taken: this is slow, and other processes wait for the lock.
    let mut issuer = open_issuer(&plan, prompt)?;
    let key_text = plan.key_text(&issuer, effects)?;
    // 3. From here to the end no other process changes this CA.
    let mut locked = store.lock(effects.lock_timeout)?;
    carry_out(*plan, &mut locked, &mut issuer, key_text, effects)
}

/// Returns the change as a user confirms it when `--force` replaces a certificate.
fn replacement(plan: &Plan<'_>) -> Result<Option<PlannedChange>, IssueError> {
    let order = &plan.target.order;
    if !matches!(order.existing, IfNameExists::Replace) || order.follows.is_some() {
        return Ok(None);
    }
    let replaced = plan.target.store.index()?.history(order.name.as_str())?.pop();
    Ok(replaced.map(|entry| {
        let change = PlannedChange::new(format!("replace the certificate of '{}'", order.name)).certificate(&entry);
        change.asks("its files are kept as the previous generation; programs that read them get the new certificate")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::error::CertifyError;
    use crate::authority::hierarchy::rotation::RootRotationOrder;
    use crate::authority::leaf::order::{IssueStatus, SubjectKey};
    use crate::authority::leaf::subject_key_checks::SubjectKeyError;
    use crate::authority::testing::{Ca, order};
    use crate::issuance::IssuerError;
    use crate::keys::key_file::KeyFile;
    use crate::store::{StoreError, certificate_folder};
    use crate::x509::crl::RevocationReason;
    use crate::x509::pem;

    #[test]
    fn a_thousand_orders_are_carried_out_under_one_lock_with_one_open_index_and_one_opened_key() {
        const ORDERS: usize = 1000;
        let ca = Ca::new();
        let store = ca.store();
        ca.with_effects(|effects| {
            let planned = |number: usize| match plan(&store, order("server", &format!("{number}.test")), effects) {
                Ok(Planned::Issue(plan)) => plan,
                _ => panic!("order {number} is not to be issued"),
            };
            let mut issuer = open_issuer(&planned(0), &mut |_| unreachable!("no key is encrypted")).unwrap();
            let mut locked = store.lock(effects.lock_timeout).unwrap();
            for number in 0..ORDERS {
                let plan = planned(number);
                let key_text = plan.key_text(&issuer, effects).unwrap();
                let outcome = carry_out(*plan, &mut locked, &mut issuer, key_text, effects).unwrap();
                assert_eq!(outcome.status, IssueStatus::Issued);
            }
        });
        let entries = ca.index().query(&crate::store::index::Filter::default(), ca.now).unwrap().0;
        assert_eq!(entries.iter().filter(|entry| entry.template == "server").count(), ORDERS);
        assert!(entries.iter().all(|entry| entry.delivered_at.is_some()));
        assert_eq!(std::fs::read_dir(ca.path("issued")).unwrap().count(), ORDERS);
    }

    #[test]
    fn a_plan_is_carried_out_with_the_key_and_the_lock_of_its_own_ca_and_with_no_other() {
        let (ca, other_ca) = (Ca::new(), Ca::new());
        let (store, other_store) = (ca.store(), other_ca.store());
        ca.with_effects(|effects| {
            let planned = |store, issuer: &str| {
                let order = IssueOrder { issuer: Some(issuer.to_owned()), ..order("server", "web.test") };
                match plan(store, order, effects) {
                    Ok(Planned::Issue(plan)) => plan,
                    _ => panic!("the order is not to be issued"),
                }
            };
            let opened = |plan: &Plan<'_>| open_issuer(plan, &mut |_| unreachable!("no key is encrypted")).unwrap();
            let plan = planned(&store, "issuing");
            let (mut own, mut of_root) = (opened(&plan), opened(&planned(&store, "root")));
            let key_text = || plan.key_text(&own, effects).unwrap();
            let (text, other_text) = (key_text(), key_text());

            let mut locked = store.lock(effects.lock_timeout).unwrap();
            let refused = carry_out(*plan, &mut locked, &mut of_root, text, effects);
            assert!(matches!(
                refused,
                Err(IssueError::Certify(CertifyError::Store(StoreError::Issuer(IssuerError::KeyMismatch(name)))))
                    if name == "issuing"
            ));
            let plan = planned(&store, "issuing");
            let mut other_locked = other_store.lock(effects.lock_timeout).unwrap();
            let refused = carry_out(*plan, &mut other_locked, &mut own, other_text, effects);
            assert!(matches!(refused, Err(IssueError::OtherStore)));
        });
        assert!(ca.history("web.test").is_empty() && other_ca.history("web.test").is_empty());
    }

    /// Carries out an order when something else was done between its plan and the lock.
    fn overtaken(ca: &Ca, order: IssueOrder, meanwhile: impl FnOnce()) -> Result<IssueOutcome, IssueError> {
        let store = ca.store();
        ca.with_effects(|effects| {
            let Ok(Planned::Issue(plan)) = plan(&store, order, effects) else { panic!("it is not to be issued") };
            let mut issuer = open_issuer(&plan, &mut |_| unreachable!("no key is encrypted")).unwrap();
            let key_text = plan.key_text(&issuer, effects).unwrap();
            meanwhile();
            carry_out(*plan, &mut store.lock(effects.lock_timeout).unwrap(), &mut issuer, key_text, effects)
        })
    }

    #[test]
    fn what_was_planned_is_checked_once_more_under_the_lock() {
        let ca = Ca::new();
        let taken =
            overtaken(&ca, order("server", "web.test"), || drop(ca.issue(order("server", "web.test")).unwrap()));
        assert!(matches!(taken, Err(IssueError::NameTaken { name, .. }) if name == "web.test"));
        assert_eq!(ca.history("web.test").len(), 1);

        for (name, reason) in [
            ("key.test", RevocationReason::KeyCompromise),
            ("ca.test", RevocationReason::CaCompromise),
            ("aa.test", RevocationReason::AaCompromise),
        ] {
            ca.issue(order("server", name)).unwrap();
            let file = KeyFile::parse(&std::fs::read(ca.path(&format!("issued/{name}/key.pem"))).unwrap());
            let key = SubjectKey::Kept(Box::new(file.unwrap().open(None).unwrap()));
            let other = format!("other.{name}");
            let order = IssueOrder { key, ..order("server", &other) };
            let refused = overtaken(&ca, order, || drop(ca.revoke(name, reason).unwrap()));
            assert!(
                matches!(&refused, Err(IssueError::SubjectKey(SubjectKeyError::KeyCompromised { name: of, .. })) if of == name),
                "{reason:?}"
            );
            assert!(ca.history(&other).is_empty());
        }

        // The chain is that of the authority by now.
        let rotate = || drop(ca.rotate(&RootRotationOrder::default()).unwrap());
        overtaken(&ca, order("server", "late.test"), rotate).unwrap();
        let first_of = |file: &str| certificate_folder::first_certificate(&ca.path(file)).unwrap();
        let chain = std::fs::read(ca.path("issued/late.test/chain.pem")).unwrap();
        let authority = pem::certificate(first_of("authorities/issuing").as_der());
        assert!(chain.starts_with(authority.as_bytes()));
    }

    #[test]
    fn a_plan_writes_nothing_and_takes_no_lock() {
        let ca = Ca::new();
        let before = crate::authority::testing::files_below(ca.home.folder());
        let store = ca.store();
        ca.with_effects_without_lock(|effects| {
            let planned = plan(&store, order("server", "web.test"), effects).unwrap();
            assert!(matches!(planned, Planned::Issue(_)));
        });
        assert_eq!(crate::authority::testing::files_below(ca.home.folder()), before);
    }
}
