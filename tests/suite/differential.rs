//! The judge beside other judges: every chain that the library's tests make is shown to OpenSSL, GnuTLS and Python's
//! `cryptography` too. Each difference stands here with its reason; a reason that no difference needs any more fails as well.
//!
//! Left out are questions that the others cannot be asked (`tests/interop/differential.py` says which), crowds of more than
//! thirty certificates, which are about cost and not about verdicts, and octets at random. Of the thousands of combinations in
//! `src/verify/tests/matrix.rs` every sixty-first is shown.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::support::{program, repository, skip};

/// Where the others differ, and why.
struct Difference {
    judges: &'static [&'static str],
    /// Whether they accept what is refused here, or refuse what is accepted.
    accept: bool,
    /// The codes of the refusal here, or what they say.
    what: &'static [&'static str],
    #[expect(dead_code, reason = "read by people")]
    why: &'static str,
}

const ALL: &[&str] = &["openssl", "gnutls", "cryptography"];

const fn accepting(judges: &'static [&'static str], what: &'static [&'static str], why: &'static str) -> Difference {
    Difference { judges, accept: true, what, why }
}

const fn refusing(judges: &'static [&'static str], what: &'static [&'static str], why: &'static str) -> Difference {
    Difference { judges, accept: false, what, why }
}

static DIFFERENCES: &[Difference] = &[
    accepting(
        ALL,
        &["common-name-spelling", "public-suffix-wildcard", "root-key-id-differs", "root-with-purposes"],
        "Baseline Requirements that no library checks; here they count for servers alone",
    ),
    accepting(
        ALL,
        &["policy-constraints-not-critical", "serial-not-positive", "serial-too-long", "rsa-exponent"],
        "RFC 5280 §4.1.2.2, §4.2.1.11 and RFC 8017 §3.1 bind CAs; verifiers are to cope. Here TLS is refused, `any` is not",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["name-constraints-empty", "name-constraints-in-leaf", "name-constraints-leading-dot"],
        "RFC 5280 §4.2.1.10 says MUST NOT of each; they read what is there as if it were right",
    ),
    accepting(
        ALL,
        &["extended-key-usage-any", "rsa-key-size"],
        "Baseline Requirements of servers that depend on a security level, or are not checked, elsewhere",
    ),
    accepting(
        ALL,
        &["key-kind-unfit"],
        "a path says nothing of what the leaf's key is good for; rustls, whose yes is needed, contains no handshake with it",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["signature-unsupported"],
        "they read parameters of an ECDSA signature over; RFC 5758 §3.2 says that there are none",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["extended-key-usage-critical", "subject-alt-name-needlessly-critical"],
        "a Baseline Requirement of servers",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["name-constraint-unprocessable"],
        "RFC 5280 §4.2.1.10: a constraint that is not processed means no. They skip forms of names that they do not know, \
         and OpenSSL's bound on comparisons is wider",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["name-constraint-violated"],
        "OpenSSL lets a wildcard stand for an excluded name; GnuTLS compares no directory names and no URIs",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["no-subject-alt-name"],
        "they fall back on the common name, which RFC 9525 §2 has left behind",
    ),
    accepting(
        &["openssl"],
        &["policy-not-satisfied"],
        "it takes no policy constraints from an anchor (RFC 5937 §3.2 does)",
    ),
    accepting(
        &["openssl"],
        &["crl-unusable", "revocation-unknown"],
        "it does without the CRL number that RFC 5280 §5.2.3 demands and the rule for entries of §5.3.3, and reads a scope that is BER and not DER",
    ),
    accepting(
        &["openssl"],
        &["revoked"],
        "it asks one list of several: here every list of the issuer counts, the expired, the delta and the one out of scope",
    ),
    accepting(
        &["gnutls"],
        &[
            "authority-key-id-missing",
            "authority-key-id-names-serial",
            "ca-as-leaf",
            "ca-basic-constraints-not-critical",
            "ca-subject-empty",
            "ca-without-subject-key-id",
            "extended-key-usage-empty",
            "issuer-empty",
            "key-cert-sign-without-ca",
            "key-id-critical",
            "key-usage-empty",
            "path-length-without-ca",
            "subject-alt-name-criticality",
            "subject-alt-name-empty",
        ],
        "it has no check of form like OpenSSL's x509_strict; here TLS is refused (RFC 5280 §4, Baseline Requirements)",
    ),
    accepting(
        &["gnutls"],
        &["key-usage-unfit", "wrong-purpose"],
        "it leaves key usage to the handshake, and asks the leaf alone for the purpose, where an empty list is any",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["unknown-critical-extension"],
        "they do not look at the qualifiers of policies, which RFC 5280 §4.2.1.4 asks to be understood or refused",
    ),
    accepting(
        &["openssl", "gnutls"],
        &["version-not-3"],
        "they read a version that does not exist, and extensions in a version that has none; Go, Java, rustls and Chrome do not",
    ),
    accepting(&["gnutls"], &["not-a-ca"], "it takes an anchor for a CA, whatever its basicConstraints say"),
    accepting(
        &["cryptography"],
        &[
            "authority-key-id-names-serial",
            "ca-without-subject-key-id",
            "key-id-critical",
            "key-usage-empty",
            "key-usage-unfit",
            "path-length-without-ca",
        ],
        "RFC 5280 §4.2.1 says so; its profile of the Web PKI does not look",
    ),
    accepting(
        ALL,
        &["rustls-refuses"],
        "any purpose in a CA is a purpose for them, and critical policies they process; not so rustls, whose yes is needed",
    ),
    refusing(
        &["openssl"],
        &[
            "Basic Constraints of CA cert not marked critical",
            "CA cert does not include key usage extension",
            "Empty Subject Alternative Name extension",
            "Missing Authority Key Identifier",
            "Missing Subject Key Identifier",
            "Path length invalid for non-CA cert",
        ],
        "x509_strict is about form; path validation alone (RFC 5280 §6, `--purpose any`) is content, with a warning",
    ),
    accepting(
        &["openssl", "cryptography"],
        &["authority-key-id-missing"],
        "an anchor that bears its own name and was signed with another key: they look at the name alone",
    ),
    refusing(
        &["openssl"],
        &["excluded subtree violation", "permitted subtree violation"],
        "it contains the common name against constraints on DNS where there is no DNS name, and a mailbox in the subject even \
         beside one in the subject alternative name (RFC 5280 §4.2.1.10 does so only without that extension); of two CAs with \
         one name it takes one, and does not go back for the other",
    ),
    refusing(
        &["openssl"],
        &["certificate signature failure", "invalid CA certificate"],
        "of two CAs with one name and one key identifier it takes one, and does not go back for the other",
    ),
    refusing(
        &["gnutls"],
        &[
            "The certificate chain uses expired certificate.",
            "The certificate chain uses not yet valid certificate.",
            "The certificate issuer is not a CA.",
            "The signature in the certificate is invalid.",
        ],
        "of two CAs with one name and one key identifier it takes one, and does not go back for the other",
    ),
    refusing(
        &["openssl"],
        &["unhandled critical extension"],
        "a critical subject key identifier is wrong in form, but its meaning is known here",
    ),
    refusing(
        &["openssl"],
        &["certificate has expired"],
        "RFC 5280 §4.1.2.5: the second of notAfter still belongs to the certificate",
    ),
    refusing(&["openssl"], &["gives up"], "it takes thousands of policies for an attack; the bound here is higher"),
    refusing(
        &["openssl"],
        &["CRL signature failure", "different CRL scope"],
        "it tries the first list that fits by name; here every list is held against every key of the CA (RFC 5280 §6.3.3 (f))",
    ),
    refusing(
        &["openssl"],
        &["certificate revoked"],
        "it looks at delta lists only where freshestCRL points to them; here a delta lifts a hold (RFC 5280 §5.3.1)",
    ),
    refusing(
        &["openssl"],
        &["unable to get local issuer certificate"],
        "names in other letters than ASCII are not folded there, issuers of indirect lists are looked for among the trusted, \
         and an authority key identifier with a serial is binding",
    ),
    refusing(
        &["gnutls"],
        &["The certificate chain violates the signer's constraints."],
        "self-issued CAs count for its path lengths (RFC 5280 §6.1.4 (l) exempts them), and constraints on directory names, \
         URIs and mailboxes are unknown to it",
    ),
    refusing(
        &["gnutls"],
        &["The certificate contains an unknown critical extension."],
        "it does not process policy constraints and mappings",
    ),
    refusing(
        &["gnutls"],
        &["The certificate issuer is unknown."],
        "it compares names byte by byte, not as RFC 5280 §7.1 asks, and takes key identifiers as binding",
    ),
    refusing(&["gnutls"], &["cannot be read"], "version 1 with extensions is not read there; here it is told"),
    refusing(
        &["cryptography"],
        &["validity dates between 1950 and 2049 must be UtcTime"],
        "RFC 5280 §4.1.2.5 says so to CAs; verifiers are to read either form, and the warning tells",
    ),
    refusing(&["cryptography"], &["Forbidden public key algorithm"], "its Web PKI profile knows no Ed25519"),
    refusing(
        &["cryptography"],
        &["fatal error: critical nameConstraints extension contains an unsupported directoryName constraint"],
        "it does not process constraints on directory names",
    ),
    refusing(
        &["cryptography"],
        &["invalid extension: 2.5.29.37: Certificate extension has incorrect criticality"],
        "the Baseline Requirements say so of leaves; a CA may insist on what it is limited to (RFC 5280 §4.2.1.12)",
    ),
    refusing(
        &["cryptography"],
        &["Forbidden signature algorithm"],
        "RFC 4055 §2.1: parameters of a digest that are absent MUST be accepted; it has the form with NULL alone",
    ),
    accepting(
        &["openssl"],
        &["too-complex"],
        "its bound on the length of a chain is higher; here 24 certificates, and the bound is what is reported",
    ),
    refusing(
        &["openssl"],
        &["unsuitable certificate purpose"],
        "any purpose in a CA is none of TLS for it (RFC 5280 §4.2.1.12 says any)",
    ),
    refusing(
        &["cryptography"],
        &["invalid extension: 2.5.29.17: Certificate is missing required extension"],
        "it asks clients for a subject alternative name; RFC 5280 §4.2.1.6 only where the subject is empty",
    ),
];

#[test]
fn every_difference_to_openssl_gnutls_and_python_has_a_reason() {
    if !skip::unless_installed(&["openssl", "certtool", "python3"]) {
        return;
    }
    let Some(python) = skip::unless_python() else { return };
    let cases = tempfile::tempdir().unwrap();
    // This very build of the library's tests, once more.
    let mut tests = program::cargo();
    tests.args(["test", "--lib", "--quiet", "verify::"]).env("CA_TEST_CHAINS", cases.path());
    program::succeeded("the library's tests", &tests.output().unwrap());

    let mut unexplained = Vec::new();
    let mut needed = BTreeMap::new();
    for judge in ALL {
        let mut command = Command::new(&python);
        command.arg(repository().join("tests/interop/differential.py")).arg(judge).arg(cases.path());
        let said = program::succeeded(judge, &command.output().unwrap());
        let mut asked = 0;
        for line in said.lines() {
            let answer: Value = serde_json::from_str(line).unwrap();
            let file = cases.path().join(answer["case"].as_str().unwrap());
            let case: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            let is_crowd = case["untrusted"].as_array().unwrap().len() > 30;
            if is_crowd || case["own_roots"] == true || case["must_hold_until"] == true || answer["valid"].is_null() {
                continue;
            }
            asked += 1;
            let (theirs, ours) = (answer["valid"] == true, case["valid"] == true);
            let what: Vec<&str> = match (theirs, ours) {
                (true, false) => case["errors"].as_array().unwrap().iter().filter_map(Value::as_str).collect(),
                (false, true) => vec![answer["said"].as_str().unwrap()],
                _ => continue,
            };
            for what in what {
                let found = DIFFERENCES.iter().enumerate().find_map(|(index, it)| {
                    let applies = it.accept == theirs && it.judges.contains(judge);
                    let word = it.what.iter().position(|word| applies && what.starts_with(word))?;
                    Some((index, word))
                });
                match found {
                    Some((index, word)) => drop(needed.insert((index, word, *judge), ())),
                    None => {
                        let verb = if theirs { "accepts" } else { "refuses" };
                        unexplained.push(format!("{judge} {verb}: {what} ({})", case["test"]));
                    }
                }
            }
        }
        assert!(asked > 50, "{judge} was asked {asked} times only");
    }
    unexplained.sort();
    unexplained.dedup();
    assert!(unexplained.is_empty(), "differences without a reason:\n{}", unexplained.join("\n"));
    let all = DIFFERENCES.iter().enumerate().flat_map(|(index, it)| {
        let words = (0..it.what.len()).flat_map(move |word| it.judges.iter().map(move |judge| (index, word, *judge)));
        words.map(move |key| (key, it.what[key.1]))
    });
    let idle: Vec<_> = all
        .filter(|(key, _)| !needed.contains_key(key))
        .map(|((.., judge), what)| format!("{judge}: {what}"))
        .collect();
    assert!(idle.is_empty(), "reasons that nothing needs any more:\n{}", idle.join("\n"));
}
