//! Reads the folder of a CA tool: its CA, and everything that it records.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::authority::hierarchy::openssl_index::{self, IndexLines};
use crate::authority::other_tool::error::SourceError;
use crate::authority::other_tool::finding::{ImportFinding, ImportFindings};
use crate::authority::other_tool::found_files::{FoundCertificate, FoundFiles, FoundKey};
use crate::authority::other_tool::layout::{self, Layout};
use crate::authority::other_tool::openssl_conf::{self, CaPlaces};
use crate::authority::other_tool::source_folder::SourceFolder;
use crate::authority::other_tool::tool::Tool;
use crate::keys::Signer;
use crate::keys::key_file::KeyFile;
use crate::lint::Severity;
use crate::store::index::cfssl_database::{self, CfsslRows};
use crate::system::files;
use crate::text::{self, io_reason};
use crate::x509::{Certificate, certificate_file};

/// The most lines of an index that are read.
pub const MOST_LINES: usize = 200_000;
/// The most CA certificates that are candidates for a chain.
pub const MOST_AUTHORITIES: usize = 100;
/// The files with the settings of openssl.
const SETTINGS: [&str; 4] = ["openssl.cnf", "ca.cnf", "openssl-ca.cnf", "ca.conf"];

/// What the user named instead of the usual files.
#[derive(Default)]
pub struct GivenFiles {
    pub certificate: Option<(PathBuf, Vec<u8>)>,
    pub key: Option<(PathBuf, Zeroizing<Vec<u8>>)>,
    pub chain: Vec<Certificate>,
    pub crls: Vec<(PathBuf, Vec<u8>)>,
    pub index: Option<(PathBuf, Vec<u8>)>,
}

/// A file with a private key, which may be encrypted.
pub struct KeySource {
    pub path: PathBuf,
    pub content: Zeroizing<Vec<u8>>,
}

/// An index of openssl, and its path for messages.
pub struct FoundIndex {
    pub path: PathBuf,
    pub read: IndexLines,
}

/// The folder of a tool, as it was read.
pub struct Source {
    pub folder: PathBuf,
    pub tool: Tool,
    /// True when no `--from` named the tool.
    pub was_recognised: bool,
    pub certificate: Certificate,
    pub certificate_path: PathBuf,
    pub key: KeySource,
    /// The CA certificates that were found or given.
    pub chain: Vec<Certificate>,
    /// The private key of the root above the CA; `None` when it is not there.
    pub root_key: Option<KeySource>,
    pub certificates: Vec<FoundCertificate>,
    pub keys: Vec<FoundKey>,
    pub crls: Vec<(PathBuf, Vec<u8>)>,
    /// SHA-256 of the certificates in the folder of revoked ones.
    pub revoked: std::collections::HashSet<[u8; 32]>,
    pub index: Option<FoundIndex>,
    pub database: Option<(PathBuf, CfsslRows)>,
    /// The number of the next CRL, and the file that has it.
    pub next_crl_number: Option<(PathBuf, u64)>,
    pub findings: ImportFindings,
}

impl Source {
    /// Reads a folder. `tool` is `None` when it has to be recognised.
    ///
    /// # Errors
    /// When the tool is not known, its CA is not there, or the folder is larger than the limits. Everything else that is wrong
    /// is a finding.
    pub fn read(folder: &Path, tool: Option<Tool>, given: GivenFiles) -> Result<Self, SourceError> {
        let source = SourceFolder::open(folder)?;
        let has = |name: &str| source.has(name);
        let recognised = Tool::recognise(&has);
        let was_recognised = tool.is_none();
        let tool = match (tool, recognised.as_slice()) {
            (Some(tool), _) => tool,
            (None, [tool]) => *tool,
            (None, []) => return Err(SourceError::Unknown(folder.to_owned())),
            (None, found) => return Err(SourceError::Several { folder: folder.to_owned(), found: found.to_vec() }),
        };
        let mut findings = ImportFindings::default();
        let places = if tool == Tool::OpenSsl { openssl_places(&source) } else { CaPlaces::default() };
        let layout = layout::of(tool, &has, &places);
        let [skipped, revoked] = [&layout.skipped, &layout.revoked].map(|path| path.as_deref().map(Path::new));
        // Before everything is read: the answer to a wrong folder.
        let certificate = match given.certificate {
            Some((path, content)) => Some((path, content)),
            None => first(&source, &layout.certificate)?,
        };
        if certificate.is_none() && tool != Tool::XcaPem {
            let found = recognised.into_iter().filter(|found| *found != tool).collect();
            let wanted = layout.certificate.clone();
            return Err(SourceError::OtherTool { folder: folder.to_owned(), tool, wanted, found });
        }
        let mut files = FoundFiles::read(&source, revoked, skipped, &mut findings)?;
        let database = read_database(&source, &layout, &mut files, &mut findings)?;
        let authorities = authorities(&files.certificates);
        let exported = exported_index(tool, &files, authorities.len(), given.index.is_some(), &mut findings);
        let key = match given.key {
            Some((path, content)) => Some(KeySource { path, content }),
            None => {
                first(&source, &layout.key)?.map(|(path, content)| KeySource { path, content: Zeroizing::new(content) })
            }
        };
        let (certificate_path, certificate, mut chain, key, root_key) = match certificate {
            Some((path, content)) => {
                let mut read = certificate_file::parse(&content)
                    .map_err(|error| SourceError::Certificate { path: path.clone(), reason: error.to_string() })?
                    .into_iter();
                let none = || SourceError::Certificate { path: path.clone(), reason: "it contains none".to_owned() };
                let certificate = read.next().ok_or_else(none)?;
                let no_key = || SourceError::NoKey { folder: folder.to_owned(), wanted: layout.key.clone() };
                let key = match key {
                    Some(key) => key,
                    None => matching_key(&certificate, &files.keys).ok_or_else(no_key)?,
                };
                let root_key = first(&source, &layout.root_key)?
                    .map(|(path, content)| KeySource { path, content: Zeroizing::new(content) });
                (path, certificate, read.collect(), key, root_key)
            }
            None => {
                let chosen = choose_ca(folder, &authorities, &files.keys, key)?;
                (chosen.path, chosen.certificate, Vec::new(), chosen.key, chosen.root_key)
            }
        };
        chain.extend(given.chain);
        chain.extend(authorities.into_iter().map(|(_, certificate)| certificate));
        if given.index.is_none() {
            // Without its index the CA would forget what it revoked.
            for path in layout.index.iter().chain(&layout.database).filter(|path| source.is_link(path)) {
                let message =
                    "it is a symbolic link, which is not followed: name the file that it leads to with --index"
                        .to_owned();
                let (severity, path) = (Severity::Error, Some(PathBuf::from(path)));
                findings.add(ImportFinding { code: "link-not-followed", severity, path, line: None, message });
            }
        }
        let index = match given.index {
            Some((path, content)) => Some(FoundIndex { path, read: openssl_index::read(&content) }),
            None => first(&source, exported.as_ref().unwrap_or(&layout.index))?
                .map(|(path, content)| FoundIndex { path, read: openssl_index::read(&content) }),
        };
        if index.as_ref().is_some_and(|index| index.read.lines.len() > MOST_LINES) {
            return Err(SourceError::TooLarge(format!("its index has more than {MOST_LINES} lines")));
        }
        let next_crl_number = next_crl_number(&source, &layout, &mut findings)?;
        files.crls.extend(given.crls);
        let root_key = root_key.filter(|root_key| *root_key.content != *key.content);
        Ok(Self {
            folder: folder.to_owned(),
            tool,
            was_recognised,
            certificate,
            certificate_path,
            key,
            chain,
            root_key,
            certificates: files.certificates,
            keys: files.keys,
            crls: files.crls,
            revoked: files.revoked,
            index,
            database,
            next_crl_number,
            findings,
        })
    }
}

/// Returns the index that XCA exported, as a path: "Certificate Index file" writes one for a CA, under any name; "hierarchy" one for
/// each CA (`getIndexEntry` in lib/pki_x509.cpp and `writeIndex` in lib/db_x509.cpp of chris2511/xca). Nothing in it names the
/// CA, so that it is used only where there is one of both.
fn exported_index(
    tool: Tool,
    files: &FoundFiles,
    authorities: usize,
    is_given: bool,
    findings: &mut ImportFindings,
) -> Option<Vec<String>> {
    if tool != Tool::XcaPem || is_given {
        return None;
    }
    if let ([only], 1) = (files.indexes.as_slice(), authorities) {
        return only.to_str().map(|path| vec![path.to_owned()]);
    }
    for path in &files.indexes {
        let message = "it has revocations, and does not name its CA. Give the one of the CA that issues: --index FILE";
        let (severity, path) = (Severity::Error, Some(path.clone()));
        findings.add(ImportFinding { code: "index-not-read", severity, path, line: None, message: message.to_owned() });
    }
    None
}

/// Reads the first of these files that exists.
fn first(source: &SourceFolder, paths: &[String]) -> Result<Option<(PathBuf, Vec<u8>)>, SourceError> {
    let Some(path) = paths.iter().find(|path| source.length(path).is_some()) else { return Ok(None) };
    let content = source.read(path, files::MAX_FILE_BYTES)?;
    Ok(content.map(|content| (PathBuf::from(path), content)))
}

fn openssl_places(source: &SourceFolder) -> CaPlaces {
    let read = |name: &&str| source.read(name, files::MAX_SMALL_FILE_BYTES).ok().flatten();
    let mut texts = SETTINGS.iter().filter_map(read).map(|content| String::from_utf8_lossy(&content).into_owned());
    texts.find_map(|text| openssl_conf::ca_places(&text)).unwrap_or_default()
}

fn read_database(
    source: &SourceFolder,
    layout: &Layout,
    files: &mut FoundFiles,
    findings: &mut ImportFindings,
) -> Result<Option<(PathBuf, CfsslRows)>, SourceError> {
    let Some(path) = layout.database.iter().find(|path| source.length(path).is_some()) else { return Ok(None) };
    let relative = PathBuf::from(path);
    let length = source.length(path).unwrap_or_default();
    if length > cfssl_database::MOST_BYTES {
        let most = cfssl_database::MOST_BYTES;
        return Err(SourceError::TooLarge(format!("{path} has {length} bytes, more than the {most} that are read")));
    }
    if source.length(&format!("{path}-wal")).is_some_and(|bytes| bytes > 0) {
        let message = "SQLite has not written its log back: changes in the file '-wal' were not read. Stop cfssl first";
        findings.warn("database-log", &relative, message);
    }
    match cfssl_database::read(&source.path().join(&relative)) {
        Ok(mut rows) => {
            for der in rows.certificates.drain(..) {
                files.add_certificate(&relative, der, false);
            }
            for problem in rows.problems.drain(..) {
                findings.warn("database-row-unreadable", &relative, problem);
            }
            Ok(Some((relative, rows)))
        }
        Err(error) => {
            findings.add(ImportFinding {
                code: "database-unreadable",
                severity: Severity::Error,
                path: Some(relative),
                line: None,
                message: format!("its certificates and revocations cannot be read: {error}"),
            });
            Ok(None)
        }
    }
}

/// Returns the CA certificates among those that were found, each once.
fn authorities(certificates: &[FoundCertificate]) -> Vec<(PathBuf, Certificate)> {
    let decoded = certificates.iter().filter_map(|found| {
        let certificate = Certificate::from_der(&found.der).ok()?;
        certificate.is_ca().then(|| (found.path.clone(), certificate))
    });
    decoded.take(MOST_AUTHORITIES).collect()
}

/// Returns the key file of a certificate; only an unencrypted one can be recognised.
fn matching_key(certificate: &Certificate, keys: &[FoundKey]) -> Option<KeySource> {
    let is_its = |key: &&FoundKey| {
        let opened = KeyFile::parse(&key.content).ok().and_then(|file| file.open(None).ok());
        opened.is_some_and(|opened| *opened.public_key() == certificate.public_key)
    };
    keys.iter().find(is_its).map(|key| KeySource { path: key.path.clone(), content: key.content.clone() })
}

/// The CA of a folder of PEM files.
struct ChosenCa {
    path: PathBuf,
    certificate: Certificate,
    key: KeySource,
    root_key: Option<KeySource>,
}

/// Chooses the CA of a folder in which no name says it: the one whose private key is there; of two, the one that the other
/// issued.
fn choose_ca(
    folder: &Path,
    authorities: &[(PathBuf, Certificate)],
    keys: &[FoundKey],
    given: Option<KeySource>,
) -> Result<ChosenCa, SourceError> {
    let refused = |what: &str| SourceError::NoSingleCa { folder: folder.to_owned(), what: what.to_owned() };
    let mut with_key: Vec<(&PathBuf, &Certificate, KeySource)> = authorities
        .iter()
        .filter_map(|(path, certificate)| Some((path, certificate, matching_key(certificate, keys)?)))
        .collect();
    if let Some(given) = given {
        let opened = KeyFile::parse(&given.content).ok().and_then(|file| file.open(None).ok());
        let of_given = |certificate: &Certificate| {
            opened.as_ref().is_none_or(|opened| *opened.public_key() == certificate.public_key)
        };
        let mut matching = authorities.iter().filter(|(_, certificate)| of_given(certificate));
        return match (matching.next(), matching.next()) {
            (Some((path, certificate)), None) => {
                Ok(ChosenCa { path: path.clone(), certificate: certificate.clone(), key: given, root_key: None })
            }
            (None, _) => Err(refused("no CA certificate for this key")),
            _ => Err(refused("several CA certificates, and the key is encrypted or fits several")),
        };
    }
    if with_key.is_empty() {
        // An encrypted key is opened later, and compared with the certificate.
        let is_encrypted = |key: &&FoundKey| KeyFile::parse(&key.content).is_ok_and(|file| file.is_encrypted());
        let encrypted: Vec<_> = keys.iter().filter(is_encrypted).collect();
        return match (authorities, encrypted.as_slice()) {
            ([(path, certificate)], [key]) => Ok(ChosenCa {
                path: path.clone(),
                certificate: certificate.clone(),
                key: KeySource { path: key.path.clone(), content: key.content.clone() },
                root_key: None,
            }),
            ([], _) => Err(refused("no CA certificate")),
            (_, []) => Err(refused("no private key of its CA certificates")),
            _ => Err(refused("several CA certificates or several encrypted private keys")),
        };
    }
    let is_parent = |candidate: &Certificate| {
        with_key.iter().any(|(_, other, _)| other.issuer == candidate.subject && !other.is_self_issued())
    };
    let lowest: Vec<usize> = (0..with_key.len()).filter(|at| !is_parent(with_key[*at].1)).collect();
    let [at] = lowest.as_slice() else { return Err(refused("several CAs with their private keys")) };
    let (path, certificate, key) = with_key.swap_remove(*at);
    let root = with_key.into_iter().find(|(_, root, _)| root.is_self_issued() && root.subject == certificate.issuer);
    Ok(ChosenCa { path: path.clone(), certificate: certificate.clone(), key, root_key: root.map(|(_, _, key)| key) })
}

/// Reads the file `crlnumber` of openssl: the number of the next CRL, in hexadecimal.
fn next_crl_number(
    source: &SourceFolder,
    layout: &Layout,
    findings: &mut ImportFindings,
) -> Result<Option<(PathBuf, u64)>, SourceError> {
    let Some(path) = layout.crl_number.iter().find(|path| source.length(path).is_some()) else { return Ok(None) };
    let relative = PathBuf::from(path);
    let content = match source.read(path, files::MAX_SMALL_FILE_BYTES) {
        Ok(content) => content.unwrap_or_default(),
        Err(error) => {
            findings.warn("not-read", relative, format!("it cannot be read: {}", io_reason(&error.cause)));
            return Ok(None);
        }
    };
    let digits = String::from_utf8_lossy(&content).trim().to_owned();
    match u64::from_str_radix(&digits, 16) {
        Ok(number) if number.cast_signed() > 0 => Ok(Some((relative, number))),
        _ => {
            let shown = text::escape(&digits.chars().take(40).collect::<String>());
            findings.warn(
                "crl-number-unreadable",
                relative,
                format!("'{shown}' is not the number of a CRL in hexadecimal"),
            );
            Ok(None)
        }
    }
}
