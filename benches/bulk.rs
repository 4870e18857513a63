//! What `benches/run big` compares with, and the great index that it measures.
//!
//! `bulk bare FOLDER COUNT` is the least that COUNT new server certificates cost: for each one a P-256 key, a signature, a row of a SQLite
//! database and four files in a folder of its own, on all cores; one transaction, and one syncfs(2) at the end. Nothing is
//! checked, verified or planned.
//!
//! `bulk index CA COUNT NAMES` adds COUNT certificates of NAMES names to the index of a CA, with a key, a signature and an event each, as
//! if they were issued one after the other; those of one name follow each other. Their files are not written.

use std::fs;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::thread;

use ca::authority::certify::commit_signed;
use ca::store::Store;
use ca::store::home::Home;
use ca::store::index::{EventContext, EventKind, Index, NewEntry, Origin};
use ca::system::Actor;
use ca::x509::Certificate;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    SerialNumber,
};
use time::{Duration, OffsetDateTime};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["bare", folder, count] => bare(Path::new(folder), count.parse().unwrap()),
        ["index", ca, count, names] => index(Path::new(ca), count.parse().unwrap(), names.parse().unwrap()),
        // `cargo bench` comes without words: there is nothing to measure alone.
        _ => println!("see benches/run"),
    }
}

fn jobs() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn serial() -> Vec<u8> {
    let mut serial = vec![0; 16];
    aws_lc_rs::rand::fill(&mut serial).unwrap();
    serial[0] = (serial[0] & 0x7f) | 0x40;
    serial
}

/// Returns what the certificate of a TLS server has.
fn leaf(name: &str, serial: &[u8], from: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.distinguished_name.remove(DnType::CommonName);
    params.not_before = from;
    params.not_after = from + Duration::days(90);
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    params
}

fn bare(folder: &Path, count: usize) {
    fs::create_dir(folder).unwrap();
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Bare Root");
    root.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root_pem = root.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(root, key);
    let database = rusqlite::Connection::open(folder.join("index.db")).unwrap();
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE certificate (id INTEGER PRIMARY KEY, serial BLOB UNIQUE, name TEXT, der BLOB, not_after INTEGER);
             CREATE INDEX by_name ON certificate (name); BEGIN",
        )
        .unwrap();
    let (made, rows) = sync_channel::<(String, Vec<u8>, Vec<u8>, i64)>(1024);
    let (issuer, root_pem, jobs) = (&issuer, &root_pem, jobs());
    thread::scope(|scope| {
        for job in 0..jobs {
            let made = made.clone();
            scope.spawn(move || {
                for number in (job..count).step_by(jobs) {
                    let (name, serial, now) = (format!("n{number}.example"), serial(), OffsetDateTime::now_utc());
                    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
                    let certificate = leaf(&name, &serial, now).signed_by(&key, issuer).unwrap();
                    let (pem, place) = (certificate.pem(), folder.join(&name));
                    fs::create_dir(&place).unwrap();
                    fs::write(place.join("key.pem"), key.serialize_pem()).unwrap();
                    fs::write(place.join("cert.pem"), &pem).unwrap();
                    fs::write(place.join("chain.pem"), root_pem).unwrap();
                    fs::write(place.join("fullchain.pem"), pem + root_pem).unwrap();
                    let until = (now + Duration::days(90)).unix_timestamp();
                    made.send((name, serial, certificate.der().to_vec(), until)).unwrap();
                }
            });
        }
        drop(made);
        let mut insert =
            database.prepare("INSERT INTO certificate (name, serial, der, not_after) VALUES (?1, ?2, ?3, ?4)").unwrap();
        for row in rows {
            insert.execute(row).unwrap();
        }
    });
    database.execute_batch("COMMIT").unwrap();
    rustix::fs::syncfs(fs::File::open(folder).unwrap()).unwrap();
}

/// The certificates of one transaction.
const TOGETHER: usize = 5000;

fn index(ca: &Path, count: usize, names: usize) {
    let authority = ca.join("authorities/root");
    let key = KeyPair::from_pem(&fs::read_to_string(authority.join("key.pem")).unwrap()).unwrap();
    let certificate = fs::read_to_string(authority.join("cert.pem")).unwrap();
    let issuer = Issuer::from_ca_cert_pem(&certificate, key).unwrap();
    let store = Store::open(Home::at(ca.to_owned())).unwrap();
    let root = store.ca_certificates().ca_certificate("root").unwrap();
    let (log_signer, _) = store.ca_certificates().unlock(root, &mut |_| unreachable!("it has no passphrase")).unwrap();
    let mut index = Index::open(&ca.join("index.db")).unwrap();
    let now = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap();
    // Each name gets its next certificate a day after the last one.
    let generations = i64::try_from(count.div_ceil(names)).unwrap();
    let from = |number: usize| now - Duration::days(generations - i64::try_from(number / names).unwrap());
    let actor = || Actor { user_id: 0, user: None, sudo_user: None, host: "bench".to_owned() };
    for begin in (0..count).step_by(TOGETHER) {
        let end = count.min(begin + TOGETHER);
        let (issuer, from, part) = (&issuer, &from, (end - begin).div_ceil(jobs()));
        let made: Vec<(String, OffsetDateTime, Certificate)> = thread::scope(|scope| {
            let started: Vec<_> = (begin..end)
                .step_by(part)
                .map(|first| {
                    scope.spawn(move || {
                        let numbers = first..end.min(first + part);
                        let make = |number: usize| {
                            let (name, at) = (format!("n{}.example", number % names), from(number));
                            let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
                            let signed = leaf(&name, &serial(), at).signed_by(&key, issuer).unwrap();
                            (name, at, Certificate::from_der(signed.der()).unwrap())
                        };
                        numbers.map(make).collect::<Vec<_>>()
                    })
                })
                .collect();
            started.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        let at = made.last().unwrap().1;
        let mut transaction = index.transaction(EventContext { at, actor: actor() }).unwrap();
        for (name, at, certificate) in &made {
            let entry = NewEntry {
                certificate,
                name,
                template: "server",
                authority: "root",
                issued_at: *at,
                origin: Origin::Issued,
                place: None,
                delivered_at: Some(*at),
                event: EventKind::Issue,
                detail: None,
            };
            transaction.insert(&entry).unwrap();
        }
        commit_signed(transaction, &log_signer).unwrap();
    }
}
