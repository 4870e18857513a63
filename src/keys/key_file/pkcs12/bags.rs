//! The bags of a PKCS#12 file and their attributes (RFC 7292 §4.2).

use cms::content_info::ContentInfo;
use pkcs8::ObjectIdentifier;
use pkcs8::der::asn1::{Any, BmpString, OctetString, SetOfVec};
use pkcs8::der::{Encode, Error};
use pkcs12::cert_type::CertBag;
use pkcs12::safe_bag::SafeBag;
use pkcs12::{PKCS_12_CERT_BAG_OID, PKCS_12_PKCS8_KEY_BAG_OID, PKCS_12_X509_CERT_OID};
use x509_cert::attr::{Attribute, Attributes};

use crate::x509::digest;

/// id-data (RFC 5652 §4).
pub(super) const DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.1");
/// friendlyName and localKeyId (RFC 2985 §5.5).
const FRIENDLY_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.20");
const LOCAL_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.21");
/// Oracle's attribute of a certificate that Java trusts: without it, Java counts no entry. Its values are purposes.
const TRUSTED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.113894.746875.1.1");
const ANY_EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Returns the attributes of a private key and of its certificate: the same identifier makes them a pair. Only the digest of the
/// certificate has to differ between pairs.
pub(super) fn attributes_of_key(name: &str, certificate: &[u8]) -> Result<Attributes, Error> {
    let id = OctetString::new(digest::sha1(certificate))?;
    SetOfVec::try_from(vec![friendly_name(name)?, attribute(LOCAL_KEY_ID, Any::encode_from(&id)?)?])
}

/// Returns the attributes of a certificate that Java trusts for all purposes.
pub(super) fn attributes_of_trusted(name: &str) -> Result<Attributes, Error> {
    let any = Any::encode_from(&ANY_EXTENDED_KEY_USAGE)?;
    SetOfVec::try_from(vec![friendly_name(name)?, attribute(TRUSTED_KEY_USAGE, any)?])
}

/// A BMPString has no characters beyond the first 65,536 of Unicode.
fn friendly_name(name: &str) -> Result<Attribute, Error> {
    let name: String = name.chars().map(|c| if u32::from(c) > 0xffff { '?' } else { c }).collect();
    attribute(FRIENDLY_NAME, Any::encode_from(&BmpString::from_utf8(&name)?)?)
}

fn attribute(oid: ObjectIdentifier, value: Any) -> Result<Attribute, Error> {
    Ok(Attribute { oid, values: SetOfVec::try_from(vec![value])? })
}

pub(super) fn certificate(der: &[u8], bag_attributes: Option<Attributes>) -> Result<SafeBag, Error> {
    let bag = CertBag { cert_id: PKCS_12_X509_CERT_OID, cert_value: OctetString::new(der)? };
    Ok(SafeBag { bag_id: PKCS_12_CERT_BAG_OID, bag_value: bag.to_der()?, bag_attributes })
}

/// `encrypted` is the DER of an `EncryptedPrivateKeyInfo`.
pub(super) fn encrypted_key(encrypted: Vec<u8>, attributes: Attributes) -> SafeBag {
    SafeBag { bag_id: PKCS_12_PKCS8_KEY_BAG_OID, bag_value: encrypted, bag_attributes: Some(attributes) }
}

/// Returns content that is not encrypted.
pub(super) fn data(content: &[u8]) -> Result<ContentInfo, Error> {
    Ok(ContentInfo { content_type: DATA, content: Any::encode_from(&OctetString::new(content)?)? })
}
