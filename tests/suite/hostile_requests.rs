//! Requests that nobody should send, each signed with its own key: every one is refused with a code and leaves nothing, or
//! what was bad in it is dropped and told of.

use ca::keys::{PrivateKey, Signer};
use ca::x509::{KeyAlgorithm, PublicKey, der, pem};
use serde_json::Value;

use crate::safety::INIT;
use crate::support::program::Place;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const EXTENSION_REQUEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14];

/// What may happen to a request.
enum Wanted {
    /// Exit status 2 or 3, with this code.
    Refused(&'static str),
    /// A certificate that has nothing of what this text names.
    Without(&'static str),
}
use Wanted::{Refused, Without};

fn attribute(oid: &[u8], tag: u8, value: &[u8]) -> Vec<u8> {
    der::constructed(der::SET, &[&der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, oid), &der::value(tag, value)])])
}

fn subject(common_name: &str) -> Vec<u8> {
    der::sequence(&[&attribute(COMMON_NAME, der::UTF8_STRING, common_name.as_bytes())])
}

/// `2.5.29.ARC`.
fn extension(arc: u8, critical: bool, value: &[u8]) -> Vec<u8> {
    let critical: &[u8] = if critical { &[1, 1, 0xff] } else { &[] };
    let oid = der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, arc]);
    der::sequence(&[&oid, critical, &der::value(der::OCTET_STRING, value)])
}

fn names(names: &[Vec<u8>]) -> Vec<u8> {
    extension(17, false, &der::value(der::SEQUENCE, &names.concat()))
}

fn dns(name: &str) -> Vec<u8> {
    der::value(der::context(2), name.as_bytes())
}

fn request_of(extensions: &[Vec<u8>]) -> Vec<u8> {
    let list = der::value(der::SEQUENCE, &extensions.concat());
    der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, EXTENSION_REQUEST), &der::value(der::SET, &list)])
}

/// A request before it is signed, sound unless something is changed.
struct Draft {
    version: Vec<u8>,
    subject: Vec<u8>,
    key: Option<PublicKey>,
    attributes: Vec<u8>,
}

impl Draft {
    fn new() -> Self {
        Self {
            version: vec![2, 1, 0],
            subject: subject("web.example"),
            key: None,
            attributes: request_of(&[names(&[dns("web.example")])]),
        }
    }

    fn called(common_name: &str) -> Self {
        Self { subject: subject(common_name), ..Self::new() }
    }

    fn extensions(extensions: &[Vec<u8>]) -> Self {
        Self { attributes: request_of(extensions), ..Self::new() }
    }

    fn names(of: &[Vec<u8>]) -> Self {
        Self::extensions(&[names(of)])
    }

    fn sign(&self, signer: &PrivateKey) -> Vec<u8> {
        let key = self.key.as_ref().unwrap_or(signer.public_key());
        let attributes = der::value(der::context_constructed(0), &self.attributes);
        let info = der::sequence(&[&self.version, &self.subject, key.spki(), &attributes]);
        let signature = signer.sign(&info).unwrap();
        der::sequence(&[&info, &signer.signature_algorithm().der, &der::bit_string(&signature)])
    }
}

fn corpus(signer: &PrivateKey) -> Vec<(String, Vec<u8>, Wanted)> {
    let long = "x".repeat(65);
    let very_long = "x".repeat(300);
    let other = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let sound = Draft::new().sign(signer);
    let mut corpus: Vec<(String, Vec<u8>, Wanted)> = Vec::new();
    let mut add = |what: &str, der: Vec<u8>, wanted: Wanted| corpus.push((what.to_owned(), der, wanted));

    // With a part of it as openssl would show it.
    for (what, name, shown) in [
        ("NUL", "web.example\0.evil.example", "evil"),
        ("newline", "web\nexample", "web\\0Aexample"),
        ("terminal escape", "\u{1b}[31mweb", "31m"),
        ("delete", "web\u{7f}", "web\\7F"),
        ("C1 control", "web\u{9b}31m", "31m"),
        ("direction mark", "web\u{202e}elpmaxe", "elpmaxe"),
        ("zero width", "we\u{200b}b.example", "\\8Bb.example"),
        ("65 characters", long.as_str(), "xxxxx"),
        ("300 characters", very_long.as_str(), "xxxxx"),
    ] {
        // The template takes neither: the common name is the first DNS name.
        add(&format!("common name with {what}"), Draft::called(name).sign(signer), Without(shown));
        let mut beside = Draft::new();
        let organization = attribute(&[0x55, 4, 10], der::UTF8_STRING, name.as_bytes());
        beside.subject = der::sequence(&[&organization, &attribute(COMMON_NAME, der::UTF8_STRING, b"web.example")]);
        add(&format!("organization with {what}"), beside.sign(signer), Without(shown));
    }
    for name in [
        "",
        ".",
        "*",
        "..",
        "a..example",
        ".example",
        "a.example.",
        "*.example",
        "a.*.example",
        "w*.a.example",
        "*.*.a.example",
        "-a.example",
        "a-.example",
        "a b.example",
        "a\0.example",
        "a\n.example",
        "a/b.example",
        "../../escape.example",
        "a.example,DNS:evil.example",
        "${ENV::HOME}",
        "xn--example-.org",
        "1.2.3.4",
        "a.example:443",
        "https://a.example",
        "\u{1b}[2J",
        "a.example#",
        "a%00.example",
        "a\\b.example",
        "[::1]",
    ] {
        add(
            &format!("host name {name:?}"),
            Draft::names(&[dns("web.example"), dns(name)]).sign(signer),
            Refused("request-name"),
        );
    }
    add(
        "host name of 64 x",
        Draft::names(&[dns(&format!("{}.example", "x".repeat(64)))]).sign(signer),
        Refused("request-name"),
    );
    add("host name of 300", Draft::names(&[dns(&"abcdefg.".repeat(38))]).sign(signer), Refused("request-name"));
    add("host name in UTF-8", Draft::names(&[dns("münchen.example")]).sign(signer), Refused("request-name"));
    for address in [&[][..], &[10, 0, 0], &[10, 0, 0, 1, 255, 0, 0, 0], &[0; 17]] {
        let name = der::value(der::context(7), address);
        add(
            &format!("address of {} bytes", address.len()),
            Draft::names(&[name]).sign(signer),
            Refused("request-damaged"),
        );
    }
    for (what, name) in [
        ("an e-mail address", der::value(der::context(1), b"evil@corp.example")),
        ("a URI", der::value(der::context(6), b"https://evil.example/")),
        ("a directory name", der::value(der::context_constructed(4), &subject("evil"))),
        ("a registered id", der::value(der::context(8), &[0x2a, 3, 4])),
    ] {
        let of = [dns("web.example"), name];
        add(&format!("beside the host {what}"), Draft::names(&of).sign(signer), Without("evil"));
    }
    for (what, name) in
        [("e-mail", der::value(der::context(1), b"a\0@b.example")), ("URI", der::value(der::context(6), b"x:\n"))]
    {
        add(
            &format!("{what} with a control"),
            Draft::names(&[dns("web.example"), name]).sign(signer),
            Refused("request-name"),
        );
    }
    add("no names in the list", Draft::names(&[]).sign(signer), Refused("request-name"));
    let many: Vec<_> = (0..101).map(|number| dns(&format!("n{number}.example"))).collect();
    add("101 names", Draft::names(&many).sign(signer), Refused("too-many-names"));
    let very_many: Vec<_> = (0..10_000).map(|number| dns(&format!("n{number}.example"))).collect();
    add("10,000 names", Draft::names(&very_many).sign(signer), Refused("request-too-large"));

    let web = || names(&[dns("web.example")]);
    let powers: [(&str, Vec<u8>, &'static str); 6] = [
        ("CA:TRUE", extension(19, true, &[0x30, 3, 1, 1, 0xff]), "CA:TRUE"),
        ("keyCertSign", extension(15, true, &[3, 2, 2, 4]), "Certificate Sign"),
        ("codeSigning", extension(37, false, b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03"), "Code Signing"),
        ("name constraints", extension(30, true, &[0x30, 0]), "Name Constraints"),
        ("policies", extension(32, false, b"\x30\x08\x30\x06\x06\x04\x55\x1d\x20\x00"), "Policy"),
        ("unknown critical", extension(99, true, b"evil"), "evil"),
    ];
    for (what, power, never) in powers {
        add(&format!("asks for {what}"), Draft::extensions(&[web(), power]).sign(signer), Without(never));
    }
    for (what, extensions) in [
        ("names twice", vec![web(), web()]),
        ("key usage twice", vec![web(), extension(15, true, &[3, 2, 7, 0x80]), extension(15, true, &[3, 2, 2, 4])]),
        ("key usage that is none", vec![web(), extension(15, true, &[4, 1, 1])]),
        (
            "names and more",
            vec![extension(17, false, &[der::value(der::SEQUENCE, &dns("web.example")), vec![5, 0]].concat())],
        ),
        ("names that are none", vec![extension(17, false, &[5, 0])]),
    ] {
        add(what, Draft::extensions(&extensions).sign(signer), Refused("request-damaged"));
    }
    let twice = [request_of(&[web()]), request_of(&[names(&[dns("evil.example")])])].concat();
    add("two extension requests", Draft { attributes: twice, ..Draft::new() }.sign(signer), Refused("request-damaged"));
    let list = |name: &str| der::value(der::SEQUENCE, &names(&[dns(name)]));
    let values = der::value(der::SET, &[list("web.example"), list("evil.example")].concat());
    let two_values = der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, EXTENSION_REQUEST), &values]);
    add("two values", Draft { attributes: two_values, ..Draft::new() }.sign(signer), Refused("request-damaged"));
    let bulk = |size: usize| {
        let value = der::value(der::SET, &der::value(der::OCTET_STRING, &vec![7; size]));
        [request_of(&[web()]), der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x2a, 3, 4]), &value])].concat()
    };
    add(
        "an attribute of 8 MiB",
        Draft { attributes: bulk(8 << 20), ..Draft::new() }.sign(signer),
        Refused("request-too-large"),
    );
    let nested =
        (0..20_000).fold(
            Vec::new(),
            |inner: Vec<u8>, _| if inner.len() < 60_000 { der::value(der::SEQUENCE, &inner) } else { inner },
        );
    add("nested sequences", Draft::extensions(&[web(), extension(99, false, &nested)]).sign(signer), Without("99"));

    for version in [1, 2, 3] {
        add(
            &format!("version {version}"),
            Draft { version: vec![2, 1, version], ..Draft::new() }.sign(signer),
            Refused("request-version"),
        );
    }
    add(
        "another's key",
        Draft { key: Some(other.public_key().clone()), ..Draft::new() }.sign(signer),
        Refused("not-proven"),
    );
    let mut forged = sound.clone();
    let last = forged.len() - 1;
    forged[last] ^= 1;
    add("a changed signature", forged, Refused("not-proven"));
    add("bytes behind", [&sound[..], &[0]].concat(), Refused("undecodable"));
    add("two in one", [&sound[..], &sound].concat(), Refused("undecodable"));
    add("cut off", sound[..sound.len() - 1].to_vec(), Refused("undecodable"));
    add("nothing", Vec::new(), Refused("empty-input"));
    add("noise", b"noise".to_vec(), Refused("undecodable"));
    let text = pem::encode("CERTIFICATE REQUEST", &sound);
    add("two as PEM", format!("{text}{text}").into_bytes(), Refused("several-requests"));
    add("text behind PEM", format!("{text}evil").into_bytes(), Refused("not-a-request"));
    add("PEM under another label", pem::encode("CERTIFICATE", &sound).into_bytes(), Refused("not-a-request"));
    add(
        "bytes behind, in PEM",
        pem::encode("CERTIFICATE REQUEST", &[&sound[..], &[0]].concat()).into_bytes(),
        Refused("undecodable"),
    );
    add("half a PEM", text.as_bytes()[..text.len() / 2].to_vec(), Refused("bad-pem"));
    corpus
}

#[test]
fn no_hostile_request_is_mishandled() {
    let place = Place::new();
    place.done(INIT);
    let signer = PrivateKey::generate(KeyAlgorithm::EcdsaP256).unwrap();
    let corpus = corpus(&signer);
    assert!(corpus.len() > 90, "{}", corpus.len());
    let mut mishandled = Vec::new();
    for (number, (what, content, wanted)) in corpus.into_iter().enumerate() {
        std::fs::write(place.path("csr"), &content).unwrap();
        let output =
            place.ca(&format!("--dir ca sign csr --name n{number} --out out-{number} --json")).output().unwrap();
        let out = place.path(format!("out-{number}"));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        let problem = match (&wanted, output.status.code()) {
            (Refused(code), Some(2 | 3)) => {
                let error: Value = serde_json::from_str(&told).unwrap_or_default();
                let found = error["error"]["code"].as_str().unwrap_or_default().to_owned();
                let message = error["error"]["message"].as_str().unwrap_or_default().to_owned();
                if found != *code {
                    Some(format!("refused as {found}, not {code}: {message}"))
                } else if message.chars().any(char::is_control) || message.contains('\u{202e}') {
                    Some(format!("its message steers the terminal: {message:?}"))
                } else {
                    out.exists().then(|| "refused, but something was written".to_owned())
                }
            }
            (Without(never), Some(0)) => {
                let mut text = place.command("openssl");
                let text = text.args(["x509", "-noout", "-text", "-in"]).arg(out.join("cert.pem")).output().unwrap();
                let text = String::from_utf8_lossy(&text.stdout).into_owned();
                let report: Value = serde_json::from_slice(&output.stdout).unwrap();
                let is_told = ["changed", "dropped"]
                    .iter()
                    .any(|fate| report[*fate].as_array().is_some_and(|list| !list.is_empty()));
                if text.contains(never) && *never != "99" {
                    Some(format!("the certificate has {never}"))
                } else {
                    (!is_told).then(|| "dropped without a word".to_owned())
                }
            }
            (_, status) => Some(format!("ended with {status:?}: {told}")),
        };
        mishandled.extend(problem.map(|problem| format!("{what}: {problem}")));
    }
    assert!(mishandled.is_empty(), "{} mishandled:\n{}", mishandled.len(), mishandled.join("\n"));
}
