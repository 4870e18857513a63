//! Every JSON document has a schema in docs/reference/schemas, which is what its type says (`CA_TEST_UPDATE=1` rewrites it); a key
//! has one type in all of them; and a document with a field more or less than its schema is found. The documents themselves are
//! validated where they are printed: by the scripts (`support/script.rs`) and by the unit tests (`src/cli/testing.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use ca::cli::command_line::CommandLine;
use ca::cli::documents::{ALL, MANIFEST, manifest_schema, schema_of};
use ca::report::warning_codes;
use serde_json::{Value, json};

use crate::support::strict_schema::problems_of_text;
use crate::support::{files_below, repository};

#[test]
fn the_schemas_in_the_reference_are_those_of_the_types() {
    let folder = repository().join("docs/reference/schemas");
    let file_name = |name: &str| format!("{}.json", name.replace('/', "-"));
    let mut wrong = Vec::new();
    for form in ALL {
        let (path, schema) = (folder.join(file_name(form.name)), format!("{:#}\n", form.schema()));
        if std::env::var_os("CA_TEST_UPDATE").is_some() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, &schema).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != schema {
            wrong.push(form.name);
        }
    }
    let (path, schema) = (folder.join(file_name(MANIFEST)), format!("{:#}\n", manifest_schema()));
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    if fs::read_to_string(&path).unwrap_or_default() != schema {
        wrong.push(MANIFEST);
    }
    assert!(jsonschema::meta::is_valid(&manifest_schema()));
    assert!(wrong.is_empty(), "CA_TEST_UPDATE=1 rewrites them: {wrong:?}");
    let known: BTreeSet<_> = ALL.iter().map(|form| form.name).chain([MANIFEST]).map(file_name).collect();
    let found: BTreeSet<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(found, known);
}

#[test]
fn every_schema_is_one_and_is_printed_for_its_commands() {
    for form in ALL {
        assert!(jsonschema::meta::is_valid(&form.schema()), "{}", form.name);
        for command in form.commands {
            let mut at = &CommandLine::whole();
            for word in command.split(' ') {
                at = at.find_subcommand(word).unwrap_or_else(|| panic!("{}: ca {command}", form.name));
            }
        }
    }
    let names: Vec<_> = ALL.iter().map(|form| form.name).collect();
    assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
}

/// What the validation of all other documents rests on.
#[test]
fn a_document_with_a_field_more_or_less_or_of_another_type_is_found() {
    let good = json!({ "schema": "ca.error/1", "error": { "code": "a", "message": "b", "hints": [] } });
    let text = |document: &Value| format!("{document:#}\n");
    assert_eq!(problems_of_text(&text(&good), &schema_of), Vec::<String>::new());
    for (pointer, value) in
        [("/error/hints", json!([1])), ("/error/code", json!(null)), ("/error", json!({ "more": 1 }))]
    {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert!(!problems_of_text(&text(&bad), &schema_of).is_empty(), "{bad}");
    }
    let mut more = good.clone();
    more["error"]["more"] = json!(1);
    let within = json!({ "schema": "ca.unknown/1", "inner": good });
    for bad in [more, within] {
        assert_eq!(problems_of_text(&text(&bad), &schema_of).len(), 1, "{bad}");
    }
}

/// A key and the types that it had before one was chosen for all documents. The list may only become shorter: a new document
/// takes a key of its own.
const TWO_TYPES: &[(&str, &[&str])] = &[
    // `ca handshake-test`: the names in a TLS message, with the fields that RFC 8446 gives it.
    ("authorities", &["list of object", "list of string"]),
    // The contract has both: the client of a TLS session, and the name of a measured client.
    ("client", &["object", "string"]),
    // The contract has both: a failure of the program, and the text of a TLS library.
    ("error", &["object", "string"]),
    // The contract has the facts of a client; a TLS message has facts with names.
    ("facts", &["list of object", "list of string"]),
    // A certificate of a peer that cannot be read has an empty text.
    ("not_after", &["string", "string date-time"]),
    ("not_before", &["string", "string date-time"]),
    // The value of a signature is in `ca inspect` an object with the algorithm, and in `ca lint` the result of its check.
    ("signature", &["object", "string"]),
];

/// A deprecated field keeps its type, and is left out. The paths in `files` are named by what is in them.
#[test]
fn a_key_has_one_type_in_all_documents() {
    let mut types: BTreeMap<String, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    for form in ALL {
        let schema = form.schema();
        collect(&schema, &schema, "", &mut |key, kind| {
            types.entry(key).or_default().entry(kind).or_default().insert(form.name);
        });
    }
    types.retain(|_, kinds| kinds.len() > 1);
    let pairs = types.iter().flat_map(|(key, kinds)| kinds.keys().map(|kind| (key.as_str(), kind.as_str())));
    let found: BTreeSet<(&str, &str)> = pairs.collect();
    let excepted = TWO_TYPES.iter().flat_map(|(key, kinds)| kinds.iter().map(|kind| (*key, *kind)));
    let excepted: BTreeSet<(&str, &str)> = excepted.collect();
    let new: Vec<_> = found.difference(&excepted).collect();
    assert!(new.is_empty(), "more than one type: {new:?} in {types:#?}");
    let old: Vec<_> = excepted.difference(&found).collect();
    assert!(old.is_empty(), "no longer: {old:?}");
}

/// Gives each key of a schema and its type.
fn collect(whole: &Value, schema: &Value, under: &str, give: &mut dyn FnMut(String, String)) {
    let Value::Object(fields) = schema else { return };
    for (key, property) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if property.get("deprecated").is_some() {
            continue;
        }
        let is_path = under == "files";
        give(if is_path { format!("files.{key}") } else { key.clone() }, type_of(whole, property));
        collect(whole, property, key, give);
    }
    if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
        let target = whole.pointer(reference.trim_start_matches('#')).expect("a definition");
        collect(whole, target, under, give);
    }
    for inner in ["items", "anyOf", "oneOf", "allOf"].iter().filter_map(|key| fields.get(*key)) {
        for schema in inner.as_array().map_or_else(|| vec![inner], |all| all.iter().collect()) {
            collect(whole, schema, under, give);
        }
    }
}

/// `string`, `string date-time`, `list of integer`; whether it may be `null` does not count.
fn type_of(whole: &Value, schema: &Value) -> String {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return type_of(whole, whole.pointer(reference.trim_start_matches('#')).expect("a definition"));
    }
    let others: Vec<String> = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| schema.get(*key)?.as_array())
        .flatten()
        .map(|inner| type_of(whole, inner))
        .filter(|kind| kind != "null")
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if !others.is_empty() {
        return others.join(" or ");
    }
    let types = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
        Some(Value::String(kind)) => vec![kind.as_str()],
        _ if schema.get("const").is_some() => vec!["string"],
        _ => vec!["anything"],
    };
    let format = schema.get("format").and_then(Value::as_str).filter(|_| types == ["string"]);
    match schema.get("items") {
        Some(items) => format!("list of {}", type_of(whole, items)),
        None => types.into_iter().chain(format).collect::<Vec<_>>().join(" "),
    }
}

/// Warnings that are not rules have codes of their own, and `ca explain` knows them.
#[test]
fn every_code_of_a_warning_is_listed_and_used() {
    let listed: BTreeSet<&str> = warning_codes::ALL.iter().map(|it| it.code).collect();
    let mut used = BTreeSet::new();
    for path in files_below(&repository().join("src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        for piece in text.split("Warning::new(").skip(1).chain(text.split("LEFT_OUT: &str = ").skip(1)) {
            if let Some((code, _)) = piece.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"')) {
                used.insert(code.to_owned());
            }
        }
    }
    let used: BTreeSet<&str> = used.iter().map(String::as_str).collect();
    assert_eq!(used, listed);
}
