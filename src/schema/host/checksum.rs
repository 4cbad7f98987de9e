//! What was applied, as a digest over what a step does to a recorder.

use sea_orm::DbBackend;
use sea_orm_migration::MigrationTrait;
use sha2::{Digest as _, Sha256};

use super::recorder::{Answers, Line};
use super::recording::record;
use crate::schema::checksum::{add, without_comments};
use crate::schema::sealing::counted;

/// SHA-256, in hex, over a step's name and what it asks of a database without rows, up and down. Of a step that fails
/// there, what it asked until then. Probes say no and then yes, so that both ways of a step count. Of sealing, what is
/// asked for counts, once, and not the SQL that this takes today.
pub(super) async fn checksum(step: &dyn MigrationTrait, engine: DbBackend) -> String {
    let mut digest = Sha256::new();
    add(&mut digest, step.name());
    for (direction, up) in [("up", true), ("down", false)] {
        for is_there in [false, true] {
            add(&mut digest, direction);
            let mut sealing = String::new();
            for line in record(step, up, engine, Answers::NoRows { is_there }).await.lines {
                let (Line::Write(text) | Line::Read(text)) = line;
                match counted(&text) {
                    Some(asked) if asked == sealing => {}
                    Some(asked) => {
                        add(&mut digest, asked);
                        asked.clone_into(&mut sealing);
                    }
                    None => {
                        add(&mut digest, &without_comments(&text));
                        sealing.clear();
                    }
                }
            }
        }
    }
    hex::encode(digest.finalize())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sea_orm::{ConnectionTrait as _, DbErr, Statement, TransactionTrait as _, Value};
    use sea_orm_migration::{MigrationName, SchemaManager, async_trait};
    use strongroom_entity::{IdColumn, IdKind, SealedColumn, SealedTable};
    use strongroom_migration::Phase;

    use super::*;
    use crate::crypto::RootKey;
    use crate::schema::Sealing;

    /// Binds a value, opens a transaction, and goes on only when a row is found.
    #[derive(Default)]
    struct Step {
        bound: i32,
        comment: &'static str,
        panics: bool,
        loops: bool,
    }

    impl MigrationName for Step {
        fn name(&self) -> &'static str {
            "step"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Step {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let (db, engine) = (manager.get_connection(), manager.get_database_backend());
            let transaction = db.begin().await?;
            let bound = [Value::from(self.bound)];
            transaction
                .execute_raw(Statement::from_sql_and_values(engine, "UPDATE t SET a = $1", bound))
                .await?;
            transaction.commit().await?;
            db.execute_unprepared(&format!("DELETE FROM t{}", self.comment)).await?;
            // Until nothing is left, which on a recorder never comes.
            let mut moved = u64::from(self.loops);
            while moved > 0 {
                moved = db
                    .execute_unprepared("INSERT INTO t SELECT * FROM u LIMIT 10")
                    .await?
                    .rows_affected();
            }
            let found = db.query_one_raw(Statement::from_string(engine, "SELECT a FROM t")).await?;
            assert!(found.is_some() || !self.panics, "there is always a row");
            Ok(())
        }
    }

    async fn lines(step: &Step) -> (Vec<Line>, Option<String>) {
        let recording =
            record(step, true, DbBackend::Postgres, Answers::NoRows { is_there: false }).await;
        (recording.lines, recording.failed)
    }

    #[tokio::test]
    async fn what_a_step_asks_is_recorded_without_its_values() {
        let write = |sql: &str| Line::Write(sql.to_owned());
        let mut expected = vec![
            write("BEGIN"),
            write("UPDATE t SET a = $1"),
            write("COMMIT"),
            write("DELETE FROM t"),
        ];
        expected.push(Line::Read("SELECT a FROM t".to_owned()));
        assert_eq!(lines(&Step::default()).await, (expected.clone(), None));
        let (seen, failed) = lines(&Step { panics: true, ..Step::default() }).await;
        assert_eq!((seen, failed.as_deref()), (expected, Some("it panicked")));
    }

    #[tokio::test]
    async fn a_step_that_never_ends_ends_on_a_recorder() {
        let (seen, failed) = lines(&Step { loops: true, ..Step::default() }).await;
        assert_eq!(seen.len(), 1000);
        assert!(failed.is_some());
    }

    /// Brings a table to a phase and forgets it.
    struct Seals(&'static SealedTable, Phase);

    impl MigrationName for Seals {
        fn name(&self) -> &'static str {
            "seals"
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Seals {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            sealing().migrate_to(manager, self.0, self.1).await
        }

        async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            sealing().forget(manager, self.0).await
        }
    }

    fn sealing() -> Sealing {
        Sealing::new(Arc::new(RootKey::make().unwrap().into()))
    }

    const fn table(name: &'static str, columns: &'static [SealedColumn]) -> SealedTable {
        SealedTable {
            name,
            id: IdColumn { name: "id", kind: IdKind::Text },
            owners: &[],
            scope: None,
            columns,
        }
    }

    const fn column(sealed: &'static str, plain: Option<&'static str>) -> SealedColumn {
        SealedColumn { label: sealed, plain, sealed, index: None, nullable: true }
    }

    static ONE: SealedTable = table("t", &[column("a_sealed", Some("a"))]);
    static TWO: SealedTable =
        table("t", &[column("a_sealed", Some("a")), column("b_sealed", Some("b"))]);
    static ONE_BORN: SealedTable = table("t", &[column("a", None)]);
    static TWO_BORN: SealedTable = table("t", &[column("a", None), column("b", None)]);
    static OTHER: SealedTable = table("u", &[column("a_sealed", Some("a"))]);

    #[tokio::test]
    async fn of_sealing_it_counts_which_table_goes_where_and_not_how() {
        for engine in [DbBackend::Postgres, DbBackend::MySql, DbBackend::Sqlite] {
            let of = async |table, to| checksum(&Seals(table, to), engine).await;
            let first = of(&ONE, Phase::Sealed).await;
            assert_eq!(first, of(&TWO, Phase::Sealed).await, "a column more");
            assert_eq!(of(&ONE_BORN, Phase::Sealed).await, of(&TWO_BORN, Phase::Sealed).await);
            assert_ne!(first, of(&ONE, Phase::Filled).await);
            assert_ne!(first, of(&OTHER, Phase::Sealed).await);
            let shown = record(
                &Seals(&TWO, Phase::Sealed),
                true,
                engine,
                Answers::NoRows { is_there: false },
            )
            .await;
            assert_eq!(shown.failed, None);
            let has = |what: &str| {
                shown
                    .lines
                    .iter()
                    .any(|line| matches!(line, Line::Write(sql) if sql.contains(what)))
            };
            assert!(
                has("ADD COLUMN") && has("b_sealed"),
                "a plan shows all of it: {:?}",
                shown.lines
            );
        }
    }

    #[tokio::test]
    async fn values_and_comments_do_not_count_and_statements_do() {
        let of = async |step: Step| checksum(&step, DbBackend::Postgres).await;
        let first = of(Step::default()).await;
        assert_eq!(
            first,
            of(Step { bound: 7, comment: "\n  -- all of it", ..Step::default() }).await
        );
        assert_ne!(first, of(Step { comment: " WHERE TRUE", ..Step::default() }).await);
    }
}
