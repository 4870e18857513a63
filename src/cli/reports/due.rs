//! A certificate, an authority or a CRL that is due, as `ca due` and `ca renew --due` show it.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use time::OffsetDateTime;

use crate::authority::leaf::due::{DueEntry, DueItem};
use crate::authority::leaf::hook::Hook;
use crate::report::json::{FilePath, Serial, Time};

/// The word for the kind of an entry.
pub fn kind(due: &DueEntry) -> &'static str {
    match due.what {
        DueItem::Certificate { .. } => "certificate",
        DueItem::Authority { .. } => "authority",
        DueItem::List { .. } => "revocation-list",
    }
}

/// What is due.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Due{H}")]
pub struct DueJson<'a, H> {
    #[schemars(extend("enum" = ["certificate", "authority", "revocation-list"]))]
    kind: &'static str,
    /// Of a certificate its name, else that of the authority.
    name: &'a str,
    template: Option<&'a str>,
    serial: Option<Serial<'a>>,
    number: Option<u64>,
    /// Of a CRL.
    crl_number: Option<u64>,
    /// As `not_after` or `next_update`.
    #[schemars(extend("deprecated" = true))]
    ends_at: Time,
    /// Of a certificate and an authority.
    not_after: Option<Time>,
    /// Of a CRL.
    next_update: Option<Time>,
    has_ended: bool,
    not_yet_valid: bool,
    /// Where the files of the certificate are.
    folder: Option<FilePath<&'a PathBuf>>,
    /// Of a certificate: what is remembered with its name, or what ran after it was renewed.
    hook: Option<H>,
    /// The command that renews it.
    command: String,
    /// Of a root: what is to be known before it is renewed.
    note: Option<String>,
}

impl<'a, H> DueJson<'a, H> {
    pub fn new(due: &'a DueEntry, command: String, hook: Option<H>, now: OffsetDateTime) -> Self {
        let (serial, template, number, folder) = match &due.what {
            DueItem::Certificate { entry, folder, .. } => {
                (Some(&entry.serial), Some(entry.template.as_str()), None, Some(folder))
            }
            DueItem::Authority { serial, .. } => (Some(serial), None, None, None),
            DueItem::List { number } => (None, None, Some(*number), None),
        };
        let end = Time(due.validity.not_after);
        Self {
            kind: kind(due),
            name: &due.name,
            template,
            serial: serial.map(Serial),
            number,
            crl_number: number,
            ends_at: end,
            not_after: number.is_none().then_some(end),
            next_update: number.is_some().then_some(end),
            has_ended: due.validity.not_after < now,
            not_yet_valid: due.validity.not_before > now,
            folder: folder.map(FilePath),
            hook,
            command,
            note: due.serial_note(),
        }
    }
}

/// The hook that is remembered with the name of a certificate.
pub fn hook_of(due: &DueEntry) -> Option<&Hook> {
    match &due.what {
        DueItem::Certificate { hook, .. } => hook.as_ref(),
        DueItem::Authority { .. } | DueItem::List { .. } => None,
    }
}
