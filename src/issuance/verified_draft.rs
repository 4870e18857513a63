//! The check of the whole chain before the signature: the certificate is verified with a placeholder for its signature. See
//! docs/decisions/0016-verified-before-signed.md.

use std::borrow::Cow;

use time::OffsetDateTime;

use super::approval::ApprovedDraft;
use super::client_facts::client_facts;
use super::draft::Draft;
use crate::clients::Fact;
use crate::lint::Finding;
use crate::verify::{Unsound, verify_unsigned};
use crate::x509::Certificate;

/// An approved draft whose chain was verified before its signature exists. Only [`ApprovedDraft::verified`] makes one, and
/// [`super::sign`] consumes it.
pub struct VerifiedDraft {
    draft: Draft,
    to_be_signed: Vec<u8>,
    warnings: Vec<Finding>,
    client_facts: Vec<Fact>,
}

/// Why the chain of a draft is not valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotVerified {
    /// The draft names another issuer, or another key of the issuer, than the one that it was approved for.
    OtherIssuer,
    /// The chain of the issuer ends below a root.
    NoRoot {
        authority: String,
        root: String,
    },
    Unsound(Unsound),
}

impl ApprovedDraft<'_> {
    /// Verifies the chain of the certificate like a client that trusts the last certificate of the issuer's chain; a root
    /// like a client that trusts the root. The caller chooses neither the chain nor the result.
    ///
    /// # Errors
    /// When the draft is not for the issuer that it was approved for, the root above the issuer is missing, or the chain
    /// would not be valid at `now`.
    pub fn verified(self, now: OffsetDateTime) -> Result<VerifiedDraft, NotVerified> {
        let Self { draft, to_be_signed, unsigned, issuer, warnings } = self;
        let (name, key) = match issuer {
            Some(issuer) => (issuer.subject(), &issuer.certificate().public_key),
            None => (&draft.subject, &draft.public_key),
        };
        if draft.issuer.as_der() != name.as_der() || draft.issuer_key != *key {
            return Err(NotVerified::OtherIssuer);
        }
        // Without its root, an intermediate would be its own trust anchor, which no client has.
        if let Some(issuer) = issuer
            && let Some(last) = issuer.path().last().map(|(_, last)| last).filter(|last| !last.is_self_issued())
        {
            return Err(NotVerified::NoRoot { authority: issuer.name().to_owned(), root: last.issuer.to_string() });
        }
        let path = issuer.into_iter().flat_map(|issuer| issuer.path());
        verify_unsigned(&as_its_clients_read(&draft, &unsigned), path, now).map_err(NotVerified::Unsound)?;
        let client_facts = client_facts(&unsigned, issuer, now);
        Ok(VerifiedDraft { draft, to_be_signed, warnings, client_facts })
    }

    /// Returns the draft for the signature without a verification, for tests of what follows.
    #[cfg(test)]
    pub fn unverified(self) -> VerifiedDraft {
        let Self { draft, to_be_signed, warnings, .. } = self;
        VerifiedDraft { draft, to_be_signed, warnings, client_facts: Vec::new() }
    }
}

/// Returns the certificate as a client reads it that processes the critical extensions of its template. Other clients refuse it
/// (RFC 5280 §4.2), and a lint rule warns about that; no other critical extension is left out.
fn as_its_clients_read<'c>(draft: &Draft, unsigned: &'c Certificate) -> Cow<'c, Certificate> {
    if !draft.extensions.iter().any(|extension| extension.critical) {
        return Cow::Borrowed(unsigned);
    }
    let mut processed = unsigned.clone();
    processed.extensions.retain(|extension| !extension.critical || !draft.extensions.contains(extension));
    Cow::Owned(processed)
}

impl VerifiedDraft {
    pub(super) fn into_parts(self) -> (Vec<u8>, Draft) {
        (self.to_be_signed, self.draft)
    }

    /// Returns the draft that was verified.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Takes out what the lint rules found that does not forbid the certificate.
    pub fn take_warnings(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.warnings)
    }

    /// Takes out the facts that the certificate adds to the chain of a TLS server, and that clients may refuse.
    pub fn take_client_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.client_facts)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{INTERMEDIATE, NOW, ROOT, SERVER, below, profile, request, root, serial};
    use super::super::{CaCertificate, SignedBy, approve};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    /// What is signed by a CA cannot pass as a root, whose chain is itself, nor as a certificate of another CA.
    #[test]
    fn a_draft_is_verified_only_below_the_issuer_that_it_names() {
        let (one, other) = (root(KeyAlgorithm::EcdsaP256, ROOT), root(KeyAlgorithm::EcdsaP256, ROOT));
        let ca = one.ca_certificate();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let input = request("Test Issuing", &[], key.public_key());
        let draft = || Draft::new(&profile(INTERMEDIATE), &input, SignedBy::Issuer(ca), NOW, serial(2)).unwrap();
        let refused = |draft: Draft, issuer| approve(draft, issuer).unwrap().verified(NOW).map(drop);
        assert_eq!(refused(draft(), Some(ca)), Ok(()));
        assert_eq!(refused(draft(), None), Err(NotVerified::OtherIssuer));
        let key_id = other.ca_certificate().key_id();
        let of_other_name_sake = Draft { authority_key_id: key_id, ..draft() };
        assert_eq!(refused(of_other_name_sake, Some(other.ca_certificate())), Err(NotVerified::OtherIssuer));
        let of_other_key = Draft { issuer_key: key.public_key().clone(), ..draft() };
        assert_eq!(refused(of_other_key, Some(ca)), Err(NotVerified::OtherIssuer));
    }

    #[test]
    fn without_the_root_above_the_issuer_nothing_is_verified() {
        let root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let issuing = below(&root, INTERMEDIATE).unwrap().ca_certificate().certificate().clone();
        let alone = CaCertificate::new("issuing", issuing, Vec::new()).unwrap();
        let key = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        let leaf = profile(SERVER);
        let input = request("web.corp.test", &["web.corp.test"], key.public_key());
        let draft = Draft::new(&leaf, &input, SignedBy::Issuer(&alone), NOW, serial(2)).unwrap();
        let refused = approve(draft, Some(&alone)).unwrap().verified(NOW).map(drop);
        assert!(matches!(refused, Err(NotVerified::NoRoot { .. })), "{refused:?}");
    }
}
