//! RFC 5280 §6.1.2–§6.1.5, as updated by RFC 9618: certificate policies, their mappings and constraints.
//!
//! The user requires no policy, so there is one problem only: a CA requires an explicit policy, and no policy is valid
//! for all certificates below it. The lowest level of the policy graph is enough to find that.

use std::collections::{BTreeMap, BTreeSet};

use crate::verify::budget::{Budget, MOST_POLICIES};
use crate::verify::candidate::Candidate;
use crate::verify::cert_path::CertPath;
use crate::verify::code::{Code, Rank};
use crate::verify::verdict::{Problem, Role};
use crate::x509::certificate::oid;

pub const POLICY_NOT_SATISFIED: Code = Code {
    code: "policy-not-satisfied",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.2.1.4, §4.2.1.11, §6.1; RFC 9618",
    requirement: "Where a CA demands an explicit policy, one policy applies to the whole chain below it",
    example: "a CA above demands an explicit policy, but none applies down to this certificate: its policies \
         are 1.2.3.1",
    fix: "issue the certificates under a policy of their CA, or the CA certificate without policy constraints",
};

const ANY_POLICY: &str = "2.5.29.32.0";

/// The valid policies of a level of the graph, each with the expected policies of the next certificate.
type Level = BTreeMap<String, BTreeSet<String>>;

struct State {
    level: Option<Level>,
    explicit_policy: u32,
    policy_mapping: u32,
    inhibit_any_policy: u32,
}

/// Adds the problem of a path's policies.
pub fn check(path: &CertPath<'_>, budget: &Budget, problems: &mut Vec<Problem>) {
    if !path.certificates.iter().any(|candidate| speaks_of_policies(candidate)) {
        return;
    }
    let most = path.certificates.len() as u32;
    let any = BTreeSet::from([ANY_POLICY.to_owned()]);
    let mut state = State {
        level: Some(Level::from([(ANY_POLICY.to_owned(), any)])),
        explicit_policy: most,
        policy_mapping: most,
        inhibit_any_policy: most,
    };
    for (index, candidate) in path.certificates.iter().enumerate() {
        let is_leaf = path.role(index) == Role::Leaf;
        if !budget.may_follow_policies(state.size() + candidate.certificate.policies.len()) {
            let message = format!("there are more than {MOST_POLICIES} policies to follow");
            problems.push(Problem::error(&POLICY_NOT_SATISFIED, candidate, message));
            return;
        }
        // The policies of the anchor are ignored (RFC 5280 §6.1.1 (d)), its policy constraints apply (RFC 5937 §3.2).
        if path.role(index) != Role::Root {
            state.continue_with(candidate, is_leaf);
            if state.explicit_policy == 0 && state.level.is_none() {
                problems.push(unsatisfied(candidate));
                return;
            }
        }
        if is_leaf {
            state.explicit_policy = state.explicit_policy.saturating_sub(1);
            let constraints = candidate.certificate.policy_constraints;
            if constraints.and_then(|it| it.require_explicit_policy) == Some(0) {
                state.explicit_policy = 0;
            }
            if state.explicit_policy == 0 && state.level.is_none() {
                problems.push(unsatisfied(candidate));
            }
        } else if let Err(problem) = state.prepare_for_next(candidate, index == 0) {
            problems.push(*problem);
            return;
        }
    }
}

fn speaks_of_policies(candidate: &Candidate) -> bool {
    [oid::POLICY_CONSTRAINTS, oid::POLICY_MAPPINGS, oid::INHIBIT_ANY_POLICY]
        .iter()
        .any(|oid| candidate.certificate.extension(oid).is_some())
}

fn unsatisfied(candidate: &Candidate) -> Problem {
    let found = match candidate.certificate.policies.as_slice() {
        [] => "it has no policy".to_owned(),
        some => format!("its policies are {}", some.join(", ")),
    };
    let message = format!(
        "a CA above demands an explicit policy, but none applies down to this certificate: \
         {found}"
    );
    Problem::error(&POLICY_NOT_SATISFIED, candidate, message)
}

impl State {
    /// Returns the number of policies that the next certificate is compared with.
    fn size(&self) -> usize {
        self.level.iter().flatten().map(|(_, expected)| expected.len()).sum()
    }

    /// §6.1.3 (d), (e): the policies of the certificate that are expected by the level above.
    fn continue_with(&mut self, candidate: &Candidate, is_leaf: bool) {
        let policies = &candidate.certificate.policies;
        let Some(above) = self.level.take() else { return };
        let mut level = Level::new();
        let expected: BTreeSet<&String> = above.values().flatten().collect();
        for policy in policies.iter().filter(|policy| *policy != ANY_POLICY) {
            if expected.contains(policy) || above.contains_key(ANY_POLICY) {
                level.insert(policy.clone(), BTreeSet::from([policy.clone()]));
            }
        }
        let any_counts = self.inhibit_any_policy > 0 || !is_leaf && candidate.is_self_issued();
        if any_counts && policies.iter().any(|policy| policy == ANY_POLICY) {
            for expected in above.into_values().flatten() {
                level.entry(expected.clone()).or_insert_with(|| BTreeSet::from([expected]));
            }
        }
        self.level = Some(level).filter(|level| !level.is_empty());
    }

    /// §6.1.4 (a), (b), (h)–(j).
    fn prepare_for_next(&mut self, candidate: &Candidate, is_anchor: bool) -> Result<(), Box<Problem>> {
        let certificate = &candidate.certificate;
        let mappings = &certificate.policy_mappings;
        if mappings.iter().any(|(issuers, subjects)| issuers == ANY_POLICY || subjects == ANY_POLICY) {
            let message = "a policy mapping maps from or to anyPolicy";
            return Err(Box::new(Problem::error(&POLICY_NOT_SATISFIED, candidate, message)));
        }
        if !is_anchor {
            self.map(mappings);
        }
        if !is_anchor && !candidate.is_self_issued() {
            for counter in [&mut self.explicit_policy, &mut self.policy_mapping, &mut self.inhibit_any_policy] {
                *counter = counter.saturating_sub(1);
            }
        }
        if let Some(constraints) = certificate.policy_constraints {
            self.explicit_policy = self.explicit_policy.min(constraints.require_explicit_policy.unwrap_or(u32::MAX));
            self.policy_mapping = self.policy_mapping.min(constraints.inhibit_policy_mapping.unwrap_or(u32::MAX));
        }
        self.inhibit_any_policy = self.inhibit_any_policy.min(certificate.inhibit_any_policy.unwrap_or(u32::MAX));
        Ok(())
    }

    fn map(&mut self, mappings: &[(String, String)]) {
        let Some(level) = &mut self.level else { return };
        let mut by_issuers = Level::new();
        for (issuers, subjects) in mappings {
            by_issuers.entry(issuers.clone()).or_default().insert(subjects.clone());
        }
        for (issuers, subjects) in by_issuers {
            if self.policy_mapping == 0 {
                level.remove(&issuers);
            } else if level.contains_key(&issuers) || level.contains_key(ANY_POLICY) {
                level.insert(issuers, subjects);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert, name, object_identifier};
    use crate::verify::tests::{Case, TestPki, server};
    use crate::x509::der;

    fn under(cert: TestCert, policy: &str) -> TestCert {
        let policy = der::sequence(&[&der::sequence(&[&object_identifier(policy)])]);
        cert.extension(oid::CERTIFICATE_POLICIES, false, policy)
    }

    fn demanding(cert: TestCert) -> TestCert {
        cert.extension(oid::POLICY_CONSTRAINTS, true, der::sequence(&[&[0x80, 1, 0]]))
    }

    #[test]
    fn a_policy_that_is_demanded_and_does_not_hold_is_found() {
        let pki = TestPki::with(under(demanding(TestCert::ca("A")), "1.2.3"));
        assert_eq!(pki.case(server()).errors(), [POLICY_NOT_SATISFIED.code]);
        assert_eq!(pki.case(under(server(), "1.2.4")).errors(), [POLICY_NOT_SATISFIED.code]);
    }

    #[test]
    fn a_policy_that_holds_is_right_and_so_is_one_that_nobody_demands() {
        assert_eq!(
            TestPki::with(under(demanding(TestCert::ca("A")), "1.2.3")).case(under(server(), "1.2.3")).errors(),
            [""; 0]
        );
        assert_eq!(TestPki::with(under(TestCert::ca("A"), "1.2.3")).case(under(server(), "1.2.4")).errors(), [""; 0]);
    }

    /// RFC 5280 §6.1.3 (d) (2): where anyPolicy is inhibited, it counts in self-issued CAs alone.
    #[test]
    fn any_policy_counts_where_it_is_not_inhibited() {
        let ca = || demanding(under(TestCert::ca("A"), ANY_POLICY));
        let inhibiting = || ca().extension(oid::INHIBIT_ANY_POLICY, true, vec![2, 1, 0]);
        let leaf = || under(server(), ANY_POLICY);
        assert_eq!(TestPki::with(ca()).case(leaf()).errors(), [""; 0]);
        assert_eq!(TestPki::with(inhibiting()).case(leaf()).errors(), [POLICY_NOT_SATISFIED.code]);
        assert_eq!(TestPki::with(inhibiting()).case(under(server(), "1.2.3")).errors(), [""; 0]);
        // A leaf with the name of its CA is not a CA.
        assert_eq!(TestPki::with(inhibiting()).case(leaf().subject(&name("A"))).errors(), [POLICY_NOT_SATISFIED.code]);
        let upper = TestCa::self_signed(inhibiting());
        let renewed = upper.subordinate(under(TestCert::ca("A"), ANY_POLICY));
        let case = Case::new(renewed.issue(under(server(), "1.2.3")), &[&renewed.certificate], &[&upper.certificate]);
        assert_eq!(case.errors(), [""; 0]);
    }

    /// RFC 5280 §6.1.1: n, from which the counters run, is the number of certificates below the anchor.
    #[test]
    fn an_anchor_takes_nothing_from_the_counters() {
        let root = TestCa::root();
        let anchor = root.subordinate(TestCert::ca("A").extension(
            oid::POLICY_CONSTRAINTS,
            true,
            der::sequence(&[&[0x81, 1, 0]]),
        ));
        assert_eq!(Case::new(anchor.issue(server()), &[], &[&anchor.certificate]).errors(), [""; 0]);
    }
}
