//! Wireshark's word on what crossed the wire: tshark opens the recordings with the secrets inside them, and lists the
//! same messages as the trace, from the same side, in the same order and of the same length.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::refusals::received;
use super::{exchange, peers};
use crate::support::hierarchy::Hierarchy;
use crate::support::program::{Place, succeeded};
use crate::support::skip;

/// A message as both tell it: the number of the recording, who sent it, its name, its length, and what tells it apart
/// from others of its name: the random of a hello, the lengths of certificates, the words of an alert.
#[derive(Debug, PartialEq, Eq, Clone)]
struct Told {
    recording: usize,
    from: &'static str,
    name: String,
    bytes: usize,
    encrypted: bool,
    detail: Vec<String>,
}

#[test]
fn tshark_reads_the_same_in_sessions_of_both_versions_and_in_every_refusal() {
    agrees("ecdsa-p256", "--client alice --tls both", |report| {
        let refused = report["refusals"].as_array().unwrap();
        assert!(refused.len() > 40 && refused.iter().all(|refusal| refusal["messages"].is_array()), "{report:#}");
    });
}

#[test]
fn tshark_reads_the_same_in_one_way_tls() {
    agrees("rsa-2048", "--no-client-auth --tls both --alpn h2", |report| {
        assert_eq!(report["sessions"][0]["client"]["subject"], Value::Null);
    });
}

#[test]
fn tshark_reads_the_same_when_another_key_share_is_asked_for() {
    agrees("ed25519", "--client alice --tls 1.3 --hello-retry --no-refusals", |report| {
        assert_eq!(report["sessions"][0]["hello_retry"], true);
    });
}

#[test]
fn tshark_reads_the_same_when_sessions_are_resumed() {
    agrees("ecdsa-p384", "--client alice --tls both --resume --no-refusals", |report| {
        let resumed: Vec<&Value> =
            report["sessions"].as_array().unwrap().iter().map(|session| &session["resumed"]).collect();
        assert_eq!(resumed, [false, true, false, true]);
    });
}

/// The other side is somebody else's: what arrives in pieces is read as one.
#[test]
fn tshark_reads_the_same_in_a_visit_to_the_server_of_openssl() {
    if !skip::unless_installed(&["tshark", "openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let server = exchange::start(&peers::OPENSSL, &hierarchy);
    let words = format!("--connect 127.0.0.1:{} --hostname localhost --client alice", server.port);
    holds(&hierarchy, &words, |report| {
        assert_eq!((&report["passed"], report["sessions"].as_array().map(Vec::len)), (&Value::Bool(true), Some(2)));
    });
}

/// The other way round: clients of others, one that may come in and one that may not.
#[test]
fn tshark_reads_the_same_when_a_client_of_another_is_received() {
    if !skip::unless_installed(&["tshark", "openssl"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    for tls in ["1.3", "1.2"] {
        for (credential, passes) in [(Some(&hierarchy.client), true), (Some(&hierarchy.stranger), false), (None, false)]
        {
            let more = "--trace --pcap talk.pcapng";
            let (_, report) = received(&hierarchy, &peers::OPENSSL, tls, credential, more);
            assert_eq!((&report["passed"], report["sessions"].as_array().map(Vec::len)), (&passes.into(), Some(1)));
            compare(&hierarchy.place, &format!("--listen, TLS {tls}"), &report, told(&report));
            std::fs::remove_file(hierarchy.place.path("talk.pcapng")).unwrap();
        }
    }
}

/// The recording without its secrets is opaque; the key log alone opens it.
#[test]
fn the_key_log_opens_a_recording_that_has_no_secrets_inside() {
    if !skip::unless_installed(&["tshark", "editcap"]) {
        return;
    }
    let hierarchy = Hierarchy::of("ecdsa-p256");
    let place = &hierarchy.place;
    let expected = traced(place, "--server localhost --client alice --tls both --resume --no-refusals").0;
    let mut strip = place.command("editcap");
    succeeded("editcap", &strip.args(["--discard-all-secrets", "talk.pcapng", "bare.pcapng"]).output().unwrap());

    let closed = listed(&pdml(place, "bare.pcapng", &[]));
    assert!(!closed.iter().any(|told| told.name == "Finished"), "opened without secrets: {closed:#?}");
    assert_eq!(listed(&pdml(place, "bare.pcapng", &["-o", "tls.keylog_file:talk.keys"])), expected);
    let mut follow = place.command("tshark");
    follow.args(["-r", "bare.pcapng", "-o", "tls.keylog_file:talk.keys", "-q", "-z", "follow,tls,ascii,1"]);
    let said = succeeded("tshark", &follow.output().unwrap());
    assert!(
        said.contains("this text is encrypted") && said.contains("Only the two of us have the session key"),
        "{said}"
    );
}

/// Holds the trace of one run against what tshark makes of its recording.
fn agrees(algorithm: &str, words: &str, is_what_it_should_be: impl Fn(&Value)) {
    if !skip::unless_installed(&["tshark"]) {
        return;
    }
    let words = format!("--server localhost {words}");
    holds(&Hierarchy::of(algorithm), &words, is_what_it_should_be);
}

fn holds(hierarchy: &Hierarchy, words: &str, is_what_it_should_be: impl Fn(&Value)) {
    let (expected, report) = traced(&hierarchy.place, words);
    is_what_it_should_be(&report);
    compare(&hierarchy.place, words, &report, expected);
}

fn compare(place: &Place, words: &str, report: &Value, expected: Vec<Told>) {
    let mut found = listed(&pdml(place, "talk.pcapng", &[]));
    // What is no TLS, tshark takes for whatever it is: the plain HTTP of two refusals.
    let no_tls: Vec<usize> =
        expected.iter().filter(|told| told.name == "no TLS record").map(|told| told.recording).collect();
    let plain = report["refusals"].to_string().matches("\"case\":\"plain-http").count();
    assert_eq!(no_tls.len(), plain, "{no_tls:?}");
    found.retain(|told| !no_tls.contains(&told.recording));
    let expected: Vec<Told> = expected.into_iter().filter(|told| !no_tls.contains(&told.recording)).collect();
    for (number, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert_eq!(found, expected, "message {number} of {words}");
    }
    assert_eq!(found.len(), expected.len(), "{words}");
}

/// Runs the test, and gives back every message of every recording in the order of the file, and the report.
fn traced(place: &Place, words: &str) -> (Vec<Told>, Value) {
    let words = format!("--dir ca handshake-test {words} --trace --json --pcap talk.pcapng --keylog talk.keys");
    let report: Value = serde_json::from_str(&place.done(&words)).unwrap();
    (told(&report), report)
}

/// Every message of a report.
fn told(report: &Value) -> Vec<Told> {
    let sessions = report["sessions"].as_array().unwrap().iter();
    let recorded = sessions.chain(report["refusals"].as_array().unwrap()).filter_map(|one| one["messages"].as_array());
    let mut told = Vec::new();
    for (recording, messages) in recorded.enumerate() {
        for message in messages {
            told.push(Told {
                recording,
                from: if message["from"] == "client" { "client" } else { "server" },
                name: message["message"].as_str().unwrap().to_owned(),
                bytes: usize::try_from(message["bytes"].as_u64().unwrap()).unwrap(),
                encrypted: message["encrypted"].as_bool().unwrap(),
                detail: detail(&message["fields"]),
            });
        }
    }
    told
}

fn detail(fields: &Value) -> Vec<String> {
    let text = |name: &str| fields[name].as_str().map(str::to_owned);
    let certificates = fields["chain"].as_array().into_iter().flatten().map(|shown| shown["bytes"].to_string());
    text("random").into_iter().chain(text("description")).chain(certificates).collect()
}

fn pdml(place: &Place, file: &str, options: &[&str]) -> String {
    let mut tshark: Command = place.command("tshark");
    tshark.args(["-r", file, "-T", "pdml"]).args(options);
    assert!(Path::new(&place.path(file)).exists());
    succeeded("tshark", &tshark.output().unwrap())
}

/// The TLS messages of a dissection, one element a line as tshark writes it.
fn listed(pdml: &str) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    let (mut from, mut recording, mut record_length, mut tls13) = ("", 0, 0, false);
    // By side; in TLS 1.3 a ChangeCipherSpec changes nothing (RFC 8446 §5).
    let (mut speaks_tls13, mut ciphered) = (false, [false; 2]);
    for line in pdml.lines() {
        let show = || attribute(line, "show");
        let number = || show().parse::<usize>().unwrap_or_else(|_| panic!("no number: {line}"));
        let side = usize::from(from == "server");
        let mut push = |name: String, bytes, encrypted| {
            told.push(Told { recording, from, name, bytes, encrypted, detail: Vec::new() });
        };
        match attribute(line, "name") {
            "tcp.srcport" => from = if number() == 443 { "server" } else { "client" },
            "tcp.stream" => {
                if number() != recording {
                    (speaks_tls13, ciphered) = (false, [false; 2]);
                }
                recording = number();
            }
            "tls.record" => tls13 = false,
            "tls.record.opaque_type" => tls13 = true,
            "tls.record.length" => record_length = number(),
            "tls.handshake" => {
                let name = attribute(line, "showname").trim_start_matches("Handshake Protocol: ").replace(' ', "");
                // What it cannot open has no length of its own.
                let (name, bytes) = match name.as_str() {
                    "EncryptedHandshakeMessage" => ("unreadable record".to_owned(), record_length),
                    _ => (name, 4),
                };
                push(name, bytes, tls13 || ciphered[side]);
            }
            "tls.handshake.length" => told.last_mut().unwrap().bytes = number() + 4,
            "tls.change_cipher_spec" => {
                push("ChangeCipherSpec".to_owned(), record_length, false);
                ciphered[side] = !speaks_tls13;
            }
            "tls.alert_message" => push("Alert".to_owned(), 2, tls13 || ciphered[side]),
            "tls.alert_message.desc" => {
                let words = attribute(line, "showname").trim_start_matches("Description: ");
                let words = words.split(" (").next().unwrap().to_lowercase().replace(' ', "_");
                told.last_mut().unwrap().detail.push(words);
            }
            // The tag, and a content type in TLS 1.3 (RFC 8446 §5.2) or a nonce in TLS 1.2 (RFC 5288 §3).
            "tls.app_data" => push("ApplicationData".to_owned(), record_length - if tls13 { 17 } else { 24 }, true),
            "tls.handshake.random" => {
                let random = show().replace(':', "");
                // A hello retry request has a random that says nothing but that (RFC 8446 §4.1.3).
                told.last_mut().filter(|last| last.name != "HelloRetryRequest").into_iter().for_each(|last| {
                    last.detail.push(random.clone());
                });
            }
            "tls.handshake.extensions.supported_version" if from == "server" => speaks_tls13 = show() == "0x0304",
            "tls.handshake.certificate_length" => told.last_mut().unwrap().detail.push(number().to_string()),
            _ => {}
        }
    }
    told
}

/// The value of an attribute; nothing where there is none.
fn attribute<'a>(line: &'a str, name: &str) -> &'a str {
    let begin = format!(" {name}=\"");
    line.split_once(&begin).and_then(|(_, rest)| rest.split_once('"')).map_or("", |(value, _)| value)
}
