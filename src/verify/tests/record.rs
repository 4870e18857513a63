//! Writes every chain that these tests make to a folder, with the question and the answer, so that other programs can be
//! asked too: `tests/suite/differential.rs` does.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::x509::pem;

pub(super) fn case(folder: &Path, input: VerifyInput<'_>, options: &VerifyOptions, verdict: &Verdict) {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    // Octets at random, of which no table of differences can speak.
    if std::thread::current().name().is_some_and(|test| test.ends_with("never_panic")) {
        return;
    }
    let certificate = |candidate: &Candidate| pem::certificate(candidate.certificate.as_der());
    let errors = verdict.problems.iter().filter(|problem| problem.severity == Severity::Error);
    let case = json!({
        "test": std::thread::current().name(),
        "leaf": certificate(input.leaf),
        "untrusted": input.untrusted.iter().map(|candidate| certificate(candidate)).collect::<Vec<_>>(),
        "roots": input.anchors.iter().map(certificate).collect::<Vec<_>>(),
        "lists": input.crls.iter().map(|crl| pem::encode("X509 CRL", crl.contents.as_der())).collect::<Vec<_>>(),
        "at": options.at.unix_timestamp(),
        "purpose": options.purpose.name(),
        "names": options.names.iter().map(|name| json!({ "kind": name.kind(), "value": name.value() })).collect::<Vec<_>>(),
        "max_path_length": options.max_path_length,
        "must_hold_until": options.must_be_valid_until.is_some(),
        "check_revocation": options.check_revocation,
        "own_roots": options.own_roots,
        "valid": verdict.valid,
        "errors": errors.map(|problem| problem.code).collect::<Vec<_>>(),
    });
    let file = folder.join(format!("{}.json", NUMBER.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(file, case.to_string()).unwrap();
}
