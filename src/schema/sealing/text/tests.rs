//! The SQL of every stage, for a table with two sealed columns.

use std::fmt::Write as _;

use strongroom_entity::{IdColumn, IdKind, OwnerColumn, OwnerKind, SealedColumn, SealedTable};
use strongroom_migration::Engine;

use super::Piece;
use crate::schema::sealing::original::{Index, OriginalColumn, OriginalColumns};

const TABLE: SealedTable = SealedTable {
    name: "api_token",
    id: IdColumn { name: "id", kind: IdKind::Uuid },
    owners: &[
        OwnerColumn { name: "tenant_id", label: "tenant", kind: OwnerKind::Text },
        OwnerColumn { name: "number", label: "number", kind: OwnerKind::Integer },
    ],
    scope: Some("tenant_id"),
    columns: &[
        SealedColumn {
            label: "api_token.token",
            plain: Some("token"),
            sealed: "token_sealed",
            index: Some("token_index"),
            nullable: true,
        },
        SealedColumn {
            label: "api_token.note",
            plain: Some("note"),
            sealed: "note_sealed",
            index: None,
            nullable: false,
        },
    ],
};

fn originals(
    constraints: &[&str],
    definition: Option<&str>,
    index: Option<&str>,
) -> OriginalColumns {
    let index = index.map(|sql| Index { name: "api_token_token".into(), sql: sql.into() });
    let token = OriginalColumn {
        kind: "varchar(200)".into(),
        place: 3,
        after: Some("tenant_id".into()),
        definition: definition.map(Into::into),
        constrained: true,
        constraints: constraints.iter().map(|it| (*it).to_owned()).collect(),
        indexes: index.into_iter().collect(),
    };
    vec![
        ("token", token),
        (
            "note",
            OriginalColumn {
                kind: "text".into(),
                place: 4,
                after: Some("token".into()),
                ..OriginalColumn::default()
            },
        ),
    ]
}

fn every_piece(engine: Engine, originals: &OriginalColumns) -> String {
    let pieces = [
        Piece::AddCells,
        Piece::GuardRequired,
        Piece::ProveRequired,
        Piece::Require,
        Piece::Hold,
        Piece::LetIn,
        Piece::Record,
        Piece::StopRecording,
        Piece::Bind,
        Piece::DropPlaintext(originals),
        Piece::AddPlaintext(originals),
        Piece::RestorePlaintext(originals),
        Piece::Release,
        Piece::DropCells,
        Piece::GuardBorn,
        Piece::DropGuards,
        Piece::Scrub,
    ];
    let mut all = String::new();
    for piece in pieces {
        let name = format!("{piece:?}");
        let name = name.split('(').next().unwrap();
        writeln!(all, "==== {name}\n{}\n", piece.of(&TABLE, engine)).unwrap();
    }
    all
}

#[test]
fn on_postgres() {
    let originals = originals(&["ADD CONSTRAINT api_token_token UNIQUE (token)"], None, None);
    insta::assert_snapshot!(every_piece(Engine::Postgres, &originals));
}

#[test]
fn on_sqlite() {
    insta::assert_snapshot!(every_piece(
        Engine::Sqlite,
        &originals(&[], Some("\n    token varchar(200) UNIQUE"), None)
    ));
}

#[test]
fn on_mysql() {
    let originals = originals(
        &[],
        Some("`token` varchar(200)"),
        Some("UNIQUE KEY `api_token_token` (`token`)"),
    );
    let text = every_piece(Engine::MySql, &originals);
    assert_eq!(text, every_piece(Engine::MariaDb, &originals));
    insta::assert_snapshot!(text);
}
