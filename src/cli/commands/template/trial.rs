//! `ca template try`: the certificates that a template would make.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::authority::leaf::trial::{self, Trial, TrialOrder};
use crate::cli::options::issue::IssueOptions;
use crate::cli::reports::issue::warning_json;
use crate::report::failure::Failure;
use crate::report::json::{self, NameJson, Time, WarningJson};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::entry_name::EntryName;
use crate::text::{humanize, rfc3339};
use crate::x509::{ExtendedKeyUsage, GeneralName, KeyAlgorithm};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which template
    #[arg(value_name = "TEMPLATE")]
    template: String,
    /// The names of the certificates, each as in 'ca issue TEMPLATE NAME'
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    /// Choose the kind of key [default: the template's first]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    #[command(flatten)]
    options: IssueOptions,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { template, names, key, options } = arguments;
    let store = context.store()?;
    let expiry = options.expiry();
    let mut made = Vec::new();
    for name in names {
        let name: EntryName = name.parse()?;
        let order = TrialOrder {
            name,
            names: options.sans.clone(),
            expiry,
            clip: options.clip,
            key,
            subject: options.subject.clone(),
            set: options.set.iter().cloned().collect(),
            issuer: options.issuer.clone(),
        };
        made.push(trial::of_template(&store, &template, order, &context.effects())?);
    }
    Ok(Box::new(Tried { template, made, now: context.now() }))
}

struct Tried {
    template: String,
    made: Vec<Trial>,
    now: OffsetDateTime,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TriedTemplate")]
pub struct TriedJson<'a> {
    template: &'a str,
    certificates: Vec<CertificateJson<'a>>,
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TriedCertificate")]
pub struct CertificateJson<'a> {
    name: String,
    subject: String,
    issuer: String,
    authority: String,
    sans: Vec<NameJson<'a>>,
    not_before: Time,
    not_after: Time,
    key_algorithm: String,
    key_usage: Vec<&'static str>,
    extended_key_usage: Vec<String>,
    /// As `is_ca`.
    #[schemars(extend("deprecated" = true))]
    ca: bool,
    is_ca: bool,
    path_length: Option<u64>,
    permitted: Vec<String>,
    excluded: Vec<String>,
    crl_urls: Vec<String>,
    ca_issuer_urls: Vec<String>,
    ocsp_urls: Vec<String>,
    warning_details: Vec<WarningJson<'a>>,
}

impl<'a> CertificateJson<'a> {
    fn of(trial: &'a Trial) -> Self {
        let draft = &trial.draft;
        let constraints = draft.name_constraints.clone().unwrap_or_default();
        Self {
            name: trial.name.to_string(),
            subject: draft.subject.to_string(),
            issuer: draft.issuer.to_string(),
            authority: trial.authority.clone(),
            sans: NameJson::all(&draft.names),
            not_before: Time(draft.validity.not_before),
            not_after: Time(draft.validity.not_after),
            key_algorithm: draft.public_key.kind().to_string(),
            key_usage: draft.key_usage.names(),
            extended_key_usage: draft.extended_key_usage.iter().map(ExtendedKeyUsage::to_string).collect(),
            ca: draft.basic_constraints.ca,
            is_ca: draft.basic_constraints.ca,
            path_length: draft.basic_constraints.path_length.map(u64::from),
            permitted: constraints.permitted.iter().map(ToString::to_string).collect(),
            excluded: constraints.excluded.iter().map(ToString::to_string).collect(),
            crl_urls: draft.crl_urls.clone(),
            ca_issuer_urls: draft.ca_issuer_urls.clone(),
            ocsp_urls: draft.ocsp_urls.clone(),
            warning_details: trial.warnings.iter().map(warning_json).collect(),
        }
    }
}

impl Report for Tried {
    fn text(&self, page: &mut Page) {
        for trial in &self.made {
            let (draft, shown) = (&trial.draft, CertificateJson::of(trial));
            page.gap();
            page.pieces(&[
                (Tone::Good, "+ "),
                (Tone::Plain, "Would make "),
                (Tone::Strong, trial.name.as_str()),
                (Tone::Dim, &format!("  {}", self.template)),
            ]);
            page.field("subject", &shown.subject);
            page.rows("names", &draft.names.iter().map(GeneralName::value).collect::<Vec<_>>());
            page.field("issuer", &format!("{} ({})", shown.issuer, shown.authority));
            let left = humanize(draft.validity.not_after - self.now);
            page.field(
                "valid",
                &format!("{} to {} ({left})", rfc3339(draft.validity.not_before), rfc3339(draft.validity.not_after)),
            );
            page.field("key", &shown.key_algorithm);
            page.field("key usage", &shown.key_usage.join(", "));
            let lists = [
                ("extended usage", &shown.extended_key_usage),
                ("permitted", &shown.permitted),
                ("excluded", &shown.excluded),
                ("CRL", &shown.crl_urls),
                ("CA issuers", &shown.ca_issuer_urls),
                ("OCSP", &shown.ocsp_urls),
            ];
            lists.iter().for_each(|(label, values)| page.rows(label, values));
            if shown.ca {
                let length = shown.path_length.map(|length| format!(", path length {length}")).unwrap_or_default();
                page.field("CA", &format!("yes{length}"));
            }
            shown
                .warning_details
                .iter()
                .for_each(|warning| page.toned_field("warning", Tone::Warning, warning.message));
        }
    }

    fn json(&self) -> Value {
        let certificates: Vec<_> = self.made.iter().map(CertificateJson::of).collect();
        let (template, total) = (self.template.as_str(), certificates.len());
        json::document("ca.template-try/1", &TriedJson { template, certificates, total })
    }
}
