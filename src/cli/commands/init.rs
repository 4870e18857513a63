//! `ca init`: a new CA.

use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use questions::{Given, NewPassphrase, Replies};

use crate::app::certificate_input::read_certificates;
use crate::app::context::Context;
use crate::authority::hierarchy::earlier_revocations::{EarlierFiles, EarlierRevocations};
use crate::authority::hierarchy::import::ImportedCa;
use crate::authority::hierarchy::init::{self, InitOrder, InitializedAuthority, InitializedCa};
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::passphrase::{
    PassphraseArguments, existing_key_file_prompt, has_credential, new_ca_passphrase, short_warning,
};
use crate::cli::reports::clients::{ClientJson, RefusedBy, WHAT_CAS_ISSUE};
use crate::report::failure::{Failure, KindCodes};
use crate::report::json::{self, FilePath, Hex, Serial, Shown, Time, WarningJson};
use crate::report::output::{OutputFormat, Report};
use crate::report::page::{Page, Tone};
use crate::store::ca_certificates::open_key;
use crate::store::certificate_files::{CERTIFICATE, CHAIN, KEY};
use crate::store::config::{Config, distinct_name};
use crate::store::home::Home;
use crate::store::passphrase_prompt::EncryptedKey;
use crate::store::toml_file;
use crate::text::toml_document::Document;
use crate::text::{Lifetime, PathText, Warning, humanize, rfc3339, shell_word};
use crate::x509::file_kind::Expected;
use crate::x509::name_constraints::Subtree;
use crate::x509::{DistinguishedName, KeyAlgorithm, KeyKind, NameConstraints};

mod questions;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Name the root certificate [default: "Private Root CA" and six random letters]
    #[arg(long, visible_alias = "common-name", value_name = "CN")]
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

pub fn run(mut arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.dry_run.apply(context);
    let folder = context.folder.clone().unwrap_or_else(|| PathBuf::from("ca"));
    let home = Home::to_make(context.world.resolve(&folder));
    if home.exists() {
        return Err(init::InitError::Exists(folder).into());
    }
    let mut config = config(&arguments, context)?;
    // Before anything is asked.
    init::check_folder(&home, &config)?;
    let imported = imported_ca(&arguments, context)?;
    let is_new = imported.is_none();
    if let Some(name) = imported.as_ref().and_then(|imported| imported.certificate.subject.common_name()) {
        name.clone_into(&mut config.name);
    }
    let is_guided = asks_questions(&arguments, context);
    let mut typed = NewPassphrase::NotAsked;
    if is_guided {
        let given = Given {
            folder: &folder,
            name: &config.name,
            has_constraints: !config.root.constraints.is_empty(),
            intermediate: arguments.intermediate.as_deref(),
            has_passphrase: dry_run
                || arguments.no_passphrase
                || arguments.passphrase.is_given()
                || has_credential(context)?,
        };
        let replies = questions::ask(&given, context)?;
        typed = take(replies, &mut arguments, &mut config);
    }
    let notes = notes_before(&config, arguments.no_passphrase, is_new);
    // A user at a terminal can still stop the command at the passphrase. A script reads them later, without an error before them.
    let notes_first = !is_guided && !dry_run && context.format == OutputFormat::Text && context.can_ask();
    if notes_first {
        notes.iter().for_each(|note| context.note(note));
    }
    let passphrase = match typed {
        NewPassphrase::Typed(passphrase) => Some(passphrase),
        _ if arguments.no_passphrase || dry_run => None,
        _ => Some(new_ca_passphrase(&arguments.passphrase, &home, &config, context)?),
    };
    let mut order = InitOrder {
        config: config.clone(),
        intermediate: arguments.intermediate.clone(),
        passphrase,
        imported,
        facts: facts(&config, arguments.no_passphrase, is_new),
        notes: if notes_first || !(is_guided || dry_run) { Vec::new() } else { notes.clone() },
        confirm: is_guided,
    };
    if is_guided {
        let short = order.passphrase.as_ref().and_then(crate::keys::Passphrase::short_length);
        order.notes.extend(short.map(short_warning));
        order.notes.push(
            "Names, kinds of keys and limits are part of the certificates: they cannot be changed later.".to_owned(),
        );
        let named = context.folder.as_deref();
        order.notes.push(format!("The same without questions: {}", command_line(named, &arguments, &config)));
    }
    let made = init::init(&home, order, &context.effects()).map_err(|error| without_yes(error.into()))?;
    if !notes_first && !is_guided {
        notes.iter().for_each(|note| context.note(note));
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
    Ok(Box::new(InitReport {
        made,
        warnings,
        constraints,
        refused_by,
        next: format!("ca {named}issue server NAME"),
        now: context.now(),
    }))
}

/// Returns whether the user is asked: at a terminal, when no option says what the CA is.
fn asks_questions(arguments: &Arguments, context: &Context<'_>) -> bool {
    let says_what = arguments.name.is_some() || arguments.cert.is_some() || arguments.config.is_some();
    let is_at_terminal = context.can_ask() && context.world.terminal.shows_stderr();
    is_at_terminal && !says_what && !context.quiet && context.format == OutputFormat::Text
}

/// Puts the replies where the options of the command line are.
fn take(replies: Replies, arguments: &mut Arguments, config: &mut Config) -> NewPassphrase {
    let Replies { name, permit, intermediate, passphrase } = replies;
    config.name = name;
    for settings in [&mut config.root, &mut config.intermediate] {
        settings.constraints.permitted.extend(permit.iter().cloned());
    }
    arguments.permit.extend(permit);
    arguments.intermediate = intermediate;
    arguments.no_passphrase |= matches!(passphrase, NewPassphrase::Without);
    passphrase
}

/// What the user should know before the CA is made: it cannot be changed later.
fn notes_before(config: &Config, no_passphrase: bool, is_new: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if no_passphrase {
        notes.push("The CA keys are not encrypted: every user who can read them can issue certificates.".to_owned());
    }
    if is_new && config.root.constraints.is_empty() {
        notes.push(
            "No name constraints limit this CA: a stolen key can impersonate any name. For a CA that issues for a few names \
             only: ca init --permit corp.test --permit 10.0.0.0/8"
                .to_owned(),
        );
    }
    notes
}

/// What the certificates of the planned CA do not show.
fn facts(config: &Config, no_passphrase: bool, is_new: bool) -> Vec<(&'static str, String)> {
    let keys = if no_passphrase { "not encrypted" } else { "encrypted with a passphrase" };
    let mut facts = vec![("keys", keys.to_owned())];
    if is_new {
        let scope = match config.root.constraints.is_empty() {
            true => "every name".to_owned(),
            false => scope(&config.root.constraints).join("; "),
        };
        facts.insert(0, ("issues for", scope));
    }
    facts
}

/// The command line that makes the same CA without questions, except for its passphrase.
fn command_line(folder: Option<&Path>, arguments: &Arguments, config: &Config) -> String {
    let named = folder.map(|folder| format!("--dir {} ", folder.in_shell())).unwrap_or_default();
    let mut line = format!("ca {named}init --name {}", shell_word(&config.name));
    let mut add = |flag: &str, value: &str| line.push_str(&format!(" {flag} {}", shell_word(value)));
    for (flag, value) in [
        ("--organization", arguments.organization.clone()),
        ("--country", arguments.country.clone()),
        ("--key", arguments.key.map(|key| key.to_string())),
        ("--for", arguments.lifetime.map(|lifetime| lifetime.to_string())),
    ] {
        if let Some(value) = value {
            add(flag, &value);
        }
    }
    for permitted in &arguments.permit {
        add("--permit", &permitted.to_string());
    }
    for excluded in &arguments.exclude {
        add("--exclude", &excluded.to_string());
    }
    if let Some(name) = &arguments.intermediate {
        add("--intermediate", name);
    }
    if arguments.no_passphrase {
        line.push_str(" --no-passphrase");
    }
    line
}

/// `ca init` has no `--yes`: with a name it asks nothing.
fn without_yes(failure: Failure) -> Failure {
    match failure.code {
        "not-confirmed" => Failure { hints: vec!["without questions: ca init --name CN".to_owned()], ..failure },
        _ => failure,
    }
}

fn config(arguments: &Arguments, context: &mut Context<'_>) -> Result<Config, Failure> {
    let mut has_name = arguments.name.is_some() || arguments.cert.is_some();
    let mut config = match &arguments.config {
        None => Config::default(),
        Some(path) => {
            let content = context.read_input(path)?;
            let toml = toml_file::text(path, content, toml_file::SETTINGS)?;
            let name = path.escaped().to_string();
            has_name |= Document::new(name.as_str(), &toml).top().contains("name");
            Config::read(&name, &toml)?
        }
    };
    if !has_name {
        // So that two CAs in one list of trusted certificates have different names.
        config.name = distinct_name(context.world.entropy.as_ref())
            .map_err(|error| Failure::refused("file-error", format!("no random letters for the name: {error}")))?;
    }
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
        let content = context.read_expected(path, Expected::OpensslIndex, KindCodes::both("bad-openssl-index"))?;
        earlier.openssl_index = Some((path.clone(), content));
    }
    let expected = Expected::PrivateKey;
    let content = context.read_expected(key_file, expected, KindCodes::both("bad-key"))?;
    let content = zeroize::Zeroizing::new(content);
    let mut ask = existing_key_file_prompt(arguments.key_passphrase_file.as_deref(), context);
    let (key, _) = open_key(key_file, &content, &mut ask, &EncryptedKey::File(key_file.clone()))?;
    let certificate = certificate.remove(0);
    Ok(Some(ImportedCa { earlier, ..ImportedCa::new(certificate, key, chain) }))
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
    /// As `roots_file`.
    #[schemars(extend("deprecated" = true))]
    roots: String,
    /// The file that clients trust.
    #[schemars(extend("format" = "path"))]
    roots_file: String,
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
            roots_file: self.root_path(),
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

#[cfg(test)]
mod question_tests;
