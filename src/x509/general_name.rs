//! General names (RFC 5280 §4.2.1.6): the subject alternative names of a certificate.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::other_name::{self, OtherForm};
use super::{DistinguishedName, der, uri_host};
use crate::text;

/// One name of a subject alternative name extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GeneralName {
    /// A host name in A-labels, in lower case when this program made it; it may begin with `*.`.
    Dns(String),
    Ip(IpAddr),
    /// `local@domain`.
    Email(String),
    Uri(String),
    Directory(DistinguishedName),
    /// A kind that this program compares by its bytes: the number of its tag and its DER. Of these it makes the two forms of
    /// [`OtherForm`].
    Other {
        tag: u8,
        der: Vec<u8>,
    },
}

/// Why a text is not a name for a certificate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GeneralNameError {
    #[error("the name is empty")]
    Empty,
    #[error("'{}' is not a DNS name: {reason}", text::escape(name))]
    Dns { name: String, reason: &'static str },
    #[error("'{}' is not an IP address", text::escape(.0))]
    Ip(String),
    #[error("'{}' is not an e-mail address: {reason}", text::escape(name))]
    Email { name: String, reason: &'static str },
    #[error("'{}' is not a URI: {reason}", text::escape(name))]
    Uri { name: String, reason: &'static str },
    #[error("'{}' is not a {kind} principal name: {reason}", text::escape(name))]
    Principal { kind: &'static str, name: String, reason: &'static str },
}

impl GeneralName {
    /// Returns the name of its kind in flags, templates and reports.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Dns(_) => "dns",
            Self::Ip(_) => "ip",
            Self::Email(_) => "email",
            Self::Uri(_) => "uri",
            Self::Directory(_) => "directory",
            Self::Other { .. } => self.principal().map_or("other", |(form, _)| form.word()),
        }
    }

    /// Returns the value without its kind, with characters escaped that cannot be shown.
    pub fn value(&self) -> String {
        match self {
            Self::Dns(name) | Self::Email(name) | Self::Uri(name) => text::escape(name),
            Self::Ip(address) => address.to_string(),
            Self::Directory(name) => name.to_string(),
            Self::Other { tag, der } => match self.principal() {
                Some((_, principal)) => text::escape(&principal),
                None => format!("[{tag}] {}", text::hex(der)),
            },
        }
    }

    /// Returns the user principal name or the Kerberos principal that it is.
    pub fn principal(&self) -> Option<(OtherForm, String)> {
        match self {
            Self::Other { tag: 0, der } => other_name::read(der),
            _ => None,
        }
    }

    /// Returns the DER of the `GeneralName` (RFC 5280 §4.2.1.6; `directoryName` is explicitly tagged since `Name` is a
    /// CHOICE).
    pub fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(name) => der::value(der::context(1), name.as_bytes()),
            Self::Dns(name) => der::value(der::context(2), name.as_bytes()),
            Self::Directory(name) => der::value(der::context_constructed(4), name.as_der()),
            Self::Uri(name) => der::value(der::context(6), name.as_bytes()),
            Self::Ip(IpAddr::V4(address)) => der::value(der::context(7), &address.octets()),
            Self::Ip(IpAddr::V6(address)) => der::value(der::context(7), &address.octets()),
            Self::Other { der, .. } => der.clone(),
        }
    }
}

/// The form `dns:web.corp.test`.
impl fmt::Display for GeneralName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind(), self.value())
    }
}

/// Reads a name from a flag or a template: the kind is recognized by the value, or given as `dns:`, `ip:`, `email:`,
/// `uri:`, `upn:`, `kerberos:`.
impl FromStr for GeneralName {
    type Err = GeneralNameError;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        if let Some((prefix, value)) = given.split_once(':') {
            match prefix.to_ascii_lowercase().as_str() {
                "dns" => return dns(value).map(Self::Dns),
                "ip" => return value.parse().map(Self::Ip).map_err(|_| GeneralNameError::Ip(value.to_owned())),
                "email" => return email(value).map(Self::Email),
                "uri" => return uri(value).map(Self::Uri),
                word => {
                    if let Some(form) = other_name::form(word) {
                        return principal(form, value);
                    }
                }
            }
        }
        if let Ok(address) = given.parse() {
            Ok(Self::Ip(address))
        } else if given.contains("://") || given.starts_with("urn:") {
            uri(given).map(Self::Uri)
        } else if given.contains('@') {
            email(given).map(Self::Email)
        } else {
            dns(given).map(Self::Dns)
        }
    }
}

/// Checks a host name and converts it to lower-case A-labels (RFC 5280 §7.2); it may begin with `*.` when two labels
/// follow.
///
/// # Errors
/// When it is not a name that a TLS client would look for in a certificate.
pub fn dns(given: &str) -> Result<String, GeneralNameError> {
    let error = |reason| GeneralNameError::Dns { name: given.to_owned(), reason };
    if given.is_empty() {
        return Err(GeneralNameError::Empty);
    }
    let (wildcard, host) = match given.strip_prefix("*.") {
        Some(host) => ("*.", host),
        None => ("", given),
    };
    if host.contains('*') {
        return Err(error("a wildcard may stand only for the whole first label, as in *.corp.test"));
    }
    if host.ends_with('.') {
        return Err(error("leave out the dot at the end"));
    }
    if let Some(character) =
        host.chars().find(|c| c.is_ascii() && !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')))
    {
        return Err(error(match character {
            '/' | '\\' => "it contains a slash",
            ' ' => "it contains a space",
            ':' => "it contains a colon (a port is not part of a name)",
            '[' | ']' => "IPv6 addresses are written without brackets, and a port is not part of them",
            _ => "only letters, digits, '-' and '.' are allowed",
        }));
    }
    // Host names have no underscores (RFC 1123), but container tools use them. The strict mode of idna would refuse them,
    // so only names that need idna are given to it.
    let ascii = if host.is_ascii() && !host.to_ascii_lowercase().split('.').any(|label| label.starts_with("xn--")) {
        host.to_ascii_lowercase()
    } else {
        // This refuses a label that is a second encoding of another name, such as `xn--example-`, which decodes to plain
        // `example` (RUSTSEC-2024-0421).
        idna::domain_to_ascii_strict(host).map_err(|_| error("it is not a valid internationalised name"))?
    };
    if ascii.len() > 253 {
        return Err(error("it is longer than 253 characters"));
    }
    for label in ascii.split('.') {
        if label.is_empty() {
            return Err(error("it contains an empty label"));
        }
        if label.len() > 63 {
            return Err(error("a label is longer than 63 characters"));
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(error("a label begins or ends with '-'"));
        }
    }
    if ascii.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(error("it ends with a number, as only IP addresses do"));
    }
    if !wildcard.is_empty() && !ascii.contains('.') {
        return Err(error("a wildcard needs two labels behind it, as in *.corp.test"));
    }
    Ok(format!("{wildcard}{ascii}"))
}

fn principal(form: OtherForm, given: &str) -> Result<GeneralName, GeneralNameError> {
    let der = form.encode(given).map_err(|reason| {
        let (kind, name) = (form.word(), given.to_owned());
        GeneralNameError::Principal { kind, name, reason }
    })?;
    Ok(GeneralName::Other { tag: 0, der })
}

fn email(given: &str) -> Result<String, GeneralNameError> {
    let error = |reason| GeneralNameError::Email { name: given.to_owned(), reason };
    let (local, domain) = given.rsplit_once('@').ok_or_else(|| error("it has no '@'"))?;
    // RFC 5321 dot-string without quotes: what rfc822Name allows (RFC 5280 §4.2.1.6) and every program reads alike.
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    if local.len() > 64 || !local.chars().all(allowed) || local.split('.').any(str::is_empty) {
        return Err(error("the part before the '@' is not a plain mailbox name"));
    }
    let domain = dns(domain).map_err(|_| error("the part after the '@' is not a DNS name"))?;
    if domain.starts_with('*') {
        return Err(error("the part after the '@' is not a DNS name"));
    }
    Ok(format!("{local}@{domain}"))
}

/// Checks the address of a CRL, a certificate or a responder. An LDAP address may leave out the host (RFC 4516 §2).
///
/// # Errors
/// When it is not a URI with a host.
pub fn check_address(given: &str) -> Result<(), GeneralNameError> {
    let host_is_left_out = given.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("ldap:///"));
    let whole = if host_is_left_out { format!("ldap://host/{}", &given[8..]) } else { given.to_owned() };
    match uri(&whole) {
        Err(GeneralNameError::Uri { reason, .. }) => Err(GeneralNameError::Uri { name: given.to_owned(), reason }),
        checked => checked.map(drop),
    }
}

/// Reads a URI that is looked for in a certificate. Certificates have URIs with characters that a URI must percent-encode
/// (OPC UA applications do), so only the scheme is checked.
///
/// # Errors
/// When it has no scheme, nothing after it, or a control character.
pub fn reference_uri(given: &str) -> Result<String, GeneralNameError> {
    let error = |reason| GeneralNameError::Uri { name: given.to_owned(), reason };
    if after_scheme(given)?.is_empty() {
        return Err(error("nothing follows its scheme"));
    }
    if given.chars().any(char::is_control) {
        return Err(error("it contains a control character"));
    }
    Ok(given.to_owned())
}

/// Returns whether two URIs are the same (RFC 5280 §7.4): scheme and host without regard to case, everything else byte for
/// byte.
pub fn is_same_uri(one: &str, other: &str) -> bool {
    match (uri_parts(one), uri_parts(other)) {
        (Some((scheme, user, host, rest)), Some((other_scheme, other_user, other_host, other_rest))) => {
            scheme.eq_ignore_ascii_case(other_scheme)
                && host.eq_ignore_ascii_case(other_host)
                && (user, rest) == (other_user, other_rest)
        }
        _ => one == other,
    }
}

/// Splits a URI into its scheme, the user before its host, its host with the port, and the rest; user and host are empty where
/// no authority follows the scheme (RFC 3986 §3).
fn uri_parts(uri: &str) -> Option<(&str, &str, &str, &str)> {
    let (scheme, rest) = uri.split_once(':')?;
    let Some(after) = rest.strip_prefix("//") else { return Some((scheme, "", "", rest)) };
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let (user, host) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    Some((scheme, user, host, rest))
}

/// Returns what follows the scheme of a URI.
fn after_scheme(given: &str) -> Result<&str, GeneralNameError> {
    let error = |reason| GeneralNameError::Uri { name: given.to_owned(), reason };
    let (scheme, rest) = given.split_once(':').ok_or_else(|| error("it has no scheme"))?;
    let scheme_is_sound = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    if !scheme_is_sound {
        return Err(error("its scheme is not made of letters, digits, '+', '-' and '.'"));
    }
    Ok(rest)
}

fn uri(given: &str) -> Result<String, GeneralNameError> {
    let error = |reason| GeneralNameError::Uri { name: given.to_owned(), reason };
    let rest = after_scheme(given)?;
    // RFC 3986 §2: everything else must be percent-encoded.
    if !rest.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}'))
    {
        return Err(error("it contains a character that a URI must percent-encode"));
    }
    if rest.is_empty() {
        return Err(error("nothing follows its scheme"));
    }
    if rest.starts_with("//") && uri_host::authority(given).is_none_or(str::is_empty) {
        return Err(error("it names no host"));
    }
    Ok(given.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(given: &str) -> String {
        given.parse::<GeneralName>().map_or_else(|error| format!("error: {error}"), |name| name.to_string())
    }

    #[test]
    fn the_kind_of_a_name_is_recognised() {
        for (given, name) in [
            ("web.corp.test", "dns:web.corp.test"),
            ("WEB.corp.TEST", "dns:web.corp.test"),
            ("*.corp.test", "dns:*.corp.test"),
            ("localhost", "dns:localhost"),
            ("my_service", "dns:my_service"),
            ("münchen.example", "dns:xn--mnchen-3ya.example"),
            ("10.0.0.1", "ip:10.0.0.1"),
            ("::1", "ip:::1"),
            ("alice@corp.test", "email:alice@corp.test"),
            ("spiffe://corp.test/web", "uri:spiffe://corp.test/web"),
            ("urn:uuid:1-2", "uri:urn:uuid:1-2"),
            ("dns:a.test", "dns:a.test"),
            ("IP:fe80::1", "ip:fe80::1"),
            ("uri:https://a.test/", "uri:https://a.test/"),
            ("git+ssh://a.test/b", "uri:git+ssh://a.test/b"),
            ("a+b@corp.test", "email:a+b@corp.test"),
            ("upn:alice@corp.test", "upn:alice@corp.test"),
            ("UPN:alice@corp.test", "upn:alice@corp.test"),
            ("kerberos:HTTP/web@CORP.TEST", "kerberos:HTTP/web@CORP.TEST"),
        ] {
            assert_eq!(shown(given), name);
        }
    }

    #[test]
    fn a_uri_that_is_looked_for_may_be_one_that_is_not_issued() {
        for given in ["urn:plant.test:client", "spiffe://corp.test/db", "urn:DESKTOP 1:UA Client", "urn:größe"] {
            assert_eq!(reference_uri(given).as_deref(), Ok(given));
        }
        for given in ["", "plant", "urn:", ":x", "1a:b", "urn:a\u{7}"] {
            assert!(reference_uri(given).is_err(), "{given}");
        }
    }

    #[test]
    fn uris_are_compared_byte_for_byte_but_for_scheme_and_host() {
        let same = |one: &str, other: &str| is_same_uri(one, other);
        assert!(same("spiffe://corp.test/db", "SPIFFE://Corp.Test/db"));
        assert!(same("urn:plant.test:client", "URN:plant.test:client"));
        for (one, other) in [
            ("spiffe://corp.test/db", "spiffe://corp.test/DB"),
            ("spiffe://corp.test/db", "spiffe://corp.test/db/"),
            ("spiffe://corp.test/db", "spiffe:corp.test/db"),
            ("https://Alice@corp.test/", "https://alice@corp.test/"),
            ("https://corp.test/?Q", "https://corp.test/?q"),
            ("urn:plant.test:client", "urn:PLANT.test:client"),
            ("https://a.test:443/", "https://a.test/"),
            ("https://a.test/%7Eb", "https://a.test/~b"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn an_address_to_fetch_from_is_a_whole_uri() {
        for given in ["http://crl.test/a.crl", "http://10.0.0.1:80/", "ldap:///CN=A,DC=test?x?base", "LDAP:///o=a"] {
            assert_eq!(check_address(given), Ok(()), "{given}");
        }
        for given in
            ["", "crl.test/a.crl", "http://", "http:///a", "http://crl.test/a b", "ldap:///o=a b", "http://ü.test/"]
        {
            assert!(check_address(given).is_err(), "{given}");
        }
    }

    #[test]
    fn an_empty_text_is_not_a_name_of_any_kind() {
        for given in ["", "dns:"] {
            assert_eq!(given.parse::<GeneralName>(), Err(GeneralNameError::Empty), "{given:?}");
        }
        assert!("email:@corp.test".parse::<GeneralName>().unwrap_err().to_string().contains("before the '@'"));
    }

    #[test]
    fn a_mailbox_has_at_most_64_bytes_in_front() {
        let mailbox = |length: usize| format!("{}@corp.test", "a".repeat(length)).parse::<GeneralName>();
        assert!(mailbox(64).is_ok() && mailbox(65).is_err());
    }

    #[test]
    fn an_address_in_brackets_is_refused_with_the_right_form() {
        for given in ["[::1]", "[::1]:443"] {
            assert!(shown(given).contains("without brackets"), "{}", shown(given));
        }
    }

    #[test]
    fn names_that_match_nothing_or_trick_a_reader_are_refused() {
        for given in [
            "",
            "a b.test",
            "-a.test",
            "a-.test",
            "a..test",
            ".test",
            "a.test.",
            "*.test",
            "*",
            "a.*.test",
            "w*.corp.test",
            "*.*.corp.test",
            "../x",
            "/x",
            "..",
            "-x",
            "a.test:443",
            "300.1.1.1",
            "1.2.3",
            "xn--example-.org",
            "xn--.test",
            "a\0.test",
            "a\n.test",
            "a,DNS:evil.test",
            "${HOME}",
            "@corp.test",
            "a@",
            "a b@corp.test",
            "a@*.corp.test",
            "spiffe://",
            "://a",
            "http://a b",
            "http://a.test/<b>",
            "uri:a_b://c.test",
            "ip:a.test",
            "dns:10.0.0.1",
            "dns:",
            "email:a",
        ] {
            assert!(given.parse::<GeneralName>().is_err(), "{given:?} was read as {}", shown(given));
        }
    }

    #[test]
    fn a_refusal_says_what_is_wrong_with_the_name() {
        let (long_label, long_name) = (format!("{}.test", "a".repeat(64)), format!("{}test", "abcdefg.".repeat(32)));
        for (given, reason) in [
            ("a.test.", "leave out the dot at the end"),
            ("a..test", "it contains an empty label"),
            ("a.*.test", "a wildcard may stand only for the whole first label"),
            ("*.test", "a wildcard needs two labels behind it"),
            ("../x", "it contains a slash"),
            ("a\\b", "it contains a slash"),
            ("a b.test", "it contains a space"),
            ("a.test:443", "it contains a colon"),
            ("a,DNS:evil.test", "only letters, digits"),
            ("-x", "a label begins or ends with '-'"),
            ("a-.test", "a label begins or ends with '-'"),
            ("1.2.3", "it ends with a number"),
            (&long_label, "a label is longer than 63 characters"),
            (&long_name, "it is longer than 253 characters"),
            ("xn--example-.org", "it is not a valid internationalised name"),
            ("a@", "the part after the '@'"),
            ("a@*.corp.test", "the part after the '@'"),
            ("@corp.test", "the part before the '@'"),
            ("a..b@corp.test", "the part before the '@'"),
            ("email:a", "it has no '@'"),
            ("spiffe://", "it names no host"),
            ("https:///a", "it names no host"),
            ("uri:a", "it has no scheme"),
            ("uri:a:", "nothing follows its scheme"),
            ("://a", "its scheme is not made of"),
            ("http://a b", "a URI must percent-encode"),
        ] {
            assert!(shown(given).contains(reason), "{given}: {}", shown(given));
        }
    }

    proptest::proptest! {
        #[test]
        fn a_name_that_is_accepted_is_plain_and_reads_the_same_again(given in "\\PC{0,60}|[a-z0-9*.@:/-]{0,60}|xn--[a-z0-9-]{0,20}\\.test") {
            if let Ok(name) = given.parse::<GeneralName>() {
                let shown = name.to_string();
                proptest::prop_assert!(shown.is_ascii() && !shown.contains(char::is_whitespace), "{}", shown);
                proptest::prop_assert_eq!(shown.parse::<GeneralName>().ok(), Some(name.clone()));
                if let GeneralName::Dns(name) = name && name.contains("xn--") {
                    let host = name.strip_prefix("*.").unwrap_or(&name);
                    let (unicode, valid) = idna::domain_to_unicode(host);
                    proptest::prop_assert!(valid.is_ok(), "{}", host);
                    proptest::prop_assert_eq!(idna::domain_to_ascii_strict(&unicode).ok(), Some(host.to_owned()));
                }
            }
        }
    }
}
