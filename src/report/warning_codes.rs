//! The codes of warnings that are not rules of `ca verify` or `ca lint`, with what each means and what to do.

/// What a code of a warning means.
#[derive(Debug, Clone, Copy)]
pub struct WarningCode {
    pub code: &'static str,
    /// A sentence without a full stop.
    pub means: &'static str,
    pub fix: &'static str,
}

/// Every code, in alphabetical order.
pub const ALL: [WarningCode; 7] = [
    WarningCode {
        code: "certificate-left-out",
        means: "a certificate of an input file cannot be read, and was not used",
        fix: "write the file again with the program that made it, or remove the certificate from it",
    },
    WarningCode {
        code: "crl-entries-left-out",
        means: "a CRL has entries about certificates of another issuer, or entries that end a hold",
        fix: "nothing, if the CRL is an indirect CRL or a delta CRL",
    },
    WarningCode {
        code: "crl-not-compared",
        means: "a CRL file was replaced that could not be compared with the index, so its revocations may be missing",
        fix: "compare a copy of the published CRL: ca crl --compare FILE",
    },
    WarningCode {
        code: "crl-not-used",
        means: "a CRL of the CA directory was not used for the verification",
        fix: "sign a new one: ca crl --authority AUTHORITY",
    },
    WarningCode {
        code: "crl-number-unknown",
        means: "the number of the latest CRL of an imported CA is not known",
        fix: "sign the next CRL with a greater number: ca crl --number N",
    },
    WarningCode {
        code: "earlier-revocations-unknown",
        means: "the revocations of an imported CA are not known, so its next CRL does not have them",
        fix: "import again with --crl FILE or --index FILE, or revoke each certificate: ca revoke FILE",
    },
    WarningCode {
        code: "index-not-checked",
        means: "the CA directory has no index, so only its CRLs were checked for revocations",
        fix: "restore the index from a backup",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_sorted_and_explained() {
        assert!(ALL.is_sorted_by(|one, next| one.code < next.code));
        for WarningCode { code, means, fix } in ALL {
            assert!([means, fix].iter().all(|text| text.len() > 20 && !text.ends_with('.')), "{code}");
        }
    }
}
