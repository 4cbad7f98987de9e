//! Where a run stands, so that the same command goes on after a crash.

use sea_orm::sea_query::{Alias, OnConflict, Query};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::direction::Direction;
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
    /// Every row up to this id has been looked at in this pass; `None` at its beginning. The database
    /// writes that as the empty text: a pass that begins again does no harm.
    pub(super) after: Option<String>,
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
        if let Some(row) = db.query_one_raw(statement(db.get_database_backend(), sql, [table.into()])).await? {
            let same = row.try_get::<String>("", "direction")? == direction.as_str()
                && row.try_get::<i32>("", "target")? == target
                && !row.try_get::<bool>("", "finished")?;
            if same {
                let (run, after, moved) =
                    (row.try_get("", "run")?, row.try_get::<String>("", "after_id")?, row.try_get("", "moved")?);
                let after = Some(after).filter(|after| !after.is_empty());
                return Ok(Self { table, run, direction, target, after, moved, finished: false });
            }
        }
        let run = Uuid::new_v4().to_string();
        Ok(Self { table, run, direction, target, after: None, moved: 0, finished: false })
    }

    /// Saves it; part of the page's transaction.
    pub(super) async fn save(&self, db: &impl ConnectionTrait) -> Result<(), DbErr> {
        let columns = COLUMNS.map(Alias::new);
        let values = [
            self.table.into(),
            self.run.as_str().into(),
            self.direction.as_str().into(),
            self.target.into(),
            self.after.as_deref().unwrap_or_default().into(),
            self.moved.into(),
            self.finished.into(),
            false.into(),
        ];
        let over = OnConflict::column(Alias::new("table_name")).update_columns(columns.clone().into_iter().skip(1)).to_owned();
        let mut save = Query::insert();
        save.into_table(Alias::new("strongroom_reseal")).columns(columns).values_panic(values).on_conflict(over);
        db.execute(&save).await.map(drop)
    }
}

const COLUMNS: [&str; 8] = ["table_name", "run", "direction", "target", "after_id", "moved", "finished", "writing"];

/// Says, until the transaction ends, that the engine is writing: the database refuses plaintext from
/// anybody else while cells count. Nobody outside the transaction ever sees it.
pub(super) async fn announce_writing(db: &impl ConnectionTrait, table: &str, writing: bool) -> Result<(), DbErr> {
    let sql = "UPDATE strongroom_reseal SET writing = $1 WHERE table_name = $2";
    db.execute_raw(statement(db.get_database_backend(), sql, [writing.into(), table.into()])).await.map(drop)
}
