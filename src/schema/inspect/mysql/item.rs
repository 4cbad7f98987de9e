//! Tells the items of a CREATE TABLE apart: indexes, constraints, and the names inside them.

use crate::schema::sealing::create_table::{column_of, has_word, mentions, tokens};

pub(super) fn is_index(item: &str) -> bool {
    column_of(item).is_none()
        && !has_word(item, &["CONSTRAINT", "PRIMARY", "FOREIGN", "CHECK", "PERIOD"])
}

/// The name of a key or of a constraint: its first quoted name.
pub(super) fn name_of(item: &str) -> String {
    tokens(item)
        .find(|token| !token.is_bare_word())
        .and_then(|token| token.name())
        .unwrap_or_default()
}

/// Whether a name stands in an item after the item's own name.
pub(super) fn mentions_inside(item: &str, name: &str) -> bool {
    item.split_once('(').is_some_and(|(_, inside)| mentions(inside, name))
}
