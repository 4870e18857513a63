//! The endpoints of a handshake test: from a folder, two files or the index, or issued for the test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::app::certificate_input::require_certificates;
use crate::app::context::Context;
use crate::app::key_input::{CaKeyPrompt, KeyFilePrompt, read_private_key};
use crate::app::resolve::resolve;
use crate::app::revocations::DirectoryRevocations;
use crate::app::roots::with_previous;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{CertificateFacts, IN_MEMORY, IssueOrder};
use crate::handshake::{ClientAuthentication, Endpoint};
use crate::report::failure::Failure;
use crate::store::Store;
use crate::store::certificate_files::{CERTIFICATE, FULLCHAIN, KEY};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{CertificateStatus, Entry};
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseCache};
use crate::text::{PathText, rfc3339};
use crate::verify::RevocationSource;
use crate::x509::name_constraints::Subtree;
use crate::x509::{Certificate, GeneralName, pem};

/// The endpoints, ready for the test.
pub struct Endpoints {
    pub server: Endpoint,
    /// `None` in one-way TLS.
    pub client: Option<Endpoint>,
    pub roots: Vec<Certificate>,
}

#[derive(Clone, Copy)]
enum Role {
    Server,
    Client,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// The endpoints of a test, as the user named them.
pub struct EndpointOptions<'a> {
    /// A folder, `CERT,KEY` files or a name in the index; `None`: a certificate is issued for an hour.
    pub server: Option<PathBuf>,
    /// Likewise.
    pub client: Option<PathBuf>,
    /// A file with the trust anchors of both sides; `None`: the roots of the CA directory.
    pub roots: Option<PathBuf>,
    /// False when the revocations that the CA directory knows are left out.
    pub directory_revocations: bool,
    /// Gives the passphrase of the CA key that issues a certificate for the test.
    pub ca_key_prompt: Box<CaKeyPrompt<'a>>,
    /// Gives the passphrase of the key of an endpoint.
    pub key_prompt: Box<KeyFilePrompt<'a>>,
}

impl EndpointOptions<'_> {
    /// Gathers the endpoints of a test in memory; a server certificate that is issued for the test gets `host_name`.
    ///
    /// # Errors
    /// When a file cannot be read, a name is not in the index, or the CA refuses to issue.
    pub fn gather(
        &self,
        client_authentication: ClientAuthentication,
        host_name: Option<&str>,
        context: &mut Context<'_>,
    ) -> Result<Endpoints, Failure> {
        let mut passphrases = PassphraseCache::default();
        let mut endpoint = |given: &Option<PathBuf>, role, context: &mut Context<'_>| match given {
            Some(given) => self.endpoint(given, context),
            None => self.issue_short_lived(role, host_name, &mut passphrases, context),
        };
        let server = endpoint(&self.server, Role::Server, context)?;
        let client = match client_authentication {
            ClientAuthentication::Required => Some(endpoint(&self.client, Role::Client, context)?),
            ClientAuthentication::NotRequested => None,
        };
        Ok(Endpoints { server, client, roots: self.roots(context)? })
    }

    /// Whether the certificate of an endpoint that is needed is issued for the test, and expires in an hour.
    pub fn issues(&self, server: bool, client: bool) -> bool {
        (server && self.server.is_none()) || (client && self.client.is_none())
    }

    /// Whether the roots of the CA directory are trusted, so that its certificates are valid.
    pub fn trusts_the_directory(&self) -> bool {
        self.roots.is_none()
    }

    /// Gathers the client that connects to a running server; a server certificate only when one was given.
    ///
    /// # Errors
    /// As for [`EndpointOptions::gather`].
    pub fn gather_visitor(
        &self,
        context: &mut Context<'_>,
    ) -> Result<(Endpoint, Option<Endpoint>, Vec<Certificate>), Failure> {
        let client = match &self.client {
            Some(given) => self.endpoint(given, context)?,
            None => self.issue_short_lived(Role::Client, None, &mut PassphraseCache::default(), context)?,
        };
        let server = self.server.as_ref().map(|given| self.endpoint(given, context)).transpose()?;
        Ok((client, server, self.roots(context)?))
    }

    /// Gathers the server that waits for another program's client.
    ///
    /// # Errors
    /// As for [`EndpointOptions::gather`].
    pub fn gather_host(
        &self,
        host_name: Option<&str>,
        context: &mut Context<'_>,
    ) -> Result<(Endpoint, Vec<Certificate>), Failure> {
        let server = match &self.server {
            Some(given) => self.endpoint(given, context)?,
            None => self.issue_short_lived(Role::Server, host_name, &mut PassphraseCache::default(), context)?,
        };
        Ok((server, self.roots(context)?))
    }

    /// Returns the revocations that the CA directory knows; `None` when other roots are trusted, or they are left out.
    ///
    /// # Errors
    /// When the index or a CRL is there and cannot be read.
    pub fn revocations(&self, context: &mut Context<'_>) -> Result<Option<Arc<dyn RevocationSource>>, Failure> {
        if !self.checks_revocation() {
            return Ok(None);
        }
        let mut warnings = Vec::new();
        let revocations = DirectoryRevocations::open(context, &mut warnings)?;
        for warning in &warnings {
            context.warn(&warning.message);
        }
        Ok(Some(Arc::new(revocations)))
    }

    fn checks_revocation(&self) -> bool {
        self.roots.is_none() && self.directory_revocations
    }

    fn roots(&self, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
        if let Some(path) = &self.roots {
            return require_certificates(path, context).map_err(|failure| {
                failure.hint("--roots takes the CA certificates that both sides trust; 'ca roots' writes those of a CA")
            });
        }
        let cas = context
            .ca_certificates()
            .map_err(|failure| failure.hint("or give the CA certificates that both sides trust with --roots FILE"))?;
        Ok(with_previous(&cas)?.into_iter().map(|root| root.certificate).collect())
    }

    fn endpoint(&self, given: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let folder = context.world.resolve(given);
        if folder.is_dir() {
            return self.endpoint_from_folder(&folder, context);
        }
        if folder.is_file() {
            return self.endpoint_from_file(given, context);
        }
        let text = given.to_str().unwrap_or_default();
        match text.split_once(',') {
            Some((certificate, key)) => {
                let chain = require_certificates(Path::new(certificate), context)?;
                self.endpoint_from(chain, Path::new(key), context)
            }
            None => self.endpoint_from_name(text, context),
        }
    }

    /// A folder as `ca issue` writes it; `cert.pem` alone is enough when the root issued it.
    fn endpoint_from_folder(&self, folder: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let whole = FULLCHAIN.path_in(folder);
        let chain = if whole.exists() { whole } else { CERTIFICATE.path_in(folder) };
        let chain = require_certificates(&chain, context)?;
        self.endpoint_from(chain, &KEY.path_in(folder), context)
    }

    fn endpoint_from(
        &self,
        chain: Vec<Certificate>,
        key: &Path,
        context: &mut Context<'_>,
    ) -> Result<Endpoint, Failure> {
        let key = read_private_key(key, &self.key_prompt, context)?;
        Endpoint::new(chain, key).map_err(|error| Failure::usage("unreadable-input", error.to_string()))
    }

    /// A file with a certificate. The private key is in the file too, in `key.pem` beside it, or where the CA put it.
    fn endpoint_from_file(&self, given: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let chain = require_certificates(given, context)?;
        let Some(leaf) = chain.first() else { return Err(Failure::nothing_in_file(given, "certificate")) };
        let content = Zeroizing::new(context.read_input(given)?);
        let has_key =
            |content: &[u8]| pem::parse_each(content).flatten().any(|block| block.label.ends_with("PRIVATE KEY"));
        if pem::is_pem(&content) && has_key(&content) {
            return self.endpoint_from(chain, given, context);
        }
        let place = context.world.resolve(given);
        if let Some(folder) = place.parent().filter(|folder| KEY.path_in(folder).exists()) {
            // Of cert.pem, the chain is in the file beside it.
            let whole = FULLCHAIN.path_in(folder);
            let whole = if whole.exists() { require_certificates(&whole, context)? } else { Vec::new() };
            let is_same = whole.first().is_some_and(|first| first.fingerprint() == leaf.fingerprint());
            return self.endpoint_from(if is_same { whole } else { chain }, &KEY.path_in(folder), context);
        }
        let known = match context.store() {
            Ok(store) => store.index()?.by_fingerprint(&leaf.serial, leaf.fingerprint())?,
            Err(_) => None,
        };
        match known {
            Some(entry) => self.endpoint_of(&entry, context),
            None => {
                let path = given.escaped();
                let sentence = format!("{path} has no private key, and there is no key.pem beside it");
                Err(Failure::usage("bad-key", sentence).hint(format!("give both files: {path},KEY")))
            }
        }
    }

    /// The deployed certificate of a name, or the one with a serial number.
    fn endpoint_from_name(&self, given: &str, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let no_folder = |failure: Failure| {
            failure.hint(format!("'{given}' is not a folder either; two files are given as CERT,KEY"))
        };
        let store = context.store().map_err(no_folder)?;
        let resolved = resolve(given, context).map_err(|failure| match failure.code {
            "unknown-certificate" => no_folder(failure),
            _ => failure,
        })?;
        self.endpoint_of(&resolved.current(&store)?, context)
    }

    /// The files of a certificate that is in the index.
    fn endpoint_of(&self, entry: &Entry, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let store = context.store()?;
        if let (CertificateStatus::Revoked | CertificateStatus::Held, Some(revocation)) =
            (entry.status(context.now()), &entry.revocation)
            && !self.checks_revocation()
        {
            context.warn(&format!(
                "'{}' was revoked at {}; this test does not check revocation",
                entry.name,
                rfc3339(revocation.at)
            ));
        }
        // The folder may have another certificate by now, so it is compared with the index.
        for folder in folders_of(store.home(), entry)? {
            let endpoint = self.endpoint_from_folder(&folder, context)?;
            if endpoint.certificate().fingerprint() == entry.fingerprint {
                return Ok(endpoint);
            }
        }
        Err(Failure::refused("missing-file", format!("the files of '{}' are not where they were put", entry.name))
            .hint("give the folder they are in, or the two files as CERT,KEY"))
    }

    /// Issues a certificate for an hour. It is recorded like any other, and its key is never written.
    fn issue_short_lived(
        &self,
        role: Role,
        host_name: Option<&str>,
        passphrases: &mut PassphraseCache,
        context: &mut Context<'_>,
    ) -> Result<Endpoint, Failure> {
        context.home().map_err(|failure| {
            failure.hint(format!("or give the {} as a folder with its certificate and key", role.name()))
        })?;
        let store = context.store()?;
        let names = match (role, host_name) {
            (Role::Client, _) => Vec::new(),
            (Role::Server, Some(name)) => {
                vec![name.parse().map_err(|error: crate::x509::general_name::GeneralNameError| {
                    Failure::usage("bad-host-name", error.to_string())
                })?]
            }
            (Role::Server, None) => vec![permitted_host_name(&store)?],
        };
        let order = IssueOrder::in_memory(role.name(), names)?;
        // Server and client are signed with one key, whose passphrase is asked for once.
        let mut ask = |key: &EncryptedKey| {
            passphrases.get(key, &mut |key: &EncryptedKey| (self.ca_key_prompt)(&store, key, context))
        };
        let outcome = issue::issue(&store, order, &mut ask, &context.effects())?;
        match (outcome.in_memory, outcome.facts) {
            (Some(kept), CertificateFacts::Certificate(leaf)) => {
                let chain = std::iter::once(*leaf).chain(kept.chain).collect();
                Endpoint::new(chain, kept.key).map_err(|error| Failure::refused("not-issued", error.to_string()))
            }
            _ => Err(Failure::refused("not-issued", "the CA did not hand out the certificate for this test")),
        }
    }
}

/// Where the files of a certificate may be: those of these folders that hold one.
pub(crate) fn folders_of(home: &Home, entry: &Entry) -> Result<Vec<PathBuf>, Failure> {
    let name: EntryName = entry.name.parse()?;
    let places =
        [entry.place.clone(), Some(home.entry(&name)), Some(home.generation(&name, &entry.serial.to_string()))];
    Ok(places.into_iter().flatten().filter(|folder| CERTIFICATE.path_in(folder).exists()).collect())
}

/// `localhost`, unless the CA is limited to other DNS names: then one of those.
fn permitted_host_name(store: &Store) -> Result<GeneralName, Failure> {
    let authorities = store.ca_certificates();
    let facts = authorities.ca_certificate(&authorities.choose(None, store.config())?)?;
    let constraints =
        std::iter::once(facts.certificate()).chain(facts.above()).filter_map(|ca| ca.name_constraints.as_ref());
    let permitted = constraints.flat_map(|constraints| &constraints.permitted).find_map(|subtree| match subtree {
        Subtree::Dns(name) if !name.is_empty() => Some(name.trim_start_matches('.')),
        _ => None,
    });
    Ok(GeneralName::Dns(permitted.map_or_else(
        || "localhost".to_owned(),
        |domain| {
            if domain == "localhost" { domain.to_owned() } else { format!("{IN_MEMORY}-test.{domain}") }
        },
    )))
}
