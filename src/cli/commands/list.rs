//! `ca list`: what this CA has issued.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::public_key;
use crate::cli::options::number::whole_number;
use crate::cli::reports::entry::{entry_json, how_far};
use crate::report::failure::Failure;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::{CertificateStatus, Entry, Filter};
use crate::store::locate::count_as_delivered_if_there;
use crate::store::templates;
use crate::text::{self, Lifetime};
use crate::x509::GeneralName;

#[derive(Debug, Args)]
pub struct Arguments {
    /// Show certificates with this status
    #[arg(long, value_enum, default_value_t = Wanted::All)]
    status: Wanted,
    /// Show certificates that expire within this time
    #[arg(long, value_name = "D")]
    expiring: Option<Lifetime>,
    /// Show those with exactly this subject alternative name
    #[arg(long, value_name = "NAME")]
    san: Option<GeneralName>,
    /// Show those made from this template
    #[arg(long, value_name = "T")]
    template: Option<String>,
    /// Show those signed by this authority
    #[arg(long, value_name = "AUTHORITY")]
    issuer: Option<String>,
    /// Show those for the key in this file: a key, a certificate or a signing request
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Show at most this many, the latest
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = whole_number::<u64>)]
    limit: u64,
}

/// The values of `--status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    All,
    Valid,
    Expired,
    Revoked,
    Held,
    NotYetValid,
    NotDelivered,
}

impl Wanted {
    fn status(self) -> Option<CertificateStatus> {
        match self {
            Self::All => None,
            Self::Valid => Some(CertificateStatus::Valid),
            Self::Expired => Some(CertificateStatus::Expired),
            Self::Revoked => Some(CertificateStatus::Revoked),
            Self::Held => Some(CertificateStatus::Held),
            Self::NotYetValid => Some(CertificateStatus::NotYetValid),
            Self::NotDelivered => Some(CertificateStatus::NotDelivered),
        }
    }
}

/// The certificates found, in the order of their issue; the latest is last, next to the prompt.
struct List {
    entries: Vec<Entry>,
    /// The number without the limit.
    total: u64,
    now: OffsetDateTime,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let key_fingerprint = match &arguments.key {
        Some(path) => Some(public_key::read(path, context)?.fingerprint()),
        None => None,
    };
    let filter = Filter {
        status: arguments.status.status(),
        expiring: arguments.expiring,
        san: arguments.san,
        template: arguments.template,
        authority: arguments.issuer,
        key_fingerprint,
        name: None,
        limit: Some(arguments.limit),
    };
    let now = context.now();
    let store = context.store()?;
    let index = store.index()?;
    let (mut entries, mut total) = index.query(&filter, now)?;
    for entry in &mut entries {
        count_as_delivered_if_there(store.home(), index, entry)?;
    }
    if filter.status == Some(CertificateStatus::NotDelivered) {
        let found = entries.len();
        entries.retain(|entry| entry.delivered_at.is_none());
        total -= (found - entries.len()) as u64;
    }
    if total == 0 {
        // An empty result is not an error, because a script may ask before the first certificate exists; a note shows a mistyped name.
        if let Some(authority) = &filter.authority {
            note_unknown("authority", authority, &store.ca_certificates().names()?, context);
        }
        if let Some(template) = &filter.template {
            let folder = store.template_folder();
            note_unknown("template", template, &templates::names(&folder)?, context);
        }
    }
    Ok(Box::new(List { entries, total, now }))
}

fn note_unknown(kind: &str, word: &str, known: &[String], context: &mut Context<'_>) {
    if !known.iter().any(|known| known == word) {
        let near = text::did_you_mean(word, known.iter().map(String::as_str));
        context.note(&format!("there is no {kind} '{}'{near}; there are: {}", text::escape(word), known.join(", ")));
    }
}

impl Report for List {
    fn text(&self, page: &mut Page) {
        let mut is_cut = false;
        if !self.entries.is_empty() {
            let rows: Vec<Vec<String>> = self.entries.iter().map(|entry| row(entry, self.now)).collect();
            is_cut = page.table_to_fit(&["NAME", "TEMPLATE", "ISSUER", "EXPIRES", "STATUS", "SERIAL"], &rows);
            page.gap();
        }
        let count = |number: u64| format!("{number} certificate{}", if number == 1 { "" } else { "s" });
        let shown = self.entries.len() as u64;
        match self.total {
            0 => page.line("no certificates"),
            total if total == shown => page.line(&count(total)),
            total => page.line(&format!("the latest {shown} of {}; --limit N shows more", count(total))),
        }
        if is_cut {
            page.toned(Tone::Dim, "whole serial numbers: ca show NAME, or in a wider window");
        }
    }

    fn json(&self) -> Value {
        let certificates: Vec<Value> = self.entries.iter().map(|entry| entry_json(entry, self.now)).collect();
        json!({ "schema": "ca.list/1", "certificates": certificates, "total": self.total })
    }
}

fn row(entry: &Entry, now: OffsetDateTime) -> Vec<String> {
    let end = entry.validity.not_after;
    vec![
        entry.name.clone(),
        entry.template.clone(),
        entry.authority.clone(),
        format!("{} {}", end.date(), how_far(end - now)),
        entry.status(now).to_string(),
        entry.serial.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::output;
    use crate::report::style::Style;
    use crate::store::index::sample::{NOW, Sample, add, new_index};
    use time::Duration;

    fn list(limit: u64) -> List {
        let (_folder, _, mut index) = new_index();
        add(&mut index, &Sample::default(), "root");
        add(
            &mut index,
            &Sample { serial: 2, sans: &["web.corp.test", "10.0.0.1"], ..Sample::default() },
            "web.corp.test",
        );
        let over = NOW - Duration::DAY;
        add(
            &mut index,
            &Sample { serial: 3, not_before: over - Duration::DAY, not_after: over, ..Sample::default() },
            "old\u{1b}[31m",
        );
        let (entries, total) = index.query(&Filter { limit: Some(limit), ..Filter::default() }, NOW).unwrap();
        List { entries, total, now: NOW }
    }

    #[test]
    fn in_a_narrow_window_the_serial_numbers_are_cut_and_nowhere_else() {
        let mut list = list(1000);
        list.entries[0].serial = "5a283808257042700656a9176d453e19".parse().unwrap();
        let shown = |columns: usize, is_window: bool| output::text(&list, Style { columns, is_window, ..Style::PLAIN });
        let narrow = shown(72, true);
        assert!(narrow.lines().all(|line| line.chars().count() <= 72), "{narrow}");
        assert!(narrow.contains("…\n") && narrow.contains("whole serial numbers: ca show NAME"), "{narrow}");
        assert!(narrow.contains("  5a28"), "{narrow}");
        for whole in [shown(72, false), shown(200, true)] {
            assert!(whole.contains("5a283808257042700656a9176d453e19") && !whole.contains("whole serial"), "{whole}");
        }
    }

    #[test]
    fn a_table_has_one_line_for_each_certificate() {
        let text = output::text(&list(1000), Style::PLAIN);
        assert_eq!(
            text,
            "\
NAME           TEMPLATE  ISSUER  EXPIRES            STATUS   SERIAL
root           server    root    2026-08-30 in 90d  valid    0100000001
web.corp.test  server    root    2026-08-30 in 90d  valid    0100000002
old\\u{1b}[31m  server    root    2026-05-31 1d ago  expired  0100000003

3 certificates
"
        );
    }

    #[test]
    fn a_certificate_that_was_not_delivered_is_shown_as_such() {
        let mut list = list(1000);
        list.entries[1].delivered_at = None;
        let text = output::text(&list, Style::PLAIN);
        let status = |line: &str| line.split_whitespace().rev().nth(1).unwrap_or_default().to_owned();
        assert_eq!(text.lines().skip(1).take(3).map(status).collect::<Vec<_>>(), ["valid", "not-delivered", "expired"]);
        assert_eq!(list.json()["certificates"][1]["status"], "not-delivered");
    }

    #[test]
    fn what_a_limit_left_out_is_said() {
        let text = output::text(&list(1), Style::PLAIN);
        assert!(text.ends_with("\nthe latest 1 of 3 certificates; --limit N shows more\n"), "{text}");
        assert_eq!(list(1).json()["total"], 3);
        assert_eq!(output::text(&List { entries: vec![], total: 0, now: NOW }, Style::PLAIN), "no certificates\n");
    }

    #[test]
    fn a_program_gets_every_field_of_the_contract() {
        let json = list(1000).json();
        assert_eq!(json["schema"], "ca.list/1");
        let web = &json["certificates"][1];
        let sans = json!([{ "type": "dns", "value": "web.corp.test" }, { "type": "ip", "value": "10.0.0.1" }]);
        for (field, expected) in [
            ("serial", json!("0100000002")),
            ("name", json!("web.corp.test")),
            ("template", json!("server")),
            ("issuer", json!("CN=Root")),
            ("authority", json!("root")),
            ("subject", json!("CN=a")),
            ("sans", sans),
            ("not_before", json!("2026-05-31T12:00:00Z")),
            ("not_after", json!("2026-08-30T12:00:00Z")),
            ("status", json!("valid")),
            ("revoked_at", Value::Null),
            ("reason", Value::Null),
        ] {
            assert_eq!(web[field], expected, "{field}");
        }
        assert_eq!(web["fingerprint_sha256"].as_str().map(str::len), Some(64));
    }
}
