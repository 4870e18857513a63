//! The scope of a CA: the names for which its key can issue certificates, and until when. An attacker with the key has it too.

use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;

use crate::report::json::{Shown, Time};
use crate::text::rfc3339;
use crate::x509::name_constraints::Subtree;
use crate::x509::{Certificate, DistinguishedName};

/// The kinds of names that a CA can be limited in, and how all of one are called.
const KINDS: [(&str, &str); 4] =
    [("dns", "any host name"), ("ip", "any IP address"), ("email", "any e-mail address"), ("uri", "any URI")];

/// The names for which an authority can issue: its own limits and those of every CA above it together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImpersonationScope {
    /// For each of [`KINDS`]: `None` when any name of that kind is in scope.
    permitted: [Option<Vec<Subtree>>; 4],
    excluded: Vec<Subtree>,
    /// Clients that trust this root accept the certificates.
    root: DistinguishedName,
    until: OffsetDateTime,
    has_ended: bool,
}

impl ImpersonationScope {
    /// Of an authority's certificate, below those `above` it up to the root.
    pub fn of(authority: &Certificate, above: &[Certificate], now: OffsetDateTime) -> Self {
        let chain = || std::iter::once(authority).chain(above);
        let constraints = || chain().filter_map(|certificate| certificate.name_constraints.as_ref());
        let permitted = KINDS.map(|(kind, _)| {
            constraints().fold(None, |so_far: Option<Vec<Subtree>>, constraints| {
                let own: Vec<_> =
                    constraints.permitted.iter().filter(|subtree| subtree.kind() == kind).cloned().collect();
                match (so_far, own.is_empty()) {
                    (so_far, true) => so_far,
                    (None, false) => Some(own),
                    (Some(so_far), false) => Some(meet(&so_far, &own)),
                }
            })
        });
        let mut excluded: Vec<Subtree> = Vec::new();
        for subtree in constraints().flat_map(|constraints| &constraints.excluded) {
            if !excluded.contains(subtree) {
                excluded.push(subtree.clone());
            }
        }
        let until = chain().map(|certificate| certificate.validity.not_after).min();
        let until = until.unwrap_or(authority.validity.not_after);
        let root = above.last().unwrap_or(authority).subject.clone();
        Self { permitted, excluded, root, until, has_ended: until < now }
    }

    /// Whether nothing limits it.
    pub fn is_everything(&self) -> bool {
        self.permitted.iter().all(Option::is_none) && self.excluded.is_empty()
    }

    pub fn sentence(&self) -> String {
        let (root, until) = (&self.root, rfc3339(self.until));
        if self.has_ended {
            return format!("an attacker with this key can no longer impersonate a name: it expired {until}");
        }
        let whose = format!("on every machine that trusts {root}, until {until}");
        if self.is_everything() {
            return format!("an attacker with this key can impersonate any name {whose}");
        }
        format!("an attacker with this key can impersonate {} {whose}", self.names())
    }

    /// Returns the names as a phrase: `only corp.test and *.corp.test, any URI`.
    pub fn names(&self) -> String {
        if self.is_everything() {
            return "any name".to_owned();
        }
        let parts: Vec<String> = KINDS
            .iter()
            .zip(&self.permitted)
            .filter_map(|((_, all), permitted)| match permitted {
                None => Some((*all).to_owned()),
                Some(none) if none.is_empty() => None,
                Some(some) => Some(joined(some)),
            })
            .collect();
        let names = if parts.is_empty() { "no name of the usual kinds".to_owned() } else { parts.join(", ") };
        let is_limited = self.permitted.iter().any(Option::is_some);
        let only = if is_limited { "only " } else { "" };
        let but =
            if self.excluded.is_empty() { String::new() } else { format!(", but not {}", joined(&self.excluded)) };
        format!("{only}{names}{but}")
    }

    /// Returns the names that are permitted, of the kinds that are limited.
    pub fn permitted(&self) -> Vec<String> {
        self.permitted.iter().flatten().flatten().map(Subtree::to_string).collect()
    }

    /// Returns the names that are excluded.
    pub fn excluded(&self) -> Vec<String> {
        self.excluded.iter().map(Subtree::to_string).collect()
    }

    /// Returns the kinds of names that are not limited.
    pub fn unrestricted(&self) -> Vec<&'static str> {
        let kinds = KINDS.iter().zip(&self.permitted).filter(|(_, permitted)| permitted.is_none());
        kinds.map(|((kind, _), _)| *kind).collect()
    }

    pub fn json(&self) -> ScopeJson<'_> {
        ScopeJson {
            sentence: self.sentence(),
            permitted: self.permitted(),
            excluded: self.excluded(),
            unrestricted: self.unrestricted(),
            root: Shown(&self.root),
            until: Time(self.until),
            not_after: Time(self.until),
        }
    }
}

/// The names for which an authority can issue.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
pub struct ScopeJson<'a> {
    sentence: String,
    permitted: Vec<String>,
    excluded: Vec<String>,
    /// The kinds of names of which every one is permitted.
    unrestricted: Vec<&'static str>,
    /// The subject of the root that clients trust.
    root: Shown<&'a DistinguishedName>,
    /// As `not_after`.
    #[schemars(extend("deprecated" = true))]
    until: Time,
    /// When the first certificate of the chain expires.
    not_after: Time,
}

fn joined(subtrees: &[Subtree]) -> String {
    let shown = |subtree: &Subtree| match subtree {
        Subtree::Dns(base) if base.is_empty() => "any host name".to_owned(),
        Subtree::Dns(base) => {
            let base = base.strip_prefix('.').unwrap_or(base);
            format!("{base} and *.{base}")
        }
        Subtree::Ip { .. } => subtree.to_string().trim_start_matches("ip:").to_owned(),
        other => other.to_string(),
    };
    subtrees.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The names in both: of two subtrees that overlap, one is within the other.
fn meet(one: &[Subtree], other: &[Subtree]) -> Vec<Subtree> {
    let mut both: Vec<Subtree> = Vec::new();
    let within = |some: &[Subtree], subtree: &Subtree| some.iter().any(|wider| subtree.is_within(wider));
    let narrower = one.iter().filter(|subtree| within(other, subtree));
    for subtree in narrower.chain(other.iter().filter(|subtree| within(one, subtree))) {
        if !both.contains(subtree) {
            both.push(subtree.clone());
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::index::sample::{NOW, Sample};
    use crate::x509::NameConstraints;

    /// What one certificate permits and excludes.
    type Limits<'a> = (&'a [&'a str], &'a [&'a str]);

    fn sentence(limits: &[Limits<'_>]) -> String {
        let parsed = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        let mut chain: Vec<Certificate> = Vec::new();
        for (permitted, excluded) in limits {
            let constraints = NameConstraints { permitted: parsed(permitted), excluded: parsed(excluded) };
            let mut certificate = Sample::default().certificate();
            certificate.name_constraints = Some(constraints).filter(|constraints| !constraints.is_empty());
            chain.push(certificate);
        }
        ImpersonationScope::of(&chain[0], &chain[1..], NOW).sentence()
    }

    #[test]
    fn how_much_hangs_on_a_key_is_one_sentence() {
        let end = "on every machine that trusts CN=a, until 2026-08-30T12:00:00Z";
        let any = ["any e-mail address", "any URI"].join(", ");
        let cases: [(&[Limits], String); 6] = [
            (&[(&[], &[]), (&[], &[])], "any name".to_owned()),
            (&[(&["corp.test", "10.0.0.0/8"], &[])], format!("only corp.test and *.corp.test, 10.0.0.0/8, {any}")),
            // What is above counts too, and the narrower of two.
            (
                &[(&["a.corp.test", "other.test"], &[]), (&["corp.test", "10.0.0.0/8"], &["x.corp.test"])],
                format!("only a.corp.test and *.a.corp.test, 10.0.0.0/8, {any}, but not x.corp.test and *.x.corp.test"),
            ),
            (&[(&["10.1.0.0/16"], &[]), (&["10.0.0.0/8"], &[])], format!("only any host name, 10.1.0.0/16, {any}")),
            (&[(&["10.0.0.0/8"], &[]), (&["192.168.0.0/16"], &[])], format!("only any host name, {any}")),
            (
                &[(&[], &["corp.test"])],
                format!("any host name, any IP address, {any}, but not corp.test and *.corp.test"),
            ),
        ];
        for (limits, expected) in cases {
            assert_eq!(sentence(limits), format!("an attacker with this key can impersonate {expected} {end}"));
        }
        let certificate = Sample::default().certificate();
        let later = ImpersonationScope::of(&certificate, &[], NOW + time::Duration::days(100)).sentence();
        assert!(later.contains("can no longer impersonate a name"), "{later}");
    }
}
