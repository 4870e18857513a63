//! The certificate of an authority, as every command shows it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::report::json::{Hex, Serial, Shown, Time};
use crate::x509::{Certificate, DistinguishedName};

/// The certificate of an authority.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Authority")]
pub struct AuthorityJson<'a> {
    authority: &'a str,
    subject: Shown<&'a DistinguishedName>,
    serial: Serial<'a>,
    not_before: Time,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
}

impl<'a> AuthorityJson<'a> {
    pub fn new(authority: &'a str, certificate: &'a Certificate) -> Self {
        Self {
            authority,
            subject: Shown(&certificate.subject),
            serial: Serial(&certificate.serial),
            not_before: Time(certificate.validity.not_before),
            not_after: Time(certificate.validity.not_after),
            fingerprint_sha256: Hex(certificate.fingerprint()),
        }
    }
}
