//! Why a root is not renewed, and why a rotation does not begin, go on or end.

use std::path::PathBuf;

use crate::authority::error::CertifyError;
use crate::authority::leaf::request_inputs::RequestInputError;
use crate::system::files::FileError;
use crate::text::{Diagnosis, Diagnostic, PathText};

/// Why a rotation does not begin, go on or end.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Certify(CertifyError),
    #[error(transparent)]
    Input(#[from] RequestInputError),
    #[error("'{0}' is the name of another authority of this CA already")]
    AuthorityTaken(String),
    #[error("{serial} is recorded, but its files could not be written: {cause}")]
    NotDelivered { serial: String, cause: FileError },
    #[error("{serial} is recorded, but did not replace the previous certificate: {cause}")]
    NotReplaced { serial: String, cause: FileError },
    #[error("the rotation from '{old}' to '{new}' is under way already")]
    UnderWay { old: String, new: String },
    #[error("no rotation is under way")]
    None,
    #[error("'{0}' is not a root: its certificate was issued by another authority")]
    NotARoot(String),
    #[error("no authority of this CA is a root")]
    NoRoot,
    #[error("the new root would have the subject of the old one, '{0}'")]
    SameSubject(String),
    #[error("clients that trust only the old root would refuse what the new one issues: {0}")]
    NoCrossCertificate(String),
    #[error("{} on the old root '{old}'", still_depend(*certificates, *authorities))]
    Left { old: String, certificates: usize, authorities: usize },
    #[error("ca.toml names the old root '{0}' as the authority that issues")]
    Issues(String),
    /// The change is in force, and a power cut may still take it back.
    #[error("the rotation is finished and the old root is in {} now, but a power cut may take that back: {cause}", retired.escaped())]
    NotSynced { retired: PathBuf, cause: FileError },
    #[error("{} is in the way of the old root", .0.escaped())]
    InTheWay(PathBuf),
}

impl<E> From<E> for RotationError
where
    CertifyError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Certify(error.into())
    }
}

impl Diagnostic for RotationError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Certify(error) => error.diagnosis(),
            Self::Input(error) => error.diagnosis(),
            Self::AuthorityTaken(_) => Diagnosis::usage("bad-name"),
            Self::NotDelivered { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("run the same command again; the recorded certificate was never in use, its key is gone"),
            Self::NotReplaced { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("run the same command again: it signs another one for the same key"),
            Self::NotSynced { cause, .. } => Diagnosis::refused(cause.diagnosis().code)
                .hint("when the disk is repaired, 'ca roots' shows whether the old root is still trusted"),
            Self::UnderWay { .. } => Diagnosis::refused("rotation-under-way")
                .hint("'ca root rotate status' lists what still depends on the old root")
                .hint("'ca root rotate finish' ends it"),
            Self::None => Diagnosis::refused("no-rotation").hint("to start one: ca root rotate start"),
            Self::NotARoot(_) | Self::NoRoot => Diagnosis::refused("not-a-root"),
            Self::SameSubject(_) => {
                Diagnosis::usage("bad-subject").hint("choose another common name with --name")
            }
            Self::NoCrossCertificate(_) => Diagnosis::refused("no-bridge")
                .hint("give every client both roots before anything is issued ('ca roots'), and then start with \
                     --force"),
            Self::Left { .. } => Diagnosis::refused("still-hanging")
                .hint("'ca root rotate status' lists them; 'ca renew NAME' moves a certificate, 'ca root rotate start' an authority")
                .hint("to finish anyway: --force; clients that trust only the new root then refuse them"),
            Self::Issues(old) => Diagnosis::refused("old-root-issues")
                .hint(format!("name another one instead of \"{old}\" at issuer in [issue] of ca.toml")),
            Self::InTheWay(_) => Diagnosis::refused("exists").hint("move it away"),
        }
    }
}

/// `1 certificate still depends`, `2 certificates and 1 authority still depend`.
fn still_depend(certificates: usize, authorities: usize) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts = [count(certificates, "certificate", "certificates"), count(authorities, "authority", "authorities")];
    let verb = if certificates + authorities == 1 { "depends" } else { "depend" };
    format!("{} still {verb}", parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}
