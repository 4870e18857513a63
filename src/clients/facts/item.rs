//! A certificate in its place.

use crate::clients::fact::Subject;
use crate::clients::raw::RawCertificate;

/// One certificate of a path.
pub struct Item<'c, 'a> {
    pub subject: Subject,
    pub certificate: &'c RawCertificate<'a>,
    /// The next certificate of the path; `None` for the last one.
    pub issuer: Option<&'c RawCertificate<'a>>,
    /// Whether it is a leaf that is a trust anchor itself.
    pub is_trusted_leaf: bool,
    /// Whether it is signed with its own key.
    pub is_self_signed: bool,
}

impl Item<'_, '_> {
    pub fn is_leaf(&self) -> bool {
        self.subject == Subject::Leaf
    }
}
