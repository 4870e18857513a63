//! What a trust store has of a root.

use super::roots::TrustRoot;

/// What a store has of one root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    pub is_trusted: bool,
    /// Where the store has exactly this certificate: the paths of files, nicknames or aliases.
    pub entries: Vec<String>,
}

/// The roots that a plan is about: their positions, and what the store has of them.
pub type Wanted<'a> = [(usize, &'a TrustRoot, &'a Presence)];
