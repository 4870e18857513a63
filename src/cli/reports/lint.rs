//! What `ca lint` found, as text and as JSON.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::clients::ClientJson;
use crate::app::lint::{CheckedCertificate, CheckedCrl, Linted, Signature, SignatureAnswer};
use crate::app::verify::clients::line;
use crate::clients::Prediction;
use crate::clients::predict::Outcome;
use crate::lint::{Finding, Severity};
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};

/// The findings of one call.
pub struct LintReport {
    pub profile: &'static str,
    /// Whether the profile is what clients refuse, and has no rules.
    pub is_of_clients: bool,
    pub linted: Linted,
    /// One line for each certificate and CRL, without its findings.
    pub quiet: bool,
}

impl LintReport {
    fn passed(&self) -> bool {
        let of_crls = self.linted.crls.iter().filter_map(|checked| checked.findings.as_ref());
        let all = self.linted.certificates.iter().map(|checked| &checked.findings).chain(of_crls);
        all.flatten().all(|finding| finding.severity != Severity::Error)
    }

    fn certificate(&self, checked: &CheckedCertificate, page: &mut Page) {
        if self.is_of_clients {
            self.head_of_clients(checked, page);
        } else {
            self.head(&checked.place, &checked.findings, &checked.subject, page);
        }
        if self.quiet {
            return;
        }
        findings(&checked.findings, page);
        signature(&checked.signature, page);
        if !checked.clients.is_empty() {
            let lines: Vec<_> = checked.clients.iter().map(line).collect();
            page.rows("  clients", &lines);
        }
    }

    fn crl(&self, checked: &CheckedCrl, page: &mut Page) {
        let what = format!("CRL of {}", checked.issuer);
        let Some(found) = &checked.findings else {
            if !self.quiet {
                page.gap();
            }
            let about = format!("  what clients do with CRLs was not measured (profile {}): {what}", self.profile);
            return page.pieces(&[(Tone::Strong, &checked.place), (Tone::Plain, &about)]);
        };
        self.head(&checked.place, found, &what, page);
        if !self.quiet {
            findings(found, page);
            signature(&checked.signature, page);
        }
    }

    fn head_of_clients(&self, checked: &CheckedCertificate, page: &mut Page) {
        if !self.quiet {
            page.gap();
        }
        let is_unmeasured = |prediction: &Prediction<'_>| matches!(&prediction.outcome, Outcome::NotMeasured(facts) if !facts.is_empty());
        let (tone, word) = if !checked.findings.is_empty() {
            (Tone::Bad, "is refused")
        } else if checked.clients.iter().any(is_unmeasured) {
            (Tone::Warning, "was not measured")
        } else {
            (Tone::Good, "no reason known")
        };
        let about = format!(" for profile {}: {}", self.profile, checked.subject);
        page.pieces(&[(Tone::Strong, &checked.place), (Tone::Plain, "  "), (tone, word), (Tone::Plain, &about)]);
    }

    fn head(&self, place: &str, findings: &[Finding], what: &str, page: &mut Page) {
        if !self.quiet {
            page.gap();
        }
        let (tone, word) = match findings.iter().map(|finding| finding.severity).max() {
            None => (Tone::Good, "keeps every rule"),
            Some(Severity::Warning) => (Tone::Warning, "has warnings"),
            Some(Severity::Error) => (Tone::Bad, "breaks rules"),
        };
        let about = format!(" of profile {}: {what}", self.profile);
        page.pieces(&[(Tone::Strong, place), (Tone::Plain, "  "), (tone, word), (Tone::Plain, &about)]);
    }
}

fn findings(findings: &[Finding], page: &mut Page) {
    for finding in findings {
        let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
        page.pieces(&[(tone, finding.severity.name()), (Tone::Plain, ": "), (Tone::Plain, &finding.message)]);
        page.field("  rule", &format!("{} ({})", finding.rule, finding.citation));
        if let Some(hint) = &finding.hint {
            page.field("  what to do", hint);
        }
    }
}

/// Shows an answer that is not "valid" although the file has a certificate of the issuer's name.
fn signature(signature: &Signature, page: &mut Page) {
    if matches!(signature.answer, SignatureAnswer::Invalid | SignatureAnswer::CannotBeChecked) {
        let number = signature.issuer.map(|number| format!(" (#{number})")).unwrap_or_default();
        page.field("  signature", &format!("{}{number}", signature.reason.as_deref().unwrap_or_default()));
    }
}

/// `ca.lint/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lint")]
pub struct LintJson<'a> {
    profile: &'static str,
    passed: bool,
    certificates: Vec<CheckedCertificateJson<'a>>,
    crls: Vec<CheckedCrlJson<'a>>,
}

/// A certificate that was checked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedCertificate")]
struct CheckedCertificateJson<'a> {
    /// The file and the number in it.
    certificate: &'a str,
    subject: &'a str,
    findings: Vec<LintFindingJson<'a>>,
    signature: SignatureJson<'a>,
    /// With `--client`, or a profile that is called after clients.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    clients: Vec<ClientJson<'a>>,
}

/// A CRL that was checked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedCrl")]
struct CheckedCrlJson<'a> {
    /// The file and the number in it.
    crl: &'a str,
    issuer: &'a str,
    /// `null` when the profile has no rules about CRLs.
    findings: Option<Vec<LintFindingJson<'a>>>,
    signature: SignatureJson<'a>,
}

/// A rule that is broken.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LintFinding")]
struct LintFindingJson<'a> {
    /// A code of `ca explain`.
    rule: &'a str,
    #[schemars(extend("enum" = ["error", "warning"]))]
    severity: &'static str,
    citation: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

/// Whether a certificate of the file signed it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SignatureCheck")]
struct SignatureJson<'a> {
    #[schemars(extend("enum" = ["valid", "invalid", "cannot-be-checked", "not-checked"]))]
    answer: &'static str,
    /// The number of that certificate.
    issuer: Option<usize>,
    reason: Option<&'a str>,
}

impl<'a> CheckedCertificateJson<'a> {
    fn new(checked: &'a CheckedCertificate) -> Self {
        Self {
            certificate: &checked.place,
            subject: &checked.subject,
            findings: checked.findings.iter().map(LintFindingJson::new).collect(),
            signature: SignatureJson::new(&checked.signature),
            clients: checked.clients.iter().map(ClientJson::new).collect(),
        }
    }
}

impl<'a> CheckedCrlJson<'a> {
    fn new(checked: &'a CheckedCrl) -> Self {
        let findings = checked.findings.as_ref();
        Self {
            crl: &checked.place,
            issuer: &checked.issuer,
            findings: findings.map(|findings| findings.iter().map(LintFindingJson::new).collect()),
            signature: SignatureJson::new(&checked.signature),
        }
    }
}

impl<'a> LintFindingJson<'a> {
    fn new(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule,
            severity: finding.severity.name(),
            citation: finding.citation,
            message: &finding.message,
            hint: finding.hint.as_deref(),
        }
    }
}

impl<'a> SignatureJson<'a> {
    fn new(signature: &'a Signature) -> Self {
        Self { answer: signature.answer.name(), issuer: signature.issuer, reason: signature.reason.as_deref() }
    }
}

impl Report for LintReport {
    fn text(&self, page: &mut Page) {
        for checked in &self.linted.certificates {
            self.certificate(checked, page);
        }
        for checked in &self.linted.crls {
            self.crl(checked, page);
        }
    }

    fn json(&self) -> Value {
        let content = LintJson {
            profile: self.profile,
            passed: self.passed(),
            certificates: self.linted.certificates.iter().map(CheckedCertificateJson::new).collect(),
            crls: self.linted.crls.iter().map(CheckedCrlJson::new).collect(),
        };
        json::document("ca.lint/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.passed() { Answer::Yes } else { Answer::No }
    }
}
