//! Certificates of the CA directory that a server must refuse: expired, not yet valid, revoked, or a server's.
//!
//! They are real ones with their keys, as they were issued, and only read: a copy under a throw-away CA shows less, because
//! it is refused for its issuer before anybody looks at its dates.

use std::path::Path;

use super::parties::{certificates, folders_of};
use crate::app::context::Context;
use crate::handshake::Endpoint;
use crate::handshake::known_bad_clients::KnownBadClients;
use crate::keys::key_file::KeyFile;
use crate::report::failure::Failure;
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::index::{Entry, Filter, Index, Status};
use crate::x509::{Certificate, ExtendedKeyUsage};

/// Those that were found.
#[derive(Default)]
pub struct Specimens {
    server: Option<Endpoint>,
    expired: Option<Endpoint>,
    not_yet_valid: Option<Endpoint>,
    revoked: Option<Endpoint>,
}

/// So many of the latest are looked at for each kind: their files may be gone, or their keys encrypted.
const MOST: u64 = 50;

impl Specimens {
    /// Looks through the CA directory.
    ///
    /// # Errors
    /// When the index cannot be read; files that are gone or unusable are passed over.
    pub fn find(context: &mut Context<'_>) -> Result<Self, Failure> {
        let home = context.home()?;
        let index = Index::open_to_read(&home.resolve(&Config::load(&home)?.index.location))?;
        let mut find = |statuses: &[Status], fits: fn(&Certificate) -> bool| {
            for status in statuses {
                let filter = Filter { status: Some(*status), limit: Some(MOST), ..Filter::default() };
                for entry in index.query(&filter, context.now())?.0 {
                    let certificate = index.certificate(&entry)?;
                    if !certificate.is_ca()
                        && fits(&certificate)
                        && let Some(party) = party_of(&home, &entry, context)?
                    {
                        return Ok::<_, Failure>(Some(party));
                    }
                }
            }
            Ok(None)
        };
        Ok(Self {
            server: find(&[Status::Valid], |one| {
                serves(one, &ExtendedKeyUsage::ServerAuth) && !serves(one, &ExtendedKeyUsage::ClientAuth)
            })?,
            expired: find(&[Status::Expired], |one| serves(one, &ExtendedKeyUsage::ClientAuth))?,
            not_yet_valid: find(&[Status::NotYetValid], |one| serves(one, &ExtendedKeyUsage::ClientAuth))?,
            revoked: find(&[Status::Revoked, Status::Held], |one| serves(one, &ExtendedKeyUsage::ClientAuth))?,
        })
    }

    /// As a visit wants them; a server that was named comes first.
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

/// Certificate and key of an entry, if both are still there and the key is not encrypted: nobody is asked for a passphrase
/// that was not named.
fn party_of(home: &Home, entry: &Entry, context: &mut Context<'_>) -> Result<Option<Endpoint>, Failure> {
    for folder in folders_of(home, entry)? {
        let found = unencrypted_party(&folder, context);
        if let Some(party) = found.filter(|party| party.certificate().fingerprint() == entry.fingerprint) {
            return Ok(Some(party));
        }
    }
    Ok(None)
}

fn unencrypted_party(folder: &Path, context: &mut Context<'_>) -> Option<Endpoint> {
    let chain = certificates(&folder.join("fullchain.pem"), context).ok()?;
    let key = zeroize::Zeroizing::new(context.read_input(&folder.join("key.pem")).ok()?);
    let file = KeyFile::parse(&key).ok().filter(|file| !file.is_encrypted())?;
    Endpoint::new(chain, file.open(None).ok()?).ok()
}
