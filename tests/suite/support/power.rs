//! A disk that loses its power: the recorded calls of one run are played on a model that knows what is durable.
//!
//! The model promises less than any file system that is in use. The content of a file is durable when the file was synced
//! (fsync(2), fdatasync(2), syncfs(2)); a name is durable when the folder was synced that it was made in, removed from or moved between.
//! Everything later may survive or not, each write and each name by itself. Two things hold as they do everywhere: a
//! rename is one step, also between two folders; and a change of a name that rests on an earlier one does not survive
//! without it. Where the first is not counted on ([`Model::with_two_steps`]), a rename between two folders is durable when both
//! were synced.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::trace::Call;

/// What lies below a folder: folders (`None`) and files with their content.
pub type Tree = BTreeMap<PathBuf, Option<Vec<u8>>>;

/// The number of a file or folder, whatever its name.
type Node = usize;
/// The folder that the model begins with.
const TOP: Node = 0;

#[derive(Debug, Clone)]
pub struct Model {
    top: PathBuf,
    /// Names as they were before the run, all of them durable.
    before: BTreeMap<(Node, String), Node>,
    /// Names as the program sees them now.
    now: BTreeMap<(Node, String), Node>,
    changes: Vec<Change>,
    /// `None` for folders.
    files: Vec<Option<Content>>,
    open: BTreeMap<i64, (Node, usize)>,
    syncs: usize,
    /// The syncs that are left out, counted from 1.
    omitted: BTreeSet<usize>,
    /// Whether a rename between two folders is two steps, each durable with its folder.
    in_two_steps: bool,
}

/// One change of names: an atomic step.
#[derive(Debug, Clone)]
struct Change {
    sets: Vec<((Node, String), Option<Node>)>,
    nodes: Vec<Node>,
    rests_on: Vec<usize>,
    /// The folders whose sync it still needs, where a rename is two steps. A temporary name may stay in its folder.
    waits_for: BTreeSet<Node>,
    durable: bool,
}

#[derive(Debug, Clone, Default)]
struct Content {
    durable: Vec<u8>,
    later: Vec<Write>,
}

#[derive(Debug, Clone)]
enum Write {
    Octets(usize, Vec<u8>),
    Length(usize),
}

/// What becomes of a write that was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Lost,
    /// Only its first sectors reached the disk.
    Torn,
    /// The file has its new length, and zeros instead of what was written.
    Zeros,
}

impl Model {
    /// A disk that has this tree below `top`, all of it durable.
    pub fn of(tree: &Tree, top: &Path, omitted: &[usize]) -> Self {
        let mut model = Self {
            top: top.to_owned(),
            before: BTreeMap::new(),
            now: BTreeMap::new(),
            changes: Vec::new(),
            files: vec![None],
            open: BTreeMap::new(),
            syncs: 0,
            omitted: omitted.iter().copied().collect(),
            in_two_steps: false,
        };
        for (path, content) in tree {
            let (folder, name) = model.place(TOP, &path.to_string_lossy()).unwrap();
            model.files.push(content.clone().map(|durable| Content { durable, later: Vec::new() }));
            model.now.insert((folder, name), model.files.len() - 1);
        }
        model.before = model.now.clone();
        model
    }

    /// The same disk, on which a rename between two folders is two steps.
    pub fn with_two_steps(self) -> Self {
        Self { in_two_steps: true, ..self }
    }

    /// Makes a call. Whether it changed anything.
    pub fn make(&mut self, call: &Call) -> bool {
        if call.result < 0 {
            return false;
        }
        let before = (self.changes.len(), self.syncs);
        let wrote = match call.name.as_str() {
            "openat" | "openat2" => self.open_file(call),
            "close" => {
                self.open.remove(&call.number(0));
                false
            }
            "fcntl" => {
                assert!(!call.word(1).contains("DUPFD") || !self.open.contains_key(&call.number(0)), "{call:?}");
                false
            }
            "lseek" => {
                if let Some(open) = self.open.get_mut(&call.number(0)) {
                    open.1 = usize::try_from(call.result).unwrap();
                }
                false
            }
            "write" => match self.open.get_mut(&call.number(0)) {
                Some((node, offset)) => {
                    let (node, at) = (*node, *offset);
                    *offset += usize::try_from(call.result).unwrap();
                    self.write(node, Write::Octets(at, written(call)))
                }
                None => false,
            },
            "pwrite64" => match self.open.get(&call.number(0)) {
                Some((node, _)) => {
                    self.write(*node, Write::Octets(usize::try_from(call.number(3)).unwrap(), written(call)))
                }
                None => false,
            },
            "ftruncate" => match self.open.get(&call.number(0)) {
                Some((node, _)) => self.write(*node, Write::Length(usize::try_from(call.number(1)).unwrap())),
                None => false,
            },
            "fsync" | "fdatasync" => self.sync(call.number(0)),
            "syncfs" => self.sync_all(),
            "mkdir" => self.make_folder(self.place(TOP, &call.text(0))),
            "mkdirat" => self.make_folder(self.place_at(call, 0)),
            "rename" => self.rename(self.place(TOP, &call.text(0)), self.place(TOP, &call.text(1)), false),
            "renameat" => self.rename(self.place_at(call, 0), self.place_at(call, 2), false),
            "renameat2" => {
                let exchange = call.word(4) == "RENAME_EXCHANGE";
                self.rename(self.place_at(call, 0), self.place_at(call, 2), exchange);
                true
            }
            // A second name of the same file.
            "linkat" => match (self.place_at(call, 0), self.place_at(call, 2)) {
                (Some(from), Some(to)) => {
                    let node = self.now[&from];
                    self.change(vec![(to, Some(node))]);
                    true
                }
                _ => false,
            },
            "unlink" | "rmdir" => self.remove(TOP, &call.text(0)),
            "unlinkat" => self.folder_of(call.word(0)).is_some_and(|folder| self.remove(folder, &call.text(1))),
            // A thread has the same files; only a process of its own would not.
            "clone" | "clone3" => false,
            _ => panic!("the model does not know what {} does: {call:?}", call.name),
        };
        wrote || before != (self.changes.len(), self.syncs)
    }

    /// How many syncs there were so far.
    pub fn syncs(&self) -> usize {
        self.syncs
    }

    /// What `number` is called now, for messages.
    pub fn name_of(&self, number: i64) -> String {
        let Some((node, _)) = self.open.get(&number) else { return "elsewhere".to_owned() };
        let mut names = Vec::new();
        let mut node = *node;
        while let Some(((folder, name), _)) = self.now.iter().find(|(_, there)| **there == node) {
            names.push(name.as_str());
            node = *folder;
        }
        names.reverse();
        names.join("/")
    }

    /// What is on the disk if the power stays.
    pub fn tree(&self) -> Tree {
        self.survival(&mut |_| true, &mut |_, _| Fate::Kept)
    }

    /// What is on the disk if the power goes now, and nothing survives that was not synced.
    pub fn least(&self) -> Tree {
        self.survival(&mut |_| false, &mut |_, _| Fate::Lost)
    }

    /// The same, but every name survives: a file whose content was not synced is without it.
    pub fn names_alone(&self) -> Tree {
        self.survival(&mut |_| true, &mut |_, _| Fate::Lost)
    }

    /// What can be on the disk if the power goes now, each possibility once. The extremes are all among them; of what lies
    /// between, those in which one change alone survives or is lost, and some that `seed` chooses.
    pub fn survivals(&self, seed: u64) -> BTreeSet<Tree> {
        let open: Vec<usize> = (0..self.changes.len()).filter(|change| !self.changes[*change].durable).collect();
        let dirty: Vec<Node> = (0..self.files.len())
            .filter(|node| self.files[*node].as_ref().is_some_and(|content| !content.later.is_empty()))
            .collect();
        let mut found = BTreeSet::new();
        for fate in [Fate::Lost, Fate::Zeros, Fate::Kept] {
            for names in [true, false] {
                found.insert(self.survival(&mut |_| names, &mut |_, _| fate));
            }
        }
        for one in &open {
            for fate in [Fate::Lost, Fate::Kept] {
                found.insert(self.survival(&mut |change| change == *one, &mut |_, _| fate));
                found.insert(self.survival(&mut |change| change != *one, &mut |_, _| fate));
            }
        }
        for one in &dirty {
            for fate in [Fate::Kept, Fate::Lost, Fate::Zeros] {
                let other = if fate == Fate::Kept { Fate::Lost } else { Fate::Kept };
                found.insert(self.survival(&mut |_| true, &mut |node, _| if node == *one { fate } else { other }));
            }
        }
        let mut chance = Chance(seed);
        for _ in 0..if dirty.is_empty() && open.is_empty() { 0 } else { 2 } {
            let names: Vec<bool> = self.changes.iter().map(|_| chance.below(2) == 0).collect();
            let fates = [Fate::Kept, Fate::Lost, Fate::Torn, Fate::Zeros];
            found.insert(self.survival(&mut |change| names[change], &mut |_, _| fates[chance.below(4)]));
        }
        found
    }

    /// `names` says which changes of names survive, `data` what becomes of the nth unsynced write of a file.
    fn survival(&self, names: &mut dyn FnMut(usize) -> bool, data: &mut dyn FnMut(Node, usize) -> Fate) -> Tree {
        let mut entries = self.before.clone();
        let mut survived = vec![false; self.changes.len()];
        for (number, change) in self.changes.iter().enumerate() {
            let wanted = change.durable || names(number);
            survived[number] = wanted && change.rests_on.iter().all(|earlier| survived[*earlier]);
            if survived[number] {
                for (key, node) in &change.sets {
                    match node {
                        Some(node) => entries.insert(key.clone(), *node),
                        None => entries.remove(key),
                    };
                }
            }
        }
        let mut tree = Tree::new();
        let mut to_visit = vec![(TOP, PathBuf::new())];
        while let Some((folder, path)) = to_visit.pop() {
            for ((_, name), node) in entries.range((folder, String::new())..(folder + 1, String::new())) {
                let path = path.join(name);
                match &self.files[*node] {
                    None => {
                        tree.insert(path.clone(), None);
                        to_visit.push((*node, path));
                    }
                    Some(content) => {
                        let after = content.after(&mut |write| data(*node, write));
                        tree.insert(path, Some(after));
                    }
                }
            }
        }
        tree
    }

    fn open_file(&mut self, call: &Call) -> bool {
        let (path, flags) = (call.text(1), call.word(2));
        assert!(!flags.contains("O_APPEND") && !flags.contains("O_TRUNC"), "{call:?}");
        // Shared memory of SQLite, which it makes anew.
        let below = self.folder_of(call.word(0));
        let place = below.filter(|_| !path.ends_with("-shm")).and_then(|below| self.place(below, &path));
        let Some((folder, name)) = place else { return false };
        let node = match self.now.get(&(folder, name.clone())) {
            Some(node) => *node,
            // The top itself.
            None if name.is_empty() => folder,
            None => {
                assert!(flags.contains("O_CREAT"), "{call:?}");
                self.files.push(Some(Content::default()));
                let node = self.files.len() - 1;
                self.change(vec![((folder, name), Some(node))]);
                node
            }
        };
        self.open.insert(call.result, (node, 0));
        false
    }

    fn write(&mut self, node: Node, write: Write) -> bool {
        let Some(content) = &mut self.files[node] else { panic!("a folder was written to") };
        content.later.push(write);
        true
    }

    fn sync(&mut self, number: i64) -> bool {
        let Some(node) = self.node_of(number) else { return false };
        self.syncs += 1;
        if self.omitted.contains(&self.syncs) {
            return true;
        }
        match &mut self.files[node] {
            Some(content) => {
                content.durable = content.after(&mut |_| Fate::Kept);
                content.later.clear();
            }
            None => {
                for number in 0..self.changes.len() {
                    let change = &mut self.changes[number];
                    let is_in_it = change.sets.iter().any(|((folder, _), _)| *folder == node);
                    change.waits_for.remove(&node);
                    if is_in_it && (change.waits_for.is_empty() || !self.in_two_steps) {
                        self.make_durable(number);
                    }
                }
            }
        }
        true
    }

    /// All of the file system, which the whole model is on.
    fn sync_all(&mut self) -> bool {
        self.syncs += 1;
        if !self.omitted.contains(&self.syncs) {
            for content in self.files.iter_mut().flatten() {
                content.durable = content.after(&mut |_| Fate::Kept);
                content.later.clear();
            }
            (0..self.changes.len()).for_each(|number| self.make_durable(number));
        }
        true
    }

    fn make_durable(&mut self, number: usize) {
        if !self.changes[number].durable {
            self.changes[number].durable = true;
            for earlier in self.changes[number].rests_on.clone() {
                self.make_durable(earlier);
            }
        }
    }

    fn make_folder(&mut self, place: Option<(Node, String)>) -> bool {
        let Some(place) = place else { return false };
        self.files.push(None);
        self.change(vec![(place, Some(self.files.len() - 1))]);
        true
    }

    fn rename(&mut self, from: Option<(Node, String)>, to: Option<(Node, String)>, exchange: bool) -> bool {
        let (Some(from), Some(to)) = (from, to) else { return false };
        let (moved, other) = (self.now[&from], self.now.get(&to).copied());
        self.change(vec![(from, other.filter(|_| exchange)), (to, Some(moved))]);
        true
    }

    fn remove(&mut self, folder: Node, path: &str) -> bool {
        let place = self.place(folder, path).filter(|place| self.now.contains_key(place));
        if let Some(place) = place {
            self.change(vec![(place, None)]);
            return true;
        }
        assert!(path.ends_with("-shm") || self.place(folder, path).is_none(), "{path} was removed and is not known");
        false
    }

    fn change(&mut self, sets: Vec<((Node, String), Option<Node>)>) {
        let was = sets.iter().filter_map(|(key, _)| self.now.get(key).copied());
        let nodes: Vec<Node> = was.chain(sets.iter().filter_map(|(_, node)| *node)).collect();
        let rests_on = self.changes.iter().enumerate().filter(|(_, earlier)| {
            earlier.nodes.iter().any(|node| nodes.contains(node))
                || earlier.sets.iter().any(|(key, _)| sets.iter().any(|(own, _)| own == key))
        });
        let rests_on = rests_on.map(|(number, _)| number).collect();
        for (key, node) in &sets {
            match node {
                Some(node) => self.now.insert(key.clone(), *node),
                None => self.now.remove(key),
            };
        }
        let lasting = sets.iter().filter(|((_, name), _)| !name.starts_with(".staged-"));
        let waits_for = lasting.map(|((folder, _), _)| *folder).collect();
        self.changes.push(Change { sets, nodes, rests_on, waits_for, durable: false });
    }

    /// The folder that a path begins in: the program runs at the top.
    fn folder_of(&self, word: &str) -> Option<Node> {
        if word == "AT_FDCWD" { Some(TOP) } else { self.node_of(word.parse().unwrap()) }
    }

    fn node_of(&self, number: i64) -> Option<Node> {
        self.open.get(&number).map(|(node, _)| *node)
    }

    /// The place that two arguments of a call name: an open folder, and a path from there.
    fn place_at(&self, call: &Call, position: usize) -> Option<(Node, String)> {
        self.place(self.folder_of(call.word(position))?, &call.text(position + 1))
    }

    /// The folder in which a path lies, and its name there; `None` for what is not below the top. The top is its own folder,
    /// without a name.
    fn place(&self, folder: Node, path: &str) -> Option<(Node, String)> {
        let path = Path::new(path);
        let below = if path.is_absolute() { path.strip_prefix(&self.top).ok()? } else { path };
        let names = below.iter().filter(|name| *name != ".");
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        let name = names.pop().unwrap_or_default();
        let mut at = folder;
        for folder in names {
            at = *self.now.get(&(at, folder))?;
        }
        Some((at, name))
    }
}

impl Content {
    fn after(&self, fate: &mut dyn FnMut(usize) -> Fate) -> Vec<u8> {
        const SECTOR: usize = 512;
        let mut content = self.durable.clone();
        for (number, write) in self.later.iter().enumerate() {
            let fate = fate(number);
            match write {
                _ if fate == Fate::Lost => {}
                Write::Length(length) => content.resize(*length, 0),
                Write::Octets(offset, octets) => {
                    let kept = match fate {
                        Fate::Kept => octets.len(),
                        Fate::Torn => (octets.len() / 2).next_multiple_of(SECTOR).min(octets.len()),
                        Fate::Zeros | Fate::Lost => 0,
                    };
                    let length = if fate == Fate::Torn { kept } else { octets.len() };
                    content.resize(content.len().max(offset + length), 0);
                    content[*offset..offset + kept].copy_from_slice(&octets[..kept]);
                }
            }
        }
        content
    }
}

/// What a write call wrote: the system may have taken less than it was given.
fn written(call: &Call) -> Vec<u8> {
    call.octets(1)[..usize::try_from(call.result).unwrap()].to_vec()
}

/// Everything below a folder but SQLite's shared memory.
pub fn tree_below(folder: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut to_visit = vec![folder.to_owned()];
    while let Some(at) = to_visit.pop() {
        for entry in fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            let below = path.strip_prefix(folder).unwrap().to_owned();
            if path.is_dir() {
                tree.insert(below, None);
                to_visit.push(path);
            } else if !path.to_string_lossy().ends_with("-shm") {
                tree.insert(below, Some(fs::read(path).unwrap()));
            }
        }
    }
    tree
}

/// Puts a tree below a folder.
pub fn put(tree: &Tree, folder: &Path) {
    for (path, content) in tree {
        let path = folder.join(path);
        match content {
            None => {
                fs::create_dir(&path).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
            }
            Some(content) => {
                fs::write(&path, content).unwrap();
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
    }
}

/// Numbers that look like chance and are the same in every run (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
