//! Keeps the secrets that the TLS library reports, so that the session can be decrypted afterwards.

use crate::tls::Secrets;

impl rustls::KeyLog for Secrets {
    fn log(&self, label: &str, client_random: &[u8], secret: &[u8]) {
        self.add(label, client_random, secret);
    }
}
