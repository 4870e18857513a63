//! `ca verify` of many files in one call: what is shared between them, and who judges them at once, changes no answer.

use std::fs;

use serde_json::Value;

use crate::support::program::Place;

/// So many that several threads work, and that the answers would come in disorder if nobody put them in order.
const FILES: usize = 150;

#[test]
fn a_file_among_many_gets_the_answer_that_it_gets_alone() {
    let place = Place::new();
    place.done("init --name Corp-Root --intermediate --no-passphrase");
    place.done("issue server web.corp.test");
    place.done("issue client alice");
    place.done("--dir other init --name Corp-Root --intermediate --no-passphrase");
    place.done("--dir other issue server web.corp.test");
    let read = |name: &str| fs::read_to_string(place.path(name)).unwrap();
    let (chain, alone) = (read("ca/issued/web.corp.test/fullchain.pem"), read("ca/issued/web.corp.test/cert.pem"));
    let issuing = read("ca/authorities/issuing/cert.pem");
    let altered = {
        // One octet of the signature, far from the base64's end.
        let mut der = der_of(&alone);
        let at = der.len() - 10;
        der[at] ^= 1;
        format!("{}{issuing}", pem_of(&der))
    };
    let kinds: Vec<(&str, String)> = vec![
        ("good", chain.clone()),
        ("client", read("ca/issued/alice/fullchain.pem")),
        ("incomplete", alone),
        ("altered", altered),
        ("stranger", read("other/issued/web.corp.test/fullchain.pem")),
        ("authority", issuing),
        ("cut-off", pem_of(&der_of(&chain)[..200])),
    ];
    let names: Vec<String> =
        (0..FILES).map(|index| format!("{index:03}-{}.pem", kinds[index % kinds.len()].0)).collect();
    fs::create_dir(place.path("files")).unwrap();
    for (name, (_, content)) in names.iter().zip(kinds.iter().cycle()) {
        fs::write(place.path("files").join(name), content).unwrap();
    }
    let words = "--json --at 2099-01-01T00:00:00Z --hostname web.corp.test --roots ca/authorities/root/cert.pem";
    for words in
        [words, &words.replace("--at 2099-01-01T00:00:00Z", ""), &words.replace("--hostname web.corp.test", "")]
    {
        let many = place.ca(&format!("verify {words} files")).output().unwrap();
        assert_eq!(many.status.code(), Some(1));
        let many: Value = serde_json::from_slice(&many.stdout).unwrap();
        assert_eq!(many["schema"], "ca.verify-many/1");
        let results = many["results"].as_array().unwrap();
        let order: Vec<_> = results.iter().map(|result| result["file"].as_str().unwrap().to_owned()).collect();
        assert_eq!(order, names.iter().map(|name| format!("files/{name}")).collect::<Vec<_>>());
        for (result, name) in results.iter().zip(&names).take(kinds.len()) {
            let single = place.ca(&format!("verify {words} files/{name}")).output().unwrap();
            assert_eq!(single.status.code() == Some(0), result["valid"] == true, "{name}");
            let single: Value = serde_json::from_slice(&single.stdout).unwrap();
            assert_eq!(comparable(&single), comparable(result), "{name}");
        }
        for (result, first) in results.iter().zip((0..kinds.len()).cycle()) {
            assert_eq!(result["valid"], results[first]["valid"], "{}", result["file"]);
        }
    }
}

#[test]
fn the_first_file_that_cannot_be_read_is_named_whoever_comes_to_it() {
    let place = Place::new();
    place.done("init --no-passphrase");
    place.done("issue server web.corp.test");
    for index in 0..100 {
        fs::copy(place.path("ca/issued/web.corp.test/cert.pem"), place.path(format!("{index:02}.pem"))).unwrap();
    }
    let files: String = (0..100).map(|index| format!(" {index:02}.pem")).collect();
    assert_eq!(place.done(&format!("verify{files}")).lines().count(), 100, "one line each");
    for index in [40, 41, 99] {
        fs::write(place.path(format!("{index}.pem")), "-----BEGIN CERTIFICATE-----\n").unwrap();
    }
    for _ in 0..5 {
        let refused = place.ca(&format!("verify{files}")).output().unwrap();
        assert_eq!(refused.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&refused.stderr).starts_with("error: 40.pem: "), "{refused:?}");
    }
}

/// All but the advice, which in many files may name another of them.
fn comparable(result: &Value) -> Value {
    let mut result = result.clone();
    for problem in result["problems"].as_array_mut().unwrap() {
        problem["hint"] = Value::Null;
    }
    // Asked a moment later.
    result["at"] = Value::Null;
    result.as_object_mut().unwrap().remove("warnings");
    result
}

fn der_of(pem: &str) -> Vec<u8> {
    ca::x509::pem::parse_all(pem.as_bytes()).unwrap().remove(0).content.to_vec()
}

fn pem_of(der: &[u8]) -> String {
    ca::x509::pem::certificate(der)
}
