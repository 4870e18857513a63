//! Reads a recipe, with the place of each problem.

use std::collections::BTreeSet;
use std::ops::Range;

use super::definition::{
    ConfigurationPart, CrlCheck, EachAuthority, FileContent, FileFormat, Recipe, RecipeFile, RecipeOwner, Side, When,
    passphrase_file,
};
use super::placeholder::{AUTHORITY, FOLDER, NAME, OBJECT, filled, placeholders};
use crate::store::export::{Part, Target};
use crate::system::files;
use crate::text::toml_document::{Document, DocumentError, Located, Section};
use crate::text::{escape, nearest};
use crate::x509::KeyAlgorithm;

/// What a file can have, by its words.
const PARTS: [Part; 5] = [Part::PrivateKey, Part::Certificate, Part::Intermediates, Part::Roots, Part::Crls];
/// The most folders of a file's path and the file itself.
const MOST_DEPTH: usize = 2;

impl Recipe {
    /// Reads a recipe. `file` is the name of the file in messages, `name` the name of the recipe.
    ///
    /// # Errors
    /// With every problem of the file at once: unknown keys, values of the wrong type, unknown words and placeholders, and a
    /// private key that other users could read.
    pub fn read(name: &str, file: &str, toml: &str) -> Result<Self, DocumentError> {
        let document = Document::new(file, toml);
        let top = document.top();
        let recipe = Reader { document: &document, toml }.recipe(name, top);
        document.finish()?;
        Ok(recipe)
    }
}

struct Reader<'d, 't> {
    document: &'d Document<'t>,
    toml: &'t str,
}

impl<'t> Reader<'_, 't> {
    fn recipe(&self, name: &str, mut top: Section<'_, 't>) -> Recipe {
        if Target::ALL.iter().any(|target| target.name() == name) {
            let hint = "choose another name for the file".to_owned();
            self.document.note(
                0..0,
                format!("'{name}' is a target of --as p12, and not the name of a recipe"),
                Some(hint),
            );
        }
        let summary = self.required(&mut top, "summary", "\"nginx, a web server\"");
        let side =
            self.required(&mut top, "side", "\"server\"").and_then(|word| self.word(&word, Side::ALL, Side::name));
        let tested = self.line(&mut top, "tested");
        let hook = self.line(&mut top, "hook");
        let hook_note = self.line(&mut top, "hook-note");
        let notes = top.take_list::<String>("notes").map(|notes| notes.value).unwrap_or_default();
        let files = self.files(&mut top);
        let owner = self.owner(&mut top);
        let configuration = self.configuration(&mut top, &files);
        let (crls, crl_note) = self.crls(&mut top);
        let (refused_keys, refused_peer_keys, key_note) = self.keys(&mut top);
        if let Some(hook) = &hook {
            self.check_placeholders(hook, &files);
        }
        if crls == Some(CrlCheck::Never)
            && let Some(file) = files.iter().find(|file| file.value.content.has_crls())
        {
            let message = "the file has CRLs, but [crl] says that the program never checks them";
            self.document.note(file.place.clone(), message, None);
        }
        top.finish();
        Recipe {
            name: name.to_owned(),
            summary: summary.map(|located| located.value).unwrap_or_default(),
            side: side.unwrap_or(Side::Server),
            tested: tested.map(|located| located.value),
            notes: notes.into_iter().map(|note| note.value).collect(),
            files: files.into_iter().map(|file| file.value).collect(),
            owner,
            configuration,
            hook: hook.map(|located| located.value),
            hook_note: hook_note.map(|located| located.value),
            crls: crls.unwrap_or(CrlCheck::Never),
            crl_note,
            refused_keys,
            refused_peer_keys,
            key_note,
        }
    }

    fn files(&self, top: &mut Section<'_, 't>) -> Vec<Located<RecipeFile>> {
        if !top.contains("file") {
            let hint = "[[file]]\nname = \"key.pem\"\nhas = [\"private-key\"]".replace('\n', ", ");
            self.document.note(0..0, "the recipe has no file", Some(hint));
        }
        let mut known = BTreeSet::new();
        let sections = top.sections("file").unwrap_or_default();
        let read = |mut section: Section<'_, 't>| {
            let place = section.place();
            let name = self.required(&mut section, "name", "\"key.pem\"");
            let content = self.content(&mut section);
            let mode = self.mode(&mut section, content.as_ref());
            let when = self.conditions(&mut section);
            section.finish();
            let (name, content) = (name?, content?);
            self.check_name(&name, &content);
            let mut new = vec![name.value.clone()];
            if let FileContent::Format(format) = content
                && format.is_encrypted()
            {
                new.push(passphrase_file(&name.value));
            }
            for each in new {
                if !known.insert(each.clone()) {
                    self.document.note(name.place.clone(), format!("another file is '{}'", escape(&each)), None);
                }
            }
            Some(Located { value: RecipeFile { name: name.value, content, mode, when }, place })
        };
        sections.into_iter().filter_map(read).collect()
    }

    fn content(&self, section: &mut Section<'_, 't>) -> Option<FileContent> {
        let place = section.place();
        let given = ["has", "each", "as"].into_iter().filter(|key| section.contains(key)).count();
        if given != 1 {
            let hint = format!("has = [\"{}\"]", PARTS.map(Part::word).join("\", \""));
            self.document.note(place, "a file has one of the keys 'has', 'each' and 'as'", Some(hint));
        }
        let has = section.take_list::<String>("has");
        let each = section.take::<String>("each");
        let format = section.take::<String>("as");
        if given != 1 {
            return None;
        }
        if let Some(has) = has {
            if has.value.is_empty() {
                self.document.note(has.place, "the file has nothing", None);
                return None;
            }
            let parts: Vec<Part> = has.value.iter().filter_map(|word| self.part(word)).collect();
            return (parts.len() == has.value.len()).then_some(FileContent::Pem(parts));
        }
        if let Some(each) = each {
            let word = self.word(&each, EachAuthority::ALL, EachAuthority::name);
            return word.map(FileContent::Each);
        }
        format.and_then(|format| self.word(&format, FileFormat::ALL, FileFormat::name)).map(FileContent::Format)
    }

    fn part(&self, word: &Located<String>) -> Option<Part> {
        self.word(word, &PARTS, Part::word)
    }

    /// A file with the private key is for its owner, and at most for a group; nobody but the owner may write any file.
    fn mode(&self, section: &mut Section<'_, 't>, content: Option<&FileContent>) -> u32 {
        let has_key = content.is_some_and(FileContent::has_key);
        let usual = if has_key { files::SECRET } else { files::PUBLIC };
        let Some(written) = section.take::<String>("mode") else { return usual };
        let most = if has_key { 0o640 } else { 0o644 };
        match u32::from_str_radix(&written.value, 8) {
            Ok(mode) if mode & !most == 0 && mode & 0o400 != 0 => mode,
            _ => {
                let shown = escape(&written.value);
                let (message, hint) = if has_key {
                    (
                        format!("'{shown}' is not a mode for a file with the private key"),
                        "\"0600\", \"0640\", \"0400\" or \"0440\"",
                    )
                } else {
                    (
                        format!("'{shown}' is not a mode for a file"),
                        "\"0644\", \"0640\", \"0600\", \"0444\", \"0440\" or \"0400\"",
                    )
                };
                self.document.note(written.place, message, Some(hint.to_owned()));
                usual
            }
        }
    }

    fn check_name(&self, name: &Located<String>, content: &FileContent) {
        let is_each = matches!(content, FileContent::Each(_));
        // The file of a passphrase is looked for before the name of the certificate is known.
        let is_fixed = matches!(content, FileContent::Format(format) if format.is_encrypted());
        let used = placeholders(&name.value);
        let wrong = |message: String, hint: Option<&str>| {
            self.document.note(name.place.clone(), message, hint.map(str::to_owned));
        };
        if is_each && used.iter().all(|placeholder| placeholder.name != AUTHORITY) {
            let hint = "name = \"{{ authority }}.pem\"";
            let message = "the name of a file that is written for each authority has no place for it";
            return wrong(message.to_owned(), Some(hint));
        }
        let is_known = |name: &str| name == OBJECT && !is_fixed || name == AUTHORITY && is_each;
        if let Some(unknown) = used.iter().find(|placeholder| !is_known(&placeholder.name)) {
            let message = format!("the placeholder '{}' is unknown in the name of this file", escape(&unknown.name));
            return wrong(message, Some("{{ object }}: the name; {{ authority }}: with the key 'each'"));
        }
        let Some(plain) = filled(&name.value, |_| Some("a".to_owned())) else { return };
        let is_good = |part: &str| {
            let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && !part.starts_with(['.', '-']) && part.chars().all(good)
        };
        if plain.split('/').count() > MOST_DEPTH || !plain.split('/').all(is_good) {
            let message =
                format!("'{}' is not the name of a file in the folder, or in a folder of it", escape(&name.value));
            wrong(message, Some("letters, digits, dots, hyphens and underscores; at most one slash"));
        }
    }

    fn conditions(&self, section: &mut Section<'_, 't>) -> Vec<When> {
        let words = section.take_list::<String>("when").map(|words| words.value).unwrap_or_default();
        words.iter().filter_map(|word| self.word(word, When::ALL, When::name)).collect()
    }

    fn owner(&self, top: &mut Section<'_, 't>) -> Option<RecipeOwner> {
        let mut section = top.section("owner")?;
        let place = section.place();
        let name = |written: Option<Located<String>>| {
            let written = written?;
            let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if written.value.is_empty() || written.value.starts_with('-') || !written.value.chars().all(good) {
                self.document.note(written.place, format!("'{}' is not a user or group", escape(&written.value)), None);
                return None;
            }
            Some(written.value)
        };
        let (has_user, has_group) = (section.contains("user"), section.contains("group"));
        let user = name(section.take("user"));
        let group = name(section.take("group"));
        let is_required = section.take::<bool>("required").is_some_and(|located| located.value);
        section.finish();
        if !has_user && !has_group {
            self.document.note(place, "[owner] has neither 'user' nor 'group'", None);
        }
        Some(RecipeOwner { user, group, is_required })
    }

    fn configuration(&self, top: &mut Section<'_, 't>, files: &[Located<RecipeFile>]) -> Vec<ConfigurationPart> {
        let sections = top.sections("configuration").unwrap_or_default();
        let read = |mut section: Section<'_, 't>| {
            let place = self.required(&mut section, "place", "\"the server block of nginx.conf\"");
            let lines = self.required(&mut section, "lines", "\"ssl_certificate {{ fullchain.pem }};\"");
            let when = self.conditions(&mut section);
            section.finish();
            let (place, lines) = (place?, lines?);
            self.check_placeholders(&lines, files);
            Some(ConfigurationPart { place: place.value, lines: lines.value.trim_end().to_owned(), when })
        };
        sections.into_iter().filter_map(read).collect()
    }

    /// Notes each placeholder that is neither a file nor another known one, at its own place.
    fn check_placeholders(&self, text: &Located<String>, files: &[Located<RecipeFile>]) {
        // A name that differs for each certificate or authority cannot be written as a placeholder.
        let names = files.iter().map(|file| &file.value).filter(|file| placeholders(&file.name).is_empty());
        let mut known: Vec<String> = names.clone().map(|file| file.name.clone()).collect();
        let encrypted =
            names.filter(|file| matches!(file.content, FileContent::Format(format) if format.is_encrypted()));
        known.extend(encrypted.map(|file| passphrase_file(&file.name)));
        known.extend([FOLDER, NAME, OBJECT].map(str::to_owned));
        for used in placeholders(&text.value) {
            if known.contains(&used.name) {
                continue;
            }
            let hint = match nearest(&used.name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("known here: {}", known.join(", ")),
            };
            let written = &text.value[used.place.clone()];
            let place = self.place_in(&text.place, written);
            self.document.note(place, format!("the placeholder '{}' is unknown", escape(&used.name)), Some(hint));
        }
    }

    /// Returns where a part of a string is in the file; the whole string, when escapes are between.
    fn place_in(&self, whole: &Range<usize>, part: &str) -> Range<usize> {
        match self.toml.get(whole.clone()).and_then(|text| text.find(part)) {
            Some(at) => whole.start + at..whole.start + at + part.len(),
            None => whole.clone(),
        }
    }

    fn crls(&self, top: &mut Section<'_, 't>) -> (Option<CrlCheck>, String) {
        let Some(mut section) = top.section("crl") else {
            if !top.contains("crl") {
                let hint = "[crl], checks = \"every-authority\"".to_owned();
                self.document.note(0..0, "[crl] is missing: what the program does with CRLs", Some(hint));
            }
            return (None, String::new());
        };
        let checks = self.required(&mut section, "checks", "\"every-authority\"");
        let checks = checks.and_then(|word| self.word(&word, CrlCheck::ALL, CrlCheck::name));
        let note = self.line(&mut section, "note").map(|note| note.value).unwrap_or_default();
        section.finish();
        (checks, note)
    }

    fn keys(&self, top: &mut Section<'_, 't>) -> (Vec<KeyAlgorithm>, Vec<KeyAlgorithm>, Option<String>) {
        let Some(mut section) = top.section("keys") else { return (Vec::new(), Vec::new(), None) };
        let values = |list: Option<Located<Vec<Located<KeyAlgorithm>>>>| {
            list.map(|list| list.value.into_iter().map(|key| key.value).collect()).unwrap_or_default()
        };
        let refused = values(section.take_list("refuses"));
        let refused_peers = values(section.take_list("refuses-peers"));
        let note = self.line(&mut section, "note").map(|note| note.value);
        section.finish();
        (refused, refused_peers, note)
    }

    fn required(&self, section: &mut Section<'_, 't>, key: &'static str, example: &str) -> Option<Located<String>> {
        if !section.contains(key) {
            let hint = Some(format!("{key} = {example}"));
            self.document.note(section.place(), format!("the key '{key}' is missing"), hint);
        }
        let written = section.take::<String>(key)?;
        if written.value.trim().is_empty() {
            self.document.note(written.place, format!("'{key}' is empty"), None);
            return None;
        }
        Some(written)
    }

    /// Takes a text of one line, when it is there.
    fn line(&self, section: &mut Section<'_, 't>, key: &'static str) -> Option<Located<String>> {
        let written = section.take::<String>(key)?;
        if written.value.trim().is_empty() || written.value.contains('\n') {
            self.document.note(written.place, format!("'{key}' is not a line of text"), None);
            return None;
        }
        Some(written)
    }

    fn word<T: Copy>(&self, written: &Located<String>, known: &[T], name: impl Fn(T) -> &'static str) -> Option<T> {
        let found = known.iter().copied().find(|known| name(*known) == written.value);
        if found.is_none() {
            let words: Vec<&str> = known.iter().map(|known| name(*known)).collect();
            let hint = match nearest(&written.value, words.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("known here: {}", words.join(", ")),
            };
            self.document.note(
                written.place.clone(),
                format!("'{}' is unknown here", escape(&written.value)),
                Some(hint),
            );
        }
        found
    }
}
