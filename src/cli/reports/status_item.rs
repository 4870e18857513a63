//! What needs attention, as `ca status` and `ca due` show it in JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::status::Item;
use crate::report::json::Time;

/// What needs attention.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Item")]
pub struct ItemJson {
    code: &'static str,
    /// `error` for what fails already, `warning` while there is time.
    severity: &'static str,
    object: String,
    message: String,
    /// The command that fixes it.
    fix: String,
    not_after: Option<Time>,
}

impl ItemJson {
    pub fn of(item: &Item) -> Self {
        Self {
            code: item.kind.code(),
            severity: if item.kind.is_error() { "error" } else { "warning" },
            object: item.object.clone(),
            message: item.message.clone(),
            fix: item.fix.clone(),
            not_after: item.not_after.map(Time),
        }
    }
}
