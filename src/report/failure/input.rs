//! Inputs that cannot be used: files of the command line, each named as the user named it.

use std::path::Path;

use super::Failure;
use crate::keys::key_file::KeyFileError;
use crate::text::PathText;
use crate::x509::file_kind::OtherKind;
use crate::x509::pem::PemError;
use crate::x509::signing_request::RequestFileError;

/// The codes of the failure for a file of another kind; each command had its own before files were recognised.
#[derive(Debug, Clone, Copy)]
pub struct KindCodes {
    pub other: &'static str,
    /// For an empty file.
    pub empty: &'static str,
}

impl KindCodes {
    /// One code for both.
    pub const fn both(code: &'static str) -> Self {
        Self { other: code, empty: code }
    }
}

impl Failure {
    /// A file that is known to be of another kind than expected.
    pub fn another_kind(path: &Path, other: OtherKind, codes: KindCodes) -> Self {
        let place = if path.as_os_str() == "-" { "standard input".to_owned() } else { path.escaped().to_string() };
        let code = if other.kind.is_empty() { codes.empty } else { codes.other };
        other.fix(path).into_iter().fold(Self::usage(code, format!("{place} is {other}")), Self::hint)
    }

    /// `place` says which key: its file, or the part of it.
    pub fn unusable_key(place: &str, error: &KeyFileError) -> Self {
        let message = format!("{place}: {error}");
        let failure = match error {
            KeyFileError::WrongPassphrase => Self::refused("wrong-passphrase", message),
            _ => Self::usage("bad-key", message),
        };
        error.hint().into_iter().fold(failure, Self::hint)
    }

    /// A file that is not one request; `place` is how messages call it.
    pub fn not_a_request(place: &str, error: &RequestFileError) -> Self {
        let sentence = format!("{place} is not a certificate request: {error}");
        match error {
            RequestFileError::Empty => Self::usage("empty-input", sentence),
            RequestFileError::Pem(_) => Self::usage("bad-pem", sentence),
            RequestFileError::NotOne { .. } => {
                Self::usage("several-requests", sentence).hint("sign them one by one, each from its own file")
            }
            RequestFileError::Another(label) if label.ends_with("PRIVATE KEY") => {
                Self::usage("not-a-request", sentence)
                    .hint("never give a private key to a CA; sign the request that was made with it")
            }
            RequestFileError::TextBehind(_) => Self::usage("not-a-request", sentence)
                .hint("delete what follows the line -----END CERTIFICATE REQUEST-----"),
            RequestFileError::Another(_) => Self::usage("not-a-request", sentence),
        }
    }

    /// A file holds nothing of the kind that is wanted.
    pub fn nothing_in_file(path: &Path, wanted: &str) -> Self {
        Self::usage("empty-input", format!("{} contains no {wanted}", path.escaped()))
            .hint(format!("give a PEM or DER file with at least one {wanted}"))
    }

    /// A folder stands for the certificates that lie in it, and for no folder below.
    pub fn nothing_in_folder(path: &Path) -> Self {
        let path = path.escaped();
        Self::usage("empty-input", format!("{path} contains no certificate")).hint(format!(
            "files that end in .pem, .crt, .cer or .der in the folder itself are verified; for folders below it: ca verify \
             {path}/*/fullchain.pem"
        ))
    }

    /// Each file could be read, and all of them are too much.
    pub fn too_much_input(mebioctets: u64) -> Self {
        Self::usage("input-too-large", format!("the inputs are longer than {mebioctets} MiB together"))
            .hint("verify the long files one by one; the number of files of up to 64 KiB is not limited")
    }

    /// More certificates in one file than are reported one by one.
    pub fn too_many_certificates(path: &Path, found: usize, most: usize) -> Self {
        let message =
            format!("{} contains {found} certificates; at most {most} are verified one by one", path.escaped());
        Self::usage("input-too-large", message).hint("split the file")
    }

    /// A file holds something that cannot be read as what it says it is.
    pub fn undecodable(path: &Path, number: usize, what: &str, reason: &str) -> Self {
        Self::usage("undecodable", format!("{} number {number} of {} cannot be read: {reason}", what, path.escaped()))
    }

    /// A file looks like PEM, and is not.
    pub fn damaged_pem(path: &Path, error: &PemError) -> Self {
        Self::usage("undecodable", format!("{}: {error}", path.escaped()))
    }

    /// No root to trust is left.
    pub fn no_usable_root(places: &str) -> Self {
        Self::usage("bad-roots", format!("no usable root: {places} contains no certificate that can be read"))
            .hint("give the roots to trust with --roots FILE")
    }

    /// Neither `--roots` nor a CA directory.
    pub fn no_roots() -> Self {
        Self::usage("no-roots", "there is not a root to trust: no --roots, and no CA directory with a root")
            .hint("give the roots to trust with --roots FILE, or the CA directory with --dir DIR")
    }

    /// `--hostname` or another name that cannot be asked for.
    pub fn bad_reference_name(flag: &str, reason: &str) -> Self {
        Self::usage("bad-name", format!("{flag}: {reason}"))
    }
}
