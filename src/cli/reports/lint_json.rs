//! What `ca lint` found, as JSON.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::clients::ClientJson;
use crate::app::lint::{CheckedCertificate, CheckedCrl, Linted, Signature};
use crate::lint::Finding;
use crate::report::document_schema::DocumentOrFailure;

/// `ca.lint/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Lint")]
pub struct LintJson<'a> {
    /// In `ca.lint-many/1`: the file as it was named, or the name or address of the certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<&'a str>,
    profile: &'static str,
    /// No finding is an error.
    passed: bool,
    certificates: Vec<CheckedCertificateJson<'a>>,
    crls: Vec<CheckedCrlJson<'a>>,
}

/// `ca.lint-many/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "LintMany")]
pub struct LintManyJson {
    pub profile: &'static str,
    /// No finding is an error, and every input was checked.
    pub passed: bool,
    /// The number of inputs that could not be checked.
    pub not_checked: usize,
    /// For each input `ca.lint/1`, or `ca.error/1` with the input as `name`.
    #[schemars(with = "Vec<DocumentOrFailure<LintJson<'static>>>")]
    pub results: Vec<Value>,
}

impl<'a> LintJson<'a> {
    pub fn new(input: Option<&'a str>, profile: &'static str, linted: &'a Linted) -> Self {
        Self {
            input,
            profile,
            passed: linted.has_no_error(),
            certificates: linted.certificates.iter().map(CheckedCertificateJson::new).collect(),
            crls: linted.crls.iter().map(CheckedCrlJson::new).collect(),
        }
    }
}

/// A certificate that was checked.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CheckedCertificate")]
struct CheckedCertificateJson<'a> {
    /// As `place`.
    #[schemars(extend("deprecated" = true))]
    certificate: &'a str,
    /// The file and the number in it.
    place: &'a str,
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
    /// As `place`.
    #[schemars(extend("deprecated" = true))]
    crl: &'a str,
    /// The file and the number in it.
    place: &'a str,
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
    /// As `issuer_number`.
    #[schemars(extend("deprecated" = true))]
    issuer: Option<usize>,
    /// The number of that certificate.
    issuer_number: Option<usize>,
    reason: Option<&'a str>,
}

impl<'a> CheckedCertificateJson<'a> {
    fn new(checked: &'a CheckedCertificate) -> Self {
        Self {
            certificate: &checked.place,
            place: &checked.place,
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
            place: &checked.place,
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
        Self {
            answer: signature.answer.name(),
            issuer: signature.issuer,
            issuer_number: signature.issuer,
            reason: signature.reason.as_deref(),
        }
    }
}
