//! A template that was read and has no contradictions: what may be issued, and how. See docs/reference/templates.md.

use std::collections::BTreeSet;
use std::ops::Range;

use super::name_pattern::{NamePattern, TextPattern};
use super::name_rules::{CommonName, NameKind, NameRules};
use super::template_string::TemplateString;
use crate::text::toml_document::{Document, DocumentError, Located, Section};
use crate::text::{self, Lifetime};
use crate::x509::name_constraints::Subtree;
use crate::x509::{
    AttributeType, DistinguishedName, ExtendedKeyUsage, KeyAlgorithm, KeyUsage, NameConstraints, SerialNumber,
    general_name,
};

/// What all certificates of one template have in common. Read from TOML, without contradictions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// The name of the template.
    pub name: String,
    pub summary: String,
    /// The key algorithms that are allowed; the first is the default for new keys.
    pub keys: Vec<KeyAlgorithm>,
    pub lifetime: Lifetime,
    /// The longest lifetime that is allowed.
    pub longest: Lifetime,
    /// How long before now a certificate starts, for clients whose clocks are slow; `None` when it starts now.
    pub backdate: Option<Lifetime>,
    pub common_name: CommonName,
    /// The other attributes of the subject.
    pub subject: Vec<(AttributeType, TemplateString)>,
    pub names: NameRules,
    pub key_usage: KeyUsage,
    /// The purposes, as template strings: `{{ role }}-auth` is rendered before it is parsed.
    pub extended_key_usage: Vec<TemplateString>,
    pub serial_bytes: usize,
    /// What a CA may do; `None` in the profile of a leaf.
    pub authority: Option<AuthorityRules>,
    pub distribution: Distribution,
    pub files: FileRules,
}

/// What a CA may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuthorityRules {
    /// How many CAs may be between it and a leaf (RFC 5280 §4.2.1.9); `None` when any number may.
    pub path_length: Option<u8>,
    pub constraints: NameConstraints,
}

/// URLs that are written into the certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Distribution {
    pub crl: Vec<TemplateString>,
    pub ca_issuers: Vec<TemplateString>,
    pub ocsp: Vec<TemplateString>,
}

/// Owner and mode of the files of a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileRules {
    /// The mode of the private key; other users can never read it.
    pub mode: Option<u32>,
    pub owner: Option<String>,
    pub group: Option<String>,
}

impl Profile {
    /// Reads a template. `file` is the name of the file in messages, `name` the name of the template.
    ///
    /// # Errors
    /// With every problem of the file at once: unknown keys, values of the wrong type, and rules that contradict each
    /// other.
    pub fn read(name: &str, file: &str, toml: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, toml);
        let profile = Reader { document: &document }.profile(name);
        document.finish()?;
        Ok(profile)
    }

    /// Returns whether it is the profile of a CA.
    pub fn is_authority(&self) -> bool {
        self.authority.is_some()
    }

    /// Returns the names of all placeholders that its strings use.
    pub fn uses(&self) -> BTreeSet<String> {
        let common_name = match &self.common_name {
            CommonName::Template(text) => Some(text),
            _ => None,
        };
        let Distribution { crl, ca_issuers, ocsp } = &self.distribution;
        let subject = self.subject.iter().map(|(_, text)| text);
        let rest = [&self.names.allow, &self.extended_key_usage, crl, ca_issuers, ocsp].into_iter().flatten();
        common_name.into_iter().chain(subject).chain(rest).flat_map(TemplateString::uses).collect()
    }
}

/// Where the common name comes from, the other attributes, and the patterns of `allow-common-name`.
type SubjectRules = (CommonName, Vec<(AttributeType, TemplateString)>, Vec<TextPattern>);

const DEFAULT_BACKDATE: &str = "1h";

struct Reader<'d, 't> {
    document: &'d Document<'t>,
}

impl Reader<'_, '_> {
    fn profile(&self, name: &str) -> Profile {
        let mut top = self.document.top();
        let summary = top.take::<String>("summary").map(|located| located.value).unwrap_or_default();
        let keys = self.keys(&mut top);
        let lifetime = self.required::<Lifetime>(&mut top, "lifetime", "\"90d\"");
        let longest = top.take::<Lifetime>("longest").or_else(|| lifetime.clone());
        let backdate = self.backdate(&mut top);
        let (common_name, subject, common_names) = self.subject(&mut top);
        let names = NameRules { common_names, ..self.names(&mut top) };
        let (key_usage, extended_key_usage) = self.usage(&mut top);
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
            backdate,
            common_name,
            subject,
            names,
            key_usage: key_usage.value,
            extended_key_usage,
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
        if !section.contains(key) {
            self.document.note(
                section.place(),
                format!("'{key}' is missing"),
                Some(format!("for example {key} = {example}")),
            );
        }
    }

    fn keys(&self, top: &mut Section<'_, '_>) -> Vec<KeyAlgorithm> {
        let Some(keys) = self.required_list::<KeyAlgorithm>(top, "key", "[\"ecdsa-p256\"]") else { return Vec::new() };
        if keys.value.is_empty() {
            self.document.note(keys.place, "no key algorithm is allowed", Some("list at least one".to_owned()));
        }
        keys.value.into_iter().map(|key| key.value).collect()
    }

    fn backdate(&self, top: &mut Section<'_, '_>) -> Option<Lifetime> {
        let Some(written) = top.take::<String>("backdate") else { return DEFAULT_BACKDATE.parse().ok() };
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
        let Some(mut section) = top.section("subject") else { return (CommonName::First, Vec::new(), Vec::new()) };
        let patterns =
            section.take_list::<String>("allow-common-name").map(|written| written.value).unwrap_or_default();
        let read = |Located { value, place }: Located<String>| {
            let hint = || Some("\"alice\", or \"svc-*\" with * for any characters".to_owned());
            TextPattern::parse(&value).map_err(|reason| self.document.note(place, reason, hint())).ok()
        };
        let common_names = patterns.into_iter().filter_map(read).collect();
        let common_name = match section.take::<String>("common-name") {
            None => CommonName::First,
            Some(written) => match written.value.as_str() {
                "first" => CommonName::First,
                "name" => CommonName::Name,
                "none" => CommonName::None,
                _ => self.text(&written).map_or(CommonName::None, CommonName::Template),
            },
        };
        let mut subject = Vec::new();
        for (key, value) in section.take_rest::<String>() {
            match AttributeType::from_label(&key.value) {
                Some(kind) => {
                    let Some(text) = self.text(&value) else { continue };
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
        (common_name, subject, common_names)
    }

    fn names(&self, top: &mut Section<'_, '_>) -> NameRules {
        let mut rules = NameRules { kinds: Vec::new(), at_least: 0, allow: Vec::new(), common_names: Vec::new() };
        let Some(mut section) = top.section("names") else { return rules };
        if let Some(kinds) = section.take_list::<NameKind>("kinds") {
            rules.kinds = kinds.value.into_iter().map(|kind| kind.value).collect();
        }
        if let Some(at_least) = section.take::<u32>("at-least") {
            if at_least.value > 0 && rules.kinds.is_empty() {
                let message = format!("at least {} names are wanted, but no kind of name is allowed", at_least.value);
                self.document.note(
                    at_least.place,
                    message,
                    Some("list some in kinds: \"dns\", \"ip\", \"email\", \"uri\"".to_owned()),
                );
            }
            rules.at_least = at_least.value;
        }
        let allow = section.take_list::<String>("allow");
        let place = allow.as_ref().filter(|allow| !allow.value.is_empty()).map(|allow| allow.place.clone());
        rules.allow = self.read_texts(allow, |pattern| {
            let hint = || "\"*.corp.test\", \"10.0.0.0/8\", or one name".to_owned();
            NamePattern::parse(pattern).map(drop).map_err(|reason| (reason, Some(hint())))
        });
        if let Some(place) = place
            && rules.kinds.is_empty()
        {
            let message = "'allow' has no effect while 'kinds' allows no kind of name";
            let hint = "for host names: kinds = [\"dns\"]; for common names: allow-common-name in [subject]".to_owned();
            self.document.note(place, message, Some(hint));
        }
        section.finish();
        rules
    }

    fn usage(&self, top: &mut Section<'_, '_>) -> (Located<KeyUsage>, Vec<TemplateString>) {
        let nothing = || Located { value: KeyUsage::default(), place: 0..0 };
        let Some(mut section) = top.section("usage") else {
            self.document.note(
                0..0,
                "[usage] is missing",
                Some("say what the key is for: key = [\"digital-signature\"]".to_owned()),
            );
            return (nothing(), Vec::new());
        };
        let mut usage = nothing();
        if let Some(names) = self.required_list::<String>(&mut section, "key", "[\"digital-signature\"]") {
            usage.place = names.place.clone();
            for Located { value: name, place } in &names.value {
                match KeyUsage::from_name(name) {
                    Some(bit) => usage.value = usage.value.union(bit),
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
        let purposes = self.texts(&mut section, "extended", |purpose| {
            let known =
                || format!("known are {}, and dotted object identifiers", ExtendedKeyUsage::all_names().join(", "));
            purpose.parse::<ExtendedKeyUsage>().map(drop).map_err(|problem| (problem.to_string(), Some(known())))
        });
        section.finish();
        (usage, purposes)
    }

    fn serial_bytes(&self, top: &mut Section<'_, '_>) -> usize {
        let Some(mut section) = top.section("serial") else { return SerialNumber::FEWEST_RANDOM_BYTES };
        let bytes = section.take::<usize>("octets");
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
            None => *allowed.start(),
        }
    }

    fn authority(&self, top: &mut Section<'_, '_>) -> Option<(Range<usize>, AuthorityRules)> {
        let mut section = top.section("authority")?;
        let path_length = section.take::<u8>("path-length").map(|located| located.value);
        let permitted = self.subtrees(&mut section, "permit");
        let excluded = self.subtrees(&mut section, "exclude");
        let place = section.place();
        section.finish();
        Some((place, AuthorityRules { path_length, constraints: NameConstraints { permitted, excluded } }))
    }

    fn subtrees(&self, section: &mut Section<'_, '_>, key: &'static str) -> Vec<Subtree> {
        let written = section.take_list::<String>(key).map(|written| written.value).unwrap_or_default();
        let read = |name: Located<String>| {
            name.value.parse().map_err(|error| self.document.note(name.place, error, None)).ok()
        };
        written.into_iter().filter_map(read).collect()
    }

    fn distribution(&self, top: &mut Section<'_, '_>) -> Distribution {
        let Some(mut section) = top.section("distribution") else { return Distribution::default() };
        let distribution = Distribution {
            crl: self.texts(&mut section, "crl", address),
            ca_issuers: self.texts(&mut section, "ca-issuers", address),
            ocsp: self.texts(&mut section, "ocsp", address),
        };
        section.finish();
        distribution
    }

    fn files(&self, top: &mut Section<'_, '_>) -> FileRules {
        let Some(mut section) = top.section("files") else { return FileRules::default() };
        let mode = section.take::<String>("mode").and_then(|written| match u32::from_str_radix(&written.value, 8) {
            // The owner must be able to read it; apart from the owner only the group may, and it is never executable.
            Ok(mode) if mode & !0o640 == 0 && mode & 0o400 != 0 => Some(mode),
            _ => {
                let message = format!("'{}' is not a mode for a private key", text::escape(&written.value));
                self.document.note(written.place, message, Some("\"0600\", \"0640\", \"0400\" or \"0440\"".to_owned()));
                None
            }
        });
        let owner = section.take::<String>("owner").map(|located| located.value);
        let group = section.take::<String>("group").map(|located| located.value);
        section.finish();
        FileRules { mode, owner, group }
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
        TemplateString::parse(&written.value)
            .map_err(|error| self.document.note(written.place.clone(), error, None))
            .ok()
    }
}

fn address(written: &str) -> Result<(), (String, Option<String>)> {
    general_name::check_address(written).map_err(|error| (error.to_string(), None))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAF: &str = "key = [\"ecdsa-p256\"]\nlifetime = \"90d\"\n[usage]\nkey = [\"digital-signature\"]\n";

    fn read(toml: &str) -> Result<Profile, String> {
        Profile::read("t", "t.toml", toml).map_err(|error| error.to_string())
    }

    fn message(toml: &str) -> String {
        read(toml).expect_err("the template is wrong")
    }

    #[test]
    fn the_shortest_template_has_sound_defaults() {
        let profile = read(LEAF).unwrap();
        assert_eq!(profile.longest, profile.lifetime);
        assert_eq!(profile.backdate, "1h".parse().ok());
        assert_eq!(profile.serial_bytes, 16);
        assert!(!profile.is_authority());
    }

    #[test]
    fn everything_that_is_missing_is_reported_at_once() {
        let message = message("summary = \"x\"");
        for part in ["'key' is missing", "'lifetime' is missing", "[usage] is missing"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn templates_that_contradict_themselves_are_refused() {
        for (toml, part) in [
            (LEAF.replace("\"90d\"", "\"90d\"\nlongest = \"30d\""), "more than the longest"),
            (LEAF.replace("digital-signature", "key-cert-sign"), "for a CA only"),
            (format!("{LEAF}[authority]\npath-length = 0\n"), "does not let it sign"),
            (format!("{LEAF}[names]\nat-least = 1\n"), "no kind of name is allowed"),
            (format!("{LEAF}[serial]\noctets = 8\n"), "16 to 20 are allowed"),
            (format!("{LEAF}[serial]\noctets = 21\n"), "16 to 20 are allowed"),
            (LEAF.replace("[\"ecdsa-p256\"]", "[]"), "no key algorithm"),
            (LEAF.replace("[\"digital-signature\"]", "[]"), "at least one usage"),
            (LEAF.replace("\"90d\"\n", "\"90d\"\nbackdate = \"3d\"\n"), "at most 2d"),
            (format!("{LEAF}[files]\nmode = \"0644\"\n"), "not a mode for a private key"),
            (format!("{LEAF}[files]\nmode = \"0040\"\n"), "not a mode for a private key"),
            (format!("{LEAF}extended = [\"server-auht\"]\n"), "unknown extended key usage"),
            (LEAF.replace("digital-signature", "digital-signatur"), "did you mean 'digital-signature'"),
            (format!("{LEAF}[subject]\norganisation = \"x\"\n"), "did you mean 'organization'"),
            (format!("{LEAF}[subject]\norganization = \"{{{{ x\"\n"), "not a template string"),
            (LEAF.replace("ecdsa-p256", "ecdsa-256"), "'ecdsa-256' is not a key algorithm"),
            (
                LEAF.replace("[usage]", "[names]\nkinds = [\"emial\"]\n[usage]"),
                "'emial' is not a kind of name (did you mean 'email'?)",
            ),
            (LEAF.replace("digital-signature", "key-encipherment"), "ecdsa-p256 would be useless"),
            (format!("{LEAF}[subject]\ncountry = \"de\"\n"), "t.toml:6:11: country 'de'"),
            (format!("{LEAF}[names]\nkinds = [\"dns\"]\nallow = [\"a.test\", \"*.*\"]\n"), "t.toml:7:20: '*'"),
            (format!("{LEAF}[names]\nallow = [\"a.test\"]\n"), "t.toml:6:9: 'allow' has no effect"),
            (format!("{LEAF}[names]\nkinds = []\nallow = [\"a.test\"]\n"), "t.toml:7:9: 'allow' has no effect"),
            (format!("{LEAF}[subject]\nallow-common-name = [\"a\", \"\"]\n"), "t.toml:6:27: an empty pattern"),
            (format!("{LEAF}[subject]\nallow-common-name = [\"{{{{ name }}}}\"]\n"), "has no placeholders"),
            (
                format!("{LEAF}[distribution]\ncrl = [\"crl.test/a.crl\"]\n"),
                "t.toml:6:8: 'crl.test/a.crl' is not a URI",
            ),
        ] {
            let message = message(&toml);
            assert!(message.contains(part), "{toml}\n→ {message}");
        }
    }

    #[test]
    fn an_empty_list_of_allowed_names_needs_no_kind() {
        assert!(read(&format!("{LEAF}[names]\nallow = []\n")).is_ok());
    }

    #[test]
    fn a_certificate_begins_now_when_nothing_is_to_lie_in_the_past() {
        for word in ["0", "0s"] {
            let toml = LEAF.replace("\"90d\"\n", &format!("\"90d\"\nbackdate = \"{word}\"\n"));
            assert_eq!(read(&toml).unwrap().backdate, None);
        }
    }

    #[test]
    fn the_values_that_a_template_uses_are_known() {
        let profile = read(&format!(
            "{LEAF}extended = [\"{{{{ role }}}}-auth\"]\n[subject]\norganization = \"{{{{ team }}}}\"\n"
        ))
        .unwrap();
        assert_eq!(profile.uses().into_iter().collect::<Vec<_>>(), ["role", "team"]);
    }

    proptest::proptest! {
        #[test]
        fn a_template_with_a_piece_replaced_is_read_or_refused_with_its_position(
            at in proptest::prelude::any::<proptest::sample::Index>(),
            length in 0_usize..12,
            piece in "\\PC{0,10}|[a-z\\[\\]=\" \\n{}.#'0-9-]{0,10}",
        ) {
            let text = include_str!("../../templates/intermediate.toml");
            let from = text.floor_char_boundary(at.index(text.len()));
            let to = text.ceil_char_boundary((from + length).min(text.len()));
            let changed = [&text[..from], &piece, &text[to..]].concat();
            if let Err(error) = Profile::read("changed", "changed.toml", &changed) {
                proptest::prop_assert!(error.to_string().contains("changed.toml"), "{}", error);
                assert_eq!(error.pictures().count(), error.problems.len());
            }
        }
    }
}
