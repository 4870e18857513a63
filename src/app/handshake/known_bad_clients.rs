//! Clients of the CA directory that a server must refuse: with a certificate that is expired, not yet valid, revoked, or a
//! server's.
//!
//! They are issued certificates with their keys, and only read. A copy under a look-alike CA would prove less, because servers
//! refuse it for its issuer before they look at its dates.

use std::path::Path;

use crate::app::certificate_input::require_certificates;
use crate::app::context::Context;
use crate::app::handshake::endpoints::folders_of;
use crate::handshake::Endpoint;
use crate::handshake::known_bad_clients::KnownBadClients;
use crate::keys::key_file::KeyFile;
use crate::report::failure::Failure;
use crate::store::certificate_files::{FULLCHAIN, KEY};
use crate::store::home::Home;
use crate::store::index::{CertificateStatus, Entry, Filter};
use crate::x509::{Certificate, ExtendedKeyUsage};

/// The clients that were found.
#[derive(Default)]
pub struct FoundBadClients {
    server: Option<Endpoint>,
    expired: Option<Endpoint>,
    not_yet_valid: Option<Endpoint>,
    revoked: Option<Endpoint>,
}

/// How many of the latest certificates are tried for each kind: their files may be missing, or their keys encrypted.
const MOST: u64 = 50;

impl FoundBadClients {
    /// Looks through the CA directory.
    ///
    /// # Errors
    /// When the index cannot be read; certificates without usable files are left out.
    pub fn find(context: &mut Context<'_>) -> Result<Self, Failure> {
        let store = context.store()?;
        let index = store.index()?;
        let mut find = |statuses: &[CertificateStatus], fits: fn(&Certificate) -> bool| {
            for status in statuses {
                let filter = Filter { status: Some(*status), limit: Some(MOST), ..Filter::default() };
                for entry in index.query(&filter, context.now())?.0 {
                    let certificate = index.certificate(&entry)?;
                    if !certificate.is_ca()
                        && fits(&certificate)
                        && let Some(endpoint) = endpoint_of(store.home(), &entry, context)?
                    {
                        return Ok::<_, Failure>(Some(endpoint));
                    }
                }
            }
            Ok(None)
        };
        Ok(Self {
            server: find(&[CertificateStatus::Valid], |one| {
                serves(one, &ExtendedKeyUsage::ServerAuth) && !serves(one, &ExtendedKeyUsage::ClientAuth)
            })?,
            expired: find(&[CertificateStatus::Expired], |one| serves(one, &ExtendedKeyUsage::ClientAuth))?,
            not_yet_valid: find(&[CertificateStatus::NotYetValid], |one| serves(one, &ExtendedKeyUsage::ClientAuth))?,
            revoked: find(&[CertificateStatus::Revoked, CertificateStatus::Held], |one| {
                serves(one, &ExtendedKeyUsage::ClientAuth)
            })?,
        })
    }

    /// As a connection takes them; `server` comes before the one that was found.
    pub fn borrowed<'a>(&'a self, server: Option<&'a Endpoint>) -> KnownBadClients<'a> {
        KnownBadClients {
            server: server.or(self.server.as_ref()),
            expired: self.expired.as_ref(),
            not_yet_valid: self.not_yet_valid.as_ref(),
            revoked: self.revoked.as_ref(),
        }
    }

    pub fn has_revoked(&self) -> bool {
        self.revoked.is_some()
    }
}

fn serves(certificate: &Certificate, purpose: &ExtendedKeyUsage) -> bool {
    certificate.extended_key_usage.as_ref().is_some_and(|purposes| purposes.contains(purpose))
}

/// Certificate and key of an entry; `None` when a file is missing or the key is encrypted: a passphrase is not asked for.
fn endpoint_of(home: &Home, entry: &Entry, context: &mut Context<'_>) -> Result<Option<Endpoint>, Failure> {
    for folder in folders_of(home, entry)? {
        let found = unencrypted_endpoint(&folder, context);
        if let Some(endpoint) = found.filter(|endpoint| endpoint.certificate().fingerprint() == entry.fingerprint) {
            return Ok(Some(endpoint));
        }
    }
    Ok(None)
}

fn unencrypted_endpoint(folder: &Path, context: &mut Context<'_>) -> Option<Endpoint> {
    let chain = require_certificates(&FULLCHAIN.path_in(folder), context).ok()?;
    let key = zeroize::Zeroizing::new(context.read_input(&KEY.path_in(folder)).ok()?);
    let file = KeyFile::parse(&key).ok().filter(|file| !file.is_encrypted())?;
    Endpoint::new(chain, file.open(None).ok()?).ok()
}
