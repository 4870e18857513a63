//! Which names a template allows, and where the common name comes from.

use serde::Deserialize;

use super::name_pattern::NamePattern;
use super::refusal::DraftRefusal;
use super::template_string::{TemplateString, TemplateValues};
use crate::text;
use crate::x509::GeneralName;

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

/// The subject alternative names that a template allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRules {
    pub kinds: Vec<NameKind>,
    pub at_least: u32,
    /// Patterns, of which each name must match one. Empty: every name is allowed.
    pub allow: Vec<TemplateString>,
}

/// A kind of subject alternative name that a template may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum NameKind {
    Dns,
    Ip,
    Email,
    Uri,
}

impl NameKind {
    const ALL: [Self; 4] = [Self::Dns, Self::Ip, Self::Email, Self::Uri];

    /// Returns the word for the kind, the same as [`GeneralName::kind`].
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ip => "ip",
            Self::Email => "email",
            Self::Uri => "uri",
        }
    }
}

impl TryFrom<String> for NameKind {
    type Error = String;

    fn try_from(given: String) -> Result<Self, Self::Error> {
        Self::ALL.into_iter().find(|kind| kind.word() == given).ok_or_else(|| {
            let near = text::did_you_mean(&given, Self::ALL.map(Self::word));
            format!("'{}' is not a kind of name{near}: expected one of dns, ip, email, uri", text::escape(&given))
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
        let allowed: Vec<String> = self.allow.iter().map(|text| text.render(values)).collect::<Result<_, _>>()?;
        let parse = |pattern: &String| {
            NamePattern::parse(pattern).map_err(|reason| {
                let pattern = pattern.clone();
                DraftRefusal::Pattern { template: template(), pattern, reason }
            })
        };
        let patterns: Vec<NamePattern> = allowed.iter().map(parse).collect::<Result<_, _>>()?;
        let is_allowed =
            |name: &GeneralName| patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name));
        match names.iter().find(|name| !is_allowed(name)) {
            Some(name) => Err(DraftRefusal::NotAllowed { template: template(), name: name.value(), allowed }),
            None => Ok(()),
        }
    }
}
