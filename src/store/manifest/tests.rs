//! What a manifest may say, and the place of every problem.

use super::*;
use crate::store::export::{ExportFormat, Target};
use crate::store::templates;
use crate::x509::{GeneralName, KeyAlgorithm};

fn site() -> ManifestSite {
    let template = |name: &str| (name.to_owned(), templates::built_in(name).unwrap().profile().ok());
    ManifestSite {
        templates: ["server", "client", "peer", "intermediate"].map(template).into(),
        authorities: ["root", "issuing"].map(str::to_owned).to_vec(),
        recipes: ["nginx", "postgres"].map(str::to_owned).to_vec(),
    }
}

fn read_all(files: &[(&str, &str)]) -> Result<Vec<DeclaredCertificate>, ManifestError> {
    let text = |(name, text): &(&str, &str)| ManifestText {
        name: (*name).to_owned(),
        path: format!("/m/{name}").into(),
        text: (*text).to_owned(),
    };
    read(&files.iter().map(text).collect::<Vec<_>>(), &site())
}

fn read_one(text: &str) -> Vec<DeclaredCertificate> {
    read_all(&[("a.toml", text)]).unwrap_or_else(|error| panic!("{error}"))
}

fn problems(text: &str) -> Vec<String> {
    let error = read_all(&[("a.toml", text)]).expect_err("it has problems");
    error.to_string().lines().map(str::to_owned).collect()
}

fn names(declared: &[DeclaredCertificate]) -> Vec<&str> {
    declared.iter().map(|declared| declared.name.as_str()).collect()
}

#[test]
fn a_certificate_has_its_own_settings_those_of_its_group_and_the_defaults() {
    let declared = read_one(
        r#"
[defaults]
template = "server"
key = "ecdsa-p384"
mode = "0640"
hook = "reload {{ name }}"

[[group]]
for = "30d"
issuer = "issuing"
out = "run/{{ name }}"
[[group.certificate]]
name = "Web.test"
sans = ["api.test", "10.0.0.7"]
key = "ed25519"
[[group.certificate]]
name = "db.test"
out = "/srv/db"

[[certificate]]
name = "alice"
template = "client"
hook = ""
export = [{ as = "p12", target = "apple", out = "alice.p12" }, { target = "nginx", out = "n" }]
"#,
    );
    assert_eq!(names(&declared), ["web.test", "db.test", "alice"], "a host name is in lower case");
    let [web, db, alice] = &declared[..] else { panic!("{declared:?}") };
    assert_eq!(web.key, Some(KeyAlgorithm::Ed25519));
    assert_eq!((db.key, db.issuer.as_deref()), (Some(KeyAlgorithm::EcdsaP384), Some("issuing")));
    assert_eq!(web.sans.iter().map(GeneralName::to_string).collect::<Vec<_>>(), ["dns:api.test", "ip:10.0.0.7"]);
    assert_eq!(web.lifetime.map(|lifetime| lifetime.to_string()).as_deref(), Some("30d"));
    assert_eq!(web.out, Some("/m/run/web.test".into()), "a relative path begins at the folder of the manifest");
    assert_eq!(db.out, Some("/srv/db".into()));
    assert_eq!((web.hook.as_deref(), alice.hook.as_deref()), (Some("reload web.test"), Some("")));
    assert_eq!((alice.issuer.as_ref(), alice.lifetime, alice.files.mode), (None, None, Some(0o640)));
    let exports = [
        (ExportKind::File(ExportFormat::P12, Some(Target::Apple)), "/m/alice.p12"),
        (ExportKind::Program("nginx".to_owned()), "/m/n"),
    ];
    let exports = exports.map(|(kind, out)| DeclaredExport { kind, out: out.into() });
    assert_eq!(alice.exports, exports);
}

#[test]
fn many_alike_have_a_list_of_names_a_number_or_a_range() {
    let declared = read_one(
        r#"
[defaults]
template = "peer"
[[certificate]]
names = ["a.test", "b.test"]
sans = ["www.{{ name }}"]
[[certificate]]
name = "n{{ n }}.test"
count = 3
sans = ["10.0.0.{{ n }}"]
[[certificate]]
name = "m{{n}}.test"
range = "08-11"
"#,
    );
    let expected =
        ["a.test", "b.test", "n1.test", "n2.test", "n3.test", "m08.test", "m09.test", "m10.test", "m11.test"];
    assert_eq!(names(&declared), expected);
    assert_eq!(declared[1].sans[0].to_string(), "dns:www.b.test");
    assert_eq!(declared[4].sans[0].to_string(), "ip:10.0.0.3");
}

#[test]
fn a_name_that_a_shell_reads_is_quoted() {
    let declared =
        read_one("[[certificate]]\ntemplate = \"client\"\nname = \"a; rm x\"\nhook = \"reload {{ name }}\"\n");
    assert_eq!(declared[0].hook.as_deref(), Some("reload 'a; rm x'"));
}

#[test]
fn all_problems_of_a_file_are_reported_each_with_its_place() {
    let found = problems(
        r#"[defaults]
template = "sevrer"
modes = "0640"
[[certificate]]
name = "web.test"
kye = "ed25519"
[[certificate]]
name = "web.test"
template = "server"
mode = "0644"
sans = ["not a name!"]
[[certificate]]
names = ["x y"]
count = 2
template = "server"
[certificates]
"#,
    );
    let expected = [
        "a.toml:2:12: there is no template 'sevrer'; did you mean 'server'?",
        "a.toml:3:1: unknown key 'modes' in [defaults]; did you mean 'mode'?",
        "a.toml:6:1: unknown key 'kye' in [certificate]; did you mean 'key'?",
        "a.toml:10:8: '0644' is not the mode of a private key; the modes are 0600, 0640, 0400 or 0440",
        "a.toml:11:9: ",
        "a.toml:14:9: it needs a 'name' with {{ n }}",
        "a.toml:16:2: unknown key 'certificates' at the top of the file; did you mean 'certificate'?",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
}

#[test]
fn what_a_template_does_not_allow_is_a_problem_of_the_manifest() {
    for (table, expected) in [
        ("name = \"a.test\"", "a.toml:1:1: 'template' is missing"),
        ("template = \"server\"", "a.toml:1:1: 'name' is missing"),
        ("template = \"intermediate\"\nname = \"a\"", "a.toml:2:12: the template 'intermediate' makes an authority"),
        ("template = \"server\"\nname = \"a.test\"\nfor = \"9y\"", "a.toml:4:7: the template 'server' allows at most"),
        ("template = \"server\"\nname = \"a b\"", "a.toml:3:8: "),
        ("template = \"server\"\nname = \"../a\"", "a.toml:3:8: the name '../a' looks like a path"),
        (
            "template = \"server\"\nname = \"a.test\"\nissuer = \"isuing\"",
            "a.toml:4:10: there is no authority 'isuing'",
        ),
        ("template = \"server\"\nname = \"a.test\"\ncount = 2", "a.toml:3:8: all certificates of the table"),
        ("template = \"server\"\nname = \"{{ m }}\"\ncount = 2", "a.toml:3:8: all certificates of the table"),
        ("template = \"server\"\nname = \"{{ n }}.test\"", "a.toml:3:8: a placeholder of '{{ n }}.test' has no value"),
        (
            "template = \"server\"\nname = \"{{ n }}.test\"\nrange = \"3-1\"",
            "a.toml:4:9: '3-1' is not a range of numbers",
        ),
        ("template = \"server\"\nname = \"{{ n }}.test\"\ncount = 0", "a.toml:4:9: expected a whole number, 1 or more"),
        ("template = \"server\"\nname = \"a.test\"\nout = \"\"", "a.toml:4:7: the path is empty"),
        (
            "template = \"server\"\nname = \"a.test\"\nexport = [{ out = \"x\" }]",
            "a.toml:4:11: an export has 'as' or 'target'",
        ),
        (
            "template = \"server\"\nname = \"a.test\"\nexport = [{ target = \"ngnix\", out = \"x\" }]",
            "a.toml:4:22: there is no recipe 'ngnix'; did you mean 'nginx'?",
        ),
        (
            "template = \"server\"\nname = \"a.test\"\nexport = [{ as = \"pem\", target = \"java\", out = \"x\" }]",
            "a.toml:4:34: beside 'as', 'target' is for p12",
        ),
    ] {
        let found = problems(&format!("[[certificate]]\n{table}\n"));
        assert!(found[0].starts_with(expected), "{found:#?}\n{expected}");
    }
}

#[test]
fn a_name_or_a_path_is_declared_once_in_all_files() {
    let table = |name: &str, more: &str| format!("[[certificate]]\ntemplate = \"server\"\nname = \"{name}\"\n{more}\n");
    let (first, second) = (table("web.test", "out = \"x\""), table("WEB.test", "") + &table("b.test", "out = \"x\""));
    let error = read_all(&[("a.toml", &first), ("b.toml", &second)]).unwrap_err().to_string();
    let lines: Vec<&str> = error.lines().collect();
    assert_eq!(
        lines,
        [
            "b.toml:3:8: 'web.test' is declared twice; the first one is at a.toml:3",
            "b.toml:7:8: /m/x is written by two certificates or exports; the first one is at a.toml:3",
        ]
    );
}

#[test]
fn what_is_wrong_with_one_of_many_is_said_once() {
    let found =
        problems("[[certificate]]\ntemplate = \"server\"\nname = \"n{{ n }}.test\"\ncount = 1000\nsans = [\"a b\"]\n");
    assert_eq!(found.len(), 1, "{found:#?}");
}

/// The keys of a table, as the schema for editors has them (`cli/documents.rs` compares them).
#[test]
fn a_key_with_a_typing_error_is_unknown_and_one_with_another_type_is_not() {
    for key in ["template", "sans", "for", "key", "issuer", "out", "owner", "group", "mode", "export", "hook"] {
        let unknown = problems(&format!("[defaults]\n{key}x = 1\n")).remove(0);
        let wrong_type = problems(&format!("[defaults]\n{key} = 1.5\n")).remove(0);
        assert!(unknown.contains("unknown key") && !wrong_type.contains("unknown key"), "{unknown}\n{wrong_type}");
    }
}
