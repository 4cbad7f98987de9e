//! The condition that finds a row by everything that its cells are bound to.
//!
//! Values are compared as the guards compare them: NULL like a value, text by its bytes. A collation that takes `ACME` for
//! `acme`, or a blank at the end for none, would find the row of another owner.

use crate::db::Dialect;
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{Condition, Value};
use strongroom_entity::{Binding, IdKind, Owner, OwnerKind, SealedTable};
use uuid::Uuid;

/// Returns the condition that a row is stored under exactly this id and these owners.
pub(super) fn is_stored_as(table: &SealedTable, binding: &Binding, dialect: Dialect) -> Condition {
    let id_kind = if table.id.kind == IdKind::Uuid { OwnerKind::Uuid } else { OwnerKind::Text };
    let id = Owner::Text(binding.id.clone());
    // The bare comparison lets the database use the primary key.
    let by_key = column(table, table.id.name).eq(bare(&id, id_kind));
    let mut all = Condition::all().add(by_key).add(is(table, table.id.name, id_kind, &id, dialect));
    for column in table.owners {
        let owner = binding.owners.iter().find(|(label, _)| *label == column.label);
        let owner = owner.map_or(&Owner::Null, |(_, owner)| owner);
        all = all.add(is(table, column.name, column.kind, owner, dialect));
    }
    all
}

fn is(
    table: &SealedTable,
    name: &str,
    kind: OwnerKind,
    owner: &Owner,
    dialect: Dialect,
) -> SimpleExpr {
    match (owner, kind) {
        (Owner::Null, _) => column(table, name).is_null(),
        (Owner::Text(text), OwnerKind::Text | OwnerKind::Integer) => {
            exact(table, name, dialect).eq(dialect.exact_value(text))
        }
        _ => column(table, name).eq(bare(owner, kind)),
    }
}

fn column(table: &SealedTable, name: &str) -> SimpleExpr {
    Expr::col((Alias::new(table.name), Alias::new(name)))
}

/// Text by its bytes. The names come from source code.
fn exact(table: &SealedTable, name: &str, dialect: Dialect) -> SimpleExpr {
    let column = format!("{}.{}", dialect.quoted(table.name), dialect.quoted(name));
    Expr::cust(dialect.exact(&column))
}

fn bare(owner: &Owner, kind: OwnerKind) -> Value {
    match (owner, kind) {
        (Owner::Text(text), OwnerKind::Uuid) => Value::Uuid(Uuid::try_parse(text).ok()),
        (Owner::Text(text), _) => text.as_str().into(),
        (Owner::Integer(number), _) => (*number).into(),
        (Owner::Null, _) => Value::String(None),
    }
}
