//! `docs/reference/exit-codes.md` lists every code that a failure can carry, with its exit status, and no other.

use std::collections::BTreeSet;

use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};

use crate::support::rust_source::shipped_items;
use crate::support::shipped::sources;
use crate::support::{repository, table};

/// A code, and the exit status that goes with it.
type Code = (String, u8);

#[test]
fn the_list_of_failure_codes_is_the_programs() {
    let page = std::fs::read_to_string(repository().join("docs/reference/exit-codes.md")).unwrap();
    let rows = table::below_heading(&page, "## Failure codes");
    let listed: Vec<Code> = rows
        .iter()
        .flat_map(|row| {
            let status = row[1].parse().unwrap_or_else(|_| panic!("{:?} is no exit status", row[1]));
            table::code_words(&row[0]).into_iter().map(move |code| (code, status))
        })
        .collect();
    let in_order: BTreeSet<Code> = listed.iter().cloned().collect();
    assert!(listed.iter().eq(&in_order), "the table is not sorted by its codes, or has one twice");
    let used = used();
    let missing: Vec<_> = used.difference(&in_order).collect();
    let unknown: Vec<_> = in_order.difference(&used).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "docs/reference/exit-codes.md does not list {missing:?}; no code of the program is {unknown:?}"
    );
}

#[test]
fn every_failure_code_is_words_in_kebab_case() {
    for (code, _) in used() {
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_lowercase());
        assert!(code.split('-').all(is_word), "{code:?}");
    }
}

/// The codes with which `src/` makes a `Failure` or a `Diagnosis`.
fn used() -> BTreeSet<Code> {
    let mut calls = Calls::default();
    for source in sources() {
        let (items, _) = shipped_items(&source.path);
        let before = calls.seen;
        calls.visit_file(&items);
        // The reader of paths sees every token; a call that the parser did not come by would not be in the list.
        let named = source.paths.iter().filter(|named| is_maker(&named.path)).count();
        assert_eq!(calls.seen - before, named, "{}: a code is given where it cannot be read", source.path.display());
    }
    assert!(calls.unclear.is_empty(), "these give a code that cannot be read: {:#?}", calls.unclear);
    // Made from the words of the command line, where clap refuses them.
    calls.codes.insert(("bad-arguments".to_owned(), 2));
    calls.codes
}

/// Whether a path names `Failure::usage`, `Diagnosis::refused`, …
fn is_maker(path: &[String]) -> bool {
    matches!(path, [.., of, kind] if ["Failure", "Diagnosis", "Self"].contains(&&**of) && status_of(kind).is_some())
}

fn status_of(maker: &str) -> Option<u8> {
    match maker {
        "usage" => Some(2),
        "refused" => Some(3),
        _ => None,
    }
}

/// The calls that make a failure.
#[derive(Default)]
struct Calls {
    codes: BTreeSet<Code>,
    seen: usize,
    unclear: Vec<String>,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(maker) = &*call.func
            && let path = maker.path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>()
            && is_maker(&path)
        {
            self.seen += 1;
            let status = path.last().and_then(|kind| status_of(kind)).unwrap();
            match call.args.first() {
                Some(syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(code), .. })) => {
                    self.codes.insert((code.value(), status));
                }
                // A code that is handed on was given its name elsewhere: `code`, `cause.diagnosis().code`.
                Some(syn::Expr::Path(name)) if name.path.is_ident("code") => {}
                Some(syn::Expr::Field(field)) if matches!(&field.member, syn::Member::Named(it) if it == "code") => {}
                other => self.unclear.push(format!("{}({})", path.join("::"), other.to_token_stream())),
            }
        }
        visit::visit_expr_call(self, call);
    }

    /// Macros that take expressions: `vec![Err(Failure::usage("…", …))]`.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let parser = Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated;
        if let Ok(arguments) = call.parse_body_with(parser) {
            let mut inside = Calls::default();
            arguments.iter().for_each(|argument| inside.visit_expr(argument));
            self.codes.append(&mut inside.codes);
            self.unclear.append(&mut inside.unclear);
            self.seen += inside.seen;
        }
    }
}

#[test]
fn a_call_that_makes_a_failure_is_read_wherever_it_is() {
    let text = "fn f() -> R { match x { A => Err(Failure::usage(\n\"one-code\", format!(\"{}\", 1)).hint(\"\")), B => Diagnosis::refused(\"two\"), \
                C => Self::refused(code), D => Diagnosis::usage(cause.diagnosis().code), E => Diagnosis::usage(NAME), F => Other::usage(\"no\"), G => vec![Failure::usage(\"in-macro\")] } }";
    let mut calls = Calls::default();
    calls.visit_file(&syn::parse_file(text).unwrap());
    assert_eq!(
        calls.codes,
        BTreeSet::from([("in-macro", 2), ("one-code", 2), ("two", 3)].map(|(code, status)| (code.to_owned(), status)))
    );
    assert_eq!((calls.seen, calls.unclear.len()), (6, 1), "{:?}", calls.unclear);
}
