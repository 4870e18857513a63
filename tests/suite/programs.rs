//! `docs/guide/programs/` has a page for each built-in recipe, made from `ca recipe show --json`; `CA_TEST_UPDATE=1` rewrites them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use serde_json::Value;

use crate::support::program::Place;
use crate::support::{files_below, repository};

const HEAD: &str = "\
# Programs

`ca export NAME --target PROGRAM --out DIR` writes the files that a program needs: their names, order, mode and owner, and it shows the
lines of the configuration with the real paths, and the command after which the program uses new files. What it does for a program is a
*recipe*: a TOML file ([the format](../../reference/recipes.md)). `ca recipe list` shows all of them. A test makes these pages from the
recipes.

What takes the PEM files of `ca issue` as they are needs no recipe: [clients on the command line](../clients.md).

";

const STEPS: &str = "\
## What is left to do

With the files in their place and the lines in the configuration, nothing else is to be done for most programs; after a renewal, the
hook of the name is enough. These programs need a step of their own:

| target | step | why |
| --- | --- | --- |
| [chromium](chromium.md), [firefox](firefox.md) | the shown lines import the files, again after each renewal | a browser keeps keys in its own database |
| [k8s](k8s.md) | `kubectl apply`, which is also the hook | the cluster keeps the secret |
| [tomcat](tomcat.md), [kafka](kafka.md) | the generated passphrases are copied into the configuration once | it has no place for the name of a file |
| [openvpn](openvpn.md) as a server, [kafka](kafka.md) | a restart after each renewal, as a hook of your own | the name of the service is yours |
| [go](go.md), [grpc](grpc.md), [java-program](java-program.md), [node](node.md), [python](python.md) | the program loads new files as its page says | the program is yours |
| [mysql](mysql.md), [postgres](postgres.md) | users of the database are created | a certificate is only a name for them |
| [registry-client](registry-client.md), [psql](psql.md) | none, when the folder is the one that the program looks for | |

";

#[test]
fn the_guide_has_a_page_for_each_recipe() {
    let mut pages = BTreeMap::new();
    let place = Place::new();
    let list: Value = serde_json::from_str(&place.done("--json recipe list")).unwrap();
    let (mut rows, mut without_crls) = (String::new(), String::new());
    for listed in list["recipes"].as_array().unwrap() {
        let name = text(&listed["name"]);
        let shown: Value = serde_json::from_str(&place.done(&format!("--json recipe show {name}"))).unwrap();
        let recipe = &shown["recipe"];
        pages.insert(format!("{name}.md"), page(&name, recipe));
        let tested = recipe["tested"].as_str().unwrap_or("not run");
        let (summary, side) = (text(&recipe["summary"]), text(&recipe["side"]));
        writeln!(rows, "| [{name}]({name}.md) | {summary} | {side} | {} | {tested} |", crl_word(recipe)).unwrap();
        if recipe["crl_check"] == "never" {
            writeln!(without_crls, "| [{name}]({name}.md) | {} |", text(&recipe["crl_note"])).unwrap();
        }
    }
    let index = format!(
        "{HEAD}| target | program | side | CRLs that it needs | run with |\n| --- | --- | --- | --- | --- |\n{rows}\n\
         {STEPS}## Programs that cannot check CRLs\n\nThe plain configuration of these programs has no place for a CRL: a revoked \
         certificate is accepted\nuntil it expires.\n\n| target | what to do, or to know |\n| --- | --- |\n{without_crls}"
    );
    pages.insert("README.md".to_owned(), index);
    let folder = repository().join("docs/guide/programs");
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for old in files_below(&folder, "md") {
            fs::remove_file(old).unwrap();
        }
        pages.iter().for_each(|(name, page)| fs::write(folder.join(name), page).unwrap());
    }
    let written = files_below(&folder, "md").into_iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).unwrap())
    });
    let written: BTreeMap<String, String> = written.collect();
    for (name, page) in &pages {
        let is_same = written.get(name) == Some(page);
        assert!(is_same, "docs/guide/programs/{name} is not what the recipe says; CA_TEST_UPDATE=1 rewrites it");
    }
    assert_eq!(written.len(), pages.len(), "a page without a recipe");
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn words(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}

fn crl_word(recipe: &Value) -> &'static str {
    match recipe["crl_check"].as_str().unwrap() {
        "every-authority" => "of every authority",
        "issuer" => "of the issuer",
        "first" => "the first of the file",
        "never" => "none",
        other => panic!("{other}"),
    }
}

fn page(name: &str, recipe: &Value) -> String {
    let mut page = format!("# {name}\n\n{}.", capitalized(&text(&recipe["summary"])));
    match recipe["tested"].as_str() {
        Some(tested) => write!(page, " Run with {tested}.").unwrap(),
        None => page.push_str(" Not run by the authors of this recipe."),
    }
    let template = match recipe["side"].as_str().unwrap() {
        "either" => "server",
        side => side,
    };
    write!(page, "\n\n```sh\nca issue {template} NAME\n").unwrap();
    if recipe["crl_check"] != "never" {
        page.push_str("ca crl --all\n");
    }
    write!(page, "ca export NAME --target {name} --out DIR\n```\n\n").unwrap();
    files(&mut page, recipe);
    configuration(&mut page, recipe);
    let (hook, note) = (recipe["reload_command"].as_str(), recipe["hook_note"].as_str());
    page.push_str("## After a change of the files\n\n");
    if let Some(hook) = hook {
        write!(page, "```sh\n{}\n```\n\n", with_paths(hook)).unwrap();
    }
    if let Some(note) = note {
        write!(page, "{}.\n\n", capitalized(note)).unwrap();
    }
    let crls = match recipe["crl_check"].as_str().unwrap() {
        "every-authority" => "It needs the CRL of every authority of a chain",
        "issuer" => "It needs the CRL of the authority that issued the certificate of the other side",
        "first" => "It reads one CRL",
        _ => "Its plain configuration has no place for a CRL",
    };
    write!(page, "## CRLs\n\n{crls}: {}.\n\n", text(&recipe["crl_note"])).unwrap();
    keys(&mut page, recipe);
    let notes = words(&recipe["notes"]);
    if !notes.is_empty() {
        page.push_str("## Notes\n\n");
        notes.iter().for_each(|note| writeln!(page, "- {note}").unwrap());
    }
    format!("{}\n", page.trim_end())
}

fn files(page: &mut String, recipe: &Value) {
    page.push_str("## Files\n\n| file | has, in this order | mode | when |\n| --- | --- | --- | --- |\n");
    for file in recipe["recipe_files"].as_array().unwrap() {
        let has = match (file["each"].as_str(), file["format"].as_str()) {
            (Some("crl"), _) => "the CRL of each authority".to_owned(),
            (Some(_), _) => "the certificate of each authority".to_owned(),
            (_, Some(format)) => format!("{format}: {}", words(&file["contains"]).join(", ")),
            _ => words(&file["contains"]).join(", "),
        };
        let when =
            if file["when"] == serde_json::json!([]) { "always".to_owned() } else { words(&file["when"]).join(", ") };
        let file_name = text(&file["name"]).replace("{{ object }}", "NAME").replace("{{ authority }}", "AUTHORITY");
        writeln!(page, "| `{file_name}` | {has} | {} | {when} |", text(&file["mode"])).unwrap();
    }
    page.push('\n');
    let owner = match (recipe["user"].as_str(), recipe["group"].as_str()) {
        (Some(user), Some(group)) => format!("{user}:{group}"),
        (user, group) => user.or(group).unwrap_or_default().to_owned(),
    };
    match (owner.as_str(), recipe["owner_required"] == true) {
        ("", _) => {}
        (owner, true) => write!(page, "The program must be able to read them as `{owner}`. As root, `ca export` gives them this owner; otherwise it shows the\ncommand `chown`.\n\n").unwrap(),
        (owner, false) => write!(page, "The packages of the program run it as `{owner}`. As root, `ca export` gives them this owner when it exists.\n\n").unwrap(),
    }
}

fn configuration(page: &mut String, recipe: &Value) {
    page.push_str("## Configuration\n\n");
    for part in recipe["configuration"].as_array().unwrap() {
        let when = words(&part["when"]);
        let when = if when.is_empty() { String::new() } else { format!(" ({})", when.join(", ")) };
        let (place, lines) = (capitalized(&text(&part["place"])), with_paths(&text(&part["lines"])));
        write!(page, "{place}{when}:\n\n```text\n{lines}\n```\n\n").unwrap();
    }
}

fn keys(page: &mut String, recipe: &Value) {
    let (own, peers) = (words(&recipe["refused_keys"]), words(&recipe["refused_peer_keys"]));
    if own.is_empty() && peers.is_empty() {
        return;
    }
    page.push_str("## Keys\n\n");
    let note = recipe["key_note"].as_str().map(|note| format!(": {note}")).unwrap_or_default();
    if !own.is_empty() {
        write!(page, "It refuses a certificate of its own with a key of the kind {}{note}.\n\n", own.join(" or "))
            .unwrap();
    }
    if !peers.is_empty() {
        write!(page, "It refuses the other side with a key of the kind {}{note}.\n\n", peers.join(" or ")).unwrap();
    }
}

/// Replaces the placeholders: of a file, by a path below DIR.
fn with_paths(lines: &str) -> String {
    let mut whole = String::new();
    let mut rest = lines;
    while let Some((before, from)) = rest.split_once("{{") {
        let (name, after) = from.split_once("}}").unwrap();
        let value = match name.trim() {
            "folder" => "DIR".to_owned(),
            "name" | "object" => "NAME".to_owned(),
            file => format!("DIR/{file}"),
        };
        whole.push_str(before);
        whole.push_str(&value);
        rest = after;
    }
    whole + rest
}

fn capitalized(text: &str) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    // A name of a program or file stays as it is.
    if first.chars().skip(1).any(|c| c.is_uppercase() || "./".contains(c))
        || ["dockerd", "etcd", "psql", "vsftpd"].contains(&first)
    {
        return text.to_owned();
    }
    let mut characters = text.chars();
    characters.next().map(|first| first.to_uppercase().chain(characters).collect()).unwrap_or_default()
}
