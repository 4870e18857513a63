//! How far a long act is. An act reports it often; its caller decides what is shown, and when.

/// How far an act is.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// What is done: `checking certificates`.
    pub what: &'a str,
    pub done: u64,
    /// `None`: how much there is to do is not known.
    pub of: Option<u64>,
    pub unit: Unit,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Items,
    Bytes,
}

impl<'a> Step<'a> {
    /// Makes a step of counted items.
    pub fn items(what: &'a str, done: u64, of: Option<u64>) -> Self {
        Self { what, done, of, unit: Unit::Items }
    }

    /// Makes a step of counted bytes.
    pub fn bytes(what: &'a str, done: u64, of: Option<u64>) -> Self {
        Self { what, done, of, unit: Unit::Bytes }
    }
}

/// Gets the steps of an act.
pub trait Progress {
    fn report(&self, step: Step<'_>);
}

/// Shows nothing.
#[cfg(test)]
pub struct Unreported;

#[cfg(test)]
impl Progress for Unreported {
    fn report(&self, _: Step<'_>) {}
}
