//! The words for facts. A word is a constant, so a misspelled word does not compile.

use std::fmt;

/// What a fact is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    Leaf,
    Intermediate,
    Root,
    /// The chain as a whole, or what the server sent.
    Chain,
}

impl Subject {
    /// Returns what precedes the word in a code.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Leaf => "leaf:",
            Self::Intermediate => "inter:",
            Self::Root => "root:",
            Self::Chain => "",
        }
    }

    /// Returns the subject of the sentence; none for the chain, whose words are whole sentences.
    const fn noun(self) -> &'static str {
        match self {
            Self::Leaf => "leaf ",
            Self::Intermediate => "intermediate ",
            Self::Root => "root ",
            Self::Chain => "",
        }
    }
}

/// A kind of fact.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// The code without its subject, as `aki:mismatch`.
    pub code: &'static str,
    /// What it can be said of.
    pub subjects: &'static [Subject],
    /// The predicate of a sentence whose subject is the certificate; a whole sentence for [`Subject::Chain`].
    pub meaning: &'static str,
    /// The rule that it is about.
    pub citation: &'static str,
}

/// A fact about a chain: a word, and what it is said of.
#[derive(Clone, Copy)]
pub struct Fact {
    pub subject: Subject,
    pub word: &'static Word,
}

impl Fact {
    /// Returns the fact as one English clause, as `root has no key usage`.
    pub fn sentence(&self) -> String {
        format!("{}{}", self.subject.noun(), self.word.meaning)
    }

    /// Returns whether this is the fact with this code.
    pub fn is(&self, code: &str) -> bool {
        code.strip_prefix(self.subject.prefix()) == Some(self.word.code)
    }
}

impl PartialEq for Fact {
    fn eq(&self, other: &Self) -> bool {
        self.subject == other.subject && self.word.code == other.word.code
    }
}

impl Eq for Fact {}

/// The code, as `leaf:aki:mismatch`.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.subject.prefix(), self.word.code)
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fact({self})")
    }
}

pub(super) const LEAF: &[Subject] = &[Subject::Leaf];
pub(super) const ROOT: &[Subject] = &[Subject::Root];
pub(super) const BELOW_ROOT: &[Subject] = &[Subject::Leaf, Subject::Intermediate];
pub(super) const CA: &[Subject] = &[Subject::Intermediate, Subject::Root];
pub(super) const ANY: &[Subject] = &[Subject::Leaf, Subject::Intermediate, Subject::Root];
pub(super) const CHAIN: &[Subject] = &[Subject::Chain];

/// Defines words, and `WORDS`, the list of them.
macro_rules! words {
    ($($name:ident = $code:literal, $subjects:ident, $meaning:literal, $citation:literal;)+) => {
        $(pub(in $crate::clients) static $name: $crate::clients::fact::Word = $crate::clients::fact::Word {
            code: $code,
            subjects: $crate::clients::fact::$subjects,
            meaning: $meaning,
            citation: $citation,
        };)+
        pub(in $crate::clients) static WORDS: &[&$crate::clients::fact::Word] = &[$(&$name),+];
    };
}
pub(super) use words;

/// The facts that were found, each once, in the order in which they were found.
#[derive(Debug, Default)]
pub(super) struct Found(Vec<Fact>);

impl Found {
    pub fn add(&mut self, subject: Subject, word: &'static Word) {
        debug_assert!(word.subjects.contains(&subject), "{} is never said of {subject:?}", word.code);
        let fact = Fact { subject, word };
        if !self.0.contains(&fact) {
            self.0.push(fact);
        }
    }

    pub fn add_if(&mut self, condition: bool, subject: Subject, word: &'static Word) {
        if condition {
            self.add(subject, word);
        }
    }

    pub fn has(&self, subject: Subject, word: &'static Word) -> bool {
        self.0.contains(&Fact { subject, word })
    }

    /// Says another word of a subject instead of the one that was found.
    pub fn replace(&mut self, subject: Subject, word: &'static Word, with: &'static Word) {
        debug_assert!(with.subjects.contains(&subject), "{} is never said of {subject:?}", with.code);
        if let Some(fact) = self.0.iter_mut().find(|fact| **fact == Fact { subject, word }) {
            fact.word = with;
        }
    }

    pub fn into_facts(self) -> Vec<Fact> {
        self.0
    }
}
