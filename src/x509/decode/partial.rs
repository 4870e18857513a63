//! A certificate as far as it can be read, for `ca inspect` and `ca lint`. Nothing is verified or trusted with it.

use x509_parser::extensions::X509Extension;
use x509_parser::prelude::FromDer;

use super::{CERTIFICATE, DecodeError, Signed, elements, place};
use crate::x509::certificate::UnreadablePart;
use crate::x509::{Certificate, SerialNumber, der};

impl Certificate {
    /// Decodes a certificate of which a relative name, an extension or the serial number may be unreadable: such parts are
    /// in [`unreadable`](Certificate::unreadable), and [`from_der`](Certificate::from_der) refuses the certificate.
    ///
    /// # Errors
    /// When another part cannot be read.
    pub fn read_partially(input: &[u8]) -> Result<Self, DecodeError> {
        let error = match Self::decode(input) {
            Ok(certificate) => return Ok(certificate),
            Err(error) => error,
        };
        let Some((without, unreadable)) = without_unreadable_parts(input) else { return Err(error) };
        let mut certificate = Self::decode(&without).map_err(|_| error.clone())?;
        let tbs = Signed::split(CERTIFICATE, input)?.tbs_range();
        (certificate.der, certificate.tbs) = (input.to_vec(), tbs);
        certificate.unreadable.extend(unreadable);
        Ok(certificate)
    }
}

/// Returns the certificate without the extensions that cannot be read, and with the serial number in its shortest form.
/// `None` when there is no such part, or the certificate cannot be split.
fn without_unreadable_parts(input: &[u8]) -> Option<(Vec<u8>, Vec<UnreadablePart>)> {
    let (der::SEQUENCE, content, []) = der::split_first(input)? else { return None };
    let [tbs, algorithm, signature] = der::children(content)?[..] else { return None };
    let (der::SEQUENCE, content, []) = der::split_first(tbs)? else { return None };
    let mut fields: Vec<Vec<u8>> = der::children(content)?.into_iter().map(<[u8]>::to_vec).collect();
    let mut unreadable = Vec::new();
    let serial = fields.iter_mut().find(|field| field.first() == Some(&der::INTEGER))?;
    let (_, digits, _) = der::split_first(serial)?;
    let shortest = SerialNumber::from_der_content(digits);
    if shortest.as_der_content().len() != digits.len() {
        let reason = "it takes more bytes than it has to, as in BER".to_owned();
        unreadable.push(UnreadablePart { place: "serial number".to_owned(), reason });
        *serial = der::value(der::INTEGER, shortest.as_der_content());
    }
    if let Some(last) = fields.last_mut().filter(|field| field.first() == Some(&der::context_constructed(3)))
        && let (_, list, []) = der::split_first(last)?
        && let (der::SEQUENCE, extensions, []) = der::split_first(list)?
    {
        let mut readable: Vec<&[u8]> = Vec::new();
        for (number, extension) in (1..).zip(der::children(extensions)?) {
            if elements::is_extension(extension) && X509Extension::from_der(extension).is_ok() {
                readable.push(extension);
            } else {
                let reason = place::of_extension(extension);
                unreadable.push(UnreadablePart { place: place::extension(number, extension), reason });
            }
        }
        *last = der::value(der::context_constructed(3), &der::sequence(&readable));
    }
    let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
    Some((der::sequence(&[&der::sequence(&fields), algorithm, signature]), unreadable))
        .filter(|(_, unreadable)| !unreadable.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::{TestCa, TestCert};
    use crate::x509::certificate::oid;

    /// Returns the certificate with another field at this place of what is signed, counted from the version.
    fn with_field(at: usize, change: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let whole = TestCa::root().issue_der(&TestCert::server("web.test"));
        let (_, content, _) = der::split_first(&whole).unwrap();
        let [tbs, algorithm, signature] = der::children(content).unwrap()[..] else { panic!("it has three parts") };
        let (_, fields, _) = der::split_first(tbs).unwrap();
        let mut fields: Vec<Vec<u8>> = der::children(fields).unwrap().into_iter().map(<[u8]>::to_vec).collect();
        fields[at] = change(&fields[at]);
        let fields: Vec<&[u8]> = fields.iter().map(Vec::as_slice).collect();
        der::sequence(&[&der::sequence(&fields), algorithm, signature])
    }

    fn parts(input: &[u8]) -> Vec<String> {
        let refused = Certificate::from_der(input).unwrap_err().to_string();
        let certificate = Certificate::read_partially(input).unwrap();
        assert_eq!(certificate.as_der(), input);
        assert!(input.windows(certificate.tbs().len()).any(|window| window == certificate.tbs()));
        let parts = certificate.unreadable.iter().map(|part| format!("{}: {}", part.place, part.reason));
        let parts: Vec<_> = parts.collect();
        assert_eq!(refused, format!("it is not the DER of a certificate: {}", parts[0]));
        parts
    }

    #[test]
    fn a_part_that_cannot_be_read_hides_nothing_else() {
        let empty_first = |name: &[u8]| {
            let (_, content, _) = der::split_first(name).unwrap();
            der::sequence(&[&[der::SET, 0], content])
        };
        assert_eq!(parts(&with_field(5, empty_first)), ["subject, relative name 1: it has no attribute"]);
        assert_eq!(parts(&with_field(3, empty_first)), ["issuer, relative name 1: it has no attribute"]);
        let padded = with_field(1, |_| vec![der::INTEGER, 2, 0, 5]);
        assert_eq!(parts(&padded), ["serial number: it takes more bytes than it has to, as in BER"]);
        assert_eq!(Certificate::read_partially(&padded).unwrap().serial.to_string(), "05");

        let odd =
            der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, 15]), &[der::BOOLEAN, 2, 0, 0], &[4, 0]]);
        let broken = with_field(7, |extensions| {
            let (tag, list, _) = der::split_first(extensions).unwrap();
            let (_, list, _) = der::split_first(list).unwrap();
            der::value(tag, &der::sequence(&[&odd, list]))
        });
        assert_eq!(parts(&broken), ["extension 1 (key usage): its BOOLEAN critical is neither 00 nor ff"]);
        let rest = Certificate::read_partially(&broken).unwrap();
        assert_eq!(rest.names().len(), 1);
        assert!(rest.extension(oid::SUBJECT_ALT_NAME).is_some());
    }

    #[test]
    fn an_error_names_the_field() {
        let cases: [(usize, &[u8], &str); 7] = [
            (1, &[der::NULL, 0], "serial number: an INTEGER is expected, and a NULL found"),
            (2, &[der::SEQUENCE, 0], "inner signature algorithm: it does not begin with an object identifier"),
            (3, &[der::SET, 0], "issuer: a SEQUENCE is expected, and a SET found"),
            (4, &[der::SEQUENCE, 3, der::UTC_TIME, 1, b'x'], "validity, not after: it is missing"),
            (
                4,
                &[der::SEQUENCE, 6, der::UTC_TIME, 1, b'x', der::UTC_TIME, 1, b'y'],
                "validity, not before: the date 'x' cannot be read",
            ),
            (5, &[der::INTEGER, 1, 1], "subject: a SEQUENCE is expected, and an INTEGER found"),
            (6, &[der::SEQUENCE, 2, der::SEQUENCE, 0], "public key, bits: it is missing"),
        ];
        for (at, field, place) in cases {
            let input = with_field(at, |_| field.to_vec());
            for read in [Certificate::from_der(&input), Certificate::read_partially(&input)] {
                assert_eq!(read.unwrap_err().to_string(), format!("it is not the DER of a certificate: {place}"));
            }
        }
        let whole = with_field(1, <[u8]>::to_vec);
        let cut = &whole[..whole.len() - 1];
        let message = Certificate::read_partially(cut).unwrap_err().to_string();
        assert!(
            message.contains(&format!("it is cut off: {} bytes are announced, and {}", whole.len(), cut.len())),
            "{message}"
        );
    }

    proptest::proptest! {
        #[test]
        fn no_damage_makes_it_panic(
            changes in proptest::collection::vec((proptest::prelude::any::<proptest::sample::Index>(), proptest::num::u8::ANY), 0..4),
        ) {
            let mut bytes = with_field(1, <[u8]>::to_vec);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            match (Certificate::from_der(&bytes), Certificate::read_partially(&bytes)) {
                (Ok(whole), partial) => proptest::prop_assert_eq!(Ok(whole), partial),
                (Err(_), Ok(partial)) => proptest::prop_assert!(!partial.unreadable.is_empty() && partial.as_der() == bytes),
                (Err(_), Err(_)) => {}
            }
        }
    }
}
