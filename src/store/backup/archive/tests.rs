//! What an archive may have, and what a hostile one has.

use std::io::Read;

use proptest::prelude::*;

use super::*;

fn file(path: &str, bytes: u64) -> MemberHeader {
    MemberHeader { path: path.to_owned(), kind: MemberKind::File, mode: 0o600, modified: 1_700_000_000, bytes }
}

fn folder(path: &str) -> MemberHeader {
    MemberHeader { kind: MemberKind::Folder, mode: 0o700, ..file(path, 0) }
}

fn archive(members: &[(MemberHeader, &[u8])]) -> Vec<u8> {
    let mut writer = ArchiveWriter::new(Vec::new());
    for (header, content) in members {
        writer.add(header, *content).unwrap();
    }
    writer.finish().unwrap()
}

/// Returns every member with its content.
fn read(archive: &[u8]) -> Result<Vec<(MemberHeader, Vec<u8>)>, ArchiveError> {
    let mut reader = ArchiveReader::new(archive);
    let mut members = Vec::new();
    while let Some(header) = reader.next_member()? {
        let mut content = Vec::new();
        reader.read_to_end(&mut content).map_err(ArchiveError::Read)?;
        members.push((header, content));
    }
    Ok(members)
}

fn refusal(archive: &[u8]) -> String {
    read(archive).unwrap_err().to_string()
}

/// Changes bytes of the first header and corrects its checksum.
fn changed(archive: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut archive = archive.to_vec();
    archive[at..at + bytes.len()].copy_from_slice(bytes);
    archive[148..156].copy_from_slice(b"        ");
    let sum: u64 = archive[..BLOCK].iter().map(|byte| u64::from(*byte)).sum();
    archive[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive
}

#[test]
fn what_was_written_is_read_again_whatever_its_length_and_path() {
    let long = format!("issued/{}/{}/key.pem", "a".repeat(255), "b".repeat(255));
    let fits = format!("{}/{}", "p".repeat(155), "n".repeat(100));
    let members: Vec<(MemberHeader, Vec<u8>)> = [
        (folder("issued"), 0),
        (file("a", 0), 0),
        (file("issued/web.example/key.pem", 511), 511),
        (file(&fits, 512), 512),
        (file(&long, 513), 513),
        (file("äöü ~%", 3), 3),
    ]
    .map(|(header, length)| (header, vec![b'x'; length]))
    .into();
    let borrowed: Vec<_> = members.iter().map(|(header, content)| (header.clone(), content.as_slice())).collect();
    assert_eq!(read(&archive(&borrowed)).unwrap(), members);
}

#[test]
fn a_content_that_is_not_read_is_passed_over() {
    let archive = archive(&[(file("a", 600), &[1; 600]), (file("b", 1), b"b")]);
    let mut reader = ArchiveReader::new(archive.as_slice());
    assert_eq!(reader.next_member().unwrap().unwrap().path, "a");
    assert_eq!(reader.next_member().unwrap().unwrap().path, "b");
    assert!(reader.next_member().unwrap().is_none());
}

#[test]
fn a_path_that_leads_elsewhere_is_neither_written_nor_read() {
    let plain = archive(&[(file("x", 0), b"")]);
    for path in ["/etc/passwd", "../x", "a/../../x", "a//x", "./x", "a/.", "..", "a\\b", "a\nb", "a\u{1b}[0m"] {
        assert!(matches!(ArchiveWriter::new(Vec::new()).add(&file(path, 0), &b""[..]), Err(ArchiveError::Path { .. })));
        let refused = read(&changed(&plain, 0, path.as_bytes()));
        assert!(matches!(refused, Err(ArchiveError::Path { .. })), "{path}: {refused:?}");
    }
    // The same in the record for long paths.
    let long = archive(&[(file(&format!("{}/{}", "a".repeat(200), "b".repeat(200)), 0), b"")]);
    let at = long.windows(4).position(|window| window == b"aaaa").unwrap();
    let mut hostile = long;
    hostile[at..at + 4].copy_from_slice(b"/../");
    assert!(matches!(read(&hostile), Err(ArchiveError::Path { .. })));
    for unusual in ["x/".repeat(40) + "x", "x".repeat(256), format!("{}x", "x".repeat(250) + "/").repeat(9)] {
        assert!(ArchiveWriter::new(Vec::new()).add(&file(&unusual, 0), &b""[..]).is_err());
    }
}

#[test]
fn links_devices_and_extensions_are_refused() {
    let plain = archive(&[(file("x", 0), b"")]);
    for kind in [b'1', b'2', b'3', b'4', b'6', b'7', b'g', b'L', b'K', b'S', 0] {
        let refused = read(&changed(&plain, 156, &[kind]));
        assert!(matches!(refused, Err(ArchiveError::Kind { .. })), "{kind}: {refused:?}");
    }
    // A folder has no content, and a record for the next member has a next member.
    assert!(refusal(&changed(&archive(&[(file("x", 1), b"1")]), 156, b"5")).contains("something unknown"));
    assert!(read(&changed(&archive(&[(file("x", 1), b"1")]), 156, b"x")).is_err());
}

#[test]
fn a_header_of_another_format_and_a_record_with_anything_but_one_path_are_refused() {
    let plain = archive(&[(file("x", 0), b"")]);
    assert!(refusal(&changed(&plain, 257, b"ustar  \0")).contains("not a header of a tar file"));
    // The header of a record, the record, and the header of the file.
    let long = archive(&[(file(&format!("{}/{}", "a".repeat(200), "b".repeat(200)), 0), b"")]);
    assert_eq!(&long[BLOCK..BLOCK + 10], b"411 path=a");
    let twice = [&long[..2 * BLOCK], &long].concat();
    assert!(refusal(&twice).contains("two paths"), "{}", refusal(&twice));
    for other in [b"410 path=a", b"0411path=a", b"411 pat1=a", b"411  path="] {
        let mut changed = long.clone();
        changed[BLOCK..BLOCK + 10].copy_from_slice(other);
        assert!(refusal(&changed).contains("something else than one path"), "{}", refusal(&changed));
    }
}

#[test]
fn what_follows_a_content_and_the_last_member_is_zero() {
    let whole = archive(&[(file("x", 1), b"1")]);
    let with = |at: usize| {
        let mut changed = whole.clone();
        changed[at] = 1;
        refusal(&changed)
    };
    assert!(with(BLOCK + 1).contains("the padding before it is not zero"));
    assert!(matches!(read(&[&whole[..3 * BLOCK], &[1; BLOCK]].concat()), Err(ArchiveError::Trailing)));
    // A record of a path stands before a member.
    let long = archive(&[(file(&format!("{}/{}", "a".repeat(200), "b".repeat(200)), 0), b"")]);
    let record_alone = [&long[..2 * BLOCK], &[0; 2 * BLOCK]].concat();
    assert!(matches!(read(&record_alone), Err(ArchiveError::Truncated)));
}

#[test]
fn of_a_mode_the_permission_bits_are_read() {
    let plain = archive(&[(file("x", 0), b"")]);
    assert_eq!(read(&changed(&plain, 100, b"0006755\0")).unwrap()[0].0.mode, 0o755);
}

#[test]
fn a_number_in_another_notation_is_refused() {
    let plain = archive(&[(file("x", 1), b"1")]);
    let base_256 = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    for size in [&base_256[..], b"-0000000001\0", b"           \0", b"00000000009\0", b"000000000010"] {
        let refused = read(&changed(&plain, 124, size));
        assert!(matches!(refused, Err(ArchiveError::Header { .. })), "{size:?}: {refused:?}");
    }
}

#[test]
fn a_length_that_promises_more_than_there_is_costs_no_memory() {
    let plain = archive(&[(file("x", 1), b"1")]);
    let refused = refusal(&changed(&plain, 124, b"77777777777\0"));
    assert!(refused.contains("ends in the middle"), "{refused}");
    let extended = changed(&changed(&plain, 124, b"77777777777\0"), 156, b"x");
    assert!(refusal(&extended).contains("an extended header is too long"));
}

#[test]
fn an_archive_that_is_cut_off_or_goes_on_after_its_end_is_refused() {
    let whole = archive(&[(folder("f"), b""), (file("f/x", 700), &[7; 700])]);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "cut off after {length} bytes");
    }
    for more in [&[0_u8; 512][..], b"x"] {
        assert!(matches!(read(&[&whole, more].concat()), Err(ArchiveError::Trailing)));
    }
}

#[test]
fn a_file_that_changes_its_length_while_it_is_read_is_an_error() {
    for content in [&b"12"[..], b"1234"] {
        let error = ArchiveWriter::new(Vec::new()).add(&file("x", 3), content).unwrap_err();
        assert!(matches!(error, ArchiveError::Changed { .. }), "{error}");
    }
    let too_long = file("x", MAX_MEMBER_BYTES + 1);
    assert!(matches!(ArchiveWriter::new(Vec::new()).add(&too_long, &b""[..]), Err(ArchiveError::TooLong { .. })));
}

proptest! {
    #[test]
    fn a_flipped_bit_of_a_header_is_refused_and_nothing_panics(at in 0_usize..512, bit in 0_u8..8) {
        let mut archive = archive(&[(file("issued/web/key.pem", 5), b"12345")]);
        archive[at] ^= 1 << bit;
        // The two bytes between the digits of the checksum and the next field end it, in either way.
        let is_end_of_checksum = at == 154 || at == 155;
        prop_assert!(is_end_of_checksum || read(&archive).is_err(), "bit {bit} of byte {at}");
    }

    #[test]
    fn noise_is_refused_and_nothing_panics(noise in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read(&noise).is_err());
    }
}
