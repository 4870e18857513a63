//! A TLS server for each chain, in threads of the test. One that does not have the key of its chain signs with another key: most
//! clients verify the chain before they look at that signature, so what they refuse tells what they say of the chain.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SigningKey};

use super::clients::{Case, PAGE};

/// What clients say when nothing is wrong but the key.
const SIGNATURES: [&str; 10] = [
    "BAD_SIGNATURE",
    "bad signature",
    "WRONG_CURVE",
    "wrong curve",
    "wrong signature type",
    "Invalid CertificateVerify signature",
    "Signature length not correct",
    "Key is too short, need min",
    "invalid signature by the server certificate",
    "ERR_SSL_PROTOCOL_ERROR",
];

/// Returns whether the words of a refusal are about the server's key, and not about the chain.
pub fn is_about_the_key_alone(words: &str) -> bool {
    SIGNATURES.iter().any(|known| words.contains(known))
}

#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesServerCert for Always {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// Chains that are being served.
pub struct Served {
    pub cases: Vec<Case>,
    has_ended: Arc<AtomicBool>,
}

impl Drop for Served {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::SeqCst);
        for case in &self.cases {
            // Wakes the thread, which looks whether it has ended.
            TcpStream::connect((Ipv4Addr::LOCALHOST, case.port)).ok();
        }
    }
}

/// The keys of servers that do not have their own: one of RSA and one of another kind.
pub struct OtherKeys([Arc<dyn SigningKey>; 2]);

impl OtherKeys {
    pub fn new() -> Self {
        let key = |algorithm| {
            let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
            load(&provider(), PrivateKeyDer::try_from(pair.serialize_der()).unwrap())
        };
        Self([key(&rcgen::PKCS_ECDSA_P256_SHA256), key(&rcgen::PKCS_RSA_SHA256)])
    }

    fn for_leaf(&self, leaf: &[u8]) -> Arc<dyn SigningKey> {
        // The object identifier of RSA keys.
        let rsa = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
        self.0[usize::from(leaf.windows(rsa.len()).any(|window| window == rsa))].clone()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn load(provider: &CryptoProvider, key: PrivateKeyDer<'static>) -> Arc<dyn SigningKey> {
    provider.key_provider.load_private_key(key).unwrap()
}

/// Serves chains of a folder, each on a port of its own.
pub fn serve(folder: &Path, ids: std::ops::Range<usize>, keys: &OtherKeys) -> Served {
    let (provider, has_ended) = (provider(), Arc::new(AtomicBool::new(false)));
    let serve = |id: usize| {
        let file = |kind: &str| folder.join(format!("{id}.{kind}.pem"));
        let chain: Vec<_> = CertificateDer::pem_file_iter(file("chain")).unwrap().map(Result::unwrap).collect();
        let key = match PrivateKeyDer::from_pem_file(file("key")) {
            Ok(key) => load(&provider, key),
            Err(_) => keys.for_leaf(&chain[0]),
        };
        let config = rustls::ServerConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let certified = Arc::new(CertifiedKey::new(chain, key));
        let config = Arc::new(config.with_cert_resolver(Arc::new(Always(certified))));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let has_ended = has_ended.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if has_ended.load(Ordering::SeqCst) {
                    return;
                }
                let config = config.clone();
                std::thread::spawn(move || answer(stream, config));
            }
        });
        Case::read(folder, id, port)
    };
    Served { cases: ids.map(serve).collect(), has_ended }
}

fn answer(mut stream: TcpStream, config: Arc<rustls::ServerConfig>) {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok();
    let Ok(mut session) = rustls::ServerConnection::new(config) else { return };
    let mut tls = rustls::Stream::new(&mut session, &mut stream);
    // One request, of whatever length.
    if matches!(tls.read(&mut [0; 4096]), Ok(1..)) {
        let page = format!("HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n{PAGE}\n");
        tls.write_all(page.as_bytes()).ok();
        tls.conn.send_close_notify();
        tls.flush().ok();
    }
}
