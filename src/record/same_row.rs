//! The condition that finds a row by everything that its cells are bound to.
//!
//! Values are compared as the guards compare them: NULL like a value, text by its bytes. A collation that takes `ACME` for
//! `acme`, or a blank at the end for none, would find the row of another owner.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{Condition, DbBackend, Value};
use strongroom_entity::{Binding, IdKind, Owner, OwnerKind, SealedTable};
use uuid::Uuid;

/// Returns the condition that a row is stored under exactly this id and these owners.
pub(super) fn is_stored_as(table: &SealedTable, binding: &Binding, engine: DbBackend) -> Condition {
    let id_kind = if table.id.kind == IdKind::Uuid { OwnerKind::Uuid } else { OwnerKind::Text };
    let id = Owner::Text(binding.id.clone());
    // The bare comparison lets the database use the primary key.
    let by_key = column(table, table.id.name).eq(bare(&id, id_kind));
    let mut all = Condition::all().add(by_key).add(is(table, table.id.name, id_kind, &id, engine));
    for column in table.owners {
        let owner = binding.owners.iter().find(|(label, _)| *label == column.label);
        let owner = owner.map_or(&Owner::Null, |(_, owner)| owner);
        all = all.add(is(table, column.name, column.kind, owner, engine));
    }
    all
}

fn is(
    table: &SealedTable,
    name: &str,
    kind: OwnerKind,
    owner: &Owner,
    engine: DbBackend,
) -> SimpleExpr {
    match (owner, kind) {
        (Owner::Null, _) => column(table, name).is_null(),
        (Owner::Text(text), OwnerKind::Text | OwnerKind::Integer) => {
            exact(table, name, engine).eq(bytes(text, engine))
        }
        _ => column(table, name).eq(bare(owner, kind)),
    }
}

fn column(table: &SealedTable, name: &str) -> SimpleExpr {
    Expr::col((Alias::new(table.name), Alias::new(name)))
}

/// Text by its bytes. The names come from source code.
fn exact(table: &SealedTable, name: &str, engine: DbBackend) -> SimpleExpr {
    let (of, name) = (table.name, name);
    Expr::cust(match engine {
        DbBackend::Postgres => format!("\"{of}\".\"{name}\"::text COLLATE \"C\""),
        DbBackend::MySql => format!("CAST(CONVERT(`{of}`.`{name}` USING utf8mb4) AS BINARY)"),
        _ => format!("CAST(\"{of}\".\"{name}\" AS BLOB)"),
    })
}

fn bytes(text: &str, engine: DbBackend) -> Value {
    if engine == DbBackend::Postgres { text.into() } else { text.as_bytes().into() }
}

fn bare(owner: &Owner, kind: OwnerKind) -> Value {
    match (owner, kind) {
        (Owner::Text(text), OwnerKind::Uuid) => Value::Uuid(Uuid::try_parse(text).ok()),
        (Owner::Text(text), _) => text.as_str().into(),
        (Owner::Integer(number), _) => (*number).into(),
        (Owner::Null, _) => Value::String(None),
    }
}
