//! The two kinds of PKCS#12 files that are written.

use pkcs8::der::{Encode, Error};
use zeroize::Zeroizing;

use super::protection::StoreProtection;
use super::{bags, seal};
use crate::keys::PrivateKey;
use crate::keys::key_file::error::KeyFileError;

/// Returns a file with a private key, its certificate and the certificates above it. `name` is what Java calls the alias and NSS the
/// nickname.
///
/// # Errors
/// When the cryptographic library fails.
pub fn key_store(
    key: &PrivateKey,
    name: &str,
    chain: &[&[u8]],
    protection: &StoreProtection<'_>,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let build = || -> Result<Zeroizing<Vec<u8>>, Error> {
        let leaf = chain.first().copied().unwrap_or_default();
        let attributes = bags::attributes_of_key(name, leaf)?;
        let mut certificates = Vec::with_capacity(chain.len());
        for (number, certificate) in chain.iter().enumerate() {
            let attributes = if number == 0 { Some(attributes.clone()) } else { None };
            certificates.push(bags::certificate(certificate, attributes)?);
        }
        let certificates = seal::encrypted_data(&certificates.to_der()?, protection)?;
        let keys = vec![bags::encrypted_key(seal::encrypted_key(key, protection)?.to_vec(), attributes)];
        seal::with_mac(&[certificates, bags::data(&keys.to_der()?)?], protection)
    };
    build().map_err(|_| KeyFileError::Writing)
}

/// Returns a file with certificates that Java trusts, each with its alias.
///
/// # Errors
/// When the cryptographic library fails.
pub fn trust_store(certificates: &[(&str, &[u8])], protection: &StoreProtection<'_>) -> Result<Vec<u8>, KeyFileError> {
    let build = || -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut trusted = Vec::with_capacity(certificates.len());
        for (name, certificate) in certificates {
            trusted.push(bags::certificate(certificate, Some(bags::attributes_of_trusted(name)?))?);
        }
        seal::with_mac(&[seal::encrypted_data(&trusted.to_der()?, protection)?], protection)
    };
    build().map(|whole| whole.to_vec()).map_err(|_| KeyFileError::Writing)
}
