//! What a template takes from the subject of a request: all of it, or the attributes of `[request]` and of
//! `{{ request.organization }}` in `[subject]`.

use super::name_rules::CommonName;
use super::profile::Profile;
use super::request_rules::RequestedSubject;
use super::verified_csr::{CsrError, VerifiedCsr};
use crate::x509::name::NameError;
use crate::x509::{Attribute, AttributeType, DistinguishedName};

/// What is taken from the subject of one request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenSubject {
    /// Attributes that override those of the template, in the order of the request.
    pub attributes: Vec<(AttributeType, String)>,
    /// The whole subject; `None` when the template decides about it.
    pub whole: Option<DistinguishedName>,
}

impl Profile {
    /// Returns the attributes that a request gives, each with the attribute of the request that it comes from.
    pub fn attributes_of_request(&self) -> Vec<(AttributeType, AttributeType)> {
        let mut all: Vec<(AttributeType, AttributeType)> = Vec::new();
        let common_name = match &self.common_name {
            CommonName::Template(text) => text.of_request().map(|from| (AttributeType::CommonName, from)),
            _ => None,
        };
        all.extend(self.subject.iter().filter_map(|(kind, text)| Some((kind.clone(), text.of_request()?))));
        all.extend(common_name);
        if let RequestedSubject::Attributes(kinds) = &self.request.subject {
            let is_new = |kind: &&AttributeType| !all.iter().any(|(known, _)| known == *kind);
            let listed: Vec<_> = kinds.iter().filter(is_new).map(|kind| (kind.clone(), kind.clone())).collect();
            all.extend(listed);
        }
        all
    }

    /// Returns the attributes that are taken from requests without a limit on their values.
    pub fn unlimited_attributes(&self) -> Vec<AttributeType> {
        let taken = self.attributes_of_request().into_iter().map(|(_, from)| from);
        taken.filter(|from| self.request.patterns(from).is_none()).collect()
    }

    /// Takes from the subject of a request what the template takes, with the attributes of `flags` in place of those of the
    /// request. Only what is taken is checked.
    ///
    /// # Errors
    /// When a value that is taken cannot be in a certificate, or the template does not allow it.
    pub fn take_subject(&self, csr: &VerifiedCsr, flags: &[(AttributeType, String)]) -> Result<TakenSubject, CsrError> {
        if self.request.takes_whole_subject() {
            return self.take_whole_subject(csr, flags);
        }
        let is_set = |kind: &AttributeType| flags.iter().any(|(set, _)| set == kind);
        let mut attributes = flags.to_vec();
        for (kind, from) in self.attributes_of_request() {
            if is_set(&kind) {
                continue;
            }
            for attribute in csr.attributes().filter(|attribute| attribute.kind == from && !attribute.value.is_empty())
            {
                self.check_allowed(attribute)?;
                attributes.push((kind.clone(), usable_value(attribute, &kind)?));
            }
        }
        // Where the template uses NAME as the common name, the CSR's own common name is used: NAME is only the name in the
        // index.
        if self.common_name == CommonName::Name
            && !attributes.iter().any(|(kind, _)| *kind == AttributeType::CommonName)
            && let Some(attribute) = csr.attributes().filter(|it| it.kind == AttributeType::CommonName).last()
        {
            self.check_allowed(attribute)?;
            attributes.push((AttributeType::CommonName, usable_value(attribute, &AttributeType::CommonName)?));
        }
        Ok(TakenSubject { attributes, whole: None })
    }

    fn take_whole_subject(
        &self,
        csr: &VerifiedCsr,
        flags: &[(AttributeType, String)],
    ) -> Result<TakenSubject, CsrError> {
        let subject = &csr.request().subject;
        let is_set = |kind: &AttributeType| flags.iter().any(|(set, _)| set == kind);
        for attribute in subject.attributes().filter(|attribute| !is_set(&attribute.kind)) {
            if !self.request.allow.is_empty() && self.request.patterns(&attribute.kind).is_none() {
                let (template, kind) = (self.name.clone(), attribute.kind.long_label().to_owned());
                return Err(CsrError::AttributeNotTaken { template, kind });
            }
            self.check_allowed(attribute)?;
            match usable_value(attribute, &attribute.kind) {
                // A type that this program does not write is copied.
                Err(CsrError::Subject(NameError::UnknownAttribute(_))) | Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        if flags.is_empty() {
            return Ok(TakenSubject { attributes: Vec::new(), whole: Some(subject.clone()) });
        }
        // The attributes of flags take the place of the first of their kind.
        let mut attributes: Vec<(AttributeType, String)> = Vec::new();
        for attribute in subject.attributes() {
            if !is_set(&attribute.kind) {
                attributes.push((attribute.kind.clone(), attribute.value.clone()));
            } else if !attributes.iter().any(|(kind, _)| *kind == attribute.kind) {
                attributes.extend(flags.iter().filter(|(kind, _)| *kind == attribute.kind).cloned());
            }
        }
        let is_new = |(kind, _): &&(AttributeType, String)| !subject.attributes().any(|it| it.kind == *kind);
        attributes.extend(flags.iter().filter(is_new).cloned());
        let whole = DistinguishedName::build(&attributes).map_err(CsrError::Subject)?;
        Ok(TakenSubject { attributes: Vec::new(), whole: Some(whole) })
    }

    fn check_allowed(&self, attribute: &Attribute) -> Result<(), CsrError> {
        let Some(patterns) = self.request.patterns(&attribute.kind) else { return Ok(()) };
        if patterns.iter().any(|pattern| pattern.matches(&attribute.value)) {
            return Ok(());
        }
        Err(CsrError::ValueNotAllowed {
            template: self.name.clone(),
            kind: attribute.kind.long_label().to_owned(),
            value: attribute.value.clone(),
            allowed: patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        })
    }
}

/// Returns the value of an attribute that becomes one of this kind in a certificate. What is not text is shown as `#` and its DER,
/// which must not become text.
fn usable_value(attribute: &Attribute, kind: &AttributeType) -> Result<String, CsrError> {
    let Attribute { value, is_text, .. } = attribute;
    if !is_text || !value.chars().all(crate::text::is_plainly_visible) {
        return Err(CsrError::Attribute { kind: attribute.kind.to_string(), value: value.clone() });
    }
    DistinguishedName::build(&[(kind.clone(), value.clone())]).map_err(CsrError::Subject)?;
    Ok(value.clone())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CLIENT, NOW, ROOT, SERVER, profile, request, root, serial};
    use super::super::verified_csr::testing::csr;
    use super::super::{CertificateRequest, Comparison, Draft, DraftRefusal, Issuer, SignedBy, approve};
    use super::*;
    use crate::x509::{KeyAlgorithm, der};

    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANIZATION: &[u8] = &[0x55, 4, 10];
    /// A type that this program does not write: organizationIdentifier.
    const UNKNOWN: &[u8] = &[0x55, 4, 97];

    type Part<'a> = (&'a [u8], u8, &'a str);

    fn utf8<'a>(kind: &'a [u8], value: &'a str) -> Part<'a> {
        (kind, der::UTF8_STRING, value)
    }

    fn taken(toml: &str, subject: &[Part<'_>], flags: &[(AttributeType, &str)]) -> Result<TakenSubject, CsrError> {
        let flags: Vec<_> = flags.iter().map(|(kind, value)| (kind.clone(), (*value).to_owned())).collect();
        profile(toml).take_subject(&csr(subject), &flags)
    }

    fn values(taken: Result<TakenSubject, CsrError>) -> String {
        let taken = taken.unwrap();
        DistinguishedName::build(&taken.attributes).unwrap().to_string()
    }

    fn groups() -> [Part<'static>; 3] {
        [utf8(ORGANIZATION, "dev"), utf8(ORGANIZATION, "ops"), utf8(COMMON_NAME, "bob")]
    }

    #[test]
    fn a_template_takes_all_values_of_the_attributes_that_it_names() {
        let listed = format!("{CLIENT}\n[request]\nsubject = [\"organization\"]\n");
        assert_eq!(values(taken(&listed, &groups(), &[])), "O=dev, O=ops, CN=bob");
        let by_text = CLIENT.replace("\"{{ organization }}\"", "\"{{ request.organization }}\"");
        assert_eq!(values(taken(&by_text, &groups(), &[])), "O=dev, O=ops, CN=bob");
        let other = CLIENT.replace("\"{{ organization }}\"", "\"{{ request.common_name }}\"");
        assert_eq!(values(taken(&other, &groups(), &[])), "O=bob, CN=bob");
        assert_eq!(values(taken(CLIENT, &groups(), &[])), "CN=bob");
        // A flag replaces what the request has.
        assert_eq!(values(taken(&listed, &groups(), &[(AttributeType::Organization, "qa")])), "O=qa, CN=bob");
    }

    #[test]
    fn only_what_is_taken_has_to_be_usable_and_allowed() {
        let hidden = [utf8(ORGANIZATION, "a\u{202e}b"), utf8(COMMON_NAME, "bob")];
        assert_eq!(values(taken(CLIENT, &hidden, &[])), "CN=bob");
        let listed = format!("{CLIENT}\n[request]\nsubject = [\"organization\"]\n");
        assert!(matches!(taken(&listed, &hidden, &[]), Err(CsrError::Attribute { .. })));
        let bits = [(COMMON_NAME, der::BIT_STRING, "\0abc")];
        assert!(matches!(taken(CLIENT, &bits, &[]), Err(CsrError::Attribute { .. })));
        let long = "x".repeat(65);
        assert!(matches!(taken(CLIENT, &[utf8(COMMON_NAME, &long)], &[]), Err(CsrError::Subject(_))));
        // The server's common name is its first DNS name.
        for common_name in
            [(COMMON_NAME, der::BIT_STRING, "\0abc"), utf8(COMMON_NAME, &long), utf8(COMMON_NAME, "a\0b")]
        {
            assert_eq!(taken(SERVER, &[common_name], &[]), Ok(TakenSubject::default()));
        }
        let limited = format!("{listed}[request.allow]\norganization = [\"dev\", \"ops-*\"]\n");
        let of = |value| taken(&limited, &[utf8(ORGANIZATION, value), utf8(COMMON_NAME, "bob")], &[]);
        assert!(of("dev").is_ok() && of("ops-1").is_ok());
        for value in ["Dev", "system:masters", "dev ", "xops-1"] {
            assert!(matches!(of(value), Err(CsrError::ValueNotAllowed { .. })), "{value}");
        }
    }

    /// Returns the draft that a template makes of a request with this subject, with all values of the request that it takes.
    fn drafted(toml: &str, subject: &[Part<'_>], issuer: &Issuer<'_>) -> Result<(VerifiedCsr, Draft), DraftRefusal> {
        let (csr, profile) = (csr(subject), profile(toml));
        let taken = profile.take_subject(&csr, &[]).unwrap();
        let request = CertificateRequest {
            subject: taken.attributes,
            whole_subject: taken.whole,
            ..request("bob", &["web.test"], csr.public_key())
        };
        let by = SignedBy::Issuer(issuer.ca_certificate());
        let draft = Draft::new(&profile, &request, by, NOW, serial(2))?;
        Ok((csr, draft))
    }

    #[test]
    fn a_certificate_is_exact_only_with_the_same_bytes_in_its_subject() {
        let root = root(KeyAlgorithm::EcdsaP256, ROOT);
        let plain = CLIENT.replace("organization = \"{{ organization }}\"", "");
        let listed = format!("{plain}\n[request]\nsubject = [\"organization\"]\n");
        let whole = format!("{plain}\n[request]\nsubject = \"as-requested\"\n");
        let usual = [utf8(ORGANIZATION, "Acme"), utf8(COMMON_NAME, "bob")];
        let other_order = [usual[1], usual[0]];
        let other_string = [(ORGANIZATION, der::PRINTABLE_STRING, "Acme"), usual[1]];
        for (toml, subject, expected) in [
            (&listed, &usual, true),
            (&listed, &other_order, false),
            (&listed, &other_string, false),
            (&plain, &usual, false),
            (&whole, &other_order, true),
            (&whole, &other_string, true),
        ] {
            let (csr, draft) = drafted(toml, subject, &root).unwrap();
            let approved = approve(draft, Some(root.ca_certificate())).unwrap();
            let comparison = Comparison::of(&csr, approved.unsigned());
            assert_eq!(comparison.is_exact(), expected, "{subject:?} {comparison:?}");
        }
    }

    #[test]
    fn the_subject_of_the_issuer_is_refused_in_every_encoding() {
        let toml = ROOT.replace("organization = \"{{ organization }}\"", "");
        let root = root(KeyAlgorithm::EcdsaP256, &toml);
        let whole = format!("{CLIENT}\n[request]\nsubject = \"as-requested\"\n");
        for (tag, name) in
            [(der::UTF8_STRING, "Test Root"), (der::PRINTABLE_STRING, "Test Root"), (der::UTF8_STRING, "test  root")]
        {
            let refused = drafted(&whole, &[(COMMON_NAME, tag, name)], &root).map(drop);
            assert!(matches!(refused, Err(DraftRefusal::SubjectOfIssuer(_))), "{name} {refused:?}");
        }
        assert!(drafted(&whole, &[utf8(COMMON_NAME, "Test Root 2")], &root).is_ok());
    }

    #[test]
    fn a_subject_as_requested_is_copied_byte_for_byte_within_its_patterns() {
        let whole = format!("{CLIENT}\n[request]\nsubject = \"as-requested\"\n");
        let odd =
            [utf8(COMMON_NAME, "Sub CA"), (ORGANIZATION, der::PRINTABLE_STRING, "Acme"), utf8(UNKNOWN, "VATDE-1")];
        let expected = csr(&odd).request().subject.clone();
        assert_eq!(taken(&whole, &odd, &[]).unwrap().whole, Some(expected));
        let limited = format!("{whole}[request.allow]\ncommon-name = [\"* CA\"]\norganization = [\"Acme\"]\n");
        assert!(taken(&limited, &odd[..2], &[]).is_ok());
        assert!(matches!(taken(&limited, &odd, &[]), Err(CsrError::AttributeNotTaken { .. })));
        let refused = taken(&limited, &[utf8(COMMON_NAME, "Root")], &[]);
        assert!(matches!(refused, Err(CsrError::ValueNotAllowed { .. })));
        assert!(matches!(taken(&whole, &[utf8(UNKNOWN, "a\u{200b}")], &[]), Err(CsrError::Attribute { .. })));
        // A flag takes the place of the attribute, and the order stays.
        let with_flag = taken(&whole, &odd[..2], &[(AttributeType::CommonName, "Other")]).unwrap().whole.unwrap();
        assert_eq!(with_flag.to_string(), "CN=Other, O=Acme");
    }
}
