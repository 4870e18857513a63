//! What was found out about one file, or about what one server sent.

use crate::clients::Prediction;
use crate::handshake::fetch::Served;
use crate::handshake::starttls::StartTls;
use crate::store::index::{self, Entry};
use crate::text::Warning;
use crate::verify::{Candidate, Link, Problem, Verdict};
use crate::x509::Certificate;

/// The results of several files. Each is written in its place and never moved: memory that is touched for the first time is what
/// a call with thousands of files waits for.
pub type VerifiedFiles = Vec<Box<VerifiedFile>>;

/// The result for one file.
pub struct VerifiedFile {
    /// The file as it was named, or the address of a server.
    pub file: String,
    /// The certificates in it that could be read; the verified one first, if it could.
    pub sent: Vec<Candidate>,
    /// The problem that kept the first certificate from being verified, if any.
    pub verdict: Result<Verdict, Problem>,
    pub as_served: bool,
    /// The server that sent it; `None` for a file.
    pub connection: Option<Box<Connection>>,
    /// What the index says of it; `None` when the index was not asked.
    pub known: Option<IndexLookup>,
    /// What each client that was asked for says.
    pub clients: Vec<Prediction<'static>>,
    /// What was left out of the file.
    pub warnings: Vec<Warning>,
}

impl VerifiedFile {
    pub fn is_valid(&self) -> bool {
        self.verdict.as_ref().is_ok_and(|verdict| verdict.valid)
    }

    /// The certificate that was verified, if it could be read.
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
    pub fn add_problems(&mut self, problems: impl IntoIterator<Item = Problem>) {
        if let Ok(verdict) = &mut self.verdict {
            verdict.add_problems(problems);
        }
    }
}

/// The server that was asked, and how its chain compares with the file that was named.
pub struct Connection {
    pub address: String,
    pub host_name: String,
    /// The protocol in which the server was asked for TLS.
    pub starttls: Option<StartTls>,
    pub served: Served,
    pub file: Option<FileComparison>,
}

/// The certificate of the server beside that of a file.
pub struct FileComparison {
    pub file: String,
    pub same_certificate: bool,
    /// True when the further certificates are the same too, in the same order.
    pub same_chain: bool,
}

/// A certificate in the index.
pub struct KnownCertificate {
    pub entry: Entry,
    /// The latest of the name, when that is another one.
    pub newer: Option<Entry>,
    pub status: index::CertificateStatus,
}

/// What the index says of a certificate.
pub enum IndexLookup {
    /// This CA did not issue it.
    Unknown,
    Known(Box<KnownCertificate>),
}
