//! The subject name (RFC 5280 §4.1.2.6 and appendix A.1).

use super::item::Item;
use crate::clients::fact::{Found, words};
use crate::clients::raw_name::{BMP, COMMON_NAME, COUNTRY, EMAIL, RawAttribute, TELETEX, UNIVERSAL};
use crate::x509::der;
use crate::x509::der_rules::is_printable_string;

words! {
    EMPTY = "dn:empty", ANY, "has an empty subject", "RFC 5280 §4.1.2.6";
    T61 = "dn:t61", ANY, "has a T61String in its subject", "RFC 5280 §4.1.2.4";
    T61_HIGH = "dn:t61-high", ANY, "has a T61String with letters outside of ASCII in its subject", "RFC 5280 §4.1.2.4";
    BMP_STRING = "dn:bmp", ANY, "has a BMPString in its subject", "RFC 5280 §4.1.2.4";
    UNIVERSAL_STRING = "dn:universal", ANY, "has a UniversalString in its subject", "RFC 5280 §4.1.2.4";
    PRINTABLE_BAD = "dn:printable-bad", ANY, "has a character in its subject that a PrintableString does not allow", "X.680 §41.4";
    UTF8_BAD = "dn:utf8-bad", ANY, "has a UTF8String in its subject that is not UTF-8", "RFC 5280 §4.1.2.4";
    EMPTY_VALUE = "dn:empty-value", ANY, "has an empty attribute in its subject", "RFC 5280 appendix A.1";
    COUNTRY_LENGTH = "dn:country-length", ANY, "has a country in its subject that is not two letters", "RFC 5280 appendix A.1";
    COUNTRY_NOT_PRINTABLE = "dn:country-not-printable", ANY, "has a country in its subject that is not a PrintableString",
        "RFC 5280 appendix A.1";
    MULTI_RDN = "dn:multi-rdn", ANY, "has a relative name of several attributes in its subject", "RFC 5280 §4.1.2.4";
    EMAIL_ADDRESS = "dn:email", ANY, "has an e-mail address in its subject", "RFC 5280 §4.1.2.6";
    COMMON_NAME_LONG = "dn:cn-over-64", ANY, "has a common name of more than 64 bytes", "RFC 5280 appendix A.1";
    COMMON_NAME_TWICE = "dn:cn-twice", ANY, "has two common names", "BR §7.1.4.3";
}

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, name) = (item.subject, &item.certificate.subject);
    found.add_if(name.is_empty(), subject, &EMPTY);
    found.add_if(name.relative.iter().any(|set| set.len() > 1), subject, &MULTI_RDN);
    let common_names = name.attributes().filter(|attribute| attribute.oid == COMMON_NAME).count();
    found.add_if(common_names > 1, subject, &COMMON_NAME_TWICE);
    for RawAttribute { oid, tag, value } in name.attributes() {
        found.add_if(value.is_empty(), subject, &EMPTY_VALUE);
        match *tag {
            TELETEX if value.is_ascii() => found.add(subject, &T61),
            TELETEX => found.add(subject, &T61_HIGH),
            BMP => found.add(subject, &BMP_STRING),
            UNIVERSAL => found.add(subject, &UNIVERSAL_STRING),
            der::PRINTABLE_STRING => found.add_if(!is_printable_string(value), subject, &PRINTABLE_BAD),
            der::UTF8_STRING => found.add_if(std::str::from_utf8(value).is_err(), subject, &UTF8_BAD),
            _ => {}
        }
        match *oid {
            COUNTRY => {
                found.add_if(value.len() != 2, subject, &COUNTRY_LENGTH);
                found.add_if(*tag != der::PRINTABLE_STRING, subject, &COUNTRY_NOT_PRINTABLE);
            }
            COMMON_NAME => found.add_if(value.len() > 64, subject, &COMMON_NAME_LONG),
            EMAIL => found.add(subject, &EMAIL_ADDRESS),
            _ => {}
        }
    }
}
