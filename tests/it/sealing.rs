//! A host program's own tables, sealed and opened again by its own migration steps.

mod command_line;
mod host;
mod made_sealed;
mod new_tenants;
mod other_writer;
mod quarantine;
mod refusal;
mod row_order;
mod scrub;
mod table;

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, Value};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTraitSelf, SchemaManager, async_trait,
};
use strongroom::crypto::RootKey;
use strongroom::db::{Access, Address, LockError, connect};
use strongroom::key::{FileSource, KeySource as _, Roots};
use strongroom::reseal::Options;
use strongroom::schema::{HostError, HostRunner, Sealing, Target, Unsealable, install_ring};
use strongroom_entity::SealedTable;
use strongroom_migration::Phase;
use uuid::Uuid;

use crate::support::{Engine, Room, block_on, long_on_every_engine, on_every_engine};
use host::{Host, ROWS, TOKENS, bytes, hides, token, tokens, with};
use table::{BORN, BORN_WITH_ANOTHER, BY_UUID, NAMED_BY_TYPE, OTHERWISE, SAME_LABEL, TABLE};

on_every_engine!(
    there_and_back_leaves_the_table_as_it_was,
    table_with_uuid_ids_and_integer_owners_is_restored,
    every_phase_leads_to_every_other,
    cut_short_the_same_call_goes_on,
    a_cell_that_does_not_open_keeps_its_plaintext,
    column_name_that_contains_its_type_is_restored,
);

long_on_every_engine!(dropped_at_any_moment_the_same_call_goes_on);

fn there_and_back_leaves_the_table_as_it_was(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.room.execute("CREATE INDEX api_token_note ON api_token (note)");
    host.room.execute("CREATE INDEX api_token_name ON api_token (name, tenant_id)");
    let (before, rows) = (host.definition(), host.rows());
    assert_eq!(rows, tokens());
    for _ in 0..2 {
        host.bring(TABLE, Phase::Sealed);
        assert!(
            host.room.try_execute("SELECT token FROM api_token", vec![]).is_err(),
            "the plaintext is gone"
        );
        assert!(host.room.try_execute("SELECT note FROM api_token", vec![]).is_err(), "all of it");
        assert_eq!(
            host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL AND token_index IS NOT NULL"),
            300
        );
        assert_eq!(
            host.room.number("SELECT count(*) FROM api_token WHERE note_sealed IS NULL"),
            60
        );
        host.room.run(&["keys", "verify"]).expect(0);
        host.bring(TABLE, Phase::Sealed);
        host.bring(TABLE, Phase::Plain);
        assert_eq!(host.rows(), rows);
        assert_eq!(host.definition(), before);
    }
}

/// How the table is made that [`BY_UUID`] describes.
fn by_uuid(engine: Engine) -> String {
    let id = match engine {
        Engine::Postgres => "uuid",
        Engine::Sqlite => "blob",
        Engine::MySql | Engine::MariaDb => "binary(16)",
    };
    format!(
        "CREATE TABLE api_token (id {id} NOT NULL PRIMARY KEY, number bigint, account {id}, token varchar(255) NOT NULL, note text)"
    )
}

fn table_with_uuid_ids_and_integer_owners_is_restored(engine: Engine) {
    let host = Host::new(engine);
    host.room.execute(&by_uuid(engine));
    let insert =
        "INSERT INTO api_token (id, number, account, token, note) VALUES ($1, $2, $3, $4, $5)";
    for n in 0..ROWS {
        let (_, _, token, note) = token(n);
        let (number, account) = (
            (!n.is_multiple_of(4)).then_some(n as i64 % 3 - 1),
            n.is_multiple_of(2).then(Uuid::new_v4),
        );
        let values: Vec<Value> = vec![
            Uuid::new_v4().into(),
            number.into(),
            Value::Uuid(account),
            token.into(),
            note.into(),
        ];
        host.room.try_execute(insert, values).unwrap();
    }
    let rows = || {
        let mut rows =
            host.room.query("SELECT id, number, account, token, note FROM api_token", |row| {
                (
                    row.try_get::<Uuid>("", "id").unwrap(),
                    row.try_get::<Option<i64>>("", "number").unwrap(),
                    row.try_get::<Option<Uuid>>("", "account").unwrap(),
                    row.try_get::<String>("", "token").unwrap(),
                    row.try_get::<Option<String>>("", "note").unwrap(),
                )
            });
        rows.sort();
        rows
    };
    let (before, definition) = (rows(), host.definition());
    host.bring(BY_UUID, Phase::Dual);
    host.room.execute("UPDATE api_token SET number = 7 WHERE number = 1");
    host.bring(BY_UUID, Phase::Filled);
    host.room.execute("UPDATE api_token SET number = 1 WHERE number = 7");
    host.bring(BY_UUID, Phase::Sealed);
    host.room.run(&["keys", "rotate"]).expect(0);
    host.room.run(&["keys", "verify"]).expect(0);
    assert!(host.refused("UPDATE api_token SET number = 7 WHERE number = 1").contains("bound to"));
    host.bring(BY_UUID, Phase::Plain);
    assert_eq!((rows(), host.definition()), (before, definition));
}

fn every_phase_leads_to_every_other(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let way = [
        Phase::Dual,
        Phase::Plain,
        Phase::Filled,
        Phase::Dual,
        Phase::Required,
        Phase::Filled,
        Phase::Sealed,
        Phase::Restoring,
        Phase::Sealed,
        Phase::Required,
        Phase::Restoring,
        Phase::Required,
        Phase::Sealed,
        Phase::Filled,
        Phase::Plain,
    ];
    for phase in way {
        host.bring(TABLE, phase);
        if phase < Phase::Restoring {
            assert_eq!(host.rows(), tokens(), "{phase:?}");
        }
        if phase != Phase::Plain {
            host.room.run(&["keys", "verify"]).expect(0);
        }
    }
    assert_eq!(host.definition(), definition);
}

fn dropped_at_any_moment_the_same_call_goes_on(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let options = || with(|options| options.batch_size = 40);
    for (round, to) in
        [Phase::Sealed, Phase::Plain, Phase::Sealed, Phase::Plain].into_iter().enumerate()
    {
        let mut cut = 0_u64;
        loop {
            let time = Duration::from_millis(7 + cut * 23 + round as u64 * 3);
            if let Some(done) = host.bring_with(TABLE, to, options(), time) {
                break done.unwrap();
            }
            cut += 1;
            host.room.execute(
                "UPDATE strongroom_lock SET token = token + 1, expires_ms = 0, holder = ''",
            );
        }
        assert!(cut > 0);
        if to == Phase::Sealed {
            host.room.run(&["keys", "verify"]).expect(0);
        }
    }
    assert_eq!((host.rows(), host.definition()), (tokens(), definition));
}

fn cut_short_the_same_call_goes_on(engine: Engine) {
    let host = Host::with_tokens(engine);
    for to in [Phase::Sealed, Phase::Plain] {
        let options = || with(|options| options.max_rows = Some(110));
        for _ in 0..2 {
            let error =
                host.bring_with(TABLE, to, options(), Duration::from_mins(1)).unwrap().unwrap_err();
            assert!(format!("{error:?}").contains("CutShort"), "{error:?}");
        }
        host.bring_with(TABLE, to, options(), Duration::from_mins(1)).unwrap().unwrap();
    }
    assert_eq!(host.rows(), tokens());
}

fn a_cell_that_does_not_open_keeps_its_plaintext(engine: Engine) {
    let host = Host::with_tokens(engine);
    let fake = host.fake_cell();
    host.bring(TABLE, Phase::Required);
    host.room.execute(&format!("UPDATE api_token SET token_sealed = {fake} WHERE id = 'row-0077'"));
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Sealed).unwrap_err());
    assert!(error.contains("row-0077") && error.contains("Unverified"), "{error}");
    assert_eq!(host.rows(), tokens(), "nothing was dropped");
    host.bring(TABLE, Phase::Filled);
    host.bring(TABLE, Phase::Sealed);
    host.room.execute(&format!("UPDATE api_token SET token_sealed = {fake} WHERE id = 'row-0077'"));
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Plain).unwrap_err());
    assert!(error.contains("row-0077"), "{error}");
    assert_eq!(
        host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL"),
        300,
        "no cell was dropped"
    );
}

fn column_name_that_contains_its_type_is_restored(engine: Engine) {
    let host = Host::new(engine);
    host.room.execute("CREATE TABLE api_token (id varchar(64) NOT NULL PRIMARY KEY, plaintext text NOT NULL, note_text text)");
    let definition = host.definition();
    host.room
        .execute("INSERT INTO api_token (id, plaintext, note_text) VALUES ('a', 'one', 'two')");
    host.bring(NAMED_BY_TYPE, Phase::Sealed);
    host.bring(NAMED_BY_TYPE, Phase::Plain);
    assert_eq!(host.definition(), definition);
    assert_eq!(
        host.room
            .number("SELECT count(*) FROM api_token WHERE plaintext = 'one' AND note_text = 'two'"),
        1
    );
}
