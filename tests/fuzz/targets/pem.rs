//! Any octets as PEM text: what is read can be written and read again, and nothing is invented.

use ca::keys::key_file::KeyFile;
use ca::x509::{Certificate, Crl, SigningRequest, pem};

pub fn run(data: &[u8]) {
    let is_pem = pem::is_pem(data);
    let blocks = pem::parse_all(data);
    if let Ok(blocks) = &blocks {
        assert!(is_pem || blocks.is_empty());
        for block in blocks {
            drop((Certificate::from_der(&block.content), Crl::from_der(&block.content)));
            drop(SigningRequest::from_der(&block.content));
            if block.headers.is_empty() {
                let written = pem::encode(&block.label, &block.content);
                let read = pem::parse_all(written.as_bytes()).expect("what was written can be read");
                assert!(read.len() == 1 && read[0].label == block.label && read[0].content == block.content);
            }
        }
    }
    drop(KeyFile::parse(data));
}
