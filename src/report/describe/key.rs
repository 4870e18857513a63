//! The content of a key file, without its secret.

use crate::report::describe::fields::public_key_fields;
use crate::report::describe::json::{ObjectJson, PrivateKeyJson, PublicKeyJson, PublicKeyObjectJson};
use crate::report::describe::object::Describe;
use crate::report::page::{Page, Tone};
use crate::text;
use crate::x509::PublicKey;

/// A private key: how it is stored, and its public half where that is known.
pub struct DescribedPrivateKey {
    /// `PKCS#8`, `PKCS#1`, `SEC1`.
    pub format: &'static str,
    /// Key derivation and cipher.
    pub encryption: Option<String>,
    /// `None` for an encrypted key that was not opened, and for a kind of key that this program does not use.
    pub public_key: Option<PublicKey>,
    /// Why the key cannot be used here.
    pub unusable: Option<String>,
    /// The command that makes it usable.
    pub fix: Option<String>,
}

impl Describe for DescribedPrivateKey {
    fn title(&self) -> String {
        if self.encryption.is_some() { "private key, encrypted" } else { "private key, not encrypted" }.to_owned()
    }

    fn text(&self, page: &mut Page) {
        page.field("Format", self.format);
        match &self.encryption {
            Some(encryption) => page.field("Encryption", encryption),
            None => page.toned_field(
                "Encryption",
                Tone::Warning,
                "none: every user who can read the file can \
                 use the key",
            ),
        }
        match (&self.public_key, &self.unusable) {
            (Some(key), _) => {
                public_key_fields(page, key);
                page.field("Key id", &text::hex(&key.key_id()));
            }
            (None, Some(why)) => {
                page.toned_field("Not usable here", Tone::Bad, why);
                if let Some(fix) = &self.fix {
                    page.field("  fix", fix);
                }
            }
            (None, None) => page.field("Public key", "not known until a passphrase opens the file"),
        }
    }

    fn json(&self) -> ObjectJson<'_> {
        ObjectJson::PrivateKey(PrivateKeyJson {
            kind: "private-key",
            format: self.format,
            encrypted: self.encryption.is_some(),
            encryption: self.encryption.as_deref(),
            public_key: self.public_key.as_ref().map(PublicKeyJson::new),
            unusable: self.unusable.as_deref(),
            fix: self.fix.as_deref(),
        })
    }

    fn is_encrypted(&self) -> bool {
        self.encryption.is_some()
    }
}

/// A public key on its own.
pub struct DescribedPublicKey {
    pub public_key: PublicKey,
}

impl Describe for DescribedPublicKey {
    fn title(&self) -> String {
        "public key".to_owned()
    }

    fn text(&self, page: &mut Page) {
        public_key_fields(page, &self.public_key);
        page.field("Key id", &text::hex(&self.public_key.key_id()));
    }

    fn json(&self) -> ObjectJson<'_> {
        let public_key = PublicKeyJson::new(&self.public_key);
        ObjectJson::PublicKey(PublicKeyObjectJson { kind: "public-key", public_key })
    }
}
