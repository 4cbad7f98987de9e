//! Work on one table does not read the keys of all the others.

use std::time::Instant;

use sea_orm::DatabaseConnection;
use strongroom::key::Ring;

use super::Program;
use super::wrong_tenant::had_plaintext;
use crate::support::{Engine, block_on};
use strongroom::entity::SealedEntity as _;

/// A stage asks the ring several times, and each time must cost less than reading all of it once.
#[test]
fn sealing_an_empty_table_beside_many_keys_reads_none_of_them() {
    block_on(async {
        let table = "CREATE TABLE session (id UUID NOT NULL PRIMARY KEY, tenant_id varchar(64) NOT NULL, ticket varchar(64) NOT NULL)";
        let program = Program::begin(Engine::Sqlite, &[table]).await;
        make_keys(&program, &program.db).await;
        let begun = Instant::now();
        program.load().await;
        let whole = begun.elapsed();
        let begun = Instant::now();
        program.seal(had_plaintext::Entity::TABLE).await;
        let sealing = begun.elapsed();
        println!("reading the ring took {whole:?}, sealing the table {sealing:?}");
        assert!(sealing < whole, "reading the ring took {whole:?}, sealing the table {sealing:?}");
    });
}

async fn make_keys(program: &Program, db: &DatabaseConnection) {
    let ring = Ring::load(db, program.roots.clone()).await.unwrap();
    ring.prepare(db, (0..6000).map(|n| format!("tenant {n}"))).await.unwrap();
}
