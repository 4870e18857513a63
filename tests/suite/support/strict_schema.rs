//! Whether a JSON document keeps to its schema, and has no field that the schema does not know.

use serde_json::{Map, Value};

/// Returns what is wrong with the document in a text, and with the documents inside it; nothing when the text is not a
/// document of `ca`. `schema_of` gives the schema of a document by its name.
pub fn problems_of_text(text: &str, schema_of: &dyn Fn(&str) -> Option<Value>) -> Vec<String> {
    if !text.starts_with("{\n  \"schema\": \"ca.") {
        return Vec::new();
    }
    match serde_json::from_str(text) {
        Ok(document) => problems(&document, schema_of),
        Err(error) => vec![format!("not one JSON document: {error}")],
    }
}

fn problems(value: &Value, schema_of: &dyn Fn(&str) -> Option<Value>) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(name) = value.get("schema").and_then(Value::as_str) {
        match schema_of(name) {
            None => found.push(format!("{name}: src/cli/documents.rs does not know it")),
            Some(schema) => {
                let validator = jsonschema::validator_for(&strict(schema)).expect("a JSON Schema");
                found.extend(
                    validator.iter_errors(value).map(|error| format!("{name}: {}: {error}", error.instance_path())),
                );
            }
        }
    }
    match value {
        Value::Object(fields) => found.extend(fields.values().flat_map(|inner| problems(inner, schema_of))),
        Value::Array(items) => found.extend(items.iter().flat_map(|inner| problems(inner, schema_of))),
        _ => {}
    }
    found
}

/// Forbids every field that is not named. What readers get permits them.
fn strict(schema: Value) -> Value {
    match schema {
        Value::Array(items) => items.into_iter().map(strict).collect(),
        Value::Object(fields) => {
            let mut fields: Map<String, Value> = fields.into_iter().map(|(key, inner)| (key, strict(inner))).collect();
            if fields.get("properties").is_some_and(Value::is_object) && fields.contains_key("type") {
                fields.entry("additionalProperties").or_insert(false.into());
            }
            Value::Object(fields)
        }
        other => other,
    }
}
