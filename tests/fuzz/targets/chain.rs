//! Up to eight certificates, really signed, as leaf, intermediates and roots. What must hold of every answer: a yes rests on
//! signatures up to an anchor, does not hang on the order of what was given, and TLS never accepts what RFC 5280 refuses.

use ca::verify::{Candidate, Purpose, SignatureCache, Verdict, VerifyInput, check_signature, verify_chain};
use ca::x509::{Certificate, GeneralName};

use super::kit::{self, Words};

pub fn run(data: &[u8]) {
    is_valid(data);
}

/// Runs the target; whether the chain holds.
pub fn is_valid(data: &[u8]) -> bool {
    let mut words = Words(data);
    let (wanted, name_is_asked, max_path_length) =
        (*words.one(&[Purpose::Any, Purpose::Client, Purpose::Server]), words.is(), words.octet());
    let (count, first) = (words.below(8), words.below(3));
    let anchors_among = words.octet();
    // A line from the leaf up to the root, and others of any place beside it.
    let line: Vec<usize> = (first..4).collect();
    let places: Vec<usize> = line.iter().copied().chain((0..count).map(|_| words.below(4))).collect();
    let certificates = places.into_iter().map(|place| kit::certificate(&mut words, place));
    let candidates: Vec<Candidate> = certificates
        .filter_map(|der| Certificate::from_der(&der).ok())
        .zip(1..)
        .map(|(certificate, number)| kit::candidate(certificate, number))
        .collect();
    let Some((leaf, others)) = candidates.split_first() else { return false };
    let (anchors, untrusted): (Vec<_>, Vec<_>) = others
        .iter()
        .partition(|it| it.position.number == line.len() || anchors_among >> (it.position.number % 8) & 3 == 3);
    let mut anchors: Vec<Candidate> = anchors.into_iter().cloned().collect();
    let mut untrusted = untrusted;

    let names = if name_is_asked { vec![GeneralName::Dns(kit::HOST.to_owned())] } else { Vec::new() };
    let mut options = kit::options(wanted, names, false);
    options.max_path_length = (max_path_length < 4).then_some(u32::from(max_path_length));
    // Shared by all that is asked here: what is known of a signature must not change an answer.
    let signatures = SignatureCache::default();
    let verdict = verify_chain(
        VerifyInput {
            leaf,
            untrusted: &untrusted,
            anchors: &anchors,
            crls: &[],
            revocations: None,
            signatures: &signatures,
        },
        &options,
    );
    kit::assert_sound(&verdict, &options);
    if verdict.valid {
        assert_signed(&verdict, &candidates, &anchors);
        let anyway = kit::options(Purpose::Any, Vec::new(), false);
        let by_standard = verify_chain(
            VerifyInput {
                leaf,
                untrusted: &untrusted,
                anchors: &anchors,
                crls: &[],
                revocations: None,
                signatures: &signatures,
            },
            &anyway,
        );
        assert!(by_standard.valid || kit::was_given_up(&by_standard), "valid for TLS, but not at all: {by_standard:?}");
    }
    // What clients refuse can depend on the order in which a server sends: some take the first of two certificates of an issuer.
    // Without that layer, the order must not matter.
    options.strict = true;
    let [strict, reversed] = [false, true].map(|is_reversed| {
        if is_reversed {
            untrusted.reverse();
            anchors.reverse();
        }
        let input = VerifyInput {
            leaf,
            untrusted: &untrusted,
            anchors: &anchors,
            crls: &[],
            revocations: None,
            signatures: &signatures,
        };
        verify_chain(input, &options)
    });
    if !kit::was_given_up(&strict) && !kit::was_given_up(&reversed) {
        assert_eq!(strict.valid, reversed.valid, "the order decides: {strict:?}\n{reversed:?}");
    }
    verdict.valid
}

fn assert_signed(verdict: &Verdict, candidates: &[Candidate], anchors: &[Candidate]) {
    let chain: Vec<&Candidate> = verdict
        .chain
        .iter()
        .map(|link| candidates.iter().find(|candidate| candidate.position == link.source).unwrap())
        .collect();
    for pair in chain.windows(2) {
        assert_eq!(check_signature(&pair[0].certificate, &pair[1].certificate.public_key), Ok(()));
    }
    let last = chain.last().unwrap();
    assert!(anchors.iter().any(|anchor| anchor.position == last.position), "the chain does not end at an anchor");
}
