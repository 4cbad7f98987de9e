//! An entity with a sealed column against the same entity with plain bytes of the same length, in turns, on PostgreSQL:
//! point read, insert, and lookup by blind index against lookup by a plain unique column. Reading opens the cell; inserting
//! seals it.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a benchmark prints, and connects past the program on purpose"
)]

#[path = "../tests/it/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    unreachable_pub,
    reason = "the tests use more of it"
)]
#[expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "as in the tests"
)]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::prelude::Uuid;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _,
    EntityTrait as _, QueryFilter as _,
};
use sea_orm::{ConnectOptions, Database, QueryTrait as _, Schema};
use sea_orm_migration::SchemaManager;
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::schema::{Sealing, install_ring};
use support::{Engine, Room, block_on};

mod sealed_token {
    use sea_orm::entity::prelude::*;
    use strongroom::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, SealedModel)]
    #[sea_orm(table_name = "sealed_token")]
    #[sealed(label = "sealed_token", scope(tenant_id))]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: String,
        pub token: Sealed<Token>,
        #[sea_orm(unique)]
        pub token_index: BlindIndex<Token>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

mod plain_token {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "plain_token")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Uuid,
        pub tenant_id: String,
        pub token: Vec<u8>,
        #[sea_orm(unique)]
        pub token_index: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}
    impl ActiveModelBehavior for ActiveModel {}
}

use sealed_token::Token;

const EACH: u128 = 12_000;
const EARLY: u128 = 200;
const ROWS: u128 = 10_000;
/// Of a secret of 40 characters: what a cell of it takes.
const CELL: usize = 144;

fn main() {
    let room = Room::empty(Engine::Postgres);
    block_on(async {
        let mut options = ConnectOptions::new(room.url());
        options.max_connections(4).sqlx_logging(false);
        let db = Database::connect(options).await.unwrap();
        let roots = Arc::new(Roots::from(FileSource::new(room.key_file()).root().await.unwrap()));
        install_ring(&db, roots.clone()).await.unwrap();
        let schema = Schema::new(db.get_database_backend());
        db.execute(&schema.create_table_from_entity(sealed_token::Entity)).await.unwrap();
        db.execute(&schema.create_table_from_entity(plain_token::Entity)).await.unwrap();
        // With its guards, as a program has it.
        let sealing = Sealing::new(roots.clone());
        sealing
            .migrate_to(&SchemaManager::new(&db), sealed_token::Entity::TABLE, Phase::Sealed)
            .await
            .unwrap();
        let room = Strongroom::load(db, roots).await.unwrap();
        for n in 0..ROWS {
            insert_sealed(&room, n).await;
            insert_plain(&room, n).await;
        }
        room.execute_unprepared("ANALYZE").await.unwrap();
        println!("{EACH} operations of each, one in turn; medians");
        compare("point read", &room, 0).await;
        compare("lookup", &room, 1).await;
        compare("insert", &room, 2).await;
        let lookup = sealed_token::Entity::find()
            .filter(room.eq(Token, secret(7)).unwrap())
            .build(room.get_database_backend());
        let lookup = sea_orm::Statement::from_sql_and_values(
            room.get_database_backend(),
            format!("EXPLAIN {}", lookup.sql),
            lookup.values.unwrap(),
        );
        let plan = room.query_all_raw(lookup).await.unwrap();
        println!("lookup: {}", plan[0].try_get_by_index::<String>(0).unwrap());
    });
}

async fn compare(what: &str, room: &Strongroom, operation: u8) {
    let (mut sealed, mut plain) = (Vec::new(), Vec::new());
    for n in 0..EARLY + EACH {
        // Whoever comes first has the colder caches.
        for is_sealed in [n % 2 == 0, n % 2 == 1] {
            let begun = Instant::now();
            match (operation, is_sealed) {
                (0, true) => read_sealed(room, n % ROWS).await,
                (0, false) => read_plain(room, n % ROWS).await,
                (1, true) => look_up_sealed(room, n % ROWS).await,
                (1, false) => look_up_plain(room, n % ROWS).await,
                (_, true) => insert_sealed(room, ROWS + n).await,
                (_, false) => insert_plain(room, ROWS + n).await,
            }
            let times = if is_sealed { &mut sealed } else { &mut plain };
            // The first ones open sessions and prepare statements.
            if n >= EARLY {
                times.push(begun.elapsed());
            }
        }
    }
    let (sealed, plain) = (median(sealed), median(plain));
    let ratio = sealed.as_secs_f64() / plain.as_secs_f64();
    println!("{what}: {:.1} µs sealed, {:.1} µs plain, {ratio:.3}x", micros(sealed), micros(plain));
}

fn secret(n: u128) -> String {
    format!("tok_{n:036}")
}

fn id(n: u128) -> Uuid {
    // As unordered as random ids are, and found again.
    Uuid::from_u128(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835))
}

async fn insert_sealed(room: &Strongroom, n: u128) {
    let row = sealed_token::ActiveModel {
        id: Set(id(n)),
        tenant_id: Set("acme".to_owned()),
        ..Default::default()
    };
    row.with(Token, secret(n)).insert(room).await.unwrap();
}

async fn insert_plain(room: &Strongroom, n: u128) {
    let mut token = secret(n).into_bytes();
    token.resize(CELL, b'.');
    let token_index = Set(id(n + (1 << 100)).into_bytes().to_vec());
    let row = plain_token::ActiveModel {
        id: Set(id(n)),
        tenant_id: Set("acme".to_owned()),
        token: Set(token),
        token_index,
    };
    row.insert(room).await.unwrap();
}

async fn read_sealed(room: &Strongroom, n: u128) {
    let row = sealed_token::Entity::find_by_id(id(n)).one(room).await.unwrap().unwrap();
    assert_eq!(room.open(Token, &row).await.unwrap().as_bytes().len(), 40);
}

async fn read_plain(room: &Strongroom, n: u128) {
    let row = plain_token::Entity::find_by_id(id(n)).one(room).await.unwrap().unwrap();
    assert_eq!(row.token.len(), CELL);
}

async fn look_up_sealed(room: &Strongroom, n: u128) {
    assert!(room.find_by(Token, secret(n)).await.unwrap().is_some());
}

async fn look_up_plain(room: &Strongroom, n: u128) {
    let index = id(n + (1 << 100)).into_bytes().to_vec();
    let wanted = plain_token::Column::TokenIndex.eq(index);
    assert!(plain_token::Entity::find().filter(wanted).one(room).await.unwrap().is_some());
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
