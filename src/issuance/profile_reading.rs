//! Reads a template, with the place of each problem. A template can be based on another one: what it does not set is as in its
//! base. Tables are merged key by key; a list replaces that of the base.

use std::ops::Range;

use super::file_rules::{FileRules, key_mode};
use super::name_pattern::{NamePattern, TextPattern};
use super::name_rules::{CommonName, NameKind, NameRules};
use super::profile::{AuthorityRules, Distribution, Profile};
use super::template_string::TemplateString;
use super::{extension_reading, request_reading};
use crate::text::toml_document::{Document, DocumentError, Located, Section};
use crate::text::{self, Lifetime};
use crate::x509::name_constraints::Subtree;
use crate::x509::{
    AttributeType, DistinguishedName, ExtendedKeyUsage, KeyAlgorithm, KeyUsage, NameConstraints, SerialNumber,
    der_form, general_name,
};

/// The key that names the base of a template.
pub const BASE: &str = "base";

/// The key of the length of serial numbers, in bytes.
pub const SERIAL_BYTES: &str = "octets";

impl Profile {
    /// Reads a template that has no base. `file` is the name of the file in messages, `name` the name of the template.
    ///
    /// # Errors
    /// With every problem of the file at once: unknown keys, values of the wrong type, and rules that contradict each
    /// other.
    pub fn read(name: &str, file: &str, toml: &str) -> Result<Self, DocumentError> {
        Self::read_on(None, name, file, toml)
    }

    /// As [`read`](Self::read), for a template whose base was read already.
    ///
    /// # Errors
    /// As [`read`](Self::read); also when the template names a base and there is none, or the other way round.
    pub fn read_on(base: Option<&Self>, name: &str, file: &str, toml: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, toml);
        let mut top = document.top();
        let written = top.take::<String>(BASE);
        if let (Some(written), None) = (&written, base) {
            let message = format!("the base '{}' was not found", text::escape(&written.value));
            document.note(written.place.clone(), message, None);
        }
        let base_place = written.map_or(0..0, |written| written.place);
        let profile = Reader { document: &document, base, base_place }.profile(name, top);
        document.finish()?;
        Ok(profile)
    }

    /// Returns the name of the base that a template has, and its place; `None` when it has none, or the file is not TOML.
    pub fn base_of(toml: &str) -> Option<Located<String>> {
        // Most templates have none, and are not read twice.
        toml.contains(BASE).then(|| Document::new("", toml).top().take(BASE)).flatten()
    }
}

/// Where the common name comes from, the other attributes, and the patterns of `allow-common-name`.
type SubjectRules = (CommonName, Vec<(AttributeType, TemplateString)>, Vec<TextPattern>);

/// What `[usage]` says.
struct Usage {
    key: Located<KeyUsage>,
    purposes: Vec<TemplateString>,
    critical_purposes: bool,
    policies: Vec<String>,
}

const DEFAULT_BACKDATE: &str = "1h";

struct Reader<'d, 't> {
    document: &'d Document<'t>,
    /// What the template is based on.
    base: Option<&'d Profile>,
    /// Where the template names it. What follows from the base is noted here.
    base_place: Range<usize>,
}

impl<'d, 't> Reader<'d, 't> {
    /// Returns a value of the base as if the template had it where it names its base.
    fn inherited<T>(&self, value: impl FnOnce(&'d Profile) -> T) -> Option<Located<T>> {
        self.base.map(|base| Located { value: value(base), place: self.base_place.clone() })
    }

    fn profile(&self, name: &str, mut top: Section<'d, 't>) -> Profile {
        let summary = top.take::<String>("summary").map(|located| located.value);
        let summary = summary.or_else(|| Some(self.base?.summary.clone())).unwrap_or_default();
        let keys = self.keys(&mut top);
        let lifetime = self.required::<Lifetime>(&mut top, "lifetime", "\"90d\"");
        let lifetime = lifetime.or_else(|| self.inherited(|base| base.lifetime));
        let longest = top.take::<Lifetime>("longest");
        let longest = longest.or_else(|| {
            self.inherited(|base| base.longest).filter(|_| self.base.is_some_and(|base| !base.longest_is_lifetime))
        });
        let longest_is_lifetime = longest.is_none();
        let longest = longest.or_else(|| lifetime.clone());
        let backdate = self.backdate(&mut top);
        let (common_name, subject, common_names) = self.subject(&mut top);
        let request = request_reading::rules(self.document, &mut top, self.base.map(|base| &base.request));
        let names = NameRules { common_names, ..self.names(&mut top) };
        let Usage { key: key_usage, purposes: extended_key_usage, critical_purposes, policies } = self.usage(&mut top);
        let inherited = || self.base.map(|base| base.extensions.clone()).unwrap_or_default();
        let extensions = extension_reading::extensions(self.document, &mut top).unwrap_or_else(inherited);
        let serial_bytes = self.serial_bytes(&mut top);
        let authority = self.authority(&mut top);
        let distribution = self.distribution(&mut top);
        let files = self.files(&mut top);
        let signs = key_usage.value.contains(KeyUsage::KEY_CERT_SIGN);
        if let Some((place, _)) = &authority {
            if !signs {
                let hint = "add \"key-cert-sign\" to key in [usage], or remove [authority]".to_owned();
                self.document.note(
                    place.clone(),
                    "[authority] makes a CA, but [usage] does not let it sign certificates",
                    Some(hint),
                );
            }
            if let Some(extension) = extensions.iter().find(|extension| extension.critical) {
                let message = format!(
                    "{} is critical: clients that do not know it would refuse everything below this CA",
                    extension.oid
                );
                self.document.note(place.clone(), message, None);
            }
            if !policies.is_empty() {
                let message = "policies in [usage] are for certificates that are not those of a CA";
                self.document.note(place.clone(), message, None);
            }
            if !extended_key_usage.is_empty() {
                let message = "a CA has no extended key usage: it would restrict everything below it";
                self.document.note(place.clone(), message, Some("leave extended in [usage] empty".to_owned()));
            }
        } else if signs {
            let hint = Some("add [authority], or remove \"key-cert-sign\"".to_owned());
            self.document.note(key_usage.place.clone(), "key-cert-sign is for a CA only (RFC 5280 §4.2.1.3)", hint);
        }
        let without = key_usage.value.without(KeyUsage::KEY_ENCIPHERMENT).without(KeyUsage::DATA_ENCIPHERMENT);
        if let Some(other) = keys.iter().find(|key| !key.is_rsa())
            && key_usage.value != KeyUsage::default()
            && without == KeyUsage::default()
        {
            let message = format!("a key of the kind {other} would be useless: encipherment is for RSA keys only");
            let hint = Some("add \"digital-signature\", or list RSA keys only".to_owned());
            self.document.note(key_usage.place.clone(), message, hint);
        }
        top.finish();

        if let (Some(lifetime), Some(longest)) = (&lifetime, &longest)
            && lifetime.value > longest.value
        {
            let message = format!("the lifetime of {} is more than the longest, {}", lifetime.value, longest.value);
            self.document.note(lifetime.place.clone(), message, None);
        }
        let fallback = Lifetime::from_days(1);
        Profile {
            name: name.to_owned(),
            summary,
            keys,
            lifetime: lifetime.map_or(fallback, |located| located.value),
            longest: longest.map_or(fallback, |located| located.value),
            longest_is_lifetime,
            backdate,
            common_name,
            subject,
            names,
            request,
            key_usage: key_usage.value,
            extended_key_usage,
            critical_purposes,
            policies,
            extensions,
            serial_bytes,
            authority: authority.map(|(_, rules)| rules),
            distribution,
            files,
        }
    }

    fn required<T: serde::de::DeserializeOwned>(
        &self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        example: &str,
    ) -> Option<Located<T>> {
        self.require(section, key, example);
        section.take(key)
    }

    fn required_list<T: serde::de::DeserializeOwned>(
        &self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        example: &str,
    ) -> Option<Located<Vec<Located<T>>>> {
        self.require(section, key, example);
        section.take_list(key)
    }

    fn require(&self, section: &Section<'_, '_>, key: &str, example: &str) {
        if !section.contains(key) && self.base.is_none() {
            self.document.note(
                section.place(),
                format!("'{key}' is missing"),
                Some(format!("for example {key} = {example}")),
            );
        }
    }

    fn keys(&self, top: &mut Section<'_, '_>) -> Vec<KeyAlgorithm> {
        let Some(keys) = self.required_list::<KeyAlgorithm>(top, "key", "[\"ecdsa-p256\"]") else {
            return self.base.map(|base| base.keys.clone()).unwrap_or_default();
        };
        if keys.value.is_empty() {
            self.document.note(keys.place, "no key algorithm is allowed", Some("list at least one".to_owned()));
        }
        keys.value.into_iter().map(|key| key.value).collect()
    }

    fn backdate(&self, top: &mut Section<'_, '_>) -> Option<Lifetime> {
        let Some(written) = top.take::<String>("backdate") else {
            return self.base.map_or_else(|| DEFAULT_BACKDATE.parse().ok(), |base| base.backdate);
        };
        if written.value == "0" || written.value == "0s" {
            return None;
        }
        match written.value.parse::<Lifetime>() {
            Ok(backdate) if backdate <= Lifetime::from_days(2) => Some(backdate),
            Ok(backdate) => {
                // The Baseline Requirements (§7.1.2.7) allow 48 hours.
                self.document.note(
                    written.place,
                    format!("a certificate must not be valid from {backdate} in the past; at most 2d"),
                    None,
                );
                None
            }
            Err(error) => {
                self.document.note(written.place, error, None);
                None
            }
        }
    }

    fn subject(&self, top: &mut Section<'_, '_>) -> SubjectRules {
        let inherited = self.base.map_or_else(
            || (CommonName::First, Vec::new(), Vec::new()),
            |base| (base.common_name.clone(), base.subject.clone(), base.names.common_names.clone()),
        );
        let Some(mut section) = top.section("subject") else { return inherited };
        let (inherited_common_name, inherited_subject, inherited_patterns) = inherited;
        let patterns = section.take_list::<String>("allow-common-name").map(|written| written.value);
        let read = |Located { value, place }: Located<String>| {
            let hint = || Some("\"alice\", or \"svc-*\" with * for any characters".to_owned());
            TextPattern::parse(&value).map_err(|reason| self.document.note(place, reason, hint())).ok()
        };
        let common_names =
            patterns.map_or(inherited_patterns, |patterns| patterns.into_iter().filter_map(read).collect());
        let common_name = match section.take::<String>("common-name") {
            None => inherited_common_name,
            Some(written) => match written.value.as_str() {
                "first" => CommonName::First,
                "name" => CommonName::Name,
                "none" => CommonName::None,
                _ => self.subject_text(&written).map_or(CommonName::None, CommonName::Template),
            },
        };
        let mut subject = Vec::new();
        for (key, value) in section.take_rest::<String>() {
            match AttributeType::from_label(&key.value) {
                Some(kind) => {
                    let Some(text) = self.subject_text(&value) else { continue };
                    if !text.has_placeholders()
                        && let Err(error) = DistinguishedName::build(&[(kind.clone(), value.value)])
                    {
                        self.document.note(value.place, error, None);
                    }
                    subject.push((kind, text));
                }
                None => {
                    let near = text::nearest(&key.value, AttributeType::all_labels())
                        .map(|near| format!("did you mean '{near}'?"));
                    let known =
                        || format!("known here: {}", AttributeType::all_labels().collect::<Vec<_>>().join(", "));
                    let message = format!("unknown attribute '{}' in [subject]", text::escape(&key.value));
                    self.document.note(key.place, message, Some(near.unwrap_or_else(known)));
                }
            }
        }
        let is_new = |(kind, _): &(AttributeType, TemplateString)| !subject.iter().any(|(own, _)| own == kind);
        let mut all: Vec<_> = inherited_subject.into_iter().filter(is_new).collect();
        all.append(&mut subject);
        (common_name, all, common_names)
    }

    fn names(&self, top: &mut Section<'_, '_>) -> NameRules {
        let inherited = self.base.map(|base| base.names.clone()).unwrap_or_default();
        let Some(mut section) = top.section("names") else { return inherited };
        let mut rules = inherited;
        // What is wrong with an inherited value follows from one that the template sets.
        let mut kinds_place = None;
        if let Some(kinds) = section.take_list::<NameKind>("kinds") {
            rules.kinds = kinds.value.into_iter().map(|kind| kind.value).collect();
            kinds_place = Some(kinds.place);
        }
        let at_least = section.take::<u32>("at-least");
        let at_least_place = at_least.as_ref().map(|at_least| at_least.place.clone()).or_else(|| kinds_place.clone());
        rules.at_least = at_least.map_or(rules.at_least, |at_least| at_least.value);
        if let Some(place) = at_least_place.clone()
            && rules.at_least > 0
            && rules.kinds.is_empty()
        {
            let message = format!("at least {} names are wanted, but no kind of name is allowed", rules.at_least);
            let hint = "list some in kinds: \"dns\", \"ip\", \"email\", \"uri\", \"upn\", \"kerberos\"".to_owned();
            self.document.note(place, message, Some(hint));
        }
        let at_most = section.take::<u32>("at-most");
        rules.at_most = at_most.as_ref().map_or(rules.at_most, |at_most| Some(at_most.value));
        if let (Some(most), Some(place)) = (rules.at_most, at_most.map(|at_most| at_most.place).or(at_least_place))
            && most < rules.at_least
        {
            let message = format!("at most {most} names are allowed, and at least {} are needed", rules.at_least);
            self.document.note(place, message, None);
        }
        let allow = section.take_list::<String>("allow");
        let place = allow.as_ref().map(|allow| allow.place.clone()).or(kinds_place);
        if allow.is_some() {
            rules.allow = self.read_texts(allow, |pattern| {
                let hint = || {
                    "\"*.corp.test\", \"10.0.0.0/8\", \"*@corp.test\", \"spiffe://corp.test/*\", or one name".to_owned()
                };
                NamePattern::parse(pattern).map(drop).map_err(|reason| (reason, Some(hint())))
            });
        }
        if let Some(place) = place
            && !rules.allow.is_empty()
            && rules.kinds.is_empty()
        {
            let message = "'allow' has no effect while 'kinds' allows no kind of name";
            let hint = "for host names: kinds = [\"dns\"]; for common names: allow-common-name in [subject]".to_owned();
            self.document.note(place, message, Some(hint));
        }
        section.finish();
        rules
    }

    fn usage(&self, top: &mut Section<'_, '_>) -> Usage {
        let inherited = self.inherited(|base| base.key_usage).zip(self.base).map(|(key, base)| Usage {
            key,
            purposes: base.extended_key_usage.clone(),
            critical_purposes: base.critical_purposes,
            policies: base.policies.clone(),
        });
        let is_inherited = inherited.is_some();
        let nothing = Located { value: KeyUsage::default(), place: 0..0 };
        let nothing = Usage { key: nothing, purposes: Vec::new(), critical_purposes: false, policies: Vec::new() };
        let mut usage = inherited.unwrap_or(nothing);
        let Some(mut section) = top.section("usage") else {
            if is_inherited {
                return usage;
            }
            self.document.note(
                0..0,
                "[usage] is missing",
                Some("say what the key is for: key = [\"digital-signature\"]".to_owned()),
            );
            return usage;
        };
        if let Some(names) = self.required_list::<String>(&mut section, "key", "[\"digital-signature\"]") {
            usage.key = Located { value: KeyUsage::default(), place: names.place.clone() };
            for Located { value: name, place } in &names.value {
                match KeyUsage::from_name(name) {
                    Some(bit) => usage.key.value = usage.key.value.union(bit),
                    None => {
                        let hint =
                            text::nearest(name, KeyUsage::all_names()).map(|near| format!("did you mean '{near}'?"));
                        let hint = hint.unwrap_or_else(|| format!("known are {}", KeyUsage::all_names().join(", ")));
                        let message = format!("unknown key usage '{}'", text::escape(name));
                        self.document.note(place.clone(), message, Some(hint));
                    }
                }
            }
            if names.value.is_empty() {
                // RFC 5280 §4.2.1.3: "at least one of the bits MUST be set to 1".
                self.document.note(names.place, "a key needs at least one usage", None);
            }
        }
        let keeps_purposes = is_inherited && !section.contains("extended");
        let purposes = self.texts(&mut section, "extended", |purpose| {
            let known =
                || format!("known are {}, and dotted object identifiers", ExtendedKeyUsage::all_names().join(", "));
            purpose.parse::<ExtendedKeyUsage>().map(drop).map_err(|problem| (problem.to_string(), Some(known())))
        });
        if !keeps_purposes {
            usage.purposes = purposes;
        }
        let is_time_stamping = |text: &TemplateString| text.source() == ExtendedKeyUsage::TimeStamping.to_string();
        if usage.purposes.len() > 1 && usage.purposes.iter().any(is_time_stamping) {
            let message = "time-stamping is the only purpose of a certificate that has it (RFC 3161 §2.3)";
            self.document.note(section.place(), message, Some("make a template for each purpose".to_owned()));
        }
        if let Some(critical) = section.take::<bool>("extended-critical") {
            usage.critical_purposes = critical.value;
            if !critical.value && usage.purposes.iter().any(is_time_stamping) {
                self.document.note(critical.place, "for time-stamping, purposes are critical (RFC 3161 §2.3)", None);
            }
        }
        if let Some(policies) = section.take_list::<String>("policies") {
            let is_policy = |policy: &Located<String>| der_form::object_identifier(&policy.value).is_some();
            for policy in policies.value.iter().filter(|policy| !is_policy(policy)) {
                let message = format!("'{}' is not a dotted object identifier", text::escape(&policy.value));
                self.document.note(policy.place.clone(), message, None);
            }
            usage.policies = policies.value.into_iter().map(|policy| policy.value).collect();
            let is_repeated = |at: usize| usage.policies[..at].contains(&usage.policies[at]);
            if (0..usage.policies.len()).any(is_repeated) {
                // RFC 5280 §4.2.1.4: "MUST NOT appear more than once".
                self.document.note(policies.place, "a policy is there twice", None);
            }
        }
        section.finish();
        usage
    }

    fn serial_bytes(&self, top: &mut Section<'_, '_>) -> usize {
        let inherited = self.base.map_or(SerialNumber::FEWEST_RANDOM_BYTES, |base| base.serial_bytes);
        let Some(mut section) = top.section("serial") else { return inherited };
        let bytes = section.take::<usize>(SERIAL_BYTES);
        section.finish();
        let allowed = SerialNumber::FEWEST_RANDOM_BYTES..=SerialNumber::MOST_BYTES;
        match bytes {
            Some(bytes) if !allowed.contains(&bytes.value) => {
                let message = format!(
                    "a serial number of {} bytes; {} to {} are allowed",
                    bytes.value,
                    allowed.start(),
                    allowed.end()
                );
                let hint = "fewer contain less than 127 random bits, RFC 5280 §4.1.2.2 forbids more".to_owned();
                self.document.note(bytes.place, message, Some(hint));
                *allowed.start()
            }
            Some(bytes) => bytes.value,
            None => inherited,
        }
    }

    fn authority(&self, top: &mut Section<'_, '_>) -> Option<(Range<usize>, AuthorityRules)> {
        let inherited = self.inherited(|base| base.authority.clone());
        let inherited = inherited.and_then(|located| Some((located.place, located.value?)));
        let Some(mut section) = top.section("authority") else { return inherited };
        let AuthorityRules { path_length, constraints } = inherited.map(|(_, rules)| rules).unwrap_or_default();
        let path_length = section.take::<u8>("path-length").map_or(path_length, |located| Some(located.value));
        let permitted = self.subtrees(&mut section, "permit").unwrap_or(constraints.permitted);
        let excluded = self.subtrees(&mut section, "exclude").unwrap_or(constraints.excluded);
        let place = section.place();
        section.finish();
        Some((place, AuthorityRules { path_length, constraints: NameConstraints { permitted, excluded } }))
    }

    fn subtrees(&self, section: &mut Section<'_, '_>, key: &'static str) -> Option<Vec<Subtree>> {
        let written = section.take_list::<String>(key)?.value;
        let read = |name: Located<String>| {
            name.value.parse().map_err(|error| self.document.note(name.place, error, None)).ok()
        };
        Some(written.into_iter().filter_map(read).collect())
    }

    fn distribution(&self, top: &mut Section<'_, '_>) -> Distribution {
        let inherited = self.base.map(|base| base.distribution.clone()).unwrap_or_default();
        let Some(mut section) = top.section("distribution") else { return inherited };
        let mut urls = |key, inherited| match section.contains(key) {
            true => self.texts(&mut section, key, address),
            false => {
                // The key is known.
                drop(self.texts(&mut section, key, address));
                inherited
            }
        };
        let distribution = Distribution {
            crl: urls("crl", inherited.crl),
            ca_issuers: urls("ca-issuers", inherited.ca_issuers),
            ocsp: urls("ocsp", inherited.ocsp),
        };
        section.finish();
        distribution
    }

    fn files(&self, top: &mut Section<'_, '_>) -> FileRules {
        let inherited = self.base.map(|base| base.files.clone()).unwrap_or_default();
        let Some(mut section) = top.section("files") else { return inherited };
        let mode = section.take::<String>("mode").and_then(|written| {
            let mode = key_mode(&written.value);
            if mode.is_none() {
                let message = format!("'{}' is not a mode for a private key", text::escape(&written.value));
                self.document.note(written.place, message, Some("\"0600\", \"0640\", \"0400\" or \"0440\"".to_owned()));
            }
            mode
        });
        let owner = section.take::<String>("owner").map(|located| located.value);
        let group = section.take::<String>("group").map(|located| located.value);
        section.finish();
        FileRules { mode, owner, group }.over(&inherited)
    }

    /// Reads a list of template strings. Those without placeholders are checked now, so that the error names their line.
    fn texts(
        &self,
        section: &mut Section<'_, '_>,
        key: &'static str,
        check: impl Fn(&str) -> Result<(), (String, Option<String>)>,
    ) -> Vec<TemplateString> {
        self.read_texts(section.take_list(key), check)
    }

    fn read_texts(
        &self,
        written: Option<Located<Vec<Located<String>>>>,
        check: impl Fn(&str) -> Result<(), (String, Option<String>)>,
    ) -> Vec<TemplateString> {
        let written = written.map(|written| written.value).unwrap_or_default();
        let read = |written: Located<String>| {
            let text = self.text(&written)?;
            if !text.has_placeholders()
                && let Err((problem, hint)) = check(&written.value)
            {
                self.document.note(written.place, problem, hint);
            }
            Some(text)
        };
        written.into_iter().filter_map(read).collect()
    }

    fn text(&self, written: &Located<String>) -> Option<TemplateString> {
        let parsed = TemplateString::parse(&written.value);
        let text = parsed.map_err(|error| self.document.note(written.place.clone(), error, None)).ok()?;
        if text.has_part_of_request() {
            self.document.note(written.place.clone(), NOT_ALONE, Some(ALONE.to_owned()));
        }
        Some(text)
    }

    /// Reads the text of an attribute of the subject, which can be an attribute of the request.
    fn subject_text(&self, written: &Located<String>) -> Option<TemplateString> {
        let parsed = TemplateString::parse(&written.value).ok();
        let Some(text) = parsed.filter(|text| text.label_of_request().is_some()) else { return self.text(written) };
        if text.of_request().is_none() {
            let label = text.label_of_request().unwrap_or_default().replace('_', "-");
            let near = text::did_you_mean(&label, AttributeType::all_labels());
            let message = format!("unknown attribute '{}' of a request{near}", text::escape(&label));
            self.document.note(written.place.clone(), message, None);
        }
        Some(text)
    }
}

/// What is wrong with an attribute of a request within another text.
pub(super) const NOT_ALONE: &str = "an attribute of a request stands alone, as the text of an attribute in [subject]";
pub(super) const ALONE: &str = "for example organization = \"{{ request.organization }}\"";

fn address(written: &str) -> Result<(), (String, Option<String>)> {
    general_name::check_address(written).map_err(|error| (error.to_string(), None))
}

#[cfg(test)]
mod tests;
