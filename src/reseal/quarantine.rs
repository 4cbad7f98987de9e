//! Rows that do not open: recorded, named, never fatal to the rest.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Func, OnConflict, Query, SimpleExpr};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, ConnectionTrait, DbBackend, DbErr, EntityTrait as _, PaginatorTrait as _,
    QueryFilter as _,
};
use strongroom_entity::quarantine::{ActiveModel, Column, Entity};
use strongroom_entity::{IdKind, SealedTable};

use crate::key::Unopened;

/// A cell that does not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// The row.
    pub row: String,
    /// The column.
    pub column: &'static str,
    /// Why.
    pub reason: Unopened,
}

/// Rows in one statement stay far below every engine's limit of parameters.
const A_STATEMENT: usize = 1000;

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
    for chunk in rows.chunks(A_STATEMENT) {
        Entity::insert_many(chunk.iter().cloned()).on_conflict(over.clone()).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Records what a page met.
pub(super) async fn record_bad(db: &impl ConnectionTrait, table: &str, run: &str, bad: &[Bad]) -> Result<(), DbErr> {
    let rows = bad.iter().map(|bad| (bad.row.clone(), bad.column.to_owned(), bad.reason.to_string()));
    record(db, table, run, rows).await
}

/// How many cells this run could not open, in rows that are still there.
pub(super) async fn count(db: &impl ConnectionTrait, table: &SealedTable, run: &str) -> Result<u64, DbErr> {
    Entity::find()
        .filter(Column::TableName.eq(table.name))
        .filter(Column::Run.eq(run))
        .filter(still_there(db.get_database_backend(), table))
        .count(db)
        .await
}

/// Forgets what a pass of this run met, before the next pass meets it again.
pub(super) async fn forget_run(db: &impl ConnectionTrait, table: &str, run: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::TableName.eq(table)).filter(Column::Run.eq(run)).exec(db).await.map(drop)
}

/// Forgets what older runs met and this one did not.
pub async fn forget_older(db: &impl ConnectionTrait, table: &str, run: &str) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::TableName.eq(table)).filter(Column::Run.ne(run)).exec(db).await.map(drop)
}

/// How many cells of rows that are still there stand in quarantine.
pub async fn standing(db: &impl ConnectionTrait, table: &SealedTable) -> Result<u64, DbErr> {
    Entity::find().filter(Column::TableName.eq(table.name)).filter(still_there(db.get_database_backend(), table)).count(db).await
}

/// Quarantine names a row by its text, a UUID by its digits and hyphens.
fn still_there(engine: DbBackend, table: &SealedTable) -> SimpleExpr {
    let id = Expr::col((Alias::new(table.name), Alias::new(table.id.name)));
    let of_the_row = Expr::col((Entity, Column::RowId));
    let same_row = match (table.id.kind, engine) {
        (IdKind::Text, _) => id.eq(of_the_row),
        (IdKind::Uuid, DbBackend::Postgres) => id.cast_as("text").eq(of_the_row),
        (IdKind::Uuid, _) => Func::cust("hex").arg(id).eq(Expr::from(Func::upper(Func::cust("replace").args([
            of_the_row,
            Expr::val("-"),
            Expr::val(""),
        ])))),
    };
    Expr::exists(Query::select().expr(Expr::val(1)).from(Alias::new(table.name)).and_where(same_row).to_owned())
}
