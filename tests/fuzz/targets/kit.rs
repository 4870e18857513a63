//! Certificates and lists made from any octets: signed with real keys, so that what is found lies behind the signatures.

use std::sync::LazyLock;

use ca::keys::{PrivateKey, Signer};
use ca::verify::{Candidate, InputPosition, Problem, Purpose, Verdict, VerifyOptions};
use ca::x509::{Certificate, GeneralName, KeyAlgorithm, Validity, der, validity};
use time::OffsetDateTime;
use time::macros::datetime;

/// The time at which everything is judged.
pub const NOW: OffsetDateTime = datetime!(2026-02-01 0:00 UTC);

/// The host whose name is asked for.
pub const HOST: &str = "a.test";

/// Four keys, the same in every run.
pub static KEYS: LazyLock<Vec<PrivateKey>> = LazyLock::new(|| (1..=4).map(key).collect());

/// The key that the seed makes.
pub fn key(seed: u8) -> PrivateKey {
    let front = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    PrivateKey::from_pkcs8(KeyAlgorithm::Ed25519, [&front[..], &[seed; 32]].concat().into()).unwrap()
}

/// Octets as a source of decisions; at its end it is all zeros.
pub struct Words<'a>(pub &'a [u8]);

impl<'a> Words<'a> {
    pub fn octet(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    pub fn below(&mut self, most: usize) -> usize {
        usize::from(self.octet()) % most
    }

    pub fn is(&mut self) -> bool {
        self.octet() & 1 == 1
    }

    /// Octets with their length in front.
    pub fn octets(&mut self) -> &'a [u8] {
        let length = usize::from(self.octet()).min(self.0.len());
        let (front, rest) = self.0.split_at(length);
        self.0 = rest;
        front
    }

    pub fn one<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }
}

fn common_name(tag: u8, text: &str) -> Vec<u8> {
    let attribute = der::sequence(&[&[6, 3, 0x55, 4, 3], &der::value(tag, text.as_bytes())]);
    der::sequence(&[&der::value(der::SET, &attribute)])
}

/// The names of a chain from the leaf upwards, the last one its own issuer.
const LINE: [&str; 4] = [HOST, "One", "Two", "Root"];

/// A few names: those of the line, another spelling of one, and none.
pub fn name(words: &mut Words<'_>) -> Vec<u8> {
    match words.below(8) {
        0 => common_name(der::PRINTABLE_STRING, " ROOT "),
        1 => der::sequence(&[]),
        2 => common_name(*words.one(&[der::UTF8_STRING, der::PRINTABLE_STRING, 0x14, 0x1e, 0x1c]), "x"),
        _ => common_name(der::UTF8_STRING, words.one::<&str>(&LINE)),
    }
}

pub fn general_name(words: &mut Words<'_>) -> Vec<u8> {
    const TEXTS: [&str; 12] = [
        HOST,
        "test",
        "*.test",
        ".test",
        "b.a.test",
        "",
        "a@a.test",
        "@a.test",
        "https://a.test/x",
        "urn:x",
        "a.test.",
        "*",
    ];
    match words.below(8) {
        0 => der::value(der::context(words.octet() % 9), words.octets()),
        1 => der::value(der::context_constructed(words.octet() % 9), words.octets()),
        2 => der::value(der::context_constructed(4), &name(words)),
        3 => der::value(
            der::context(7),
            words.one::<&[u8]>(&[&[10, 0, 0, 1], &[10, 0, 0, 0, 255, 0, 0, 0], &[0; 32], &[0; 16]]),
        ),
        4 => der::value(der::context(1), words.one(&TEXTS).as_bytes()),
        5 => der::value(der::context(6), words.one(&TEXTS).as_bytes()),
        _ => der::value(der::context(2), words.one(&TEXTS).as_bytes()),
    }
}

/// Up to five of something, one after the other.
pub fn some(words: &mut Words<'_>, mut one: impl FnMut(&mut Words<'_>) -> Vec<u8>) -> Vec<u8> {
    (0..words.below(6)).flat_map(|_| one(words)).collect()
}

fn policy(words: &mut Words<'_>) -> Vec<u8> {
    words.one::<&[u8]>(&[&[6, 4, 0x55, 0x1d, 0x20, 0], &[6, 2, 0x2a, 3], &[6, 2, 0x2a, 4], &[6, 2, 0x2a, 5]]).to_vec()
}

fn extension(words: &mut Words<'_>) -> Vec<u8> {
    let sequence = |content: &[u8]| der::value(der::SEQUENCE, content);
    let (arc, value) = match words.below(13) {
        0 => (19, sequence(&[&[1, 1, 0xff][..], &some(words, |it| vec![2, 1, it.octet()])].concat())),
        1 => (15, vec![3, 2, words.octet() & 7, words.octet()]),
        2 => (17, sequence(&some(words, general_name))),
        3 => {
            let subtree = |words: &mut Words<'_>| {
                let bounds = if words.octet() == 255 { words.octets().to_vec() } else { Vec::new() };
                der::sequence(&[&general_name(words), &bounds])
            };
            let lists: Vec<u8> =
                some(words, |it| der::value(der::context_constructed(u8::from(it.is())), &some(it, subtree)));
            (30, sequence(&lists))
        }
        4 => (32, sequence(&some(words, |it| der::sequence(&[&policy(it)])))),
        5 => (33, sequence(&some(words, |it| der::sequence(&[&policy(it), &policy(it)])))),
        6 => (36, sequence(&some(words, |it| der::value(der::context(it.octet() & 1), &[it.octet() & 3])))),
        7 => (54, vec![2, 1, words.octet() & 3]),
        8 => {
            let purpose = |words: &mut Words<'_>| match words.below(4) {
                0 => vec![6, 4, 0x55, 0x1d, 0x25, 0],
                arc => vec![6, 8, 0x2b, 6, 1, 5, 5, 7, 3, arc as u8],
            };
            (37, sequence(&some(words, purpose)))
        }
        9 => (31, sequence(&some(words, distribution_point))),
        10 => (14, der::value(der::OCTET_STRING, words.octets())),
        11 => (35, sequence(&der::value(der::context(0), words.octets()))),
        _ => (words.octet() & 0x7f, words.octets().to_vec()),
    };
    wrap(arc, words.is(), &value)
}

/// The extension `2.5.29.ARC`.
pub fn wrap(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    der::sequence(&[&[6, 3, 0x55, 0x1d, arc], critical, &der::value(der::OCTET_STRING, value)])
}

/// The name of a point: full names, or one that is relative to a CRL issuer.
pub fn point_name(words: &mut Words<'_>) -> Vec<u8> {
    let inner = match words.below(4) {
        0 => der::value(0xa1, &der::sequence(&[&[6, 3, 0x55, 4, 3], &der::value(der::UTF8_STRING, b"Point")])),
        _ => der::value(0xa0, &some(words, general_name)),
    };
    der::value(0xa0, &inner)
}

fn distribution_point(words: &mut Words<'_>) -> Vec<u8> {
    let name_of_point = if words.is() { point_name(words) } else { Vec::new() };
    let reasons = if words.octet().is_multiple_of(4) { vec![0x81, 2, 1, words.octet()] } else { Vec::new() };
    let issuer = if words.octet().is_multiple_of(4) {
        der::value(0xa2, &der::value(der::context_constructed(4), &name(words)))
    } else {
        Vec::new()
    };
    der::sequence(&[&name_of_point, &reasons, &issuer])
}

/// A whole certificate at some place of the line. Most fields are sound more often than not, or nothing would be reached
/// behind them.
pub fn certificate(words: &mut Words<'_>, place: usize) -> Vec<u8> {
    let (place, above) = (place % LINE.len(), (place + 1).min(LINE.len() - 1));
    let bent = words.octet();
    let named = |place: usize| common_name(der::UTF8_STRING, LINE[place]);
    let subject = if bent & 7 == 0 { name(words) } else { named(place) };
    let issuer = if bent & 7 == 1 { name(words) } else { named(above) };
    let key = if bent & 7 == 2 { words.one(&KEYS) } else { &KEYS[place] };
    let signer = if bent & 7 == 3 { words.one(&KEYS) } else { &KEYS[above] };
    // The leaf has the names of a server, the others the bit of a CA, and all of them key identifiers.
    let shape = match bent & 0x18 {
        0 => words.octet(),
        _ if place == 0 => 2 | 4 | 8,
        _ => 1 | 4 | 8,
    };
    let ca = der::sequence(&[&[1, 1, 0xff]]);
    let names = der::sequence(&[&der::value(der::context(2), HOST.as_bytes())]);
    let key_ids = |key: &PrivateKey| der::value(der::context(0), &key.public_key().key_id());
    let mut extensions = if bent & 0x60 == 0 { some(words, extension) } else { Vec::new() };
    let usual: [(u8, Vec<u8>); 4] = [
        (1, wrap(19, true, &ca)),
        (2, [wrap(17, false, &names), wrap(37, false, &der::sequence(&[&[6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1]]))].concat()),
        (4, wrap(35, false, &der::sequence(&[&key_ids(signer)]))),
        (8, wrap(14, false, &der::value(der::OCTET_STRING, &key.public_key().key_id()))),
    ];
    for (bit, extension) in usual {
        if shape & bit != 0 {
            extensions.extend(extension);
        }
    }
    let validity =
        match words.octet() {
            0 => der::value(der::SEQUENCE, words.octets()),
            1 => Validity { not_before: NOW, not_after: NOW }.to_der(),
            2 => Validity { not_before: datetime!(1950-01-01 0:00 UTC), not_after: datetime!(2049-12-31 0:00 UTC) }
                .to_der(),
            3 => Validity { not_before: datetime!(2050-01-01 0:00 UTC), not_after: datetime!(9999-12-31 0:00 UTC) }
                .to_der(),
            _ => Validity { not_before: datetime!(2025-01-01 0:00 UTC), not_after: datetime!(2030-01-01 0:00 UTC) }
                .to_der(),
        };
    let version = if shape & 16 == 0 { vec![0xa0, 3, 2, 1, 2] } else { words.octets().to_vec() };
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        der::value(der::context_constructed(3), &der::sequence(&[&extensions]))
    };
    let serial = der::value(der::INTEGER, &[words.octet() % 8]);
    let algorithm = signer.signature_algorithm().der;
    let tbs = der::sequence(&[
        &version,
        &serial,
        &algorithm,
        &issuer,
        &validity,
        &subject,
        key.public_key().spki(),
        &extensions,
    ]);
    sign(&tbs, signer)
}

/// What is signed, the algorithm and the signature.
pub fn sign(tbs: &[u8], signer: &PrivateKey) -> Vec<u8> {
    der::sequence(&[tbs, &signer.signature_algorithm().der, &der::bit_string(&signer.sign(tbs).unwrap())])
}

/// The DER of a time near [`NOW`].
pub fn time(words: &mut Words<'_>) -> Vec<u8> {
    validity::time_to_der(NOW + time::Duration::days(i64::from(words.octet()) - 64))
}

pub fn candidate(certificate: Certificate, number: usize) -> Candidate {
    Candidate::new(certificate, InputPosition::new("x", number))
}

pub fn options(purpose: Purpose, names: Vec<GeneralName>, check_revocation: bool) -> VerifyOptions {
    VerifyOptions {
        at: NOW,
        purpose,
        names,
        max_path_length: None,
        must_be_valid_until: None,
        check_revocation,
        strict: false,
        own_roots: false,
    }
}

/// What holds of every answer.
pub fn assert_sound(verdict: &Verdict, options: &VerifyOptions) {
    let is_error = |problem: &Problem| problem.severity == ca::lint::Severity::Error;
    assert_eq!(verdict.valid, !verdict.problems.iter().any(is_error), "{:?}", verdict.problems);
    assert_eq!(verdict.valid, verdict.until.is_some(), "{:?}", verdict.problems);
    assert!(verdict.until.as_ref().is_none_or(|until| until.at > options.at), "a yes that has ended");
    let codes: Vec<_> =
        ca::verify::codes().map(|code| code.code).chain(ca::lint::RULES.iter().map(|rule| rule.code)).collect();
    for problem in &verdict.problems {
        assert!(codes.contains(&problem.code), "{} cannot be explained", problem.code);
        assert!(!problem.citation.is_empty() && !problem.hint.is_empty(), "{problem:?}");
    }
}

/// The search was given up: then the order of what was given may decide.
pub fn was_given_up(verdict: &Verdict) -> bool {
    verdict.problems.iter().any(|problem| problem.code == "too-complex")
}
