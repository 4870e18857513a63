//! `ca status`: what needs attention today.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::app::context::Context;
use crate::app::directory::usual_issuer;
use crate::app::status::{self, CaStatus, Expiry, Item, Kind};
use crate::cli::reports::status_item::ItemJson;
use crate::report::failure::Failure;
use crate::report::json::{self, Time};
use crate::report::output::{Answer, Report};
use crate::report::page::{Page, Tone};

#[derive(Debug, Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    // As an audit does, it names the files that other users can change, where other commands refuse to begin.
    let store = context.store_to_audit()?;
    let usual_issuer = usual_issuer(&store)?;
    let status = status::of(&store, &usual_issuer, context.now())?;
    Ok(Box::new(Shown { status }))
}

struct Shown {
    status: CaStatus,
}

fn row(item: &Item, page: &Page) -> Vec<String> {
    [&item.object, &item.message, &item.fix].map(|text| page.sentence(text)).into()
}

/// The most items of a kind that the text shows.
const MOST_SHOWN: usize = 10;

/// Returns the head of the table of a kind, and the command that shows all of them.
fn table_of(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::ClockBehind => ("CLOCK BEHIND", "ca log"),
        Kind::Restored => ("RESTORED", "ca audit"),
        Kind::OpenPermissions => ("OPEN PERMISSIONS", "ca audit"),
        Kind::AuthorityExpired => ("AUTHORITY EXPIRED", "ca tree"),
        Kind::CrlExpired => ("CRL EXPIRED", "ca due"),
        Kind::CrlMissing => ("CRL MISSING", "ca tree"),
        Kind::CertificateExpired => ("CERTIFICATE EXPIRED", "ca due"),
        Kind::FileMissing => ("FILES MISSING", "ca audit"),
        Kind::NotDelivered => ("NOT DELIVERED", "ca list --status not-delivered"),
        Kind::HookFailed => ("HOOK FAILED", "ca log"),
        Kind::BundleOutdated => ("CRL BUNDLE OUTDATED", "ca settings show"),
        Kind::ExportOutdated => ("EXPORT WITH OLD CRLS", "ca status --json"),
        Kind::ExportPending => ("EXPORT NOT WRITTEN", "ca status --json"),
        Kind::InvalidTemplate => ("TEMPLATE INVALID", "ca audit"),
        Kind::AuthorityDue => ("AUTHORITY DUE", "ca due"),
        Kind::AuthorityShort => ("AUTHORITY EXPIRES EARLY", "ca tree"),
        Kind::CrlDue => ("CRL DUE", "ca due"),
        Kind::CertificateDue => ("CERTIFICATE DUE", "ca due"),
    }
}

impl Report for Shown {
    fn text(&self, page: &mut Page) {
        let Self { status, .. } = self;
        page.toned(Tone::Strong, &status::sentence(status));
        for kind in Kind::ALL {
            let items: Vec<&Item> = status.items.iter().filter(|item| item.kind == kind).collect();
            if items.is_empty() {
                continue;
            }
            let (head, all) = table_of(kind);
            page.gap();
            let rows: Vec<_> = items.iter().take(MOST_SHOWN).map(|item| row(item, page)).collect();
            page.table(&[head, "WHY", "FIX"], &rows);
            if items.len() > MOST_SHOWN {
                page.line(&format!("and {} more: {all}", items.len() - MOST_SHOWN));
            }
        }
        page.gap();
        match status.items.len() {
            0 => page.toned(Tone::Good, "nothing needs attention"),
            1 => page.toned(Tone::Bad, "1 thing needs attention"),
            count => page.toned(Tone::Bad, &format!("{count} things need attention")),
        }
    }

    fn json(&self) -> Value {
        let Self { status, .. } = self;
        let expiry = |expiry: &Option<Expiry>| expiry.as_ref().map(|expiry| ExpiryJson::of(expiry, status));
        let content = StatusJson {
            at: Time(status.now),
            needs_attention: !status.items.is_empty(),
            sentence: status::sentence(status),
            attention: status.items.iter().map(ItemJson::of).collect(),
            total: status.items.len(),
            counts: InUseJson {
                total: status.certificates,
                expired_count: status.expired,
                expiring_count: status.expiring,
                within_seconds: status::SOON.whole_seconds(),
            },
            next_crl: expiry(&status.next_crl),
            next_root: expiry(&status.root),
        };
        json::document("ca.status/1", &content)
    }

    fn answer(&self) -> Answer {
        if self.status.items.is_empty() { Answer::Yes } else { Answer::No }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Status")]
pub struct StatusJson {
    at: Time,
    needs_attention: bool,
    sentence: String,
    /// All of it, the most urgent first.
    attention: Vec<ItemJson>,
    total: usize,
    counts: InUseJson,
    /// The CRL that expires first.
    next_crl: Option<ExpiryJson>,
    /// The root that expires first.
    next_root: Option<ExpiryJson>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "InUse")]
pub struct InUseJson {
    /// The number of names that have certificates, without authorities.
    total: u64,
    /// In use, and expired.
    expired_count: usize,
    /// In use, and expiring within `within_seconds`.
    expiring_count: usize,
    within_seconds: i64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Expiry")]
pub struct ExpiryJson {
    authority: String,
    not_after: Time,
    expires_in_seconds: i64,
}

impl ExpiryJson {
    fn of(expiry: &Expiry, status: &CaStatus) -> Self {
        Self {
            authority: expiry.authority.clone(),
            not_after: Time(expiry.at),
            expires_in_seconds: (expiry.at - status.now).whole_seconds(),
        }
    }
}
