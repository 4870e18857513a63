//! What strangers hand to `ca verify` and `ca lint`: a clear error or a clear no, within 2 s and 256 MB, and never a crash or
//! a hang. How it is said is in `tests/cli/verify/bad-input.md`.
//!
//! The kernel holds each run to its bounds, and ends one that goes beyond. What is bounded is the time for which a core was busy,
//! with all threads together: that is the same on a busy machine, and no less than what a clock shows on an idle one.

use std::fs;
use std::process::Output;

use ca::x509::{certificate_file, der, pem};

use crate::support::program::{Place, binary};

/// 256 MB of address space: what is resident can only be less.
const KILOBYTES: u32 = 256 * 1024;
/// The promise, in seconds of a core.
const SECONDS: u32 = 2;
/// How much slower the program is as `cargo test` builds it, without optimisation: four times, measured, and some air. `tests/run`
/// asks the program as it is shipped (`CA_BINARY`), which has to keep the promise itself.
const UNOPTIMISED: u32 = 5;
/// A run that waits instead of working ends here, and fails.
const WAITING: u32 = 60;

/// Exit statuses as FILE, --untrusted, --roots and --crl of `ca verify`, and of `ca lint`.
type Expected = [i32; 5];

struct Site {
    place: Place,
    leaf: Vec<u8>,
    issuing: Vec<u8>,
}

#[test]
fn whatever_a_file_holds_there_is_an_answer() {
    let site = Site::new();
    let (leaf, key) = (&site.leaf, fs::read(site.place.path("ca/issued/web.corp.test/key.pem")).unwrap());
    let leaf_pem = pem::certificate(leaf);
    let lengthened = |front: &[u8]| [front, &leaf[4..]].concat();
    let cases: Vec<(&str, Vec<u8>, Expected)> = vec![
        ("empty", Vec::new(), [2, 0, 2, 2, 2]),
        ("blank lines", b"\n\n \n".to_vec(), [2, 0, 2, 2, 2]),
        (
            "binary garbage",
            (0..=255).cycle().take(5000).map(|octet: u8| octet.wrapping_mul(97)).collect(),
            [2, 0, 2, 2, 2],
        ),
        ("text", b"certificate: see above\n".repeat(100), [2, 0, 2, 2, 2]),
        ("der", leaf.clone(), [0, 0, 1, 2, 0]),
        ("der with an byte behind it", [leaf, &[0][..]].concat(), [2, 0, 2, 2, 2]),
        ("der twice", [leaf.clone(), leaf.clone()].concat(), [2, 0, 2, 2, 2]),
        ("der cut off", leaf[..leaf.len() / 2].to_vec(), [2, 0, 2, 2, 2]),
        // X.690 §8.1.3: BER that is no DER: a length that is longer than it has to be, and one that is not said at all.
        ("a length in too many bytes", lengthened(&[0x30, 0x83, 0, leaf[2], leaf[3]]), [1, 0, 2, 2, 2]),
        ("no length", [&lengthened(&[0x30, 0x80])[..], &[0, 0]].concat(), [2, 0, 2, 2, 2]),
        (
            "no length, in pem",
            pem::certificate(&[&lengthened(&[0x30, 0x80])[..], &[0, 0]].concat()).into(),
            [1, 0, 2, 2, 2],
        ),
        ("a length of four gigabytes", vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30], [2, 0, 2, 2, 2]),
        ("pem between garbage", format!("\u{0}\u{1}<html>\n{leaf_pem}\n%%EOF\n").into(), [0, 0, 1, 2, 0]),
        ("pem of windows", leaf_pem.replace('\n', "\r\n").into(), [0, 0, 1, 2, 0]),
        ("pem with an byte behind the der", pem::certificate(&[leaf, &[0][..]].concat()).into(), [1, 0, 2, 2, 2]),
        ("pem cut off", leaf_pem[..leaf_pem.len() / 2].into(), [2, 2, 2, 2, 2]),
        ("pem of nothing", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".into(), [1, 0, 2, 2, 2]),
        ("a key", key.clone(), [2, 0, 2, 2, 2]),
        ("two keys", key.repeat(2), [2, 0, 2, 2, 2]),
        ("a deep nest", nest(30_000), [1, 0, 2, 2, 2]),
        ("a deep nest in pem", pem::certificate(&nest(30_000)).into(), [1, 0, 2, 2, 2]),
    ];
    let mut wrong = Vec::new();
    for (what, content, expected) in cases {
        fs::write(site.place.path("input"), content).unwrap();
        wrong.extend(site.check(what, expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_file_is_refused_at_once() {
    let site = Site::new();
    fs::create_dir(site.place.path("input")).unwrap();
    let mut wrong = site.check("an empty folder", [2; 5]);
    fs::remove_dir(site.place.path("input")).unwrap();
    assert!(site.place.command("mkfifo").arg("input").status().unwrap().success());
    wrong.extend(site.check("a pipe that nobody writes to", [2; 5]));
    fs::remove_file(site.place.path("input")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", site.place.path("input")).unwrap();
    wrong.extend(site.check("a device without an end", [2; 5]));
    fs::remove_file(site.place.path("input")).unwrap();
    wrong.extend(site.check("nothing at all", [2; 5]));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn fifty_megabytes_are_refused_and_sixteen_are_judged_in_little_memory() {
    let site = Site::new();
    let leaf = pem::certificate(&site.leaf);
    let mut wrong = Vec::new();
    let lines =
        |octets: usize| b"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\n".repeat(octets / 64);
    for (what, content) in [
        ("50 MB of zeros", vec![0; 50_000_000]),
        ("50 MB of text behind a certificate", [leaf.as_bytes(), &lines(50_000_000)].concat()),
        ("50 MB of certificates", leaf.repeat(50_000_000 / leaf.len()).into()),
    ] {
        fs::write(site.place.path("input"), content).unwrap();
        wrong.extend(site.check(what, [2; 5]));
    }
    let most = 16 * 1024 * 1024;
    let certificates = |of: &[u8]| {
        let one = pem::certificate(of);
        one.repeat(most / one.len()).into_bytes()
    };
    for (what, content, expected) in [
        ("16 MiB of one block", pem::certificate(&vec![0x30; 12_000_000]).into(), [1, 0, 2, 2, 2]),
        ("16 MiB of text behind a certificate", [leaf.as_bytes(), &lines(most - 2000)].concat(), [0, 0, 1, 2, 0]),
        ("16 MiB of certificates", certificates(&site.leaf), [0, 0, 1, 2, 2]),
        ("16 MiB of certificates as small as can be", certificates(&smallest()), [1, 0, 1, 2, 2]),
        ("as many as are looked at one by one", pem::certificate(&smallest()).repeat(10_000).into(), [1, 0, 1, 2, 1]),
        ("16 MiB of blocks that are no certificates", certificates(&[0x30, 3, 2, 1, 1]), [1, 0, 2, 2, 2]),
        (
            "16 MiB of them behind one that is",
            [leaf.as_bytes(), &certificates(&[0x30, 3, 2, 1, 1])[2000..]].concat(),
            [0, 0, 1, 2, 2],
        ),
        ("a list of 16 MiB", list(most - 200), [2, 0, 2, 1, 1]),
    ] {
        assert!(content.len() <= most, "{what}: {}", content.len());
        fs::write(site.place.path("input"), content).unwrap();
        wrong.extend(site.check(what, expected));
        wrong.extend(site.check_json(what, expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The name of a file, and any other argument, is text from outside, like what is in the file.
#[test]
fn no_name_of_a_file_controls_the_terminal() {
    let site = Site::new();
    let name = "x\u{1b}]0;y\u{7}\u{1b}[31m.pem";
    for (content, words) in [
        (Some("junk"), &["inspect", name][..]),
        (Some("junk"), &["verify", name]),
        (Some("junk"), &["lint", name]),
        (Some("junk"), &["sign", name]),
        (Some("junk"), &["revoke", name]),
        (Some("[\n"), &["init", "--config", name, "--dir", "new"]),
        (Some("junk"), &["issue", "server", "new.test", "--out", name]),
        (Some("junk"), &["issue", "server", "new.test", "--passphrase-file", name]),
        (None, &["inspect", name]),
        (None, &["verify", "--roots", name, "ca/issued/web.corp.test/cert.pem"]),
        (None, &["verify", "--crl", name, "ca/issued/web.corp.test/cert.pem"]),
        (None, &["--dir", name, "list"]),
        (None, &["show", name]),
        (None, &["issue", name, "new.test"]),
        (None, &["issue", "server", name]),
        (None, &["crl", "--out", name, "--authority", name]),
        (None, &[name]),
        (None, &["list", name]),
        (None, &["list", "--status", name]),
        (None, &["quickstart", name]),
        (None, &["man", name]),
    ] {
        drop(fs::remove_dir_all(site.place.path(name)));
        drop(fs::remove_file(site.place.path(name)));
        if let Some(content) = content {
            fs::write(site.place.path(name), content).unwrap();
        }
        for json in [&[][..], &["--json"]] {
            let output = site.place.command(binary()).args(words).args(json).output().unwrap();
            assert!(!output.stdout.contains(&0x1b) && !output.stderr.contains(&0x1b), "{words:?}: {output:?}");
        }
    }
}

/// However many long files are given in one call, they cost no more than one.
#[test]
fn long_files_are_bounded_together_and_short_ones_are_not() {
    let site = Site::new();
    let most = 16 * 1024 * 1024;
    let (root, chain) = ("ca/authorities/root/cert.pem", "ca/issued/web.corp.test/fullchain.pem");
    let smallest = pem::certificate(&smallest());
    let of = |octets: usize| smallest.repeat(octets / smallest.len());
    let write = |name: &str, content: &[u8]| fs::write(site.place.path(name), content).unwrap();
    write("whole", of(most).as_bytes());
    write("half", of(most / 2).as_bytes());
    write("list", &list(most - 20_000));
    write("served", smallest.repeat(9_900).as_bytes());
    write("short", of(60 * 1024).as_bytes());
    let all = |flag: &str, file: &str| format!(" {flag}{file}").repeat(6);
    let refused = [
        format!("verify --roots {root}{} {chain}", all("--untrusted ", "whole")),
        format!("verify --roots {root}{} {chain}", all("--roots ", "whole")),
        format!("verify --roots {root}{} {chain}", all("--crl ", "list")),
        format!("verify --roots {root} --untrusted whole --crl list {chain}"),
        format!("verify --roots {root} --untrusted half --untrusted half half"),
        format!("verify --roots {root} --untrusted whole half"),
        format!("verify --roots {root}{}", all("", "whole")),
        format!("verify --roots {root}{}", all("", "half")),
        format!("verify --roots {root} --as-served{0}{0}", all("", "served")),
    ];
    for words in refused {
        let output = site.run(&words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && said.contains("longer than 17 MiB together"), "{words}: {output:?}");
    }
    for (words, expected) in [
        (format!("verify --roots {root} half half"), 1),
        (format!("verify --roots {root} --untrusted half {chain}"), 0),
        (format!("verify --roots {root} --untrusted half half"), 1),
        // More than 16 MiB of files that are as long as a chain may be.
        (format!("verify --roots {root} --quiet{}", " short".repeat(300)), 1),
    ] {
        let output = site.run(&words);
        assert_eq!(output.status.code(), Some(expected), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// Twenty CAs that certify each other, 200 certificates, and an anchor that only bears the name of one of them.
#[test]
fn two_hundred_cross_signed_intermediates_are_answered_within_a_second() {
    let site = Site::new();
    let params = |index: usize| {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, format!("CA {index}"));
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        params.use_authority_key_identifier_extension = true;
        params
    };
    let key = || rcgen::KeyPair::generate().unwrap();
    let cas: Vec<_> = (0..20).map(|index| rcgen::Issuer::new(params(index), key())).collect();
    let mut crowd = String::new();
    for (distance, index) in (1..=10).flat_map(|distance| (0..20).map(move |index| (distance, index))) {
        let subject = (index + distance) % 20;
        crowd += &params(subject).signed_by(cas[subject].key(), &cas[index]).unwrap().pem();
    }
    assert_eq!(crowd.matches("BEGIN").count(), 200);
    let mut leaf = rcgen::CertificateParams::new(["web.corp.test".to_owned()]).unwrap();
    leaf.use_authority_key_identifier_extension = true;
    leaf.is_ca = rcgen::IsCa::ExplicitNoCa;
    for (name, text) in [
        ("crowd", crowd),
        ("leaf", leaf.signed_by(&key(), &cas[0]).unwrap().pem()),
        ("anchor", params(10).self_signed(cas[10].key()).unwrap().pem()),
        ("stranger", params(10).self_signed(&key()).unwrap().pem()),
    ] {
        fs::write(site.place.path(name), text).unwrap();
    }
    let found = site.run_within(1, "verify --roots anchor --untrusted crowd leaf");
    assert_eq!(found.status.code(), Some(0), "{found:?}");
    let lost = site.run_within(1, "verify --json --roots stranger --untrusted crowd leaf");
    assert_eq!(lost.status.code(), Some(1), "{lost:?}");
    assert!(String::from_utf8_lossy(&lost.stdout).contains("\"too-complex\""), "{lost:?}");
}

#[test]
fn a_thousand_certificates_in_untrusted_do_not_hide_the_right_one() {
    let site = Site::new();
    // Other serial numbers, so that all of them differ; none is signed any more.
    let altered = |of: &[u8]| -> String {
        let at = of.windows(2).position(|window| window == [0x02, 0x10]).unwrap() + 4;
        let with = |index: u16| {
            let mut der = of.to_vec();
            der[at..at + 2].copy_from_slice(&index.to_be_bytes());
            pem::certificate(&der)
        };
        (0..1000).map(with).collect()
    };
    let run = |content: String| {
        fs::write(site.place.path("input"), content).unwrap();
        site.run("verify --roots ca/authorities/root/cert.pem --untrusted input ca/issued/web.corp.test/cert.pem")
    };
    assert_eq!(run(altered(&site.leaf)).status.code(), Some(1));
    let found = run(altered(&site.leaf) + &pem::certificate(&site.issuing));
    assert_eq!(found.status.code(), Some(0), "{found:?}");
    // A thousand of the issuer's name and key are more than are tried.
    let crowd = run(altered(&site.issuing));
    assert!(matches!(crowd.status.code(), Some(1)), "{crowd:?}");
}

impl Site {
    fn new() -> Self {
        let place = Place::new();
        place.done("init --name Corp-Root --intermediate --no-passphrase --key ecdsa-p256");
        place.done("issue server web.corp.test");
        let of = |path: &str| {
            let text = fs::read(place.path(path)).unwrap();
            certificate_file::ders(text).unwrap().ders.remove(0)
        };
        let (leaf, issuing) = (of("ca/issued/web.corp.test/cert.pem"), of("ca/authorities/issuing/cert.pem"));
        Self { leaf, issuing, place }
    }

    /// The program within its limits.
    fn run(&self, words: &str) -> Output {
        self.run_within(SECONDS, words)
    }

    /// The program within so many seconds of a core, and within the other limits.
    fn run_within(&self, seconds: u32, words: &str) -> Output {
        let seconds = if std::env::var_os("CA_BINARY").is_some() { seconds } else { seconds * UNOPTIMISED };
        let limits = format!("ulimit -v {KILOBYTES}; ulimit -t {seconds}; exec timeout -k 1 {WAITING} \"$@\"");
        let mut command = self.place.command("bash");
        command.arg("-c").arg(limits).arg("bash");
        command.arg(binary()).args(words.split(' ')).output().unwrap()
    }

    /// Gives the file `input` in every place; what came out otherwise than it should.
    fn check(&self, what: &str, expected: Expected) -> Vec<String> {
        let mut wrong = Vec::new();
        for (words, expected) in Self::calls().iter().zip(expected) {
            let output = self.run(words);
            let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            let is_clear = match output.status.code() {
                Some(2) => stderr.starts_with("error: ") || stderr.contains("\nerror: "),
                Some(1) => stdout.contains("not valid") || stdout.contains("breaks rules"),
                _ => true,
            };
            if output.status.code() != Some(expected) || !is_clear || stderr.contains("panicked") {
                let said: String = stdout.chars().take(300).chain(stderr.chars().take(300)).collect();
                wrong.push(format!("{what}: {words}: {}, expected {expected}: {said}", output.status));
            }
        }
        wrong
    }

    /// As [`check`](Self::check), with the answers in JSON, which are longer; and as a server would send the file.
    fn check_json(&self, what: &str, expected: Expected) -> Vec<String> {
        let mut wrong = Vec::new();
        let roots = "--roots ca/authorities/root/cert.pem";
        let as_served = (format!("verify {roots} --as-served input"), None);
        let calls = Self::calls().into_iter().zip(expected.map(Some)).chain([as_served]);
        for (words, expected) in calls {
            let output = self.run(&format!("{words} --json"));
            let is_right = match output.status.code() {
                Some(2) => String::from_utf8_lossy(&output.stderr).contains("\"schema\": \"ca.error/1\""),
                Some(0 | 1) => serde_json::from_slice::<serde_json::Value>(&output.stdout).is_ok(),
                _ => false,
            };
            if !is_right || expected.is_some_and(|expected| output.status.code() != Some(expected)) {
                let said: String = String::from_utf8_lossy(&output.stderr).chars().take(300).collect();
                wrong.push(format!("{what}: {words} --json: {}, expected {expected:?}: {said}", output.status));
            }
        }
        wrong
    }

    fn calls() -> [String; 5] {
        let chain = "ca/issued/web.corp.test/fullchain.pem";
        let roots = "--roots ca/authorities/root/cert.pem";
        let issuing = "--untrusted ca/authorities/issuing/cert.pem";
        [
            format!("verify {roots} {issuing} input"),
            format!("verify {roots} --untrusted input {chain}"),
            format!("verify --roots input {chain}"),
            format!("verify {roots} --crl input {chain}"),
            "lint input".to_owned(),
        ]
    }
}

/// A SEQUENCE in a SEQUENCE in a SEQUENCE …
fn nest(depth: usize) -> Vec<u8> {
    let mut lengths = Vec::new();
    let mut length = 0;
    for _ in 0..depth {
        let front = der::value(der::SEQUENCE, &vec![0; length]).len() - length;
        lengths.push(length);
        length += front;
        if length > 120_000 {
            break;
        }
    }
    let head = |length: &usize| {
        let mut value = der::value(der::SEQUENCE, &vec![0; *length]);
        value.truncate(value.len() - length);
        value
    };
    lengths.iter().rev().flat_map(head).collect()
}

fn ed25519() -> Vec<u8> {
    der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70])])
}

/// A certificate of version 1 without names, signed by nobody.
fn smallest() -> Vec<u8> {
    let time = der::value(0x17, b"260101000000Z");
    let (validity, name) = (der::sequence(&[&time, &time]), der::sequence(&[]));
    let key = der::sequence(&[&ed25519(), &der::bit_string(&[7; 32])]);
    let tbs = der::sequence(&[&der::value(der::INTEGER, &[1]), &ed25519(), &name, &validity, &name, &key]);
    der::sequence(&[&tbs, &ed25519(), &der::bit_string(&[7; 64])])
}

/// A revocation list of so many octets, signed by nobody, with as many entries as fit.
fn list(octets: usize) -> Vec<u8> {
    let time = der::value(0x17, b"260101000000Z");
    let entry = der::sequence(&[&der::value(der::INTEGER, &[1, 2, 3]), &time]);
    let entries = der::sequence(&[&entry.repeat((octets - 200) / entry.len())]);
    let name = der::sequence(&[]);
    let tbs = der::sequence(&[&der::value(der::INTEGER, &[1]), &ed25519(), &name, &time, &time, &entries]);
    der::sequence(&[&tbs, &ed25519(), &der::bit_string(&[7; 64])])
}
