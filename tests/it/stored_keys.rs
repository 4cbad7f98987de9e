//! A cell is stored only while the ring has its key, whoever writes it and by whatever statement.

use std::sync::Arc;

use note::Text;
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{EntityTrait as _, TransactionTrait as _};
use strongroom::credential::{NewCredential, Store};
use strongroom::db::{Access, Address, connect, is_sealed_under_gone_key};
use strongroom::key::{FileSource, KeySource as _, RingError, Roots};
use strongroom::prelude::*;

use crate::library::Program;
use crate::support::{Engine, Room, block_on, numbered_rows, on_every_engine};

on_every_engine!(
    credential_is_sealed_again_after_the_database_lost_its_key,
    cell_under_a_wiped_or_unknown_key_is_refused,
    draft_is_sealed_again_after_the_database_lost_its_key,
    transaction_that_sealed_under_a_lost_key_fails_and_its_successor_does_not,
    page_under_a_lost_key_is_not_written,
);

fn credential_is_sealed_again_after_the_database_lost_its_key(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let store = block_on(store(&room));
    block_on(store.create(&credential("first"))).unwrap();
    // What a failover may take: the last commits, the key's among them.
    room.execute("DELETE FROM credential WHERE project_id = 'project-new'");
    room.execute("DELETE FROM strongroom_key WHERE scope LIKE '%project-new'");
    block_on(store.create(&credential("second"))).unwrap();
    let found = block_on(store.find("AKIAsecond", true)).unwrap().secret;
    assert_eq!(found.as_deref().map(String::as_str), Some("secret"));
    let keys = "SELECT count(*) FROM strongroom_key WHERE scope LIKE '%project-new'";
    assert_eq!(room.number(keys), 1);
    room.run(&["keys", "verify"]).expect(0);
    assert_eq!(room.json(&["credential", "show", "AKIAsecond", "--reveal"])["secret"], "secret");
}

/// Also by statements of other programs, such as a restore of single rows.
fn cell_under_a_wiped_or_unknown_key_is_refused(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(3));
    let stored = room.bytes("SELECT secret_key_sealed FROM credential WHERE id = 'row-000001'");
    let mut unknown = stored.clone();
    unknown[4] ^= 1;
    let update = "UPDATE credential SET secret_key_sealed = $1 WHERE id = 'row-000001'";
    let refused = room.try_execute(update, vec![unknown.into()]).unwrap_err();
    assert!(is_sealed_under_gone_key(&refused), "{refused}");
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "retire", "1", "--grace", "0", "--yes"]).expect(0);
    let refused = room.try_execute(update, vec![stored.into()]).unwrap_err();
    assert!(is_sealed_under_gone_key(&refused), "{refused}");
    // A row whose cells stay is not judged again.
    room.execute(
        "UPDATE credential SET created_at = '2026-01-01 00:00:00' WHERE id = 'row-000001'",
    );
    room.run(&["keys", "verify"]).expect(0);
}

fn draft_is_sealed_again_after_the_database_lost_its_key(engine: Engine) {
    block_on(async {
        let (program, db) = program(engine).await;
        row("one", "acme").with(Text, "first").insert(&db).await.unwrap();
        program.lose_keys("acme").await;
        row("two", "acme").with(Text, "second").insert(&db).await.unwrap();
        program.lose_keys("acme").await;
        let stored = note::Entity::find_by_id("two").one(&db).await.unwrap().unwrap();
        row(&stored.id, "acme").with(Text, "third").update(&db).await.unwrap();
        program.lose_keys("acme").await;
        row("two", "acme").with(Text, "fourth").upsert(&db, [note::Column::Id]).await.unwrap();
        program.lose_keys("acme").await;
        let many = vec![row("three", "acme").with(Text, "fifth")];
        db.insert_many(many).await.unwrap();
        let fresh = program.load().await;
        let last = note::Entity::find_by_id("three").one(&fresh).await.unwrap().unwrap();
        assert_eq!(fresh.open(Text, &last).await.unwrap().as_text(), Some("fifth"));
    });
}

fn transaction_that_sealed_under_a_lost_key_fails_and_its_successor_does_not(engine: Engine) {
    block_on(async {
        let (program, db) = program(engine).await;
        row("one", "acme").with(Text, "first").insert(&db).await.unwrap();
        program.lose_keys("acme").await;
        let transaction = db.begin().await.unwrap();
        let refused = row("two", "acme").with(Text, "second").insert(&transaction).await;
        assert!(
            matches!(refused, Err(RecordError::Ring(RingError::KeyGone))),
            "{:?}",
            refused.map(|it| it.id)
        );
        transaction.rollback().await.unwrap();
        // On SQLite a key of a new scope is made before the transaction begins.
        let sealed = row("two", "acme").with(Text, "second").seal(&db).await.unwrap();
        let transaction = db.begin().await.unwrap();
        sea_orm::ActiveModelTrait::insert(sealed, &transaction).await.unwrap();
        transaction.commit().await.unwrap();
    });
}

/// A run stops at such a page, having written nothing of it, and the same command goes on.
fn page_under_a_lost_key_is_not_written(engine: Engine) {
    let room = Room::sealed(engine, &numbered_rows(30));
    room.in_the_midst_of_a_page("DELETE FROM strongroom_key WHERE generation = 2");
    let refused = room.run(&["keys", "rotate", "--format", "json"]).expect(1).json();
    assert_eq!(refused["error"]["code"], "key_gone", "{refused}");
    let status = room.json(&["keys", "status"]);
    assert_eq!(status["generations"][0]["cells"], 60, "{status}");
    room.no_longer_in_the_midst();
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
}

mod note {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "note")]
    #[sealed(label = "note", scope(tenant_id))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant_id: String,
        pub text: Sealed<Text>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

async fn program(engine: Engine) -> (Program, Strongroom) {
    let table = "CREATE TABLE note (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64) NOT NULL, text BYTES NOT NULL)";
    let program = Program::begin(engine, &[table]).await;
    program.seal(note::Entity::TABLE).await;
    let db = program.load().await;
    (program, db)
}

fn row(id: &str, tenant: &str) -> note::ActiveModel {
    note::ActiveModel { id: Set(id.to_owned()), tenant_id: Set(tenant.to_owned()), text: NotSet }
}

fn credential(name: &str) -> NewCredential {
    NewCredential {
        id: name.to_owned(),
        user_id: "user".to_owned(),
        project_id: Some("project-new".to_owned()),
        kind: "ec2".to_owned(),
        access: Some(format!("AKIA{name}").into()),
        secret: "secret".to_owned().into(),
        extra: None,
    }
}

async fn store(room: &Room) -> Store {
    let db = connect(&Address::parse(room.url()).unwrap(), Access::Write).await.unwrap();
    let roots = Roots::from(FileSource::new(room.key_file()).root().await.unwrap());
    Store::new(db, Some(Arc::new(roots)), 0)
}
