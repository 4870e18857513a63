//! The inline blocks of an OpenVPN profile (openvpn(8), "INLINE FILE SUPPORT").

use zeroize::Zeroizing;

use super::material::{ExportError, Material, joined};
use crate::text::{escape, rfc3339};
use crate::x509::{Certificate, ExtendedKeyUsage};

/// Returns the blocks, to be added to the lines of the site. The peer must have the other purpose: without this line, each
/// client of the CA could act as the server.
pub(super) fn profile(material: &Material<'_>, key: &str) -> Result<Zeroizing<Vec<u8>>, ExportError> {
    let certificate = material.certificate;
    let expires = rfc3339(certificate.validity.not_after);
    let head = format!("# {}, serial {}, expires {expires}\n", escape(material.name), certificate.serial);
    let peer = peer_purpose(certificate).map(|purpose| format!("remote-cert-tls {purpose}\n")).unwrap_or_default();
    let (roots, chain) = (material.roots_pem(), material.chain_pem());
    let blocks = ["<ca>\n", &roots, "</ca>\n<cert>\n", &chain, "</cert>\n<key>\n", key, "</key>\n"];
    Ok(joined(&[&[head.as_str(), &peer], &blocks[..]].concat()))
}

/// Returns the purpose of the peer: the one that this certificate does not have. `None` for a certificate with both or neither.
fn peer_purpose(certificate: &Certificate) -> Option<&'static str> {
    let has = |usage: &ExtendedKeyUsage| certificate.extended_key_usage.iter().flatten().any(|each| each == usage);
    match (has(&ExtendedKeyUsage::ServerAuth), has(&ExtendedKeyUsage::ClientAuth)) {
        (true, false) => Some("client"),
        (false, true) => Some("server"),
        _ => None,
    }
}
