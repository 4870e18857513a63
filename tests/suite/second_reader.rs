//! Does `ca inspect` read a certificate as another library does? Every certificate that the Python packages of the tests ship
//! (pyca's own vectors and PKITS among them) is read by pyca/cryptography too: serial number, names, dates, keys, usages,
//! extensions, signature, fingerprints. Each difference is one of a list, with its reason; a reason without a difference fails.

use std::process::Command;

use serde_json::Value;

use crate::support::program::{Place, succeeded};
use crate::support::{repository, skip};

/// What pyca does not read, by the beginning of its words, and why `ca inspect` shows more.
static UNREAD: &[(&str, &str)] = &[
    (
        "ValueError: Invalid/unsupported signature algorithm for SCT",
        "pyca reads signed timestamps, which have no name here",
    ),
    (
        "ValueError: Invalid/unsupported hash algorithm for SCT",
        "as above; and one extension hides the others from its callers",
    ),
    ("ValueError: Invalid SCT version", "as above"),
    ("ValueError: Invalid SCT length", "the list is called malformed here, and the rest is read"),
    ("ValueError: CpsUri ASN.1 structure found but OID did not match", "qualifiers of policies are not read here"),
    ("ValueError: UserNotice ASN.1 structure found but OID did not match", "as above"),
    ("ValueError: error parsing asn1 value", "the extension is called malformed here, and the rest is read"),
    ("ValueError: Invalid netmask", "name constraints with holes in a mask are shown, and refused where they count"),
    ("ValueError: Invalid IPNetwork", "the constraints are called malformed here, and the rest is read"),
    ("UnsupportedGeneralNameType", "names of other forms are shown by their tag"),
    ("DuplicateExtension", "the second one is called malformed here, and the rest is read"),
    ("ValueError: path_length must be None when ca is False", "it is shown, and a rule of form reports it"),
    ("UnsupportedAlgorithm: Unknown key type", "the object identifier of the kind is shown"),
];

/// Differences in the file of this name, in this field, and why.
static DIFFERENT: &[(&str, &str, &str)] = &[
    (
        "ec_no_named_curve.pem",
        "public_key",
        "pyca takes written-out parameters for the curve that they describe; here they have no name",
    ),
    ("rsa_pss", "public_key", "a key for RSASSA-PSS alone is a kind of its own here; pyca calls it an RSA key"),
];

#[test]
fn a_second_reader_reads_the_same_in_every_certificate_that_the_packages_ship() {
    let Some(packages) = skip::unless_python_package("cryptography_vectors") else { return };
    let Some(python) = skip::unless_python() else { return };
    let place = Place::new();
    std::fs::create_dir(place.path("certificates")).unwrap();
    let mut command = Command::new(python);
    command.arg(repository().join("tests/interop/read_certificates.py"));
    command.arg(place.path("certificates")).arg(packages.parent().unwrap());
    let said = succeeded("pyca", &command.output().unwrap());

    let (mut unexplained, mut used, mut certificates) = (Vec::new(), Vec::new(), 0);
    for line in said.lines() {
        let read: Value = serde_json::from_str(line).unwrap();
        let file = read["file"].as_str().unwrap();
        let output = place.ca(&format!("--json inspect certificates/{}.der", read["number"])).output().unwrap();
        let inspected: Value = serde_json::from_str(&succeeded(file, &output)).unwrap();
        let inspected = &inspected["objects"][0];
        certificates += 1;
        for (field, theirs) in read["fields"].as_object().unwrap() {
            let mut ours = inspected[field].clone();
            if let (true, Some(purposes)) = (field == "extended_key_usage", ours.as_array_mut()) {
                purposes.sort_by_key(|purpose| purpose.as_str().unwrap().to_owned());
            }
            if has(&ours, theirs) {
                continue;
            }
            let reason = match theirs["unreadable"].as_str() {
                Some(words) => UNREAD.iter().find(|(known, _)| words.starts_with(known)).map(|(known, _)| *known),
                None => {
                    let is_known = |known: &&(&str, &'static str, &str)| {
                        file.rsplit('/').next().unwrap().starts_with(known.0) && known.1 == field
                    };
                    DIFFERENT.iter().find(is_known).map(|known| known.0)
                }
            };
            match reason {
                Some(reason) => used.push(reason),
                None => unexplained.push(format!("{file}: {field}\n  pyca:       {theirs}\n  ca inspect: {ours}")),
            }
        }
    }
    assert!(unexplained.is_empty(), "{} differences:\n{}", unexplained.len(), unexplained.join("\n"));
    assert!(certificates > 400, "{certificates} certificates");
    let reasons = UNREAD.iter().map(|(reason, _)| reason).chain(DIFFERENT.iter().map(|(file, ..)| file));
    let unused: Vec<_> = reasons.filter(|reason| !used.contains(reason)).collect();
    assert!(unused.is_empty(), "no difference needs these reasons: {unused:?}");
}

/// Returns whether a value has all that another one says; a list has exactly its elements.
fn has(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.iter().all(|(name, value)| ours.get(name).is_some_and(|own| has(own, value)))
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(ours, theirs)| has(ours, theirs))
        }
        _ => ours == theirs,
    }
}
