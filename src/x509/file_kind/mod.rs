//! What a file is: recognised from its first bytes, its PEM labels or the outline of its DER.
//!
//! Every command that opens a file asks [`unexpected`] before it decodes, so that a file of another format is named, with the
//! command that converts it. Nothing here decides what a file is trusted for.

mod der_outline;
mod kind;
mod kinds;
mod labels;
mod signatures;
mod text;

use std::fmt;
use std::path::Path;

use zeroize::Zeroizing;

pub use kind::{Expected, FileKind};

use self::kind::Content;
use crate::x509::pem::Block;
use crate::x509::text_encoding;

/// A file that has nothing of what is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OtherKind {
    pub kind: &'static FileKind,
    pub expected: Expected,
}

/// `a PKCS#12 file (.p12, .pfx), where a CRL is expected`.
impl fmt::Display for OtherKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, where {} is expected", self.kind.name, self.expected.name())
    }
}

impl OtherKind {
    /// Returns the fix for the file at this path, as [`FileKind::fix`].
    pub fn fix(&self, path: &Path) -> Option<String> {
        self.kind.fix(path, self.expected)
    }
}

/// Undoes the encoding of a PEM text ([`text_encoding::decoded`]) in a file that should have what is expected.
///
/// # Errors
/// When the file is known to be of another kind.
pub fn expect(content: Vec<u8>, expected: Expected) -> Result<Vec<u8>, OtherKind> {
    let content = text_encoding::decoded(content);
    match unexpected(&content, expected) {
        Some(kind) => Err(OtherKind { kind, expected }),
        None => Ok(content),
    }
}

/// Returns what a file is that should be TOML, below the encoding of a PEM text; `None` as [`unexpected`].
pub fn other_than_toml(content: &[u8], expected: Expected) -> Option<OtherKind> {
    let content = Zeroizing::new(text_encoding::decoded(content.to_vec()));
    let kind = unexpected(&content, expected)?;
    let is_table = kind == &kinds::JSON && text::begins_with_table(&content);
    (!is_table).then_some(OtherKind { kind, expected })
}

/// Returns what a file is when it has nothing of what is expected and its kind is known; `None` when it may have it, or when
/// its kind is not known.
pub fn unexpected(content: &[u8], expected: Expected) -> Option<&'static FileKind> {
    if let text::PemBegin::AtLineStart(_) = text::pem_begin(content) {
        return labels::unexpected(content, expected);
    }
    what_is(content).filter(|kind| !expected.accepts(kind))
}

/// Returns what a file is; `None` when nothing here recognises it.
pub fn what_is(content: &[u8]) -> Option<&'static FileKind> {
    match text::pem_begin(content) {
        text::PemBegin::AtLineStart(at) => labels::of_block(&content[at..]),
        // An archive has the PEM of its files inside.
        text::PemBegin::Within(at) => {
            Some(signatures::recognise(content).unwrap_or_else(|| text::displaced_pem(content, at)))
        }
        text::PemBegin::None => signatures::recognise(content)
            .or_else(|| der_outline::recognise(content))
            .or_else(|| text::recognise(content)),
    }
}

/// Returns what a PEM block is by its label; `None` when the label is not known.
pub fn of_label(label: &str) -> Option<&'static FileKind> {
    labels::of_label(label.as_bytes())
}

/// Returns what a DER value is, with bytes behind it or without.
pub fn what_is_der(content: &[u8]) -> Option<&'static FileKind> {
    der_outline::recognise(content)
}

/// Returns what the content of a PEM block is when its DER is of another kind than its label says.
pub fn mislabelled(block: &Block) -> Option<&'static FileKind> {
    let labelled = labels::of_label(block.label.as_bytes())?;
    der_outline::recognise(&block.content).filter(|kind| kind.content != labelled.content)
}

/// Returns the fix for a block of this kind that has another label, in the file at this path.
///
/// A label is text of the file. Only letters, digits and spaces of it can become part of a command that a user pastes.
pub fn label_fix(kind: &FileKind, path: &Path, label: &str) -> String {
    let is_plain = label.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == ' ');
    match usual_label(kind) {
        Some(usual) if is_plain => {
            let edit = format!(r"s/\(BEGIN\|END\) {label}-----/\1 {usual}-----/");
            format!("correct the label: sed '{edit}' {} > NEW.pem", kind::in_command(path))
        }
        _ => "correct the BEGIN and END lines, or write the file again with the program that made it".to_owned(),
    }
}

/// Returns the label of a kind in PEM (RFC 7468), when it has one of its own.
fn usual_label(kind: &FileKind) -> Option<&'static str> {
    match kind.content {
        Content::Certificate => Some("CERTIFICATE"),
        Content::Request => Some("CERTIFICATE REQUEST"),
        Content::Crl => Some("X509 CRL"),
        Content::PublicKey => Some("PUBLIC KEY"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
