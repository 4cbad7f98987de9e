//! What a plan shows: the SQL of every stage, on a connection that only records. It is asked nothing, so the phase is
//! taken to be the other end of the way, and the plaintext columns to be of type text.
//!
//! Every statement begins with a line that says what was asked for. It alone counts in the checksum of a step: the SQL is
//! that of today's table and of this version, and a step that was applied must not count as edited when either changes.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr};
use strongroom_entity::SealedTable;
use strongroom_migration::{Engine, Phase};

use super::former;
use super::text::Piece;
use super::way::next;

/// How that line begins.
const MARK: &str = "-- strongroom: ";

/// The line that counts, if a statement is one of these.
pub(in crate::schema) fn counted(sql: &str) -> Option<&str> {
    sql.lines().next().filter(|line| line.starts_with(MARK))
}

pub(super) async fn say(
    db: &DatabaseConnection,
    table: &'static SealedTable,
    to: Phase,
) -> Result<(), DbErr> {
    let asked = format!("{} to {}", table.name, to.as_str());
    if table.plain_columns().next().is_none() {
        return say_piece(db, table, Piece::GuardBorn, &asked).await;
    }
    let formers = former::unknown(table);
    let mut now =
        if matches!(to, Phase::Plain | Phase::Restoring) { Phase::Sealed } else { Phase::Plain };
    while let Some(next) = next(now, to) {
        let pieces: &[Piece<'_>] = match (now, next) {
            (Phase::Plain, _) => &[Piece::AddCells],
            (Phase::Dual, Phase::Plain) => &[Piece::DropCells],
            (Phase::Filled, Phase::Required) => &[Piece::Require],
            (Phase::Required, Phase::Filled) => &[Piece::Release],
            (Phase::Required, _) => &[Piece::Bind, Piece::DropPlaintext(&formers)],
            (Phase::Sealed, _) => &[Piece::AddPlaintext(&formers)],
            (Phase::Restoring, _) => &[Piece::Restore(&formers)],
            (Phase::Dual | Phase::Filled, _) => &[],
        };
        for piece in pieces {
            say_piece(db, table, *piece, &asked).await?;
        }
        now = next;
    }
    Ok(())
}

pub(super) async fn say_piece(
    db: &DatabaseConnection,
    table: &'static SealedTable,
    piece: Piece<'_>,
    asked: &str,
) -> Result<(), DbErr> {
    let engine = match db.get_database_backend() {
        DbBackend::Postgres => Engine::Postgres,
        DbBackend::Sqlite => Engine::Sqlite,
        _ => Engine::MySql,
    };
    for statement in piece.of(table, engine).split("\n\n").filter(|statement| !statement.is_empty())
    {
        db.execute_unprepared(&format!("{MARK}{asked}\n{statement}")).await?;
    }
    Ok(())
}
