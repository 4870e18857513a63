//! What stands in a folder of a certificate, read with the program's own library: a program of others takes fifty times as
//! long, and a folder is looked at a thousand times. That others read the same is asked elsewhere.

use std::fs;
use std::path::Path;

use ca::keys::Signer;
use ca::keys::key_file::KeyFile;
use ca::x509::{Certificate, pem};

/// The files that `ca issue` writes.
pub const FILES: [&str; 4] = ["cert.pem", "chain.pem", "fullchain.pem", "key.pem"];

/// Those of an authority.
pub const OF_AN_AUTHORITY: [&str; 3] = ["cert.pem", "chain.pem", "key.pem"];

/// The serial number of the certificate in this folder, if all its files are there and whole and its key is its own.
pub fn in_folder(folder: &Path, files: &[&str]) -> Result<String, String> {
    let read = |name: &str| fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let certificate = certificates(&read("cert.pem")?)?.into_iter().next().ok_or("cert.pem contains no certificate")?;
    let chain = certificates(&read("chain.pem")?)?;
    if files.contains(&"fullchain.pem") {
        let full = certificates(&read("fullchain.pem")?)?;
        if full.first() != Some(&certificate) || full.get(1..) != Some(&chain) {
            return Err("fullchain.pem is not cert.pem and chain.pem".to_owned());
        }
    }
    let key = KeyFile::parse(&read("key.pem")?).and_then(|file| file.open(None));
    let key = key.map_err(|error| format!("key.pem: {error}"))?;
    if *key.public_key() != certificate.public_key {
        return Err("key.pem is not the key of cert.pem".to_owned());
    }
    Ok(certificate.serial.to_string())
}

/// The certificates of a PEM file; what is behind the last whole one is an error.
pub fn certificates(file: &[u8]) -> Result<Vec<Certificate>, String> {
    let text = std::str::from_utf8(file).map_err(|error| error.to_string())?;
    if !text.is_empty() && !text.ends_with("-----\n") {
        return Err("a certificate file ends in the middle".to_owned());
    }
    let blocks = if text.is_empty() { Vec::new() } else { pem::parse_all(file).map_err(|error| error.to_string())? };
    blocks.iter().map(|block| Certificate::from_der(&block.content).map_err(|error| error.to_string())).collect()
}
