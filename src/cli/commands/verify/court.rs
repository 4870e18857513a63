//! One question put to the judge for each file.

use std::path::{Path, PathBuf};

use super::advice::Lookup;
use super::input::{Blocks, left_out, readable};
use super::live::Live;
use crate::cli::Failure;
use crate::verify::{
    CERTIFICATE_MALFORMED, Evidence, Exhibit, KEY_MISMATCH, Link, ListExhibit, Place, Problem, Question, Verdict,
    judge, served,
};
use crate::x509::text::hex;
use crate::x509::{Certificate, PublicKey, der};

/// What is the same for every file.
pub struct Court<'a> {
    pub anchors: &'a [Exhibit],
    pub untrusted: &'a [Exhibit],
    pub lists: &'a [ListExhibit],
    pub key: Option<&'a PublicKey>,
    pub question: &'a Question,
    /// The files are what a TLS server sends, and nothing else helps.
    pub as_served: bool,
}

/// The answer for one file.
pub struct Judged {
    /// The file as it was named, or the address of a server.
    pub file: String,
    /// The certificates in it that could be read; the judged one first, if it could.
    pub sent: Vec<Exhibit>,
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
    pub fn judge_all(&self, files: &[(PathBuf, Blocks)]) -> Result<Vec<Judged>, Failure> {
        const WORTH_A_THREAD: usize = 16;
        let judge_share = |files: &[(PathBuf, Blocks)]| -> Result<Vec<Judged>, Failure> {
            files.iter().map(|(path, blocks)| self.judge(path, blocks)).collect()
        };
        if files.len() <= WORTH_A_THREAD {
            return judge_share(files);
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let share = files.len().div_ceil(cores).max(WORTH_A_THREAD);
        let shares = std::thread::scope(|scope| {
            let threads: Vec<_> = files.chunks(share).map(|files| scope.spawn(move || judge_share(files))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        });
        let mut all = Vec::with_capacity(files.len());
        for share in shares {
            // A panic of a thread goes on in this one.
            all.extend(share.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    }

    /// Judges the first certificate of a file, with the others in it as intermediates.
    pub fn judge(&self, path: &Path, blocks: &Blocks) -> Result<Judged, Failure> {
        let file = blocks.file.clone();
        let Some(first) = blocks.certificates.first() else {
            return Err(Failure::nothing_in_file(path, "certificate"));
        };
        let (sent, mut damaged) = readable(blocks);
        let mut judged = Judged {
            file,
            sent,
            verdict: Err(Problem::at(&CERTIFICATE_MALFORMED, Place::new(&blocks.file, 1), "")),
            as_served: self.as_served,
            live: None,
            known: None,
            warnings: Vec::new(),
        };
        if damaged.first().is_some_and(|(place, _)| place.number == 1) {
            let (place, error) = damaged.remove(0);
            // Without PEM around it, nothing says that it was meant to be a certificate.
            if !blocks.is_pem && !looks_like_der(first) {
                return Err(Failure::undecodable(path, 1, "certificate", &error.to_string()));
            }
            judged.verdict = Err(malformed(place, &error));
            return Ok(judged);
        }
        judged.verdict = Ok(self.ask(&judged.sent));
        if self.as_served {
            judged.object(damaged.into_iter().map(|(place, error)| malformed(place, &error)));
        } else {
            judged.warnings = damaged.iter().map(|(place, error)| left_out(place, error)).collect();
        }
        Ok(judged)
    }

    /// `sent` is not empty.
    fn ask(&self, sent: &[Exhibit]) -> Verdict {
        let all: Vec<_> = sent[1..].iter().chain(self.untrusted).collect();
        let evidence = Evidence { leaf: &sent[0], untrusted: &all, anchors: self.anchors, lists: self.lists };
        let mut verdict = judge(evidence, self.question);
        if self.as_served {
            verdict.object(served::check(sent));
        } else if !verdict.valid {
            verdict.object(served::leaf_not_first(sent));
        }
        if let Some(key) = self.key {
            verdict.object(other_pair(&sent[0], key));
        }
        verdict
    }
}

/// One SEQUENCE from the first octet to the last.
fn looks_like_der(octets: &[u8]) -> bool {
    matches!(der::split_first(octets), Some((der::SEQUENCE, _, [])))
}

/// A certificate that is framed as one and cannot be read: the answer is no.
fn malformed(place: Place, error: &crate::x509::decode::DecodeError) -> Problem {
    Problem::at(&CERTIFICATE_MALFORMED, place, format!("the certificate cannot be read: {error}"))
}

/// A private key of another pair turns a yes into a no.
fn other_pair(leaf: &Exhibit, key: &PublicKey) -> Option<Problem> {
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
        self.verdict.as_ref().ok().and(self.sent.first()).map(|exhibit| &exhibit.certificate)
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
            verdict.object(objections);
        }
    }
}
