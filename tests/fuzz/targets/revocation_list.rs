//! Any octets as a revocation list; and up to four lists, really signed, beside a sound chain. What must hold: a list of the
//! issuer without limits that names the certificate means no, whatever stands beside it; a yes rests on a list; the order of
//! the lists does not matter.

use std::sync::LazyLock;

use ca::keys::Signer;
use ca::verify::{Candidate, CandidateCrl, InputPosition, Purpose, SignatureCache, VerifyInput, verify_chain};
use ca::x509::{Certificate, Crl, der};

use super::kit::{self, KEYS, Words};

pub fn run(data: &[u8]) {
    if let Ok(list) = Crl::from_der(data) {
        assert_eq!(list.as_der(), data);
    }
    is_valid(data);
}

/// Runs the target on lists made from the octets; whether the certificate is not revoked.
pub fn is_valid(data: &[u8]) -> bool {
    let mut words = Words(data);
    let leaf = kit::candidate(leaf(&mut words), 1);
    let mut lists: Vec<CandidateCrl> = (0..words.below(5))
        .filter_map(|_| Crl::from_der(&list(&mut words)).ok())
        .zip(1..)
        .map(|(list, number)| CandidateCrl::new(list, InputPosition::new("crl", number)))
        .collect();
    let untrusted: Vec<&Candidate> = OTHERS.iter().collect();
    let options = kit::options(Purpose::Any, Vec::new(), true);
    let signatures = SignatureCache::default();
    let input = VerifyInput {
        leaf: &leaf,
        untrusted: &untrusted,
        anchors: &ROOT[..],
        crls: &lists,
        revocations: None,
        signatures: &signatures,
    };
    let verdict = verify_chain(input, &options);
    kit::assert_sound(&verdict, &options);
    if verdict.valid {
        assert!(!lists.iter().any(|list| plainly_revokes(&list.contents, &leaf)), "revoked, but valid: {verdict:?}");
        assert!(!lists.is_empty(), "a yes without any list");
    }
    lists.reverse();
    let reversed = verify_chain(
        VerifyInput {
            leaf: &leaf,
            untrusted: &untrusted,
            anchors: &ROOT[..],
            crls: &lists,
            revocations: None,
            signatures: &signatures,
        },
        &options,
    );
    assert_eq!(verdict.valid, reversed.valid, "the order decides: {verdict:?}\n{reversed:?}");
    verdict.valid
}

fn plainly_revokes(list: &Crl, leaf: &Candidate) -> bool {
    const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
    let certificate = &leaf.certificate;
    let is_final = |code: u8| code != 6 && code != 8;
    list.issuer.as_der() == certificate.issuer.as_der()
        && list.extension(ISSUING_DISTRIBUTION_POINT).is_none()
        && ca::verify::check_crl_signature(list, KEYS[0].public_key()).is_ok()
        && list.entries_of(&certificate.serial).any(|entry| {
            entry.certificate_issuer.is_none() && entry.reason.is_none_or(|reason| is_final(reason.code()))
        })
}

fn common_name(text: &str) -> Vec<u8> {
    let value = der::value(der::UTF8_STRING, text.as_bytes());
    der::sequence(&[&der::value(der::SET, &der::sequence(&[&[6, 3, 0x55, 4, 3], &value]))])
}

/// Issued by the root; so that the root's own lists decide.
fn make(subject: &str, serial: u8, key: usize, extensions: &[u8]) -> Certificate {
    let signer = &KEYS[0];
    let validity = ca::x509::Validity {
        not_before: time::macros::datetime!(2025-01-01 0:00 UTC),
        not_after: time::macros::datetime!(2030-01-01 0:00 UTC),
    };
    let tbs = der::sequence(&[
        &[0xa0, 3, 2, 1, 2],
        &der::value(der::INTEGER, &[serial]),
        &signer.signature_algorithm().der,
        &common_name("Root"),
        &validity.to_der(),
        &common_name(subject),
        KEYS[key].public_key().spki(),
        &der::value(der::context_constructed(3), &der::sequence(&[extensions])),
    ]);
    Certificate::from_der(&kit::sign(&tbs, signer)).unwrap()
}

/// Key 0 is the CA's.
static ROOT: LazyLock<[Candidate; 1]> = LazyLock::new(|| {
    let ca = kit::wrap(19, true, &der::sequence(&[&[1, 1, 0xff]]));
    [kit::candidate(make("Root", 1, 0, &ca), 2)]
});

/// Two that may sign lists: the CA under a second key, and somebody else.
static OTHERS: LazyLock<[Candidate; 2]> = LazyLock::new(|| {
    let signs_lists = kit::wrap(15, true, &[3, 2, 1, 2]);
    [kit::candidate(make("Root", 2, 1, &signs_lists), 3), kit::candidate(make("One", 3, 2, &signs_lists), 4)]
});

fn leaf(words: &mut Words<'_>) -> Certificate {
    let points = match words.below(3) {
        0 => Vec::new(),
        _ => kit::wrap(31, words.is(), &der::sequence(&[&kit::some(words, point)])),
    };
    let ca = if words.is() { kit::wrap(19, true, &der::sequence(&[&[1, 1, 0xff]])) } else { Vec::new() };
    make("leaf", 5, 3, &[points, ca, kit::wrap(14, false, &[4, 1, 1])].concat())
}

fn point(words: &mut Words<'_>) -> Vec<u8> {
    let name = if words.is() { kit::point_name(words) } else { Vec::new() };
    let reasons = if words.octet().is_multiple_of(4) { vec![0x81, 2, 1, words.octet()] } else { Vec::new() };
    let issuer = match words.below(4) {
        0 => der::value(0xa2, &der::value(0xa4, &kit::name(words))),
        _ => Vec::new(),
    };
    der::sequence(&[&name, &reasons, &issuer])
}

fn list(words: &mut Words<'_>) -> Vec<u8> {
    let signer = if words.is() { &KEYS[0] } else { words.one(&KEYS) };
    let issuer = if words.octet().is_multiple_of(4) { kit::name(words) } else { common_name("Root") };
    let entries = kit::some(words, |words| {
        let serial = der::value(der::INTEGER, &[words.octet() % 8]);
        let extensions = match words.below(4) {
            0 => Vec::new(),
            1 => der::sequence(&[&kit::wrap(21, false, &[10, 1, words.octet() % 12])]),
            2 => der::sequence(&[&kit::wrap(29, words.is(), &der::sequence(&[&kit::general_name(words)]))]),
            _ => der::sequence(&[&kit::wrap(words.octet() & 0x7f, words.is(), words.octets())]),
        };
        der::sequence(&[&serial, &kit::time(words), &extensions])
    });
    let entries = if entries.is_empty() { Vec::new() } else { der::sequence(&[&entries]) };
    let bent = words.octet() & 3;
    let extensions = if bent != 0 {
        Vec::new()
    } else {
        kit::some(words, |words| match words.below(6) {
            0 => kit::wrap(20, false, &[2, 1, words.octet() & 0x7f]),
            1 => kit::wrap(27, true, &[2, 1, words.octet() & 0x7f]),
            2 | 3 => kit::wrap(28, true, &scope(words)),
            4 => kit::wrap(words.octet() & 0x7f, words.is(), words.octets()),
            _ => Vec::new(),
        })
    };
    let number = if words.octet() == 0 { Vec::new() } else { kit::wrap(20, false, &[2, 1, 9]) };
    let extensions = [extensions, number].concat();
    let extensions = if extensions.is_empty() {
        Vec::new()
    } else {
        der::value(der::context_constructed(0), &der::sequence(&[&extensions]))
    };
    let next = if words.octet() == 0 { Vec::new() } else { kit::time(words) };
    let algorithm = signer.signature_algorithm().der;
    kit::sign(
        &der::sequence(&[&[2, 1, 1], &algorithm, &issuer, &kit::time(words), &next, &entries, &extensions]),
        signer,
    )
}

fn scope(words: &mut Words<'_>) -> Vec<u8> {
    let name = if words.is() { kit::point_name(words) } else { Vec::new() };
    let flags: Vec<u8> = [0x81, 0x82, 0x84, 0x85]
        .into_iter()
        .flat_map(|tag| if words.octet().is_multiple_of(4) { vec![tag, 1, 0xff] } else { Vec::new() })
        .collect();
    let reasons = if words.octet().is_multiple_of(4) { vec![0x83, 2, 1, words.octet()] } else { Vec::new() };
    // The reasons stand between the flags; in the wrong place they make the scope unreadable, which is a case too.
    der::sequence(&[&name, &flags, &reasons])
}
