//! A passphrase, wiped from memory when it goes.

use std::fmt;

use zeroize::Zeroizing;

/// What opens an encrypted key. Not text: it can be neither printed nor cloned.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes over the octets, without any line ending at their end: files and prompts bring one.
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

    /// The same once more, for whoever is asked again. Not `Clone`: no copy is made by the way.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The octets, for the key derivation alone.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Nothing at all.
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
    fn the_line_ending_of_a_file_is_no_part_of_the_passphrase() {
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
