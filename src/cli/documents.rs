//! Every JSON document of the program: its name, the commands that print it, and the type that is written.
//!
//! docs/reference/schemas has the JSON Schema of each; a test compares them with what the types say.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::commands::{
    audit, backup, completions, crl, due, explain, export, help, history, import, index, init, inspect, intermediate,
    key, log, man, quickstart, recipe, request, restore, revoke, rollback, root, roots, settings, show, status,
    template, tree, trust, version,
};
use super::next_authority;
use super::reports::{self, dry_run, handshake_json, issue, lint_json, list, many, renew_due, verify_json};
use crate::report::failure;
use crate::store::manifest::ManifestForm;

/// `ca.schema/1`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Schemas")]
pub struct SchemasJson {
    pub documents: Vec<DocumentJson>,
}

/// A document.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Document")]
pub struct DocumentJson {
    /// With its version, as in the field `schema`.
    document: &'static str,
    /// The commands that print it.
    commands: Vec<&'static str>,
    /// Its JSON Schema (draft 2020-12).
    json_schema: Value,
}

impl DocumentJson {
    pub fn new(form: &DocumentForm) -> Self {
        Self { document: form.name, commands: form.commands.to_vec(), json_schema: form.schema() }
    }

    /// Returns the schema of a manifest, which a user writes.
    pub fn of_manifest() -> Self {
        Self { document: MANIFEST, commands: vec!["apply"], json_schema: manifest_schema() }
    }
}

/// The form of a document.
pub struct DocumentForm {
    /// With its version, as in the field `schema`.
    pub name: &'static str,
    /// The commands that print it.
    pub commands: &'static [&'static str],
    schema: fn(&mut SchemaGenerator) -> Schema,
}

const fn form<T: JsonSchema>(name: &'static str, commands: &'static [&'static str]) -> DocumentForm {
    DocumentForm { name, commands, schema: SchemaGenerator::root_schema_for::<T> }
}

/// Every document, by name.
pub const ALL: &[DocumentForm] = &[
    form::<reports::apply::EntryJson<'_>>("ca.apply-entry/1", &["apply"]),
    form::<reports::apply::PlanJson<'_>>("ca.apply-plan/1", &["apply"]),
    form::<reports::apply::ApplyJson<'_>>("ca.apply/1", &["apply"]),
    form::<audit::HeadsJson<'_>>("ca.audit-head/1", &["audit head"]),
    form::<audit::AuditJson<'_>>("ca.audit/1", &["audit"]),
    form::<backup::BackupTestJson<'_>>("ca.backup-test/1", &["backup test"]),
    form::<backup::BackupJson<'_>>("ca.backup/1", &["backup"]),
    form::<completions::InstallJson<'_>>("ca.completions-install/1", &["completions"]),
    form::<completions::CompletionsJson<'_>>("ca.completions/1", &["completions"]),
    form::<reports::all_crls::AllCrlsJson<'_>>("ca.crl-all/1", &["crl"]),
    form::<crl::PublishedCrlJson<'_>>("ca.crl/1", &["crl"]),
    form::<dry_run::DryRunJson<'_>>("ca.dry-run/1", &[]),
    form::<due::DuesJson<'_>>("ca.due/1", &["due"]),
    form::<failure::FailureJson<'_>>("ca.error/1", &[]),
    form::<explain::ExplainJson<'_>>("ca.explain/1", &["explain"]),
    form::<export::remember::ForgetJson<'_>>("ca.export-forget/1", &["export"]),
    form::<export::for_program::ExportTargetJson<'_>>("ca.export-target/1", &["export"]),
    form::<export::ExportJson<'_>>("ca.export/1", &["export"]),
    form::<handshake_json::HandshakeTestJson<'_>>("ca.handshake-test/1", &["handshake-test"]),
    form::<help::HelpJson<'_>>("ca.help/1", &["help"]),
    form::<many::ManyJson<history::HistoryJson<'_>>>("ca.history-many/1", &["history"]),
    form::<history::HistoryJson<'_>>("ca.history/1", &["history"]),
    form::<import::ImportJson<'_>>("ca.import/1", &["import"]),
    form::<index::IndexCopyJson>("ca.index-copy/1", &["index copy"]),
    form::<index::IndexGrantsJson<'_>>("ca.index-grants/1", &["index grants"]),
    form::<index::IndexMigrateJson>("ca.index-migrate/1", &["index migrate"]),
    form::<index::IndexJson<'_>>("ca.index/1", &["index show"]),
    form::<init::InitJson<'_>>("ca.init/1", &["init"]),
    form::<many::ManyJson<inspect::InspectJson<'_>>>("ca.inspect-many/1", &["inspect"]),
    form::<inspect::InspectJson<'_>>("ca.inspect/1", &["inspect"]),
    form::<intermediate::IntermediateInstallJson<'_>>("ca.intermediate-install/1", &["intermediate install"]),
    form::<intermediate::IntermediateRequestJson<'_>>("ca.intermediate-request/1", &["intermediate request"]),
    form::<many::ManyJson<issue::IssueJson<'_>>>("ca.issue-many/1", &["issue"]),
    form::<issue::IssueJson<'_>>("ca.issue/1", &["issue"]),
    form::<key::KeyPassphraseJson<'_>>("ca.key-passphrase/1", &["key passphrase"]),
    form::<lint_json::LintManyJson>("ca.lint-many/1", &["lint"]),
    form::<lint_json::LintJson<'_>>("ca.lint/1", &["lint"]),
    form::<list::ListedJson<'_>>("ca.list-entry/1", &["list"]),
    form::<list::ListJson<'_>>("ca.list/1", &["list"]),
    form::<log::LogJson<'_>>("ca.log/1", &["log"]),
    form::<man::ManJson>("ca.man/1", &["man"]),
    form::<quickstart::QuickstartJson>("ca.quickstart/1", &["quickstart"]),
    form::<recipe::check::CheckedJson>("ca.recipe-check/1", &["recipe check"]),
    form::<recipe::list::ListJson>("ca.recipe-list/1", &["recipe list"]),
    form::<recipe::show::ShownJson>("ca.recipe-show/1", &["recipe show"]),
    form::<many::ManyJson<next_authority::RekeyedJson<'_>>>("ca.rekey-authority-many/1", &["rekey"]),
    form::<next_authority::RekeyedJson<'_>>("ca.rekey-authority/1", &["rekey"]),
    form::<many::ManyJson<issue::IssueJson<'_>>>("ca.rekey-many/1", &["rekey"]),
    form::<issue::IssueJson<'_>>("ca.rekey/1", &["rekey"]),
    form::<many::ManyJson<next_authority::RenewedJson<'_>>>("ca.renew-authority-many/1", &["renew"]),
    form::<next_authority::RenewedJson<'_>>("ca.renew-authority/1", &["renew"]),
    form::<renew_due::RenewDueJson<'_>>("ca.renew-due/1", &["renew"]),
    form::<many::ManyJson<issue::IssueJson<'_>>>("ca.renew-many/1", &["renew"]),
    form::<issue::IssueJson<'_>>("ca.renew/1", &["renew"]),
    form::<request::RequestJson<'_>>("ca.request/1", &["request"]),
    form::<restore::RestoreJson<'_>>("ca.restore/1", &["restore"]),
    form::<many::ManyJson<revoke::RevokeJson<'_>>>("ca.revoke-many/1", &["revoke"]),
    form::<revoke::RevokeJson<'_>>("ca.revoke/1", &["revoke"]),
    form::<rollback::RollbackJson<'_>>("ca.rollback/1", &["rollback"]),
    form::<root::RootRenewJson<'_>>("ca.root-renew/1", &["root renew"]),
    form::<root::RotateFinishJson<'_>>("ca.root-rotate-finish/1", &["root rotate finish"]),
    form::<root::RotateStartJson<'_>>("ca.root-rotate-start/1", &["root rotate start"]),
    form::<root::RotateStatusJson<'_>>("ca.root-rotate-status/1", &["root rotate status"]),
    form::<roots::RootsJson<'_>>("ca.roots/1", &["roots"]),
    form::<SchemasJson>("ca.schema/1", &["schema"]),
    form::<settings::CheckedJson<'_>>("ca.settings-check/1", &["settings check"]),
    form::<settings::ExampleJson>("ca.settings-example/1", &["settings show"]),
    form::<settings::ShownJson<'_>>("ca.settings/1", &["settings show"]),
    form::<many::ManyJson<show::ShowJson<'_>>>("ca.show-many/1", &["show"]),
    form::<show::ShowJson<'_>>("ca.show/1", &["show"]),
    form::<many::ManyJson<issue::IssueJson<'_>>>("ca.sign-many/1", &["sign"]),
    form::<issue::IssueJson<'_>>("ca.sign/1", &["sign"]),
    form::<status::StatusJson>("ca.status/1", &["status"]),
    form::<template::check::CheckedJson>("ca.template-check/1", &["template check"]),
    form::<template::list::ListJson>("ca.template-list/1", &["template list"]),
    form::<template::new::MadeJson>("ca.template-new/1", &["template new"]),
    form::<template::show::ShownJson>("ca.template-show/1", &["template show"]),
    form::<template::trial::TriedJson<'_>>("ca.template-try/1", &["template try"]),
    form::<tree::TreeJson>("ca.tree/1", &["tree"]),
    form::<trust::TrustJson<'_>>("ca.trust-check/1", &["trust check"]),
    form::<trust::TrustJson<'_>>("ca.trust-install/1", &["trust install"]),
    form::<trust::TrustJson<'_>>("ca.trust-uninstall/1", &["trust uninstall"]),
    form::<verify_json::VerifyManyJson<'_>>("ca.verify-many/1", &["verify"]),
    form::<verify_json::VerifyJson<'_>>("ca.verify/1", &["verify"]),
    form::<version::VersionJson<'_>>("ca.version/1", &["version"]),
];

/// The name of the schema of a manifest.
pub const MANIFEST: &str = "ca.manifest/1";

/// Returns the JSON Schema of a manifest, for editors. It permits no other keys.
pub fn manifest_schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = generator.root_schema_for::<ManifestForm>().to_value();
    if let Value::Object(fields) = &mut schema {
        fields.insert("title".to_owned(), MANIFEST.into());
    }
    schema
}

/// Returns the JSON Schema of a document by its name.
pub fn schema_of(name: &str) -> Option<Value> {
    ALL.iter().find(|form| form.name == name).map(DocumentForm::schema)
}

impl DocumentForm {
    /// Returns its JSON Schema. It permits fields that it does not know: a later version of the program may write them.
    pub fn schema(&self) -> Value {
        let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
        let mut made = (self.schema)(&mut generator).to_value();
        let name = json!({ "const": self.name });
        if let Some(Value::Object(fields)) = made.get_mut("properties") {
            *fields = std::iter::once(("schema".to_owned(), name)).chain(std::mem::take(fields)).collect();
        }
        if let Some(Value::Array(required)) = made.get_mut("required") {
            required.insert(0, "schema".into());
        }
        let mut whole = Map::new();
        for key in ["$schema", "title"] {
            whole.insert(key.to_owned(), Value::Null);
        }
        if let Value::Object(mut fields) = made {
            fields.remove("description");
            whole.extend(fields);
        }
        whole.insert("title".to_owned(), self.name.into());
        Value::Object(whole)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// An editor that checks a manifest against the schema accepts the keys that are read, and no others.
    #[test]
    fn the_schema_of_a_manifest_has_the_keys_that_are_read() {
        let schema = manifest_schema();
        let keys = |of: &Value| -> BTreeSet<String> { of["properties"].as_object().unwrap().keys().cloned().collect() };
        let set = |keys: &[&str]| -> BTreeSet<String> { keys.iter().map(|key| (*key).to_owned()).collect() };
        let settings = ["template", "sans", "for", "key", "issuer", "out", "owner", "group", "mode", "export", "hook"];
        let and = |more: &[&'static str]| set(&[&settings[..], more].concat());
        let definitions = &schema["$defs"];
        assert_eq!(keys(&definitions["ManifestSettings"]), set(&settings));
        assert_eq!(keys(&definitions["ManifestCertificate"]), and(&["name", "names", "count", "range"]));
        assert_eq!(keys(&definitions["ManifestGroup"]), and(&["certificate"]));
        assert_eq!(keys(&definitions["ManifestExport"]), set(&["as", "target", "out"]));
        assert_eq!(keys(&schema), set(&["defaults", "group", "certificate"]));
        for table in [&schema, &definitions["ManifestSettings"], &definitions["ManifestCertificate"]] {
            assert!(table["additionalProperties"] == false || table["unevaluatedProperties"] == false, "{table}");
        }
    }
}
