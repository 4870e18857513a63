//! Does docs/reference/limits.md say what the source says, and does a list of a hundred thousand elements, wherever a file can
//! have one, cost time and memory in proportion to its length?

use std::fs;
use std::os::unix::process::ExitStatusExt;

use ca::x509::der;

use crate::support::program::{Place, binary};
use crate::support::repository;

/// A row: what, limit, `file` `NAME`.
#[test]
fn the_page_of_limits_says_what_the_source_says() {
    let page = fs::read_to_string(repository().join("docs/reference/limits.md")).unwrap();
    let mut rows = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && line.contains("`src/")) {
        let [limit, place] = row.split('|').map(str::trim).skip(2).take(2).collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        let [file, name] = place.split('`').skip(1).step_by(2).collect::<Vec<_>>()[..] else { panic!("{row}") };
        let source = fs::read_to_string(repository().join(file)).unwrap();
        let declared = source.split_once(&format!("const {name}: ")).unwrap_or_else(|| panic!("{file} has no {name}"));
        let value = declared.1.split_once(" = ").unwrap().1.split_once(';').unwrap().0;
        assert_eq!(number(limit), evaluated(value), "{row}");
        rows += 1;
    }
    assert!(rows > 20, "{rows} rows");
}

/// `16 MiB`, `20,000`, `10 s`.
fn number(limit: &str) -> u64 {
    let (digits, unit) = limit.split_once(' ').unwrap_or((limit, ""));
    let unit = match unit {
        "" | "s" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        other => panic!("{other}"),
    };
    digits.replace(',', "").parse::<u64>().unwrap() * unit
}

/// `16 * 1024`, `1 << 30`, `20_000`, `Duration::from_secs(10)`.
fn evaluated(value: &str) -> u64 {
    let value = value.trim_start_matches("Duration::from_secs(").trim_end_matches(')').replace('_', "");
    if let Some((left, right)) = value.split_once(" << ") {
        return evaluated(left) << evaluated(right);
    }
    value.split(" * ").map(|factor| factor.parse::<u64>().unwrap()).product()
}

const MANY: usize = 100_000;
/// What a certificate and a request may have.
const MOST_BYTES: usize = 1024 * 1024 - 2000;

/// As many of them as there may be, each with a number of its own.
fn many(most_bytes: usize, one: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    let mut all = Vec::new();
    for index in 0..MANY {
        let next = one(index);
        if all.len() + next.len() > most_bytes {
            break;
        }
        all.extend(next);
    }
    all
}

fn oid(index: usize) -> Vec<u8> {
    der::value(
        der::OBJECT_IDENTIFIER,
        &[0x2a, 0x81 + (index >> 14) as u8, 0x80 | (index >> 7) as u8 & 0x7f, index as u8 & 0x7f],
    )
}

fn extension(arc: u8, content: &[u8]) -> Vec<u8> {
    let list = der::value(der::SEQUENCE, content);
    der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x55, 0x1d, arc]), &der::value(der::OCTET_STRING, &list)])
}

fn dns(index: usize) -> Vec<u8> {
    der::value(der::context(2), format!("{index:x}.a").as_bytes())
}

fn relative_name(index: usize) -> Vec<u8> {
    der::value(der::SET, &attribute(index))
}

fn attribute(index: usize) -> Vec<u8> {
    der::sequence(&[&[6, 3, 0x55, 4, 11], &der::value(der::UTF8_STRING, format!("{index:x}").as_bytes())])
}

fn algorithm() -> Vec<u8> {
    der::sequence(&[&der::value(der::OBJECT_IDENTIFIER, &[0x2b, 0x65, 0x70])])
}

fn signed(tbs: &[u8]) -> Vec<u8> {
    der::sequence(&[tbs, &algorithm(), &der::bit_string(&[7; 64])])
}

fn certificate(name: &[u8], extensions: &[u8]) -> Vec<u8> {
    let (begin, end) = (der::value(der::UTC_TIME, b"200101000000Z"), der::value(der::UTC_TIME, b"400101000000Z"));
    let name = der::value(der::SEQUENCE, name);
    let key = der::sequence(&[&algorithm(), &der::bit_string(&[7; 32])]);
    let extensions = der::value(der::context_constructed(3), &der::value(der::SEQUENCE, extensions));
    signed(&der::sequence(&[
        &[0xa0, 3, 2, 1, 2, 2, 1, 5],
        &algorithm(),
        &name,
        &der::sequence(&[&begin, &end]),
        &name,
        &key,
        &extensions,
    ]))
}

fn crl(entries: &[u8], extensions: &[u8]) -> Vec<u8> {
    let time = der::value(der::UTC_TIME, b"260101000000Z");
    let entries = if entries.is_empty() { Vec::new() } else { der::value(der::SEQUENCE, entries) };
    let extensions = der::value(der::context_constructed(0), &der::value(der::SEQUENCE, extensions));
    let name = der::value(der::SEQUENCE, &relative_name(1));
    signed(&der::sequence(&[&[2, 1, 1], &algorithm(), &name, &time, &time, &entries, &extensions]))
}

fn request(attributes: &[u8]) -> Vec<u8> {
    let key = der::sequence(&[&algorithm(), &der::bit_string(&[7; 32])]);
    let name = der::value(der::SEQUENCE, &relative_name(1));
    signed(&der::sequence(&[&[2, 1, 0], &name, &key, &der::value(der::context_constructed(0), attributes)]))
}

/// The attribute of a request that asks for extensions (1.2.840.113549.1.9.14).
fn extension_request(extensions: &[u8]) -> Vec<u8> {
    let kind = der::value(der::OBJECT_IDENTIFIER, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 14]);
    der::sequence(&[&kind, &der::value(der::SET, &der::value(der::SEQUENCE, extensions))])
}

fn unknown_extension(index: usize) -> Vec<u8> {
    der::sequence(&[&oid(index), &[4, 0]])
}

fn lists() -> Vec<(&'static str, Vec<u8>)> {
    let fits = |one: &dyn Fn(usize) -> Vec<u8>| many(MOST_BYTES, one);
    let subtrees =
        |tag: u8| der::value(der::context_constructed(tag), &many(MOST_BYTES / 2, |it| der::sequence(&[&dns(it)])));
    let of = |arc: u8, content: &[u8]| certificate(&relative_name(1), &extension(arc, content));
    let point =
        |it: usize| der::sequence(&[&der::value(0xa0, &der::value(0xa0, &der::value(der::context(6), &dns(it))))]);
    let access = |it: usize| der::sequence(&[&oid(it), &dns(it)]);
    let time = der::value(der::UTC_TIME, b"260101000000Z");
    let entry = |it: usize, extensions: &[u8]| {
        let serial = der::unsigned_integer(&(it as u32 + 1).to_be_bytes());
        let extensions = if extensions.is_empty() { Vec::new() } else { der::value(der::SEQUENCE, extensions) };
        der::sequence(&[&serial, &time, &extensions])
    };
    vec![
        ("extensions", certificate(&relative_name(1), &fits(&unknown_extension))),
        ("the same extension", certificate(&relative_name(1), &fits(&|_| unknown_extension(1)))),
        ("relative names", certificate(&many(MOST_BYTES / 2, relative_name), &[])),
        ("attributes of one relative name", certificate(&der::value(der::SET, &many(MOST_BYTES / 2, attribute)), &[])),
        ("subject alternative names", of(17, &fits(&dns))),
        ("name constraints", of(30, &[subtrees(0), subtrees(1)].concat())),
        (
            "name constraints and names",
            certificate(
                &relative_name(1),
                &[
                    extension(30, &der::value(0xa0, &many(MOST_BYTES / 2, |it| der::sequence(&[&dns(it)])))),
                    extension(17, &many(MOST_BYTES / 2 - 1000, dns)),
                ]
                .concat(),
            ),
        ),
        ("policies", of(32, &fits(&|it| der::sequence(&[&oid(it)])))),
        ("policy mappings", of(33, &fits(&|it| der::sequence(&[&oid(it), &oid(it + 1)])))),
        ("extended key usages", of(37, &fits(&oid))),
        ("distribution points", of(31, &fits(&point))),
        ("access descriptions", {
            let aia = der::value(der::OBJECT_IDENTIFIER, &[0x2b, 6, 1, 5, 5, 7, 1, 1]);
            let list = der::value(der::SEQUENCE, &fits(&access));
            certificate(&relative_name(1), &der::sequence(&[&aia, &der::value(der::OCTET_STRING, &list)]))
        }),
        ("entries of a CRL", crl(&many(usize::MAX, |it| entry(it, &[])), &extension(20, &[]))),
        ("16 MiB of extensions of a CRL", crl(&[], &unknown_extension(1).repeat(1_600_000))),
        (
            "16 MiB of extensions of an entry",
            crl(&entry(1, &unknown_extension(1).repeat(1_600_000)), &extension(20, &[])),
        ),
        ("extensions of a CRL", crl(&[], &many(usize::MAX, unknown_extension))),
        ("extensions of an entry", crl(&entry(1, &many(usize::MAX, unknown_extension)), &extension(20, &[]))),
        (
            "entries with extensions",
            crl(&many(usize::MAX, |it| entry(it, &unknown_extension(it))), &extension(20, &[])),
        ),
        ("extensions of a request", request(&extension_request(&fits(&unknown_extension)))),
        ("names of a request", request(&extension_request(&extension(17, &fits(&dns))))),
        ("attributes of a request", request(&fits(&|it| der::sequence(&[&oid(it), &der::value(der::SET, &[5, 0])])))),
        ("requests for extensions", request(&fits(&|it| extension_request(&unknown_extension(it))))),
    ]
}

/// The kernel ends a run that keeps a core busy for longer, or takes more memory; the square of a hundred thousand would be
/// minutes. What is measured is the work of the process, so that a busy machine changes nothing.
fn bounded(place: &Place, what: &str, words: &str) -> Vec<String> {
    let seconds = if std::env::var_os("CA_BINARY").is_some() { 5 } else { 25 };
    let limits = format!("ulimit -v {}; ulimit -t {seconds}; exec \"$@\"", 256 * 1024);
    let mut command = place.command("bash");
    command.arg("-c").arg(limits).arg("bash").arg(binary()).args(words.split(' '));
    let output = command.output().unwrap();
    let said: String = String::from_utf8_lossy(&output.stderr).chars().take(200).collect();
    let is_answer = output.status.signal().is_none() && matches!(output.status.code(), Some(0..=3));
    (!is_answer || said.contains("panicked"))
        .then(|| format!("{what}: {words}: {}: {said}", output.status))
        .into_iter()
        .collect()
}

#[test]
fn a_hundred_thousand_elements_of_any_list_cost_no_more_than_their_length() {
    let place = Place::new();
    place.done("init --no-passphrase --key ecdsa-p256");
    place.done("issue server web.test");
    let chain = "ca/issued/web.test/fullchain.pem";
    let roots = "--roots ca/authorities/root/cert.pem";
    let mut wrong = Vec::new();
    for (what, content) in lists() {
        fs::write(place.path("input"), &content).unwrap();
        for words in [
            "inspect input".to_owned(),
            "inspect --json input".to_owned(),
            "lint input".to_owned(),
            format!("verify {roots} input"),
            "verify --roots input input".to_owned(),
            format!("verify {roots} --untrusted input {chain}"),
            format!("verify {roots} --crl input {chain}"),
            "sign input --template server".to_owned(),
        ] {
            wrong.extend(bounded(&place, what, &words));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_hundred_thousand_elements_of_a_toml_file_cost_no_more_than_their_length() {
    let place = Place::new();
    let lines = |one: &dyn Fn(usize) -> String| (0..MANY).map(one).collect::<String>();
    let list =
        |key: &str, one: &dyn Fn(usize) -> String| format!("{key} = [{}]\n", lines(&|it| format!("{},", one(it))));
    let short = |text: String| text[..text.floor_char_boundary(text.len().min(1024 * 1024 - 1000))].to_owned();
    let cases = [
        ("unknown keys", short(lines(&|it| format!("k{it} = 1\n")))),
        ("unknown tables", short(lines(&|it| format!("[t{it}]\n")))),
        ("the same key", short("a = 1\n".repeat(MANY))),
        ("no TOML", short("x\n".repeat(MANY))),
        ("attributes", format!("[subject]\n{}", short(lines(&|it| format!("k{it} = 1\n"))))),
        ("numbers for subtrees", format!("[root]\n{}", list("permit", &|_| "5".to_owned()))),
        ("subtrees", format!("[root]\n{}", list("permit", &|it| format!("\"{it:x}\"")))),
        ("URLs", format!("[crl]\n{}", list("urls", &|it| format!("\"{it:x}\"")))),
        ("one long line", format!("name = \"{}\" 1", "x".repeat(900_000))),
        ("a deep table", format!("[{}a]", "a.".repeat(MANY))),
        ("a deep list", format!("a = {}", "[".repeat(MANY))),
    ];
    let mut wrong = Vec::new();
    for (what, content) in cases {
        fs::write(place.path("input.toml"), &content).unwrap();
        for words in ["init --no-passphrase --config input.toml", "init --no-passphrase --json --config input.toml"] {
            wrong.extend(bounded(&place, what, words));
            drop(fs::remove_dir_all(place.path("ca")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
