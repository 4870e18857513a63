//! Decrypts the records of a session with its own secrets: TLS 1.3 (RFC 8446 §5.2, §7.3) and TLS 1.2 (RFC 5246 §5,
//! §6.3).

use std::fmt;
use std::sync::Mutex;

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use super::registry::{CipherSuite, TlsVersion};
use super::wire::{Record, Side};
use crate::text;

/// The secrets that both endpoints report for decryption (rustls calls it `KeyLog`); zeroized on drop.
#[derive(Default)]
pub struct Secrets(Mutex<Vec<Secret>>);

struct Secret {
    label: String,
    client_random: Vec<u8>,
    secret: Zeroizing<Vec<u8>>,
}

impl Secrets {
    /// Keeps a secret; both endpoints report the same one, and it is kept once.
    pub fn add(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        // When the lock is poisoned, the trace only misses the messages that this secret opens.
        if self.find(label, client_random).is_none()
            && let Ok(mut secrets) = self.0.lock()
        {
            secrets.push(Secret {
                label: label.to_owned(),
                client_random: client_random.to_vec(),
                secret: Zeroizing::new(secret.to_vec()),
            });
        }
    }

    /// Returns the secret with this label and client random, or `None` when there is none.
    pub fn find(&self, label: &str, client_random: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let secrets = self.0.lock().ok()?;
        let found = secrets.iter().find(|secret| secret.label == label && secret.client_random == client_random)?;
        Some(found.secret.clone())
    }

    /// Returns all secrets as an NSS key log: one line `LABEL client-random secret` each, in the order in which they
    /// were reported.
    pub fn key_log(&self) -> Zeroizing<String> {
        let mut log = Zeroizing::new(String::new());
        for secret in self.0.lock().iter().flat_map(|secrets| secrets.iter()) {
            let hex = Zeroizing::new(text::hex(&secret.secret));
            for piece in [&secret.label, " ", &text::hex(&secret.client_random), " ", &hex, "\n"] {
                log.push_str(piece);
            }
        }
        log
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self;
        f.write_str("Secrets([elided])")
    }
}

/// The algorithms of a cipher suite.
struct Suite {
    aead: &'static Algorithm,
    hash: hmac::Algorithm,
    /// Number of bytes of the nonce that come from the key block (TLS 1.2); each record begins with the rest.
    fixed_iv: usize,
}

fn suite(CipherSuite(number): CipherSuite) -> Option<Suite> {
    let (aead, hash, fixed_iv) = match number {
        0x1301 => (&AES_128_GCM, hmac::HMAC_SHA256, 12),
        0x1302 => (&AES_256_GCM, hmac::HMAC_SHA384, 12),
        0x1303 => (&CHACHA20_POLY1305, hmac::HMAC_SHA256, 12),
        0xc02b | 0xc02f => (&AES_128_GCM, hmac::HMAC_SHA256, 4),
        0xc02c | 0xc030 => (&AES_256_GCM, hmac::HMAC_SHA384, 4),
        0xcca8 | 0xcca9 => (&CHACHA20_POLY1305, hmac::HMAC_SHA256, 12),
        _ => return None,
    };
    Some(Suite { aead, hash, fixed_iv })
}

/// Decrypts the records of one direction, in their order.
pub struct RecordDecryptor {
    version: TlsVersion,
    key: LessSafeKey,
    iv: Zeroizing<Vec<u8>>,
    sequence: u64,
}

/// The content of a decrypted record.
pub struct DecryptedRecord {
    pub content_type: u8,
    pub content: Vec<u8>,
}

impl RecordDecryptor {
    /// Derives key and IV from a traffic secret (RFC 8446 §7.3).
    pub fn tls13(cipher_suite: CipherSuite, secret: &[u8]) -> Option<Self> {
        let suite = suite(cipher_suite)?;
        let key = expand_label(suite.hash, secret, "key", suite.aead.key_len())?;
        let iv = expand_label(suite.hash, secret, "iv", 12)?;
        Self::new(TlsVersion::Tls13, &suite, &key, iv)
    }

    /// Derives key and IV from the master secret: `key_block` without MAC keys, client first (RFC 5246 §6.3).
    pub fn tls12(
        cipher_suite: CipherSuite,
        master: &[u8],
        server_random: &[u8],
        client_random: &[u8],
        side: Side,
    ) -> Option<Self> {
        let suite = suite(cipher_suite)?;
        let (key_length, iv_length) = (suite.aead.key_len(), suite.fixed_iv);
        let seed = [b"key expansion", server_random, client_random].concat();
        let block = pseudo_random(suite.hash, master, &seed, 2 * (key_length + iv_length));
        let (keys, ivs) = block.split_at_checked(2 * key_length)?;
        let (client_key, server_key) = keys.split_at_checked(key_length)?;
        let (client_iv, server_iv) = ivs.split_at_checked(iv_length)?;
        let (key, iv) = match side {
            Side::Client => (client_key, client_iv),
            Side::Server => (server_key, server_iv),
        };
        Self::new(TlsVersion::Tls12, &suite, key, Zeroizing::new(iv.to_vec()))
    }

    fn new(version: TlsVersion, suite: &Suite, key: &[u8], iv: Zeroizing<Vec<u8>>) -> Option<Self> {
        let key = LessSafeKey::new(UnboundKey::new(suite.aead, key).ok()?);
        Some(Self { version, key, iv, sequence: 0 })
    }

    /// Decrypts the next record of this direction. `None` when it is not encrypted with this key; the sequence number
    /// then stays.
    pub fn decrypt(&mut self, record: &Record<'_>) -> Option<DecryptedRecord> {
        let decrypted = match self.version {
            TlsVersion::Tls13 => self.decrypt_tls13(record),
            TlsVersion::Tls12 => self.decrypt_tls12(record),
        }?;
        self.sequence += 1;
        Some(decrypted)
    }

    /// `TLSInnerPlaintext`: content, its type, zeros (RFC 8446 §5.2).
    fn decrypt_tls13(&self, record: &Record<'_>) -> Option<DecryptedRecord> {
        let mut content = record.payload.to_vec();
        let nonce = self.nonce_from_sequence()?;
        let length = self.key.open_in_place(nonce, Aad::from(record.header), &mut content).ok()?.len();
        content.truncate(length);
        let last = content.iter().rposition(|byte| *byte != 0)?;
        let content_type = *content.get(last)?;
        content.truncate(last);
        Some(DecryptedRecord { content_type, content })
    }

    /// RFC 5288 §3 for AES-GCM, RFC 7905 §2 for ChaCha20-Poly1305.
    fn decrypt_tls12(&self, record: &Record<'_>) -> Option<DecryptedRecord> {
        let (nonce, sealed) = if self.iv.len() == 12 {
            (self.nonce_from_sequence()?, record.payload)
        } else {
            let (explicit, sealed) = record.payload.split_at_checked(8)?;
            (Nonce::try_assume_unique_for_key(&[&self.iv, explicit].concat()).ok()?, sealed)
        };
        let length = u16::try_from(sealed.len().checked_sub(self.key.algorithm().tag_len())?).ok()?;
        let aad = [&self.sequence.to_be_bytes()[..], &record.header[..3], &length.to_be_bytes()].concat();
        let mut content = sealed.to_vec();
        let decrypted = self.key.open_in_place(nonce, Aad::from(aad), &mut content).ok()?.len();
        content.truncate(decrypted);
        Some(DecryptedRecord { content_type: record.content_type(), content })
    }

    fn nonce_from_sequence(&self) -> Option<Nonce> {
        let mut nonce: [u8; 12] = self.iv.as_slice().try_into().ok()?;
        for (byte, counted) in nonce[4..].iter_mut().zip(self.sequence.to_be_bytes()) {
            *byte ^= counted;
        }
        Some(Nonce::assume_unique_for_key(nonce))
    }
}

/// `HKDF-Expand-Label(secret, label, "", length)` for lengths of at most one digest (RFC 8446 §7.1, RFC 5869 §2.3).
fn expand_label(hash: hmac::Algorithm, secret: &[u8], label: &str, length: usize) -> Option<Zeroizing<Vec<u8>>> {
    let label = [b"tls13 ", label.as_bytes()].concat();
    let mut info = u16::try_from(length).ok()?.to_be_bytes().to_vec();
    info.push(u8::try_from(label.len()).ok()?);
    info.extend_from_slice(&label);
    info.extend_from_slice(&[0, 1]); // an empty context, and the counter of the first block
    let block = hmac::sign(&hmac::Key::new(hash, secret), &info);
    Some(Zeroizing::new(block.as_ref().get(..length)?.to_vec()))
}

/// `P_hash` of RFC 5246 §5; `seed` begins with the label.
fn pseudo_random(hash: hmac::Algorithm, secret: &[u8], seed: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let key = hmac::Key::new(hash, secret);
    let mut out = Zeroizing::new(Vec::with_capacity(length + 64));
    let mut a = hmac::sign(&key, seed);
    while out.len() < length {
        let block = hmac::sign(&key, &[a.as_ref(), seed].concat());
        out.extend_from_slice(block.as_ref());
        a = hmac::sign(&key, a.as_ref());
    }
    out.truncate(length);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        text::from_hex(hex).unwrap()
    }

    /// RFC 8448 §3: "{server} derive write traffic keys for handshake data".
    #[test]
    fn keys_are_expanded_as_in_the_published_example_of_tls_1_3() {
        let secret = bytes("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38");
        let key = expand_label(hmac::HMAC_SHA256, &secret, "key", 16).unwrap();
        let iv = expand_label(hmac::HMAC_SHA256, &secret, "iv", 12).unwrap();
        assert_eq!(text::hex(&key), "3fce516009c21727d0f2e4e86ee403bc");
        assert_eq!(text::hex(&iv), "5d313eb2671276ee13000b30");
    }

    /// The test vector that the TLS working group agreed on for P_SHA256
    /// (<https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms>).
    #[test]
    fn the_pseudo_random_function_of_tls_1_2_gives_the_published_bytes() {
        let secret = bytes("9bbe436ba940f017b17652849a71db35");
        let seed = [b"test label".as_slice(), &bytes("a0ba9f936cda311827a6f796ffd5198c")].concat();
        let out = pseudo_random(hmac::HMAC_SHA256, &secret, &seed, 100);
        assert_eq!(text::hex(&out[..32]), "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a");
        assert_eq!(out.len(), 100);
    }

    #[test]
    fn a_secret_is_found_by_its_label_and_its_session_only() {
        let secrets = Secrets::default();
        secrets.add("CLIENT_RANDOM", &[1], &[10]);
        secrets.add("CLIENT_RANDOM", &[2], &[20]);
        secrets.add("EXPORTER_SECRET", &[1], &[30]);
        let found = |label, random| secrets.find(label, random).map(|secret| secret.to_vec());
        assert_eq!(found("CLIENT_RANDOM", &[1]), Some(vec![10]));
        assert_eq!(found("CLIENT_RANDOM", &[2]), Some(vec![20]));
        assert_eq!(found("EXPORTER_SECRET", &[1]), Some(vec![30]));
        assert_eq!(found("EXPORTER_SECRET", &[2]), None);
    }

    /// RFC 8446 §5.4: zeros after the type hide the length; rustls writes none, other TLS libraries do.
    #[test]
    fn padding_is_taken_off_and_a_record_of_nothing_else_is_none() {
        let secret = [7; 32];
        let sealed = |inside: &[u8]| {
            let decryptor = RecordDecryptor::tls13(CipherSuite(0x1301), &secret).unwrap();
            let mut bytes = inside.to_vec();
            let header = [23, 3, 3, 0, u8::try_from(inside.len() + 16).unwrap()];
            let nonce = decryptor.nonce_from_sequence().unwrap();
            decryptor.key.seal_in_place_append_tag(nonce, Aad::from(header), &mut bytes).unwrap();
            (header, bytes)
        };
        let open = |(header, bytes): (_, Vec<u8>)| {
            let record = Record { header, payload: &bytes };
            RecordDecryptor::tls13(CipherSuite(0x1301), &secret)
                .unwrap()
                .decrypt(&record)
                .map(|decrypted| (decrypted.content_type, decrypted.content))
        };
        assert_eq!(open(sealed(&[1, 0, 2, 22])), Some((22, vec![1, 0, 2])));
        assert_eq!(open(sealed(&[1, 0, 2, 22, 0, 0, 0])), Some((22, vec![1, 0, 2])));
        assert_eq!(open(sealed(&[21])), Some((21, vec![])));
        assert_eq!(open(sealed(&[0, 0])), None);
        let (mut header, bytes) = sealed(&[1, 22]);
        header[2] = 4;
        assert_eq!(open((header, bytes)), None, "the header is sealed too");
    }

    #[test]
    fn secrets_are_kept_once_and_cannot_be_printed() {
        let secrets = Secrets::default();
        secrets.add("CLIENT_RANDOM", &[1, 2], &[3, 4]);
        secrets.add("CLIENT_RANDOM", &[1, 2], &[3, 4]);
        assert_eq!(secrets.key_log().as_str(), "CLIENT_RANDOM 0102 0304\n");
        assert_eq!(format!("{secrets:?}"), "Secrets([elided])");
    }
}
