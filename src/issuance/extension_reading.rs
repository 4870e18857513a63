//! Reads `[[extension]]` of a template, with the place of each problem.

use super::extension_rules::{ExtensionRule, ExtensionValue, MOST_BYTES, problem_of_oid};
use super::template_string::TemplateString;
use crate::text::toml_document::{Document, Located, Section};
use crate::text::{self, from_hex};
use crate::x509::{der, der_form, der_rules};

/// The keys of which an extension has one: each gives its value in another form.
const FORMS: &str = "der, utf8, ia5, integer, boolean, object-identifier, bytes, null, from-request";

/// The most bytes that are taken from a request without `max-bytes`.
const MOST_OF_REQUEST: usize = 1024;

/// Reads the list of extensions; `None` when the template has none.
pub(super) fn extensions(document: &Document<'_>, top: &mut Section<'_, '_>) -> Option<Vec<ExtensionRule>> {
    let mut rules: Vec<ExtensionRule> = Vec::new();
    for section in top.sections("extension")? {
        let place = section.place();
        let Some(rule) = extension(document, section) else { continue };
        if rules.iter().any(|other| other.oid == rule.oid) {
            // RFC 5280 §4.2: "MUST NOT include more than one instance of a particular extension".
            document.note(place, format!("the extension {} is there twice", rule.oid), None);
        }
        rules.push(rule);
    }
    Some(rules)
}

fn extension(document: &Document<'_>, mut section: Section<'_, '_>) -> Option<ExtensionRule> {
    let place = section.place();
    let oid = section.take::<String>("oid");
    if oid.is_none() {
        document.note(place.clone(), "an extension needs its object identifier", Some("oid = \"1.2.3.4\"".to_owned()));
    }
    let critical = section.take::<bool>("critical").is_some_and(|critical| critical.value);
    let most = section.take::<usize>("max-bytes");
    let forms = forms(document, &mut section, most.as_ref().map_or(MOST_OF_REQUEST, |most| most.value));
    section.finish();
    if let Some(most) = &most {
        let is_from_request = forms.iter().any(|form| matches!(form, ExtensionValue::FromRequest { .. }));
        if !is_from_request {
            document.note(most.place.clone(), "max-bytes is for from-request only", None);
        } else if most.value == 0 || most.value > MOST_BYTES {
            document.note(most.place.clone(), format!("an extension has 1 to {MOST_BYTES} bytes"), None);
        }
    }
    let Located { value: oid, place: oid_place } = oid?;
    if let Some(problem) = problem_of_oid(&oid) {
        let message = format!("'{}' cannot be added to a certificate: {problem}", text::escape(&oid));
        document.note(oid_place, message, None);
        return None;
    }
    let mut forms = forms.into_iter();
    match (forms.next(), forms.next()) {
        (Some(value), None) => Some(ExtensionRule { oid, critical, value }),
        _ => {
            document.note(place, format!("the extension {oid} needs one value"), Some(format!("one of {FORMS}")));
            None
        }
    }
}

/// Reads the value in each form that is there.
fn forms(document: &Document<'_>, section: &mut Section<'_, '_>, most: usize) -> Vec<ExtensionValue> {
    let mut forms: Vec<ExtensionValue> = Vec::new();
    if let Some(written) = section.take::<String>("der")
        && let Some(bytes) = hex(document, &written)
    {
        match der_form::check_one_value(&bytes) {
            Ok(()) => forms.push(ExtensionValue::Der(bytes)),
            Err(reason) => {
                let hint = "for text use utf8, for bytes of another form use bytes".to_owned();
                document.note(written.place, format!("the bytes are not one DER value: {reason}"), Some(hint));
                forms.push(ExtensionValue::Der(bytes));
            }
        }
    }
    if let Some(written) = section.take::<String>("bytes")
        && let Some(bytes) = hex(document, &written)
    {
        forms.push(ExtensionValue::Der(der::value(der::OCTET_STRING, &bytes)));
    }
    for (key, tag) in [("utf8", der::UTF8_STRING), ("ia5", der::IA5_STRING)] {
        let Some(Located { value, place }) = section.take::<String>(key) else { continue };
        match TemplateString::parse(&value) {
            Ok(text) if text.has_part_of_request() => {
                document.note(
                    place,
                    "an attribute of a request stands alone, as the text of an attribute in [subject]",
                    None,
                );
                forms.push(ExtensionValue::Text { tag, text });
            }
            Ok(text) => {
                if !text.has_placeholders() && !der_rules::is_encoded_as(tag, value.as_bytes()) {
                    document.note(place, "the text has characters that are not ASCII; use utf8", None);
                }
                forms.push(ExtensionValue::Text { tag, text });
            }
            Err(error) => document.note(place, error, None),
        }
    }
    forms.extend(section.take::<i64>("integer").map(|number| ExtensionValue::Der(der_form::integer(number.value))));
    forms.extend(
        section
            .take::<bool>("boolean")
            .map(|truth| ExtensionValue::Der(der::value(der::BOOLEAN, if truth.value { &[0xff] } else { &[0] }))),
    );
    if let Some(Located { value, place }) = section.take::<String>("object-identifier") {
        match der_form::object_identifier(&value) {
            Some(encoded) => forms.push(ExtensionValue::Der(encoded)),
            None => {
                document.note(place, format!("'{}' is not a dotted object identifier", text::escape(&value)), None);
                forms.push(ExtensionValue::Der(Vec::new()));
            }
        }
    }
    let mut flag = |key: &'static str| {
        let written = section.take::<bool>(key)?;
        if !written.value {
            document.note(written.place, format!("{key} is true, or left out"), None);
        }
        Some(())
    };
    forms.extend(flag("null").map(|()| ExtensionValue::Der(der::value(der::NULL, &[]))));
    forms.extend(flag("from-request").map(|()| ExtensionValue::FromRequest { most }));
    forms
}

/// Reads hexadecimal digits, two for each byte.
fn hex(document: &Document<'_>, written: &Located<String>) -> Option<Vec<u8>> {
    let digits = written.value.chars().filter(char::is_ascii_hexdigit).count();
    match from_hex(&written.value) {
        Some(bytes) if digits.is_multiple_of(2) && bytes.len() <= MOST_BYTES && !written.value.starts_with("0x") => {
            Some(bytes)
        }
        Some(bytes) if bytes.len() > MOST_BYTES => {
            document.note(written.place.clone(), format!("an extension has at most {MOST_BYTES} bytes"), None);
            None
        }
        _ => {
            let message = format!("'{}' is not hexadecimal, two digits for each byte", text::escape(&written.value));
            document.note(written.place.clone(), message, None);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::issuance::Profile;

    const LEAF: &str = "key = [\"ecdsa-p256\"]\nlifetime = \"90d\"\n[usage]\nkey = [\"digital-signature\"]\n";

    fn message(extension: &str) -> String {
        let toml = format!("{LEAF}[[extension]]\n{extension}");
        Profile::read("t", "t.toml", &toml).expect_err("the template is wrong").to_string()
    }

    #[test]
    fn what_is_wrong_with_an_extension_has_its_place() {
        for (extension, part) in [
            ("der = \"0500\"\n", "t.toml:5:1: an extension needs its object identifier"),
            ("oid = \"1.2.3\"\n", "t.toml:5:1: the extension 1.2.3 needs one value"),
            ("oid = \"1.2.3\"\nder = \"0500\"\nnull = true\n", "the extension 1.2.3 needs one value"),
            ("oid = \"1.2.3\"\nder = \"05000\"\n", "t.toml:7:7: '05000' is not hexadecimal"),
            ("oid = \"1.2.3\"\nder = \"050000\"\n", "t.toml:7:7: the bytes are not one DER value: bytes follow"),
            ("oid = \"1.2.3\"\nder = \"hello\"\n", "is not hexadecimal"),
            ("oid = \"1.2.3\"\nder = \"\"\n", "is not hexadecimal"),
            ("oid = \"2.5.29.19\"\nder = \"30030101ff\"\n", "t.toml:6:7: '2.5.29.19' cannot be added"),
            ("oid = \"1.3.6.1.5.5.7.1.1\"\nder = \"3000\"\n", "cannot be added"),
            ("oid = \"1.02.3\"\nnull = true\n", "not a dotted object identifier"),
            ("oid = \"1.2.3\"\nnull = false\n", "null is true, or left out"),
            ("oid = \"1.2.3\"\nia5 = \"ü\"\n", "not ASCII"),
            ("oid = \"1.2.3\"\nutf8 = \"{{ x\"\n", "not a template string"),
            ("oid = \"1.2.3\"\nobject-identifier = \"9.9\"\n", "not a dotted object identifier"),
            ("oid = \"1.2.3\"\nnull = true\nmax-bytes = 5\n", "for from-request only"),
            ("oid = \"1.2.3\"\nfrom-request = true\nmax-bytes = 0\n", "1 to 16384 bytes"),
            ("oid = \"1.2.3\"\nnull = true\ncritcal = true\n", "did you mean 'critical'?"),
            ("oid = \"1.2.3\"\nnull = true\n[[extension]]\noid = \"1.2.3\"\nnull = true\n", "is there twice"),
        ] {
            assert!(message(extension).contains(part), "{extension}: {}", message(extension));
        }
    }

    #[test]
    fn a_ca_has_no_critical_extension_that_clients_do_not_know_and_no_policies() {
        let ca = LEAF.replace("[\"digital-signature\"]", "[\"key-cert-sign\"]");
        let read = |rest: &str| Profile::read("t", "t.toml", &format!("{ca}{rest}")).map_err(|error| error.to_string());
        assert!(read("[authority]\n[[extension]]\noid = \"1.2.3\"\nnull = true\n").is_ok());
        let refused = read("[authority]\n[[extension]]\noid = \"1.2.3\"\ncritical = true\nnull = true\n").unwrap_err();
        assert!(refused.contains("refuse everything below"), "{refused}");
        let refused = read("policies = [\"1.2.3\"]\n[authority]\n").unwrap_err();
        assert!(refused.contains("policies"), "{refused}");
    }

    #[test]
    fn a_list_replaces_that_of_the_base() {
        let base =
            Profile::read("b", "b.toml", &format!("{LEAF}[[extension]]\noid = \"1.2.3\"\nnull = true\n")).unwrap();
        let on = |toml: &str| Profile::read_on(Some(&base), "t", "t.toml", &format!("base = \"b\"\n{toml}")).unwrap();
        assert_eq!(on("").extensions, base.extensions);
        let own = on("[[extension]]\noid = \"1.2.4\"\nnull = true\n").extensions;
        assert_eq!(own.iter().map(|rule| rule.oid.as_str()).collect::<Vec<_>>(), ["1.2.4"]);
        assert_eq!(on("extension = []\n").extensions, []);
    }
}
