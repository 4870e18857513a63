//! The files that a recipe makes of a certificate, and the lines of the configuration with their paths. Everything is made in
//! memory; nothing is read or written.

use std::path::Path;

use zeroize::Zeroizing;

use super::definition::{EachAuthority, FileContent, FileFormat, Purposes, Recipe, RecipeFile, passphrase_file};
use super::placeholder::{AUTHORITY, FOLDER, NAME, OBJECT, filled};
use crate::keys::Passphrase;
use crate::keys::key_file::pkcs12::{RANDOM_BYTES, StoreProtection, Strength};
use crate::store::ca_certificates::Root;
use crate::store::export::{self, ExportError, ExportFormat, Material, Part, RootsFormat, kubernetes_name};
use crate::system::files;
use crate::text::shell_word;
use crate::x509::{Certificate, digest, pem};

/// What a recipe is filled with.
pub struct RecipeMaterial<'a> {
    /// With the roots; with the private key when a file of the recipe has it.
    pub material: Material<'a>,
    pub roots: &'a [Root],
    /// The authorities of the CA: that of the certificate first, the root last.
    pub authorities: &'a [Authority],
    /// The CRLs, in their order; none without `with_crls`.
    pub crls: &'a [RecipeCrl],
    /// Whether files have CRLs.
    pub with_crls: bool,
    /// The passphrases of encrypted files, by the name of the file.
    pub passphrases: &'a [(String, Passphrase)],
}

/// An authority of the CA.
pub struct Authority {
    pub name: String,
    pub certificate: Certificate,
}

/// The CRL of an authority, or of a CA above.
pub struct RecipeCrl {
    /// The name of the authority, in names of files.
    pub file_name: String,
    /// The name of the authority; of a CA above, its subject.
    pub ca: String,
    pub pem: String,
}

/// A file to be written.
pub struct PlannedFile {
    /// Its path below the folder, with at most one slash.
    pub name: String,
    pub content: Zeroizing<Vec<u8>>,
    pub mode: u32,
    /// What it has, in its order; of a passphrase, nothing.
    pub parts: Vec<Part>,
    /// The authority that the file is about.
    pub authority: Option<String>,
}

impl PlannedFile {
    /// Returns whether it has the private key or a passphrase.
    pub fn is_secret(&self) -> bool {
        self.parts.contains(&Part::PrivateKey) || self.is_passphrase()
    }

    pub fn is_passphrase(&self) -> bool {
        self.parts.is_empty()
    }
}

/// Lines for a file of the program's configuration, with the real paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilledPart {
    pub place: String,
    pub lines: String,
}

/// What an export for a program writes, and what it shows.
pub struct PlannedFiles {
    pub files: Vec<PlannedFile>,
    pub configuration: Vec<FilledPart>,
    pub hook: Option<String>,
}

impl PlannedFiles {
    /// Makes the files of a recipe for a folder, whose path is absolute.
    ///
    /// # Errors
    /// When a file needs a private key or a passphrase that is not there, or cannot be encoded.
    pub fn new(recipe: &Recipe, material: &RecipeMaterial<'_>, folder: &Path) -> Result<Self, ExportError> {
        let purposes = Purposes::of(material.material.certificate);
        let mut planned = Vec::new();
        for file in recipe.written_files(purposes, material.with_crls) {
            planned.extend(material.files(recipe, file)?);
        }
        let whole = Self { files: planned, configuration: Vec::new(), hook: None };
        let written = |text: &str, is_shell: bool| filled(text, |name| whole.value(name, material, folder, is_shell));
        let configuration = recipe.configuration.iter();
        let configuration =
            configuration.filter(|part| part.when.iter().all(|when| when.is_met(purposes, material.with_crls)));
        let configuration = configuration.filter_map(|part| {
            // A line about a file that is not written is left out.
            let lines: Vec<String> = part.lines.lines().filter_map(|line| written(line, false)).collect();
            (!lines.is_empty()).then(|| FilledPart { place: part.place.clone(), lines: lines.join("\n") })
        });
        let configuration = configuration.collect();
        let hook = recipe.hook.as_deref().and_then(|hook| written(hook, true));
        Ok(Self { configuration, hook, ..whole })
    }

    /// Returns the value of a placeholder; `None` for a file that is not written.
    fn value(&self, name: &str, material: &RecipeMaterial<'_>, folder: &Path, is_shell: bool) -> Option<String> {
        let text = match name {
            FOLDER => folder.to_string_lossy().into_owned(),
            NAME => material.material.name.to_owned(),
            OBJECT => kubernetes_name(material.material.name),
            file => {
                let file = self.files.iter().find(|planned| planned.name == file)?;
                folder.join(&file.name).to_string_lossy().into_owned()
            }
        };
        Some(if is_shell { shell_word(&text) } else { text })
    }
}

impl Recipe {
    /// Returns whether the files for a certificate with these purposes have CRLs, unless they are left out.
    pub fn uses_crls(&self, purposes: Purposes) -> bool {
        self.written_files(purposes, true).any(|file| file.content.has_crls())
    }

    /// Returns the recipe without the files that have something of the certificate: those with roots and CRLs are left.
    #[must_use]
    pub fn without_certificate_files(mut self) -> Self {
        self.files.retain(|file| !file.content.is_about_the_certificate());
        self
    }

    /// Returns the files that are written for a certificate with these purposes.
    pub fn written_files(&self, purposes: Purposes, with_crls: bool) -> impl Iterator<Item = &RecipeFile> {
        self.files.iter().filter(move |file| {
            let is_met = file.when.iter().all(|when| when.is_met(purposes, with_crls));
            is_met && (with_crls || !file.content.is_only_crls())
        })
    }
}

impl RecipeMaterial<'_> {
    fn files(&self, recipe: &Recipe, file: &RecipeFile) -> Result<Vec<PlannedFile>, ExportError> {
        let object = kubernetes_name(self.material.name);
        let named = |authority: Option<&str>| {
            let value = |name: &str| match name {
                OBJECT => Some(object.clone()),
                AUTHORITY => Some(authority?.to_owned()),
                _ => None,
            };
            filled(&file.name, value).unwrap_or_else(|| file.name.clone())
        };
        let planned = |name: String, content: Zeroizing<Vec<u8>>, parts: Vec<Part>| PlannedFile {
            name,
            content,
            mode: file.mode,
            parts,
            authority: None,
        };
        match &file.content {
            FileContent::Pem(parts) => {
                let parts: Vec<Part> = parts.iter().copied().filter(|part| self.has(*part)).collect();
                let texts: Result<Vec<_>, _> = parts.iter().map(|part| self.text(*part, &recipe.name)).collect();
                let texts = texts?;
                let texts: Vec<&str> = texts.iter().map(|text| text.as_str()).collect();
                Ok(vec![planned(named(None), export::joined(&texts), parts)])
            }
            FileContent::Each(each) => {
                let one = |file_name: &str, ca: &str, text: String, part: Part| {
                    let file = planned(named(Some(file_name)), Zeroizing::new(text.into_bytes()), vec![part]);
                    PlannedFile { authority: Some(ca.to_owned()), ..file }
                };
                let of_authority = |authority: &Authority| {
                    let is_root = authority.certificate.is_self_issued();
                    let part = if is_root { Part::Roots } else { Part::Intermediates };
                    one(&authority.name, &authority.name, pem::certificate(authority.certificate.as_der()), part)
                };
                Ok(match each {
                    EachAuthority::Certificate => self.authorities.iter().map(of_authority).collect(),
                    EachAuthority::Crl => {
                        let of_ca = |crl: &RecipeCrl| one(&crl.file_name, &crl.ca, crl.pem.clone(), Part::Crls);
                        self.crls.iter().map(of_ca).collect()
                    }
                })
            }
            FileContent::Format(format) => {
                let parts: Vec<Part> = format.parts().iter().copied().filter(|part| self.has(*part)).collect();
                let passphrase = self.passphrases.iter().find(|(name, _)| *name == file.name).map(|(_, word)| word);
                let content = self.formatted(*format, passphrase)?;
                let mut all = vec![planned(named(None), content, parts)];
                if let (true, Some(passphrase)) = (format.is_encrypted(), passphrase) {
                    let line = Zeroizing::new([passphrase.expose(), b"\n"].concat());
                    let name = passphrase_file(&named(None));
                    all.push(PlannedFile { mode: files::SECRET, ..planned(name, line, Vec::new()) });
                }
                Ok(all)
            }
        }
    }

    fn has(&self, part: Part) -> bool {
        match part {
            Part::Intermediates => !self.material.intermediates.is_empty(),
            Part::Crls => self.with_crls,
            _ => true,
        }
    }

    fn text(&self, part: Part, recipe: &str) -> Result<Zeroizing<String>, ExportError> {
        let of =
            |certificates: &[Certificate]| certificates.iter().map(|each| pem::certificate(each.as_der())).collect();
        let public = |text: String| Ok(Zeroizing::new(text));
        match part {
            Part::PrivateKey => self.material.key_pem(recipe),
            Part::Certificate => public(of(std::slice::from_ref(self.material.certificate))),
            Part::Intermediates => public(of(self.material.intermediates)),
            Part::Roots => public(of(self.material.roots)),
            Part::Crls => public(self.crls.iter().map(|crl| crl.pem.as_str()).collect()),
            Part::Index => public(String::new()),
        }
    }

    fn formatted(
        &self,
        format: FileFormat,
        passphrase: Option<&Passphrase>,
    ) -> Result<Zeroizing<Vec<u8>>, ExportError> {
        let protection = |secret: &str| {
            let passphrase = passphrase.ok_or(ExportError::NoPassphrase)?;
            let randomness = self.randomness(format, secret);
            StoreProtection::new(passphrase, Strength::Modern, randomness).map_err(ExportError::Passphrase)
        };
        match format {
            FileFormat::Pkcs12 => {
                let protection = protection(&self.material.key_pem(format.name())?)?;
                export::encode(ExportFormat::P12, &self.material, Some(&protection))
            }
            FileFormat::TrustStore => {
                let protection = protection("")?;
                let store = export::encode_roots(RootsFormat::TrustStore, self.roots, "", Some(&protection))?;
                Ok(Zeroizing::new(store))
            }
            FileFormat::KubernetesSecret => export::encode(ExportFormat::KubernetesSecret, &self.material, None),
            FileFormat::OpenVpn => export::encode(ExportFormat::OpenVpn, &self.material, None),
        }
    }

    /// Derives the salts and initialization vectors of a PKCS#12 file from its content, so that the same content gives the same
    /// file, and other content other ones. `secret` is the private key: without it, the derivation cannot be repeated.
    fn randomness(&self, format: FileFormat, secret: &str) -> [u8; RANDOM_BYTES] {
        let mut content = digest::Sha256::default();
        let mut add = |part: &[u8]| {
            content.update(&(part.len() as u64).to_be_bytes());
            content.update(part);
        };
        add(format.name().as_bytes());
        add(self.material.name.as_bytes());
        add(secret.as_bytes());
        self.material.chain().for_each(&mut add);
        self.roots.iter().for_each(|root| add(root.certificate.as_der()));
        let seed = content.finish();
        let mut randomness = [0; RANDOM_BYTES];
        for (number, block) in randomness.chunks_mut(seed.len()).enumerate() {
            let derived = digest::sha256(&[&seed[..], &(number as u64).to_be_bytes()].concat());
            block.copy_from_slice(&derived[..block.len()]);
        }
        randomness
    }
}
