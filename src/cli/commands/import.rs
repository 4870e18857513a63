//! `ca import DIR`: the CA of another tool, with what it issued and revoked.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::import::{self, ImportRequest, ImportResult, ImportedAuthority, NamedFiles};
use crate::authority::hierarchy::init;
use crate::authority::other_tool::comparison::RecordOptions;
use crate::authority::other_tool::finding::ImportFinding;
use crate::authority::other_tool::tool::Tool;
use crate::cli::options::change::DryRunArgument;
use crate::cli::options::passphrase::{PassphraseArguments, existing_key_file_prompt, new_ca_passphrase};
use crate::cli::reports::authority::AuthorityJson;
use crate::report::failure::Failure;
use crate::report::json::{self, FilePath};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::config::Config;
use crate::store::home::Home;
use crate::text::{PathText, humanize, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The folder of the other tool; nothing in it is changed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Choose the tool that made it: openssl (openssl ca, demoCA), easy-rsa, cfssl, step, mkcert, minica, or xca-pem (a folder of
    /// PEM files) [default: recognised by its files]
    #[arg(long, value_name = "TOOL", value_parser = tool_parser())]
    from: Option<Tool>,
    /// Name the certificate of the CA instead of the usual file
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// Name its private key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Name a file with the certificates above it, up to the root
    #[arg(long, value_name = "FILE")]
    chain: Option<PathBuf>,
    /// Import the revocations of a CRL that is elsewhere; repeatable
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Name the index.txt of openssl ca
    #[arg(long, value_name = "FILE")]
    index: Option<PathBuf>,
    /// Decrypt the private keys of the CA and its root with the first line of a file
    #[arg(long, value_name = "FILE")]
    key_passphrase_file: Option<PathBuf>,
    /// Leave the private keys of its certificates where they are
    #[arg(long)]
    without_keys: bool,
    /// Import although lines of the index cannot be read; what they revoke is then valid again
    #[arg(long)]
    skip_unreadable: bool,
    #[command(flatten)]
    dry_run: DryRunArgument,
    #[command(flatten)]
    passphrase: PassphraseArguments,
    /// Leave the CA keys unencrypted
    #[arg(long, group = "passphrase", help_heading = "Passphrase of the CA key")]
    no_passphrase: bool,
}

fn tool_parser() -> impl TypedValueParser<Value = Tool> {
    PossibleValuesParser::new(Tool::ALL.map(Tool::name)).try_map(|name| name.parse::<Tool>())
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let dry_run = arguments.dry_run.apply(context);
    let folder = context.folder.clone().unwrap_or_else(|| PathBuf::from("ca"));
    let home = Home::to_make(context.world.resolve(&folder));
    let config = Config::default();
    // Before anything is read or asked.
    init::check_folder(&home, &config)?;
    let request = ImportRequest {
        folder: arguments.folder,
        tool: arguments.from,
        files: NamedFiles {
            cert: arguments.cert,
            key: arguments.key_file,
            chain: arguments.chain,
            crls: arguments.crl,
            index: arguments.index,
        },
        options: RecordOptions { skip_unreadable: arguments.skip_unreadable, without_keys: arguments.without_keys },
    };
    let mut read = import::read(&request, context)?;
    let keys = {
        let mut prompt = existing_key_file_prompt(arguments.key_passphrase_file.as_deref(), context);
        import::open_keys(&mut read, &mut prompt, dry_run)?
    };
    let passphrase = match arguments.no_passphrase || dry_run || read.records.findings.has_error() {
        true => None,
        false => Some(new_ca_passphrase(&arguments.passphrase, &home, &config, context)?),
    };
    let result = import::import(read, keys, &home, passphrase, context)?;
    if result.made.is_some() && arguments.no_passphrase {
        context.note("The CA keys are not encrypted: every user who can read them can issue certificates.");
    }
    if result.made.is_some() && context.quiet && result.findings.total() > 0 {
        let problems = match result.findings.total() {
            1 => "1 problem was".to_owned(),
            count => format!("{count} problems were"),
        };
        context.warn(&format!("{problems} found in {}: ca import --dry-run shows them", request.folder.escaped()));
    }
    let is_found = context.folder.is_none();
    let named = if is_found { String::new() } else { format!("--dir {} ", folder.in_shell()) };
    Ok(Box::new(ImportReport { result, named, now: context.now() }))
}

struct ImportReport {
    result: ImportResult,
    /// `--dir DIR `, when the user named the CA directory.
    named: String,
    now: OffsetDateTime,
}

/// `ca.import/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Import")]
pub struct ImportJson<'a> {
    /// `imported`, `planned` (with `--dry-run`) or `refused`.
    outcome: &'static str,
    /// The tool, as `--from` names it.
    tool: &'static str,
    /// True when it was recognised, and `--from` did not name it.
    recognised: bool,
    /// The folder of the tool.
    source_dir: FilePath<&'a PathBuf>,
    /// The CA directory.
    dir: String,
    authorities: Vec<ImportAuthorityJson<'a>>,
    /// The keys are encrypted.
    encrypted: bool,
    certificate_counts: ImportCountsJson,
    /// The number of the last CRL of the other tool; the first own CRL has a greater one.
    crl_number: Option<u64>,
    /// What is wrong in the folder. Of each code, the first ten.
    import_findings: Vec<ImportFindingJson<'a>>,
    /// How many findings are not shown, by code.
    findings_left_out: Vec<LeftOutJson>,
    /// What no file of the tool says.
    not_known: Vec<NotKnownJson<'a>>,
}

/// An authority of the imported CA.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportAuthority")]
struct ImportAuthorityJson<'a> {
    #[serde(flatten)]
    certificate: AuthorityJson<'a>,
    /// Its private key is imported.
    has_key: bool,
}

/// How many certificates are imported. Each is counted once in the first five.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportCounts")]
struct ImportCountsJson {
    valid_count: usize,
    expired_count: usize,
    revoked_count: usize,
    not_yet_valid_count: usize,
    /// Their certificates are in no file.
    only_serial_count: usize,
    /// All revoked serial numbers: what the next CRL may name.
    revoked_serial_count: usize,
    /// Names that have files in the CA directory.
    with_files_count: usize,
    /// Those of them with a private key.
    with_key_count: usize,
}

/// Something that is wrong in the folder of the tool.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ImportFinding")]
struct ImportFindingJson<'a> {
    code: &'static str,
    /// `warning`, or `error` when it prevents the import.
    severity: &'static str,
    /// Relative to the folder of the tool.
    file: Option<FilePath<&'a PathBuf>>,
    /// The line of the file, counted from 1.
    line: Option<usize>,
    message: &'a str,
}

/// Findings that are not shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FindingsLeftOut")]
struct LeftOutJson {
    code: &'static str,
    count: usize,
}

/// Something that no file of the tool says.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotKnown")]
struct NotKnownJson<'a> {
    code: &'static str,
    message: &'a str,
}

impl<'a> ImportAuthorityJson<'a> {
    fn new(authority: &'a ImportedAuthority) -> Self {
        let ImportedAuthority { name, certificate, has_key } = authority;
        Self { certificate: AuthorityJson::new(name, certificate), has_key: *has_key }
    }
}

impl<'a> ImportFindingJson<'a> {
    fn new(finding: &'a ImportFinding) -> Self {
        let ImportFinding { code, severity, path, line, message } = finding;
        Self { code, severity: severity.name(), file: path.as_ref().map(FilePath), line: *line, message }
    }
}

impl ImportReport {
    fn outcome(&self) -> &'static str {
        match (&self.result.made, &self.result.refused) {
            (Some(_), _) => "imported",
            (None, None) => "planned",
            (None, Some(_)) => "refused",
        }
    }

    fn title(&self, page: &mut Page) {
        let (tool, source) = (self.result.tool.name(), page.path(&self.result.source));
        let recognised = if self.result.was_recognised { ", recognised by its files" } else { "" };
        let (tone, mark, what) = match self.outcome() {
            "imported" => (Tone::Good, "✓ ", "Imported the CA in "),
            "planned" => (Tone::Good, "+ ", "Would import the CA in "),
            _ => (Tone::Bad, "✗ ", "Did not import the CA in "),
        };
        let of = format!("  {tool}{recognised}");
        page.pieces(&[(tone, mark), (Tone::Plain, what), (Tone::Strong, &source), (Tone::Dim, &of)]);
        page.field("into", &page.path(&self.result.folder));
    }

    fn authority(&self, authority: &ImportedAuthority, page: &mut Page) {
        let ImportedAuthority { name, certificate, has_key } = authority;
        page.gap();
        page.field(name, &certificate.subject.to_string());
        let end = certificate.validity.not_after;
        let left = if end < self.now { "expired".to_owned() } else { format!("in {}", humanize(end - self.now)) };
        page.field("  expires", &format!("{} ({left})", rfc3339(end)));
        let kind = certificate.public_key.kind();
        let key = match (has_key, self.result.encrypted) {
            (false, _) => format!("{kind}, not kept here"),
            (true, true) => format!("{kind}, encrypted"),
            (true, false) if self.result.made.is_none() => kind.to_string(),
            (true, false) => format!("{kind}, not encrypted"),
        };
        page.field("  key", &key);
        page.digest("  SHA-256", &certificate.fingerprint());
    }

    fn counts(&self, page: &mut Page) {
        let counts = self.result.counts;
        let parts = [
            (counts.valid, "valid"),
            (counts.expired, "expired"),
            (counts.revoked, "revoked"),
            (counts.not_yet_valid, "not yet valid"),
        ];
        let shown = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let shown = shown.collect::<Vec<_>>().join(", ");
        page.gap();
        page.field("certificates", if shown.is_empty() { "none" } else { &shown });
        if counts.only_serial > 0 {
            page.field("serials only", &format!("{}, their certificates are in no file", counts.only_serial));
        }
        if counts.with_files > 0 {
            let names = if counts.with_files == 1 { "name" } else { "names" };
            page.field("in use", &format!("{} {names}, {} with the private key", counts.with_files, counts.with_key));
        }
        page.field(
            "revoked",
            &match counts.revoked_serials {
                0 => "none".to_owned(),
                1 => "1 serial number, part of the next CRL".to_owned(),
                count => format!("{count} serial numbers, part of the next CRL"),
            },
        );
        let number = self.result.last_crl_number.map_or_else(|| "not known".to_owned(), |number| number.to_string());
        page.field("CRL number", &number);
    }

    fn findings(&self, page: &mut Page) {
        let findings = &self.result.findings;
        if findings.shown.is_empty() {
            return;
        }
        page.gap();
        page.line(&format!("Wrong in {}:", page.path(&self.result.source)));
        for finding in &findings.shown {
            page.line(&format!("  {}", line_of(finding)));
        }
        for (code, more) in &findings.more {
            page.line(&format!("  and {more} more {code}"));
        }
    }
}

/// Returns a finding as a line.
fn line_of(finding: &ImportFinding) -> String {
    let place = match (&finding.path, finding.line) {
        (Some(path), Some(line)) => format!("{}:{line}: ", path.escaped()),
        (Some(path), None) => format!("{}: ", path.escaped()),
        (None, _) => String::new(),
    };
    format!("{}: {place}{}", finding.code, finding.message)
}

impl Report for ImportReport {
    fn text(&self, page: &mut Page) {
        self.title(page);
        for authority in &self.result.authorities {
            self.authority(authority, page);
        }
        self.counts(page);
        self.findings(page);
        if !self.result.unknown.is_empty() {
            page.gap();
            page.line("Not known:");
            for (code, sentence) in &self.result.unknown {
                page.line(&format!("  {code}: {sentence}"));
            }
        }
        if self.result.made.is_some() {
            page.gap();
            page.field("next", &format!("ca {}crl, and publish it in the place of the old one", self.named));
            page.field("", &format!("ca {}status", self.named));
        }
    }

    fn json(&self) -> Value {
        let ImportResult { counts, findings, .. } = &self.result;
        let content = ImportJson {
            outcome: self.outcome(),
            tool: self.result.tool.name(),
            recognised: self.result.was_recognised,
            source_dir: FilePath(&self.result.source),
            dir: self.result.folder.escaped().to_string(),
            authorities: self.result.authorities.iter().map(ImportAuthorityJson::new).collect(),
            encrypted: self.result.encrypted,
            certificate_counts: ImportCountsJson {
                valid_count: counts.valid,
                expired_count: counts.expired,
                revoked_count: counts.revoked,
                not_yet_valid_count: counts.not_yet_valid,
                only_serial_count: counts.only_serial,
                revoked_serial_count: counts.revoked_serials,
                with_files_count: counts.with_files,
                with_key_count: counts.with_key,
            },
            crl_number: self.result.last_crl_number,
            import_findings: findings.shown.iter().map(ImportFindingJson::new).collect(),
            findings_left_out: findings.more.iter().map(|(code, count)| LeftOutJson { code, count: *count }).collect(),
            not_known: self.result.unknown.iter().map(|(code, message)| NotKnownJson { code, message }).collect(),
        };
        json::document("ca.import/1", &content)
    }

    fn only_confirms(&self) -> bool {
        self.result.made.is_some()
    }

    fn failure(&self) -> Option<Failure> {
        self.result.refused.clone()
    }
}
