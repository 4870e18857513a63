//! A mailbox is a local part and a host, without a name or angle brackets.

use crate::lint::names;
use crate::lint::profile::LintProfile;
use crate::lint::rule::Rule;
use crate::lint::severity::Severity;
use crate::lint::target::LintTarget;
use crate::text;
use crate::x509::mailbox;

pub const RULE: Rule = Rule {
    code: "mailbox-malformed",
    severity: Severity::Error,
    citation: "RFC 5280 §4.2.1.6; RFC 5321 §4.1.2",
    requirement: "An e-mail address of the alternative names is a mailbox, as alice@corp.test",
    example: "the e-mail address '<alice@corp.test>' is not a mailbox, expected one as alice@corp.test",
    fix: "issue the certificate again with the address alone, without name and angle brackets",
    profiles: &[LintProfile::Rfc5280],
    check,
};

fn check(target: &LintTarget<'_>) -> Option<String> {
    let is_wrong = |(tag, name): &(u8, &[u8])| {
        *tag == names::EMAIL && std::str::from_utf8(name).ok().and_then(mailbox::split).is_none()
    };
    let (_, wrong) = names::alternative_names(target.certificate).find(is_wrong)?;
    let shown = text::escape(&String::from_utf8_lossy(wrong));
    Some(format!("the e-mail address '{shown}' is not a mailbox, expected one as alice@corp.test"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::testing::*;
    use crate::x509::GeneralName;

    fn email(address: &str) -> TestCert {
        TestCert::client("alice").general_names(&[GeneralName::Email(address.to_owned())])
    }

    #[test]
    fn what_is_not_a_mailbox_is_found() {
        for address in ["<a@corp.test>", "Alice <a@corp.test>", "alice", "@corp.test", ""] {
            assert!(finding(&RULE, email(address)).unwrap().contains("is not a mailbox"), "{address}");
        }
    }

    #[test]
    fn a_mailbox_is_right() {
        assert_eq!(finding(&RULE, email("alice+tag@mail.corp.test")), None);
    }
}
