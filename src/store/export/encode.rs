//! The content of an exported file. Every format that has a private key is made here, in memory that is wiped.

use zeroize::Zeroizing;

use super::format::ExportFormat;
use super::material::{ExportError, Material, joined};
use super::{kubernetes, openvpn};
use crate::keys::key_file::pkcs12::{StoreProtection, key_store};
use crate::x509::pkcs7;

/// Makes the content of a file. [`ExportFormat::OpensslIndex`] is not about one certificate: of it, nothing is made here.
///
/// # Errors
/// When the format has the private key, and the material does not; when it is encrypted, and there is no protection.
pub fn encode(
    format: ExportFormat,
    material: &Material<'_>,
    protection: Option<&StoreProtection<'_>>,
) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let text = |text: String| Ok(Zeroizing::new(text.into_bytes()));
    match format {
        ExportFormat::Pem => text(material.chain_pem()),
        ExportFormat::Combined => Ok(joined(&[&material.key_pem(format.name())?, &material.chain_pem()])),
        ExportFormat::Der => Ok(Zeroizing::new(material.certificate.as_der().to_vec())),
        ExportFormat::P12 => {
            let protection = protection.ok_or(ExportError::NoPassphrase)?;
            let chain: Vec<&[u8]> = material.chain().collect();
            let failed = |cause| ExportError::Writing { name: material.name.to_owned(), cause };
            key_store(material.key(format.name())?, material.name, &chain, protection).map_err(failed)
        }
        ExportFormat::Pkcs7 => text(pkcs7::certificates(material.chain())),
        ExportFormat::KubernetesSecret => kubernetes::secret(
            material.name,
            &material.roots_pem(),
            &material.chain_pem(),
            &material.key_pem(format.name())?,
        ),
        ExportFormat::OpenVpn => openvpn::profile(material, &material.key_pem(format.name())?),
        ExportFormat::OpensslIndex => text(String::new()),
    }
}
