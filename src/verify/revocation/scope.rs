//! RFC 5280 §6.3.3 (b), (d): the certificates and revocation reasons that a CRL covers.

use std::collections::HashSet;

use crate::verify::candidate::{Candidate, CandidateCrl};
use crate::x509::certificate::oid;
use crate::x509::distribution_point::{complete_relative_name, directory_name};
use crate::x509::{CanonicalName, DistributionPoint, PointName, ReasonFlags, der};

/// The relation of a CRL to a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrlScope {
    /// It covers the certificate for these reasons.
    Covers(ReasonFlags),
    /// It is of an issuer whose CRLs are used for the certificate, but does not cover it, for this reason.
    Beyond(&'static str),
    /// It is of another issuer.
    Unrelated,
}

/// Returns the relation of `crl` to the certificate.
pub fn of(crl: &CandidateCrl, candidate: &Candidate) -> CrlScope {
    let is_own = crl.issuer == candidate.issuer;
    if !is_own && !candidate.certificate.distribution_points.iter().any(|point| names_issuer(point, crl)) {
        return CrlScope::Unrelated;
    }
    match covered(crl, candidate, is_own) {
        Ok(reasons) => CrlScope::Covers(reasons),
        Err(why) => CrlScope::Beyond(why),
    }
}

fn covered(crl: &CandidateCrl, candidate: &Candidate, is_own: bool) -> Result<ReasonFlags, &'static str> {
    const NOT_INDIRECT: &str = "is of another issuer than the certificate, and not marked as indirect";
    let Some(scope) = &crl.contents.scope else {
        return match (crl.contents.extension(oid::ISSUING_DISTRIBUTION_POINT), is_own) {
            (Some(_), _) => Err("has a scope that cannot be read"),
            (None, true) => Ok(ReasonFlags::ALL),
            (None, false) => Err(NOT_INDIRECT),
        };
    };
    let is_ca = candidate.certificate.is_ca();
    if !is_own && !scope.indirect {
        return Err(NOT_INDIRECT);
    }
    if scope.only_attribute_certificates {
        return Err("covers attribute certificates only");
    }
    if scope.only_user_certificates && is_ca {
        return Err("covers only certificates that are not CAs");
    }
    if scope.only_ca_certificates && !is_ca {
        return Err("covers CA certificates only");
    }
    // §6.3.3, last paragraph: every certificate has an implied point with the name of its issuer and without reasons.
    let implied = DistributionPoint {
        name: Some(PointName::Full(vec![issuer_as_general_name(candidate)])),
        reasons: None,
        crl_issuer: None,
    };
    let published: Option<HashSet<Key>> = scope.name.as_ref().map(|name| names_of_point(name, crl).collect());
    let matching = candidate.certificate.distribution_points.iter().chain([&implied]).filter(|point| {
        // (b) (1): a point with a CRL issuer requires an indirect CRL of that issuer.
        let is_of_its_issuer = match &point.crl_issuer {
            None => is_own,
            Some(_) => scope.indirect && names_issuer(point, crl),
        };
        // (b) (2) (i).
        is_of_its_issuer
            && published.as_ref().is_none_or(|published| match (&point.name, &point.crl_issuer) {
                (Some(name), _) => names_of_point(name, crl).any(|name| published.contains(&name)),
                (None, Some(issuers)) => issuers.iter().any(|name| published.contains(&key(name))),
                (None, None) => false,
            })
    });
    let reasons = matching.map(|point| point.reasons.unwrap_or(ReasonFlags::ALL)).reduce(ReasonFlags::union);
    let own = scope.only_some_reasons.unwrap_or(ReasonFlags::ALL);
    reasons
        .map(|reasons| own.intersection(reasons))
        .ok_or("covers another distribution point than those of the certificate")
}

fn names_issuer(point: &DistributionPoint, crl: &CandidateCrl) -> bool {
    let mut issuers = point.crl_issuer.iter().flatten().filter_map(|name| directory_name(name));
    issuers.any(|name| CanonicalName::of(&name) == crl.issuer)
}

/// A general name for comparison: directory names in canonical form, all others as DER.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Directory(CanonicalName),
    Bytes(Vec<u8>),
}

fn key(general_name: &[u8]) -> Key {
    match directory_name(general_name) {
        Some(name) => Key::Directory(CanonicalName::of(&name)),
        None => Key::Bytes(general_name.to_vec()),
    }
}

/// Returns the full names of a point; a relative name is appended to the name of the CRL's issuer.
fn names_of_point(name: &PointName, crl: &CandidateCrl) -> impl Iterator<Item = Key> {
    let names = match name {
        PointName::Full(names) => names.clone(),
        PointName::Relative(attributes) => {
            complete_relative_name(&crl.contents.issuer, attributes).into_iter().collect()
        }
    };
    names.into_iter().map(|name| key(&name))
}

fn issuer_as_general_name(candidate: &Candidate) -> Vec<u8> {
    der::value(der::context_constructed(4), candidate.certificate.issuer.as_der())
}
