//! What a signing request asks for.

use crate::keys::{self, verification::VerificationError};
use crate::report::describe::certificate::{authority_words, purpose_words};
use crate::report::describe::fields::{
    extension_fields, extension_name, fingerprint_fields, malformed_fields, name_fields, names_field,
    public_key_fields, signature_field,
};
use crate::report::describe::json::{
    AttributeJson, BasicConstraintsJson, ExtensionJson, MalformedJson, ObjectJson, PublicKeyJson, RequestJson,
    SignatureJson,
};
use crate::report::describe::object::Describe;
use crate::report::json::{Hex, NameJson, Shown};
use crate::report::page::{Page, Tone};
use crate::x509::{SigningRequest, digest};

/// A CSR.
pub struct DescribedRequest {
    pub request: SigningRequest,
}

impl DescribedRequest {
    /// Whether the signature is made with the request's own key.
    fn possession(&self) -> Result<(), VerificationError> {
        let Self { request } = self;
        keys::verify(&request.public_key, &request.signature_algorithm, request.tbs(), &request.signature)
    }
}

impl Describe for DescribedRequest {
    fn title(&self) -> String {
        let subject = &self.request.subject;
        format!(
            "certificate signing request: {}",
            subject.common_name().map_or_else(|| subject.to_string(), str::to_owned)
        )
    }

    fn text(&self, page: &mut Page) {
        let Self { request } = self;
        name_fields(page, "Subject", &request.subject);
        if let Some(names) = &request.subject_alt_names {
            names_field(page, "Names (SANs)", names);
        }
        public_key_fields(page, &request.public_key);
        let asked: Vec<&str> =
            request.requested_extensions.iter().map(|extension| extension_name(&extension.oid)).collect();
        if !asked.is_empty() {
            page.field("Asks for", &asked.join(", "));
        }
        if request.basic_constraints.is_some() {
            page.field("  CA", &authority_words(request.basic_constraints));
        }
        if let Some(usage) = request.key_usage {
            page.field("  key usage", &usage.to_string());
        }
        if let Some(purposes) = &request.extended_key_usage {
            page.rows("  purposes", &purposes.iter().map(purpose_words).collect::<Vec<_>>());
        }
        extension_fields(page, &request.requested_extensions);
        malformed_fields(page, &request.malformed);
        if !request.other_attributes.is_empty() {
            page.field("Attributes", &request.other_attributes.join(", "));
        }
        signature_field(page, &request.signature_algorithm, &request.signature);
        match self.possession() {
            Ok(()) => page.toned_field("Possession", Tone::Good, "proven: it is signed with its own key"),
            Err(error @ VerificationError::Wrong) => {
                page.toned_field("Possession", Tone::Bad, &format!("not proven: {error}"));
            }
            Err(unsupported) => {
                page.toned_field("Possession", Tone::Warning, &format!("cannot be checked: {unsupported}"));
            }
        }
        fingerprint_fields(page, request.as_der());
    }

    fn json(&self) -> ObjectJson<'_> {
        let Self { request } = self;
        let extended = request.extended_key_usage.as_ref();
        ObjectJson::Request(Box::new(RequestJson {
            kind: "signing-request",
            subject: Shown(&request.subject),
            subject_attributes: AttributeJson::all(&request.subject),
            sans: request.subject_alt_names.as_ref().map(NameJson::all),
            public_key: PublicKeyJson::new(&request.public_key),
            version: request.version,
            version_number: request.version,
            basic_constraints: request.basic_constraints.map(BasicConstraintsJson::new),
            key_usage: request.key_usage.map(|usage| usage.names()),
            extended_key_usage: extended.map(|purposes| purposes.iter().map(Shown).collect()),
            requested_extensions: ExtensionJson::all(&request.requested_extensions),
            malformed: MalformedJson::all(&request.malformed, &[]),
            other_attributes: &request.other_attributes,
            has_possession: self.possession().is_ok(),
            possession: match self.possession() {
                Ok(()) => "proven",
                Err(VerificationError::Wrong) => "not-proven",
                Err(_) => "cannot-be-checked",
            },
            signature: SignatureJson::new(&request.signature_algorithm, &request.signature),
            fingerprint_sha256: Hex(digest::sha256(request.as_der())),
            fingerprint_sha1: Hex(digest::sha1(request.as_der())),
        }))
    }
}
