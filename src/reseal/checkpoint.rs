//! Where a run stands, so that the same command goes on after a crash.

use sea_orm::sea_query::{Alias, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::direction::Direction;
use super::walk::Position;
use crate::db::statement;

/// The saved state of a table's last run.
#[derive(Debug, Clone)]
pub(super) struct Checkpoint {
    pub(super) table: &'static str,
    /// Names the run in quarantine.
    pub(super) run: String,
    pub(super) direction: Direction,
    /// The generation of a roll; 0 otherwise.
    pub(super) target: i32,
    /// How far this pass has come.
    pub(super) position: Position,
    pub(super) moved: i64,
    pub(super) finished: bool,
}

impl Checkpoint {
    /// The unfinished run of the same work, or a new one.
    pub(super) async fn resume_or_new(
        db: &impl ConnectionTrait,
        table: &'static str,
        direction: Direction,
        target: i32,
    ) -> Result<Self, DbErr> {
        let sql = "SELECT run, direction, target, after_id, moved, finished FROM strongroom_reseal WHERE table_name = $1";
        if let Some(row) =
            db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await?
        {
            let saved: String = row.try_get("", "direction")?;
            let (saved, by_rowid) =
                saved.strip_suffix(BY_ROWID).map_or((saved.as_str(), false), |saved| (saved, true));
            let same = saved == direction.as_str()
                && row.try_get::<i32>("", "target")? == target
                && !row.try_get::<bool>("", "finished")?;
            if same {
                let (run, after, moved) = (
                    row.try_get("", "run")?,
                    row.try_get("", "after_id")?,
                    row.try_get("", "moved")?,
                );
                return Ok(Self {
                    table,
                    run,
                    direction,
                    target,
                    position: position(after, by_rowid),
                    moved,
                    finished: false,
                });
            }
        }
        let run = Uuid::new_v4().to_string();
        Ok(Self {
            table,
            run,
            direction,
            target,
            position: Position::Start,
            moved: 0,
            finished: false,
        })
    }

    /// Saves it; part of the page's transaction.
    pub(super) async fn save(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let columns = COLUMNS.map(Alias::new);
        let (order, after) = match &self.position {
            Position::Start => ("", String::new()),
            Position::Id(id) => ("", id.clone()),
            Position::Rowid(rowid) => (BY_ROWID, rowid.to_string()),
        };
        let values = [
            self.table.into(),
            self.run.as_str().into(),
            format!("{}{order}", self.direction.as_str()).into(),
            self.target.into(),
            after.into(),
            self.moved.into(),
            self.finished.into(),
            false.into(),
        ];
        let over = OnConflict::column(Alias::new("table_name"))
            .update_columns(columns.clone().into_iter().skip(1))
            .to_owned();
        let mut save = Query::insert();
        save.into_table(Alias::new("strongroom_reseal"))
            .columns(columns)
            .values_panic(values)
            .on_conflict(over);
        db.execute(&save).await.map(drop)
    }
}

/// Follows the direction where the pass is in order of rowids. An older program, which knows ids only, begins its own pass.
const BY_ROWID: &str = "/rowid";

/// The empty text is the beginning: a pass that begins again does no harm.
fn position(after: String, by_rowid: bool) -> Position {
    match (by_rowid, after) {
        (true, after) => after.parse().map_or(Position::Start, Position::Rowid),
        (false, after) if after.is_empty() => Position::Start,
        (false, after) => Position::Id(after),
    }
}

const COLUMNS: [&str; 8] =
    ["table_name", "run", "direction", "target", "after_id", "moved", "finished", "writing"];

/// Says, until the transaction ends, that the engine is writing: the database refuses plaintext from
/// anybody else while cells count. Nobody outside the transaction ever sees it.
pub(super) async fn announce_writing(
    db: &impl ConnectionTrait,
    table: &str,
    writing: bool,
) -> Result<(), DbErr> {
    let sql = "UPDATE strongroom_reseal SET writing = $1 WHERE table_name = $2";
    db.execute_raw(statement(db.get_database_backend(), sql, [writing.into(), table.into()]))
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_in_the_order_it_was_written_in() {
        assert_eq!(position(String::new(), false), Position::Start);
        assert_eq!(position("12".into(), false), Position::Id("12".into()));
        assert_eq!(position("-12".into(), true), Position::Rowid(-12));
        assert_eq!(position("not a number".into(), true), Position::Start);
    }
}
