//! `src/report/failure_codes.toml` lists every code that a failure can carry, with its exit status, and no other;
//! `docs/reference/exit-codes.md` has the same list.

use std::collections::BTreeSet;

use ca::report::failure_codes::{self, FailureCode};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};

use crate::support::repository;
use crate::support::rust_source::shipped_items;
use crate::support::shipped::sources;

/// A code, and the exit status that goes with it.
type Code = (String, u8);

#[test]
fn the_list_of_failure_codes_is_the_programs() {
    let listed: BTreeSet<Code> = failure_codes::all().into_iter().map(|code| (code.code, code.exit)).collect();
    let used = used();
    let missing: Vec<_> = used.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&used).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "src/report/failure_codes.toml does not list {missing:?}; no code of the program is {unknown:?}"
    );
}

/// `CA_TEST_UPDATE=1` writes the table.
#[test]
fn the_reference_has_every_failure_code() {
    let file = repository().join("docs/reference/exit-codes.md");
    let page = std::fs::read_to_string(&file).unwrap();
    let (before, rest) = page.split_once(TABLE_HEAD).expect("the page has the head of the table");
    let after = rest.split_once("\n\n").map_or(String::new(), |(_, after)| format!("\n{after}"));
    let row = |code: FailureCode| format!("| `{}` | {} | {} | {} |\n", code.code, code.exit, code.means, code.fix);
    let rows: String = failure_codes::all().into_iter().map(row).collect();
    let wanted = format!("{before}{TABLE_HEAD}{rows}{after}");
    if std::env::var_os("CA_TEST_UPDATE").is_some() {
        std::fs::write(&file, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        written == wanted,
        "docs/reference/exit-codes.md is not src/report/failure_codes.toml; CA_TEST_UPDATE=1 writes it"
    );
}

const TABLE_HEAD: &str = "| code | exit | means | what to do |\n| --- | --- | --- | --- |\n";

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
