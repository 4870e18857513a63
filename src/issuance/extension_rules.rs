//! The extensions that a template adds by their object identifier: `[[extension]]`, and `policies` in `[usage]`.

use super::refusal::DraftRefusal;
use super::template_string::{TemplateString, TemplateStringError, TemplateValues};
use crate::x509::certificate::oid;
use crate::x509::{Extension, der, der_form, der_rules};

/// The most bytes of one extension. A chain has to fit into a TLS handshake message, and many programs read less.
pub const MOST_BYTES: usize = 16 * 1024;

/// One extension that a template adds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionRule {
    /// The dotted object identifier, in its only form.
    pub oid: String,
    pub critical: bool,
    pub value: ExtensionValue,
}

/// Where the value of an extension comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExtensionValue {
    /// One DER value.
    Der(Vec<u8>),
    /// A string of the type with this tag.
    Text { tag: u8, text: TemplateString },
    /// The value of the same extension in a request, when that has it, of at most so many bytes.
    FromRequest { most: usize },
}

/// The extensions that a request for a certificate has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum GivenExtensions {
    #[default]
    None,
    /// Those of a CSR.
    Requested(Vec<Extension>),
    /// Those of the certificate that is replaced, which this CA issued.
    Replaced(Vec<Extension>),
}

impl GivenExtensions {
    fn find(&self, oid: &str) -> Option<&Extension> {
        let (Self::Requested(all) | Self::Replaced(all)) = self else { return None };
        all.iter().find(|extension| extension.oid == oid)
    }
}

/// Returns whether an extension is one that has its own field in a draft.
pub(super) fn is_of_program(extension: &Extension) -> bool {
    const OWN: [&str; 9] = [
        oid::SUBJECT_KEY_ID,
        oid::KEY_USAGE,
        oid::SUBJECT_ALT_NAME,
        oid::BASIC_CONSTRAINTS,
        oid::NAME_CONSTRAINTS,
        oid::CRL_DISTRIBUTION_POINTS,
        oid::AUTHORITY_KEY_ID,
        oid::EXTENDED_KEY_USAGE,
        oid::AUTHORITY_INFO_ACCESS,
    ];
    OWN.contains(&extension.oid.as_str())
}

/// Returns the object identifiers of the extensions that the certificate which is replaced has, and the next one does not.
pub fn left_out(given: &GivenExtensions, next: &[Extension]) -> Vec<String> {
    let GivenExtensions::Replaced(all) = given else { return Vec::new() };
    let is_kept = |old: &Extension| is_of_program(old) || next.iter().any(|new| new.oid == old.oid);
    all.iter().filter(|old| !is_kept(old)).map(|old| old.oid.clone()).collect()
}

/// Returns why a template must not add the extension with this object identifier; `None` when it can.
pub fn problem_of_oid(dotted: &str) -> Option<&'static str> {
    // id-ce, the extensions of RFC 5280 §4.2.1, and authority information access (§4.2.2.1): what they say about the rights of a
    // certificate comes from the other keys of a template. Signed certificate timestamps are given by logs (RFC 6962 §3.3).
    const OTHERS: [&str; 3] = [oid::AUTHORITY_INFO_ACCESS, "1.3.6.1.4.1.11129.2.4.2", "1.3.6.1.4.1.11129.2.4.3"];
    if der_form::object_identifier(dotted).is_none() {
        Some("it is not a dotted object identifier")
    } else if dotted.starts_with("2.5.29.") || OTHERS.contains(&dotted) {
        Some("the program writes the standard extensions itself, from the other keys of a template")
    } else {
        None
    }
}

/// Returns the certificate policies (RFC 5280 §4.2.1.4) as an extension, without qualifiers; `None` when there are none. It is not
/// critical: a program that does not process policies then accepts the certificate.
pub(super) fn policies(policies: &[String]) -> Option<Extension> {
    let one = |policy: &String| Some(der::sequence(&[&der_form::object_identifier(policy)?]));
    let encoded: Vec<Vec<u8>> = policies.iter().map(one).collect::<Option<_>>()?;
    let value = der::sequence(&encoded.iter().map(Vec::as_slice).collect::<Vec<_>>());
    (!encoded.is_empty()).then(|| Extension { oid: oid::CERTIFICATE_POLICIES.to_owned(), critical: false, value })
}

/// Returns the extensions for a certificate. Of a certificate that is replaced, the next one keeps values that came from a request,
/// and those whose placeholders have no value now.
///
/// # Errors
/// When a placeholder has no value, a text is not of the type of its string, or the value of a request is too long or not DER.
pub(super) fn extensions(
    rules: &[ExtensionRule],
    given: &GivenExtensions,
    values: &TemplateValues,
) -> Result<Vec<Extension>, DraftRefusal> {
    let mut extensions = Vec::new();
    for ExtensionRule { oid, critical, value } in rules {
        let value = match value {
            ExtensionValue::Der(value) => Some(value.clone()),
            ExtensionValue::Text { tag, text } => match (text.render(values), given) {
                (Ok(text), _) => Some(text_value(oid, *tag, &text)?),
                (Err(TemplateStringError::Unknown { .. }), GivenExtensions::Replaced(_))
                    if given.find(oid).is_some() =>
                {
                    given.find(oid).map(|kept| kept.value.clone())
                }
                (Err(error), _) => return Err(error.into()),
            },
            ExtensionValue::FromRequest { most } => match given.find(oid) {
                Some(found) => Some(requested_value(found, *most)?),
                None => None,
            },
        };
        extensions.extend(value.map(|value| Extension { oid: oid.clone(), critical: *critical, value }));
    }
    Ok(extensions)
}

fn text_value(oid: &str, tag: u8, text: &str) -> Result<Vec<u8>, DraftRefusal> {
    let problem = if !der_rules::is_encoded_as(tag, text.as_bytes()) {
        "the text has characters that its type of string does not allow".to_owned()
    } else if text.len() > MOST_BYTES {
        format!("the text has {} bytes, at most {MOST_BYTES} are allowed", text.len())
    } else {
        return Ok(der::value(tag, text.as_bytes()));
    };
    Err(DraftRefusal::Extension { oid: oid.to_owned(), problem })
}

/// Returns the value that a request has, which is one DER value (RFC 5280 §4.2: extnValue "contains the DER encoding of an ASN.1
/// value").
fn requested_value(found: &Extension, most: usize) -> Result<Vec<u8>, DraftRefusal> {
    let Extension { oid, value, .. } = found;
    let problem = if value.len() > most {
        format!("its value has {} bytes, and the template allows {most}", value.len())
    } else if let Err(reason) = der_form::check_one_value(value) {
        format!("its value is not one DER value: {reason}")
    } else {
        return Ok(value.clone());
    };
    Err(DraftRefusal::Extension { oid: oid.clone(), problem })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CLIENT, NOW, ROOT, profile, request, root, serial};
    use super::super::{Draft, SignedBy, approve};
    use super::*;
    use crate::keys::{PrivateKey, Signer};
    use crate::x509::KeyAlgorithm;

    const OID: &str = "1.2.3.4.5";

    fn given(value: &[u8]) -> Vec<Extension> {
        vec![Extension { oid: OID.to_owned(), critical: true, value: value.to_vec() }]
    }

    /// Returns the extensions of a draft of a template with this text in addition.
    fn drafted(toml: &str, given: GivenExtensions) -> Result<Vec<Extension>, DraftRefusal> {
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let request = super::super::CertificateRequest { extensions: given, ..request("alice", &[], key.public_key()) };
        let profile = profile(&format!("{CLIENT}\n{toml}"));
        let draft = Draft::new(&profile, &request, SignedBy::Issuer(root.ca_certificate()), NOW, serial(2))?;
        let extensions = draft.extensions.clone();
        let approved = approve(draft, Some(root.ca_certificate())).unwrap();
        for extension in &extensions {
            assert_eq!(approved.unsigned().extension(&extension.oid), Some(extension));
        }
        assert!(approved.verified(NOW).is_ok());
        Ok(extensions)
    }

    #[test]
    fn a_template_adds_values_of_every_form() {
        for (form, value) in [
            ("der = \"0c027b7d\"", &[0x0c, 2, b'{', b'}'][..]),
            ("utf8 = \"{{ name }} ü\"", &[0x0c, 8, b'a', b'l', b'i', b'c', b'e', b' ', 0xc3, 0xbc]),
            ("ia5 = \"a\"", &[0x16, 1, b'a']),
            ("integer = -1", &[2, 1, 0xff]),
            ("boolean = true", &[1, 1, 0xff]),
            ("object-identifier = \"2.5.4.3\"", &[6, 3, 0x55, 4, 3]),
            ("bytes = \"0102\"", &[4, 2, 1, 2]),
            ("null = true", &[5, 0]),
        ] {
            let found = drafted(&format!("[[extension]]\noid = \"{OID}\"\n{form}\n"), GivenExtensions::None).unwrap();
            assert_eq!(found, [Extension { oid: OID.to_owned(), critical: false, value: value.to_vec() }], "{form}");
        }
    }

    #[test]
    fn a_critical_one_is_issued_with_a_warning() {
        let toml = format!("[[extension]]\noid = \"{OID}\"\ncritical = true\nnull = true\n");
        assert!(drafted(&toml, GivenExtensions::None).unwrap()[0].critical);
    }

    #[test]
    fn the_value_of_a_request_is_taken_only_where_the_template_says_so() {
        let null = || GivenExtensions::Requested(given(&[5, 0]));
        assert_eq!(drafted("", null()), Ok(Vec::new()));
        let toml = format!("[[extension]]\noid = \"{OID}\"\nfrom-request = true\nmax-bytes = 4\n");
        let taken = drafted(&toml, null()).unwrap();
        assert_eq!(taken, [Extension { oid: OID.to_owned(), critical: false, value: vec![5, 0] }]);
        assert_eq!(drafted(&toml, GivenExtensions::Replaced(given(&[5, 0]))).unwrap(), taken);
        assert_eq!(drafted(&toml, GivenExtensions::None), Ok(Vec::new()));
        for value in [&[4, 3, 1, 2, 3][..], &[5, 0, 0], &[5], &[]] {
            let refused = drafted(&toml, GivenExtensions::Requested(given(value)));
            assert!(matches!(refused, Err(DraftRefusal::Extension { .. })), "{value:?}");
        }
    }

    #[test]
    fn the_next_certificate_keeps_a_text_whose_value_is_not_given_again() {
        let toml = format!("[[extension]]\noid = \"{OID}\"\nutf8 = \"{{{{ team }}}}\"\n");
        let old = || given(&[0x0c, 1, b'x']);
        assert_eq!(drafted(&toml, GivenExtensions::Replaced(old())).unwrap()[0].value, [0x0c, 1, b'x']);
        // A request gives no value to the template's own text.
        for given in [GivenExtensions::Requested(old()), GivenExtensions::None] {
            assert!(matches!(drafted(&toml, given), Err(DraftRefusal::Template(_))));
        }
    }

    #[test]
    fn what_the_next_certificate_does_not_have_is_named() {
        let own = Extension { oid: oid::KEY_USAGE.to_owned(), critical: true, value: Vec::new() };
        let old = || [given(&[5, 0]), vec![own.clone()]].concat();
        assert_eq!(left_out(&GivenExtensions::Replaced(old()), &[]), [OID]);
        assert_eq!(left_out(&GivenExtensions::Replaced(old()), &given(&[2, 1, 0])), [""; 0]);
        assert_eq!(left_out(&GivenExtensions::Requested(old()), &[]), [""; 0]);
    }

    #[test]
    fn policies_are_written_without_qualifiers() {
        let toml = CLIENT.replace("[\"client-auth\"]", "[\"client-auth\"]\npolicies = [\"1.2.3\", \"2.23.140.1.2.1\"]");
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let by = SignedBy::Issuer(root.ca_certificate());
        let draft = Draft::new(&profile(&toml), &request("alice", &[], key.public_key()), by, NOW, serial(2)).unwrap();
        let approved = approve(draft, Some(root.ca_certificate())).unwrap();
        assert_eq!(approved.unsigned().policies, ["1.2.3", "2.23.140.1.2.1"]);
        assert!(approved.verified(NOW).is_ok());
    }

    #[test]
    fn time_stamping_is_a_critical_purpose_and_the_only_one() {
        let (root, key) = (root(KeyAlgorithm::EcdsaP256, ROOT), PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap());
        let drafted = |purposes: &str, other: &str| {
            let mut input = request("alice", &[], key.public_key());
            input.values.0.insert("purpose".to_owned(), other.to_owned());
            let toml = CLIENT.replace("[\"client-auth\"]", purposes);
            Draft::new(&profile(&toml), &input, SignedBy::Issuer(root.ca_certificate()), NOW, serial(2))
        };
        let is_critical = |purposes| {
            let approved = approve(drafted(purposes, "client-auth").unwrap(), Some(root.ca_certificate())).unwrap();
            let extension = approved.unsigned().extension(oid::EXTENDED_KEY_USAGE).unwrap().critical;
            assert!(approved.verified(NOW).is_ok());
            extension
        };
        assert!(is_critical("[\"time-stamping\"]"));
        assert!(is_critical("[\"client-auth\"]\nextended-critical = true"));
        assert!(!is_critical("[\"client-auth\"]"));
        // What a placeholder gives is known only now.
        let two = "[\"{{ purpose }}\", \"client-auth\"]";
        assert!(matches!(drafted(two, "time-stamping"), Err(DraftRefusal::TimeStampingAndMore(_))));
        assert!(drafted(two, "email-protection").is_ok());
    }

    #[test]
    fn the_extensions_that_the_program_writes_are_its_own() {
        for dotted in ["2.5.29.19", "2.5.29.15", "2.5.29.1", "2.5.29.54", "1.3.6.1.5.5.7.1.1", "02.5.29.19", "2", "a.b"]
        {
            assert!(problem_of_oid(dotted).is_some(), "{dotted}");
        }
        for dotted in ["1.3.6.1.4.1.311.21.7", "1.3.6.1.5.5.7.1.24", "1.3.6.1.5.5.7.48.1.5", "2.5.290.1"] {
            assert_eq!(problem_of_oid(dotted), None, "{dotted}");
        }
    }
}
