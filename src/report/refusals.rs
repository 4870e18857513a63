//! What had to be refused, on the page: one line a case, grouped by who has to refuse it.

use crate::handshake::Refusal;
use crate::handshake::report::{ExpectedRefusal, HandshakeFailure, RefusalOutcome};
use crate::report::handshake::{width, wrap};
use crate::report::page::{Page, Tone};
use crate::tls::{Alert, Side};

/// The widths of the columns, in characters; with 25 in the last column a row fits a terminal of 80.
const MARK: usize = 6;
const TRIED: usize = 25;
const ALERT: usize = 24;

/// It begins further left than the others, so that it is found among them.
const WRONG: (Tone, &str) = (Tone::Bad, "WRONG ");

/// What had to be refused; versions that behave alike share a line.
pub fn refusals(page: &mut Page, refusals: &[Refusal]) {
    page.gap();
    page.toned(Tone::Strong, "What must be refused");
    for (by, group) in [(Side::Server, "by the server: a client"), (Side::Client, "by the client: a server")] {
        let of_group: Vec<&Refusal> = refusals.iter().filter(|refusal| refusal.expected.by == by).collect();
        if of_group.is_empty() {
            continue;
        }
        page.gap();
        page.toned(Tone::Dim, &format!("{:MARK$}{group:<TRIED$}{:<ALERT$}because", "", "alert on the wire"));
        let mut shown_cases: Vec<&str> = Vec::new();
        for refusal in &of_group {
            if !shown_cases.contains(&refusal.case) {
                shown_cases.push(refusal.case);
                let versions: Vec<&Refusal> =
                    of_group.iter().copied().filter(|other| other.case == refusal.case).collect();
                case(page, &versions);
            }
        }
    }
    caveats(page, refusals);
}

/// A case in every version that it was tried in.
fn case(page: &mut Page, versions: &[&Refusal]) {
    let [first, others @ ..] = versions else { return };
    // The group says already whether it is a client or a server.
    let tried = first.title.trim_start_matches("client ").trim_start_matches("server ");
    if others.iter().all(|other| alike(first, other)) {
        row(page, first, tried);
    } else {
        page.line(&format!("{:MARK$}{tried}", ""));
        for refusal in versions {
            row(page, refusal, &format!("  in {}", refusal.version));
        }
    }
}

fn alike(one: &Refusal, other: &Refusal) -> bool {
    match (&one.outcome, &other.outcome) {
        // The copies that were shown differ from version to version.
        (RefusalOutcome::Refused(one), RefusalOutcome::Refused(other)) => one.same_except_certificate(other),
        (one, other) => one == other,
    }
}

fn row(page: &mut Page, refusal: &Refusal, tried: &str) {
    let asterisk = if refusal.caveat.is_some() { "*" } else { "" };
    let tried = format!("{:<TRIED$}", format!("{tried}{asterisk}"));
    match &refusal.outcome {
        RefusalOutcome::Refused(found) => {
            let right = refusal.refused_as_expected();
            let (tone, mark) = if right { (Tone::Good, "  ok  ") } else { WRONG };
            let alert = found.alert.map_or_else(|| "none".to_owned(), |alert| alert.to_string());
            let because = words(found.cause.code);
            page.pieces(&[(tone, mark), (Tone::Plain, &format!("{tried}{alert:<ALERT$}{because}"))]);
            if !right {
                misjudged(page, found, refusal.expected);
            }
        }
        RefusalOutcome::Accepted => {
            let so_what = match refusal.expected.by {
                Side::Server => "the server let it in",
                Side::Client => "the client took it",
            };
            page.pieces(&[WRONG, (Tone::Plain, &tried), (Tone::Bad, so_what)]);
        }
        RefusalOutcome::Untried(reason) => {
            let room = width(page) - MARK - TRIED;
            let mut lines = wrap(&format!("not tried: {reason}"), room).into_iter();
            let first = lines.next().unwrap_or_default();
            page.pieces(&[(Tone::Warning, "  --  "), (Tone::Plain, &tried), (Tone::Dim, &first)]);
            for line in lines {
                page.toned(Tone::Dim, &format!("{:1$}{line}", "", MARK + TRIED));
            }
        }
    }
}

/// Who refused it how, and who should have.
fn misjudged(page: &mut Page, found: &HandshakeFailure, expected: ExpectedRefusal) {
    let alert = |alert: Option<Alert>| alert.map_or("no alert".to_owned(), |alert| format!("the alert {alert}"));
    let ExpectedRefusal { by, error, alert: due } = expected;
    let sentence = format!(
        "the {} refused it with {}; the {by} had to, with {}, because: {}",
        found.by,
        alert(found.alert),
        alert(due),
        words(error)
    );
    for line in wrap(&sentence, width(page) - MARK) {
        page.toned(Tone::Bad, &format!("{:MARK$}{line}", ""));
    }
}

/// A stable word as words.
fn words(code: &str) -> String {
    code.replace('-', " ")
}

/// What the asterisks mean.
fn caveats(page: &mut Page, refusals: &[Refusal]) {
    let mut caveats: Vec<&str> = refusals.iter().filter_map(|refusal| refusal.caveat).collect();
    caveats.dedup();
    let room = width(page) - MARK;
    for line in caveats.iter().flat_map(|caveat| wrap(caveat, room)).enumerate() {
        let mark = if line.0 == 0 { "    * " } else { "      " };
        page.toned(Tone::Dim, &format!("{mark}{}", line.1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handshake::cause::Cause;
    use crate::report::page::Page;
    use crate::report::relative::RelativePaths;
    use crate::report::style::Style;
    use crate::tls::TlsVersion;

    fn refusal(by: Side, version: TlsVersion, outcome: RefusalOutcome) -> Refusal {
        Refusal {
            case: "a-case",
            title: if by == Side::Server { "client that came late" } else { "server that came late" },
            version,
            outcome,
            expected: ExpectedRefusal {
                by,
                error: "certificate-not-yet-valid",
                alert: Some(Alert::CERTIFICATE_EXPIRED),
            },
            caveat: None,
            recording: None,
        }
    }

    fn refused(by: Side, alert: Alert, code: &'static str) -> RefusalOutcome {
        let cause = Cause { code, sentence: "so it is".to_owned(), date: None };
        RefusalOutcome::Refused(HandshakeFailure { by, alert: Some(alert), cause, certificate: None, likely: None })
    }

    fn shown(found: &[Refusal]) -> String {
        let mut page = Page::new(Style::PLAIN, RelativePaths::NONE);
        refusals(&mut page, found);
        page.into_string()
    }

    const BOTH: [TlsVersion; 2] = [TlsVersion::Tls13, TlsVersion::Tls12];

    #[test]
    fn versions_that_behave_alike_share_a_line_and_others_do_not() {
        let right = refused(Side::Server, Alert::CERTIFICATE_EXPIRED, "certificate-not-yet-valid");
        let same = shown(&BOTH.map(|version| refusal(Side::Server, version, right.clone())));
        assert_eq!(same.matches("that came late").count(), 1, "{same}");
        assert!(!same.contains("TLS 1."), "{same}");
        let [new, mut old] = BOTH.map(|version| refusal(Side::Server, version, right.clone()));
        old.outcome = RefusalOutcome::Accepted;
        let differing = shown(&[new, old]);
        assert!(differing.contains("  ok    in TLS 1.3             certificate_expired"), "{differing}");
        assert!(differing.contains("WRONG   in TLS 1.2             the server let it in"), "{differing}");
    }

    #[test]
    fn a_refusal_by_the_wrong_side_says_who_it_was_and_who_it_should_have_been() {
        let said =
            shown(&[refusal(Side::Client, BOTH[0], refused(Side::Server, Alert::BAD_CERTIFICATE, "wrong-name"))]);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentence = "the server refused it with the alert bad_certificate; the client had to, with the alert \
                        certificate_expired, because: certificate not yet valid";
        assert!(said.contains(sentence), "{said}");
        assert!(shown(&[refusal(Side::Client, BOTH[0], RefusalOutcome::Accepted)]).contains("the client took it"));
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        let mut found = vec![
            refusal(
                Side::Server,
                BOTH[0],
                refused(Side::Server, Alert::CERTIFICATE_EXPIRED, "certificate-not-yet-valid"),
            ),
            refusal(Side::Client, BOTH[0], refused(Side::Client, Alert::UNSUPPORTED_CERTIFICATE, "bad-signature")),
        ];
        found[0].case = "another";
        found[0].title = "client with server certificate";
        found[0].caveat =
            Some("shown under a throw-away CA, because no such certificate with its key was anywhere to be found");
        let reason = "no CRL was signed by the copy of whoever issued this certificate, as far as is known";
        found.push(Refusal {
            case: "a third",
            ..refusal(Side::Client, BOTH[0], RefusalOutcome::Untried(reason.to_owned()))
        });
        let said = shown(&found);
        assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
        assert!(
            said.contains("  ok  with server certificate* certificate_expired     certificate not yet valid"),
            "{said}"
        );
    }
}
