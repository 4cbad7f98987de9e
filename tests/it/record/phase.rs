//! What a program may do in each phase of its tables.

use super::*;

on_every_engine!(
    a_program_refuses_tables_in_another_phase,
    a_program_that_writes_cells_is_refused_where_plaintext_counts,
    bytes_are_values_where_there_was_never_text,
);

/// A program that was built for the table once it is sealed, and started too early.
fn a_program_that_writes_cells_is_refused_where_plaintext_counts(engine: Engine) {
    let room = Room::empty(engine);
    block_on(async {
        let db = Database::connect(room.url()).await.unwrap();
        let roots = roots(&room).await;
        install_ring(&db, roots.clone()).await.unwrap();
        let table = "CREATE TABLE session (id varchar(64) NOT NULL PRIMARY KEY, ticket varchar(64) NOT NULL)";
        db.execute_unprepared(table).await.unwrap();
        let strongroom = Strongroom::load(db.clone(), roots.clone()).await.unwrap();
        for phase in [Phase::Dual, Phase::Filled, Phase::Required, Phase::Sealed, Phase::Plain] {
            Sealing::new(roots.clone())
                .migrate_to(&SchemaManager::new(&db), session::Entity::TABLE, phase)
                .await
                .unwrap();
            let program = Strongroom::load(db.clone(), roots.clone()).await.unwrap();
            for room in [&strongroom, &program] {
                let row = session::ActiveModel {
                    id: Set(Uuid::new_v4().to_string()),
                    ..Default::default()
                };
                tokio::time::sleep(LIFETIME).await;
                let written = row.with(session::Ticket, "t").insert(room).await;
                match written {
                    Ok(_) => assert_eq!(phase, Phase::Sealed),
                    Err(RecordError::NotSealed { table: "session", phase: found }) => {
                        assert_eq!(found, Some(phase));
                    }
                    Err(error) => panic!("{phase:?}: {error:?}"),
                }
            }
        }
        let back = db.query_one_raw(sea_orm::Statement::from_string(
            db.get_database_backend(),
            "SELECT count(*) FROM session",
        ));
        assert_eq!(back.await.unwrap().unwrap().try_get_by_index::<i64>(0).unwrap(), 2);
    });
}

/// There is no text column to go back to; where there is one, bytes would be lost on the way.
fn bytes_are_values_where_there_was_never_text(engine: Engine) {
    let (room, program) = program(engine);
    let bytes = vec![0xff_u8, 0, 0xfe];
    block_on(async {
        fill(&program).await;
        let row = program.find_by(Token, "tok_1").await.unwrap().unwrap();
        let row = row
            .into_active_model()
            .with(Token, bytes.clone())
            .with(Note, bytes.clone())
            .update(&program)
            .await
            .unwrap();
        assert_eq!(program.open(Token, &row).await.unwrap().as_bytes(), bytes);
    });
    room.run(&["keys", "verify"]).expect(0);
    room.run(&["keys", "rotate"]).expect(0);
    room.run(&["keys", "verify"]).expect(0);
    block_on(async {
        let db = program.db();
        let table = "CREATE TABLE session (id varchar(64) NOT NULL PRIMARY KEY, ticket varchar(64) NOT NULL)";
        db.execute_unprepared(table).await.unwrap();
        let sealing = Sealing::new(roots(&room).await);
        sealing
            .migrate_to(&SchemaManager::new(db), session::Entity::TABLE, Phase::Sealed)
            .await
            .unwrap();
        tokio::time::sleep(LIFETIME).await;
        let row = session::ActiveModel { id: Set("s-1".to_owned()), ..Default::default() };
        row.with(session::Ticket, bytes).insert(&program).await.unwrap();
    });
    let verified = room.run(&["keys", "verify", "--format", "json"]).expect(3).json();
    let named: Vec<_> = verified["failed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bad| (&bad["id"], &bad["reason"]))
        .collect();
    assert_eq!(named, [(&"s-1".into(), &"not_text".into())]);
}

const OTHER: SealedTable = SealedTable { scope: None, ..*webhook::Entity::TABLE };
const BOUND: SealedTable = SealedTable { owners: &[], ..*webhook::Entity::TABLE };
const UNKNOWN: SealedTable = SealedTable { name: "other", ..OTHER };

const MORE: SealedTable =
    SealedTable { columns: api_token::Entity::TABLE.columns, ..*webhook::Entity::TABLE };

fn a_program_refuses_tables_in_another_phase(engine: Engine) {
    let (_room, room) = program(engine);
    block_on(async {
        room.require(&TABLES).await.unwrap();
        for table in [&MORE, &BOUND] {
            let refused = room.require(&[table]).await;
            assert!(matches!(refused, Err(RecordError::SealedOtherwise("webhook"))), "{refused:?}");
        }
        let refused = room.require(&[&UNKNOWN]).await;
        assert!(
            matches!(
                refused,
                Err(RecordError::NotSealed { table: "other", phase: Some(Phase::Plain) })
            ),
            "{refused:?}"
        );
    });
}
