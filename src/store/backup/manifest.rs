//! The first member of a backup: what it is a backup of. TOML, for people who have only `age` and `tar`.

use time::OffsetDateTime;

use super::error::BackupError;
use crate::text::toml_document::{Document, Section, quoted};
use crate::text::{parse_time, rfc3339};

/// The name of the member.
pub const MANIFEST: &str = "backup.toml";

/// The greatest length of the manifest, in bytes.
pub(super) const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// The format that this program writes; it reads no other.
const FORMAT: u32 = 1;

/// What a backup says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The `name` of ca.toml.
    pub ca: String,
    pub created_at: OffsetDateTime,
    /// Until when the index has everything that was issued. Earlier than `created_at` when the CA had been restored from
    /// an older backup and was not compared with the published CRLs since.
    pub complete_until: OffsetDateTime,
    /// The program that wrote it, and its version.
    pub program: String,
    /// How many certificates the index has.
    pub certificates: u64,
    /// The number of events in its log, and the hash of the log in hexadecimal.
    pub events: u64,
    pub head: String,
    /// Where the index was, when it was not `index.db` in the CA directory.
    pub index_location: Option<String>,
    /// Where the templates were, when they were not in `templates` in the CA directory.
    pub template_dir: Option<String>,
}

impl Manifest {
    pub fn to_toml(&self) -> String {
        let optional = |key: &str, value: &Option<String>| {
            value.as_ref().map(|value| format!("{key} = {}\n", quoted(value))).unwrap_or_default()
        };
        format!(
            "# A backup of a certificate authority, made by 'ca backup'. 'ca restore' restores it.\n\
             # Without that program, unpack it into an empty folder: that folder is the CA directory.\n\
             # 'sha256sum -c SHA256SUMS' compares the files with their digests.\n\
             format = {FORMAT}\nca = {}\ncreated-at = {}\ncomplete-until = {}\nprogram = {}\ncertificates = {}\n\
             events = {}\nhead = {}\n{}{}",
            quoted(&self.ca),
            quoted(&rfc3339(self.created_at)),
            quoted(&rfc3339(self.complete_until)),
            quoted(&self.program),
            self.certificates,
            self.events,
            quoted(&self.head),
            optional("index-location", &self.index_location),
            optional("template-dir", &self.template_dir),
        )
    }

    /// Reads a manifest.
    ///
    /// # Errors
    /// When it is of a later format, or not a manifest.
    pub fn read(content: &[u8]) -> Result<Self, BackupError> {
        let text = std::str::from_utf8(content).map_err(|_| BackupError::NotABackup("its first file is not text"))?;
        let document = Document::new(MANIFEST, text);
        let mut top = document.top();
        match top.take::<u32>("format").map(|format| format.value) {
            Some(FORMAT) => {}
            Some(format) => return Err(BackupError::LaterFormat { format }),
            None => return Err(BackupError::NotABackup("its first file has no format")),
        }
        let manifest = Self {
            ca: text_of(&mut top, "ca"),
            created_at: time_of(&mut top, "created-at"),
            complete_until: time_of(&mut top, "complete-until"),
            program: text_of(&mut top, "program"),
            certificates: top.take("certificates").map_or(0, |count| count.value),
            events: top.take("events").map_or(0, |count| count.value),
            head: text_of(&mut top, "head"),
            index_location: top.take("index-location").map(|text| text.value),
            template_dir: top.take("template-dir").map(|text| text.value),
        };
        top.finish();
        document.finish().map_err(BackupError::Manifest)?;
        Ok(manifest)
    }
}

fn text_of(section: &mut Section<'_, '_>, key: &'static str) -> String {
    section.take(key).map(|text| text.value).unwrap_or_default()
}

/// Reads a time; a missing one is noted as a problem.
pub(in crate::store) fn time_of(section: &mut Section<'_, '_>, key: &'static str) -> OffsetDateTime {
    let at = section.take::<String>(key);
    let (value, place) = at.map(|at| (at.value, at.place)).unwrap_or_default();
    parse_time(&value).unwrap_or_else(|error| {
        section.document().note(place, error, None);
        OffsetDateTime::UNIX_EPOCH
    })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let manifest = Manifest {
            ca: "Müller \"quoted\" \\ CA".to_owned(),
            created_at: datetime!(2026-06-01 12:00 UTC),
            complete_until: datetime!(2026-05-01 12:00 UTC),
            program: "ca 0.1.0".to_owned(),
            certificates: 7,
            events: 9,
            head: "00ff".to_owned(),
            index_location: Some("/var/lib/ca/index.db".to_owned()),
            template_dir: None,
        };
        assert_eq!(Manifest::read(manifest.to_toml().as_bytes()).unwrap(), manifest);
    }

    #[test]
    fn a_later_format_and_other_files_are_refused() {
        assert!(matches!(Manifest::read(b"format = 2\nnew = 1"), Err(BackupError::LaterFormat { format: 2 })));
        for other in [&b"\xff"[..], b"", b"x", b"format = \"1\""] {
            assert!(matches!(Manifest::read(other), Err(BackupError::NotABackup(_))), "{other:?}");
        }
        assert!(matches!(Manifest::read(b"format = 1\ncreated-at = \"now\""), Err(BackupError::Manifest(_))));
    }
}
