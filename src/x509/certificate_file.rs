//! Certificates in files: any number of PEM blocks among others, or the DER of one certificate.

use std::mem;

use super::certificate::Certificate;
use super::decode::DecodeError;
use super::der;
use super::pem::{self, Block, DerValues, PemError};

/// What OpenSSL writes with `-trustout`: the certificate, and behind it what OpenSSL trusts it for.
const TRUSTED: &str = "TRUSTED CERTIFICATE";

/// The labels of certificates (RFC 7468 §5, what older programs write, and what OpenSSL writes).
const LABELS: [&str; 3] = ["CERTIFICATE", "X509 CERTIFICATE", TRUSTED];

/// Why the certificates of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateFileError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("it contains no certificate")]
    None,
}

/// Reads every certificate of a file, from its content. The result is empty when the file has none; blocks with other labels
/// are skipped.
///
/// # Errors
/// When the PEM text or a certificate is damaged.
pub fn parse(content: &[u8]) -> Result<Vec<Certificate>, CertificateFileError> {
    if content.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    if !pem::is_pem(content) {
        return Ok(vec![Certificate::from_der(content)?]);
    }
    let blocks = pem::parse_all(content)?;
    blocks.iter().filter_map(der_of).map(|der| Ok(Certificate::from_der(der)?)).collect()
}

/// Finds every certificate of a file as [`parse`] does, and leaves the decoding to the caller. A file that is neither empty
/// nor PEM is one certificate.
///
/// # Errors
/// When the PEM text is damaged.
pub fn ders(content: Vec<u8>) -> Result<DerValues, PemError> {
    pem::values(content, |block| {
        let length = der_of(block)?.len();
        let mut der = mem::take(&mut *block.content);
        der.truncate(length);
        Some(der)
    })
}

/// Returns the DER of the certificate in a PEM block, without the trust settings of OpenSSL; `None` when the label is not
/// that of a certificate.
pub fn der_of(block: &Block) -> Option<&[u8]> {
    if block.label == TRUSTED {
        let rest = der::split_first(&block.content).map_or(0, |(.., rest)| rest.len());
        return block.content.get(..block.content.len() - rest);
    }
    LABELS.contains(&block.label.as_str()).then_some(&block.content[..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate, as any command of OpenSSL writes it.
    fn certificate() -> Vec<u8> {
        let text = include_bytes!("../../tests/data/certificates/web.pem");
        pem::parse_all(text).unwrap().remove(0).content.to_vec()
    }

    /// `openssl x509 -trustout -addtrust serverAuth -setalias web`: SEQUENCE { SEQUENCE { serverAuth }, UTF8String "web" }.
    fn trust_settings() -> Vec<u8> {
        let server_auth = [0x2b, 6, 1, 5, 5, 7, 3, 1];
        der::sequence(&[
            &der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &server_auth)]),
            &der::value(der::UTF8_STRING, b"web"),
        ])
    }

    fn with_trust_settings() -> Vec<u8> {
        [certificate(), trust_settings()].concat()
    }

    #[test]
    fn a_certificate_is_found_under_each_of_its_labels() {
        for (label, der) in
            [("CERTIFICATE", certificate()), ("X509 CERTIFICATE", certificate()), (TRUSTED, with_trust_settings())]
        {
            let text = format!("{}{}", pem::encode("X509 CRL", &[3]), pem::encode(label, &der));
            let found = parse(text.as_bytes()).unwrap();
            assert_eq!(found.iter().map(Certificate::as_der).collect::<Vec<_>>(), [certificate()], "{label}");
            let found = ders(text.into_bytes()).unwrap();
            assert_eq!((found.ders, found.is_pem), (vec![certificate()], true), "{label}");
        }
        assert_eq!(parse(&certificate()).unwrap().len(), 1);
    }

    #[test]
    fn trust_settings_belong_only_where_openssl_writes_them() {
        let text = pem::certificate(&with_trust_settings());
        assert!(matches!(parse(text.as_bytes()), Err(CertificateFileError::Decode(_))));
        assert!(matches!(parse(&with_trust_settings()), Err(CertificateFileError::Decode(_))));
        // Trust settings that are cut off are not the certificate's.
        let cut = [certificate(), vec![0x30]].concat();
        assert_eq!(parse(pem::encode(TRUSTED, &cut).as_bytes()).unwrap().len(), 1);
    }

    #[test]
    fn a_file_without_certificates_has_none() {
        for content in ["", " \n", &pem::encode("X509 CRL", &[3])] {
            assert_eq!(parse(content.as_bytes()).unwrap(), [], "{content:?}");
        }
        assert!(ders(Vec::new()).unwrap().ders.is_empty());
        assert_eq!(ders(vec![0x30, 0]).unwrap().ders, [[0x30, 0]]);
    }
}
