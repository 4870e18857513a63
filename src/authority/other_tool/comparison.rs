//! Compares the certificates, the index and the CRLs of another tool with each other. What does not fit is a finding.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::authority::hierarchy::earlier_revocations::ReadRecords;
use crate::authority::hierarchy::import::path_to_root;
use crate::authority::hierarchy::openssl_index::OpensslEntry;
use crate::authority::other_tool::finding::{ImportFinding, ImportFindings};
use crate::authority::other_tool::source::{FoundIndex, Source};
use crate::authority::revocation::carry_over::{own_entry, small_number};
use crate::authority::signed_by::{Signature, has_signed, has_signed_crl, has_signed_over_sha1, relation};
use crate::keys::weakness;
use crate::lint::{self, LintProfile, Severity};
use crate::store::ca_certificates::ROOT;
use crate::store::index::cfssl_database::CfsslRow;
use crate::store::index::{RecordedCrl, Revocation};
use crate::text::{self, PathText, rfc3339};
use crate::x509::crl::RevocationReason;
use crate::x509::{Certificate, Crl, KeyUsage, SerialNumber};

/// The name of an imported CA below a root.
pub const ISSUING: &str = "issuing";
/// The most keys that are checked for weakness: the check of an RSA key takes milliseconds.
const MOST_WEAKNESS_CHECKS: usize = 2_000;

/// What the user decides about the import.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordOptions {
    /// True when lines that cannot be read do not prevent the import.
    pub skip_unreadable: bool,
    /// True when the private keys of certificates stay where they are.
    pub without_keys: bool,
}

/// A certificate that the CA signed.
pub(super) struct Signed {
    pub(super) path: PathBuf,
    pub(super) certificate: Certificate,
    pub(super) authority: &'static str,
}

/// The CA, or the root above it.
pub(super) struct Signatory {
    pub(super) name: &'static str,
    pub(super) certificate: Certificate,
}

/// A CRL of the CA: its file, its DER, and its number.
pub(super) type FoundCrl = (PathBuf, Vec<u8>, Option<u64>);

/// Returns the certificates above the CA, up to its root; none when one is missing.
pub fn chain_of(source: &Source) -> Vec<Certificate> {
    path_to_root(&source.certificate, source.chain.clone()).unwrap_or_default()
}

/// Returns the CA that signs, and the root above it, as far as the chain is there.
pub(super) fn signatories(source: &Source) -> Vec<Signatory> {
    let certificate = source.certificate.clone();
    match chain_of(source).into_iter().last() {
        None => vec![Signatory { name: ROOT, certificate }],
        Some(root) => {
            vec![Signatory { name: ISSUING, certificate }, Signatory { name: ROOT, certificate: root }]
        }
    }
}

/// Notes what the lint rules say of the CA certificates.
pub(super) fn note_ca(source: &Source, signatories: &[Signatory], findings: &mut ImportFindings) {
    let issuer = signatories.get(1).map(|root| &root.certificate);
    for signatory in signatories {
        let is_ca = signatory.name == ISSUING || signatories.len() == 1;
        for finding in lint::check(&signatory.certificate, issuer.filter(|_| is_ca), LintProfile::Strict) {
            let message = format!("the certificate of the CA: {}", finding.message);
            match is_ca {
                true => findings.warn(finding.rule, &source.certificate_path, message),
                false => findings.warn_of_ca(finding.rule, format!("the certificate of the root: {}", finding.message)),
            }
        }
    }
    if source.certificate.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
        findings.warn(
            "no-crl-sign",
            &source.certificate_path,
            "its key usage does not allow the CA to sign CRLs: clients do not learn of a revocation",
        );
    }
    if source.certificate.names_its_serial() {
        findings.warn(
            "names-ca-serial",
            &source.certificate_path,
            "the certificate of the CA names itself by its serial number, as what it issued may do: see ca help renewal before \
             ca root renew",
        );
    }
}

/// What the folder has, while it is compared.
pub(super) struct Comparison {
    pub(super) now: OffsetDateTime,
    pub(super) signatories: Vec<Signatory>,
    pub(super) findings: ImportFindings,
    /// The position among the signed certificates, of those of the CA itself.
    pub(super) by_serial: HashMap<SerialNumber, usize>,
    /// What is known of a serial number without its certificate.
    pub(super) only_serial: Vec<OpensslEntry>,
    pub(super) revocations: HashMap<SerialNumber, (Revocation, Option<OffsetDateTime>)>,
    pub(super) records: ReadRecords,
}

impl Comparison {
    pub(super) fn ca(&self) -> Option<&Signatory> {
        self.signatories.first()
    }

    /// Returns the certificates that the CA or its root signed, the oldest first, each serial number once.
    pub(super) fn signed(&mut self, source: &mut Source) -> Vec<Signed> {
        let mut signed: Vec<Signed> = Vec::new();
        let mut known: HashMap<(&'static str, SerialNumber), usize> = HashMap::new();
        for found in std::mem::take(&mut source.certificates) {
            let certificate = match Certificate::from_der(&found.der) {
                Ok(certificate) => certificate,
                Err(error) => {
                    self.findings.warn("certificate-unreadable", found.path, error.to_string());
                    continue;
                }
            };
            if self.is_of_the_ca(&certificate, source) {
                continue;
            }
            let Some(authority) = self.authority_of(&certificate, &found.path) else { continue };
            let has_own_serial = |signatory: &Signatory| {
                signatory.certificate.serial == certificate.serial && signatory.certificate.issuer == certificate.issuer
            };
            if self.signatories.iter().any(has_own_serial) {
                let message = format!(
                    "its serial number {} is that of the CA certificate itself: it is not recorded, and cannot be revoked",
                    certificate.serial
                );
                self.findings.warn("duplicate-serial", found.path, message);
                continue;
            }
            let key = (authority, certificate.serial.clone());
            if let Some(at) = known.get(&key).copied() {
                // Both are revoked when the serial number is. The one that is valid for longer is recorded.
                let other = &mut signed[at];
                let message =
                    format!("the serial number {} is also that of {}", certificate.serial, other.path.escaped());
                self.findings.warn("duplicate-serial", &found.path, message);
                if certificate.validity.not_after > other.certificate.validity.not_after {
                    *other = Signed { path: found.path, certificate, authority };
                }
                continue;
            }
            known.insert(key, signed.len());
            signed.push(Signed { path: found.path, certificate, authority });
        }
        signed.sort_by_key(|signed| (signed.certificate.validity.not_before, signed.certificate.validity.not_after));
        let ca = self.ca().map(|ca| ca.name);
        let of_ca = signed.iter().enumerate().filter(|(_, signed)| Some(signed.authority) == ca);
        self.by_serial = of_ca.map(|(at, signed)| (signed.certificate.serial.clone(), at)).collect();
        signed
    }

    fn is_of_the_ca(&self, certificate: &Certificate, source: &Source) -> bool {
        self.signatories.iter().any(|signatory| signatory.certificate == *certificate)
            || certificate.is_ca()
                && source.chain.iter().take(1).any(|above| above == certificate && above.is_self_issued())
    }

    /// Returns the name of the authority that signed a certificate; `None`, with a finding, when none did.
    fn authority_of(&mut self, certificate: &Certificate, path: &Path) -> Option<&'static str> {
        let by = |has_signed: fn(&Certificate, &Certificate) -> bool| {
            let found = self.signatories.iter().find(|signatory| has_signed(&signatory.certificate, certificate));
            found.map(|signatory| signatory.name)
        };
        if let Some(name) = by(has_signed) {
            return Some(name);
        }
        let algorithm = &certificate.signature_algorithm;
        if let Some(name) = by(has_signed_over_sha1) {
            let message = format!("it is signed with {algorithm}, which clients no longer accept");
            self.findings.warn("weak-signature", path, message);
            return Some(name);
        }
        let ca = self.ca().map(|ca| (relation(&ca.certificate, certificate), ca.certificate.subject.clone()));
        if let Some((Signature::Unverifiable, _)) = ca {
            let serial = certificate.serial.clone();
            let message = format!(
                "it is signed with {algorithm}, which is not verified here: only its serial number {serial} is recorded"
            );
            self.findings.warn("weak-signature", path, message);
            self.only_serial.push(OpensslEntry {
                serial,
                not_after: certificate.validity.not_after,
                subject: certificate.subject.to_string(),
                revocation: None,
            });
            return None;
        }
        let message = format!("the key of the CA did not sign it: its issuer is '{}'", certificate.issuer);
        self.findings.warn("other-issuer", path, message);
        None
    }

    /// Compares an index of openssl with the certificates.
    pub(super) fn compare_index(&mut self, index: Option<&FoundIndex>, options: RecordOptions, signed: &[Signed]) {
        let Some(FoundIndex { path, read }) = index else { return };
        let refused = |may_be_revoked: bool| match may_be_revoked && !options.skip_unreadable {
            true => Severity::Error,
            false => Severity::Warning,
        };
        for problem in &read.problems {
            let (severity, line) = (refused(problem.may_be_revoked), Some(problem.line));
            let message = format!("column {}: {}", problem.column, problem.reason);
            let path = Some(path.clone());
            self.findings.add(ImportFinding { code: "index-line-unreadable", severity, path, line, message });
        }
        let shown = read.problems.iter().filter(|problem| problem.may_be_revoked).count();
        if read.more > 0 {
            let others = read.possibly_revoked - shown;
            let message =
                format!("{} more lines cannot be read, of which {others} may be of revoked certificates", read.more);
            let (severity, path) = (refused(others > 0), Some(path.clone()));
            self.findings.add(ImportFinding { code: "index-unreadable", severity, path, line: None, message });
        }
        let mut lines: HashMap<&SerialNumber, usize> = HashMap::new();
        for line in &read.lines {
            let entry = &line.entry;
            let at = Some(line.line);
            if let Some(before) = lines.insert(&entry.serial, line.line) {
                let message = format!("the serial number {} is also in line {before}", entry.serial);
                self.findings.warn_at("duplicate-serial", path, at, message);
            }
            let is_own = |ca: &Signatory| ca.certificate.is_self_issued() && ca.certificate.serial == entry.serial;
            let is_of_the_ca = self.ca().is_some_and(is_own);
            let not_after = Some(entry.not_after);
            if let Some(revocation) = &entry.revocation {
                self.revoke(&entry.serial, revocation.clone(), not_after);
            }
            match self.by_serial.get(&entry.serial) {
                Some(position) => {
                    let certificate = &signed[*position].certificate;
                    if certificate.validity.not_after != entry.not_after {
                        let (expires, file) =
                            (rfc3339(certificate.validity.not_after), signed[*position].path.escaped());
                        let message = format!(
                            "it says that {} expires at {}, and the certificate in {file} expires at {expires}",
                            entry.serial,
                            rfc3339(entry.not_after),
                        );
                        self.findings.warn_at("index-differs", path, at, message);
                    }
                }
                // A root that openssl ca signed itself has a line in its own index.
                None if is_of_the_ca => {}
                None => {
                    let subject = text::escape(&entry.subject);
                    let message = format!("the certificate {} ({subject}) is in no file", entry.serial);
                    self.findings.warn_at("index-line-without-file", path, at, message);
                    self.only_serial.push(entry.clone());
                }
            }
        }
        let ca = self.ca().map(|ca| ca.name);
        for signed in signed.iter().filter(|signed| Some(signed.authority) == ca) {
            if !lines.contains_key(&signed.certificate.serial) {
                let message = format!("the index has no line with its serial number {}", signed.certificate.serial);
                self.findings.warn("file-without-index-line", &signed.path, message);
            }
        }
        self.records.entries = Some(Vec::new());
    }

    /// Adds a revocation. Of two, one that is not a hold counts, and then the earlier one.
    fn revoke(&mut self, serial: &SerialNumber, revocation: Revocation, not_after: Option<OffsetDateTime>) {
        let rank = |revocation: &Revocation| (revocation.reason == RevocationReason::CertificateHold, revocation.at);
        let known = self.revocations.get(serial).map(|(known, _)| rank(known));
        if known.is_none_or(|known| rank(&revocation) < known) {
            self.revocations.insert(serial.clone(), (revocation, not_after));
        }
    }

    /// Adds the rows of a database of cfssl that are about the CA.
    pub(super) fn add_database(&mut self, path: PathBuf, rows: Vec<CfsslRow>, is_refused: bool) {
        if is_refused {
            let message = "a row that cannot be read may be one of a revoked certificate".to_owned();
            let (severity, path) = (Severity::Error, Some(path.clone()));
            self.findings.add(ImportFinding { code: "database-row-unreadable", severity, path, line: None, message });
        }
        let key_id = self.ca().and_then(|ca| ca.certificate.subject_key_id.as_ref()).map(|id| text::hex(id));
        for row in rows {
            // cfssl 1.2 leaves the key identifier empty.
            let is_of_another = |key_id: &String| !row.authority_key_id.is_empty() && *key_id != row.authority_key_id;
            if !self.by_serial.contains_key(&row.serial) && key_id.as_ref().is_some_and(is_of_another) {
                let message = format!("the row of {} is about another CA, and was left out", row.serial);
                self.findings.warn("other-issuer", &path, message);
                continue;
            }
            if let Some(revocation) = row.revocation.clone() {
                self.revoke(&row.serial, revocation, row.not_after);
            }
            if !self.by_serial.contains_key(&row.serial) {
                let message = format!("the database has no certificate with the serial number {}", row.serial);
                self.findings.warn("index-line-without-file", &path, message);
                if let Some(not_after) = row.not_after {
                    let subject = "unknown".to_owned();
                    self.only_serial.push(OpensslEntry { serial: row.serial, not_after, subject, revocation: None });
                }
            }
        }
        self.records.entries = Some(Vec::new());
    }

    /// Adds what is in the folder of revoked certificates, and the index does not say.
    pub(super) fn add_revoked_folder(&mut self, source: &Source, signed: &[Signed]) {
        for signed in signed.iter().filter(|signed| source.revoked.contains(&signed.certificate.fingerprint())) {
            let serial = &signed.certificate.serial;
            if self.revocations.contains_key(serial) {
                continue;
            }
            let message = format!(
                "it is in the folder of revoked certificates, and no record revokes {serial}: it is revoked, with the date of \
                 the import"
            );
            self.findings.warn("revoked-without-record", &signed.path, message);
            let reason = RevocationReason::Unspecified;
            let revocation = Revocation { at: self.now, reason, invalid_since: None, released_at: None };
            self.revoke(serial, revocation, Some(signed.certificate.validity.not_after));
        }
    }

    /// Returns the CRLs of the CA; others are findings.
    pub(super) fn crls(&mut self, source: &mut Source) -> Vec<FoundCrl> {
        let Some(ca) = self.signatories.first().map(|ca| ca.certificate.clone()) else { return Vec::new() };
        let mut own = Vec::new();
        let mut expiry = None;
        for (path, der) in std::mem::take(&mut source.crls) {
            let crl = match Crl::from_der(&der) {
                Ok(crl) => crl,
                Err(error) => {
                    self.findings.warn("crl-unreadable", path, error.to_string());
                    continue;
                }
            };
            if !has_signed_crl(&ca, &crl) {
                let message = format!("the key of the CA did not sign it: its issuer is '{}'", crl.issuer);
                self.findings.warn("other-issuer", path, message);
                continue;
            }
            if crl.delta_base.is_some() {
                self.findings.warn("crl-not-read", path, "it is a delta CRL: it names only what changed");
                continue;
            }
            let number = crl.number.as_deref().map(small_number);
            if number.is_some_and(|number| number.is_none_or(|number| number >= RecordedCrl::GREATEST_NUMBER)) {
                let message = "its number is greater than any that this program can give: its entries were read, and the first \
                               own CRL needs another issuer name or key";
                self.findings.warn("crl-number-unreadable", path, message);
                self.add_entries(&crl);
                continue;
            }
            self.add_entries(&crl);
            expiry = expiry.max(Some((crl.this_update, crl.next_update, path.clone())));
            own.push((path, der, number.flatten()));
        }
        if let Some((_, Some(next_update), path)) = expiry
            && next_update < self.now
        {
            let message = format!("the latest CRL has expired, at {}", rfc3339(next_update));
            self.findings.warn("crl-expired", path, message);
        }
        own
    }

    fn add_entries(&mut self, crl: &Crl) {
        for entry in &crl.entries {
            if let Some(revocation) = own_entry(entry, crl) {
                let not_after = self.only_serial.iter().find(|known| known.serial == entry.serial);
                let not_after = not_after.map(|known| known.not_after);
                self.revoke(&entry.serial, revocation, not_after);
            }
        }
    }

    /// Notes weak keys, and certificates that name the CA by its serial number.
    pub(super) fn note_keys(&mut self, signed: &[Signed]) {
        let mut checked = HashSet::new();
        let mut naming = 0;
        for Signed { path, certificate, .. } in signed {
            let is_of_use =
                certificate.validity.not_after >= self.now && !self.revocations.contains_key(&certificate.serial);
            if !is_of_use {
                continue;
            }
            naming += usize::from(certificate.authority_key_id.as_ref().is_some_and(|id| id.names_issuer_and_serial));
            let is_new = checked.len() < MOST_WEAKNESS_CHECKS && checked.insert(certificate.public_key.fingerprint());
            if is_new && let Err(weakness) = weakness::check(&certificate.public_key) {
                self.findings.warn("weak-key", path, format!("its key is weak: {weakness}"));
            }
        }
        if naming > 0 {
            let certificates = if naming == 1 { "1 certificate names" } else { &format!("{naming} certificates name") };
            self.findings.warn_of_ca(
                "names-ca-serial",
                format!(
                    "{certificates} the CA by its issuer and serial number: OpenSSL and Java accept them only while clients \
                     trust this CA certificate"
                ),
            );
        }
    }
}
