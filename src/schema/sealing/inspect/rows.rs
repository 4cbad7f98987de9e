//! Rows that cannot be sealed, noticed before anything happens.

use sea_orm::ConnectionTrait;
use strongroom_entity::{IdKind, OwnerKind, SealedTable};
use strongroom_migration::Engine;

use super::query;
use crate::db::Dialect;
use crate::schema::sealing::error::Unsealable;
use crate::schema::sealing::guard::{exact, incomplete, not_cells};

/// What plaintext rows must be.
pub(in crate::schema::sealing) async fn refuse_rows(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    refuse_long_ids(db, engine, table).await?;
    for column in table.columns {
        let Some(plain) = column.plain else { continue };
        let name = engine.quoted(plain);
        if !column.nullable {
            refuse(
                db,
                engine,
                table,
                &format!("{name} IS NULL"),
                format!("have no `{plain}`, which is described as never NULL"),
            )
            .await?;
        }
        if column.index.is_some() {
            let value = exact(engine, "", plain, OwnerKind::Text);
            let sql = format!(
                "SELECT count({name}) - count(DISTINCT {value}) AS found FROM {}",
                engine.quoted(table.name)
            );
            let rows = number(db, &sql).await?;
            refuse_some(
                table,
                rows,
                format!("share their `{plain}` with another, and its blind index is unique"),
            )?;
        }
    }
    Ok(())
}

/// What rows with cells and nothing else must be.
pub(in crate::schema::sealing) async fn refuse_rows_of_cells(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    refuse_long_ids(db, engine, table).await?;
    for column in table.columns {
        let bad = not_cells(column, "", engine).join(" OR ");
        refuse(
            db,
            engine,
            table,
            &bad,
            format!("have something else than a sealed cell in `{}`", column.sealed),
        )
        .await?;
        let bad = incomplete(column, "", engine);
        refuse(
            db,
            engine,
            table,
            &bad,
            format!("lack the cell of `{}` or its blind index", column.sealed),
        )
        .await?;
    }
    Ok(())
}

/// The engine's records name a row in 64 characters.
async fn refuse_long_ids(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
) -> Result<(), Unsealable> {
    if table.id.kind == IdKind::Uuid {
        return Ok(());
    }
    let id = table.id.name;
    let length = Dialect::from(engine).characters(&engine.quoted(id));
    refuse(
        db,
        engine,
        table,
        &format!("{length} > 64"),
        format!("have an `{id}` of more than 64 characters"),
    )
    .await
}

async fn refuse(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &'static SealedTable,
    condition: &str,
    what: String,
) -> Result<(), Unsealable> {
    let sql =
        format!("SELECT count(*) AS found FROM {} WHERE {condition}", engine.quoted(table.name));
    refuse_some(table, number(db, &sql).await?, what)
}

fn refuse_some(table: &'static SealedTable, rows: u64, what: String) -> Result<(), Unsealable> {
    if rows == 0 { Ok(()) } else { Err(Unsealable::Rows { rows, table: table.name, what }) }
}

/// Whether the table has no row.
pub(super) async fn is_empty(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &SealedTable,
) -> Result<bool, Unsealable> {
    let sql = format!("SELECT 1 AS found FROM {} LIMIT 1", engine.quoted(table.name));
    Ok(query(db, &sql, &[]).await?.is_empty())
}

async fn number(db: &impl ConnectionTrait, sql: &str) -> Result<u64, Unsealable> {
    let rows = query(db, sql, &[]).await?;
    let found: i64 = rows.first().map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(found.unsigned_abs())
}
