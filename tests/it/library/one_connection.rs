//! A pool of one connection: nothing waits for a second one.

use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectOptions, Database, EntityTrait as _, TransactionTrait as _};
use strongroom::key::{LIFETIME, RingError, Rolling};
use strongroom::prelude::*;
use strongroom::reseal::Options;
use webhook::Secret;

use super::Program;
use crate::support::{Engine, block_on, on_every_engine};

on_every_engine!(
    a_transaction_on_one_connection_works_for_a_scope_with_a_key,
    a_new_scope_on_one_connection_is_refused_at_once,
    a_stream_on_one_connection_is_opened_as_it_comes,
    a_transaction_that_is_older_than_a_roll_goes_on,
);

mod webhook {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "webhook")]
    #[sealed(label = "webhook", scope(tenant_id))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub tenant_id: String,
        pub secret: Sealed<Secret>,
    }
    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &str = "CREATE TABLE webhook (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64) NOT NULL, secret BYTES NOT NULL)";

/// The room has one connection, and the ring has been read too long ago.
async fn program(engine: Engine) -> (Program, Strongroom) {
    let program = Program::begin(engine, &[TABLE]).await;
    program.seal(webhook::Entity::TABLE).await;
    let mut options = ConnectOptions::new(program.url());
    options.max_connections(1).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    let room = Strongroom::load(db, program.roots.clone()).await.unwrap();
    row("a", "acme").with(Secret, "whsec_a").insert(&room).await.unwrap();
    row("b", "acme").with(Secret, "whsec_b").insert(&room).await.unwrap();
    tokio::time::sleep(LIFETIME + Duration::from_millis(100)).await;
    (program, room)
}

fn row(id: &str, tenant: &str) -> webhook::ActiveModel {
    webhook::ActiveModel {
        id: Set(id.to_owned()),
        tenant_id: Set(tenant.to_owned()),
        ..Default::default()
    }
}

/// Far below the thirty seconds after which a pool gives up.
const AT_ONCE: Duration = Duration::from_secs(8);

fn a_transaction_on_one_connection_works_for_a_scope_with_a_key(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let begun = Instant::now();
        let transaction = room.begin().await.unwrap();
        row("c", "acme").with(Secret, "whsec_c").insert(&transaction).await.unwrap();
        tokio::time::sleep(LIFETIME).await;
        let stored = row("c", "acme").with(Secret, "whsec_d").update(&transaction).await.unwrap();
        assert_eq!(transaction.open(Secret, &stored).await.unwrap().as_text(), Some("whsec_d"));
        transaction.insert_many(vec![row("e", "acme").with(Secret, "whsec_e")]).await.unwrap();
        transaction.commit().await.unwrap();
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    });
}

fn a_new_scope_on_one_connection_is_refused_at_once(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let begun = Instant::now();
        let transaction = room.begin().await.unwrap();
        let refused = row("c", "globex").with(Secret, "whsec_c").insert(&transaction).await;
        assert!(matches!(refused, Err(RecordError::Ring(RingError::NoConnection))), "{refused:?}");
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("connection") && said.contains("Draft::seal"), "{said}");
        transaction.rollback().await.unwrap();
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());

        // What the error says to do.
        let sealed = row("c", "globex").with(Secret, "whsec_c").seal(&room).await.unwrap();
        let transaction = room.begin().await.unwrap();
        sea_orm::ActiveModelTrait::insert(sealed, &transaction).await.unwrap();
        transaction.commit().await.unwrap();
    });
}

fn a_stream_on_one_connection_is_opened_as_it_comes(engine: Engine) {
    block_on(async {
        let (_program, room) = program(engine).await;
        let begun = Instant::now();
        let mut rows = webhook::Entity::find().stream(&room).await.unwrap();
        let mut seen = Vec::new();
        while let Some(row) = rows.try_next().await.unwrap() {
            seen.push(room.open(Secret, &row).await.unwrap().to_text().unwrap());
        }
        seen.sort();
        assert_eq!(seen, ["whsec_a", "whsec_b"]);
        assert!(begun.elapsed() < AT_ONCE, "{:?}", begun.elapsed());
    });
}

/// Its snapshot shows a manifest that the program knows to be old. That is no copy that was put back.
fn a_transaction_that_is_older_than_a_roll_goes_on(engine: Engine) {
    if engine == Engine::Sqlite {
        return; // a transaction that has read holds the roll up there
    }
    block_on(async {
        let (program, room) = program(engine).await;
        let transaction = room.begin().await.unwrap();
        let stored = webhook::Entity::find_by_id("a").one(&transaction).await.unwrap().unwrap();
        program.load().await.roll(Rolling::Forward, &Options::default()).await.unwrap();
        tokio::time::sleep(LIFETIME).await;
        assert_eq!(transaction.open(Secret, &stored).await.unwrap().as_text(), Some("whsec_a"));
        transaction.rollback().await.unwrap();
        let stored = webhook::Entity::find_by_id("a").one(&room).await.unwrap().unwrap();
        assert_eq!(room.open(Secret, &stored).await.unwrap().as_text(), Some("whsec_a"));
    });
}
