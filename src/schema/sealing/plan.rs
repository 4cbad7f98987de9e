//! The SQL of transitions, for plans. The database is not read: the plan starts from the other end of the way, and takes
//! plaintext columns to have type text.
//!
//! In a host's plan every statement begins with a line that names the table and the phase. The checksum of a step covers
//! this line alone, because the SQL changes with the table and with this version, and an applied step must not count as
//! edited then.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use strongroom_entity::{SealedTable, own_table};
use strongroom_migration::{Engine, Phase, Step, Transition};

use super::original::{self, OriginalColumns};
use super::text::Piece;
use crate::db::Dialect;

/// How that line begins.
const MARK: &str = "-- strongroom: ";

/// Returns the line that counts, if a statement is one of these.
pub(in crate::schema) fn counted(sql: &str) -> Option<&str> {
    sql.lines().next().filter(|line| line.starts_with(MARK))
}

/// Returns the SQL of a step that moves or rewrites one of Strongroom's own tables, a text for each piece.
pub fn plan_sql(step: &dyn Step, up: bool, half_way_down: bool, engine: Engine) -> Vec<String> {
    if let Some(table) = step.scrubs().filter(|_| up).and_then(own_table) {
        return vec![Piece::Scrub.of(table, engine)];
    }
    let Some(phases) = step.phases() else { return Vec::new() };
    let Some(table) = own_table(phases.table) else { return Vec::new() };
    let (from, to) = match (up, half_way_down) {
        (true, true) if phases.above == Phase::Sealed => (Phase::Restoring, Phase::Sealed),
        (true, _) => (phases.below, phases.above),
        (false, _) => (phases.above, phases.below),
    };
    let originals = original::unknown(table);
    let pieces = Transition::way(from, to).flat_map(|transition| pieces(transition, &originals));
    pieces.map(|piece| piece.of(table, engine)).filter(|text| !text.is_empty()).collect()
}

fn pieces(transition: Transition, originals: &OriginalColumns) -> Vec<Piece<'_>> {
    match transition {
        Transition::AddCells => vec![Piece::AddCells],
        Transition::Fill | Transition::Unfill => Vec::new(),
        Transition::Require => {
            vec![Piece::GuardRequired, Piece::ProveRequired, Piece::Require]
        }
        Transition::DropPlaintext => vec![
            Piece::Record,
            Piece::Hold,
            Piece::Bind,
            Piece::DropPlaintext(originals),
            Piece::LetIn,
            Piece::StopRecording,
        ],
        Transition::AbandonPlaintext => {
            vec![Piece::Hold, Piece::Bind, Piece::DropPlaintext(originals), Piece::LetIn]
        }
        Transition::AddPlaintext => {
            vec![Piece::Hold, Piece::AddPlaintext(originals), Piece::LetIn]
        }
        Transition::RestorePlaintext => vec![
            Piece::Record,
            Piece::Hold,
            Piece::RestorePlaintext(originals),
            Piece::LetIn,
            Piece::StopRecording,
        ],
        Transition::Release => vec![Piece::Release],
        Transition::DropCells => vec![Piece::DropCells],
    }
}

/// Says to a recording connection what a host's step would run.
pub(super) async fn say(
    db: &DatabaseConnection,
    table: &'static SealedTable,
    to: Phase,
) -> Result<(), DbErr> {
    let asked = format!("{} to {}", table.name, to.as_str());
    if table.plain_columns().next().is_none() {
        return say_piece(db, table, Piece::GuardBorn, &asked).await;
    }
    let originals = original::unknown(table);
    let from =
        if matches!(to, Phase::Plain | Phase::Restoring) { Phase::Sealed } else { Phase::Plain };
    for transition in Transition::way(from, to) {
        for piece in pieces(transition, &originals) {
            say_piece(db, table, piece, &asked).await?;
        }
    }
    Ok(())
}

pub(super) async fn say_piece(
    db: &DatabaseConnection,
    table: &'static SealedTable,
    piece: Piece<'_>,
    asked: &str,
) -> Result<(), DbErr> {
    // A recorder has no server to ask; MariaDB's statements are MySQL's.
    let engine = Dialect::of(db).engine();
    for statement in piece.of(table, engine).split("\n\n").filter(|statement| !statement.is_empty())
    {
        db.execute_unprepared(&format!("{MARK}{asked}\n{statement}")).await?;
    }
    Ok(())
}
