use sea_orm::entity::prelude::*;
use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::SqlitePoolOptions;
use sea_orm::{ActiveValue::Set, SqlxSqliteConnector, TransactionTrait as _};
use tempfile::TempDir;

use super::{Answer, SCHEMA, component, narrow, rights, run};
use crate::component::confinement::{Rules, confine};
use crate::db;

/// What the narrow component sees of the table.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "t")]
pub(super) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    a: String,
}

impl ActiveModelBehavior for ActiveModel {}

#[expect(clippy::disallowed_methods, reason = "no address of a pool with rules yet")]
async fn pool() -> (DatabaseConnection, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", dir.path().join("t.db").display());
    let owner = sea_orm::Database::connect(&url).await.unwrap();
    owner.execute_unprepared(SCHEMA).await.unwrap();
    let rules = Rules::of(&narrow());
    let options = SqlitePoolOptions::new().max_connections(3);
    let options = options.after_connect(move |connection, _| Box::pin(confine(connection, rules)));
    (SqlxSqliteConnector::from_sqlx_sqlite_pool(options.connect(&url).await.unwrap()), dir)
}

fn refused(error: DbErr) -> Answer {
    match error {
        DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error))
        | DbErr::Query(sea_orm::RuntimeErr::SqlxError(error)) => {
            std::sync::Arc::into_inner(error).unwrap().into()
        }
        error => Answer::Other(error.to_string()),
    }
}

#[tokio::test]
async fn rows_are_inserted_found_and_changed() {
    let (db, _dir) = pool().await;
    let row = ActiveModel { id: Set("3".to_owned()), a: Set("three".to_owned()) }
        .insert(&db)
        .await
        .unwrap();
    assert_eq!(Entity::find_by_id("3").one(&db).await.unwrap(), Some(row.clone()));
    let row = ActiveModel { a: Set("drei".to_owned()), ..row.into() }.update(&db).await.unwrap();
    assert_eq!(row.a, "drei");
    assert_eq!(Entity::find().count(&db).await.unwrap(), 3);
    assert_eq!(
        refused(Entity::delete_by_id("3").exec(&db).await.unwrap_err()),
        Answer::Unauthorized
    );
}

#[tokio::test]
async fn transactions_and_savepoints_work() {
    let (db, _dir) = pool().await;
    let transaction = db.begin().await.unwrap();
    let row = |id: &str| ActiveModel { id: Set(id.to_owned()), a: Set(id.to_owned()) };
    row("kept").insert(&transaction).await.unwrap();
    let savepoint = transaction.begin().await.unwrap();
    row("dropped").insert(&savepoint).await.unwrap();
    savepoint.rollback().await.unwrap();
    transaction.commit().await.unwrap();
    let ids: Vec<_> =
        Entity::find().all(&db).await.unwrap().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, ["1", "2", "kept"]);
}

#[tokio::test]
async fn every_connection_of_the_pool_is_confined() {
    let (db, _dir) = pool().await;
    let (one, two, three) =
        (db.begin().await.unwrap(), db.begin().await.unwrap(), db.begin().await.unwrap());
    for connection in [&one, &two, &three] {
        let error = connection.execute_unprepared("SELECT secret FROM t").await.unwrap_err();
        assert_eq!(refused(error), Answer::Unauthorized);
    }
}

#[tokio::test]
async fn a_table_can_be_asked_for() {
    let (db, _dir) = pool().await;
    assert!(db::has_table(&db, "other").await.unwrap());
    assert!(!db::has_table(&db, "nothing").await.unwrap());
}

#[test]
fn the_same_rights_are_kept_once() {
    assert!(std::ptr::eq(Rules::of(&narrow()), Rules::of(&narrow())));
    let wider = component([("t", rights(&["id"], &[], &[], true))]);
    assert!(!std::ptr::eq(Rules::of(&narrow()), Rules::of(&wider)));
}

/// A statement whose schema changed is prepared anew and started again, without a word to anybody.
#[tokio::test]
async fn a_stopped_statement_does_not_slip_through_when_the_schema_changes() {
    let (db, dir) = pool().await;
    let one = db.get_sqlite_connection_pool();
    let mut connection = one.acquire().await.unwrap();
    let owner = sea_orm::sqlx::SqliteConnection::connect(&format!(
        "sqlite:{}",
        dir.path().join("t.db").display()
    ));
    let mut owner = owner.await.unwrap();
    for _ in 0..3 {
        let sql = "WITH g (x) AS (VALUES ('y')) SELECT x FROM g FULL JOIN other USING (x)";
        assert_eq!(run(&mut connection, sql).await, Answer::Stopped);
        assert_eq!(
            run(&mut connection, "SELECT id FROM t").await,
            Answer::Done,
            "and harms no other"
        );
        sea_orm::sqlx::raw_sql("CREATE TABLE more (id); DROP TABLE more")
            .execute(&mut owner)
            .await
            .unwrap();
    }
}
