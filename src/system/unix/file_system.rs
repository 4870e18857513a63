//! What a file system guarantees about its syncs.

use std::fs::File;

/// The types of file systems on whose disk syncfs(2) makes everything durable, as fstatfs(2) names them: ext2 to ext4, XFS, Btrfs,
/// F2FS, bcachefs and overlayfs; and tmpfs, where nothing is durable. A network file system is not among them, nor is FUSE: there
/// the other side is not asked to sync.
#[cfg(target_os = "linux")]
const SYNCED_AS_A_WHOLE: [u64; 7] =
    [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0xca45_1a4e, 0x794c_7630, 0x0102_1994];

/// The first kernel whose syncfs(2) reports what could not be written: 5.8.
#[cfg(target_os = "linux")]
const REPORTS_ERRORS: (u32, u32) = (5, 8);

/// Returns true when one call makes everything on the file system of an open folder durable, and reports what could not be
/// written. False when that is not known.
#[cfg(target_os = "linux")]
pub fn syncs_as_a_whole(folder: &File) -> bool {
    let name = rustix::system::uname();
    let reports_errors = version(&name.release().to_string_lossy()).is_some_and(|version| version >= REPORTS_ERRORS);
    reports_errors
        && rustix::fs::fstatfs(folder)
            .is_ok_and(|found| u64::try_from(found.f_type).is_ok_and(|kind| SYNCED_AS_A_WHOLE.contains(&kind)))
}

/// Returns false: there is no such call.
#[cfg(not(target_os = "linux"))]
pub fn syncs_as_a_whole(_: &File) -> bool {
    false
}

/// Returns the two first numbers of a kernel release: `6.1.0-18-amd64`.
#[cfg(target_os = "linux")]
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_a_kernel_begins_with_two_numbers() {
        for (release, expected) in [
            ("6.1.0-18-amd64", Some((6, 1))),
            ("5.8.0", Some((5, 8))),
            ("5.15-rc1", Some((5, 15))),
            ("4.19.0+", Some((4, 19))),
            ("6", None),
            ("", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
    }

    #[test]
    fn what_is_on_no_disk_is_synced_file_by_file() {
        assert!(!syncs_as_a_whole(&File::open("/proc").unwrap()));
    }
}
