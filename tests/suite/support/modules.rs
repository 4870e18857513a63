//! Which file of `src/` imports which: the graph in which the structure tests look for circles.
//!
//! The rule, file by file:
//!
//! - A path is followed to the last module on it that has a file of its own: `crate::keys::PrivateKey` leads to
//!   `keys/mod.rs`, `crate::keys::key_file::read` to `keys/key_file/mod.rs`. It makes no difference whether a `use` names it
//!   or the code does, or whether it begins with `crate`, `self`, `super`, a child module or a name that a `use` brought in.
//! - Something that a `mod.rs` re-exports is imported from the `mod.rs`: whoever reads the importing file looks there first.
//! - `super::Thing` is an import of the parent's file, as `crate::parent::Thing` is.
//! - `mod child;` is no import, and neither is a re-export of something from below (`pub use child::Thing;`): they say where a
//!   thing is and need nothing of it. A parent that calls something of its child does import it.
//! - A file does not import itself.

use std::collections::{BTreeMap, BTreeSet};

use super::rust_source::{How, Named, Source};

/// A module path below the crate: `["x509", "decode"]`.
pub type Module = Vec<String>;

/// The imports between modules that have a file of their own.
pub struct Imports {
    /// For each module the modules that it imports, with the line of the first import.
    pub of: BTreeMap<Module, BTreeMap<Module, usize>>,
}

impl Imports {
    /// Reads them from the sources, of which each comes with its module path.
    pub fn between(sources: &[(Module, &Source)]) -> Self {
        let modules: BTreeSet<&Module> = sources.iter().map(|(module, _)| module).collect();
        let mut of = BTreeMap::new();
        for (module, source) in sources {
            let local = local_names(module, source, &modules);
            let mut imports: BTreeMap<Module, usize> = BTreeMap::new();
            for named in &source.paths {
                let Some(full) = full_path(module, named, &local, &modules) else { continue };
                let Some(file) = (1..=full.len()).rev().map(|n| full[..n].to_vec()).find(|it| modules.contains(it))
                else {
                    continue;
                };
                let from_below = file.len() > module.len() && file.starts_with(module);
                let only_shows = matches!(named.how, How::ReExport(_)) && from_below;
                if file != *module && !only_shows {
                    let line = imports.entry(file).or_insert(named.line);
                    *line = named.line.min(*line);
                }
            }
            of.insert(module.clone(), imports);
        }
        Self { of }
    }

    /// The circles: groups of modules of which each imports each other, directly or through others of the group.
    pub fn circles(&self) -> Vec<BTreeSet<Module>> {
        let reach: BTreeMap<&Module, BTreeSet<&Module>> =
            self.of.keys().map(|module| (module, self.reachable(module))).collect();
        let mut circles: Vec<BTreeSet<Module>> = Vec::new();
        for (module, reached) in &reach {
            if reached.contains(*module) && !circles.iter().any(|circle| circle.contains(*module)) {
                circles.push(
                    reached.iter().filter(|other| reach[**other].contains(*module)).map(|it| (*it).clone()).collect(),
                );
            }
        }
        circles
    }

    fn reachable(&self, from: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut open: Vec<&Module> = self.of[from].keys().collect();
        while let Some(module) = open.pop() {
            if reached.insert(module) {
                open.extend(self.of.get(module).into_iter().flat_map(BTreeMap::keys));
            }
        }
        reached
    }
}

/// What the `use` items of a file call modules and things of this crate: the local name, and the path behind it.
fn local_names(module: &Module, source: &Source, modules: &BTreeSet<&Module>) -> BTreeMap<String, Module> {
    let mut local = BTreeMap::new();
    for named in &source.paths {
        if let How::Import(name) | How::ReExport(name) = &named.how
            && let Some(full) = full_path(module, named, &BTreeMap::new(), modules)
        {
            local.insert(name.clone(), full);
        }
    }
    local
}

/// The path from the crate on, if it leads into this crate.
fn full_path(
    module: &Module,
    named: &Named,
    local: &BTreeMap<String, Module>,
    modules: &BTreeSet<&Module>,
) -> Option<Module> {
    let mut here = [module.as_slice(), named.inside.as_slice()].concat();
    let first = named.path.first()?;
    let rest = match first.as_str() {
        "crate" | "ca" => {
            here.clear();
            &named.path[1..]
        }
        "self" => &named.path[1..],
        "super" => {
            let climbed = named.path.iter().take_while(|segment| *segment == "super").count();
            here.truncate(here.len().saturating_sub(climbed));
            &named.path[climbed..]
        }
        _ => {
            let child = [here.as_slice(), std::slice::from_ref(first)].concat();
            if modules.contains(&child) {
                return Some([child.as_slice(), &named.path[1..]].concat());
            }
            here = local.get(first)?.clone();
            &named.path[1..]
        }
    };
    Some([here.as_slice(), rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn circles(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let sources: Vec<(Module, Source)> = files
            .iter()
            .map(|(module, text)| {
                let path = folder.path().join("sample.rs");
                std::fs::write(&path, text).unwrap();
                (module.split("::").map(str::to_owned).collect(), Source::read(&path))
            })
            .collect();
        let sources: Vec<(Module, &Source)> = sources.iter().map(|(module, source)| (module.clone(), source)).collect();
        let shown = |circle: &BTreeSet<Module>| circle.iter().map(|it| it.join("::")).collect::<Vec<_>>().join(" ");
        Imports::between(&sources).circles().iter().map(shown).collect()
    }

    #[test]
    fn a_circle_through_three_files_is_found_however_they_name_each_other() {
        let files = [
            ("room", "pub mod a; pub mod b; pub mod c; pub mod d; pub use a::A;"),
            ("room::a", "use super::b; fn f() { b::inner::g(); }"),
            ("room::b", "fn f() { let _ = format!(\"{}\", crate::room::c::h()); }"),
            ("room::c", "use crate::room::{d, a as other}; fn f() { other::f(); }"),
            ("room::d", "fn f() {}"),
        ];
        assert_eq!(circles(&files), ["room::a room::b room::c"]);
    }

    #[test]
    fn what_a_parent_shows_of_its_children_is_no_import() {
        let parent = "mod child; pub use child::Thing;";
        assert!(circles(&[("room", parent), ("room::child", "use super::Error;")]).is_empty());
        let calls = "mod child; fn f() { child::g() }";
        assert_eq!(circles(&[("room", calls), ("room::child", "use super::Error;")]), ["room room::child"]);
        assert_eq!(circles(&[("room", calls), ("room::child", "use crate::room::Error;")]), ["room room::child"]);
    }

    #[test]
    fn a_name_that_a_use_brought_in_leads_to_the_file_behind_it() {
        let files =
            [("a", "use crate::b; fn f() { b::c::g() }"), ("b", "pub mod c;"), ("b::c", "fn g() { crate::a::f() }")];
        assert_eq!(circles(&files), ["a b::c"]);
        assert!(circles(&[("a", "fn f() { b::c::g() }"), ("b", ""), ("b::c", "use crate::a::f;")]).is_empty());
    }

    #[test]
    fn an_inline_module_belongs_to_its_file() {
        let files = [("a", "mod oid { use super::X; use crate::b::Y; }"), ("b", "use crate::a::oid::Z;")];
        assert_eq!(circles(&files), ["a b"]);
        assert!(circles(&[("a", "mod oid { use super::X; }")]).is_empty());
    }
}
