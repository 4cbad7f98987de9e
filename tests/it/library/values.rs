//! Values of other types than text: JSON, secrets, many at once.

use std::sync::Arc;

use login::Account;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait as _;
use secrecy::ExposeSecret as _;
use strongroom::prelude::*;
use strongroom::record::Plaintext;

use super::Program;
use crate::support::{Engine, block_on};

mod login {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "login")]
    #[sealed(label = "login")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub account: Sealed<Account>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

async fn program() -> (Program, Strongroom) {
    let table = "CREATE TABLE login (id varchar(64) NOT NULL PRIMARY KEY, account BYTES NOT NULL)";
    let program = Program::begin(Engine::Sqlite, &[table]).await;
    program.seal(login::Entity::TABLE).await;
    let room = program.load().await;
    (program, room)
}

fn row(id: &str) -> login::ActiveModel {
    login::ActiveModel { id: Set(id.to_owned()), ..Default::default() }
}

#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct UserAndPassword {
    user: String,
    password: String,
}

#[test]
fn a_value_of_any_type_goes_in_and_comes_out_as_json() {
    block_on(async {
        let (_program, room) = program().await;
        let account = UserAndPassword { user: "alice".to_owned(), password: "hunter2".to_owned() };
        let stored =
            row("a").with(Account, Plaintext::json(&account).unwrap()).insert(&room).await.unwrap();
        let opened = room.open(Account, &stored).await.unwrap();
        assert_eq!(opened.json::<UserAndPassword>().unwrap(), account);
        let refused = opened.json::<Vec<u8>>().unwrap_err();
        assert!(
            matches!(refused, RecordError::Json { .. }) && !refused.to_string().contains("hunter2"),
            "{refused}"
        );
    });
}

#[test]
fn what_was_opened_becomes_text_or_a_secret() {
    block_on(async {
        let (_program, room) = program().await;
        let shared: Arc<str> = "one".into();
        let stored = row("a").with(Account, shared).insert(&room).await.unwrap();
        let opened = room.open(Account, &stored).await.unwrap();
        assert_eq!(
            (opened.to_text().unwrap(), opened.to_secret().unwrap().expose_secret()),
            ("one".to_owned(), "one")
        );
        assert_eq!(format!("{opened:?}"), "Opened");
        let stored = row("b").with(Account, vec![0xff]).insert(&room).await.unwrap();
        let refused = room.open(Account, &stored).await.unwrap().to_text();
        assert!(
            matches!(refused, Err(RecordError::Unopenable { label: "login.account", .. })),
            "{refused:?}"
        );
    });
}

#[test]
fn many_rows_are_opened_at_once_and_one_that_does_not_open_hides_no_other() {
    block_on(async {
        let (_program, room) = program().await;
        room.insert_many(
            (0..5).map(|n| row(&n.to_string()).with(Account, format!("value {n}"))).collect(),
        )
        .await
        .unwrap();
        let mut rows = login::Entity::find().all(&room).await.unwrap();
        rows[3].account = rows[2].account.clone();
        let opened = room.open_many(Account, &rows).await.unwrap();
        for (n, value) in opened.iter().enumerate() {
            match value {
                Ok(value) => assert_eq!(value.as_text(), Some(format!("value {n}").as_str())),
                Err(error) => {
                    assert!(n == 3 && matches!(error, RecordError::Unopenable { .. }), "{error}");
                }
            }
        }
        assert!(opened[3].is_err());
    });
}
