//! The flags of `ca issue` and `ca sign` that decide the content of a new certificate.

use clap::Args;
use time::OffsetDateTime;

use super::key_value::{key_and_value, subject_attribute};
use crate::authority::leaf::order::{DueRule, IfNameExists};
use crate::issuance::Expiry;
use crate::report::failure::Failure;
use crate::text::{self, Lifetime, parse_time};
use crate::x509::general_name::GeneralNameError;
use crate::x509::{AttributeType, GeneralName};

/// The flags that decide the content of the certificate.
#[derive(Debug, Args)]
pub struct IssueOptions {
    /// Add a subject alternative name: DNS, IP, e-mail or URI, recognised from the value, or upn:… or kerberos:…; repeatable
    #[arg(long = "san", value_name = "NAME", value_parser = alternative_name)]
    pub sans: Vec<GeneralName>,
    /// Choose how long it is valid: 45s 30m 12h 90d 2w 1y
    #[arg(long = "for", value_name = "D", allow_hyphen_values = true)]
    pub lifetime: Option<Lifetime>,
    /// Choose when it expires, as RFC 3339
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lifetime")]
    pub not_after: Option<OffsetDateTime>,
    /// Set an attribute of the subject, as organization=Acme; repeatable
    #[arg(long, value_name = "K=V", value_parser = subject_attribute)]
    pub subject: Vec<(AttributeType, String)>,
    /// Give a value for the placeholders of the template; repeatable
    #[arg(long, value_name = "K=V", value_parser = key_and_value)]
    pub set: Vec<(String, String)>,
    /// Choose the authority that issues
    #[arg(long, visible_alias = "authority", value_name = "AUTHORITY")]
    pub issuer: Option<String>,
    /// Shorten a certificate that would expire after its issuer
    #[arg(long)]
    pub clip: bool,
}

/// Reads the value of `--san`; a mistake that is obvious is answered with what to type.
fn alternative_name(given: &str) -> Result<GeneralName, String> {
    given.parse().map_err(|error: GeneralNameError| match given.contains(',') {
        true => {
            let each: Vec<String> =
                given.split(',').map(|name| format!("--san {}", text::shell_word(name.trim()))).collect();
            format!("{error}; give each name its own flag: {}", each.join(" "))
        }
        false => error.to_string(),
    })
}

/// Returns the host of a web address, `web.test` of `https://web.test:8443/path`; `None` for anything else.
pub fn host_of_url(given: &str) -> Option<&str> {
    let rest = given.strip_prefix("https://").or_else(|| given.strip_prefix("http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(host, |(host, _)| host);
    (!host.is_empty()).then_some(host)
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

/// Refuses a flag that is about one certificate when several are wanted.
///
/// # Errors
/// Exit status 2 when the flag is given.
pub fn only_for_one(is_given: bool, flag: &str) -> Result<(), Failure> {
    match is_given {
        true => Err(Failure::usage("bad-arguments", format!("{flag} is for one certificate, and several are named"))
            .hint("run the command once for each of them")),
        false => Ok(()),
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
