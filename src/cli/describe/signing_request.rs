//! What a signing request asks for.

use serde_json::{Value, json};

use super::{
    Describe, extension_fields, extensions_json, fingerprint_fields, name_fields, name_json, names_field, names_json,
    public_key_fields, public_key_json, signature_field, signature_json,
};
use crate::cli::output::Page;
use crate::x509::{SigningRequest, digest, text};

/// A CSR.
pub struct DescribedRequest {
    pub request: SigningRequest,
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
            request.requested_extensions.iter().map(|extension| super::extension_name(&extension.oid)).collect();
        if !asked.is_empty() {
            page.field("Asks for", &asked.join(", "));
        }
        extension_fields(page, &request.requested_extensions);
        if !request.other_attributes.is_empty() {
            page.field("Attributes", &request.other_attributes.join(", "));
        }
        signature_field(page, &request.signature_algorithm, &request.signature);
        fingerprint_fields(page, request.as_der());
    }

    fn json(&self) -> Value {
        let Self { request } = self;
        json!({
            "kind": "signing-request",
            "subject": request.subject.to_string(),
            "subject_attributes": name_json(&request.subject),
            "sans": request.subject_alt_names.as_deref().map(names_json),
            "public_key": public_key_json(&request.public_key),
            "requested_extensions": extensions_json(&request.requested_extensions),
            "other_attributes": request.other_attributes,
            "signature": signature_json(&request.signature_algorithm, &request.signature),
            "fingerprint_sha256": text::hex(&digest::sha256(request.as_der())),
            "fingerprint_sha1": text::hex(&digest::sha1(request.as_der())),
        })
    }
}
