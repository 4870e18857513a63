//! Any octets as a request, as a file and as DER; and requests made from them, really signed. What must hold of a request that
//! is verified: its signature counts, its key is plain, and every name in it can be asked for by a flag, too.

use ca::issuance::{CsrLimits, Profile, UnusableNames, VerifiedCsr, verify_csr};
use ca::keys::{Signer, verify};
use ca::x509::signing_request::der_of_file;
use ca::x509::{GeneralName, SigningRequest, der};

use super::kit::{self, KEYS, Words};

const LIMITS: CsrLimits = CsrLimits { bytes: 64 * 1024, names: 100 };

pub fn run(data: &[u8]) {
    if let Ok(request) = SigningRequest::from_der(data) {
        assert_eq!(request.as_der(), data);
    }
    if let Ok(content) = der_of_file(data) {
        check(verify_csr(&content, LIMITS, UnusableNames::Refuse).ok());
    }
    is_verified(data);
}

/// Runs the target on a request made from the octets; whether it is one that could be granted.
pub fn is_verified(data: &[u8]) -> bool {
    let verified = verify_csr(&request(&mut Words(data)), LIMITS, UnusableNames::Refuse).ok();
    let is_verified = verified.is_some();
    check(verified);
    is_verified
}

fn check(verified: Option<VerifiedCsr>) {
    let Some(verified) = verified else { return };
    let request = verified.request();
    let signed = verify(&request.public_key, &request.signature_algorithm, request.tbs(), &request.signature);
    assert_eq!(signed, Ok(()));
    assert_eq!((request.version, request.malformed.len()), (1, 0));
    // The subject is checked where a template takes it.
    let client = Profile::read("client", "client.toml", include_str!("../../../templates/client.toml")).unwrap();
    if let Ok(taken) = client.take_subject(&verified, &[]) {
        let is_sound = |text: &String| text.chars().count() <= 64 && !text.chars().any(char::is_control);
        assert!(taken.attributes.iter().all(|(_, value)| is_sound(value)));
    }
    let names = verified.names();
    assert!(names.len() <= 100);
    for name in &names {
        if matches!(name, GeneralName::Dns(_) | GeneralName::Email(_) | GeneralName::Uri(_)) {
            assert_eq!(name.to_string().parse().as_ref(), Ok(name));
        }
    }
}

fn request(words: &mut Words<'_>) -> Vec<u8> {
    let signer = &KEYS[0];
    let bent = words.octet();
    let version = if bent & 15 == 1 { words.octet() } else { 0 };
    let key = if bent & 15 == 2 { words.one(&KEYS) } else { signer };
    let extensions = kit::some(words, |words| match words.below(4) {
        0 => kit::wrap(17, words.is(), &der::value(der::SEQUENCE, &kit::some(words, kit::general_name))),
        1 => kit::wrap(19, words.is(), &der::sequence(&[&[1, 1, 0xff]])),
        2 => kit::wrap(37, words.is(), &der::sequence(&[&[6, 4, 0x55, 0x1d, 0x25, 0]])),
        _ => kit::wrap(words.octet() & 0x7f, words.is(), words.octets()),
    });
    let values = der::value(der::SET, &der::value(der::SEQUENCE, &extensions));
    let extension_request = der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]);
    let attributes = if words.is() { der::sequence(&[&extension_request, &values]) } else { Vec::new() };
    let more = if bent & 15 == 3 { words.octets() } else { &[] };
    let attributes = der::value(der::context_constructed(0), &[&attributes, more].concat());
    let info = der::sequence(&[&[2, 1, version], &kit::name(words), key.public_key().spki(), &attributes]);
    kit::sign(&info, signer)
}
