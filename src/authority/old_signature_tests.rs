//! Tests of what a CA of another tool signed over SHA-1.

use crate::authority::hierarchy::import::ImportedCa;
use crate::authority::hierarchy::init::InitOrder;
use crate::authority::revocation::publish_crl::CrlOrder;
use crate::authority::revocation::revoke::{RevokeError, RevokeOrder, RevokeTarget};
use crate::authority::signed_by::{has_signed, has_signed_over_sha1, is_root};
use crate::authority::testing::Ca;
use crate::keys::key_file::KeyFile;
use crate::store::index::IndexError;
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, certificate_file};

/// The CA and its key, and a certificate that it signed with ecdsa-with-SHA1, made by openssl.
const CA: &str = "\
-----BEGIN CERTIFICATE-----
MIIBZjCCAQygAwIBAgIUWiNhewsyvehDOEhh7FKgdJgLq7gwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGT2xkIENBMB4XDTI2MDEwMTAwMDAwMFoXDTQ1MTIyNzAwMDAw
MFowETEPMA0GA1UEAwwGT2xkIENBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
IeiKsxXRt46h+Ojm5khyzlf+6vloJHjhA8b/zFlmmr+esUV0ERF/XVCSH+iAY1X1
dburGmVJ7MjjH+XqlIgNo6NCMEAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E
BAMCAQYwHQYDVR0OBBYEFKfm+SaMfs5UyQObPC3jgLSaLPicMAoGCCqGSM49BAMC
A0gAMEUCIHuGJ1UlX+5PdJbjD2AQEZkcsoNx9CeH39JavPCmRcteAiEAmav+rk/E
4mIdLzV5TlBqJhLuwVYAyYOtXGGT3Zsw+Ek=
-----END CERTIFICATE-----
";
const KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrYhDQQeUIeccHO6I
0wmqkUBlknK39yo8o3xoO3S0raOhRANCAAQh6IqzFdG3jqH46ObmSHLOV/7q+Wgk
eOEDxv/MWWaav56xRXQREX9dUJIf6IBjVfV1u6saZUnsyOMf5eqUiA2j
-----END PRIVATE KEY-----
";
const SIGNED_OVER_SHA1: &str = "\
-----BEGIN CERTIFICATE-----
MIIBYTCCAQigAwIBAgIBUTAJBgcqhkjOPQQBMBExDzANBgNVBAMMBk9sZCBDQTAe
Fw0yNjAxMDEwMDAwMDBaFw00NTEyMjcwMDAwMDBaMBMxETAPBgNVBAMMCG9sZC50
ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1v0efrdd+12Clg8KESd9+aKH
snJZeUxBHKJpJitZupWyiVASmFCKTlUBrXNQftLYB+qzsYracLuZWKdvt0p/o6NQ
ME4wDAYDVR0TAQH/BAIwADAdBgNVHQ4EFgQUnHu7fRNe3NvF1yHXD3mwh7+1Nhow
HwYDVR0jBBgwFoAUp+b5Jox+zlTJA5s8LeOAtJos+JwwCQYHKoZIzj0EAQNIADBF
AiAgZGqZqXxmY48axg914nfx87vzIC20VMYxKxRZAev5vAIhANYA4PXz7Qr6OyiI
1wOweFOiaTsUi8XtHq5NTgEPwFpZ
-----END CERTIFICATE-----
";

fn certificate(pem: &str) -> Certificate {
    certificate_file::parse(pem.as_bytes()).unwrap().remove(0)
}

fn imported() -> Ca {
    let ca = Ca::none();
    let key = KeyFile::parse(KEY.as_bytes()).unwrap().open(None).unwrap();
    let (certificate, chain) = (certificate(CA), Vec::new());
    let imported = Some(ImportedCa::new(certificate, key, chain));
    ca.init(InitOrder { intermediate: None, imported, ..ca.init_order() }).unwrap();
    ca
}

fn revoked(ca: &Ca, certificate: Certificate) -> Result<bool, RevokeError> {
    let target = RevokeTarget::Certificate { path: "old.pem".into(), certificate: Box::new(certificate) };
    let order = RevokeOrder { target, all: false, reason: RevocationReason::KeyCompromise, invalid_since: None };
    ca.revoke_as(&order).map(|outcome| outcome.is_over_sha1)
}

#[test]
fn a_certificate_that_the_ca_signed_over_sha1_is_revoked_by_its_file_and_the_log_names_the_algorithm() {
    let ca = imported();
    assert!(revoked(&ca, certificate(SIGNED_OVER_SHA1)).unwrap());
    let mut details = Vec::new();
    ca.index()
        .each_event::<IndexError>(|event, _| {
            details.extend(event.detail);
            Ok(())
        })
        .unwrap();
    assert!(details.contains(&"signed with ecdsa-with-SHA1".to_owned()), "{details:?}");
    assert_eq!(ca.publish(&CrlOrder::default()).unwrap().revoked, 1);
    assert!(matches!(revoked(&ca, certificate(SIGNED_OVER_SHA1)), Err(RevokeError::AlreadyRevoked { .. })));
}

#[test]
fn a_signature_over_sha1_counts_only_with_the_key_and_the_name_of_the_ca() {
    let (ca, old) = (certificate(CA), certificate(SIGNED_OVER_SHA1));
    assert!(has_signed_over_sha1(&ca, &old) && !has_signed(&ca, &old));
    let mut forged = old.clone();
    forged.signature.reverse();
    assert!(matches!(revoked(&imported(), forged), Err(RevokeError::Unknown { .. })));
    assert!(matches!(revoked(&Ca::new(), old.clone()), Err(RevokeError::Unknown { .. })));
    let mut renamed = ca.clone();
    renamed.subject = old.subject.clone();
    assert!(!has_signed_over_sha1(&renamed, &old) && !has_signed_over_sha1(&old, &old));
}

/// Its signature proves nothing, but a CRL of its own that names it would be of no use either.
#[test]
fn a_root_whose_signature_is_not_verified_here_is_a_root() {
    let (ca, old) = (certificate(CA), certificate(SIGNED_OVER_SHA1));
    let mut sha1_root = ca.clone();
    sha1_root.signature_algorithm = old.signature_algorithm.clone();
    assert!(is_root(&ca) && is_root(&sha1_root) && !is_root(&old));
    assert!(matches!(revoked(&imported(), ca), Err(RevokeError::Root(_))));
}
