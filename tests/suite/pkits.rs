//! NIST's Public Key Interoperability Test Suite (PKITS 1.0.1), its own certificates and lists: every end entity is judged
//! with everything else on the table, so that the path has to be found, too. Its names say the answer that is expected.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::program::Place;
use crate::support::skip;

/// While all of them are valid, but for those that are meant not to be.
const AT: &str = "2026-01-01T00:00:00Z";

/// What is to come out where the name does not say it: nobody here asks for a policy, so that these paths hold (the settings
/// of §4.8 and §4.12 that ask for one have no flag).
const HOLD_WITHOUT_A_POLICY: &[&str] = &[
    "AllCertificatesNoPoliciesTest2EE",
    "AllCertificatesSamePoliciesTest10EE",
    "AllCertificatesSamePoliciesTest13EE",
    "AllCertificatesanyPolicyTest11EE",
    "AnyPolicyTest14EE",
    "CPSPointerQualifierTest20EE",
    "DifferentPoliciesTest3EE",
    "OverlappingPoliciesTest6EE",
    "UserNoticeQualifierTest15EE",
    "UserNoticeQualifierTest16EE",
    "UserNoticeQualifierTest17EE",
    "UserNoticeQualifierTest18EE",
    "UserNoticeQualifierTest19EE",
    "inhibitAnyPolicyTest3EE",
];

/// Their CAs require a policy that holds along the whole path, and none does (§4.8.4 to §4.8.12).
const LACK_A_REQUIRED_POLICY: &[&str] = &[
    "DifferentPoliciesTest4EE",
    "DifferentPoliciesTest5EE",
    "DifferentPoliciesTest7EE",
    "DifferentPoliciesTest8EE",
    "DifferentPoliciesTest9EE",
    "DifferentPoliciesTest12EE",
];

/// DSA is not relied on: no TLS library takes it any more.
const DSA: &[&str] = &["ValidDSASignaturesTest4EE", "ValidDSAParameterInheritanceTest5EE"];

#[test]
fn every_path_of_pkits_is_judged_as_nist_says() {
    let Some(folder) = skip::unless_python_package("cryptography_vectors/x509/PKITS_data") else { return };
    let files = |below: &str| {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder.join(below)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    };
    let name = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let (leaves, authorities): (Vec<_>, Vec<_>) =
        files("certs").into_iter().partition(|path| name(path).ends_with("EE"));
    let place = Place::new();
    let mut command = place.command(crate::support::program::binary());
    command.args(["verify", "--json", "--purpose", "any", "--at", AT]).args(&leaves);
    for authority in authorities {
        let flag = if name(&authority) == "TrustAnchorRootCertificate" { "--roots" } else { "--untrusted" };
        command.arg(flag).arg(authority);
    }
    for list in files("crls") {
        command.arg("--crl").arg(list);
    }
    let said = command.output().unwrap();
    assert_eq!(said.status.code(), Some(1), "{}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).unwrap();
    let answers = said["results"].as_array().unwrap();
    assert_eq!((leaves.len(), answers.len()), (223, 223));

    let mut wrong = Vec::new();
    for (leaf, answer) in leaves.iter().zip(answers) {
        let name = name(leaf);
        let expected = match &*name {
            name if DSA.contains(&name) || LACK_A_REQUIRED_POLICY.contains(&name) => false,
            name if HOLD_WITHOUT_A_POLICY.contains(&name) => true,
            name => {
                assert!(name.starts_with("Valid") || name.starts_with("Invalid"), "{name} says nothing");
                name.starts_with("Valid")
            }
        };
        let errors: Vec<&str> = answer["problems"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|problem| problem["severity"] == "error")
            .map(|problem| problem["code"].as_str().unwrap())
            .collect();
        if answer["valid"] != expected || errors.is_empty() != expected {
            wrong.push(format!("{name}: expected {expected}, found {errors:?}"));
        }
        if DSA.contains(&&*name) {
            assert_eq!(errors, ["signature-unsupported"], "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
