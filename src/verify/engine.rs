//! webpki, the verifier inside rustls, checks the path that was found.

use std::net::IpAddr;

use rustls_pki_types::{CertificateDer, ServerName, SignatureVerificationAlgorithm, UnixTime};

use super::candidate::Candidate;
use super::input::{Purpose, VerifyOptions};
use super::signature::{SignatureCache, is_pss_without_null};
use crate::x509::certificate::oid;
use crate::x509::name_constraints::Subtree;
use crate::x509::{ExtendedKeyUsage, Extension, GeneralName};

/// The result of webpki for a path that breaks none of our rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opinion {
    Accepts,
    /// It refuses because it does not implement a part of RFC 5280 that allows the path.
    NotImplemented {
        error: String,
        /// What it does instead, as a clause whose subject is the verifier.
        why: &'static str,
    },
    Refuses {
        error: String,
        fault: Option<Fault>,
    },
}

/// The certificate that webpki refuses, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The index of the certificate in the path, anchor first.
    pub index: usize,
    pub message: String,
}

/// Checks a path (anchor first) with webpki, for the purpose of the options; for [`Purpose::Any`], for the purpose that
/// the leaf names. Returns `None` without a check when the leaf is for neither side of TLS.
pub fn ask(path: &[&Candidate], options: &VerifyOptions, signatures: &SignatureCache) -> Option<Opinion> {
    let leaf = &path.last()?.certificate;
    let names = |purpose| leaf.extended_key_usage.as_ref().is_some_and(|all| all.contains(&purpose));
    let (usage, wanted) = match options.purpose {
        Purpose::Any if leaf.is_ca() => return None,
        Purpose::Any if names(ExtendedKeyUsage::ServerAuth) => SERVER,
        Purpose::Any if names(ExtendedKeyUsage::ClientAuth) => CLIENT,
        Purpose::Server => SERVER,
        Purpose::Client => CLIENT,
        _ => return None,
    };
    Some(match verify(path, usage, options, signatures) {
        Ok(()) => Opinion::Accepts,
        Err(error) => {
            let text = error.to_string();
            match not_implemented(&error, path) {
                Some(why) => Opinion::NotImplemented { error: text, why },
                None => Opinion::Refuses { fault: fault(&error, path, &wanted), error: text },
            }
        }
    })
}

const SERVER: (webpki::KeyUsage, ExtendedKeyUsage) = (webpki::KeyUsage::server_auth(), ExtendedKeyUsage::ServerAuth);
const CLIENT: (webpki::KeyUsage, ExtendedKeyUsage) = (webpki::KeyUsage::client_auth(), ExtendedKeyUsage::ClientAuth);

/// Finds the certificate that webpki's error is about, since the error does not name it.
fn fault(error: &webpki::Error, path: &[&Candidate], wanted: &ExtendedKeyUsage) -> Option<Fault> {
    const PROCESSED: [&str; 6] = [
        oid::KEY_USAGE,
        oid::SUBJECT_ALT_NAME,
        oid::BASIC_CONSTRAINTS,
        oid::NAME_CONSTRAINTS,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::EXTENDED_KEY_USAGE,
    ];
    // webpki does not read the extensions of an anchor.
    path.iter().enumerate().skip(1).find_map(|(index, candidate)| {
        let certificate = &candidate.certificate;
        let message = match error {
            webpki::Error::UnsupportedCriticalExtension => {
                let unknown = |it: &&Extension| it.critical && !PROCESSED.contains(&it.oid.as_str());
                let extension = certificate.extensions.iter().find(unknown)?;
                format!("it does not process {}, which is critical", oid::with_name(&extension.oid))
            }
            webpki::Error::RequiredEkuNotFoundContext(_) => {
                let found = certificate.extended_key_usage.as_ref().filter(|found| !found.contains(wanted))?;
                let found: Vec<_> = found.iter().map(ToString::to_string).collect();
                format!("the extended key usage is {}, and it expects {wanted} by name", found.join(", "))
            }
            _ => return None,
        };
        Some(Fault { index, message })
    })
}

fn verify(
    path: &[&Candidate],
    usage: webpki::KeyUsage,
    options: &VerifyOptions,
    signatures: &SignatureCache,
) -> Result<(), webpki::Error> {
    let [anchor, intermediates @ .., leaf] = path else { return Err(webpki::Error::UnknownIssuer) };
    let (anchor, leaf) = (der(anchor), der(leaf));
    let intermediates: Vec<_> = intermediates.iter().map(|candidate| der(candidate)).collect();
    let at = u64::try_from(options.at.unix_timestamp()).map_err(|_| webpki::Error::BadDerTime)?;
    let anchors = [webpki::anchor_from_trusted_cert(&anchor)?];
    let leaf = webpki::EndEntityCert::try_from(&leaf)?;
    let algorithms = signatures.algorithms();
    let algorithms: Vec<_> = algorithms.iter().map(|it| -> &dyn SignatureVerificationAlgorithm { it }).collect();
    leaf.verify_for_usage(
        &algorithms,
        &anchors,
        &intermediates,
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(at)),
        usage,
        None,
        None,
    )?;
    for name in &options.names {
        if let Some(name) = server_name(name) {
            leaf.verify_is_valid_for_subject_name(&name)?;
        }
    }
    Ok(())
}

fn der(candidate: &Candidate) -> CertificateDer<'_> {
    CertificateDer::from(candidate.certificate.as_der())
}

/// Returns a name in the type of TLS, or `None` for names that are not server names, such as mailboxes.
fn server_name(name: &GeneralName) -> Option<ServerName<'static>> {
    match name {
        GeneralName::Dns(name) => ServerName::try_from(name.clone()).ok(),
        GeneralName::Ip(address) => Some(ServerName::IpAddress(IpAddr::into(*address))),
        _ => None,
    }
}

/// Returns what webpki does not implement, when that is why it refuses a path that RFC 5280 allows: constraints on mailboxes,
/// URIs and directory names; self-issued CAs, which path lengths and constraints exempt; names that are equal under RFC 5280
/// §7.1 but encoded differently.
fn not_implemented(error: &webpki::Error, path: &[&Candidate]) -> Option<&'static str> {
    let (_, cas) = path.split_last().map_or((None, path), |(leaf, cas)| (Some(leaf), cas));
    let has_self_issued = || cas.iter().skip(1).any(|candidate| candidate.is_self_issued());
    match error {
        webpki::Error::NameConstraintViolation => {
            let kinds = |subtree: &Subtree| {
                matches!(subtree, Subtree::Email(_) | Subtree::Uri(_) | Subtree::Directory(_) | Subtree::Other { .. })
            };
            let constrains_others = |candidate: &&Candidate| {
                let constraints = candidate.certificate.name_constraints.as_ref();
                constraints.is_some_and(|it| it.permitted.iter().chain(&it.excluded).any(kinds))
            };
            if cas.iter().any(constrains_others) {
                Some("it does not process constraints on mailboxes, URIs and directory names")
            } else {
                has_self_issued().then_some("it does not exempt self-issued CA certificates from name constraints")
            }
        }
        webpki::Error::PathLenConstraintViolated => {
            has_self_issued().then_some("it does not exempt self-issued CA certificates from path lengths")
        }
        // Our own check has verified these signatures: webpki tried them with another certificate of the same name.
        webpki::Error::InvalidSignatureForPublicKey => {
            has_self_issued().then_some("it takes another certificate of the same name for the issuer")
        }
        // RFC 4055 §2.1: "MUST accept" digests without parameters in RSASSA-PSS.
        webpki::Error::UnsupportedSignatureAlgorithmContext(_) => path
            .iter()
            .skip(1)
            .any(|candidate| is_pss_without_null(&candidate.certificate.signature_algorithm))
            .then_some("it does not accept digests without parameters in RSASSA-PSS (RFC 4055 §2.1)"),
        webpki::Error::UnknownIssuer => path
            .windows(2)
            .any(|pair| match pair {
                [issuer, child] => issuer.certificate.subject.as_der() != child.certificate.issuer.as_der(),
                _ => false,
            })
            .then_some("it compares names byte for byte, and an issuer name is not encoded like the subject of the CA"),
        _ => None,
    }
}
