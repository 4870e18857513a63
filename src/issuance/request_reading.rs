//! Reads `[request]` of a template, with the place of each problem.

use serde::Deserialize;

use super::name_pattern::TextPattern;
use super::request_rules::{RequestRules, RequestedSubject};
use crate::text::toml_document::{Document, Located, Section};
use crate::text::{self, did_you_mean};
use crate::x509::AttributeType;

/// The word for the whole subject of a request.
pub(super) const AS_REQUESTED: &str = "as-requested";

#[derive(Deserialize)]
#[serde(untagged)]
enum Subject {
    Word(String),
    List(Vec<String>),
}

/// Reads `[request]`, on top of what the base has.
pub(super) fn rules(document: &Document<'_>, top: &mut Section<'_, '_>, base: Option<&RequestRules>) -> RequestRules {
    let mut rules = base.cloned().unwrap_or_default();
    let Some(mut section) = top.section("request") else { return rules };
    if let Some(Located { value, place }) = section.take::<Subject>("subject") {
        match value {
            Subject::Word(word) if word == AS_REQUESTED => rules.subject = RequestedSubject::AsRequested,
            Subject::Word(word) => {
                let message = format!("'{}' is neither \"{AS_REQUESTED}\" nor a list", text::escape(&word));
                document.note(place, message, Some("for example [\"organization\"]".to_owned()));
            }
            Subject::List(labels) => {
                let kinds = labels.iter().filter_map(|label| attribute(document, label, place.clone())).collect();
                rules.subject = RequestedSubject::Attributes(kinds);
            }
        }
    }
    if let Some(mut allow) = section.section("allow") {
        for (label, patterns) in allow.take_rest::<Vec<String>>() {
            let Some(kind) = attribute(document, &label.value, label.place) else { continue };
            let parse = |pattern: &String| {
                TextPattern::parse(pattern).map_err(|reason| document.note(patterns.place.clone(), reason, None)).ok()
            };
            let patterns = patterns.value.iter().filter_map(parse).collect();
            rules.allow.retain(|(known, _)| *known != kind);
            rules.allow.push((kind, patterns));
        }
        allow.finish();
    }
    section.finish();
    rules
}

fn attribute(document: &Document<'_>, label: &str, place: std::ops::Range<usize>) -> Option<AttributeType> {
    let kind = AttributeType::from_label(label);
    if kind.is_none() {
        let near = did_you_mean(label, AttributeType::all_labels());
        let message = format!("unknown attribute '{}' of a subject{near}", text::escape(label));
        document.note(place, message, None);
    }
    kind
}

#[cfg(test)]
mod tests {
    use crate::issuance::Profile;

    const LEAF: &str = "key = [\"ecdsa-p256\"]\nlifetime = \"90d\"\n[usage]\nkey = [\"digital-signature\"]\n";

    fn read(rest: &str) -> Result<Profile, String> {
        Profile::read("t", "t.toml", &format!("{LEAF}{rest}")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_wrong_with_a_request_has_its_place() {
        for (rest, part) in [
            ("[request]\nsubject = \"all\"\n", "t.toml:6:11: 'all' is neither \"as-requested\" nor a list"),
            ("[request]\nsubject = [\"organisation\"]\n", "did you mean 'organization'?"),
            ("[request.allow]\norganisation = [\"a\"]\n", "did you mean 'organization'?"),
            ("[request.allow]\norganization = [\"\"]\n", "an empty pattern"),
            ("[request]\nsubjects = []\n", "did you mean 'subject'?"),
            (
                "[subject]\norganization = \"{{ request.organisation }}\"\n",
                "t.toml:6:16: unknown attribute 'organisation'",
            ),
            ("[subject]\norganization = \"{{ request.organization }} Inc\"\n", "stands alone"),
            ("[subject]\ncommon-name = \"x {{ request.common_name }}\"\n", "stands alone"),
            ("[names]\nkinds = [\"dns\"]\nallow = [\"{{ request.common_name }}\"]\n", "stands alone"),
            ("[[extension]]\noid = \"1.2.3\"\nutf8 = \"{{ request.common_name }}\"\n", "stands alone"),
        ] {
            let message = read(rest).unwrap_err();
            assert!(message.contains(part), "{rest}: {message}");
        }
    }

    #[test]
    fn a_template_takes_over_what_its_base_takes_from_requests() {
        let base =
            read("[request]\nsubject = [\"organization\"]\n[request.allow]\norganization = [\"a\"]\ntitle = [\"b\"]\n");
        let base = base.unwrap();
        let on = |toml: &str| Profile::read_on(Some(&base), "t", "t.toml", &format!("base = \"b\"\n{toml}")).unwrap();
        assert_eq!(on("").request, base.request);
        let own = on("[request.allow]\ntitle = [\"c\"]\n").request;
        assert_eq!((own.subject, own.allow.len()), (base.request.subject.clone(), 2));
        assert!(on("[request]\nsubject = \"as-requested\"\n").request.takes_whole_subject());
    }
}
