//! `sign`: a certificate for the key and the names of a request; everything else is the template's.

use std::collections::BTreeMap;

use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::issue;
use crate::authority::leaf::order::Requested;
use crate::authority::leaf::order::{IfNameExists, IssueOrder, IssueOutcome, SubjectKey};
use crate::authority::leaf::request_inputs;
use crate::issuance::name_rules::CommonName;
use crate::issuance::{CsrError, Expiry, Profile, VerifiedCsr, verify_csr};
use crate::store::Store;
use crate::store::delivery::Destination;
use crate::store::effects::Effects;
use crate::store::entry_name::EntryName;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::text::{Diagnosis, Diagnostic};
use crate::x509::{AttributeType, GeneralName};

/// What is ordered.
pub struct SignOrder {
    /// The DER of the request.
    pub request: Vec<u8>,
    pub template: String,
    /// How the certificate is called here. `None`: as the request calls itself.
    pub name: Option<EntryName>,
    /// Names beside those of the request.
    pub names: Vec<GeneralName>,
    pub expiry: Expiry,
    pub clip: bool,
    pub subject: Vec<(AttributeType, String)>,
    /// Values for the placeholders of the template.
    pub set: BTreeMap<String, String>,
    /// `None`: the setting's.
    pub issuer: Option<String>,
    /// `None`: `issued/<name>/`.
    pub place: Option<Destination>,
    pub existing: IfNameExists,
    /// Decide everything, sign nothing.
    pub dry_run: bool,
    /// Refuse whatever would not be exactly what the request asks for.
    pub exact: bool,
}

/// Why a request was not granted.
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

/// Signs a certificate for a request.
///
/// # Errors
/// As [`issue::issue`]; and when the request is damaged, does not prove that its sender holds its key, or that key is one
/// that nobody may rely on.
pub fn sign(
    store: &Store,
    signing: SignOrder,
    ask: &mut PassphrasePrompt<'_>,
    effects: &Effects<'_>,
) -> Result<IssueOutcome, SignError> {
    let profile = request_inputs::profile(Some(store), &signing.template)?;
    let request = verify_csr(&signing.request, store.config().sign.limits())?;
    let names = granted_names(&profile, &request, signing.names);
    let name = match signing.name {
        Some(name) => name,
        None => own_name(&profile, &request, &names).ok_or(SignError::Nameless)?.parse()?,
    };
    let mut subject = signing.subject;
    let is_set = subject.iter().any(|(kind, _)| *kind == AttributeType::CommonName);
    // Where NAME would be the common name, the request's own is: NAME is only how the certificate is called here.
    if profile.common_name == CommonName::Name
        && !is_set
        && let Some(common_name) = request.common_name()
    {
        subject.push((AttributeType::CommonName, common_name.to_owned()));
    }
    let order = IssueOrder {
        template: signing.template,
        name,
        names,
        expiry: signing.expiry,
        clip: signing.clip,
        key: SubjectKey::Requested(Box::new(Requested { request, exact: signing.exact })),
        subject,
        set: signing.set,
        issuer: signing.issuer,
        place: signing.place,
        existing: signing.existing,
        follows: None,
        dry_run: signing.dry_run,
        protection: None,
    };
    Ok(issue::issue(store, order, ask, effects)?)
}

/// Those of the request whose kind the template allows, and those beside it. What the template forbids altogether is told as
/// dropped; what it forbids of an allowed kind is refused.
fn granted_names(profile: &Profile, request: &VerifiedCsr, beside: Vec<GeneralName>) -> Vec<GeneralName> {
    let is_of_allowed_kind = |name: &GeneralName| profile.names.kinds.iter().any(|kind| kind.word() == name.kind());
    let mut names = request.names();
    if profile.common_name == CommonName::Name && request.request().subject_alt_names.is_none() {
        // As NAME of `ca issue`: who it is becomes an alternative name only where it can be nothing else.
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

/// What the certificate is called when nobody says it: as the template would have it called.
fn own_name(profile: &Profile, request: &VerifiedCsr, names: &[GeneralName]) -> Option<String> {
    let first = names.first().map(GeneralName::value);
    let common_name = request.common_name().map(str::to_owned);
    match profile.common_name {
        CommonName::Name => common_name.or(first),
        _ => first.or(common_name),
    }
}
