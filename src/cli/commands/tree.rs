//! `ca tree`: the authorities of a CA below each other.

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::hierarchy::{self, Authority, AuthorityState, CrossCertificate, PublishedCrl};
use crate::cli::reports::counts::{CountsJson, counts_phrase};
use crate::cli::reports::entry::how_far;
use crate::report::describe::scope::ImpersonationScope;
use crate::report::failure::Failure;
use crate::report::json::{self, Time};
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::store::index::CertificateStatus;
use crate::x509::Certificate;

#[derive(Debug, Args)]
pub struct Arguments {}

pub fn run(_: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let now = context.now();
    let store = context.store()?;
    Ok(Box::new(Tree { authorities: hierarchy::of(&store, now)?, now }))
}

/// The authorities, each followed by those below it.
struct Tree {
    authorities: Vec<Authority>,
    now: OffsetDateTime,
}

/// The strings that draw the tree.
struct Lines {
    /// Before an authority that others of the same parent follow, and below it.
    branch: [&'static str; 2],
    /// Before the last one of a parent, and below it.
    last: [&'static str; 2],
    /// Beside the facts of an authority that has others below it.
    stem: &'static str,
}

const UTF8: Lines = Lines { branch: ["├── ", "│   "], last: ["└── ", "    "], stem: "│ " };
const ASCII: Lines = Lines { branch: ["|-- ", "|   "], last: ["`-- ", "    "], stem: "| " };

impl Tree {
    /// Returns whether another authority of the same parent follows.
    fn has_sibling_below(&self, at: usize) -> bool {
        let depth = self.authorities[at].depth;
        let rest = &self.authorities[at + 1..];
        rest.iter().find(|other| other.depth <= depth).is_some_and(|other| other.depth == depth)
    }

    fn has_children(&self, at: usize) -> bool {
        self.authorities.get(at + 1).is_some_and(|next| next.depth > self.authorities[at].depth)
    }

    /// Returns the facts of an authority: labels and values.
    fn facts(&self, authority: &Authority) -> Vec<(&'static str, String)> {
        let Some(certificate) = &authority.certificate else {
            return vec![("waits for", format!("its certificate: ca intermediate install {} FILE", authority.name))];
        };
        let end = certificate.validity.not_after;
        let scope = ImpersonationScope::of(certificate, &authority.above, self.now);
        let mut facts = vec![("subject", certificate.subject.to_string())];
        if authority.parent.is_none() && !authority.is_root() {
            facts.push(("issuer", format!("{} (not an authority of this CA)", certificate.issuer)));
        }
        let place = if authority.has_key { "" } else { ", its key file is not here" };
        facts.push(("key", format!("{}{place}", certificate.public_key.kind())));
        facts.push(("expires", format!("{} {}", end.date(), how_far(end - self.now))));
        facts.push(("scope", scope.names()));
        facts.push(("CRL", self.crl(authority.crl.as_ref())));
        facts.push(("certificates", counts_phrase(&authority.counts)));
        for CrossCertificate { file, certificate } in &authority.cross_certificates {
            let end = certificate.validity.not_after.date();
            let (subject, issuer) = (&certificate.subject, &certificate.issuer);
            facts.push(("cross-signed", format!("{subject}, by {issuer}, expires {end} ({file})")));
        }
        facts
    }

    fn crl(&self, crl: Option<&PublishedCrl>) -> String {
        let Some(PublishedCrl { recorded: crl, is_deployed }) = crl else { return "none".to_owned() };
        let age = self.now - crl.signed_at;
        let age = if age.whole_seconds() == 0 { "now".to_owned() } else { how_far(-age) };
        let update = crl.next_update;
        let missing = if *is_deployed { "" } else { "; its file is missing" };
        let expires = if update < self.now { "expired" } else { "expires" };
        format!(
            "number {}, signed {age}, {expires} {} {}{missing}",
            crl.number,
            update.date(),
            how_far(update - self.now)
        )
    }
}

/// What stands behind the name of an authority.
fn kind(authority: &Authority) -> (Tone, String) {
    let role = if authority.is_root() { "root" } else { "intermediate" };
    let state = Some(authority.state).filter(|state| *state != AuthorityState::Active);
    let status = authority.status.filter(|status| *status != CertificateStatus::Valid);
    let words: Vec<&str> = std::iter::once(role)
        .chain(state.map(AuthorityState::name))
        .chain(status.map(CertificateStatus::name))
        .collect();
    let tone = if status.is_some() { Tone::Bad } else { Tone::Dim };
    (tone, format!("  {}", words.join(", ")))
}

impl Report for Tree {
    fn text(&self, page: &mut Page) {
        let lines = if page.is_utf8() { UTF8 } else { ASCII };
        // What is drawn before the lines of the authorities above, by depth.
        let mut below: Vec<&str> = Vec::new();
        for (at, authority) in self.authorities.iter().enumerate() {
            below.truncate(authority.depth.saturating_sub(1));
            let drawn = below.concat();
            let [before, under] = match (authority.depth, self.has_sibling_below(at)) {
                (0, _) => ["", ""],
                (_, true) => lines.branch,
                (_, false) => lines.last,
            };
            if authority.depth == 0 && at > 0 {
                page.gap();
            }
            let (tone, kind) = kind(authority);
            page.pieces(&[(Tone::Dim, &format!("{drawn}{before}")), (Tone::Strong, &authority.name), (tone, &kind)]);
            if authority.depth > 0 {
                below.push(under);
            }
            let stem = if self.has_children(at) { lines.stem } else { "  " };
            for (label, value) in self.facts(authority) {
                page.pieces(&[(Tone::Dim, &format!("{}{stem}{label:<13} ", below.concat())), (Tone::Plain, &value)]);
            }
        }
        if self.authorities.is_empty() {
            page.line("no authority has a certificate");
        }
    }

    fn json(&self) -> Value {
        let hierarchy: Vec<_> =
            self.authorities.iter().map(|authority| AuthorityJson::of(authority, self.now)).collect();
        let content = TreeJson { total: hierarchy.len(), hierarchy };
        json::document("ca.tree/1", &content)
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tree")]
pub struct TreeJson {
    /// Each is followed by those below it.
    hierarchy: Vec<AuthorityJson>,
    total: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Authority")]
pub struct AuthorityJson {
    name: String,
    /// `root` or `intermediate`.
    role: &'static str,
    /// `active`, `being-replaced`, `retired` or `pending`.
    state: &'static str,
    /// The status of its certificate; `null` while it has none.
    status: Option<&'static str>,
    /// The name of the authority that signed it; `null` for a root, and when no authority of this CA did.
    parent: Option<String>,
    depth: usize,
    /// `null` while it has none, as are the other fields of a certificate.
    subject: Option<String>,
    issuer: Option<String>,
    serial: Option<String>,
    not_before: Option<Time>,
    not_after: Option<Time>,
    expires_in_seconds: Option<i64>,
    key_algorithm: Option<String>,
    /// True when the file with its private key is in its folder.
    has_key: bool,
    scope: Option<ScopeJson>,
    crl: Option<TreeCrlJson>,
    /// The certificates that it signed, without those of authorities.
    counts: CountsJson,
    cross_certificates: Vec<CrossJson>,
}

/// The names for which it can issue, with the limits of the authorities above it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
pub struct ScopeJson {
    permitted: Vec<String>,
    excluded: Vec<String>,
    /// The kinds of names that are not limited.
    unrestricted: Vec<&'static str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TreeCrl")]
pub struct TreeCrlJson {
    number: u64,
    this_update: Time,
    next_update: Time,
    age_seconds: i64,
    expires_in_seconds: i64,
    /// The number of certificates that it revokes.
    entry_count: u64,
    /// True when its file is in the folder of the authority.
    deployed: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cross")]
pub struct CrossJson {
    file_name: &'static str,
    subject: String,
    issuer: String,
    serial: String,
    not_after: Time,
}

impl AuthorityJson {
    fn of(authority: &Authority, now: OffsetDateTime) -> Self {
        let certificate = authority.certificate.as_ref();
        let end = certificate.map(|certificate| certificate.validity.not_after);
        let scope = certificate.map(|certificate| ImpersonationScope::of(certificate, &authority.above, now));
        let text = |text: fn(&Certificate) -> String| certificate.map(text);
        Self {
            name: authority.name.clone(),
            role: if authority.is_root() { "root" } else { "intermediate" },
            state: authority.state.name(),
            status: authority.status.map(CertificateStatus::name),
            parent: authority.parent.clone(),
            depth: authority.depth,
            subject: text(|certificate| certificate.subject.to_string()),
            issuer: text(|certificate| certificate.issuer.to_string()),
            serial: text(|certificate| certificate.serial.to_string()),
            not_before: certificate.map(|certificate| Time(certificate.validity.not_before)),
            not_after: end.map(Time),
            expires_in_seconds: end.map(|end| (end - now).whole_seconds()),
            key_algorithm: text(|certificate| certificate.public_key.kind().to_string()),
            has_key: authority.has_key,
            scope: scope.map(|scope| ScopeJson {
                permitted: scope.permitted(),
                excluded: scope.excluded(),
                unrestricted: scope.unrestricted(),
            }),
            crl: authority.crl.as_ref().map(|PublishedCrl { recorded: crl, is_deployed }| TreeCrlJson {
                number: crl.number,
                this_update: Time(crl.this_update),
                next_update: Time(crl.next_update),
                age_seconds: (now - crl.signed_at).whole_seconds(),
                expires_in_seconds: (crl.next_update - now).whole_seconds(),
                entry_count: crl.entries,
                deployed: *is_deployed,
            }),
            counts: CountsJson::of(&authority.counts),
            cross_certificates: authority.cross_certificates.iter().map(CrossJson::of).collect(),
        }
    }
}

impl CrossJson {
    fn of(cross: &CrossCertificate) -> Self {
        let CrossCertificate { file, certificate } = cross;
        Self {
            file_name: file,
            subject: certificate.subject.to_string(),
            issuer: certificate.issuer.to_string(),
            serial: certificate.serial.to_string(),
            not_after: Time(certificate.validity.not_after),
        }
    }
}
