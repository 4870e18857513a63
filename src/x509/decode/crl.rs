//! The decoding of CRLs, entry by entry: a CRL can have very many, and few callers keep them all.

use std::sync::Arc;

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::{CertificateRevocationList, RevokedCertificate};

use super::{
    DecodeError, Signed, authority_key_id, check_length, describe, elements, in_field, name, oid_text, place,
    raw_extension, signature_algorithm, whole, whole_value, without_leading_zeros,
};
use crate::x509::certificate::oid;
use crate::x509::crl::{RevocationReason, RevokedEntry};
use crate::x509::seen::Seen;
use crate::x509::{Crl, DistinguishedName, Extension, SerialNumber, der, distribution_point};

const WHAT: &str = "a CRL";
const ENTRY: &str = "an entry of a CRL";

/// The most damaged extensions of entries that are named; one is enough to refuse a CRL.
const MOST_MALFORMED: usize = 100;

impl Crl {
    /// Reads one CRL that fills `input` exactly.
    pub fn from_der(input: &[u8]) -> Result<Self, DecodeError> {
        let mut entries = Vec::new();
        let mut list = Self::read(input.to_vec(), |entry| entries.push(entry))?;
        list.entries = entries;
        Ok(list)
    }

    /// Decodes a CRL as [`from_der`](Self::from_der) does, but gives each entry to `each`, in order, and does not keep it:
    /// `entries` is empty.
    pub fn read(input: Vec<u8>, mut each: impl FnMut(RevokedEntry)) -> Result<Self, DecodeError> {
        // The library would build a tree of all entries, many times as long as the CRL. It gets the CRL without them, and
        // then one entry after another. When the CRL cannot be split, the library gets all of it and reports the error.
        let apart = take_apart(&input);
        let shell = apart.as_ref().map_or(&input[..], |(shell, _)| shell);
        check_length(WHAT, shell)?;
        let parsed = whole(WHAT, CertificateRevocationList::from_der(shell))
            .map_err(|error| error.located(&place::OF_CRL, &input))?;
        let signed = Signed::split(WHAT, &input).map_err(|error| error.located(&place::OF_CRL, &input))?;
        let tbs = &parsed.tbs_cert_list;
        if !tbs.revoked_certificates.is_empty() {
            return Err(malformed("its revoked certificates are not in one place"));
        }
        let fields =
            der::split_first(signed.tbs).and_then(|(_, content, _)| der::children(content)).unwrap_or_default();
        let after_version = usize::from(fields.first().is_some_and(|field| field[0] == der::INTEGER));
        let tbs_signature_algorithm = fields.get(after_version).copied().unwrap_or_default();
        elements::check_algorithms(tbs_signature_algorithm, signed.algorithm).map_err(malformed)?;
        if let Some(extensions) = fields.last().filter(|it| it.first() == Some(&der::context_constructed(0))) {
            elements::check_extensions(extensions).map_err(malformed)?;
        }

        let mut list = Self {
            der: Vec::new(),
            tbs: signed.tbs_range(),
            version: tbs.version.map_or(1, |version| version.0 + 1),
            tbs_signature_algorithm: signature_algorithm(oid_text(&tbs.signature.algorithm), tbs_signature_algorithm),
            signature_algorithm: signature_algorithm(oid_text(&parsed.signature_algorithm.algorithm), signed.algorithm),
            issuer: name(fields.get(after_version + 1).copied().unwrap_or_default())
                .map_err(|error| in_field(WHAT, "issuer", error))?,
            this_update: tbs.this_update.to_datetime(),
            next_update: tbs.next_update.map(|at| at.to_datetime()),
            entries: Vec::new(),
            extensions: Vec::new(),
            malformed: Vec::new(),
            number: None,
            authority_key_id: None,
            scope: None,
            delta_base: None,
            signature: parsed.signature_value.data.to_vec(),
        };
        let (mut seen, mut repeated) = (Seen::default(), Seen::default());
        for extension in tbs.extensions() {
            let raw = raw_extension(extension);
            if !seen.insert(extension.oid.as_bytes()) && repeated.insert(extension.oid.as_bytes()) {
                list.malformed.push((raw.oid.clone(), "it stands twice".to_owned()));
            }
            if let Err(reason) =
                whole_value(extension).and_then(|()| list.read_extension(extension.parsed_extension(), &raw))
            {
                list.malformed.push((raw.oid.clone(), reason));
            }
            list.extensions.push(raw);
        }
        let mut rest = apart.as_ref().map_or(&[][..], |(_, entries)| entries);
        let mut certificate_issuer = None;
        while !rest.is_empty() {
            let length = rest.len() - der::split_first(rest).map_or(0, |(.., after)| after.len());
            check_length(ENTRY, rest.get(..length).unwrap_or_default())?;
            let (after, revoked) = RevokedCertificate::from_der(rest)
                .map_err(|_| malformed("one of its entries cannot be read").located(&place::OF_CRL, &input))?;
            each(list.read_entry(&revoked, &mut certificate_issuer));
            rest = after;
        }
        list.der = input;
        Ok(list)
    }

    fn read_extension(&mut self, extension: &ParsedExtension<'_>, raw: &Extension) -> Result<(), String> {
        match extension {
            ParsedExtension::ParseError { error } => {
                return Err(format!("its content cannot be read: {}", describe(error)));
            }
            ParsedExtension::CRLNumber(number) => self.number = Some(number.to_bytes_be()),
            ParsedExtension::AuthorityKeyIdentifier(found) => self.authority_key_id = Some(authority_key_id(found)),
            // x509-parser is not used here: it leaves out entries that it cannot read.
            _ if raw.oid == oid::ISSUING_DISTRIBUTION_POINT => {
                self.scope = distribution_point::read_issuing_distribution_point(&raw.value);
                if self.scope.is_none() {
                    return Err("its content cannot be read".to_owned());
                }
            }
            _ if raw.oid == oid::DELTA_CRL_INDICATOR => match der::split_first(&raw.value) {
                Some((der::INTEGER, content, [])) => self.delta_base = Some(without_leading_zeros(content).to_vec()),
                _ => return Err("its content is not a number".to_owned()),
            },
            _ => {}
        }
        Ok(())
    }

    /// `certificate_issuer` is that of the previous entry, and becomes that of the following ones (RFC 5280 §5.3.3).
    fn read_entry(
        &mut self,
        revoked: &RevokedCertificate<'_>,
        certificate_issuer: &mut Option<Arc<DistinguishedName>>,
    ) -> RevokedEntry {
        let mut entry = RevokedEntry {
            serial: SerialNumber::from_der_content(revoked.raw_serial()),
            revoked_at: revoked.revocation_date.to_datetime(),
            reason: None,
            invalid_since: None,
            certificate_issuer: None,
            unknown_critical: Vec::new(),
        };
        for extension in revoked.extensions() {
            let malformed = self.malformed.len();
            if let Err(reason) = whole_value(extension) {
                self.malformed.push((oid_text(&extension.oid), reason));
            }
            match extension.parsed_extension() {
                ParsedExtension::ReasonCode(code) => entry.reason = RevocationReason::from_code(code.0),
                ParsedExtension::InvalidityDate(at) => entry.invalid_since = Some(at.to_datetime()),
                ParsedExtension::ParseError { error } => {
                    self.malformed
                        .push((oid_text(&extension.oid), format!("its content cannot be read: {}", describe(error))));
                }
                _ if oid_text(&extension.oid) == oid::CERTIFICATE_ISSUER => {
                    match distribution_point::read_certificate_issuer(extension.value) {
                        Some(name) => *certificate_issuer = Some(Arc::new(name)),
                        None => {
                            let reason = "it contains no directory name that can be read".to_owned();
                            self.malformed.push((oid::CERTIFICATE_ISSUER.to_owned(), reason));
                        }
                    }
                }
                _ if extension.critical => entry.unknown_critical.push(oid_text(&extension.oid)),
                _ => {}
            }
            self.malformed.truncate(malformed.max(MOST_MALFORMED));
        }
        entry.certificate_issuer.clone_from(certificate_issuer);
        entry
    }
}

fn malformed(reason: &str) -> DecodeError {
    DecodeError::Malformed { what: WHAT, reason: reason.to_owned() }
}

/// Returns the CRL without `revokedCertificates` (RFC 5280 §5.1.2.6), and the content of that field; `None` when there is
/// no such field, or the bytes are not a CRL.
fn take_apart(list: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let (der::SEQUENCE, content, []) = der::split_first(list)? else { return None };
    let [tbs, algorithm, signature] = der::children(content)?[..] else { return None };
    let (der::SEQUENCE, content, []) = der::split_first(tbs)? else { return None };
    let fields = der::children(content)?;
    // An optional version, the signature algorithm, the issuer, the issue date, and often the date of the next CRL.
    let at = usize::from(*fields.first()?.first()? == der::INTEGER) + 3;
    let at = at + usize::from(matches!(fields.get(at)?.first()?, &(der::UTC_TIME | der::GENERALIZED_TIME)));
    let (der::SEQUENCE, entries, []) = der::split_first(fields.get(at)?)? else { return None };
    let tbs = der::sequence(&[&fields[..at].concat(), &fields[at + 1..].concat()]);
    Some((der::sequence(&[&tbs, algorithm, signature]), entries))
}
