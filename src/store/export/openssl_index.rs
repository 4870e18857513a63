//! `index.txt`, the database of `openssl ca` and `openssl ocsp` (openssl-ca(1), "FILES"): one line for each certificate of an
//! authority, with six fields between tabs.

use time::OffsetDateTime;

use crate::store::index::{CertificateStatus, Filter, Index, IndexError, Revocation};
use crate::text::hex;
use crate::x509::crl::RevocationReason;
use crate::x509::{DistinguishedName, SerialNumber};

/// The file beside the index, whose name is that of the index with this at its end.
pub const ATTRIBUTES_SUFFIX: &str = ".attr";

/// Its content. Without it, openssl refuses an index in which two valid certificates have one subject, as after a renewal.
pub const ATTRIBUTES: &str = "unique_subject = no\n";

/// The expiry of a certificate whose expiry is not known.
const UNKNOWN_EXPIRY: &str = "99991231235959Z";

/// Returns the lines, in the order of issue. Certificates of another tool that are known by their serial number stand last.
///
/// # Errors
/// When the index cannot be read.
pub fn lines(index: &Index, authority: &str, now: OffsetDateTime) -> Result<String, IndexError> {
    let mut text = String::new();
    let mut failed = None;
    let filter = Filter { authority: Some(authority.to_owned()), ..Filter::default() };
    index.for_each(&filter, now, |entry| match index.certificate(&entry) {
        Ok(certificate) => {
            let status = match entry.status(now) {
                CertificateStatus::Revoked | CertificateStatus::Held => 'R',
                CertificateStatus::Expired => 'E',
                _ => 'V',
            };
            let revocation = entry.revocation.as_ref().filter(|_| status == 'R');
            let expiry = moment(entry.validity.not_after);
            push(&mut text, (status, &expiry), revocation, &entry.serial, &subject(&certificate.subject));
        }
        Err(error) => failed = Some(error),
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    for (serial, imported) in index.imported_certificates(authority)? {
        let is_expired = imported.not_after.is_some_and(|at| at < now);
        let status = match &imported.revocation {
            Some(_) => 'R',
            None if is_expired => 'E',
            None => 'V',
        };
        let expiry = imported.not_after.map_or_else(|| UNKNOWN_EXPIRY.to_owned(), moment);
        let subject = imported.subject.as_deref().map(escaped).unwrap_or_default();
        push(&mut text, (status, &expiry), imported.revocation.as_ref(), &serial, &subject);
    }
    Ok(text)
}

fn push(
    text: &mut String,
    (status, expiry): (char, &str),
    revocation: Option<&Revocation>,
    serial: &SerialNumber,
    subject: &str,
) {
    let revoked = revocation.map(revoked).unwrap_or_default();
    // openssl compares the digits as text: upper case, and a whole number of bytes.
    let serial = serial.to_string().to_uppercase();
    // As openssl: the serial number for a certificate without a subject.
    let subject = if subject.is_empty() { &serial } else { subject };
    text.push_str(&format!("{status}\t{expiry}\t{revoked}\t{serial}\tunknown\t{subject}\n"));
}

/// Returns `date[,reason[,time]]`. A reason that openssl does not have is left out.
fn revoked(revocation: &Revocation) -> String {
    let at = moment(revocation.at);
    let suspected = revocation.invalid_since.map(generalized);
    match (revocation.reason, suspected) {
        (RevocationReason::KeyCompromise, Some(since)) => format!("{at},keyTime,{since}"),
        (RevocationReason::CaCompromise, Some(since)) => format!("{at},CAkeyTime,{since}"),
        (reason, _) => reason_name(reason).map_or_else(|| at.clone(), |name| format!("{at},{name}")),
    }
}

const fn reason_name(reason: RevocationReason) -> Option<&'static str> {
    match reason {
        RevocationReason::KeyCompromise => Some("keyCompromise"),
        RevocationReason::CaCompromise => Some("CACompromise"),
        RevocationReason::AffiliationChanged => Some("affiliationChanged"),
        RevocationReason::Superseded => Some("superseded"),
        RevocationReason::CessationOfOperation => Some("cessationOfOperation"),
        RevocationReason::CertificateHold => Some("certificateHold"),
        RevocationReason::Unspecified
        | RevocationReason::RemoveFromCrl
        | RevocationReason::PrivilegeWithdrawn
        | RevocationReason::AaCompromise => None,
    }
}

/// Returns a time as certificates have it: two digits of the year until 2049 (RFC 5280 §4.1.2.5.1).
fn moment(at: OffsetDateTime) -> String {
    let whole = generalized(at);
    if (1950..2050).contains(&at.year()) { whole[2..].to_owned() } else { whole }
}

fn generalized(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    let (month, day) = (u8::from(date.month()), date.day());
    let (hour, minute, second) = (time.hour(), time.minute(), time.second());
    format!("{:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}Z", date.year())
}

/// Returns a name as `X509_NAME_oneline` writes it: `/O=Corp/CN=web`.
fn subject(name: &DistinguishedName) -> String {
    let attribute = |attribute: &crate::x509::name::Attribute| {
        format!("/{}={}", attribute.kind.short_label(), escaped(&attribute.value))
    };
    name.attributes().map(attribute).collect()
}

/// Escapes what is not printable ASCII, and so every tab and line end, as openssl does: `\xC3`.
fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        other => format!("\\x{}", hex(&[other]).to_uppercase()),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use time::Duration;
    use time::macros::datetime;

    use super::*;
    use crate::authority::hierarchy::openssl_index::parse;
    use crate::authority::revocation::revoke::{RevokeOrder, RevokeTarget};
    use crate::authority::testing::{Ca, NOW, order};

    #[test]
    fn what_is_written_is_read_again_with_every_status() {
        let ca = Ca::new();
        for name in ["web.test", "old.test", "held.test", "lost.test"] {
            ca.issue(order("server", name)).unwrap();
        }
        ca.revoke("old.test", RevocationReason::Superseded).unwrap();
        ca.revoke("held.test", RevocationReason::CertificateHold).unwrap();
        let since = NOW - Duration::days(3);
        let (target, reason) = (RevokeTarget::Reference("lost.test".parse().unwrap()), RevocationReason::KeyCompromise);
        ca.revoke_as(&RevokeOrder { target, all: false, reason, invalid_since: Some(since) }).unwrap();
        let text = lines(&ca.index(), "issuing", NOW).unwrap();
        let found = parse(text.as_bytes()).unwrap();
        let shown: Vec<_> = found.iter().map(|entry| (entry.subject.as_str(), entry.revocation.clone())).collect();
        let revoked = |reason, invalid_since| Some(Revocation { at: NOW, reason, invalid_since, released_at: None });
        assert_eq!(
            shown,
            [
                ("/CN=web.test", None),
                ("/CN=old.test", revoked(RevocationReason::Superseded, None)),
                ("/CN=held.test", revoked(RevocationReason::CertificateHold, None)),
                ("/CN=lost.test", revoked(RevocationReason::KeyCompromise, Some(since))),
            ]
        );
        for (entry, read) in ca.index().query(&Filter::default(), NOW).unwrap().0.iter().skip(2).zip(&found) {
            assert_eq!((&entry.serial, entry.validity.not_after), (&read.serial, read.not_after));
        }
        let later = lines(&ca.index(), "issuing", NOW + Duration::days(4000)).unwrap();
        let first: Vec<&str> = later.lines().map(|line| &line[..1]).collect();
        assert_eq!(first, ["E", "R", "E", "R"], "{later}");
        assert!(lines(&ca.index(), "root", NOW).unwrap().contains("/CN="), "the root and the issuing authority");
    }

    #[test]
    fn times_subjects_and_unknown_reasons_have_the_form_of_openssl() {
        assert_eq!(moment(datetime!(2049-12-31 23:59:59 UTC)), "491231235959Z");
        assert_eq!(moment(datetime!(2050-01-01 0:00 UTC)), "20500101000000Z");
        assert_eq!(escaped("Zürich\tx"), "Z\\xC3\\xBCrich\\x09x");
        let at = datetime!(2026-06-01 12:00 UTC);
        let with = |reason| revoked(&Revocation { at, reason, invalid_since: None, released_at: None });
        assert_eq!(with(RevocationReason::CaCompromise), "260601120000Z,CACompromise");
        assert_eq!(with(RevocationReason::PrivilegeWithdrawn), "260601120000Z");
        let mut text = String::new();
        let serial = SerialNumber::from_der_content(&[0, 0xab]);
        push(&mut text, ('V', UNKNOWN_EXPIRY), None, &serial, "");
        assert_eq!(text, "V\t99991231235959Z\t\tAB\tunknown\tAB\n");
    }
}
