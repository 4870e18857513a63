//! Passphrases, wiped from memory when they are dropped.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

/// The passphrase of an encrypted key. It can be neither printed nor cloned.
pub struct Passphrase {
    bytes: Zeroizing<Vec<u8>>,
    /// Shared by all copies of one that was typed: true when it opened nothing. `None`: it comes from elsewhere.
    typed: Option<Arc<AtomicBool>>,
}

/// The reason why bytes are not a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    #[error("it is empty")]
    Empty,
    #[error("it contains a NUL byte, at which other programs end a passphrase")]
    Nul,
}

impl Passphrase {
    /// A new passphrase with fewer characters than this is reported as short. An attacker with a copy of the key file can
    /// try without limit: one graphics card tries some 15,000 passphrases a second against the key derivation of this
    /// program, 1,000 million a day. Lists of leaked passwords, with their usual variations, are of that size, and have
    /// most of what is chosen with fewer characters.
    pub const SHORT: usize = 12;

    /// Makes a passphrase from the bytes of a source: a file, a variable, a descriptor, a setting or a terminal. One line
    /// ending (`\n` or `\r\n`), which an editor or a terminal adds, is not part of the passphrase.
    ///
    /// This and [`of_existing_key`](Self::of_existing_key) are the only constructors, so that the same bytes are the same passphrase whatever they came from.
    ///
    /// # Errors
    /// When nothing is left, or there is a NUL byte.
    pub fn from_source(bytes: Vec<u8>) -> Result<Self, PassphraseError> {
        let passphrase = Self::of_existing_key(bytes)?;
        if passphrase.bytes.is_empty() { Err(PassphraseError::Empty) } else { Ok(passphrase) }
    }

    /// Makes the passphrase of a key that another tool encrypted, as [`from_source`](Self::from_source): it may be empty
    /// (`certtool --empty-password`). Nothing is encrypted with it.
    ///
    /// # Errors
    /// When there is a NUL byte.
    pub fn of_existing_key(bytes: Vec<u8>) -> Result<Self, PassphraseError> {
        let mut bytes = Zeroizing::new(bytes);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.contains(&0) { Err(PassphraseError::Nul) } else { Ok(Self { bytes, typed: None }) }
    }

    /// [`from_source`](Self::from_source) for the passphrases of tests.
    #[cfg(test)]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self::from_source(bytes).unwrap()
    }

    /// Returns a second copy, for a caller that needs the passphrase twice. There is no `Clone`, so that no copy is made by
    /// accident.
    pub fn duplicate(&self) -> Self {
        Self { bytes: self.bytes.clone(), typed: self.typed.clone() }
    }

    /// Notes that a user typed it, who can be asked again when it is wrong.
    #[must_use]
    pub fn typed(self) -> Self {
        Self { typed: Some(Arc::default()), ..self }
    }

    /// Returns whether a user typed it.
    pub fn is_typed(&self) -> bool {
        self.typed.is_some()
    }

    /// Notes on all copies of a typed passphrase that it opened nothing.
    pub fn note_wrong(&self) {
        if let Some(wrong) = &self.typed {
            wrong.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether it was typed, and opened nothing.
    pub fn was_wrong(&self) -> bool {
        self.typed.as_ref().is_some_and(|wrong| wrong.load(Ordering::Relaxed))
    }

    /// Returns the bytes, for the key derivation alone.
    pub fn expose(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of its characters when they are fewer than [`SHORT`](Self::SHORT); bytes count when it is not
    /// UTF-8.
    pub fn short_length(&self) -> Option<usize> {
        let length = std::str::from_utf8(&self.bytes).map_or(self.bytes.len(), |text| text.chars().count());
        Some(length).filter(|length| *length < Self::SHORT)
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes: _, typed: _ } = self;
        f.write_str("Passphrase([elided])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(source: &str) -> Result<Vec<u8>, PassphraseError> {
        Passphrase::from_source(source.into()).map(|passphrase| passphrase.expose().to_vec())
    }

    #[test]
    fn one_line_ending_is_not_part_of_the_passphrase() {
        for given in ["secret", "secret\n", "secret\r\n"] {
            assert_eq!(bytes_of(given).unwrap(), b"secret");
        }
        for (given, expected) in [("a\n\n", "a\n"), ("a\r", "a\r"), ("\r", "\r"), (" a ", " a "), ("\n\n", "\n")] {
            assert_eq!(bytes_of(given).unwrap(), expected.as_bytes());
        }
    }

    #[test]
    fn nothing_and_a_nul_byte_are_not_passphrases() {
        for empty in ["", "\n", "\r\n"] {
            assert_eq!(bytes_of(empty), Err(PassphraseError::Empty), "{empty:?}");
        }
        for nul in ["\0", "a\0b", "a\0\n", "\0a"] {
            assert_eq!(bytes_of(nul), Err(PassphraseError::Nul), "{nul:?}");
        }
    }

    #[test]
    fn characters_are_counted_and_not_bytes() {
        let length = |text: &str| Passphrase::new(text.into()).short_length();
        assert_eq!(length("x"), Some(1));
        assert_eq!(length("elevenchars"), Some(11));
        assert_eq!(length("twelve chars"), None);
        assert_eq!(length("zwölf Häuser"), None);
        assert_eq!(length("elf Äpfel…"), Some(10));
        assert_eq!(Passphrase::new(vec![0xff; 11]).short_length(), Some(11));
    }

    #[test]
    fn a_passphrase_cannot_be_printed() {
        assert_eq!(format!("{:?}", Passphrase::new("secret".into())), "Passphrase([elided])");
    }
}
