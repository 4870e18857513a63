//! `ca inspect FILE|-`: the content of a certificate, request, CRL or key file.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use crate::app::context::Context;
use crate::app::resolve::{self, Input};
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::reports::many;
use crate::keys::key_file::{self, KeyFile, KeyFileError};
use crate::keys::{Passphrase, Signer};
use crate::report::describe::certificate::DescribedCertificate;
use crate::report::describe::crl::DescribedCrl;
use crate::report::describe::json::ObjectJson;
use crate::report::describe::key::{DescribedPrivateKey, DescribedPublicKey};
use crate::report::describe::object::Describe;
use crate::report::describe::signing_request::DescribedRequest;
use crate::report::failure::{Failure, KindCodes};
use crate::report::json;
use crate::report::output::Report;
use crate::report::page::{Page, Tone};
use crate::text::{self, PathText};
use crate::x509::file_kind::{self, Expected};
use crate::x509::pem::{self, Block};
use crate::x509::{Certificate, DecodeError, PublicKey, SigningRequest, certificate_file, der, signing_request};

// The flags are those of a CA key; here the key is one in the file.
const OF_THE_FILE: &str = "Passphrase of a private key in the file";

#[derive(Debug, Args)]
#[command(
    mut_arg("passphrase_file", |flag| flag.help_heading(OF_THE_FILE).help("Read it from the first line of a file")),
    mut_arg("passphrase_env", |flag| flag.help_heading(OF_THE_FILE)),
    mut_arg("passphrase_fd", |flag| flag.help_heading(OF_THE_FILE)),
)]
pub struct Arguments {
    /// A certificate, chain, signing request, CRL or key, as PEM or DER; - is standard input; or the NAME or serial number of a
    /// certificate of this CA, or the HOST:PORT of a server; see ca help names
    #[arg(value_name = "FILE|NAME|HOST:PORT", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

type Objects = Vec<Box<dyn Describe>>;

/// Everything in a file, in its order.
struct Inspected {
    objects: Objects,
    not_shown: Vec<NotShown>,
}

/// A block that is not among the objects.
struct NotShown {
    /// Its number in the file, from 1.
    block: usize,
    why: Failure,
    /// False for a block of a kind that is not read here: then the rest is shown, and nothing failed.
    is_failure: bool,
}

pub fn run(arguments: &Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let mut contents = Vec::new();
    for file in &arguments.files {
        match resolve::input(file, context)? {
            Input::Source(source) => contents.push((source, None)),
            Input::Files(paths) => contents.extend(paths.into_iter().map(|path| (resolve::Source::File(path), None))),
            Input::Entries(entries) => {
                let store = context.store()?;
                for resolved in entries {
                    let certificate = store.index()?.certificate(&resolved.current(&store)?)?;
                    let named = Content::Certificates(vec![certificate.as_der().to_vec()]);
                    contents.push((resolve::Source::File(resolved.given.into()), Some(named)));
                }
            }
        }
    }
    let passphrase = arguments.passphrase.read_of_existing_key(context)?;
    let is_used = Cell::new(false);
    let is_one = contents.len() == 1;
    let name = |source: &resolve::Source| match source {
        resolve::Source::File(path) => path.clone(),
        resolve::Source::Server(address) => address.into(),
    };
    let files = contents.iter().map(|(source, _)| shown(&name(source))).collect::<Vec<_>>().join(", ");
    let each = contents.into_iter().map(|(source, content)| (shown(&name(&source)), (source, content))).collect();
    let report = many::for_each("ca.inspect-many/1", each, |(source, content)| {
        let path = name(&source);
        let content = match (content, source) {
            (Some(content), _) => content,
            (None, resolve::Source::Server(address)) => {
                Content::Certificates(resolve::served_chain(&address, context)?)
            }
            (None, resolve::Source::File(path)) => {
                let content = context.read_expected(&path, Expected::Any, KindCodes::both("undecodable"))?;
                Content::File(Zeroizing::new(content))
            }
        };
        let passphrase = passphrase.as_ref().map(Passphrase::duplicate);
        let source = Source { file: shown(&path), path, now: context.now(), passphrase };
        let inspected = source.read(&content)?;
        is_used.set(is_used.get() || inspected.objects.iter().any(|object| object.is_encrypted()));
        let (failures, others): (Vec<_>, Vec<_>) = inspected.not_shown.iter().partition(|block| block.is_failure);
        // The first failure follows the report.
        others.iter().chain(failures.iter().skip(1)).for_each(|block| context.warn(&block.why.message));
        Ok(Box::new(inspected))
    })?;
    // A failure to read one of several is part of the report.
    if passphrase.is_some() && !is_used.get() && (is_one || report.failure().is_none()) {
        return Err(Failure::usage("passphrase-unused", format!("nothing in {files} is encrypted"))
            .hint("leave the passphrase out"));
    }
    Ok(report)
}

/// What is read.
enum Content {
    File(Zeroizing<Vec<u8>>),
    /// The DER of certificates, from the index or from a server.
    Certificates(Vec<Vec<u8>>),
}

fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.escaped().to_string() }
}

/// Where the bytes come from, and how they are looked at.
struct Source {
    path: PathBuf,
    file: String,
    now: OffsetDateTime,
    /// Opens encrypted keys; it is not asked for.
    passphrase: Option<Passphrase>,
}

impl Source {
    fn read(&self, content: &Content) -> Result<Inspected, Failure> {
        let objects = match content {
            Content::File(content) if pem::is_pem(content) => return self.read_pem(content),
            Content::File(content) => vec![self.read_der(content)?],
            Content::Certificates(ders) => ders.iter().map(|der| self.read_der(der)).collect::<Result<_, _>>()?,
        };
        Ok(Inspected { objects, not_shown: Vec::new() })
    }

    /// Reads every block. It fails when there is nothing to show.
    fn read_pem(&self, content: &[u8]) -> Result<Inspected, Failure> {
        let (mut objects, mut not_shown) = (Vec::new(), Vec::new());
        for (number, block) in (1..).zip(pem::parse_each(content)) {
            let read = match block {
                // The parameters in front of an EC key repeat what is in the key.
                Ok(block) if block.label == "EC PARAMETERS" => continue,
                Ok(block) => {
                    let place = format!("{}: block {number} ({})", self.file, text::escape(&block.label));
                    self.read_block(block, &place)
                }
                Err(error) => Err(Failure::usage("bad-pem", format!("{}: {error}", self.file))),
            };
            match read {
                Ok(object) => objects.push(object),
                Err(why) => {
                    let is_failure = why.code != "unknown-block";
                    not_shown.push(NotShown { block: number, why, is_failure });
                }
            }
        }
        if objects.is_empty() {
            let first = not_shown.iter().position(|block| block.is_failure).unwrap_or(0);
            return Err(match not_shown.into_iter().nth(first) {
                Some(block) => block.why,
                None => Failure::usage("nothing-to-show", format!("{} contains only curve parameters", self.file)),
            });
        }
        Ok(Inspected { objects, not_shown })
    }

    fn read_block(&self, block: Block, place: &str) -> Result<Box<dyn Describe>, Failure> {
        if let Some(kind) = file_kind::mislabelled(&block) {
            let message = format!("{place}: the content is {}, and the label says something else", kind.name);
            let hint = file_kind::label_fix(kind, &self.path, &block.label);
            return Err(Failure::usage("undecodable", message).hint(hint));
        }
        let unreadable = |error: DecodeError| {
            let failure = Failure::usage("undecodable", format!("{place}: {error}"));
            error.hint().into_iter().fold(failure, |failure, hint| failure.hint(hint))
        };
        if let Some(certificate) = certificate_file::der_of(&block) {
            return self.certificate(certificate).map_err(unreadable);
        }
        match block.label.as_str() {
            label if signing_request::is_request(label) => request(&block.content).map_err(unreadable),
            label if pem::is_crl(label) => self.crl(&block.content).map_err(unreadable),
            "PUBLIC KEY" => public_key(&block.content).map_err(unreadable),
            "RSA PUBLIC KEY" => public_key(&rsa_subject_public_key_info(&block.content)).map_err(unreadable),
            _ if key_file::is_private_key(&block) => {
                let described = KeyFile::from_block(block).and_then(|file| self.private_key(&file));
                described.map_err(|error| Failure::unusable_key(place, &error))
            }
            label => Err(self.unknown_block(label, place)),
        }
    }

    fn unknown_block(&self, label: &str, place: &str) -> Failure {
        let Some(kind) = file_kind::of_label(label) else {
            return Failure::usage("unknown-block", format!("{place}: a block of this kind is not read here"))
                .hint("certificates, certificate requests, CRLs and keys are");
        };
        let failure = Failure::usage("unknown-block", format!("{place}: it is {}, which is not read here", kind.name));
        kind.fix(&self.path, Expected::Any).into_iter().fold(failure, Failure::hint)
    }

    /// DER has no label: whatever it can be read as, it is.
    fn read_der(&self, content: &[u8]) -> Result<Box<dyn Describe>, Failure> {
        let certificate = match self.certificate(content) {
            Ok(certificate) => return Ok(certificate),
            Err(error) => error,
        };
        let others = [self.crl(content), request(content), public_key(content)];
        if let Some(found) = others.into_iter().find_map(Result::ok) {
            return Ok(found);
        }
        if let (Some(kind), Some((.., behind @ [_, ..]))) = (file_kind::what_is_der(content), der::split_first(content))
        {
            let follows =
                if behind.len() == 1 { "1 byte follows".to_owned() } else { format!("{} bytes follow", behind.len()) };
            let message = format!("{} is {}, and {follows} it", self.file, kind.name);
            return Err(Failure::usage("undecodable", message).hint(format!(
                "the first {} bytes of the file are DER; write them alone to a file, as head -c does",
                content.len() - behind.len()
            )));
        }
        match KeyFile::parse(content) {
            Ok(file) => self.private_key(&file).map_err(|error| Failure::unusable_key(&self.file, &error)),
            Err(_) => Err(Failure::usage(
                "undecodable",
                format!("{}: neither PEM nor the DER of a certificate, request, CRL or key", self.file),
            )
            .hint(format!("read as a certificate: {certificate}"))),
        }
    }

    fn certificate(&self, content: &[u8]) -> Result<Box<dyn Describe>, DecodeError> {
        Ok(Box::new(DescribedCertificate { certificate: Certificate::read_partially(content)?, now: self.now }))
    }

    fn crl(&self, content: &[u8]) -> Result<Box<dyn Describe>, DecodeError> {
        Ok(Box::new(DescribedCrl::from_der(content, self.now)?))
    }

    /// A key of a kind that is not used here, or that cannot be opened, is shown as far as it goes.
    fn private_key(&self, file: &KeyFile) -> Result<Box<dyn Describe>, KeyFileError> {
        let (public_key, unusable, fix) = match file.open(self.passphrase.as_ref()) {
            Ok(key) => (Some(key.public_key().clone()), None, None),
            Err(KeyFileError::PassphraseNeeded) => (None, None, None),
            Err(
                error @ (KeyFileError::UnsupportedKey(_)
                | KeyFileError::UnsupportedEncryption { .. }
                | KeyFileError::TooExpensive { .. }),
            ) => (None, Some(error.to_string()), error.hint()),
            Err(other) => return Err(other),
        };
        Ok(Box::new(DescribedPrivateKey {
            format: file.format(),
            encryption: file.encryption(),
            public_key,
            unusable,
            fix,
        }))
    }
}

fn request(content: &[u8]) -> Result<Box<dyn Describe>, DecodeError> {
    Ok(Box::new(DescribedRequest { request: SigningRequest::from_der(content)? }))
}

fn public_key(content: &[u8]) -> Result<Box<dyn Describe>, DecodeError> {
    Ok(Box::new(DescribedPublicKey { public_key: PublicKey::from_spki(content)? }))
}

/// PKCS#1's `RSAPublicKey` in its SubjectPublicKeyInfo (RFC 3279 §2.3.1).
fn rsa_subject_public_key_info(key: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let algorithm = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, RSA_ENCRYPTION), &der::value(der::NULL, &[])]);
    der::sequence(&[&algorithm, &der::bit_string(key)])
}

/// `ca.inspect/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Inspect")]
pub struct InspectJson<'a> {
    /// Everything in the file, in its order.
    objects: Vec<ObjectJson<'a>>,
    /// Blocks of other kinds, and damaged ones.
    not_shown: Vec<NotShownJson<'a>>,
}

/// A block that is not among the objects.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NotShown")]
struct NotShownJson<'a> {
    /// Its number in the file.
    block: usize,
    /// A code of `ca.error/1`.
    code: &'static str,
    reason: &'a str,
}

impl<'a> NotShownJson<'a> {
    fn new(it: &'a NotShown) -> Self {
        Self { block: it.block, code: it.why.code, reason: &it.why.message }
    }
}

impl Report for Inspected {
    fn text(&self, page: &mut Page) {
        let count = self.objects.len();
        for (index, object) in self.objects.iter().enumerate() {
            page.gap();
            let title = object.title();
            let number = if count == 1 { String::new() } else { format!("{} of {count}: ", index + 1) };
            page.toned(Tone::Strong, &format!("{number}{title}"));
            object.text(page);
        }
    }

    fn json(&self) -> Value {
        let content = InspectJson {
            objects: self.objects.iter().map(|object| object.json()).collect(),
            not_shown: self.not_shown.iter().map(NotShownJson::new).collect(),
        };
        json::document("ca.inspect/1", &content)
    }

    fn failure(&self) -> Option<Failure> {
        self.not_shown.iter().find(|block| block.is_failure).map(|block| block.why.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::keys::PrivateKey;
    use crate::x509::KeyAlgorithm;

    fn inspect(content: &[u8]) -> Result<Inspected, Failure> {
        let now = time::macros::datetime!(2026-06-01 0:00 UTC);
        let source = Source { path: PathBuf::from("F"), file: "F".to_owned(), now, passphrase: None };
        source.read(&Content::File(Zeroizing::new(content.to_vec())))
    }

    fn text_of(content: &[u8]) -> String {
        crate::report::output::text(
            &inspect(content).unwrap(),
            crate::report::style::Style::PLAIN,
            crate::report::relative::RelativePaths::NONE,
        )
    }

    fn field<'a>(text: &'a str, label: &str) -> &'a str {
        let line = text.lines().find(|line| line.starts_with(&format!("{label:<16}  ")));
        line.unwrap_or_else(|| panic!("no {label} in\n{text}")).split_at(18).1
    }

    #[test]
    fn every_item_of_a_certificate_stands_under_its_word() {
        let pem = include_bytes!("../../../tests/data/certificates/web.pem");
        let text = text_of(pem);
        assert_eq!(text.lines().next(), Some("certificate: web.corp.test"));
        assert_eq!(field(&text, "Subject"), "C=DE, O=Acme GmbH, OU=One, OU=Two, CN=web.corp.test");
        assert_eq!(field(&text, "  organization"), "Acme GmbH");
        assert_eq!(field(&text, "  common name"), "web.corp.test");
        assert_eq!(field(&text, "Names (SANs)"), "dns:web.corp.test");
        for san in ["ip:10.0.0.1", "email:web@corp.test", "uri:spiffe://corp.test/web"] {
            assert!(text.contains(&format!("\n                  {san}\n")), "{san}");
        }
        assert_eq!(field(&text, "Issue date"), "2026-05-01T00:00:00Z (31 days ago)");
        assert_eq!(field(&text, "Expires"), "2026-08-29T00:00:00Z (expires in 89 days)");
        assert_eq!(field(&text, "Serial"), "0123456789abcdef");
        assert_eq!(field(&text, "Public key"), "ecdsa-p256 (elliptic curve P-256, 256 bits)");
        assert_eq!(field(&text, "CA"), "no");
        assert_eq!(field(&text, "Key usage"), "digital-signature");
        assert_eq!(field(&text, "Purposes"), "server-auth (it can act as a TLS server)");
        assert_eq!(field(&text, "CRL at"), "http://crl.corp.test/ca.crl");
        assert_eq!(field(&text, "Issuer at"), "http://crl.corp.test/ca.der");
        assert_eq!(field(&text, "Extension"), "1.2.3.4.5 (5 bytes)");
        assert!(field(&text, "Signature").starts_with("ecdsa-with-SHA256, 7"));
        let json = inspect(pem).unwrap().json();
        let object = &json["objects"][0];
        assert_eq!(json["schema"], "ca.inspect/1");
        assert_eq!(object["kind"], "certificate");
        assert_eq!(object["sans"][1], json!({ "type": "ip", "value": "10.0.0.1" }));
        assert_eq!(object["not_after"], "2026-08-29T00:00:00Z");
        for (label, name) in [("SHA-256", "fingerprint_sha256"), ("SHA-1", "fingerprint_sha1")] {
            let line = format!("{label:<15} {}", object[name].as_str().unwrap());
            assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
        }
    }

    #[test]
    fn bytes_of_any_number_fit_a_terminal_of_80_columns_and_are_all_there() {
        let key = PrivateKey::generate(KeyAlgorithm::Rsa4096).unwrap();
        let shown = text_of(key_file::write(&key, None).unwrap().as_bytes());
        let certificate = text_of(include_bytes!("../../../tests/data/certificates/web.pem"));
        for line in [shown.lines(), certificate.lines()].into_iter().flatten() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        let indented = format!("\n{}", " ".repeat(18));
        assert!(shown.replace(&indented, "").contains(&text::hex(key.public_key().bits())), "{shown}");
    }

    #[test]
    fn a_private_key_shows_its_public_half_and_nothing_else() {
        let key = PrivateKey::generate(KeyAlgorithm::Ed25519).unwrap();
        let file = key_file::write(&key, None).unwrap();
        let text = text_of(file.as_bytes());
        assert!(text.starts_with("private key, not encrypted\n"), "{text}");
        assert_eq!(field(&text, "Key id"), text::hex(&key.public_key().key_id()));
        let secret = text::hex(&key.as_pkcs8()[key.as_pkcs8().len() - 32..]);
        assert!(!text.contains(&secret));
        assert!(!inspect(key.as_pkcs8()).unwrap().json().to_string().contains(&secret));
    }

    #[test]
    fn an_encrypted_key_is_shown_unopened() {
        let file = include_bytes!("../../../tests/data/keys/ec-p256.pbkdf2-sha256-aes256.pem");
        let text = text_of(file);
        assert!(text.starts_with("private key, encrypted\n"), "{text}");
        assert_eq!(field(&text, "Encryption"), "PBES2 (PBKDF2-HMAC-SHA256, 2048 rounds; AES-256-CBC)");
        assert!(inspect(file).unwrap().json()["objects"][0]["public_key"].is_null());
    }

    #[test]
    fn what_cannot_be_read_is_named_with_its_block() {
        let pem = include_str!("../../../tests/data/certificates/web.pem");
        let refused = |content: &str| inspect(content.as_bytes()).err().map(|failure| failure.message).unwrap();
        let twice = format!("{pem}{}", &pem[..pem.len() - 60]);
        // The first block is shown, and the second fails.
        let shown = inspect(twice.as_bytes()).unwrap();
        assert_eq!(shown.objects.len(), 1);
        assert!(shown.failure().unwrap().message.contains("block 2"));
        assert_eq!(shown.json()["not_shown"][0]["block"], 2);
        let unsupported = pem::encode("SOMETHING", &[0x30, 0]);
        assert_eq!(refused(&unsupported), "F: block 1 (SOMETHING): a block of this kind is not read here");
        assert_eq!(inspect(format!("{pem}{unsupported}").as_bytes()).unwrap().objects.len(), 1);
        let other = pem::encode("CERTIFICATE REQUEST", &pem::parse_all(pem.as_bytes()).unwrap()[0].content);
        assert!(refused(&other).contains("the content is a certificate"), "{}", refused(&other));
        let damaged = pem::encode("CERTIFICATE", &[0x30, 3, 1, 1, 0]);
        assert!(refused(&damaged).starts_with("F: block 1 (CERTIFICATE): it is not the DER of a certificate"));
        assert!(refused("hello").contains("neither PEM nor the DER"));
        assert_eq!(inspect(format!("{pem}{pem}").as_bytes()).unwrap().objects.len(), 2);
    }
}
