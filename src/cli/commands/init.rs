//! `ca init`: a new CA.

use std::path::PathBuf;

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::certificate_input::read_certificates;
use crate::app::context::Context;
use crate::authority::hierarchy::earlier_revocations::{EarlierFiles, EarlierRevocations};
use crate::authority::hierarchy::import::ImportedCa;
use crate::authority::hierarchy::init::{self, InitOrder, InitializedAuthority, InitializedCa};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::passphrase::{PassphraseArguments, existing_key_file_prompt, new_ca_passphrase};
use crate::cli::reports::clients::{ClientJson, RefusedBy, WHAT_CAS_ISSUE};
use crate::report::failure::{Failure, KindCodes};
use crate::report::json::{self, FilePath, Hex, Serial, Shown, Time, WarningJson};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::ca_certificates::open_key;
use crate::store::certificate_files::{CERTIFICATE, CHAIN, KEY};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::text::{Lifetime, PathText, Warning, humanize, rfc3339, toml_document};
use crate::x509::file_kind::Expected;
use crate::x509::name_constraints::Subtree;
use crate::x509::{DistinguishedName, KeyAlgorithm, KeyKind, NameConstraints};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Name the root certificate
    #[arg(long, value_name = "CN")]
    name: Option<String>,
    /// Put an organization into every subject
    #[arg(long, value_name = "O")]
    organization: Option<String>,
    /// Put a country into every subject, as two capital letters
    #[arg(long, value_name = "C")]
    country: Option<String>,
    /// Choose the kind of the CA keys [default: ecdsa-p384]
    #[arg(long, value_name = "ALG")]
    key: Option<KeyAlgorithm>,
    /// Choose how long the root is valid [default: 10y]
    #[arg(long = "for", value_name = "D", allow_hyphen_values = true)]
    lifetime: Option<Lifetime>,
    /// Let the CA issue only for these names: a domain, an address block, email:HOST, uri:HOST; repeatable
    #[arg(long, value_name = "NAME")]
    permit: Vec<Subtree>,
    /// Never let the CA issue for these names; repeatable
    #[arg(long, value_name = "NAME")]
    exclude: Vec<Subtree>,
    /// Make an issuing CA below the root too, which then issues by default
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "issuing")]
    intermediate: Option<String>,
    /// Read settings from a file like that of 'ca settings show --example'; flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Import the CA certificate of another tool
    #[arg(long, value_name = "FILE", requires = "key_file", conflicts_with_all = ["name", "key", "lifetime", "permit", "exclude"])]
    cert: Option<PathBuf>,
    /// Import its private key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key_file: Option<PathBuf>,
    /// Import the certificates above it, up to the root
    #[arg(long, value_name = "FILE", requires = "cert")]
    chain: Option<PathBuf>,
    /// Decrypt the imported key with the first line of a file
    #[arg(long, value_name = "FILE", requires = "key_file")]
    key_passphrase_file: Option<PathBuf>,
    /// Import what the CA has revoked, from its CRL; repeatable
    #[arg(long, value_name = "FILE", requires = "cert")]
    crl: Vec<PathBuf>,
    /// Import what the CA has issued and revoked, from index.txt of openssl ca
    #[arg(long, value_name = "FILE", requires = "cert")]
    index: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Leave the CA keys unencrypted
    #[arg(long, group = "passphrase", help_heading = "Passphrase of the CA key")]
    no_passphrase: bool,
}

/// What the user should know about the time before the CA was imported.
fn earlier_warnings(earlier: &EarlierRevocations) -> Vec<Warning> {
    let mut warnings = earlier.warnings.clone();
    match (earlier.has_crl, earlier.has_index) {
        (false, false) => warnings.push(Warning::new(
            "earlier-revocations-unknown",
            "what this CA revoked before is not known, so that its next CRL does not name it. If it has revoked a \
             certificate, make it again with --crl FILE (its latest CRL) or --index FILE (index.txt of openssl ca), or revoke \
             each one: ca revoke FILE",
        )),
        (false, true) => warnings.push(Warning::new(
            "crl-number-unknown",
            "the number of its latest CRL is not known. If it has published CRLs, the next one needs a greater number: ca crl \
             --number N",
        )),
        (true, _) => {}
    }
    warnings
}

/// The report of a new CA.
struct InitReport {
    made: InitializedCa,
    warnings: Vec<Warning>,
    constraints: NameConstraints,
    refused_by: RefusedBy,
    next: String,
    now: time::OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.dry_run.apply(context);
    let folder = context.folder.clone().unwrap_or_else(|| PathBuf::from("ca"));
    let home = Home::to_make(context.world.resolve(&folder));
    if home.exists() {
        return Err(init::InitError::Exists(folder).into());
    }
    let config = config(&arguments, context)?;
    // Before a passphrase is asked for.
    init::check_folder(&home, &config)?;
    let imported = imported_ca(&arguments, context)?;
    let passphrase = if arguments.no_passphrase || dry_run {
        None
    } else {
        Some(new_ca_passphrase(&arguments.passphrase, &home, &config, context)?)
    };
    let is_new = imported.is_none();
    let order = InitOrder { config: config.clone(), intermediate: arguments.intermediate, passphrase, imported };
    let made = init::init(&home, order, &context.effects())?;
    if !made.encrypted {
        context.note("The CA keys are not encrypted: every user who can read them can issue certificates.");
    }
    if made.has_other_gitignore {
        context.warn(&format!(
            "{} was there already and stays: keep key.pem and index.db* out of git",
            folder.join(".gitignore").escaped()
        ));
    }
    let of_form = made.warnings.iter().map(|finding| Warning::new(finding.rule, finding.message.clone()));
    let warnings: Vec<_> = of_form.chain(made.earlier.iter().flat_map(earlier_warnings)).collect();
    for warning in &warnings {
        context.warn(&warning.message);
    }
    let refused_by = RefusedBy::of(&made.client_facts, &config.verify);
    refused_by.note(WHAT_CAS_ISSUE, context);
    let is_found = context.folder.is_none();
    let named = if is_found { String::new() } else { format!("--dir {} ", folder.in_shell()) };
    let constraints =
        made.authorities.first().and_then(|root| root.certificate.name_constraints.clone()).unwrap_or_default();
    if is_new && constraints.is_empty() {
        context.note(
            "No name constraints limit this CA: a stolen key can impersonate any name. For a CA that issues for a few names only: \
             ca init --permit corp.test --permit 10.0.0.0/8",
        );
    }
    Ok(Box::new(InitReport {
        made,
        warnings,
        constraints,
        refused_by,
        next: format!("ca {named}issue server NAME"),
        now: context.now(),
    }))
}

fn config(arguments: &Arguments, context: &mut Context<'_>) -> Result<Config, Failure> {
    let mut config = match &arguments.config {
        None => Config::default(),
        Some(path) => {
            let content = context.read_input(path)?;
            let toml = toml_document::decode(content).map_err(|cause| {
                Failure::usage("bad-toml", format!("{} {cause}", path.escaped())).hint(cause.hint())
            })?;
            Config::read(&path.escaped().to_string(), &toml)?
        }
    };
    if let Some(name) = &arguments.name {
        config.name.clone_from(name);
    }
    for (label, value) in [("organization", &arguments.organization), ("country", &arguments.country)] {
        if let Some(value) = value {
            config.subject.insert(label.to_owned(), value.clone());
        }
    }
    if let Some(key) = arguments.key {
        (config.root.key, config.intermediate.key) = (key, key);
    }
    if let Some(lifetime) = arguments.lifetime {
        config.root.lifetime = lifetime;
    }
    for settings in [&mut config.root, &mut config.intermediate] {
        settings.constraints.permitted.extend(arguments.permit.iter().cloned());
        settings.constraints.excluded.extend(arguments.exclude.iter().cloned());
    }
    Ok(config)
}

fn imported_ca(arguments: &Arguments, context: &mut Context<'_>) -> Result<Option<ImportedCa>, Failure> {
    let (Some(cert), Some(key_file)) = (&arguments.cert, &arguments.key_file) else { return Ok(None) };
    let mut certificate = read_certificates(cert, context)?;
    if certificate.is_empty() {
        return Err(Failure::usage("bad-certificate", format!("{} contains no certificate", cert.escaped())));
    }
    let mut chain = certificate.split_off(1);
    if let Some(path) = &arguments.chain {
        chain.extend(read_certificates(path, context)?);
    }
    let mut earlier = EarlierFiles::default();
    for path in &arguments.crl {
        let content = context.read_expected(path, Expected::Crl, KindCodes::both("bad-certificate"))?;
        earlier.crls.push((path.clone(), content));
    }
    if let Some(path) = &arguments.index {
        earlier.openssl_index = Some((path.clone(), context.read_input(path)?));
    }
    let expected = Expected::PrivateKey;
    let content = context.read_expected(key_file, expected, KindCodes::both("bad-key"))?;
    let content = zeroize::Zeroizing::new(content);
    let mut ask = existing_key_file_prompt(arguments.key_passphrase_file.as_deref(), context);
    let (key, _) = open_key(key_file, &content, &mut ask, &EncryptedKey::File(key_file.clone()))?;
    let certificate = certificate.remove(0);
    Ok(Some(ImportedCa { certificate, key, chain, earlier }))
}

/// `ca.init/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Init")]
pub struct InitJson<'a> {
    dir: String,
    authorities: Vec<InitAuthorityJson<'a>>,
    /// The keys are encrypted.
    encrypted: bool,
    /// The names for which the root and everything below it may issue.
    permit: Vec<Shown<&'a Subtree>>,
    exclude: Vec<Shown<&'a Subtree>>,
    /// The kinds of names of which every one is permitted.
    unrestricted: Vec<&'static str>,
    /// The file that clients trust.
    roots: String,
    /// Of an imported CA: what it did before.
    earlier: Option<EarlierJson>,
    /// As the messages of `warning_details`.
    #[schemars(extend("deprecated" = true))]
    warnings: Vec<&'a str>,
    warning_details: Vec<WarningJson<'a>>,
    /// The clients that refuse what this CA issues.
    refused_by: Vec<ClientJson<'a>>,
}

/// A new authority.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewAuthority")]
struct InitAuthorityJson<'a> {
    name: &'a str,
    subject: Shown<&'a DistinguishedName>,
    serial: Serial<'a>,
    /// As `key_algorithm`.
    #[schemars(extend("deprecated" = true))]
    key: Shown<&'a KeyKind>,
    key_algorithm: Shown<&'a KeyKind>,
    not_before: Time,
    not_after: Time,
    fingerprint_sha256: Hex<[u8; 32]>,
    permit: Vec<Shown<&'a Subtree>>,
    exclude: Vec<Shown<&'a Subtree>>,
    files: InitFilesJson,
}

/// The files of an authority.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AuthorityFiles")]
struct InitFilesJson {
    cert: FilePath<PathBuf>,
    chain: FilePath<PathBuf>,
    /// `null`: it is not kept here.
    key: Option<FilePath<PathBuf>>,
}

/// What an imported CA did before.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Earlier")]
struct EarlierJson {
    /// As `revoked_count`.
    #[schemars(extend("deprecated" = true))]
    revoked: usize,
    revoked_count: usize,
    /// As `certificate_count`.
    #[schemars(extend("deprecated" = true))]
    certificates: usize,
    /// Of index.txt.
    certificate_count: usize,
    /// The number of its latest CRL.
    crl_number: Option<u64>,
}

impl<'a> InitAuthorityJson<'a> {
    fn new(authority: &'a InitializedAuthority) -> Self {
        let certificate = &authority.certificate;
        let own = certificate.name_constraints.as_ref();
        Self {
            name: &authority.name,
            subject: Shown(&certificate.subject),
            serial: Serial(&certificate.serial),
            key: Shown(certificate.public_key.kind()),
            key_algorithm: Shown(certificate.public_key.kind()),
            not_before: Time(certificate.validity.not_before),
            not_after: Time(certificate.validity.not_after),
            fingerprint_sha256: Hex(certificate.fingerprint()),
            permit: own.map(|own| own.permitted.iter().map(Shown).collect()).unwrap_or_default(),
            exclude: own.map(|own| own.excluded.iter().map(Shown).collect()).unwrap_or_default(),
            files: InitFilesJson {
                cert: FilePath(CERTIFICATE.path_in(&authority.folder)),
                chain: FilePath(CHAIN.path_in(&authority.folder)),
                key: authority.has_key.then(|| FilePath(KEY.path_in(&authority.folder))),
            },
        }
    }
}

impl Report for InitReport {
    fn text(&self, page: &mut Page) {
        page.pieces(&[
            (Tone::Good, "✓ "),
            (Tone::Strong, "A new CA"),
            (Tone::Plain, &format!(" in {}", page.path(&self.made.folder))),
        ]);
        for authority in &self.made.authorities {
            let certificate = &authority.certificate;
            page.gap();
            page.field(&authority.name, &certificate.subject.to_string());
            let left = humanize(certificate.validity.not_after - self.now);
            page.field("  expires", &format!("{} (in {left})", rfc3339(certificate.validity.not_after)));
            page.field(
                "  key",
                &key_words(authority.has_key, self.made.encrypted, &certificate.public_key.kind().to_string()),
            );
            page.field("  certificate", &page.path(&CERTIFICATE.path_in(&authority.folder)));
            page.digest("  SHA-256", &certificate.fingerprint());
            // The limits of the root apply to every authority below it, and are shown once.
            if let Some(own) = certificate.name_constraints.as_ref().filter(|own| **own != self.constraints) {
                page.rows("  issues for", &scope(own));
            }
        }
        if let Some(earlier) = self.made.earlier.as_ref().filter(|earlier| earlier.has_crl || earlier.has_index) {
            page.gap();
            let certificates = match earlier.revoked() {
                1 => "1 certificate".to_owned(),
                count => format!("{count} certificates"),
            };
            page.field("revoked before", &format!("{certificates}, part of the next CRL"));
            if let Some(number) = earlier.crl_number() {
                page.field("CRL number", &number.to_string());
            }
        }
        page.gap();
        page.rows("may issue for", &scope(&self.constraints));
        page.field("clients trust", &page.sentence(&self.root_path()));
        page.field("next", &self.next);
    }

    fn json(&self) -> Value {
        let earlier = |earlier: &EarlierRevocations| EarlierJson {
            revoked: earlier.revoked(),
            revoked_count: earlier.revoked(),
            certificates: earlier.certificates(),
            certificate_count: earlier.certificates(),
            crl_number: earlier.crl_number(),
        };
        let content = InitJson {
            dir: self.made.folder.escaped().to_string(),
            authorities: self.made.authorities.iter().map(InitAuthorityJson::new).collect(),
            encrypted: self.made.encrypted,
            permit: self.constraints.permitted.iter().map(Shown).collect(),
            exclude: self.constraints.excluded.iter().map(Shown).collect(),
            unrestricted: unrestricted(&self.constraints),
            roots: self.root_path(),
            earlier: self.made.earlier.as_ref().map(earlier),
            warnings: self.warnings.iter().map(|warning| warning.message.as_str()).collect(),
            warning_details: self.warnings.iter().map(WarningJson::new).collect(),
            refused_by: self.refused_by.json(),
        };
        json::document("ca.init/1", &content)
    }

    fn only_confirms(&self) -> bool {
        true
    }
}

impl InitReport {
    fn root_path(&self) -> String {
        self.made
            .authorities
            .first()
            .map(|root| CERTIFICATE.path_in(&root.folder).escaped().to_string())
            .unwrap_or_default()
    }
}

fn key_words(has_key: bool, encrypted: bool, kind: &str) -> String {
    match (has_key, encrypted) {
        (false, _) => format!("{kind}, not kept here"),
        (true, true) => format!("{kind}, encrypted"),
        (true, false) => format!("{kind}, not encrypted"),
    }
}

/// The kinds of names that no permitted subtree speaks of.
fn unrestricted(constraints: &NameConstraints) -> Vec<&'static str> {
    let is_free = |kind: &&str| !constraints.permitted.iter().any(|subtree| subtree.kind() == *kind);
    ["dns", "ip", "email", "uri"].into_iter().filter(is_free).collect()
}

/// The names that the CA may issue for, in one row or two.
fn scope(constraints: &NameConstraints) -> Vec<String> {
    let names = |subtrees: &[Subtree]| subtrees.iter().map(Subtree::to_string).collect::<Vec<_>>().join(", ");
    let excluded = if constraints.excluded.is_empty() {
        String::new()
    } else {
        format!(", but not {}", names(&constraints.excluded))
    };
    if constraints.permitted.is_empty() {
        return vec![format!("every name{excluded}; --permit would limit that")];
    }
    let free = unrestricted(constraints).join(", ");
    let mut rows = vec![format!("{}{excluded}", names(&constraints.permitted))];
    if !free.is_empty() {
        rows.push(format!("unrestricted: names of the kinds {free}"));
    }
    rows
}
