//! The files of a certificate: written whole, durable, and as one.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::StoreError;
use crate::keys::key_file::{self, NewProtection};
use crate::keys::{Passphrase, PrivateKey};
use crate::store::certificate_files::{CERTIFICATE, CHAIN, CertificateFile, FULLCHAIN, KEY};
use crate::store::entry_name::EntryName;
use crate::store::home::Home;
use crate::store::previous_certificates;
use crate::system::Entropy;
use crate::system::files::{
    self, ExistingFile, FEWEST_TOGETHER, FileError, Folder, NamesToSync, NewFile, Ownership, StagedFolder,
};
use crate::x509::{Certificate, pem};

/// Where the files of a certificate go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// `issued/<name>/`, exchanged as a whole.
    Issued,
    /// A folder of the user's, which may hold other files.
    Folder(PathBuf),
    /// `authorities/<name>/`.
    Authority,
    /// Nowhere: they stay in memory.
    Memory,
}

/// The texts of the files that all users may read.
pub struct Files {
    certificate: String,
    chain: String,
}

/// The text of a key file, wiped when it goes, and the mode of the file.
pub struct KeyText {
    pub text: Zeroizing<String>,
    pub mode: u32,
}

impl KeyText {
    /// Writes the text of a new key file, encrypted when there is a passphrase. Slow on purpose then.
    ///
    /// # Errors
    /// When there is no randomness, or the key cannot be written.
    pub fn new(
        key: &PrivateKey,
        passphrase: Option<&Passphrase>,
        mode: u32,
        entropy: &dyn Entropy,
    ) -> Result<Self, StoreError> {
        let failed = |cause| StoreError::KeyFile { path: PathBuf::from("the new key"), cause };
        let protection = match passphrase {
            None => None,
            Some(passphrase) => {
                let mut randomness = [0; 32];
                let drawn = entropy.fill(&mut randomness);
                drawn.map_err(|cause| FileError { action: "draw", path: PathBuf::from("random bytes"), cause })?;
                Some(NewProtection::new(passphrase, randomness))
            }
        };
        let text = key_file::write(key, protection.as_ref()).map_err(failed)?;
        Ok(Self { text, mode })
    }
}

/// Where the files are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Paths {
    pub certificate: PathBuf,
    pub chain: PathBuf,
    /// An authority has none.
    pub fullchain: Option<PathBuf>,
    pub key: Option<PathBuf>,
}

/// What a delivery may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced<'a> {
    Nothing,
    /// The files of the certificate with this serial number.
    Generation(&'a str),
    /// Any file in a folder of the user's, who asked for it.
    Whatever,
}

/// Where a delivery begins: the folder that is opened for it. Nothing is written yet.
pub struct DeliveryPlace<'a> {
    home: &'a Home,
    name: EntryName,
    place: Destination,
    ownership: Ownership,
    /// True when it shares its syncs with others.
    is_one_of_many: bool,
    opened: Opened,
}

enum Opened {
    Memory,
    /// The folder in which that of the files is made, and the path that it gets.
    Whole {
        workshop: Folder,
        target: PathBuf,
    },
    OneByOne(Folder),
}

/// A delivery that has begun: there is a place on the disk, and the key is in it, under a temporary name.
pub struct Delivery<'a> {
    home: &'a Home,
    name: EntryName,
    place: Destination,
    ownership: Ownership,
    begun: Begun,
}

/// Where the files go, decided once.
enum Begun {
    /// Everything stays in memory.
    Memory,
    /// A folder that appears as a whole.
    Whole { target: PathBuf, staged: StagedFolder },
    /// A folder of the user's that was there before. It may hold other files, and stays.
    OneByOne { folder: Folder },
}

/// The folders in which the files of one act are made, each opened and tidied up once.
#[derive(Debug, Default)]
pub struct Workshops {
    opened: HashMap<PathBuf, Folder>,
    swept: HashSet<PathBuf>,
    /// The folders that are known to exist.
    created: HashSet<PathBuf>,
    /// True when so many deliveries are under way at once that they share their syncs.
    has_many: bool,
}

impl Workshops {
    /// Returns those of an act with so many deliveries.
    pub fn of(deliveries: usize) -> Self {
        Self { has_many: deliveries >= FEWEST_TOGETHER, ..Self::default() }
    }

    fn open(&mut self, path: &Path) -> Result<Folder, FileError> {
        if let Some(opened) = self.opened.get(path) {
            return Ok(opened.clone());
        }
        let opened = Folder::open(path)?;
        self.opened.insert(path.to_owned(), opened.clone());
        Ok(opened)
    }

    fn create_folders(&mut self, path: &Path, mode: u32) -> Result<(), FileError> {
        if !self.created.contains(path) {
            files::create_folders(path, mode)?;
            self.created.insert(path.to_owned());
        }
        Ok(())
    }

    /// Later it would read everything that this act has under way.
    fn sweep(&mut self, path: &Path) -> Result<(), FileError> {
        if self.swept.contains(path) {
            return Ok(());
        }
        files::remove_stale(path)?;
        self.swept.insert(path.to_owned());
        Ok(())
    }
}

impl Files {
    /// `chain` is what stands between the certificate and its root, the next issuer first.
    pub fn new(certificate: &Certificate, chain: &[Certificate]) -> Self {
        Self {
            certificate: pem::certificate(certificate.as_der()),
            chain: chain.iter().map(|above| pem::certificate(above.as_der())).collect(),
        }
    }

    fn fullchain(&self) -> String {
        format!("{}{}", self.certificate, self.chain)
    }

    /// Writes them into a folder under construction.
    pub fn stage(&self, staged: &mut StagedFolder, folder: &Path, with_fullchain: bool) -> Result<(), FileError> {
        let fullchain = if with_fullchain { Some((FULLCHAIN, self.fullchain())) } else { None };
        let mut add = |file: CertificateFile, text: &str| staged.add(file.path_in(folder), text.as_bytes(), file.mode);
        add(CERTIFICATE, &self.certificate)?;
        add(CHAIN, &self.chain)?;
        fullchain.iter().try_for_each(|(file, text)| add(*file, text))
    }
}

impl KeyText {
    /// Returns whether the group of the file can read it.
    pub fn is_for_group(&self) -> bool {
        self.mode & 0o040 != 0
    }

    /// Writes it into a folder under construction.
    pub fn stage(&self, staged: &mut StagedFolder, folder: &Path) -> Result<(), FileError> {
        staged.add(KEY.path_in(folder), self.text.as_bytes(), self.mode)
    }
}

impl Destination {
    /// The folder; `None` for memory.
    pub fn folder(&self, home: &Home, name: &EntryName) -> Option<PathBuf> {
        match self {
            Self::Issued => Some(home.entry(name)),
            Self::Folder(folder) => Some(folder.clone()),
            Self::Authority => Some(home.authority(name.as_str())),
            Self::Memory => None,
        }
    }

    /// The paths of the files there.
    pub fn paths(&self, home: &Home, name: &EntryName, with_key: bool) -> Option<Paths> {
        let folder = self.folder(home, name)?;
        Some(Paths {
            certificate: CERTIFICATE.path_in(&folder),
            chain: CHAIN.path_in(&folder),
            fullchain: (*self != Self::Authority).then(|| FULLCHAIN.path_in(&folder)),
            key: with_key.then(|| KEY.path_in(&folder)),
        })
    }

    /// Opens the folder in which a delivery begins. [`sweep`](Self::sweep) comes before, and [`DeliveryPlace::begin`] after it.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn open<'a>(
        &self,
        home: &'a Home,
        name: &EntryName,
        key: Option<&KeyText>,
        ownership: Ownership,
        workshops: &mut Workshops,
    ) -> Result<DeliveryPlace<'a>, FileError> {
        let opened = match self.folder(home, name) {
            None => Opened::Memory,
            Some(target) => match self.filled_one_by_one(&target)? {
                Some(folder) => Opened::OneByOne(folder),
                None => {
                    let is_for_others = ownership != Ownership::default() || key.is_some_and(KeyText::is_for_group);
                    let is_elsewhere = matches!(self, Self::Folder(_));
                    let mode = if is_for_others && is_elsewhere { files::PASSAGE } else { files::FOLDER };
                    workshops.create_folders(parent(&target), mode)?;
                    Opened::Whole { workshop: workshops.open(self.workshop(home, &target))?, target }
                }
            },
        };
        let (name, place, is_one_of_many) = (name.clone(), self.clone(), workshops.has_many);
        Ok(DeliveryPlace { home, name, place, ownership, is_one_of_many, opened })
    }

    /// Clears away what a dead process left where the files are made, once for each place.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sweep(&self, home: &Home, name: &EntryName, workshops: &mut Workshops) -> Result<(), FileError> {
        workshops.sweep(home.folder())?;
        match self.folder(home, name) {
            Some(folder) if matches!(self, Self::Folder(_)) => match self.filled_one_by_one(&folder)? {
                Some(_) => workshops.sweep(&folder),
                None => workshops.sweep(self.workshop(home, &folder)),
            },
            _ => Ok(()),
        }
    }

    /// Where a folder is made that is not there yet: on the same file system as the folder in which it will appear. For the CA's own that is
    /// its top, where what a dead process left is found without reading a folder of a hundred thousand names.
    fn workshop<'a>(&self, home: &'a Home, folder: &'a Path) -> &'a Path {
        match self {
            Self::Folder(_) => parent(folder),
            Self::Issued | Self::Authority | Self::Memory => home.folder(),
        }
    }

    /// Returns the serial number of the generation as which the files that are there are kept; `None` when none are.
    fn generation<'r>(&self, folder: &Path, replaced: Replaced<'r>) -> Option<&'r str> {
        match replaced {
            Replaced::Generation(serial) if *self == Self::Issued && folder.exists() => Some(serial),
            _ => None,
        }
    }

    /// Opens a folder of the user's that is there already: it may hold other files, and stays.
    fn filled_one_by_one(&self, folder: &Path) -> Result<Option<Folder>, FileError> {
        if matches!(self, Self::Folder(_)) { Folder::open_if_exists(folder) } else { Ok(None) }
    }
}

impl<'a> DeliveryPlace<'a> {
    /// Begins a delivery before there is a certificate: a place that cannot be written, or a full disk, is found while nothing is
    /// recorded yet. Only root may give files away, which is checked for the same reason.
    ///
    /// # Errors
    /// When the system refuses; nothing is left then.
    pub fn begin(self, key: Option<&KeyText>, entropy: &dyn Entropy) -> Result<Delivery<'a>, FileError> {
        let Self { home, name, place, ownership, is_one_of_many, opened } = self;
        let begin_in = |folder: &Folder| -> Result<StagedFolder, FileError> {
            let staged = StagedFolder::create_in(folder, entropy)?;
            let mut staged = if is_one_of_many { staged.as_one_of_many() } else { staged };
            key.map_or(Ok(()), |key| key.stage(&mut staged, Path::new("")))?;
            staged.check_ownership(ownership)?;
            Ok(staged)
        };
        let begun = match opened {
            Opened::Memory => Begun::Memory,
            Opened::Whole { workshop, target } => Begun::Whole { staged: begin_in(&workshop)?, target },
            Opened::OneByOne(folder) => {
                // It shows that files can be written there, and goes before they are.
                drop(begin_in(&folder)?);
                Begun::OneByOne { folder }
            }
        };
        Ok(Delivery { home, name, place, ownership, begun })
    }
}

impl Delivery<'_> {
    /// Brings the files into place. What is replaced is kept as a generation.
    ///
    /// # Errors
    /// When the system refuses, or something else is in the way. Nothing has changed then, but in a folder of the user's
    /// that was there before: there the files are exchanged one by one.
    pub fn finish(
        mut self,
        key: Option<&KeyText>,
        files: &Files,
        replaced: Replaced<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(), FileError> {
        self.write(key, files)?;
        let (folder, staged) = match self.begun {
            Begun::Memory => return Ok(()),
            Begun::OneByOne { folder } => {
                let replace = replaced != Replaced::Nothing;
                if let Replaced::Generation(serial) = replaced {
                    previous_certificates::keep_copy(self.home, &self.name, &folder, serial, entropy)?;
                }
                return deliver_one_by_one(&folder, key, files, replace, self.ownership, entropy);
            }
            Begun::Whole { target, staged } => (target, staged),
        };
        staged.sync()?;
        match self.place.generation(&folder, replaced) {
            Some(serial) => {
                files::create_folders(&self.home.generations(&self.name), files::FOLDER)?;
                staged.publish_replacing(&folder, &previous_certificates::free_place(self.home, &self.name, serial))
            }
            None => staged.publish_new(&folder),
        }
    }

    /// Writes the files beside the key, where the folder appears as a whole. They are not durable yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&mut self, key: Option<&KeyText>, files: &Files) -> Result<(), FileError> {
        let Begun::Whole { staged, .. } = &mut self.begun else { return Ok(()) };
        files.stage(staged, Path::new(""), self.place != Destination::Authority)?;
        staged.give(self.ownership)?;
        let group_enters = key.map_or(self.ownership.names_group(), KeyText::is_for_group);
        if group_enters && self.place != Destination::Authority {
            staged.let_group_enter()?;
        }
        Ok(())
    }

    /// Returns the folder under construction; `None` where the files do not appear as a whole.
    pub fn staged(&self) -> Option<&StagedFolder> {
        match &self.begun {
            Begun::Whole { staged, .. } => Some(staged),
            Begun::Memory | Begun::OneByOne { .. } => None,
        }
    }

    /// Gives the folder its name, not durably yet, and returns its path. Call [`write`](Self::write) before, and make the content
    /// durable.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn publish(self, replaced: Replaced<'_>, names: &mut NamesToSync) -> Result<Option<PathBuf>, FileError> {
        let Begun::Whole { target, staged } = self.begun else { return Ok(None) };
        match self.place.generation(&target, replaced) {
            Some(serial) => {
                let kept = previous_certificates::free_place(self.home, &self.name, serial);
                names.publish_replacing(staged, &target, &kept)?;
            }
            None => names.publish_new(staged, &target)?,
        }
        Ok(Some(target))
    }
}

/// Another certificate for the key of an authority; the rest of its folder stays as it is.
pub fn replace_certificate(
    home: &Home,
    authority: &str,
    certificate: &Certificate,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let path = CERTIFICATE.path_in(&home.authority(authority));
    let text = pem::certificate(certificate.as_der());
    files::publish_file(&path, text.as_bytes(), CERTIFICATE.mode, ExistingFile::Replace, entropy)
}

/// Another chain for an authority.
pub fn replace_chain(
    home: &Home,
    authority: &str,
    chain: &[Certificate],
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let path = CHAIN.path_in(&home.authority(authority));
    let text: String = chain.iter().map(|above| pem::certificate(above.as_der())).collect();
    files::publish_file(&path, text.as_bytes(), CHAIN.mode, ExistingFile::Replace, entropy)
}

fn parent(folder: &Path) -> &Path {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn deliver_one_by_one(
    folder: &Folder,
    key: Option<&KeyText>,
    files: &Files,
    replace: bool,
    ownership: Ownership,
    entropy: &dyn Entropy,
) -> Result<(), FileError> {
    let existing = if replace { ExistingFile::Replace } else { ExistingFile::Keep };
    let fullchain = files.fullchain();
    let public = |file: CertificateFile, text| (file, str::as_bytes(text), file.mode);
    // After a run that died here, the order shows the next run whose files these are, also when the key is encrypted: the
    // certificate is written first, and where the full chain is of the same one, everything between them is, too.
    let all = [
        Some(public(CERTIFICATE, &files.certificate)),
        key.map(|key| (KEY, key.text.as_bytes(), key.mode)),
        Some(public(CHAIN, &files.chain)),
        Some(public(FULLCHAIN, &fullchain)),
    ];
    let mut written = Vec::new();
    for (CertificateFile { name, .. }, content, mode) in all.into_iter().flatten() {
        if let Err(error) = folder.publish(NewFile { name, content, mode, ownership }, existing, entropy) {
            if !replace {
                written.iter().for_each(|name| folder.remove_file_quietly(name));
            }
            return Err(error);
        }
        written.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use crate::system::entropy::SystemEntropy;

    fn key() -> KeyText {
        KeyText { text: Zeroizing::new("key".to_owned()), mode: 0o640 }
    }

    /// Delivers three texts to a folder of the user.
    fn deliver(top: &Path, folder: &str, ownership: Ownership) -> Result<(), FileError> {
        let (home, name) = (Home::at(top.join("ca")), "web.test".parse().unwrap());
        let place = Destination::Folder(top.join(folder));
        let files = Files { certificate: "certificate".to_owned(), chain: "chain".to_owned() };
        let mut workshops = Workshops::default();
        place.sweep(&home, &name, &mut workshops)?;
        let opened = place.open(&home, &name, Some(&key()), ownership, &mut workshops)?;
        let delivery = opened.begin(Some(&key()), &SystemEntropy)?;
        delivery.finish(Some(&key()), &files, Replaced::Nothing, &SystemEntropy)
    }

    #[test]
    fn a_new_folder_with_everything_in_it_is_given_to_the_owner_or_not_begun() {
        let top = tempfile::tempdir().unwrap();
        let delivered = deliver(top.path(), "web", Ownership::of(Some("65534"), None).unwrap());
        if files::our_user() != 0 {
            assert!(delivered.is_err() && files::names_in(top.path()).unwrap().is_empty());
            return;
        }
        delivered.unwrap();
        for name in ["", "cert.pem", "chain.pem", "fullchain.pem", "key.pem"] {
            assert_eq!(fs::metadata(top.path().join("web").join(name)).unwrap().uid(), 65_534, "{name}");
        }
    }

    #[test]
    fn a_group_gets_the_folder_and_everything_in_it_and_the_user_stays() {
        let top = tempfile::tempdir().unwrap();
        if files::our_user() != 0 {
            return;
        }
        deliver(top.path(), "web", Ownership::of(None, Some("65534")).unwrap()).unwrap();
        for name in ["", "cert.pem", "chain.pem", "fullchain.pem", "key.pem"] {
            let found = fs::metadata(top.path().join("web").join(name)).unwrap();
            assert_eq!((found.uid(), found.gid()), (0, 65_534), "{name}");
        }
    }

    /// The folder is moved away under construction: what is done before the name is given can be seen in it then.
    #[test]
    fn the_folder_has_its_owner_before_it_has_its_name() {
        let top = tempfile::tempdir().unwrap();
        if files::our_user() != 0 {
            return;
        }
        let (home, name) = (Home::at(top.path().join("ca")), "web.test".parse().unwrap());
        let place = Destination::Folder(top.path().join("web"));
        let files = Files { certificate: "certificate".to_owned(), chain: "chain".to_owned() };
        let ownership = Ownership::of(None, Some("65534")).unwrap();
        let opened = place.open(&home, &name, Some(&key()), ownership, &mut Workshops::default()).unwrap();
        let delivery = opened.begin(Some(&key()), &SystemEntropy).unwrap();
        let staged = files::names_in(top.path()).unwrap().remove(0);
        let moved = top.path().join("moved");
        fs::rename(top.path().join(staged), &moved).unwrap();
        assert!(delivery.finish(Some(&key()), &files, Replaced::Nothing, &SystemEntropy).is_err());
        assert_eq!((fs::metadata(&moved).unwrap().gid(), top.path().join("web").exists()), (65_534, false));
    }

    #[test]
    fn nothing_is_left_of_a_delivery_whose_folder_another_process_made_in_the_meantime() {
        let top = tempfile::tempdir().unwrap();
        fs::create_dir(top.path().join("ca")).unwrap();
        let (home, name) = (Home::at(top.path().join("ca")), "web.test".parse().unwrap());
        let files = Files { certificate: "certificate".to_owned(), chain: "chain".to_owned() };
        for place in [Destination::Folder(top.path().join("web")), Destination::Issued, Destination::Authority] {
            let folder = place.folder(&home, &name).unwrap();
            let opened =
                place.open(&home, &name, Some(&key()), Ownership::default(), &mut Workshops::default()).unwrap();
            let delivery = opened.begin(Some(&key()), &SystemEntropy).unwrap();
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("theirs"), "").unwrap();
            assert!(delivery.finish(Some(&key()), &files, Replaced::Nothing, &SystemEntropy).is_err());
            assert_eq!(files::names_in(&folder).unwrap(), ["theirs"]);
            let workshop = place.workshop(&home, &folder);
            let left = files::names_in(workshop).unwrap();
            assert!(!left.iter().any(|name| name.starts_with('.')), "{left:?}");
        }
    }

    #[test]
    fn in_a_folder_of_the_user_nothing_is_left_of_a_delivery_that_fails_or_of_a_run_that_died() {
        let top = tempfile::tempdir().unwrap();
        let folder = top.path().join("web");
        for left in ["chain.pem", ".staged-0123456789abcdef"] {
            fs::create_dir_all(folder.join(left)).unwrap();
        }
        assert!(deliver(top.path(), "web", Ownership::default()).is_err(), "a folder is in the place of the chain");
        assert_eq!(files::names_in(&folder).unwrap(), ["chain.pem"]);
    }
}
