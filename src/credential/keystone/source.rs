//! Reading Keystone's own table, page by page.

use std::collections::{HashMap, HashSet};

use crate::db::{Dialect, statement};
use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, FromQueryResult};

/// A row of Keystone's `credential` table.
#[derive(FromQueryResult)]
pub(super) struct SourceRow {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) project_id: Option<String>,
    pub(super) r#type: String,
    pub(super) encrypted_blob: String,
    pub(super) extra: Option<String>,
    pub(super) key_hash: Option<String>,
}

/// The rows after `after`, in order of id.
pub(super) async fn page(
    db: &DatabaseConnection,
    after: &str,
    limit: u64,
) -> Result<Vec<SourceRow>, DbErr> {
    let dialect = Dialect::of(db);
    let sql = format!(
        "SELECT id, user_id, project_id, type, encrypted_blob, extra, key_hash FROM credential WHERE id > $1 ORDER BY id LIMIT {limit}"
    );
    SourceRow::find_by_statement(statement(dialect, &sql, [after.into()])).all(db).await
}

/// Those of these ids that are there. A database that compares loosely may answer with others too; they
/// stand under their own ids.
pub(super) async fn find_many(
    db: &impl ConnectionTrait,
    ids: &[&str],
) -> Result<HashMap<String, SourceRow>, DbErr> {
    let columns = ["id", "user_id", "project_id", "type", "encrypted_blob", "extra", "key_hash"];
    let mut select = Query::select();
    select.columns(columns.map(Alias::new)).from(Alias::new("credential"));
    select.and_where(Expr::col(Alias::new("id")).is_in(ids.iter().copied()));
    let rows =
        SourceRow::find_by_statement(db.get_database_backend().build(&select)).all(db).await?;
    Ok(rows.into_iter().map(|row| (row.id.clone(), row)).collect())
}

/// Returns which of these ids are there.
pub(super) async fn there(
    db: &impl ConnectionTrait,
    ids: &[&str],
) -> Result<HashSet<String>, DbErr> {
    let id = Alias::new("id");
    let mut select = Query::select();
    select
        .column(id.clone())
        .from(Alias::new("credential"))
        .and_where(Expr::col(id).is_in(ids.iter().copied()));
    let rows = db.query_all(&select).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}
