//! Tables and triggers that sealing does not go with.

use sea_orm::ConnectionTrait;
use strongroom_entity::SealedTable;
use strongroom_migration::Engine;

use super::{query, required_text};
use crate::reseal::{foreign_triggers, trigger_condition};
use crate::schema::sealing::error::Unsealable;

const KIND: &str = "SELECT CASE WHEN c.relkind = 'p' THEN 'partitioned' WHEN c.relispartition THEN 'a partition' \
    WHEN EXISTS (SELECT 1 FROM pg_inherits h WHERE c.oid IN (h.inhparent, h.inhrelid)) THEN 'inherited' ELSE 'a table' END AS name \
    FROM pg_class c WHERE c.oid = to_regclass(quote_ident($1))";

/// Refuses a table of PostgreSQL whose columns belong to other tables too.
pub(super) async fn refuse_kind(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    if engine != Engine::Postgres {
        return Ok(());
    }
    let rows = query(db, KIND, &[table.name]).await?;
    let found = rows.first().map_or(Ok(String::new()), |row| required_text(row, "name"))?;
    match ["partitioned", "a partition", "inherited"].into_iter().find(|kind| *kind == found) {
        Some(found) => Err(Unsealable::Kind { table: table.name, found }),
        None => Ok(()),
    }
}

/// Refuses triggers of other programs that the engine's updates would fire.
pub(in crate::schema::sealing) async fn refuse_triggers(
    db: &impl ConnectionTrait,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    let names = foreign_triggers(db, table).await?;
    if names.is_empty() {
        return Ok(());
    }
    Err(Unsealable::Triggers { table: table.name, names, condition: trigger_condition(table.name) })
}
