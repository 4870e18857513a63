//! A certificate, an authority or a CRL that is due, as `ca due` and `ca renew --due` show it.

use serde_json::{Value, json};
use time::OffsetDateTime;

use super::hook::hook_json;
use crate::authority::leaf::due::{DueEntry, DueItem};
use crate::text::rfc3339;

/// The word for the kind of an entry.
pub fn kind(due: &DueEntry) -> &'static str {
    match due.what {
        DueItem::Certificate { .. } => "certificate",
        DueItem::Authority { .. } => "authority",
        DueItem::List { .. } => "revocation-list",
    }
}

/// An entry in JSON.
pub fn due_json(due: &DueEntry, command: &str, now: OffsetDateTime) -> Value {
    let (serial, template, number, folder, hook) = match &due.what {
        DueItem::Certificate { entry, folder, hook, has_key: _ } => {
            (Some(entry.serial.to_string()), Some(&entry.template), None, Some(folder), hook_json(hook.as_ref()))
        }
        DueItem::Authority { serial, .. } => (Some(serial.to_string()), None, None, None, Value::Null),
        DueItem::List { number } => (None, None, Some(number), None, Value::Null),
    };
    json!({
        "kind": kind(due),
        "name": due.name,
        "template": template,
        "serial": serial,
        "number": number,
        "ends_at": rfc3339(due.validity.not_after),
        "has_ended": due.validity.not_after < now,
        "not_yet_valid": due.validity.not_before > now,
        "folder": folder,
        "hook": hook,
        "command": command,
    })
}
