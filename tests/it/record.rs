//! A program's own entities with sealed columns, used in every way that sea-orm has.

pub(crate) mod api_token;
mod moved_cell;
mod phase;
mod plain;
mod session;
pub(crate) mod webhook;

use std::sync::Arc;

use futures::StreamExt as _;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, ConnectionTrait as _, Database,
    EntityTrait, IntoActiveModel as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    Schema, TransactionTrait as _,
};
use sea_orm_migration::SchemaManager;
use strongroom::db::is_constraint_violation;
use strongroom::entity::{SealedEntity as _, SealedTable, require_distinct_labels};
use strongroom::key::{FileSource, KeySource as _, LIFETIME, OpenFailure, Rolling, Roots};
use strongroom::migration::Phase;
use strongroom::prelude::*;
use strongroom::reseal::Options;
use strongroom::schema::{Sealing, install_ring};

use crate::support::{Engine, Room, block_on, on_every_engine};
use api_token::{Note, Token};
use moved_cell::every_way;
use webhook::Secret;

on_every_engine!(
    a_sealed_entity_is_used_like_any_other,
    plaintext_by_a_raw_expression_is_refused,
    transactions_keep_or_drop_rows_and_never_keys,
    a_program_goes_on_through_rolls,
    a_row_moves_to_another_tenant_when_it_is_sealed_again,
    a_row_that_moved_meanwhile_is_told,
);

const TABLES: [&SealedTable; 2] = [api_token::Entity::TABLE, webhook::Entity::TABLE];

// What two tables must not share is told when the program is built.
const _: () = require_distinct_labels(&TABLES);

/// A database with both tables, and a program that has it open.
fn program(engine: Engine) -> (Room, Strongroom) {
    let room = Room::empty(engine);
    let strongroom = block_on(prepare(&room));
    (room, strongroom)
}

async fn prepare(room: &Room) -> Strongroom {
    let db = Database::connect(room.url()).await.unwrap();
    let roots = roots(room).await;
    install_ring(&db, roots.clone()).await.unwrap();
    let schema = Schema::new(db.get_database_backend());
    db.execute(&schema.create_table_from_entity(api_token::Entity)).await.unwrap();
    db.execute(&schema.create_table_from_entity(webhook::Entity)).await.unwrap();
    let sealing = Sealing::new(roots.clone());
    for table in TABLES {
        sealing.migrate_to(&SchemaManager::new(&db), table, Phase::Sealed).await.unwrap();
    }
    Strongroom::load(db, roots).await.unwrap()
}

async fn roots(room: &Room) -> Arc<Roots> {
    Arc::new(Roots::from(FileSource::new(room.key_file()).root().await.unwrap()))
}

fn token(n: u128, tenant: &str) -> Draft<api_token::ActiveModel> {
    let row = api_token::ActiveModel {
        id: Set(Uuid::from_u128(n)),
        tenant_id: Set(tenant.to_owned()),
        name: Set(format!("token {n}")),
        ..Default::default()
    };
    row.with(Token, format!("tok_{n}"))
}

fn hook(n: u128, token: u128) -> Draft<webhook::ActiveModel> {
    let row = webhook::ActiveModel {
        id: Set(format!("hook-{n}")),
        api_token_id: Set(Uuid::from_u128(token)),
        account: Set(None),
        url: Set("https://example.org".to_owned()),
        ..Default::default()
    };
    row.with(Secret, format!("whsec_{n}"))
}

/// Two tenants, two tokens each, a hook each.
async fn fill(strongroom: &Strongroom) {
    strongroom
        .insert_many(vec![
            token(1, "acme"),
            token(2, "acme"),
            token(3, "globex"),
            token(4, "globex"),
        ])
        .await
        .unwrap();
    strongroom.insert_many((1..=4).map(|n| hook(n, n)).collect()).await.unwrap();
}

fn a_sealed_entity_is_used_like_any_other(engine: Engine) {
    let (_room, room) = program(engine);
    block_on(async {
        let inserted = token(7, "acme").with(Note, "für später").insert(&room).await.unwrap();
        assert_eq!(room.open(Token, &inserted).await.unwrap().as_text(), Some("tok_7"));
        assert_eq!(
            room.open(Note, &inserted).await.unwrap().unwrap().as_text(),
            Some("für später")
        );
        fill(&room).await;

        // Found by a sealed column, alone and beside other conditions.
        let found = room.find_by(Token, "tok_3").await.unwrap().unwrap();
        assert_eq!(found.name, "token 3");
        assert!(room.open(Note, &found).await.unwrap().is_none());
        assert!(room.find_by(Token, "tok_99").await.unwrap().is_none());
        let of_acme = api_token::Entity::find().filter(api_token::Column::TenantId.eq("acme"));
        assert_eq!(
            of_acme.clone().filter(room.eq(Token, "tok_3").unwrap()).count(&room).await.unwrap(),
            0
        );
        assert_eq!(of_acme.filter(room.eq(Token, "tok_2").unwrap()).count(&room).await.unwrap(), 1);

        // Changed, sealed columns and others.
        let mut row = found.into_active_model();
        row.name = Set("renamed".to_owned());
        let changed = row.with(Token, "tok_new").update(&room).await.unwrap();
        assert_eq!(room.open(Token, &changed).await.unwrap().as_text(), Some("tok_new"));
        assert!(room.find_by(Token, "tok_3").await.unwrap().is_none());
        let mut row = changed.into_active_model();
        row.name = Set("again".to_owned());
        let changed = row.update(&room).await.unwrap();
        assert_eq!(
            room.open(Token, &changed).await.unwrap().as_text(),
            Some("tok_new"),
            "not touched"
        );

        // In pages, as a stream, in part, with what belongs to it.
        let mut pages =
            api_token::Entity::find().order_by_asc(api_token::Column::Id).paginate(&room, 2);
        let mut seen = Vec::new();
        while let Some(page) = pages.fetch_and_next().await.unwrap() {
            for row in page {
                seen.push(room.open(Token, &row).await.unwrap().as_text().unwrap().to_owned());
            }
        }
        assert_eq!(seen, ["tok_1", "tok_2", "tok_new", "tok_4", "tok_7"]);
        let mut rows =
            webhook::Entity::find().order_by_asc(webhook::Column::Id).stream(&room).await.unwrap();
        let mut streamed = Vec::new();
        while let Some(row) = rows.next().await {
            streamed.push(row.unwrap());
        }
        drop(rows);
        for (n, row) in (1..).zip(&streamed) {
            assert_eq!(
                room.open(Secret, row).await.unwrap().as_text(),
                Some(format!("whsec_{n}").as_str())
            );
        }
        assert_eq!(streamed.len(), 4);
        let part = api_token::Entity::find_by_id(Uuid::from_u128(4))
            .into_partial_model::<api_token::Part>();
        let part = part.one(&room).await.unwrap().unwrap();
        assert_eq!(room.open(Token, &part).await.unwrap().as_text(), Some("tok_4"));
        let (hook_4, token_4) = webhook::Entity::find_by_id("hook-4")
            .find_also_related(api_token::Entity)
            .one(&room)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(room.open(Secret, &hook_4).await.unwrap().as_text(), Some("whsec_4"));
        assert_eq!(room.open(Token, &token_4.unwrap()).await.unwrap().as_text(), Some("tok_4"));

        // Emptied, and removed.
        let mut row = inserted.into_active_model();
        row.note = Set(None);
        let emptied = row.update(&room).await.unwrap();
        assert!(room.open(Note, &emptied).await.unwrap().is_none());
        assert_eq!(
            webhook::Entity::delete_by_id("hook-4").exec(&room).await.unwrap().rows_affected,
            1
        );
    });
}

/// The one way past the types.
fn plaintext_by_a_raw_expression_is_refused(engine: Engine) {
    let (_room, room) = program(engine);
    block_on(async {
        fill(&room).await;
        let before = webhook::Entity::find().all(&room).await.unwrap();
        for plaintext in ["whsec_plain", &"long enough for a cell".repeat(9)] {
            let raw = webhook::Entity::update_many()
                .col_expr(webhook::Column::Secret, Expr::val(plaintext.as_bytes().to_vec()));
            let refused = raw.exec(&room).await.unwrap_err();
            assert!(is_constraint_violation(&refused), "{refused:?}");
            assert!(!format!("{refused:?}").contains(plaintext), "{refused:?}");
        }
        let index = api_token::Entity::update_many()
            .col_expr(api_token::Column::TokenIndex, Expr::value(b"tok_1".to_vec()));
        assert!(
            index.filter(api_token::Column::Id.eq(Uuid::from_u128(1))).exec(&room).await.is_err()
        );
        assert_eq!(webhook::Entity::find().all(&room).await.unwrap(), before);

        // What a row is bound to does not change under its cells, neither by models nor for many rows at once.
        let mut row = room.find_by(Token, "tok_1").await.unwrap().unwrap().into_active_model();
        row.tenant_id = Set("globex".to_owned());
        assert!(is_constraint_violation(&row.update(&room).await.unwrap_err()));
        let all = webhook::Entity::update_many().col_expr(webhook::Column::Account, Expr::value(7));
        assert!(all.exec(&room).await.is_err());
        assert_eq!(webhook::Entity::find().all(&room).await.unwrap(), before);
    });
}

fn transactions_keep_or_drop_rows_and_never_keys(engine: Engine) {
    let (files, room) = program(engine);
    block_on(async {
        fill(&room).await;
        let dropped = room.begin().await.unwrap();
        token(8, "acme").insert(&dropped).await.unwrap();
        dropped.rollback().await.unwrap();
        assert!(room.find_by(Token, "tok_8").await.unwrap().is_none());

        // A new tenant, whose first row is given up: the key stays, and the next row is under it. SQLite lets nobody else
        // write meanwhile, so there the row is sealed before.
        if engine == Engine::Sqlite {
            let sealed = token(9, "initech").seal(&room).await.unwrap();
            let dropped = room.begin().await.unwrap();
            sealed.insert(&dropped).await.unwrap();
            dropped.rollback().await.unwrap();
        } else {
            let dropped = room.begin().await.unwrap();
            token(9, "initech").insert(&dropped).await.unwrap();
            dropped.rollback().await.unwrap();
        }
        let kept: Result<_, sea_orm::TransactionError<RecordError>> = room
            .transaction(|within| {
                Box::pin(async move { token(10, "initech").insert(within).await })
            })
            .await;
        let again = Strongroom::load(room.db().clone(), roots(&files).await).await.unwrap();
        assert_eq!(again.open(Token, &kept.unwrap()).await.unwrap().as_text(), Some("tok_10"));
    });
}

/// A program that writes and reads while its keys roll forward and back, by itself and by the operator's command.
fn a_program_goes_on_through_rolls(engine: Engine) {
    let (room, program) = program(engine);
    let other = block_on(async {
        fill(&program).await;
        Strongroom::load(program.db().clone(), roots(&room).await).await.unwrap()
    });
    for round in 0..2_u128 {
        let rolled = block_on(program.roll(Rolling::Forward, &Options::default())).unwrap();
        assert_eq!((rolled.moved, rolled.bad), (8 + 2 * u64::try_from(round).unwrap(), 0));
        block_on(async {
            for strongroom in [&program, &other] {
                for (_, found) in every_way(strongroom).await {
                    assert!(found.iter().all(|(_, opened)| opened.is_ok()), "{found:?}");
                }
            }
            token(20 + round, "acme").insert(&other).await.unwrap();
        });
        let by_command = room.json(&["keys", "rotate"]);
        assert_eq!(by_command["rows"], 9 + 2 * u64::try_from(round).unwrap(), "{by_command}");
        block_on(token(30 + round, "acme").insert(&program)).unwrap();
    }
    room.run(&["keys", "verify"]).expect(0);
    let status = room.json(&["keys", "status"]);
    assert_eq!(status["cells"]["sealed"], 12, "{status}");
}

fn a_row_moves_to_another_tenant_when_it_is_sealed_again(engine: Engine) {
    let (_room, room) = program(engine);
    block_on(async {
        fill(&room).await;
        let row = room.find_by(Token, "tok_1").await.unwrap().unwrap();
        let secret = room.open(Token, &row).await.unwrap();
        let mut row = row.into_active_model();
        row.tenant_id = Set("globex".to_owned());
        row.with(Token, secret).update(&room).await.unwrap();
        let moved = room.find_by(Token, "tok_1").await.unwrap().unwrap();
        assert_eq!(moved.tenant_id, "globex");
    });
}

/// Read, moved by another program, and written by this one for where it was.
fn a_row_that_moved_meanwhile_is_told(engine: Engine) {
    let (_files, room) = program(engine);
    block_on(async {
        fill(&room).await;
        let read = room.find_by(Token, "tok_1").await.unwrap().unwrap();
        let secret = room.open(Token, &read).await.unwrap();
        let mut moved = read.clone().into_active_model();
        moved.tenant_id = Set("globex".to_owned());
        moved.with(Token, secret).update(&room).await.unwrap();

        let transaction = room.begin().await.unwrap();
        let late = read.into_active_model().with(Note, "for acme").update(&transaction).await;
        assert!(matches!(late, Err(RecordError::Rebound { .. })), "{late:?}");
        transaction.rollback().await.unwrap();
        let row = room.find_by(Token, "tok_1").await.unwrap().unwrap();
        assert!(room.open(Note, &row).await.unwrap().is_none());

        let mut long = token(50, "acme");
        long = Draft::with(long, Note, "x");
        let none: Result<(), RecordError> =
            room.insert_many(vec![long, token(51, &"x".repeat(73))]).await;
        assert!(matches!(none, Err(RecordError::Scope)), "{none:?}");
        assert!(room.find_by(Token, "tok_50").await.unwrap().is_none());
    });
}
