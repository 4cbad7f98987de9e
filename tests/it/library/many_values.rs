//! Rows by many values at once, in one condition.

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, Schema};
use strongroom::prelude::*;
use token::Token;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(rows_are_found_by_many_thousand_values);

mod token {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "token")]
    #[sealed(label = "token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub token: Sealed<Token>,
        #[sea_orm(unique)]
        pub token_index: BlindIndex<Token>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

fn rows_are_found_by_many_thousand_values(engine: Engine) {
    block_on(async {
        let program = Program::begin(engine, &[]).await;
        let table =
            Schema::new(program.db.get_database_backend()).create_table_from_entity(token::Entity);
        program.db.execute(&table).await.unwrap();
        program.seal(token::Entity::TABLE).await;
        let room = program.load().await;
        let row = |n: u32| token::ActiveModel { id: Set(n.to_string()), ..Default::default() };
        room.insert_many((0..100).map(|n| row(n).with(Token, format!("tok_{n:06}"))).collect())
            .await
            .unwrap();

        for (values, found) in [(0, 0), (1, 1), (50, 50), (999, 100), (10_000, 100), (40_000, 100)]
        {
            let room = room.clone();
            // On a worker thread, whose stack is small.
            let rows = tokio::spawn(async move {
                let wanted = room.is_in(Token, (0..values).map(|n| format!("tok_{n:06}"))).unwrap();
                let rows =
                    token::Entity::find().filter(token::Column::Id.ne("none")).filter(wanted);
                rows.all(&room).await.unwrap().len()
            });
            assert_eq!(rows.await.unwrap(), found, "{values} values");
        }
    });
}
