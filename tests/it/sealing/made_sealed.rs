//! Tables that have cells from the start, and the steps that make them.

use super::*;

on_every_engine!(
    a_step_stays_the_same_when_its_table_gains_a_column,
    why_a_step_failed_can_be_told,
    table_made_with_cells_takes_sealed_cells_only,
);

/// A program whose first step makes a table and seals it, and whose later version has a column more.
struct Vault {
    sealing: Sealing,
    table: &'static SealedTable,
    makes: Option<String>,
    adds: Option<String>,
}

struct VaultStep(&'static str, Sealing, &'static SealedTable, Option<String>);

impl MigratorTraitSelf for Vault {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let step = |name, sql: &Option<String>| -> Box<dyn MigrationTrait> {
            Box::new(VaultStep(name, self.sealing.clone(), self.table, sql.clone()))
        };
        let second = self.adds.is_some().then(|| step("m0002_add_hint", &self.adds));
        std::iter::once(step("m0001_create_vault_item", &self.makes)).chain(second).collect()
    }
}

impl MigrationName for VaultStep {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for VaultStep {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if let Some(sql) = &self.3 {
            manager.get_connection().execute_unprepared(sql).await?;
        }
        self.1.migrate_to(manager, self.2, Phase::Sealed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if self.0.starts_with("m0001") {
            self.1.forget(manager, self.2).await?;
            manager.get_connection().execute_unprepared("DROP TABLE vault_item").await?;
        }
        Ok(())
    }
}

fn a_step_stays_the_same_when_its_table_gains_a_column(engine: Engine) {
    let host = Host::new(engine);
    let sealing = Sealing::new(host.roots.clone());
    let (bytes, db) = (bytes(engine), block_on(host.connect()));
    let index = if bytes == "mediumblob" { "varbinary(16)" } else { bytes };
    let makes = format!(
        "CREATE TABLE vault_item (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), secret {bytes} NOT NULL, \
         secret_index {index} UNIQUE)"
    );
    let first = Vault { sealing: sealing.clone(), table: BORN, makes: Some(makes), adds: None };
    let adds = Some(format!("ALTER TABLE vault_item ADD COLUMN hint {bytes}"));
    let second = Vault {
        sealing: sealing.clone(),
        table: BORN_WITH_ANOTHER,
        makes: first.makes.clone(),
        adds,
    };
    let runner =
        |vault: &Vault| HostRunner::new(db.clone(), "vault", vault).unwrap().lending_to(&sealing);
    assert_eq!(block_on(runner(&first).up()).unwrap().len(), 1);
    block_on(runner(&first).require_current()).unwrap();
    let older = block_on(runner(&second).require_current());
    assert!(
        matches!(&older, Err(HostError::Older { pending }) if *pending == ["m0002_add_hint"]),
        "{older:?}"
    );
    let plan = block_on(runner(&second).plan(Target::Up(2))).unwrap()[0].to_string();
    assert!(
        plan.contains("-- strongroom: vault_item to sealed") && plan.contains("CREATE TRIGGER"),
        "{plan}"
    );
    assert_eq!(block_on(runner(&second).up()).unwrap(), ["m0002_add_hint"]);
    block_on(runner(&second).require_current()).unwrap();
    assert_eq!(block_on(runner(&second).down_to("0")).unwrap().len(), 2);
    assert_eq!(
        host.room.number("SELECT count(*) FROM strongroom_history WHERE name LIKE 'vault/%'"),
        4
    );
}

fn why_a_step_failed_can_be_told(engine: Engine) {
    let host = Host::new(engine);
    let (sealing, db) = (Sealing::new(host.roots.clone()), block_on(host.connect()));
    let vault = Vault { sealing: sealing.clone(), table: BORN, makes: None, adds: None };
    let runner = || HostRunner::new(db.clone(), "vault", &vault).unwrap();
    let source = |failed: HostError| match failed {
        HostError::Step { source, .. } => source,
        other => panic!("{other:?}"),
    };
    let error = source(block_on(runner().lending_to(&sealing).up()).unwrap_err());
    assert!(matches!(Unsealable::of(&error), Some(Unsealable::NoTable("vault_item"))), "{error:?}");
    // Its lock was not lent.
    let error = source(block_on(runner().up()).unwrap_err());
    let DbErr::TryIntoErr { source, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(source.downcast_ref(), Some(LockError::Held { .. })), "{error:?}");
}

fn table_made_with_cells_takes_sealed_cells_only(engine: Engine) {
    let host = Host::new(engine);
    let (bytes, index) = match engine {
        Engine::Postgres => ("bytea", "bytea"),
        Engine::Sqlite => ("blob", "blob"),
        Engine::MySql | Engine::MariaDb => ("mediumblob", "varbinary(16)"),
    };
    host.room.execute(&format!(
        "CREATE TABLE vault_item (id varchar(64) NOT NULL PRIMARY KEY, tenant_id varchar(64), secret {bytes} NOT NULL, secret_index {index} UNIQUE)"
    ));
    let fake = host.fake_cell();
    let insert = |id: &str, cell: &str, index: &str| {
        format!(
            "INSERT INTO vault_item (id, secret, secret_index) VALUES ('{id}', {cell}, {index})"
        )
    };
    let (one, two) = (host.bytes(&"11".repeat(16)), host.bytes(&"22".repeat(16)));
    host.room.execute(&insert("a", &host.bytes(&hex::encode("in the clear")), &one));
    assert!(
        host.try_bring(BORN, Phase::Sealed)
            .unwrap_err()
            .to_string()
            .contains("something else than a sealed cell")
    );
    host.room.execute("DELETE FROM vault_item");
    for _ in 0..2 {
        host.bring(BORN, Phase::Sealed);
        let error = host.refused(&insert(
            "a",
            &host.bytes(&hex::encode("in the clear, wrong-place")),
            &one,
        ));
        assert!(
            error.contains("takes sealed cells only") && hides(&error, &["wrong-place"]),
            "{error}"
        );
    }
    host.refused(&insert("a", &fake, &host.bytes("1122")));
    host.refused("INSERT INTO vault_item (id, secret) VALUES ('a', NULL)");
    host.refused(&format!("INSERT INTO vault_item (id, secret) VALUES ('a', {fake})"));
    host.room.execute(&insert("a", &fake, &one));
    assert!(host.refused("UPDATE vault_item SET tenant_id = 'x'").contains("bound to"));
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"], 1);
    assert!(
        host.try_bring(BORN, Phase::Plain).unwrap_err().to_string().contains("without plaintext")
    );

    host.room.execute("CREATE VIEW seen AS SELECT id, secret FROM vault_item");
    host.room.execute(&format!("ALTER TABLE vault_item ADD COLUMN hint {bytes}"));
    host.bring(BORN_WITH_ANOTHER, Phase::Sealed);
    let clear = host.bytes(&hex::encode("clear"));
    host.refused(&format!("UPDATE vault_item SET hint = {clear}"));
    host.room.execute(&format!("UPDATE vault_item SET hint = {fake}"));
    host.room.execute(&insert("b", &fake, &two));
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"], 3);
    host.room.execute("DROP VIEW seen");
    let quarantined = |table: &str| {
        format!(
            "INSERT INTO strongroom_quarantine (table_name, row_id, column_name, reason, run) VALUES ('{table}', 'a', 'secret', 'corrupt', '-')"
        )
    };
    host.room.execute(&quarantined("vault_item"));
    host.room.execute(&quarantined("another"));
    host.forget(BORN_WITH_ANOTHER).unwrap();
    assert_eq!(
        host.room
            .number("SELECT count(*) FROM strongroom_quarantine WHERE table_name <> 'another'"),
        0
    );
    assert_eq!(
        host.room.number("SELECT count(*) FROM strongroom_quarantine"),
        1,
        "of other tables they stay"
    );
    host.room.execute(&format!("UPDATE vault_item SET hint = {clear}"));
    host.room.execute("DROP TABLE vault_item");
    host.forget(BORN_WITH_ANOTHER).unwrap();
    assert_eq!(host.room.json(&["keys", "status"])["cells"]["sealed"].as_u64().unwrap_or(0), 0);
}
