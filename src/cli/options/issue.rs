//! The flags of `ca issue` and `ca sign` that decide the content of a new certificate.

use clap::Args;
use time::OffsetDateTime;

use super::key_value::{key_and_value, subject_attribute};
use crate::authority::leaf::order::{DueRule, IfNameExists};
use crate::issuance::Expiry;
use crate::text::{Lifetime, parse_time};
use crate::x509::{AttributeType, GeneralName};

/// The flags that decide the content of the certificate.
#[derive(Debug, Args)]
pub struct IssueOptions {
    /// Add a subject alternative name: DNS, IP, e-mail or URI, recognised from the value; repeatable
    #[arg(long = "san", value_name = "NAME")]
    pub sans: Vec<GeneralName>,
    /// Choose how long it is valid: 45s 30m 12h 90d 2w 1y
    #[arg(long = "for", value_name = "D", allow_hyphen_values = true)]
    pub lifetime: Option<Lifetime>,
    /// Choose the last second of its validity, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lifetime")]
    pub not_after: Option<OffsetDateTime>,
    /// Set an attribute of the subject, as organization=Acme; repeatable
    #[arg(long, value_name = "K=V", value_parser = subject_attribute)]
    pub subject: Vec<(AttributeType, String)>,
    /// Give a value for the placeholders of the template; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
    /// Choose the authority that issues
    #[arg(long, value_name = "AUTHORITY")]
    pub issuer: Option<String>,
    /// Shorten a certificate that would outlive its issuer
    #[arg(long)]
    pub clip: bool,
}

impl IssueOptions {
    pub fn expiry(&self) -> Expiry {
        match (self.lifetime, self.not_after) {
            (Some(lifetime), _) => Expiry::For(lifetime),
            (None, Some(end)) => Expiry::At(end),
            (None, None) => Expiry::Default,
        }
    }
}

/// What to do when the name has a certificate already, as the flags say it.
pub fn existing(if_due: Option<Option<Lifetime>>, force: bool) -> IfNameExists {
    match (if_due, force) {
        (Some(within), _) => IfNameExists::KeepUnlessDue(within.map_or(DueRule::LastThird, DueRule::Within)),
        (None, true) => IfNameExists::Replace,
        (None, false) => IfNameExists::Refuse,
    }
}
