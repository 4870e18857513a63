//! A root follows another: `ca root rotate start`, `status`, `finish`. See docs/decisions/0010-rotation.md.
//!
//! What stands in the folders says how far a rotation is, so that a run that dies is completed by the same command:
//!
//! | on the disk | then |
//! | --- | --- |
//! | no folder with a `new-with-old.pem` by a root that is here | none is under way |
//! | such a folder, and authorities whose certificate the old root signed | `start` goes on with those |
//! | such a folder, and no such authority | both roots are trusted, everything new hangs on the new one |
//! | the old root's folder in `retired/` | finished |

mod finish;
mod recertify;
mod start;
mod status;

pub use finish::{Finished, finish};
pub use recertify::Recertified;
pub use start::{Order, Started, start};
pub use status::{State, status};

use std::path::PathBuf;

/// Why a rotation does not begin, go on or end.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error("the rotation from '{old}' to '{new}' is under way already")]
    UnderWay { old: String, new: String },
    #[error("no rotation is under way")]
    None,
    #[error("'{0}' is no root: its certificate was issued by another authority")]
    NotARoot(String),
    #[error("no authority of this CA is a root")]
    NoRoot,
    #[error("the new root would have the subject of the old one, '{0}'")]
    SameSubject(String),
    #[error("whoever trusts only the old root would refuse what the new one issues: {0}")]
    NoBridge(String),
    #[error("{} on the old root '{old}'", still_hang(*certificates, *authorities))]
    Left { old: String, certificates: usize, authorities: usize },
    #[error("ca.toml names the old root '{0}' as the authority that issues")]
    Issues(String),
    #[error("{} is in the way of the old root", .0.display())]
    InTheWay(PathBuf),
}

/// `1 certificate still hangs`, `2 certificates and 1 authority still hang`.
fn still_hang(certificates: usize, authorities: usize) -> String {
    let count = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts = [count(certificates, "certificate", "certificates"), count(authorities, "authority", "authorities")];
    let verb = if certificates + authorities == 1 { "hangs" } else { "hang" };
    format!("{} still {verb}", parts.into_iter().flatten().collect::<Vec<_>>().join(" and "))
}

/// The common name of the root that follows: `Acme Root CA` → `Acme Root CA G2` → `Acme Root CA G3`.
fn next_generation(common_name: &str) -> String {
    let marked = common_name.rsplit_once(" G").and_then(|(before, number)| Some((before, number.parse::<u32>().ok()?)));
    match marked {
        Some((before, number)) => format!("{before} G{}", number.saturating_add(1)),
        None => format!("{common_name} G2"),
    }
}

#[cfg(test)]
mod tests;
