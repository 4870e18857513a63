//! One entry of `allow` in a template: a pattern that names match.

use crate::x509::name_constraints::Subtree;
use crate::x509::{GeneralName, general_name};

/// One entry of `allow`: `*.corp.test` for everything below, an address block, or one name.
pub(super) enum NamePattern {
    Below(String),
    Exactly(GeneralName),
    Within(Subtree),
}

impl NamePattern {
    /// Reads an entry of `allow`.
    ///
    /// # Errors
    /// With the reason why it is not a pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        if let Some(above) = pattern.strip_prefix("*.") {
            return general_name::dns(above).map(Self::Below).map_err(|error| error.to_string());
        }
        if let Ok(subtree @ Subtree::Ip { .. }) = pattern.parse() {
            return Ok(Self::Within(subtree));
        }
        pattern.parse().map(Self::Exactly).map_err(|error: general_name::GeneralNameError| error.to_string())
    }

    /// Returns whether the pattern allows a name.
    pub(super) fn matches(&self, name: &GeneralName) -> bool {
        match (self, name) {
            (Self::Below(above), GeneralName::Dns(name)) => {
                name.strip_suffix(above.as_str()).is_some_and(|host| host.ends_with('.'))
            }
            (Self::Exactly(one), name) => one == name,
            (Self::Within(subtree), name) => subtree.contains(name),
            _ => false,
        }
    }
}
