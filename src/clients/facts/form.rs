//! Version, serial number, and the other fields around the extensions (RFC 5280 §4.1).

use super::item::Item;
use crate::clients::fact::{Found, words};

words! {
    VERSION_1 = "version-1", ANY, "is of version 1", "RFC 5280 §4.1.2.1";
    VERSION_1_WITH_EXTENSIONS = "version-1-with-extensions", ANY, "is of version 1 and has extensions", "RFC 5280 §4.1.2.1";
    VERSION_2 = "version-2", ANY, "is of version 2", "RFC 5280 §4.1.2.1";
    VERSION_4 = "version-4", ANY, "is of version 4 or later, which does not exist", "RFC 5280 §4.1.2.1";
    NO_EXTENSIONS = "no-extensions", LEAF, "has no extensions", "RFC 5280 §4.2";
    EXTENSIONS_EMPTY = "extensions-empty", ANY, "has a list of extensions with nothing in it", "RFC 5280 §4.1";
    UNIQUE_ID = "unique-id", ANY, "has a unique identifier of version 2", "RFC 5280 §4.1.2.8";
    SERIAL_ZERO = "serial-zero", ANY, "has the serial number 0", "RFC 5280 §4.1.2.2";
    SERIAL_NEGATIVE = "serial-negative", ANY, "has a negative serial number", "RFC 5280 §4.1.2.2";
    SERIAL_OVER_20 = "serial-over-20-octets", ANY, "has a serial number of more than 20 bytes", "RFC 5280 §4.1.2.2";
    SERIAL_OVER_20_BY_SIGN = "serial-over-20-octets-by-sign", ANY,
        "has a serial number that takes 21 bytes because its first bit is set", "RFC 5280 §4.1.2.2";
    SERIAL_OVER_21 = "serial-over-21-octets", ANY, "has a serial number of more than 21 bytes", "RFC 5280 §4.1.2.2";
    SERIAL_OVER_36 = "serial-over-36-octets", ANY, "has a serial number of more than 36 bytes", "RFC 5280 §4.1.2.2";
    SERIAL_PADDED = "serial-padded", ANY, "has a serial number with a needless first byte", "X.690 §8.3.2";
}

pub fn find(item: &Item<'_, '_>, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    let extensions = certificate.extensions().len();
    match certificate.version {
        1 if certificate.extension_list.is_some() => found.add(subject, &VERSION_1_WITH_EXTENSIONS),
        1 => found.add(subject, &VERSION_1),
        2 => found.add(subject, &VERSION_2),
        3 => {
            found.add_if(item.is_leaf() && extensions == 0, subject, &NO_EXTENSIONS);
            found.add_if(certificate.extension_list.is_some() && extensions == 0, subject, &EXTENSIONS_EMPTY);
        }
        _ => found.add(subject, &VERSION_4),
    }
    found.add_if(certificate.has_unique_id, subject, &UNIQUE_ID);
    let serial = certificate.serial;
    let is_zero = serial.iter().all(|byte| *byte == 0);
    found.add_if(is_zero, subject, &SERIAL_ZERO);
    found.add_if(serial.first().is_some_and(|byte| byte & 0x80 != 0), subject, &SERIAL_NEGATIVE);
    let is_padded = matches!(serial, [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..]);
    found.add_if(is_padded && !is_zero, subject, &SERIAL_PADDED);
    match serial {
        [0, rest @ ..] if rest.len() == 20 && !is_padded => found.add(subject, &SERIAL_OVER_20_BY_SIGN),
        _ => found.add_if(serial.len() > 20, subject, &SERIAL_OVER_20),
    }
    found.add_if(serial.len() > 21, subject, &SERIAL_OVER_21);
    found.add_if(serial.len() > 36, subject, &SERIAL_OVER_36);
}
