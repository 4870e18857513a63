//! Why webpki, the verifier inside rustls, refused a chain, where only the error that rustls passes on says so.

use std::error::Error;

/// A reason that rustls has no variant of its own for: it wraps webpki's error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// RFC 5280 §6.1.4 (k): an issuer in the chain is not a CA.
    IssuerNotCa,
    /// A CA certificate is used as the leaf.
    CaAsLeaf,
    /// RFC 5280 §6.1.4 (b), (c): a name violates the name constraints of an issuer.
    NameNotPermitted,
    /// RFC 5280 §6.1.4 (l): more intermediates than the path length of a CA allows.
    PathTooLong,
    /// RFC 5280 §4.2: a critical extension is not processed.
    UnknownCriticalExtension,
    /// RFC 5280 §4.1.2.1: the certificate is not of version 3.
    UnsupportedVersion,
}

/// Returns the reason of the first webpki error in `error` and its sources, or `None` when there is no such error or when
/// it is none of the reasons of [`Reason`].
pub fn reason(error: &(dyn Error + 'static)) -> Option<Reason> {
    let mut sources = std::iter::successors(Some(error), |&error| error.source());
    match sources.find_map(|error| error.downcast_ref::<webpki::Error>())? {
        webpki::Error::EndEntityUsedAsCa => Some(Reason::IssuerNotCa),
        webpki::Error::CaUsedAsEndEntity => Some(Reason::CaAsLeaf),
        webpki::Error::NameConstraintViolation => Some(Reason::NameNotPermitted),
        webpki::Error::PathLenConstraintViolated => Some(Reason::PathTooLong),
        webpki::Error::UnsupportedCriticalExtension => Some(Reason::UnknownCriticalExtension),
        webpki::Error::UnsupportedCertVersion => Some(Reason::UnsupportedVersion),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("wrapped")]
    struct Wrapped(#[source] webpki::Error);

    #[test]
    fn the_reason_is_found_in_the_error_itself_and_in_its_source() {
        for (error, expected) in [
            (webpki::Error::EndEntityUsedAsCa, Some(Reason::IssuerNotCa)),
            (webpki::Error::CaUsedAsEndEntity, Some(Reason::CaAsLeaf)),
            (webpki::Error::NameConstraintViolation, Some(Reason::NameNotPermitted)),
            (webpki::Error::PathLenConstraintViolated, Some(Reason::PathTooLong)),
            (webpki::Error::UnsupportedCriticalExtension, Some(Reason::UnknownCriticalExtension)),
            (webpki::Error::UnsupportedCertVersion, Some(Reason::UnsupportedVersion)),
            (webpki::Error::UnknownIssuer, None),
        ] {
            assert_eq!(reason(&error), expected, "{error}");
            assert_eq!(reason(&Wrapped(error)), expected);
        }
    }

    #[test]
    fn an_error_of_another_library_has_no_reason() {
        assert_eq!(reason(&std::fmt::Error), None);
    }
}
