//! What every object that `ca inspect` shows has: a title, its fields for a person, and the same facts as JSON.

use crate::report::describe::json::ObjectJson;
use crate::report::page::Page;

/// An object that can be shown.
pub trait Describe {
    /// What it is, in a few words: `certificate`.
    fn title(&self) -> String;

    /// Every fact, one field each.
    fn text(&self, page: &mut Page);

    /// The same facts, with a `kind`.
    fn json(&self) -> ObjectJson<'_>;

    /// Whether a passphrase opens it.
    fn is_encrypted(&self) -> bool {
        false
    }
}
