//! Every format has what its program reads.

use super::*;
use crate::authority::testing::{Ca, order};
use crate::keys::key_file::KeyFile;
use crate::keys::{PrivateKey, Signer};
use crate::store::ca_certificates::read_certificates;
use crate::system::files;
use crate::x509::{Certificate, certificate_file, pem};

/// The material of a certificate in a CA with an intermediate.
struct Issued {
    name: &'static str,
    certificate: Certificate,
    intermediates: Vec<Certificate>,
    roots: Vec<Certificate>,
    key: PrivateKey,
}

impl Issued {
    fn new(template: &str, name: &'static str) -> Self {
        let ca = Ca::new();
        ca.issue(order(template, name)).unwrap();
        let chain = read_certificates(&ca.path(&format!("issued/{name}/fullchain.pem"))).unwrap();
        let key = KeyFile::parse(&std::fs::read(ca.path(&format!("issued/{name}/key.pem"))).unwrap()).unwrap();
        let roots = ca.store().ca_certificates().roots().unwrap().into_iter().map(|root| root.certificate).collect();
        let (certificate, intermediates) = (chain[0].clone(), chain[1..].to_vec());
        Self { name, certificate, intermediates, roots, key: key.open(None).unwrap() }
    }

    fn material(&self) -> Material<'_> {
        let Self { name, certificate, intermediates, roots, key } = self;
        Material { name, certificate, intermediates, roots, key: Some(key) }
    }

    fn text(&self, format: ExportFormat) -> String {
        String::from_utf8(encode(format, &self.material(), None).unwrap().to_vec()).unwrap()
    }

    fn chain(&self) -> Vec<Certificate> {
        [vec![self.certificate.clone()], self.intermediates.clone()].concat()
    }
}

fn labels(text: &str) -> Vec<String> {
    pem::parse_all(text.as_bytes()).unwrap().into_iter().map(|block| block.label).collect()
}

#[test]
fn a_combined_file_has_the_key_first_and_then_the_chain_from_the_leaf() {
    let issued = Issued::new("server", "web.test");
    let text = issued.text(ExportFormat::Combined);
    assert_eq!(labels(&text), ["PRIVATE KEY", "CERTIFICATE", "CERTIFICATE"]);
    assert_eq!(certificate_file::parse(text.as_bytes()).unwrap(), issued.chain());
    let key = KeyFile::parse(text.as_bytes()).unwrap().open(None).unwrap();
    assert_eq!(key.public_key(), &issued.certificate.public_key);
}

#[test]
fn formats_without_the_key_do_not_have_it_and_need_none() {
    let issued = Issued::new("server", "web.test");
    let without = Material { key: None, ..issued.material() };
    for format in ExportFormat::ALL {
        let made = encode(format, &without, None);
        match format.has_key() {
            true if format == ExportFormat::P12 => assert!(matches!(made, Err(ExportError::NoPassphrase))),
            true => assert!(matches!(made, Err(ExportError::NoKey { .. })), "{format}"),
            false => {
                let made = made.unwrap();
                assert!(!String::from_utf8_lossy(&made).contains("PRIVATE KEY"), "{format}");
                assert_eq!(format.mode(), files::PUBLIC, "{format}");
            }
        }
    }
    assert_eq!(certificate_file::parse(issued.text(ExportFormat::Pem).as_bytes()).unwrap(), issued.chain());
    let der = encode(ExportFormat::Der, &issued.material(), None).unwrap();
    assert_eq!(certificate_file::parse(&der).unwrap(), std::slice::from_ref(&issued.certificate));
}

#[test]
fn a_kubernetes_secret_has_the_roots_the_full_chain_and_the_key() {
    let issued = Issued::new("server", "web.test");
    let text = issued.text(ExportFormat::KubernetesSecret);
    assert!(text.starts_with("apiVersion: v1\nkind: Secret\nmetadata:\n  name: web.test\ntype: kubernetes.io/tls\n"));
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("  {key}: "))).unwrap();
        pem::decode_base64(line.as_bytes()).unwrap()
    };
    assert_eq!(certificate_file::parse(&value("tls.crt")).unwrap(), issued.chain());
    assert_eq!(certificate_file::parse(&value("ca.crt")).unwrap(), issued.roots);
    assert!(KeyFile::parse(&value("tls.key")).is_ok());
}

#[test]
fn an_openvpn_profile_accepts_only_the_other_purpose() {
    for (template, line) in
        [("client", Some("remote-cert-tls server")), ("server", Some("remote-cert-tls client")), ("peer", None)]
    {
        let issued = Issued::new(template, "vpn.test");
        let text = issued.text(ExportFormat::OpenVpn);
        assert_eq!(text.lines().find(|line| line.starts_with("remote")), line, "{template}");
        let block = |name: &str| {
            let (begin, end) = (format!("<{name}>\n"), format!("</{name}>\n"));
            text.split_once(&begin).unwrap().1.split_once(&end).unwrap().0.to_owned()
        };
        assert_eq!(certificate_file::parse(block("ca").as_bytes()).unwrap(), issued.roots, "{template}");
        assert_eq!(certificate_file::parse(block("cert").as_bytes()).unwrap(), issued.chain(), "{template}");
        assert_eq!(labels(&block("key")), ["PRIVATE KEY"], "{template}");
    }
}
