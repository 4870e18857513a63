//! What the CA refuses.

use super::Failure;
use crate::authority::error::AuthorityError;
use crate::authority::leaf::renew::RenewError;
use crate::authority::leaf::request::MakeRequestError;
use crate::authority::leaf::rollback::RollbackError;
use crate::authority::revocation::publish_crl::ListError;
use crate::authority::revocation::revoke::RevokeError;
use crate::issuance::{IssuerError, NotApproved, Refusal, TextError};
use crate::keys::key_file::KeyFileError;
use crate::store::entry_name::EntryNameError;
use crate::store::home::HomeError;
use crate::store::index::Entry;
use crate::store::templates::TemplateError;
use crate::text::rfc3339;
use crate::text::toml_document::DocumentError;
use crate::text::{escape, nearest, shell_word};
use crate::x509::crl::RevocationReason;

impl From<AuthorityError> for Failure {
    fn from(error: AuthorityError) -> Self {
        let sentence = error.to_string();
        match error {
            AuthorityError::Home(error) => error.into(),
            AuthorityError::Document(error) => error.into(),
            AuthorityError::Template(error) => error.into(),
            AuthorityError::Name(error) => error.into(),
            AuthorityError::GeneralName(_) => {
                Self::usage("bad-name", sentence).hint("a prefix forces a kind: dns:, ip:, email:, uri:")
            }
            AuthorityError::Refusal(error) => error.into(),
            AuthorityError::NotApproved(error) => error.into(),
            AuthorityError::Issuer(error) => error.into(),
            AuthorityError::Index(error) => error.into(),
            AuthorityError::File(error) => error.into(),
            AuthorityError::Owner(_) => Self::refused("unknown-owner", sentence)
                .hint("owner and group stand in [files] of the template, by name or number"),
            AuthorityError::Lock(error) => error.into(),
            AuthorityError::KeyGeneration(_) => Self::refused("key-generation", sentence),
            AuthorityError::KeyFile { cause, .. } => {
                let failure = match cause {
                    KeyFileError::PassphraseNeeded => Self::usage("passphrase-needed", sentence),
                    _ => Self::usage("bad-key", sentence),
                };
                cause.hint().into_iter().fold(failure, Self::hint)
            }
            AuthorityError::MakeRequest(MakeRequestError::Exists(_)) => Self::refused("exists", sentence)
                .hint("to replace the request, with the same key: --force")
                .hint("for another key, choose another place with --out"),
            AuthorityError::MakeRequest(MakeRequestError::PlainKey(_)) => Self::refused("exists", sentence)
                .hint("leave --encrypt-key and --key-passphrase-file out, or choose another place with --out"),
            AuthorityError::MakeRequest(MakeRequestError::OtherKind { .. }) => {
                Self::refused("key-not-allowed", sentence).hint("leave --key out, or choose another place with --out")
            }
            AuthorityError::RequestNotMade(_) => Self::refused("not-issued", sentence),
            AuthorityError::RequestRefused(cause) => Self::refused_request(sentence, &cause),
            AuthorityError::NamelessRequest => Self::usage("nameless-request", sentence)
                .hint("say how it is called with --name, and for whom it is with --san"),
            AuthorityError::NotExact(comparison) => {
                Self::differences(&comparison).into_iter().fold(Self::refused("not-exact", sentence), Self::hint)
            }
            AuthorityError::KeyOfAuthority(_) => {
                Self::refused("key-of-authority", sentence).hint("make a new key for this request")
            }
            AuthorityError::KeyCompromised { .. } => Self::refused("key-compromised", sentence)
                .hint("make a new key: 'ca rekey' in place of 'ca renew', a new request in place of this one"),
            AuthorityError::WeakKey { cause, .. } => Self::weak_key(sentence, &cause),
            AuthorityError::Certificate { .. } => Self::usage("bad-certificate", sentence),
            AuthorityError::KeyAway { path, .. } => Self::refused("key-away", sentence).hint(format!(
                "bring it back to {} for as long as it is needed; another authority can issue without it: --issuer",
                path.display()
            )),
            AuthorityError::LooseKey(path) => {
                Self::refused("loose-key", sentence).hint(format!("chmod 600 {}", path.display()))
            }
            AuthorityError::KeyChanged(_) => Self::refused("key-changed", sentence).hint("run the command again"),
            AuthorityError::WrongPassphrase(_) => Self::refused("wrong-passphrase", sentence),
            AuthorityError::NoPassphrase { code, message, hints, badly_asked } => {
                let failure = if badly_asked { Self::usage(code, message) } else { Self::refused(code, message) };
                hints.into_iter().fold(failure, Self::hint)
            }
            AuthorityError::Pending(name) => Self::refused("pending", sentence)
                .hint(format!("when its certificate is here: ca intermediate install {name} CERT")),
            AuthorityError::UnknownAuthority { name, known } | AuthorityError::UnknownIssuer { name, known } => {
                let failure = Self::usage("unknown-authority", sentence);
                match nearest(&name, known.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean '{near}'?")),
                    None => failure,
                }
                .hint(format!("there are: {}", list(&known)))
            }
            AuthorityError::RevokedIssuer { revoked, revocation, .. } => {
                let failure = Self::refused("revoked-issuer", sentence);
                if revocation.reason == RevocationReason::CertificateHold {
                    return failure
                        .hint(format!("to end the hold: ca revoke {} --reason release", shell_word(&revoked)));
                }
                failure.hint(
                    "choose another authority with --issuer; for a new one: ca issue intermediate NAME --issuer root",
                )
            }
            AuthorityError::AuthorityKept(_) => Self::refused("exists", sentence)
                .hint("make another authority under another name, and let it sign what is next: --issuer NAME"),
            AuthorityError::NameTaken { name, by_request: true, .. } => Self::refused("exists", sentence)
                .hint(format!("'ca show {}' shows it", shell_word(&name)))
                .hint("to sign only when it is due: --if-due; to replace it now: --force")
                .hint("to have it beside this one, call it otherwise with --name"),
            AuthorityError::NameTaken { name, template, .. } => {
                let name = shell_word(&name);
                Self::refused("exists", sentence)
                    .hint(format!("'ca show {name}' shows it"))
                    .hint(format!("for the next one: ca renew {name} (same key), ca rekey {name} (new key)"))
                    .hint(format!("only when it is due: ca issue {template} {name} --if-due"))
                    .hint("to replace it now, with a new key: --force")
            }
            AuthorityError::OtherTemplate { .. } => Self::refused("exists", sentence).hint("choose another name"),
            AuthorityError::PlaceTaken(_) => Self::refused("exists", sentence)
                .hint("nothing existing is overwritten: move it away, or choose another place with --out"),
            AuthorityError::KeyOfAnother(_) => {
                Self::refused("key-of-another", sentence).hint("move it away, or choose another place with --out")
            }
            AuthorityError::UnusedValue { used, .. } => {
                let known: Vec<_> =
                    used.into_iter().filter(|used| !["name", "domain", "issuer"].contains(&used.as_str())).collect();
                let failure = Self::usage("unused-value", sentence);
                if known.is_empty() { failure } else { failure.hint(format!("it uses {}", list(&known))) }
            }
            AuthorityError::ReservedValue(_) => Self::usage("reserved-value", sentence),
            AuthorityError::RootTemplate(_) => Self::usage("root-template", sentence),
            AuthorityError::Renew(error) => error.into(),
            AuthorityError::Intermediate(error) => (*error).into(),
            AuthorityError::Request(_) => Self::refused("bad-request", sentence),
            AuthorityError::Rotation(error) => error.into(),
            AuthorityError::Revoke(error) => (*error).into(),
            AuthorityError::Rollback(error) => error.into(),
            AuthorityError::List(error) => error.into(),
            AuthorityError::CrlNotApproved(_) => Self::refused("not-approved", sentence),
            AuthorityError::Exists(folder) => Self::refused("exists", sentence)
                .hint(format!("to use it: ca --dir {} list", folder.display()))
                .hint("for another CA, name another folder with --dir"),
            AuthorityError::InTheWay(_) => {
                Self::refused("exists", sentence).hint("move it away, or name another folder with --dir")
            }
            AuthorityError::IndexAcross(_) => Self::refused("file-error", sentence)
                .hint("make the CA without [index] location; then move index.db there, and name its place in ca.toml"),
            AuthorityError::AuthorityName(_) | AuthorityError::AuthorityTaken(_) => Self::usage("bad-name", sentence),
            AuthorityError::Adoption(_) => Self::refused("not-adopted", sentence),
            AuthorityError::NoFreeSerial | AuthorityError::DoesNotVerify(_) => Self::refused("not-issued", sentence),
            AuthorityError::NotReplaced { cause, .. } => {
                let Self { code, .. } = Self::from(cause);
                Self::refused(code, sentence).hint("run the same command again: it signs another one for the same key")
            }
            AuthorityError::NotDelivered { cause, .. } => {
                let Self { code, .. } = Self::from(cause);
                Self::refused(code, sentence)
                    .hint("run the same command again; the recorded certificate was never in use, its key is gone")
            }
        }
    }
}

impl From<HomeError> for Failure {
    fn from(error: HomeError) -> Self {
        let sentence = error.to_string();
        match error {
            HomeError::NotOne(folder) => {
                Self::usage("no-ca", sentence).hint(format!("to make one there: ca init --dir {}", folder.display()))
            }
            HomeError::Closed(_) => Self::refused("permission-denied", sentence),
            HomeError::NoneFound(_) => Self::usage("no-ca", sentence)
                .hint("to make one in ./ca: ca init")
                .hint("to use one elsewhere: --dir DIR, or the variable CA_DIR"),
            HomeError::Foreign(folder) => Self::refused("foreign-ca", sentence)
                .hint(format!("if you trust whoever it belongs to: --dir {}", folder.display())),
        }
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        Self { picture: Some(Box::new(error)), ..Self::usage("bad-toml", message) }
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        let sentence = error.to_string();
        match error {
            TemplateError::Unknown { nearest: Some(near), .. } => {
                Self::usage("unknown-template", sentence).hint(format!("did you mean '{near}'?"))
            }
            TemplateError::Unknown { known, .. } => {
                Self::usage("unknown-template", sentence).hint(format!("there are: {}", list(&known)))
            }
            TemplateError::NotText(_) => Self::usage("bad-toml", sentence),
            TemplateError::File(error) => Self::unreadable(&error),
            TemplateError::Document(error) => error.into(),
        }
    }
}

impl From<EntryNameError> for Failure {
    fn from(error: EntryNameError) -> Self {
        Self::usage("bad-name", error.to_string())
    }
}

impl From<RenewError> for Failure {
    fn from(error: RenewError) -> Self {
        let sentence = error.to_string();
        match error {
            RenewError::Authority(_) => Self::refused("is-authority", sentence),
            RenewError::NoFiles(_) => Self::refused("no-files", sentence).hint("issue it again with 'ca issue'"),
            RenewError::Revoked(name) => {
                Self::refused("revoked", sentence).hint(format!("for a new key: ca rekey {}", shell_word(&name)))
            }
            RenewError::OnHold(name) => Self::refused("revoked", sentence)
                .hint(format!("to end the hold: ca revoke {} --reason release", shell_word(&name))),
            RenewError::NoKey(_) => Self::refused("key-mismatch", sentence).hint(
                "for a new key: 'ca rekey'; for a key that somebody else has: 'ca sign' with a request and --force",
            ),
            RenewError::PlainKey(_) => {
                Self::usage("passphrase-unused", sentence).hint("leave --key-passphrase-file out")
            }
            RenewError::OtherKey { .. } => Self::refused("key-mismatch", sentence).hint("for a new key: 'ca rekey'"),
            RenewError::Foreign(_) => Self::refused("exists", sentence)
                .hint("move it away, and the key that belongs to it; then run it again"),
            RenewError::Overtaken(_) => Self::refused("locked", sentence).hint("run it again"),
        }
    }
}

impl From<RollbackError> for Failure {
    fn from(error: RollbackError) -> Self {
        let sentence = error.to_string();
        match error {
            RollbackError::Authority(_) => Self::refused("is-authority", sentence),
            RollbackError::NoFiles(_) => Self::refused("no-files", sentence).hint("issue it again with 'ca issue'"),
            RollbackError::NothingBefore { name, others, .. } => {
                let failure = Self::refused("no-generation", sentence);
                let told =
                    |serial| format!("to put that one in place: ca rollback {} --to {serial}", shell_word(&name));
                others.iter().map(told).fold(failure, Self::hint)
            }
            RollbackError::Unknown { name, .. } => Self::usage("unknown-certificate", sentence)
                .hint(format!("'ca history {}' shows them", shell_word(&name))),
            RollbackError::NotKept { name, .. } => Self::refused("no-generation", sentence)
                .hint(format!("'ca history {}' shows what is kept; for a new one: ca rekey {0}", shell_word(&name))),
            RollbackError::Ended { name, .. } => {
                Self::refused("ended", sentence).hint(format!("for a new one: ca renew {}", shell_word(&name)))
            }
            RollbackError::Revoked { name, .. } => {
                Self::refused("revoked", sentence).hint(format!("for a new one: ca rekey {}", shell_word(&name)))
            }
            RollbackError::Foreign { .. } => {
                Self::refused("exists", sentence).hint("nothing existing is overwritten: move them away first")
            }
        }
    }
}

impl From<RevokeError> for Failure {
    fn from(error: RevokeError) -> Self {
        let sentence = error.to_string();
        match error {
            RevokeError::AlreadyRevoked { .. } => Self::refused("already-revoked", sentence),
            RevokeError::AlreadyHeld { serial, .. } => Self::refused("already-held", sentence)
                .hint(format!("to end the hold: ca revoke serial:{serial} --reason release"))
                .hint("to revoke it for good, give another reason"),
            RevokeError::NotHeld { .. } => Self::refused("not-held", sentence),
            RevokeError::Final { name, .. } => Self::refused("already-revoked", sentence)
                .hint(format!("for a new one: ca rekey {}", shell_word(&name))),
            RevokeError::Several { entries, .. } => {
                let failure =
                    Self::usage("several-live", sentence).hint("say which one by its serial number, or --all");
                let told = |entry: &Entry| {
                    let (issued, end) = (rfc3339(entry.issued_at), rfc3339(entry.validity.not_after));
                    format!("serial:{}  issued {issued}, until {end}", entry.serial)
                };
                entries.iter().map(told).fold(failure, Self::hint)
            }
            RevokeError::Ended { serial, .. } => {
                Self::refused("ended", sentence).hint(format!("to record it all the same: ca revoke serial:{serial}"))
            }
            RevokeError::Root(_) => Self::refused("is-root", sentence)
                .hint("whoever trusts it has to stop: take its certificate out of every trust store"),
            RevokeError::Unknown { .. } | RevokeError::UnknownKey(_) => {
                Self::usage("unknown-certificate", sentence).hint("'ca list' shows every certificate of this CA")
            }
            RevokeError::SuspectedInFuture(_) => Self::usage("bad-time", sentence),
        }
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        let sentence = error.to_string();
        match error {
            ListError::NumberGoesBack { .. } => Self::refused("crl-number", sentence)
                .hint("if the index was brought back from an older copy, revocations may be missing in it: bring back a newer one")
                .hint("to go on behind it all the same: --number N, with a greater N"),
            ListError::NumberUsed { latest, .. } => {
                Self::refused("crl-number", sentence).hint(format!("the least that works: --number {}", latest + 1))
            }
            ListError::NumberTooGreat(_) => Self::usage("bad-crl-number", sentence),
            ListError::CopyTaken(_) => Self::refused("exists", sentence)
                .hint("nothing but a revocation list is overwritten: move it away, or choose another place with --out"),
            ListError::BeyondAllDates => Self::usage("bad-time", sentence),
            ListError::NotPublished { cause, .. } => {
                let Self { code, .. } = Self::from(cause);
                Self::refused(code, sentence)
                    .hint("run the same command again; the number that was taken is left out")
            }
        }
    }
}

impl From<TextError> for Failure {
    fn from(error: TextError) -> Self {
        let failure = Self::usage("bad-template", error.to_string());
        match error {
            TextError::Unknown { nearest: Some(near), .. } => failure.hint(format!("did you mean '{near}'?")),
            TextError::Unknown { unknown, .. } => {
                failure.hint(format!("give it a value: --set {}=…", escape(&unknown)))
            }
            TextError::Syntax { .. } => failure,
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let sentence = refusal.to_string();
        match refusal {
            Refusal::Text(error) => error.into(),
            Refusal::Subject(_) => Self::usage("bad-subject", sentence),
            Refusal::Pattern { .. } | Refusal::Purpose(_) | Refusal::Address(_) => {
                Self::usage("bad-template", sentence)
            }
            Refusal::Kind { allowed, .. } if allowed.is_empty() => {
                Self::refused("name-kind", sentence).hint("it allows none")
            }
            Refusal::Kind { allowed, .. } => {
                Self::refused("name-kind", sentence).hint(format!("it allows: {}", allowed.join(", ")))
            }
            Refusal::NotAllowed { .. } => Self::refused("name-not-allowed", sentence),
            Refusal::TooFewNames { .. } => Self::refused("too-few-names", sentence).hint("add names with --san"),
            Refusal::Constrained { .. } => Self::refused("name-constrained", sentence).hint(
                "every client would refuse the certificate; ask for a name inside, or issue by another authority",
            ),
            Refusal::Key { .. } => Self::refused("key-not-allowed", sentence),
            Refusal::TooLong { longest, .. } => Self::refused("too-long", sentence)
                .hint(format!("ask for --for {longest} or less; 'longest' in the template says how much is allowed")),
            Refusal::EndsBeforeItBegins { .. } | Refusal::EndsInThePast(_) | Refusal::BeyondAllDates => {
                Self::usage("bad-time", sentence)
            }
            Refusal::OutlivesIssuer { issuer_end, .. } => Self::refused("outlives-issuer", sentence)
                .hint(format!("the longest that works: --not-after {}", rfc3339(issuer_end)))
                .hint("--clip shortens it to that by itself"),
            Refusal::IssuerNotValid { .. } => Self::refused("issuer-not-valid", sentence).hint(
                "if the clock of this machine is right, the authority has to be renewed: 'ca due' names the command",
            ),
            Refusal::SubjectOfIssuer(_) => Self::refused("subject-of-issuer", sentence)
                .hint("choose another name, or another subject with --subject"),
            Refusal::NotAnAuthority(_) => Self::refused("not-a-ca", sentence),
            Refusal::CannotCarry { .. } => Self::refused("cannot-carry", sentence)
                .hint("let the tool that made the certificate make the next one, and bring it back"),
            Refusal::AuthorityWithoutSubject => Self::usage("bad-subject", sentence),
            Refusal::PathLength { .. } => {
                Self::refused("path-length", sentence).hint("issue it by an authority above, with --issuer")
            }
        }
    }
}

impl From<NotApproved> for Failure {
    fn from(error: NotApproved) -> Self {
        let sentence = error.to_string();
        match error {
            NotApproved::Findings(findings) => {
                let hints = findings.into_iter().filter_map(|finding| finding.hint);
                hints.fold(Self::refused("breaks-rule", sentence), Self::hint)
            }
            NotApproved::Encode(_) | NotApproved::Decode(_) | NotApproved::Differs(_) => {
                Self::refused("not-approved", sentence)
            }
        }
    }
}

impl From<IssuerError> for Failure {
    fn from(error: IssuerError) -> Self {
        let sentence = error.to_string();
        match error {
            IssuerError::NotAnAuthority(_) | IssuerError::MayNotSign(_) | IssuerError::NoSubject(_) => {
                Self::refused("not-a-ca", sentence)
            }
            IssuerError::MayNotSignCrls(_) => Self::refused("not-a-crl-issuer", sentence),
            IssuerError::KeyMismatch(_) => Self::refused("key-mismatch", sentence)
                .hint("'ca inspect FILE' of both shows the SHA-256 of the public key, which has to be the same"),
            IssuerError::Malformed { .. } | IssuerError::UnusableKey { .. } => Self::refused("unusable-ca", sentence),
            IssuerError::OtherKey | IssuerError::Signing(_) | IssuerError::Altered | IssuerError::Decode(_) => {
                Self::refused("not-issued", sentence)
            }
        }
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.iter().map(|name| escape(name)).collect::<Vec<_>>().join(", ")
    }
}
