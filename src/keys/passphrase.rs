//! Passphrases, wiped from memory when they are dropped.

use std::fmt;

use zeroize::Zeroizing;

/// The passphrase of an encrypted key. It can be neither printed nor cloned.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the bytes, without the line ending that files and prompts add.
    pub fn new(bytes: Vec<u8>) -> Self {
        let mut bytes = Zeroizing::new(bytes);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        Self(bytes)
    }

    /// Returns a second copy, for a caller that needs the passphrase twice. There is no `Clone`, so that no copy is made by
    /// accident.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// Returns the bytes, for the key derivation alone.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("Passphrase([elided])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ending_of_a_file_is_not_part_of_the_passphrase() {
        for given in ["secret", "secret\n", "secret\r\n"] {
            assert_eq!(Passphrase::new(given.into()).expose(), b"secret");
        }
        assert_eq!(Passphrase::new("a\n\n".into()).expose(), b"a\n");
        assert!(Passphrase::new("\n".into()).is_empty());
    }

    #[test]
    fn a_passphrase_cannot_be_printed() {
        assert_eq!(format!("{:?}", Passphrase::new("secret".into())), "Passphrase([elided])");
    }
}
