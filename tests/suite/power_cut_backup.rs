//! The power goes while `ca backup` or `ca restore` runs: under the final name there is a whole backup, or a whole CA, or nothing
//! new; and what was reported is there. `power_cut.rs` does so with the other commands, on the same model of a disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::backup_safety::{RESTORE, backup, begin, is_good, is_restored};
use crate::power_cut::{digest_of, hidden, ok, without_chance};
use crate::safety::{listed, told};
use crate::support::fault::{self, Disk};
use crate::support::power::{self, Model, Tree};
use crate::support::program::Place;
use crate::support::trace::{self, Call};

/// Of the survivals in which nothing has its final name yet, the command is run again in one of so many.
const ONE_IN: usize = 24;

/// One command that makes a file or folder, and the disk before and after it.
struct Run {
    words: String,
    /// What it makes.
    made: PathBuf,
    top: PathBuf,
    before: Tree,
    calls: Vec<Call>,
    after: Tree,
    /// What the CA knows.
    known: BTreeSet<String>,
}

#[test]
fn a_backup_survives_a_power_cut_once_it_has_reported() {
    let run = Run::record(&backup("kept/new.age"), "kept/new.age", |place| fs::create_dir(place.path("kept")).unwrap());
    check(run, &["kept/.staged", "kept"], "");
}

#[test]
fn a_backup_in_the_place_of_another_survives_a_power_cut_once_it_has_reported() {
    let run = Run::record(&(backup("one.age") + " --force"), "one.age", |_| {});
    check(run, &[".staged", ""], "");
}

#[test]
fn a_restored_ca_survives_a_power_cut_once_it_is_reported() {
    check(Run::record(RESTORE, "restored", |_| {}), &[".staged", ""], ".staged");
}

#[test]
fn a_ca_that_is_restored_below_new_folders_survives_a_power_cut_once_it_is_reported() {
    let words = "restore one.age new/er/restored --identity identity";
    check(Run::record(words, "new/er/restored", |_| {}), &["new/er/.staged", "new/er"], "new/er/.staged");
}

#[test]
fn a_ca_that_is_restored_over_an_empty_folder_survives_a_power_cut_once_it_is_reported() {
    let run = Run::record(RESTORE, "restored", |place| fs::create_dir(place.path("restored")).unwrap());
    check(run, &[".staged", ""], ".staged");
}

/// Looks at the survivals of a run; then leaves out each of these syncs, without which something has to be lost.
fn check(run: Option<Run>, needed: &[&str], staged: &str) {
    // A named skip.
    let Some(run) = run else { return };
    let problems = run.problems(&[], usize::MAX);
    assert!(problems.is_empty(), "{} survivals of {}:\n{}", problems.len(), run.words, problems.join("\n"));
    let names = run.syncs();
    for name in needed {
        // The last sync of the temporary folder is the one of everything.
        let mut omitted: Vec<usize> = (1..).zip(&names).filter(|(_, found)| found == name).map(|(at, _)| at).collect();
        assert!(!omitted.is_empty(), "{}: '{name}' is not synced, but {names:#?}", run.words);
        if *name == staged {
            omitted = vec![*omitted.last().unwrap()];
        }
        assert_ne!(run.problems(&omitted, 1), Vec::<String>::new(), "{}: nothing is lost without '{name}'", run.words);
    }
}

/// What a tree has under a name.
fn below(tree: &Tree, name: &Path) -> Tree {
    let found = tree.iter().filter(|(path, _)| path.starts_with(name) && !hidden(path));
    found.map(|(path, content)| (path.clone(), content.clone())).collect()
}

impl Run {
    fn record(words: &str, made: &str, prepare: impl Fn(&Place)) -> Option<Self> {
        if !fault::are_possible() {
            return None;
        }
        let place = begin();
        prepare(&place);
        let known = listed(&place);
        let top = fs::canonicalize(place.path("")).unwrap();
        let before = power::tree_below(&top);
        let calls = trace::record(&place, words, Disk::Any);
        let after = power::tree_below(&top);
        Some(Self { words: words.to_owned(), made: made.into(), top, before, calls, after, known })
    }

    /// What is wrong with the survivals of this run, if these of its syncs are left out; at most so many problems.
    fn problems(&self, omitted: &[usize], most: usize) -> Vec<String> {
        let mut problems = Vec::new();
        let mut seen = BTreeSet::new();
        let mut model = Model::of(&self.before, &self.top, omitted);
        let (mut reported, mut is_named) = (false, false);
        let before = below(&self.before, &self.made);
        for (number, call) in self.calls.iter().enumerate() {
            reported |= call.name == "write" && call.word(0) == "1";
            let has_changed = model.make(call);
            is_named |= call.name.starts_with("rename") && below(&model.tree(), &self.made) != before;
            let is_report = reported && call.name == "write";
            // Before anything has the final name, one moment is like the next.
            if !(has_changed || is_report) || !is_named && number % 16 > 0 {
                continue;
            }
            for tree in model.survivals(number as u64) {
                if !seen.insert((digest_of(&tree), reported)) {
                    continue;
                }
                let is_tried = omitted.is_empty() && seen.len().is_multiple_of(ONE_IN);
                if let Err(problem) = self.look(&tree, reported, is_tried) {
                    problems.push(format!("after {} #{number}: {problem}", call.name));
                    if problems.len() >= most {
                        return problems;
                    }
                }
            }
        }
        assert!(reported && model.tree() == self.after, "the model does not end where the disk does");
        assert!(is_named, "{} has no moment with its name", self.made.display());
        problems
    }

    fn look(&self, tree: &Tree, reported: bool, is_tried: bool) -> Result<(), String> {
        let (found, after) = (below(tree, &self.made), below(&self.after, &self.made));
        ok(found == after || !reported, || "what was reported is not there".to_owned())?;
        let is_as_before = found == below(&self.before, &self.made);
        ok(found == after || is_as_before, || {
            let different = after.iter().filter(|(path, content)| found.get(*path) != Some(content));
            format!("a part is there: {:?} differ", different.map(|(path, _)| path).collect::<Vec<_>>())
        })?;
        let ca = Path::new("ca");
        ok(below(tree, ca) == below(&self.before, ca), || "the CA that is backed up has changed".to_owned())?;
        if is_tried { self.again(tree, found == after) } else { Ok(()) }
    }

    /// The same command works again, or says that the result is there already.
    fn again(&self, tree: &Tree, is_done: bool) -> Result<(), String> {
        let place = Place::in_memory();
        power::put(tree, &place.path(""));
        let again = place.ca(&self.words).output().unwrap();
        let is_refused = is_done && !self.words.contains("--force");
        ok(again.status.code() == Some(if is_refused { 3 } else { 0 }), || format!("again: {}", told(&again)))?;
        let made = self.made.to_str().unwrap();
        if self.words.starts_with("restore") {
            return is_restored(&place, made, &self.known);
        }
        ok(is_good(&place, made), || "the backup cannot be restored".to_owned())
    }

    /// The names of what was synced, in the order of the syncs.
    fn syncs(&self) -> Vec<String> {
        let mut model = Model::of(&self.before, &self.top, &[]);
        let mut names = Vec::new();
        for call in &self.calls {
            model.make(call);
            if model.syncs() > names.len() {
                names.push(without_chance(&model.name_of(call.number(0))));
            }
        }
        names
    }
}
