//! Every JSON document of the program: its name, the commands that print it, and the type that is written.
//!
//! docs/reference/schemas has the JSON Schema of each; a test compares them with what the types say.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::commands::{due, history, revoke, rollback, settings, show, status, template, tree};
use super::reports::{crl, issue, list, renew_due};
use crate::report::failure;

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
    form::<crl::CrlJson<'_>>("ca.crl/1", &["crl"]),
    form::<due::DuesJson<'_>>("ca.due/1", &["due"]),
    form::<failure::FailureJson<'_>>("ca.error/1", &[]),
    form::<history::HistoryJson<'_>>("ca.history/1", &["history"]),
    form::<issue::IssueJson<'_>>("ca.issue/1", &["issue"]),
    form::<list::ListedJson<'_>>("ca.list-entry/1", &["list"]),
    form::<list::ListJson<'_>>("ca.list/1", &["list"]),
    form::<issue::IssueJson<'_>>("ca.rekey/1", &["rekey"]),
    form::<renew_due::RenewDueJson<'_>>("ca.renew-due/1", &["renew"]),
    form::<issue::IssueJson<'_>>("ca.renew/1", &["renew"]),
    form::<revoke::RevokeJson<'_>>("ca.revoke/1", &["revoke"]),
    form::<rollback::RollbackJson<'_>>("ca.rollback/1", &["rollback"]),
    form::<settings::CheckedJson<'_>>("ca.settings-check/1", &["settings check"]),
    form::<settings::ExampleJson>("ca.settings-example/1", &["settings show"]),
    form::<settings::ShownJson<'_>>("ca.settings/1", &["settings show"]),
    form::<show::ShowJson<'_>>("ca.show/1", &["show"]),
    form::<issue::IssueJson<'_>>("ca.sign/1", &["sign"]),
    form::<status::StatusJson>("ca.status/1", &["status"]),
    form::<template::check::CheckedJson>("ca.template-check/1", &["template check"]),
    form::<template::list::ListJson>("ca.template-list/1", &["template list"]),
    form::<template::new::MadeJson>("ca.template-new/1", &["template new"]),
    form::<template::show::ShownJson>("ca.template-show/1", &["template show"]),
    form::<template::trial::TriedJson<'_>>("ca.template-try/1", &["template try"]),
    form::<tree::TreeJson>("ca.tree/1", &["tree"]),
];

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
