//! A release declares one more sealed column: it is sealed, or the step says what differs. It never says that it is done.

use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use sea_orm_migration::SchemaManager;
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::schema::{Sealing, Unsealable};

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    a_second_column_is_refused_by_name_and_sealed_by_way_of_plain,
    a_table_half_way_is_refused_by_another_description,
    an_empty_table_that_was_made_from_its_entity_is_sealed,
);

mod first {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "webhook")]
    #[sealed(label = "webhook")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        #[sealed(plain = "secret")]
        pub secret_sealed: Sealed<Secret>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod second {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "webhook")]
    #[sealed(label = "webhook")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        #[sealed(plain = "secret")]
        pub secret_sealed: Sealed<Secret>,
        #[sealed(plain = "header")]
        pub header_sealed: Option<Sealed<Header>>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE webhook (id varchar(64) NOT NULL PRIMARY KEY, secret varchar(64) NOT NULL, header varchar(64))";
const ROWS: &str =
    "INSERT INTO webhook VALUES ('a', 'whsec_1', 'Bearer 1'), ('b', 'whsec_2', NULL)";

#[track_caller]
fn differs(done: Result<(), sea_orm::DbErr>, in_phase: Phase) {
    let error = done.unwrap_err();
    let Some(Unsealable::DescribedOtherwise { table: "webhook", phase, differs }) =
        Unsealable::of(&error)
    else {
        panic!("{error:?}")
    };
    assert_eq!((*phase, differs.as_str()), (in_phase, "column `header_sealed`"));
}

fn a_second_column_is_refused_by_name_and_sealed_by_way_of_plain(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[TABLE, ROWS]).await;
        let (sealing, manager) =
            (Sealing::new(program.roots.clone()), SchemaManager::new(&program.db));
        sealing.migrate_to(&manager, first::Entity::TABLE, Phase::Sealed).await.unwrap();
        for phase in [Phase::Sealed, Phase::Plain, Phase::Required] {
            differs(
                sealing.migrate_to(&manager, second::Entity::TABLE, phase).await,
                Phase::Sealed,
            );
        }
        program.db.execute_unprepared("SELECT header FROM webhook").await.unwrap();
        let room = program.load().await;
        room.require(&[first::Entity::TABLE]).await.unwrap();

        // What the error says to do.
        sealing.migrate_to(&manager, first::Entity::TABLE, Phase::Plain).await.unwrap();
        sealing.migrate_to(&manager, second::Entity::TABLE, Phase::Sealed).await.unwrap();
        room.require(&[second::Entity::TABLE]).await.unwrap();
        let room = program.load().await;
        let row = second::Entity::find_by_id("a").one(&room).await.unwrap().unwrap();
        assert_eq!(room.open(second::Secret, &row).await.unwrap().as_text(), Some("whsec_1"));
        assert_eq!(
            room.open(second::Header, &row).await.unwrap().unwrap().as_text(),
            Some("Bearer 1")
        );
    });
}

fn a_table_half_way_is_refused_by_another_description(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[TABLE, ROWS]).await;
        let (sealing, manager) =
            (Sealing::new(program.roots.clone()), SchemaManager::new(&program.db));
        for phase in [Phase::Dual, Phase::Required, Phase::Restoring] {
            sealing.migrate_to(&manager, first::Entity::TABLE, phase).await.unwrap();
            differs(
                sealing.migrate_to(&manager, second::Entity::TABLE, Phase::Sealed).await,
                phase,
            );
        }
    });
}

/// As tests make their tables.
fn an_empty_table_that_was_made_from_its_entity_is_sealed(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[]).await;
        let schema = sea_orm::Schema::new(program.db.get_database_backend());
        program.db.execute(&schema.create_table_from_entity(second::Entity)).await.unwrap();
        program.seal(second::Entity::TABLE).await;
        program.seal(second::Entity::TABLE).await;
        let room = program.load().await;
        room.require(&[second::Entity::TABLE]).await.unwrap();
        let row = second::ActiveModel {
            id: sea_orm::ActiveValue::Set("a".to_owned()),
            ..Default::default()
        };
        let stored = row.with(second::Secret, "whsec").insert(&room).await.unwrap();
        assert_eq!(room.open(second::Secret, &stored).await.unwrap().as_text(), Some("whsec"));
    });
}
