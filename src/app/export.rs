//! `ca export`: a certificate of this CA in the format of another program.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::app::key_input::{KeyFilePrompt, read_private_key};
use crate::app::resolve::{Resolved, resolve};
use crate::app::roots::roots_of;
use crate::app::store_passphrase::randomness;
use crate::keys::key_file::pkcs12::{StoreProtection, Strength};
use crate::keys::{Passphrase, PrivateKey, Signer};
use crate::report::failure::Failure;
use crate::store::ca_certificates::read_certificates;
use crate::store::delivery::Paths;
use crate::store::export::{self, ExportError, ExportFormat, Material, Part, Target, openssl_index};
use crate::store::index::{CertificateStatus, Entry};
use crate::store::locate::locate;
use crate::store::{Store, StoreError};
use crate::text::{escape, rfc3339};
use crate::x509::Certificate;

/// The content of an exported file, and the certificate that it is about.
pub struct Exported {
    pub entry: Entry,
    /// Whether it is the deployed certificate of a name, and not one that was chosen, nor that of an authority.
    pub is_of_name: bool,
    pub format: ExportFormat,
    /// What the content has, in its order.
    pub parts: Vec<Part>,
    pub content: Zeroizing<Vec<u8>>,
}

/// How a PKCS#12 file is encrypted.
pub struct StoreEncryption<'a> {
    pub passphrase: &'a Passphrase,
    /// The programs that import it; `None`: all that read the modern encryption.
    pub target: Option<Target>,
}

impl StoreEncryption<'_> {
    /// Returns the algorithms.
    pub fn strength(&self) -> Strength {
        self.target.map_or(Strength::Modern, Target::strength)
    }

    /// Returns what a file is encrypted with, with fresh randomness.
    ///
    /// # Errors
    /// When the passphrase cannot be used in such a file.
    pub fn protection(&self, context: &Context<'_>) -> Result<StoreProtection<'_>, Failure> {
        let made = StoreProtection::new(self.passphrase, self.strength(), randomness(context)?);
        Ok(made.map_err(ExportError::Passphrase)?)
    }
}

/// Makes the file of a certificate that is named as for `ca show`; `prompt` is called when its key is encrypted. An index for
/// openssl is that of an authority: the named one, else the issuer of the certificate.
///
/// # Errors
/// When the certificate is not known, its files are not where they were written, or the format needs a private key that is not
/// with them.
pub fn export(
    given: &str,
    format: ExportFormat,
    store_encryption: Option<&StoreEncryption<'_>>,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<Exported, Failure> {
    let mut resolved = resolve(given, context)?;
    let store = context.store()?;
    let mut entry = resolved.current(&store)?;
    let mut certificate = store.index()?.certificate(&entry)?;
    if format == ExportFormat::OpensslIndex && !certificate.is_ca() {
        // The index that has this certificate is that of its issuer.
        resolved = resolve(&entry.authority, context)?;
        entry = resolved.current(&store)?;
        certificate = store.index()?.certificate(&entry)?;
    }
    warn_of_status(&entry, context);
    if format == ExportFormat::OpensslIndex {
        let content = index_of(&entry, &certificate, &store, context)?;
        let (parts, content) = (format.parts().to_vec(), Zeroizing::new(content.into_bytes()));
        return Ok(Exported { entry, is_of_name: false, format, parts, content });
    }
    let paths = located(&resolved, &entry, &certificate, &store)?;
    let exported = content_of(entry, (&certificate, &paths), format, store_encryption, prompt, context)?;
    Ok(Exported { is_of_name: !resolved.is_this_one && !certificate.is_ca(), ..exported })
}

/// Makes the file of a certificate of the index, from its files.
///
/// # Errors
/// As [`export()`].
pub fn content_of(
    entry: Entry,
    (certificate, paths): (&Certificate, &Paths),
    format: ExportFormat,
    store_encryption: Option<&StoreEncryption<'_>>,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<Exported, Failure> {
    let store = context.store()?;
    if format.has_key() && certificate.is_ca() {
        return Err(ExportError::AuthorityKey { name: entry.name, format }.into());
    }
    let intermediates = read_certificates(&paths.chain)?;
    let key = key_of(&entry, certificate, paths, format, prompt, context)?;
    let roots = if format.has_roots() { roots_of(store.ca_certificates())? } else { Vec::new() };
    let roots: Vec<Certificate> = roots.into_iter().map(|root| root.certificate).collect();
    let material =
        Material { name: &entry.name, certificate, intermediates: &intermediates, roots: &roots, key: key.as_ref() };
    let protection = store_encryption.map(|encryption| encryption.protection(context)).transpose()?;
    if let Some(target) = store_encryption.and_then(|encryption| encryption.target)
        && target.refuses(certificate.public_key.kind())
    {
        let kind = certificate.public_key.kind();
        context.warn_at_end(format!(
            "{target} does not import a private key of the kind {kind}: ca rekey --key ecdsa-p256"
        ));
    }
    let content = export::encode(format, &material, protection.as_ref())?;
    // The root has issued it.
    let is_there = |part: &Part| *part != Part::Intermediates || !intermediates.is_empty();
    let parts = format.parts().iter().copied().filter(is_there).collect();
    Ok(Exported { entry, is_of_name: true, format, parts, content })
}

/// Finds the files of a certificate.
///
/// # Errors
/// When no folder has them any longer.
pub fn located(resolved: &Resolved, entry: &Entry, certificate: &Certificate, store: &Store) -> Result<Paths, Failure> {
    match locate(store.home(), entry, certificate) {
        Some(paths) => Ok(paths),
        // It names the certificate and what to do.
        None => Err(resolved.chain_files(store).err().unwrap_or_else(|| missing(entry))),
    }
}

/// Returns the failure when no folder has the files of a certificate any longer.
pub fn missing(entry: &Entry) -> Failure {
    Failure::refused("missing-file", format!("the files of '{}' are not where they were put", escape(&entry.name)))
}

/// Opens the private key, when the format has it.
fn key_of(
    entry: &Entry,
    certificate: &Certificate,
    paths: &Paths,
    format: ExportFormat,
    prompt: &KeyFilePrompt<'_>,
    context: &mut Context<'_>,
) -> Result<Option<PrivateKey>, Failure> {
    if !format.has_key() {
        return Ok(None);
    }
    let Some(path) = &paths.key else {
        return Err(ExportError::NoKey { name: entry.name.clone(), format: format.name().to_owned() }.into());
    };
    let key = read_private_key(path, prompt, context)?;
    if *key.public_key() != certificate.public_key {
        return Err(ExportError::KeyMismatch(entry.name.clone()).into());
    }
    Ok(Some(key))
}

/// Returns the index of the certificates that an authority has issued.
fn index_of(entry: &Entry, certificate: &Certificate, store: &Store, context: &Context<'_>) -> Result<String, Failure> {
    let name = entry.name.clone();
    if !certificate.is_ca() || !store.ca_certificates().exists(&name) {
        let known = store.ca_certificates().names()?;
        return Err(StoreError::UnknownAuthority { name, known }.into());
    }
    Ok(openssl_index::lines(store.index()?, &name, context.now())?)
}

/// Returns the path of the attributes that openssl reads beside an index.
pub fn attributes_path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(openssl_index::ATTRIBUTES_SUFFIX);
    path.into()
}

/// Warns of a certificate that clients refuse: an export is usually deployed.
pub fn warn_of_status(entry: &Entry, context: &Context<'_>) {
    let since = match (entry.status(context.now()), &entry.revocation) {
        (CertificateStatus::Expired, _) => format!("expired at {}", rfc3339(entry.validity.not_after)),
        (CertificateStatus::Revoked | CertificateStatus::Held, Some(revocation)) => {
            format!("was revoked at {} ({})", rfc3339(revocation.at), revocation.reason.name())
        }
        _ => return,
    };
    context.warn_at_end(format!("'{}' (serial {}) {since}", escape(&entry.name), entry.serial));
}
