//! The content of a certificate.

use time::OffsetDateTime;

use crate::keys::{self, verification::VerificationError};
use crate::report::describe::fields::{
    authority_key_id_words, extension_fields, fingerprint_fields, malformed_fields, name_fields, names_field,
    public_key_fields, signature_field, unreadable_fields, when,
};
use crate::report::describe::json::{
    AttributeJson, AuthorityKeyIdJson, BasicConstraintsJson, CertificateJson, ExtensionJson, MalformedJson,
    NameConstraintsJson, ObjectJson, PublicKeyJson, SignatureJson,
};
use crate::report::describe::object::Describe;
use crate::report::json::{Hex, NameJson, Shown, SignedSerial, Time};
use crate::report::page::{Page, Tone};
use crate::text::{self, how_far, humanize, rfc3339};
use crate::x509::name_constraints::Subtree;
use crate::x509::{BasicConstraints, Certificate, ExtendedKeyUsage, digest};

/// A certificate, looked at at a certain time.
pub struct DescribedCertificate {
    pub certificate: Certificate,
    pub now: OffsetDateTime,
}

impl Describe for DescribedCertificate {
    fn title(&self) -> String {
        let Certificate { subject, .. } = &self.certificate;
        let shown = subject.common_name().map(str::to_owned).unwrap_or_else(|| subject.to_string());
        match (self.certificate.is_ca(), self.own_signature()) {
            (true, Own::OtherKey) => format!("certificate of a CA, signed by another key of its name: {shown}"),
            (true, Own::OtherName) => format!("certificate of an intermediate CA: {shown}"),
            (true, Own::Signed | Own::Unknown) => format!("certificate of a root CA: {shown}"),
            (false, _) => format!("certificate: {shown}"),
        }
    }

    fn text(&self, page: &mut Page) {
        let Self { certificate, now } = self;
        page.field("Version", &certificate.version.to_string());
        name_fields(page, "Subject", &certificate.subject);
        name_fields(page, "Issuer", &certificate.issuer);
        if let Some(names) = &certificate.subject_alt_names {
            names_field(page, "Names (SANs)", names);
        }
        page.field("Issue date", &when(certificate.validity.not_before, *now));
        let (tone, left) = self.time_left();
        page.toned_field("Expires", tone, &format!("{} ({left})", rfc3339(certificate.validity.not_after)));
        page.field("Valid for", &humanize(certificate.validity.length()));
        page.field("Serial", &certificate.serial.with_sign());
        public_key_fields(page, &certificate.public_key);
        page.field("CA", &authority_words(certificate.basic_constraints));
        if let Some(usage) = certificate.key_usage {
            page.field("Key usage", &usage.to_string());
        }
        if let Some(purposes) = &certificate.extended_key_usage {
            page.rows("Purposes", &purposes.iter().map(purpose_words).collect::<Vec<_>>());
        }
        if let Some(constraints) = &certificate.name_constraints {
            let words = |subtrees: &[Subtree]| subtrees.iter().map(Subtree::to_string).collect::<Vec<_>>();
            let fields = [("Permitted names", &constraints.permitted), ("Excluded names", &constraints.excluded)];
            for (label, subtrees) in fields.into_iter().filter(|(_, subtrees)| !subtrees.is_empty()) {
                page.rows(label, &words(subtrees));
            }
        }
        if let Some(id) = &certificate.subject_key_id {
            page.field("Key id", &text::hex(id));
        }
        if let Some(id) = &certificate.authority_key_id {
            let words = authority_key_id_words(id);
            match self.own_signature() {
                Own::OtherKey => page.field("Issuer's key id", &format!("{words}, another key of this name")),
                _ => page.field("Issuer's key id", &words),
            }
        }
        let lists = [
            ("CRL at", &certificate.crl_urls),
            ("OCSP at", &certificate.ocsp_urls),
            ("Issuer at", &certificate.ca_issuer_urls),
            ("Policies", &certificate.policies),
        ];
        for (label, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
            page.rows(label, list);
        }
        extension_fields(page, &certificate.extensions);
        unreadable_fields(page, &certificate.unreadable);
        malformed_fields(page, &certificate.malformed);
        signature_field(page, &certificate.signature_algorithm, &certificate.signature);
        if certificate.tbs_signature_algorithm.der != certificate.signature_algorithm.der {
            let inside = &certificate.tbs_signature_algorithm;
            page.toned_field("", Tone::Bad, &format!("but what is signed names {inside} (RFC 5280 §4.1.1.2)"));
        }
        fingerprint_fields(page, certificate.as_der());
    }

    fn json(&self) -> ObjectJson<'_> {
        let Self { certificate, now } = self;
        let validity = certificate.validity;
        let extended = certificate.extended_key_usage.as_ref();
        ObjectJson::Certificate(Box::new(CertificateJson {
            kind: "certificate",
            version: certificate.version,
            version_number: certificate.version,
            subject: Shown(&certificate.subject),
            subject_attributes: AttributeJson::all(&certificate.subject),
            issuer: Shown(&certificate.issuer),
            issuer_attributes: AttributeJson::all(&certificate.issuer),
            self_issued: certificate.is_self_issued(),
            self_signed: match self.own_signature() {
                Own::Signed => Some(true),
                Own::OtherKey | Own::OtherName => Some(false),
                Own::Unknown => None,
            },
            sans: certificate.subject_alt_names.as_ref().map(NameJson::all),
            not_before: Time(validity.not_before),
            not_after: Time(validity.not_after),
            length_seconds: validity.length().whole_seconds(),
            seconds_left: (validity.not_after - *now).whole_seconds(),
            time_left: self.time_left().1,
            serial: SignedSerial(&certificate.serial),
            public_key: PublicKeyJson::new(&certificate.public_key),
            is_ca: certificate.is_ca(),
            basic_constraints: certificate.basic_constraints.map(BasicConstraintsJson::new),
            key_usage: certificate.key_usage.map(|usage| usage.names()),
            extended_key_usage: extended.map(|purposes| purposes.iter().map(Shown).collect()),
            name_constraints: certificate.name_constraints.as_ref().map(NameConstraintsJson::new),
            subject_key_id: certificate.subject_key_id.as_deref().map(Hex),
            authority_key_id: certificate.authority_key_id.as_ref().map(AuthorityKeyIdJson::new),
            crl_urls: &certificate.crl_urls,
            ocsp_urls: &certificate.ocsp_urls,
            ca_issuer_urls: &certificate.ca_issuer_urls,
            policies: &certificate.policies,
            extensions: ExtensionJson::all(&certificate.extensions),
            malformed: MalformedJson::all(&certificate.malformed, &certificate.unreadable),
            signature: SignatureJson::new(&certificate.signature_algorithm, &certificate.signature),
            signed_signature_algorithm: Shown(&certificate.tbs_signature_algorithm),
            fingerprint_sha256: Hex(certificate.fingerprint()),
            fingerprint_sha1: Hex(digest::sha1(certificate.as_der())),
        }))
    }
}

/// Whether a certificate is signed with its own key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Signed,
    /// Subject and issuer are the same name, and another key signed it: a CA that changed its key.
    OtherKey,
    OtherName,
    /// The signature cannot be checked.
    Unknown,
}

impl DescribedCertificate {
    fn own_signature(&self) -> Own {
        let Self { certificate, .. } = self;
        if !certificate.is_self_issued() {
            return Own::OtherName;
        }
        let key = &certificate.public_key;
        match keys::verify(key, &certificate.signature_algorithm, certificate.tbs(), &certificate.signature) {
            Ok(()) => Own::Signed,
            Err(VerificationError::Wrong) => Own::OtherKey,
            Err(_) => {
                // The key identifiers differ where another key signed it (RFC 5280 §4.2.1.1).
                let issuer = certificate.authority_key_id.as_ref().and_then(|id| id.key_id.as_ref());
                match (issuer, &certificate.subject_key_id) {
                    (Some(issuer), Some(own)) if issuer != own => Own::OtherKey,
                    _ => Own::Unknown,
                }
            }
        }
    }

    /// `expires in 89 days`, `expired 3 days ago`, `begins in 2 hours`.
    fn time_left(&self) -> (Tone, String) {
        let Self { certificate, now } = self;
        let validity = certificate.validity;
        if validity.not_before > *now {
            (Tone::Warning, format!("not valid yet: valid from {}", how_far(validity.not_before, *now)))
        } else if validity.contains(*now) {
            (Tone::Good, format!("expires in {}", humanize(validity.not_after - *now)))
        } else {
            (Tone::Bad, format!("expired {} ago", humanize(*now - validity.not_after)))
        }
    }
}

/// Whether it is a CA, by its basic constraints.
pub(crate) fn authority_words(constraints: Option<BasicConstraints>) -> String {
    let Some(BasicConstraints { ca, path_length }) = constraints else {
        return "no (no basic constraints)".to_owned();
    };
    match (ca, path_length) {
        (true, None) => "yes, with any number of CAs below it".to_owned(),
        (true, Some(0)) => "yes, path length 0: with no CA below it".to_owned(),
        (true, Some(1)) => "yes, path length 1: with one CA below it".to_owned(),
        (true, Some(most)) => format!("yes, path length {most}: with at most {most} CAs below it"),
        (false, None) => "no".to_owned(),
        (false, Some(most)) => format!("no (and yet with path length {most})"),
    }
}

pub(crate) fn purpose_words(purpose: &ExtendedKeyUsage) -> String {
    let words = match purpose {
        ExtendedKeyUsage::ServerAuth => "it can act as a TLS server",
        ExtendedKeyUsage::ClientAuth => "it can act as a TLS client",
        ExtendedKeyUsage::CodeSigning => "it may sign programs",
        ExtendedKeyUsage::EmailProtection => "it may sign and decrypt e-mail",
        ExtendedKeyUsage::TimeStamping => "it may sign timestamps",
        ExtendedKeyUsage::OcspSigning => "it may sign OCSP answers",
        ExtendedKeyUsage::Any => "every purpose",
        ExtendedKeyUsage::Other(_) => return purpose.to_string(),
    };
    format!("{purpose} ({words})")
}
