//! Input of all kinds: from other tools, damaged, and meaningless.

use proptest::prelude::*;

use super::*;
use crate::lint::testing::{TestCa, TestCert};
use crate::x509::certificate::oid;
use crate::x509::crl::RevocationReason;
use crate::x509::{Crl, pem};

/// Returns the content of the first block of a file under tests/data/certificates.
fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/certificates").join(name);
    pem::parse_all(&std::fs::read(path).unwrap()).unwrap().remove(0).content.to_vec()
}

#[test]
fn an_authority_key_id_tells_of_an_issuer_or_a_serial_number_beside_it() {
    let names = |fields: &[&[u8]]| {
        let leaf = TestCert::leaf("web.test").extension(oid::AUTHORITY_KEY_ID, false, der::sequence(fields));
        TestCa::root().issue(leaf).authority_key_id.unwrap().names_issuer_and_serial
    };
    let key_id = der::value(der::context(0), &[1; 20]);
    let issuer = der::value(der::context_constructed(1), &der::value(der::context(2), b"ca.test"));
    let serial = der::value(der::context(2), &[7]);
    assert!(!names(&[&key_id]));
    assert!(names(&[&key_id, &issuer]));
    assert!(names(&[&key_id, &serial]));
}

/// Parameters that are written out, or of another tag, are not the curve whose name has the same content.
#[test]
fn the_curve_of_a_key_is_named_by_an_object_identifier_alone() {
    const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    let key = crate::keys::PrivateKey::generate(crate::x509::KeyAlgorithm::EcdsaP256).unwrap();
    let point = PublicKey::from_spki(crate::keys::Signer::public_key(&key).spki()).unwrap().bits().to_vec();
    let kind = |parameters: &[u8]| {
        let algorithm = der::sequence(&[&crate::lint::testing::object_identifier("1.2.840.10045.2.1"), parameters]);
        let spki = der::sequence(&[&algorithm, &der::bit_string(&point)]);
        PublicKey::from_spki(&spki).unwrap().kind().to_string()
    };
    assert_eq!(kind(&der::value(der::OBJECT_IDENTIFIER, &P256)), "ecdsa-p256");
    for tag in [der::SEQUENCE, der::OCTET_STRING, der::context(6)] {
        assert_eq!(kind(&der::value(tag, &P256)), "ec-without-named-curve (1.2.840.10045.2.1)", "{tag:#x}");
    }
    assert_eq!(kind(&[]), "ec-without-named-curve (1.2.840.10045.2.1)");
}

#[test]
fn a_certificate_that_is_not_one_of_a_ca_is_known_without_decoding_it() {
    let (root, ca) = (TestCa::root(), [0x30, 3, 1, 1, 0xff]);
    let may_be_of_ca = |certificate: TestCert| Certificate::may_be_of_ca(&root.issue_der(&certificate));
    let with = |is_critical: bool, value: &[u8]| {
        may_be_of_ca(TestCert::leaf("web.test").extension(oid::BASIC_CONSTRAINTS, is_critical, value.to_vec()))
    };
    assert!(may_be_of_ca(TestCert::ca("CA")));
    assert!(!may_be_of_ca(TestCert::leaf("web.test")));
    for is_critical in [true, false] {
        assert!(!with(is_critical, &[0x30, 0]));
        assert!(with(is_critical, &ca) && with(is_critical, &[0x30, 3, 1, 1, 0]), "true says nothing");
    }
    // The bytes of an extension without the CA bit elsewhere hide nothing.
    let decoy = [0x55, 0x1d, 0x13, 4, 2, 0x30, 0];
    assert!(may_be_of_ca(TestCert::ca("CA").extension("1.2.3.4", false, decoy.to_vec())));
    assert!(!Certificate::may_be_of_ca(&[]) && Certificate::may_be_of_ca(&[0x55, 0x1d, 0x13]));
}

/// Decodes bytes as every kind of object; the decoded object keeps the bytes.
fn read_as_everything(bytes: &[u8]) {
    if let Ok(certificate) = Certificate::from_der(bytes) {
        assert_eq!(certificate.as_der(), bytes);
        assert!(certificate.tbs().len() < bytes.len());
        assert!(Certificate::may_be_of_ca(bytes) || !certificate.is_ca());
        assert_eq!(PublicKey::of_certificate(bytes).as_ref(), Ok(&certificate.public_key));
        drop(format!("{certificate:?} {} {}", certificate.subject, certificate.serial));
    }
    if let Ok(list) = Crl::from_der(bytes) {
        assert_eq!(list.as_der(), bytes);
        drop(format!("{list:?}"));
    }
    if let Ok(request) = SigningRequest::from_der(bytes) {
        assert_eq!(request.as_der(), bytes);
        drop(format!("{request:?}"));
    }
    if let Ok(key) = PublicKey::from_spki(bytes) {
        assert_eq!(key.spki(), bytes);
    }
    if let Ok(name) = DistinguishedName::from_der(bytes) {
        assert_eq!(name.as_der(), bytes);
        drop(name.to_string());
    }
}

/// Object identifier, string tag, bytes.
type AttributeParts<'a> = (&'a [u8], u8, &'a [u8]);

/// Returns a name with these attributes, each list of them one relative name.
fn name_of(relative_names: &[&[AttributeParts<'_>]]) -> String {
    let relative_names: Vec<Vec<u8>> = relative_names
        .iter()
        .map(|attributes| {
            let attributes: Vec<Vec<u8>> = attributes
                .iter()
                .map(|(oid, tag, value)| {
                    der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, oid), &der::value(*tag, value)])
                })
                .collect();
            der::constructed(der::SET, &attributes.iter().map(Vec::as_slice).collect::<Vec<_>>())
        })
        .collect();
    let der = der::sequence(&relative_names.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let name = DistinguishedName::from_der(&der).unwrap();
    assert_eq!(name.as_der(), der);
    name.to_string()
}

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const UNIT: &[u8] = &[0x55, 4, 11];
const DOMAIN: &[u8] = &[9, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25];

#[test]
fn names_of_other_tools_are_read_in_every_string_type() {
    const T61: u8 = 0x14;
    const UNIVERSAL: u8 = 0x1c;
    const BMP: u8 = 0x1e;
    assert_eq!(name_of(&[&[(ORGANIZATION, T61, b"M\xfcller")]]), "O=Müller");
    assert_eq!(name_of(&[&[(ORGANIZATION, BMP, &[0, 0x4d, 0, 0xfc, 0x30, 0x42])]]), "O=Müあ");
    assert_eq!(name_of(&[&[(ORGANIZATION, UNIVERSAL, &[0, 0, 0, 0x4d, 0, 1, 0xf6, 0x00])]]), "O=M😀");
    assert_eq!(name_of(&[&[(ORGANIZATION, der::PRINTABLE_STRING, b"Acme")]]), "O=Acme");
    // A value that is not text is shown as its DER.
    assert_eq!(name_of(&[&[(ORGANIZATION, BMP, &[0xd8, 0])]]), "O=#1e02d800");
    assert_eq!(name_of(&[&[(ORGANIZATION, BMP, &[0])]]), "O=#1e0100");
    assert_eq!(name_of(&[&[(ORGANIZATION, UNIVERSAL, &[0xff, 0, 0, 0])]]), "O=#1c04ff000000");
    assert_eq!(name_of(&[&[(ORGANIZATION, der::UTF8_STRING, &[0xff])]]), "O=#0c01ff");
    assert_eq!(name_of(&[&[(ORGANIZATION, der::SEQUENCE, &[0x0c, 1, b'a'])]]), "O=#30030c0161");
    assert_eq!(name_of(&[&[(ORGANIZATION, der::BIT_STRING, b"\0abc")]]), "O=#030400616263");
    // Text that looks like it is not.
    assert_eq!(name_of(&[&[(ORGANIZATION, der::UTF8_STRING, b"#30030c0161")]]), "O=\\#30030c0161");
    // Nor do spaces at an end get lost.
    assert_eq!(name_of(&[&[(ORGANIZATION, der::UTF8_STRING, b" a b ")]]), "O=\\ a b\\ ");
    assert_eq!(name_of(&[&[(ORGANIZATION, der::UTF8_STRING, b" ")]]), "O=\\ ");
}

#[test]
fn no_attribute_of_a_name_gets_lost() {
    let text = der::UTF8_STRING;
    assert_eq!(name_of(&[&[(UNIT, text, b"One")], &[(UNIT, text, b"Two")]]), "OU=One, OU=Two");
    let domain = der::IA5_STRING;
    assert_eq!(name_of(&[&[(DOMAIN, domain, b"test")], &[(DOMAIN, domain, b"corp")]]), "DC=test, DC=corp");
    assert_eq!(name_of(&[&[(COMMON_NAME, text, b"a"), (UNIT, text, b"b")]]), "CN=a + OU=b");
    assert_eq!(name_of(&[]), "");
}

#[test]
fn what_openssl_wrote_is_read_whole() {
    let certificate = Certificate::from_der(&fixture("web.pem")).unwrap();
    assert_eq!(certificate.subject.to_string(), "C=DE, O=Acme GmbH, OU=One, OU=Two, CN=web.corp.test");
    assert_eq!(certificate.malformed, []);
    let request = SigningRequest::from_der(&fixture("web.csr.pem")).unwrap();
    assert_eq!((&request.subject, &request.public_key), (&certificate.subject, &certificate.public_key));
    assert_eq!(request.subject_alt_names, certificate.subject_alt_names);
    let list = Crl::from_der(&fixture("ca.crl.pem")).unwrap();
    assert_eq!(list.issuer, certificate.issuer);
    assert_eq!(list.number.as_deref(), Some(&[1][..]));
    assert_eq!(list.entries_of(&certificate.serial).next().unwrap().reason, Some(RevocationReason::KeyCompromise));
    let name = DistinguishedName::from_der(certificate.subject.as_der()).unwrap();
    assert_eq!(name, certificate.subject);
}

#[test]
fn nothing_may_follow_what_is_read() {
    for name in ["web.pem", "web.csr.pem", "ca.crl.pem"] {
        let longer = [fixture(name), vec![0]].concat();
        for error in [
            Certificate::from_der(&longer).err(),
            Crl::from_der(&longer).err(),
            SigningRequest::from_der(&longer).err(),
        ] {
            assert!(error.is_some(), "{name}");
        }
    }
}

#[test]
fn a_crl_is_decoded_entry_by_entry_and_may_have_one_list_of_entries_only() {
    let list = fixture("ca.crl.pem");
    let whole = Crl::from_der(&list).unwrap();
    let mut entries = Vec::new();
    let read = Crl::read(list.clone(), |entry| entries.push(entry)).unwrap();
    assert!(!entries.is_empty() && read.entries.is_empty());
    assert_eq!(Crl { entries, ..read }, whole);

    // The same CRL with other fields after the date of the next update.
    let (_, content, _) = der::split_first(&list).unwrap();
    let [tbs, algorithm, signature] = der::children(content).unwrap()[..] else { panic!("it has three parts") };
    let (_, content, _) = der::split_first(tbs).unwrap();
    let fields = der::children(content).unwrap();
    let at = fields.iter().rposition(|field| field[0] == der::SEQUENCE).unwrap();
    let with = |entries: &[&[u8]]| {
        let tbs = [fields[..at].concat(), entries.concat(), fields[at + 1..].concat()].concat();
        Crl::from_der(&der::sequence(&[&der::sequence(&[&tbs]), algorithm, signature]))
    };
    assert_eq!(with(&[fields[at]]).unwrap(), whole);
    assert_eq!(with(&[]).unwrap().entries, []);
    let (_, entries, _) = der::split_first(fields[at]).unwrap();
    let no_entry = der::sequence(&[entries, &der::value(der::NULL, &[])]);
    let cut_off = der::sequence(&[&entries[..entries.len() - 1]]);
    for wrong in [&[fields[at], fields[at]][..], &[&no_entry], &[&cut_off]] {
        assert!(matches!(with(wrong), Err(DecodeError::Malformed { .. })));
    }
}

#[test]
fn a_public_key_with_something_after_its_two_parts_is_refused() {
    let sound = PublicKey::from_spki(Certificate::from_der(&fixture("web.pem")).unwrap().public_key.spki()).unwrap();
    let (_, content, _) = der::split_first(sound.spki()).unwrap();
    let longer = der::sequence(&[content, &der::value(der::NULL, &[])]);
    assert!(PublicKey::from_spki(&longer).is_err());
}

/// Returns the bytes with another part at the end of their outermost SEQUENCE.
fn with_a_fourth_part(bytes: &[u8]) -> Vec<u8> {
    let (_, content, _) = der::split_first(bytes).unwrap();
    der::sequence(&[content, &der::value(der::NULL, &[])])
}

#[test]
fn a_serial_number_in_more_bytes_than_it_takes_is_refused() {
    let root = TestCa::root();
    for padded in [&[0, 0x11][..], &[0xff, 0x80], &[0, 0]] {
        let message =
            Certificate::from_der(&root.issue_der(&TestCert::server("a.test").serial(padded))).unwrap_err().to_string();
        assert!(message.contains("serial number: it takes more bytes"), "{message}");
    }
    for sound in [&[0, 0x80][..], &[0x80], &[0], &[0xff, 0x7f]] {
        assert!(Certificate::from_der(&root.issue_der(&TestCert::server("a.test").serial(sound))).is_ok());
    }
}

#[test]
fn what_is_signed_has_three_parts() {
    for name in ["web.pem", "web.csr.pem", "ca.crl.pem"] {
        let longer = with_a_fourth_part(&fixture(name));
        assert!(Certificate::from_der(&longer).is_err(), "{name}");
        assert!(Crl::from_der(&longer).is_err(), "{name}");
        assert!(SigningRequest::from_der(&longer).is_err(), "{name}");
    }
}

/// Returns the CRL of the fixture with one more extension at the end.
fn list_with(extension: impl FnOnce(&[u8]) -> Vec<u8>) -> Crl {
    let bytes = fixture("ca.crl.pem");
    let (_, content, _) = der::split_first(&bytes).unwrap();
    let [tbs, algorithm, signature] = der::children(content).unwrap()[..] else { panic!("three parts") };
    let (_, fields, _) = der::split_first(tbs).unwrap();
    let mut fields = der::children(fields).unwrap();
    let (tag, extensions, _) = der::split_first(fields.pop().unwrap()).unwrap();
    let (_, extensions, _) = der::split_first(extensions).unwrap();
    let more = extension(der::children(extensions).unwrap()[0]);
    let longer = der::value(tag, &der::sequence(&[extensions, &more]));
    fields.push(&longer);
    Crl::from_der(&der::sequence(&[&der::sequence(&fields), algorithm, signature])).unwrap()
}

#[test]
fn an_extension_that_occurs_twice_in_a_crl_is_malformed() {
    assert_eq!(Crl::from_der(&fixture("ca.crl.pem")).unwrap().malformed, []);
    let list = list_with(<[u8]>::to_vec);
    assert_eq!(list.malformed.len(), 1);
    assert!(list.malformed[0].1.contains("twice"), "{:?}", list.malformed);
    assert_eq!(list_with(|first| first.repeat(3)).malformed.len(), 1);
}

/// However often a request repeats an extension, it is reported once.
#[test]
fn an_extension_that_a_request_repeats_is_malformed_once() {
    let bytes = fixture("web.csr.pem");
    let (_, content, _) = der::split_first(&bytes).unwrap();
    let [info, algorithm, signature] = der::children(content).unwrap()[..] else { panic!("three parts") };
    let (_, fields, _) = der::split_first(info).unwrap();
    let [version, subject, key, attributes] = der::children(fields).unwrap()[..] else { panic!("four fields") };
    let (tag, attributes, _) = der::split_first(attributes).unwrap();
    let (_, attribute, _) = der::split_first(attributes).unwrap();
    let [kind, values] = der::children(attribute).unwrap()[..] else { panic!("a type and values") };
    let (set, values, _) = der::split_first(values).unwrap();
    let (_, extensions, _) = der::split_first(values).unwrap();
    let first = der::children(extensions).unwrap()[0];
    let extensions = der::sequence(&[extensions, &first.repeat(3)]);
    let attribute = der::sequence(&[kind, &der::value(set, &extensions)]);
    let info = der::sequence(&[version, subject, key, &der::value(tag, &attribute)]);
    let request = SigningRequest::from_der(&der::sequence(&[&info, algorithm, signature])).unwrap();
    assert_eq!(request.malformed.len(), 1, "{:?}", request.malformed);
}

#[test]
fn a_scope_of_a_crl_that_cannot_be_read_is_malformed() {
    let issuing_distribution_point = |value: &[u8]| {
        let oid = der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, 28]);
        let value = der::value(der::OCTET_STRING, value);
        list_with(|_| der::sequence(&[&oid, &[1, 1, 0xff], &value]))
    };
    let sound = issuing_distribution_point(&der::sequence(&[&[0x81, 1, 0xff]]));
    assert!(sound.malformed.is_empty() && sound.scope.unwrap().only_user_certificates);
    let odd = issuing_distribution_point(&der::sequence(&[&[0x81, 1, 1]]));
    assert!(odd.scope.is_none() && odd.malformed.len() == 1, "{:?}", odd.malformed);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_as_everything(&bytes);
    }

    #[test]
    fn no_damage_makes_it_panic(
        which in 0..3_usize,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut bytes = fixture(["web.pem", "web.csr.pem", "ca.crl.pem"][which]);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        read_as_everything(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        read_as_everything(&bytes);
    }
}

/// Returns the value with one NULL more, in each place where something constructed ends, with the way there.
fn with_one_element_more(value: &[u8], way: &str) -> Vec<(String, Vec<u8>)> {
    const CONSTRUCTED: u8 = 0x20;
    let (tag, content, _) = der::split_first(value).unwrap();
    if tag & CONSTRUCTED == 0 {
        return Vec::new();
    }
    let children = der::children(content).unwrap();
    let mut all = vec![(way.to_owned(), der::constructed(tag, &[content, &[der::NULL, 0]]))];
    for (index, child) in children.iter().enumerate() {
        for (way, changed) in with_one_element_more(child, &format!("{way}/{index}")) {
            let mut parts = children.clone();
            parts[index] = &changed;
            all.push((way, der::constructed(tag, &parts)));
        }
    }
    all
}

#[test]
fn an_element_more_is_noticed_wherever_it_stands() {
    let root = TestCa::root();
    let certificate = root.issue(TestCert::server("web.test").permit(&["corp.test"]));
    for (way, changed) in with_one_element_more(certificate.as_der(), "") {
        if matches!(way.as_str(), "/0/2" | "/1") {
            // ECDSA has no parameters: these are some, and the algorithms inside and outside differ.
            let read = Certificate::from_der(&changed).unwrap();
            assert_ne!(read.tbs_signature_algorithm, read.signature_algorithm);
            continue;
        }
        let noticed = Certificate::from_der(&changed).map_or(true, |read| !read.malformed.is_empty());
        assert!(noticed, "at {way}");
    }
    assert_eq!(certificate.malformed, []);
    let three = der::sequence(&[&[6, 1, 0x2a], &[der::NULL, 0], &[der::NULL, 0]]);
    let cert = TestCert::server("web.test").inner_algorithm(&three).outer_algorithm(&three);
    assert!(Certificate::from_der(&root.issue_der(&cert)).is_err());
}
