//! An intermediate as it is, the authority that signs its next certificate, and the validity that both permit.

use time::{Duration, OffsetDateTime};

use crate::authority::hierarchy::ca_profile::INTERMEDIATE;
use crate::authority::hierarchy::renewal::error::NextAuthorityError;
use crate::authority::hierarchy::renewal::order::NextAuthorityOrder;
use crate::authority::hierarchy::rotation::recertify::{profile_of, readdress, values_of};
use crate::authority::issuer_chain::check_not_revoked;
use crate::authority::leaf::follow::check_may_be_followed;
use crate::authority::leaf::request_inputs;
use crate::authority::leaf::subject_key_checks::check_not_compromised;
use crate::authority::signed_by::has_signed;
use crate::issuance::draft::not_before;
use crate::issuance::{CaCertificate, Draft, DraftRefusal, Expiry, Profile, SignedBy, recertify};
use crate::store::ca_certificates::CaCertificates;
use crate::store::index::Index;
use crate::store::{Store, StoreError};
use crate::text::{Lifetime, humanize};
use crate::x509::{Certificate, SerialNumber, Validity};

/// An intermediate that gets its next certificate.
#[derive(Debug)]
pub struct Present {
    pub name: String,
    pub certificate: Certificate,
    pub template: String,
    /// The profile of the template, for lifetimes and serial numbers.
    pub profile: Profile,
    /// The authority that signs the next certificate: the one that signed this one, or the one that replaced it.
    pub issuer: CaCertificate,
    /// The name of the authority that signed this certificate.
    signed_by: String,
}

/// The validity of the next certificate.
#[derive(Debug, Clone, Copy)]
pub struct NextValidity {
    pub validity: Validity,
    /// True when it is shorter than wanted, because the issuer expires.
    pub clipped: bool,
}

impl Present {
    /// Reads an intermediate and its issuer.
    ///
    /// # Errors
    /// When it is a root, was replaced, or was signed by another CA; or a file cannot be read.
    pub fn read(store: &Store, name: &str) -> Result<Self, NextAuthorityError> {
        let (authorities, index) = (store.ca_certificates(), store.index()?);
        let name = authorities.choose(Some(name), store.config())?;
        let certificate = authorities.certificate(&name)?;
        if certificate.is_self_issued() {
            return Err(NextAuthorityError::Root(name));
        }
        if let Some(by) = authorities.successor_of(&name)? {
            return Err(NextAuthorityError::Replaced { name, by });
        }
        let Some(signed_by) = signer_of(authorities, &name, &certificate)? else {
            let request = Some(store.home().request(&name)).filter(|path| path.is_file());
            return Err(NextAuthorityError::IssuerElsewhere { name, issuer: certificate.issuer.to_string(), request });
        };
        let issuer = authorities.ca_certificate(&authorities.newest_of(signed_by.clone())?)?;
        let template = index.history(&name)?.pop().map_or_else(|| INTERMEDIATE.to_owned(), |last| last.template);
        let profile = match profile_of(store, &template)? {
            Some(profile) => profile,
            None => request_inputs::profile(Some(store), INTERMEDIATE)?,
        };
        Ok(Self { name, certificate, template, profile, issuer, signed_by })
    }

    /// Checks that neither the authority nor one above it is revoked, and with `keeps_key` that its key is not compromised.
    ///
    /// # Errors
    /// When one is, or the index cannot be read.
    pub fn check(&self, index: &Index, keeps_key: bool, now: OffsetDateTime) -> Result<(), NextAuthorityError> {
        let entry = index.by_fingerprint(&self.certificate.serial, self.certificate.fingerprint())?;
        if let Some(entry) = entry {
            check_may_be_followed(&entry, keeps_key)?;
        }
        if keeps_key {
            check_not_compromised(index, &self.certificate.public_key, now)?;
        }
        Ok(check_not_revoked(&self.issuer, index)?)
    }

    /// Returns the validity that was ordered; by default, the lifetime of the template, not shorter than the present
    /// certificate, as far as the issuer lasts.
    ///
    /// # Errors
    /// When the order is longer than the template or the issuer permits.
    pub fn validity(
        &self,
        store: &Store,
        order: &NextAuthorityOrder,
        now: OffsetDateTime,
    ) -> Result<NextValidity, NextAuthorityError> {
        let usual = match self.template == INTERMEDIATE {
            true => store.config().intermediate.lifetime,
            false => self.profile.lifetime,
        };
        let longest = self.profile.longest.max(usual);
        let ordered = order.expiry.filter(|expiry| *expiry != Expiry::Default);
        let lifetime = match ordered {
            None | Some(Expiry::Default) => Some(usual),
            Some(Expiry::For(lifetime)) => Some(lifetime),
            Some(Expiry::At(_)) => None,
        };
        let not_before = not_before(self.profile.backdate, lifetime, Some(&self.issuer), now);
        let after = |lifetime: Lifetime| {
            let end = not_before.checked_add(lifetime.as_duration() - Duration::SECOND);
            end.filter(|end| *end <= Validity::LATEST).ok_or(DraftRefusal::BeyondAllDates)
        };
        let (authority, issuer_end) = self.issuer.end();
        let wanted = match ordered {
            Some(Expiry::At(end)) => end,
            Some(Expiry::For(lifetime)) => after(lifetime)?,
            None | Some(Expiry::Default) => after(usual)?.max(self.certificate.validity.not_after),
        };
        if wanted < not_before {
            return Err(DraftRefusal::EndsBeforeItBegins { begin: not_before, end: wanted }.into());
        }
        let (wanted_length, is_ordered) = (Validity { not_before, not_after: wanted }.length(), ordered.is_some());
        if is_ordered && wanted_length > longest.as_duration() {
            let template = self.template.clone();
            let asked = lifetime.map_or_else(|| humanize(wanted_length), |lifetime| lifetime.to_string());
            return Err(DraftRefusal::TooLong { template, asked, longest }.into());
        }
        let clipped = wanted > issuer_end;
        if clipped && is_ordered && !order.clip {
            return Err(DraftRefusal::OutlivesIssuer { authority, end: wanted, issuer_end }.into());
        }
        Ok(NextValidity { validity: Validity { not_before, not_after: wanted.min(issuer_end) }, clipped })
    }

    /// Refuses a next certificate that could not expire later than the present one, because the same issuer does not.
    ///
    /// # Errors
    /// When nothing would be won.
    pub fn check_longer(&self, store: &Store) -> Result<(), NextAuthorityError> {
        let end = self.certificate.validity.not_after;
        if self.issuer.end().1 > end || self.signed_by != self.issuer.name() {
            return Ok(());
        }
        let (limit, is_root) = limit_of(store.ca_certificates(), &self.issuer)?;
        Err(NextAuthorityError::NotLonger { name: self.name.clone(), limit, is_root, end })
    }

    /// Returns the draft of the next certificate for the same key: the same subject, rights and limits.
    ///
    /// # Errors
    /// When it has an extension that cannot be written here, or the issuer may not sign it.
    pub fn draft(
        &self,
        store: &Store,
        validity: Validity,
        now: OffsetDateTime,
        serial: SerialNumber,
    ) -> Result<Draft, NextAuthorityError> {
        let mut draft = recertify(&self.certificate, SignedBy::Issuer(&self.issuer), now, validity, serial)?;
        draft.basic_constraints.path_length = self.path_length();
        if self.signed_by == self.issuer.name() {
            // They lead to the certificate of the same issuer.
            draft.ca_issuer_urls.clone_from(&self.certificate.ca_issuer_urls);
        } else {
            let values = |issuer: &str| values_of(store, &self.name, &self.profile, issuer);
            let values = [values(self.issuer.name())?, values(&self.signed_by)?];
            readdress(&mut draft, &self.certificate, &self.profile.distribution, &values);
        }
        Ok(draft)
    }

    /// Returns its path length: as it was, and no more than the CAs above it leave (RFC 5280 §6.1.4 (l), (m)).
    fn path_length(&self) -> Option<u32> {
        let own = self.certificate.basic_constraints.and_then(|constraints| constraints.path_length);
        let above = self.issuer.path().enumerate().filter_map(|(depth, (_, ca))| {
            let length = ca.basic_constraints.and_then(|constraints| constraints.path_length)?;
            Some(length.saturating_sub(u32::try_from(depth).unwrap_or(u32::MAX).saturating_add(1)))
        });
        // Without a length of its own, it stays without one: the CAs above it limit its chains as before.
        own.map(|own| above.fold(own, u32::min))
    }

    /// Returns the certificates between it and its root, the issuer first.
    pub fn chain(&self) -> Vec<Certificate> {
        let path = self.issuer.path().map(|(_, certificate)| certificate);
        path.filter(|certificate| !certificate.is_self_issued()).cloned().collect()
    }
}

/// Returns the authority that signed a certificate of another; `None` when this CA does not have it.
fn signer_of(
    authorities: &CaCertificates,
    name: &str,
    certificate: &Certificate,
) -> Result<Option<String>, StoreError> {
    for other in authorities.names()? {
        if other != name && has_signed(&authorities.certificate(&other)?, certificate) {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

/// Returns the authority that limits the lifetime of what this issuer signs: itself, or one above it; and whether it is a root.
///
/// # Errors
/// When a certificate cannot be read.
pub fn limit_of(authorities: &CaCertificates, issuer: &CaCertificate) -> Result<(String, bool), StoreError> {
    let (_, end) = issuer.end();
    let limit = issuer.path().map(|(_, certificate)| certificate).find(|it| it.validity.not_after == end);
    let limit = limit.unwrap_or(issuer.certificate());
    for name in authorities.names()? {
        if authorities.certificate(&name)? == *limit {
            return Ok((name, limit.is_self_issued()));
        }
    }
    Ok((issuer.name().to_owned(), issuer.certificate().is_self_issued()))
}
