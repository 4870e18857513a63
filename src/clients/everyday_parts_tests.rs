//! What everyday chains are made of, and their oddities.

use time::{Duration, OffsetDateTime};

use crate::lint::testing::{TestCert, empty_name, name, name_of, object_identifier};
use crate::x509::certificate::oid;
use crate::x509::{ExtendedKeyUsage, GeneralName, KeyAlgorithm, KeyUsage, der};

pub const HOST: &str = "srv.corp.test";
const NETSCAPE_TYPE: &str = "2.16.840.1.113730.1.1";

/// What a chain is made of.
pub struct Parts {
    pub root: TestCert,
    pub intermediate: TestCert,
    pub leaf: TestCert,
    pub host: &'static str,
    pub leaf_key: Option<KeyAlgorithm>,
    pub root_key: Option<KeyAlgorithm>,
    pub sent: Sent,
    pub now: OffsetDateTime,
}

/// What the server sends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    Path,
    RootToo,
    IntermediateTwice,
    AnotherCa,
    ExpiredTwin,
    TwinOfOtherKey,
    /// This number of further intermediates.
    Longer(u8),
    /// The intermediate is issued by one of its own name with another key.
    SelfIssued,
    /// A second certificate of the intermediate, of its name and key, before the one that is used or after it.
    Twin(Twin, Place),
    /// The root's key and name, certified by a root that the client does not know.
    CrossSignedRoot,
    /// An intermediate that is issued by another one, and the other one by it.
    CircleFirst,
    /// This number of CAs that nothing needs.
    Strangers(u8),
    /// A CA that nothing needs, with an extension of so many kilobytes.
    Large(usize),
}

/// What is wrong with a second certificate of the intermediate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Twin {
    /// Its issuer is not trusted.
    DeadEnd,
    /// Its issuer has the name of the root, and is not the root.
    DeadEndOfTheName,
    /// It does not permit the leaf's name.
    Forbidding,
    /// It is for TLS clients.
    ForClients,
    /// Its issuer is the root too, and nothing is wrong.
    Fine,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    First,
    Later,
}

/// One oddity. Two of one slot do not go together.
pub struct Oddity {
    pub name: &'static str,
    pub slot: &'static str,
    pub change: fn(Parts) -> Parts,
}

impl Parts {
    pub fn new(now: OffsetDateTime, kind: KeyAlgorithm) -> Self {
        let days = |before: i64, after: i64| (now - Duration::days(before), now + Duration::days(after));
        let ca = |name: &str, serial: u8| {
            let (from, until) = days(300, 2000);
            TestCert::ca(name).serial(&[serial]).validity(from, until)
        };
        let (from, until) = days(2, 80);
        // NSS asks RSA keys for both bits.
        let usage = KeyUsage::DIGITAL_SIGNATURE;
        let usage = if kind == KeyAlgorithm::Rsa2048 { usage.union(KeyUsage::KEY_ENCIPHERMENT) } else { usage };
        Self {
            root: ca("Everyday Root", 1),
            intermediate: ca("Everyday Issuing", 2),
            leaf: TestCert::server(HOST).serial(&[3]).validity(from, until).key_usage(usage),
            host: HOST,
            leaf_key: None,
            root_key: None,
            sent: Sent::Path,
            now,
        }
    }

    fn leaf(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { leaf: change(self.leaf), ..self }
    }

    fn intermediate(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { intermediate: change(self.intermediate), ..self }
    }

    fn root(self, change: impl FnOnce(TestCert) -> TestCert) -> Self {
        Self { root: change(self.root), ..self }
    }

    /// A leaf with these alternative names, of which the client wants `host`.
    fn names(self, names: &[GeneralName], host: &'static str) -> Self {
        Self { host, ..self.leaf(|leaf| leaf.general_names(names)) }
    }
}

pub fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(name.to_owned())
}

fn policies(of: &[&str]) -> Vec<u8> {
    let policies: Vec<_> = of.iter().map(|policy| der::sequence(&[&object_identifier(policy)])).collect();
    der::sequence(&policies.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A list with one address of a CRL.
fn distribution_point() -> Vec<u8> {
    let address = der::value(der::context(6), b"http://crl.corp.test/ca.crl");
    let full_name = der::value(der::context_constructed(0), &address);
    der::sequence(&[&der::sequence(&[&der::value(der::context_constructed(0), &full_name)])])
}

fn other_key_id() -> Vec<u8> {
    der::sequence(&[&der::value(der::context(0), &[7; 20])])
}

macro_rules! oddities {
    ($($name:literal in $slot:literal: $change:expr;)+) => {
        pub static ODDITIES: &[Oddity] = &[$(Oddity { name: $name, slot: $slot, change: $change }),+];
    };
}

oddities! {
    "leaf without AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.without(oid::AUTHORITY_KEY_ID));
    "leaf with another AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.extension(oid::AUTHORITY_KEY_ID, false, other_key_id()));
    "leaf with critical AKI" in "leaf aki": |it| it.leaf(|leaf| leaf.critical(oid::AUTHORITY_KEY_ID, true));
    "leaf without SKI" in "leaf ski": |it| it.leaf(|leaf| leaf.without(oid::SUBJECT_KEY_ID));
    "leaf without key usage" in "leaf ku": |it| it.leaf(|leaf| leaf.without(oid::KEY_USAGE));
    "leaf whose key usage is not critical" in "leaf ku": |it| it.leaf(|leaf| leaf.critical(oid::KEY_USAGE, false));
    "leaf that only signs" in "leaf ku": |it| it.leaf(|leaf| leaf.key_usage(KeyUsage::DIGITAL_SIGNATURE));
    "leaf that also signs certificates" in "leaf ku":
        |it| it.leaf(|leaf| leaf.key_usage(KeyUsage::DIGITAL_SIGNATURE.union(KeyUsage::KEY_CERT_SIGN)));
    "leaf without purposes" in "leaf eku": |it| it.leaf(|leaf| leaf.without(oid::EXTENDED_KEY_USAGE));
    "leaf for clients" in "leaf eku": |it| it.leaf(|leaf| leaf.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "leaf for any purpose" in "leaf eku": |it| it.leaf(|leaf| leaf.purposes(&[ExtendedKeyUsage::Any]));
    "leaf with critical purposes" in "leaf eku": |it| it.leaf(|leaf| leaf.critical(oid::EXTENDED_KEY_USAGE, true));
    "leaf without alternative names" in "leaf san": |it| it.leaf(|leaf| leaf.without(oid::SUBJECT_ALT_NAME));
    "leaf with critical alternative names" in "leaf san": |it| it.leaf(|leaf| leaf.critical(oid::SUBJECT_ALT_NAME, true));
    "leaf with the name of another" in "leaf san": |it| it.names(&[dns("other.corp.test")], HOST);
    "leaf with a wildcard" in "leaf san": |it| it.names(&[dns("*.corp.test")], HOST);
    "leaf with a part of a label" in "leaf san": |it| it.names(&[dns("s*.corp.test")], HOST);
    "leaf with a trailing dot" in "leaf san": |it| it.names(&[dns("srv.corp.test.")], HOST);
    "leaf with upper case" in "leaf san": |it| it.names(&[dns("SRV.Corp.test")], HOST);
    "leaf with an underscore" in "leaf san": |it| it.names(&[dns("my_srv.corp.test")], "my_srv.corp.test");
    "leaf with an address" in "leaf san": |it| it.names(&["127.0.0.1".parse().unwrap()], "127.0.0.1");
    "leaf with an address as DNS name" in "leaf san": |it| it.names(&[dns("127.0.0.1")], "127.0.0.1");
    "leaf with a URI too" in "leaf san": |it| it.names(&[dns(HOST), "uri:spiffe://corp.test/db".parse().unwrap()], HOST);
    "leaf without subject" in "leaf subject": |it| it.leaf(|leaf| leaf.subject(&empty_name()));
    "leaf named otherwise" in "leaf subject": |it| it.leaf(|leaf| leaf.subject(&name("db")));
    "leaf with serial 0" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[0]));
    "leaf with a negative serial" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[0x80, 3]));
    "leaf with a long serial" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[1; 21]));
    "leaf with a policy twice" in "leaf policies":
        |it| it.leaf(|leaf| leaf.extension(oid::CERTIFICATE_POLICIES, false, policies(&["1.3.6.1.4.1.99.1", "1.3.6.1.4.1.99.1"])));
    "leaf with a critical policy" in "leaf policies":
        |it| it.leaf(|leaf| leaf.extension(oid::CERTIFICATE_POLICIES, true, policies(&["1.3.6.1.4.1.99.1"])));
    "leaf with a critical extension" in "leaf more": |it| it.leaf(|leaf| leaf.extension("1.2.3", true, der::value(der::NULL, &[])));
    "leaf with an unknown extension" in "leaf more": |it| it.leaf(|leaf| leaf.extension("1.2.3", false, der::value(der::NULL, &[])));
    "leaf with a critical CRL address" in "leaf more":
        |it| it.leaf(|leaf| leaf.extension(oid::CRL_DISTRIBUTION_POINTS, true, distribution_point()));
    "leaf of Netscape type client" in "leaf more":
        |it| it.leaf(|leaf| leaf.extension(NETSCAPE_TYPE, false, vec![der::BIT_STRING, 2, 7, 0x80]));
    "leaf that is a CA" in "leaf bc": |it| it.leaf(|leaf| leaf.basic_constraints(true, None));
    "leaf that says it is not a CA" in "leaf bc": |it| it.leaf(|leaf| leaf.basic_constraints(false, None));
    "leaf that writes out FALSE" in "leaf bc": |it| it.leaf(|leaf| leaf.extension(oid::BASIC_CONSTRAINTS, true, vec![0x30, 3, 1, 1, 0]));
    "expired leaf" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::days(90), now - Duration::DAY)) };
    "leaf of the future" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now + Duration::DAY, now + Duration::days(90))) };
    "leaf for 830 days" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::DAY, now + Duration::days(829))) };
    "leaf until 2060" in "leaf dates": |it| { let now = it.now; it.leaf(|leaf| leaf.validity(now - Duration::DAY, now + Duration::days(12_500))) };
    "Ed25519 leaf" in "leaf key": |it| Parts { leaf_key: Some(KeyAlgorithm::Ed25519), ..it };
    "P-521 leaf" in "leaf key": |it| Parts { leaf_key: Some(KeyAlgorithm::EcdsaP521), ..it };
    "badly signed leaf" in "leaf signature": |it| it.leaf(TestCert::badly_signed);
    "intermediate without AKI" in "issuer aki": |it| it.intermediate(|ca| ca.without(oid::AUTHORITY_KEY_ID));
    "intermediate with another AKI" in "issuer aki": |it| it.intermediate(|ca| ca.extension(oid::AUTHORITY_KEY_ID, false, other_key_id()));
    "intermediate without SKI" in "issuer ski": |it| it.intermediate(|ca| ca.without(oid::SUBJECT_KEY_ID));
    "intermediate whose CA bit is not critical" in "issuer bc": |it| it.intermediate(|ca| ca.critical(oid::BASIC_CONSTRAINTS, false));
    "intermediate that is not a CA" in "issuer bc": |it| it.intermediate(|ca| ca.basic_constraints(false, None));
    "intermediate of path length 0" in "issuer bc": |it| it.intermediate(|ca| ca.path_length(0));
    "intermediate without key usage" in "issuer ku": |it| it.intermediate(|ca| ca.without(oid::KEY_USAGE));
    "intermediate whose key usage is not critical" in "issuer ku": |it| it.intermediate(|ca| ca.critical(oid::KEY_USAGE, false));
    "intermediate that signs CRLs" in "issuer ku": |it| it.intermediate(|ca| ca.key_usage(KeyUsage::CRL_SIGN));
    "intermediate for servers" in "issuer eku": |it| it.intermediate(|ca| ca.purposes(&[ExtendedKeyUsage::ServerAuth]));
    "intermediate for clients" in "issuer eku": |it| it.intermediate(|ca| ca.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "intermediate that permits the domain" in "issuer nc": |it| it.intermediate(|ca| ca.permit(&["corp.test"]));
    "intermediate that permits another domain" in "issuer nc": |it| it.intermediate(|ca| ca.permit(&["other.test"]));
    "intermediate that excludes the domain" in "issuer nc": |it| it.intermediate(|ca| ca.exclude(&["corp.test"]));
    "intermediate that excludes another domain" in "issuer nc": |it| it.intermediate(|ca| ca.exclude(&["other.test"]));
    "intermediate whose constraints are not critical" in "issuer nc":
        |it| it.intermediate(|ca| ca.permit(&["corp.test"]).critical(oid::NAME_CONSTRAINTS, false));
    "intermediate that inhibits any policy" in "issuer policies":
        |it| it.intermediate(|ca| ca.extension(oid::INHIBIT_ANY_POLICY, true, der::value(der::INTEGER, &[0])));
    "expired intermediate" in "issuer dates": |it| { let now = it.now; it.intermediate(|ca| ca.validity(now - Duration::days(90), now - Duration::DAY)) };
    "root without key usage" in "root ku": |it| it.root(|root| root.without(oid::KEY_USAGE));
    "root whose key usage is not critical" in "root ku": |it| it.root(|root| root.critical(oid::KEY_USAGE, false));
    "root that signs CRLs" in "root ku": |it| it.root(|root| root.key_usage(KeyUsage::CRL_SIGN));
    "root without SKI" in "root ski": |it| it.root(|root| root.without(oid::SUBJECT_KEY_ID));
    "root whose CA bit is not critical" in "root bc": |it| it.root(|root| root.critical(oid::BASIC_CONSTRAINTS, false));
    "root without CA bit" in "root bc": |it| it.root(|root| root.without(oid::BASIC_CONSTRAINTS));
    "root of path length 0" in "root bc": |it| it.root(|root| root.path_length(0));
    "root for clients" in "root eku": |it| it.root(|root| root.purposes(&[ExtendedKeyUsage::ClientAuth]));
    "root that permits the domain" in "root nc": |it| it.root(|root| root.permit(&["corp.test"]));
    "root that permits another domain" in "root nc": |it| it.root(|root| root.permit(&["other.test"]));
    "expired root" in "root dates": |it| { let now = it.now; it.root(|root| root.validity(now - Duration::days(900), now - Duration::DAY)) };
    "root with a negative serial" in "root serial": |it| it.root(|root| root.serial(&[0x80, 1]));
    "Ed25519 root" in "root key": |it| Parts { root_key: Some(KeyAlgorithm::Ed25519), ..it };
    "the root is sent" in "sent": |it| Parts { sent: Sent::RootToo, ..it };
    "the intermediate is sent twice" in "sent": |it| Parts { sent: Sent::IntermediateTwice, ..it };
    "another CA is sent" in "sent": |it| Parts { sent: Sent::AnotherCa, ..it };
    "an expired twin of the intermediate is sent first" in "sent": |it| Parts { sent: Sent::ExpiredTwin, ..it };
    "an intermediate of the same name and another key is sent first" in "sent": |it| Parts { sent: Sent::TwinOfOtherKey, ..it };
    "a path of seven below the root" in "sent": |it| Parts { sent: Sent::Longer(5), ..it };
    "leaf whose information access cannot be read" in "leaf more": |it| it.leaf(|leaf| leaf.extension("1.3.6.1.5.5.7.1.1", false, vec![0x04, 2, 0x0c, 0]));
    "leaf whose CRL address cannot be read" in "leaf more": |it| it.leaf(|leaf| leaf.extension(oid::CRL_DISTRIBUTION_POINTS, false, vec![0x04, 2, 0x0c, 0]));
    "leaf with a serial of 22 bytes" in "leaf serial": |it| it.leaf(|leaf| leaf.serial(&[1; 22]));
    "leaf with two alternative name extensions" in "leaf san":
        |it| it.leaf(|leaf| leaf.again(oid::SUBJECT_ALT_NAME, false, der::sequence(&[&dns("other.corp.test").to_der()])));
    "leaf whose alternative names cannot be read" in "leaf san": |it| it.leaf(|leaf| leaf.extension(oid::SUBJECT_ALT_NAME, false, vec![0x04, 2, 0x0c, 0]));
    "leaf with 500 names" in "leaf san": |it| it.leaf(|leaf| {
        let more = (0..500).map(|number| dns(&format!("n{number}.corp.test")));
        leaf.general_names(&std::iter::once(dns(HOST)).chain(more).collect::<Vec<_>>())
    });
    "leaf with an e-mail address in its subject" in "leaf subject":
        |it| it.leaf(|leaf| leaf.subject(&name_of(&[("2.5.4.3", 12, b"db"), ("1.2.840.113549.1.9.1", 22, b"db@corp.test")])));
    "intermediate with an empty key usage" in "issuer ku": |it| it.intermediate(|ca| ca.extension(oid::KEY_USAGE, true, vec![der::BIT_STRING, 2, 7, 0]));
    "root with an empty key usage" in "root ku": |it| it.root(|ca| ca.extension(oid::KEY_USAGE, true, vec![der::BIT_STRING, 2, 7, 0]));
    "root whose AKI names another serial" in "root aki": |it| it.root(|ca| {
        let issuer = der::value(der::context_constructed(1), &der::value(der::context_constructed(4), &name("Everyday Root")));
        ca.extension(oid::AUTHORITY_KEY_ID, false, der::sequence(&[&issuer, &der::value(der::context(2), &[77])]))
    });
    "root with another AKI" in "root aki": |it| it.root(|ca| ca.extension(oid::AUTHORITY_KEY_ID, false, other_key_id()));
    "root that permits the domain, and an intermediate named outside" in "root nc": |it| {
        it.root(|root| root.permit(&["corp.test"])).intermediate(|ca| ca.general_names(&[dns("ca.other.test")]))
    };
    "root that permits the domain, and a self-issued intermediate named outside" in "root nc sent": |it| {
        let it = it.root(|root| root.permit(&["corp.test"])).intermediate(|ca| ca.general_names(&[dns("ca.other.test")]));
        Parts { sent: Sent::SelfIssued, ..it }
    };
    "intermediate of path length 0 above a self-issued one" in "sent": |it| {
        Parts { sent: Sent::SelfIssued, ..it.intermediate(|ca| ca.path_length(0)) }
    };
    "a self-issued intermediate" in "sent": |it| Parts { sent: Sent::SelfIssued, ..it };
    "a twin of the intermediate is sent first" in "sent": |it| Parts { sent: Sent::Twin(Twin::Fine, Place::First), ..it };
    "a twin without a trusted issuer is sent first" in "sent": |it| Parts { sent: Sent::Twin(Twin::DeadEnd, Place::First), ..it };
    "a twin without a trusted issuer is sent later" in "sent": |it| Parts { sent: Sent::Twin(Twin::DeadEnd, Place::Later), ..it };
    "a twin of another root of the name is sent first" in "sent": |it| Parts { sent: Sent::Twin(Twin::DeadEndOfTheName, Place::First), ..it };
    "a twin of another root of the name is sent later" in "sent": |it| Parts { sent: Sent::Twin(Twin::DeadEndOfTheName, Place::Later), ..it };
    "a twin that permits another domain is sent first" in "sent": |it| Parts { sent: Sent::Twin(Twin::Forbidding, Place::First), ..it };
    "a twin that permits another domain is sent later" in "sent": |it| Parts { sent: Sent::Twin(Twin::Forbidding, Place::Later), ..it };
    "a twin for clients is sent first" in "sent": |it| Parts { sent: Sent::Twin(Twin::ForClients, Place::First), ..it };
    "a twin for clients is sent later" in "sent": |it| Parts { sent: Sent::Twin(Twin::ForClients, Place::Later), ..it };
    "the cross-signed root is sent" in "sent": |it| Parts { sent: Sent::CrossSignedRoot, ..it };
    "a circle of CAs is sent first" in "sent": |it| Parts { sent: Sent::CircleFirst, ..it };
    "a path of twelve below the root" in "sent": |it| Parts { sent: Sent::Longer(10), ..it };
    "certificates of 40 kilobytes are sent" in "sent": |it| Parts { sent: Sent::Large(40), ..it };
    "certificates of 80 kilobytes are sent" in "sent": |it| Parts { sent: Sent::Large(80), ..it };
    "certificates of 120 kilobytes are sent" in "sent": |it| Parts { sent: Sent::Large(120), ..it };
    "thirty CAs too many are sent" in "sent": |it| Parts { sent: Sent::Strangers(30), ..it };
}

/// Constraints of one CA on one kind of name, which the leaf has within them, outside or not at all.
pub struct Constraint {
    of_root: bool,
    kind: &'static str,
    permits: bool,
    leaf: &'static str,
}

impl Constraint {
    /// Returns every constraint; those on DNS names stand among the oddities.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for of_root in [true, false] {
            for kind in ["dns", "ip", "email", "uri", "directory", "other"] {
                for permits in [true, false] {
                    for leaf in ["inside", "outside", "none"] {
                        let is_always_there = kind == "dns" || kind == "directory";
                        if leaf != "none" || !is_always_there {
                            all.push(Self { of_root, kind, permits, leaf });
                        }
                    }
                }
            }
        }
        all
    }

    pub fn name(&self) -> String {
        let (ca, verb) =
            (if self.of_root { "root" } else { "intermediate" }, if self.permits { "permits" } else { "excludes" });
        format!("{ca} that {verb} names of kind {}, the leaf's: {}", self.kind, self.leaf)
    }

    pub fn change(&self, parts: Parts) -> Parts {
        let here = name_of(&[("2.5.4.10", 12, b"Here")]);
        let base = match self.kind {
            "dns" if self.permits => der::value(der::context(2), b"corp.test"),
            "dns" => der::value(der::context(2), b"other.test"),
            "ip" => der::value(der::context(7), &[10, 0, 0, 0, 255, 0, 0, 0]),
            "email" => der::value(der::context(1), b"corp.test"),
            "uri" => der::value(der::context(6), b"corp.test"),
            "directory" => der::value(der::context_constructed(4), &here),
            _ => der::value(der::context_constructed(0), &other_name()),
        };
        let list = if self.permits { der::context_constructed(0) } else { der::context_constructed(1) };
        let constraints = der::sequence(&[&der::value(list, &der::sequence(&[&base]))]);
        let limit = |ca: TestCert| ca.extension(oid::NAME_CONSTRAINTS, true, constraints.clone());
        let parts = if self.of_root { parts.root(limit) } else { parts.intermediate(limit) };
        let is_inside = self.leaf == "inside";
        let more: Vec<u8> = match self.kind {
            "dns" => {
                // The name that is wanted is allowed.
                let other: &[u8] = if is_inside == self.permits { b"db.corp.test" } else { b"db.other.test" };
                der::value(der::context(2), other)
            }
            "ip" => der::value(der::context(7), if is_inside { &[10, 1, 2, 3] } else { &[11, 1, 2, 3] }),
            "email" => der::value(der::context(1), if is_inside { b"a@corp.test" } else { b"a@other.test" }),
            "uri" => der::value(
                der::context(6),
                if is_inside { b"spiffe://corp.test/db" } else { b"spiffe://other.test/db" },
            ),
            "directory" => Vec::new(),
            _ => der::value(der::context_constructed(0), &other_name()),
        };
        let more = if self.leaf == "none" { Vec::new() } else { more };
        let names = der::sequence(&[&dns(HOST).to_der(), &more]);
        parts.leaf(|leaf| {
            let leaf = leaf.extension(oid::SUBJECT_ALT_NAME, false, names);
            match (self.kind, is_inside) {
                ("directory", true) => leaf.subject(&name_of(&[("2.5.4.10", 12, b"Here"), ("2.5.4.3", 12, b"db")])),
                ("directory", false) => leaf.subject(&name_of(&[("2.5.4.10", 12, b"There"), ("2.5.4.3", 12, b"db")])),
                _ => leaf,
            }
        })
    }
}

/// The content of a user principal name.
fn other_name() -> Vec<u8> {
    let text = der::value(der::context_constructed(0), &der::value(12, b"db@corp.test"));
    [object_identifier("1.3.6.1.4.1.311.20.2.3"), text].concat()
}
