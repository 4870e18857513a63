//! `sign`: issues a certificate with the key and the names of a CSR; the template sets everything else.

use std::collections::BTreeMap;

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::{IfNameExists, IssueOrder, IssueOutcome, Requested, SubjectKey};
use crate::authority::leaf::{issue, request_inputs};
use crate::issuance::name_rules::CommonName;
use crate::issuance::{
    CsrError, Expiry, FileRulesChange, GivenExtensions, Profile, UnusableNames, VerifiedCsr, verify_csr,
};
use crate::store::Store;
use crate::store::delivery::Destination;
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::text::{Diagnosis, Diagnostic};
use crate::x509::{AttributeType, GeneralName};

/// The options of `sign`.
pub struct SignOrder {
    /// The DER of the CSR.
    pub request: Vec<u8>,
    pub template: String,
    /// The NAME of the certificate in the index; `None` for the name in the CSR.
    pub name: Option<EntryName>,
    /// Subject alternative names in addition to those of the CSR.
    pub names: Vec<GeneralName>,
    pub expiry: Expiry,
    pub clip: bool,
    pub subject: Vec<(AttributeType, String)>,
    /// Values for the placeholders of the template.
    pub set: BTreeMap<String, String>,
    /// The name of the issuer; `None` for the setting in `ca.toml`.
    pub issuer: Option<String>,
    /// The destination of the files; `None` for `issued/<name>/`.
    pub place: Option<Destination>,
    pub existing: IfNameExists,
    /// The owner and group of the files, where they are not those that are remembered with the name.
    pub files: FileRulesChange,
    /// True when everything is checked and nothing is signed.
    pub dry_run: bool,
    /// True when the order fails unless the certificate has exactly what the CSR asks for.
    pub exact: bool,
}

/// The reason why no certificate was issued for a CSR.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error(transparent)]
    Issue(IssueError),
    #[error("the request is refused: {0}")]
    Refused(#[from] CsrError),
    #[error("the request has neither a common name nor an alternative name to call its certificate by")]
    Nameless,
}

impl<E> From<E> for SignError
where
    IssueError: From<E>,
{
    fn from(error: E) -> Self {
        Self::Issue(error.into())
    }
}

impl Diagnostic for SignError {
    fn diagnosis(&self) -> Diagnosis {
        match self {
            Self::Issue(error) => error.diagnosis(),
            Self::Refused(refusal) => refusal.diagnosis(),
            Self::Nameless => Diagnosis::usage("nameless-request")
                .hint("say how it is called with --name, and for whom it is with --san"),
        }
    }
}

/// Issues a certificate for a CSR.
///
/// # Errors
/// As [`issue::issue`]; and when the CSR is damaged or lacks proof of possession of its private key, or its key is weak,
/// compromised or one of this CA's own.
pub fn sign(
    store: &Store,
    signing: SignOrder,
    ask: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, SignError> {
    let profile = request_inputs::profile(Some(store), &signing.template)?;
    let unusable = if signing.names.is_empty() { UnusableNames::Refuse } else { UnusableNames::LeaveOut };
    let request = verify_csr(&signing.request, store.config().sign.limits(), unusable)?;
    let taken = profile.take_subject(&request, &signing.subject)?;
    let names = granted_names(&profile, &request, signing.names);
    let name = match signing.name {
        Some(name) => name,
        None => own_name(&profile, &request, &names).ok_or(SignError::Nameless)?.parse()?,
    };
    let order = IssueOrder {
        template: signing.template,
        name,
        names,
        expiry: signing.expiry,
        clip: signing.clip,
        extensions: GivenExtensions::Requested(request.request().requested_extensions.clone()),
        key: SubjectKey::Requested(Box::new(Requested { request, exact: signing.exact })),
        subject: taken.attributes,
        whole_subject: taken.whole,
        set: signing.set,
        issuer: signing.issuer,
        place: signing.place,
        existing: signing.existing,
        files: signing.files,
        follows: None,
        declaration: None,
        new_key: None,
        dry_run: signing.dry_run,
        protection: None,
    };
    Ok(issue::issue(store, order, ask, effects)?)
}

/// Returns the names of the CSR whose kind the template allows, and the additional names. A kind that the template
/// forbids altogether is reported as dropped; a forbidden name of an allowed kind is an error.
fn granted_names(profile: &Profile, request: &VerifiedCsr, beside: Vec<GeneralName>) -> Vec<GeneralName> {
    let is_of_allowed_kind = |name: &GeneralName| profile.names.kinds.iter().any(|kind| kind.word() == name.kind());
    let mut names = request.names();
    if profile.common_name == CommonName::Name && request.request().subject_alt_names.is_none() {
        // As with NAME of `ca issue`: the common name becomes an alternative name only when it is an email address or a
        // URI.
        names.retain(|name| matches!(name, GeneralName::Email(_) | GeneralName::Uri(_)));
    }
    names.retain(is_of_allowed_kind);
    for name in beside {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the default NAME of the certificate, chosen as the template would name it; `None` when the CSR has no usable
/// name.
fn own_name(profile: &Profile, request: &VerifiedCsr, names: &[GeneralName]) -> Option<String> {
    let first = names.first().map(GeneralName::value);
    let common_name = request.common_name().map(str::to_owned);
    match profile.common_name {
        CommonName::Name => common_name.or(first),
        _ => first.or(common_name),
    }
}
