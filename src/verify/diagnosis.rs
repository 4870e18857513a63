//! Explains why no valid path was found. It never makes a chain valid.

use super::candidate::Candidate;
use super::cert_path::CertPath;
use super::code::{Code, Rank};
use super::input::{VerifyInput, VerifyOptions};
use super::path::{MOST_CERTIFICATES, Search};
use super::rules::{names, purpose, validity};
use super::signature::{RSA_BITS, SignatureProblem, can_belong_together};
use super::verdict::{self, Link, Problem, Role, Verdict};
use crate::lint::fix_for;
use crate::text::hex;
use crate::x509::KeyKind;

pub static CODES: &[&Code] = &[
    &ISSUER_NOT_FOUND,
    &UNTRUSTED_ROOT,
    &SELF_SIGNED_LEAF,
    &SIGNATURE_INVALID,
    &SIGNATURE_UNSUPPORTED,
    &TOO_COMPLEX,
    &CERTIFICATE_MALFORMED,
    &KEY_MISMATCH,
];

/// The callers that read files report these two: [`super::verify_chain`] gets certificates that could be read.
pub const CERTIFICATE_MALFORMED: Code = Code {
    code: "certificate-malformed",
    rank: Rank::Unranked,
    citation: "RFC 5280 §4.1",
    requirement: "A certificate is the DER of a Certificate, without any other bytes",
    example: "the certificate cannot be read: it is not the DER of a certificate: it ends too early",
    fix: "get the certificate from its source again, or issue it again",
};

pub const KEY_MISMATCH: Code = Code {
    code: "key-mismatch",
    rank: Rank::KeyMismatch,
    citation: "RFC 5280 §4.1.2.7",
    requirement: "The private key given with --key is the other half of the leaf's public key",
    example: "the private key does not match the certificate: the certificate has ecdsa-p256 \
        12e117696df634dbe40286a8059fa8e2b1abaca2, the key file ecdsa-p256 06e7c2b93d14e5b317f6de64952d79d75ad0c182 (key \
        identifiers)",
    fix: "give the key that the certificate was issued for, or have a certificate issued for this key",
};

const ISSUER_NOT_FOUND: Code = Code {
    code: "issuer-not-found",
    rank: Rank::IssuerNotFound,
    citation: "RFC 5280 §6.1.3 (a)(4)",
    requirement: "Every certificate up to a root is in the file, in --untrusted or in --roots",
    example: "the certificate that issued CN=web.corp.test is missing: CN=Corp Root CA issuing with the key identifier \
        80fc0654d70ab8ba5fccb3983672318604464b61 is neither in the files nor among the roots (CN=Corp Root CA)",
    fix: "add the missing certificate to the file after the leaf, or give it with --untrusted FILE",
};

const UNTRUSTED_ROOT: Code = Code {
    code: "untrusted-root",
    rank: Rank::UntrustedRoot,
    citation: "RFC 5280 §6.1.1 (d)",
    requirement: "The chain ends at one of the roots that are trusted",
    example: "the chain ends at CN=Test Root, which is not one of the roots that are trusted (CN=Corp Root CA)",
    fix: "if this root is to be trusted, give it with --roots FILE; if not, the certificate is of another CA",
};

const SELF_SIGNED_LEAF: Code = Code {
    code: "self-signed-leaf",
    rank: Rank::SelfSignedLeaf,
    citation: "RFC 5280 §6.1.1 (d)",
    requirement: "The leaf is signed by a CA",
    example: "CN=web.corp.test is signed with its own key, and is not one of the roots that are trusted (CN=Corp Root CA)",
    fix: "issue a certificate from your CA (ca issue server NAME)",
};

const SIGNATURE_INVALID: Code = Code {
    code: "signature-invalid",
    rank: Rank::SignatureInvalid,
    citation: "RFC 5280 §6.1.3 (a)(1)",
    requirement: "Every certificate is signed with the key of its issuer",
    example: "CN=web.corp.test says it was issued by CN=Corp Root CA issuing, but its signature does not verify with the \
        key of that name in issuing.pem#1",
    fix: "find the certificate of the CA that really signed: it has the same name, but another key",
};

const SIGNATURE_UNSUPPORTED: Code = Code {
    code: "signature-unsupported",
    rank: Rank::SignatureUnsupported,
    citation: "RFC 5280 §6.1.3 (a)(1); RFC 9155 §2",
    requirement: "Signatures are ECDSA, Ed25519 or RSA (2048 bits or more) over SHA-256, SHA-384 or SHA-512",
    example: "CN=web.corp.test is signed with ecdsa-with-SHA1 by a key of kind ecdsa-p384 (issuing.pem#1), \
         which is not secure; expected SHA-256 or better",
    fix: "issue the certificate again with a current algorithm, by a CA with a current key",
};

/// The documents about the parameters of RSASSA-PSS, and what to do about others than the usual ones.
pub const PSS_CITATION: &str = "RFC 4055 §3.1; RFC 8017 §9.1; RFC 8446 §4.2.3";
const PSS_FIX: &str = "issue the certificate again with SHA-256, MGF1 over the same digest and a salt as long as it (openssl: -sigopt \
    rsa_pss_saltlen:digest), or with PKCS #1 v1.5";

const TOO_COMPLEX: Code = Code {
    code: "too-complex",
    rank: Rank::Unranked,
    citation: "RFC 4158 §2.5",
    requirement: "A path is found within bounds on signatures, candidates and paths",
    example: "the search for a path was given up: too many certificates could be its issuers",
    fix: "give fewer certificates: the leaf, the intermediates that it needs, the root",
};

/// Returns the result when no path from the leaf reaches an anchor.
pub fn without_path(
    input: VerifyInput<'_>,
    options: &VerifyOptions,
    search: &Search<'_>,
    out_of_bounds: bool,
) -> Verdict {
    let mut climbed = Vec::new();
    let mut problems = vec![climb(input.leaf, &mut climbed, search)];
    if problems.iter().all(|problem| problem.code != TOO_COMPLEX.code) {
        if out_of_bounds {
            problems.push(self::out_of_bounds(input.leaf));
        } else if search.has_met_the_length_bound() {
            problems.push(too_long(input.leaf));
        }
    }
    for (index, candidate) in climbed.iter().enumerate() {
        let role = if index == 0 { Role::Leaf } else { Role::Intermediate };
        validity::check(candidate, role, options, &mut problems);
        purpose::check(candidate, role, options, &mut problems);
    }
    names::check(&CertPath { certificates: &[input.leaf], options, signatures: input.signatures }, &mut problems);
    verdict::sort(&mut problems);
    let roles = std::iter::once(Role::Leaf).chain(std::iter::repeat(Role::Intermediate));
    let chain = climbed.iter().zip(roles).map(|(candidate, role)| Link::new(candidate, role)).collect();
    Verdict { valid: false, chain, problems, until: None, rustls_refuses: None }
}

/// Follows valid signatures upwards, and returns why they end.
fn climb<'a>(leaf: &'a Candidate, climbed: &mut Vec<&'a Candidate>, search: &Search<'a>) -> Problem {
    let mut head = leaf;
    loop {
        climbed.push(head);
        let candidates = search.issuers_by_name(head);
        if candidates.is_empty() || head.is_self_issued() && search.diagnose(head, head) == Some(Ok(())) {
            return end_of_chain(head, climbed.len() == 1, search);
        }
        let mut problems = Vec::new();
        let next = candidates.iter().find(|candidate| match search.diagnose(head, candidate) {
            Some(checked) => checked.map_err(|problem| problems.push(problem)).is_ok(),
            None => false,
        });
        match next {
            // Some candidates were not checked, and one of them may be the issuer.
            None if problems.len() < candidates.len() => return out_of_bounds(head),
            None => return unsigned(head, &candidates, &problems),
            Some(next) if climbed.iter().any(|known| std::ptr::eq(*known, *next)) => return circle(head, next, search),
            Some(_) if climbed.len() + 1 >= MOST_CERTIFICATES => return too_long(leaf),
            Some(next) => head = next,
        }
    }
}

fn end_of_chain(head: &Candidate, is_leaf: bool, search: &Search<'_>) -> Problem {
    let subject = &head.certificate.subject;
    if !head.is_self_issued() {
        return missing(head, search);
    }
    // `openssl req -x509` sets cA in every certificate: one with host names is meant as a leaf.
    if is_leaf && (!head.certificate.is_ca() || !head.certificate.names().is_empty()) {
        let message = format!(
            "{subject} is signed with its own key, and is not one of the roots that are trusted{}",
            among(search)
        );
        return Problem::error(&SELF_SIGNED_LEAF, head, message);
    }
    let message =
        format!("the chain ends at {subject}, which is not one of the roots that are trusted{}", among(search));
    Problem::error(&UNTRUSTED_ROOT, head, message)
}

/// Returns ` (CN=Corp Root CA)`: the subjects of up to three anchors.
fn among(search: &Search<'_>) -> String {
    let mut names: Vec<_> = search.anchors().map(|anchor| anchor.certificate.subject.to_string()).collect();
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" ({}{more})", names.join("; "))
}

fn missing(head: &Candidate, search: &Search<'_>) -> Problem {
    let certificate = &head.certificate;
    let key_id = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    let key_id = key_id.map(|id| format!(" with the key identifier {}", hex(id))).unwrap_or_default();
    let message = format!(
        "the certificate that issued {} is missing: {}{key_id} is neither in the files nor among the roots{}",
        certificate.subject,
        certificate.issuer,
        among(search)
    );
    let problem = Problem::error(&ISSUER_NOT_FOUND, head, message);
    if !certificate.is_ca() {
        return problem;
    }
    problem.hint(
        "if that is a root to be trusted, give it with --roots FILE; if it is an intermediate, add it to the file after \
         this one, or give it with --untrusted FILE",
    )
}

/// Reports certificates that were issued by each other: none of them is missing.
fn circle(head: &Candidate, issuer: &Candidate, search: &Search<'_>) -> Problem {
    let message = format!(
        "no root is reached: {} was issued by {}, which is below it in the same chain, and neither is one of the roots \
         that are trusted{}",
        head.certificate.subject,
        issuer.certificate.subject,
        among(search)
    );
    Problem::error(&UNTRUSTED_ROOT, head, message)
}

/// Reports that no candidate's key verifies the signature; `problems` are those of the candidates that were checked.
fn unsigned(head: &Candidate, candidates: &[&Candidate], problems: &[SignatureProblem]) -> Problem {
    let certificate = &head.certificate;
    // One of these keys may have signed: then it is not known that the signature is wrong.
    let unchecked: Vec<_> = candidates
        .iter()
        .zip(problems)
        .filter(|(candidate, problem)| {
            let key = candidate.certificate.public_key.kind();
            **problem == SignatureProblem::Unsupported && can_belong_together(&certificate.signature_algorithm, key)
        })
        .map(|(candidate, _)| *candidate)
        .collect();
    let is_altered = problems.contains(&SignatureProblem::Frame);
    let candidates = if unchecked.is_empty() || is_altered { candidates } else { &unchecked };
    let positions: Vec<_> = candidates.iter().take(3).map(|candidate| candidate.position.to_string()).collect();
    let positions = positions.join(", ");
    if is_altered || unchecked.is_empty() && problems.contains(&SignatureProblem::Wrong) {
        let wanted = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
        let other_key = wanted.is_some_and(|wanted| {
            candidates.iter().all(|it| it.certificate.subject_key_id.as_ref().is_some_and(|found| found != wanted))
        });
        let message = format!(
            "{} says it was issued by {}, but its signature does not verify with the key of that name in {positions}{}",
            certificate.subject,
            certificate.issuer,
            match wanted {
                Some(wanted) if other_key => format!("; the key identifier it asks for is {}", hex(wanted)),
                _ => String::new(),
            }
        );
        let hint = if other_key {
            SIGNATURE_INVALID.fix
        } else {
            "the certificate was altered after it was signed: take it from its source again"
        };
        return Problem::error(&SIGNATURE_INVALID, head, message).hint(hint);
    }
    let kinds: Vec<_> = candidates.iter().take(3).map(|it| it.certificate.public_key.kind().to_string()).collect();
    let algorithm = &certificate.signature_algorithm;
    let signed = format!(
        "{} is signed with {algorithm} by a key of kind {} ({positions})",
        certificate.subject,
        kinds.join(", ")
    );
    // With a key that fits, the parameter decides.
    if let Some(fault) = algorithm.pss_fault().filter(|_| candidates.iter().any(|it| has_fit_key(it))) {
        return Problem::error(&SIGNATURE_UNSUPPORTED, head, format!("{signed} and {fault}, which is not secure"))
            .citation(PSS_CITATION)
            .hint(PSS_FIX);
    }
    let message = format!("{signed}, which is not secure; expected {}", relied_on(head, candidates));
    let problem = Problem::error(&SIGNATURE_UNSUPPORTED, head, message);
    if certificate.signature_algorithm.is_weak() || candidates.iter().any(|it| has_fit_key(it)) {
        problem.hint(fix_for(SIGNATURE_UNSUPPORTED.fix, certificate))
    } else {
        problem.hint("make a CA with a current key, for example ecdsa-p256, and issue the certificate again from it")
    }
}

/// Returns the signatures or keys that would be accepted here.
fn relied_on(head: &Candidate, candidates: &[&Candidate]) -> &'static str {
    let is_rsa = |it: &&Candidate| matches!(it.certificate.public_key.kind(), KeyKind::Rsa { .. });
    if head.certificate.signature_algorithm.is_weak() {
        "SHA-256 or better"
    } else if candidates.iter().any(|it| has_fit_key(it)) {
        "ECDSA, Ed25519 or RSA over SHA-256, SHA-384 or SHA-512, as fits the key, with the parameters of the standard"
    } else if candidates.iter().all(is_rsa) {
        "an RSA key of 2048 to 8192 bits"
    } else {
        "a key for ECDSA on P-256, P-384 or P-521, for Ed25519 or for RSA"
    }
}

/// Returns whether signatures of this key are supported.
fn has_fit_key(candidate: &Candidate) -> bool {
    match candidate.certificate.public_key.kind() {
        KeyKind::Rsa { bits, .. } => RSA_BITS.contains(bits),
        KeyKind::Other(_) => false,
        _ => true,
    }
}

/// Reports that a chain was not followed to its end.
pub fn too_long(leaf: &Candidate) -> Problem {
    let message = format!("the chain has more than {MOST_CERTIFICATES} certificates, and is not followed further");
    Problem::error(&TOO_COMPLEX, leaf, message).hint(
        "have the certificate issued by a CA nearer to the root; or, if one of the CAs in between is to be trusted, give \
         it with --roots FILE",
    )
}

/// Reports that the budget of the search was spent.
pub fn out_of_bounds(leaf: &Candidate) -> Problem {
    Problem::error(&TOO_COMPLEX, leaf, "the search for a path was given up: too many certificates could be its issuers")
}
