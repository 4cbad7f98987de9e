//! The rows of a table: those that a credential cannot be.

use sea_orm::{ConnectionTrait, DbErr};
use strongroom_migration::Engine;

use super::{AdoptionOptions, COLUMNS, Matched};
use crate::crypto::MAXIMUM_PLAINTEXT;
use crate::db::{Dialect, statement};

/// Names rows that a step or the store would refuse.
pub(super) async fn unfit_rows(
    db: &impl ConnectionTrait,
    engine: Engine,
    options: &AdoptionOptions,
    matched: &Matched<'_>,
) -> Result<Vec<String>, DbErr> {
    let mut unfit = Vec::new();
    for (ours, _, nullable) in COLUMNS {
        let Some((_, column)) = matched.iter().find(|(it, _)| *it == ours) else { continue };
        let name = engine.quoted(&column.name);
        let mut conditions = Vec::new();
        if !nullable {
            conditions.push((format!("{name} IS NULL"), format!("have no `{}`", column.name)));
        }
        if let Some(longest) = longest(ours) {
            let long = format!("{} > {longest}", Dialect::from(engine).characters(&name));
            conditions.push((
                long,
                format!("have a value of more than {longest} characters in `{}`", column.name),
            ));
        }
        if ours == "secret_key" {
            let long = format!("{} > {MAXIMUM_PLAINTEXT}", Dialect::from(engine).bytes(&name));
            conditions.push((
                long,
                format!("have a value of more than {MAXIMUM_PLAINTEXT} bytes in `{}`", column.name),
            ));
        }
        if ours != "created_at" && engine == Engine::Sqlite {
            let other = format!("typeof({name}) NOT IN ('text', 'null')");
            conditions.push((other, format!("have something else than text in `{}`", column.name)));
        }
        for (condition, what) in conditions {
            unfit.extend(rows_that(count(db, engine, &options.table, &condition).await?, &what));
        }
    }
    let Some((_, access)) = matched.iter().find(|(ours, _)| *ours == "access_key") else {
        return Ok(unfit);
    };
    let (table, access_key) = (engine.quoted(&options.table), engine.quoted(&access.name));
    let shared = format!(
        "{access_key} IN (SELECT {access_key} FROM {table} GROUP BY {access_key} HAVING count(*) > 1)"
    );
    let shared = count(db, engine, &options.table, &shared).await?;
    unfit.extend(rows_that(shared, &format!("share their `{}` with another", access.name)));
    Ok(unfit)
}

/// Returns the longest value that our own column takes.
fn longest(ours: &str) -> Option<u32> {
    match ours {
        "id" | "user_id" | "project_id" => Some(64),
        "type" | "access_key" => Some(255),
        _ => None,
    }
}

fn rows_that(rows: u64, what: &str) -> Option<String> {
    (rows > 0).then(|| format!("{rows} rows {what}"))
}

pub(super) async fn count(
    db: &impl ConnectionTrait,
    engine: Engine,
    table: &str,
    condition: &str,
) -> Result<u64, DbErr> {
    let sql = format!("SELECT count(*) AS found FROM {} WHERE {condition}", engine.quoted(table));
    let row = db.query_one_raw(statement(db.get_database_backend(), &sql, [])).await?;
    let found: i64 = row.map_or(Ok(0), |row| row.try_get("", "found"))?;
    Ok(found.unsigned_abs())
}
