//! The JSON Schema of a document within another document.

use std::borrow::Cow;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

use super::failure::FailureJson;

/// A document: the fields of `D`, and `schema` with its name.
pub struct Document<D>(PhantomData<D>);

impl<D: JsonSchema> JsonSchema for Document<D> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}Document", D::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut made = D::json_schema(generator);
        let fields = made.ensure_object();
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            let name = ("schema".to_owned(), json!({ "type": "string" }));
            *properties = std::iter::once(name).chain(std::mem::take(properties)).collect();
        }
        if let Some(Value::Array(required)) = fields.get_mut("required") {
            required.insert(0, "schema".into());
        }
        made
    }
}

/// A document, or that of the failure to make it.
pub struct DocumentOrFailure<D>(PhantomData<D>);

impl<D: JsonSchema> JsonSchema for DocumentOrFailure<D> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("{}DocumentOrFailure", D::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let document = Document::<D>::json_schema(generator);
        let failure = Document::<FailureJson<'_>>::json_schema(generator);
        json_schema!({ "anyOf": [document, failure] })
    }
}
