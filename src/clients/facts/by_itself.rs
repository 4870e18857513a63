//! One certificate in its place, without those beside it.

use time::OffsetDateTime;

use super::item::Item;
use super::{
    basic_constraints, dates, directory_names, extensions, form, key_ids, key_usage, keys, policies, purposes,
    signatures,
};
use crate::clients::fact::Found;

pub fn find(item: &Item<'_, '_>, at: OffsetDateTime, found: &mut Found) {
    form::find(item, found);
    signatures::find(item, found);
    keys::find(item, found);
    dates::find(item, at, found);
    directory_names::find(item, found);
    basic_constraints::find(item, found);
    key_usage::find(item, found);
    purposes::find(item, found);
    key_ids::find(item, found);
    policies::find(item, found);
    extensions::find(item, found);
}
