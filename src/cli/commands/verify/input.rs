//! Reading what the command line names: certificates, lists and the key.

use std::path::{Path, PathBuf};

use super::Arguments;
use crate::authority::authorities::Authorities;
use crate::cli::passphrase::{self, PassphraseArguments};
use crate::cli::{Context, Failure};
use crate::keys::key_file::{KeyFile, KeyFileError};
use crate::keys::{Passphrase, Signer};
use crate::system::files;
use crate::verify::{Exhibit, ListExhibit, Place};
use crate::x509::decode::DecodeError;
use crate::x509::{Certificate, PublicKey, RevocationList, pem};

/// The certificates of a file as octets, with their numbers.
pub struct Blocks {
    pub file: String,
    pub certificates: Vec<Vec<u8>>,
    pub is_pem: bool,
}

pub fn read_blocks(path: &Path, context: &mut Context<'_>) -> Result<Blocks, Failure> {
    let content = context.read_input(path)?;
    let file = path.display().to_string();
    if !pem::is_pem(&content) {
        let certificates = if content.is_empty() { Vec::new() } else { vec![content] };
        return Ok(Blocks { file, certificates, is_pem: false });
    }
    let blocks = pem::parse_all(&content)
        .map_err(|error| Failure::usage("undecodable", format!("{}: {error}", path.display())))?;
    let certificates = blocks
        .into_iter()
        .filter(|block| matches!(block.label.as_str(), "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE"))
        .map(|block| block.content.to_vec());
    Ok(Blocks { file, certificates: certificates.collect(), is_pem: true })
}

/// Every certificate of a file that can be read, and what is said of the others.
pub fn readable(blocks: &Blocks) -> (Vec<Exhibit>, Vec<(Place, DecodeError)>) {
    let (mut exhibits, mut damaged) = (Vec::new(), Vec::new());
    for (number, der) in (1..).zip(&blocks.certificates) {
        let place = Place::new(&blocks.file, number);
        match Certificate::from_der(der) {
            Ok(certificate) => exhibits.push(Exhibit::new(certificate, place)),
            Err(error) => damaged.push((place, error)),
        }
    }
    (exhibits, damaged)
}

/// The certificates of a file that may be used; what cannot be read is told, and left out.
pub fn tolerant(blocks: &Blocks, warnings: &mut Vec<String>) -> Vec<Exhibit> {
    let (exhibits, damaged) = readable(blocks);
    warnings.extend(damaged.iter().map(|(place, error)| left_out(place, error)));
    exhibits
}

pub fn left_out(place: &Place, error: &DecodeError) -> String {
    format!("certificate {} of {} is left out: {error}", place.number, place.file)
}

/// What is trusted.
pub fn anchors(
    arguments: &Arguments,
    context: &mut Context<'_>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Exhibit>, Failure> {
    let given = !arguments.roots.is_empty();
    let paths = if given { arguments.roots.clone() } else { default_roots(context)? };
    let mut anchors = Vec::new();
    for path in &paths {
        anchors.extend(tolerant(&read_blocks(path, context)?, warnings));
    }
    // An intermediate of our own is trusted through its root, not by itself.
    anchors.retain(|anchor| given || anchor.is_self_issued());
    match anchors.as_slice() {
        [] if given => {
            let places: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
            Err(Failure::no_usable_root(&places.join(", ")))
        }
        [] => Err(Failure::no_roots()),
        _ => Ok(anchors),
    }
}

/// The certificates of the CA directory's authorities, in the order of their names.
fn default_roots(context: &Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let home = context.home().map_err(|failure| failure.hint("give the roots to trust with --roots FILE"))?;
    let names = Authorities::of(&home).names()?;
    Ok(names.iter().map(|name| home.authority(name).join("cert.pem")).filter(|path| path.is_file()).collect())
}

pub fn read_lists(path: &Path, context: &mut Context<'_>) -> Result<Vec<ListExhibit>, Failure> {
    let content = context.read_input(path)?;
    let file = path.display().to_string();
    let ders: Vec<Vec<u8>> = if pem::is_pem(&content) {
        let blocks = pem::parse_all(&content)
            .map_err(|error| Failure::usage("undecodable", format!("{}: {error}", path.display())))?;
        blocks.into_iter().filter(|block| block.label == "X509 CRL").map(|block| block.content.to_vec()).collect()
    } else {
        vec![content]
    };
    if ders.is_empty() {
        return Err(Failure::nothing_in_file(path, "revocation list"));
    }
    (1..)
        .zip(ders)
        .map(|(number, der)| {
            RevocationList::from_der(&der)
                .map(|list| ListExhibit::new(list, Place::new(&file, number)))
                .map_err(|error| Failure::undecodable(path, number, "revocation list", &error.to_string()))
        })
        .collect()
}

/// The public half of a private key file; its passphrase is asked for when it is encrypted.
pub fn read_key(path: &Path, passphrase_file: Option<&Path>, context: &mut Context<'_>) -> Result<PublicKey, Failure> {
    let content = zeroize::Zeroizing::new(context.read_input(path)?);
    let refuse = |error: KeyFileError| Failure::unusable_key(&path.display().to_string(), &error);
    let file = KeyFile::parse(&content).map_err(refuse)?;
    let passphrase = if file.is_encrypted() { Some(key_passphrase(path, passphrase_file, context)?) } else { None };
    Ok(file.open(passphrase.as_ref()).map_err(refuse)?.public_key().clone())
}

fn key_passphrase(path: &Path, passphrase_file: Option<&Path>, context: &Context<'_>) -> Result<Passphrase, Failure> {
    let flags =
        PassphraseArguments { passphrase_file: passphrase_file.map(Path::to_owned), ..PassphraseArguments::default() };
    let question = format!("Passphrase of {}: ", path.display());
    let ask = || passphrase::ask(context, &question, "give --key-passphrase-file FILE");
    flags.read(context)?.map_or_else(ask, Ok)
}

/// The files to judge. A folder stands for the certificates in it.
pub fn judged_files(arguments: &Arguments, context: &mut Context<'_>) -> Result<Vec<(PathBuf, Blocks)>, Failure> {
    let mut files = Vec::new();
    for path in &arguments.files {
        let folder = context.world.resolve(path);
        if !folder.is_dir() {
            files.push((path.clone(), read_blocks(path, context)?));
            continue;
        }
        let mut names = files::names_in(&folder).map_err(|error| Failure::unreadable(&error))?;
        names.retain(|name| [".pem", ".crt", ".cer", ".der"].iter().any(|ending| name.ends_with(ending)));
        names.sort();
        let before = files.len();
        for file in names.into_iter().map(|name| path.join(name)) {
            let blocks = read_blocks(&file, context)?;
            // Keys lie beside certificates, and are no reason to refuse the folder.
            if !blocks.certificates.is_empty() {
                files.push((file, blocks));
            }
        }
        if files.len() == before {
            return Err(Failure::nothing_in_file(path, "certificate"));
        }
    }
    Ok(files)
}
