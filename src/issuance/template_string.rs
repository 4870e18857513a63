//! Template strings, which may have placeholders such as `{{ name }}`. The only module that uses minijinja.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};

use crate::text::{escape, nearest};
use crate::x509::AttributeType;

/// A template string. It is rendered when a draft is made, after the TOML was parsed, so that no value can become TOML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateString {
    text: String,
    /// Its parts, when it has only text and placeholders: most strings are rendered for each of thousands of certificates without
    /// the library. `None` when it has more, such as a filter.
    parts: Option<Vec<Part>>,
}

/// A part of a template string.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(String),
}

/// The values of placeholders: `name`, `domain`, the `[subject]` of ca.toml, and `--set`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateValues(pub BTreeMap<String, String>);

/// Why a template string cannot be parsed or rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateStringError {
    #[error("'{}' is not a template string: {reason}", escape(text))]
    Syntax { text: String, reason: String },
    #[error("'{}' uses '{}', which has no value", escape(text), escape(unknown))]
    Unknown { text: String, unknown: String, nearest: Option<String>, known: Vec<String> },
}

impl TemplateString {
    /// Parses a template string.
    ///
    /// # Errors
    /// When its braces do not match.
    pub fn parse(text: &str) -> Result<Self, TemplateStringError> {
        environment().template_from_str(text).map_err(|error| syntax(text, &error))?;
        Ok(Self { text: text.to_owned(), parts: parts(text) })
    }

    /// Returns the attribute of a request whose values the string stands for: it is `{{ request.organization }}` and nothing else.
    pub fn of_request(&self) -> Option<AttributeType> {
        AttributeType::from_label(&self.label_of_request()?.replace('_', "-"))
    }

    /// Returns the name of the attribute in `{{ request.NAME }}`, which need not exist; `None` when the string is another one.
    pub fn label_of_request(&self) -> Option<&str> {
        let inner = self.text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix("request.")?;
        let is_name = !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then_some(inner)
    }

    /// Returns whether a placeholder in it is an attribute of a request.
    pub fn has_part_of_request(&self) -> bool {
        self.text.contains("request.") && self.variables().contains("request")
    }

    /// Returns the names of the placeholders. The attributes of a request have no name.
    pub fn uses(&self) -> BTreeSet<String> {
        match self.of_request() {
            Some(_) => BTreeSet::new(),
            None => self.variables(),
        }
    }

    fn variables(&self) -> BTreeSet<String> {
        if let Some(parts) = &self.parts {
            let placeholders = parts.iter().filter_map(|part| match part {
                Part::Placeholder(name) => Some(name.clone()),
                Part::Text(_) => None,
            });
            return placeholders.collect();
        }
        let environment = environment();
        environment
            .template_from_str(&self.text)
            .map(|template| template.undeclared_variables(false).into_iter().collect())
            .unwrap_or_default()
    }

    /// Returns the string with its placeholders replaced by values.
    ///
    /// # Errors
    /// When a placeholder has no value: a misspelled one must not become an empty string.
    pub fn render(&self, values: &TemplateValues) -> Result<String, TemplateStringError> {
        if let Some(rendered) = self.rendered_parts(values) {
            return Ok(rendered);
        }
        if self.of_request().is_some() {
            // The request overrides it, with all values of the attribute.
            return Ok(String::new());
        }
        if let Some(unknown) = self.uses().into_iter().find(|used| !values.0.contains_key(used)) {
            let nearest = nearest(&unknown, values.0.keys().map(String::as_str)).map(str::to_owned);
            let known = values.0.keys().cloned().collect();
            return Err(TemplateStringError::Unknown { text: self.text.clone(), unknown, nearest, known });
        }
        environment().render_str(&self.text, &values.0).map_err(|error| syntax(&self.text, &error))
    }

    /// Returns the string with its placeholders replaced; `None` when it has more than placeholders, or one without a value.
    fn rendered_parts(&self, values: &TemplateValues) -> Option<String> {
        let mut rendered = String::with_capacity(self.text.len());
        for part in self.parts.as_ref()? {
            rendered.push_str(match part {
                Part::Text(text) => text,
                Part::Placeholder(name) => values.0.get(name)?,
            });
        }
        Some(rendered)
    }

    /// Returns the string as it was written.
    pub fn source(&self) -> &str {
        &self.text
    }

    /// Returns whether it has placeholders.
    pub fn has_placeholders(&self) -> bool {
        self.text.contains('{')
    }
}

/// The words of the template language that are not the name of a value.
const RESERVED: [&str; 12] = ["true", "false", "none", "True", "False", "None", "not", "and", "or", "in", "is", "if"];

/// Returns the parts of a string that has only text and placeholders; `None` for another one. The library leaves out a line break
/// at the end.
fn parts(text: &str) -> Option<Vec<Part>> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some((before, inner)) = rest.split_once("{{") {
        let (name, after) = inner.split_once("}}")?;
        let name = name.trim_matches(' ');
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !RESERVED.contains(&name);
        if !is_name || before.contains('{') {
            return None;
        }
        parts.push(Part::Text(before.to_owned()));
        parts.push(Part::Placeholder(name.to_owned()));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    (!rest.contains('{') && !text.ends_with(['\n', '\r'])).then_some(parts)
}

fn environment<'e>() -> Environment<'e> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

fn syntax(text: &str, error: &minijinja::Error) -> TemplateStringError {
    TemplateStringError::Syntax {
        text: text.to_owned(),
        reason: error.detail().unwrap_or("the braces do not fit").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(pairs: &[(&str, &str)]) -> TemplateValues {
        TemplateValues(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn placeholders_are_filled_in() {
        let text = TemplateString::parse("{{ name }} of {{organization}}").unwrap();
        assert_eq!(text.render(&values(&[("name", "web"), ("organization", "A & <B>")])).unwrap(), "web of A & <B>");
        assert_eq!(text.uses().into_iter().collect::<Vec<_>>(), ["name", "organization"]);
        assert_eq!(TemplateString::parse("plain").unwrap().render(&TemplateValues::default()).unwrap(), "plain");
    }

    #[test]
    fn a_misspelt_placeholder_is_an_error_with_the_nearest_value() {
        let error = TemplateString::parse("{{ nmae }}").unwrap().render(&values(&[("name", "web")])).unwrap_err();
        assert!(
            matches!(error, TemplateStringError::Unknown { unknown, nearest: Some(near), .. } if unknown == "nmae" && near == "name")
        );
    }

    #[test]
    fn braces_that_do_not_fit_are_an_error() {
        for text in ["{{ name", "{{ }}", "{% if %}", "{{ name }"] {
            assert!(matches!(TemplateString::parse(text), Err(TemplateStringError::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn a_value_is_never_rendered_again() {
        let rendered = TemplateString::parse("{{ name }}").unwrap().render(&values(&[("name", "{{ name }}")])).unwrap();
        assert_eq!(rendered, "{{ name }}");
    }

    /// Renders a string with the library alone.
    fn rendered_by_library(text: &str, values: &TemplateValues) -> Result<String, TemplateStringError> {
        TemplateString { text: text.to_owned(), parts: None }.render(values)
    }

    #[test]
    fn words_of_the_language_are_not_placeholders() {
        for word in RESERVED {
            assert_eq!(parts(&format!("a {{{{ {word} }}}}")), None, "{word}");
        }
        for text in [
            "{{ name|upper }}",
            "{{- name }}",
            "{% set a = 1 %}",
            "{# a #}",
            "{{{ name }}",
            "{{ 1 }}",
            "a {{ name }}\n",
        ] {
            assert_eq!(parts(text), None, "{text}");
        }
        let values = values(&[("name", "web"), ("else", "b")]);
        for text in ["{{ name }}", "a{{name}} b } {{  name }}", "}}", "{{ else }}", "", "a\nb {{ name }}"] {
            let parsed = TemplateString::parse(text).unwrap();
            assert!(parsed.parts.is_some(), "{text}");
            assert_eq!(parsed.render(&values), rendered_by_library(text, &values), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn parts_are_rendered_as_the_library_renders_them(
            text in "([{}]{1,3}|[ %#|.\n-]|name|other|true|loop|self|x1|_a|é){0,12}",
        ) {
            if let Ok(parsed) = TemplateString::parse(&text) {
                let values = values(&[("name", "a & b"), ("other", "{{ name }}"), ("x1", ""), ("loop", "l"), ("self", "s")]);
                let by_library = TemplateString { text, parts: None };
                proptest::prop_assert_eq!(parsed.render(&values), by_library.render(&values));
                proptest::prop_assert_eq!(parsed.uses(), by_library.uses());
            }
        }

        #[test]
        fn no_text_makes_it_panic_and_plain_text_stays_as_it_is(
            text in "\\PC{0,40}|([{}% |]|name|set|if|end|[()\"'.,0-9]){0,20}",
        ) {
            if let Ok(parsed) = TemplateString::parse(&text) {
                let rendered = parsed.render(&values(&[("name", "web")]));
                if !text.contains('{') {
                    proptest::prop_assert_eq!(rendered, Ok(text));
                }
            }
        }
    }
}
