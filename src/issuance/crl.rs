//! A CRL before it is signed (RFC 5280 §5): every field is decided, encoded, decoded by another parser, and compared.
//!
//! It is encoded here and not by the encoder library, which would rewrite the issuer's name. The name has to be the CA's
//! byte for byte, whatever tool made the CA. The CRL is full and covers every certificate of its issuer, so that it needs
//! no issuing distribution point (§5.2.5).

use time::OffsetDateTime;

use super::ca_certificate::CaCertificate;
use super::issuer_error::IssuerError;
use crate::x509::crl::RevokedEntry;
use crate::x509::validity::{generalized_time_to_der, time_to_der};
use crate::x509::{Crl, DecodeError, DistinguishedName, KeyUsage, PublicKey, SignatureAlgorithm, der, digest, tbs};

/// Every field of a CRL, decided.
#[derive(Debug, Clone)]
pub struct CrlDraft {
    pub signature_algorithm: SignatureAlgorithm,
    pub issuer: DistinguishedName,
    pub this_update: OffsetDateTime,
    pub next_update: OffsetDateTime,
    pub number: u64,
    pub authority_key_id: Vec<u8>,
    pub revoked: Vec<RevokedEntry>,
    /// The encoded form of `revoked`: the content of `revokedCertificates` (§5.1.2.6), and its SHA-256.
    entries: Vec<u8>,
    content: [u8; 32],
    /// The key that must sign it.
    pub issuer_key: PublicKey,
}

/// A draft that was decoded again without a difference, and the exact bytes to be signed. Only [`approve_crl`] makes one,
/// and [`super::sign_crl`] consumes it.
pub struct ApprovedCrl {
    draft: CrlDraft,
    to_be_signed: Vec<u8>,
}

/// A CRL that was signed, and must be recorded before it leaves the process.
#[derive(Debug, Clone)]
pub struct SignedCrl {
    /// The bytes of the whole CRL.
    pub der: Vec<u8>,
}

/// Why a CRL must not be signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CrlNotApproved {
    #[error("what was written cannot be read back: {0}")]
    Decode(#[from] DecodeError),
    #[error("what was written is not what was decided: the {0} of the CRL differs")]
    Differs(&'static str),
}

impl CrlDraft {
    /// Decides every field.
    ///
    /// # Errors
    /// When the issuer may not sign CRLs.
    pub fn new(
        issuer: &CaCertificate,
        number: u64,
        this_update: OffsetDateTime,
        next_update: OffsetDateTime,
        revoked: Vec<RevokedEntry>,
    ) -> Result<Self, IssuerError> {
        let certificate = issuer.certificate();
        // RFC 5280 §4.2.1.3; older tools left the extension out, and without it the key is unrestricted.
        if certificate.key_usage.is_some_and(|usage| !usage.contains(KeyUsage::CRL_SIGN)) {
            return Err(IssuerError::MayNotSignCrls(issuer.name().to_owned()));
        }
        let entries = entries_to_der(&revoked);
        Ok(Self {
            signature_algorithm: issuer.signature_algorithm().clone(),
            issuer: issuer.subject().clone(),
            this_update,
            next_update,
            number,
            authority_key_id: issuer.key_id(),
            content: digest::sha256(&entries),
            entries,
            revoked,
            issuer_key: certificate.public_key.clone(),
        })
    }

    /// Returns the SHA-256 of the entries: the same as long as no certificate was revoked or released.
    pub fn content_digest(&self) -> [u8; 32] {
        self.content
    }
}

impl ApprovedCrl {
    pub(super) fn into_parts(self) -> (Vec<u8>, CrlDraft) {
        (self.to_be_signed, self.draft)
    }
}

/// Encodes a draft, decodes it and compares it field by field.
///
/// # Errors
/// When the encoded CRL differs from the draft.
pub fn approve_crl(mut draft: CrlDraft) -> Result<ApprovedCrl, CrlNotApproved> {
    let to_be_signed = to_be_signed(&mut draft);
    let unsigned = tbs::assemble(&to_be_signed, &draft.signature_algorithm, &[]);
    // There can be very many entries: each is compared when it is read, and none is kept.
    let mut decided = draft.revoked.iter();
    let mut are_alike = true;
    let unsigned = Crl::read(unsigned, |entry| are_alike &= decided.next() == Some(&entry))?;
    are_alike &= decided.next().is_none();
    match first_difference(&draft, &unsigned, are_alike) {
        Some(field) => Err(CrlNotApproved::Differs(field)),
        None => Ok(ApprovedCrl { draft, to_be_signed }),
    }
}

fn first_difference(draft: &CrlDraft, written: &Crl, are_alike: bool) -> Option<&'static str> {
    let key_id = written.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
    let fields = [
        ("version", written.version == 2),
        ("signature algorithm", written.tbs_signature_algorithm == draft.signature_algorithm),
        ("issuer", written.issuer.as_der() == draft.issuer.as_der()),
        ("issue date", written.this_update == draft.this_update),
        ("next update", written.next_update == Some(draft.next_update)),
        ("number", written.number == Some(magnitude(draft.number))),
        ("authority key identifier", key_id == Some(&draft.authority_key_id)),
        ("form", written.malformed.is_empty() && written.extensions.len() == 2),
        ("scope", written.scope.is_none() && written.delta_base.is_none()),
        ("list of certificates", are_alike),
    ];
    fields.into_iter().find(|(_, same)| !same).map(|(field, _)| field)
}

/// Returns the `TBSCertList` (§5.1.2).
fn to_be_signed(draft: &mut CrlDraft) -> Vec<u8> {
    const VERSION_2: u8 = 1;
    // "When there are no revoked certificates, the revoked certificates list MUST be absent" (§5.1.2.6).
    // The entries are not needed twice.
    let entries = std::mem::take(&mut draft.entries);
    let head = if entries.is_empty() { Vec::new() } else { der::head(der::SEQUENCE, entries.len()) };
    let key_id = der::sequence(&[&der::value(der::context(0), &draft.authority_key_id)]);
    let number = der::unsigned_integer(&draft.number.to_be_bytes());
    let extensions = der::sequence(&[&extension(AUTHORITY_KEY_ID, &key_id), &extension(CRL_NUMBER, &number)]);
    der::sequence(&[
        &der::value(der::INTEGER, &[VERSION_2]),
        &draft.signature_algorithm.der,
        draft.issuer.as_der(),
        &time_to_der(draft.this_update),
        &time_to_der(draft.next_update),
        &head,
        &entries,
        &der::value(der::context_constructed(0), &extensions),
    ])
}

/// Object identifiers below id-ce, 2.5.29 (§5.2.1, §5.2.3, §5.3.1, §5.3.2). None of these extensions is critical.
const AUTHORITY_KEY_ID: u8 = 35;
const CRL_NUMBER: u8 = 20;
const REASON_CODE: u8 = 21;
const INVALIDITY_DATE: u8 = 24;

fn extension(last_arc: u8, content: &[u8]) -> Vec<u8> {
    let oid = der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, last_arc]);
    der::sequence(&[&oid, &der::value(der::OCTET_STRING, content)])
}

/// Returns the content of `revokedCertificates` (§5.1.2.6). There can be very many: nothing is allocated for each.
fn entries_to_der(revoked: &[RevokedEntry]) -> Vec<u8> {
    // About the length of a serial number of 16 bytes, a date and a reason.
    let mut out = Vec::with_capacity(revoked.len() * 52);
    let (mut fields, mut extensions) = (Vec::new(), Vec::new());
    // Many certificates are revoked in the same second.
    let mut last = None;
    for entry in revoked {
        fields.clear();
        extensions.clear();
        der::push(&mut fields, der::INTEGER, entry.serial.as_der_content());
        let (_, at) = match last.take() {
            Some((second, der)) if second == entry.revoked_at => last.insert((second, der)),
            _ => last.insert((entry.revoked_at, time_to_der(entry.revoked_at))),
        };
        fields.extend_from_slice(at);
        if let Some(reason) = entry.reason {
            // SEQUENCE { id-ce-cRLReasons, OCTET STRING { ENUMERATED } }
            let oid_and_value =
                [6, 3, 0x55, 0x1d, REASON_CODE, der::OCTET_STRING, 3, der::ENUMERATED, 1, reason.code()];
            der::push(&mut extensions, der::SEQUENCE, &oid_and_value);
        }
        if let Some(since) = entry.invalid_since {
            // GeneralizedTime in every year.
            extensions.extend_from_slice(&extension(INVALIDITY_DATE, &generalized_time_to_der(since)));
        }
        if !extensions.is_empty() {
            der::push(&mut fields, der::SEQUENCE, &extensions);
        }
        der::push(&mut out, der::SEQUENCE, &fields);
    }
    out
}

/// Returns the number in big-endian form, without leading zeros.
fn magnitude(number: u64) -> Vec<u8> {
    number.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::macros::datetime;

    use super::super::testing::{NOW, ROOT, root};
    use super::super::{Issuer, sign_crl};
    use super::*;
    use crate::keys::{self, PrivateKey};
    use crate::x509::crl::RevocationReason;
    use crate::x509::{IssuingDistributionPoint, KeyAlgorithm, SerialNumber};

    fn signed(issuer: &Issuer<'_>, number: u64, next: OffsetDateTime, revoked: &[RevokedEntry]) -> Crl {
        let draft = CrlDraft::new(issuer.ca_certificate(), number, NOW, next, revoked.to_vec()).unwrap();
        let der = issuer.sign_crl(approve_crl(draft).unwrap()).unwrap().der;
        Crl::from_der(&der).unwrap()
    }

    fn entry(serial: &[u8], reason: Option<RevocationReason>) -> RevokedEntry {
        RevokedEntry {
            serial: SerialNumber::from_der_content(serial),
            revoked_at: NOW,
            reason,
            invalid_since: None,
            certificate_issuer: None,
            unknown_critical: Vec::new(),
        }
    }

    #[test]
    fn a_crl_is_signed_with_every_kind_of_key_and_equals_its_draft() {
        for algorithm in
            [KeyAlgorithm::EcdsaP256, KeyAlgorithm::EcdsaP384, KeyAlgorithm::EcdsaP521, KeyAlgorithm::Ed25519]
        {
            let issuer = root(algorithm, ROOT);
            let certificate = issuer.ca_certificate().certificate();
            let list = signed(&issuer, 300, datetime!(2050-01-01 0:00 UTC), &[entry(&[5], None)]);
            assert_eq!(list.issuer.as_der(), certificate.subject.as_der());
            assert_eq!(list.authority_key_id.as_ref().unwrap().key_id, certificate.subject_key_id);
            assert_eq!(list.next_update, Some(datetime!(2050-01-01 0:00 UTC)), "a GeneralizedTime from 2050 on");
            let verified =
                keys::verify(&certificate.public_key, &list.signature_algorithm, list.tbs(), &list.signature);
            assert_eq!(verified, Ok(()), "{algorithm}");
        }
    }

    #[test]
    fn a_crl_without_entries_leaves_the_field_out() {
        let list = signed(&root(KeyAlgorithm::EcdsaP256, ROOT), 1, NOW, &[]);
        // Version, algorithm, issuer, two times, extensions.
        let (_, content, _) = der::split_first(list.tbs()).unwrap();
        assert_eq!(der::children(content).unwrap().len(), 6);
    }

    #[test]
    fn a_ca_without_crl_sign_signs_no_crl() {
        let issuer = root(KeyAlgorithm::EcdsaP256, &ROOT.replace(", \"crl-sign\"", ""));
        let draft = CrlDraft::new(issuer.ca_certificate(), 1, NOW, NOW, Vec::new());
        assert!(matches!(draft, Err(IssuerError::MayNotSignCrls(name)) if name == "root"));
    }

    #[test]
    fn another_key_than_that_of_the_draft_signs_nothing() {
        let issuer = root(KeyAlgorithm::EcdsaP256, ROOT);
        let draft = CrlDraft::new(issuer.ca_certificate(), 1, NOW, NOW, Vec::new()).unwrap();
        let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
        assert!(matches!(sign_crl(approve_crl(draft).unwrap(), &other), Err(IssuerError::OtherKey)));
    }

    #[test]
    fn what_is_not_read_back_as_it_was_decided_is_not_approved() {
        let issuer = root(KeyAlgorithm::EcdsaP256, ROOT);
        let draft = || CrlDraft::new(issuer.ca_certificate(), 7, NOW, NOW, vec![entry(&[9], None)]).unwrap();
        // A fraction of a second cannot be written, and another entry was not.
        let lost = CrlDraft { this_update: NOW + time::Duration::MILLISECOND, ..draft() };
        let other = CrlDraft { revoked: vec![entry(&[8], None)], ..draft() };
        let longer = CrlDraft { revoked: vec![entry(&[9], None), entry(&[8], None)], ..draft() };
        let shorter = CrlDraft { revoked: Vec::new(), ..draft() };
        let lists = [other, longer, shorter].map(|altered| (altered, "list of certificates"));
        for (altered, field) in [(lost, "issue date")].into_iter().chain(lists) {
            assert_eq!(approve_crl(altered).err(), Some(CrlNotApproved::Differs(field)));
        }
    }

    #[test]
    fn each_field_of_a_crl_is_compared_with_the_draft() {
        let issuer = root(KeyAlgorithm::EcdsaP256, ROOT);
        let draft = CrlDraft::new(issuer.ca_certificate(), 7, NOW, NOW, Vec::new()).unwrap();
        let written = signed(&issuer, 7, NOW, &[]);
        assert_eq!(first_difference(&draft, &written, true), None);
        assert_eq!(first_difference(&draft, &written, false), Some("list of certificates"));
        let other = root(KeyAlgorithm::Ed25519, &ROOT.replace("\"name\"", "\"Other\""));
        let other = signed(&other, 8, NOW + time::Duration::HOUR, &[]);
        let scope = IssuingDistributionPoint {
            name: None,
            only_user_certificates: false,
            only_ca_certificates: true,
            only_attribute_certificates: false,
            only_some_reasons: None,
            indirect: false,
        };
        type Bend<'a> = &'a dyn Fn(&mut Crl);
        let bent: [(Bend<'_>, &str); 11] = [
            (&|list| list.version = 1, "version"),
            (&|list| list.tbs_signature_algorithm = other.signature_algorithm.clone(), "signature algorithm"),
            (&|list| list.issuer = other.issuer.clone(), "issuer"),
            (&|list| list.this_update += time::Duration::SECOND, "issue date"),
            (&|list| list.next_update = None, "next update"),
            (&|list| list.number = other.number.clone(), "number"),
            (&|list| list.authority_key_id = other.authority_key_id.clone(), "authority key identifier"),
            (&|list| list.malformed.push(Default::default()), "form"),
            (&|list| list.extensions.push(list.extensions[0].clone()), "form"),
            (&|list| list.scope = Some(scope.clone()), "scope"),
            (&|list| list.delta_base = Some(vec![1]), "scope"),
        ];
        for (bend, field) in bent {
            let mut altered = written.clone();
            bend(&mut altered);
            assert_eq!(first_difference(&draft, &altered, true), Some(field));
        }
    }

    fn entries() -> impl Strategy<Value = Vec<RevokedEntry>> {
        let seconds = -631_152_000..250_000_000_000_i64;
        let reason = prop::sample::select(vec![None, Some(1), Some(2), Some(5), Some(6), Some(9), Some(10)]);
        let one = (prop::collection::vec(any::<u8>(), 1..21), seconds.clone(), reason, prop::option::of(seconds));
        let one = one.prop_map(|(serial, at, reason, since)| {
            let moment = |seconds| OffsetDateTime::from_unix_timestamp(seconds).unwrap();
            RevokedEntry {
                serial: SerialNumber::from_random(&serial).unwrap_or(SerialNumber::from_der_content(&[1])),
                revoked_at: moment(at),
                reason: reason.and_then(RevocationReason::from_code),
                invalid_since: since.map(moment),
                certificate_issuer: None,
                unknown_critical: Vec::new(),
            }
        });
        prop::collection::vec(one, 0..6)
    }

    proptest! {
        #[test]
        fn every_crl_is_read_by_the_other_parser(number in 1..u64::MAX, revoked in entries()) {
            let issuer = root(KeyAlgorithm::Ed25519, ROOT);
            let list = signed(&issuer, number, NOW, &revoked);
            prop_assert_eq!(list.entries, revoked);
            prop_assert_eq!(list.number, Some(magnitude(number)));
            prop_assert!(list.malformed.is_empty());
        }
    }
}
