//! Rows that do not open: recorded, named, never fatal to the rest.

use std::collections::BTreeSet;

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _,
    QuerySelect as _, Select,
};
use strongroom_entity::SealedTable;
use strongroom_entity::quarantine::{ActiveModel, Column, Entity};

use super::page::read_id;
use super::statement::id_value;
use crate::db::rows_a_statement;
use crate::key::OpenFailure;

/// A cell that does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The row.
    pub row: String,
    /// The column.
    pub column: &'static str,
    /// Why.
    pub reason: OpenFailure,
}

/// Rows in one statement stay far below every engine's limit of parameters.
const A_STATEMENT: usize = 1000;
/// Names of a row and a column, and a reason.
const BYTES_A_ROW: usize = 512;

/// Records rows of `table`, over what was recorded of them before. `rows`: row, column, reason.
pub async fn record(
    db: &impl ConnectionTrait,
    table: &str,
    run: &str,
    rows: impl IntoIterator<Item = (String, String, String)>,
) -> Result<(), DbErr> {
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(row, column, reason)| ActiveModel {
            table_name: Set(table.to_owned()),
            row_id: Set(row),
            column_name: Set(column),
            reason: Set(reason),
            run: Set(run.to_owned()),
        })
        .collect();
    let over = OnConflict::columns([Column::TableName, Column::RowId, Column::ColumnName])
        .update_columns([Column::Reason, Column::Run])
        .to_owned();
    for chunk in rows.chunks(rows_a_statement(db, rows.len(), BYTES_A_ROW, A_STATEMENT).await?) {
        Entity::insert_many(chunk.iter().cloned())
            .on_conflict(over.clone())
            .exec_without_returning(db)
            .await?;
    }
    Ok(())
}

/// Records what a page met.
pub(super) async fn record_bad(
    db: &impl ConnectionTrait,
    table: &str,
    run: &str,
    bad: &[Bad],
) -> Result<(), DbErr> {
    let rows =
        bad.iter().map(|bad| (bad.row.clone(), bad.column.to_owned(), bad.reason.to_string()));
    record(db, table, run, rows).await
}

/// The rows in which this run could not open the cell of a column.
pub(super) async fn rows_of(
    db: &impl ConnectionTrait,
    table: &str,
    run: &str,
    column: &str,
) -> Result<Vec<String>, DbErr> {
    let cells = Entity::find().filter(Column::TableName.eq(table)).filter(Column::Run.eq(run));
    cells
        .filter(Column::ColumnName.eq(column))
        .select_only()
        .column(Column::RowId)
        .into_tuple()
        .all(db)
        .await
}

/// How many cells this run could not open, in rows that are still there.
pub(super) async fn count(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    run: &str,
) -> Result<u64, DbErr> {
    still_there(db, table, Entity::find().filter(Column::Run.eq(run))).await
}

/// Forgets what a pass of this run met, before the next pass meets it again.
pub(super) async fn forget_run(
    db: &impl ConnectionTrait,
    table: &str,
    run: &str,
) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::TableName.eq(table))
        .filter(Column::Run.eq(run))
        .exec(db)
        .await
        .map(drop)
}

/// Forgets what older runs met and this one did not.
pub async fn forget_older(db: &impl ConnectionTrait, table: &str, run: &str) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::TableName.eq(table))
        .filter(Column::Run.ne(run))
        .exec(db)
        .await
        .map(drop)
}

/// Forgets what was met in a table that leaves the ring's care.
pub(crate) async fn forget_table(db: &impl ConnectionTrait, table: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::TableName.eq(table)).exec(db).await.map(drop)
}

/// Takes a row off the list.
pub async fn forget_row(db: &impl ConnectionTrait, table: &str, row: &str) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::TableName.eq(table))
        .filter(Column::RowId.eq(row))
        .exec(db)
        .await
        .map(drop)
}

/// How many cells of rows that are still there stand in quarantine.
pub async fn standing(db: &impl ConnectionTrait, table: &SealedTable) -> Result<u64, DbErr> {
    still_there(db, table, Entity::find()).await
}

/// By ids and not by a join: a program's own table may compare text in another way than ours does.
async fn still_there(
    db: &impl ConnectionTrait,
    table: &SealedTable,
    of: Select<Entity>,
) -> Result<u64, DbErr> {
    let named = of.filter(Column::TableName.eq(table.name)).select_only().column(Column::RowId);
    let cells: Vec<String> = named.into_tuple().all(db).await?;
    let rows: BTreeSet<&str> = cells.iter().map(String::as_str).collect();
    let mut there = BTreeSet::new();
    let id = Alias::new(table.id.name);
    let most = rows_a_statement(db, rows.len(), BYTES_A_ROW, A_STATEMENT).await?;
    for chunk in rows.into_iter().collect::<Vec<_>>().chunks(most) {
        let ids = chunk.iter().map(|row| id_value(table.id, row));
        let mut select = Query::select();
        select
            .column(id.clone())
            .from(Alias::new(table.name))
            .and_where(Expr::col(id.clone()).is_in(ids));
        for row in db.query_all(&select).await? {
            there.insert(read_id(&row, 0, table.id.kind)?);
        }
    }
    Ok(cells.iter().filter(|row| there.contains(*row)).count() as u64)
}
