//! `ca rekey`: the next certificate for a new key.

use clap::Args;

use crate::app::context::Context;
use crate::authority::leaf::renew::NextKey;
use crate::cli::next_certificate::{NextCertificateOptions, follow};
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::x509::KeyAlgorithm;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Which certificates: a name, a pattern such as 'web-*', a serial number or its first digits, a file, or an intermediate; see ca help names
    #[arg(value_name = "NAME|SERIAL|FILE", required = true)]
    certificates: Vec<String>,
    /// Choose the kind of the new key [default: as it was]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    #[command(flatten)]
    next: NextCertificateOptions,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    follow(&arguments.certificates, NextKey::New(arguments.key), &arguments.next, context)
}
