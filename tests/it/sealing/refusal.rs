//! Tables that sealing refuses.

use super::*;

on_every_engine!(
    what_could_not_be_given_back_is_refused,
    what_guards_would_not_see_is_refused,
    a_table_of_cells_is_refused_for_the_same_and_for_its_types,
);

fn what_could_not_be_given_back_is_refused(engine: Engine) {
    let host = Host::with_tokens(engine);
    let definition = host.definition();
    let refused = |make: &str, unmake: &str, why: &str| {
        host.room.execute(make);
        let error = host.try_bring(TABLE, Phase::Sealed).unwrap_err().to_string();
        assert!(error.contains(why), "{make}: {error}");
        host.room.execute(unmake);
        assert_eq!(host.definition(), definition, "nothing was changed");
    };
    let drop_index = if matches!(engine, Engine::MySql | Engine::MariaDb) {
        "DROP INDEX two ON api_token"
    } else {
        "DROP INDEX two"
    };
    refused(
        "CREATE INDEX two ON api_token (tenant_id, token)",
        drop_index,
        "column `token` of `api_token` cannot be dropped",
    );
    refused("CREATE VIEW seen AS SELECT id, token FROM api_token", "DROP VIEW seen", "seen");
    if engine != Engine::Sqlite {
        let drop = "ALTER TABLE api_token DROP CONSTRAINT c";
        refused(
            "ALTER TABLE api_token ADD CONSTRAINT c CHECK (note <> 'x')",
            drop,
            "column `note`",
        );
    }
    if engine == Engine::Sqlite {
        refused(
            "CREATE TABLE child (token varchar(64) REFERENCES api_token (id))",
            "DROP TABLE child",
            "foreign keys of child",
        );
    } else {
        refused(
            "CREATE TABLE child (t varchar(255), FOREIGN KEY (t) REFERENCES api_token (token))",
            "DROP TABLE child",
            "column `token`",
        );
    }
    let long = "x".repeat(65);
    if engine == Engine::Sqlite {
        host.room.execute(&format!(
            "INSERT INTO api_token (id, name, token) VALUES ('{long}', '', 'long')"
        ));
        assert!(
            host.try_bring(TABLE, Phase::Sealed).unwrap_err().to_string().contains("more than 64")
        );
        host.room.execute(&format!("DELETE FROM api_token WHERE id = '{long}'"));
    }
    host.bring(TABLE, Phase::Dual);
    host.room
        .execute("CREATE TABLE another (id varchar(64) NOT NULL PRIMARY KEY, note varchar(9))");
    let error = format!("{:?}", host.try_bring(SAME_LABEL, Phase::Sealed).unwrap_err());
    assert!(error.contains("LabelTaken"), "{error}");
    assert!(host.forget(TABLE).unwrap_err().to_string().contains("is not in the clear"));
    host.bring(TABLE, Phase::Plain);
    host.bring(OTHERWISE, Phase::Plain);
    assert_eq!((host.rows(), host.definition()), (tokens(), definition));
    // A connection of SQLite's alters by the schema that it read last.
    let look = if engine == Engine::Sqlite { "SELECT count(*) FROM api_token; " } else { "" };
    host.room.execute(&format!("{look}ALTER TABLE api_token ADD COLUMN note_sealed varchar(3)"));
    assert!(
        host.try_bring(TABLE, Phase::Sealed)
            .unwrap_err()
            .to_string()
            .contains("has a column `note_sealed` already")
    );
}

/// A table of tokens that differs in its id, its tenant, its note, and what follows.
fn tokens_with(id: &str, tenant: &str, note: &str, more: &str) -> String {
    format!(
        "CREATE TABLE api_token (id {id} NOT NULL, tenant_id {tenant}, token varchar(255) NOT NULL UNIQUE, note {note}, \
         name varchar(100), {more})"
    )
}

fn what_guards_would_not_see_is_refused(engine: Engine) {
    let host = Host::new(engine);
    let (text, note) = ("varchar(64)", "varchar(500)");
    host.room.execute("CREATE TABLE tenant (id varchar(64) NOT NULL PRIMARY KEY)");
    let tenant = |acts: &str| {
        format!("PRIMARY KEY (id), FOREIGN KEY (tenant_id) REFERENCES tenant (id) {acts}")
    };
    for acts in ["ON UPDATE CASCADE", "ON UPDATE SET NULL", "ON DELETE SET NULL"] {
        let error = host.unsealable(&tokens_with(text, text, note, &tenant(acts)), TABLE);
        assert!(
            matches!(Unsealable::of(&error), Some(Unsealable::PastGuards { column, .. }) if column == "tenant_id"),
            "{error}"
        );
    }
    let error = host.unsealable(
        &tokens_with(text, "varchar(64) NOT NULL", note, "PRIMARY KEY (id, tenant_id)"),
        TABLE,
    );
    assert!(
        matches!(Unsealable::of(&error), Some(Unsealable::NotUnique { column: "id", .. })),
        "{error}"
    );
    let error =
        host.unsealable(&tokens_with(text, text, "varchar(500) UNIQUE", "PRIMARY KEY (id)"), TABLE);
    assert!(
        matches!(
            Unsealable::of(&error),
            Some(Unsealable::UniqueWithoutIndex { column: "note", .. })
        ),
        "{error}"
    );
    if engine != Engine::Sqlite {
        for (id, tenant) in [("char(64)", text), (text, "char(64)")] {
            let error = host.unsealable(&tokens_with(id, tenant, note, "PRIMARY KEY (id)"), TABLE);
            assert!(matches!(Unsealable::of(&error), Some(Unsealable::Type { .. })), "{error}");
        }
    }
    if engine == Engine::Postgres {
        let hidden = "; ALTER TABLE api_token ENABLE ROW LEVEL SECURITY";
        let error =
            host.unsealable(&(tokens_with(text, text, note, "PRIMARY KEY (id)") + hidden), TABLE);
        assert!(
            matches!(Unsealable::of(&error), Some(Unsealable::RowSecurity("api_token"))),
            "{error}"
        );
    }
    for accepted in
        [tenant("ON UPDATE RESTRICT ON DELETE CASCADE"), "UNIQUE (id), UNIQUE (name)".to_owned()]
    {
        host.room.execute(&tokens_with(text, text, note, &accepted));
        host.bring(TABLE, Phase::Sealed);
        host.bring(TABLE, Phase::Plain);
        host.room.execute("DROP TABLE api_token");
    }
}

fn a_table_of_cells_is_refused_for_the_same_and_for_its_types(engine: Engine) {
    let host = Host::new(engine);
    let bytes = bytes(engine);
    host.room.execute("CREATE TABLE tenant (id varchar(64) NOT NULL PRIMARY KEY)");
    let made = |secret: &str, more: &str| {
        let index = if bytes == "mediumblob" { "varbinary(16)" } else { bytes };
        format!(
            "CREATE TABLE vault_item (id varchar(64) NOT NULL, tenant_id varchar(64), secret {secret} NOT NULL, \
             secret_index {index} UNIQUE, {more})"
        )
    };
    let key = "PRIMARY KEY (id), FOREIGN KEY (tenant_id) REFERENCES tenant (id) ON UPDATE CASCADE";
    let error = host.unsealable(&made(bytes, key), BORN);
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::PastGuards { .. })), "{error}");
    let error = host.unsealable(&made(bytes, "UNIQUE (id, tenant_id)"), BORN);
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::NotUnique { .. })), "{error}");
    if bytes == "mediumblob" {
        for small in ["binary(200)", "tinyblob"] {
            let error = host.unsealable(&made(small, "PRIMARY KEY (id)"), BORN);
            assert!(
                matches!(Unsealable::of(&error), Some(Unsealable::Type { column: "secret", .. })),
                "{error}"
            );
        }
    }
    host.room.execute(&made(bytes, "PRIMARY KEY (id)"));
    host.bring(BORN, Phase::Sealed);
}

#[test]
fn text_that_is_not_utf_8_is_refused() {
    let room = Room::empty(Engine::Sqlite);
    room.execute("PRAGMA encoding = 'UTF-16le'; CREATE TABLE first (id int)");
    let error = block_on(connect(&Address::parse(room.url()).unwrap(), Access::Write)).unwrap_err();
    assert!(error.to_string().contains("UTF-16le"), "{error}");
}
