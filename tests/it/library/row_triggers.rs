//! A program's own triggers do not take sealing, or a new key, for a change of every row.

use sea_orm::{ConnectionTrait as _, Statement};
use sea_orm_migration::SchemaManager;
use strongroom::key::Rolling;
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::reseal::{Options, ResealError};
use strongroom::schema::{Sealing, Unsealable};

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    a_trigger_for_every_update_is_refused_by_name,
    a_trigger_that_leaves_the_engine_alone_counts_no_sealing_and_no_roll,
    a_trigger_for_another_column_is_let_be,
    a_roll_names_a_trigger_that_was_made_since,
    columns_that_the_server_sets_keep_their_values,
);

mod webhook {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "webhook")]
    #[sealed(label = "webhook")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub version: i32,
        pub name: Option<String>,
        #[sealed(plain = "secret")]
        pub secret_sealed: Sealed<Secret>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE webhook (id varchar(64) NOT NULL PRIMARY KEY, version integer NOT NULL, name varchar(64), secret varchar(64) NOT NULL)";
const ROWS: &str =
    "INSERT INTO webhook (id, version, secret) VALUES ('a', 1, 'whsec_1'), ('b', 1, 'whsec_2')";

/// A trigger that counts versions, unless this condition does not hold; `of` limits it to a column where the engine can.
fn trigger(engine: Engine, condition: &str, of: &str) -> Vec<String> {
    match engine {
        Engine::Sqlite => vec![format!(
            "CREATE TRIGGER versioned AFTER UPDATE {of} ON webhook WHEN new.version = old.version AND {condition} \
             BEGIN UPDATE webhook SET version = old.version + 1 WHERE id = new.id; END"
        )],
        Engine::Postgres => vec![
            format!(
                "CREATE FUNCTION versioned() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 IF {condition} THEN new.version := old.version + 1; END IF; RETURN new; END $$"
            ),
            format!(
                "CREATE TRIGGER versioned BEFORE UPDATE {of} ON webhook FOR EACH ROW EXECUTE FUNCTION versioned()"
            ),
        ],
        Engine::MySql | Engine::MariaDb => vec![format!(
            "CREATE TRIGGER versioned BEFORE UPDATE ON webhook FOR EACH ROW \
             BEGIN IF {condition} THEN SET new.version = old.version + 1; END IF; END"
        )],
    }
}

async fn program(engine: Engine, trigger: &[String]) -> Program {
    let statements: Vec<&str> =
        [TABLE].into_iter().chain(trigger.iter().map(String::as_str)).chain([ROWS]).collect();
    Program::begin(engine, &statements).await
}

async fn bring(program: &Program, phase: Phase) -> Result<(), sea_orm::DbErr> {
    let sealing = Sealing::new(program.roots.clone());
    sealing.migrate_to(&SchemaManager::new(&program.db), webhook::Entity::TABLE, phase).await
}

async fn version(program: &Program) -> i32 {
    let asked = Statement::from_string(
        program.db.get_database_backend(),
        "SELECT max(version) AS version FROM webhook",
    );
    program.db.query_one_raw(asked).await.unwrap().unwrap().try_get("", "version").unwrap()
}

fn a_trigger_for_every_update_is_refused_by_name(engine: Engine) {
    block_on(async {
        let program = program(engine, &trigger(engine, "1 = 1", "")).await;
        let refused = bring(&program, Phase::Sealed).await.unwrap_err();
        let Some(Unsealable::Triggers { table: "webhook", names, condition }) =
            Unsealable::of(&refused)
        else {
            panic!("{refused:?}")
        };
        assert_eq!(names, &["versioned"]);
        assert!(condition.contains("strongroom_reseal"));
        assert_eq!(version(&program).await, 1);
        let columns = "SELECT * FROM webhook";
        let row = program
            .db
            .query_one_raw(Statement::from_string(program.db.get_database_backend(), columns))
            .await;
        assert_eq!(row.unwrap().unwrap().column_names().len(), 4, "nothing was added");
    });
}

/// The condition that the refusal names.
fn a_trigger_that_leaves_the_engine_alone_counts_no_sealing_and_no_roll(engine: Engine) {
    block_on(async {
        let condition =
            "NOT EXISTS (SELECT 1 FROM strongroom_reseal WHERE table_name = 'webhook' AND writing)";
        let program = program(engine, &trigger(engine, condition, "")).await;
        bring(&program, Phase::Sealed).await.unwrap();
        assert_eq!(version(&program).await, 1, "sealing counted as a change");
        let room = program.load().await;
        assert_eq!(room.roll(Rolling::Forward, &Options::default()).await.unwrap().moved, 2);
        assert_eq!(version(&program).await, 1, "a roll counted as a change");
        bring(&program, Phase::Plain).await.unwrap();
        assert_eq!(version(&program).await, 1, "the way back counted as a change");
        program
            .db
            .execute_unprepared("UPDATE webhook SET name = 'x' WHERE id = 'a'")
            .await
            .unwrap();
        assert_eq!(version(&program).await, 2, "the program's own change does");
    });
}

fn a_trigger_for_another_column_is_let_be(engine: Engine) {
    if matches!(engine, Engine::MySql | Engine::MariaDb) {
        return; // triggers there are for every column
    }
    block_on(async {
        let program = program(engine, &trigger(engine, "1 = 1", "OF name")).await;
        bring(&program, Phase::Sealed).await.unwrap();
        program.load().await.roll(Rolling::Forward, &Options::default()).await.unwrap();
        assert_eq!(version(&program).await, 1);
    });
}

fn a_roll_names_a_trigger_that_was_made_since(engine: Engine) {
    block_on(async {
        let program = program(engine, &[]).await;
        bring(&program, Phase::Sealed).await.unwrap();
        for sql in trigger(engine, "1 = 1", "") {
            program.db.execute_unprepared(&sql).await.unwrap();
        }
        let room = program.load().await;
        let refused = room.roll(Rolling::Forward, &Options::default()).await;
        let Err(ResealError::Triggers { table: "webhook", names, .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(names, ["versioned"]);
        let back = bring(&program, Phase::Plain).await.unwrap_err();
        assert!(matches!(Unsealable::of(&back), Some(Unsealable::Triggers { .. })), "{back:?}");
        assert_eq!(version(&program).await, 1);
    });
}

/// MySQL and MariaDB have a clause for it; the others have nothing of the kind, and nothing to keep.
fn columns_that_the_server_sets_keep_their_values(engine: Engine) {
    if matches!(engine, Engine::Postgres | Engine::Sqlite) {
        return;
    }
    block_on(async {
        let adds = "ALTER TABLE webhook ADD COLUMN `updated at` datetime(6) NOT NULL DEFAULT '2001-02-03 04:05:06' \
                    ON UPDATE CURRENT_TIMESTAMP(6)";
        let program = Program::begin(engine, &[TABLE, adds, ROWS]).await;
        let changed =
            "SELECT count(*) AS n FROM webhook WHERE `updated at` <> '2001-02-03 04:05:06'";
        let changed = async || {
            let asked = Statement::from_string(program.db.get_database_backend(), changed);
            program.db.query_one_raw(asked).await.unwrap().unwrap().try_get::<i64>("", "n").unwrap()
        };
        bring(&program, Phase::Sealed).await.unwrap();
        assert_eq!(changed().await, 0, "sealing");
        program.load().await.roll(Rolling::Forward, &Options::default()).await.unwrap();
        assert_eq!(changed().await, 0, "a roll");
        bring(&program, Phase::Plain).await.unwrap();
        assert_eq!(changed().await, 0, "the way back");
    });
}
