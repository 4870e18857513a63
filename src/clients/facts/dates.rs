//! Dates (RFC 5280 §4.1.2.5).

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::item::Item;
use crate::clients::fact::{Found, words};
use crate::clients::raw_time::RawTime;
use crate::x509::der;

words! {
    EXPIRED = "expired", ANY, "has expired", "RFC 5280 §6.1.3 (a)(2)";
    NOT_YET_VALID = "not-yet-valid", ANY, "is not valid yet", "RFC 5280 §6.1.3 (a)(2)";
    REVERSED = "validity-reversed", ANY, "expires before it is valid", "RFC 5280 §4.1.2.5";
    UNREADABLE = "time:unreadable", ANY, "has a date that cannot be read", "RFC 5280 §4.1.2.5";
    LIFE_OVER_398 = "life-over-398", LEAF, "is valid for more than 398 days", "BR §6.3.2";
    LIFE_OVER_825 = "life-over-825", LEAF, "is valid for more than 825 days", "Apple HT210176";
    ENDS_AFTER_2050 = "ends-after-2050", ANY, "expires in 2050 or later", "RFC 5280 §4.1.2.5";
    ENDS_9999 = "ends-9999", ANY, "expires at the end of 9999, which stands for no known end", "RFC 5280 §4.1.2.5";
    OUTLIVES_ISSUER = "outlives-issuer", BELOW_ROOT, "expires after its issuer", "RFC 5280 §6.1.3 (a)(2)";
    STARTS_BEFORE_ISSUER = "starts-before-issuer", LEAF, "is valid from a time before its issuer is", "RFC 5280 §6.1.3 (a)(2)";
    STARTS_BEFORE_1970 = "starts-before-1970", ANY, "is valid from a time before 1970", "RFC 5280 §4.1.2.5";
    STARTS_BEFORE_1950 = "starts-before-1950", ANY, "is valid from a time before 1950", "RFC 5280 §4.1.2.5";
    GENERALIZED_BEFORE_2050 = "time:generalized-before-2050", ANY, "has a date before 2050 as GeneralizedTime", "RFC 5280 §4.1.2.5";
    NO_SECONDS = "time:no-seconds", ANY, "has a date without seconds", "RFC 5280 §4.1.2.5.1";
    OFFSET = "time:offset", ANY, "has a date with an offset from UTC", "RFC 5280 §4.1.2.5.1";
    FRACTION = "time:fraction", ANY, "has a date with a fraction of a second", "RFC 5280 §4.1.2.5.2";
}

const YEAR_1950: OffsetDateTime = datetime!(1950-01-01 0:00 UTC);
const YEAR_2050: OffsetDateTime = datetime!(2050-01-01 0:00 UTC);

pub fn find(item: &Item<'_, '_>, at: OffsetDateTime, found: &mut Found) {
    let (subject, certificate) = (item.subject, item.certificate);
    for time in [&certificate.not_before, &certificate.not_after] {
        form(item, time, found);
    }
    let (Some(from), Some(until)) = (certificate.not_before.instant(), certificate.not_after.instant()) else {
        return found.add(subject, &UNREADABLE);
    };
    if until < from {
        found.add(subject, &REVERSED);
    } else {
        // The last second counts whole.
        found.add_if(at >= until.saturating_add(Duration::SECOND), subject, &EXPIRED);
        found.add_if(at < from, subject, &NOT_YET_VALID);
    }
    if item.is_leaf() {
        let life = until - from;
        found.add_if(life > Duration::days(398) && life <= Duration::days(825), subject, &LIFE_OVER_398);
        found.add_if(life > Duration::days(825), subject, &LIFE_OVER_825);
    }
    if until.year() == 9999 {
        found.add(subject, &ENDS_9999);
    } else {
        found.add_if(until >= YEAR_2050, subject, &ENDS_AFTER_2050);
    }
    if from < YEAR_1950 {
        found.add(subject, &STARTS_BEFORE_1950);
    } else {
        found.add_if(from < OffsetDateTime::UNIX_EPOCH, subject, &STARTS_BEFORE_1970);
    }
    if let Some(issuer) = item.issuer {
        found.add_if(issuer.not_after.instant().is_some_and(|end| until > end), subject, &OUTLIVES_ISSUER);
        let is_early = issuer.not_before.instant().is_some_and(|begin| from < begin);
        found.add_if(item.is_leaf() && is_early, subject, &STARTS_BEFORE_ISSUER);
    }
}

fn form(item: &Item<'_, '_>, time: &RawTime<'_>, found: &mut Found) {
    let subject = item.subject;
    let is_early = time.instant().is_some_and(|instant| (YEAR_1950..YEAR_2050).contains(&instant));
    found.add_if(time.tag == der::GENERALIZED_TIME && is_early, subject, &GENERALIZED_BEFORE_2050);
    found.add_if(!time.has_seconds(), subject, &NO_SECONDS);
    found.add_if(time.offset().is_some(), subject, &OFFSET);
    found.add_if(time.has_fraction(), subject, &FRACTION);
}
