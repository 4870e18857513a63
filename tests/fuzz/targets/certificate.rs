//! Any octets as one certificate: read, linted, and judged as leaf, as intermediate and as root.

use ca::lint::{self, LintProfile};
use ca::verify::{Purpose, SignatureCache, VerifyInput, verify_chain};
use ca::x509::{Certificate, GeneralName, PublicKey, TbsFields};

use super::kit;

pub fn run(data: &[u8]) {
    let Ok(certificate) = Certificate::from_der(data) else { return };
    assert_eq!(certificate.as_der(), data);
    assert!(Certificate::may_be_of_ca(data) || !certificate.is_ca());
    assert_eq!(PublicKey::of_certificate(data).as_ref(), Ok(&certificate.public_key));
    drop((certificate.subject.to_string(), certificate.issuer.to_string(), certificate.serial.to_string()));
    if let Some(fields) = TbsFields::split(certificate.tbs()) {
        assert_eq!(fields.join(), certificate.tbs());
    }
    for profile in LintProfile::ALL {
        lint::check(&certificate, None, profile);
        lint::check(&certificate, Some(&certificate), profile);
    }
    let (leaf, root) = (kit::candidate(certificate.clone(), 1), kit::candidate(certificate, 2));
    for purpose in [Purpose::Any, Purpose::Client, Purpose::Server] {
        let names = vec![GeneralName::Dns(kit::HOST.to_owned()), GeneralName::Email("a@a.test".to_owned())];
        let options = kit::options(purpose, names, false);
        for anchors in [std::slice::from_ref(&root), &[]] {
            let untrusted = [&root];
            let signatures = SignatureCache::default();
            let input = VerifyInput {
                leaf: &leaf,
                untrusted: &untrusted,
                anchors,
                crls: &[],
                revocations: None,
                signatures: &signatures,
            };
            kit::assert_sound(&verify_chain(input, &options), &options);
        }
    }
}
