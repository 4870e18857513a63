//! Many files verified with the same options, trust anchors and CRLs, on all cores.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::app::certificate_input::MAX_CERTIFICATES;
use crate::app::verify::clients::{self, Clients};
use crate::app::verify::input::{Blocks, Source, left_out, readable};
use crate::app::verify::input_budget::InputBudget;
use crate::app::verify::verified_file::{VerifiedFile, VerifiedFiles};
use crate::clients::ClientChoice;
use crate::report::failure::Failure;
use crate::text::hex;
use crate::verify::{
    CERTIFICATE_MALFORMED, Candidate, CandidateCrl, InputPosition, KEY_MISMATCH, Problem, RevocationSource,
    SignatureCache, Verdict, VerifyInput, VerifyOptions, served, verify_chain,
};
use crate::x509::{PublicKey, der};

/// What is the same for every file.
pub struct BatchVerifier<'a> {
    pub anchors: &'a [Candidate],
    pub untrusted: &'a [Candidate],
    pub crls: &'a [CandidateCrl],
    /// The revocations of the CA directory; `None` when its roots are not the trust anchors.
    pub revocations: Option<&'a dyn RevocationSource>,
    pub key: Option<&'a PublicKey>,
    pub options: &'a VerifyOptions,
    /// The clients whose refusals make a chain invalid.
    pub clients: &'a [ClientChoice<'static>],
    /// True when each file is the whole chain that a TLS server sends: `untrusted` certificates are not used.
    pub as_served: bool,
    /// The signatures that were checked already, in any of the files.
    pub signatures: SignatureCache,
    /// The CAs in valid files, each once: an issuer that another file lacks may be among them.
    pub cas: Mutex<HashMap<[u8; 32], Candidate>>,
    pub budget: &'a InputBudget,
}

/// The most CAs of valid files that are remembered.
const MOST_CAS: usize = 1000;

impl BatchVerifier<'_> {
    /// Verifies all files, on all cores when they are many; the results are in the order of the files.
    ///
    /// # Errors
    /// That of the first file that cannot be verified.
    pub fn verify_all(&self, sources: &[Source]) -> Result<VerifiedFiles, Failure> {
        const WORTH_A_THREAD: usize = 16;
        // The number of cores is asked only when there are files enough for a second one.
        let threads = match sources.len().div_ceil(WORTH_A_THREAD) {
            0 | 1 => 1,
            wanted => std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(wanted),
        };
        // A thread that is free takes the next file: all threads are busy to the end, and only files under verification are in memory.
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let results: Vec<OnceLock<_>> = sources.iter().map(|_| OnceLock::new()).collect();
        let work = || {
            while !failed.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let (Some(source), Some(place)) = (sources.get(index), results.get(index)) else { break };
                let result = place.get_or_init(|| self.verify_source(source).map_err(Box::new));
                failed.fetch_or(result.is_err(), Ordering::Relaxed);
            }
        };
        std::thread::scope(|scope| {
            // A panic of a thread goes on in this one, when the scope ends.
            (1..threads).for_each(|_| drop(scope.spawn(work)));
            work();
        });
        // Every file before the first failure was taken before it and has its result: the same failure is returned every time.
        let results = results
            .into_iter()
            .map_while(OnceLock::into_inner)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|failure| *failure)?;
        let mut rest = results.iter();
        for of_one in sources.chunk_by(|one, other| one.folder == other.folder) {
            let verified = rest.by_ref().take(of_one.len()).flatten().count();
            if let (0, Some(folder)) = (verified, of_one.first().and_then(|source| source.folder.as_ref())) {
                return Err(Failure::nothing_in_folder(folder));
            }
        }
        Ok(results.into_iter().flatten().collect())
    }

    /// Returns `None` for a file of a folder that has no certificate.
    fn verify_source(&self, source: &Source) -> Result<Option<Box<VerifiedFile>>, Failure> {
        let blocks = source.blocks(self.budget)?;
        if source.folder.is_some() && blocks.certificates.is_empty() {
            return Ok(None);
        }
        let mut verified = Box::new(self.verify(&source.path, &blocks)?);
        if verified.is_valid() && !verified.as_served {
            // Of a valid file only the CAs are kept, which other files may need: thousands of files would fill the memory.
            let cas = std::mem::take(&mut verified.sent).into_iter().filter(|candidate| candidate.certificate.is_ca());
            let mut known = self.cas.lock().unwrap_or_else(PoisonError::into_inner);
            for ca in cas {
                if known.len() < MOST_CAS {
                    known.entry(ca.certificate.fingerprint()).or_insert(ca);
                }
            }
        }
        Ok(Some(verified))
    }

    /// Verifies the first certificate of a file, with the others in it as intermediates.
    ///
    /// # Errors
    /// When the file has no certificate, or too many.
    pub fn verify(&self, path: &Path, blocks: &Blocks) -> Result<VerifiedFile, Failure> {
        let Some(first) = blocks.certificates.first() else {
            return Err(blocks.no_certificate(path));
        };
        if blocks.kind.is_some() {
            return Err(blocks.no_certificate(path));
        }
        if self.as_served && blocks.certificates.len() > MAX_CERTIFICATES {
            return Err(Failure::too_many_certificates(path, blocks.certificates.len(), MAX_CERTIFICATES));
        }
        let (sent, mut damaged) = readable(blocks);
        let is_damaged = damaged.first().is_some_and(|(position, _)| position.number == 1);
        let verdict = match is_damaged {
            false => Ok(self.ask(&sent)),
            true => {
                let (position, error) = damaged.remove(0);
                // Without PEM around it, the file may be something else than a certificate.
                if !blocks.is_pem && !looks_like_der(first) {
                    return Err(Failure::undecodable(path, 1, "certificate", &error.to_string()));
                }
                Err(malformed(position, &error))
            }
        };
        let mut verified = VerifiedFile {
            file: blocks.file.clone(),
            sent,
            verdict,
            as_served: self.as_served,
            connection: None,
            known: None,
            clients: Vec::new(),
            warnings: Vec::new(),
        };
        match (is_damaged, self.as_served) {
            (true, _) => {}
            (false, true) => {
                verified.add_problems(damaged.into_iter().map(|(position, error)| malformed(position, &error)));
            }
            (false, false) => verified.warnings = left_out(&damaged),
        }
        clients::ask(self.clients(), blocks, &mut verified);
        Ok(verified)
    }

    fn clients(&self) -> Clients<'_> {
        Clients {
            choices: self.clients,
            untrusted: if self.as_served { &[] } else { self.untrusted },
            anchors: self.anchors,
            options: self.options,
            signatures: &self.signatures,
        }
    }

    /// `sent` is not empty.
    fn ask(&self, sent: &[Candidate]) -> Verdict {
        let all: Vec<_> = sent[1..].iter().chain(self.untrusted).collect();
        let input = VerifyInput {
            leaf: &sent[0],
            untrusted: &all,
            anchors: self.anchors,
            crls: self.crls,
            revocations: self.revocations,
            signatures: &self.signatures,
        };
        let mut verdict = verify_chain(input, self.options);
        if self.as_served {
            verdict.add_problems(served::check(sent, &verdict, self.options));
        } else if verdict.valid {
            verdict.add_problems(served::others_unused(sent, &verdict));
        } else {
            verdict.add_problems(served::leaf_not_first(sent));
        }
        if let Some(key) = self.key {
            verdict.add_problems(other_pair(&sent[0], key));
        }
        verdict
    }
}

/// One SEQUENCE from the first byte to the last.
fn looks_like_der(bytes: &[u8]) -> bool {
    matches!(der::split_first(bytes), Some((der::SEQUENCE, _, [])))
}

/// A certificate in PEM or DER that cannot be read is invalid.
fn malformed(position: InputPosition, error: &crate::x509::decode::DecodeError) -> Problem {
    Problem::at(&CERTIFICATE_MALFORMED, position, format!("the certificate cannot be read: {error}"))
}

/// A private key of another pair makes the certificate invalid.
fn other_pair(leaf: &Candidate, key: &PublicKey) -> Option<Problem> {
    let (found, given) = (&leaf.certificate.public_key, key);
    (found.spki() != given.spki()).then(|| {
        let message = format!(
            "the private key does not match the certificate: the certificate has {} {}, the key file {} {} (key \
                 identifiers)",
            found.kind(),
            hex(&found.key_id()),
            given.kind(),
            hex(&given.key_id())
        );
        Problem::error(&KEY_MISMATCH, leaf, message)
    })
}
