//! `ca lint FILE`: the rules of form, rule by rule.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::app::certificate_input::MAX_CERTIFICATES;
use crate::app::context::Context;
use crate::lint::{self, Finding, LintProfile, Severity};
use crate::report::failure::{Failure, KindCodes};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::text::PathText;
use crate::verify::{CERTIFICATE_MALFORMED, check_signature};
use crate::x509::certificate::UnreadablePart;
use crate::x509::file_kind::Expected;
use crate::x509::{CanonicalName, Certificate, certificate_file};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Check every certificate of this file; - is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Whose rules to apply
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = ProfileArgument::Rfc5280)]
    profile: ProfileArgument,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileArgument {
    /// The Internet's profile of X.509
    Rfc5280,
    /// What OpenSSL's -x509_strict refuses, and with it Python since 3.13
    Strict,
    /// What Apple's platforms ask of server certificates
    Apple,
    /// What rustls refuses
    Rustls,
    /// Every rule: what this program keeps to itself
    House,
}

impl From<ProfileArgument> for LintProfile {
    fn from(argument: ProfileArgument) -> Self {
        match argument {
            ProfileArgument::Rfc5280 => Self::Rfc5280,
            ProfileArgument::Strict => Self::Strict,
            ProfileArgument::Apple => Self::Apple,
            ProfileArgument::Rustls => Self::Rustls,
            ProfileArgument::House => Self::House,
        }
    }
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let codes = KindCodes { other: "undecodable", empty: "empty-input" };
    let content = context.read_expected(&arguments.file, Expected::Certificate, codes)?;
    let path = &arguments.file;
    let ders = certificate_file::ders(content).map_err(|error| Failure::damaged_pem(path, &error))?.ders;
    if ders.is_empty() {
        return Err(Failure::nothing_in_file(path, "certificate"));
    }
    if ders.len() > MAX_CERTIFICATES {
        return Err(Failure::too_many_certificates(path, ders.len(), MAX_CERTIFICATES));
    }
    let mut certificates = Vec::new();
    for (number, der) in (1..).zip(&ders) {
        let certificate = Certificate::read_partially(der)
            .map_err(|error| Failure::undecodable(path, number, "certificate", &error.to_string()))?;
        certificates.push(certificate);
    }
    let profile = LintProfile::from(arguments.profile);
    let mut issuers = Issuers::of(&certificates);
    let mut checked = Vec::with_capacity(certificates.len());
    for (number, certificate) in (1..).zip(&certificates) {
        let mut findings: Vec<Finding> = certificate.unreadable.iter().map(malformed).collect();
        findings.extend(lint::check(certificate, issuers.find(certificate), profile));
        checked.push(Checked {
            place: format!("{}#{number}", path.escaped()),
            subject: certificate.subject.to_string(),
            findings,
        });
    }
    if issuers.is_exhausted {
        context.warn(&format!(
            "{}: more than {MOST_SIGNATURES} signatures would have to be checked; not every certificate was held against \
             its issuer",
            path.escaped()
        ));
    }
    Ok(Box::new(Findings { profile, checked, quiet: context.quiet }))
}

/// What cannot be read breaks every profile.
fn malformed(part: &UnreadablePart) -> Finding {
    Finding {
        rule: CERTIFICATE_MALFORMED.code,
        severity: Severity::Error,
        citation: CERTIFICATE_MALFORMED.citation,
        message: format!("{}: {}", part.place, part.reason),
        hint: Some(CERTIFICATE_MALFORMED.fix.to_owned()),
    }
}

/// The most signatures that are checked to find the issuers of certificates.
const MOST_SIGNATURES: usize = 2000;

/// The certificates of one file as issuers of each other.
struct Issuers<'a> {
    /// Names that are equal by RFC 5280 §7.1 are found although their encodings differ.
    by_subject: HashMap<CanonicalName, Vec<&'a Certificate>>,
    checked: usize,
    /// True when the issuer of a certificate was not looked for.
    is_exhausted: bool,
}

impl<'a> Issuers<'a> {
    fn of(all: &'a [Certificate]) -> Self {
        let mut by_subject: HashMap<_, Vec<_>> = HashMap::new();
        for certificate in all {
            by_subject.entry(CanonicalName::of(&certificate.subject)).or_default().push(certificate);
        }
        Self { by_subject, checked: 0, is_exhausted: false }
    }

    /// The certificate in the same file that signed this one.
    fn find(&mut self, certificate: &Certificate) -> Option<&'a Certificate> {
        for issuer in self.by_subject.get(&CanonicalName::of(&certificate.issuer))? {
            if self.checked == MOST_SIGNATURES {
                self.is_exhausted = true;
                return None;
            }
            self.checked += 1;
            if check_signature(certificate, &issuer.public_key).is_ok() {
                return Some(issuer);
            }
        }
        None
    }
}

struct Findings {
    profile: LintProfile,
    checked: Vec<Checked>,
    /// One line a certificate, without its findings.
    quiet: bool,
}

struct Checked {
    place: String,
    subject: String,
    findings: Vec<Finding>,
}

impl Findings {
    fn passed(&self) -> bool {
        let mut findings = self.checked.iter().flat_map(|checked| &checked.findings);
        findings.all(|finding| finding.severity != Severity::Error)
    }
}

impl Report for Findings {
    fn text(&self, page: &mut Page) {
        for checked in &self.checked {
            if !self.quiet {
                page.gap();
            }
            let (tone, word) = match checked.findings.iter().map(|finding| finding.severity).max() {
                None => (Tone::Good, "keeps every rule"),
                Some(Severity::Warning) => (Tone::Warning, "has warnings"),
                Some(Severity::Error) => (Tone::Bad, "breaks rules"),
            };
            let about = format!(" of profile {}: {}", self.profile, checked.subject);
            page.pieces(&[(Tone::Strong, &checked.place), (Tone::Plain, "  "), (tone, word), (Tone::Plain, &about)]);
            for finding in checked.findings.iter().filter(|_| !self.quiet) {
                let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
                page.pieces(&[(tone, finding.severity.name()), (Tone::Plain, ": "), (Tone::Plain, &finding.message)]);
                page.field("  rule", &format!("{} ({})", finding.rule, finding.citation));
                if let Some(hint) = &finding.hint {
                    page.field("  what to do", hint);
                }
            }
        }
    }

    fn json(&self) -> Value {
        let finding = |finding: &Finding| {
            json!({
                "rule": finding.rule,
                "severity": finding.severity.name(),
                "citation": finding.citation,
                "message": finding.message,
                "hint": finding.hint,
            })
        };
        let checked = |checked: &Checked| {
            json!({
                "certificate": checked.place,
                "subject": checked.subject,
                "findings": checked.findings.iter().map(finding).collect::<Vec<_>>(),
            })
        };
        json!({
            "schema": "ca.lint/1",
            "profile": self.profile.name(),
            "passed": self.passed(),
            "certificates": self.checked.iter().map(checked).collect::<Vec<_>>(),
        })
    }

    fn answer(&self) -> Answer {
        if self.passed() { Answer::Yes } else { Answer::No }
    }
}
