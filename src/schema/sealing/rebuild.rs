//! SQLite cannot drop a UNIQUE column or require one: the table is made anew from its own text, with that column's item
//! taken out or put back (<https://sqlite.org/lang_altertable.html#otheralter>).

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Stage};

use super::create_table::{CreateTable, key_columns, mentions};
use super::error::Unsealable;
use super::guard::shortened;
use super::inspect::{made, referring};
use super::original::OriginalColumns;
use crate::db::statement;

/// Takes the plaintext columns out that could not be dropped otherwise.
pub(super) async fn without_plaintext(
    stage: &Stage,
    table: &'static SealedTable,
    originals: &OriginalColumns,
) -> Result<(), DbErr> {
    if stage.engine() != Engine::Sqlite || !is_needed(originals) {
        return Ok(());
    }
    let mut text = made(stage.db(), table).await?;
    let left: Vec<_> = originals
        .iter()
        .filter(|(_, original)| original.constrained)
        .map(|(column, _)| *column)
        .collect();
    text.items.retain(|item| !left.iter().any(|column| is_of(item, column)));
    make_anew(stage, table, &text).await
}

/// Puts the plaintext columns back as and where they were.
pub(super) async fn with_plaintext(
    stage: &Stage,
    table: &'static SealedTable,
    originals: &OriginalColumns,
) -> Result<(), DbErr> {
    if stage.engine() != Engine::Sqlite
        || (!is_needed(originals) && !referring(stage.db(), table).await?.is_empty())
    {
        return Ok(());
    }
    let mut text = made(stage.db(), table).await?;
    text.items.retain(|item| !originals.iter().any(|(column, _)| is_of(item, column)));
    for (_, original) in originals {
        let before = original.after.as_deref().and_then(|column| text.place(column));
        let first = original.after.is_none();
        let at = if first { 0 } else { before.map_or_else(|| text.columns(), |place| place + 1) };
        text.items.insert(at, original.definition.clone().unwrap_or_default());
        text.items.extend(original.constraints.iter().cloned());
    }
    make_anew(stage, table, &text).await
}

fn is_needed(originals: &OriginalColumns) -> bool {
    originals.iter().any(|(_, original)| original.constrained)
}

/// An item that defines the column, or a key over it alone.
fn is_of(item: &str, column: &str) -> bool {
    match super::create_table::column_of(item) {
        Some(name) => name.eq_ignore_ascii_case(column),
        None => {
            mentions(item, column)
                && matches!(key_columns(item).as_slice(), [only] if only.eq_ignore_ascii_case(column))
        }
    }
}

/// Dropping a table empties it first, and foreign keys would act on that.
async fn make_anew(
    stage: &Stage,
    table: &'static SealedTable,
    text: &CreateTable,
) -> Result<(), DbErr> {
    let by = referring(stage.db(), table).await?;
    if !by.is_empty() {
        return Err(Unsealable::Referenced { table: table.name, by: by.join(", ") }.into());
    }
    // Views and triggers of other tables speak of a table that is gone for a moment.
    stage.db().execute_unprepared("PRAGMA legacy_alter_table = ON").await?;
    let made = replace(stage, table, text).await;
    stage.db().execute_unprepared("PRAGMA legacy_alter_table = OFF").await?;
    made
}

async fn replace(
    stage: &Stage,
    table: &'static SealedTable,
    text: &CreateTable,
) -> Result<(), DbErr> {
    let db = stage.db();
    let own = texts(stage, "SELECT sql AS found FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql IS NOT NULL AND lower(tbl_name) = lower($1) ORDER BY rowid", table.name).await?;
    let beside = shortened("strongroom_rebuild", table.name);
    let (name, new) = (Engine::Sqlite.quoted(table.name), Engine::Sqlite.quoted(&beside));
    db.execute_unprepared(&text.named(&new)).await?;
    // Generated columns are not written.
    let columns = texts(
        stage,
        "SELECT name AS found FROM pragma_table_xinfo($1) WHERE hidden = 0 ORDER BY cid",
        &beside,
    )
    .await?;
    let columns: Vec<_> = columns.iter().map(|column| Engine::Sqlite.quoted(column)).collect();
    let columns = columns.join(", ");
    db.execute_unprepared(&format!("INSERT INTO {new} ({columns}) SELECT {columns} FROM {name}"))
        .await?;
    db.execute_unprepared(&format!("DROP TABLE {name}")).await?;
    db.execute_unprepared(&format!("ALTER TABLE {new} RENAME TO {name}")).await?;
    for sql in own {
        db.execute_unprepared(&sql).await?;
    }
    Ok(())
}

async fn texts(stage: &Stage, sql: &str, name: &str) -> Result<Vec<String>, DbErr> {
    let db = stage.db();
    let rows = db.query_all_raw(statement(db.get_database_backend(), sql, [name.into()])).await?;
    rows.iter().map(|row| row.try_get("", "found")).collect()
}
