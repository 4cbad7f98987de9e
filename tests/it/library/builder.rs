//! sea-orm's own way to write a row with its relations.

use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait as _, Schema};
use strongroom::prelude::*;

use super::Program;
use crate::record::api_token::{self, Note, Token};
use crate::record::webhook;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(a_row_is_inserted_by_its_builder);

fn a_row_is_inserted_by_its_builder(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[]).await;
        let schema = Schema::new(program.db.get_database_backend());
        program.db.execute(&schema.create_table_from_entity(api_token::Entity)).await.unwrap();
        program.db.execute(&schema.create_table_from_entity(webhook::Entity)).await.unwrap();
        program.seal(api_token::Entity::TABLE).await;
        program.seal(webhook::Entity::TABLE).await;
        let room = program.load().await;
        let row = api_token::ActiveModel::builder()
            .set_id(Uuid::from_u128(1))
            .set_tenant_id("acme")
            .set_name("laptop");
        let stored = row.with(Token, "tok_1").with(Note, "by hand").insert(&room).await.unwrap();
        assert_eq!(room.open(Token, &stored).await.unwrap().as_text(), Some("tok_1"));
        assert_eq!(room.find_by(Token, "tok_1").await.unwrap().unwrap().name, "laptop");
        let spawned = tokio::spawn(async move {
            let row = api_token::ActiveModel::builder()
                .set_id(Uuid::from_u128(2))
                .set_tenant_id("acme")
                .set_name("robot");
            row.with(Token, "tok_2").insert(&room).await.map(|row| row.name)
        });
        assert_eq!(spawned.await.unwrap().unwrap(), "robot");
    });
}
