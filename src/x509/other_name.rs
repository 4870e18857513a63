//! Two forms of otherName (RFC 5280 §4.2.1.6): the user principal name of Windows, and the Kerberos principal of PKINIT (RFC 4556
//! §3.2.2).

use super::{der, uri_host};
use crate::text;

/// `szOID_NT_PRINCIPAL_NAME`, 1.3.6.1.4.1.311.20.2.3: the value is a UTF8String, `alice@corp.test`.
const UPN: &[u8] = &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 20, 2, 3];
/// `id-pkinit-san`, 1.3.6.1.5.2.2: the value is a KRB5PrincipalName.
const KERBEROS: &[u8] = &[0x2b, 6, 1, 5, 2, 2];

const GENERAL_STRING: u8 = 0x1b;

/// The forms of otherName that this program writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherForm {
    Upn,
    Kerberos,
}

impl OtherForm {
    const ALL: [Self; 2] = [Self::Upn, Self::Kerberos];

    /// Returns the name of the kind in flags, templates and reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Upn => "upn",
            Self::Kerberos => "kerberos",
        }
    }

    /// Encodes a principal as a `GeneralName`: `alice@corp.test`, or `HTTP/web.corp.test@CORP.TEST`.
    ///
    /// # Errors
    /// With the reason why it is not one.
    pub fn encode(self, given: &str) -> Result<Vec<u8>, &'static str> {
        let (principal, realm) = given.rsplit_once('@').ok_or("it has no '@'")?;
        let (oid, value) = match self {
            Self::Upn => {
                check_part(principal, &['/', '\\'])?;
                if !uri_host::is_plain_host(realm) {
                    return Err("the part after the '@' is not a DNS name");
                }
                (UPN, der::value(der::UTF8_STRING, given.as_bytes()))
            }
            Self::Kerberos => (KERBEROS, kerberos(principal, realm)?),
        };
        let oid = der::value(der::OBJECT_IDENTIFIER, oid);
        let value = der::value(der::context_constructed(0), &value);
        Ok(der::constructed(der::context_constructed(0), &[&oid, &value]))
    }
}

/// Returns the form and the principal of a `GeneralName` that has the tag `[0]`; `None` when it is another otherName, or not in the
/// form that [`OtherForm::encode`] writes.
pub fn read(whole: &[u8]) -> Option<(OtherForm, String)> {
    let (_, content, []) = der::split_first(whole)? else { return None };
    let (der::OBJECT_IDENTIFIER, oid, rest) = der::split_first(content)? else { return None };
    let (_, value, []) = der::split_first(rest)? else { return None };
    let (form, principal) = match oid {
        UPN => (OtherForm::Upn, String::from_utf8(der::split_first(value)?.1.to_vec()).ok()?),
        KERBEROS => (OtherForm::Kerberos, read_kerberos(value)?),
        _ => return None,
    };
    form.encode(&principal).is_ok_and(|again| again == whole).then_some((form, principal))
}

/// Returns the form with this word in front of a name.
pub fn form(word: &str) -> Option<OtherForm> {
    OtherForm::ALL.into_iter().find(|form| form.word() == word)
}

fn check_part(part: &str, forbidden: &[char]) -> Result<(), &'static str> {
    if part.is_empty() {
        Err("a part of it is empty")
    } else if part.contains(['@', '*']) || part.contains(forbidden) {
        Err("it contains a character that separates parts")
    } else if !part.chars().all(text::is_plainly_visible) || part.contains(char::is_whitespace) {
        Err("it contains a space or an invisible character")
    } else {
        Ok(())
    }
}

/// Encodes `KRB5PrincipalName ::= SEQUENCE { realm [0] Realm, principalName [1] PrincipalName }` (RFC 4556 §3.2.2, RFC 4120 §5.2).
fn kerberos(principal: &str, realm: &str) -> Result<Vec<u8>, &'static str> {
    // RFC 4120 §6.2: a name type is a hint; krbtgt is NT-SRV-INST, everything else here NT-PRINCIPAL.
    const NT_PRINCIPAL: u8 = 1;
    const NT_SRV_INST: u8 = 2;
    let components: Vec<&str> = principal.split('/').collect();
    for part in components.iter().chain([&realm]) {
        check_part(part, &['/', '\\', ':'])?;
        // RFC 4120 §5.2.1: only the characters of IA5String.
        if !part.is_ascii() {
            return Err("a Kerberos principal has ASCII characters only");
        }
    }
    let kind = if components.len() == 2 && components[0] == "krbtgt" { NT_SRV_INST } else { NT_PRINCIPAL };
    let string = |text: &str| der::value(GENERAL_STRING, text.as_bytes());
    let strings: Vec<Vec<u8>> = components.into_iter().map(string).collect();
    let names = der::sequence(&strings.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let explicit = |number, value: &[u8]| der::value(der::context_constructed(number), value);
    let name = der::sequence(&[&explicit(0, &der::value(der::INTEGER, &[kind])), &explicit(1, &names)]);
    Ok(der::sequence(&[&explicit(0, &string(realm)), &explicit(1, &name)]))
}

fn read_kerberos(value: &[u8]) -> Option<String> {
    let inner = |bytes| der::split_first(bytes).map(|(_, content, _)| content);
    let fields = |bytes| inner(bytes).and_then(der::children);
    let parts = fields(value)?;
    let [realm, name] = parts.as_slice() else { return None };
    let name = fields(inner(name)?)?;
    let [_kind, names] = name.as_slice() else { return None };
    let text = |bytes| String::from_utf8(inner(bytes)?.to_vec()).ok();
    let components: Vec<String> = fields(inner(names)?)?.into_iter().map(text).collect::<Option<_>>()?;
    Some(format!("{}@{}", components.join("/"), text(inner(realm)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn principals_are_read_as_they_were_written() {
        for (form, principal) in [
            (OtherForm::Upn, "alice@corp.test"),
            (OtherForm::Upn, "älice@Corp.test"),
            (OtherForm::Kerberos, "alice@CORP.TEST"),
            (OtherForm::Kerberos, "HTTP/web.corp.test@CORP.TEST"),
            (OtherForm::Kerberos, "krbtgt/CORP.TEST@CORP.TEST"),
        ] {
            let encoded = form.encode(principal).unwrap();
            assert_eq!(read(&encoded), Some((form, principal.to_owned())), "{principal}");
            assert_eq!(crate::x509::der_form::check_one_value(&encoded), Ok(()));
        }
    }

    #[test]
    fn the_bytes_are_those_of_openssl_and_mit() {
        let upn = OtherForm::Upn.encode("a@b.test").unwrap();
        assert_eq!(text::hex(&upn), "a018060a2b060104018237140203a00a0c086140622e74657374");
        // The example of the PKINIT documentation of MIT Kerberos, made with openssl.
        let kerberos = OtherForm::Kerberos.encode("u@R").unwrap();
        assert_eq!(text::hex(&kerberos), "a02106062b0601050202a0173015a0031b0152a10e300ca003020101a10530031b0175");
    }

    #[test]
    fn what_programs_could_split_in_another_way_is_refused() {
        for (form, principal) in [
            (OtherForm::Upn, ""),
            (OtherForm::Upn, "alice"),
            (OtherForm::Upn, "@corp.test"),
            (OtherForm::Upn, "alice@"),
            (OtherForm::Upn, "alice@evil.test@corp.test"),
            (OtherForm::Upn, "alice\0@corp.test"),
            (OtherForm::Upn, "a b@corp.test"),
            (OtherForm::Upn, "CORP\\alice@corp.test"),
            (OtherForm::Upn, "*@corp.test"),
            (OtherForm::Upn, "alice@*.corp.test"),
            (OtherForm::Kerberos, "alice"),
            (OtherForm::Kerberos, "a//b@R"),
            (OtherForm::Kerberos, "/a@R"),
            (OtherForm::Kerberos, "a\\/b@R"),
            (OtherForm::Kerberos, "älice@R"),
            (OtherForm::Kerberos, "a@R/S"),
            (OtherForm::Kerberos, "a@"),
        ] {
            assert!(form.encode(principal).is_err(), "{principal}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_what_is_written_is_read(
            bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..60), text in "[a/@.*]{0,8}",
        ) {
            read(&bytes);
            for form in OtherForm::ALL {
                if let Ok(encoded) = form.encode(&text) {
                    proptest::prop_assert_eq!(read(&encoded), Some((form, text.clone())));
                }
            }
        }
    }
}
