//! A handshake on the page: the steps of a session, and how fast it went.

use std::time::Duration;

use crate::handshake::Session;
use crate::handshake::measure::Rate;
use crate::handshake::steps::{Step, steps};
use crate::report::page::{Page, Tone};
use crate::tls::Side;

/// Sentences that are wider or narrower than this are hard to read, whatever the terminal has.
const NARROWEST: usize = 60;
const WIDEST: usize = 98;

pub(crate) fn width(page: &Page) -> usize {
    page.columns().clamp(NARROWEST, WIDEST)
}

/// A session as the steps of a primer, one under the other.
pub fn session(page: &mut Page, session: &Session) {
    headline(page, session);
    let mut encrypted = false;
    for step in steps(session) {
        if step.encrypted && !encrypted {
            page.toned(
                Tone::Dim,
                &format!("         {:─<1$}", "from here on everything is encrypted ", width(page) - 9),
            );
            encrypted = true;
        }
        self::step(page, &step);
    }
    if let Some(failure) = &session.failure {
        let alert = failure.alert.as_ref().map(|alert| format!("its alert on the wire: {alert}"));
        let certificate = failure.certificate.as_ref();
        let certificate = certificate.map(|one| format!("the certificate: {}, serial {}", one.subject, one.serial));
        let likely = failure.likely.as_ref().map(|likely| format!("the likely cause: {}", likely.sentence()));
        let refused = format!("the {} refused: {}", failure.by, failure.cause.sentence);
        let said = [Some(refused), alert, certificate, likely];
        labelled(page, Tone::Bad, "broken off", said.into_iter().flatten());
        labelled(page, Tone::Warning, "what to do", std::iter::once(failure.fix().to_owned()));
    }
}

/// Sentences beside a word that is set off.
fn labelled(page: &mut Page, tone: Tone, label: &str, sentences: impl Iterator<Item = String>) {
    const INDENT: usize = 14;
    let (mut label, width) = (label, width(page) - INDENT);
    for line in sentences.flat_map(|sentence| wrap(&sentence, width)) {
        page.pieces(&[(tone, &format!("  {label:<12}")), (Tone::Plain, &line)]);
        label = "";
    }
}

fn headline(page: &mut Page, session: &Session) {
    page.gap();
    let verdict = match (&session.failure, session.handshake) {
        (None, Some(took)) => (Tone::Good, format!("passed, handshake in {}", milliseconds(took))),
        _ => (Tone::Bad, "FAILED".to_owned()),
    };
    let kind = match (session.resumed, session.hello_retry()) {
        (true, _) => ", taken up again",
        (false, true) => ", with another key share requested",
        (false, false) => "",
    };
    let title = format!("{}{kind}", session.version);
    page.pieces(&[(Tone::Strong, &title), (Tone::Plain, "  "), (verdict.0, &verdict.1)]);
}

/// `  ────▶  client hello         offers …`
fn step(page: &mut Page, step: &Step) {
    const NAME: usize = 21;
    const INDENT: usize = 9 + NAME;
    let arrow = match step.from {
        Some(Side::Client) => "  ────▶  ",
        Some(Side::Server) => "  ◀────  ",
        None => "  ◀───▶  ",
    };
    let width = width(page) - INDENT;
    let mut lines = step.says.iter().flat_map(|sentence| wrap(sentence, width));
    let first = lines.next().unwrap_or_default();
    let name = format!("{:<NAME$}", step.name);
    page.pieces(&[(Tone::Dim, arrow), (Tone::Strong, &name), (Tone::Plain, &first)]);
    for line in lines {
        page.line(&format!("{:INDENT$}{line}", ""));
    }
}

/// The figures of `--repeat`.
pub fn rates(page: &mut Page, title: &str, rates: &[Rate]) {
    page.gap();
    let how_many = rates.first().map_or_else(String::new, |rate| {
        let at_once = if rate.jobs == 1 { "one after another".to_owned() } else { format!("{} at once", rate.jobs) };
        format!("{} of each, {at_once}; times in ms, both sides computed by one thread", rate.count)
    });
    page.toned(Tone::Strong, title);
    for line in wrap(&how_many, width(page)) {
        page.toned(Tone::Dim, &line);
    }
    let head = ["TLS", "key", "group", "kind", "per s", "median", "p95", "p99", "bytes"];
    let rows: Vec<Vec<String>> = rates
        .iter()
        .map(|rate| {
            vec![
                rate.version.number().to_owned(),
                rate.key.clone(),
                rate.group.map_or_else(|| "-".to_owned(), |group| group.to_string()),
                if rate.resumed { "resumed" } else { "full" }.to_owned(),
                format!("{:.0}", rate.per_second()),
                figure(rate.median),
                figure(rate.p95),
                figure(rate.p99),
                rate.bytes.to_string(),
            ]
        })
        .collect();
    page.table(&head, &rows);
}

/// `1.83 ms`.
pub fn milliseconds(length: Duration) -> String {
    format!("{} ms", figure(length))
}

/// The same without its unit.
fn figure(length: Duration) -> String {
    format!("{:.2}", length.as_secs_f64() * 1000.0)
}

/// Breaks text at spaces into lines of at most `width` characters; a longer word is broken within.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        // An empty word is a space of its own.
        let mut pieces = letters.chunks(width.max(1)).map(String::from_iter).collect::<Vec<String>>();
        pieces.resize(pieces.len().max(1), String::new());
        for (number, piece) in pieces.into_iter().enumerate() {
            match lines.last_mut() {
                Some(line) if line.is_empty() => line.push_str(&piece),
                Some(line) if number == 0 && line.chars().count() + 1 + piece.chars().count() <= width => {
                    line.push(' ');
                    line.push_str(&piece);
                }
                _ => lines.push(piece),
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_at_spaces_and_nothing_is_lost() {
        let text = "offers TLS 1.3, 3 cipher suites and a_word_that_is_much_longer_than_the_line is";
        let lines = wrap(text, 20);
        assert_eq!(lines.concat().replace(' ', ""), text.replace(' ', ""));
        assert!(lines.iter().all(|line| line.chars().count() <= 20), "{lines:?}");
        assert_eq!(wrap(text, 100), [text]);
        assert_eq!(wrap("", 20), [""]);
    }
}
