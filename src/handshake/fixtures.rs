//! A small hierarchy for the tests of this room, encoded with `x509::der` alone.

use std::time::Duration;

use time::OffsetDateTime;
use time::macros::datetime;

use super::endpoint::Endpoint;
use super::good_case::HandshakeTest;
use crate::keys::{PrivateKey, Signer};
use crate::tls::TlsVersion;
use crate::x509::{AttributeType, Certificate, DistinguishedName, GeneralName, KeyAlgorithm, Validity, der};

/// Long enough for any machine.
pub const TIMEOUT: Duration = Duration::from_secs(60);

pub const NOW: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

/// A root, an intermediate, and a server and a client below it.
pub struct Hierarchy {
    pub root: Certificate,
    pub server: Endpoint,
    pub client: Endpoint,
}

pub enum Kind {
    Authority,
    /// A CA whose key usage allows certificates but not CRLs.
    WithoutLists,
    /// A CA that may issue leaf certificates only (path length 0).
    LastAuthority,
    Server,
    /// A server certificate with an unknown critical extension.
    StrangeServer,
    Client,
    Peer,
}

impl Hierarchy {
    pub fn new(algorithm: KeyAlgorithm) -> Self {
        Self::with_issuing(algorithm, &Kind::Authority)
    }

    /// As [`new`](Self::new), with an intermediate of this kind.
    pub fn with_issuing(algorithm: KeyAlgorithm, kind: &Kind) -> Self {
        let root_key = PrivateKey::generate(algorithm).unwrap();
        let root = certificate("Test Root", "Test Root", 1, &root_key, &root_key, &Kind::Authority);
        let issuing_key = PrivateKey::generate(algorithm).unwrap();
        let issuing = certificate("Test Issuing", "Test Root", 2, &issuing_key, &root_key, kind);
        let endpoint = |name, serial, kind| {
            let key = PrivateKey::generate(algorithm).unwrap();
            let leaf = certificate(name, "Test Issuing", serial, &key, &issuing_key, &kind);
            Endpoint::new(vec![leaf, issuing.clone()], key).unwrap()
        };
        Self { server: endpoint("localhost", 0x51, Kind::Server), client: endpoint("alice", 0xc1, Kind::Client), root }
    }

    /// The good case between server and client in these versions, without refusals; each test changes fields of it.
    pub fn test<'a>(&'a self, versions: &'a [TlsVersion]) -> HandshakeTest<'a> {
        HandshakeTest {
            server: &self.server,
            client: Some(&self.client),
            protocols: &[],
            roots: std::slice::from_ref(&self.root),
            revocations: None,
            host_name: "localhost",
            at: NOW,
            versions,
            refusals: false,
            timeout: TIMEOUT,
            hello_retry: false,
            resume: false,
        }
    }

    /// Server and client directly under the root, each valid for both purposes.
    pub fn flat(algorithm: KeyAlgorithm) -> Self {
        let root_key = PrivateKey::generate(algorithm).unwrap();
        let root = certificate("Test Root", "Test Root", 1, &root_key, &root_key, &Kind::Authority);
        let endpoint = |name, serial| {
            let key = PrivateKey::generate(algorithm).unwrap();
            let leaf = certificate(name, "Test Root", serial, &key, &root_key, &Kind::Peer);
            Endpoint::new(vec![leaf], key).unwrap()
        };
        Self { server: endpoint("localhost", 0x51), client: endpoint("alice", 0xc1), root }
    }
}

pub fn certificate(
    subject: &str,
    issuer: &str,
    serial: u8,
    key: &PrivateKey,
    issuer_key: &PrivateKey,
    kind: &Kind,
) -> Certificate {
    let name = |name: &str| DistinguishedName::build(&[(AttributeType::CommonName, name.to_owned())]).unwrap();
    let validity =
        Validity { not_before: datetime!(2026-01-01 00:00 UTC), not_after: datetime!(2026-12-31 23:59:59 UTC) };
    let extension = |number: u8, critical: bool, value: &[u8]| {
        let critical = if critical { der::value(der::BOOLEAN, &[0xff]) } else { Vec::new() };
        let oid = der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, number]);
        der::sequence(&[&oid, &critical, &der::value(der::OCTET_STRING, value)])
    };
    let purpose = |last: u8| der::value(der::OBJECT_IDENTIFIER, &[0x2b, 6, 1, 5, 5, 7, 3, last]);
    let dns = GeneralName::Dns(subject.to_owned()).to_der();
    let own = match kind {
        Kind::Authority | Kind::WithoutLists | Kind::LastAuthority => {
            let usage: &[u8] = if matches!(kind, Kind::WithoutLists) { &[2, 0x04] } else { &[1, 0x06] };
            let depth = if matches!(kind, Kind::LastAuthority) { der::unsigned_integer(&[0]) } else { Vec::new() };
            [
                extension(19, true, &der::sequence(&[&der::value(der::BOOLEAN, &[0xff]), &depth])),
                extension(15, true, &der::value(der::BIT_STRING, usage)),
            ]
            .concat()
        }
        Kind::Server | Kind::StrangeServer => [
            if matches!(kind, Kind::StrangeServer) { extension(127, true, &der::sequence(&[])) } else { Vec::new() },
            extension(15, true, &[der::BIT_STRING, 2, 7, 0x80]),
            extension(37, false, &der::sequence(&[&purpose(1)])),
            extension(17, false, &der::sequence(&[&dns])),
        ]
        .concat(),
        Kind::Client => extension(37, false, &der::sequence(&[&purpose(2)])),
        Kind::Peer => [
            extension(37, false, &der::sequence(&[&purpose(1), &purpose(2)])),
            extension(17, false, &der::sequence(&[&dns])),
        ]
        .concat(),
    };
    let key_ids = [
        extension(14, false, &der::value(der::OCTET_STRING, &key.public_key().key_id())),
        extension(35, false, &der::sequence(&[&der::value(der::context(0), &issuer_key.public_key().key_id())])),
    ]
    .concat();
    let algorithm = issuer_key.signature_algorithm().der;
    let tbs = der::sequence(&[
        &der::value(der::context_constructed(0), &der::unsigned_integer(&[2])),
        &der::unsigned_integer(&[serial]),
        &algorithm,
        name(issuer).as_der(),
        &validity.to_der(),
        name(subject).as_der(),
        key.public_key().spki(),
        &der::value(der::context_constructed(3), &der::sequence(&[&own, &key_ids])),
    ]);
    let signature = der::bit_string(&issuer_key.sign(&tbs).unwrap());
    Certificate::from_der(&der::sequence(&[&tbs, &algorithm, &signature])).unwrap()
}
