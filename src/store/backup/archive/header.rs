//! The header block of a member, and the pax record for a path that does not fit into it.

use super::path::check_path;
use super::{ArchiveError, BLOCK, MAX_MEMBER_BYTES};

/// A file or a folder of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberHeader {
    /// Relative, with `/` between the components and none at the end.
    pub path: String,
    pub kind: MemberKind,
    /// The permission bits.
    pub mode: u32,
    /// The time of the last modification, in seconds since 1970.
    pub modified: u64,
    /// The length of the content in bytes; 0 for a folder.
    pub bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    File,
    Folder,
}

/// A header block: what follows it in the archive.
pub(super) enum Block {
    Member(MemberHeader),
    /// A pax extended header of this length, for the next member.
    Extended(u64),
}

/// The place of a field in a header block: offset and length (POSIX.1-2017 pax, table 4-14).
type Field = (usize, usize);
const NAME: Field = (0, 100);
const MODE: Field = (100, 8);
const USER: Field = (108, 8);
const GROUP: Field = (116, 8);
const SIZE: Field = (124, 12);
const MODIFIED: Field = (136, 12);
const CHECKSUM: Field = (148, 8);
const KIND: usize = 156;
const MAGIC: Field = (257, 8);
const PREFIX: Field = (345, 155);

const FILE: u8 = b'0';
const FOLDER: u8 = b'5';
const EXTENDED: u8 = b'x';

/// Magic and version.
const USTAR: &[u8; 8] = b"ustar\x0000";

impl MemberHeader {
    /// Returns the blocks that introduce the member.
    ///
    /// # Errors
    /// When the path or the length cannot be in an archive.
    pub(super) fn encode(&self) -> Result<Vec<u8>, ArchiveError> {
        check_path(&self.path)?;
        if self.bytes > MAX_MEMBER_BYTES {
            return Err(ArchiveError::TooLong { path: self.path.clone(), bytes: self.bytes });
        }
        let kind = match self.kind {
            MemberKind::File => FILE,
            MemberKind::Folder => FOLDER,
        };
        let mut blocks = Vec::with_capacity(BLOCK);
        let (prefix, name) = match split(&self.path) {
            Some(parts) => parts,
            None => {
                let record = path_record(&self.path);
                blocks.extend(self.block("", "path-of-the-next-member", EXTENDED, record.len() as u64));
                blocks.extend(record.as_bytes());
                blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
                ("", "long-path")
            }
        };
        blocks.extend(self.block(prefix, name, kind, self.bytes));
        Ok(blocks)
    }

    fn block(&self, prefix: &str, name: &str, kind: u8, bytes: u64) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut put = |(at, _): Field, value: &[u8]| block[at..at + value.len()].copy_from_slice(value);
        put(NAME, name.as_bytes());
        put(MODE, octal(u64::from(self.mode & 0o777), 7).as_bytes());
        // The owner is the user who restores it.
        put(USER, octal(0, 7).as_bytes());
        put(GROUP, octal(0, 7).as_bytes());
        put(SIZE, octal(bytes, 11).as_bytes());
        put(MODIFIED, octal(self.modified.min(MAX_MEMBER_BYTES), 11).as_bytes());
        put(MAGIC, USTAR);
        put(PREFIX, prefix.as_bytes());
        put((KIND, 1), &[kind]);
        let sum = octal(checksum(&block), 6);
        block[CHECKSUM.0..CHECKSUM.0 + 6].copy_from_slice(sum.as_bytes());
        block[CHECKSUM.0 + 7] = b' ';
        block
    }
}

/// Reads a header block; `extended` is the path of a pax extended header before it.
///
/// # Errors
/// With the reason why it is not one that the writer writes.
pub(super) fn decode(block: &[u8; BLOCK], extended: Option<String>) -> Result<Block, ArchiveError> {
    let invalid = |reason| ArchiveError::Header { at: 0, reason };
    let field = |(at, length): Field| &block[at..at + length];
    if field(MAGIC) != USTAR {
        return Err(invalid("it is not a header of a tar file in the ustar format"));
    }
    if number(field(CHECKSUM)) != Some(checksum(block)) {
        return Err(invalid("its checksum is wrong"));
    }
    let numbers = [MODE, SIZE, MODIFIED].map(|place| number(field(place)));
    let [Some(mode), Some(bytes), Some(modified)] = numbers else { return Err(invalid("a number is malformed")) };
    if block[KIND] == EXTENDED {
        return if extended.is_some() { Err(invalid("two paths for one member")) } else { Ok(Block::Extended(bytes)) };
    }
    let text = |place| std::str::from_utf8(until_nul(field(place))).map_err(|_| invalid("its path is not UTF-8"));
    let path = match (extended, text(PREFIX)?, text(NAME)?) {
        (Some(path), _, _) => path,
        (None, "", name) => name.to_owned(),
        (None, prefix, name) => format!("{prefix}/{name}"),
    };
    let kind = match block[KIND] {
        FILE => MemberKind::File,
        FOLDER if bytes == 0 => MemberKind::Folder,
        other => return Err(ArchiveError::Kind { path: crate::text::escape(&path), kind: kind_name(other) }),
    };
    check_path(&path)?;
    let mode = u32::try_from(mode & 0o777).unwrap_or_default();
    Ok(Block::Member(MemberHeader { path, kind, mode, modified, bytes }))
}

/// Reads the only record of a pax extended header: `LENGTH path=PATH\n`.
pub(super) fn decode_path_record(record: &[u8]) -> Result<String, ArchiveError> {
    let path = std::str::from_utf8(record).ok().and_then(|text| text.split_once(" path="));
    let path = path.and_then(|(_, rest)| rest.strip_suffix('\n')).unwrap_or_default();
    if path_record(path).as_bytes() == record {
        Ok(path.to_owned())
    } else {
        Err(ArchiveError::Header { at: 0, reason: "an extended header has something else than one path" })
    }
}

/// The length at the beginning of the record counts itself.
fn path_record(path: &str) -> String {
    let rest = format!(" path={path}\n");
    let length =
        (1..=4).map(|digits| rest.len() + digits).find(|length| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.unwrap_or_default())
}

/// Divides a path into the fields PREFIX and NAME; `None` when it does not fit.
fn split(path: &str) -> Option<(&str, &str)> {
    if path.len() <= NAME.1 {
        return Some(("", path));
    }
    path.match_indices('/')
        .map(|(at, _)| (&path[..at], &path[at + 1..]))
        .find(|(prefix, name)| prefix.len() <= PREFIX.1 && name.len() <= NAME.1)
}

fn octal(value: u64, digits: usize) -> String {
    format!("{value:0digits$o}")
}

/// Octal digits, ended by NUL or a space.
fn number(field: &[u8]) -> Option<u64> {
    let end = field.iter().position(|byte| matches!(byte, 0 | b' '))?;
    let (digits, rest) = field.split_at(end);
    let is_number = !digits.is_empty()
        && digits.iter().all(|digit| (b'0'..=b'7').contains(digit))
        && rest.iter().all(|byte| matches!(byte, 0 | b' '));
    let text = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    u64::from_str_radix(text, 8).ok()
}

/// The sum of all bytes, with spaces for the checksum itself.
fn checksum(block: &[u8; BLOCK]) -> u64 {
    let (at, length) = CHECKSUM;
    let others = block[..at].iter().chain(&block[at + length..]).map(|byte| u64::from(*byte)).sum::<u64>();
    others + length as u64 * u64::from(b' ')
}

fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn kind_name(kind: u8) -> &'static str {
    match kind {
        b'1' => "a hard link",
        b'2' => "a symbolic link",
        b'3' | b'4' => "a device",
        b'6' => "a named pipe",
        b'L' | b'K' | b'S' | b'g' => "an extension",
        _ => "something unknown",
    }
}
