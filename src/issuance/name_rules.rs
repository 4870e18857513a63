//! Which names a template allows, and where the common name comes from.

use serde::Deserialize;

use super::name_pattern::{NamePattern, TextPattern};
use super::refusal::DraftRefusal;
use super::template_string::{TemplateString, TemplateValues};
use super::uri_pattern::is_spiffe;
use crate::text;
use crate::x509::host_like::names_in;
use crate::x509::{AttributeType, DistinguishedName, GeneralName};

/// Where the common name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommonName {
    /// The first DNS name of at most 64 characters.
    First,
    /// The name of the entry.
    Name,
    None,
    Template(TemplateString),
}

/// The subject alternative names and common names that a template allows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NameRules {
    pub kinds: Vec<NameKind>,
    pub at_least: u32,
    /// The most names; `None` when any number is allowed.
    pub at_most: Option<u32>,
    /// Patterns, of which each name must match one. Empty: every name is allowed.
    pub allow: Vec<TemplateString>,
    /// Patterns, of which a common name must match one that is not a host name, an address, a mailbox or a URI. Empty: every
    /// one is allowed.
    pub common_names: Vec<TextPattern>,
}

/// A kind of subject alternative name that a template may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum NameKind {
    Dns,
    Ip,
    Email,
    Uri,
    /// The user principal name of Windows.
    Upn,
    /// A Kerberos principal.
    Kerberos,
}

impl NameKind {
    const ALL: [Self; 6] = [Self::Dns, Self::Ip, Self::Email, Self::Uri, Self::Upn, Self::Kerberos];

    /// Returns the word for the kind, the same as [`GeneralName::kind`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Uri => "uri",
            Self::Upn => "upn",
            Self::Kerberos => "kerberos",
        }
    }
}

impl TryFrom<String> for NameKind {
    type Error = String;

    fn try_from(given: String) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|kind| kind.word() == given).ok_or_else(|| {
            let near = text::did_you_mean(&given, Self::ALL.map(Self::word));
            format!(
                "'{}' is not a kind of name{near}: expected one of dns, ip, email, uri, upn, kerberos",
                text::escape(&given)
            )
        })
    }
}

impl NameRules {
    /// Checks the names of a request: their kinds, their number, and that each matches a pattern of `allow`.
    ///
    /// # Errors
    /// When the template, whose name is `template`, does not allow them.
    pub(super) fn check(
        &self,
        template: &str,
        names: &[GeneralName],
        values: &TemplateValues,
    ) -> Result<(), DraftRefusal> {
        let template = || template.to_owned();
        let kinds: Vec<_> = self.kinds.iter().map(|kind| kind.word()).collect();
        if let Some(name) = names.iter().find(|name| !kinds.contains(&name.kind())) {
            return Err(DraftRefusal::Kind {
                template: template(),
                kind: name.kind(),
                name: name.value(),
                allowed: kinds,
            });
        }
        if names.len() < self.at_least as usize {
            return Err(DraftRefusal::TooFewNames { template: template(), wanted: self.at_least, found: names.len() });
        }
        if let Some(most) = self.at_most
            && names.len() > most as usize
        {
            let kind = "subject alternative names";
            return Err(DraftRefusal::TooManyNames { template: template(), kind, most, found: names.len() });
        }
        let Patterns { allowed, patterns } = self.patterns(template(), values)?;
        // "An X.509 SVID MUST contain exactly one URI SAN" (SPIFFE X509-SVID §2).
        let uris = || names.iter().filter(|name| matches!(name, GeneralName::Uri(_))).count();
        if allowed.iter().any(|pattern| is_spiffe(pattern)) && uris() > 1 {
            let kind = "URIs beside a SPIFFE ID";
            return Err(DraftRefusal::TooManyNames { template: template(), kind, most: 1, found: uris() });
        }
        let is_allowed =
            |name: &GeneralName| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name));
        match names.iter().find(|name| !is_allowed(name)) {
            Some(name) => Err(DraftRefusal::NotAllowed { template: template(), name: name.value(), allowed }),
            None => Ok(()),
        }
    }

    /// Checks NAME, the common names of a subject, and `mailboxes`, which a request brings into the subject. A text that
    /// programs read as a host name, an address, a mailbox or a URI must match a pattern of `allow`; other common names, or
    /// all when there is no `allow`, one of `allow-common-name`.
    ///
    /// # Errors
    /// When the template, whose name is `template`, does not allow them.
    pub(super) fn check_texts(
        &self,
        template: &str,
        name: &str,
        subject: &DistinguishedName,
        mailboxes: &[String],
        values: &TemplateValues,
    ) -> Result<(), DraftRefusal> {
        const NAME: &str = "NAME";
        const COMMON_NAME: &str = "the common name";
        const MAILBOX: &str = "the e-mail address";
        let Patterns { allowed, patterns } = self.patterns(template.to_owned(), values)?;
        let common_names = subject.attributes().filter(|attribute| attribute.kind == AttributeType::CommonName);
        // `alice@corp.test` is a user principal name where e-mail addresses are not allowed.
        let reads_principals = self.kinds.contains(&NameKind::Upn) && !self.kinds.contains(&NameKind::Email);
        let names_in = |text: &str| {
            let mut names = names_in(text);
            let principal = names.iter().any(|name| matches!(name, GeneralName::Email(_))) && reads_principals;
            names.extend(principal.then(|| format!("upn:{text}").parse().ok()).flatten());
            names
        };
        let texts = std::iter::once((NAME, name, names_in(name)))
            .chain(common_names.map(|it| (COMMON_NAME, it.value.as_str(), names_in(&it.value))))
            .chain(mailboxes.iter().map(|it| (MAILBOX, it.as_str(), vec![GeneralName::Email(it.clone())])));
        for (what, text, readings) in texts {
            let refused = |allowed: Vec<String>| {
                let (template, text) = (template.to_owned(), text.to_owned());
                Err(DraftRefusal::TextNotAllowed { template, what, text, allowed })
            };
            if !readings.is_empty() && !patterns.is_empty() {
                if !readings.iter().any(|name| patterns.iter().any(|pattern| pattern.matches(name))) {
                    return refused(allowed);
                }
            } else if what == COMMON_NAME
                && !self.common_names.is_empty()
                && !self.common_names.iter().any(|pattern| pattern.matches(text))
            {
                return refused(self.common_names.iter().map(|pattern| pattern.as_str().to_owned()).collect());
            }
        }
        Ok(())
    }

    /// Returns the patterns of `allow`.
    fn patterns(&self, template: String, values: &TemplateValues) -> Result<Patterns, DraftRefusal> {
        let allowed: Vec<String> = self.allow.iter().map(|text| text.render(values)).collect::<Result<_, _>>()?;
        let parse = |(pattern, source): (&String, &TemplateString)| {
            let parsed = NamePattern::parse(pattern).and_then(|parsed| {
                // The value of a placeholder is not a pattern.
                match parsed.has_star() && pattern.matches('*').count() != source.source().matches('*').count() {
                    true => Err("a '*' came from the value of a placeholder".to_owned()),
                    false => Ok(parsed),
                }
            });
            parsed.map_err(|reason| {
                let pattern = pattern.clone();
                DraftRefusal::Pattern { template: template.clone(), pattern, reason }
            })
        };
        let patterns = allowed.iter().zip(&self.allow).map(parse).collect::<Result<_, _>>()?;
        Ok(Patterns { allowed, patterns })
    }
}

/// `allow`, with its placeholders filled in.
struct Patterns {
    allowed: Vec<String>,
    patterns: Vec<NamePattern>,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, ROOT, profile, request, root, serial};
    use super::super::{Draft, SignedBy};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    const CLIENT: &str = "key = [\"ecdsa-p256\"]\nlifetime = \"90d\"\n[usage]\nkey = [\"digital-signature\"]\n\
        extended = [\"client-auth\"]\n[subject]\ncommon-name = \"name\"\n";

    /// Returns whether a template gives a certificate for NAME, with this common name in place of NAME when it is given.
    fn is_allowed(rules: &str, name: &str, common_name: Option<&str>) -> bool {
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let mut request = request(name, &[], key.public_key());
        request.subject.extend(common_name.map(|text| (AttributeType::CommonName, text.to_owned())));
        let profile = profile(&format!("{CLIENT}{rules}"));
        match Draft::new(&profile, &request, SignedBy::Issuer(root.ca_certificate()), NOW, serial(2)) {
            Ok(_) => true,
            Err(DraftRefusal::TextNotAllowed { .. }) => false,
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_allowed_binds_name_and_common_names_that_look_like_a_host() {
        let rules = "[names]\nkinds = [\"dns\", \"ip\"]\nallow = [\"*.corp.test\", \"10.0.0.0/8\"]\n";
        for name in ["web.corp.test", "*.corp.test", "WEB.Corp.Test", "10.1.2.3", "alice", "J. Doe"] {
            assert!(is_allowed(rules, name, None), "{name}");
            assert!(is_allowed(rules, "alice", Some(name)), "{name}");
        }
        for name in [
            "evil.other.test",
            "corp.test",
            "evilcorp.test",
            "*.other.test",
            "localhost",
            "evil.other.test.",
            "evil。other。test",
            "11.0.0.1",
            "::1",
            "boss@other.test",
        ] {
            assert!(!is_allowed(rules, name, None), "{name}");
            assert!(!is_allowed(rules, "alice", Some(name)), "{name}");
            // NAME is in the index, and in what the placeholders give.
            assert!(!is_allowed(rules, name, Some("alice")), "{name}");
        }
    }

    /// Returns why a template with these rules does not give a certificate for these names; `None` when it does.
    fn refusal(rules: &str, names: &[&str], set: &str) -> Option<DraftRefusal> {
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let mut request = request("alice", names, key.public_key());
        request.values.0.insert("value".to_owned(), set.to_owned());
        let profile = profile(&format!("{CLIENT}{rules}"));
        Draft::new(&profile, &request, SignedBy::Issuer(root.ca_certificate()), NOW, serial(2)).err()
    }

    #[test]
    fn at_most_limits_the_number_of_names() {
        let rules = "[names]\nkinds = [\"dns\", \"uri\"]\nat-most = 2\n";
        assert_eq!(refusal(rules, &["a.test", "urn:a:b"], ""), None);
        let refused = refusal(rules, &["a.test", "b.test", "urn:a:b"], "");
        assert!(matches!(refused, Some(DraftRefusal::TooManyNames { most: 2, found: 3, .. })), "{refused:?}");
    }

    #[test]
    fn beside_a_spiffe_id_there_is_no_second_uri() {
        let rules =
            "[names]\nkinds = [\"dns\", \"uri\"]\nallow = [\"spiffe://corp.test/*\", \"urn:a:*\", \"*.corp.test\"]\n";
        for names in [&["spiffe://corp.test/a", "web.corp.test"][..], &["urn:a:b"], &[]] {
            assert_eq!(refusal(rules, names, ""), None, "{names:?}");
        }
        for names in [["spiffe://corp.test/a", "spiffe://corp.test/b"], ["spiffe://corp.test/a", "urn:a:b"]] {
            let refused = refusal(rules, &names, "");
            assert!(matches!(refused, Some(DraftRefusal::TooManyNames { most: 1, found: 2, .. })), "{refused:?}");
        }
        for name in ["SPIFFE://corp.test/a", "spiffe://corp.test/a%20b", "spiffe://evil.test/a"] {
            let refused = refusal(rules, &[name], "");
            assert!(matches!(refused, Some(DraftRefusal::NotAllowed { .. })), "{refused:?}");
        }
    }

    #[test]
    fn the_value_of_a_placeholder_is_not_a_pattern() {
        for pattern in ["spiffe://corp.test/{{ value }}/web", "{{ value }}@corp.test", "uri:urn:a:{{ value }}"] {
            let rules = format!("[names]\nkinds = [\"email\", \"uri\"]\nallow = [\"{pattern}\"]\n");
            assert_eq!(refusal(&rules, &[], "x"), None, "{pattern}");
            let refused = refusal(&rules, &[], "*");
            assert!(matches!(refused, Some(DraftRefusal::Pattern { .. })), "{pattern} {refused:?}");
        }
    }

    #[test]
    fn what_is_allowed_binds_mailboxes_of_the_subject_but_those_of_the_template() {
        let own = "email-address = \"ops@other.test\"\n";
        let rules = "[names]\nkinds = [\"email\"]\nallow = [\"alice@corp.test\"]\n";
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        for (mailbox, expected) in [
            (None, true),
            (Some("ops@other.test"), true),
            (Some("alice@corp.test"), true),
            (Some("boss@evil.test"), false),
        ] {
            let mut request = request("alice", &[], key.public_key());
            request.subject.extend(mailbox.map(|text| (AttributeType::EmailAddress, text.to_owned())));
            let profile = profile(&format!("{CLIENT}{own}{rules}"));
            let draft = Draft::new(&profile, &request, SignedBy::Issuer(root.ca_certificate()), NOW, serial(2));
            assert_eq!(draft.is_ok(), expected, "{mailbox:?}");
        }
    }

    #[test]
    fn other_common_names_are_bound_by_their_own_patterns() {
        let rules = "allow-common-name = [\"alice\", \"svc-*\"]\n";
        for (common_name, expected) in
            [("alice", true), ("svc-db", true), ("bob", false), ("Alice", false), ("postgres-admin", false)]
        {
            assert_eq!(is_allowed(rules, common_name, None), expected, "{common_name}");
            assert_eq!(is_allowed(rules, "bob", Some(common_name)), expected, "{common_name}");
        }
        // Without `allow`, names of hosts are common names like others.
        assert!(!is_allowed(rules, "evil.test", None) && is_allowed(rules, "svc-db.corp.test", None));
        // With it, a pattern for common names opens no host.
        let both = "allow-common-name = [\"*\"]\n[names]\nkinds = [\"dns\"]\nallow = [\"*.corp.test\"]\n";
        assert!(is_allowed(both, "anyone", None) && is_allowed(both, "web.corp.test", None));
        assert!(!is_allowed(both, "evil.test", None));
    }
}
