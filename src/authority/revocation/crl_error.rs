//! Why `crl` signs no CRL.

use std::path::PathBuf;

use crate::issuance::CrlNotApproved;
use crate::store::StoreError;
use crate::system::files::FileError;
use crate::text::{Diagnosis, Diagnostic, PathText};
use crate::x509::SerialNumber;
use crate::x509::file_kind::OtherKind;

/// The reason why no CRL was signed, or its files were not written.
#[derive(Debug, thiserror::Error)]
pub enum CrlError {
    #[error(transparent)]
    Store(StoreError),
    #[error(transparent)]
    NotApproved(#[from] CrlNotApproved),
    #[error("the next CRL of '{authority}' would have the number {next}, but {} has the number {found}; a \
         number never goes back (RFC 5280 §5.2.3)", path.escaped())]
    NumberGoesBack { authority: String, next: u64, found: String, path: PathBuf },
    #[error(
        "the number {number} was requested, but '{authority}' has signed number {latest} already; a number \
             never goes back (RFC 5280 §5.2.3)"
    )]
    NumberUsed { authority: String, number: u64, latest: u64 },
    #[error("the number {0} is too great")]
    NumberTooGreat(u64),
    #[error(
        "serial number {serial} cannot be forgotten: 'ca revoke' recorded its revocation at {since}, and a revocation is final"
    )]
    NotForgotten { serial: SerialNumber, since: String },
    #[error(
        "there is nothing to forget: no revocation of serial number {serial} by '{authority}' was imported or carried over"
    )]
    NothingToForget { serial: SerialNumber, authority: String },
    #[error("{} cannot be compared with the index as a CRL of '{authority}': {reason}", path.escaped())]
    NotComparable { path: PathBuf, authority: String, reason: String },
    #[error("{} is {other}", path.escaped())]
    AnotherKind { path: PathBuf, other: OtherKind },
    #[error("{} exists already, and is not a single CRL", .0.escaped())]
    CopyTaken(PathBuf),
    #[error("the CRL would expire after the year 9999, which a CRL cannot encode")]
    BeyondAllDates,
    #[error("the CRL number {number} of '{authority}' is recorded, but its files could not be written: {cause}")]
    NotPublished { authority: String, number: u64, cause: FileError },
}

impl<E> From<E> for CrlError
where
    StoreError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Store(error.into())
    }
}

impl Diagnostic for CrlError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Store(error) => error.diagnosis(),
            Self::NotApproved(_) => Diagnosis::refused("not-approved"),
            Self::NumberGoesBack { .. } => Diagnosis::refused("crl-number")
                .hint("if the index was restored from an older copy, revocations may be missing in it: restore \
                     a newer one")
                .hint("to continue after it: --number N, with a greater N; revocations that only the CRL names are carried over"),
            Self::NumberUsed { latest, .. } => {
                Diagnosis::refused("crl-number").hint(format!("the least that works: --number {}", latest + 1))
            }
            Self::NumberTooGreat(_) => Diagnosis::usage("bad-crl-number"),
            Self::NotForgotten { .. } => Diagnosis::refused("already-revoked"),
            Self::NothingToForget { .. } => {
                Diagnosis::usage("unknown-certificate").hint("'openssl crl -in FILE -noout -text' shows what a CRL names")
            }
            Self::CopyTaken(_) => Diagnosis::refused("exists")
                .hint("only a CRL is overwritten: move the file away, or choose another place with --out"),
            Self::NotComparable { .. } => Diagnosis::usage("bad-crl")
                .hint("--compare takes one CRL of this authority, in PEM or DER; --authority names another authority"),
            Self::AnotherKind { path, other } => Diagnosis::usage("bad-crl").hints(other.fix(path)),
            Self::BeyondAllDates => Diagnosis::usage("bad-time"),
            Self::NotPublished { cause, .. } => {
                Diagnosis::refused(cause.diagnosis().code)
                    .hint("run the same command again; the number that was taken is left out")
            }
        }
    }
}
