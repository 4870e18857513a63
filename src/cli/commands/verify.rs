//! `ca verify FILE…`: whether a chain holds, until when, and why not.

mod advice;
mod allowance;
mod court;
mod input;
mod live;
mod report;
mod revoked;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use crate::cli::address::host_of;
use crate::cli::options::number::whole_number;
use crate::cli::output::Report;
use crate::cli::{Context, Failure};
use crate::text::Lifetime;
use crate::text::parse_time;
use crate::verify::{Purpose, SignatureCache, VerifyOptions};
use crate::x509::{GeneralName, general_name};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Judge the first certificate of each file (or of each file in a folder); the others in it are untrusted intermediates
    #[arg(required_unless_present = "connect", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Use these certificates as untrusted intermediates too
    #[arg(long, value_name = "FILE")]
    untrusted: Vec<PathBuf>,
    /// Trust these certificates [default: the roots of the CA directory]
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Judge as of this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// Ask for this host name
    #[arg(long, value_name = "NAME")]
    hostname: Vec<String>,
    /// Ask for this address
    #[arg(long, value_name = "ADDR")]
    ip: Vec<IpAddr>,
    /// Ask for this mailbox
    #[arg(long, value_name = "ADDR")]
    email: Vec<String>,
    /// What it is to be used for [default: server with a host name, an address, --as-served or --connect; else any]
    #[arg(long, value_enum, value_name = "PURPOSE")]
    purpose: Option<PurposeArgument>,
    /// Ask these revocation lists; every certificate below the root then needs a current one
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Check that this private key belongs to the certificate
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Open an encrypted private key with the first line of a file
    #[arg(long, value_name = "FILE", requires = "key")]
    key_passphrase_file: Option<PathBuf>,
    /// Allow at most so many intermediates
    #[arg(long, value_name = "N", value_parser = whole_number::<u32>)]
    max_path_len: Option<u32>,
    /// Say no if the answer does not stay yes for this long
    #[arg(long, value_name = "D")]
    expires_in: Option<Lifetime>,
    /// Judge each file as a TLS server would send it: leaf first, whole, in order, without the root and anything else
    #[arg(long, conflicts_with = "untrusted")]
    as_served: bool,
    /// Judge what this server sends instead; with FILE, say whether it is the certificate in there
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["untrusted", "as_served"])]
    connect: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeArgument {
    /// A TLS server, with the rules that TLS clients apply
    Server,
    /// A TLS client, with the rules that TLS servers apply
    Client,
    /// The path validation of RFC 5280 alone
    Any,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let options = options(arguments, context)?;
    let mut warnings = Vec::new();
    let allowance = allowance::Allowance::new();
    let anchors = input::anchors(arguments, &allowance, context, &mut warnings)?;
    let mut untrusted = Vec::new();
    for path in &arguments.untrusted {
        untrusted.extend(input::tolerant(&input::read_blocks(path, &allowance, context)?, &mut warnings));
    }
    let mut crls = Vec::new();
    for path in &arguments.crl {
        crls.extend(input::read_lists(path, &allowance, context)?);
    }
    let key = arguments
        .key
        .as_ref()
        .map(|path| input::read_key(path, arguments.key_passphrase_file.as_deref(), context))
        .transpose()?;
    let court = court::Court {
        anchors: &anchors,
        untrusted: &untrusted,
        crls: &crls,
        key: key.as_ref(),
        options: &options,
        as_served: arguments.as_served || arguments.connect.is_some(),
        signatures: SignatureCache::default(),
        cas: Mutex::default(),
        allowance: &allowance,
    };
    let mut results = match &arguments.connect {
        Some(address) => vec![live::judge(address, arguments, &court, context)?],
        None => court.judge_all(&input::sources(arguments, &allowance, context)?)?,
    };
    advice::give(&mut results, &court, context);
    if arguments.roots.is_empty() && arguments.crl.is_empty() {
        warnings.extend(revoked::known_as_revoked(&results, options.at, context));
    }
    warnings.extend(results.iter().flat_map(|judged| judged.warnings.iter().cloned()));
    for warning in &warnings {
        context.warn(warning);
    }
    let working_folder = context.world.working_folder.clone();
    Ok(Box::new(report::Verdicts { options, results, warnings, quiet: context.globals.quiet, working_folder }))
}

fn options(arguments: &Arguments, context: &Context<'_>) -> Result<VerifyOptions, Failure> {
    let mut names = Vec::new();
    for given in &arguments.hostname {
        // A dot at the end says that the name is absolute; certificates are without (RFC 5280 §4.2.1.6).
        let host = given.strip_suffix('.').unwrap_or(given);
        let name = general_name::dns(host).map_err(|error| {
            let failure = Failure::bad_reference_name("--hostname", &error.to_string());
            match host.parse::<IpAddr>() {
                Ok(address) => failure.hint(format!("ask for an address with --ip {address}")),
                Err(_) => failure,
            }
        })?;
        if name.starts_with('*') {
            return Err(Failure::bad_reference_name("--hostname", "ask for a host, not for a wildcard"));
        }
        names.push(GeneralName::Dns(name));
    }
    names.extend(arguments.ip.iter().copied().map(GeneralName::Ip));
    if let (Some(address), []) = (&arguments.connect, names.as_slice()) {
        // Whoever calls a server expects it to bear the name by which it was called.
        names.push(live::name_of(host_of(address)?)?);
    }
    for given in &arguments.email {
        let name = format!("email:{given}").parse();
        names.push(name.map_err(|error: general_name::GeneralNameError| {
            Failure::bad_reference_name("--email", &error.to_string())
        })?);
    }
    let asks_for_host = !arguments.hostname.is_empty() || !arguments.ip.is_empty();
    let is_server = asks_for_host || arguments.as_served || arguments.connect.is_some();
    let purpose = match arguments.purpose {
        Some(PurposeArgument::Server) => Purpose::Server,
        Some(PurposeArgument::Client) => Purpose::Client,
        Some(PurposeArgument::Any) => Purpose::Any,
        None if is_server => Purpose::Server,
        None => Purpose::Any,
    };
    let at = arguments.at.unwrap_or_else(|| context.now());
    Ok(VerifyOptions {
        at,
        purpose,
        names,
        max_path_length: arguments.max_path_len,
        must_be_valid_until: arguments.expires_in.and_then(|life| at.checked_add(life.as_duration())),
        check_revocation: !arguments.crl.is_empty(),
        own_roots: arguments.roots.is_empty(),
    })
}
