//! The encryption of a backup: a file in the age format (<https://age-encryption.org/v1>), which the programs `age` and
//! `rage` decrypt too. The only module that uses age.
//!
//! Every chunk of the content is authenticated, and the last one is marked: a changed bit and a missing end are both
//! errors of reading.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::rc::Rc;
use std::str::FromStr;

use age::secrecy::SecretString;
use age::{DecryptError, Decryptor, Encryptor, stream};

use crate::keys::Passphrase;
use crate::text::{Diagnosis, Diagnostic, io_reason};

/// scrypt with N = 2^18 takes about a second and 256 MiB: what the program `age` does.
const WORK_FACTOR: u8 = 18;

/// A file decides how much work its passphrase is. 2^20 takes about four seconds and 1 GiB.
const MAX_WORK_FACTOR: u8 = 20;

/// The greatest length of the header, in bytes: room for more recipients than [`MAX_RECIPIENTS`].
const MAX_HEADER_BYTES: u64 = 16 * 1024;

/// The greatest number of recipients of one backup.
const MAX_RECIPIENTS: usize = 64;

/// The greatest length of a file of identities, in bytes.
pub const MAX_IDENTITY_FILE_BYTES: u64 = 64 * 1024;

/// For whom a backup is encrypted.
pub enum Protection {
    Passphrase(Passphrase),
    Recipients(Vec<Recipient>),
}

/// A public key of the age format: `age1…`.
#[derive(Clone)]
pub struct Recipient(age::x25519::Recipient);

/// What opens a backup.
pub enum Unlocking {
    Passphrase(Passphrase),
    Identities(Vec<Identity>),
}

/// A private key of the age format: `AGE-SECRET-KEY-1…`.
pub struct Identity(age::x25519::Identity);

/// What an encrypted backup is opened with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    Passphrase,
    Recipients,
}

/// The reason why a backup cannot be encrypted or decrypted.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionError {
    #[error("'{0}' is not a recipient: {REASON}", REASON = "an X25519 key of the age format begins with age1")]
    NotARecipient(String),
    #[error("a backup has at most {MAX_RECIPIENTS} recipients")]
    TooManyRecipients,
    #[error("line {line} of the identity file is not a private key of the age format (AGE-SECRET-KEY-1…)")]
    NotAnIdentity { line: usize },
    #[error("the identity file has no private key (AGE-SECRET-KEY-1…)")]
    NoIdentity,
    #[error("the passphrase of a backup has to be text in UTF-8")]
    NotText,
    #[error("it is not an encrypted backup: it has no valid age header")]
    NotEncrypted,
    #[error("it needs a passphrase, and an identity was given")]
    NeedsPassphrase,
    #[error("it is encrypted for recipients, and no identity was given")]
    NeedsIdentity,
    #[error("the wrong passphrase for this backup")]
    WrongPassphrase,
    #[error("it is encrypted for other recipients than those of the identity file")]
    WrongIdentity,
    #[error("its passphrase costs more work (2^{required}) than is accepted (2^{MAX_WORK_FACTOR})")]
    TooMuchWork { required: u8 },
    #[error("its header was changed after it was written")]
    Changed,
    #[error("{}", io_reason(.0))]
    Io(#[from] io::Error),
}

impl Diagnostic for EncryptionError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::NotARecipient(_) => Diagnosis::usage("bad-recipient")
                .hint("make a key pair with: age-keygen -o identity.txt; the public key is in its output"),
            Self::TooManyRecipients => Diagnosis::usage("bad-recipient"),
            Self::NotAnIdentity { .. } | Self::NoIdentity => Diagnosis::usage("bad-identity")
                .hint("an identity file that is encrypted itself is decrypted first: age -d FILE"),
            Self::NotText => Diagnosis::usage("no-passphrase"),
            Self::NotEncrypted => Diagnosis::usage("not-a-backup"),
            Self::NeedsPassphrase => Diagnosis::usage("passphrase-needed")
                .hint("give --passphrase-file FILE, --passphrase-env VAR or --passphrase-fd N instead of --identity"),
            Self::NeedsIdentity => Diagnosis::usage("identity-needed").hint("give --identity FILE"),
            Self::WrongPassphrase => Diagnosis::refused("wrong-passphrase"),
            Self::WrongIdentity => Diagnosis::refused("wrong-identity"),
            Self::TooMuchWork { .. } => Diagnosis::usage("backup-invalid")
                .hint("if you trust the file: age -d FILE | tar x, in an empty folder"),
            Self::Changed => Diagnosis::usage("backup-invalid"),
            Self::Io(_) => Diagnosis::usage("unreadable-input"),
        }
    }
}

impl FromStr for Recipient {
    type Err = EncryptionError;

    fn from_str(text: &str) -> Result<Self, EncryptionError> {
        text.parse().map(Self).map_err(|_| EncryptionError::NotARecipient(crate::text::escape(text)))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Reads an identity file: private keys, one a line, with comments and empty lines.
///
/// # Errors
/// When it has anything else, or no key. The error does not contain the line.
pub fn read_identities(file: &[u8]) -> Result<Vec<Identity>, EncryptionError> {
    let mut identities = Vec::new();
    for (number, line) in file.split(|byte| *byte == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let identity = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
        identities.push(Identity(identity.ok_or(EncryptionError::NotAnIdentity { line: number + 1 })?));
    }
    if identities.is_empty() { Err(EncryptionError::NoIdentity) } else { Ok(identities) }
}

impl Protection {
    /// Prepares the encryption. The derivation of a key from a passphrase is slow on purpose.
    ///
    /// # Errors
    /// When the passphrase is not text, or there are too many recipients.
    pub fn prepare(&self) -> Result<Prepared, EncryptionError> {
        let prepared = match self {
            Self::Passphrase(passphrase) => {
                let mut recipient = age::scrypt::Recipient::new(secret(passphrase)?);
                recipient.set_work_factor(WORK_FACTOR);
                Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            }
            Self::Recipients(recipients) if recipients.len() > MAX_RECIPIENTS => {
                return Err(EncryptionError::TooManyRecipients);
            }
            Self::Recipients(recipients) => {
                Encryptor::with_recipients(recipients.iter().map(|recipient| &recipient.0 as &dyn age::Recipient))
            }
        };
        prepared.map(Prepared).map_err(|_| EncryptionError::NoIdentity)
    }
}

/// An encryption whose key is derived, and that has written nothing yet.
pub struct Prepared(Encryptor);

impl Prepared {
    /// Writes the header; the content follows through the returned writer.
    ///
    /// # Errors
    /// When writing fails.
    pub fn begin<W: Write>(self, out: W) -> io::Result<EncryptedWriter<W>> {
        self.0.wrap_output(out).map(EncryptedWriter)
    }
}

/// Encrypts what is written to it.
pub struct EncryptedWriter<W: Write>(stream::StreamWriter<W>);

impl<W: Write> EncryptedWriter<W> {
    /// Writes the last chunk, without which the file cannot be decrypted.
    ///
    /// # Errors
    /// When writing fails.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for EncryptedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// An encrypted backup whose header was read.
pub struct Sealed<R>(Decryptor<Limited<BufReader<R>>>);

impl<R: Read> Sealed<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is not one.
    pub fn read(input: R) -> Result<Self, EncryptionError> {
        let left = Rc::new(Cell::new(MAX_HEADER_BYTES));
        let input = Limited { input: BufReader::new(input), left: Rc::clone(&left) };
        let decryptor = Decryptor::new_buffered(input).map_err(|error| match error {
            DecryptError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => EncryptionError::Io(error),
            _ => EncryptionError::NotEncrypted,
        })?;
        left.set(u64::MAX);
        Ok(Self(decryptor))
    }

    /// Returns what opens it.
    pub fn lock(&self) -> Lock {
        if self.0.is_scrypt() { Lock::Passphrase } else { Lock::Recipients }
    }

    /// Returns a reader of the content.
    ///
    /// # Errors
    /// When it cannot be opened with this.
    pub fn open(self, with: &Unlocking) -> Result<impl Read + use<R>, EncryptionError> {
        let opened = match (self.lock(), with) {
            (Lock::Passphrase, Unlocking::Identities(_)) => return Err(EncryptionError::NeedsPassphrase),
            (Lock::Recipients, Unlocking::Passphrase(_)) => return Err(EncryptionError::NeedsIdentity),
            (_, Unlocking::Identities(identities)) if identities.is_empty() => {
                return Err(EncryptionError::NeedsIdentity);
            }
            (_, Unlocking::Passphrase(passphrase)) => {
                let mut identity = age::scrypt::Identity::new(secret(passphrase)?);
                identity.set_max_work_factor(MAX_WORK_FACTOR);
                self.0.decrypt(std::iter::once(&identity as &dyn age::Identity))
            }
            (_, Unlocking::Identities(identities)) => {
                self.0.decrypt(identities.iter().map(|identity| &identity.0 as &dyn age::Identity))
            }
        };
        opened.map_err(|error| match (error, with) {
            (DecryptError::ExcessiveWork { required, .. }, _) => EncryptionError::TooMuchWork { required },
            (DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed, Unlocking::Passphrase(_)) => {
                EncryptionError::WrongPassphrase
            }
            (DecryptError::NoMatchingKeys | DecryptError::DecryptionFailed, Unlocking::Identities(_)) => {
                EncryptionError::WrongIdentity
            }
            (DecryptError::Io(error), _) => EncryptionError::Io(error),
            _ => EncryptionError::Changed,
        })
    }
}

fn secret(passphrase: &Passphrase) -> Result<SecretString, EncryptionError> {
    let text = std::str::from_utf8(passphrase.expose()).map_err(|_| EncryptionError::NotText)?;
    Ok(SecretString::from(text.to_owned()))
}

/// A reader that ends after a number of bytes, which its owner can raise.
struct Limited<R> {
    input: R,
    left: Rc<Cell<u64>>,
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX);
        let buffer = self.input.fill_buf()?;
        Ok(&buffer[..buffer.len().min(most)])
    }

    fn consume(&mut self, bytes: usize) {
        self.left.set(self.left.get().saturating_sub(bytes as u64));
        self.input.consume(bytes);
    }
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left.get()).unwrap_or(usize::MAX).min(buffer.len());
        let read = self.input.read(&mut buffer[..most])?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        Ok(read)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns a key pair.
    pub(crate) fn pair() -> (Recipient, Identity) {
        let identity = age::x25519::Identity::generate();
        (Recipient(identity.to_public()), Identity(identity))
    }

    fn encrypted(protection: &Protection, content: &[u8]) -> Vec<u8> {
        let mut writer = protection.prepare().unwrap().begin(Vec::new()).unwrap();
        writer.write_all(content).unwrap();
        writer.finish().unwrap()
    }

    fn decrypted(file: &[u8], with: &Unlocking) -> Result<Vec<u8>, EncryptionError> {
        let mut content = Vec::new();
        Sealed::read(file)?.open(with)?.read_to_end(&mut content)?;
        Ok(content)
    }

    fn phrase(text: &str) -> Passphrase {
        Passphrase::new(text.into())
    }

    #[test]
    fn each_recipient_opens_it_and_no_other_key_does() {
        let (one, two, other) = (pair(), pair(), pair());
        let file = encrypted(&Protection::Recipients(vec![one.0, two.0]), b"content");
        for identity in [one.1, two.1] {
            assert_eq!(decrypted(&file, &Unlocking::Identities(vec![identity])).unwrap(), b"content");
        }
        let refused = decrypted(&file, &Unlocking::Identities(vec![other.1]));
        assert!(matches!(refused, Err(EncryptionError::WrongIdentity)));
        let refused = decrypted(&file, &Unlocking::Passphrase(phrase("x")));
        assert!(matches!(refused, Err(EncryptionError::NeedsIdentity)));
    }

    #[test]
    fn only_the_passphrase_opens_it() {
        let file = encrypted(&Protection::Passphrase(phrase("correct horse")), b"content");
        assert_eq!(decrypted(&file, &Unlocking::Passphrase(phrase("correct horse"))).unwrap(), b"content");
        let refused = decrypted(&file, &Unlocking::Passphrase(phrase("wrong horse")));
        assert!(matches!(refused, Err(EncryptionError::WrongPassphrase)));
        let refused = decrypted(&file, &Unlocking::Identities(vec![pair().1]));
        assert!(matches!(refused, Err(EncryptionError::NeedsPassphrase)));
        // A file decides how much work its passphrase is, up to a limit.
        let text = String::from_utf8_lossy(&file[..80]).into_owned();
        let at = text.find(" 18\n").unwrap();
        let mut costly = file;
        costly[at + 1..at + 3].copy_from_slice(b"40");
        let refused = decrypted(&costly, &Unlocking::Passphrase(phrase("correct horse")));
        assert!(matches!(refused, Err(EncryptionError::TooMuchWork { required: 40 })));
    }

    #[test]
    fn a_flipped_bit_and_a_missing_end_are_errors_wherever_they_are() {
        let (recipient, identity) = pair();
        let file = encrypted(&Protection::Recipients(vec![recipient]), &vec![7; 70_000]);
        let with = Unlocking::Identities(vec![identity]);
        for at in (0..file.len()).step_by(997).chain(0..300) {
            let mut flipped = file.clone();
            flipped[at] ^= 4;
            assert!(decrypted(&flipped, &with).is_err(), "byte {at}");
        }
        for length in (0..file.len()).step_by(997).chain([file.len() - 1]) {
            assert!(decrypted(&file[..length], &with).is_err(), "cut off after {length}");
        }
        assert!(decrypted(&[&file[..], b"x"].concat(), &with).is_err());
    }

    #[test]
    fn a_header_without_end_is_refused_in_bounded_memory() {
        let stanza = format!("-> X25519 {}\n{}\n", "A".repeat(43), "A".repeat(43));
        let endless = "age-encryption.org/v1\n".to_owned() + &stanza.repeat(2000);
        let mut rest = endless.as_bytes();
        assert!(matches!(Sealed::read(&mut rest), Err(EncryptionError::NotEncrypted)));
        assert!(endless.len() - rest.len() <= 2 * MAX_HEADER_BYTES as usize, "the limit, and a buffer");
        let line = "age-encryption.org/v1\n-> ".to_owned() + &"x".repeat(1_000_000);
        assert!(matches!(Sealed::read(line.as_bytes()), Err(EncryptionError::NotEncrypted)));
        for other in ["", "PK\x03\x04", "-----BEGIN AGE ENCRYPTED FILE-----\n"] {
            assert!(matches!(Sealed::read(other.as_bytes()), Err(EncryptionError::NotEncrypted)), "{other}");
        }
        let many = Protection::Recipients((0..65).map(|_| pair().0).collect());
        assert!(matches!(many.prepare(), Err(EncryptionError::TooManyRecipients)));
        // As many as are accepted fit into a header that is accepted.
        let most = Protection::Recipients((0..64).map(|_| pair().0).collect());
        assert!(Sealed::read(encrypted(&most, b"").as_slice()).is_ok());
    }

    #[test]
    fn an_identity_file_has_keys_and_comments() {
        let (recipient, identity) = pair();
        let key = age::secrecy::ExposeSecret::expose_secret(&identity.0.to_string()).to_owned();
        let file = format!("# created: today\n# public key: {recipient}\n\n{key}\r\n");
        assert_eq!(read_identities(file.as_bytes()).unwrap().len(), 1);
        assert!(matches!(read_identities(b"# nothing\n"), Err(EncryptionError::NoIdentity)));
        let Err(error) = read_identities(format!("{key}\nsecret words\n").as_bytes()) else { panic!("accepted") };
        assert!(matches!(error, EncryptionError::NotAnIdentity { line: 2 }));
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!("age1wrong".parse::<Recipient>().is_err());
        assert_eq!(recipient.to_string().parse::<Recipient>().unwrap().to_string(), recipient.to_string());
    }
}
