//! The opened key of a CA, and what is made with it before the lock is taken.

use std::path::PathBuf;

use crate::authority::certify::verify_draft;
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::error::IssueError;
use crate::authority::leaf::order::SubjectKey;
use crate::authority::leaf::plan::Plan;
use crate::issuance::Issuer;
use crate::keys::Passphrase;
use crate::store::Effects;
use crate::store::delivery::KeyText;
use crate::store::passphrase_prompt::PassphrasePrompt;
use crate::system::files;

/// A CA with its opened key.
pub struct OpenedIssuer {
    pub(crate) issuer: Issuer<'static>,
    /// The passphrase of the key file, with which the key of a CA below it is encrypted as well; `None` when the file
    /// is not encrypted.
    passphrase: Option<Passphrase>,
}

/// Opens the key of the CA that a plan names.
///
/// # Errors
/// When the CA is revoked, or its key is missing or cannot be opened.
pub fn open_issuer(plan: &Plan<'_>, prompt: &mut PassphrasePrompt<'_>) -> Result<OpenedIssuer, IssueError> {
    let store = plan.target.store;
    let key_file = store.ca_certificates().key_file(plan.issuer.name())?;
    if key_file.is_encrypted() {
        // The caller is not asked for a passphrase in vain. The same checks under the lock decide.
        check_not_revoked(&plan.issuer, store.index()?)?;
        verify_draft(plan.draft.clone(), &plan.issuer, plan.target.now)?;
    }
    let (key, passphrase) = key_file.open(prompt)?;
    Ok(OpenedIssuer { issuer: Issuer::new((*plan.issuer).clone(), key)?, passphrase })
}

impl Plan<'_> {
    /// Returns the name of the authority that signs.
    pub fn issuer_name(&self) -> &str {
        self.issuer.name()
    }

    /// Returns the name in the index, in lower case, and the folder of the files: two plans that have one of them in common are
    /// carried out one after the other.
    pub fn places(&self) -> Vec<PathBuf> {
        let name = PathBuf::from(self.target.order.name.as_str().to_ascii_lowercase());
        std::iter::once(name).chain(self.target.folder()).collect()
    }

    /// Returns the text of the key file that is delivered with the certificate; `None` when the private key is
    /// elsewhere. Encryption is slow on purpose.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn key_text(&self, issuer: &OpenedIssuer, effects: &Effects<'_>) -> Result<Option<KeyText>, IssueError> {
        let key = match &self.target.order.key {
            SubjectKey::Kept(key) => Some(&**key),
            SubjectKey::Generate(_) | SubjectKey::Requested(_) => self.new_key.as_ref(),
        };
        let of_issuer = if self.target.profile.is_authority() { issuer.passphrase.as_ref() } else { None };
        let protection = self.target.order.protection.as_ref().or(of_issuer);
        let mode = self.target.profile.files.mode.unwrap_or(files::SECRET);
        Ok(key.map(|key| KeyText::new(key, protection, mode, effects.entropy)).transpose()?)
    }
}
