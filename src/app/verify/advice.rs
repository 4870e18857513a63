//! What the CA directory knows about a certificate: where a missing one is, which command makes the next one, whether
//! there is a newer one. It improves the hints of problems, and never changes the result.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::PoisonError;

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::directory::{CaCertificateFile, ca_certificate_files};
use crate::app::verify::batch::BatchVerifier;
use crate::app::verify::verified_file::{IndexLookup, KnownCertificate, VerifiedFile};
use crate::lint::Severity;
use crate::store::Store;
use crate::store::ca_certificates::read_certificate;
use crate::store::certificate_files::FULLCHAIN;
use crate::store::index::{self, Entry, Filter, Index};
use crate::store::locate::locate;
use crate::text::{PathText, rfc3339, shell_word};
use crate::verify::rules::names::matches;
use crate::verify::served::SUPERSEDED;
use crate::verify::{Candidate, InputPosition, Problem, SignatureCache, VerifyOptions};
use crate::x509::{Certificate, GeneralName, PublicKey};

/// Improves the hints of every problem, and looks up in the index what a server sends.
pub fn add_hints(results: &mut [Box<VerifiedFile>], batch: &BatchVerifier<'_>, context: &Context<'_>) {
    if results.iter().all(|verified| verified.is_valid() && !verified.as_served) {
        return;
    }
    // Without a CA directory that can be read there is nothing to add.
    let Some(hints) = Hints::find(context) else { return };
    let elsewhere = match results.len() {
        1 => Vec::new(),
        _ => cas_of_all(results, batch),
    };
    for verified in results {
        if verified.as_served {
            hints.look_up(verified);
        }
        hints.improve(verified, batch, &elsewhere);
    }
}

/// Every CA in any of the files, once.
fn cas_of_all(results: &[Box<VerifiedFile>], batch: &BatchVerifier<'_>) -> Vec<Candidate> {
    let mut cas = batch.cas.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for ca in results.iter().flat_map(|verified| &verified.sent).filter(|it| it.certificate.is_ca()) {
        cas.entry(ca.certificate.fingerprint()).or_insert_with(|| ca.clone());
    }
    let mut cas: Vec<_> = cas.into_values().collect();
    cas.sort_by(|one, other| {
        (&one.position.file, one.position.number).cmp(&(&other.position.file, other.position.number))
    });
    cas
}

struct Hints {
    store: Rc<Store>,
    /// The certificates of the CA directory's authorities.
    authorities: Vec<Candidate>,
    now: OffsetDateTime,
}

impl Hints {
    fn find(context: &Context<'_>) -> Option<Self> {
        let store = context.store().ok()?;
        let certificate = |ca: &CaCertificateFile| {
            let certificate = read_certificate(&ca.path).ok()?;
            Some(Candidate::new(certificate, InputPosition::new(ca.path.escaped().to_string(), 1)))
        };
        let authorities = ca_certificate_files(store.ca_certificates()).ok()?.iter().filter_map(certificate).collect();
        Some(Self { store, authorities, now: context.now() })
    }

    /// The index; `None` when it cannot be opened: there are no hints from it then.
    fn index(&self) -> Option<&Index> {
        self.store.index().ok()
    }

    /// The certificate in the index, and whether it is the latest of its name.
    fn known(&self, certificate: &Certificate) -> Option<KnownCertificate> {
        let index = self.index()?;
        let found = index.by_serial(&certificate.serial).ok()?;
        let entry = found.into_iter().find(|entry| entry.fingerprint == certificate.fingerprint())?;
        let latest = index.latest_by_name(&entry.name).ok()?;
        let newer = latest.filter(|latest| latest.id != entry.id);
        Some(KnownCertificate { status: entry.status(self.now), entry, newer })
    }

    fn look_up(&self, verified: &mut VerifiedFile) {
        if self.index().is_none() {
            return;
        }
        let Some(known) = verified.leaf().and_then(|leaf| self.known(leaf)) else {
            verified.known = Some(IndexLookup::Unknown);
            return;
        };
        if let (Some(newer), Some(leaf)) = (&known.newer, verified.sent.first()) {
            let message = format!(
                "the index has a newer certificate of {}, with the serial {}; this one is {}",
                known.entry.name, newer.serial, known.entry.serial
            );
            let mut problem = Problem::warning(&SUPERSEDED, leaf, message);
            if let Some(place) = self.place_of(newer) {
                problem = problem.hint(format!("deploy the newer one, {place}, and let the server load it"));
            }
            verified.add_problems(Some(problem));
        }
        verified.known = Some(IndexLookup::Known(Box::new(known)));
    }

    /// Where the full chain of an entry is.
    fn place_of(&self, entry: &Entry) -> Option<String> {
        let certificate = self.index()?.certificate(entry).ok()?;
        let paths = locate(self.store.home(), entry, &certificate)?;
        Some(paths.fullchain.unwrap_or(paths.certificate).escaped().to_string())
    }

    fn improve(&self, verified: &mut VerifiedFile, batch: &BatchVerifier<'_>, elsewhere: &[Candidate]) {
        let VerifiedFile { sent, verdict: Ok(verdict), file, .. } = verified else { return };
        for problem in verdict.problems.iter_mut().filter(|problem| problem.severity == Severity::Error) {
            let mut all = sent.iter().chain(batch.untrusted).chain(batch.anchors);
            let Some(candidate) = all.find(|candidate| candidate.position == problem.certificate) else { continue };
            let certificate = &candidate.certificate;
            let hint = match problem.code {
                "issuer-not-found" => {
                    Some(self.where_missing(candidate, &problem.hint, file, elsewhere, &batch.signatures))
                }
                // Where the hint is a command for some NAME, the index may know which.
                "expired" | "ends-too-soon" | "revoked" if problem.hint.contains(" NAME") => {
                    self.next_one(certificate, problem.code)
                }
                "name-mismatch" | "no-subject-alt-name" => self.with_names(certificate, batch.options),
                "revocation-unknown" | "crl-expired" => self.current_crl(certificate, problem.code, &batch.signatures),
                "key-mismatch" => self.right_key(certificate, batch.key),
                _ => None,
            };
            if let Some(hint) = hint {
                problem.hint = hint;
            }
        }
    }

    /// Where the issuer of this certificate is: in the CA directory, its index, or another file of the same call.
    fn where_missing(
        &self,
        child: &Candidate,
        otherwise: &str,
        file: &str,
        elsewhere: &[Candidate],
        signatures: &SignatureCache,
    ) -> String {
        // At most so many CAs of one name are tried: a hint is not worth more time.
        const MOST_TRIED: usize = 20;
        let tried = Cell::new(0);
        let signed = |issuer: &Certificate| {
            issuer.subject == child.certificate.issuer
                && tried.replace(tried.get() + 1) < MOST_TRIED
                && signatures.certificate(&child.certificate, &issuer.public_key).is_ok()
        };
        let full = self.known(&child.certificate).and_then(|known| self.place_of(&known.entry));
        if let Some(full) = full.filter(|full| full.ends_with(FULLCHAIN.name) && !full.ends_with(file)) {
            return format!("the CA directory has it: deploy {full} instead, which contains it");
        }
        if let Some(found) = self.authorities.iter().find(|it| signed(&it.certificate)) {
            // RFC 8446 §4.4.2: the trust anchor may be left out of what is sent; a client that lacks it does not accept it from there.
            if found.certificate.is_self_issued() {
                return format!(
                    "the CA directory has it, a root: trust it with --roots {}, and give it to the clients (ca roots); what the \
                     server sends is not at fault",
                    found.position.file
                );
            }
            return format!(
                "the CA directory has it: deploy fullchain.pem instead of cert.pem, or add {} after the leaf",
                found.position.file
            );
        }
        if let Some(found) = elsewhere.iter().find(|it| signed(&it.certificate)) {
            return format!("{} is the missing certificate: add it to {file} after the leaf", found.position);
        }
        if let Some(name) = self.recorded_intermediate(signed) {
            return format!(
                "the index has it, under the name {name}: add its cert.pem after the leaf (ca show {name})"
            );
        }
        format!("{otherwise}; the CA directory does not have it")
    }

    /// An intermediate that was replaced, or delivered elsewhere.
    fn recorded_intermediate(&self, signed: impl Fn(&Certificate) -> bool) -> Option<String> {
        let index = self.index()?;
        let filter = Filter { template: Some("intermediate".to_owned()), limit: Some(100), ..Filter::default() };
        let (entries, _) = index.query(&filter, self.now).ok()?;
        entries.into_iter().find(|entry| index.certificate(entry).is_ok_and(|it| signed(&it))).map(|entry| entry.name)
    }

    /// The command for a certificate that must be replaced.
    fn next_one(&self, certificate: &Certificate, code: &str) -> Option<String> {
        let known = self.known(certificate).filter(|_| !certificate.is_ca())?;
        let (name, template) = (shell_word(&known.entry.name), shell_word(&known.entry.template));
        if let Some(newer) = known.newer.filter(|newer| newer.status(self.now) == index::CertificateStatus::Valid) {
            let place = self.place_of(&newer).unwrap_or_else(|| format!("ca show {name}"));
            return Some(format!(
                "the index has a newer one, which expires {}: deploy {place}",
                rfc3339(newer.validity.not_after)
            ));
        }
        Some(match code {
            "revoked" => format!("issue it again with a new key: ca issue {template} {name} --force"),
            _ => format!("renew it: ca renew {name}"),
        })
    }

    /// The command that adds the names that were asked for to those that are there.
    fn with_names(&self, certificate: &Certificate, options: &VerifyOptions) -> Option<String> {
        let entry = self.known(certificate)?.entry;
        let names = certificate.names();
        let missing: Vec<_> =
            options.names.iter().filter(|wanted| !names.iter().any(|name| matches(name, wanted))).collect();
        // A template that made host names accepts more host names; other kinds are known by the names that the certificate has.
        let is_host = |name: &GeneralName| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_));
        if missing.iter().any(|it| !is_host(it) && !names.iter().any(|name| name.kind() == it.kind())) {
            return None;
        }
        let is_own = |name: &&GeneralName| name.value() == entry.name;
        let sans = names
            .iter()
            .filter(|name| !is_own(name))
            .chain(missing)
            .map(|name| format!(" --san {}", shell_word(&name.value())));
        // Templates for clients take no names of hosts.
        let for_hosts = names.iter().any(is_host);
        for_hosts.then(|| {
            format!(
                "require a name of the certificate, or issue it again with this name too: ca issue {} \
                     {}{} --force",
                shell_word(&entry.template),
                shell_word(&entry.name),
                sans.collect::<String>()
            )
        })
    }

    /// The command for the CRL of an issuer whose key the CA directory has.
    fn current_crl(&self, certificate: &Certificate, code: &str, signatures: &SignatureCache) -> Option<String> {
        let issued = |it: &&Candidate| {
            it.certificate.subject == certificate.issuer
                && signatures.certificate(certificate, &it.certificate.public_key).is_ok()
        };
        let issuer = self.authorities.iter().find(issued)?;
        let folder = Path::new(&*issuer.position.file).parent()?;
        let (name, list) = (folder.file_name()?.to_str()?, folder.join("crl.pem"));
        let path = shell_word(&shown(&list));
        Some(if code == "revocation-unknown" && list.exists() {
            format!("give the issuer's list too: --crl {path} (ca crl --authority {name} makes the next one)")
        } else {
            format!("make the issuer's current list: ca crl --authority {name}; then give it: --crl {path}")
        })
    }

    /// Which certificate the given key belongs to, and where the right key is.
    fn right_key(&self, certificate: &Certificate, given: Option<&PublicKey>) -> Option<String> {
        let index = self.index()?;
        let right = self.known(certificate).and_then(|known| locate(self.store.home(), &known.entry, certificate)?.key);
        let filter = Filter { key_fingerprint: Some(given?.fingerprint()), limit: Some(1), ..Filter::default() };
        let (entries, _) = index.query(&filter, self.now).ok()?;
        let whose = entries.first().map(|entry| format!("the key file is that of {}", entry.name));
        let right = right.map(|path| format!("the key of this certificate is {}", shown(&path)));
        match (whose, right) {
            (Some(whose), Some(right)) => Some(format!("{whose}; {right}")),
            (one, other) => one.or(other),
        }
    }
}

fn shown(path: &Path) -> String {
    path.escaped().to_string()
}
