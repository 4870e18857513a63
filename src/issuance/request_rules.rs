//! What a template may take from the subject of a request: `[request]`.

use super::name_pattern::TextPattern;
use crate::x509::AttributeType;

/// What a template takes from the subject of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestRules {
    pub subject: RequestedSubject,
    /// Patterns of values, by attribute. A value that is taken must match one of its attribute.
    pub allow: Vec<(AttributeType, Vec<TextPattern>)>,
}

/// The part of the subject of a request that is taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RequestedSubject {
    /// Only what `[subject]` names.
    #[default]
    Template,
    /// All values of these attributes, where the request has some.
    Attributes(Vec<AttributeType>),
    /// The whole subject, byte for byte.
    AsRequested,
}

impl RequestRules {
    /// Returns whether the whole subject of a request is taken.
    pub fn takes_whole_subject(&self) -> bool {
        self.subject == RequestedSubject::AsRequested
    }

    /// Returns the patterns for an attribute; `None` when its values are not limited.
    pub(super) fn patterns(&self, kind: &AttributeType) -> Option<&[TextPattern]> {
        self.allow.iter().find(|(known, _)| known == kind).map(|(_, patterns)| patterns.as_slice())
    }
}
