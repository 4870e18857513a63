//! The event log: its hashes, its signatures, and the rows that its events cover.

use std::collections::{BTreeMap, BTreeSet};

use crate::authority::audit::finding::{Findings, RESTORE, Severity};
use crate::authority::audit::records::RecordedCa;
use crate::authority::audit::row_set::RowSet;
use crate::issuance::verify_log_head;
use crate::store::index::{Event, EventKind, EventObject, Index, IndexError, empty_hash, next_hash};
use crate::store::progress::{Progress, Step};
use crate::system::threads::{in_order, usual_jobs};
use crate::text::{self, rfc3339};

/// The kinds whose transaction has a CA key in use, and ends with them.
const SIGNED: [EventKind; 6] =
    [EventKind::Issue, EventKind::Sign, EventKind::Renew, EventKind::Rekey, EventKind::Crl, EventKind::RootRenew];

/// The events whose signatures a thread verifies together.
const TOGETHER: usize = 64;

/// Checks the log from its first event to its last.
///
/// # Errors
/// When the index cannot be read.
pub fn check(
    index: &Index,
    authorities: &[RecordedCa],
    progress: &dyn Progress,
    findings: &mut Findings,
) -> Result<Facts, IndexError> {
    let (mut facts, mut attested) = (Facts::default(), BTreeMap::<String, RowSet>::new());
    in_order(
        usual_jobs(),
        TOGETHER,
        |give| check_in_order(index, progress, &mut facts, give),
        |checked| {
            let CheckedEvent { event, is_linked, before: mut findings, after } = checked;
            let signer = check_signature(&event, authorities, &mut findings);
            let is_as_recorded = is_linked && after.is_empty() && event.object.as_deref() == Some("certificate");
            let attested = signer.filter(|_| is_as_recorded).zip(event.row);
            findings.append(after);
            (findings, attested)
        },
        |(found, newly_attested)| {
            findings.append(found);
            if let Some((signer, row)) = newly_attested {
                attested.entry(signer).or_default().insert(row);
            }
            Ok(())
        },
    )?;
    facts.attested = attested;
    index.each_setting_event::<IndexError>(|event| {
        check_row(&event, index.covered_digest(&event)?, findings);
        Ok(())
    })?;
    for row in index.uncovered_rows()? {
        let id = row.id.map(|id| format!(" {id}")).unwrap_or_default();
        let object = format!("{}{id} of '{}'", row.object, text::escape(&row.name));
        let message = "it is in the index, but no event of the log recorded it";
        findings.error("record-forged", object, message, RESTORE);
    }
    for number in index.repeated_events()? {
        let message = "an earlier event covers the same row";
        findings.error("log-broken", format!("event {number}"), message, RESTORE);
    }
    Ok(facts)
}

/// An event, and what was found about it but for its signature: what comes before that in the report, and what comes after it.
struct CheckedEvent {
    event: Event,
    /// True when its hash covers it and the head before it.
    is_linked: bool,
    before: Findings,
    after: Findings,
}

/// Checks what the order of the events decides, and the rows that they cover; calls `give` with each event and what was found.
fn check_in_order(
    index: &Index,
    progress: &dyn Progress,
    facts: &mut Facts,
    give: &mut dyn FnMut(CheckedEvent) -> Result<(), IndexError>,
) -> Result<(), IndexError> {
    let events = index.log_head().ok().flatten().map(|head| head.count);
    let mut head = empty_hash();
    let mut count = 0;
    let mut broken = false;
    index.each_event_with_certificate::<IndexError>(|event, encoded, certificate| {
        let (mut before, mut after) = (Findings::default(), Findings::default());
        count += 1;
        progress.report(Step::items("checking events", count, events));
        head = next_hash(&head, encoded);
        let is_linked = event.number == count && event.head == head;
        if !is_linked && !broken {
            // After one wrong hash, every later one would be wrong as well.
            broken = true;
            let message = if event.number == count {
                "the event, or one before it, was changed: its hash is not the one of the log".to_owned()
            } else {
                format!("the log has no event {count}: events were removed or inserted")
            };
            before.error("log-broken", format!("event {}", event.number), message, RESTORE);
        }
        // The following events are checked as a continuation of what is stored.
        (head, count) = (event.head.as_slice().try_into().unwrap_or(head), event.number);
        facts.note(&event);
        let object = EventObject::ALL.into_iter().find(|object| Some(object.name()) == event.object.as_deref());
        match object {
            Some(EventObject::Certificate) => check_row(&event, certificate, &mut after),
            // Of a setting, only the latest event is about its row.
            Some(object) if object.setting_key(&event.name).is_some() => {}
            _ if event.object.is_some() => check_row(&event, index.covered_digest(&event)?, &mut after),
            _ => {}
        }
        give(CheckedEvent { event, is_linked, before, after })
    })
}

/// What the log says of files that need not be there, and of the order of revocations and CRLs.
#[derive(Debug, Default)]
pub struct Facts {
    /// The rows of certificates for a CSR, and those that are older than the log.
    pub keyless: RowSet,
    /// The authorities that a rotation retired.
    pub retired: BTreeSet<String>,
    /// The times at which the rows of revocations were recorded.
    pub revocations: BTreeMap<i64, i64>,
    /// The releases of rows of revocations.
    pub releases: BTreeMap<i64, Recorded>,
    /// The rows of imported revocations.
    pub imported: BTreeMap<i64, Recorded>,
    /// The events of CRLs, by authority and number.
    pub crls: BTreeMap<(String, i64), u64>,
    /// The rows of certificates that are as their event recorded them, and whose event has a valid signature over the log: by the
    /// authority that signed it.
    pub attested: BTreeMap<String, RowSet>,
}

/// When something was recorded.
#[derive(Debug, Clone, Copy)]
pub struct Recorded {
    /// The number of the event.
    pub number: u64,
    /// In seconds since 1970.
    pub at: i64,
    /// True when it was there before the log, so that its number says nothing.
    pub is_migrated: bool,
}

impl Facts {
    fn note(&mut self, event: &Event) {
        let is_kind = |kind: EventKind| event.kind == kind.name();
        let is_certificate = event.object.as_deref() == Some("certificate");
        if is_certificate && (is_kind(EventKind::Sign) || is_kind(EventKind::Migrate) || is_kind(EventKind::Import)) {
            event.row.into_iter().for_each(|row| self.keyless.insert(row));
        }
        if is_kind(EventKind::RootRotateFinish) {
            self.retired.insert(event.name.clone());
        }
        let recorded =
            Recorded { number: event.number, at: event.at.unix_timestamp(), is_migrated: is_kind(EventKind::Migrate) };
        match (event.object.as_deref(), event.row) {
            (Some("revocation"), Some(row)) => drop(self.revocations.insert(row, recorded.at)),
            (Some("release"), Some(row)) => drop(self.releases.insert(row, recorded)),
            (Some("imported-revocation"), Some(row)) => drop(self.imported.insert(row, recorded)),
            (Some("crl"), Some(number)) => drop(self.crls.insert((event.name.clone(), number), event.number)),
            _ => {}
        }
    }
}

/// Compares the digest of a row, as it is now, with what its event recorded.
fn check_row(event: &Event, now: Option<[u8; 32]>, findings: &mut Findings) {
    if now.as_ref().map(<[u8; 32]>::as_slice) == event.content.as_deref() {
        return;
    }
    let (code, what) = match (now.is_some(), event.content.is_some()) {
        (false, _) => ("record-deleted", "it is no longer in the index"),
        (true, true) => ("record-changed", "it is not what was recorded"),
        (true, false) => ("record-forged", "it was removed, and is in the index again"),
    };
    let object = event.object.as_deref().unwrap_or_default();
    let serial = event.serial.as_ref().map(|serial| format!(" (serial {serial})")).unwrap_or_default();
    let object = format!("{object} of '{}'{serial}", text::escape(&event.name));
    findings.error(code, object, format!("event {} ({}) recorded it: {what}", event.number, described(event)), RESTORE);
}

/// Returns kind, time, user and host of an event.
fn described(event: &Event) -> String {
    let by = event.actor.as_ref().map(|actor| {
        let user = actor.user.clone().unwrap_or_else(|| format!("user {}", actor.user_id));
        format!(", {} on {}", text::escape(&user), text::escape(&actor.host))
    });
    format!("{}, {}{}", text::escape(&event.kind), rfc3339(event.at), by.unwrap_or_default())
}

/// Verifies the signature over the head after an event. Returns the authority that signed it.
fn check_signature(event: &Event, authorities: &[RecordedCa], findings: &mut Findings) -> Option<String> {
    let object = format!("event {}", event.number);
    let Some(signature) = &event.signature else {
        if SIGNED.iter().any(|kind| kind.name() == event.kind) {
            let message = format!("the head of the log after this event ({}) is not signed", described(event));
            findings.error("log-signature", object, message, RESTORE);
        }
        return None;
    };
    let hash = event.head.as_slice().try_into().ok()?;
    let mut keys = authorities.iter().filter(|authority| authority.name == signature.authority).peekable();
    if keys.peek().is_none() {
        let message =
            format!("the index has no CA certificate of '{}', which signed it", text::escape(&signature.authority));
        findings.add(Severity::Error, "log-signature", object, message, RESTORE);
        return None;
    }
    let is_valid = keys.any(|authority| {
        let key = &authority.certificate.public_key;
        verify_log_head(key, event.number, &hash, event.at, &signature.signature)
    });
    if !is_valid {
        let message = format!(
            "the signature of '{}' over the head of the log is invalid: the log was rewritten up to here",
            text::escape(&signature.authority)
        );
        findings.error("log-signature", object, message, RESTORE);
    }
    is_valid.then(|| signature.authority.clone())
}
