//! Programs that write while a table is sealed, and what guards keep them from.

use super::*;

on_every_engine!(
    a_program_that_knows_only_plaintext_loses_nothing,
    plaintext_never_gets_into_a_cell_column,
    a_row_stays_with_what_its_cells_are_bound_to,
    what_is_written_back_is_read_again,
    a_column_that_the_host_added_since_is_not_ours,
);

fn a_program_that_knows_only_plaintext_loses_nothing(engine: Engine) {
    let host = Host::with_tokens(engine);
    let insert = |id: &str| {
        format!(
            "INSERT INTO api_token (id, tenant_id, name, token) VALUES ('{id}', 't', 'n', 'new token of {id}')"
        )
    };
    host.bring(TABLE, Phase::Dual);
    host.room.execute(&insert("at-dual"));
    host.bring(TABLE, Phase::Filled);
    let sealed =
        || host.room.number("SELECT count(*) FROM api_token WHERE token_sealed IS NOT NULL");
    assert_eq!(sealed(), 301);
    host.room.execute(&insert("at-filled"));
    host.room.execute("UPDATE api_token SET token = replace(token, 'plaintext-token', 'PLAINTEXT-TOKEN') WHERE id = 'row-0001'");
    host.room.execute("UPDATE api_token SET tenant_id = 'another' WHERE id = 'row-0002'");
    host.room.execute("UPDATE api_token SET note = NULL WHERE id = 'row-0004'");
    host.room.execute("UPDATE api_token SET name = 'of no importance' WHERE id = 'row-0005'");
    assert_eq!(sealed(), 299, "cells of a changed row are emptied");
    host.bring(TABLE, Phase::Required);
    let rows = host.rows();
    assert_eq!(sealed(), 302);
    for refused in [
        insert("at-required").as_str(),
        "UPDATE api_token SET token = 'lost' WHERE id = 'row-0001'",
        "UPDATE api_token SET note = 'lost' WHERE id = 'row-0000'",
        "UPDATE api_token SET tenant_id = 'lost' WHERE id = 'row-0001'",
    ] {
        let error = host.refused(refused);
        assert!(
            error.contains("older than the database") && hides(&error, &["lost", "new token of"]),
            "{error}"
        );
    }
    host.bring(TABLE, Phase::Restoring);
    for refused in [
        insert("at-restoring").as_str(),
        "UPDATE api_token SET token = 'lost' WHERE id = 'row-0001'",
        "UPDATE api_token SET tenant_id = 'lost' WHERE id = 'row-0001'",
    ] {
        host.refused(refused);
    }
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), rows);
    let find = |id: &str| rows.iter().find(|row| row.0 == id).unwrap();
    assert_eq!(find("at-filled").2, "new token of at-filled");
    assert_eq!(
        (find("row-0001").2.as_str(), &find("row-0004").3),
        ("PLAINTEXT-TOKEN-'000001-ż", &None)
    );
}

fn plaintext_never_gets_into_a_cell_column(engine: Engine) {
    let host = Host::with_tokens(engine);
    for phase in [Phase::Dual, Phase::Filled, Phase::Required, Phase::Sealed, Phase::Restoring] {
        host.bring(TABLE, phase);
        for column in ["token_sealed", "token_index", "note_sealed"] {
            for value in [
                host.bytes(&hex::encode("a-secret-in-the-wrong-place")),
                "'a-secret-in-the-wrong-place'".into(),
                host.bytes("01ff"),
            ] {
                let error = host.refused(&format!(
                    "UPDATE api_token SET {column} = {value} WHERE id = 'row-0001'"
                ));
                assert!(hides(&error, &["wrong-place", "plaintext-"]), "{phase:?}: {error}");
            }
        }
    }
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn a_row_stays_with_what_its_cells_are_bound_to(engine: Engine) {
    let host = Host::with_tokens(engine);
    let fake = host.fake_cell();
    for phase in [Phase::Sealed, Phase::Restoring] {
        host.bring(TABLE, phase);
        for change in [
            "tenant_id = 'TENANT-1'",
            "tenant_id = NULL",
            "id = 'row-x'",
            &format!("tenant_id = 'x', token_sealed = {fake}"),
        ] {
            let error =
                host.refused(&format!("UPDATE api_token SET {change} WHERE id = 'row-0001'"));
            assert!(
                error.contains("changes what the sealed columns of api_token are bound to"),
                "{error}"
            );
        }
        host.room.execute(
            "UPDATE api_token SET name = 'anything', tenant_id = tenant_id WHERE id = 'row-0001'",
        );
        host.refused("UPDATE api_token SET token_sealed = NULL WHERE id = 'row-0001'");
        host.refused("UPDATE api_token SET token_index = NULL WHERE id = 'row-0001'");
    }
    host.bring(TABLE, Phase::Sealed);
    host.room.execute(&format!(
        "UPDATE api_token SET tenant_id = 'x', token_sealed = {fake}, note_sealed = {fake} WHERE id = 'row-0001'"
    ));
    host.room.run(&["keys", "verify"]).expect(3);
}

/// A session that is not strict cuts what it writes; so does this.
fn what_is_written_back_is_read_again(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Restoring);
    let (cut, no_longer) = match engine {
        Engine::Sqlite => (
            "CREATE TRIGGER cut AFTER UPDATE OF note ON api_token WHEN length(new.note) > 3 \
             BEGIN UPDATE api_token SET note = substr(new.note, 1, 3) WHERE id = new.id; END",
            "DROP TRIGGER cut",
        ),
        Engine::Postgres => (
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.note := left(new.note, 3); RETURN new; END $$; \
             CREATE TRIGGER cut BEFORE UPDATE ON api_token FOR EACH ROW EXECUTE FUNCTION cut()",
            "DROP FUNCTION cut CASCADE",
        ),
        Engine::MySql | Engine::MariaDb => (
            "CREATE TRIGGER cut BEFORE UPDATE ON api_token FOR EACH ROW SET new.note = left(new.note, 3)",
            "DROP TRIGGER cut",
        ),
    };
    host.room.execute(cut);
    let error = format!("{:?}", host.try_bring(TABLE, Phase::Plain).unwrap_err());
    assert!(error.contains("Unverified") && hides(&error, &["plaintext-"]), "{error}");
    host.room.execute(no_longer);
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}

fn a_column_that_the_host_added_since_is_not_ours(engine: Engine) {
    let host = Host::with_tokens(engine);
    host.bring(TABLE, Phase::Sealed);
    // A connection of SQLite's alters by the schema that it read last.
    let look = if engine == Engine::Sqlite { "SELECT count(*) FROM api_token; " } else { "" };
    host.room.execute(&format!("{look}ALTER TABLE api_token ADD COLUMN note varchar(9)"));
    host.room.execute("UPDATE api_token SET note = 'theirs'");
    host.bring(TABLE, Phase::Sealed);
    assert_eq!(
        host.room.number("SELECT count(*) FROM api_token WHERE note = 'theirs'"),
        ROWS as i64
    );
    let error = host.try_bring(TABLE, Phase::Plain).unwrap_err();
    assert!(
        matches!(Unsealable::of(&error), Some(Unsealable::ColumnTaken { column: "note", .. })),
        "{error:?}"
    );
    host.room.execute(&format!("{look}ALTER TABLE api_token DROP COLUMN note"));
    host.bring(TABLE, Phase::Plain);
    assert_eq!(host.rows(), tokens());
}
