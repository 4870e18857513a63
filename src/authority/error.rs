//! Why an act on the CA did not happen.

use std::path::PathBuf;

use time::OffsetDateTime;

use crate::authority::hierarchy::intermediate::IntermediateError;
use crate::authority::hierarchy::rotation::RotationError;
use crate::authority::leaf::renew::RenewError;
use crate::authority::leaf::request::MakeRequestError;
use crate::authority::leaf::rollback::RollbackError;
use crate::authority::revocation::publish_crl::ListError;
use crate::authority::revocation::revoke::RevokeError;
use crate::issuance::{Comparison, CrlNotApproved, IssuerError, NotApproved, Refusal, RequestError, RequestRefusal};
use crate::keys::Weakness;
use crate::keys::key_file::KeyFileError;
use crate::keys::private_key::PrivateKeyError;
use crate::store::entry_name::EntryNameError;
use crate::store::home::HomeError;
use crate::store::index::{IndexError, Revocation};
use crate::store::templates::TemplateError;
use crate::system::files::{FileError, LockError, UnknownOwner};
use crate::text;
use crate::text::rfc3339;
use crate::text::toml_document::DocumentError;
use crate::x509::DecodeError;
use crate::x509::crl::RevocationReason;
use crate::x509::general_name::GeneralNameError;
use crate::x509::pem::PemError;

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Name(#[from] EntryNameError),
    #[error(transparent)]
    GeneralName(#[from] GeneralNameError),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error(transparent)]
    NotApproved(#[from] NotApproved),
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Owner(#[from] UnknownOwner),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    KeyGeneration(#[from] PrivateKeyError),
    #[error("{} cannot be used as a private key: {cause}", path.display())]
    KeyFile { path: PathBuf, cause: KeyFileError },
    #[error(transparent)]
    MakeRequest(#[from] MakeRequestError),
    #[error("no request was made: {0}")]
    RequestNotMade(RequestError),
    #[error("the request is refused: {0}")]
    RequestRefused(#[from] RequestRefusal),
    #[error("the request has neither a common name nor an alternative name to call its certificate by")]
    NamelessRequest,
    #[error("the certificate would not be exactly what the request asks for")]
    NotExact(Comparison),
    #[error("the request holds the key of the authority '{0}' of this CA, and no other certificate is made for that")]
    KeyOfAuthority(String),
    #[error("the key is that of '{name}' (serial number {serial}), which was revoked because others have that key")]
    KeyCompromised { name: String, serial: String },
    /// A key that comes from elsewhere, and on which nobody can rely.
    #[error("the key of {owner} is refused: {cause}")]
    WeakKey { owner: String, cause: Weakness },
    #[error("{} cannot be used as a certificate: {cause}", path.display())]
    Certificate { path: PathBuf, cause: CertificateError },
    #[error("the private key of '{authority}' is not here: {} does not exist", path.display())]
    KeyAway { authority: String, path: PathBuf },
    #[error("the private key {} can be read or changed by other users", .0.display())]
    LooseKey(PathBuf),
    #[error("the private key {} was changed by somebody else at the same time", .0.display())]
    KeyChanged(PathBuf),
    #[error("the wrong passphrase for the private key {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// Whoever was asked for the passphrase has none to give; the reason is the asker's.
    #[error("{message}")]
    NoPassphrase { code: &'static str, message: String, hints: Vec<String>, badly_asked: bool },
    #[error("the authority '{0}' has no certificate yet: it was only asked for")]
    Pending(String),
    #[error("there is no authority '{}'", text::escape(name))]
    UnknownAuthority { name: String, known: Vec<String> },
    #[error("there is no authority '{}', which ca.toml names under [issue]", text::escape(name))]
    UnknownIssuer { name: String, known: Vec<String> },
    #[error("{}", revoked_issuer(authority, revoked, revocation))]
    RevokedIssuer { authority: String, revoked: String, revocation: Revocation },
    #[error(
        "'{0}' is an authority already; what it has signed would not be believed any more if another key took its name"
    )]
    AuthorityKept(String),
    #[error("'{name}' is the name of a certificate already (template {template}, until {})", rfc3339(*until))]
    NameTaken { name: String, template: String, until: OffsetDateTime, by_request: bool },
    #[error(
        "'{name}' is the name of a certificate of the template '{template}' already; a name belongs to one template"
    )]
    OtherTemplate { name: String, template: String },
    #[error("{} is there already, and not known to the index", .0.display())]
    PlaceTaken(PathBuf),
    #[error("{} is a private key to which this certificate would not belong", .0.display())]
    KeyOfAnother(PathBuf),
    #[error("--set {}: no string of the template '{template}' uses that value", text::escape(key))]
    UnusedValue { key: String, template: String, used: Vec<String> },
    #[error("--set {}: that value is given by the program", text::escape(.0))]
    ReservedValue(String),
    #[error("the template '{0}' makes a CA's own root; use 'ca init'")]
    RootTemplate(String),
    #[error(transparent)]
    Renew(#[from] RenewError),
    #[error(transparent)]
    Intermediate(#[from] Box<IntermediateError>),
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Rotation(#[from] RotationError),
    #[error(transparent)]
    Revoke(#[from] Box<RevokeError>),
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    #[error(transparent)]
    List(#[from] ListError),
    #[error(transparent)]
    CrlNotApproved(#[from] CrlNotApproved),
    #[error("there is a CA in {} already", .0.display())]
    Exists(PathBuf),
    #[error("{} is in the way of a new CA", .0.display())]
    InTheWay(PathBuf),
    #[error("the index cannot be made at {}: that is another file system than the CA directory's", .0.display())]
    IndexAcross(PathBuf),
    #[error("'{}' cannot be the name of an authority: letters, digits, '-' and '_' only, no '-' in front, at most 40", text::escape(.0))]
    AuthorityName(String),
    #[error("'{0}' is the name of another authority of this CA already")]
    AuthorityTaken(String),
    #[error("{0}")]
    Adoption(String),
    #[error("could not draw a serial number that is not used yet")]
    NoFreeSerial,
    #[error("the new certificate does not verify: {0}")]
    DoesNotVerify(String),
    #[error("{serial} is recorded, but its files could not be written: {cause}")]
    NotDelivered { serial: String, cause: FileError },
    #[error("{serial} is recorded, but did not take the place of the certificate before it: {cause}")]
    NotReplaced { serial: String, cause: FileError },
}

fn revoked_issuer(authority: &str, revoked: &str, revocation: &Revocation) -> String {
    let since = rfc3339(revocation.at);
    let how = match revocation.reason {
        RevocationReason::CertificateHold => format!("is on hold, since {since}"),
        reason => format!("is revoked, since {since} ({})", reason.name()),
    };
    if authority.eq_ignore_ascii_case(revoked) {
        format!("'{authority}' {how}; nobody who knows that believes what it signs")
    } else {
        format!("'{authority}' stands below '{revoked}', which {how}; nobody who knows that believes what it signs")
    }
}

/// Why a file is not the one certificate that was expected.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error(transparent)]
    Pem(#[from] PemError),
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("it holds no certificate")]
    None,
}

impl From<IntermediateError> for AuthorityError {
    fn from(error: IntermediateError) -> Self {
        Self::Intermediate(Box::new(error))
    }
}

impl From<RevokeError> for AuthorityError {
    fn from(error: RevokeError) -> Self {
        Self::Revoke(Box::new(error))
    }
}
