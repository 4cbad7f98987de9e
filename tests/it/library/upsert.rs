//! What is stored again opens, whichever row it is stored in.

use grant::{Column, Note, Refresh};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait as _, EntityTrait as _, TransactionTrait as _};
use strongroom::prelude::*;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    what_is_stored_again_opens,
    a_stored_row_of_another_owner_is_refused,
    a_row_is_found_by_its_blind_index,
    many_at_once_leave_one_row_that_opens,
    another_key_that_is_taken_is_the_databases_own_error,
);

mod grant {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "oauth_grant")]
    #[sealed(label = "oauth_grant", owners(user_id, provider))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub user_id: String,
        pub provider: String,
        pub refresh: Sealed<Refresh>,
        #[sea_orm(unique)]
        pub refresh_index: BlindIndex<Refresh>,
        pub note: Option<Sealed<Note>>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const TABLES: [&str; 2] = [
    "CREATE TABLE oauth_grant (id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, provider varchar(64) NOT NULL, \
     refresh BYTES NOT NULL, refresh_index INDEXED NOT NULL UNIQUE, note BYTES, UNIQUE (user_id, provider))",
    "CREATE TABLE login (grant_id varchar(64) NOT NULL, FOREIGN KEY (grant_id) REFERENCES oauth_grant (id))",
];

async fn program(engine: Engine) -> (Program, Strongroom) {
    let index =
        if matches!(engine, Engine::MySql | Engine::MariaDb) { "varbinary(16)" } else { "BYTES" };
    let [grants, logins] = TABLES.map(|table| table.replace("INDEXED", index));
    let program = Program::begin(engine, &[&grants, &logins]).await;
    program.seal(grant::Entity::TABLE).await;
    let room = program.load().await;
    (program, room)
}

fn grant(id: &str, user: &str) -> grant::ActiveModel {
    grant::ActiveModel {
        id: Set(id.to_owned()),
        user_id: Set(user.to_owned()),
        provider: Set("github".to_owned()),
        ..Default::default()
    }
}

async fn rows(room: &Strongroom) -> Vec<(String, String, Option<String>)> {
    let mut all = Vec::new();
    for row in grant::Entity::find().all(room).await.unwrap() {
        let refresh = room.open(Refresh, &row).await.unwrap().to_text().unwrap();
        let note = room.open(Note, &row).await.unwrap().map(|note| note.to_text().unwrap());
        all.push((row.id, refresh, note));
    }
    all.sort();
    all
}

fn what_is_stored_again_opens(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let key = [Column::UserId, Column::Provider];
        let first = grant("g1", "alice")
            .with(Refresh, "first")
            .with(Note, "kept")
            .upsert(&room, key)
            .await
            .unwrap();
        assert_eq!(first.id, "g1");
        room.execute_unprepared("INSERT INTO login VALUES ('g1')").await.unwrap();

        let stored = grant("g2", "alice").with(Refresh, "second").upsert(&room, key).await.unwrap();
        assert_eq!(stored.id, "g1");
        assert_eq!(
            rows(&room).await,
            [("g1".to_owned(), "second".to_owned(), Some("kept".to_owned()))]
        );

        // By its own id, in a transaction, and given up.
        let transaction = room.begin().await.unwrap();
        grant("g1", "alice")
            .with(Refresh, "third")
            .without(Note)
            .upsert(&transaction, [Column::Id])
            .await
            .unwrap();
        grant("g3", "bob").with(Refresh, "bob's").upsert(&transaction, key).await.unwrap();
        transaction.commit().await.unwrap();
        let transaction = room.begin().await.unwrap();
        grant("g4", "bob").with(Refresh, "lost").upsert(&transaction, key).await.unwrap();
        transaction.rollback().await.unwrap();
        let expected = [("g1", "third"), ("g3", "bob's")]
            .map(|(id, value)| (id.to_owned(), value.to_owned(), None));
        assert_eq!(rows(&room).await, expected);
    });
}

fn a_stored_row_of_another_owner_is_refused(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        grant("g1", "alice").with(Refresh, "alice's").insert(&room).await.unwrap();
        for key in [Column::Id, Column::Provider] {
            let refused = grant("g1", "eve").with(Refresh, "eve's").upsert(&room, [key]).await;
            assert!(matches!(refused, Err(RecordError::Rebound { .. })), "{refused:?}");
        }
        assert_eq!(rows(&room).await, [("g1".to_owned(), "alice's".to_owned(), None)]);
    });
}

fn a_row_is_found_by_its_blind_index(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        grant("g1", "alice").with(Refresh, "same").insert(&room).await.unwrap();
        let draft = grant("g2", "alice").with(Refresh, "same").with(Note, "seen again");
        assert_eq!(draft.upsert(&room, [Column::RefreshIndex]).await.unwrap().id, "g1");
        assert_eq!(
            rows(&room).await,
            [("g1".to_owned(), "same".to_owned(), Some("seen again".to_owned()))]
        );
    });
}

fn many_at_once_leave_one_row_that_opens(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let all = (0..12).map(|n| {
            let room = room.clone();
            tokio::spawn(async move {
                let draft = grant(&format!("g{n}"), "alice").with(Refresh, format!("token {n}"));
                draft.upsert(&room, [Column::UserId, Column::Provider]).await.map(|row| row.id)
            })
        });
        for done in all.collect::<Vec<_>>() {
            done.await.unwrap().unwrap();
        }
        assert_eq!(rows(&room).await.len(), 1);
    });
}

fn another_key_that_is_taken_is_the_databases_own_error(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        grant("g1", "alice").with(Refresh, "alice's").insert(&room).await.unwrap();
        let key = [Column::UserId, Column::Provider];
        let refused = grant("g1", "bob").with(Refresh, "bob's").upsert(&room, key).await;
        assert!(matches!(refused, Err(RecordError::Database(_))), "{refused:?}");
        assert_eq!(rows(&room).await.len(), 1);
    });
}
