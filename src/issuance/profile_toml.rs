//! Writes a template as TOML: every value that has an effect, also those that it has from its base.

use super::extension_rules::{ExtensionRule, ExtensionValue};
use super::name_rules::CommonName;
use super::profile::Profile;
use super::profile_reading::SERIAL_BYTES;
use super::request_reading::AS_REQUESTED;
use super::request_rules::{RequestRules, RequestedSubject};
use super::template_string::TemplateString;
use crate::text::hex;
use crate::text::toml_document::quoted;
use crate::x509::der;

impl Profile {
    /// Returns the template as TOML. It has no base: what it inherits is written out.
    pub fn to_toml(&self) -> String {
        let mut out = String::new();
        let mut line = |key: &str, value: String| out.push_str(&format!("{key} = {value}\n"));
        line("summary", quoted(&self.summary));
        line("key", list(self.keys.iter().map(ToString::to_string)));
        line("lifetime", quoted(&self.lifetime.to_string()));
        if !self.longest_is_lifetime {
            line("longest", quoted(&self.longest.to_string()));
        }
        line("backdate", quoted(&self.backdate.map_or_else(|| "0".to_owned(), |backdate| backdate.to_string())));
        line("\n[subject]\ncommon-name", quoted(self.common_name.source()));
        for (kind, text) in &self.subject {
            line(kind.long_label(), quoted(text.source()));
        }
        if !self.names.common_names.is_empty() {
            line("allow-common-name", list(self.names.common_names.iter().map(|text| text.as_str().to_owned())));
        }
        line("\n[names]\nkinds", list(self.names.kinds.iter().map(|kind| kind.word().to_owned())));
        line("at-least", self.names.at_least.to_string());
        if let Some(most) = self.names.at_most {
            line("at-most", most.to_string());
        }
        line("allow", texts(&self.names.allow));
        let RequestRules { subject, allow } = &self.request;
        match subject {
            RequestedSubject::Template => {}
            RequestedSubject::AsRequested => line("\n[request]\nsubject", quoted(AS_REQUESTED)),
            RequestedSubject::Attributes(kinds) => {
                line("\n[request]\nsubject", list(kinds.iter().map(|kind| kind.long_label().to_owned())));
            }
        }
        for (at, (kind, patterns)) in allow.iter().enumerate() {
            let head = if at == 0 { "\n[request.allow]\n" } else { "" };
            let patterns = list(patterns.iter().map(|text| text.as_str().to_owned()));
            line(&format!("{head}{}", kind.long_label()), patterns);
        }
        line("\n[usage]\nkey", list(self.key_usage.names().into_iter().map(str::to_owned)));
        line("extended", texts(&self.extended_key_usage));
        if self.critical_purposes {
            line("extended-critical", true.to_string());
        }
        if !self.policies.is_empty() {
            line("policies", list(self.policies.iter().cloned()));
        }
        line(&format!("\n[serial]\n{SERIAL_BYTES}"), self.serial_bytes.to_string());
        if let Some(rules) = &self.authority {
            let subtrees =
                |subtrees: &[crate::x509::name_constraints::Subtree]| list(subtrees.iter().map(ToString::to_string));
            line("\n[authority]\npermit", subtrees(&rules.constraints.permitted));
            line("exclude", subtrees(&rules.constraints.excluded));
            if let Some(length) = rules.path_length {
                line("path-length", length.to_string());
            }
        }
        let urls = &self.distribution;
        if [&urls.crl, &urls.ca_issuers, &urls.ocsp].iter().any(|urls| !urls.is_empty()) {
            line("\n[distribution]\ncrl", texts(&urls.crl));
            line("ca-issuers", texts(&urls.ca_issuers));
            line("ocsp", texts(&urls.ocsp));
        }
        for ExtensionRule { oid, critical, value } in &self.extensions {
            line("\n[[extension]]\noid", quoted(oid));
            line("critical", critical.to_string());
            match value {
                ExtensionValue::Der(value) => line("der", quoted(&hex(value))),
                ExtensionValue::Text { tag: der::IA5_STRING, text } => line("ia5", quoted(text.source())),
                ExtensionValue::Text { text, .. } => line("utf8", quoted(text.source())),
                ExtensionValue::FromRequest { most } => line("from-request = true\nmax-bytes", most.to_string()),
            }
        }
        let files = &self.files;
        let own = [
            ("mode", files.mode.map(|mode| format!("{mode:04o}"))),
            ("owner", files.owner.clone()),
            ("group", files.group.clone()),
        ];
        let mut own = own.into_iter().filter_map(|(key, value)| Some((key, value?))).peekable();
        if own.peek().is_some() {
            out.push_str("\n[files]\n");
        }
        own.for_each(|(key, value)| out.push_str(&format!("{key} = {}\n", quoted(&value))));
        out
    }
}

impl CommonName {
    /// Returns the value of `common-name` in a template.
    fn source(&self) -> &str {
        match self {
            Self::First => "first",
            Self::Name => "name",
            Self::None => "none",
            Self::Template(text) => text.source(),
        }
    }
}

fn list(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.map(|value| quoted(&value)).collect::<Vec<_>>().join(", "))
}

fn texts(texts: &[TemplateString]) -> String {
    list(texts.iter().map(|text| text.source().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_the_same_again() {
        let with_everything = "summary = \"a \\\"b\\\"\"\nkey = [\"ed25519\", \"rsa-2048\"]\nlifetime = \"1h\"\nbackdate = \"0\"\n\
             [subject]\ncommon-name = \"{{ name }} x\"\nlocality = \"Köln\"\nallow-common-name = [\"a*\"]\n\
             organization = \"{{ request.organization }}\"\n[request]\nsubject = [\"title\"]\n\
             [request.allow]\ntitle = [\"a\", \"b*\"]\nlocality = []\n\
             [names]\nkinds = [\"dns\", \"uri\"]\nat-least = 2\nat-most = 3\nallow = [\"*.{{ domain }}\", \"spiffe://a.test/*\"]\n\
             [usage]\nkey = [\"digital-signature\"]\nextended = [\"{{ role }}-auth\", \"1.2.3\"]\n\
             extended-critical = true\npolicies = [\"1.2.3\"]\n[serial]\noctets = 20\n\
             [distribution]\nocsp = [\"http://a.test\"]\n[files]\nmode = \"0640\"\ngroup = \"web\"\n\
             [[extension]]\noid = \"1.2.3\"\ncritical = true\ninteger = 5\n\
             [[extension]]\noid = \"1.2.4\"\nfrom-request = true\nmax-bytes = 9\n\
             [[extension]]\noid = \"1.2.5\"\nia5 = \"{{ name }}\"\n[[extension]]\noid = \"1.2.6\"\nutf8 = \"x\"\n";
        for toml in [
            with_everything,
            "key = [\"ed25519\"]\nlifetime = \"1h\"\n[request]\nsubject = \"as-requested\"\n[usage]\nkey = [\"digital-signature\"]\n",
            include_str!("../../templates/server.toml"),
            include_str!("../../templates/intermediate.toml"),
            include_str!("../../templates/handshake.toml"),
        ] {
            let profile = Profile::read("t", "t.toml", toml).unwrap();
            assert_eq!(Profile::read("t", "t.toml", &profile.to_toml()), Ok(profile));
        }
    }
}
