//! A blind index that is not unique: all rows with a value, or an error.

use sea_orm::ActiveValue::Set;
use sea_orm::IntoActiveModel as _;
use strongroom::prelude::*;
use token::Phone;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    rows_with_the_same_value_are_all_found,
    an_optional_column_is_emptied_with_its_index
);

mod token {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "contact")]
    #[sealed(label = "contact")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub phone: Option<Sealed<Phone>>,
        pub phone_index: Option<BlindIndex<Phone>>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

async fn program(engine: Engine) -> (Program, Strongroom) {
    let program =
        Program::begin(engine, &["CREATE TABLE contact (id varchar(64) NOT NULL PRIMARY KEY, phone BYTES, phone_index BYTES)"])
            .await;
    program.seal(token::Entity::TABLE).await;
    let room = program.load().await;
    for (id, phone) in [("a", "+1"), ("b", "+1"), ("c", "+2")] {
        contact(id).with(Phone, phone).insert(&room).await.unwrap();
    }
    (program, room)
}

fn contact(id: &str) -> token::ActiveModel {
    token::ActiveModel { id: Set(id.to_owned()), ..Default::default() }
}

fn rows_with_the_same_value_are_all_found(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let refused = room.find_by(Phone, "+1").await;
        assert!(
            matches!(refused, Err(RecordError::Several { label: "contact.phone" })),
            "{refused:?}"
        );
        let mut found: Vec<_> =
            room.find_all_by(Phone, "+1").await.unwrap().into_iter().map(|row| row.id).collect();
        found.sort();
        assert_eq!(found, ["a", "b"]);
        assert_eq!(room.find_by(Phone, "+2").await.unwrap().unwrap().id, "c");
        assert!(room.find_all_by(Phone, "+3").await.unwrap().is_empty());
    });
}

fn an_optional_column_is_emptied_with_its_index(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let row = room.find_by(Phone, "+2").await.unwrap().unwrap();
        let mut half = row.clone().into_active_model();
        half.phone = Set(None);
        let refused = sea_orm::ActiveModelTrait::update(half, &room).await.unwrap_err().to_string();
        assert!(refused.contains("index"), "does not say that the two go together: {refused}");
        let emptied = row.into_active_model().without(Phone).update(&room).await.unwrap();
        assert_eq!((emptied.phone.is_none(), emptied.phone_index.is_none()), (true, true));
        assert!(room.find_by(Phone, "+2").await.unwrap().is_none());
        let back =
            emptied.into_active_model().with_some(Phone, Some("+4")).update(&room).await.unwrap();
        assert_eq!(room.open(Phone, &back).await.unwrap().unwrap().as_text(), Some("+4"));
        contact("d").with_some(Phone, None::<&str>).insert(&room).await.unwrap();
    });
}
