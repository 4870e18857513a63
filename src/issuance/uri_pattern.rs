//! Patterns for URIs in `allow`: `spiffe://corp.test/*`.
//!
//! Scheme, host and port are those of the pattern; a `*` is in the path only, so that it never reaches another trust domain. A
//! path that a program could read as another one is not matched: with empty or dot segments, or with characters encoded that
//! need no encoding (RFC 3986 §6.2.2).

use crate::x509::uri_host;

/// A pattern with at least one `*` in its path.
///
/// A `*` stands for one or more characters of one segment. A last segment that is only `*` stands for one or more segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UriPattern {
    scheme: String,
    /// Host and port; `None` where no authority follows the scheme, as in `urn:corp:*`.
    authority: Option<String>,
    segments: Vec<String>,
}

impl UriPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// With the reason why it is not one.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        let Some(parts) = Parts::of(pattern) else { return Err("it has no scheme") };
        if parts.scheme.contains('*') || parts.authority.is_some_and(|authority| authority.contains('*')) {
            return Err("a '*' is allowed in the path only, not in the scheme or the host");
        }
        if !is_scheme(parts.scheme) {
            return Err("its scheme is not made of letters, digits, '+', '-' and '.'");
        }
        if !parts.authority.is_none_or(is_host_and_port) {
            return Err("its host is not a host name or an address, with or without a port");
        }
        if parts.path.contains(['?', '#']) {
            return Err("a pattern has no query and no fragment");
        }
        if parts.path.contains("**") {
            return Err("write one '*', not two");
        }
        let Some(segments) = parts.segments() else {
            return Err("its path has an empty segment, a dot segment, or a character that is not plain");
        };
        if parts.is_spiffe() && parts.problem_as_spiffe_id(&['*']).is_some() {
            return Err("it is not a pattern for SPIFFE IDs: lower-case trust domain without a port, and \
                        letters, digits, '-', '_' and '.' in the path");
        }
        Ok(Self {
            scheme: parts.scheme.to_owned(),
            authority: parts.authority.map(str::to_owned),
            segments: segments.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Returns whether the pattern allows a URI. Scheme and host are compared without regard to case (RFC 5280 §7.4), the
    /// path byte for byte.
    pub(super) fn matches(&self, uri: &str) -> bool {
        let Some(parts) = Parts::of(uri) else { return false };
        let is_same_authority = match (&self.authority, parts.authority) {
            (None, None) => true,
            (Some(own), Some(other)) => own.eq_ignore_ascii_case(other),
            _ => false,
        };
        if !self.scheme.eq_ignore_ascii_case(parts.scheme) || !is_same_authority {
            return false;
        }
        let Some(segments) = parts.segments() else { return false };
        match self.segments.split_last() {
            Some((last, before)) if last == "*" => {
                segments.len() > before.len() && before.iter().zip(segments).all(|(own, other)| glob(own, other))
            }
            _ => {
                self.segments.len() == segments.len()
                    && self.segments.iter().zip(segments).all(|(own, other)| glob(own, other))
            }
        }
    }
}

/// Returns why a URI with the scheme `spiffe` is not a SPIFFE ID (SPIFFE-ID §2); `None` when it is one, or has another scheme.
pub(super) fn problem_of_spiffe_id(uri: &str) -> Option<&'static str> {
    let parts = Parts::of(uri)?;
    if parts.is_spiffe() { parts.problem_as_spiffe_id(&[]) } else { None }
}

/// Returns whether a URI, or a pattern for URIs, has the scheme `spiffe`.
pub(super) fn is_spiffe(uri: &str) -> bool {
    Parts::of(uri).is_some_and(|parts| parts.is_spiffe())
}

/// Returns whether `text` is the pattern, with one or more characters for each `*`.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(start) else { return false };
    let mut pieces: Vec<&str> = rest.split('*').collect();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        // The first place that leaves a character for the `*` is the best: it leaves the most for the rest.
        let from = match left.chars().next() {
            Some(character) => character.len_utf8(),
            None => return false,
        };
        match left[from..].find(piece) {
            Some(at) => left = &left[from + at + piece.len()..],
            None => return false,
        }
    }
    left.strip_suffix(end).is_some_and(|middle| !middle.is_empty())
}

/// The parts of a URI (RFC 3986 §3). Query and fragment are in the path.
struct Parts<'u> {
    scheme: &'u str,
    authority: Option<&'u str>,
    path: &'u str,
}

impl<'u> Parts<'u> {
    fn of(uri: &'u str) -> Option<Self> {
        let (scheme, rest) = uri.split_once(':')?;
        let Some(after) = rest.strip_prefix("//") else { return Some(Self { scheme, authority: None, path: rest }) };
        let (authority, path) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
        Some(Self { scheme, authority: Some(authority), path })
    }

    fn is_spiffe(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("spiffe") && self.authority.is_some()
    }

    /// Returns the segments of the path; `None` when it has none, or programs could read it as another path.
    fn segments(&self) -> Option<Vec<&'u str>> {
        let path = match self.authority {
            Some(_) => self.path.strip_prefix('/')?,
            None => self.path,
        };
        let segments: Vec<&str> = path.split('/').collect();
        segments.iter().all(|segment| is_plain_segment(segment)).then_some(segments)
    }

    /// Returns why it is not a SPIFFE ID. `also` is allowed in the path too.
    fn problem_as_spiffe_id(&self, also: &[char]) -> Option<&'static str> {
        // SPIFFE-ID §2.1, §2.2 and §2.3.
        const MOST: usize = 2048;
        const MOST_OF_TRUST_DOMAIN: usize = 255;
        let authority = self.authority.unwrap_or_default();
        let in_domain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
        let in_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') || also.contains(&c);
        let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.chars().all(in_path);
        if self.scheme != "spiffe" {
            Some("its scheme is in lower case")
        } else if authority.is_empty() || !authority.chars().all(in_domain) {
            Some("its trust domain has lower-case letters, digits, '.', '-' and '_', and no user or port")
        } else if !self.path.is_empty()
            && !self.path.strip_prefix('/').is_some_and(|path| path.split('/').all(is_segment))
        {
            Some("each segment of its path has letters, digits, '.', '-' and '_', and there is no query")
        } else if authority.len() > MOST_OF_TRUST_DOMAIN || "spiffe://".len() + authority.len() + self.path.len() > MOST
        {
            Some("it is too long: at most 255 bytes for the trust domain, and 2048 for everything")
        } else {
            None
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Returns whether an authority is a host name or an IP address, with or without a port, and nothing else: no user, no
/// percent-encoding.
fn is_host_and_port(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match address {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => uri_host::is_plain_host(host),
    };
    is_host && port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether all programs read a segment as the same text: it is not empty and not a dot segment, and only what must be
/// encoded is encoded.
fn is_plain_segment(segment: &str) -> bool {
    // Some servers take what follows a `;` for a parameter (RFC 3986 §3.3).
    let without_parameter = segment.split(';').next().unwrap_or_default();
    if matches!(without_parameter, "" | "." | "..") {
        return false;
    }
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        let is_plain = match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                match (digit(rest.next()), digit(rest.next())) {
                    (Some(high), Some(low)) => must_be_encoded((16 * high + low) as u8),
                    _ => false,
                }
            }
            _ => byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'\\'),
        };
        if !is_plain {
            return false;
        }
    }
    true
}

/// Returns whether a byte can be percent-encoded in a segment without being read as something else: not what needs no encoding
/// (RFC 3986 §6.2.2.2), what separates parts of a URI or of a path, or a control character.
fn must_be_encoded(byte: u8) -> bool {
    let is_unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    !is_unreserved && !byte.is_ascii_control() && !matches!(byte, b'/' | b'\\' | b'?' | b'#' | b'%' | b'*' | b';')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(pattern: &str, uri: &str) -> bool {
        UriPattern::parse(pattern).unwrap().matches(uri)
    }

    #[test]
    fn a_star_stays_in_the_path_of_its_trust_domain() {
        for (pattern, uri) in [
            ("spiffe://corp.test/*", "spiffe://corp.test/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test/ns/prod/sa/web-1_a.B"),
            ("spiffe://corp.test/ns/*/sa/web", "spiffe://corp.test/ns/prod/sa/web"),
            ("spiffe://corp.test/ns/prod-*", "spiffe://corp.test/ns/prod-eu"),
            ("https://corp.test:8443/*", "HTTPS://Corp.TEST:8443/a%20b;v=1"),
            ("https://[::1]/*", "https://[::1]/a"),
            ("urn:corp:device:*", "urn:corp:device:7"),
            ("urn:corp:*:*", "urn:corp:a:b"),
            ("https://corp.test/a*b*c", "https://corp.test/a1b2bbc"),
        ] {
            assert!(is_allowed(pattern, uri), "{pattern} {uri}");
        }
        for (pattern, uri) in [
            ("spiffe://corp.test/*", "spiffe://corp.test"),
            ("spiffe://corp.test/*", "spiffe://corp.test/"),
            ("spiffe://corp.test/*", "spiffe://corp.test//web"),
            ("spiffe://corp.test/*", "spiffe://corp.test/web/"),
            ("spiffe://corp.test/*", "spiffe://corp.test.evil.test/web"),
            ("spiffe://corp.test/*", "spiffe://evil.test/corp.test/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test@evil.test/web"),
            ("spiffe://corp.test/*", "spiffe://user@corp.test/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test:443/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test:/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test./web"),
            ("spiffe://corp.test/*", "spiffe://corp%2etest/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test?/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test#/web"),
            ("spiffe://corp.test/*", "spiffe://corp.test/web?a"),
            ("spiffe://corp.test/*", "spiffe://corp.test/web#a"),
            ("spiffe://corp.test/*", "spiffe:/corp.test/web"),
            ("spiffe://corp.test/*", "https://corp.test/web"),
            ("spiffe://corp.test/a/*", "spiffe://corp.test/a/../b"),
            ("spiffe://corp.test/a/*", "spiffe://corp.test/a/."),
            ("https://corp.test/a/*", "https://corp.test/a/%2e%2e/b"),
            ("https://corp.test/a/*", "https://corp.test/a/.%2E/b"),
            ("https://corp.test/a/*", "https://corp.test/a/..;x/b"),
            ("https://corp.test/a/*", "https://corp.test/a/x%2f..%2fb"),
            ("https://corp.test/a/*", "https://corp.test/a/x%5c..%5cb"),
            ("https://corp.test/a/*", "https://corp.test/a/x%00"),
            ("https://corp.test/a/*", "https://corp.test/a/%zz"),
            ("https://corp.test/a/*", "https://corp.test/a/%4"),
            ("https://corp.test/a/*", "https://corp.test/a/x\\..\\b"),
            ("https://corp.test/a/*", "https://corp.test/A/b"),
            ("https://corp.test/*/c", "https://corp.test/a/b/c"),
            ("https://corp.test/a-*", "https://corp.test/a-"),
            ("https://corp.test/a-*", "https://corp.test/a-b/c"),
            ("https:*", "https://evil.test/a"),
            ("urn:corp:*", "urn:corp:"),
        ] {
            assert!(!is_allowed(pattern, uri), "{pattern} {uri}");
        }
    }

    #[test]
    fn a_star_is_not_a_host_and_a_pattern_has_no_user_query_or_dot_segment() {
        for pattern in [
            "*",
            "*://corp.test/a",
            "spiffe://*",
            "spiffe://*/web",
            "spiffe://*.corp.test/web",
            "spiffe://corp.test:*/web",
            "spiffe://corp.test*/web",
            "spiffe://user@corp.test/*",
            "spiffe://corp.test:1/*",
            "spiffe://Corp.test/*",
            "SPIFFE://corp.test/*",
            "spiffe://corp.test/a%20b/*",
            "https://user@corp.test/*",
            "https://corp.test:/*",
            "https://corp%2etest/*",
            "https:///*",
            "https://corp.test/*?a",
            "https://corp.test/*#a",
            "https://corp.test/../*",
            "https://corp.test//*",
            "https://corp.test/*/",
            "https://corp.test/**",
            "https://corp.test/%2e%2e/*",
            "1s://corp.test/*",
        ] {
            assert!(UriPattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_spiffe_id_is_in_lower_case_up_to_its_path_and_plain() {
        for uri in ["spiffe://corp.test", "spiffe://corp.test/A/b-c_d.e", "https://Corp.test:1/?x", "urn:spiffe:A"] {
            assert_eq!(problem_of_spiffe_id(uri), None, "{uri}");
        }
        let long = format!("spiffe://corp.test/{}", "a".repeat(2048));
        for uri in [
            "SPIFFE://corp.test/a",
            "spiffe://Corp.test/a",
            "spiffe://corp.test:1/a",
            "spiffe://u@corp.test/a",
            "spiffe:///a",
            "spiffe://corp.test/",
            "spiffe://corp.test/a/",
            "spiffe://corp.test/a//b",
            "spiffe://corp.test/a/../b",
            "spiffe://corp.test/a%20b",
            "spiffe://corp.test/a:b",
            "spiffe://corp.test?a",
            &long,
        ] {
            assert!(problem_of_spiffe_id(uri).is_some(), "{uri}");
        }
    }

    /// Returns a URI as a program with a full normalization reads it (RFC 3986 §6.2.2): in lower case up to the path, everything
    /// decoded, without dot segments.
    fn normalized(uri: &str) -> String {
        let mut decoded = uri.replace('\\', "/");
        for code in (0x20..0x7f_u8).rev() {
            for encoded in [format!("%{code:02x}"), format!("%{code:02X}")] {
                decoded = decoded.replace(&encoded, &char::from(code).to_string());
            }
        }
        let Some((scheme, rest)) = decoded.split_once("://") else { return decoded };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let mut segments = rest.split('/');
        let host = segments.next().unwrap_or_default().rsplit('@').next().unwrap_or_default();
        let mut path: Vec<&str> = Vec::new();
        for segment in segments {
            match segment.split(';').next() {
                Some("..") => drop(path.pop()),
                Some("" | ".") => {}
                _ => path.push(segment),
            }
        }
        format!("{}://{}/{}", scheme.to_lowercase(), host.to_lowercase(), path.join("/"))
    }

    proptest::proptest! {
        #[test]
        fn what_is_allowed_is_below_the_pattern_for_every_reader(
            scheme in "spiffe|https|SPIFFE|HttpS",
            host in "(corp|evil|[a@:.%2eE/?#]){1,3}(\\.test|%2etest|\\.test\\.|\\.TEST)?(:[0-9]{0,2})?",
            path in "(/|/a/|a|b|\\.|%2e|%2E|%2f|%5c|%00|%20|;|\\?|#|@|:|\\\\|\\*|//|\\.\\.){0,8}",
            with_prefix in proptest::bool::ANY,
        ) {
            let uri = match with_prefix {
                true => format!("{scheme}://corp.test/a/{path}"),
                false => format!("{scheme}://{host}{path}"),
            };
            for own in ["spiffe", "https"] {
                let below = UriPattern::parse(&format!("{own}://corp.test/a/*")).unwrap();
                if below.matches(&uri) {
                    let start = format!("{own}://corp.test/a/");
                    let read = normalized(&uri);
                    proptest::prop_assert!(read.starts_with(&start) && read.len() > start.len(), "{} {}", uri, read);
                    proptest::prop_assert!(!uri.contains(['?', '#', '@', '\\']) || uri.split_once("/a/").is_some());
                }
                let one = UriPattern::parse(&format!("{own}://corp.test/a/*/b")).unwrap();
                if one.matches(&uri) {
                    let read = normalized(&uri);
                    proptest::prop_assert_eq!(read.split('/').count(), 6, "{}", uri);
                }
            }
        }

        #[test]
        fn every_plain_path_below_is_allowed(path in "[A-Za-z0-9_-]{1,9}(/[a-z.]{0,3}[a-z0-9-]{1,9}){0,3}") {
            for start in ["spiffe://corp.test/", "https://corp.test:8443/a/"] {
                let uri = format!("{start}{path}");
                proptest::prop_assert!(UriPattern::parse(&format!("{start}*")).unwrap().matches(&uri), "{}", uri);
            }
        }

        #[test]
        fn a_glob_is_what_its_stars_were_replaced_by(
            pieces in proptest::collection::vec("[ab]{0,3}", 1..4),
            filled in proptest::collection::vec("[abc]{1,3}", 3),
            other in "[abc]{0,9}",
        ) {
            let pattern = pieces.join("*");
            let mut text = pieces[0].clone();
            for (fill, piece) in filled.iter().zip(&pieces[1..]) {
                text.push_str(fill);
                text.push_str(piece);
            }
            proptest::prop_assert!(glob(&pattern, &text), "{} {}", pattern, text);
            proptest::prop_assert_eq!(glob(&pattern, &other), slow_glob(pattern.as_bytes(), other.as_bytes()));
        }
    }

    /// Tries every length for every star.
    fn slow_glob(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (1..=text.len()).any(|length| slow_glob(rest, &text[length..])),
            Some((byte, rest)) => text.first() == Some(byte) && slow_glob(rest, &text[1..]),
        }
    }
}
