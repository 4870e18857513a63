//! Every format is read from files of other tools: tests/data/keys/README.md has the commands.

use proptest::prelude::*;

use super::*;
use crate::keys::Signer;
use crate::text::PathText;
use crate::x509::{KeyAlgorithm, der};

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text.into())
}

#[test]
fn what_is_written_is_read_again() {
    let secret = passphrase("secret");
    for algorithm in KeyAlgorithm::ALL {
        let key = PrivateKey::generate(algorithm).unwrap();
        let plain = write(&key, None).unwrap();
        assert!(plain.starts_with("-----BEGIN PRIVATE KEY-----\n") && plain.ends_with("-----END PRIVATE KEY-----\n"));
        let file = KeyFile::parse(plain.as_bytes()).unwrap();
        assert!(!file.is_encrypted());
        let again = file.open(None).unwrap();
        assert_eq!((again.algorithm(), again.public_key()), (Some(algorithm), key.public_key()));
        assert_eq!(again.as_pkcs8(), key.as_pkcs8(), "{algorithm}");
        let from_der = KeyFile::parse(key.as_pkcs8()).unwrap().open(None).unwrap();
        assert_eq!(from_der.public_key(), key.public_key());
    }
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP384).unwrap();
    let protection = NewProtection::new(&secret, [7; 32]);
    let encrypted = write(&key, Some(&protection)).unwrap();
    assert!(encrypted.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
    let file = KeyFile::parse(encrypted.as_bytes()).unwrap();
    assert_eq!(file.encryption().unwrap(), "PBES2 (PBKDF2-HMAC-SHA256, 600000 rounds; AES-256-CBC)");
    assert_eq!(file.open(Some(&secret)).unwrap().as_pkcs8(), key.as_pkcs8());
    assert_eq!(file.open(Some(&passphrase("Secret"))).unwrap_err(), KeyFileError::WrongPassphrase);
    assert_eq!(file.open(None).unwrap_err(), KeyFileError::PassphraseNeeded);
}

#[test]
fn a_file_must_hold_exactly_one_private_key() {
    let key = write(&PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap(), None).unwrap();
    let certificate = pem::certificate(&[0x30, 0]);
    assert!(KeyFile::parse(format!("{certificate}{}", *key).as_bytes()).is_ok());
    let parsed = |text: &str| KeyFile::parse(text.as_bytes()).unwrap_err();
    assert_eq!(parsed(&format!("{}{}", *key, *key)), KeyFileError::SeveralKeys(2));
    assert_eq!(parsed(&certificate), KeyFileError::NoKey { found: "only CERTIFICATE".to_owned() });
    assert!(matches!(parsed("hello"), KeyFileError::NoKey { .. }));
    assert!(matches!(parsed(""), KeyFileError::NoKey { .. }));
    assert!(matches!(parsed(&key[..key.len() - 20]), KeyFileError::Pem(_)));
}

#[test]
fn a_key_file_cannot_be_printed() {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let file = KeyFile::parse(write(&key, None).unwrap().as_bytes()).unwrap();
    assert_eq!(format!("{file:?}"), "KeyFile(PKCS#8, [elided])");
}

/// The file of this name under tests/data/keys.
fn fixture(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/keys").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.escaped()))
}

fn opened(name: &str) -> Result<PrivateKey, KeyFileError> {
    KeyFile::parse(&fixture(name))?.open(Some(&passphrase("secret")))
}

#[test]
fn one_key_is_the_same_in_every_form() {
    for (reference, forms) in [
        (
            "ec-p256.pkcs8.pem",
            &[
                "ec-p256.sec1-with-parameters.pem",
                "ec-p256.sec1-compressed.pem",
                "ec-p256.sec1-no-public.pem",
                "ec-p256.sec1.der",
                "ec-p256.pkcs8-no-public.der",
                "ec-p256.dek-aes256.pem",
                "ec-p256.pbkdf2-sha1-aes128.pem",
                "ec-p256.pbkdf2-sha1-des3.pem",
                "ec-p256.pbkdf2-sha256-aes192.pem",
                "ec-p256.pbkdf2-sha256-aes256.pem",
                "ec-p256.pbkdf2-sha256-aes256.der",
                "ec-p256.pbkdf2-sha512-aes256.pem",
                "ec-p256.scrypt-aes256.pem",
                "certtool-ec-p256.encrypted.pem",
            ][..],
        ),
        (
            "rsa-2048.pkcs8.pem",
            &[
                "rsa-2048.pkcs1.pem",
                "rsa-2048.pkcs1.der",
                "rsa-2048.dek-aes128.pem",
                "rsa-2048.dek-aes192.pem",
                "rsa-2048.dek-aes256.pem",
                "rsa-2048.dek-des3.pem",
            ],
        ),
    ] {
        let expected = opened(reference).unwrap();
        for form in forms {
            let key = opened(form).unwrap_or_else(|error| panic!("{form}: {error}"));
            assert_eq!(key.public_key(), expected.public_key(), "{form}");
            assert_eq!(key.as_pkcs8(), expected.as_pkcs8(), "{form}");
        }
    }
}

#[test]
fn every_kind_of_key_is_read_as_openssl_and_certtool_write_it() {
    for (name, algorithm) in [
        ("ec-p384.sec1.pem", KeyAlgorithm::EcdsaP384),
        ("ec-p521.sec1.pem", KeyAlgorithm::EcdsaP521),
        ("ed25519.pkcs8.pem", KeyAlgorithm::Ed25519),
        ("certtool-rsa-2048.pem", KeyAlgorithm::Rsa2048),
        ("certtool-ed25519.pem", KeyAlgorithm::Ed25519),
        // Its private number has 33 bytes.
        ("certtool-ec-p256.pem", KeyAlgorithm::EcdsaP256),
    ] {
        let key = opened(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(key.algorithm(), Some(algorithm), "{name}");
        let again = KeyFile::parse(write(&key, None).unwrap().as_bytes()).unwrap().open(None).unwrap();
        assert_eq!(again.public_key(), key.public_key(), "{name}");
    }
}

#[test]
fn rsa_keys_of_sizes_that_only_others_make_are_read_and_sign() {
    for (name, kind) in [("rsa-2560.pkcs8.pem", "rsa-2560"), ("rsa-8192.pkcs1.der", "rsa-8192")] {
        let key = opened(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((key.algorithm(), key.public_key().kind().to_string().as_str()), (None, kind));
        let signature = key.sign(b"message").unwrap();
        let checked = crate::keys::verify(key.public_key(), &key.signature_algorithm(), b"message", &signature);
        assert_eq!(checked, Ok(()), "{name}");
    }
}

/// Returns the parts of an `RSAPrivateKey` (RFC 8017 appendix A.1.2), one of them replaced.
fn bent_rsa(part: usize, with: &[u8], more: &[u8]) -> KeyFileError {
    let whole = fixture("rsa-2048.pkcs1.der");
    let (_, content, _) = der::split_first(&whole).unwrap();
    let mut parts = der::children(content).unwrap();
    parts[part] = with;
    parts.push(more);
    KeyFile::parse(&der::sequence(&parts)).unwrap().open(None).unwrap_err()
}

#[test]
fn an_rsa_key_that_is_none_is_refused_with_the_reason() {
    for exponent in [&[1, 0, 0][..], &[1], &[0]] {
        let refused = bent_rsa(2, &der::value(der::INTEGER, exponent), &[]);
        assert_eq!(refused, KeyFileError::Rsa("its public exponent is not an odd number from 3 on"));
    }
    let refused = bent_rsa(2, &der::value(der::INTEGER, &[3]), &[]);
    assert_eq!(refused, KeyFileError::Rsa("its primes, modulus and exponents do not match"));
    // Version 1: more primes than two follow.
    let three = der::value(der::INTEGER, &[3]);
    let other_prime = der::sequence(&[&three, &three, &three]);
    let refused = bent_rsa(0, &der::value(der::INTEGER, &[1]), &der::sequence(&[&other_prime]));
    assert_eq!(refused, KeyFileError::UnsupportedKey("an RSA key of more than two primes".to_owned()));
}

#[test]
fn an_initialization_vector_that_is_none_is_refused_with_the_reason() {
    let text = String::from_utf8(fixture("rsa-2048.dek-aes128.pem")).unwrap();
    let header = text.lines().find(|line| line.starts_with("DEK-Info: ")).unwrap();
    let (cipher, iv) = header.split_once(',').unwrap();
    for (given, reason) in [
        (cipher.to_owned(), "names no initialization vector"),
        (format!("{cipher},xyz"), "not hexadecimal"),
        (format!("{cipher},{iv}00"), "of the wrong length"),
        (format!("{cipher},{}", &iv[2..]), "of the wrong length"),
        ("DEK-Info: CAMELLIA-256-CBC,00112233445566".to_owned(), "of the wrong length"),
    ] {
        let error = KeyFile::parse(text.replace(header, &given).as_bytes()).unwrap_err();
        assert!(error.to_string().contains(reason), "{given}: {error}");
    }
}

#[test]
fn what_is_not_read_is_named_with_the_way_out() {
    for (name, named, way_out) in [
        ("ec-p256.pbes1-md5-des.pem", "pbeWithMD5AndDES-CBC", "-provider legacy"),
        ("ec-p256.pkcs12-3des.pem", "pbeWithSHA1And3-KeyTripleDES-CBC", "openssl pkey -in KEY -aes256"),
        ("ec-p256.pkcs12-rc2.pem", "pbeWithSHA1And40BitRC2-CBC", "-provider legacy"),
        ("rsa-2048.dek-camellia256.pem", "CAMELLIA-256-CBC", "openssl pkey"),
        ("ec-p256.sec1-explicit.pem", "explicit curve parameters", "-param_enc named_curve"),
        ("ec-secp256k1.sec1.pem", "secp256k1", ""),
        ("ed448.pkcs8.pem", "Ed448", ""),
        ("rsa-1024.pkcs8.pem", "an RSA key of 1024 bits", ""),
        ("rsa-pss-2048.pkcs8.pem", "RSASSA-PSS", ""),
        ("ec-p256.public.pem", "only PUBLIC KEY", ""),
    ] {
        let error = opened(name).unwrap_err();
        assert!(error.to_string().contains(named), "{name}: {error}");
        assert!(error.hint().unwrap_or_default().contains(way_out), "{name}: {:?}", error.hint());
    }
}

#[test]
fn a_damaged_key_is_reported_with_the_part_of_it() {
    let message = |der: &[u8]| KeyFile::parse(der).and_then(|file| file.open(None)).unwrap_err().to_string();
    let number = der::value(der::INTEGER, &[5]);
    let nine = |third: &[u8]| {
        let mut parts = vec![&number[..]; 9];
        parts[2] = third;
        der::sequence(&parts)
    };
    assert_eq!(
        message(&nine(&[der::INTEGER, 2, 0, 5])),
        "it is not the DER of an RSA private key (PKCS#1): public exponent: it is not a number in DER"
    );
    let pkcs8 = |version: &[u8]| der::sequence(&[version, &der::sequence(&[]), &der::value(der::OCTET_STRING, &[1])]);
    let said = message(&pkcs8(&[der::INTEGER, 2, 0, 5]));
    assert_eq!(said, "it is not the DER of a PKCS#8 private key: version: it is not a number in DER");
    let said = message(&pkcs8(&[der::INTEGER, 1, 0]));
    assert_eq!(said, "it is not the DER of a PKCS#8 private key: its content is not in the one form that DER allows");
    assert_eq!(
        damage::describe(&[der::SEQUENCE, 5, 1], damage::PKCS8),
        "it is cut off: 7 bytes are announced, and 3 are there"
    );
    let swapped = der::sequence(&[&number, &number]);
    assert_eq!(damage::describe(&swapped, damage::PKCS8), "algorithm: a SEQUENCE is expected, and an INTEGER found");
    assert_eq!(damage::describe(&der::sequence(&[&number]), damage::PKCS1), "modulus: it is missing");
    assert_eq!(damage::describe(&[], damage::PKCS1), "it is empty");
}

#[test]
fn the_content_of_a_block_decides_whether_it_is_encrypted() {
    for (name, label, other) in [
        ("ec-p256.pbkdf2-sha256-aes256.pem", "ENCRYPTED PRIVATE KEY", "PRIVATE KEY"),
        ("ec-p256.pbkdf2-sha256-aes256.pem", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY"),
        ("ec-p256.pkcs8.pem", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        ("rsa-2048.pkcs1.pem", "RSA PRIVATE KEY", "ENCRYPTED PRIVATE KEY"),
        ("rsa-2048.pkcs1.pem", "RSA PRIVATE KEY", "PRIVATE KEY"),
    ] {
        let text = String::from_utf8(fixture(name)).unwrap();
        let (right, wrong) = (KeyFile::parse(text.as_bytes()).unwrap(), text.replace(label, other));
        let file = KeyFile::parse(wrong.as_bytes()).unwrap();
        assert_eq!(
            (file.is_encrypted(), file.format()),
            (right.is_encrypted(), right.format()),
            "{name} under {other}"
        );
        assert!(file.open(Some(&passphrase("secret"))).is_ok(), "{name} under {other}");
    }
}

#[test]
fn a_key_under_an_empty_passphrase_is_opened_with_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/files/empty-passphrase.pem");
    let file = KeyFile::parse(&std::fs::read(path).unwrap()).unwrap();
    let empty = Passphrase::of_existing_key(b"\n".to_vec()).unwrap();
    assert!(file.open(Some(&empty)).is_ok());
    assert_eq!(file.open(Some(&passphrase("x"))).unwrap_err(), KeyFileError::WrongPassphrase);
}

#[test]
fn a_point_in_hybrid_form_is_the_point() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/files/ec-hybrid-point.pem");
    let mut der = pem::parse_all(&std::fs::read(path).unwrap()).unwrap().remove(0).content.to_vec();
    let opened = |der: &[u8]| KeyFile::parse(der).unwrap().open(None);
    assert!(opened(&der).is_ok());
    // The other sign, and another coordinate.
    let at = der.len() - 65;
    assert!(matches!(der[at], 6 | 7));
    der[at] ^= 1;
    assert!(matches!(opened(&der), Err(KeyFileError::Unusable(_))));
    der[at] ^= 1;
    der[at + 1] ^= 1;
    assert!(matches!(opened(&der), Err(KeyFileError::Unusable(_))));
}

#[test]
fn a_wrong_passphrase_is_reported_as_such_for_every_encryption() {
    for name in [
        "ec-p256.dek-aes256.pem",
        "rsa-2048.dek-des3.pem",
        "ec-p256.pbkdf2-sha1-des3.pem",
        "ec-p256.pbkdf2-sha256-aes256.pem",
        "ec-p256.scrypt-aes256.pem",
    ] {
        let file = KeyFile::parse(&fixture(name)).unwrap();
        assert!(file.is_encrypted());
        // Enough attempts that some leave a padding that looks right.
        for attempt in 0..if name.contains("dek") { 600 } else { 3 } {
            let wrong = passphrase(&format!("wrong {attempt}"));
            assert_eq!(file.open(Some(&wrong)).unwrap_err(), KeyFileError::WrongPassphrase, "{name}, {attempt}");
        }
    }
}

#[test]
fn a_public_half_that_belongs_to_another_key_is_refused() {
    let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let other = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
    let version_2 = |public: &[u8]| {
        // OneAsymmetricKey (RFC 5958 §2): version 1, and the public key as [1].
        let mut parts = vec![der::value(der::INTEGER, &[1])];
        let (_, content, _) = der::split_first(key.as_pkcs8()).unwrap();
        parts.extend(der::children(content).unwrap()[1..].iter().map(|part| part.to_vec()));
        parts.push(der::value(der::context(1), &[&[0], public].concat()));
        der::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    let opened = |der: &[u8]| KeyFile::parse(der).unwrap().open(None);
    let read = opened(&version_2(key.public_key().bits())).unwrap();
    assert_eq!(read.as_pkcs8(), key.as_pkcs8(), "it is written without the public key");
    assert!(matches!(opened(&version_2(other.public_key().bits())), Err(KeyFileError::Unusable(_))));

    let mut swapped = fixture("ec-p256.sec1.der");
    let last = swapped.len() - 1;
    swapped[last] ^= 1;
    assert!(matches!(opened(&swapped), Err(KeyFileError::Unusable(_))));
}

#[test]
fn a_file_cannot_ask_for_endless_work() {
    let costs = |parameters: &str, marker: &[u8], replacement: &[u8]| {
        let mut der = pem::parse_all(&fixture(parameters)).unwrap().remove(0).content;
        let at = der.windows(marker.len()).position(|window| window == marker).unwrap();
        der[at..at + marker.len()].copy_from_slice(replacement);
        // Refused before the passphrase is asked for.
        KeyFile::parse(&der).unwrap().open(None).unwrap_err()
    };
    // scrypt's N of 16384 has two bytes, r and p follow it.
    let marker = &[2, 2, 0x40, 0, 2, 1, 8, 2, 1, 1];
    assert_eq!(
        costs("ec-p256.scrypt-aes256.pem", marker, &[2, 2, 0x40, 0, 2, 1, 0x7f, 2, 1, 0x7f]),
        KeyFileError::TooExpensive { what: "254 MiB of memory, 127 times over, in scrypt".to_owned() }
    );
    for cost in [[0x40, 1], [0x7f, 0xff]] {
        let replacement = [&[2, 2][..], &cost, &[2, 1, 8]].concat();
        let error = costs("ec-p256.scrypt-aes256.pem", &[2, 2, 0x40, 0, 2, 1, 8], &replacement);
        assert!(error.to_string().contains("not a power of two"), "{error}");
    }
    // A cost of 1, and a block size of one more byte.
    let error = costs("ec-p256.scrypt-aes256.pem", &[2, 2, 0x40, 0, 2, 1, 8], &[2, 1, 1, 2, 2, 1, 8]);
    assert!(error.to_string().contains("not a power of two"), "{error}");
    // PBKDF2's 2048 rounds follow the salt, whose length makes room.
    let mut der = fixture("ec-p256.pbkdf2-sha256-aes256.der");
    let rounds = der.windows(4).position(|window| window == [2, 2, 8, 0]).unwrap();
    let mut with_rounds = |salt: u8, integer: &[u8]| {
        der[rounds - 9] = salt;
        der[rounds + 4 - integer.len()..rounds + 4].copy_from_slice(integer);
        KeyFile::parse(&der).unwrap().open(None).unwrap_err()
    };
    let error = with_rounds(6, &[2, 4, 0x05, 0xf5, 0xe1, 0x01]);
    assert_eq!(error, KeyFileError::TooExpensive { what: "100000001 rounds of PBKDF2".to_owned() });
    assert_eq!(with_rounds(6, &[2, 4, 0x05, 0xf5, 0xe1, 0x00]), KeyFileError::PassphraseNeeded);
    let error = with_rounds(9, &[2, 1, 0]);
    assert!(error.to_string().contains("no rounds at all"), "{error}");
}

#[test]
fn a_curve_inside_that_is_not_the_one_outside_is_refused() {
    let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let inside = |curve: &[u8]| {
        // ECPrivateKey (RFC 5915 §3) with its parameters, in the PrivateKeyInfo of a key on P-256.
        let (_, content, _) = der::split_first(key.as_pkcs8()).unwrap();
        let [version, algorithm, wrapped, ..] = der::children(content).unwrap()[..] else { panic!("PKCS#8") };
        let (_, sec1, _) = der::split_first(wrapped).unwrap();
        let (_, parts, _) = der::split_first(sec1).unwrap();
        let [one, scalar, ..] = der::children(parts).unwrap()[..] else { panic!("SEC1") };
        let parameters = der::value(der::context_constructed(0), &der::value(der::OBJECT_IDENTIFIER, curve));
        let wrapped = der::value(der::OCTET_STRING, &der::sequence(&[one, scalar, &parameters]));
        KeyFile::parse(&der::sequence(&[version, algorithm, &wrapped])).unwrap().open(None)
    };
    assert!(inside(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]).is_ok());
    assert!(matches!(inside(&[0x2b, 0x81, 4, 0, 34]), Err(KeyFileError::Unusable(_))));
}

/// Returns the parts of an `ECPrivateKey` of openssl: version, number, parameters, public key.
fn with_parts_of_sec1(bend: impl FnOnce([&[u8]; 4]) -> Vec<u8>) -> Result<PrivateKey, KeyFileError> {
    let whole = fixture("ec-p256.sec1.der");
    let (_, content, _) = der::split_first(&whole).unwrap();
    let parts = der::children(content).unwrap();
    KeyFile::parse(&bend(parts[..].try_into().unwrap())).unwrap().open(None)
}

#[test]
fn the_parts_of_an_ec_key_stand_in_order_and_each_once() {
    assert!(
        with_parts_of_sec1(|[version, number, curve, public]| der::sequence(&[version, number, curve, public])).is_ok()
    );
    let damaged = |refused: Result<PrivateKey, KeyFileError>| {
        let message = refused.unwrap_err().to_string();
        assert!(message.contains("its structure is damaged"), "{message}");
    };
    damaged(with_parts_of_sec1(|[version, number, curve, public]| {
        der::sequence(&[version, number, curve, curve, public])
    }));
    damaged(with_parts_of_sec1(|[version, number, curve, public]| {
        der::sequence(&[version, number, curve, public, public])
    }));
    damaged(with_parts_of_sec1(|[version, number, curve, public]| der::sequence(&[version, number, public, curve])));
    damaged(with_parts_of_sec1(|[version, number, curve, public]| {
        let other = [&[der::context_constructed(2)][..], &public[1..]].concat();
        der::sequence(&[version, number, curve, &other])
    }));
}

#[test]
fn a_compressed_point_is_its_own_in_each_byte() {
    let with_point = |bend: fn(&mut Vec<u8>)| {
        with_parts_of_sec1(|[version, number, curve, public]| {
            let (x, y) = public[public.len() - 64..].split_at(32);
            let mut point = [&[2 + y[31] % 2], x].concat();
            bend(&mut point);
            let public = der::value(der::context_constructed(1), &der::bit_string(&point));
            der::sequence(&[version, number, curve, &public])
        })
    };
    assert!(with_point(|_| ()).is_ok());
    let bent: [fn(&mut Vec<u8>); 3] = [|point| point[0] ^= 1, |point| point[32] ^= 1, |point| point.truncate(32)];
    for bend in bent {
        assert!(matches!(with_point(bend), Err(KeyFileError::Unusable(_))));
    }
}

#[test]
fn bytes_after_the_last_block_of_a_ciphertext_are_no_part_of_it() {
    let mut block = pem::parse_all(&fixture("rsa-2048.dek-des3.pem")).unwrap().remove(0);
    block.content.push(0);
    let file = KeyFile::from_block(block).unwrap();
    assert_eq!(file.open(Some(&passphrase("secret"))).unwrap_err(), KeyFileError::WrongPassphrase);
    let mut block = pem::parse_all(&fixture("rsa-2048.dek-des3.pem")).unwrap().remove(0);
    block.content.clear();
    let file = KeyFile::from_block(block).unwrap();
    assert_eq!(file.open(Some(&passphrase("secret"))).unwrap_err(), KeyFileError::WrongPassphrase);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(file) = KeyFile::parse(&bytes) {
            drop(file.encryption());
            drop(file.open(None));
        }
    }

    #[test]
    fn no_damage_to_a_key_file_makes_it_panic(
        which in 0..8_usize,
        cut in any::<proptest::sample::Index>(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let name = [
            "ec-p256.sec1.der", "ec-p256.pkcs8-no-public.der", "rsa-2048.pkcs1.der", "ec-p256.pbkdf2-sha256-aes256.der",
            "ec-p256.dek-aes256.pem", "ec-p256.scrypt-aes256.pem", "ed25519.pkcs8.pem", "certtool-ec-p256.encrypted.pem",
        ][which];
        let mut data = fixture(name);
        let at = at.index(data.len());
        data[at] = byte;
        data.truncate(cut.index(data.len() * 4).max(1));
        if let Ok(file) = KeyFile::parse(&data) {
            drop(file.encryption());
            drop(file.open(None));
            // Opening costs what the file demands: only where that is little.
            if !file.encryption().is_some_and(|how| how.contains("scrypt") || !how.contains("2048 rounds")) {
                drop(file.open(Some(&passphrase("secret"))));
            }
        }
    }
}
