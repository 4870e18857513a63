//! Literate scripts: Markdown whose `console` blocks are typed into a shell, and whose output has to be what it says.
//!
//! ```console
//! $ ca init --name "Example Root CA" --no-passphrase
//! $ ca issue server a.example
//! issued server a.example [..]
//! ...
//! $ ca issue server a.example
//! error: [..]
//! ? 3
//! ```
//!
//! - `$ ` begins a command, `> ` continues it (here documents). Folder and exported variables last to the end of the file.
//! - Below it stands what a person at a terminal would see: standard output and standard error together.
//! - `[..]` stands for anything within a line; `...` alone on a line for any lines.
//! - What differs on every run (serials, fingerprints, dates, milliseconds, sizes in bytes, and lines that are drawn in between)
//!   is compared by its shape.
//! - `? 3` is the exit status; without it, it is 0.
//! - `$CA_TEST_DATA` is the folder tests/data.
//! - 18400 to 18499 are ports: where one is taken, another is, in the command and in what it prints.
//! - A block that begins with ```` ```console no-run ```` is not run.
//!
//! `CA_TEST_UPDATE=1` writes what was found into the file; read the difference before you commit it.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ca::cli::documents;

use super::program;
use super::strict_schema::problems_of_text;

/// One command with what it has to print.
struct Step {
    /// The line of the `$`, from 1.
    line: usize,
    command: String,
    /// Where the expected output stands: line indices from 0, the end excluded; without the `? N`.
    output: std::ops::Range<usize>,
    status: i32,
}

/// Runs a script in a folder of its own; the error says what differs, and where.
pub fn run(path: &Path) -> Result<(), String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let lines: Vec<&str> = text.lines().collect();
    let shell = Shell::new();
    let ports = Ports::in_text(&text);
    let mut problems = String::new();
    let mut corrections = Vec::new();
    for step in steps(&lines).map_err(|(line, error)| format!("{}:{line}: {error}", path.display()))? {
        let expected = &lines[step.output.clone()];
        let (output, status) = shell.type_in(&ports.really(&step.command));
        for problem in shell.problems_of_documents() {
            writeln!(problems, "{}:{}: $ {}\n  {problem}", path.display(), step.line, step.command).unwrap();
        }
        let output = ports.as_written(&output);
        let found: Vec<&str> = output.lines().collect();
        if status != step.status {
            writeln!(
                problems,
                "{}:{}: exit status {status}, not {}\n  $ {}\n{}",
                path.display(),
                step.line,
                step.status,
                step.command,
                indented("  | ", &found)
            )
            .unwrap();
            break;
        }
        if !lines_match(expected, &found) {
            writeln!(
                problems,
                "{}:{}: $ {}\n{}",
                path.display(),
                step.line,
                step.command,
                difference(expected, &found)
            )
            .unwrap();
            corrections.push((step.output.clone(), found.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>()));
        }
    }
    if std::env::var_os("CA_TEST_UPDATE").is_some() && !corrections.is_empty() {
        fs::write(path, corrected(&lines, &corrections)).unwrap();
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Returns the first of the programs that a command of the script names, if there is one.
pub fn first_program_of(path: &Path, programs: &[&str]) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let steps = steps(&text.lines().collect::<Vec<_>>()).ok()?;
    let is_part_of_word = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    let is_named = |program: &&&str| {
        steps.iter().any(|step| step.command.split(|c| !is_part_of_word(c)).any(|word| word == **program))
    };
    programs.iter().find(is_named).map(|program| (*program).to_owned())
}

/// The commands of all `console` blocks.
fn steps(lines: &[&str]) -> Result<Vec<Step>, (usize, &'static str)> {
    let mut steps = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let fence = lines[at].trim();
        at += 1;
        if !fence.starts_with("```") || fence.len() == 3 {
            continue;
        }
        let end = (at..lines.len()).find(|line| lines[*line].trim() == "```").ok_or((at, "this block has no end"))?;
        if fence == "```console" {
            block(lines, at, end, &mut steps)?;
        }
        at = end + 1;
    }
    Ok(steps)
}

fn block(lines: &[&str], mut at: usize, end: usize, steps: &mut Vec<Step>) -> Result<(), (usize, &'static str)> {
    while at < end {
        let line = at + 1;
        let first = lines[at].strip_prefix("$ ").ok_or((line, "output without a command (`$ …`) before it"))?;
        let mut command = first.to_owned();
        at += 1;
        while at < end && (lines[at].starts_with("> ") || lines[at] == ">") {
            command.push('\n');
            command.push_str(lines[at].strip_prefix("> ").unwrap_or_default());
            at += 1;
        }
        let start = at;
        while at < end && !lines[at].starts_with("$ ") {
            at += 1;
        }
        let mut output = start..at;
        let mut status = 0;
        if let Some(word) = lines[output.clone()].last().and_then(|last| last.strip_prefix("? ")) {
            status = word.trim().parse().map_err(|_| (at, "`? ` is followed by an exit status"))?;
            output.end -= 1;
        }
        steps.push(Step { line, command, output, status });
    }
    Ok(())
}

/// The ports of a script, as they are written, and free ones to be used instead.
struct Ports(Vec<(u16, u16)>);

impl Ports {
    /// The ports that somebody listens on already are exchanged. Those that are used instead are below the range from which
    /// systems take the ports of clients, so that nobody comes in between.
    fn in_text(text: &str) -> Self {
        let mut ports = Vec::new();
        for written in 18400..18500 {
            if numbers_of(text).any(|(number, _)| number == written.to_string()) {
                let free = std::iter::once(written).chain(20_000 + written % 100 * 100..).find(|port| is_free(*port));
                ports.push((written, free.expect("a free port")));
            }
        }
        Self(ports)
    }

    fn really(&self, text: &str) -> String {
        exchanged(text, |number| self.0.iter().find(|(written, _)| number == written.to_string()).map(|pair| pair.1))
    }

    fn as_written(&self, text: &str) -> String {
        exchanged(text, |number| self.0.iter().find(|(_, used)| number == used.to_string()).map(|pair| pair.0))
    }
}

fn is_free(port: u16) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
    let is_taken = |tried: std::io::Result<TcpListener>| {
        tried.is_err_and(|error| error.kind() != std::io::ErrorKind::AddrNotAvailable)
    };
    // A host without IPv6 has nothing that is taken there.
    !is_taken(TcpListener::bind((Ipv4Addr::LOCALHOST, port)))
        && !is_taken(TcpListener::bind((Ipv6Addr::LOCALHOST, port)))
}

/// The numbers in a text, and where each begins.
fn numbers_of(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.split(|c: char| !c.is_ascii_digit())
        .filter(|digits| !digits.is_empty())
        .map(move |digits| (digits, digits.as_ptr() as usize - text.as_ptr() as usize))
}

fn exchanged(text: &str, other: impl Fn(&str) -> Option<u16>) -> String {
    let (mut result, mut copied) = (String::new(), 0);
    for (number, at) in numbers_of(text) {
        if let Some(port) = other(number) {
            result.push_str(&text[copied..at]);
            result.push_str(&port.to_string());
            copied = at + number.len();
        }
    }
    result + &text[copied..]
}

/// The `ca` of a script: a JSON document on standard output is kept, to be validated.
const KEEPS_DOCUMENTS: &str = r#"#!/bin/sh
for word; do
    if [ "$word" = --json ]; then
        kept=$(mktemp 'FOLDER/XXXXXX')
        'CA' "$@" >"$kept"
        status=$?
        cat "$kept"
        exit $status
    fi
done
exec 'CA' "$@"
"#;

/// A shell in a folder of its own, with `ca` on its path and nothing of the caller's environment.
struct Shell {
    /// Holds `work/` (where it begins), `home/`, `tmp/` and what the shell remembers between commands.
    folder: tempfile::TempDir,
    groups: std::cell::RefCell<Vec<u32>>,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["work", "home", "tmp", "state"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("state/folder"), folder.path().join("work").to_string_lossy().as_bytes()).unwrap();
        fs::write(folder.path().join("state/exports"), "").unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::create_dir(folder.path().join("bin")).unwrap();
        let wrapper = KEEPS_DOCUMENTS
            .replace("CA", &program::binary().canonicalize().unwrap().to_string_lossy())
            .replace("FOLDER", &folder.path().join("documents").to_string_lossy());
        let ca = folder.path().join("bin/ca");
        fs::write(&ca, wrapper).unwrap();
        fs::set_permissions(ca, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder, groups: std::cell::RefCell::default() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a person would see, and the exit status.
    fn type_in(&self, command: &str) -> (String, i32) {
        // The output goes to a file, not a pipe: something that is left running in the background would keep a pipe open.
        let screen = self.path("state/screen");
        let file = fs::File::create(&screen).unwrap();
        let state = self.path("state");
        let script = format!(
            "source '{0}/exports'; cd \"$(cat '{0}/folder')\"; trap 'export -p >\"{0}/exports\"; pwd >\"{0}/folder\"' EXIT\n{command}",
            state.display()
        );
        let mut shell = Command::new("bash");
        shell.arg("-c").arg(script).stdin(Stdio::null()).stdout(file.try_clone().unwrap()).stderr(file);
        program::clean_environment(&mut shell, &self.path("home"), &self.path("tmp"));
        shell.env("CA_TEST_DATA", super::repository().join("tests/data"));
        let path = shell.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, value)| value).unwrap_or_default();
        let path = std::env::join_paths(std::iter::once(self.path("bin")).chain(std::env::split_paths(path))).unwrap();
        shell.env("PATH", path);
        let mut child = shell.process_group(0).spawn().expect("bash starts");
        self.groups.borrow_mut().push(child.id());
        let status = child.wait().unwrap();
        let output = String::from_utf8_lossy(&fs::read(&screen).unwrap()).into_owned();
        (output, status.code().unwrap_or(-1))
    }
}

impl Shell {
    /// What is wrong with the JSON documents that were printed since it was last asked.
    fn problems_of_documents(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for entry in fs::read_dir(self.path("documents")).unwrap() {
            let path = entry.unwrap().path();
            // A command in the background may still write it.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            problems.extend(problems_of_text(&text, &documents::schema_of));
            fs::remove_file(path).ok();
        }
        problems
    }
}

impl Drop for Shell {
    /// Ends what was left running in the background.
    fn drop(&mut self) {
        for group in self.groups.borrow().iter() {
            program::kill_group(*group);
        }
    }
}

/// Whether the output is as expected; `...` stands for any number of lines.
fn lines_match(expected: &[&str], found: &[&str]) -> bool {
    match expected.split_first() {
        None => found.is_empty(),
        Some((&"...", rest)) => (0..=found.len()).any(|skipped| lines_match(rest, &found[skipped..])),
        Some((first, rest)) => {
            found.split_first().is_some_and(|(line, others)| line_matches(first, line) && lines_match(rest, others))
        }
    }
}

fn line_matches(expected: &str, found: &str) -> bool {
    let (expected, found) = (expected.trim_end(), found.trim_end());
    wildcard(expected, found) || wildcard(&shape(expected), &shape(found))
}

/// `[..]` stands for anything.
fn wildcard(expected: &str, found: &str) -> bool {
    let Some((before, after)) = expected.split_once("[..]") else { return expected == found };
    let Some(rest) = found.strip_prefix(before) else { return false };
    rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| wildcard(after, &rest[at..]))
}

/// Replaces what differs on every run by what kind of value it is. The default name of a root has six random letters, which a
/// document may leave out.
fn shape(line: &str) -> String {
    const NAME: &str = "Private Root CA";
    let line = &line
        .split(NAME)
        .enumerate()
        .map(|(at, part)| match part.get(..7) {
            Some(letters) if at > 0 && is_random(letters) => part[7..].to_owned(),
            _ => part.to_owned(),
        })
        .collect::<Vec<_>>()
        .join(NAME);
    let mut shaped = String::new();
    let mut rest = line.as_str();
    while let Some(first) = rest.chars().next() {
        let in_word = shaped.chars().next_back().is_some_and(|c| c.is_ascii_alphanumeric());
        let found =
            if in_word { None } else { time(rest).or_else(|| hexadecimal(rest)).or_else(|| number_with_unit(rest)) };
        if let Some((length, kind)) = found {
            shaped.push_str(kind);
            rest = &rest[length..];
            // One serial number in 256 is two digits shorter, and a column is filled up with spaces.
            if kind == "<hex>" && rest.starts_with("  ") {
                rest = &rest[rest.len() - rest.trim_start_matches(' ').len() - 1..];
            }
        } else {
            // A line that is drawn up to a number grows and shrinks with it.
            if !(matches!(first, '─' | '═') && shaped.ends_with(first)) {
                shaped.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    shaped
}

/// A space and the letters behind the default name of a root.
fn is_random(letters: &str) -> bool {
    let letters = letters.strip_prefix(' ').unwrap_or_default();
    letters.len() == 6 && letters.bytes().all(|letter| b"bcdfghjkmnpqrstvwxz23456789".contains(&letter))
}

/// `2026-11-21`, `2026-11-21T10:00:00Z`, `2026-11-21 10:00:00 UTC`.
fn time(rest: &str) -> Option<(usize, &'static str)> {
    let fits = |pattern: &str| {
        let octets = rest.as_bytes().get(..pattern.len())?;
        let fits = octets.iter().zip(pattern.bytes()).all(|(octet, wanted)| match wanted {
            b'0' => octet.is_ascii_digit(),
            wanted => *octet == wanted,
        });
        fits.then_some(pattern.len())
    };
    fits("0000-00-00T00:00:00Z")
        .or_else(|| fits("0000-00-00 00:00:00"))
        .or_else(|| fits("0000-00-00"))
        .map(|length| (length, "<time>"))
}

/// Sixteen digits or more, in lower or upper case, with colons or without.
fn hexadecimal(rest: &str) -> Option<(usize, &'static str)> {
    let length = rest.find(|c: char| !c.is_ascii_hexdigit() && c != ':').unwrap_or(rest.len());
    let digits = rest[..length].trim_end_matches(':');
    (digits.chars().filter(|c| *c != ':').count() >= 16).then_some((digits.len(), "<hex>"))
}

/// How long something took, how large it is, or how long ago it was in seconds.
fn number_with_unit(rest: &str) -> Option<(usize, &'static str)> {
    let length = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let unit = [" ms", " µs", " us", " seconds ago", " second ago", " s", " bytes"].into_iter().find(|unit| {
        let after = rest[length..].strip_prefix(unit);
        after.is_some_and(|after| !after.starts_with(|c: char| c.is_alphanumeric()))
    })?;
    (length > 0).then_some((length + unit.len(), if unit == " bytes" { "<size>" } else { "<duration>" }))
}

fn difference(expected: &[&str], found: &[&str]) -> String {
    let same = expected.iter().zip(found).take_while(|(expected, found)| line_matches(expected, found)).count();
    let same = if expected[..same.min(expected.len())].contains(&"...") { 0 } else { same };
    let mut shown = indented("    ", &found[..same]);
    shown.push_str(&indented("  - ", &expected[same..]));
    shown.push_str(&indented("  + ", &found[same..]));
    shown
}

fn indented(mark: &str, lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{mark}{line}\n")).collect()
}

/// The file with what was found in place of what was expected.
fn corrected(lines: &[&str], corrections: &[(std::ops::Range<usize>, Vec<String>)]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (range, found) in corrections {
        let before = lines[at..range.start].iter().map(|line| (*line).to_owned());
        text.extend(before.chain(found.iter().cloned()).map(|line| line + "\n"));
        at = range.end;
    }
    text.extend(lines[at..].iter().map(|line| format!("{line}\n")));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(script: &str) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script.md");
        fs::write(&path, script).unwrap();
        run(&path)
    }

    #[test]
    fn a_script_that_says_the_truth_passes() {
        let script = "# Title\n\n```console\n$ cat > a <<'EOF'\n> one\n>\n> two\n> EOF\n$ cat a\none\n\ntwo\n\
                      $ mkdir b; cd b; export X=y\n$ basename \"$PWD\"; echo $X; exit 4\nb\ny\n? 4\n\
                      $ echo err >&2; echo out\nerr\n...\n$ sleep 1000 &\n```\n";
        assert_eq!(verdict(script), Ok(()));
    }

    #[test]
    fn a_lie_is_found_with_its_line() {
        let error = verdict("```console\n$ echo a\na\n$ echo b\nc\n```\n").unwrap_err();
        assert!(error.contains("script.md:4: $ echo b\n  - c\n  + b\n"), "{error}");
        assert!(verdict("```console\n$ exit 3\n```\n").unwrap_err().contains("exit status 3, not 0"));
        assert!(verdict("```console\n$ echo a\n```\n").is_err());
        assert!(verdict("```console\n$ true\nmore\n```\n").is_err());
        assert_eq!(verdict("```console no-run\n$ false\n```\n"), Ok(()));
    }

    #[test]
    fn a_script_says_which_programs_it_needs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("script.md");
        fs::write(&path, "tshark\n\n```console\n$ ca x | (certtool -i)\ncurl\n$ ls openssl.cnf my-node\n```\n")
            .unwrap();
        let first = |programs: &[&str]| first_program_of(&path, programs);
        assert_eq!(first(&["tshark", "certtool", "ca"]).as_deref(), Some("certtool"));
        assert_eq!(first(&["tshark", "curl", "openssl", "node", "tool"]), None);
    }

    #[test]
    fn a_port_that_is_taken_is_exchanged_for_one_that_is_free() {
        let taken = std::net::TcpListener::bind("127.0.0.1:18499");
        let script = "```console\n$ echo 127.0.0.1:18499#1 184990\n127.0.0.1:18499#1 184990\n\
                      $ python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 18499))'\n```\n";
        assert_eq!(verdict(script), Ok(()));
        let ports = Ports::in_text(script);
        assert!(taken.is_err() || ports.really("at 18499") != "at 18499");
        assert_eq!(ports.as_written(&ports.really("at 18499")), "at 18499");
    }

    #[test]
    fn values_that_differ_every_time_are_compared_by_shape() {
        assert!(line_matches(
            "serial 0011223344556677 until 2026-01-01",
            "serial ffeeddccbbaa99887766 until 2031-12-31"
        ));
        assert!(line_matches("0011223344556677  valid", "ffeeddccbbaa998877  valid"));
        assert!(line_matches("00112233445566778899  valid", "ffeeddccbbaa998877    valid"));
        assert!(line_matches("in 1.2 ms, at 2026-01-01T00:00:00Z", "in 833 ms, at 2027-02-03T04:05:06Z"));
        assert!(line_matches("a[..]c", "a b c") && !line_matches("a[..]c", "a b"));
        assert!(line_matches("─ Hello ──── 99 bytes, 9.99 ms ─▶│", "─ Hello ─ 1441 bytes, 10.00 ms ─▶│"));
        assert!(!line_matches("─ Hello ── 99 bytes ─▶│", "═ Hello ══ 99 bytes ═▶│"));
        assert!(
            line_matches("T (0 seconds ago)", "T (1 second ago)")
                && !line_matches("T (0 seconds ago)", "T (1 minute ago)")
        );
        assert!(!line_matches("90 days", "30 days") && !line_matches("serial 01", "serial 02"));
    }
}
