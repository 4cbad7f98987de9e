//! The rows of a table: those that a credential cannot be.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use super::{COLUMNS, Matched, Unfit, Wish, theirs};
use crate::db::statement;

/// Rows that step 3 or the store could not do with.
pub(super) async fn refuse_rows(
    db: &impl ConnectionTrait,
    engine: Engine,
    wish: &Wish,
    matched: &Matched<'_>,
) -> Result<(), Unfit> {
    let quote = |name: &str| quoted(engine, name);
    for (ours, _, nullable) in COLUMNS {
        let Some((_, column)) = matched.iter().find(|(it, _)| *it == ours) else { continue };
        if !nullable {
            refuse(db, engine, wish, &format!("{} IS NULL", quote(&column.name)), format!("have no `{}`", column.name)).await?;
        }
    }
    let id = theirs(wish, "id");
    let length = if engine == Engine::Sqlite { "length" } else { "char_length" };
    refuse(db, engine, wish, &format!("{length}({}) > 64", quote(id)), format!("have an `{id}` of more than 64 characters"))
        .await?;
    let Some((_, access)) = matched.iter().find(|(ours, _)| *ours == "access_key") else { return Ok(()) };
    let (table, access_key) = (quote(&wish.table), quote(&access.name));
    let shared = format!("{access_key} IN (SELECT {access_key} FROM {table} GROUP BY {access_key} HAVING count(*) > 1)");
    refuse(db, engine, wish, &shared, format!("share their `{}` with another", access.name)).await
}

async fn refuse(db: &impl ConnectionTrait, engine: Engine, wish: &Wish, condition: &str, what: String) -> Result<(), Unfit> {
    match count(db, engine, &wish.table, condition).await? {
        0 => Ok(()),
        rows => Err(Unfit::Rows { rows, what }),
    }
}

pub(super) async fn count(db: &impl ConnectionTrait, engine: Engine, table: &str, condition: &str) -> Result<u64, DbErr> {
    let sql = format!("SELECT count(*) AS found FROM {} WHERE {condition}", quoted(engine, table));
    let row = db.query_one_raw(statement(db.get_database_backend(), &sql, [])).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(found.unsigned_abs())
}

/// A plain name, which has nothing in it to escape.
fn quoted(engine: Engine, name: &str) -> String {
    if matches!(engine, Engine::MySql | Engine::MariaDb) { format!("`{name}`") } else { format!("\"{name}\"") }
}
