//! The roots of this CA: those in service, and those that are retired or have expired and may still be trusted.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::roots::roots_of;
use crate::report::describe::scope::ImpersonationScope;
use crate::report::failure::Failure;
use crate::store::ca_certificates::read_certificate;
use crate::store::certificate_files::CERTIFICATE;
use crate::system::files;
use crate::text::{hex, rfc3339};
use crate::x509::{Certificate, pem};

/// A root of this CA.
#[derive(Debug, Clone)]
pub struct TrustRoot {
    /// The name of the authority.
    pub name: String,
    pub certificate: Certificate,
    /// The path of the certificate.
    pub path: PathBuf,
    /// False when it is retired or has expired.
    pub is_in_service: bool,
    /// The names for which it can issue.
    pub scope: ImpersonationScope,
}

/// The most characters of the subject in a name.
const MOST_OF_SUBJECT: usize = 40;

impl TrustRoot {
    /// Returns the name of the root in every store: the common name, and the first 16 digits of the fingerprint, so that two CAs
    /// of one name have different entries.
    pub fn entry_name(&self) -> String {
        let mut slug = String::new();
        for c in self.certificate.subject.to_string().trim_start_matches("CN=").chars() {
            match c.is_ascii_alphanumeric() {
                true => slug.push(c.to_ascii_lowercase()),
                false if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
                false => {}
            }
        }
        slug.truncate(MOST_OF_SUBJECT);
        let slug = slug.trim_end_matches('-');
        let digits = hex(&self.certificate.fingerprint()[..8]);
        if slug.is_empty() { format!("ca-{digits}") } else { format!("{slug}-{digits}") }
    }

    pub fn pem(&self) -> String {
        pem::certificate(self.certificate.as_der())
    }

    /// Returns what an attacker with the key of this root can do once it is trusted, as a sentence.
    pub fn warning(&self) -> String {
        let until = rfc3339(self.certificate.validity.not_after);
        if self.scope.is_everything() {
            return format!(
                "'{}' has no name constraints. With its key, a certificate for every name on the internet can be forged, and \
                 this machine accepts it until {until}. To limit the next root: ca init --permit NAME",
                self.name
            );
        }
        let (name, names) = (&self.name, self.scope.names());
        if self.is_for_any_host() {
            return format!(
                "'{name}' can issue for {names}. With its key, certificates for them can be forged, and this machine accepts them until {until}"
            );
        }
        format!("'{name}' can issue for {names}, until {until}. TLS clients refuse its certificates for other names")
    }

    /// Returns whether no name constraint limits the host names.
    pub fn is_for_any_host(&self) -> bool {
        self.scope.unrestricted().contains(&"dns")
    }
}

/// Returns all roots, those in service first.
///
/// # Errors
/// When the CA has no root, or a certificate cannot be read.
pub fn all(context: &Context<'_>) -> Result<Vec<TrustRoot>, Failure> {
    let (authorities, now) = (context.ca_certificates()?, context.now());
    let mut roots: Vec<_> = roots_of(&authorities)?
        .into_iter()
        .map(|root| of(root.name, root.path, root.certificate, false, now))
        .collect();
    let retired = authorities.home().retired();
    for name in files::names_in(&retired)? {
        let path = CERTIFICATE.path_in(&retired.join(&name));
        if let Ok(certificate) = read_certificate(&path)
            && !roots.iter().any(|root| root.certificate == certificate)
        {
            roots.push(of(name, path, certificate, true, now));
        }
    }
    roots.sort_by_key(|root| !root.is_in_service);
    Ok(roots)
}

/// Returns a root with what is known of it at a time.
pub fn of(name: String, path: PathBuf, certificate: Certificate, is_retired: bool, now: OffsetDateTime) -> TrustRoot {
    TrustRoot {
        name,
        path,
        is_in_service: !is_retired && certificate.validity.not_after >= now,
        scope: ImpersonationScope::of(&certificate, &[], now),
        certificate,
    }
}
