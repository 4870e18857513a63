//! `docs/reference/messages.md` is the catalogue of messages: every code of a failure and every rule of `ca verify` and
//! `ca lint`, with its messages, its meaning and its fix. It is made from the code; `CA_TEST_UPDATE=1` rewrites it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use ca::report::failure_codes;
use serde_json::Value;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};

use crate::support::leftovers::may_only_shrink;
use crate::support::program::Place;
use crate::support::repository;
use crate::support::rust_source::shipped_items;
use crate::support::shipped::sources;

const HEAD: &str = "\
# Messages

What `ca` prints when something fails or is wrong: the code, the messages with that code, what the code means and how to fix it.
Parts in braces differ: a name, a path, a time. The messages of a code may change; the code does not. A test makes this page from
the code.

## Failures

A failure ends a command with exit status 2 (the input cannot be understood) or 3 (refused or failed).

";

#[test]
fn the_catalogue_has_every_code_with_its_messages() {
    let found = messages();
    let mut page = HEAD.to_owned();
    let mut without = BTreeSet::new();
    for code in failure_codes::all() {
        writeln!(page, "### `{}`\n\nExit status {}: {}.\n", code.code, code.exit, code.means).unwrap();
        match found.get(&code.code) {
            Some(messages) => messages.iter().for_each(|message| writeln!(page, "- `{message}`").unwrap()),
            None => drop(without.insert(code.code)),
        }
        writeln!(page, "\nFix: {}.\n", code.fix.trim_end_matches('.')).unwrap();
    }
    // The messages of these come from clap, or from the error that the code is handed on with.
    assert_eq!(without, WITHOUT_OWN_MESSAGE.iter().map(|code| (*code).to_owned()).collect());
    page.push_str("## Rules\n\nWhat `ca verify` and `ca lint` find. `ca explain CODE` has more.\n\n");
    let document: Value = serde_json::from_str(&Place::new().done("--json explain")).unwrap();
    for rule in document["codes"].as_array().unwrap() {
        let text = |key: &str| rule[key].as_str().unwrap().to_owned();
        let (code, requirement, citation) = (text("code"), text("rule"), text("citation"));
        let (example, fix) = (text("example"), text("cure"));
        writeln!(page, "### `{code}`\n\n{requirement} ({citation}).\n\n- `{example}`\n\nFix: {fix}.\n").unwrap();
    }
    let page = format!("{}\n", page.trim_end());
    let file = repository().join("docs/reference/messages.md");
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/reference/messages.md is not what the code says; CA_TEST_UPDATE=1 rewrites it");
}

/// The most words of a sentence: the language page says so. Parts of a sentence that a semicolon separates are sentences.
const MOST_WORDS: usize = 20;

/// Reads the catalogue, which has every message: run it after the catalogue was rewritten.
#[test]
fn a_sentence_of_a_message_has_at_most_twenty_words() {
    let page = std::fs::read_to_string(repository().join("docs/reference/messages.md")).unwrap();
    let (mut code, mut long) = (String::new(), BTreeMap::<String, Vec<String>>::new());
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("### `") {
            code = heading.trim_end_matches('`').to_owned();
        }
        let message = line.strip_prefix("- `").and_then(|rest| rest.strip_suffix('`')).or(line.strip_prefix("Fix: "));
        let sentences = message.into_iter().flat_map(sentences);
        for sentence in sentences.filter(|sentence| words(sentence) > MOST_WORDS) {
            long.entry(code.clone()).or_default().push(format!("{} words: {sentence}", words(sentence)));
        }
    }
    let counts = long.iter().map(|(code, found)| (code.clone(), found.len())).collect();
    let places = |code: &str| long.get(code).cloned().unwrap_or_default();
    may_only_shrink("## Long sentences of messages", &counts, places);
}

fn sentences(message: &str) -> Vec<&str> {
    let ends = message.char_indices().filter(|(at, c)| {
        let is_end = matches!(c, '.' | ';' | '!' | '?');
        is_end && message[at + 1..].starts_with([' ', '\\'])
    });
    let mut from = 0;
    let mut found: Vec<&str> = ends.map(|(at, _)| &message[std::mem::replace(&mut from, at + 1)..at]).collect();
    found.push(&message[from..]);
    found
}

/// A part in braces, which stands for a name or a time, is a word.
fn words(sentence: &str) -> usize {
    sentence.split_whitespace().filter(|word| word.contains(|c: char| c.is_alphanumeric() || c == '{')).count()
}

#[test]
fn a_sentence_ends_at_a_point_or_a_semicolon_before_a_blank() {
    let found = sentences("'{}' is 0.5 of a.b; it ends. Then {}");
    assert_eq!(found.len(), 3, "{found:?}");
    assert_eq!(found.into_iter().map(words).collect::<Vec<_>>(), [5, 2, 2]);
}

/// Codes whose message is made elsewhere: of an inner error, of parts, or by a function. It may only become shorter.
const WITHOUT_OWN_MESSAGE: [&str; 30] = [
    "bad-address",
    "bad-request",
    "bad-template-name",
    "copy-failed",
    "exchange-failed",
    "hook-failed",
    "key-close-primes",
    "key-damaged",
    "key-exponent",
    "key-generation",
    "key-prime-modulus",
    "key-roca",
    "key-small-factor",
    "key-small-order",
    "key-too-long",
    "key-too-short",
    "no-party",
    "no-revoked-client",
    "not-a-request",
    "not-all-done",
    "not-all-renewed",
    "not-listed",
    "read-only",
    "revoked-issuer",
    "several-requests",
    "socket-failed",
    "template-breaks-rule",
    "template-exists",
    "tls-set-up",
    "unknown-owner",
];

/// The messages by their codes.
fn messages() -> BTreeMap<String, BTreeSet<String>> {
    let mut reader = Reader::default();
    for source in sources() {
        reader.visit_file(&shipped_items(&source.path).0);
    }
    let Reader { mut messages, variants, codes } = reader;
    for (error, code) in codes {
        for (_, message) in variants.iter().filter(|(variant, _)| **variant == error) {
            messages.entry(code.clone()).or_default().insert(message.clone());
        }
    }
    messages
}

/// A type of errors, and a variant of it.
type ErrorVariant = (String, String);

#[derive(Default)]
struct Reader {
    /// What `Failure::usage` and `Failure::refused` are called with.
    messages: BTreeMap<String, BTreeSet<String>>,
    /// The `#[error("…")]` of each variant.
    variants: BTreeMap<ErrorVariant, String>,
    /// The codes that `impl Diagnostic` gives to variants.
    codes: Vec<(ErrorVariant, String)>,
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        for variant in &item.variants {
            if let Some(message) = message_of(&variant.attrs) {
                self.variants.insert((item.ident.to_string(), variant.ident.to_string()), message);
            }
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        if let Some(message) = message_of(&item.attrs) {
            self.variants.insert((item.ident.to_string(), String::new()), message);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let name = |path: &syn::Path| path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let is_diagnostic = item.trait_.as_ref().is_some_and(|(path, _)| name(path) == "Diagnostic");
        if let (true, syn::Type::Path(of)) = (is_diagnostic, &*item.self_ty) {
            let mut arms = Arms { error: name(&of.path), codes: Vec::new() };
            arms.visit_item_impl(item);
            self.codes.append(&mut arms.codes);
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Some((code, Some(message))) = made(call) {
            self.messages.entry(code).or_default().insert(message);
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Ok(arguments) = call.parse_body_with(Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated) {
            arguments.iter().for_each(|argument| self.visit_expr(argument));
        }
    }
}

/// The arms of a `match` over the variants of an error.
struct Arms {
    error: String,
    codes: Vec<(ErrorVariant, String)>,
}

impl<'ast> Visit<'ast> for Arms {
    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        let mut calls = Calls(Vec::new());
        calls.visit_block(&item.block);
        // An error without variants.
        if let [code] = calls.0.as_slice() {
            self.codes.push(((self.error.clone(), String::new()), code.clone()));
        }
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let mut variants = Variants(Vec::new());
        variants.visit_pat(&arm.pat);
        let mut calls = Calls(Vec::new());
        calls.visit_expr(&arm.body);
        for variant in variants.0 {
            for code in &calls.0 {
                self.codes.push(((self.error.clone(), variant.clone()), code.clone()));
            }
        }
        visit::visit_arm(self, arm);
    }
}

struct Variants(Vec<String>);

impl<'ast> Visit<'ast> for Variants {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.first().is_some_and(|first| first.ident == "Self") {
            self.0.extend(path.segments.last().map(|segment| segment.ident.to_string()));
        }
    }
}

struct Calls(Vec<String>);

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        self.0.extend(made(call).map(|(code, _)| code));
        visit::visit_expr_call(self, call);
    }
}

/// The code and the message of `Failure::usage("code", "message")` and the like.
fn made(call: &syn::ExprCall) -> Option<(String, Option<String>)> {
    let syn::Expr::Path(maker) = &*call.func else { return None };
    let path: Vec<String> = maker.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let [.., of, kind] = path.as_slice() else { return None };
    if !["Failure", "Diagnosis", "Self"].contains(&of.as_str()) || !["usage", "refused"].contains(&kind.as_str()) {
        return None;
    }
    let code = literal(call.args.first()?)?;
    Some((code, call.args.get(1).and_then(literal)))
}

/// A string literal, or the template of `format!`.
fn literal(expression: &syn::Expr) -> Option<String> {
    match expression {
        syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
        syn::Expr::Macro(call) if call.mac.path.is_ident("format") => {
            let parser = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
            literal(call.mac.parse_body_with(parser).ok()?.first()?)
        }
        _ => None,
    }
}

/// The sentence of `#[error("…")]`.
fn message_of(attributes: &[syn::Attribute]) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.path().is_ident("error"))?;
    let syn::Meta::List(list) = &attribute.meta else { return None };
    let first = list.tokens.clone().into_iter().next()?;
    let text = syn::parse_str::<syn::LitStr>(&first.to_string()).ok()?.value();
    // `{0}` alone is the sentence of another error.
    Some(text).filter(|text| text.contains(' '))
}
