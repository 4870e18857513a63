//! Tests of the recognition of files.

use std::path::Path;

use super::*;
use crate::x509::{der, pem};

fn oid(content: &[u8]) -> Vec<u8> {
    der::value(der::OBJECT_IDENTIFIER, content)
}

/// A SEQUENCE of empty values with these tags; what the outline looks at.
fn outline(tags: &[u8]) -> Vec<u8> {
    let parts: Vec<_> = tags.iter().map(|tag| der::value(*tag, &[1])).collect();
    der::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

fn signed(first: Vec<u8>) -> Vec<u8> {
    der::sequence(&[&first, &der::sequence(&[]), &der::bit_string(&[1])])
}

const SEQ: u8 = der::SEQUENCE;
const INT: u8 = der::INTEGER;
const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];

#[test]
fn der_is_told_apart_by_its_first_elements() {
    let version = der::context_constructed(0);
    let pkcs12 = der::sequence(&[&der::value(INT, &[3]), &der::sequence(&[&oid(DATA)])]);
    for (content, expected) in [
        (signed(outline(&[version, INT, SEQ, SEQ, SEQ, SEQ, SEQ])), &kinds::CERTIFICATE),
        (signed(outline(&[INT, SEQ, SEQ, SEQ, SEQ, SEQ])), &kinds::CERTIFICATE),
        (signed(outline(&[INT, SEQ, SEQ, der::UTC_TIME, der::UTC_TIME])), &kinds::CRL),
        (signed(outline(&[SEQ, SEQ, der::GENERALIZED_TIME])), &kinds::CRL),
        (signed(outline(&[INT, SEQ, SEQ, version])), &kinds::REQUEST),
        (signed(outline(&[INT, SEQ, SEQ])), &kinds::REQUEST),
        (signed(outline(&[INT, SEQ, version, SEQ, INT, SEQ])), &kinds::ATTRIBUTE_CERTIFICATE),
        (outline(&[SEQ, der::BIT_STRING]), &kinds::PUBLIC_KEY),
        (outline(&[SEQ, der::OCTET_STRING]), &kinds::PRIVATE_KEY),
        (outline(&[INT, SEQ, der::OCTET_STRING]), &kinds::PRIVATE_KEY),
        (outline(&[INT, der::OCTET_STRING, version]), &kinds::PRIVATE_KEY),
        (outline(&[INT; 9]), &kinds::PRIVATE_KEY),
        (outline(&[INT; 6]), &kinds::DSA_KEY),
        (outline(&[INT; 3]), &kinds::PARAMETERS),
        (outline(&[INT; 2]), &kinds::RSA_PUBLIC_DER),
        (pkcs12, &kinds::PKCS12),
        (der::sequence(&[&oid(&[DATA, &[2]].concat()), &der::value(version, &[])]), &kinds::PKCS7),
        (outline(&[der::ENUMERATED, version]), &kinds::OCSP_RESPONSE),
    ] {
        assert_eq!(what_is(&content), Some(expected));
        let followed = [content, vec![b'\n']].concat();
        assert_eq!(what_is_der(&followed), Some(expected));
    }
    for content in [outline(&[]), outline(&[INT]), signed(outline(&[INT])), vec![0x30, 0x80, 0, 0], vec![2, 1, 1]] {
        assert_eq!(what_is(&content), None, "{content:02x?}");
    }
}

#[test]
fn text_is_recognised_by_how_it_begins() {
    for (content, expected) in [
        ("", &kinds::EMPTY),
        (" \r\n", &kinds::EMPTY),
        ("ssh-ed25519 AAAA me@here", &kinds::SSH_PUBLIC),
        ("ecdsa-sha2-nistp256 AAAA", &kinds::SSH_PUBLIC),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", &kinds::SSH2_PUBLIC),
        ("PuTTY-User-Key-File-3: ssh-ed25519", &kinds::PUTTY),
        ("\n<!DOCTYPE html><html>", &kinds::HTML),
        ("<?xml version=\"1.0\"?>", &kinds::XML),
        ("Certificate:\n    Data:\n", &kinds::OPENSSL_TEXT),
        ("Certificate Revocation List (CRL):\n", &kinds::OPENSSL_TEXT),
        ("Keystore type: PKCS12\n", &kinds::KEYTOOL_TEXT),
        ("Alias name: web\nEntry type: PrivateKeyEntry\n", &kinds::KEYTOOL_TEXT),
        ("{\"kty\": \"EC\", \"crv\": \"P-256\"}", &kinds::JWK),
        ("{\"keys\": [{\"kty\": \"EC\"}]}", &kinds::JWKS),
        ("[1, 2]", &kinds::JSON),
        ("apiVersion: v1\nkind: Secret\ndata:\n  tls.crt: LS0t\n", &kinds::KUBERNETES_SECRET),
        ("{\"kind\": \"Secret\", \"data\": {\"tls.key\": \"LS0t\"}}", &kinds::KUBERNETES_SECRET),
        ("MIIBqTCCAU6gAwIBAgIQ\nQdt65JXw==\n", &kinds::BASE64_DER),
        ("308201a9 3082014e\n", &kinds::HEX),
        ("30:82:01:A9\n", &kinds::COLON_HEX),
        ("age-encryption.org/v1\n-> X25519", &kinds::AGE),
    ] {
        assert_eq!(what_is(content.as_bytes()), Some(expected), "{content:?}");
    }
    for content in ["hello", "Dear Sir", "30 days", "MI6 says hello!"] {
        assert_eq!(what_is(content.as_bytes()), None, "{content:?}");
    }
}

#[test]
fn binary_formats_are_recognised_by_their_first_bytes() {
    let tar = [vec![b'x'; 257], b"ustar\0".to_vec()].concat();
    for (content, expected) in [
        (&[0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2][..], &kinds::JKS),
        (&[0xce, 0xce, 0xce, 0xce, 0], &kinds::JCEKS),
        (&[0x1e, 0xf1, 0xb5, 0xb0, 0], &kinds::PVK),
        (&[7, 2, 0, 0, 0, 0xa4], &kinds::MSBLOB),
        (&[0x1f, 0x8b, 8], &kinds::GZIP),
        (b"PK\x03\x04", &kinds::ZIP),
        (&tar, &kinds::TAR),
    ] {
        assert_eq!(what_is(content), Some(expected));
    }
    // The PEM of a file in an archive does not begin a line of the archive.
    let archive = [tar, vec![0; 250], pem::certificate(&[0x30, 0]).into_bytes()].concat();
    assert_eq!(what_is(&archive), Some(&kinds::TAR));
}

#[test]
fn pem_is_recognised_by_its_label() {
    for (label, expected) in [
        ("CERTIFICATE", &kinds::CERTIFICATE),
        ("CERTIFICATE SIGNING REQUEST", &kinds::REQUEST),
        ("SSL SESSION PARAMETERS", &kinds::SSL_SESSION),
        ("ECHCONFIG", &kinds::ECH_CONFIG),
        ("X509 CRL", &kinds::CRL),
        ("ENCRYPTED PRIVATE KEY", &kinds::PRIVATE_KEY),
        ("OPENSSH PRIVATE KEY", &kinds::OPENSSH_PRIVATE),
        ("PKCS7", &kinds::PKCS7_PEM),
        ("X9.42 DH PARAMETERS", &kinds::PARAMETERS),
        ("OpenVPN Static key V1", &kinds::OPENVPN_STATIC_KEY),
        ("PGP MESSAGE", &kinds::PGP),
    ] {
        assert_eq!(what_is(pem::encode(label, &[0x30, 0]).as_bytes()), Some(expected), "{label}");
    }
    assert_eq!(what_is(pem::encode("SOMETHING", &[0x30, 0]).as_bytes()), None);
}

#[test]
fn pem_that_is_not_alone_in_its_lines_is_named_with_what_is_around_it() {
    let text = pem::certificate(&[7; 60]);
    let escaped = text.replace('\n', "\\n");
    let indented = text.lines().map(|line| format!("    {line}\n")).collect::<String>();
    let quoted = text.lines().map(|line| format!("> {line}\n")).collect::<String>();
    for (content, expected) in [
        (escaped.clone(), &kinds::ESCAPED_PEM),
        (format!("{{\"cert\": \"{escaped}\"}}"), &kinds::ESCAPED_PEM),
        (format!("ca: |\n{indented}"), &kinds::INDENTED_PEM),
        (quoted, &kinds::QUOTED_PEM),
    ] {
        assert_eq!(what_is(content.as_bytes()), Some(expected), "{content}");
        assert_eq!(unexpected(content.as_bytes(), Expected::Certificate), Some(expected));
    }
    // Text before a block in lines of its own is usual.
    assert_eq!(what_is(format!("subject=x\n{text}").as_bytes()), Some(&kinds::CERTIFICATE));
}

#[test]
fn a_file_is_unexpected_when_none_of_its_blocks_is_what_is_wanted() {
    let certificate = pem::certificate(&[0x30, 0]);
    let key = pem::encode("PRIVATE KEY", &[0x30, 0]);
    let crl = pem::encode("X509 CRL", &[0x30, 0]);
    let of = |text: &str, expected| unexpected(text.as_bytes(), expected);
    assert_eq!(of(&certificate, Expected::Certificate), None);
    assert_eq!(of(&format!("{key}{certificate}"), Expected::Certificate), None);
    assert_eq!(of(&format!("{key}{crl}"), Expected::Certificate), Some(&kinds::PRIVATE_KEY));
    assert_eq!(of(&crl, Expected::Crl), None);
    assert_eq!(of(&certificate, Expected::Crl), Some(&kinds::CERTIFICATE));
    assert_eq!(of(&certificate, Expected::AnyKey), None);
    assert_eq!(of(&crl, Expected::AnyKey), Some(&kinds::CRL));
    assert_eq!(of(&crl, Expected::Any), None);
    // A label that is not known is the business of the reader.
    assert_eq!(of(&pem::encode("SOMETHING", &[0x30, 0]), Expected::Certificate), None);
    assert_eq!(unexpected(&outline(&[INT; 9]), Expected::Certificate), Some(&kinds::PRIVATE_KEY));
    assert_eq!(unexpected(b"hello", Expected::Certificate), None);
}

#[test]
fn the_fix_names_the_file_as_a_shell_needs_it() {
    let fix = |kind: &FileKind, path: &str, expected| kind.fix(Path::new(path), expected).unwrap();
    assert_eq!(
        fix(&kinds::PKCS12, "my key.p12", Expected::Certificate),
        "convert it: openssl pkcs12 -in 'my key.p12' -nokeys -out NEW.pem"
    );
    assert_eq!(
        fix(&kinds::PKCS12, "-", Expected::PrivateKey),
        "convert it: openssl pkcs12 -in FILE -nocerts -out NEW.key"
    );
    assert_eq!(fix(&kinds::GZIP, "x.gz", Expected::Request), "convert it: gunzip -c x.gz > NEW");
    assert!(fix(&kinds::HTML, "x", Expected::Any).starts_with("the server answered"));
    assert_eq!(kinds::XML.fix(Path::new("x"), Expected::Any), None);
}

#[test]
fn no_conversion_is_named_that_does_not_lead_to_what_is_expected() {
    let converts = |kind: &FileKind, expected| {
        kind.fix(Path::new("f"), expected).is_some_and(|fix| fix.starts_with("convert it: "))
    };
    for (kind, leads_to) in [
        (&kinds::PKCS12, &[Expected::Certificate, Expected::PrivateKey, Expected::AnyKey, Expected::Any][..]),
        (&kinds::PKCS7, &[Expected::Certificate, Expected::Crl, Expected::AnyKey, Expected::Any]),
        (&kinds::JKS, &[Expected::Certificate, Expected::PrivateKey, Expected::AnyKey, Expected::Any]),
        (&kinds::OPENSSH_PRIVATE, &[Expected::PrivateKey, Expected::AnyKey, Expected::Any]),
        (&kinds::SSH_PUBLIC, &[Expected::AnyKey, Expected::Any]),
        (&kinds::ZIP, &[]),
    ] {
        for expected in [
            Expected::Certificate,
            Expected::Request,
            Expected::Crl,
            Expected::PrivateKey,
            Expected::AnyKey,
            Expected::Any,
            Expected::OpensslIndex,
        ] {
            // Of an archive, anything can come out.
            let is_archive = kind == &kinds::ZIP;
            assert_eq!(
                converts(kind, expected),
                is_archive || leads_to.contains(&expected),
                "{} {expected:?}",
                kind.name
            );
        }
    }
}

#[test]
fn a_block_whose_content_is_of_another_kind_is_mislabelled() {
    let version = der::context_constructed(0);
    let certificate = signed(outline(&[version, INT, SEQ, SEQ, SEQ, SEQ, SEQ]));
    let block = |label: &str, content: &[u8]| pem::parse_all(pem::encode(label, content).as_bytes()).unwrap().remove(0);
    assert_eq!(mislabelled(&block("CERTIFICATE REQUEST", &certificate)), Some(&kinds::CERTIFICATE));
    assert_eq!(mislabelled(&block("CERTIFICATE", &certificate)), None);
    assert_eq!(mislabelled(&block("EC PRIVATE KEY", &outline(&[INT, SEQ, der::OCTET_STRING]))), None);
    assert_eq!(mislabelled(&block("CERTIFICATE", b"nothing")), None);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_recogniser_panic(noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        drop(what_is(&noise).map(|kind| kind.fix(Path::new("f"), Expected::Any)));
    }
}

#[test]
fn the_label_of_a_block_is_part_of_a_command_only_when_a_shell_reads_nothing_into_it() {
    let path = Path::new("a file.pem");
    assert_eq!(
        label_fix(&kinds::CERTIFICATE, path, "CERTIFICATE REQUEST"),
        r"correct the label: sed 's/\(BEGIN\|END\) CERTIFICATE REQUEST-----/\1 CERTIFICATE-----/' 'a file.pem' > NEW.pem"
    );
    for label in ["X'; id; ' PRIVATE KEY", "X/e PRIVATE KEY", "X\nPRIVATE KEY"] {
        let fix = label_fix(&kinds::CERTIFICATE, path, label);
        assert!(!fix.contains("sed") && !fix.contains('X'), "{fix}");
    }
    // A private key has several labels, so the program cannot say which.
    assert!(!label_fix(&kinds::PRIVATE_KEY, path, "CERTIFICATE").contains("sed"));
}

#[test]
fn the_armor_of_openpgp_is_named_where_blocks_of_pem_are_shown_one_by_one() {
    let armor = |label: &str| format!("-----BEGIN {label}-----\n\nhQEMA5Ug\n=twTO\n-----END {label}-----\n");
    for (content, expected) in [
        (armor("PGP MESSAGE"), Some(&kinds::PGP)),
        (armor("PGP PUBLIC KEY BLOCK"), Some(&kinds::PGP_KEY)),
        (armor("PGP MESSAGE") + &pem::certificate(&[0x30, 0]), None),
    ] {
        assert_eq!(unexpected(content.as_bytes(), Expected::Any), expected, "{content}");
    }
}
