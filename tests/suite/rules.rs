//! One rule per file, with its citation and its own good and bad certificates, made in its own test.
//!
//! What a test shows is read in its body, not in its name: a rule has to be expected in one assertion of its file, and
//! to be silent in another.

use quote::ToTokens;
use syn::visit::{self, Visit};

use crate::support::{files_below, repository};

/// A rule that a file declares: `const RULE: Rule = Rule { … }` or `const EXPIRED: Code = Code { … }`.
struct Declared {
    name: String,
    cites: bool,
}

/// The files that declare no rule: tables of rules.
const TABLES: &[&str] = &["mod.rs", "lint_rules.rs"];

#[test]
fn every_rule_has_a_citation_and_tests_of_its_own_for_good_and_for_bad() {
    let mut lacking = Vec::new();
    let mut rules = 0;
    for file in files_below(&repository().join("src"), "rs") {
        if !file.parent().unwrap().components().any(|part| part.as_os_str() == "rules") {
            continue;
        }
        let shown = file.strip_prefix(repository()).unwrap().display().to_string();
        let declared = examine(&std::fs::read_to_string(&file).unwrap(), &mut |problem| {
            lacking.push(format!("{shown}: {problem}"));
        });
        let is_table = TABLES.contains(&&*file.file_name().unwrap().to_string_lossy());
        if (declared == 0) != is_table {
            lacking.push(format!("{shown}: declares {declared} rules"));
        }
        rules += declared;
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
    assert!(rules > 50, "only {rules} rules were found: are they in folders called `rules`?");
}

/// Says what the rules of a file lack, and returns how many it declares.
fn examine(text: &str, lacks: &mut dyn FnMut(String)) -> usize {
    let file = syn::parse_file(text).unwrap();
    let rules: Vec<Declared> = file.items.iter().filter_map(declared).collect();
    let mut tests = Assertions::default();
    tests.visit_file(&file);
    for rule in &rules {
        if !rule.cites {
            lacks(format!("`{}` has no citation", rule.name));
        }
        if !tests.found.iter().any(|assertion| expects(assertion, &rule.name)) {
            lacks(format!("no test expects `{}` of a certificate that breaks it", rule.name));
        }
    }
    if !rules.is_empty() && !tests.found.iter().any(|assertion| expects_nothing(assertion)) {
        lacks("no test shows a certificate of which nothing is said".to_owned());
    }
    rules.len()
}

fn declared(item: &syn::Item) -> Option<Declared> {
    let syn::Item::Const(constant) = item else { return None };
    let syn::Expr::Struct(value) = &*constant.expr else { return None };
    let kind = value.path.segments.last()?.ident.to_string();
    let citation =
        value.fields.iter().find(|field| matches!(&field.member, syn::Member::Named(it) if it == "citation"));
    let cites = citation.is_some_and(|field| field.expr.to_token_stream().to_string() != "\"\"");
    ["Rule", "Code"].contains(&kind.as_str()).then(|| Declared { name: constant.ident.to_string(), cites })
}

/// The arguments of every `assert!` and `assert_eq!` of the tests of a file, as words with one blank between them.
#[derive(Default)]
struct Assertions {
    in_test: bool,
    found: Vec<Vec<String>>,
}

impl<'ast> Visit<'ast> for Assertions {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let before = self.in_test;
        self.in_test |= function.attrs.iter().any(|attribute| attribute.path().is_ident("test"));
        visit::visit_item_fn(self, function);
        self.in_test = before;
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if self.in_test && ["assert", "assert_eq"].iter().any(|name| call.path.is_ident(name)) {
            self.found.push(call.tokens.to_string().split_whitespace().map(str::to_owned).collect());
        }
    }
}

/// Whether an assertion is about a certificate of which the rule says something.
fn expects(assertion: &[String], rule: &str) -> bool {
    let names_it = assertion.iter().any(|word| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_') == rule);
    names_it && !expects_nothing(assertion) && assertion.first().is_none_or(|first| !first.starts_with('!'))
}

/// Whether an assertion compares with nothing: `None`, `[]` or `[""; 0]`.
fn expects_nothing(assertion: &[String]) -> bool {
    let text = assertion.concat();
    let text = text.trim_end_matches(',');
    [",None", ",[]", ",[\"\";0]", ".is_none()", ".is_empty()"].iter().any(|end| {
        // A message may stand behind what is compared.
        text.ends_with(end) || text.contains(&format!("{end},\""))
    })
}

#[test]
fn what_the_rules_of_a_file_lack_is_found_in_its_assertions() {
    let lacking = |tests: &str| {
        let rule = "pub const RULE: Rule = Rule { citation: \"RFC\", check };";
        let mut problems = Vec::new();
        let text = format!("{rule}\n#[cfg(test)]\nmod tests {{ {tests} }}");
        assert_eq!(examine(&text, &mut |problem| problems.push(problem)), 1);
        problems
    };
    let bad = "#[test] fn a() { assert!(seen(&RULE, cert()).unwrap().contains(\"x\")); }";
    let good = "#[test] fn b() { assert_eq!(seen(&RULE, cert()), None, \"why\"); }";
    assert!(lacking(&format!("{bad} {good}")).is_empty());
    assert_eq!(lacking(bad), ["no test shows a certificate of which nothing is said"]);
    assert_eq!(lacking(good), ["no test expects `RULE` of a certificate that breaks it"]);
    // Neither a name nor a function that is not run is enough.
    assert_eq!(lacking("#[test] fn it_is_found_and_it_is_right() {}").len(), 2);
    assert_eq!(lacking(&bad.replace("#[test]", "")).len(), 2);
    assert_eq!(lacking("#[test] fn a() { assert!(!codes.contains(RULE.code)); }").len(), 2);

    let codes = "const A: Code = Code { citation: \"\" };\nconst B: Code = Code { citation: \"RFC\" };\n#[cfg(test)] mod tests {\n\
                 #[test] fn a() { assert_eq!(case().errors(), [A.code; 3]); assert_eq!(case().errors(), [\"\"; 0]); } }";
    let mut problems = Vec::new();
    assert_eq!(examine(codes, &mut |problem| problems.push(problem)), 2);
    assert_eq!(problems, ["`A` has no citation", "no test expects `B` of a certificate that breaks it"]);
}
