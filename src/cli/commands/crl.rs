//! `ca crl`: the revocation list of an authority.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use crate::authority::revocation::publish_crl;
use crate::authority::revocation::publish_crl::{Because, Order, Outcome, Status};
use crate::cli::options::number::whole_number;
use crate::cli::options::passphrase;
use crate::cli::options::passphrase::PassphraseArguments;
use crate::cli::output::Report;
use crate::cli::{Context, Failure};
use crate::report::page::{Page, Tone};
use crate::text;
use crate::text::Lifetime;
use crate::text::{distance, rfc3339};

#[derive(Debug, Args)]
pub struct Arguments {
    /// Choose the authority whose list it is [default: the one that issues]
    #[arg(long, value_name = "AUTHORITY")]
    authority: Option<String>,
    /// Choose how long the list is good [default: crl.lifetime in ca.toml]
    #[arg(long = "for", value_name = "D")]
    lifetime: Option<Lifetime>,
    /// Sign only when something changed, a file is missing, or less than a third of the list's life is left
    #[arg(long)]
    ensure: bool,
    /// Write a copy too: DER when the name ends in .der, else PEM; replaces an older list
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Go on with this CRL number, which must be greater than every one before
    #[arg(long, value_name = "N", conflicts_with = "ensure", value_parser = whole_number::<u64>)]
    number: Option<u64>,
    #[command(flatten)]
    passphrase: PassphraseArguments,
}

/// What came of it.
struct Listed {
    outcome: Outcome,
}

pub fn run(arguments: Arguments, context: &mut Context<'_>) -> Result<Box<dyn Report>, Failure> {
    let Arguments { authority, lifetime, ensure, out, number, passphrase } = arguments;
    let copy = out.map(|path| context.world.resolve(&path));
    let order = Order { authority, lifetime, ensure, number, copy };
    let outcome = publish(&order, &passphrase, context)?;
    Ok(Box::new(Listed { outcome }))
}

/// Signs a list, asking for the passphrase of the authority where one is needed.
pub(super) fn publish(
    order: &Order,
    passphrase: &PassphraseArguments,
    context: &Context<'_>,
) -> Result<Outcome, Failure> {
    let home = context.home()?;
    let mut ask = |question: &str| passphrase.open(&home, context, question).map_err(passphrase::refusal);
    Ok(publish_crl::publish(&home, order, &mut ask, &context.tools())?)
}

/// A list as commands show it to people.
pub(super) fn list_fields(outcome: &Outcome, page: &mut Page) {
    let number = format!("number {}", outcome.number);
    let (mark, done) = match outcome.status {
        Status::Signed(_) => ("✓ ", "Signed the revocation list of "),
        Status::Unchanged => ("= ", "Unchanged, not due: the revocation list of "),
    };
    let because = match outcome.status {
        Status::Signed(Because::Changed) => "  because something was revoked or released",
        Status::Signed(Because::Due) => "  because less than a third of its life was left",
        Status::Signed(Because::Files) => "  because its files were not as they were written",
        Status::Signed(Because::Ordered | Because::First) | Status::Unchanged => "",
    };
    page.pieces(&[
        (Tone::Good, mark),
        (Tone::Plain, done),
        (Tone::Strong, &outcome.authority),
        (Tone::Plain, ", "),
        (Tone::Plain, &number),
        (Tone::Dim, because),
    ]);
    page.field("issuer", &outcome.issuer.to_string());
    page.field("revoked", &count(outcome.revoked));
    page.field("issue date", &rfc3339(outcome.this_update));
    let left = distance(outcome.next_update - outcome.at);
    page.field("next update", &format!("{} ({left} left)", rfc3339(outcome.next_update)));
    page.field("list", &outcome.pem.display().to_string());
    page.field("list in DER", &outcome.der.display().to_string());
    if let Some(copy) = &outcome.copy {
        page.field("copy", &copy.display().to_string());
    }
}

fn count(certificates: u64) -> String {
    format!("{certificates} certificate{}", if certificates == 1 { "" } else { "s" })
}

/// A list as commands give it to programs.
pub(super) fn list_json(outcome: &Outcome) -> Value {
    let because = match outcome.status {
        Status::Signed(Because::Ordered) => Some("ordered"),
        Status::Signed(Because::First) => Some("first"),
        Status::Signed(Because::Changed) => Some("changed"),
        Status::Signed(Because::Due) => Some("due"),
        Status::Signed(Because::Files) => Some("files"),
        Status::Unchanged => None,
    };
    json!({
        "authority": outcome.authority,
        "issuer": outcome.issuer.to_string(),
        "status": if because.is_some() { "signed" } else { "unchanged" },
        "because": because,
        "number": outcome.number,
        "this_update": rfc3339(outcome.this_update),
        "next_update": rfc3339(outcome.next_update),
        "revoked": outcome.revoked,
        "fingerprint_sha256": text::hex(&outcome.fingerprint),
        "files": { "pem": outcome.pem, "der": outcome.der, "copy": outcome.copy },
    })
}

impl Report for Listed {
    fn text(&self, page: &mut Page) {
        list_fields(&self.outcome, page);
    }

    fn json(&self) -> Value {
        let mut document = json!({ "schema": "ca.crl/1" });
        if let (Some(all), Value::Object(facts)) = (document.as_object_mut(), list_json(&self.outcome)) {
            all.extend(facts);
        }
        document
    }

    fn is_account(&self) -> bool {
        true
    }
}
