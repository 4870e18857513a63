//! The chain that a running server sends.

use std::path::{Path, PathBuf};

use crate::app::address::{TlsStart, host_of, starttls_of};
use crate::app::context::Context;
use crate::app::verify::batch::BatchVerifier;
use crate::app::verify::input::{Blocks, read_blocks};
use crate::app::verify::verified_file::{Connection, FileComparison, VerifiedFile};
use crate::handshake::KeyProof;
use crate::handshake::fetch::{Served, fetch};
use crate::report::failure::Failure;
use crate::verify::served::{KEY_NOT_PROVED, OTHER_CERTIFICATE_SERVED};
use crate::verify::{InputPosition, Problem};
use crate::x509::{Certificate, GeneralName};

/// Fetches the chain of the server at `address` and verifies it; of `files`, at most one is compared with it. `starts` says
/// how TLS begins; without it the port decides.
///
/// # Errors
/// When there are several files, a file cannot be read, or the server does not answer.
pub fn verify(
    address: &str,
    starts: Option<TlsStart>,
    files: &[PathBuf],
    batch: &BatchVerifier<'_>,
    context: &mut Context<'_>,
) -> Result<VerifiedFile, Failure> {
    let file = match files {
        [] => None,
        [path] => Some((path, read_blocks(path, batch.budget, context)?)),
        _ => {
            let failure =
                Failure::usage("bad-arguments", "--connect compares the server with one file, not with several");
            return Err(failure.hint("give one FILE, or none"));
        }
    };
    if let Some((path, blocks)) = &file
        && (blocks.certificates.is_empty() || blocks.kind.is_some())
    {
        return Err(blocks.no_certificate(path));
    }
    let host = host_of(address)?;
    // The first name that is asked for is sent to the server (SNI, RFC 6066 §3).
    let named = batch.options.names.iter().find(|name| matches!(name, GeneralName::Dns(_) | GeneralName::Ip(_)));
    let host_name = named.map_or_else(|| host.to_owned(), GeneralName::value);
    let starttls = starttls_of(address, starts);
    let served = fetch(address, &host_name, starttls, context.now())?;
    let blocks = Blocks { file: address.to_owned(), certificates: served.chain.clone(), is_pem: true, kind: None };
    let mut verified = batch.verify(Path::new(address), &blocks)?;
    verified.add_problems(proof_problem(&served, &verified));
    let compared = file.map(|(_, file)| {
        let same_certificate = file.certificates.first() == served.chain.first();
        if !same_certificate {
            let problem = other_certificate(&verified, &file);
            verified.add_problems(problem);
        }
        FileComparison { same_certificate, same_chain: file.certificates == served.chain, file: file.file }
    });
    let connection = Connection { address: address.to_owned(), host_name, starttls, served, file: compared };
    verified.connection = Some(Box::new(connection));
    Ok(verified)
}

fn proof_problem(served: &Served, verified: &VerifiedFile) -> Option<Problem> {
    let leaf = verified.sent.first().filter(|_| served.proof == KeyProof::Wrong)?;
    let message =
        format!("the server's signature in the handshake does not verify with the key of {}", leaf.certificate.subject);
    Some(Problem::error(&KEY_NOT_PROVED, leaf, message))
}

fn other_certificate(verified: &VerifiedFile, file: &Blocks) -> Option<Problem> {
    let shown = verified.sent.first()?;
    let position = InputPosition::new(file.file.as_str(), 1);
    let of_file = file.certificates.first().and_then(|der| Certificate::from_der(der).ok());
    let has = match of_file {
        Some(certificate) => format!("has {}", certificate.serial),
        None => "cannot be read".to_owned(),
    };
    let message =
        format!("the server shows the certificate with the serial {}, {position} {has}", shown.certificate.serial);
    Some(Problem::error(&OTHER_CERTIFICATE_SERVED, shown, message))
}
