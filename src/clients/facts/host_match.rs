//! Wildcards in DNS names (RFC 9525 §6.3), and those that only some clients take.

/// Where the wildcard of a DNS name is that covers a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wildcard {
    /// It is the whole first label.
    Whole,
    /// It is the whole name.
    Bare,
    /// `s*.corp.test`
    Prefix,
    /// `*rv.corp.test`
    Suffix,
    /// In an A-label.
    InIdn,
    /// In another label, or more than once.
    Elsewhere,
}

/// Returns the number of labels.
pub fn labels(name: &str) -> usize {
    name.split('.').count()
}

/// Returns how a name with a wildcard covers a host; `None` when it does not.
pub fn wildcard(name: &str, host: &str) -> Option<Wildcard> {
    if !name.contains('*') || labels(name) != labels(host) {
        return None;
    }
    let pairs = || name.split('.').zip(host.split('.'));
    if !pairs().all(|(pattern, label)| covers(pattern, label)) {
        return None;
    }
    let first = name.split('.').next()?;
    let elsewhere = pairs().skip(1).any(|(pattern, _)| pattern.contains('*'));
    Some(match first {
        "*" if elsewhere => Wildcard::Elsewhere,
        "*" if labels(name) == 1 => Wildcard::Bare,
        "*" => Wildcard::Whole,
        _ if elsewhere || first.matches('*').count() != 1 => Wildcard::Elsewhere,
        _ if first.starts_with("xn--") => Wildcard::InIdn,
        _ if first.starts_with('*') => Wildcard::Suffix,
        _ => Wildcard::Prefix,
    })
}

/// Returns whether a label with at most one `*` covers a label of the host.
fn covers(pattern: &str, label: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == label,
        Some((before, after)) => {
            !after.contains('*')
                && label.len() >= before.len() + after.len()
                && !label.is_empty()
                && label.starts_with(before)
                && label.ends_with(after)
        }
    }
}

/// Second-level names under which registries of country domains register names for others.
const SECOND_LEVEL: [&str; 17] =
    ["ac", "co", "com", "edu", "gob", "gov", "gv", "info", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc", "sch"];

/// Returns whether a domain of two labels is a public suffix by its form: `co.uk`, `com.au`. The whole list of public
/// suffixes, which browsers have, is not here.
pub fn is_public_suffix(domain: &str) -> bool {
    domain.split_once('.').is_some_and(|(second, country)| {
        country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic()) && SECOND_LEVEL.contains(&second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_found_where_it_is() {
        for (name, host, expected) in [
            ("*.corp.test", "srv.corp.test", Some(Wildcard::Whole)),
            ("*.corp.test", "a.b.corp.test", None),
            ("*.corp.test", "corp.test", None),
            ("*", "intranet", Some(Wildcard::Bare)),
            ("s*.corp.test", "srv.corp.test", Some(Wildcard::Prefix)),
            ("*rv.corp.test", "srv.corp.test", Some(Wildcard::Suffix)),
            ("xn--b*.corp.test", "xn--bcher-kva.corp.test", Some(Wildcard::InIdn)),
            ("web.*.corp.test", "web.x.corp.test", Some(Wildcard::Elsewhere)),
            ("*.*.corp.test", "web.x.corp.test", Some(Wildcard::Elsewhere)),
            ("srv.corp.test", "srv.corp.test", None),
            ("a*b*.test", "axbx.test", None),
        ] {
            assert_eq!(wildcard(name, host), expected, "{name} {host}");
        }
    }

    #[test]
    fn a_second_level_name_of_a_country_is_a_public_suffix() {
        assert!(is_public_suffix("co.uk") && is_public_suffix("com.au"));
        assert!(!is_public_suffix("corp.test") && !is_public_suffix("example.com") && !is_public_suffix("uk"));
    }
}
