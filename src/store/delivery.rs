//! The files of a certificate: written whole, durable, and as one.

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
use crate::system::files::{self, ExistingFile, FileError, Folder, NewFile, Ownership, StagedFolder};
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

/// A delivery that has begun: there is a place on the disk, and the key is in it, under a temporary name.
pub struct Delivery<'a> {
    home: &'a Home,
    name: &'a EntryName,
    place: &'a Destination,
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
    OneByOne(Folder),
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

    /// Begins a delivery with the key, before there is a certificate: a place that cannot be written, or a full disk, is
    /// found while nothing is recorded yet.
    ///
    /// # Errors
    /// When the system refuses; nothing is left then.
    pub fn begin<'a>(
        &'a self,
        home: &'a Home,
        name: &'a EntryName,
        key: Option<&KeyText>,
        ownership: Ownership,
        entropy: &dyn Entropy,
    ) -> Result<Delivery<'a>, FileError> {
        let begun = match self.folder(home, name) {
            None => Begun::Memory,
            Some(target) => {
                let filled = self.filled_one_by_one(&target)?;
                let staged = self.try_out(home, &target, filled.as_ref(), key, ownership, entropy)?;
                filled.map_or_else(|| Begun::Whole { target, staged }, Begun::OneByOne)
            }
        };
        Ok(Delivery { home, name, place: self, ownership, begun })
    }

    fn try_out(
        &self,
        home: &Home,
        target: &Path,
        filled: Option<&Folder>,
        key: Option<&KeyText>,
        ownership: Ownership,
        entropy: &dyn Entropy,
    ) -> Result<StagedFolder, FileError> {
        if filled.is_none() {
            let is_for_others = ownership != Ownership::default() || key.is_some_and(KeyText::is_for_group);
            let is_elsewhere = matches!(self, Self::Folder(_));
            let mode = if is_for_others && is_elsewhere { files::PASSAGE } else { files::FOLDER };
            files::create_folders(parent(target), mode)?;
        }
        let workshop = match filled {
            Some(folder) => folder.clone(),
            None => Folder::open(self.workshop(home, target))?,
        };
        if matches!(self, Self::Folder(_)) {
            // What a killed run left of a key. Our own folder is tidy already.
            workshop.remove_stale()?;
        }
        let mut staged = StagedFolder::create_in(&workshop, entropy)?;
        if let Some(key) = key {
            key.stage(&mut staged, Path::new(""))?;
        }
        // Only root may give files away: better reported now than after the record.
        staged.check_ownership(ownership)?;
        Ok(staged)
    }

    /// Clears away what a dead process left where the files are made.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn sweep(&self, home: &Home, name: &EntryName) -> Result<(), FileError> {
        files::remove_stale(home.folder())?;
        match self.folder(home, name) {
            Some(folder) if matches!(self, Self::Folder(_)) => match self.filled_one_by_one(&folder)? {
                Some(folder) => folder.remove_stale(),
                None => files::remove_stale(self.workshop(home, &folder)),
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

    /// Opens a folder of the user's that is there already: it may hold other files, and stays.
    fn filled_one_by_one(&self, folder: &Path) -> Result<Option<Folder>, FileError> {
        if matches!(self, Self::Folder(_)) { Folder::open_if_exists(folder) } else { Ok(None) }
    }
}

impl Delivery<'_> {
    /// Brings the files into place. What is replaced is kept as a generation.
    ///
    /// # Errors
    /// When the system refuses, or something else is in the way. Nothing has changed then, but in a folder of the user's
    /// that was there before: there the files are exchanged one by one.
    pub fn finish(
        self,
        key: Option<&KeyText>,
        files: &Files,
        replaced: Replaced<'_>,
        entropy: &dyn Entropy,
    ) -> Result<(), FileError> {
        let (folder, mut staged) = match self.begun {
            Begun::Memory => return Ok(()),
            Begun::OneByOne(folder) => {
                let replace = replaced != Replaced::Nothing;
                if let Replaced::Generation(serial) = replaced {
                    previous_certificates::keep_copy(self.home, self.name, &folder, serial, entropy)?;
                }
                return deliver_one_by_one(&folder, key, files, replace, self.ownership, entropy);
            }
            Begun::Whole { target, staged } => (target, staged),
        };
        files.stage(&mut staged, Path::new(""), *self.place != Destination::Authority)?;
        staged.give(self.ownership)?;
        let group_enters = key.map_or(self.ownership.names_group(), KeyText::is_for_group);
        if group_enters && *self.place != Destination::Authority {
            staged.let_group_enter()?;
        }
        staged.sync()?;
        match replaced {
            Replaced::Generation(serial) if *self.place == Destination::Issued && folder.exists() => {
                files::create_folders(&self.home.generations(self.name), files::FOLDER)?;
                staged.publish_replacing(&folder, &previous_certificates::free_place(self.home, self.name, serial))
            }
            _ => staged.publish_new(&folder),
        }
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
        let delivery = place.begin(&home, &name, Some(&key()), ownership, &SystemEntropy)?;
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
        let delivery = place.begin(&home, &name, Some(&key()), ownership, &SystemEntropy).unwrap();
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
            let delivery = place.begin(&home, &name, Some(&key()), Ownership::default(), &SystemEntropy).unwrap();
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
