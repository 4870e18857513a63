//! The server, the client and the trust anchors of a handshake test.

use std::path::{Path, PathBuf};

use clap::Args;

use super::passphrase::{self, PassphraseArguments, of_key_file};
use crate::app::context::Context;
use crate::app::handshake::endpoints::EndpointOptions;
use crate::store::Store;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::text::PathText;

/// The flags of the endpoints.
#[derive(Debug, Args)]
pub struct EndpointArguments {
    /// The server: a folder that 'ca issue' wrote, a file of it, CERT,KEY files, a file with both, or a name or serial number
    /// [default: issued for an hour]
    #[arg(long, value_name = "DIR|FILE|NAME")]
    server: Option<PathBuf>,
    /// The client, in the same forms
    #[arg(long, value_name = "DIR|FILE|NAME")]
    client: Option<PathBuf>,
    /// The CA certificates that both sides trust [default: the roots of the CA directory]
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Ignore the revocations in the CA directory; without --roots, its index and its CRLs are checked
    #[arg(long, conflicts_with = "roots")]
    no_revocation: bool,
    /// Open encrypted keys of server and client with the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

impl EndpointArguments {
    /// What the flags say, without the words of the command line.
    pub fn options(&self) -> EndpointOptions<'_> {
        let key_file = self.key_passphrase_file.as_deref();
        EndpointOptions {
            server: self.server.clone(),
            client: self.client.clone(),
            roots: self.roots.clone(),
            directory_revocations: !self.no_revocation,
            ca_key_prompt: Box::new(|store: &Store, key: &EncryptedKey, context: &Context<'_>| {
                self.passphrase.prompt(store, context)(key)
            }),
            key_prompt: Box::new(move |path: &Path, context: &Context<'_>| {
                let question = format!("Passphrase of {}: ", path.escaped());
                let instead = format!("{} is encrypted: {}", path.escaped(), passphrase::KEY_FLAG);
                of_key_file(key_file, &question, &instead, context)
            }),
        }
    }
}
