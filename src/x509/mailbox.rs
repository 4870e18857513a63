//! Mailboxes (RFC 5321 §4.1.2): what an e-mail address of a certificate is (RFC 5280 §4.2.1.6).

use super::uri_host::is_plain_host;

/// Splits a mailbox into its local part and its host; `None` when it is not a `Mailbox`.
pub fn split(given: &str) -> Option<(&str, &str)> {
    // A host has no '@', a quoted local part can.
    let (local, host) = given.rsplit_once('@')?;
    let is_literal = host.len() > 2 && host.starts_with('[') && host.ends_with(']') && is_literal(host);
    ((is_dot_string(local) || is_quoted(local)) && (is_plain_host(host) || is_literal)).then_some((local, host))
}

/// `[192.0.2.1]`, `[IPv6:2001:db8::1]`: the address is not looked at.
fn is_literal(host: &str) -> bool {
    host[1..host.len() - 1].bytes().all(|byte| matches!(byte, b'!'..=b'Z' | b'^'..=b'~'))
}

fn is_dot_string(local: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom))
}

fn is_quoted(local: &str) -> bool {
    let Some(content) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
    let mut bytes = content.bytes();
    while let Some(byte) = bytes.next() {
        let is_right = match byte {
            b'\\' => bytes.next().is_some_and(|escaped| matches!(escaped, b' '..=b'~')),
            b'"' => false,
            byte => matches!(byte, b' '..=b'~'),
        };
        if !is_right {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_a_local_part_and_a_host() {
        for (given, local, host) in [
            ("alice@corp.test", "alice", "corp.test"),
            ("first.last+tag@corp.test", "first.last+tag", "corp.test"),
            ("\"a b\"@corp.test", "\"a b\"", "corp.test"),
            ("\"a@evil.test\"@corp.test", "\"a@evil.test\"", "corp.test"),
            ("\"a\\\"b\"@corp.test", "\"a\\\"b\"", "corp.test"),
            ("a@[192.0.2.1]", "a", "[192.0.2.1]"),
            ("a@[IPv6:2001:db8::1]", "a", "[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(split(given), Some((local, host)), "{given}");
        }
    }

    #[test]
    fn what_is_no_mailbox_is_not_taken_for_one() {
        for given in [
            "",
            "corp.test",
            "@corp.test",
            "a@",
            "a@evil.test@corp.test",
            "b@evil.test, a@corp.test",
            "Alice <a@corp.test>",
            "a b@corp.test",
            ".a@corp.test",
            "a..b@corp.test",
            "a.@corp.test",
            "\"a\"b\"@corp.test",
            "\"a\\\"@corp.test",
            "\"@corp.test",
            "ä@corp.test",
            "a\u{0}@corp.test",
            "a@corp..test",
            "a@[]",
            "a@[b]c]",
        ] {
            assert_eq!(split(given), None, "{given}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(given in "\\PC{0,20}|[a@\\[\\]\\\\\". ]{0,12}") {
            if let Some((local, host)) = split(&given) {
                proptest::prop_assert_eq!(format!("{local}@{host}"), given);
            }
        }
    }
}
