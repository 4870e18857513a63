//! `ca verify --connect`: a server whose chain is right, and that is not the one whose chain it is.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection};
use serde_json::Value;

use ca::x509::pem;

use crate::support::program::Place;

/// Shows the chain in `fullchain.pem` of one folder to every visitor, and signs with the key in another.
fn serve(place: &Place, chain: &str, key: &str) -> u16 {
    let config = config(place, chain, key, rustls::DEFAULT_VERSIONS);
    listen(move |socket| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while connection.is_handshaking() && connection.complete_io(socket).is_ok() {}
    })
}

fn config(
    place: &Place,
    chain: &str,
    key: &str,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Arc<ServerConfig> {
    let ders = |file: &str| -> Vec<Vec<u8>> {
        let blocks = pem::parse_all(&fs::read(place.path(file)).unwrap()).unwrap();
        blocks.into_iter().map(|block| block.content.to_vec()).collect()
    };
    let chain = ders(&format!("ca/issued/{chain}/fullchain.pem")).into_iter().map(CertificateDer::from).collect();
    let key = PrivateKeyDer::try_from(ders(&format!("ca/issued/{key}/key.pem")).remove(0)).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    // Not `from_der`, which sees that the pair is none.
    let identity = CertifiedKey::new(chain, provider.key_provider.load_private_key(key).unwrap());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(identity)));
    Arc::new(config)
}

/// Plays the server for every visitor, until the test ends.
fn listen(play: impl Fn(&mut TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            play(&mut socket);
        }
    });
    port
}

fn site() -> Place {
    let place = Place::new();
    place.done("init --intermediate --no-passphrase");
    place.done("issue server localhost");
    place.done("issue server other.corp.test --san localhost");
    place
}

#[test]
fn a_right_chain_without_its_key_is_a_no() {
    let place = site();
    for (key, holds_key) in [("localhost", true), ("other.corp.test", false)] {
        let port = serve(&place, "localhost", key);
        let output = place.ca(&format!("verify --connect localhost:{port} --json")).output().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(!holds_key)), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["connection"]["holds_key"], holds_key);
        assert_eq!(report["valid"], holds_key);
        let codes: Vec<_> = report["problems"].as_array().unwrap().iter().map(|it| &it["code"]).collect();
        assert_eq!(codes == ["key-not-proved"], !holds_key, "{codes:?}");
        let text = place.ca(&format!("verify --connect localhost:{port}")).output().unwrap();
        let said = String::from_utf8_lossy(&text.stdout).into_owned();
        let told = "error: the server's signature in the handshake does not verify with the key of CN=localhost";
        assert_eq!(said.contains(told), !holds_key, "{said}");
    }
}

#[test]
fn the_certificate_on_standard_input_is_compared_too() {
    let place = site();
    let port = serve(&place, "other.corp.test", "other.corp.test");
    for (given, same) in [("other.corp.test", true), ("localhost", false)] {
        let input = fs::File::open(place.path(format!("ca/issued/{given}/fullchain.pem"))).unwrap();
        let mut command = place.ca(&format!("verify - --connect localhost:{port} --json"));
        let report: Value = serde_json::from_slice(&command.stdin(input).output().unwrap().stdout).unwrap();
        assert_eq!(report["in_file"]["same_certificate"], same);
        assert_eq!(report["in_file"]["same_chain"], same);
        let told = report["problems"].to_string();
        assert_eq!(told.contains("other-certificate-served"), !same, "{told}");
        assert!(!told.contains("cannot be read"), "{told}");
    }
    // The same certificate behind another chain is told, and is no problem.
    let alone = place.path("ca/issued/other.corp.test/cert.pem").display().to_string();
    let report = place.done(&format!("verify {alone} --connect localhost:{port} --json"));
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        (&report["in_file"]["same_certificate"], &report["in_file"]["same_chain"]),
        (&true.into(), &false.into())
    );
}

#[test]
fn what_is_damaged_among_what_a_server_sends_is_a_no() {
    let place = site();
    let chain = fs::read_to_string(place.path("ca/issued/localhost/fullchain.pem")).unwrap();
    fs::write(place.path("sent.pem"), chain + &pem::certificate(&[0x30, 3, 2, 1, 1])).unwrap();
    let report = |words: &str| -> (Option<i32>, Value) {
        let output = place.ca(words).output().unwrap();
        (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
    };
    let (status, served) = report("verify --as-served --json sent.pem");
    let problem = &served["problems"][0];
    assert_eq!(
        (status, &problem["code"], &problem["certificate"]),
        (Some(1), &"certificate-malformed".into(), &"sent.pem#3".into())
    );
    // Clients that are given the file as a heap of certificates leave it out.
    let (status, given) = report("verify --json sent.pem");
    assert_eq!((status, given["warnings"].as_array().map(Vec::len)), (Some(0), Some(1)), "{given:#}");
}

/// The index knows a certificate by all of it: one of another CA with the same serial number is another one.
#[test]
fn what_the_index_does_not_have_is_told_as_such() {
    let place = site();
    let known = |words: &str| -> Value {
        let output = place.ca(&format!("verify --json {words}")).output().unwrap();
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["in_index"].clone()
    };
    let port = serve(&place, "localhost", "localhost");
    let connect = format!("--connect localhost:{port} --roots ca/authorities/root/cert.pem");
    assert_eq!(known(&connect)["known"], true);
    let report = place.done("list --json");
    let report: Value = serde_json::from_str(&report).unwrap();
    let entry = report["certificates"].as_array().unwrap().iter().find(|it| it["name"] == "localhost").unwrap();
    let serial = entry["serial"].as_str().unwrap();
    place.done("--dir other init --no-passphrase");
    let unknown = known(&format!("--dir other {connect}"));
    assert_eq!((&unknown["known"], &unknown["superseded_by"]), (&false.into(), &Value::Null));
    let text = place.ca(&format!("verify --dir other {connect}")).output().unwrap();
    let said = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(said.contains("in the index      no such certificate\n"), "{said}");
    let mut forger = place.command("openssl");
    forger
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout k -out forged.pem".split(' '));
    forger.args(["-subj", "/CN=localhost", "-set_serial", &format!("0x{serial}")]);
    assert!(forger.output().unwrap().status.success());
    assert_eq!(known("--as-served forged.pem")["known"], false);
    // Without an index nobody knows.
    fs::remove_file(place.path("other/index.db")).unwrap();
    assert_eq!(known(&format!("--dir other {connect}")), Value::Null);
}

/// In TLS 1.2 a server can break off once it has shown its chain: it is judged all the same, and the end is told.
#[test]
fn a_server_that_breaks_off_is_judged_by_what_it_showed() {
    let place = site();
    let config = config(&place, "localhost", "localhost", &[&rustls::version::TLS12]);
    let port = listen(move |socket| {
        let mut connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        while !connection.wants_write() {
            connection.read_tls(socket).unwrap();
            connection.process_new_packets().unwrap();
        }
        while connection.wants_write() {
            connection.write_tls(socket).unwrap();
        }
        drop(socket.read(&mut [0; 512]));
    });
    let report: Value =
        serde_json::from_str(&place.done(&format!("verify --connect localhost:{port} --json"))).unwrap();
    let connection = &report["connection"];
    assert_eq!((&report["valid"], &connection["broken_off"]["error"]), (&true.into(), &"closed".into()));
    assert_eq!(connection["asks_for_client_certificate"], false);
    let said = place.done(&format!("verify --connect localhost:{port}"));
    assert!(said.contains("the handshake went no further: the server closed the connection"), "{said}");
    assert!(!said.contains("asks clients for a certificate"), "{said}");
}

/// The first host that is asked for is the name that the server is told; a mailbox is none.
#[test]
fn the_server_is_asked_for_the_first_host_that_was_named() {
    let place = site();
    let port = serve(&place, "localhost", "localhost");
    for (words, expected) in [
        ("", "localhost"),
        ("--hostname www.corp.test --ip 10.0.0.1", "www.corp.test"),
        ("--ip 127.0.0.1", "127.0.0.1"),
        ("--email ops@corp.test", "localhost"),
    ] {
        let output = place.ca(&format!("verify --connect localhost:{port} --json {words}")).output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["connection"]["hostname"], expected, "{words}");
    }
}
