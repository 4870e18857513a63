//! Binary formats that begin with fixed bytes.

use super::kind::FileKind;
use super::kinds;

/// The first bytes, and the kind.
static SIGNATURES: [(&[u8], &FileKind); 13] = [
    (&[0xfe, 0xed, 0xfe, 0xed], &kinds::JKS),
    (&[0xce, 0xce, 0xce, 0xce], &kinds::JCEKS),
    (&[0x1e, 0xf1, 0xb5, 0xb0], &kinds::PVK),
    // PRIVATEKEYBLOB and PUBLICKEYBLOB of version 2 (Microsoft's BLOBHEADER), with its two reserved bytes.
    (&[0x07, 0x02, 0x00, 0x00], &kinds::MSBLOB),
    (&[0x06, 0x02, 0x00, 0x00], &kinds::MSBLOB),
    (&[0x1f, 0x8b], &kinds::GZIP),
    (b"BZh", &kinds::BZIP2),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0x00], &kinds::XZ),
    (&[0x28, 0xb5, 0x2f, 0xfd], &kinds::ZSTD),
    (b"PK\x03\x04", &kinds::ZIP),
    (b"age-encryption.org/", &kinds::AGE),
    (b"SQLite format 3\0", &kinds::SQLITE),
    // An old-format packet of a public-key encrypted session key (RFC 9580 §4.2), as gpg writes it.
    (&[0x85, 0x01], &kinds::PGP),
];

/// Returns the kind whose bytes the content begins with. A tar archive has its mark at byte 257 (POSIX.1, ustar).
pub(super) fn recognise(content: &[u8]) -> Option<&'static FileKind> {
    if content.iter().all(u8::is_ascii_whitespace) {
        return Some(&kinds::EMPTY);
    }
    if content.get(257..262) == Some(b"ustar") {
        return Some(&kinds::TAR);
    }
    SIGNATURES.iter().find(|(first, _)| content.starts_with(first)).map(|(_, kind)| *kind)
}
