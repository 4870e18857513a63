//! Verifies files, or what a server sends.

use std::path::PathBuf;
use std::sync::Mutex;

use crate::app::address::TlsStart;
use crate::app::context::Context;
use crate::app::key_input::{KeyFilePrompt, read_private_key};
use crate::app::revocations::DirectoryRevocations;
use crate::app::verify::batch::BatchVerifier;
use crate::app::verify::input_budget::InputBudget;
use crate::app::verify::verified_file::VerifiedFiles;
use crate::app::verify::{advice, input, server};
use crate::clients::ClientChoice;
use crate::keys::Signer;
use crate::report::failure::Failure;
use crate::text::Warning;
use crate::verify::{Purpose, RevocationSource, SignatureCache, VerifyOptions};

/// What is verified.
pub struct VerifyRequest {
    /// Files, and folders with files.
    pub files: Vec<PathBuf>,
    /// Untrusted intermediates, besides those of each file.
    pub untrusted: Vec<PathBuf>,
    /// The trust anchors; none: the roots of the CA directory.
    pub roots: Vec<PathBuf>,
    pub crls: Vec<PathBuf>,
    /// The private key that must belong to the certificate.
    pub key: Option<PathBuf>,
    /// True when each file is the whole chain that a TLS server sends.
    pub as_served: bool,
    /// The address of a server whose chain is verified instead of a file.
    pub connect: Option<String>,
    /// How TLS begins at that server; `None`: by the port.
    pub starttls: Option<TlsStart>,
    /// False for the bare path, without the index and the CRLs of the CA directory.
    pub directory_revocations: bool,
    pub options: VerifyOptions,
    /// The clients whose refusals make a chain invalid; none: those of `[verify]` in the CA directory.
    pub clients: Vec<ClientChoice<'static>>,
}

/// The results.
pub struct Verified {
    /// One for each file, in their order.
    pub results: VerifiedFiles,
    /// What was left out of the files and of the revocations.
    pub warnings: Vec<Warning>,
}

/// Verifies each file of a request.
///
/// # Errors
/// When an input cannot be read or used. An invalid certificate is not an error.
pub fn verify(
    request: &VerifyRequest,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<Verified, Failure> {
    let mut warnings = Vec::new();
    let budget = InputBudget::new();
    let anchors = input::anchors(&request.roots, &budget, context, &mut warnings)?;
    let mut untrusted = Vec::new();
    for path in &request.untrusted {
        untrusted.extend(input::tolerant(&input::read_blocks(path, &budget, context)?, &mut warnings));
    }
    let mut crls = Vec::new();
    for path in &request.crls {
        crls.extend(input::read_crls(path, &budget, context)?);
    }
    let key = request.key.as_ref().map(|path| read_private_key(path, prompt, context)).transpose()?;
    let revocations = match request.roots.is_empty() && request.directory_revocations {
        true => Some(DirectoryRevocations::open(context, &mut warnings)?),
        false => None,
    };
    let from_directory = request.roots.is_empty() && request.options.purpose == Purpose::Server;
    let clients = match from_directory && request.clients.is_empty() {
        true => context.store()?.config().verify.choices(),
        false => request.clients.clone(),
    };
    let batch = BatchVerifier {
        anchors: &anchors,
        untrusted: &untrusted,
        crls: &crls,
        revocations: revocations.as_ref().map(|revocations| revocations as &dyn RevocationSource),
        key: key.as_ref().map(Signer::public_key),
        options: &request.options,
        clients: &clients,
        as_served: request.as_served || request.connect.is_some(),
        signatures: SignatureCache::default(),
        cas: Mutex::default(),
        budget: &budget,
    };
    let mut results = match &request.connect {
        Some(address) => vec![Box::new(server::verify(address, request.starttls, &request.files, &batch, context)?)],
        None => batch.verify_all(&input::sources(&request.files, &budget, context)?)?,
    };
    advice::add_hints(&mut results, &batch, context);
    if let Some(revocations) = revocations {
        revocations.leave_index_to(context.store()?.as_ref());
    }
    warnings.extend(results.iter().flat_map(|verified| verified.warnings.iter().cloned()));
    Ok(Verified { results, warnings })
}
