//! RFC 5280 §6.1.4 (k), (n): whoever issues is a CA, and its key signs certificates. The anchor too.

use crate::verify::question::Exhibit;
use crate::verify::verdict::{Code, Problem, Role};
use crate::x509::KeyUsage;

pub const NOT_A_CA: Code = Code {
    code: "not-a-ca",
    citation: "RFC 5280 §4.2.1.9, §6.1.4 (k)",
    demand: "Every certificate that issued another is a CA certificate of version 3, with cA in basicConstraints",
    example: "CN=web.corp.test stands as intermediate in the chain, but it has no basicConstraints: it is no CA",
    cure: "have the certificate signed by a CA; a leaf cannot issue",
};

pub const ISSUER_WITHOUT_KEY_CERT_SIGN: Code = Code {
    code: "issuer-without-key-cert-sign",
    citation: "RFC 5280 §4.2.1.3, §6.1.4 (n)",
    demand: "The key usage of a certificate that issued another has keyCertSign",
    example: "the key usage of the intermediate is crl-sign, expected key-cert-sign among it",
    cure: "issue the CA certificate anew with key usage keyCertSign",
};

/// Adds what keeps a certificate from issuing others.
pub fn check(exhibit: &Exhibit, role: Role, problems: &mut Vec<Problem>) {
    let certificate = &exhibit.certificate;
    if !certificate.is_ca() {
        let found = match certificate.basic_constraints {
            None => "has no basicConstraints",
            Some(_) => "has basicConstraints without cA",
        };
        let message = format!("{} stands as {role} in the chain, but it {found}: it is no CA", certificate.subject);
        problems.push(Problem::error(&NOT_A_CA, exhibit, message));
    } else if certificate.version != 3 {
        let message = format!("the {role} has version {}, expected 3", certificate.version);
        problems.push(Problem::error(&NOT_A_CA, exhibit, message));
    }
    if let Some(usage) = certificate.key_usage
        && !usage.contains(KeyUsage::KEY_CERT_SIGN)
    {
        let message = format!("the key usage of the {role} is {usage}, expected key-cert-sign among it");
        problems.push(Problem::error(&ISSUER_WITHOUT_KEY_CERT_SIGN, exhibit, message));
    }
}
