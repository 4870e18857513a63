//! Whether an element of a list stood in it before.

use std::collections::HashSet;

/// The elements that were seen. A certificate has a dozen extensions, which are compared faster than hashed; the cost of a long
/// list still grows only with its length.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    few: Vec<&'a [u8]>,
    many: HashSet<&'a [u8]>,
}

impl<'a> Seen<'a> {
    /// The most elements that are compared with each new one.
    const FEW: usize = 16;

    /// Adds an element. Returns false when it was seen before.
    pub fn insert(&mut self, element: &'a [u8]) -> bool {
        if self.few.contains(&element) {
            return false;
        }
        if self.few.len() == Self::FEW {
            return self.many.insert(element);
        }
        if self.few.is_empty() {
            self.few.reserve(Self::FEW);
        }
        self.few.push(element);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_is_new_once_among_few_and_among_many() {
        let elements: Vec<[u8; 1]> = (0..3 * Seen::FEW as u8).map(|number| [number]).collect();
        let mut seen = Seen::default();
        assert!(elements.iter().all(|element| seen.insert(element)));
        assert!(!elements.iter().any(|element| seen.insert(element)));
    }
}
