//! A table is made sealed from the start by one call, and dropped by another.

use sea_orm::{ConnectionTrait as _, EntityTrait as _};
use sea_orm_migration::SchemaManager;
use sea_orm_migration::prelude::{ColumnDef, Table, TableCreateStatement};
use strongroom::prelude::*;
use strongroom::schema::Sealing;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    create_table_makes_guards_and_drop_table_removes_all,
    create_table_continues_after_a_crash,
);

mod secret {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "payload")]
    #[sealed(label = "payload", owners(owner))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub owner: String,
        pub payload: Sealed<Payload>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

fn statement() -> TableCreateStatement {
    Table::create()
        .table("payload")
        .col(ColumnDef::new("id").string_len(64).not_null().primary_key())
        .col(ColumnDef::new("owner").string_len(64).not_null())
        .col(ColumnDef::new("payload").blob().not_null())
        .take()
}

fn create_table_makes_guards_and_drop_table_removes_all(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[]).await;
        let (sealing, manager) =
            (Sealing::new(program.roots.clone()), SchemaManager::new(&program.db));
        for _ in 0..2 {
            sealing.create_table(&manager, statement(), secret::Entity::TABLE).await.unwrap();
        }
        let room = program.load().await;
        room.require(&[secret::Entity::TABLE]).await.unwrap();
        let row = secret::ActiveModel {
            id: sea_orm::Set("a".to_owned()),
            owner: sea_orm::Set("alice".to_owned()),
            ..Default::default()
        };
        row.with(secret::Payload, "s3cret").insert(&room).await.unwrap();
        for refused in
            ["UPDATE payload SET owner = 'mallory'", "UPDATE payload SET payload = 'plaintext'"]
        {
            assert!(program.db.execute_unprepared(refused).await.is_err(), "{refused}");
        }
        sealing.drop_table(&manager, secret::Entity::TABLE).await.unwrap();
        sealing.drop_table(&manager, secret::Entity::TABLE).await.unwrap();
        assert!(!manager.has_table("payload").await.unwrap());
        assert!(program.load().await.require(&[secret::Entity::TABLE]).await.is_err());
        sealing.create_table(&manager, statement(), secret::Entity::TABLE).await.unwrap();
        let rows = secret::Entity::find().all(&program.load().await).await.unwrap();
        assert!(rows.is_empty());
    });
}

/// The table was made, and the program was killed before its guards were.
fn create_table_continues_after_a_crash(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[]).await;
        let manager = SchemaManager::new(&program.db);
        manager.create_table(statement()).await.unwrap();
        let sealing = Sealing::new(program.roots.clone());
        sealing.create_table(&manager, statement(), secret::Entity::TABLE).await.unwrap();
        program.load().await.require(&[secret::Entity::TABLE]).await.unwrap();
    });
}
