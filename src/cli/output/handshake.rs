//! A handshake on the page: the steps of a session, its messages as a ladder, and what was refused.

use std::time::Duration;

use super::{Page, Tone};
use crate::handshake::measure::Rate;
use crate::handshake::message::Message;
use crate::handshake::report::{Expected, Outcome};
use crate::handshake::steps::{Step, steps};
use crate::handshake::{Refusal, Session, Side};

/// Nothing is wider; the terminal of a primer's reader has 100 columns.
const WIDTH: usize = 98;

/// A session as the steps of a primer, one under the other.
pub fn session(page: &mut Page, session: &Session) {
    headline(page, session);
    let mut encrypted = false;
    for step in steps(session) {
        if step.encrypted && !encrypted {
            page.toned(Tone::Dim, &format!("         {:─<1$}", "from here on everything is encrypted ", WIDTH - 9));
            encrypted = true;
        }
        self::step(page, &step);
    }
    if let Some(breakdown) = &session.breakdown {
        let alert = breakdown.alert.as_ref().map(|alert| format!("its alert on the wire: {alert}"));
        let said = [Some(format!("the {} refused: {}", breakdown.by, breakdown.cause.sentence)), alert];
        labelled(page, Tone::Bad, "broken off", said.into_iter().flatten());
        labelled(page, Tone::Warning, "what to do", breakdown.cause.cure().map(str::to_owned).into_iter());
    }
}

/// Sentences beside a word that is set off.
fn labelled(page: &mut Page, tone: Tone, label: &str, sentences: impl Iterator<Item = String>) {
    const INDENT: usize = 14;
    let mut label = label;
    for line in sentences.flat_map(|sentence| wrap(&sentence, WIDTH - INDENT)) {
        page.pieces(&[(tone, &format!("  {label:<12}")), (Tone::Plain, &line)]);
        label = "";
    }
}

fn headline(page: &mut Page, session: &Session) {
    page.gap();
    let verdict = match (&session.breakdown, session.handshake) {
        (None, Some(took)) => (Tone::Good, format!("passed, handshake in {}", milliseconds(took))),
        _ => (Tone::Bad, "FAILED".to_owned()),
    };
    page.pieces(&[(Tone::Strong, &session.version.to_string()), (Tone::Plain, "  "), (verdict.0, &verdict.1)]);
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
    let mut lines = step.says.iter().flat_map(|sentence| wrap(sentence, WIDTH - INDENT));
    let first = lines.next().unwrap_or_default();
    let name = format!("{:<NAME$}", step.name);
    page.pieces(&[(Tone::Dim, arrow), (Tone::Strong, &name), (Tone::Plain, &first)]);
    for line in lines {
        page.line(&format!("{:INDENT$}{line}", ""));
    }
}

/// Every message of a session between the life lines of client and server.
pub fn ladder(page: &mut Page, session: &Session) {
    const INSIDE: usize = WIDTH - 4;
    page.gap();
    page.pieces(&[
        (Tone::Strong, &format!("{}, message by message", session.version)),
        (Tone::Dim, "   ─── in the clear   ═══ encrypted"),
    ]);
    page.line(&format!("client{:>1$}", "server", WIDTH - 6));
    for message in &session.messages {
        let rung = rung(message, INSIDE);
        let tone = if is_fatal(message) { Tone::Bad } else { Tone::Plain };
        page.pieces(&[(Tone::Dim, "  │"), (tone, &rung), (Tone::Dim, "│")]);
        for (name, value) in message.facts() {
            let indent = if message.from == Side::Client { 3 } else { 16 };
            let mut label = name;
            for line in wrap(&value, INSIDE - indent - 17) {
                let fact = format!("{:indent$}{label:<15}{line}", "");
                page.pieces(&[(Tone::Dim, "  │"), (Tone::Dim, &format!("{fact:<INSIDE$}")), (Tone::Dim, "│")]);
                label = "";
            }
        }
    }
}

/// `── ClientHello ─────────── 1410 bytes ── 0.12 ms ─▶`, or the same the other way round.
fn rung(message: &Message, width: usize) -> String {
    let line = if message.encrypted { "═" } else { "─" };
    let unit = if message.bytes == 1 { "byte" } else { "bytes" };
    let size = format!("{} {unit}, {}", message.bytes, milliseconds(message.at));
    let name = message.name();
    let dashes = |count: usize| line.repeat(count);
    let used = name.chars().count() + size.chars().count();
    match message.from {
        Side::Client => {
            format!("{} {name} {} {size} {}▶", dashes(2), dashes(width.saturating_sub(used + 10)), dashes(3))
        }
        Side::Server => {
            format!("◀{} {name} {} {size} {}", dashes(14), dashes(width.saturating_sub(used + 21)), dashes(2))
        }
    }
}

fn is_fatal(message: &Message) -> bool {
    use crate::handshake::message::Body;
    matches!(&message.body, Body::Alert { description, .. } if description != "close_notify")
}

/// What had to be refused, one line a case; versions that behave alike share it.
pub fn refusals(page: &mut Page, refusals: &[Refusal]) {
    page.gap();
    page.toned(Tone::Strong, "What must be refused");
    page.toned(
        Tone::Dim,
        &format!("        {:<36}{:<12}{:<26}{}", "tried", "refused by", "alert on the wire", "because"),
    );
    let mut told: Vec<&Refusal> = Vec::new();
    for refusal in refusals {
        if told.iter().any(|earlier| earlier.case == refusal.case && alike(earlier, refusal)) {
            continue;
        }
        told.push(refusal);
        let same: Vec<&Refusal> = refusals.iter().filter(|other| other.case == refusal.case).collect();
        let title = if same.iter().all(|other| alike(other, refusal)) {
            refusal.title.to_owned()
        } else {
            format!("{} ({})", refusal.title, refusal.version)
        };
        case(page, refusal, &title);
    }
}

fn alike(one: &Refusal, other: &Refusal) -> bool {
    one.outcome == other.outcome
}

fn case(page: &mut Page, refusal: &Refusal, title: &str) {
    let title = format!("{title:<36}");
    match &refusal.outcome {
        Outcome::Refused(found) => {
            let alert = found.alert.as_deref().unwrap_or("none");
            let row = format!("{:<12}{alert:<26}{}", found.by, found.cause.code.replace('-', " "));
            if refusal.for_the_right_reason() {
                page.pieces(&[(Tone::Good, "  ok    "), (Tone::Plain, &title), (Tone::Plain, &row)]);
            } else {
                page.pieces(&[(Tone::Bad, "  WRONG "), (Tone::Plain, &title), (Tone::Plain, &row)]);
                let Expected { by, error, alert } = refusal.expected;
                let alert = alert.map_or("no alert".to_owned(), |alert| format!("the alert {alert}"));
                let wanted = format!("the {by} had to refuse it with {alert}, because: {}", error.replace('-', " "));
                page.toned(Tone::Bad, &format!("        {wanted}"));
            }
        }
        Outcome::Accepted => {
            page.pieces(&[(Tone::Bad, "  WRONG "), (Tone::Plain, &title), (Tone::Bad, "accepted by both sides")]);
        }
        Outcome::Untried(reason) => {
            page.pieces(&[
                (Tone::Warning, "  --    "),
                (Tone::Plain, &title),
                (Tone::Dim, &format!("not tried: {reason}")),
            ]);
        }
    }
}

/// The figures of `--repeat`.
pub fn rates(page: &mut Page, rates: &[Rate]) {
    page.gap();
    page.toned(Tone::Strong, "How fast, both sides computed on one processor");
    let head = ["", "handshake", "count", "per second", "median", "95 of 100", "99 of 100", "bytes"];
    let rows: Vec<Vec<String>> = rates
        .iter()
        .map(|rate| {
            vec![
                rate.version.to_string(),
                if rate.resumed { "resumed" } else { "full" }.to_owned(),
                rate.count.to_string(),
                format!("{:.0}", rate.per_second()),
                milliseconds(rate.median),
                milliseconds(rate.p95),
                milliseconds(rate.p99),
                rate.octets.to_string(),
            ]
        })
        .collect();
    page.table(&head, &rows);
}

/// `1.83 ms`.
pub fn milliseconds(length: Duration) -> String {
    format!("{:.2} ms", length.as_secs_f64() * 1000.0)
}

/// Breaks text at spaces into lines of at most `width` characters; a longer word stands alone.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().filter(|line| !line.is_empty());
        match line {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(word.to_owned()),
            None => lines.iter_mut().for_each(|line| line.push_str(word)),
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
        assert_eq!(lines.join(" "), text);
        assert!(lines.iter().all(|line| line.chars().count() <= 20 || !line.contains(' ')));
        assert_eq!(wrap("", 20), [""]);
    }
}
