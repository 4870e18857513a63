//! What is read from a template, and the place of each problem.

use super::*;

const LEAF: &str = "key = [\"ecdsa-p256\"]\nlifetime = \"90d\"\n[usage]\nkey = [\"digital-signature\"]\n";

fn read(toml: &str) -> Result<Profile, String> {
    Profile::read("t", "t.toml", toml).map_err(|error| error.to_string())
}

fn message(toml: &str) -> String {
    read(toml).expect_err("the template is wrong")
}

#[test]
fn the_shortest_template_has_sound_defaults() {
    let profile = read(LEAF).unwrap();
    assert_eq!(profile.longest, profile.lifetime);
    assert_eq!(profile.backdate, "1h".parse().ok());
    assert_eq!(profile.serial_bytes, 16);
    assert!(!profile.is_authority());
}

#[test]
fn everything_that_is_missing_is_reported_at_once() {
    let message = message("summary = \"x\"");
    for part in ["'key' is missing", "'lifetime' is missing", "[usage] is missing"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn templates_that_contradict_themselves_are_refused() {
    for (toml, part) in [
        (LEAF.replace("\"90d\"", "\"90d\"\nlongest = \"30d\""), "more than the longest"),
        (LEAF.replace("digital-signature", "key-cert-sign"), "for a CA only"),
        (format!("{LEAF}[authority]\npath-length = 0\n"), "does not let it sign"),
        (format!("{LEAF}[names]\nat-least = 1\n"), "no kind of name is allowed"),
        (
            format!("{LEAF}[names]\nkinds = [\"dns\"]\nat-least = 2\nat-most = 1\n"),
            "t.toml:8:11: at most 1 names are allowed",
        ),
        (format!("{LEAF}[names]\nkinds = [\"uri\"]\nallow = [\"spiffe://*/a\"]\n"), "in the path only"),
        (format!("{LEAF}[names]\nkinds = [\"email\"]\nallow = [\"*@*\"]\n"), "not a pattern for e-mail addresses"),
        (format!("{LEAF}[serial]\noctets = 8\n"), "16 to 20 are allowed"),
        (format!("{LEAF}[serial]\noctets = 21\n"), "16 to 20 are allowed"),
        (LEAF.replace("[\"ecdsa-p256\"]", "[]"), "no key algorithm"),
        (LEAF.replace("[\"digital-signature\"]", "[]"), "at least one usage"),
        (LEAF.replace("\"90d\"\n", "\"90d\"\nbackdate = \"3d\"\n"), "at most 2d"),
        (format!("{LEAF}[files]\nmode = \"0644\"\n"), "not a mode for a private key"),
        (format!("{LEAF}[files]\nmode = \"0040\"\n"), "not a mode for a private key"),
        (format!("{LEAF}extended = [\"server-auht\"]\n"), "unknown extended key usage"),
        (LEAF.replace("digital-signature", "digital-signatur"), "did you mean 'digital-signature'"),
        (format!("{LEAF}[subject]\norganisation = \"x\"\n"), "did you mean 'organization'"),
        (format!("{LEAF}[subject]\norganization = \"{{{{ x\"\n"), "not a template string"),
        (LEAF.replace("ecdsa-p256", "ecdsa-256"), "'ecdsa-256' is not a key algorithm"),
        (
            LEAF.replace("[usage]", "[names]\nkinds = [\"emial\"]\n[usage]"),
            "'emial' is not a kind of name (did you mean 'email'?)",
        ),
        (LEAF.replace("digital-signature", "key-encipherment"), "ecdsa-p256 would be useless"),
        (format!("{LEAF}[subject]\ncountry = \"de\"\n"), "t.toml:6:11: country 'de'"),
        (format!("{LEAF}[names]\nkinds = [\"dns\"]\nallow = [\"a.test\", \"*.*\"]\n"), "t.toml:7:20: '*'"),
        (format!("{LEAF}[names]\nallow = [\"a.test\"]\n"), "t.toml:6:9: 'allow' has no effect"),
        (format!("{LEAF}[names]\nkinds = []\nallow = [\"a.test\"]\n"), "t.toml:7:9: 'allow' has no effect"),
        (format!("{LEAF}[subject]\nallow-common-name = [\"a\", \"\"]\n"), "t.toml:6:27: an empty pattern"),
        (format!("{LEAF}[subject]\nallow-common-name = [\"{{{{ name }}}}\"]\n"), "has no placeholders"),
        (format!("{LEAF}[distribution]\ncrl = [\"crl.test/a.crl\"]\n"), "t.toml:6:8: 'crl.test/a.crl' is not a URI"),
    ] {
        let message = message(&toml);
        assert!(message.contains(part), "{toml}\n→ {message}");
    }
}

fn on_server(toml: &str) -> Result<Profile, String> {
    let server = Profile::read("server", "server.toml", include_str!("../../../templates/server.toml")).unwrap();
    Profile::read_on(Some(&server), "web", "web.toml", toml).map_err(|error| error.to_string())
}

#[test]
fn what_a_template_does_not_set_is_as_in_its_base() {
    let server = on_server("base = \"server\"\n").unwrap();
    let built_in = Profile::read("web", "x", include_str!("../../../templates/server.toml")).unwrap();
    assert_eq!(server, built_in);
    let changed = on_server(
        "base = \"server\"\nsummary = \"ours\"\nkey = [\"ed25519\"]\nlifetime = \"30d\"\nbackdate = \"0\"\n[subject]\n\
         locality = \"Köln\"\n[names]\nallow = [\"*.corp.test\"]\n[usage]\nextended = [\"client-auth\"]\n[serial]\n\
         octets = 20\n[distribution]\nocsp = [\"http://a.test\"]\n[files]\nmode = \"0640\"\n",
    )
    .unwrap();
    let text = |text: &str| TemplateString::parse(text).unwrap();
    let expected = Profile {
        summary: "ours".to_owned(),
        keys: vec![KeyAlgorithm::Ed25519],
        lifetime: Lifetime::from_days(30),
        backdate: None,
        subject: [built_in.subject.clone(), vec![(AttributeType::Locality, text("Köln"))]].concat(),
        names: NameRules { allow: vec![text("*.corp.test")], ..built_in.names.clone() },
        extended_key_usage: vec![text("client-auth")],
        serial_bytes: 20,
        distribution: Distribution { ocsp: vec![text("http://a.test")], ..Distribution::default() },
        files: FileRules { mode: Some(0o640), ..FileRules::default() },
        ..built_in
    };
    assert_eq!(changed, expected);
}

#[test]
fn a_list_replaces_that_of_the_base_and_an_attribute_replaces_the_same_one() {
    let profile =
        on_server("base = \"server\"\n[names]\nkinds = [\"dns\"]\n[subject]\norganization = \"Acme\"\n").unwrap();
    assert_eq!(profile.names.kinds, [NameKind::Dns]);
    assert_eq!(profile.subject, [(AttributeType::Organization, TemplateString::parse("Acme").unwrap())]);
    let ca = Profile::read("ca", "ca.toml", include_str!("../../../templates/intermediate.toml")).unwrap();
    let based = "base = \"ca\"\n[authority]\npermit = [\"corp.test\"]\n";
    let rules = Profile::read_on(Some(&ca), "sub", "sub.toml", based).unwrap().authority.unwrap();
    assert_eq!((rules.path_length, rules.constraints.permitted.len()), (Some(0), 1));
}

#[test]
fn a_longest_lifetime_that_the_base_does_not_set_follows_the_lifetime() {
    let base = read(LEAF).unwrap();
    let based = Profile::read_on(Some(&base), "b", "b.toml", "base = \"t\"\nlifetime = \"200d\"\n").unwrap();
    assert_eq!(based.longest, Lifetime::from_days(200));
    let message = on_server("base = \"server\"\nlifetime = \"3y\"\n").unwrap_err();
    assert_eq!(message, "web.toml:2:12: the lifetime of 3y is more than the longest, 825d");
}

#[test]
fn what_contradicts_the_base_is_noted_where_the_template_says_it() {
    for (toml, part) in [
        ("base = \"server\"\n[names]\nkinds = []\n", "web.toml:3:9: at least 1 names are wanted"),
        (
            "base = \"server\"\n[names]\nallow = [\"a.test\"]\nkinds = []\nat-least = 0\n",
            "web.toml:3:9: 'allow' has no",
        ),
        ("base = \"server\"\n[authority]\n", "web.toml:2:1: [authority] makes a CA"),
        ("base = \"server\"\nbas = 1\n", "did you mean 'base'?"),
        ("base = 5\n", "web.toml:1:8: invalid type"),
        ("base = \"server\"\n[usage]\nkey = [\"key-cert-sign\"]\n", "web.toml:3:7: key-cert-sign is for a CA only"),
    ] {
        let message = on_server(toml).expect_err(toml);
        assert!(message.contains(part), "{toml}\n→ {message}");
    }
    let message = read("base = \"gone\"\n").unwrap_err();
    assert!(message.contains("t.toml:1:8: the base 'gone' was not found"), "{message}");
    assert_eq!(Profile::base_of("base = \"a\"").unwrap().value, "a");
    assert!(Profile::base_of("# no base\n").is_none());
}

#[test]
fn an_empty_list_of_allowed_names_needs_no_kind() {
    assert!(read(&format!("{LEAF}[names]\nallow = []\n")).is_ok());
}

#[test]
fn a_certificate_begins_now_when_nothing_is_to_lie_in_the_past() {
    for word in ["0", "0s"] {
        let toml = LEAF.replace("\"90d\"\n", &format!("\"90d\"\nbackdate = \"{word}\"\n"));
        assert_eq!(read(&toml).unwrap().backdate, None);
    }
}

#[test]
fn the_values_that_a_template_uses_are_known() {
    let profile =
        read(&format!("{LEAF}extended = [\"{{{{ role }}}}-auth\"]\n[subject]\norganization = \"{{{{ team }}}}\"\n"))
            .unwrap();
    assert_eq!(profile.uses().into_iter().collect::<Vec<_>>(), ["role", "team"]);
}

proptest::proptest! {
    #[test]
    fn a_template_with_a_piece_replaced_is_read_or_refused_with_its_position(
        at in proptest::prelude::any::<proptest::sample::Index>(),
        length in 0_usize..12,
        piece in "\\PC{0,10}|[a-z\\[\\]=\" \\n{}.#'0-9-]{0,10}",
    ) {
        let text = include_str!("../../../templates/intermediate.toml");
        let from = text.floor_char_boundary(at.index(text.len()));
        let to = text.ceil_char_boundary((from + length).min(text.len()));
        let changed = [&text[..from], &piece, &text[to..]].concat();
        if let Err(error) = Profile::read("changed", "changed.toml", &changed) {
            proptest::prop_assert!(error.to_string().contains("changed.toml"), "{}", error);
            assert_eq!(error.pictures().count(), error.problems.len());
        }
    }
}
