//! Writing a backup: every file of the CA, while no other process changes it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::Path;

use super::archive::{ArchiveError, ArchiveWriter, MemberHeader, MemberKind, check_path};
use super::encryption::{EncryptedWriter, Prepared};
use super::error::{BackupError, write_failed};
use super::manifest::{MANIFEST, Manifest};
use super::settings::{in_usual_places, moved_places};
use crate::store::certificate_files::KEY;
use crate::store::index::Index;
use crate::store::restored::Restored;
use crate::store::toml_file;
use crate::store::{Effects, Store};
use crate::system::files::{self, FileError, Folder, OpenedFile, PathKind, StagedFolder};
use crate::text::{self, PathText};
use crate::x509::digest::Sha256;

/// The name of the last member: the SHA-256 of every file before it, as `sha256sum` prints them.
pub const SUMS: &str = "SHA256SUMS";

/// The name of the index in a backup, wherever it is in the CA.
pub const INDEX: &str = "index.db";
/// The write-ahead log of the index.
pub const INDEX_LOG: &str = "index.db-wal";
/// The folder of the site's own templates in a backup, wherever it is in the CA.
pub const TEMPLATES: &str = "templates";
/// The settings.
pub const SETTINGS: &str = "ca.toml";
/// What keeps keys and the index out of a repository.
pub const GIT_IGNORE: &str = ".gitignore";
/// The folders of a CA directory that a backup has whole.
pub const FOLDERS: [&str; 4] = ["authorities", "retired", "recipes", "issued"];

/// What a backup has.
#[derive(Debug)]
pub struct BackupSummary {
    pub manifest: Manifest,
    /// The number of files.
    pub files: u64,
    /// The bytes that were encrypted.
    pub content_bytes: u64,
    /// The bytes of the encrypted file.
    pub bytes: u64,
    /// The SHA-256 of the encrypted file.
    pub digest: [u8; 32],
    /// The authorities whose private keys are in it.
    pub with_key: Vec<String>,
    /// The authorities whose private keys were not in the CA directory.
    pub without_key: Vec<String>,
    /// What is in the CA directory and not in the backup.
    pub left_out: Vec<LeftOut>,
}

/// A file that is not in a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Relative to the CA directory.
    pub path: String,
    pub reason: &'static str,
}

/// Writes a backup of a CA to `out`, and returns it with what is in there. No process changes the CA meanwhile: the lock
/// of the CA is held until everything was read. `list` is for the digests, which the last member has.
///
/// # Errors
/// When the CA cannot be locked or read, or `out` cannot be written.
pub fn write_backup<W: Write, L: Read + Write + Seek>(
    store: &Store,
    encryption: Prepared,
    out: W,
    list: L,
    effects: &Effects<'_>,
) -> Result<(BackupSummary, W), BackupError> {
    let _locked = store.lock(effects.lock_timeout)?;
    let copy = copy_of_server(store, effects)?;
    let index = match &copy {
        Some((index, _)) => index.pin()?,
        None => store.index()?.pin()?,
    };
    let (home, now) = (store.home(), effects.now());
    let restored = Restored::read(home)?.filter(|restored| restored.settled_at.is_none());
    let moved = moved_places(store.config());
    let head = index.log_head()?;
    let manifest = Manifest {
        ca: store.config().name.clone(),
        created_at: now,
        complete_until: restored.map_or(now, |restored| restored.complete_until),
        program: format!("ca {}", env!("CARGO_PKG_VERSION")),
        certificates: index.certificate_count()?,
        events: head.map_or(0, |head| head.count),
        head: head.map(|head| text::hex(&head.hash)).unwrap_or_default(),
        index_location: moved.index_location,
        template_dir: moved.template_dir,
    };
    let encrypted = encryption.begin(Counted::new(out)).map_err(write_failed)?;
    let mut packer = Packer {
        archive: ArchiveWriter::new(BufWriter::with_capacity(64 * 1024, encrypted)),
        list: BufWriter::new(list),
        left_out: Vec::new(),
        files: 0,
        content_bytes: 0,
        now: u64::try_from(now.unix_timestamp()).unwrap_or_default(),
    };
    packer.add_text(MANIFEST, &manifest.to_toml())?;
    for (name, file) in [INDEX, INDEX_LOG].into_iter().zip(index.files()) {
        if let Some(file) = file {
            packer.add_index_file(name, file, index.path())?;
        }
    }
    let top = Folder::open(home.folder())?;
    packer.add_templates(&store.template_folder(), home.folder())?;
    for name in FOLDERS {
        packer.add_top_folder(name, &top)?;
    }
    packer.name_the_rest(&top, store)?;
    if top.kind_of(GIT_IGNORE)? == Some(PathKind::File) {
        packer.add_file(GIT_IGNORE, top.open_to_copy(GIT_IGNORE)?)?;
    }
    // The settings make a folder a CA directory. They come last, so that a part of an archive is not one.
    packer.add_text(SETTINGS, &settings_text(store)?)?;
    packer.finish(store, manifest)
}

/// Copies an index in a server into a file of the CA directory, which is removed with the folder; `None` when the index is in a
/// file. A CA that is restored has its index in a file: the one in the server may still be in use.
fn copy_of_server(store: &Store, effects: &Effects<'_>) -> Result<Option<(Index, StagedFolder)>, BackupError> {
    if !store.index_location().is_shared() {
        return Ok(None);
    }
    let folder = StagedFolder::create(store.home().folder(), effects.entropy)?;
    let path = folder.path().join(INDEX);
    store.index()?.copy_to_file(&path)?;
    Ok(Some((Index::open_to_read(&path)?, folder)))
}

struct Packer<W: Write, L: Write> {
    archive: ArchiveWriter<BufWriter<EncryptedWriter<Counted<W>>>>,
    list: BufWriter<L>,
    left_out: Vec<LeftOut>,
    files: u64,
    content_bytes: u64,
    /// In seconds since 1970.
    now: u64,
}

impl<W: Write, L: Read + Write + Seek> Packer<W, L> {
    fn add_text(&mut self, path: &str, text: &str) -> Result<(), BackupError> {
        let (bytes, modified) = (text.len() as u64, self.now);
        let header =
            MemberHeader { path: path.to_owned(), kind: MemberKind::File, mode: files::PUBLIC, modified, bytes };
        self.add(&header, text.as_bytes())
    }

    fn add_file(&mut self, path: &str, opened: OpenedFile) -> Result<(), BackupError> {
        let OpenedFile { file, bytes, mode, modified } = opened;
        let header = MemberHeader { path: path.to_owned(), kind: MemberKind::File, mode, modified, bytes };
        self.add(&header, BufReader::new(file))
    }

    /// The log of the index can grow meanwhile; what is added is not part of the backup.
    fn add_index_file(&mut self, name: &str, file: &File, path: &Path) -> Result<(), BackupError> {
        let bytes = file.metadata().map_err(FileError::of("read", path))?.len();
        let (path, modified) = (name.to_owned(), self.now);
        let header = MemberHeader { path, kind: MemberKind::File, mode: files::SECRET, modified, bytes };
        self.add(&header, BufReader::with_capacity(64 * 1024, file.take(bytes)))
    }

    fn add(&mut self, header: &MemberHeader, content: impl Read) -> Result<(), BackupError> {
        let mut content = Hashed { content, digest: Sha256::default() };
        self.archive.add(header, &mut content).map_err(|error| match error {
            ArchiveError::Read(cause) => FileError { action: "read", path: header.path.clone().into(), cause }.into(),
            error => BackupError::Write(error),
        })?;
        let sum = text::hex(&content.digest.finish());
        self.list.write_all(format!("{sum}  {}\n", header.path).as_bytes()).map_err(write_failed)?;
        self.files += 1;
        self.content_bytes += header.bytes;
        Ok(())
    }

    /// Adds a folder of the CA directory with everything in it. A missing folder is not an error.
    fn add_top_folder(&mut self, name: &str, top: &Folder) -> Result<(), BackupError> {
        match top.kind_of(name)? {
            None => Ok(()),
            Some(PathKind::Folder) => self.add_folder(name, &top.subfolder(name)?),
            Some(_) => {
                self.leave_out(name.to_owned(), "it is not a folder");
                Ok(())
            }
        }
    }

    /// Adds a folder, and then what is in it.
    fn add_folder(&mut self, path: &str, folder: &Folder) -> Result<(), BackupError> {
        self.add_folder_alone(path)?;
        for (name, kind) in folder.entries()? {
            let path = format!("{path}/{}", name.to_string_lossy());
            match kind {
                _ if files::unfinished_name::is_unfinished_name(&name) => {}
                _ if name.to_str().is_none() || check_path(&path).is_err() => {
                    self.leave_out(path, "its name cannot be in a backup");
                }
                PathKind::File => self.add_file(&path, folder.open_to_copy(&name)?)?,
                PathKind::Folder => self.add_folder(&path, &folder.subfolder(&name)?)?,
                PathKind::Link => self.leave_out(path, "it is a symbolic link"),
                PathKind::Other => self.leave_out(path, "it is not a regular file"),
            }
        }
        Ok(())
    }

    fn add_folder_alone(&mut self, path: &str) -> Result<(), BackupError> {
        let (path, modified) = (path.to_owned(), self.now);
        let header = MemberHeader { path, kind: MemberKind::Folder, mode: files::FOLDER, modified, bytes: 0 };
        self.archive.add(&header, io::empty()).map_err(BackupError::Write)
    }

    /// Adds the site's own templates, wherever they are. Other files in a folder elsewhere belong to the user.
    fn add_templates(&mut self, place: &Path, home: &Path) -> Result<(), BackupError> {
        let Some(folder) = Folder::open_if_exists(place)? else { return Ok(()) };
        self.add_folder_alone(TEMPLATES)?;
        for (name, kind) in folder.entries()? {
            let path = format!("{TEMPLATES}/{}", name.to_string_lossy());
            let is_template = path.ends_with(".toml") && name.to_str().is_some() && check_path(&path).is_ok();
            match kind {
                PathKind::File if is_template => self.add_file(&path, folder.open_to_copy(&name)?)?,
                _ if is_template => self.leave_out(path, "it is not a regular file"),
                _ if place.starts_with(home) => self.leave_out(path, "it is not a template"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Names what else is in the CA directory.
    fn name_the_rest(&mut self, top: &Folder, store: &Store) -> Result<(), BackupError> {
        let home = store.home().folder();
        let index = store.index_location().path().map(Index::files).unwrap_or_default();
        for (name, _) in top.entries()? {
            let text = name.to_string_lossy();
            let is_known = FOLDERS.contains(&&*text)
                || [SETTINGS, GIT_IGNORE, Restored::FILE, "index.db-shm", files::LOCK_FILE].contains(&&*text)
                || files::unfinished_name::is_unfinished_name(&name)
                || index.contains(&home.join(&name))
                || store.template_folder() == home.join(&name);
            if !is_known {
                self.leave_out(text.into_owned(), "it is not a part of the CA");
            }
        }
        Ok(())
    }

    fn leave_out(&mut self, path: String, reason: &'static str) {
        self.left_out.push(LeftOut { path, reason });
    }

    fn finish(mut self, store: &Store, manifest: Manifest) -> Result<(BackupSummary, W), BackupError> {
        let mut list = self.list.into_inner().map_err(|error| write_failed(error.into_error()))?;
        let bytes = list.stream_position().map_err(write_failed)?;
        list.rewind().map_err(write_failed)?;
        let header = MemberHeader {
            path: SUMS.to_owned(),
            kind: MemberKind::File,
            mode: files::PUBLIC,
            modified: self.now,
            bytes,
        };
        self.archive.add(&header, BufReader::new(list)).map_err(BackupError::Write)?;
        let encrypted = self.archive.finish().map_err(BackupError::Write)?;
        let encrypted = encrypted.into_inner().map_err(|error| write_failed(error.into_error()))?;
        let counted = encrypted.finish().map_err(write_failed)?;
        let (with_key, without_key) = keys(store)?;
        let summary = BackupSummary {
            manifest,
            files: self.files,
            content_bytes: self.content_bytes,
            bytes: counted.bytes,
            digest: counted.digest.finish(),
            with_key,
            without_key,
            left_out: self.left_out,
        };
        Ok((summary, counted.out))
    }
}

/// Returns the authorities with and without a key file. A link is not part of a backup.
fn keys(store: &Store) -> Result<(Vec<String>, Vec<String>), BackupError> {
    let names = store.ca_certificates().names()?;
    let mut with_key = Vec::new();
    let mut without_key = Vec::new();
    for name in names {
        let folder = Folder::open(&store.home().authority(&name))?;
        let is_there = folder.kind_of(KEY.name)? == Some(PathKind::File);
        if is_there { with_key.push(name) } else { without_key.push(name) }
    }
    Ok((with_key, without_key))
}

/// Returns the text of `ca.toml` with the usual places.
fn settings_text(store: &Store) -> Result<String, BackupError> {
    let path = store.home().config();
    let content = files::read(&path, files::MAX_SMALL_FILE_BYTES)?;
    let name = path.escaped().to_string();
    let text = toml_file::text(&path, content, toml_file::SETTINGS)?;
    Ok(in_usual_places(&name, &text)?)
}

/// Hashes what is read.
struct Hashed<R> {
    content: R,
    digest: Sha256,
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.digest.update(&buffer[..read]);
        Ok(read)
    }
}

/// Counts and hashes what is written.
struct Counted<W> {
    out: W,
    bytes: u64,
    digest: Sha256,
}

impl<W> Counted<W> {
    fn new(out: W) -> Self {
        Self { out, bytes: 0, digest: Sha256::default() }
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
