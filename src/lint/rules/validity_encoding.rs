//! Dates are UTCTime through 2049, GeneralizedTime from 2050 on.

use crate::lint::{Profile, Rule, Severity, Subject};
use crate::x509::{der, validity};

pub const RULE: Rule = Rule {
    code: "validity-encoding",
    severity: Severity::Error,
    citation: "RFC 5280 §4.1.2.5",
    demand: "Dates are written as UTCTime through 2049 and as GeneralizedTime after, with seconds and Z",
    example: "the date 2026-01-01T00:00:00Z is not written in the form that its year asks for",
    cure: "issue the certificate anew: the tool that made it writes dates wrongly",
    profiles: &[Profile::Rfc5280],
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let certificate = subject.certificate;
    // The validity stands between issuer and subject: find it by its exact DER.
    let fields = der::split_first(certificate.tbs()).and_then(|(_, content, _)| der::children(content))?;
    let after_issuer = fields.iter().position(|field| *field == certificate.issuer.as_der())? + 1;
    let (_, content, _) = der::split_first(fields.get(after_issuer)?)?;
    let dates = [certificate.validity.not_before, certificate.validity.not_after];
    der::children(content)?
        .into_iter()
        .zip(dates)
        .find(|(written, date)| **written != validity::time_to_der(*date))
        .map(|(_, date)| {
            format!("the date {} is not written in the form that its year asks for", validity::rfc3339(date))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use time::macros::datetime;

    #[test]
    fn a_generalized_time_before_2050_is_found() {
        let early = [&b"\x18\x0f20260101000000Z"[..], b"\x17\x0d270101000000Z"];
        assert!(
            seen(&RULE, Bent::server("a.test").validity_der(der::sequence(&early))).unwrap().contains("2026-01-01")
        );
    }

    #[test]
    fn both_forms_are_right_on_their_side_of_2050() {
        let bent = Bent::ca("A").validity(datetime!(2049-12-31 0:00 UTC), datetime!(2050-01-01 0:00 UTC));
        assert_eq!(seen(&RULE, bent), None);
    }
}
