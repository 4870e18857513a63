//! What clients find unusual about the chain of a new certificate, computed before its signature exists.

use time::OffsetDateTime;

use super::ca_certificate::CaCertificate;
use super::hypothetical_leaf::hypothetical_leaf;
use crate::clients::{Fact, Signed, Situation, Subject, facts, is_of_issuer, is_signature, leaf_facts};
use crate::x509::{Certificate, ExtendedKeyUsage, GeneralName};

/// Returns the facts that a new certificate adds to the chain of a TLS server: the facts of a leaf, or those of a CA, for
/// everything that it will issue. `issuer` is the CA that signs; `None` for a root. What already follows from the issuer is left
/// out: the certificate cannot change it. Empty for the certificate of anything other than a server, which was not measured.
pub fn client_facts(unsigned: &Certificate, issuer: Option<&CaCertificate>, at: OffsetDateTime) -> Vec<Fact> {
    let above: Vec<&Certificate> = issuer.into_iter().flat_map(|issuer| issuer.path().map(|(_, ca)| ca)).collect();
    if unsigned.is_ca() {
        return of_authority(unsigned, &above, at);
    }
    let is_for_servers = |purposes: &Vec<ExtendedKeyUsage>| {
        purposes.iter().any(|purpose| matches!(purpose, ExtendedKeyUsage::ServerAuth | ExtendedKeyUsage::Any))
    };
    if !unsigned.extended_key_usage.as_ref().is_none_or(is_for_servers) {
        return Vec::new();
    }
    let mut found = of_path(unsigned, &above, &hosts(unsigned.names()), at, leaf_facts);
    found.retain(|fact| !is_of_issuer(fact));
    // What is said of the path as a whole can follow from the issuer, too.
    if found.iter().any(|fact| fact.subject == Subject::Chain) {
        let inherited = issuer.map(|issuer| below(issuer, &above, at)).unwrap_or_default();
        found.retain(|fact| !inherited.contains(fact));
    }
    found
}

/// Returns the facts that a CA adds to the chains of everything that it issues, those of its own certificate first.
fn of_authority(unsigned: &Certificate, above: &[&Certificate], at: OffsetDateTime) -> Vec<Fact> {
    let as_ca = |certificate: &Certificate, above: &[&Certificate]| {
        CaCertificate::new("", certificate.clone(), above.iter().copied().cloned().collect()).ok()
    };
    let Some(ca) = as_ca(unsigned, above) else { return Vec::new() };
    let path: Vec<&Certificate> = std::iter::once(unsigned).chain(above.iter().copied()).collect();
    let inherited = match above.split_first() {
        Some((issuer, rest)) => as_ca(issuer, rest).map(|issuer| below(&issuer, above, at)).unwrap_or_default(),
        None => Vec::new(),
    };
    let is_root = above.is_empty();
    let mut found = below(&ca, &path, at);
    found.retain(|fact| !inherited.contains(fact));
    // The signature of an intermediate follows from its issuer.
    found.retain(|fact| is_root || fact.subject != Subject::Intermediate || !is_signature(fact));
    found.sort_by_key(|fact| (fact.subject == Subject::Leaf, is_signature(fact)));
    found
}

/// Returns the facts of everything that a CA issues; `path` are its certificate and those above it.
fn below(ca: &CaCertificate, path: &[&Certificate], at: OffsetDateTime) -> Vec<Fact> {
    let Ok(leaf) = hypothetical_leaf(ca) else { return Vec::new() };
    let mut found = of_path(&leaf, path, &[], at, facts);
    found.retain(|fact| is_of_issuer(fact) || fact.subject == Subject::Chain);
    found
}

/// Returns the facts of a leaf below these CAs, the nearest first, when its server sends all but the root.
fn of_path(
    leaf: &Certificate,
    above: &[&Certificate],
    hosts: &[GeneralName],
    at: OffsetDateTime,
    find: fn(&Situation<'_>) -> Vec<Fact>,
) -> Vec<Fact> {
    let path: Vec<&[u8]> = std::iter::once(leaf).chain(above.iter().copied()).map(Certificate::as_der).collect();
    find(&Situation {
        // Nothing but the path is sent and trusted, and it is read once.
        sent: path.get(..1).unwrap_or_default(),
        anchors: &[],
        path: Some(&path),
        hosts,
        at,
        // The chain is verified.
        is_signed_by: &|_, _| Signed::Yes,
    })
}

/// Returns the hosts that clients look for: the DNS names, and one name for each wildcard.
fn hosts(names: &[GeneralName]) -> Vec<GeneralName> {
    let host = |name: &GeneralName| match name {
        GeneralName::Dns(name) => match name.strip_prefix("*.") {
            Some(domain) => Some(GeneralName::Dns(format!("host.{domain}"))),
            None => Some(GeneralName::Dns(name.clone())),
        },
        _ => None,
    };
    names.iter().filter_map(host).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CLIENT, INTERMEDIATE, NOW, PEER, ROOT, SERVER, below, profile, request, root, serial};
    use super::super::{Draft, Issuer, SignedBy, approve};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    fn codes(facts: &[Fact]) -> Vec<String> {
        facts.iter().map(ToString::to_string).collect()
    }

    fn leaf(issuer: &Issuer<'_>, key: KeyAlgorithm, names: &[&str], template: &str) -> Vec<String> {
        let key = PrivateKey::generate(key).unwrap();
        let input = request(names[0], names, key.public_key());
        let ca = issuer.ca_certificate();
        let draft = Draft::new(&profile(template), &input, SignedBy::Issuer(ca), NOW, serial(7)).unwrap();
        let mut verified = approve(draft, Some(ca)).unwrap().verified(NOW).unwrap();
        codes(&verified.take_client_facts())
    }

    #[test]
    fn a_leaf_has_its_own_facts_and_not_those_of_its_issuer() {
        let ed25519 = root(KeyAlgorithm::Ed25519, ROOT);
        let issuing = below(&ed25519, INTERMEDIATE).unwrap();
        for issuer in [&ed25519, &issuing] {
            assert_eq!(leaf(issuer, KeyAlgorithm::EcdsaP256, &["web.corp.test"], SERVER), [""; 0]);
        }
        assert_eq!(leaf(&issuing, KeyAlgorithm::Ed25519, &["web.corp.test"], SERVER), ["leaf:key:ed25519"]);
        let names = ["web.corp.test", "xn--bcher-kva.corp.test"];
        assert_eq!(leaf(&issuing, KeyAlgorithm::EcdsaP256, &names, SERVER), ["leaf:name:a-label"]);
    }

    #[test]
    fn a_ca_has_the_facts_of_all_that_it_issues_once() {
        let of = |certificate: &Certificate, above| codes(&client_facts(certificate, above, NOW));
        let plain = root(KeyAlgorithm::EcdsaP384, ROOT);
        assert_eq!(of(plain.ca_certificate().certificate(), None), [""; 0]);
        let ed25519 = root(KeyAlgorithm::Ed25519, ROOT);
        assert_eq!(
            of(ed25519.ca_certificate().certificate(), None),
            ["root:key:ed25519", "root:signed:ed25519", "leaf:signed:ed25519"]
        );
        // What an intermediate below it cannot change is not repeated.
        let issuing = below(&ed25519, INTERMEDIATE).unwrap();
        assert_eq!(of(issuing.ca_certificate().certificate(), Some(ed25519.ca_certificate())), [""; 0]);
        let limited = root(KeyAlgorithm::EcdsaP256, &ROOT.replace("permit  = []", "permit  = [\"corp.test\"]"));
        assert_eq!(of(limited.ca_certificate().certificate(), None), ["root:nc:critical", "root:nc:dns:critical"]);
        assert_eq!(leaf(&limited, KeyAlgorithm::EcdsaP256, &["web.corp.test"], SERVER), ["root:nc:dns:permit:kept"]);
    }

    /// With the default key of each template, and with every other kind whose word no mainstream client refuses.
    #[test]
    fn what_is_made_by_default_is_refused_by_no_mainstream_client() {
        let refusing = |codes: &[String], facts: &[Fact]| {
            let found: Vec<_> = crate::clients::refusals(facts, &[]).iter().map(|it| it.label()).collect();
            assert!(found.is_empty(), "{found:?} refuse {codes:?}");
        };
        let default = |template: &str| profile(template).keys[0];
        let top = root(default(ROOT), ROOT);
        refusing(&[], &client_facts(top.ca_certificate().certificate(), None, NOW));
        let issuing = below(&top, INTERMEDIATE).unwrap();
        refusing(&[], &client_facts(issuing.ca_certificate().certificate(), Some(top.ca_certificate()), NOW));
        for issuer in [&top, &issuing] {
            let ca = issuer.ca_certificate();
            for (template, toml) in [("server", SERVER), ("peer", PEER), ("client", CLIENT)] {
                let kinds = [default(toml), KeyAlgorithm::EcdsaP384, KeyAlgorithm::Rsa2048];
                for names in [&["web.corp.test"][..], &["*.corp.test"], &["web.corp.test", "10.0.0.1", "::1"]] {
                    for kind in kinds {
                        let key = PrivateKey::generate(kind).unwrap();
                        let input = request(names[0], names, key.public_key());
                        let draft = Draft::new(&profile(toml), &input, SignedBy::Issuer(ca), NOW, serial(7)).unwrap();
                        let mut verified = approve(draft, Some(ca)).unwrap().verified(NOW).unwrap();
                        let facts = verified.take_client_facts();
                        assert_eq!(codes(&facts), [""; 0], "{template} {kind:?}");
                        refusing(&codes(&facts), &facts);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_not_a_server_has_no_facts() {
        let root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let client = SERVER.replace("server-auth", "client-auth");
        assert_eq!(leaf(&root, KeyAlgorithm::Ed25519, &["web.corp.test"], &client), [""; 0]);
    }
}
