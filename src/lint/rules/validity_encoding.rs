//! Dates are UTCTime through 2049, GeneralizedTime from 2050 on.

use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;
use crate::x509::{Certificate, der, validity};

pub const RULE: Rule = Rule {
    code: "validity-encoding",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.5",
    requirement: "Dates are written as UTCTime through 2049 and as GeneralizedTime after, with seconds and Z",
    example: "notBefore is written as 20260101000000Z (GeneralizedTime), expected 260101000000Z (UTCTime)",
    fix: "issue the certificate again with another tool: this one encodes dates wrongly",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let certificate = target.certificate;
    let dates = [("notBefore", certificate.validity.not_before), ("notAfter", certificate.validity.not_after)];
    written(certificate)?
        .into_iter()
        .zip(dates)
        .map(|(written, (which, date))| (written, which, validity::time_to_der(date)))
        .find(|(written, _, expected)| written != expected)
        .map(|(written, which, expected)| {
            format!("{which} is written as {}, expected {}", shown(written), shown(&expected))
        })
}

/// Returns whether a date is not DER: without seconds, with fractions of seconds, or with an offset instead of Z. The
/// type for the wrong range of years is DER.
pub fn is_not_der(certificate: &Certificate) -> bool {
    written(certificate).into_iter().flatten().any(|date| {
        let digits = match date.first() {
            Some(&der::UTC_TIME) => 12,
            _ => 14,
        };
        let text = der::split_first(date).map_or(&[][..], |(_, text, _)| text);
        !matches!(text.split_last(), Some((b'Z', rest)) if rest.len() == digits && rest.iter().all(u8::is_ascii_digit))
    })
}

/// Returns both dates as they are encoded in the certificate.
fn written(certificate: &Certificate) -> Option<Vec<&[u8]>> {
    // The validity is between issuer and subject, whose DER is known.
    let fields = der::split_first(certificate.tbs()).and_then(|(_, content, _)| der::children(content))?;
    let after_issuer = fields.iter().position(|field| *field == certificate.issuer.as_der())? + 1;
    let (_, content, _) = der::split_first(fields.get(after_issuer)?)?;
    der::children(content)
}

/// Returns `260101000000Z (UTCTime)`.
fn shown(date: &[u8]) -> String {
    let kind = if date.first() == Some(&der::UTC_TIME) { "UTCTime" } else { "GeneralizedTime" };
    let text = der::split_first(date).map(|(_, text, _)| String::from_utf8_lossy(text).into_owned());
    format!("{} ({kind})", text::escape(&text.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use time::macros::datetime;

    #[test]
    fn a_generalized_time_before_2050_is_found() {
        let early = [&b"\x18\x0f20260101000000Z"[..], b"\x17\x0d270101000000Z"];
        let cert = || TestCert::server("a.test").validity_der(der::sequence(&early));
        assert_eq!(finding(&RULE, cert()).as_deref(), Some(RULE.example));
        assert!(!is_not_der(&TestCa::root().issue(cert())));
    }

    #[test]
    fn what_is_no_date_of_der_is_found_and_told_from_that() {
        let sound = b"\x17\x0d250101000000Z";
        for date in [
            &b"\x18\x1120300101000000.5Z"[..],
            b"\x18\x0d203001010000Z",
            b"\x17\x0b3001010000Z",
            b"\x17\x11300101000000+0100",
        ] {
            let certificate =
                TestCa::root().issue(TestCert::server("a.test").validity_der(der::sequence(&[sound, date])));
            let message = check(&LintTarget::alone(&certificate)).unwrap();
            assert!(message.starts_with("notAfter is written as") && is_not_der(&certificate), "{message}");
        }
    }

    #[test]
    fn both_forms_are_right_on_their_side_of_2050() {
        let cert = TestCert::ca("A").validity(datetime!(2049-12-31 0:00 UTC), datetime!(2050-01-01 0:00 UTC));
        assert_eq!(finding(&RULE, cert), None);
    }
}
