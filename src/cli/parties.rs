//! Who takes part in a handshake test: out of a folder, two files, the index, or issued for the occasion.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::context::Context;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::{CertificateFacts, Existing, Order, SubjectKey};
use crate::cli::options::passphrase;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::handshake::{ClientAuthentication, Endpoint};
use crate::issuance::End;
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, PrivateKey};
use crate::report::failure::Failure;
use crate::store::ca_certificates::CaCertificates;
use crate::store::config::Config;
use crate::store::delivery::Place;
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::index::{Entry, Index, Reference, Status};
use crate::store::passphrase_prompt::{EncryptedKey, PassphraseUnavailable};
use crate::system::files;
use crate::text::rfc3339;
use crate::x509::name_constraints::Subtree;
use crate::x509::{Certificate, Crl, GeneralName, pem};

/// The flags that say who takes part.
#[derive(Debug, Args)]
pub struct PartyArguments {
    /// The server: a folder that 'ca issue' wrote, CERT,KEY files, or a name in the index [default: issued for an hour]
    #[arg(long, value_name = "DIR|NAME")]
    server: Option<PathBuf>,
    /// The client, likewise
    #[arg(long, value_name = "DIR|NAME")]
    client: Option<PathBuf>,
    /// The CA certificates that both sides trust [default: the roots of the CA directory]
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// Open encrypted keys of server and client with the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// Everybody, ready for the test.
pub struct Parties {
    pub server: Endpoint,
    /// Nobody in one-way TLS.
    pub client: Option<Endpoint>,
    pub roots: Vec<Certificate>,
}

/// The template of certificates that are issued for a test.
const TEMPLATE: &str = "handshake";

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

impl PartyArguments {
    /// Gathers everybody; a server that is issued for the occasion gets `host_name`.
    ///
    /// # Errors
    /// When a file cannot be read, a name is not in the index, or the CA refuses to issue.
    pub fn gather(
        &self,
        client_authentication: ClientAuthentication,
        host_name: Option<&str>,
        context: &mut Context<'_>,
    ) -> Result<Parties, Failure> {
        let mut remembered = None;
        let mut party = |given: &Option<PathBuf>, role, context: &mut Context<'_>| match given {
            Some(given) => self.party(given, context),
            None => self.issue_short_lived(role, host_name, &mut remembered, context),
        };
        let server = party(&self.server, Role::Server, context)?;
        let client = match client_authentication {
            ClientAuthentication::Required => Some(party(&self.client, Role::Client, context)?),
            ClientAuthentication::NotRequested => None,
        };
        Ok(Parties { server, client, roots: self.roots(context)? })
    }

    /// Whether a party that is needed is issued for the occasion, and will be gone in an hour.
    pub fn issues(&self, server: bool, client: bool) -> bool {
        (server && self.server.is_none()) || (client && self.client.is_none())
    }

    /// Whether the CA directory's own roots are trusted, so that its certificates are the right ones.
    pub fn trusts_the_directory(&self) -> bool {
        self.roots.is_none()
    }

    /// Gathers whoever visits a server that somebody else runs; a server certificate only if one was given.
    ///
    /// # Errors
    /// As for [`PartyArguments::gather`].
    pub fn gather_visitor(
        &self,
        context: &mut Context<'_>,
    ) -> Result<(Endpoint, Option<Endpoint>, Vec<Certificate>), Failure> {
        let client = match &self.client {
            Some(given) => self.party(given, context)?,
            None => self.issue_short_lived(Role::Client, None, &mut None, context)?,
        };
        let server = self.server.as_ref().map(|given| self.party(given, context)).transpose()?;
        Ok((client, server, self.roots(context)?))
    }

    /// Gathers whoever waits for a client that somebody else runs.
    ///
    /// # Errors
    /// As for [`PartyArguments::gather`].
    pub fn gather_host(
        &self,
        host_name: Option<&str>,
        context: &mut Context<'_>,
    ) -> Result<(Endpoint, Vec<Certificate>), Failure> {
        let server = match &self.server {
            Some(given) => self.party(given, context)?,
            None => self.issue_short_lived(Role::Server, host_name, &mut None, context)?,
        };
        Ok((server, self.roots(context)?))
    }

    /// The revocation lists that the CA directory has published; none where other roots are trusted.
    pub fn revocation_lists(&self, context: &Context<'_>) -> Result<Vec<Crl>, Failure> {
        if self.roots.is_some() {
            return Ok(Vec::new());
        }
        let home = context.home()?;
        let mut lists = Vec::new();
        for name in CaCertificates::of(&home).names()? {
            let path = home.crl_der(&name);
            if let Some(der) = files::read_if_exists(&path, files::MOST_OCTETS)? {
                let list = Crl::from_der(&der);
                lists.push(list.map_err(|error| {
                    Failure::usage("undecodable", format!("{}: {error}", path.display()))
                        .hint("sign it anew with 'ca crl'")
                })?);
            }
        }
        Ok(lists)
    }

    fn roots(&self, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
        if let Some(path) = &self.roots {
            return certificates(path, context).map_err(|failure| {
                failure.hint("--roots takes the CA certificates that both sides trust; 'ca roots' writes those of a CA")
            });
        }
        let home = context
            .home()
            .map_err(|failure| failure.hint("or give the CA certificates that both sides trust with --roots FILE"))?;
        Ok(CaCertificates::of(&home).roots()?.into_iter().map(|root| root.certificate).collect())
    }

    fn party(&self, given: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let folder = context.world.resolve(given);
        if folder.is_dir() {
            return self.party_from_folder(&folder, context);
        }
        let text = given.to_str().unwrap_or_default();
        match text.split_once(',') {
            Some((certificate, key)) => {
                let chain = certificates(Path::new(certificate), context)?;
                self.party_from(chain, Path::new(key), context)
            }
            None => self.party_from_name(text, context),
        }
    }

    /// A folder as `ca issue` writes it; `cert.pem` alone will do where nothing stands between it and the root.
    fn party_from_folder(&self, folder: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let whole = folder.join("fullchain.pem");
        let chain = if whole.exists() { whole } else { folder.join("cert.pem") };
        let chain = certificates(&chain, context)?;
        self.party_from(chain, &folder.join("key.pem"), context)
    }

    fn party_from(&self, chain: Vec<Certificate>, key: &Path, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let key = self.key(key, context)?;
        Endpoint::new(chain, key).map_err(|error| Failure::usage("unreadable-input", error.to_string()))
    }

    fn key(&self, path: &Path, context: &mut Context<'_>) -> Result<PrivateKey, Failure> {
        let content = zeroize::Zeroizing::new(context.read_input(path)?);
        let refused = |error| Failure::unusable_key(&path.display().to_string(), &error);
        let file = KeyFile::parse(&content).map_err(refused)?;
        let passphrase = if file.is_encrypted() {
            let flags = PassphraseArguments {
                passphrase_file: self.key_passphrase_file.clone(),
                ..PassphraseArguments::default()
            };
            Some(match flags.read(context)? {
                Some(passphrase) => passphrase,
                None => {
                    let question = format!("Passphrase of {}: ", path.display());
                    let hint = format!("{} is encrypted: give --key-passphrase-file FILE", path.display());
                    passphrase::ask(context, &question, &hint)?
                }
            })
        } else {
            None
        };
        file.open(passphrase.as_ref()).map_err(refused)
    }

    /// The files of a certificate that is in the index.
    fn party_from_name(&self, given: &str, context: &mut Context<'_>) -> Result<Endpoint, Failure> {
        let no_folder =
            |failure: Failure| failure.hint(format!("'{given}' is no folder either; two files are given as CERT,KEY"));
        let home = context.home().map_err(no_folder)?;
        let config = Config::load(&home)?;
        let reference: Reference = given
            .parse()
            .map_err(|error: crate::store::index::ReferenceError| Failure::usage("bad-name", error.to_string()))?;
        let index = Index::open_to_read(&home.resolve(&config.index.location))?;
        let entry = index.find(&reference, context.now()).map_err(|error| no_folder(error.into()))?;
        if let (Status::Revoked | Status::Held, Some(revocation)) = (entry.status(context.now()), &entry.revocation) {
            context.warn(&format!(
                "'{}' was revoked on {}; it is refused where a revocation list says so, as 'ca crl' signs one",
                entry.name,
                rfc3339(revocation.at)
            ));
        }
        // The index knows what was issued; only the folder that still holds this very certificate will do.
        for folder in folders_of(&home, &entry)? {
            let party = self.party_from_folder(&folder, context)?;
            if party.certificate().fingerprint() == entry.fingerprint {
                return Ok(party);
            }
        }
        Err(Failure::refused("missing-file", format!("the files of '{}' are not where they were put", entry.name))
            .hint("give the folder they are in, or the two files as CERT,KEY"))
    }

    /// A certificate for an hour, recorded like any other; its key never leaves the memory.
    fn issue_short_lived(
        &self,
        role: Role,
        host_name: Option<&str>,
        remembered: &mut Option<Passphrase>,
        context: &mut Context<'_>,
    ) -> Result<Endpoint, Failure> {
        let home = context.home().map_err(|failure| {
            failure.hint(format!("or give the {} as a folder that holds its certificate and key", role.name()))
        })?;
        let config = Config::load(&home)?;
        let names = match (role, host_name) {
            (Role::Client, _) => Vec::new(),
            (Role::Server, Some(name)) => {
                vec![name.parse().map_err(|error: crate::x509::general_name::GeneralNameError| {
                    Failure::usage("bad-host-name", error.to_string())
                })?]
            }
            (Role::Server, None) => vec![permitted_host_name(&home, &config)?],
        };
        let order = Order {
            template: TEMPLATE.to_owned(),
            name: format!("{TEMPLATE}-{}", role.name()).parse()?,
            names,
            end: End::Default,
            clip: true,
            key: SubjectKey::Generate(None),
            subject: Vec::new(),
            set: BTreeMap::from([("role".to_owned(), role.name().to_owned())]),
            issuer: None,
            place: Some(Place::Memory),
            existing: Existing::Replace,
            follows: None,
            dry_run: false,
            protection: None,
        };
        let mut ask = |key: &EncryptedKey| {
            if remembered.is_none() {
                let opened = self.passphrase.open(&home, context, &passphrase::question(key));
                *remembered = Some(opened.map_err(passphrase::refusal)?);
            }
            // Server and client are signed with one key; nobody is asked for its passphrase twice.
            let octets = remembered.as_ref().map(|passphrase| passphrase.expose().to_vec()).unwrap_or_default();
            Ok::<_, PassphraseUnavailable>(Passphrase::new(octets))
        };
        let outcome = issue::issue(&home, order, &mut ask, &context.effects())?;
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
pub(super) fn folders_of(home: &Home, entry: &Entry) -> Result<Vec<PathBuf>, Failure> {
    let name: EntryName = entry.name.parse()?;
    let places =
        [entry.place.clone(), Some(home.entry(&name)), Some(home.generation(&name, &entry.serial.to_string()))];
    Ok(places.into_iter().flatten().filter(|folder| folder.join("cert.pem").exists()).collect())
}

/// `localhost`, unless the CA may only vouch for other DNS names: then a name among those.
fn permitted_host_name(home: &Home, config: &Config) -> Result<GeneralName, Failure> {
    let authorities = CaCertificates::of(home);
    let facts = authorities.ca_certificate(&authorities.choose(None, config)?)?;
    let constraints =
        std::iter::once(facts.certificate()).chain(facts.above()).filter_map(|ca| ca.name_constraints.as_ref());
    let permitted = constraints.flat_map(|constraints| &constraints.permitted).find_map(|subtree| match subtree {
        Subtree::Dns(name) if !name.is_empty() => Some(name.trim_start_matches('.')),
        _ => None,
    });
    Ok(GeneralName::Dns(permitted.map_or_else(
        || "localhost".to_owned(),
        |domain| {
            if domain == "localhost" { domain.to_owned() } else { format!("{TEMPLATE}-test.{domain}") }
        },
    )))
}

/// All certificates of a PEM or DER file, at least one.
pub(super) fn certificates(path: &Path, context: &mut Context<'_>) -> Result<Vec<Certificate>, Failure> {
    let unreadable = |reason: String| {
        Failure::usage("unreadable-input", format!("{}: {reason}", path.display()))
            .hint("certificates are read as PEM, any number of them, or as the DER of one")
    };
    let content = context.read_input(path)?;
    if content.is_empty() {
        return Err(unreadable("the file is empty, and should hold a certificate".to_owned()));
    }
    if !pem::is_pem(&content) {
        return Ok(vec![Certificate::from_der(&content).map_err(|error| unreadable(error.to_string()))?]);
    }
    let mut found = Vec::new();
    for block in pem::parse_all(&content).map_err(|error| unreadable(error.to_string()))? {
        if block.label.ends_with("CERTIFICATE") {
            found.push(Certificate::from_der(&block.content).map_err(|error| unreadable(error.to_string()))?);
        }
    }
    if found.is_empty() { Err(unreadable("it holds no certificate".to_owned())) } else { Ok(found) }
}
