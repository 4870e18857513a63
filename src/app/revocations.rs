//! What the CA directory knows of revoked certificates: its index, and the CRLs of its authorities.
//!
//! Every command whose trust anchors come from the CA directory verifies with this one source, so that they all give the
//! same answer. A revocation counts whatever the time of the verification is: a clock may be wrong, and
//! a key that leaked was not safe a minute before the report.

use std::sync::{Mutex, PoisonError};

use crate::app::context::Context;
use crate::app::directory::ca_certificate_files;
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::ca_certificates::read_certificate;
use crate::store::index::{Index, IndexError, RecordedCrl};
use crate::system::files;
use crate::text::{PathText, Warning, rfc3339};
use crate::verify::{
    Candidate, CandidateCrl, InputPosition, KnownRevocation, RevocationSource, SignatureProblem, check_crl_signature,
};
use crate::x509::{Crl, digest};

/// The revocations of one CA directory.
#[derive(Debug)]
pub struct DirectoryRevocations {
    /// `None` when the directory has no index, as in a copy for clients.
    index: Option<Mutex<Index>>,
    /// The current CRL of each authority that has one, signed with the key of the authority.
    crls: Vec<CandidateCrl>,
}

impl DirectoryRevocations {
    /// Opens the index and reads the CRLs. `warnings` gets a sentence for each part that is missing or cannot count.
    ///
    /// # Errors
    /// When there is no CA directory, or its settings, its index or a CRL are there and cannot be read: an answer without
    /// them could be wrong.
    pub fn open(context: &Context<'_>, warnings: &mut Vec<Warning>) -> Result<Self, Failure> {
        let without = |failure: Failure| failure.hint("to verify without revocation: --no-revocation");
        let store = context.store().map_err(without)?;
        let index = match store.index_location().open_to_read() {
            Ok(index) => Some(index),
            // A server that is away does not stop a verification from files.
            Err(error @ (IndexError::Missing { .. } | IndexError::Unreachable { .. })) => {
                let message = format!("{error}: only the CRLs of the CA directory were checked for revocations");
                warnings.push(Warning::new("index-not-checked", message));
                None
            }
            Err(error) => return Err(without(error.into())),
        };
        let read = crls(&store, index.as_ref(), warnings).map_err(without)?;
        Ok(Self { index: index.map(Mutex::new), crls: read })
    }

    /// Leaves the connection to the index to what this process reads later.
    pub fn leave_index_to(self, store: &Store) {
        if let Some(index) = self.index {
            store.keep(index.into_inner().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Reads the CRL of each authority; one that the authority's key has not signed is left out with a warning. The signature
/// of the latest CRL of the index is not verified again: this program verified it before it recorded exactly these bytes.
fn crls(store: &Store, index: Option<&Index>, warnings: &mut Vec<Warning>) -> Result<Vec<CandidateCrl>, Failure> {
    let mut recorded = None;
    let mut crls = Vec::new();
    for ca in ca_certificate_files(store.ca_certificates())? {
        let path = store.home().crl_der(&ca.name);
        let Some(der) = files::read_if_exists(&path, files::MAX_FILE_BYTES)? else { continue };
        let shown = path.escaped().to_string();
        let crl = Crl::from_der(&der).map_err(|error| {
            Failure::usage("undecodable", format!("{shown}: {error}"))
                .hint(format!("sign a new one: ca crl --authority {}", ca.name))
        })?;
        if recorded.is_none() {
            recorded = Some(index.map(Index::latest_crls).transpose()?.unwrap_or_default());
        }
        let is_latest = |of_index: &RecordedCrl| {
            of_index.authority == ca.name && of_index.fingerprint == digest::sha256(crl.as_der())
        };
        let signed = match recorded.iter().flatten().any(is_latest) {
            true => Ok(()),
            false => check_crl_signature(&crl, &read_certificate(&ca.path)?.public_key),
        };
        let why = match signed {
            Ok(()) => {
                crls.push(CandidateCrl::new(crl, InputPosition::new(shown.as_str(), 1)));
                continue;
            }
            Err(SignatureProblem::Unsupported) => {
                format!("its signature, {}, cannot be checked with the key of '{}'", crl.signature_algorithm, ca.name)
            }
            Err(SignatureProblem::Wrong | SignatureProblem::Frame) => {
                format!("it is not signed with the key of '{}'", ca.name)
            }
        };
        let message = format!("{shown} was not used: {why}; sign a new one: ca crl --authority {}", ca.name);
        warnings.push(Warning::new("crl-not-used", message));
    }
    Ok(crls)
}

impl RevocationSource for DirectoryRevocations {
    fn revocation_of(&self, candidate: &Candidate) -> Result<Option<KnownRevocation>, String> {
        let certificate = &candidate.certificate;
        if let Some(index) = &self.index {
            // A thread that panicked has changed nothing: the index is only read.
            let index = index.lock().unwrap_or_else(PoisonError::into_inner);
            let found = index.revocation_by_serial(&certificate.issuer, &certificate.serial);
            let found = found.map_err(|error| format!("the index cannot be read for a revocation: {error}"))?;
            if let Some(revocation) = found {
                let (at, reason) = (revocation.at, revocation.reason);
                return Ok(Some(KnownRevocation {
                    at,
                    reason: Some(reason),
                    source: "the index of this CA".to_owned(),
                }));
            }
        }
        Ok(self.crls.iter().find_map(|crl| {
            let entry = crl.entries_of(candidate).next()?;
            Some(KnownRevocation {
                at: entry.revoked_at,
                reason: entry.reason,
                source: format!("{} of {}", crl.position, rfc3339(crl.contents.this_update)),
            })
        }))
    }
}
