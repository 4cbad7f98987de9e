//! What a partial model must have in common with its entity. Asked while compiling, by the derive.

use crate::text::{Message, is_same, is_same_option};
use crate::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedTable};

/// What a partial model says its cells are bound to.
#[derive(Debug)]
pub struct Part {
    /// The struct.
    pub name: &'static str,
    /// Its id.
    pub id: IdColumn,
    /// Its owner columns.
    pub owners: &'static [OwnerColumn],
    /// Its scope.
    pub scope: Option<&'static str>,
}

/// Stops the compiler if the cells of the table are bound to anything else.
///
/// # Panics
/// Then; while compiling, as the derive asks it of a constant.
#[track_caller]
pub const fn require_same_binding(table: &SealedTable, part: &Part) {
    let is_same_id =
        is_same(table.id.name, part.id.name) && is_same_kind(table.id.kind, part.id.kind);
    let is_same_scope = is_same_option(table.scope, part.scope);
    let are_same_owners =
        are_among(part.owners, table.owners) && are_among(table.owners, part.owners);
    assert!(is_same_id && is_same_scope && are_same_owners, "{}", demand(table, part).as_str());
}

const fn is_same_kind(one: IdKind, other: IdKind) -> bool {
    matches!((one, other), (IdKind::Text, IdKind::Text) | (IdKind::Uuid, IdKind::Uuid))
}

const fn are_among(mut owners: &[OwnerColumn], all: &[OwnerColumn]) -> bool {
    while let [owner, rest @ ..] = owners {
        if !is_among(owner, all) {
            return false;
        }
        owners = rest;
    }
    true
}

const fn is_among(owner: &OwnerColumn, mut all: &[OwnerColumn]) -> bool {
    while let [other, rest @ ..] = all {
        if is_same(owner.name, other.name) && is_same(owner.label, other.label) {
            return is_same_owner_kind(owner.kind, other.kind);
        }
        all = rest;
    }
    false
}

const fn is_same_owner_kind(one: OwnerKind, other: OwnerKind) -> bool {
    use OwnerKind::{Integer, Text, Uuid};
    matches!((one, other), (Text, Text) | (Integer, Integer) | (Uuid, Uuid))
}

/// What to write instead.
const fn demand(table: &SealedTable, part: &Part) -> Message {
    let message = Message::new()
        .and("`")
        .and(part.name)
        .and("` does not have what the cells of table `")
        .and(table.name);
    let message = message
        .and("` are bound to: its id is the column `")
        .and(table.id.name)
        .and("`, its owners are `#[sealed(");
    let message = match table.scope {
        Some(scope) => list(message.and("scope("), table, Some(scope)).and("), "),
        None => message,
    };
    list(message.and("owners("), table, None)
        .and("))]`, each of the type that it has in the entity")
}

/// The owner with the name of the scope, or those with other names.
const fn list(mut message: Message, table: &SealedTable, scope: Option<&str>) -> Message {
    let (mut owners, mut comma) = (table.owners, "");
    while let [owner, rest @ ..] = owners {
        if is_same_option(table.scope, Some(owner.name)) == scope.is_some() {
            message = word(message.and(comma), owner);
            comma = ", ";
        }
        owners = rest;
    }
    message
}

const fn word(message: Message, owner: &OwnerColumn) -> Message {
    let message = message.and(owner.name);
    if is_same(owner.name, owner.label) {
        message
    } else {
        message.and(" = \"").and(owner.label).and("\"")
    }
}
