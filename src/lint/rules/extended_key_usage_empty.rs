//! A certificate for no purpose.

use crate::lint::{Profile, Rule, Severity, Subject};

pub const RULE: Rule = Rule {
    code: "extended-key-usage-empty",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.12",
    demand: "Extended key usage, where it stands, names at least one purpose",
    example: "extended key usage is there, but names no purpose",
    cure: "issue the certificate anew with its purposes",
    profiles: &[Profile::Rfc5280],
    check,
};

fn check(subject: &Subject<'_>) -> Option<String> {
    let purposes = subject.certificate.extended_key_usage.as_ref()?;
    purposes.is_empty().then(|| "extended key usage is there, but names no purpose".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;

    #[test]
    fn an_empty_list_of_purposes_is_found() {
        assert!(seen(&RULE, TestCert::server("a.test").purposes(&[])).is_some());
    }

    #[test]
    fn a_purpose_is_right() {
        assert_eq!(seen(&RULE, TestCert::server("a.test")), None);
    }
}
