//! Standard input, which one input of a command can take.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

/// Standard input.
pub struct Stdin {
    source: RefCell<Box<dyn Read>>,
    taken_by: Cell<Option<&'static str>>,
}

impl Stdin {
    pub fn new(source: Box<dyn Read>) -> Self {
        Self { source: RefCell::new(source), taken_by: Cell::new(None) }
    }

    /// Returns the stream for the first caller, and an empty one for the same caller again.
    ///
    /// # Errors
    /// The name of the other input that has taken it.
    pub fn take(&self, input: &'static str) -> Result<Box<dyn Read>, &'static str> {
        match self.taken_by.replace(Some(input)) {
            Some(other) if other != input => {
                self.taken_by.set(Some(other));
                Err(other)
            }
            _ => Ok(self.source.replace(Box::new(io::empty()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_input_gets_the_stream_and_another_is_refused() {
        let stdin = Stdin::new(Box::new(&b"text"[..]));
        let mut found = String::new();
        stdin.take("a file").unwrap().read_to_string(&mut found).unwrap();
        assert_eq!(found, "text");
        assert_eq!(stdin.take("the passphrase").map(drop), Err("a file"));
        assert_eq!(stdin.take("a file").unwrap().read_to_string(&mut found).unwrap(), 0);
    }
}
