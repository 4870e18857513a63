//! The patterns of a template: one entry of `allow`, which names match, and of `allow-common-name`, which texts match.

use super::uri_pattern::{UriPattern, glob, problem_of_spiffe_id};
use crate::x509::name_constraints::Subtree;
use crate::x509::other_name::{self, OtherForm};
use crate::x509::{GeneralName, general_name};

/// One entry of `allow`: `*.corp.test` for everything below, an address block, mailboxes or URIs with a `*`, or one name.
pub(super) enum NamePattern {
    Below(String),
    Exactly(GeneralName),
    Within(Subtree),
    Mailbox(MailboxPattern),
    Uri(UriPattern),
    Principal(PrincipalPattern),
}

impl NamePattern {
    /// Reads an entry of `allow`.
    ///
    /// # Errors
    /// With the reason why it is not a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if let Some(above) = pattern.strip_prefix("*.").filter(|above| !above.contains('@')) {
            return general_name::dns(above).map(Self::Below).map_err(|error| error.to_string());
        }
        if pattern.contains('*') {
            let (prefix, value) = pattern.split_once(':').unwrap_or(("", pattern));
            match prefix.to_ascii_lowercase().as_str() {
                "uri" => return Self::uri(value),
                "email" => return MailboxPattern::parse(value).map(Self::Mailbox),
                "dns" | "ip" => {}
                word if other_name::form(word).is_some() => {
                    let form = other_name::form(word).unwrap_or(OtherForm::Upn);
                    return PrincipalPattern::parse(form, value).map(Self::Principal);
                }
                _ if pattern.contains("://") || pattern.starts_with("urn:") => return Self::uri(pattern),
                _ if pattern.contains('@') => return MailboxPattern::parse(pattern).map(Self::Mailbox),
                _ => {}
            }
        }
        if let Ok(subtree @ Subtree::Ip { .. }) = pattern.parse() {
            return Ok(Self::Within(subtree));
        }
        pattern.parse().map(Self::Exactly).map_err(|error: general_name::GeneralNameError| error.to_string())
    }

    fn uri(pattern: &str) -> Result<Self, String> {
        let not_a_pattern = |reason| format!("'{}' is not a pattern for URIs: {reason}", crate::text::escape(pattern));
        UriPattern::parse(pattern).map(Self::Uri).map_err(not_a_pattern)
    }

    /// Returns whether a `*` in it stands for other characters of a mailbox or a URI.
    pub(super) fn has_star(&self) -> bool {
        matches!(self, Self::Mailbox(_) | Self::Uri(_) | Self::Principal(_))
    }

    /// Returns whether the pattern allows a name. With the scheme `spiffe`, it allows only SPIFFE IDs.
    pub(super) fn matches(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Below(above), GeneralName::Dns(name)) => {
                name.strip_suffix(above.as_str()).is_some_and(|host| host.ends_with('.'))
            }
            (Self::Exactly(GeneralName::Uri(one)), GeneralName::Uri(name)) => {
                general_name::is_same_uri(one, name) && problem_of_spiffe_id(name).is_none()
            }
            (Self::Exactly(one), name) => one == name,
            (Self::Within(subtree), name) => subtree.contains(name),
            (Self::Mailbox(pattern), GeneralName::Email(name)) => pattern.matches(name),
            (Self::Principal(pattern), name) => {
                name.principal().is_some_and(|(form, principal)| pattern.matches(form, &principal))
            }
            (Self::Uri(pattern), GeneralName::Uri(name)) => {
                pattern.matches(name) && problem_of_spiffe_id(name).is_none()
            }
            _ => false,
        }
    }
}

/// A pattern for mailboxes: `*@corp.test`, `svc-*@corp.test`, `*@*.corp.test`.
///
/// A `*` before the `@` stands for one or more characters. After it, only `*.` at the beginning is allowed: every domain below,
/// as in a pattern for host names.
pub(super) struct MailboxPattern {
    local: String,
    domain: String,
    /// Whether it allows the domains below, instead of the domain.
    is_below: bool,
}

impl MailboxPattern {
    fn parse(pattern: &str) -> Result<Self, String> {
        let not_a_pattern = |reason: &str| {
            format!("'{}' is not a pattern for e-mail addresses: {reason}", crate::text::escape(pattern))
        };
        let (local, domain) = pattern.rsplit_once('@').ok_or_else(|| not_a_pattern("it has no '@'"))?;
        let (is_below, domain) = match domain.strip_prefix("*.") {
            Some(above) => (true, above),
            None => (false, domain),
        };
        if local.contains("**") {
            return Err(not_a_pattern("write one '*', not two"));
        }
        if domain.contains('*') {
            return Err(not_a_pattern("after the '@', a '*' can only be the whole first label, as in *@*.corp.test"));
        }
        // The mailbox that the pattern is with a letter for each `*` has the form of one.
        let sample = format!("email:{}@{domain}", local.replace('*', "a"));
        match sample.parse() {
            Ok(GeneralName::Email(mailbox)) => {
                let domain = mailbox.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
                Ok(Self { local: local.to_owned(), domain, is_below })
            }
            Ok(_) => Err(not_a_pattern("it is another kind of name")),
            Err(_) if general_name::dns(domain).is_err() => {
                Err(not_a_pattern("the part after the '@' is not a DNS name"))
            }
            Err(_) => Err(not_a_pattern("the part before the '@' is not a plain mailbox name")),
        }
    }

    /// Returns whether the pattern allows a mailbox. The part before the `@` is compared byte for byte (RFC 5280 §7.5).
    fn matches(&self, mailbox: &str) -> bool {
        let Some((local, domain)) = mailbox.rsplit_once('@') else { return false };
        let domain = domain.to_ascii_lowercase();
        let is_of_domain = match self.is_below {
            true => domain.strip_suffix(&self.domain).is_some_and(|host| host.len() > 1 && host.ends_with('.')),
            false => domain == self.domain,
        };
        let is_plain = local.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'@' | b'"' | b'\\'));
        is_of_domain && is_plain && glob(&self.local, local)
    }
}

/// A pattern for principals: `upn:*@corp.test`, `kerberos:HTTP/*@CORP.TEST`.
///
/// A `*` stands for one or more characters of one component before the `@`, so that `*@CORP.TEST` is no service.
pub(super) struct PrincipalPattern {
    form: OtherForm,
    components: Vec<String>,
    realm: String,
}

impl PrincipalPattern {
    fn parse(form: OtherForm, pattern: &str) -> Result<Self, String> {
        let kind = form.word();
        let not_a_pattern =
            |reason: &str| format!("'{}' is not a pattern for {kind} names: {reason}", crate::text::escape(pattern));
        let (principal, realm) = pattern.rsplit_once('@').ok_or_else(|| not_a_pattern("it has no '@'"))?;
        if realm.contains('*') || principal.contains("**") {
            return Err(not_a_pattern("a '*' is allowed before the '@' only, and not beside another"));
        }
        // The principal that the pattern is with a letter for each `*` has the form of one.
        form.encode(&pattern.replace('*', "a")).map_err(not_a_pattern)?;
        let components = principal.split('/').map(str::to_owned).collect();
        Ok(Self { form, components, realm: realm.to_owned() })
    }

    /// Returns whether the pattern allows a principal. Realms are compared byte for byte (RFC 4120 §6.1), the domains of user
    /// principal names without regard to case.
    fn matches(&self, form: OtherForm, principal: &str) -> bool {
        let Some((principal, realm)) = principal.rsplit_once('@') else { return false };
        let is_of_realm = match form {
            OtherForm::Upn => self.realm.eq_ignore_ascii_case(realm),
            OtherForm::Kerberos => self.realm == realm,
        };
        let components: Vec<&str> = principal.split('/').collect();
        self.form == form
            && is_of_realm
            && self.components.len() == components.len()
            && self.components.iter().zip(components).all(|(own, other)| glob(own, other))
    }
}

/// One entry of `allow-common-name`: a text in which each `*` stands for any characters, also for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextPattern(String);

impl TextPattern {
    /// Reads an entry of `allow-common-name`.
    ///
    /// # Errors
    /// With the reason why it is not a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, &'static str> {
        match pattern {
            "" => Err("an empty pattern matches no common name"),
            // A value of --set could bring a `*`.
            _ if pattern.contains("{{") => Err("a pattern for common names has no placeholders"),
            _ => Ok(Self(pattern.to_owned())),
        }
    }

    /// Returns whether the pattern allows a text. Upper and lower case are different: a database knows `Admin` and `admin`
    /// as two users.
    pub(super) fn matches(&self, text: &str) -> bool {
        let Some((start, rest)) = self.0.split_once('*') else { return self.0 == text };
        let Some(mut left) = text.strip_prefix(start) else { return false };
        let mut pieces: Vec<&str> = rest.split('*').collect();
        let end = pieces.pop().unwrap_or_default();
        for piece in pieces {
            match left.split_once(piece) {
                Some((_, after)) => left = after,
                None => return false,
            }
        }
        left.ends_with(end)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_allowed(pattern: &str, name: GeneralName) -> bool {
        NamePattern::parse(pattern).unwrap().matches(&name)
    }

    #[test]
    fn a_pattern_for_mailboxes_binds_the_domain_and_the_local_part() {
        for (pattern, mailbox) in [
            ("*@corp.test", "alice@corp.test"),
            ("email:*@Corp.test", "a.b+c@corp.test"),
            ("svc-*@corp.test", "svc-db@CORP.test"),
            ("*@*.corp.test", "alice@eu.corp.test"),
            ("a*z@corp.test", "abcz@corp.test"),
            ("*.ops@corp.test", "a.ops@corp.test"),
        ] {
            assert!(is_allowed(pattern, GeneralName::Email(mailbox.to_owned())), "{pattern} {mailbox}");
        }
        for (pattern, mailbox) in [
            ("*@corp.test", "@corp.test"),
            ("*@corp.test", "alice@eu.corp.test"),
            ("*@corp.test", "alice@evilcorp.test"),
            ("*@corp.test", "alice@corp.test@evil.test"),
            ("*@corp.test", "\"alice@evil.test\"@corp.test"),
            ("*@corp.test", "alice@evil.test\0@corp.test"),
            ("svc-*@corp.test", "svc-@corp.test"),
            ("svc-*@corp.test", "SVC-db@corp.test"),
            ("*@*.corp.test", "alice@corp.test"),
            ("*@*.corp.test", "alice@.corp.test"),
            ("*@*.corp.test", "alice@evilcorp.test"),
        ] {
            assert!(!is_allowed(pattern, GeneralName::Email(mailbox.to_owned())), "{pattern} {mailbox}");
        }
        assert!(!is_allowed("*@corp.test", GeneralName::Dns("corp.test".to_owned())));
        for pattern in
            ["*@", "*@*", "*@a*.test", "*@eu.*.test", "**@corp.test", "a b*@corp.test", "email:*", "*@*.", ".*@a.test"]
        {
            assert!(NamePattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_for_principals_binds_the_realm_and_the_number_of_components() {
        let named = |pattern: &str, name: &str| is_allowed(pattern, name.parse().unwrap());
        for (pattern, name) in [
            ("upn:*@corp.test", "upn:alice@corp.test"),
            ("upn:*@corp.test", "upn:alice@CORP.test"),
            ("kerberos:*@CORP.TEST", "kerberos:alice@CORP.TEST"),
            ("kerberos:HTTP/*@CORP.TEST", "kerberos:HTTP/web.corp.test@CORP.TEST"),
            ("kerberos:HTTP/web@CORP.TEST", "kerberos:HTTP/web@CORP.TEST"),
        ] {
            assert!(named(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [
            ("upn:*@corp.test", "upn:alice@evil.test"),
            ("upn:*@corp.test", "upn:alice@eu.corp.test"),
            ("upn:*@corp.test", "email:alice@corp.test"),
            ("upn:*@corp.test", "kerberos:alice@corp.test"),
            ("kerberos:*@CORP.TEST", "kerberos:alice@corp.test"),
            ("kerberos:*@CORP.TEST", "kerberos:krbtgt/CORP.TEST@CORP.TEST"),
            ("kerberos:*@CORP.TEST", "kerberos:alice/admin@CORP.TEST"),
            ("kerberos:HTTP/*@CORP.TEST", "kerberos:http/web@CORP.TEST"),
            ("*@corp.test", "upn:alice@corp.test"),
        ] {
            assert!(!named(pattern, name), "{pattern} {name}");
        }
        for pattern in ["upn:*", "upn:*@*.test", "upn:**@a.test", "kerberos:*@*", "kerberos:/*@R", "upn:a/*@corp.test"]
        {
            assert!(NamePattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn one_uri_is_compared_as_a_uri_and_a_spiffe_id_has_to_be_one() {
        let uri = |text: &str| GeneralName::Uri(text.to_owned());
        assert!(is_allowed("https://corp.test/a", uri("HTTPS://CORP.test/a")));
        assert!(!is_allowed("https://corp.test/a", uri("https://corp.test/A")));
        assert!(is_allowed("spiffe://corp.test/a", uri("spiffe://corp.test/a")));
        assert!(!is_allowed("spiffe://corp.test/a", uri("SPIFFE://corp.test/a")));
        assert!(is_allowed("uri:urn:corp:*", uri("urn:corp:a")));
        // In a pattern for host names, the kind of name stays: this is the wildcard name itself.
        assert!(is_allowed("dns:*.corp.test", GeneralName::Dns("*.corp.test".to_owned())));
        assert!(!is_allowed("dns:*.corp.test", GeneralName::Dns("a.corp.test".to_owned())));
    }

    proptest::proptest! {
        #[test]
        fn a_mailbox_of_another_domain_is_never_allowed(
            local in "[a-z*.@\"]{0,5}", domain in "(corp|evil|[.@a*]){0,3}(corp\\.test|evil\\.test|CORP\\.test)",
        ) {
            let mailbox = format!("{local}@{domain}");
            for (pattern, own, is_below) in [("*@corp.test", "corp.test", false), ("*@*.corp.test", ".corp.test", true)] {
                if is_allowed(pattern, GeneralName::Email(mailbox.clone())) {
                    let lower = mailbox.to_lowercase();
                    let host = lower.rsplit('@').next().unwrap();
                    proptest::prop_assert!(if is_below { host.ends_with(own) } else { host == own }, "{}", mailbox);
                    proptest::prop_assert_eq!(mailbox.matches('@').count(), 1);
                }
            }
        }
    }

    #[test]
    fn a_star_stands_for_any_characters_and_everything_else_for_itself() {
        for (pattern, text, expected) in [
            ("alice", "alice", true),
            ("alice", "Alice", false),
            ("alice", "alice2", false),
            ("svc-*", "svc-", true),
            ("svc-*", "svc-db", true),
            ("svc-*", "asvc-db", false),
            ("*", "", true),
            ("*", "anything at all", true),
            ("*-admin", "db-admin", true),
            ("*-admin", "db-admin2", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            // No character counts twice.
            ("ab*ba", "aba", false),
            ("a**a", "aa", true),
            ("a*", "äa", false),
        ] {
            assert_eq!(TextPattern::parse(pattern).unwrap().matches(text), expected, "{pattern} {text}");
        }
        assert!(TextPattern::parse("").is_err() && TextPattern::parse("{{ name }}").is_err());
    }
}
