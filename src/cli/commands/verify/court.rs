//! One question put to the judge for each file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::advice::Lookup;
use super::allowance::Allowance;
use super::input::{Blocks, Source, left_out, readable};
use super::live::Live;
use crate::cli::Failure;
use crate::cli::commands::lint::MOST_CERTIFICATES;
use crate::text::hex;
use crate::verify::{
    CERTIFICATE_MALFORMED, Candidate, CandidateCrl, InputPosition, KEY_MISMATCH, Link, Problem, SignatureCache,
    Verdict, VerifyInput, VerifyOptions, served, verify_chain,
};
use crate::x509::{Certificate, PublicKey, der};

/// What is the same for every file.
pub struct Court<'a> {
    pub anchors: &'a [Candidate],
    pub untrusted: &'a [Candidate],
    pub crls: &'a [CandidateCrl],
    pub key: Option<&'a PublicKey>,
    pub options: &'a VerifyOptions,
    /// The files are what a TLS server sends, and nothing else helps.
    pub as_served: bool,
    /// What was found out about signatures, for all files.
    pub signatures: SignatureCache,
    /// The CAs that stand in good files, each once: the one that another file misses may be among them.
    pub cas: Mutex<HashMap<[u8; 32], Candidate>>,
    pub allowance: &'a Allowance,
}

/// The most CAs of good files that are remembered.
const MOST_CAS: usize = 1000;

/// The answer for one file.
pub struct Judged {
    /// The file as it was named, or the address of a server.
    pub file: String,
    /// The certificates in it that could be read; the judged one first, if it could.
    pub sent: Vec<Candidate>,
    pub verdict: Result<Verdict, Problem>,
    pub as_served: bool,
    /// What is to be told of the server that sent it.
    pub live: Option<Live>,
    /// What the index says of it, where there is one and it was asked.
    pub known: Option<Lookup>,
    /// What was left out of the file.
    pub warnings: Vec<String>,
}

impl Court<'_> {
    /// Judges all files, on all cores when they are many; the answers come in the order of the files.
    ///
    /// # Errors
    /// That of the first file that cannot be judged.
    pub fn judge_all(&self, sources: &[Source]) -> Result<Vec<Judged>, Failure> {
        const WORTH_A_THREAD: usize = 16;
        // The number of cores is asked only when there are files enough for a second one.
        let threads = match sources.len().div_ceil(WORTH_A_THREAD) {
            0 | 1 => 1,
            wanted => std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(wanted),
        };
        // Whoever is free takes the next file: so all are busy to the end, and only what is judged lies in memory.
        let next = AtomicUsize::new(0);
        let failed = AtomicBool::new(false);
        let work = || {
            let mut answers = Vec::new();
            while !failed.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(source) = sources.get(index) else { break };
                let answer = self.judge_source(source);
                failed.fetch_or(answer.is_err(), Ordering::Relaxed);
                answers.push((index, answer));
            }
            answers
        };
        let mut answers = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut answers = work();
            for other in others {
                // A panic of a thread goes on in this one.
                answers.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            }
            answers
        });
        // What comes before a failure was taken before it, and has its answer: so the same failure is told every time.
        answers.sort_by_key(|(index, _)| *index);
        let answers: Vec<_> = answers.into_iter().map(|(_, answer)| answer).collect::<Result<_, _>>()?;
        let mut rest = answers.iter();
        for of_one in sources.chunk_by(|one, other| one.folder == other.folder) {
            let judged = rest.by_ref().take(of_one.len()).flatten().count();
            if let (0, Some(folder)) = (judged, of_one.first().and_then(|source| source.folder.as_ref())) {
                return Err(Failure::nothing_in_folder(folder));
            }
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Nothing for a file of a folder that holds no certificate.
    fn judge_source(&self, source: &Source) -> Result<Option<Judged>, Failure> {
        let blocks = source.blocks(self.allowance)?;
        if source.folder.is_some() && blocks.certificates.is_empty() {
            return Ok(None);
        }
        let mut judged = self.judge(&source.path, &blocks)?;
        if judged.is_valid() && !judged.as_served {
            // Nobody asks a good one for its octets again, and thousands of them are many: only its CAs may be of use to others.
            let cas = std::mem::take(&mut judged.sent).into_iter().filter(|candidate| candidate.certificate.is_ca());
            let mut known = self.cas.lock().unwrap_or_else(PoisonError::into_inner);
            for ca in cas {
                if known.len() < MOST_CAS {
                    known.entry(ca.certificate.fingerprint()).or_insert(ca);
                }
            }
        }
        Ok(Some(judged))
    }

    /// Judges the first certificate of a file, with the others in it as intermediates.
    pub fn judge(&self, path: &Path, blocks: &Blocks) -> Result<Judged, Failure> {
        let file = blocks.file.clone();
        let Some(first) = blocks.certificates.first() else {
            return Err(Failure::nothing_in_file(path, "certificate"));
        };
        if self.as_served && blocks.certificates.len() > MOST_CERTIFICATES {
            return Err(Failure::too_many_certificates(path, blocks.certificates.len(), MOST_CERTIFICATES));
        }
        let (sent, mut damaged) = readable(blocks);
        let mut judged = Judged {
            file,
            sent,
            verdict: Err(Problem::at(&CERTIFICATE_MALFORMED, InputPosition::new(&blocks.file, 1), "")),
            as_served: self.as_served,
            live: None,
            known: None,
            warnings: Vec::new(),
        };
        if damaged.first().is_some_and(|(position, _)| position.number == 1) {
            let (position, error) = damaged.remove(0);
            // Without PEM around it, nothing says that it was meant to be a certificate.
            if !blocks.is_pem && !looks_like_der(first) {
                return Err(Failure::undecodable(path, 1, "certificate", &error.to_string()));
            }
            judged.verdict = Err(malformed(position, &error));
            return Ok(judged);
        }
        judged.verdict = Ok(self.ask(&judged.sent));
        if self.as_served {
            judged.object(damaged.into_iter().map(|(position, error)| malformed(position, &error)));
        } else {
            judged.warnings = left_out(&damaged);
        }
        Ok(judged)
    }

    /// `sent` is not empty.
    fn ask(&self, sent: &[Candidate]) -> Verdict {
        let all: Vec<_> = sent[1..].iter().chain(self.untrusted).collect();
        let input = VerifyInput {
            leaf: &sent[0],
            untrusted: &all,
            anchors: self.anchors,
            crls: self.crls,
            signatures: &self.signatures,
        };
        let mut verdict = verify_chain(input, self.options);
        if self.as_served {
            verdict.add_problems(served::check(sent));
        } else if !verdict.valid {
            verdict.add_problems(served::leaf_not_first(sent));
        }
        if let Some(key) = self.key {
            verdict.add_problems(other_pair(&sent[0], key));
        }
        verdict
    }
}

/// One SEQUENCE from the first octet to the last.
fn looks_like_der(octets: &[u8]) -> bool {
    matches!(der::split_first(octets), Some((der::SEQUENCE, _, [])))
}

/// A certificate that is framed as one and cannot be read: the answer is no.
fn malformed(position: InputPosition, error: &crate::x509::decode::DecodeError) -> Problem {
    Problem::at(&CERTIFICATE_MALFORMED, position, format!("the certificate cannot be read: {error}"))
}

/// A private key of another pair turns a yes into a no.
fn other_pair(leaf: &Candidate, key: &PublicKey) -> Option<Problem> {
    let (found, given) = (&leaf.certificate.public_key, key);
    (found.spki() != given.spki()).then(|| {
        let message = format!(
            "the private key is of another pair: the certificate holds {} {}, the key file {} {} (key identifiers)",
            found.kind(),
            hex(&found.key_id()),
            given.kind(),
            hex(&given.key_id())
        );
        Problem::error(&KEY_MISMATCH, leaf, message)
    })
}

impl Judged {
    pub fn is_valid(&self) -> bool {
        self.verdict.as_ref().is_ok_and(|verdict| verdict.valid)
    }

    /// The certificate that was judged, if it could be read.
    pub fn leaf(&self) -> Option<&Certificate> {
        self.verdict.as_ref().ok().and(self.sent.first()).map(|candidate| &candidate.certificate)
    }

    pub fn problems(&self) -> &[Problem] {
        match &self.verdict {
            Ok(verdict) => &verdict.problems,
            Err(problem) => std::slice::from_ref(problem),
        }
    }

    pub fn chain(&self) -> &[Link] {
        self.verdict.as_ref().map_or(&[], |verdict| &verdict.chain)
    }

    /// Adds what else is wrong.
    pub fn object(&mut self, objections: impl IntoIterator<Item = Problem>) {
        if let Ok(verdict) = &mut self.verdict {
            verdict.add_problems(objections);
        }
    }
}
