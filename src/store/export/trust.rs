//! The roots of a CA, and its CRLs, in the formats of other programs.

use std::fmt;
use std::str::FromStr;

use super::kubernetes::{self, object_name};
use super::material::ExportError;
use super::mobileconfig;
use crate::keys::key_file::pkcs12::{StoreProtection, trust_store};
use crate::store::ca_certificates::Root;
use crate::x509::pem;

/// A format of another program for the roots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootsFormat {
    Pem,
    /// The DER of the only root.
    Der,
    /// PKCS#12 whose certificates Java trusts.
    TrustStore,
    /// A manifest of Kubernetes.
    KubernetesConfigMap,
    /// A configuration profile of Apple.
    MobileConfig,
}

impl RootsFormat {
    pub const ALL: [Self; 5] = [Self::Pem, Self::Der, Self::TrustStore, Self::KubernetesConfigMap, Self::MobileConfig];

    /// Returns the name in flags and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pem => "pem",
            Self::Der => "der",
            Self::TrustStore => "truststore",
            Self::KubernetesConfigMap => "k8s-configmap",
            Self::MobileConfig => "mobileconfig",
        }
    }

    /// Returns whether a file of this format is not text.
    pub const fn is_binary(self) -> bool {
        matches!(self, Self::Der | Self::TrustStore)
    }

    /// Returns whether a file of this format can have CRLs.
    pub const fn takes_crls(self) -> bool {
        matches!(self, Self::Pem | Self::KubernetesConfigMap)
    }
}

impl fmt::Display for RootsFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RootsFormat {
    type Err = String;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.name() == given);
        known.ok_or_else(|| format!("expected one of {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Makes the content of a file with the roots; `crls` are the CRLs in PEM, for formats that [take](RootsFormat::takes_crls) them.
///
/// # Errors
/// When the format has one certificate and there are several roots; when a trust store has no protection.
pub fn encode_roots(
    format: RootsFormat,
    roots: &[Root],
    crls: &str,
    protection: Option<&StoreProtection<'_>>,
) -> Result<Vec<u8>, ExportError> {
    let bundle = || roots.iter().map(|root| pem::certificate(root.certificate.as_der())).collect::<String>();
    match (format, roots) {
        (RootsFormat::Pem, _) => Ok((bundle() + crls).into_bytes()),
        (RootsFormat::Der, [root]) => Ok(root.certificate.as_der().to_vec()),
        (RootsFormat::Der, several) => Err(ExportError::SeveralRoots(several.len())),
        (RootsFormat::TrustStore, _) => {
            let protection = protection.ok_or(ExportError::NoPassphrase)?;
            let trusted: Vec<(&str, &[u8])> =
                roots.iter().map(|root| (root.name.as_str(), root.certificate.as_der())).collect();
            trust_store(&trusted, protection).map_err(ExportError::Roots)
        }
        (RootsFormat::KubernetesConfigMap, _) => {
            let name = roots.first().and_then(|root| root.certificate.subject.common_name()).unwrap_or("roots");
            Ok(kubernetes::config_map(&object_name(name), &bundle(), crls).into_bytes())
        }
        (RootsFormat::MobileConfig, _) => Ok(mobileconfig::profile(roots).into_bytes()),
    }
}
