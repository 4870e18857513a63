//! The table of clients: which versions were measured, and which of them refuse a fact. It is `table.toml`, inside the
//! program.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use serde::Deserialize;

use super::fact::Fact;
use crate::text::toml_document::Document;

/// How it is known what a client refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// It was asked.
    Measured,
    /// Its makers say so. What they do not say is not known.
    Documented,
}

impl Basis {
    /// Returns the word for JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Documented => "documented",
        }
    }
}

/// A client, with the versions that were measured.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// The library that verifies.
    pub engine: String,
    /// The measured versions, the oldest first; for a documented client, the first version that the document is about.
    pub versions: Vec<String>,
    pub basis: Basis,
    /// How it was measured and when, or the document.
    pub source: String,
    /// Whether it is one of the families whose refusals decide the severity of a rule.
    #[serde(default)]
    pub mainstream: bool,
    /// Other names for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The number of its first version among all versions of the table.
    #[serde(skip)]
    first: usize,
}

/// What the table says about one fact.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FactText {
    /// The clients that refuse it, as `go, python >= 3.13`.
    #[serde(default)]
    refused: String,
    /// The clients that never had a chain in which this fact alone could have decided.
    #[serde(default)]
    unmeasured: String,
    /// The code of the rule of this program that is about the same.
    rule: Option<String>,
    /// The code of the rule of `ca lint`, where that of `ca verify` is another.
    lint: Option<String>,
}

/// A fact in the table. Each bit is a version of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    refused: u64,
    unmeasured: u64,
    rule: Option<String>,
    lint: Option<String>,
}

/// The line of a row, and the row once it was asked for: a chain has few facts, and reading all rows takes longer than
/// verifying it.
#[derive(Debug)]
struct Line {
    text: &'static str,
    row: OnceLock<Option<Row>>,
}

/// What a version of a client does with a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Refuses,
    Accepts,
    NotMeasured,
}

/// The first and the last version of a range, each `None` at the end of the list.
pub type VersionRange<'t> = (Option<&'t str>, Option<&'t str>);

/// Clients and facts.
#[derive(Debug)]
pub struct Table {
    clients: Vec<Client>,
    facts: HashMap<&'static str, Line>,
}

/// Returns the table. Its clients are read when it is first asked for, and each row when it is.
pub fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        // A test reads the same text and fails at every problem.
        Table::parse(TEXT).unwrap_or_else(|_| Table { clients: Vec::new(), facts: HashMap::new() })
    });
    &TABLE
}

const TEXT: &str = include_str!("table.toml");

/// The mainstream clients of the table, which can be looked for without reading it.
const MAINSTREAM: [&str; 9] = ["openssl", "python", "node", "go", "java", "rustls", "gnutls", "firefox", "chrome"];

/// Returns whether a version of a mainstream client refuses a fact, from the text of its row alone.
pub(super) fn names_mainstream(fact: &Fact) -> bool {
    // All names are inside: everything that a CA with constraints issues has such a word, and the scan takes longer than it.
    let word = fact.word.code;
    let is_inside = word.ends_with(":kept") || word.ends_with(":applies") || word.contains(":no-such-name");
    if is_inside && ["nc:dns:", "nc:ip:"].iter().any(|kind| word.starts_with(kind)) {
        return false;
    }
    let code = fact.to_string();
    let of_row =
        |line: &&str| line.strip_prefix('"').and_then(|line| line.strip_prefix(&*code)?.strip_prefix('"')).is_some();
    let refused = TEXT.lines().find(of_row).and_then(|line| line.split_once("refused = \"")?.1.split_once('"'));
    let names = refused.map(|(refused, _)| refused).unwrap_or_default().split(", ");
    names.filter_map(|part| part.split(' ').next()).any(|name| MAINSTREAM.contains(&name))
}

impl Table {
    /// Reads the clients of a table; its rows are those after `[fact]`, each on a line of its own.
    ///
    /// # Errors
    /// The problems, as text.
    fn parse(text: &'static str) -> Result<Self, String> {
        let (head, rows) = text.split_once("\n[fact]\n").ok_or("there is no [fact]")?;
        let document = Document::new("table.toml", head);
        let mut top = document.top();
        let clients = top.take_list::<Client>("client").map(|list| list.value).unwrap_or_default();
        let mut clients: Vec<Client> = clients.into_iter().map(|client| client.value).collect();
        top.finish();
        document.finish().map_err(|error| error.to_string())?;
        let mut first = 0;
        for client in &mut clients {
            client.first = first;
            first += client.versions.len();
        }
        if first > u64::BITS as usize {
            return Err("more than 64 versions".to_owned());
        }
        let code = |line: &'static str| line.strip_prefix('"')?.split_once('"').map(|(code, _)| code);
        let line = |text: &'static str| Some((code(text)?, Line { text, row: OnceLock::new() }));
        Ok(Self { clients, facts: rows.lines().filter_map(line).collect() })
    }

    /// Returns the clients, in the order of reports.
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Returns the client with this name, or with this other name.
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name || client.aliases.iter().any(|alias| alias == name))
    }

    /// Returns what a version of a client does with a fact; `version` is an index in [`Client::versions`].
    pub fn answer(&self, fact: &Fact, client: &Client, version: usize) -> Answer {
        self.row(&fact.to_string()).map_or(Answer::NotMeasured, |row| row.answer(client.bit(version)))
    }

    /// Returns the range of versions around this one that refuse the fact: the first and the last measured one, each `None`
    /// at the end of the list; `None` when this version does not refuse it.
    pub fn refusing_range<'t>(&self, fact: &Fact, client: &'t Client, version: usize) -> Option<VersionRange<'t>> {
        self.row(&fact.to_string())?.refusing_range(client, version)
    }

    /// Returns the client with the versions around this one that refuse the fact, as `python >= 3.13`; `None` when this version
    /// does not refuse it.
    pub fn refusing_label(&self, fact: &Fact, client: &Client, version: usize) -> Option<String> {
        let (since, until) = self.refusing_range(fact, client, version)?;
        Some(client.label(since, until))
    }

    /// Returns the mainstream clients of which a measured version refuses the fact with this code, as `python >= 3.13`.
    pub fn refused_by(&self, code: &str) -> Vec<String> {
        let Some(row) = self.row(code) else { return Vec::new() };
        let label = |client: &Client| {
            let newest_refusing = (0..client.versions.len()).rev();
            newest_refusing.into_iter().find_map(|version| {
                let (since, until) = row.refusing_range(client, version)?;
                Some(client.label(since, until))
            })
        };
        self.clients.iter().filter(|client| client.mainstream).filter_map(label).collect()
    }

    /// Returns every client that refuses a fact, with each range of versions that does: the first and the last one, each `None`
    /// at the end of the list.
    pub fn refusing_clients(&self, fact: &Fact) -> Vec<(&Client, VersionRange<'_>)> {
        let mut found = Vec::new();
        for client in &self.clients {
            for version in 0..client.versions.len() {
                found.extend(self.refusing_range(fact, client, version).map(|range| (client, range)));
            }
        }
        // Each version of a range gave the same range.
        found.dedup_by(|one, two| one.0.name == two.0.name && one.1 == two.1);
        found
    }

    /// Returns the code of the rule of this program that is about the same.
    pub fn rule(&self, fact: &Fact) -> Option<&str> {
        self.row(&fact.to_string())?.rule.as_deref()
    }

    /// Returns the code of the rule of `ca lint`, where `ca verify` reports the fact by another rule.
    pub fn lint_rule(&self, fact: &Fact) -> Option<&str> {
        self.row(&fact.to_string())?.lint.as_deref()
    }

    /// Returns the codes of all facts, sorted.
    pub fn codes(&self) -> Vec<&str> {
        let mut codes: Vec<_> = self.facts.keys().copied().collect();
        codes.sort_unstable();
        codes
    }

    fn row(&self, code: &str) -> Option<&Row> {
        let line = self.facts.get(code)?;
        line.row.get_or_init(|| self.read(line.text).ok()).as_ref()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The problem, as text.
    fn read(&self, line: &str) -> Result<Row, String> {
        let document = Document::new("table.toml", line);
        let mut top = document.top();
        let row = top.take_rest::<FactText>().pop();
        top.finish();
        document.finish().map_err(|error| error.to_string())?;
        let (code, row) = row.ok_or("there is no row")?;
        let bits = |list: &str| bits(&self.clients, list).map_err(|word| format!("{}: {word}", code.value));
        let (refused, unmeasured) = (bits(&row.value.refused)?, bits(&row.value.unmeasured)?);
        let documented = self.clients.iter().filter(|client| client.basis == Basis::Documented);
        let documented = documented.fold(0, |bits, client| bits | client.bits());
        Ok(Row { refused, unmeasured: unmeasured | documented & !refused, rule: row.value.rule, lint: row.value.lint })
    }
}

impl Row {
    /// Returns the range of versions of [`Table::refusing_range`].
    fn refusing_range<'t>(&self, client: &'t Client, version: usize) -> Option<VersionRange<'t>> {
        let refuses = |version: usize| self.answer(client.bit(version)) == Answer::Refuses;
        let most = client.versions.len();
        if version >= most || !refuses(version) {
            return None;
        }
        let first = (0..version).rev().take_while(|version| refuses(*version)).last().unwrap_or(version);
        let last = (version..most).take_while(|version| refuses(*version)).last().unwrap_or(version);
        let name = |index: usize| client.versions.get(index).map(String::as_str);
        Some((if first > 0 { name(first) } else { None }, if last + 1 < most { name(last) } else { None }))
    }

    fn answer(&self, bit: u64) -> Answer {
        if self.refused & bit != 0 {
            Answer::Refuses
        } else if self.unmeasured & bit != 0 {
            Answer::NotMeasured
        } else {
            Answer::Accepts
        }
    }
}

impl Client {
    fn bit(&self, version: usize) -> u64 {
        1 << (self.first + version)
    }

    fn bits(&self) -> u64 {
        (0..self.versions.len()).fold(0, |bits, version| bits | self.bit(version))
    }

    /// Returns its name with a range of versions, each end `None` when it is open.
    pub fn label(&self, since: Option<&str>, until: Option<&str>) -> String {
        let name = &self.name;
        match (since, until) {
            (None, None) => name.clone(),
            (Some(since), None) => format!("{name} >= {since}"),
            (None, Some(until)) => format!("{name} <= {until}"),
            (Some(since), Some(until)) if since == until => format!("{name} {since}"),
            (Some(since), Some(until)) => format!("{name} {since} to {until}"),
        }
    }

    /// Returns the index of the measured version that stands for `wanted`: the nearest one at or below it, else the lowest;
    /// without a wish, the newest.
    pub fn nearest(&self, wanted: Option<&str>) -> usize {
        let newest = self.versions.len().saturating_sub(1);
        let Some(wanted) = wanted else { return newest };
        let wanted = numbers(wanted);
        self.versions.iter().rposition(|version| numbers(version) <= wanted).unwrap_or_default()
    }

    /// Returns the indices of its versions that `condition` is true for: ` >= 3.13`, ` <= 1.23`, ` = 21`, or nothing for all.
    fn matching(&self, condition: &str) -> Option<std::ops::Range<usize>> {
        let most = self.versions.len();
        if condition.is_empty() {
            return Some(0..most);
        }
        let (operator, version) = condition.trim_start().split_once(' ')?;
        let at = self.versions.iter().position(|known| known == version)?;
        match operator {
            ">=" => Some(at..most),
            "<=" => Some(0..at + 1),
            "=" => Some(at..at + 1),
            _ => None,
        }
    }
}

/// Returns the numbers of a version.
fn numbers(version: &str) -> Vec<u32> {
    let digits = version.split(|character: char| !character.is_ascii_digit());
    digits.filter_map(|digits| digits.parse().ok()).collect()
}

/// Reads a list of clients and versions.
///
/// # Errors
/// The part that is not one.
fn bits<'t>(clients: &[Client], list: &'t str) -> Result<u64, &'t str> {
    let mut bits = 0;
    for part in list.split(", ").filter(|part| !part.is_empty()) {
        let (name, condition) = part.split_at(part.find(' ').unwrap_or(part.len()));
        let client = clients.iter().find(|client| client.name == name).ok_or(part)?;
        bits = client.matching(condition).ok_or(part)?.fold(bits, |bits, version| bits | client.bit(version));
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clients::words;

    #[test]
    fn the_table_in_the_program_is_read_without_a_problem() {
        let table = Table::parse(TEXT).unwrap();
        assert!(table.clients.len() > 20 && table.facts.len() > 300);
        assert!(table.clients.iter().all(|client| !client.versions.is_empty()));
        for line in table.facts.values() {
            let row = table.read(line.text).unwrap();
            assert_eq!(row.refused & row.unmeasured, 0, "{}", line.text);
        }
    }

    /// The rows are read one by one; together with the clients they are one TOML file.
    #[test]
    fn the_table_is_one_toml_file_and_every_row_is_a_line_of_it() {
        let document = Document::new("table.toml", TEXT);
        let mut top = document.top();
        top.take_list::<Client>("client").unwrap();
        let rows = top.section("fact").unwrap().take_rest::<FactText>();
        top.finish();
        document.finish().unwrap();
        let codes: BTreeSet<_> = rows.iter().map(|(code, _)| code.value.as_str()).collect();
        assert_eq!(codes, table().codes().into_iter().collect());
    }

    #[test]
    fn the_text_of_a_row_names_its_mainstream_clients() {
        let table = table();
        let mainstream: Vec<_> = table.clients().iter().filter(|client| client.mainstream).collect();
        assert_eq!(mainstream.iter().map(|client| client.name.as_str()).collect::<Vec<_>>(), MAINSTREAM);
        let subjects = |word: &'static crate::clients::Word| word.subjects.iter().map(move |subject| (*subject, word));
        for (subject, word) in words().flat_map(subjects) {
            let fact = Fact { subject, word };
            let refuses = |client: &&Client| {
                (0..client.versions.len()).any(|version| table.answer(&fact, client, version) == Answer::Refuses)
            };
            assert_eq!(names_mainstream(&fact), mainstream.iter().any(refuses), "{fact}");
        }
    }

    /// A row that no code computes would never be used.
    #[test]
    fn every_fact_of_the_table_is_a_word_that_is_computed() {
        let subjects = |word: &'static crate::clients::Word| word.subjects.iter().map(move |subject| (subject, word));
        let computed: BTreeSet<String> =
            words().flat_map(subjects).map(|(subject, word)| Fact { subject: *subject, word }.to_string()).collect();
        let unknown: Vec<_> = table().codes().into_iter().filter(|code| !computed.contains(*code)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    #[test]
    fn a_word_has_one_code_and_a_citation() {
        let mut seen = BTreeSet::new();
        for word in words() {
            for subject in word.subjects {
                assert!(seen.insert(Fact { subject: *subject, word }.to_string()), "{} is there twice", word.code);
            }
            assert!(
                !word.citation.is_empty() && !word.meaning.is_empty() && !word.meaning.ends_with('.'),
                "{}",
                word.code
            );
        }
    }

    const SMALL: &str = "client = [\n\
        { name = 'go', title = 'Go', engine = 'Go', versions = ['1.9', '1.22', '1.23'], basis = 'measured', source = '' },\n\
        { name = 'apple', title = 'A', engine = 'A', versions = ['13'], basis = 'documented', source = '' },\n]\n\
        [fact]\n";

    #[test]
    fn rows_name_ranges_of_versions() {
        let table = Table::parse(SMALL).unwrap();
        let (go, apple) = (table.client("go").unwrap(), table.client("apple").unwrap());
        let expired = table.read("'leaf:expired' = { refused = 'go >= 1.22' }").unwrap();
        let missing =
            table.read("'leaf:san:missing' = { refused = 'go = 1.9, apple', unmeasured = 'go >= 1.23' }").unwrap();
        let answers = |row: &Row| [0, 1, 2].map(|version| row.answer(go.bit(version)));
        assert_eq!(answers(&expired), [Answer::Accepts, Answer::Refuses, Answer::Refuses]);
        assert_eq!(answers(&missing), [Answer::Refuses, Answer::Accepts, Answer::NotMeasured]);
        assert_eq!(expired.answer(apple.bit(0)), Answer::NotMeasured, "a document says nothing of it");
        assert_eq!(missing.answer(apple.bit(0)), Answer::Refuses);
        for (wanted, expected) in
            [(None, 2), (Some("1.9"), 0), (Some("1.22.7"), 1), (Some("1.3"), 0), (Some("2"), 2), (Some("1.10"), 0)]
        {
            assert_eq!(go.nearest(wanted), expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_row_with_a_client_or_version_that_is_not_there_is_a_problem() {
        let table = Table::parse(SMALL).unwrap();
        for row in ["refused = 'gone'", "refused = 'go >= 2'", "refused = 'go > 1.9'", "refuse = 'go'"] {
            assert!(table.read(&format!("'a' = {{ {row} }}")).is_err(), "{row}");
        }
    }
}
