//! What is imported from the folder of another tool, and what is wrong there: its certificates, index and CRLs are compared with
//! each other.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;

use crate::authority::hierarchy::earlier_certificates::EarlierCertificate;
use crate::authority::hierarchy::earlier_revocations::{EarlierFiles, ReadRecords, ReadRevocation};
use crate::authority::hierarchy::openssl_index::OpensslEntry;
use crate::authority::other_tool::comparison::{
    Comparison, FoundCrl, ISSUING, RecordOptions, Signed, note_ca, signatories,
};
use crate::authority::other_tool::finding::ImportFindings;
use crate::authority::other_tool::names::{Unnamed, name_of, names, template_of};
use crate::authority::other_tool::source::Source;
use crate::keys::key_file::KeyFile;
use crate::keys::{PrivateKey, Signer};
use crate::store::ca_certificates::ROOT;
use crate::x509::SerialNumber;

/// What is imported.
#[derive(Default)]
pub struct ImportRecords {
    pub earlier: EarlierFiles,
    pub certificates: Vec<EarlierCertificate>,
    pub counts: ImportCounts,
    pub findings: ImportFindings,
    /// What no file says: codes and sentences.
    pub unknown: Vec<(&'static str, String)>,
    /// The number of the last CRL; `None` when it is not known.
    pub last_crl_number: Option<u64>,
}

/// How many certificates are imported. Each is counted in one of the first four fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportCounts {
    pub valid: usize,
    pub expired: usize,
    pub revoked: usize,
    /// Not valid before a time to come.
    pub not_yet_valid: usize,
    /// Certificates of which only the serial number is known.
    pub only_serial: usize,
    /// Every revoked serial number, with and without its certificate.
    pub revoked_serials: usize,
    /// Names whose current certificate gets files, and how many of them have their private key.
    pub with_files: usize,
    pub with_key: usize,
}

/// Compares what was read, and decides what is imported.
pub fn of(source: &mut Source, options: RecordOptions, now: OffsetDateTime) -> ImportRecords {
    let mut findings = std::mem::take(&mut source.findings);
    let signatories = signatories(source);
    note_ca(source, &signatories, &mut findings);
    let mut comparison = Comparison {
        now,
        signatories,
        findings,
        by_serial: HashMap::new(),
        only_serial: Vec::new(),
        revocations: HashMap::new(),
        records: ReadRecords::default(),
    };
    let signed = comparison.signed(source);
    comparison.compare_index(source.index.as_ref(), options, &signed);
    if let Some((path, database)) = &source.database {
        let may_lack = database.may_lack_revocation;
        let rows = database.rows.clone();
        comparison.add_database(path.clone(), rows, may_lack && !options.skip_unreadable);
    }
    comparison.add_revoked_folder(source, &signed);
    let crls = comparison.crls(source);
    comparison.note_keys(&signed);
    comparison.finish(source, signed, crls, options)
}

impl Comparison {
    fn finish(
        mut self,
        source: &Source,
        signed: Vec<Signed>,
        crls: Vec<FoundCrl>,
        options: RecordOptions,
    ) -> ImportRecords {
        let latest = crls.iter().filter_map(|(.., number)| *number).max();
        let next = source.next_crl_number.as_ref();
        let last_of_file = next.map(|(_, next)| next - 1).filter(|last| *last > 0);
        if let (Some((path, next)), Some(latest)) = (next, latest)
            && *next <= latest
        {
            let message = format!("it says that the next CRL has the number {next}, but a CRL with {latest} is here");
            self.findings.warn("crl-number-differs", path, message);
        }
        self.records.last_crl_number = last_of_file.filter(|last| Some(*last) > latest);
        let last_crl_number = last_of_file.max(latest);
        let unknown = self.unknown(source, &crls, last_crl_number);

        let serials: HashSet<SerialNumber> = self.only_serial.iter().map(|entry| entry.serial.clone()).collect();
        let mut counts = ImportCounts { only_serial: serials.len(), ..ImportCounts::default() };
        self.refuse_own_serials();
        counts.revoked_serials = self.revocations.len();
        for Signed { certificate, .. } in &signed {
            let count = match &self.revocations.get(&certificate.serial) {
                Some(_) => &mut counts.revoked,
                None if certificate.validity.not_after < self.now => &mut counts.expired,
                None if certificate.validity.not_before > self.now => &mut counts.not_yet_valid,
                None => &mut counts.valid,
            };
            *count += 1;
        }
        let certificates = self.certificates(source, signed, options);
        counts.with_files = certificates.iter().filter(|certificate| certificate.is_current).count();
        counts.with_key = certificates.iter().filter(|certificate| certificate.key.is_some()).count();
        let Self { mut records, only_serial, revocations, findings, .. } = self;
        if records.entries.is_some() || !only_serial.is_empty() {
            records.entries =
                Some(only_serial.into_iter().map(|entry| OpensslEntry { revocation: None, ..entry }).collect());
        }
        let revoked = revocations.into_iter();
        records.revoked =
            revoked.map(|(serial, (revocation, not_after))| ReadRevocation { serial, revocation, not_after }).collect();
        let crls = crls.into_iter().map(|(path, der, _)| (path, der)).collect();
        let earlier = EarlierFiles { crls, openssl_index: None, read: records };
        ImportRecords { earlier, certificates, counts, findings, unknown, last_crl_number }
    }

    /// Leaves out a revocation of a CA certificate itself: it would end the CA here.
    fn refuse_own_serials(&mut self) {
        for signatory in &self.signatories {
            let is_own = signatory.certificate.is_self_issued() && self.signatories.len() == 1;
            if is_own && self.revocations.remove(&signatory.certificate.serial).is_some() {
                let message = format!(
                    "the serial number {} of the CA certificate is recorded as revoked: this revocation is not imported",
                    signatory.certificate.serial
                );
                self.findings.warn_of_ca("ca-revoked", message);
            }
        }
    }

    fn unknown(&self, source: &Source, crls: &[FoundCrl], last_crl_number: Option<u64>) -> Vec<(&'static str, String)> {
        let (code, sentence) = source.tool.unknown();
        let mut unknown = vec![(code, sentence.to_owned())];
        if crls.is_empty() && source.index.is_none() && source.database.is_none() {
            let sentence = "no CRL and no index is here: whether the CA has revoked a certificate is not known";
            unknown.push(("revocations", sentence.to_owned()));
        }
        match (last_crl_number, crls.is_empty()) {
            (Some(_), _) => {}
            (None, false) => unknown.push((
                "crl-number",
                "the CRLs of the CA have no number: the first own CRL has the number 1".to_owned(),
            )),
            (None, true) => unknown.push((
                "crl-number",
                "the number of its last CRL is not known. If it has published CRLs, the first own CRL needs a greater number: \
                 ca crl --number N"
                    .to_owned(),
            )),
        }
        unknown
    }

    /// Gives each certificate its NAME, and those in use their keys.
    fn certificates(
        &mut self,
        source: &Source,
        signed: Vec<Signed>,
        options: RecordOptions,
    ) -> Vec<EarlierCertificate> {
        let unnamed: Vec<Unnamed> = signed
            .iter()
            .map(|Signed { certificate, .. }| Unnamed {
                name: if certificate.is_ca() { None } else { name_of(certificate) },
                template: template_of(certificate),
                serial: certificate.serial.to_string(),
            })
            .collect();
        let named = names(&unnamed, &[ROOT, ISSUING]);
        let last: HashMap<String, usize> =
            named.iter().enumerate().map(|(at, (name, _))| (name.to_lowercase(), at)).collect();
        let last: HashSet<usize> = last.into_values().collect();
        let mut keys = if options.without_keys { HashMap::new() } else { self.keys_by_fingerprint(source) };
        let mut certificates = Vec::with_capacity(signed.len());
        for (at, (Signed { certificate, authority, .. }, (name, template))) in signed.into_iter().zip(named).enumerate()
        {
            // A serial number of 20 bytes at most gives a name of 49 characters.
            let Ok(name) = name.parse() else { continue };
            let is_current = last.contains(&at)
                && !certificate.is_ca()
                && certificate.validity.not_after >= self.now
                && !self.revocations.contains_key(&certificate.serial);
            let key = if is_current { keys.remove(&certificate.public_key.fingerprint()) } else { None };
            let der = certificate.as_der().to_vec();
            certificates.push(EarlierCertificate { der, name, template, authority, is_current, key });
        }
        certificates
    }

    /// Opens the keys that are not encrypted, by the fingerprint of their public key.
    fn keys_by_fingerprint(&mut self, source: &Source) -> HashMap<[u8; 32], PrivateKey> {
        let mut keys = HashMap::new();
        for found in &source.keys {
            let is_of_ca = *found.content == *source.key.content
                || source.root_key.as_ref().is_some_and(|root| *found.content == *root.content);
            if is_of_ca {
                continue;
            }
            match KeyFile::parse(&found.content) {
                Ok(file) if file.is_encrypted() => {
                    let message = "it is encrypted: it stays where it is, and is not compared with the certificates";
                    self.findings.warn("key-encrypted", &found.path, message);
                }
                Ok(file) => match file.open(None) {
                    Ok(key) => drop(keys.insert(key.public_key().fingerprint(), key)),
                    Err(error) => self.findings.warn("key-unreadable", &found.path, error.to_string()),
                },
                Err(error) => self.findings.warn("key-unreadable", &found.path, error.to_string()),
            }
        }
        keys
    }
}
