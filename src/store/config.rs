//! `ca.toml`: the settings of a CA. `ca.example.toml` is its commented example; a test compares it with the defaults.

use std::collections::BTreeMap;
use std::io;

use super::error::StoreError;
use super::toml_file;
use crate::clients::{ClientChoice, ClientList};
use crate::issuance::{CsrLimits, TemplateString};
use crate::store::home::Home;
use crate::system::{Entropy, files};
use crate::text::toml_document::{Document, DocumentError, Located, Section, quoted};
use crate::text::{self, Lifetime, PathText, nearest};
use crate::x509::name_constraints::Subtree;
use crate::x509::{AttributeType, DistinguishedName, KeyAlgorithm, NameConstraints, general_name};

/// All settings. Flags override them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The common name of the root.
    pub name: String,
    /// The attributes that every subject gets unless the template or a flag sets them, by their long labels.
    pub subject: BTreeMap<String, String>,
    pub root: AuthoritySettings,
    pub intermediate: AuthoritySettings,
    pub issue: IssueSettings,
    pub sign: SignSettings,
    pub crl: CrlSettings,
    pub distribution: DistributionSettings,
    pub index: IndexSettings,
    pub passphrase: PassphraseSettings,
    pub verify: VerifySettings,
}

/// `[root]` and `[intermediate]`: the options with which `ca init` makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthoritySettings {
    pub key: KeyAlgorithm,
    pub lifetime: Lifetime,
    pub constraints: NameConstraints,
}

/// `[issue]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueSettings {
    /// The authority that issues without `--issuer`; in a CA without an authority `issuing`, the root.
    pub issuer: String,
    /// The folder of the site's own templates, relative to the CA directory.
    pub template_dir: String,
}

/// `[sign]`: the limits of what a CSR may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignSettings {
    pub max_bytes: u64,
    pub max_names: u64,
}

impl SignSettings {
    pub fn limits(&self) -> CsrLimits {
        CsrLimits { bytes: self.max_bytes, names: self.max_names }
    }
}

/// `[crl]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlSettings {
    pub lifetime: Lifetime,
    /// The CRL URLs of every certificate whose template sets none.
    pub urls: Vec<String>,
}

/// `[distribution]`: the URLs of the issuer's certificate and of its OCSP responder, used like `urls` under `[crl]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DistributionSettings {
    pub ca_issuers: Vec<String>,
    pub ocsp: Vec<String>,
}

/// `[index]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSettings {
    /// The path of the index, relative to the CA directory.
    pub location: String,
}

/// `[passphrase]`: the sources that commands use without a flag. Empty when there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PassphraseSettings {
    pub file: String,
    pub env: String,
    /// A program and its arguments, which prints the passphrase.
    pub command: Vec<String>,
}

impl PassphraseSettings {
    /// Returns whether there is a source.
    pub fn is_set(&self) -> bool {
        !self.file.is_empty() || !self.env.is_empty() || !self.command.is_empty()
    }
}

/// `[verify]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerifySettings {
    /// The clients of `ca verify` without `--client`, as that option names them.
    pub clients: Vec<String>,
}

impl VerifySettings {
    /// Returns the clients that are named.
    pub fn choices(&self) -> Vec<ClientChoice<'static>> {
        let lists = self.clients.iter().filter_map(|names| names.parse::<ClientList>().ok());
        lists.flat_map(|list| list.0).collect()
    }
}

impl Default for Config {
    fn default() -> Self {
        let authority = |years: u64| AuthoritySettings {
            key: KeyAlgorithm::EcdsaP384,
            lifetime: Lifetime::from_days(years * 365),
            constraints: NameConstraints::default(),
        };
        Self {
            name: "Private Root CA".to_owned(),
            subject: BTreeMap::new(),
            root: authority(10),
            intermediate: authority(5),
            issue: IssueSettings { issuer: "issuing".to_owned(), template_dir: "templates".to_owned() },
            sign: SignSettings { max_bytes: 64 * 1024, max_names: 100 },
            crl: CrlSettings { lifetime: Lifetime::from_days(30), urls: Vec::new() },
            distribution: DistributionSettings::default(),
            index: IndexSettings { location: "index.db".to_owned() },
            passphrase: PassphraseSettings::default(),
            verify: VerifySettings::default(),
        }
    }
}

/// Returns the name of a root whose user gives none: the default of `name` with six random letters, so that two of them in
/// one list of trusted certificates can be distinguished.
///
/// # Errors
/// When the system gives no random bytes.
pub fn distinct_name(entropy: &dyn Entropy) -> io::Result<String> {
    /// Neither vowels, which make words, nor what is easily mistaken for another character.
    const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxz23456789";
    let mut random = [0; 6];
    entropy.fill(&mut random)?;
    let letter = |byte: &u8| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]);
    Ok(format!("{} {}", Config::default().name, random.iter().map(letter).collect::<String>()))
}

impl Config {
    /// Reads the settings of a CA.
    ///
    /// # Errors
    /// When its `ca.toml` cannot be read or is invalid.
    pub fn load(home: &Home) -> Result<Self, StoreError> {
        let path = home.config();
        let content = files::read(&path, files::MAX_SMALL_FILE_BYTES)?;
        let toml = toml_file::text(&path, content, toml_file::SETTINGS)?;
        Ok(Self::read(&path.escaped().to_string(), &toml)?)
    }

    /// Reads a `ca.toml`; a missing setting has the value of [`Config::default`].
    ///
    /// # Errors
    /// With every problem of the file at once.
    pub fn read(file: &str, toml: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, toml);
        let config = Self::from_document(&document);
        document.finish()?;
        Ok(config)
    }

    fn from_document(document: &Document<'_>) -> Self {
        let mut config = Self::default();
        let mut top = document.top();
        set(&mut top, "name", &mut config.name);
        if let Some(mut section) = top.section("subject") {
            config.subject = subject(&mut section);
        }
        if let Some(section) = top.section("root") {
            config.root.read(section);
        }
        if let Some(section) = top.section("intermediate") {
            config.intermediate.read(section);
        }
        if let Some(mut section) = top.section("issue") {
            set(&mut section, "issuer", &mut config.issue.issuer);
            set(&mut section, "template-dir", &mut config.issue.template_dir);
            section.finish();
        }
        if let Some(mut section) = top.section("sign") {
            set(&mut section, "max-octets", &mut config.sign.max_bytes);
            set(&mut section, "max-names", &mut config.sign.max_names);
            section.finish();
        }
        if let Some(mut section) = top.section("crl") {
            set(&mut section, "lifetime", &mut config.crl.lifetime);
            urls(&mut section, "urls", &mut config.crl.urls);
            section.finish();
        }
        if let Some(mut section) = top.section("distribution") {
            urls(&mut section, "ca-issuers", &mut config.distribution.ca_issuers);
            urls(&mut section, "ocsp", &mut config.distribution.ocsp);
            section.finish();
        }
        if let Some(mut section) = top.section("index") {
            if let Some(location) = section.take::<String>("location") {
                if location.value.is_empty() {
                    document.note(
                        location.place,
                        "the index has to be somewhere",
                        Some("for example \"index.db\"".to_owned()),
                    );
                }
                config.index.location = location.value;
            }
            section.finish();
        }
        if let Some(mut section) = top.section("passphrase") {
            set(&mut section, "file", &mut config.passphrase.file);
            set(&mut section, "env", &mut config.passphrase.env);
            if let Some(written) = section.take_list::<String>("command") {
                config.passphrase.command = written.value.into_iter().map(|word| word.value).collect();
            }
            let PassphraseSettings { file, env, command } = &config.passphrase;
            if command.first().is_some_and(String::is_empty) {
                document.note(section.place(), "the first item of 'command' is empty: it is the program", None);
            }
            match (!file.is_empty(), !env.is_empty(), !command.is_empty()) {
                (true, true, false) => document.note(
                    section.place(),
                    "both a file and a variable are named",
                    Some("leave one of them empty".to_owned()),
                ),
                (true, _, true) | (_, true, true) => document.note(
                    section.place(),
                    "a command is named, and also a file or a variable",
                    Some("set one of file, env and command".to_owned()),
                ),
                _ => {}
            }
            section.finish();
        }
        if let Some(mut section) = top.section("verify") {
            if let Some(written) = section.take_list::<String>("clients") {
                for Located { value, place } in written.value {
                    if let Err(error) = value.parse::<ClientList>() {
                        document.note(place, error, None);
                    }
                    config.verify.clients.push(value);
                }
            }
            section.finish();
        }
        top.finish();
        config
    }

    /// Returns the text of a `ca.toml` with these settings.
    pub fn to_toml(&self) -> String {
        let subject: String =
            self.subject.iter().map(|(label, value)| format!("{label} = {}\n", quoted(value))).collect();
        format!(
            "# The settings of this CA. Every setting with a comment: ca settings show --example\n\
             name = {}\n\n[subject]\n{subject}\n[root]\n{}\n[intermediate]\n{}\n\
             [issue]\nissuer = {}\ntemplate-dir = {}\n\n[sign]\nmax-octets = {}\nmax-names = {}\n\n[crl]\nlifetime = \"{}\"\nurls = {}\n\n\
             [distribution]\nca-issuers = {}\nocsp = {}\n\n\
             [index]\nlocation = {}\n\n[passphrase]\nfile = {}\nenv = {}\ncommand = {}\n\n[verify]\nclients = {}\n",
            quoted(&self.name),
            self.root.to_toml(),
            self.intermediate.to_toml(),
            quoted(&self.issue.issuer),
            quoted(&self.issue.template_dir),
            self.sign.max_bytes,
            self.sign.max_names,
            self.crl.lifetime,
            list(&self.crl.urls),
            list(&self.distribution.ca_issuers),
            list(&self.distribution.ocsp),
            quoted(&self.index.location),
            quoted(&self.passphrase.file),
            quoted(&self.passphrase.env),
            list(&self.passphrase.command),
            list(&self.verify.clients),
        )
    }
}

/// A commented settings file with every setting and its default.
pub const EXAMPLE: &str = include_str!("../../ca.example.toml");

/// A setting as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenSetting {
    /// The table and the key: `root.lifetime`.
    pub key: String,
    /// The value as TOML writes it.
    pub value: String,
}

impl Config {
    /// Returns every setting with its value, in the order of the file.
    pub fn written(&self) -> Vec<WrittenSetting> {
        let mut table = String::new();
        let mut settings = Vec::new();
        for line in self.to_toml().lines() {
            if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
                table = format!("{name}.");
            } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
                settings.push(WrittenSetting { key: format!("{table}{key}"), value: value.to_owned() });
            }
        }
        settings
    }
}

impl AuthoritySettings {
    fn read(&mut self, mut section: Section<'_, '_>) {
        set(&mut section, "key", &mut self.key);
        set(&mut section, "lifetime", &mut self.lifetime);
        for (key, subtrees) in
            [("permit", &mut self.constraints.permitted), ("exclude", &mut self.constraints.excluded)]
        {
            if let Some(written) = section.take_list::<String>(key) {
                *subtrees = read_subtrees(section.document(), written.value);
            }
        }
        section.finish();
    }

    fn to_toml(&self) -> String {
        let subtrees = |subtrees: &[Subtree]| list(&subtrees.iter().map(Subtree::to_string).collect::<Vec<_>>());
        format!(
            "key = \"{}\"\nlifetime = \"{}\"\npermit = {}\nexclude = {}\n",
            self.key,
            self.lifetime,
            subtrees(&self.constraints.permitted),
            subtrees(&self.constraints.excluded)
        )
    }
}

fn set<T: serde::de::DeserializeOwned>(section: &mut Section<'_, '_>, key: &'static str, setting: &mut T) {
    if let Some(written) = section.take(key) {
        *setting = written.value;
    }
}

/// Reads a list of URLs, each of which may contain placeholders like a template's strings.
fn urls(section: &mut Section<'_, '_>, key: &'static str, setting: &mut Vec<String>) {
    let Some(written) = section.take_list::<String>(key) else { return };
    let mut written_urls = Vec::new();
    for Located { value, place } in written.value {
        match TemplateString::parse(&value) {
            Err(error) => section.document().note(place, error, None),
            Ok(text) if !text.has_placeholders() => {
                if let Err(error) = general_name::check_address(&value) {
                    section.document().note(place, error, None);
                }
            }
            Ok(_) => {}
        }
        written_urls.push(value);
    }
    *setting = written_urls;
}

fn subject(section: &mut Section<'_, '_>) -> BTreeMap<String, String> {
    let mut subject = BTreeMap::new();
    for (label, value) in section.take_rest::<String>() {
        match AttributeType::from_label(&label.value) {
            Some(AttributeType::CommonName) => {
                let hint = Some("the common name of the root is 'name' at the top".to_owned());
                section.document().note(label.place, "one common name cannot go into every subject", hint);
            }
            Some(kind) => {
                if let Err(error) = DistinguishedName::build(&[(kind.clone(), value.value.clone())]) {
                    section.document().note(value.place, error, None);
                }
                subject.insert(kind.long_label().to_owned(), value.value);
            }
            None => {
                let hint =
                    nearest(&label.value, AttributeType::all_labels()).map(|near| format!("did you mean '{near}'?"));
                let message = format!("unknown attribute '{}' in [subject]", text::escape(&label.value));
                section.document().note(label.place, message, hint);
            }
        }
    }
    subject
}

fn read_subtrees(document: &Document<'_>, written: Vec<Located<String>>) -> Vec<Subtree> {
    let read = |name: Located<String>| name.value.parse().map_err(|error| document.note(name.place, error, None)).ok();
    written.into_iter().filter_map(read).collect()
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.iter().map(|value| quoted(value)).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_what_the_program_does_without_it() {
        let example = include_str!("../../ca.example.toml");
        // The example shows the two most common attributes, with the empty values that are their defaults.
        let shown = [("country", ""), ("organization", "")].map(|(label, value)| (label.to_owned(), value.to_owned()));
        let expected = Config { subject: shown.into(), ..Config::default() };
        assert_eq!(Config::read("ca.example.toml", example).unwrap(), expected);
        assert_eq!(Config::read("ca.toml", "").unwrap(), Config::default());
    }

    #[test]
    fn the_example_shows_every_setting() {
        let example = include_str!("../../ca.example.toml");
        for line in Config::default().to_toml().lines().filter_map(|line| line.split_once(" = ")) {
            assert!(
                example.lines().any(|shown| shown.split('=').next().is_some_and(|key| key.trim() == line.0)),
                "{}",
                line.0
            );
        }
    }

    #[test]
    fn the_reference_has_every_setting_in_its_table() {
        let reference = include_str!("../../docs/reference/files.md");
        for (key, _) in Config::default().to_toml().lines().filter_map(|line| line.split_once(" = ")) {
            let is_shown = |line: &str| line.starts_with("| `") && line.contains(&format!("`{key}`"));
            assert!(reference.lines().any(is_shown), "{key}");
        }
    }

    #[test]
    fn every_setting_is_known_by_its_table_and_key() {
        let mut config = Config::default();
        config.subject.insert("organization".to_owned(), "a = [b]".to_owned());
        let written = config.written();
        let value = |key: &str| written.iter().find(|written| written.key == key).map(|written| written.value.as_str());
        assert_eq!(value("root.lifetime"), Some("\"10y\""));
        assert_eq!(value("subject.organization"), Some("\"a = [b]\""));
        assert_eq!(value("name"), Some("\"Private Root CA\""));
        assert!(written.iter().all(|written| !written.key.contains(['#', ' '])), "{written:?}");
    }

    #[test]
    fn settings_that_are_written_can_be_read_again() {
        let mut config = Config { name: "A \"quoted\" \\ name".to_owned(), ..Config::default() };
        config.subject.insert("organization".to_owned(), "Müller & Söhne".to_owned());
        config.root.constraints.permitted = vec!["corp.test".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
        config.crl.urls = vec!["http://crl.corp.test/{{ issuer }}.crl".to_owned()];
        config.distribution.ca_issuers = vec!["http://crl.corp.test/{{ issuer }}.cer".to_owned()];
        config.distribution.ocsp = vec!["http://ocsp.corp.test".to_owned()];
        config.verify.clients = vec!["python@3.12".to_owned(), "browsers".to_owned()];
        assert_eq!(config.verify.choices().len(), 4);
        assert_eq!(Config::read("ca.toml", &config.to_toml()), Ok(config));
    }

    #[test]
    fn all_errors_of_a_file_are_reported_at_once() {
        let result = Config::read(
            "ca.toml",
            "nmae = \"x\"\n[root]\nkey = \"rsa\"\nlifetime = \"0d\"\npermit = [5, \"10.0.0.1/8\"]\n[subject]\norganisation = \"x\"\ncountry = \"de\"\n\
             [crl]\nurls = [\"http://{{ issuer.test/\", \"crl.test\"]\n[index]\nlocation = \"\"\n",
        );
        let message = result.unwrap_err().to_string();
        for part in [
            "did you mean 'name'",
            "'rsa' is not a key algorithm",
            "greater than zero",
            "did you mean 10.0.0.0/8",
            "did you mean 'organization'",
            "ca.toml:5:11: invalid type",
            "ca.toml:8:11: country 'de'",
            "ca.toml:10:9",
            "ca.toml:10:35: 'crl.test' is not a URI",
            "the index has to be somewhere",
        ] {
            assert!(message.contains(part), "{message}");
        }
    }

    proptest::proptest! {
        #[test]
        fn settings_with_a_piece_exchanged_are_read_or_reported_with_their_place(
            at in proptest::prelude::any::<proptest::sample::Index>(),
            length in 0_usize..12,
            piece in "\\PC{0,10}|[a-z\\[\\]=\" \\n{}.#'0-9-]{0,10}",
        ) {
            let text = Config::default().to_toml();
            let from = text.floor_char_boundary(at.index(text.len()));
            let to = text.ceil_char_boundary((from + length).min(text.len()));
            let changed = [&text[..from], &piece, &text[to..]].concat();
            match Config::read("changed.toml", &changed) {
                Ok(config) => proptest::prop_assert_eq!(Config::read("again.toml", &config.to_toml()), Ok(config)),
                Err(error) => proptest::prop_assert!(error.to_string().contains("changed.toml"), "{}", error),
            }
        }
    }
}
