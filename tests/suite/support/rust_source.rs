//! A Rust file as the structure tests read it: the shipped code of it, every path that it names, every name that it
//! declares.
//!
//! The file is parsed by `syn`. Paths outside `use` are looked for in the tokens, because `syn` does not parse the arguments of
//! macros (`format!("{}", crate::text::escape(it))`). What this reader does not see is what `rustc` would have to
//! expand: a macro of our own that names another file is seen where it is defined, not where it is used.

use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Ident, LineColumn, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};

/// The shipped code of one file.
pub struct Source {
    pub path: PathBuf,
    /// The text with comments, literals and `#[cfg(test)]` items blanked out; everything else is where it was.
    pub code: String,
    /// The modules that are declared `#[cfg(test)] mod name;`: their files are tests.
    pub test_modules: Vec<String>,
    /// Every path of at least two segments, those of `use` written out one by one.
    pub paths: Vec<Named>,
    /// The types, functions, fields, modules, constants, … that the file declares.
    pub names: Vec<Declared>,
}

/// A path that a file names: `["crate", "keys", "PrivateKey"]`.
pub struct Named {
    pub path: Vec<String>,
    pub line: usize,
    pub how: How,
    /// The inline modules around it: `mod oid { … }`.
    pub inside: Vec<String>,
}

/// The way in which a path is named.
#[derive(Debug, PartialEq, Eq)]
pub enum How {
    /// By `use`, under this local name (`*` for everything in it).
    Import(String),
    /// By `pub use`, under this name.
    ReExport(String),
    /// In the code.
    Inline,
}

impl Named {
    /// Whether a `use` names it.
    pub fn is_imported(&self) -> bool {
        self.how != How::Inline
    }
}

/// An identifier where it is declared.
#[derive(Debug, Clone)]
pub struct Declared {
    pub name: String,
    pub line: usize,
}

impl Source {
    /// Reads a file.
    ///
    /// # Panics
    /// When it is not Rust, or has a `#[cfg(test)]` at a place that this reader does not know.
    pub fn read(path: &Path) -> Self {
        let (file, test_modules) = shipped_items(path);
        let mut check = TestAttributes::default();
        check.visit_file(&file);
        assert!(check.lines.is_empty(), "{}: #[cfg(test)] on what is not an item: {:?}", path.display(), check.lines);
        let code = laid_out(file.to_token_stream());
        let mut declared = Declarations::default();
        declared.visit_file(&file);
        let mut paths = Vec::new();
        paths_of(file.items, &[], &mut paths);
        Self { path: path.to_owned(), code, test_modules, paths, names: declared.names }
    }

    /// The lines on which a piece of code is found.
    pub fn lines_with(&self, piece: &str) -> Vec<usize> {
        let word = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let first_is_word = word(piece.chars().next());
        self.code
            .match_indices(piece)
            .filter(|(at, _)| !(first_is_word && word(self.code[..*at].chars().next_back())))
            .map(|(at, _)| self.code[..at].matches('\n').count() + 1)
            .collect()
    }
}

/// Parses a file without what is compiled for tests only, and returns the names of the test modules that it declares.
pub fn shipped_items(path: &Path) -> (syn::File, Vec<String>) {
    let text = std::fs::read_to_string(path).unwrap();
    let mut file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut tests = WithoutTests::default();
    tests.visit_file_mut(&mut file);
    (file, tests.modules)
}

/// Whether attributes say that something is compiled for tests only.
fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = attribute.meta.to_token_stream().to_string().replace(' ', "");
        condition == "cfg(test)" || condition.starts_with("cfg(all(test,")
    })
}

fn attributes_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(it) => &it.attrs,
        syn::Item::Enum(it) => &it.attrs,
        syn::Item::ExternCrate(it) => &it.attrs,
        syn::Item::Fn(it) => &it.attrs,
        syn::Item::Impl(it) => &it.attrs,
        syn::Item::Macro(it) => &it.attrs,
        syn::Item::Mod(it) => &it.attrs,
        syn::Item::Static(it) => &it.attrs,
        syn::Item::Struct(it) => &it.attrs,
        syn::Item::Trait(it) => &it.attrs,
        syn::Item::Type(it) => &it.attrs,
        syn::Item::Use(it) => &it.attrs,
        _ => &[],
    }
}

fn attributes_in_impl(item: &syn::ImplItem) -> &[syn::Attribute] {
    match item {
        syn::ImplItem::Const(it) => &it.attrs,
        syn::ImplItem::Fn(it) => &it.attrs,
        syn::ImplItem::Type(it) => &it.attrs,
        _ => &[],
    }
}

/// Removes what is compiled for tests only.
#[derive(Default)]
struct WithoutTests {
    modules: Vec<String>,
}

impl WithoutTests {
    fn keep(&mut self, item: &syn::Item) -> bool {
        let for_tests = is_for_tests(attributes_of(item));
        if let syn::Item::Mod(module) = item
            && for_tests
            && module.content.is_none()
        {
            self.modules.push(module.ident.to_string());
        }
        !for_tests
    }
}

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        file.items.retain(|item| self.keep(item));
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(|item| self.keep(item));
        }
        visit_mut::visit_item_mod_mut(self, module);
    }

    fn visit_item_impl_mut(&mut self, item: &mut syn::ItemImpl) {
        item.items.retain(|item| !is_for_tests(attributes_in_impl(item)));
        visit_mut::visit_item_impl_mut(self, item);
    }

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        block
            .stmts
            .retain(|statement| !matches!(statement, syn::Stmt::Item(item) if is_for_tests(attributes_of(item))));
        visit_mut::visit_block_mut(self, block);
    }
}

/// Finds the `#[cfg(test)]` that [`WithoutTests`] has left.
#[derive(Default)]
struct TestAttributes {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for TestAttributes {
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if is_for_tests(std::slice::from_ref(attribute)) {
            self.lines.push(attribute.pound_token.span.start().line);
        }
    }
}

/// Collects the names that are declared.
#[derive(Default)]
struct Declarations {
    names: Vec<Declared>,
}

impl Declarations {
    fn note(&mut self, name: &Ident) {
        let text = name.to_string();
        self.names.push(Declared { name: text.trim_start_matches("r#").to_owned(), line: name.span().start().line });
    }
}

macro_rules! note_the_name_of {
    ($($visit:ident: $what:ty),* $(,)?) => {
        $(fn $visit(&mut self, item: &'ast $what) {
            self.note(&item.ident);
            visit::$visit(self, item);
        })*
    };
}

impl<'ast> Visit<'ast> for Declarations {
    note_the_name_of! {
        visit_impl_item_const: syn::ImplItemConst,
        visit_item_const: syn::ItemConst,
        visit_item_enum: syn::ItemEnum,
        visit_item_mod: syn::ItemMod,
        visit_item_static: syn::ItemStatic,
        visit_item_struct: syn::ItemStruct,
        visit_item_trait: syn::ItemTrait,
        visit_item_type: syn::ItemType,
        visit_trait_item_const: syn::TraitItemConst,
        visit_variant: syn::Variant,
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.note(&signature.ident);
        visit::visit_signature(self, signature);
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if let Some(name) = &field.ident {
            self.note(name);
        }
        visit::visit_field(self, field);
    }

    /// Arguments and local variables.
    fn visit_pat_ident(&mut self, pattern: &'ast syn::PatIdent) {
        self.note(&pattern.ident);
        visit::visit_pat_ident(self, pattern);
    }
}

/// Takes the `use` items out of a tree, wherever they are, and writes their paths out.
struct Imports<'a> {
    inside: &'a [String],
    found: Vec<Named>,
}

impl VisitMut for Imports<'_> {
    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        if let syn::Item::Use(import) = item {
            let line = import.use_token.span.start().line;
            let is_public = !matches!(import.vis, syn::Visibility::Inherited);
            let mut leaves = Vec::new();
            expand(&import.tree, &[], &mut leaves);
            self.found.extend(leaves.into_iter().map(|(path, name)| {
                let how = if is_public { How::ReExport(name) } else { How::Import(name) };
                Named { path, line, how, inside: self.inside.to_vec() }
            }));
            *item = syn::Item::Verbatim(TokenStream::new());
        } else {
            visit_mut::visit_item_mut(self, item);
        }
    }
}

fn paths_of(items: Vec<syn::Item>, inside: &[String], paths: &mut Vec<Named>) {
    let mut imports = Imports { inside, found: Vec::new() };
    for mut item in items {
        if let syn::Item::Mod(module) = &mut item
            && let Some((_, items)) = module.content.take()
        {
            paths_of(items, &[inside, &[module.ident.to_string()]].concat(), paths);
            continue;
        }
        imports.visit_item_mut(&mut item);
        let mut tokens = Vec::new();
        flatten(item.to_token_stream(), &mut tokens);
        paths.extend(inline_paths(&tokens).into_iter().map(|(path, line)| Named {
            path,
            line,
            how: How::Inline,
            inside: inside.to_vec(),
        }));
    }
    paths.append(&mut imports.found);
}

/// Writes `a::{b, c::{d, e as f}}` out as one path for each leaf, with its local name; `self` is the path before it.
fn expand(tree: &syn::UseTree, before: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
    let with = |name: &Ident| {
        let mut path = before.to_vec();
        if name != "self" || path.is_empty() {
            path.push(name.to_string());
        }
        path
    };
    match tree {
        syn::UseTree::Path(path) => expand(&path.tree, &with(&path.ident), leaves),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| expand(tree, before, leaves)),
        syn::UseTree::Name(name) => {
            let path = with(&name.ident);
            let local = path.last().cloned().unwrap_or_default();
            leaves.push((path, local));
        }
        syn::UseTree::Rename(rename) => leaves.push((with(&rename.ident), rename.rename.to_string())),
        syn::UseTree::Glob(_) => leaves.push((before.to_vec(), "*".to_owned())),
    }
}

/// One token with its place; brackets are tokens as well.
struct Token {
    text: String,
    kind: Kind,
    at: LineColumn,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Literal,
    Sign,
}

/// The tokens in the order of the text, without doc comments.
fn flatten(stream: TokenStream, tokens: &mut Vec<Token>) {
    let trees: Vec<TokenTree> = stream.into_iter().collect();
    let mut at = 0;
    while let Some(tree) = trees.get(at) {
        let doc = doc_comment(&trees[at..]);
        if doc > 0 {
            at += doc;
            continue;
        }
        let mut push = |text: String, kind: Kind, at: LineColumn| tokens.push(Token { text, kind, at });
        match tree {
            TokenTree::Ident(ident) => push(ident.to_string(), Kind::Word, ident.span().start()),
            TokenTree::Punct(punct) => push(punct.as_char().to_string(), Kind::Sign, punct.span().start()),
            TokenTree::Literal(literal) => push(String::new(), Kind::Literal, literal.span().start()),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), Kind::Sign, group.span_open().start());
                flatten(group.stream(), tokens);
                tokens.push(Token { text: close.to_owned(), kind: Kind::Sign, at: group.span_close().start() });
            }
        }
        at += 1;
    }
}

/// How many of the first trees are a doc comment, which the lexer turns into `#[doc = "…"]`.
fn doc_comment(trees: &[TokenTree]) -> usize {
    let is = |tree: Option<&TokenTree>, sign: char| matches!(tree, Some(TokenTree::Punct(it)) if it.as_char() == sign);
    let is_doc = |tree: Option<&TokenTree>| match tree {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Bracket => {
            matches!(group.stream().into_iter().next(), Some(TokenTree::Ident(first)) if first == "doc")
        }
        _ => false,
    };
    match trees {
        [first, ..] if is(Some(first), '#') && is_doc(trees.get(1)) => 2,
        [first, ..] if is(Some(first), '#') && is(trees.get(1), '!') && is_doc(trees.get(2)) => 3,
        _ => 0,
    }
}

/// The code as it stands in the file, with blanks for everything else.
fn laid_out(stream: TokenStream) -> String {
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    let mut lines: Vec<Vec<char>> = Vec::new();
    for token in tokens.iter().filter(|token| token.kind != Kind::Literal) {
        let row = token.at.line - 1;
        if lines.len() <= row {
            lines.resize(row + 1, Vec::new());
        }
        let end = token.at.column + token.text.chars().count();
        if lines[row].len() < end {
            lines[row].resize(end, ' ');
        }
        lines[row].splice(token.at.column..end, token.text.chars());
    }
    lines.into_iter().map(|line| line.into_iter().collect::<String>() + "\n").collect()
}

/// The paths of at least two segments in the midst of code, with their lines.
fn inline_paths(tokens: &[Token]) -> Vec<(Vec<String>, usize)> {
    let is_separator = |at: usize| matches!(tokens.get(at..at + 2), Some([a, b]) if a.text == ":" && b.text == ":");
    let is_word = |at: usize| tokens.get(at).is_some_and(|token| token.kind == Kind::Word);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        at += 1;
        if !is_word(start) || start >= 2 && is_separator(start - 2) {
            continue;
        }
        let mut path = vec![tokens[start].text.clone()];
        while is_separator(at) && is_word(at + 2) {
            path.push(tokens[at + 2].text.clone());
            at += 3;
        }
        if path.len() > 1 {
            found.push((path, tokens[start].at.line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Source {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sample.rs");
        std::fs::write(&file, text).unwrap();
        Source::read(&file)
    }

    fn shown(source: &Source) -> Vec<String> {
        let mut paths: Vec<String> =
            source.paths.iter().map(|named| format!("{}:{}", named.line, named.path.join("::"))).collect();
        paths.sort();
        paths
    }

    #[test]
    fn the_reader_of_sources_sees_what_rustc_sees() {
        let source = read(
            r##"
use crate::keys::{self, PrivateKey, key_file::{read as r}}; // use crate::cli;
pub(crate) use super::x509;
/* crate::system */ const A: &str = "crate::handshake \" crate::cli"; const B: char = '"';
fn f<'a>(x: &'a str) { crate::verify::judge(x); let _ = r#"crate::cli "quoted""#; }
#[cfg(test)]
mod tests { use crate::authority; fn g() { x.unwrap(); } }
#[cfg(test)]
mod samples;
fn h() { b'"'; crate::lint::run(); }
"##,
        );
        let expected = [
            "10:crate::lint::run",
            "2:crate::keys",
            "2:crate::keys::PrivateKey",
            "2:crate::keys::key_file::read",
            "3:super::x509",
            "5:crate::verify::judge",
        ];
        assert_eq!(shown(&source), expected);
        assert_eq!(source.test_modules, ["samples"]);
        assert!(source.lines_with(".unwrap()").is_empty());
        let how: Vec<&How> = source.paths.iter().map(|named| &named.how).collect();
        assert!(how.contains(&&How::Import("r".to_owned())) && how.contains(&&How::ReExport("x509".to_owned())));
    }

    #[test]
    fn a_path_in_the_arguments_of_a_macro_is_seen_and_one_in_a_doc_comment_is_not() {
        let source = read(
            "//! crate::cli\n/// [`crate::lint::run`]\nfn f() {\n    println!(\"{}\", crate::text::escape(a).unwrap());\n}\n\
             mod inner { fn g() { super::f() } }\nfn h() { use crate::keys::*; Vec::<u8>::new(); <A as super::B>::c() }\n",
        );
        assert_eq!(shown(&source), ["4:crate::text::escape", "6:super::f", "7:crate::keys", "7:super::B"]);
        assert_eq!(source.paths.iter().find(|named| named.line == 6).unwrap().inside, ["inner"]);
        assert_eq!(source.lines_with(".unwrap()"), [4]);
        assert_eq!(source.lines_with("println!"), [4]);
    }

    #[test]
    fn the_code_is_where_it_was() {
        let source = read("fn f() {\n    // a.unwrap()\n    /* ü */ let _ = (\"ü\", a.b()); // end\n}\n");
        assert_eq!(source.code, "fn f() {\n\n            let _ = (   , a.b());\n}\n");
    }

    #[test]
    fn names_are_noted_where_they_are_declared() {
        let source = read(
            "struct Court { exhibit: u8 }\nenum Verdict { No }\ntrait Ask { fn ask(&self, whom: u8); }\nconst MOST: u8 = 1;\n\
             impl Court { fn judge(&self) { let told = Other::elsewhere(); } #[cfg(test)] fn unseen() {} }\nmod r#type;\n\
             static S: u8 = 0; type T = u8;\n",
        );
        let mut names: Vec<&str> = source.names.iter().map(|declared| declared.name.as_str()).collect();
        names.sort_unstable();
        let expected =
            ["Ask", "Court", "MOST", "No", "S", "T", "Verdict", "ask", "exhibit", "judge", "told", "type", "whom"];
        assert_eq!(names, expected);
    }

    #[test]
    #[should_panic(expected = "#[cfg(test)] on what is not an item: [2]")]
    fn a_test_attribute_that_the_reader_does_not_know_is_not_passed_over() {
        read("struct A {\n    #[cfg(test)]\n    field: u8,\n}\n");
    }
}
