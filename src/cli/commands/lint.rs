//! `ca lint FILE…`: the lint rules, rule by rule.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::app::context::Context;
use crate::app::lint::{LintRequest, LintedInput, lint};
use crate::cli::reports::lint::LintReport;
use crate::clients::{ClientChoice, ClientList};
use crate::lint::LintProfile;
use crate::report::failure::Failure;
use crate::report::output::Report;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Check every certificate and CRL of each file, or of the files in a folder; - is standard input; or the deployed
    /// certificate of a NAME, or what the server at HOST:PORT sends; see ca help names
    #[arg(value_name = "FILE|NAME|HOST:PORT", required = true)]
    files: Vec<PathBuf>,
    /// Choose the rules; the last five are what these clients refuse in a single certificate
    #[arg(long, value_enum, value_name = "PROFILE", default_value_t = ProfileArgument::Rfc5280)]
    profile: ProfileArgument,
    /// Also report what this client refuses, except what depends on the chain, the host name or the time:
    /// NAME, NAME@VERSION, all or browsers, with commas between several
    #[arg(long, value_name = "NAME")]
    client: Vec<ClientList>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ProfileArgument {
    /// The X.509 profile of the Internet (RFC 5280)
    Rfc5280,
    /// What OpenSSL's -x509_strict refuses, and with it Python since 3.13
    Strict,
    /// What Apple's platforms require of server certificates
    Apple,
    /// What rustls refuses
    Rustls,
    /// Every rule: what this program applies to its own certificates
    House,
    /// What Chrome, Firefox or Apple refuse
    Browsers,
    /// What OpenSSL refuses without -x509_strict
    Openssl,
    /// What Python refuses
    Python,
    /// What Go refuses
    Go,
    /// What Java refuses
    Java,
}

impl ProfileArgument {
    /// Returns the profile of rules; or the word of [`ClientList`] for a profile that is what clients refuse.
    const fn rules(self) -> Result<LintProfile, &'static str> {
        match self {
            Self::Rfc5280 => Ok(LintProfile::Rfc5280),
            Self::Strict => Ok(LintProfile::Strict),
            Self::Apple => Ok(LintProfile::Apple),
            Self::Rustls => Ok(LintProfile::Rustls),
            Self::House => Ok(LintProfile::House),
            Self::Browsers => Err("browsers"),
            Self::Openssl => Err("openssl"),
            Self::Python => Err("python"),
            Self::Go => Err("go"),
            Self::Java => Err("java"),
        }
    }
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let mut clients: Vec<ClientChoice<'static>> = Vec::new();
    let rules = arguments.profile.rules();
    let of_profile = rules.err().and_then(|word| word.parse::<ClientList>().ok());
    for choice in of_profile.into_iter().chain(arguments.client.iter().cloned()).flat_map(|list| list.0) {
        if !clients.contains(&choice) {
            clients.push(choice);
        }
    }
    let mut linted = lint(&arguments.files, &LintRequest { profile: rules.ok(), clients }, context);
    // The failure of the only input is that of the command.
    if let [LintedInput { result: Err(_), .. }] = linted.as_slice()
        && let Some(LintedInput { result: Err(failure), .. }) = linted.pop()
    {
        return Err(failure);
    }
    let profile = match rules {
        Ok(profile) => profile.name(),
        Err(word) => word,
    };
    Ok(Box::new(LintReport { profile, is_of_clients: rules.is_err(), linted, quiet: context.quiet }))
}
