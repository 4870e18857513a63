//! Every built-in recipe can be used, and a wrong one is refused with all its problems.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::authority::testing::{Ca, order};
use crate::keys::key_file::KeyFile;
use crate::keys::{Passphrase, PrivateKey};
use crate::store::ca_certificates::{Root, read_certificates};
use crate::store::export::{Material, Part, Target};
use crate::system::entropy::SystemEntropy;
use crate::system::files::Ownership;
use crate::x509::{Certificate, pem};

const GOOD: &str = "summary = \"x\"\nside = \"server\"\n[[file]]\nname = \"key.pem\"\nhas = [\"private-key\"]\n\
                    [crl]\nchecks = \"never\"\n";

const BOTH: Purposes = Purposes { server: true, client: true };

fn recipe(name: &str) -> Recipe {
    built_in(name).unwrap().recipe().unwrap()
}

#[test]
fn every_built_in_recipe_is_complete_and_named_like_no_target_of_pkcs12() {
    let names: Vec<&str> = built_in_names().collect();
    assert!(names.is_sorted());
    for name in names {
        let recipe = recipe(name);
        assert!(!recipe.summary.is_empty() && !recipe.crl_note.is_empty(), "{name}");
        assert!(!recipe.configuration.is_empty(), "{name}: no line of a configuration");
        assert!(recipe.hook.is_some() || recipe.hook_note.is_some(), "{name}: how are new files used?");
        assert!(Target::ALL.iter().all(|target| target.name() != name), "{name}");
        assert_eq!(recipe.uses_crls(BOTH), recipe.crls != CrlCheck::Never, "{name}");
        for file in &recipe.files {
            let most = if file.content.has_key() { 0o640 } else { 0o644 };
            assert_eq!(file.mode & !most, 0, "{name}: {}", file.name);
        }
    }
    let folder = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes")).unwrap();
    assert_eq!(folder.count(), built_in_names().count(), "a file of recipes/ is not embedded");
}

/// The profile of a client has no CRL: the client of a VPN checks none.
#[test]
fn an_export_without_a_file_of_crls_needs_none() {
    let openvpn = recipe("openvpn");
    assert!(openvpn.uses_crls(Purposes { client: false, ..BOTH }));
    assert!(!openvpn.uses_crls(Purposes { server: false, ..BOTH }));
}

fn problems(toml: &str) -> String {
    Recipe::read("x", "x.toml", toml).map_or_else(|error| error.to_string(), |_| String::new())
}

#[test]
fn a_recipe_is_read_strictly() {
    assert_eq!(problems(GOOD), "");
    for (from, to, expected) in [
        ("summary", "sumary", "x.toml:1:1: unknown key 'sumary' at the top of the file; did you mean 'summary'?"),
        ("\"server\"", "\"sever\"", "x.toml:2:8: 'sever' is unknown here; did you mean 'server'?"),
        (
            "[\"private-key\"]",
            "[\"private-key\"]\nmode = \"0644\"",
            "x.toml:6:8: '0644' is not a mode for a file with the private key",
        ),
        ("[\"private-key\"]", "[\"private-key\"]\nmode = \"0604\"", "x.toml:6:8: '0604' is not a mode"),
        ("[\"private-key\"]", "[\"roots\"]\nmode = \"0664\"", "x.toml:6:8: '0664' is not a mode for a file"),
        ("[\"private-key\"]", "[\"key\"]", "x.toml:5:8: 'key' is unknown here"),
        ("[\"private-key\"]", "[]", "x.toml:5:7: the file has nothing"),
        ("[\"private-key\"]", "[\"roots\"]\nas = \"p12\"", "a file has one of the keys 'has', 'each' and 'as'"),
        ("key.pem", "../key.pem", "x.toml:4:8: '../key.pem' is not the name of a file in the folder"),
        ("key.pem", "/etc/key.pem", "'/etc/key.pem' is not the name of a file"),
        ("key.pem", "a/b/key.pem", "'a/b/key.pem' is not the name of a file"),
        ("key.pem", ".key", "'.key' is not the name of a file"),
        (
            "key.pem",
            "{{ authority }}.pem",
            "x.toml:4:8: the placeholder 'authority' is unknown in the name of this file",
        ),
        (
            "has = [\"private-key\"]",
            "each = \"crl\"",
            "the name of a file that is written for each authority has no place for it",
        ),
        ("[crl]", "[[file]]\nname = \"key.pem\"\nhas = [\"roots\"]\n[crl]", "x.toml:7:8: another file is 'key.pem'"),
        (
            "[\"private-key\"]",
            "[\"crls\"]",
            "x.toml:3:1: the file has CRLs, but [crl] says that the program never checks them",
        ),
        ("[crl]\nchecks = \"never\"\n", "", "x.toml:1:1: [crl] is missing"),
        ("[crl]", "[owner]\nuser = \"-x\"\n[crl]", "x.toml:7:8: '-x' is not a user or group"),
        ("[crl]", "[keys]\nrefuses = [\"dsa\"]\n[crl]", "x.toml:7:12: 'dsa' is not a key algorithm"),
        ("side", "hook = \"a\\nb\"\nside", "x.toml:2:8: 'hook' is not a line of text"),
        (
            "[crl]",
            "[[configuration]]\nplace = \"x\"\nlines = '''\na {{ key.pem }}\nb {{ kay.pem }}'''\n[crl]",
            "x.toml:10:3: the placeholder 'kay.pem' is unknown; did you mean 'key.pem'?",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let found = problems(&GOOD.replacen(from, to, 1));
        assert!(found.contains(expected), "{to}: {found}");
    }
    let several = problems("side = \"x\"\n[[file]]\nname = \"a\"\n[owner]\n");
    assert_eq!(several.lines().count(), 5, "{several}");
    assert!(Recipe::read("java", "java.toml", GOOD).is_err(), "a target of PKCS#12");
}

/// The material of a certificate in a CA with an intermediate.
struct Issued {
    name: &'static str,
    certificate: Certificate,
    intermediates: Vec<Certificate>,
    roots: Vec<Root>,
    root_certificates: Vec<Certificate>,
    key: PrivateKey,
    authorities: Vec<Authority>,
    crls: Vec<RecipeCrl>,
    passphrases: Vec<(String, Passphrase)>,
}

impl Issued {
    fn new(template: &str, name: &'static str) -> Self {
        let ca = Ca::new();
        ca.issue(order(template, name)).unwrap();
        let chain = read_certificates(&ca.path(&format!("issued/{name}/fullchain.pem"))).unwrap();
        let key = KeyFile::parse(&fs::read(ca.path(&format!("issued/{name}/key.pem"))).unwrap()).unwrap();
        let store = ca.store();
        let roots = store.ca_certificates().roots().unwrap();
        let authority = |name: &str| Authority {
            name: name.to_owned(),
            certificate: store.ca_certificates().certificate(name).unwrap(),
        };
        let crl = |name: &str| RecipeCrl {
            file_name: name.to_owned(),
            ca: name.to_owned(),
            pem: pem::encode(pem::CRL_LABEL, name.as_bytes()),
        };
        let word = |name: &str| (name.to_owned(), Passphrase::from_source(b"a passphrase".to_vec()).unwrap());
        Self {
            name,
            certificate: chain[0].clone(),
            intermediates: chain[1..].to_vec(),
            root_certificates: roots.iter().map(|root| root.certificate.clone()).collect(),
            roots,
            key: key.open(None).unwrap(),
            authorities: ["issuing", "root"].map(authority).into(),
            crls: ["issuing", "root"].map(crl).into(),
            passphrases: ["keystore.p12", "truststore.p12", "client.p12"].map(word).into(),
        }
    }

    fn planned(&self, recipe: &Recipe, with_crls: bool, folder: &Path) -> PlannedFiles {
        let material = Material {
            name: self.name,
            certificate: &self.certificate,
            intermediates: &self.intermediates,
            roots: &self.root_certificates,
            key: Some(&self.key),
        };
        let (roots, authorities, crls, passphrases) = (&self.roots, &self.authorities, &self.crls, &self.passphrases);
        let material = RecipeMaterial { material, roots, authorities, crls, with_crls, passphrases };
        PlannedFiles::new(recipe, &material, folder).unwrap()
    }
}

fn labels(file: &PlannedFile) -> Vec<String> {
    pem::parse_all(&file.content).unwrap().into_iter().map(|block| block.label).collect()
}

#[test]
fn every_built_in_recipe_makes_its_files_and_names_them_in_its_lines() {
    let (server, client, peer) =
        (Issued::new("server", "web.test"), Issued::new("client", "anna"), Issued::new("peer", "node.test"));
    for name in built_in_names() {
        let recipe = recipe(name);
        for issued in [&server, &client, &peer] {
            if !recipe.side.is_served_by(Purposes::of(&issued.certificate)) {
                continue;
            }
            for with_crls in [true, false] {
                let planned = issued.planned(&recipe, with_crls, Path::new("/etc/tls"));
                assert!(!planned.files.is_empty() && !planned.configuration.is_empty(), "{name}");
                assert!(recipe.hook.is_none() || planned.hook.is_some(), "{name}");
                for file in &planned.files {
                    let has_crl = String::from_utf8_lossy(&file.content).contains("X509 CRL");
                    assert!(with_crls || !has_crl, "{name}: {}", file.name);
                    let has_key = String::from_utf8_lossy(&file.content).contains("PRIVATE KEY");
                    assert!(!has_key || file.is_secret() && file.mode & 0o007 == 0, "{name}: {}", file.name);
                }
                for part in &planned.configuration {
                    assert!(!part.lines.contains("{{"), "{name}: {}", part.lines);
                    for path in
                        part.lines.split(|c: char| " \"'<=;\n".contains(c)).filter(|word| word.starts_with("/etc/tls/"))
                    {
                        let file = path.trim_start_matches("/etc/tls/");
                        assert!(planned.files.iter().any(|planned| planned.name == file), "{name}: {path}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_order_in_a_file_is_the_one_that_its_program_needs() {
    let server = Issued::new("server", "web.test");
    let in_file = |name: &str, file: &str| {
        let planned = server.planned(&recipe(name), true, Path::new("/x"));
        labels(planned.files.iter().find(|planned| planned.name == file).unwrap())
    };
    let (key, certificate, crl) = ("PRIVATE KEY", "CERTIFICATE", "X509 CRL");
    assert_eq!(in_file("postfix", "postfix.pem"), [key, certificate, certificate]);
    assert_eq!(in_file("haproxy", "haproxy.pem"), [certificate, certificate, key]);
    assert_eq!(in_file("dovecot", "ca.pem"), [certificate, crl, crl], "the root, then the CRLs");
    let planned = server.planned(&recipe("etcd"), true, Path::new("/x"));
    let crls = planned.files.iter().find(|file| file.name == "crls.pem").unwrap();
    let ders: Vec<_> = pem::parse_all(&crls.content).unwrap().into_iter().map(|block| block.content.to_vec()).collect();
    assert_eq!(ders, [b"issuing".to_vec(), b"root".to_vec()], "etcd reads the first only");
    let client = Issued::new("client", "anna");
    let docker = client.planned(&recipe("docker"), true, Path::new("/x"));
    let cert = docker.files.iter().find(|file| file.name == "cert.pem").unwrap();
    assert_eq!(cert.parts, [Part::Certificate, Part::Intermediates]);
    let swan = server.planned(&recipe("strongswan"), true, Path::new("/x"));
    let names: Vec<&str> = swan.files.iter().map(|file| file.name.as_str()).collect();
    let expected = [
        "x509/web.test.pem",
        "private/web.test.pem",
        "x509ca/issuing.pem",
        "x509ca/root.pem",
        "x509crl/issuing.pem",
        "x509crl/root.pem",
    ];
    assert_eq!(names, expected);
    assert!(swan.files.iter().all(|file| labels(file).len() == 1), "one object in a file");
}

#[test]
fn the_same_content_gives_the_same_pkcs12_file_and_other_content_another() {
    let (one, other) = (Issued::new("server", "web.test"), Issued::new("server", "web.test"));
    let files = |issued: &Issued| {
        let planned = issued.planned(&recipe("tomcat"), false, Path::new("/x"));
        planned.files.iter().map(|file| (file.name.clone(), file.content.to_vec())).collect::<Vec<_>>()
    };
    assert_eq!(files(&one), files(&one));
    for ((name, content), (_, than)) in files(&one).into_iter().zip(files(&other)) {
        assert_eq!(content == than, name.ends_with(".passphrase"), "{name}");
        let salts = |content: &[u8]| {
            content.windows(18).filter(|bytes| bytes[..2] == [4, 16]).map(<[u8]>::to_vec).collect::<Vec<_>>()
        };
        assert!(salts(&content).iter().all(|salt| !salts(&than).contains(salt)), "{name}: a salt is used again");
    }
}

#[test]
fn a_new_folder_appears_complete_and_in_one_that_is_there_only_what_differs_is_replaced() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("a/swanctl");
    let (old, new) = (Issued::new("server", "web.test"), Issued::new("server", "web.test"));
    let delivery = Delivery { folder: &folder, ownership: Ownership::default(), is_for_others: false };
    let write = |planned: &PlannedFiles| {
        let states = delivery.states(&planned.files).unwrap();
        let changed: Vec<&PlannedFile> = planned
            .files
            .iter()
            .zip(&states)
            .filter(|(_, state)| **state != FileState::Same)
            .map(|(file, _)| file)
            .collect();
        delivery.write(&changed, &SystemEntropy).unwrap();
        states
    };
    let planned = old.planned(&recipe("strongswan"), true, &folder);
    assert_eq!(write(&planned), [FileState::Missing; 6]);
    assert_eq!(write(&planned), [FileState::Same; 6]);
    let mode = |name: &str| folder.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("private/web.test.pem"), mode("x509ca/root.pem"), mode("private")), (0o600, 0o644, 0o700));
    fs::set_permissions(folder.join("private/web.test.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::remove_dir_all(folder.join("x509crl")).unwrap();
    fs::write(folder.join("swanctl.conf"), "mine").unwrap();
    let missing = FileState::Missing;
    assert_eq!(
        write(&planned),
        [FileState::Same, FileState::OtherAccess, FileState::Same, FileState::Same, missing, missing]
    );
    assert_eq!(mode("private/web.test.pem"), 0o600);
    let states = write(&new.planned(&recipe("strongswan"), true, &folder));
    assert_eq!(states[..4], [FileState::OtherContent; 4]);
    assert_eq!(fs::read_to_string(folder.join("swanctl.conf")).unwrap(), "mine");
    let count = |name: &str| fs::read_dir(folder.join(name)).unwrap().count();
    assert_eq!((count(""), count("private"), count("x509crl")), (5, 1, 2), "nothing unfinished is left");
}

#[test]
fn the_recipe_of_the_site_comes_first_and_a_mistyped_name_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("nginx.toml"), GOOD).unwrap();
    fs::write(folder.path().join("ours.toml"), GOOD).unwrap();
    assert_eq!(find(Some(folder.path()), "nginx").unwrap().toml, GOOD);
    assert!(find(Some(folder.path()), "redis").unwrap().path.is_none());
    fs::write(folder.path().join("nginx.toml"), "").unwrap();
    assert!(find(Some(folder.path()), "nginx").unwrap().path.is_none(), "an empty file replaces nothing");
    let unknown = |name: &str| match find(Some(folder.path()), name) {
        Err(RecipeError::Unknown { nearest, known, .. }) => (nearest, known.contains(&"ours".to_owned())),
        other => panic!("{other:?}"),
    };
    assert_eq!(unknown("ngnix"), (Some("nginx".to_owned()), true));
    assert_eq!(unknown("../nginx"), (Some("nginx".to_owned()), true));
    std::os::unix::fs::symlink("nowhere", folder.path().join("redis.toml")).unwrap();
    assert!(matches!(find(Some(folder.path()), "redis"), Err(RecipeError::File(_))), "not passed over");
}
