//! `ca verify FILE…`: whether a chain holds, until when, and why not.

use std::mem::ManuallyDrop;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use time::OffsetDateTime;

use crate::app::address::{TlsStart, host_of};
use crate::app::context::Context;
use crate::app::resolve::{self, ChainFiles, Input, Source};
use crate::app::verify::request::{Verified, VerifyRequest, verify};
use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase::{KEY_FLAG, of_existing_key_file};
use crate::cli::reports::verify::VerifyReport;
use crate::clients::ClientList;
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::text::{Lifetime, PathText, parse_time};
use crate::verify::{Purpose, VerifyOptions};
use crate::x509::{GeneralName, general_name};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Verify the first certificate of each file (or of each file in a folder) with the others in it as untrusted
    /// intermediates; or the deployed certificate of a NAME, or what the server at HOST:PORT sends; see ca help names
    #[arg(required_unless_present = "connect", value_name = "FILE|NAME|HOST:PORT")]
    files: Vec<PathBuf>,
    /// Use these certificates as untrusted intermediates too
    #[arg(long, value_name = "FILE")]
    untrusted: Vec<PathBuf>,
    /// Trust these certificates [default: the roots of the CA directory]
    #[arg(long, value_name = "FILE")]
    roots: Vec<PathBuf>,
    /// Verify as of this time instead of now
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<OffsetDateTime>,
    /// Require this host name
    #[arg(long, value_name = "NAME")]
    hostname: Vec<String>,
    /// Require this IP address
    #[arg(long, value_name = "ADDR")]
    ip: Vec<IpAddr>,
    /// Require this e-mail address
    #[arg(long, value_name = "ADDR")]
    email: Vec<String>,
    /// Require this URI, compared character by character
    #[arg(long, value_name = "URI")]
    uri: Vec<String>,
    /// Choose the purpose of the certificate [default: server with a host name, an address, --client, --as-served or --connect; email with
    /// a mailbox alone; else any]
    #[arg(long, value_enum, value_name = "PURPOSE")]
    purpose: Option<PurposeArgument>,
    /// Check these CRLs; every certificate below the root then needs a current CRL
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Ignore the revocations in the CA directory; without --roots, its index and its CRLs are checked
    #[arg(long, conflicts_with = "roots")]
    no_revocation: bool,
    /// Make every rule for server certificates an error, not only what half of the usual clients refuse
    #[arg(long)]
    strict: bool,
    /// Refuse what this client refuses: NAME, NAME@VERSION, all or browsers, with commas between several
    #[arg(long, value_name = "NAME")]
    client: Vec<ClientList>,
    /// Check that this private key belongs to the certificate
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    key: Option<PathBuf>,
    /// Open an encrypted private key with the first line of a file
    #[arg(long, value_name = "FILE", requires = "key")]
    key_passphrase_file: Option<PathBuf>,
    /// Allow at most this many intermediates
    #[arg(long, value_name = "N", value_parser = whole_number::<u32>)]
    max_path_len: Option<u32>,
    /// Also fail if anything in the chain expires within this time, for example 14d
    #[arg(long, visible_alias = "within", value_name = "D")]
    expires_in: Option<Lifetime>,
    /// Verify each file as a TLS server sends it: leaf first, complete, in order, without the root and without anything else
    #[arg(long, conflicts_with = "untrusted")]
    as_served: bool,
    /// Verify what this server sends; with FILE, also report whether it is the certificate in that file
    #[arg(long, value_name = "HOST:PORT", conflicts_with_all = ["untrusted", "as_served"])]
    connect: Option<String>,
    /// How the server is asked for TLS: postgres, mysql, smtp, lmtp, imap, pop3, ldap, ftp, xmpp, sieve, nntp, or none
    /// [default: by the port]
    #[arg(long, value_name = "PROTOCOL")]
    starttls: Option<TlsStart>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PurposeArgument {
    /// A TLS server, with the rules that TLS clients apply
    Server,
    /// A TLS client, with the rules that TLS servers apply
    Client,
    /// Signed or encrypted e-mail (S/MIME)
    Email,
    /// Signed programs
    CodeSigning,
    /// A time stamping authority (RFC 3161)
    TimeStamping,
    /// A signer of OCSP responses
    Ocsp,
    /// The path validation of RFC 5280 alone
    Any,
}

pub fn run(mut arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    find_files(&mut arguments, context)?;
    if arguments.starttls.is_some() && arguments.connect.is_none() {
        let failure = Failure::usage("bad-arguments", "--starttls is about a server, and none was named");
        return Err(failure.hint("name the server: ca verify --connect HOST:PORT --starttls PROTOCOL"));
    }
    let options = options(&arguments, context)?;
    let Arguments {
        files,
        untrusted,
        roots,
        crl,
        key,
        key_passphrase_file,
        as_served,
        connect,
        starttls,
        no_revocation,
        client,
        ..
    } = arguments;
    let directory_revocations = !no_revocation;
    let mut clients = Vec::new();
    for choice in client.into_iter().flat_map(|list| list.0) {
        if !clients.contains(&choice) {
            clients.push(choice);
        }
    }
    if !clients.is_empty() && options.purpose != Purpose::Server {
        let failure = Failure::usage("bad-arguments", "--client is about TLS clients, which verify servers");
        return Err(failure.hint("leave out --purpose, or give --purpose server"));
    }
    let request = VerifyRequest {
        files,
        untrusted,
        roots,
        crls: crl,
        key,
        as_served,
        connect,
        starttls,
        directory_revocations,
        options,
        clients,
    };
    let prompt = |path: &Path, context: &Context<'_>| {
        let question = format!("Passphrase of {}: ", path.escaped());
        of_existing_key_file(key_passphrase_file.as_deref(), &question, KEY_FLAG, context)
    };
    let Verified { results, warnings } = verify(&request, &prompt, context)?;
    for warning in &warnings {
        context.warn(&warning.message);
    }
    let results = ManuallyDrop::new(results);
    Ok(Box::new(VerifyReport { options: request.options, results, warnings, quiet: context.quiet }))
}

/// Puts the files of certificates in the place of their names and serial numbers; a server becomes `--connect`.
fn find_files(arguments: &mut Arguments, context: &mut Context<'_>) -> Result<(), Failure> {
    let given = std::mem::take(&mut arguments.files);
    let is_one = given.len() == 1;
    for file in given {
        match resolve::input(&file, context)? {
            Input::Source(Source::File(path)) => arguments.files.push(path),
            Input::Files(paths) => arguments.files.extend(paths),
            Input::Source(Source::Server(address)) => {
                if !is_one || arguments.connect.is_some() || !arguments.untrusted.is_empty() {
                    return Err(Failure::usage(
                        "bad-arguments",
                        format!("{address} is a server, which is verified alone"),
                    )
                    .hint(format!("to compare it with a file: ca verify --connect {address} FILE")));
                }
                arguments.connect = Some(address);
            }
            Input::Entries(entries) => {
                let store = context.store()?;
                for entry in entries {
                    let ChainFiles { file, chain } = entry.chain_files(&store)?.below(&context.world.working_folder);
                    arguments.files.push(file);
                    arguments.untrusted.extend(chain.filter(|_| !arguments.as_served));
                }
            }
        }
    }
    Ok(())
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
        // A client expects the server's certificate to have the name that it connected to.
        names.push(name_of(host_of(address)?)?);
    }
    for given in &arguments.email {
        let name = format!("email:{given}").parse();
        names.push(name.map_err(|error: general_name::GeneralNameError| {
            Failure::bad_reference_name("--email", &error.to_string())
        })?);
    }
    for given in &arguments.uri {
        let name = general_name::reference_uri(given);
        names.push(GeneralName::Uri(name.map_err(|error| Failure::bad_reference_name("--uri", &error.to_string()))?));
    }
    let asks_for_host = !arguments.hostname.is_empty() || !arguments.ip.is_empty();
    let is_server = asks_for_host || arguments.as_served || arguments.connect.is_some() || !arguments.client.is_empty();
    let purpose = match arguments.purpose {
        Some(PurposeArgument::Server) => Purpose::Server,
        Some(PurposeArgument::Client) => Purpose::Client,
        Some(PurposeArgument::Email) => Purpose::Email,
        Some(PurposeArgument::CodeSigning) => Purpose::CodeSigning,
        Some(PurposeArgument::TimeStamping) => Purpose::TimeStamping,
        Some(PurposeArgument::Ocsp) => Purpose::Ocsp,
        Some(PurposeArgument::Any) => Purpose::Any,
        None if is_server => Purpose::Server,
        // A certificate that may do other things than mail is not for the mailbox, although it has its name.
        None if !arguments.email.is_empty() && arguments.uri.is_empty() => Purpose::Email,
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
        strict: arguments.strict,
        own_roots: arguments.roots.is_empty(),
    })
}

/// The name that a client expects in the certificate of this host.
fn name_of(host: &str) -> Result<GeneralName, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(GeneralName::Ip(address));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let refuse = |error: general_name::GeneralNameError| {
        Failure::bad_reference_name("--connect", &error.to_string()).hint("say which name to ask for with --hostname")
    };
    general_name::dns(host).map(GeneralName::Dns).map_err(refuse)
}
