//! The certificate that an endpoint refused in a failed handshake.

use super::cause::{self, Cause};
use super::report::RefusedCertificate;
use crate::tls::message::ShownCertificate;
use crate::tls::{Alert, Body, Message, Side};

/// Returns the certificate that `by` refused, according to cause and alert: always one that the other endpoint showed.
/// `None` when the failure is not about a certificate.
pub(super) fn find(by: Side, alert: Option<Alert>, cause: &Cause, messages: &[Message]) -> Option<RefusedCertificate> {
    if !is_about_one(alert, cause) {
        return None;
    }
    let chain = messages.iter().find_map(|message| match &message.body {
        Body::Certificate { chain } if message.from == by.other() => Some(chain.as_slice()),
        _ => None,
    })?;
    let shown = dated(cause, chain).or(chain.first())?;
    Some(RefusedCertificate { subject: shown.subject.clone(), serial: shown.serial.clone() })
}

fn is_about_one(alert: Option<Alert>, cause: &Cause) -> bool {
    match cause.code {
        cause::ALERT_RECEIVED => alert.is_some_and(|alert| ALERTS.contains(&alert)),
        code => CAUSES.contains(&code),
    }
}

/// Returns the certificate with the date of the cause. Other causes do not identify a certificate; then it is the leaf.
fn dated<'a>(cause: &Cause, chain: &'a [ShownCertificate]) -> Option<&'a ShownCertificate> {
    let date = cause.date?;
    chain.iter().find(|shown| match cause.code {
        cause::EXPIRED => shown.not_after == Some(date),
        cause::NOT_YET_VALID => shown.not_before == Some(date),
        _ => false,
    })
}

/// The alerts about a certificate or the proof of possession of its key (RFC 8446 §6.2).
const ALERTS: [Alert; 7] = [
    Alert::BAD_CERTIFICATE,
    Alert::UNSUPPORTED_CERTIFICATE,
    Alert::CERTIFICATE_REVOKED,
    Alert::CERTIFICATE_EXPIRED,
    Alert::CERTIFICATE_UNKNOWN,
    Alert::UNKNOWN_CA,
    Alert::DECRYPT_ERROR,
];

const CAUSES: [&str; 16] = [
    cause::UNKNOWN_ISSUER,
    cause::BAD_SIGNATURE,
    cause::EXPIRED,
    cause::NOT_YET_VALID,
    cause::WRONG_PURPOSE,
    cause::WRONG_NAME,
    cause::REVOKED,
    cause::NOT_A_CA,
    cause::NAME_NOT_PERMITTED,
    cause::REVOCATION_UNKNOWN,
    cause::BAD_ENCODING,
    cause::UNKNOWN_CRITICAL_EXTENSION,
    cause::CA_AS_LEAF,
    cause::PATH_TOO_LONG,
    cause::BAD_VERSION,
    cause::CERTIFICATE_REFUSED,
];

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::{Date, Month, OffsetDateTime};

    use super::*;
    use crate::tls::Alert;

    fn new_year(year: i32) -> OffsetDateTime {
        Date::from_calendar_date(year, Month::January, 1).unwrap().midnight().assume_utc()
    }

    fn shown(subject: &str, serial: &str, year: i32) -> ShownCertificate {
        ShownCertificate {
            subject: subject.to_owned(),
            names: Vec::new(),
            issuer: "CN=Above".to_owned(),
            serial: serial.to_owned(),
            not_before: Some(new_year(year - 1)),
            not_after: Some(new_year(year)),
            key: "ecdsa-p256".to_owned(),
            signature: "ecdsa-sha256".to_owned(),
            bytes: 500,
        }
    }

    fn messages() -> Vec<Message> {
        let show = |from, chain| Message {
            from,
            body: Body::Certificate { chain },
            bytes: 1000,
            encrypted: true,
            at: Duration::ZERO,
        };
        vec![
            show(Side::Server, vec![shown("CN=server", "51", 2030), shown("CN=Issuing", "02", 2028)]),
            show(Side::Client, vec![shown("CN=client", "c1", 2030), shown("CN=Issuing", "02", 2028)]),
        ]
    }

    fn named(by: Side, alert: Option<Alert>, code: &'static str, date: Option<OffsetDateTime>) -> Option<String> {
        let cause = Cause { code, sentence: "so it is".to_owned(), date };
        find(by, alert, &cause, &messages()).map(|found| format!("{} {}", found.subject, found.serial))
    }

    #[test]
    fn it_is_the_leaf_of_the_other_endpoint_unless_the_dates_identify_another() {
        let is = |name: &str| Some(name.to_owned());
        assert_eq!(named(Side::Client, None, cause::WRONG_NAME, None), is("CN=server 51"));
        assert_eq!(named(Side::Server, None, cause::UNKNOWN_ISSUER, None), is("CN=client c1"));
        let date = Some(new_year(2028));
        assert_eq!(named(Side::Client, None, cause::EXPIRED, date), is("CN=Issuing 02"));
        // The date is the not_after of that certificate, and not a not_before.
        assert_eq!(named(Side::Client, None, cause::NOT_YET_VALID, date), is("CN=server 51"));
        let date = Some(new_year(2027));
        assert_eq!(named(Side::Client, None, cause::NOT_YET_VALID, date), is("CN=Issuing 02"));
        assert_eq!(named(Side::Client, None, cause::EXPIRED, date), is("CN=server 51"));
    }

    #[test]
    fn an_alert_about_a_certificate_names_it_and_others_name_none() {
        let heard = |alert| named(Side::Server, Some(alert), cause::ALERT_RECEIVED, None);
        for alert in [
            Alert::BAD_CERTIFICATE,
            Alert::UNSUPPORTED_CERTIFICATE,
            Alert::CERTIFICATE_REVOKED,
            Alert::CERTIFICATE_EXPIRED,
            Alert::CERTIFICATE_UNKNOWN,
            Alert::UNKNOWN_CA,
            Alert::DECRYPT_ERROR,
        ] {
            assert_eq!(heard(alert).as_deref(), Some("CN=client c1"), "{alert}");
        }
        for code in [
            "unknown-issuer",
            "bad-signature",
            "certificate-expired",
            "certificate-not-yet-valid",
            "wrong-purpose",
            "wrong-name",
            "certificate-revoked",
            "issuer-not-a-ca",
            "name-not-permitted",
            "revocation-unknown",
            "bad-encoding",
            "unknown-critical-extension",
            "ca-as-leaf",
            "path-too-long",
            "bad-version",
            "certificate-refused",
        ] {
            assert_eq!(named(Side::Client, None, code, None).as_deref(), Some("CN=server 51"), "{code}");
        }
        for alert in [Alert::CERTIFICATE_REQUIRED, Alert::PROTOCOL_VERSION, Alert::HANDSHAKE_FAILURE] {
            assert_eq!(heard(alert), None, "{alert}");
        }
        for code in [cause::NO_CERTIFICATE, cause::TIMED_OUT, cause::NOT_TLS, cause::NO_COMMON_VERSION] {
            assert_eq!(named(Side::Server, Some(Alert::BAD_CERTIFICATE), code, None), None, "{code}");
        }
    }
}
