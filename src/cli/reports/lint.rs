//! What `ca lint` found, as text.

use serde_json::Value;

use super::lint_json::{LintJson, LintManyJson};
use crate::app::lint::{CheckedCertificate, CheckedCrl, Linted, LintedInput, Signature, SignatureAnswer};
use crate::app::verify::clients::line;
use crate::clients::Prediction;
use crate::clients::predict::Outcome;
use crate::lint::{Finding, Severity};
use crate::report::failure::Failure;
use crate::report::json;
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};

/// The most inputs that one sentence names.
const MOST_NAMED: usize = 10;

/// The findings of one call.
pub struct LintReport {
    pub profile: &'static str,
    /// Whether the profile is what clients refuse, and has no rules.
    pub is_of_clients: bool,
    pub linted: Vec<LintedInput>,
    /// One line for each certificate and CRL, without its findings.
    pub quiet: bool,
}

impl LintReport {
    fn passed(&self) -> bool {
        self.linted.iter().filter_map(|input| input.result.as_ref().ok()).all(Linted::has_no_error)
    }

    fn not_checked(&self) -> Vec<(&str, &Failure)> {
        self.linted.iter().filter_map(|input| Some((input.name.as_str(), input.result.as_ref().err()?))).collect()
    }

    /// One of several inputs: what is to be said about it. With `quiet`, each certificate and CRL has its line.
    fn one_of_many(&self, LintedInput { name, result }: &LintedInput, page: &mut Page) {
        match result {
            Ok(linted) => {
                for checked in linted.certificates.iter().filter(|checked| self.quiet || self.is_worth_a_look(checked))
                {
                    self.certificate(checked, page);
                }
                for checked in linted.crls.iter().filter(|checked| self.quiet || has_findings(checked)) {
                    self.crl(checked, page);
                }
            }
            Err(failure) => {
                if !self.quiet {
                    page.gap();
                }
                let is_named = failure.message.contains(name.as_str());
                let name = if is_named { String::new() } else { format!("{name}: ") };
                page.pieces(&[
                    (Tone::Bad, "✗ "),
                    (Tone::Strong, &name),
                    (Tone::Plain, &page.sentence(&failure.message)),
                ]);
            }
        }
    }

    /// Whether there is more to say about a certificate than that it keeps every rule.
    fn is_worth_a_look(&self, checked: &CheckedCertificate) -> bool {
        !checked.findings.is_empty() || is_doubtful(&checked.signature) || checked.clients.iter().any(is_unmeasured)
    }

    /// The numbers of inputs by the worst that was found in them.
    fn summary(&self) -> String {
        let worst = |linted: &Linted| linted.findings().map(|finding| finding.severity).max();
        let count = |wanted: Option<Severity>| {
            let checked = self.linted.iter().filter_map(|input| input.result.as_ref().ok());
            checked.filter(|linted| worst(linted) == wanted).count()
        };
        let counts = [
            (count(Some(Severity::Error)), "with errors"),
            (count(Some(Severity::Warning)), "with warnings"),
            (count(None), "without findings"),
            (self.not_checked().len(), "not checked"),
        ];
        let parts: Vec<String> =
            counts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        format!("{} inputs, profile {}: {}", self.linted.len(), self.profile, parts.join(", "))
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

/// What clients do with CRLs was not measured, which is said too.
fn has_findings(checked: &CheckedCrl) -> bool {
    checked.findings.as_ref().is_none_or(|findings| !findings.is_empty()) || is_doubtful(&checked.signature)
}

fn is_unmeasured(prediction: &Prediction<'_>) -> bool {
    matches!(&prediction.outcome, Outcome::NotMeasured(facts) if !facts.is_empty())
}

fn is_doubtful(signature: &Signature) -> bool {
    matches!(signature.answer, SignatureAnswer::Invalid | SignatureAnswer::CannotBeChecked)
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
    if is_doubtful(signature) {
        let number = signature.issuer.map(|number| format!(" (#{number})")).unwrap_or_default();
        page.field("  signature", &format!("{}{number}", signature.reason.as_deref().unwrap_or_default()));
    }
}

impl Report for LintReport {
    fn text(&self, page: &mut Page) {
        if let [LintedInput { result: Ok(linted), .. }] = self.linted.as_slice() {
            for checked in &linted.certificates {
                self.certificate(checked, page);
            }
            for checked in &linted.crls {
                self.crl(checked, page);
            }
            return;
        }
        for input in &self.linted {
            self.one_of_many(input, page);
        }
        if !self.quiet {
            page.gap();
            page.line(&self.summary());
        }
    }

    fn json(&self) -> Value {
        const ONE: &str = "ca.lint/1";
        let one = |LintedInput { name, result }: &LintedInput| match result {
            Ok(linted) => json::document(ONE, &LintJson::new(Some(name), self.profile, linted)),
            Err(failure) => failure.json_of(name),
        };
        match self.linted.as_slice() {
            [LintedInput { result: Ok(linted), .. }] => json::document(ONE, &LintJson::new(None, self.profile, linted)),
            many => {
                let not_checked = self.not_checked().len();
                let passed = self.passed() && not_checked == 0;
                let results = many.iter().map(one).collect();
                let content = LintManyJson { profile: self.profile, passed, not_checked, results };
                json::document("ca.lint-many/1", &content)
            }
        }
    }

    fn answer(&self) -> Answer {
        if self.passed() { Answer::Yes } else { Answer::No }
    }

    fn failure(&self) -> Option<Failure> {
        let failed = self.not_checked();
        let (count, of) = (failed.len(), self.linted.len());
        let named: Vec<&str> = failed.iter().take(MOST_NAMED).map(|(name, _)| *name).collect();
        let more = if count > MOST_NAMED { format!(" and {} more", count - MOST_NAMED) } else { String::new() };
        let were = if count == 1 { "was" } else { "were" };
        let names = named.join(", ");
        let hints = failed
            .iter()
            .take(MOST_NAMED)
            .flat_map(|(name, failure)| failure.hints.iter().map(move |hint| format!("{name}: {hint}")));
        let failure =
            Failure::usage("not-all-checked", format!("{count} of {of} inputs {were} not checked: {names}{more}"));
        let failure = hints.fold(failure, Failure::hint);
        (count > 0).then_some(failure)
    }
}
