//! The first line of `ca status`: today's state in a sentence.

use time::OffsetDateTime;

use crate::app::status::item::{CaStatus, SOON};
use crate::store::ca_certificates::ROOT;
use crate::text::humanize;

/// Returns the sentence: certificates, then the next CRL, then the root.
pub fn sentence(status: &CaStatus) -> String {
    let CaStatus { now, certificates, expired, expiring, next_crl, root, .. } = status;
    let (days, s) = (SOON.whole_days(), if *expiring == 1 { "s" } else { "" });
    let mut parts = vec![match certificates {
        0 => "no certificate was issued yet".to_owned(),
        1 => format!("{expiring} of 1 certificate expires within {days} days"),
        more => format!("{expiring} of {more} certificates expire{s} within {days} days"),
    }];
    match expired {
        0 => {}
        1 => parts.push("1 has expired and is still deployed".to_owned()),
        more => parts.push(format!("{more} have expired and are still deployed")),
    }
    if let Some(crl) = next_crl {
        parts.push(format!("the CRL of {} {}", called(&crl.authority), expires(crl.at, *now)));
    }
    if let Some(root) = root {
        parts.push(format!("{} {}", called(&root.authority), expires(root.at, *now)));
    }
    parts.join("; ")
}

/// Returns the word for an authority.
fn called(authority: &str) -> String {
    if authority == ROOT { "the root".to_owned() } else { format!("'{authority}'") }
}

/// Returns when something expires, in words: today, tomorrow, or a number of days.
fn expires(at: OffsetDateTime, now: OffsetDateTime) -> String {
    let days = at.date().to_julian_day() - now.date().to_julian_day();
    match days {
        _ if at < now => format!("expired {} ago", humanize(now - at)),
        0 => "expires today".to_owned(),
        1 => "expires tomorrow".to_owned(),
        _ => format!("expires in {}", humanize(at - now)),
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::app::status::item::Expiry;

    #[test]
    fn the_state_is_one_sentence() {
        let now = datetime!(2026-06-01 12:00 UTC);
        let day = Duration::DAY;
        let expiry =
            |authority: &str, after: Duration| Some(Expiry { authority: authority.to_owned(), at: now + after });
        let status = |certificates, expired, expiring, next_crl, root| {
            let items = Vec::new();
            sentence(&CaStatus { now, items, certificates, expired, expiring, next_crl, root })
        };
        assert_eq!(
            status(412, 0, 3, expiry("issuing", day), expiry("root", day * 3285)),
            "3 of 412 certificates expire within 30 days; the CRL of 'issuing' expires tomorrow; the root expires in 9 years"
        );
        assert_eq!(
            status(2, 1, 1, expiry("root", -day), expiry("corp", day * 40)),
            "1 of 2 certificates expires within 30 days; 1 has expired and is still deployed; the CRL of the root expired \
             1 day ago; 'corp' expires in 40 days"
        );
        assert_eq!(
            status(1, 2, 0, expiry("a", Duration::HOUR), None),
            "0 of 1 certificate expires within 30 days; 2 have \
             expired and are still deployed; the CRL of 'a' expires today"
        );
        assert_eq!(status(0, 0, 0, None, None), "no certificate was issued yet");
    }
}
