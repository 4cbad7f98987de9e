//! `strongroom keys quarantine export`: rows whole, as the break-glass script reads them.

use std::sync::Arc;

use sea_orm::EntityTrait as _;
use serde_json::{Map, Value, json};
use strongroom::entity::{SealedTable, key, manifest, own_table, quarantine};
use strongroom::migration::Phase;

use super::{described, quarantined};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;
use crate::text::Text;
use strongroom::crypto::{self, Envelope};
use strongroom::internal::db::{self, Access, DatabaseConnection};
use strongroom::internal::reseal::StoredRow;
use strongroom::key::Ring;

pub(super) async fn run(session: &Session, output: &Output) -> Result<Exit, Failure> {
    let db = session.connect_to_ours(Access::Read).await?;
    let rows = quarantined(&db).await?;
    // Rows of Strongroom's own tables are exported without a key, for operators who have lost theirs.
    let ring = if rows.iter().any(is_of_a_program) { session.ring(&db).await? } else { None };
    let mut documents = Vec::new();
    for row in rows {
        let sealed = whole(&db, ring.as_ref(), &row).await?;
        let quarantine::Model { table_name, row_id, column_name, reason, .. } = row;
        documents.push(json!({ "table": table_name, "id": row_id, "column": column_name, "reason": reason, "sealed": sealed }));
    }
    let document = json!({ "quarantined": documents });
    output.result(&document, || {
        Text::json(&serde_json::to_string_pretty(&document).unwrap_or_default())
    });
    Ok(Exit::Done)
}

/// What an import met is named with a dot, and is in no table of ours.
fn is_of_a_program(bad: &quarantine::Model) -> bool {
    own_table(&bad.table_name).is_none() && !bad.table_name.contains('.')
}

/// The document that the break-glass script reads; null where the row or its cell is gone, or its table.
async fn whole(
    db: &DatabaseConnection,
    ring: Option<&Arc<Ring>>,
    bad: &quarantine::Model,
) -> Result<Value, Failure> {
    let Some(table) = table(ring, bad)? else { return Ok(Value::Null) };
    if !db::has_table(db, table.name).await? {
        return Ok(Value::Null);
    }
    let Some(row) = StoredRow::find(db, table, Phase::Sealed, &bad.row_id).await? else {
        return Ok(Value::Null);
    };
    let Some((column, cell)) = row.cells().find(|(column, _)| column.sealed == bad.column_name)
    else {
        return Ok(Value::Null);
    };
    let owners: Map<_, _> =
        row.owners().iter().map(|(label, value)| ((*label).to_owned(), owner(value))).collect();
    let ring = manifest::Entity::find().one(db).await?;
    Ok(json!({
        "ring_id": ring.map(|ring| hex::encode(ring.ring_id)),
        "key": wrapped_key(db, cell).await?,
        "label": column.label,
        "id": bad.row_id,
        "owners": owners,
        "scope": scope(table),
        "cell": hex::encode(cell),
    }))
}

fn table(
    ring: Option<&Arc<Ring>>,
    bad: &quarantine::Model,
) -> Result<Option<&'static SealedTable>, Failure> {
    if let Some(own) = own_table(&bad.table_name) {
        return Ok(Some(own));
    }
    let Some(ring) = ring else { return Ok(None) };
    Ok(described(ring, &bad.table_name)?.map(|(table, _)| table))
}

/// Under which label the owner stands that is the scope.
fn scope(table: &SealedTable) -> Option<&'static str> {
    table.owners.iter().find(|owner| Some(owner.name) == table.scope).map(|owner| owner.label)
}

/// As cells are bound to it. Bytes that are no text have a form of their own.
fn owner(value: &crypto::Value<'_>) -> Value {
    match value {
        crypto::Value::Null => Value::Null,
        crypto::Value::Integer(number) => json!(number),
        crypto::Value::Bytes(bytes) => std::str::from_utf8(bytes)
            .map_or_else(|_| json!({ "hex": hex::encode(bytes) }), Value::from),
    }
}

async fn wrapped_key(db: &DatabaseConnection, cell: &[u8]) -> Result<Value, Failure> {
    let Ok(envelope) = Envelope::parse(cell) else { return Ok(Value::Null) };
    let found = key::Entity::find_by_id(i64::from(envelope.key_id())).one(db).await?;
    Ok(found.map_or(Value::Null, |key| {
        json!({
            "id": key.id, "purpose": key.purpose, "scope": key.scope, "generation": key.generation,
            "wrapped": hex::encode(key.wrapped),
        })
    }))
}
