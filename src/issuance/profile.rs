//! A template that was read and has no contradictions: what may be issued, and how. See docs/reference/templates.md.

use std::collections::BTreeSet;

use super::extension_rules::{ExtensionRule, ExtensionValue};
use super::file_rules::FileRules;
use super::name_rules::{CommonName, NameRules};
use super::request_rules::RequestRules;
use super::template_string::TemplateString;
use crate::text::Lifetime;
use crate::x509::{AttributeType, KeyAlgorithm, KeyUsage, NameConstraints};

/// What all certificates of one template have in common. Read from TOML, without contradictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name of the template.
    pub name: String,
    pub summary: String,
    /// The key algorithms that are allowed; the first is the default for new keys.
    pub keys: Vec<KeyAlgorithm>,
    pub lifetime: Lifetime,
    /// The longest lifetime that is allowed.
    pub longest: Lifetime,
    /// True when the template does not set it: it is the lifetime then, also of a template that is based on this one.
    pub longest_is_lifetime: bool,
    /// How long before now a certificate starts, for clients whose clocks are slow; `None` when it starts now.
    pub backdate: Option<Lifetime>,
    pub common_name: CommonName,
    /// The other attributes of the subject.
    pub subject: Vec<(AttributeType, TemplateString)>,
    pub names: NameRules,
    /// What is taken from the subject of a request.
    pub request: RequestRules,
    pub key_usage: KeyUsage,
    /// The purposes, as template strings: `{{ role }}-auth` is rendered before it is parsed.
    pub extended_key_usage: Vec<TemplateString>,
    /// Whether the extended key usage is critical. With time-stamping it always is (RFC 3161 §2.3).
    pub critical_purposes: bool,
    /// The dotted object identifiers of the certificate policies.
    pub policies: Vec<String>,
    /// The extensions that the program does not write itself.
    pub extensions: Vec<ExtensionRule>,
    pub serial_bytes: usize,
    /// What a CA may do; `None` in the profile of a leaf.
    pub authority: Option<AuthorityRules>,
    pub distribution: Distribution,
    pub files: FileRules,
}

/// What a CA may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityRules {
    /// How many CAs may be between it and a leaf (RFC 5280 §4.2.1.9); `None` when any number may.
    pub path_length: Option<u8>,
    pub constraints: NameConstraints,
}

/// URLs that are written into the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    pub crl: Vec<TemplateString>,
    pub ca_issuers: Vec<TemplateString>,
    pub ocsp: Vec<TemplateString>,
}

impl Profile {
    /// Returns whether it is the profile of a CA.
    pub fn is_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// Returns whether the common name can be a text that is chosen for each certificate.
    pub fn common_name_is_free(&self) -> bool {
        match &self.common_name {
            CommonName::Name => true,
            CommonName::Template(text) => text.has_placeholders(),
            CommonName::First | CommonName::None => false,
        }
    }

    /// Returns the names of all placeholders that its strings use.
    pub fn uses(&self) -> BTreeSet<String> {
        let common_name = match &self.common_name {
            CommonName::Template(text) => Some(text),
            _ => None,
        };
        let Distribution { crl, ca_issuers, ocsp } = &self.distribution;
        let subject = self.subject.iter().map(|(_, text)| text);
        let of_extension = |rule: &'_ ExtensionRule| match &rule.value {
            ExtensionValue::Text { text, .. } => text.uses(),
            ExtensionValue::Der(_) | ExtensionValue::FromRequest { .. } => BTreeSet::new(),
        };
        let extensions = self.extensions.iter().flat_map(of_extension);
        let rest = [&self.names.allow, &self.extended_key_usage, crl, ca_issuers, ocsp].into_iter().flatten();
        common_name.into_iter().chain(subject).chain(rest).flat_map(TemplateString::uses).chain(extensions).collect()
    }
}
