//! What clients refuse in a certificate by itself.

use crate::clients::predict::Outcome;
use crate::clients::{ClientChoice, Fact, Prediction, certificate_facts, predict, table};
use crate::lint::{Finding, RULES, Severity};
use crate::verify::CLIENT_REFUSES;
use crate::x509::Certificate;

/// Predicts what each client says of a certificate, and makes an error of each fact that one of them refuses: of the finding
/// that reports it already, or of a new one.
pub fn ask(
    choices: &[ClientChoice<'static>],
    certificate: &Certificate,
    issuer: Option<&Certificate>,
    findings: &mut Vec<Finding>,
) -> Vec<Prediction<'static>> {
    if choices.is_empty() {
        return Vec::new();
    }
    let facts = certificate_facts(certificate.as_der(), issuer.map(Certificate::as_der));
    let predictions: Vec<_> = choices.iter().map(|choice| predict(table(), &facts, choice)).collect();
    for fact in &facts {
        let refusing: Vec<_> = predictions.iter().filter_map(|prediction| label(prediction, fact)).collect();
        if refusing.is_empty() {
            continue;
        }
        let code = table().lint_rule(fact).or_else(|| table().rule(fact)).unwrap_or(CLIENT_REFUSES.code);
        let clients = refusing.join(", ");
        match findings.iter_mut().find(|finding| finding.rule == code) {
            Some(known) if !known.message.contains(" refuses it: ") && !known.message.contains(" refuse it: ") => {
                known.severity = Severity::Error;
                let fix = known.hint.take().unwrap_or_default();
                known.hint = Some(format!("{fix}; refused by {clients}"));
            }
            _ => findings.push(refusal(fact, code, &clients, refusing.len())),
        }
    }
    predictions
}

/// Returns a client with the versions that refuse a fact; `None` when it does not refuse it.
fn label(prediction: &Prediction<'_>, fact: &Fact) -> Option<String> {
    let Outcome::No(refusals) = &prediction.outcome else { return None };
    let refusal = refusals.iter().find(|refusal| refusal.fact == *fact)?;
    Some(prediction.client.label(refusal.since, refusal.until))
}

fn refusal(fact: &Fact, code: &'static str, clients: &str, count: usize) -> Finding {
    let refuse = if count == 1 { "refuses" } else { "refuse" };
    let rule = RULES.iter().find(|rule| rule.code == code);
    Finding {
        rule: code,
        severity: Severity::Error,
        citation: rule.map_or(fact.word.citation, |rule| rule.citation),
        message: format!("{clients} {refuse} it: {}", fact.sentence()),
        hint: Some(rule.map_or(CLIENT_REFUSES.fix, |rule| rule.fix).to_owned()),
    }
}
