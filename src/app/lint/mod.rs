//! `ca lint`: the rules that each certificate and CRL of its inputs breaks, and what clients refuse in a certificate by itself.

mod clients;
mod inputs;
mod issuers;

use std::mem;
use std::path::{Path, PathBuf};

use self::inputs::{Content, LintInput, inputs};
use self::issuers::Issuers;
use super::certificate_input::MAX_CERTIFICATES;
use super::context::Context;
use crate::clients::{ClientChoice, Prediction};
use crate::lint::{self, CrlTarget, Finding, LintProfile, Severity};
use crate::report::failure::{Failure, KindCodes};
use crate::text::PathText;
use crate::verify::CERTIFICATE_MALFORMED;
use crate::x509::certificate::UnreadablePart;
use crate::x509::file_kind::Expected;
use crate::x509::pem::{self, Block};
use crate::x509::{Certificate, certificate_file, file_kind};

pub use issuers::{Signature, SignatureAnswer};

/// How inputs are linted.
#[derive(Debug)]
pub struct LintRequest {
    /// The profile whose rules are applied; `None` for what clients refuse alone.
    pub profile: Option<LintProfile>,
    /// The clients whose refusals are errors.
    pub clients: Vec<ClientChoice<'static>>,
}

/// What was found in one certificate.
#[derive(Debug)]
pub struct CheckedCertificate {
    /// File and number, as `chain.pem#2`.
    pub place: String,
    pub subject: String,
    pub findings: Vec<Finding>,
    pub signature: Signature,
    /// What each client of the request says, in their order.
    pub clients: Vec<Prediction<'static>>,
}

/// What was found in one CRL.
#[derive(Debug)]
pub struct CheckedCrl {
    pub place: String,
    pub issuer: String,
    /// `None` when no rule of the profile is about CRLs.
    pub findings: Option<Vec<Finding>>,
    pub signature: Signature,
}

/// What was found in a file.
#[derive(Debug)]
pub struct Linted {
    pub certificates: Vec<CheckedCertificate>,
    pub crls: Vec<CheckedCrl>,
}

/// An input and what was found in it.
#[derive(Debug)]
pub struct LintedInput {
    /// The file as it was named, or the name or address of the certificate.
    pub name: String,
    pub result: Result<Linted, Failure>,
}

/// The most certificates, CRLs and findings of earlier inputs of one call with which another input is still read: all of them are
/// kept until they are written.
const MOST_KEPT: usize = 50_000;

/// Lints what each argument names; an input that fails does not stop the others.
pub fn lint(arguments: &[PathBuf], request: &LintRequest, context: &mut Context<'_>) -> Vec<LintedInput> {
    let mut linted: Vec<LintedInput> = Vec::new();
    let mut kept = 0;
    for argument in arguments {
        let is_first = linted.len();
        for LintInput { name, content } in inputs(std::slice::from_ref(argument), context) {
            let result = match content {
                Ok(_) if kept > MOST_KEPT => Some(Err(too_many_kept())),
                Ok(content) => lint_one(&name, content, request, context).transpose(),
                Err(failure) => Some(Err(failure)),
            };
            let Some(result) = result else { continue };
            kept += result.as_ref().map_or(1, Linted::size);
            linted.push(LintedInput { name, result });
        }
        if linted.len() == is_first {
            let name = argument.escaped().to_string();
            linted.push(LintedInput { name, result: Err(inputs::nothing_to_lint(argument)) });
        }
    }
    linted
}

fn too_many_kept() -> Failure {
    let sentence = format!("the inputs before it have more than {MOST_KEPT} certificates and findings");
    Failure::usage("input-too-large", sentence).hint("lint them with several commands")
}

impl Linted {
    /// Every finding of its certificates and CRLs.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let of_crls = self.crls.iter().filter_map(|checked| checked.findings.as_ref());
        self.certificates.iter().map(|checked| &checked.findings).chain(of_crls).flatten()
    }

    /// Returns whether no finding is an error.
    pub fn has_no_error(&self) -> bool {
        self.findings().all(|finding| finding.severity != Severity::Error)
    }

    fn size(&self) -> usize {
        self.certificates.len() + self.crls.len() + self.findings().count()
    }
}

/// Returns `None` for a file of a folder that has nothing to lint.
fn lint_one(
    name: &str,
    content: Content,
    request: &LintRequest,
    context: &mut Context<'_>,
) -> Result<Option<Linted>, Failure> {
    let (path, ders) = match content {
        Content::File(path) => match read(&path, context)? {
            FileContent::Ders(ders) => (path, ders),
            FileContent::Nothing(failure) => return Err(failure),
        },
        Content::OfFolder(path) => match read(&path, context)? {
            FileContent::Ders(ders) => (path, ders),
            FileContent::Nothing(_) => return Ok(None),
        },
        Content::Certificates(certificates) => (name.into(), Ders { certificates, crls: Vec::new() }),
    };
    // What is found in each is kept until all are written.
    let count = ders.certificates.len() + ders.crls.len();
    if count > MAX_CERTIFICATES {
        return Err(Failure::too_many_certificates(&path, count, MAX_CERTIFICATES));
    }
    check(&path, ders, request, context).map(Some)
}

enum FileContent {
    Ders(Ders),
    /// Neither a certificate nor a CRL.
    Nothing(Failure),
}

fn read(path: &Path, context: &mut Context<'_>) -> Result<FileContent, Failure> {
    let content = match file_kind::expect(context.read_input(path)?, Expected::CertificateOrCrl) {
        Ok(content) => content,
        Err(other) => {
            let codes = KindCodes { other: "undecodable", empty: "empty-input" };
            return Ok(FileContent::Nothing(Failure::another_kind(path, other, codes)));
        }
    };
    let ders = Ders::of(content, path)?;
    if ders.certificates.is_empty() && ders.crls.is_empty() {
        return Ok(FileContent::Nothing(Failure::nothing_in_file(path, "certificate")));
    }
    Ok(FileContent::Ders(ders))
}

fn check(path: &Path, ders: Ders, request: &LintRequest, context: &mut Context<'_>) -> Result<Linted, Failure> {
    let place = |number: usize| format!("{}#{number}", path.escaped());
    let mut certificates = Vec::new();
    for (number, der) in (1..).zip(&ders.certificates) {
        let certificate = Certificate::read_partially(der)
            .map_err(|error| Failure::undecodable(path, number, "certificate", &error.to_string()))?;
        certificates.push(certificate);
    }
    let mut issuers = Issuers::of(&certificates);
    let mut checked = Vec::with_capacity(certificates.len());
    for (number, certificate) in (1..).zip(&certificates) {
        let (signature, issuer) = issuers.of_certificate(certificate);
        // What cannot be read breaks every profile.
        let mut findings: Vec<Finding> = certificate.unreadable.iter().map(malformed).collect();
        if let Some(profile) = request.profile {
            findings.extend(lint::check(certificate, issuer, profile));
        }
        let clients = clients::ask(&request.clients, certificate, issuer, &mut findings);
        let subject = certificate.subject.to_string();
        checked.push(CheckedCertificate { place: place(number), subject, findings, signature, clients });
    }
    let mut crls = Vec::with_capacity(ders.crls.len());
    for (number, der) in (1..).zip(ders.crls) {
        let target =
            CrlTarget::read(der).map_err(|error| Failure::undecodable(path, number, "CRL", &error.to_string()))?;
        crls.push(CheckedCrl {
            place: place(number),
            issuer: target.crl.issuer.to_string(),
            findings: request.profile.map(|profile| lint::check_crl(&target, profile)),
            signature: issuers.of_crl(&target.crl),
        });
    }
    if issuers.is_exhausted() {
        context.warn(&format!(
            "{}: more than {} signatures would have to be checked; not every certificate was checked against \
                 its issuer",
            path.escaped(),
            issuers::MOST_SIGNATURES
        ));
    }
    Ok(Linted { certificates: checked, crls })
}

fn malformed(part: &UnreadablePart) -> Finding {
    Finding {
        rule: CERTIFICATE_MALFORMED.code,
        severity: Severity::Error,
        citation: CERTIFICATE_MALFORMED.citation,
        message: format!("{}: {}", part.place, part.reason),
        hint: Some(CERTIFICATE_MALFORMED.fix.to_owned()),
    }
}

/// The certificates and CRLs of a file, each in their order.
#[derive(Default)]
struct Ders {
    certificates: Vec<Vec<u8>>,
    crls: Vec<Vec<u8>>,
}

impl Ders {
    fn of(content: Vec<u8>, path: &Path) -> Result<Self, Failure> {
        let mut ders = Self::default();
        if content.is_empty() {
            return Ok(ders);
        }
        if !pem::is_pem(&content) {
            // What is not the outline of a CRL is decoded as a certificate, whose decoder says why it is none.
            let is_crl = file_kind::what_is_der(&content).is_some_and(|kind| Expected::Crl.accepts(kind));
            if is_crl {
                ders.crls.push(content)
            } else {
                ders.certificates.push(content)
            }
            return Ok(ders);
        }
        let mut blocks = pem::parse_all(&content).map_err(|error| Failure::damaged_pem(path, &error))?;
        drop(content);
        for block in &mut blocks {
            ders.take(block);
        }
        Ok(ders)
    }

    fn take(&mut self, block: &mut Block) {
        if pem::is_crl(&block.label) {
            self.crls.push(mem::take(&mut *block.content));
        } else if let Some(length) = certificate_file::der_of(block).map(<[u8]>::len) {
            let mut der = mem::take(&mut *block.content);
            der.truncate(length);
            self.certificates.push(der);
        }
    }
}
