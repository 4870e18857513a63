//! Reading what the command line names: certificates, lists and the key.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::context::Context;
use crate::app::directory::{CaCertificateFile, ca_certificate_files};
use crate::app::roots::{is_previous, previous_file};
use crate::app::verify::input_budget::{self, InputBudget};
use crate::report::failure::{Failure, KindCodes};
use crate::system;
use crate::system::files::FileError;
use crate::text::{PathText, Warning};
use crate::verify::{Candidate, CandidateCrl, InputPosition};
use crate::x509::decode::DecodeError;
use crate::x509::file_kind::{self, Expected, OtherKind};
use crate::x509::{Certificate, Crl, certificate_file, pem, text_encoding};

/// The certificates of a file as bytes, with their numbers.
pub struct Blocks {
    pub file: String,
    pub certificates: Vec<Vec<u8>>,
    pub is_pem: bool,
    /// What the file is, when it has no certificate and its kind is known.
    pub kind: Option<OtherKind>,
}

const KIND_CODES: KindCodes = KindCodes { other: "undecodable", empty: "empty-input" };

impl Blocks {
    /// Returns the failure of a file without a certificate.
    pub fn no_certificate(&self, path: &Path) -> Failure {
        match self.kind {
            Some(other) => Failure::another_kind(path, other, KIND_CODES),
            None => Failure::nothing_in_file(path, "certificate"),
        }
    }
}

pub fn read_blocks(path: &Path, budget: &InputBudget, context: &mut Context<'_>) -> Result<Blocks, Failure> {
    let content = context.read_input(path)?;
    budget.keep(&content)?;
    blocks(path, content)
}

fn blocks(path: &Path, content: Vec<u8>) -> Result<Blocks, Failure> {
    let content = text_encoding::decoded(content);
    let expected = Expected::Certificate;
    let kind = file_kind::unexpected(&content, expected).map(|kind| OtherKind { kind, expected });
    let values = certificate_file::ders(content).map_err(|error| match kind {
        // PEM that is quoted, indented or escaped is damaged for the decoder. Its name says how to get it in order.
        Some(other) => Failure::another_kind(path, other, KIND_CODES),
        None => Failure::damaged_pem(path, &error),
    })?;
    Ok(Blocks { file: path.escaped().to_string(), certificates: values.ders, is_pem: values.is_pem, kind })
}

/// The most certificates of a chain for which room is made at once.
const MAX_CHAIN: usize = 4;

/// Every certificate of a file that can be read, and the errors of the others.
pub fn readable(blocks: &Blocks) -> (Vec<Candidate>, Vec<(InputPosition, DecodeError)>) {
    // Room for what there is, when it is a chain: of a long file, most can be something else.
    let room = blocks.certificates.len().min(MAX_CHAIN);
    let (mut candidates, mut damaged) = (Vec::with_capacity(room), Vec::new());
    let file: Arc<str> = blocks.file.as_str().into();
    for (number, der) in (1..).zip(&blocks.certificates) {
        let position = InputPosition::new(file.clone(), number);
        match Certificate::from_der(der) {
            Ok(certificate) => candidates.push(Candidate::new(certificate, position)),
            Err(error) => damaged.push((position, error)),
        }
    }
    (candidates, damaged)
}

const LEFT_OUT: &str = "certificate-left-out";

/// The certificates of a file that can be read; the others are left out with a warning.
pub fn tolerant(blocks: &Blocks, warnings: &mut Vec<Warning>) -> Vec<Candidate> {
    if let Some(other) = blocks.kind {
        let message = format!("{} is {other}; it is left out", blocks.file);
        warnings.push(Warning::new(LEFT_OUT, message));
        return Vec::new();
    }
    let (candidates, damaged) = readable(blocks);
    warnings.extend(left_out(&damaged));
    candidates
}

/// The warnings for damaged certificates of one file; of very many the first are named, and the others counted.
pub fn left_out(damaged: &[(InputPosition, DecodeError)]) -> Vec<Warning> {
    const MOST_NAMED: usize = 100;
    let (named, counted) = damaged.split_at(damaged.len().min(MOST_NAMED));
    let mut warnings: Vec<_> = named
        .iter()
        .map(|(position, error)| format!("certificate {} of {} is left out: {error}", position.number, position.file))
        .map(|message| Warning::new(LEFT_OUT, message))
        .collect();
    if let Some((position, _)) = counted.first() {
        let message = format!("{} more certificates of {} are left out", counted.len(), position.file);
        warnings.push(Warning::new(LEFT_OUT, message));
    }
    warnings
}

/// Reads the trust anchors from `roots`, else from the CA directory.
///
/// # Errors
/// When a file cannot be read, or there is no trust anchor.
pub fn anchors(
    roots: &[PathBuf],
    budget: &InputBudget,
    context: &mut Context<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Candidate>, Failure> {
    if roots.is_empty() {
        let anchors = default_anchors(budget, context, warnings)?;
        return if anchors.is_empty() { Err(Failure::no_roots()) } else { Ok(anchors) };
    }
    let mut anchors = Vec::new();
    let mut other_kind = None;
    for path in roots {
        let blocks = read_blocks(path, budget, context)?;
        other_kind = other_kind.or(blocks.kind.map(|other| (path, other)));
        anchors.extend(tolerant(&blocks, warnings));
    }
    if anchors.is_empty() {
        if let Some((path, other)) = other_kind {
            return Err(Failure::another_kind(path, other, KindCodes::both("bad-roots")));
        }
        let places: Vec<_> = roots.iter().map(|path| path.escaped().to_string()).collect();
        return Err(Failure::no_usable_root(&places.join(", ")));
    }
    Ok(anchors)
}

/// The roots of the CA directory, in the order of their names, each before the certificates that were kept for its clients.
fn default_anchors(
    budget: &InputBudget,
    context: &mut Context<'_>,
    warnings: &mut Vec<Warning>,
) -> Result<Vec<Candidate>, Failure> {
    let cas = context.ca_certificates().map_err(|failure| failure.hint("give the roots to trust with --roots FILE"))?;
    let mut anchors = Vec::new();
    for CaCertificateFile { name, path } in ca_certificate_files(&cas)? {
        if !path.is_file() {
            continue;
        }
        let mut found = tolerant(&read_blocks(&path, budget, context)?, warnings);
        // An intermediate of our own is trusted through its root, not by itself.
        found.retain(Candidate::is_self_issued);
        if let (Some(root), Some(file)) = (found.first(), previous_file(&cas, &name)) {
            let mut kept = tolerant(&read_blocks(&file, budget, context)?, warnings);
            kept.retain(|kept| is_previous(&root.certificate, &kept.certificate));
            found.extend(kept);
        }
        anchors.extend(found);
    }
    Ok(anchors)
}

pub fn read_crls(path: &Path, budget: &InputBudget, context: &mut Context<'_>) -> Result<Vec<CandidateCrl>, Failure> {
    let codes = KindCodes { other: "undecodable", empty: "empty-input" };
    let content = context.read_expected(path, Expected::Crl, codes)?;
    budget.keep(&content)?;
    let ders = pem::crls(content).map_err(|error| Failure::damaged_pem(path, &error))?.ders;
    if ders.is_empty() {
        return Err(Failure::nothing_in_file(path, "CRL"));
    }
    let file = path.escaped().to_string();
    (1..)
        .zip(ders)
        .map(|(number, der)| {
            Crl::from_der(&der)
                .map(|list| CandidateCrl::new(list, InputPosition::new(file.as_str(), number)))
                .map_err(|error| Failure::undecodable(path, number, "CRL", &error.to_string()))
        })
        .collect()
}

/// A file to verify. It is read when it is verified, because there may be thousands.
pub struct Source {
    /// As it was named, or below the folder that was.
    pub path: PathBuf,
    place: SourcePlace,
    /// The folder that was named, where it is one of many in it. A folder may have other files,
    /// such as keys.
    pub folder: Option<PathBuf>,
}

enum SourcePlace {
    Disk(PathBuf),
    /// Standard input can be read once.
    Read(Vec<u8>),
}

impl Source {
    /// Its certificates; from whatever thread.
    pub fn blocks(&self, budget: &InputBudget) -> Result<Blocks, Failure> {
        match &self.place {
            SourcePlace::Disk(place) => {
                let content =
                    system::files::read_if(place, system::files::MAX_FILE_BYTES, |bytes| budget.take_file(bytes));
                let refuse = |error: FileError| {
                    let named = FileError { path: self.path.clone(), ..error };
                    input_budget::refused(&named.cause).unwrap_or_else(|| Failure::unreadable(&named))
                };
                blocks(&self.path, content.map_err(refuse)?)
            }
            SourcePlace::Read(content) => blocks(&self.path, content.clone()),
        }
    }
}

/// The files to verify. A folder stands for the certificates in it.
pub fn sources(files: &[PathBuf], budget: &InputBudget, context: &mut Context<'_>) -> Result<Vec<Source>, Failure> {
    let mut sources = Vec::new();
    for path in files {
        if path.as_os_str() == "-" {
            let content = context.read_input(path)?;
            budget.keep(&content)?;
            let place = SourcePlace::Read(content);
            sources.push(Source { path: path.clone(), place, folder: None });
            continue;
        }
        let resolved = context.world.resolve(path);
        if !resolved.is_dir() {
            sources.push(Source { path: path.clone(), place: SourcePlace::Disk(resolved), folder: None });
            continue;
        }
        let mut names = system::files::names_in(&resolved).map_err(|error| Failure::unreadable(&error))?;
        names.retain(|name| [".pem", ".crt", ".cer", ".der"].iter().any(|ending| name.ends_with(ending)));
        names.sort();
        if names.is_empty() {
            return Err(Failure::nothing_in_folder(path));
        }
        sources.extend(names.into_iter().map(|name| Source {
            path: path.join(&name),
            place: SourcePlace::Disk(resolved.join(&name)),
            folder: Some(path.clone()),
        }));
    }
    Ok(sources)
}
