//! `--connect`: what a running server sends.

use std::path::Path;

use super::Arguments;
use super::court::{Court, Judged};
use super::input::{Blocks, read_blocks};
use crate::cli::address::host_of;
use crate::cli::{Context, Failure};
use crate::handshake::Proof;
use crate::handshake::fetch::{Served, fetch};
use crate::verify::served::{KEY_NOT_PROVED, OTHER_CERTIFICATE_SERVED};
use crate::verify::{InputPosition, Problem};
use crate::x509::{Certificate, GeneralName, general_name};

/// The server that was asked, and how its chain compares with the file that was named.
pub struct Live {
    pub address: String,
    pub host_name: String,
    pub served: Served,
    pub file: Option<Compared>,
}

/// The certificate of the server beside that of a file.
pub struct Compared {
    pub file: String,
    pub same_certificate: bool,
    /// The certificates behind the first are the same too, in the same order.
    pub same_chain: bool,
}

/// The name that a client asks a server for which it calls by this host.
pub fn name_of(host: &str) -> Result<GeneralName, Failure> {
    if let Ok(address) = host.parse() {
        return Ok(GeneralName::Ip(address));
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let refuse = |error: general_name::GeneralNameError| {
        Failure::bad_reference_name("--connect", &error.to_string()).hint("say which name to ask for with --hostname")
    };
    general_name::dns(host).map(GeneralName::Dns).map_err(refuse)
}

/// Fetches the chain of the server and judges it.
pub fn judge(
    address: &str,
    arguments: &Arguments,
    court: &Court<'_>,
    context: &mut Context<'_>,
) -> Result<Judged, Failure> {
    let file = match arguments.files.as_slice() {
        [] => None,
        [path] => Some((path, read_blocks(path, court.allowance, context)?)),
        _ => {
            let failure =
                Failure::usage("bad-arguments", "--connect compares the server with one file, not with several");
            return Err(failure.hint("give one FILE, or none"));
        }
    };
    if let Some((path, Blocks { certificates, .. })) = &file
        && certificates.is_empty()
    {
        return Err(Failure::nothing_in_file(path, "certificate"));
    }
    let host = host_of(address)?;
    // The first name that is asked for is the one that the server is told (SNI, RFC 6066 §3).
    let named = court.options.names.iter().find(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)));
    let host_name = named.map_or_else(|| host.to_owned(), GeneralName::value);
    let served = fetch(address, &host_name, context.now())?;
    let blocks = Blocks { file: address.to_owned(), certificates: served.chain.clone(), is_pem: true };
    let mut judged = court.judge(Path::new(address), &blocks)?;
    judged.object(proof_problem(&served, &judged));
    let compared = file.map(|(_, file)| {
        let same_certificate = file.certificates.first() == served.chain.first();
        if !same_certificate {
            let problem = other_certificate(&judged, &file);
            judged.object(problem);
        }
        Compared { same_certificate, same_chain: file.certificates == served.chain, file: file.file }
    });
    judged.live = Some(Live { address: address.to_owned(), host_name, served, file: compared });
    Ok(judged)
}

fn proof_problem(served: &Served, judged: &Judged) -> Option<Problem> {
    let leaf = judged.sent.first().filter(|_| served.proof == Proof::Wrong)?;
    let message =
        format!("the server's signature in the handshake does not verify with the key of {}", leaf.certificate.subject);
    Some(Problem::error(&KEY_NOT_PROVED, leaf, message))
}

fn other_certificate(judged: &Judged, file: &Blocks) -> Option<Problem> {
    let shown = judged.sent.first()?;
    let position = InputPosition::new(&file.file, 1);
    let of_file = file.certificates.first().and_then(|der| Certificate::from_der(der).ok());
    let has = match of_file {
        Some(certificate) => format!("has {}", certificate.serial),
        None => "cannot be read".to_owned(),
    };
    let message =
        format!("the server shows the certificate with the serial {}, {position} {has}", shown.certificate.serial);
    Some(Problem::error(&OTHER_CERTIFICATE_SERVED, shown, message))
}
