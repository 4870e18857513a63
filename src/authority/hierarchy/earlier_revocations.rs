//! What a CA of another tool revoked before it is imported: its CRLs, and the index of `openssl ca`.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::hierarchy::openssl_index::{self, IndexProblems, OpensslEntry};
use crate::authority::revocation::carry_over::{own_entry, single_der, small_number};
use crate::authority::signed_by::has_signed_crl;
use crate::store::index::{
    ImportSource, ImportedRevocation, ImportedSerial, IndexError, NewCrl, RecordedCrl, Revocation, Transaction,
};
use crate::text::{Diagnosis, Diagnostic, PathText, Warning};
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, Crl, DistinguishedName, SerialNumber, digest, pem};

/// The files of another tool, as they were read.
#[derive(Debug, Default)]
pub struct EarlierFiles {
    pub crls: Vec<(PathBuf, Vec<u8>)>,
    /// `index.txt` of `openssl ca`.
    pub openssl_index: Option<(PathBuf, Vec<u8>)>,
    /// What was read from the files of another tool.
    pub read: ReadRecords,
}

/// The records of another tool, after they were read.
#[derive(Debug, Default)]
pub struct ReadRecords {
    /// The certificates of its index; `None` when it has no index.
    pub entries: Option<Vec<OpensslEntry>>,
    /// Revocations that its index does not have.
    pub revoked: Vec<ReadRevocation>,
    /// The number of the last CRL that it signed; `None` when it is not known.
    pub last_crl_number: Option<u64>,
}

/// A revocation in the records of another tool.
#[derive(Debug, Clone)]
pub struct ReadRevocation {
    pub serial: SerialNumber,
    pub revocation: Revocation,
    /// The expiry of the certificate; `None` when it is not known.
    pub not_after: Option<OffsetDateTime>,
}

/// Why the files of another tool are not imported.
#[derive(Debug, thiserror::Error)]
pub enum EarlierError {
    #[error("{} is not one CRL, in PEM or DER: {reason}", path.escaped())]
    NotACrl { path: PathBuf, reason: String },
    #[error("the CRL {} is not signed with the key of '{subject}'", path.escaped())]
    NotSigned { path: PathBuf, subject: DistinguishedName },
    #[error("{} is a delta CRL: it names only what changed (RFC 5280 §5.2.4)", .0.escaped())]
    Delta(PathBuf),
    #[error("the CRL {} has the number 0x{number}, and no CRL of this program can have a greater one", path.escaped())]
    NumberTooGreat { path: PathBuf, number: String },
    #[error("{} cannot be read as index.txt of openssl ca{}", path.escaped(), Listed(problems))]
    OpensslIndex { path: PathBuf, problems: IndexProblems },
}

/// Each problem on a line of its own.
struct Listed<'a>(&'a IndexProblems);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0.problems {
            write!(f, "\n  line {}, column {}: {}", problem.line, problem.column, problem.reason)?;
        }
        match self.0.more {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

impl Diagnostic for EarlierError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NotACrl { .. } => Diagnosis::usage("undecodable"),
            Self::NotSigned { .. } => Diagnosis::refused("not-adopted")
                .hint("--crl takes the CRLs of the imported CA itself; 'ca inspect FILE' shows the issuer of a CRL"),
            Self::Delta(_) => Diagnosis::refused("not-adopted").hint("give the full CRL that it is based on"),
            Self::NumberTooGreat { .. } => {
                Diagnosis::refused("crl-number").hint("leave out --crl, and take the revocations from --index FILE")
            }
            Self::OpensslIndex { .. } => Diagnosis::usage("bad-openssl-index"),
        }
    }
}

/// What is imported, checked.
#[derive(Debug, Default)]
pub struct EarlierRevocations {
    revocations: Vec<(SerialNumber, Earlier)>,
    certificates: Vec<OpensslEntry>,
    latest: Option<LatestCrl>,
    /// The number of the last CRL, when it is greater than that of the latest CRL which is here.
    last_number: Option<u64>,
    pub has_crl: bool,
    pub has_index: bool,
    /// Why an entry was left out, as sentences.
    pub warnings: Vec<Warning>,
}

#[derive(Debug, Clone)]
struct Earlier {
    revocation: Revocation,
    not_after: Option<OffsetDateTime>,
    source: ImportSource,
}

#[derive(Debug)]
struct LatestCrl {
    crl: Crl,
    number: u64,
}

impl EarlierRevocations {
    /// Returns the number of revoked serial numbers.
    pub fn revoked(&self) -> usize {
        self.revocations.len()
    }

    /// Returns the number of certificates in the index of the other tool.
    pub fn certificates(&self) -> usize {
        self.certificates.len()
    }

    /// Returns the number of the last CRL; `None` when it is not known.
    pub fn crl_number(&self) -> Option<u64> {
        self.last_number.max(self.latest.as_ref().map(|latest| latest.number))
    }

    /// Returns the latest CRL in DER and in PEM.
    pub fn latest_crl(&self) -> Option<(&[u8], String)> {
        let der = self.latest.as_ref()?.crl.as_der();
        Some((der, pem::encode(pem::CRL_LABEL, der)))
    }

    /// Reads the files and checks that the CA signed the CRLs.
    ///
    /// # Errors
    /// When a file cannot be read, or a CRL is not a full CRL of this CA.
    pub fn read(files: EarlierFiles, ca: &Certificate) -> Result<Self, EarlierError> {
        let ReadRecords { entries, revoked, last_crl_number } = files.read;
        let has_crl = !files.crls.is_empty() || last_crl_number.is_some();
        let has_index = files.openssl_index.is_some() || entries.is_some();
        let mut read = Self { has_crl, has_index, certificates: entries.unwrap_or_default(), ..Self::default() };
        if let Some((path, content)) = files.openssl_index {
            let parsed = openssl_index::parse(&content);
            read.certificates.extend(parsed.map_err(|problems| EarlierError::OpensslIndex { path, problems })?);
        }
        let mut found: HashMap<SerialNumber, Earlier> = HashMap::new();
        for ReadRevocation { serial, revocation, not_after } in revoked {
            keep(&mut found, &serial, Earlier { revocation, not_after, source: ImportSource::OtherTool });
        }
        let ends: HashMap<_, _> =
            read.certificates.iter().map(|entry| (entry.serial.clone(), entry.not_after)).collect();
        for entry in &read.certificates {
            if let Some(revocation) = &entry.revocation {
                let (revocation, not_after) = (revocation.clone(), Some(entry.not_after));
                keep(&mut found, &entry.serial, Earlier { revocation, not_after, source: ImportSource::OpensslIndex });
            }
        }
        for (path, content) in files.crls {
            let crl = crl_of(&path, content, ca)?;
            let mut left_out = 0;
            for entry in &crl.entries {
                let Some(revocation) = own_entry(entry, &crl) else {
                    left_out += 1;
                    continue;
                };
                let not_after = ends.get(&entry.serial).copied();
                keep(&mut found, &entry.serial, Earlier { revocation, not_after, source: ImportSource::Crl });
            }
            if left_out > 0 {
                let path = path.escaped();
                let message = format!(
                    "{left_out} entries of {path} were left out: they are about certificates of another issuer, or \
                     removed ones (RFC 5280 §5.3.1, §5.3.3)"
                );
                read.warnings.push(Warning::new("crl-entries-left-out", message));
            }
            read.keep_latest(path, crl)?;
        }
        let greatest = read.latest.as_ref().map(|latest| latest.number);
        read.last_number = last_crl_number.filter(|number| Some(*number) > greatest);
        if read.last_number.is_some() {
            // A CRL that another one has replaced is not the current one here.
            read.latest = None;
        }
        read.revocations = found.into_iter().collect();
        read.revocations.sort_by(|(one, a), (other, b)| (a.revocation.at, one).cmp(&(b.revocation.at, other)));
        Ok(read)
    }

    fn keep_latest(&mut self, path: PathBuf, crl: Crl) -> Result<(), EarlierError> {
        let Some(bytes) = &crl.number else { return Ok(()) };
        // The next number has to be greater, and still one that the index can hold.
        let Some(number) = small_number(bytes).filter(|number| *number < RecordedCrl::GREATEST_NUMBER) else {
            return Err(EarlierError::NumberTooGreat { path, number: crate::text::hex(bytes) });
        };
        if self.latest.as_ref().is_none_or(|latest| latest.number < number) {
            self.latest = Some(LatestCrl { crl, number });
        }
        Ok(())
    }

    /// Records everything under the name of the authority.
    ///
    /// # Errors
    /// When the index cannot be written.
    pub fn record(
        &self,
        transaction: &mut Transaction<'_>,
        authority: &str,
        ca: &Certificate,
    ) -> Result<(), IndexError> {
        for entry in &self.certificates {
            let (serial, not_after, subject) = (&entry.serial, entry.not_after, entry.subject.as_str());
            transaction.import_serial(&ImportedSerial { authority, serial, not_after, subject })?;
        }
        for (serial, Earlier { revocation, not_after, source }) in &self.revocations {
            transaction.import_revocation(&ImportedRevocation {
                authority,
                issuer: &ca.subject,
                serial,
                revocation,
                not_after: *not_after,
                source: *source,
            })?;
        }
        if let Some(LatestCrl { crl, number }) = &self.latest {
            transaction.record_crl(&NewCrl {
                authority,
                number: *number,
                signed_at: crl.this_update,
                this_update: crl.this_update,
                next_update: crl.next_update.unwrap_or(crl.this_update),
                entries: crl.entries.len(),
                last_revocation: 0,
                // No CRL of this program has this content, so that --ensure signs the first own one.
                content: [0; 32],
                fingerprint: digest::sha256(crl.as_der()),
            })?;
        }
        if let Some(number) = self.last_number {
            // Of this CRL only the number is known, which no other CRL may have. It is due at once.
            let at = transaction.time();
            transaction.record_crl(&NewCrl {
                authority,
                number,
                signed_at: at,
                this_update: at,
                next_update: at,
                entries: self.revocations.len(),
                last_revocation: 0,
                content: [0; 32],
                fingerprint: [0; 32],
            })?;
        }
        Ok(())
    }
}

fn crl_of(path: &std::path::Path, content: Vec<u8>, ca: &Certificate) -> Result<Crl, EarlierError> {
    let path = path.to_owned();
    let Some(der) = single_der(content) else {
        let reason = "it contains none, or several".to_owned();
        return Err(EarlierError::NotACrl { path, reason });
    };
    match Crl::from_der(&der) {
        Err(error) => Err(EarlierError::NotACrl { path, reason: error.to_string() }),
        Ok(crl) if !has_signed_crl(ca, &crl) => Err(EarlierError::NotSigned { path, subject: ca.subject.clone() }),
        Ok(crl) if crl.delta_base.is_some() => Err(EarlierError::Delta(path)),
        Ok(crl) => Ok(crl),
    }
}

/// Of two revocations of a serial number, one that is no hold counts, and then the earlier one.
fn keep(found: &mut HashMap<SerialNumber, Earlier>, serial: &SerialNumber, earlier: Earlier) {
    let rank =
        |earlier: &Earlier| (earlier.revocation.reason == RevocationReason::CertificateHold, earlier.revocation.at);
    match found.get(serial) {
        Some(kept) if rank(kept) <= rank(&earlier) => {}
        _ => drop(found.insert(serial.clone(), earlier)),
    }
}
