//! The bare engine, for `benches/run` to compare with: webpki in a loop over the files that `ca verify` is given.
//!
//! `webpki ROOT HOST FILE…` reads each file, verifies its first certificate for a TLS server of that name, on all cores, and
//! exits with 1 when one does not hold. Nothing is explained, and nothing else is checked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [root, host, files @ ..] = words.as_slice() else {
        // `cargo bench` comes without words: there is nothing to measure alone.
        println!("see benches/run");
        return;
    };
    let root = certificates(root).remove(0);
    let anchors = [webpki::anchor_from_trusted_cert(&root).unwrap()];
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let (next, bad) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            if !holds(file, host, &anchors, now) {
                bad.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(work);
        }
    });
    std::process::exit(i32::from(bad.into_inner() > 0));
}

fn holds(file: &str, host: &str, anchors: &[rustls_pki_types::TrustAnchor<'_>], now: Duration) -> bool {
    let chain = certificates(file);
    let (leaf, intermediates) = chain.split_first().unwrap();
    let leaf = webpki::EndEntityCert::try_from(leaf).unwrap();
    let usage = webpki::KeyUsage::server_auth();
    let now = UnixTime::since_unix_epoch(now);
    leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, anchors, intermediates, now, usage, None, None).is_ok()
        && leaf.verify_is_valid_for_subject_name(&ServerName::try_from(host).unwrap()).is_ok()
}

fn certificates(file: &str) -> Vec<CertificateDer<'static>> {
    let text = std::fs::read(file).unwrap();
    pem::parse_many(text).unwrap().into_iter().map(|block| CertificateDer::from(block.into_contents())).collect()
}
