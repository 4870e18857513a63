//! `ca audit`: compares the index, the event log and the files of a CA with each other. `ca audit head` prints the head of
//! the log, to be kept elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::restored;
use crate::authority::audit::{self, AuditOptions, AuditReport, Finding, Severity};
use crate::cli::reports::backup::FindingJson;
use crate::cli::reports::dry_run::DryRunReport;
use crate::report::failure::Failure;
use crate::report::json::{self, Hex, Time};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};
use crate::store::approval::PlannedChange;
use crate::store::index::{HeadSignature, LogHead};
use crate::text::{PathText, from_hex, rfc3339};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Repair what is safe: modes, missing copies of certificates and chains, and what killed commands left
    #[arg(long)]
    fix: bool,
    /// Show what --fix would repair, and change nothing
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Also name certificates below this folder that an authority of this CA signed and the index does not have
    #[arg(long, value_name = "DIR")]
    scan: Vec<PathBuf>,
    /// Also check that the event log once had this head, which 'ca audit head' printed: a restored older index has not
    #[arg(long, value_name = "HASH", value_parser = parse_hash)]
    head: Option<[u8; 32]>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print the head of the event log, to be kept in another place
    Head,
}

fn parse_hash(given: &str) -> Result<[u8; 32], String> {
    let bytes = from_hex(given).and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| "expected a SHA-256: 64 hexadecimal digits".to_owned())
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let store = context.store_to_audit()?;
    if let Some(Action::Head) = arguments.action {
        let index = store.index()?;
        return Ok(Box::new(Heads { head: index.log_head()?, signed_head: index.signed_head()? }));
    }
    let scan: Vec<_> = arguments.scan.iter().map(|folder| context.world.resolve(folder)).collect();
    if let Some(other) = scan.iter().find(|folder| !folder.is_dir()) {
        let sentence = format!("--scan searches a folder, and {} is not a folder", other.escaped());
        return Err(Failure::usage("unreadable-input", sentence));
    }
    let options = AuditOptions {
        head: arguments.head,
        scan,
        fix: arguments.fix && !arguments.dry_run,
        skip_other_folders: false,
    };
    let report = audit::audit(&store, &options, &context.effects());
    if arguments.dry_run {
        let repairs = report.findings.iter().filter(|finding| finding.repair.is_some());
        let change = |finding: &Finding| {
            PlannedChange::new(format!("repair {}", finding.object)).fact("finding", &finding.message)
        };
        return Ok(Box::new(DryRunReport { changes: repairs.map(change).collect() }));
    }
    if !options.scan.is_empty() && report.scan_is_clean() {
        restored::settle_after_scan(&store, &context.effects())?;
    }
    Ok(Box::new(Audited(report)))
}

/// The heads of the log.
struct Heads {
    head: Option<LogHead>,
    signed_head: Option<(LogHead, HeadSignature)>,
}

struct Audited(AuditReport);

fn show_heads(head: Option<&LogHead>, signed_head: Option<&(LogHead, HeadSignature)>, page: &mut Page) {
    let Some(head) = head else {
        page.line("the event log has no event");
        return;
    };
    page.field("events", &format!("{}, the last at {}", head.count, rfc3339(head.at)));
    page.digest("head", &head.hash);
    let signed = signed_head.map_or_else(
        || "not yet".to_owned(),
        |(signed, by)| match head.count - signed.count.min(head.count) {
            0 => format!("by '{}'", by.authority),
            1 => format!("by '{}', but for the last event", by.authority),
            since => format!("by '{}', but for the last {since} events", by.authority),
        },
    );
    page.field("signed", &signed);
}

/// `ca.audit-head/1`: the head of the event log.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Heads")]
pub struct HeadsJson<'a> {
    /// As `event_count`.
    #[schemars(extend("deprecated" = true))]
    events: u64,
    event_count: u64,
    /// The digest of the last event and, through it, of all before.
    head: Option<Hex<&'a [u8]>>,
    /// When the last event was.
    at: Option<Time>,
    signed_head: Option<SignedHeadJson<'a>>,
}

/// The latest head that an authority signed.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SignedHead")]
struct SignedHeadJson<'a> {
    /// How many events it covers.
    count: u64,
    hash: Hex<&'a [u8]>,
    at: Time,
    authority: &'a str,
    signature: Hex<&'a [u8]>,
}

impl<'a> HeadsJson<'a> {
    fn new(head: Option<&'a LogHead>, signed_head: Option<&'a (LogHead, HeadSignature)>) -> Self {
        let events = head.map_or(0, |head| head.count);
        Self {
            events,
            event_count: events,
            head: head.map(|head| Hex(&head.hash[..])),
            at: head.map(|head| Time(head.at)),
            signed_head: signed_head.map(|(head, by)| SignedHeadJson {
                count: head.count,
                hash: Hex(&head.hash),
                at: Time(head.at),
                authority: &by.authority,
                signature: Hex(&by.signature),
            }),
        }
    }
}

/// `ca.audit/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Audit")]
pub struct AuditJson<'a> {
    #[serde(flatten)]
    heads: HeadsJson<'a>,
    findings: Vec<FindingJson<'a>>,
    /// What `--fix` repaired.
    repaired: Vec<FindingJson<'a>>,
}

impl Report for Heads {
    fn text(&self, page: &mut Page) {
        show_heads(self.head.as_ref(), self.signed_head.as_ref(), page);
    }

    fn json(&self) -> Value {
        json::document("ca.audit-head/1", &HeadsJson::new(self.head.as_ref(), self.signed_head.as_ref()))
    }
}

impl Report for Audited {
    fn text(&self, page: &mut Page) {
        let Self(report) = self;
        for finding in &report.repaired {
            page.pieces(&[
                (Tone::Good, "repaired"),
                (Tone::Plain, &format!(": {} [{}]", finding.object, finding.code)),
            ]);
            page.line(&format!("  {}", finding.message));
            page.gap();
        }
        for finding in &report.findings {
            let tone = if finding.severity == Severity::Error { Tone::Bad } else { Tone::Warning };
            let rest = format!(": {} [{}]", finding.object, finding.code);
            page.pieces(&[(tone, finding.severity.name()), (Tone::Plain, &rest)]);
            page.line(&format!("  {}", finding.message));
            page.line(&format!("  fix: {}", finding.fix));
            page.gap();
        }
        let count = report.findings.len();
        match (count, report.is_anything_wrong()) {
            (0, _) => page.toned(Tone::Good, "nothing was found"),
            (_, false) => page.toned(Tone::Good, "nothing is wrong"),
            (1, true) => page.toned(Tone::Bad, "1 finding"),
            (_, true) => page.toned(Tone::Bad, &format!("{count} findings")),
        }
        show_heads(report.head.as_ref(), report.signed_head.as_ref(), page);
    }

    fn json(&self) -> Value {
        let Self(report) = self;
        let content = AuditJson {
            heads: HeadsJson::new(report.head.as_ref(), report.signed_head.as_ref()),
            findings: report.findings.iter().map(FindingJson::new).collect(),
            repaired: report.repaired.iter().map(FindingJson::new).collect(),
        };
        json::document("ca.audit/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.0.is_anything_wrong() { Answer::No } else { Answer::Yes }
    }
}
