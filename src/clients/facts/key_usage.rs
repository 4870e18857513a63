//! Key usage (RFC 5280 §4.2.1.3).

use super::item::Item;
use super::keys;
use crate::clients::fact::{Found, words};
use crate::clients::raw::{RawCertificate, extension};
use crate::clients::raw_der::expect;
use crate::x509::der;

words! {
    MISSING = "ku:missing", ANY, "has no key usage", "RFC 5280 §4.2.1.3";
    NOT_CRITICAL = "ku:not-critical", ANY, "has a key usage that is not critical", "RFC 5280 §4.2.1.3";
    EMPTY = "ku:empty", ANY, "has a key usage without any bit", "RFC 5280 §4.2.1.3";
    UNREADABLE = "unreadable:ku", ANY, "has a key usage that cannot be read", "RFC 5280 §4.2.1.3";
    NO_CERT_SIGN = "ku:no-cert-sign", CA, "has a key usage without keyCertSign", "RFC 5280 §6.1.4 (n)";
    KEY_AGREEMENT_ONLY = "ku:ka-only", LEAF, "has a key usage with keyAgreement and without digitalSignature", "RFC 8446 §4.4.2.2";
    KEY_ENCIPHERMENT_ONLY = "ku:ke-only", LEAF, "has a key usage with keyEncipherment and without digitalSignature",
        "RFC 8446 §4.4.2.2";
    KEY_ENCIPHERMENT_WITHOUT_RSA = "ku:ke-without-rsa", LEAF, "has the key usage keyEncipherment, which is for RSA keys", "RFC 5480 §3";
    NO_SIGNATURE_EC = "ku:no-signature-ec", LEAF, "has a key usage without digitalSignature", "RFC 8446 §4.4.2.2";
    NO_SIGNATURE_RSA = "ku:no-signature-rsa", LEAF, "has an RSA key with a key usage without digitalSignature", "RFC 8446 §4.4.2.2";
    NO_ENCIPHERMENT_RSA = "ku:no-encipherment-rsa", LEAF, "has an RSA key with a key usage without keyEncipherment",
        "RFC 5246 §7.4.2";
    NO_TLS_USE = "ku:no-tls-use", LEAF, "has a key usage that no key exchange of TLS can use", "RFC 5246 §7.4.2";
    CERT_SIGN = "ku:cert-sign", LEAF, "has the key usage keyCertSign, as a CA", "RFC 5280 §4.2.1.3";
    CERT_SIGN_WITHOUT_CA = "ku:cert-sign-without-ca", LEAF, "has the key usage keyCertSign and is not a CA", "RFC 5280 §4.2.1.9";
    CERT_SIGN_ONLY_WITHOUT_CA = "ku:cert-sign-only-without-ca", LEAF,
        "has the key usage keyCertSign without digitalSignature, and is not a CA", "RFC 5280 §4.2.1.9";
}

const DIGITAL_SIGNATURE: u8 = 0x80;
const KEY_ENCIPHERMENT: u8 = 0x20;
const KEY_AGREEMENT: u8 = 0x08;
const KEY_CERT_SIGN: u8 = 0x04;

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    let Some(extension) = certificate.extension(extension::KEY_USAGE) else { return found.add(subject, &MISSING) };
    found.add_if(!extension.critical, subject, &NOT_CRITICAL);
    let Some((bits, _)) = expect(der::BIT_STRING, extension.value) else { return found.add(subject, &UNREADABLE) };
    let bits = bits.get(1..).unwrap_or_default();
    let is_empty = bits.iter().all(|byte| *byte == 0);
    found.add_if(is_empty, subject, &EMPTY);
    let first = bits.first().copied().unwrap_or_default();
    let has = |bit: u8| first & bit != 0;
    if !item.is_leaf() {
        // Go takes a key usage without any bit for none.
        return found.add_if(!has(KEY_CERT_SIGN) && !is_empty, subject, &NO_CERT_SIGN);
    }
    let is_rsa = matches!(certificate.key.algorithm, keys::RSA | keys::RSA_PSS);
    let exchange = if is_rsa { KEY_ENCIPHERMENT } else { KEY_AGREEMENT };
    if !has(DIGITAL_SIGNATURE) {
        found.add(subject, if is_rsa { &NO_SIGNATURE_RSA } else { &NO_SIGNATURE_EC });
        match (has(exchange), is_rsa) {
            (true, true) => found.add(subject, &KEY_ENCIPHERMENT_ONLY),
            (true, false) => found.add(subject, &KEY_AGREEMENT_ONLY),
            (false, _) => found.add(subject, &NO_TLS_USE),
        }
    }
    found.add_if(has(DIGITAL_SIGNATURE) && !has(exchange) && is_rsa, subject, &NO_ENCIPHERMENT_RSA);
    found.add_if(has(KEY_ENCIPHERMENT) && !is_rsa, subject, &KEY_ENCIPHERMENT_WITHOUT_RSA);
    if has(KEY_CERT_SIGN) {
        let word = match (certificate.is_ca(), has(DIGITAL_SIGNATURE)) {
            (true, _) => &CERT_SIGN,
            (false, true) => &CERT_SIGN_WITHOUT_CA,
            (false, false) => &CERT_SIGN_ONLY_WITHOUT_CA,
        };
        found.add(subject, word);
    }
}

/// Returns whether the key may sign certificates: there is no key usage, or it says so.
pub fn allows_cert_sign(certificate: &RawCertificate<'_>) -> bool {
    let bits = certificate.extension(extension::KEY_USAGE).and_then(|it| expect(der::BIT_STRING, it.value));
    bits.is_none_or(|(bits, _)| bits.get(1).is_some_and(|first| first & KEY_CERT_SIGN != 0))
}
