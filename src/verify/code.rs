//! The codes of problems: what `ca explain` shows, and the order in which they are reported.

/// A kind of problem that can be looked up by its code.
#[derive(Debug)]
pub struct Code {
    /// A stable word, kebab-case.
    pub code: &'static str,
    pub rank: Rank,
    pub citation: &'static str,
    /// What the rule requires, as one sentence.
    pub requirement: &'static str,
    /// The message of a real certificate that breaks the rule.
    pub example: &'static str,
    /// What to do when the rule is broken.
    pub fix: &'static str,
}

/// The order in which problems of one severity are reported: a cause before what follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    OtherCertificateServed,
    KeyNotProved,
    KeyMismatch,
    LeafNotFirst,
    ExtensionMalformed,
    SelfSignedLeaf,
    IssuerNotFound,
    UntrustedRoot,
    SignatureInvalid,
    SignatureUnsupported,
    NotACa,
    Expired,
    NotYetValid,
    Revoked,
    CaAsLeaf,
    NoSubjectAltName,
    NameMismatch,
    WrongPurpose,
    NameConstraintViolated,
    PathTooLong,
    OutOfOrder,
    UnrelatedSent,
    RootSent,
    DuplicateSent,
    /// In the order in which they were found, after all others.
    Unranked,
}
