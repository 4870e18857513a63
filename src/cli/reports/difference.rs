//! A difference between a declared certificate and what there is, as text and as JSON.

use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;

use crate::authority::leaf::state::Difference;
use crate::report::json::Time;
use crate::text::{escape, how_far};

/// Returns the difference as a phrase.
pub fn phrase(difference: &Difference, now: OffsetDateTime) -> String {
    match difference {
        Difference::New => "new".to_owned(),
        Difference::Due { not_after } if *not_after < now => format!("expired {}", how_far(*not_after, now)),
        Difference::Due { not_after } => format!("due, expires {}", how_far(*not_after, now)),
        Difference::NotYetValid { not_before } => format!("valid only {}", how_far(*not_before, now)),
        Difference::Revoked => "revoked".to_owned(),
        Difference::IssuerRevoked => "its issuer is revoked".to_owned(),
        Difference::NameAdded(name) => format!("SAN added: {}", escape(name)),
        Difference::NameRemoved(name) => format!("SAN removed: {}", escape(name)),
        Difference::KeyKind { from, to } => format!("key {from}, wanted {to}"),
        Difference::OtherKey => "another key".to_owned(),
        Difference::Template { from, to } => format!("template {}, wanted {}", escape(from), escape(to)),
        Difference::TemplateText => "the template changed".to_owned(),
        Difference::Lifetime => "the lifetime changed".to_owned(),
        Difference::Issuer { from, to } => format!("issuer {}, wanted {}", escape(from), escape(to)),
        Difference::FileMissing(name) => format!("{name} is missing"),
        Difference::FileAltered(name) => format!("{name} is altered"),
        Difference::FileRules(rules) if rules.is_empty() => "owner, group and mode of the template".to_owned(),
        Difference::FileRules(rules) => escape(rules).to_string(),
        Difference::Mode { from, to } => format!("key mode {from:04o}, wanted {to:04o}"),
        Difference::Owner => "another owner or group".to_owned(),
        Difference::ExportMissing(path) => format!("export missing: {path}"),
        Difference::ExportStale(path) => format!("export outdated: {path}"),
        Difference::Hook => "the hook changed".to_owned(),
        Difference::HookPending => "its hook has not run".to_owned(),
        Difference::Manifest => "not recorded for this manifest".to_owned(),
    }
}

/// A difference.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Difference")]
pub struct DifferenceJson {
    #[schemars(extend("enum" = ["new", "due", "not-yet-valid", "revoked", "issuer-revoked", "san-added", "san-removed", "key-kind", "other-key", "template", "template-text", "lifetime", "issuer", "file-missing", "file-altered", "file-rules", "mode", "owner", "export-missing", "export-stale", "hook", "hook-pending", "manifest"]))]
    kind: &'static str,
    /// The name, file, path or rules in question; with `found`, what is wanted.
    value: Option<String>,
    /// What there is.
    found: Option<String>,
    /// Of `due`: the expiry; of `not-yet-valid`: the first second.
    at: Option<Time>,
}

impl DifferenceJson {
    pub fn new(difference: &Difference) -> Self {
        let of = |kind| Self { kind, value: None, found: None, at: None };
        let value = |kind, value: &str| Self { value: Some(value.to_owned()), ..of(kind) };
        let change = |kind, from: &str, to: &str| Self { found: Some(from.to_owned()), ..value(kind, to) };
        match difference {
            Difference::New => of("new"),
            Difference::Due { not_after } => Self { at: Some(Time(*not_after)), ..of("due") },
            Difference::NotYetValid { not_before } => Self { at: Some(Time(*not_before)), ..of("not-yet-valid") },
            Difference::Revoked => of("revoked"),
            Difference::IssuerRevoked => of("issuer-revoked"),
            Difference::NameAdded(name) => value("san-added", name),
            Difference::NameRemoved(name) => value("san-removed", name),
            Difference::KeyKind { from, to } => change("key-kind", from, to),
            Difference::OtherKey => of("other-key"),
            Difference::Template { from, to } => change("template", from, to),
            Difference::TemplateText => of("template-text"),
            Difference::Lifetime => of("lifetime"),
            Difference::Issuer { from, to } => change("issuer", from, to),
            Difference::FileMissing(name) => value("file-missing", name),
            Difference::FileAltered(name) => value("file-altered", name),
            Difference::FileRules(rules) => value("file-rules", rules),
            Difference::Mode { from, to } => change("mode", &format!("{from:04o}"), &format!("{to:04o}")),
            Difference::Owner => of("owner"),
            Difference::ExportMissing(path) => value("export-missing", path),
            Difference::ExportStale(path) => value("export-stale", path),
            Difference::Hook => of("hook"),
            Difference::HookPending => of("hook-pending"),
            Difference::Manifest => of("manifest"),
        }
    }
}
