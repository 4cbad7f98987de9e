//! The table that sea-orm's own tools read, kept in step so that they agree with the history.

use sea_orm::sea_query::{Alias, Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr, DynIden, Schema};
use sea_orm_migration::seaql_migrations;

use crate::db::Dialect;

/// Writes down there that a step is in force, or no longer so.
pub(super) async fn mirror(
    db: &impl ConnectionTrait,
    table: DynIden,
    name: &str,
    up: bool,
) -> Result<(), DbErr> {
    let version = Alias::new("version");
    if !up {
        let gone =
            Query::delete().from_table(table).and_where(Expr::col(version).eq(name)).to_owned();
        return db.execute(&gone).await.map(drop);
    }
    let now = Dialect::of(db).clock_seconds();
    let mut there = Query::insert();
    there.into_table(table).columns([version.clone(), Alias::new("applied_at")]);
    there.values_panic([name.into(), Expr::cust(now)]);
    there.on_conflict(OnConflict::column(version.clone()).do_nothing_on([version]).to_owned());
    db.execute(&there).await.map(drop)
}

/// Makes that table as sea-orm's own tools make it.
pub(super) async fn install_mirror(db: &impl ConnectionTrait, table: DynIden) -> Result<(), DbErr> {
    let mut create =
        Schema::new(db.get_database_backend()).create_table_from_entity(seaql_migrations::Entity);
    db.execute(create.table(table).if_not_exists()).await.map(drop)
}
