//! The warning that a CRL of the CA directory expires soon. Servers and clients that check an expired CRL refuse every
//! certificate of its issuer, so every command warns while there is time to sign the next one.

use std::path::Path;

use time::OffsetDateTime;

use crate::app::context::Context;
use crate::app::directory::ca_certificate_files;
use crate::app::restored;
use crate::report::failure::Failure;
use crate::store::CaCertificates;
use crate::store::ca_certificates::read_certificate;
use crate::store::home::Home;
use crate::store::index::RecordedCrl;
use crate::store::restored::Restored;
use crate::system::files;
use crate::text::{humanize, rfc3339};

/// Returns a sentence for every CRL of the CA directory with less than a third of its life left, and one when the CA was
/// restored and not compared since.
///
/// Errors are left out: the commands that they affect report them.
pub fn warnings(context: &Context<'_>) -> Vec<String> {
    if !context.folder_to_find().is_some_and(|folder| can_warn(&Home::at(folder))) {
        return Vec::new();
    }
    let Ok(cas) = context.ca_certificates() else { return Vec::new() };
    restored::warning(cas.home()).into_iter().chain(overdue(&cas, context).unwrap_or_default()).collect()
}

/// Returns whether there is a CRL, or the record of a restore. Most runs of `ca verify` need nothing else of the CA directory:
/// only when there is, everything in it is examined ([`Home::find`]).
fn can_warn(unexamined: &Home) -> bool {
    let authorities = files::names_in(&unexamined.authorities()).unwrap_or_default();
    Restored::exists(unexamined) || authorities.iter().any(|name| unexamined.crl_der(name).exists())
}

fn overdue(cas: &CaCertificates, context: &Context<'_>) -> Result<Vec<String>, Failure> {
    let now = context.now();
    let mut with_crl = ca_certificate_files(cas)?;
    // A CA without a CRL needs neither its settings nor its index for this.
    with_crl.retain(|ca| cas.home().crl_der(&ca.name).exists());
    if with_crl.is_empty() {
        return Ok(Vec::new());
    }
    let store = context.store()?;
    let index = store.index()?;
    let mut due = index.latest_crls()?;
    due.retain(|crl| {
        // An authority whose certificate has expired needs no CRL.
        crl.is_due(now) && with_crl.iter().any(|ca| ca.name == crl.authority && is_valid(&ca.path, now))
    });
    let usual = cas.choose(None, store.config()).unwrap_or_default();
    Ok(due.iter().map(|crl| sentence(crl, &usual, now)).collect())
}

fn is_valid(ca_certificate: &Path, now: OffsetDateTime) -> bool {
    read_certificate(ca_certificate).is_ok_and(|certificate| now <= certificate.validity.not_after)
}

fn sentence(crl: &RecordedCrl, usual: &str, now: OffsetDateTime) -> String {
    let (authority, end) = (&crl.authority, rfc3339(crl.next_update));
    let left = humanize(crl.next_update - now);
    let command = if authority == usual {
        "ca crl --ensure".to_owned()
    } else {
        format!("ca crl --authority {authority} --ensure")
    };
    if crl.is_from_the_future(now) {
        let (begin, away) = (rfc3339(crl.this_update), humanize(crl.this_update - now));
        format!(
            "the CRL of '{authority}' is not valid before {begin}, in {away}: the clock of this machine may be wrong, or was \
             ahead when it was signed. Clients that check it reject every certificate of '{authority}' until then. Sign the \
             next one: {command}"
        )
    } else if crl.next_update > now {
        format!(
            "the CRL of '{authority}' expires at {end}, in {left}. Clients that check it refuse every \
                 certificate of '{authority}' from then on. Sign the next one: {command}"
        )
    } else {
        format!(
            "the CRL of '{authority}' expired at {end}, {left} ago. Clients that check it refuse every \
                 certificate of '{authority}'. Sign the next one: {command}"
        )
    }
}
